//! The example of a member with members of its own: each customer gets a canister from root, and the
//! desk gives it back when they leave.
//!
//! Owns the endpoints of `desk.did` and who has which canister. That is on the heap alone: after an
//! upgrade a customer opens again, under the same operation, and hears of the same canister. A name is
//! used once: after it was closed it stays closed.

#![allow(
    clippy::needless_pass_by_value,
    reason = "ic-cdk hands arguments over by value"
)]

use candid::{CandidType, Principal};
use hatchery::children::{self, Answer, Ask, CanisterId, Refusal};
use ic_cdk_timers::set_timer;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// The pool that the customers' canisters are members of.
const POOL: &str = "tenants";
/// Root is asked again this long after it said that the operation is under way.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// Longest name of a customer: with what stands before it, it fits an operation id.
const CUSTOMER_BYTES_MAX: usize = 58;

thread_local! {
    static CUSTOMERS: RefCell<BTreeMap<String, Standing>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
enum Standing {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "waiting")]
    Waiting,
    #[serde(rename = "open")]
    Open(Principal),
    #[serde(rename = "closing")]
    Closing(Principal),
    #[serde(rename = "closed")]
    Closed,
    #[serde(rename = "refused")]
    Refused(String, String),
}

#[ic_cdk::update]
fn open(customer: String) -> Standing {
    let length = customer.len();
    assert!(
        (1..=CUSTOMER_BYTES_MAX).contains(&length),
        "a name has 1 to 58 bytes"
    );
    if matches!(of(&customer), Standing::None | Standing::Refused(..)) {
        note(&customer, Standing::Waiting);
        ask_for(&customer);
    }
    of(&customer)
}

#[ic_cdk::update]
fn close(customer: String) -> Standing {
    if let Standing::Open(canister) = of(&customer) {
        note(&customer, Standing::Closing(canister));
        give_back(&customer);
    }
    of(&customer)
}

#[ic_cdk::query]
fn standing(customer: String) -> Standing {
    of(&customer)
}

fn of(customer: &str) -> Standing {
    let known = CUSTOMERS.with_borrow(|customers| customers.get(customer).cloned());
    known.unwrap_or(Standing::None)
}

fn note(customer: &str, standing: Standing) {
    CUSTOMERS.with_borrow_mut(|customers| customers.insert(customer.to_owned(), standing));
}

fn ask_for(customer: &str) {
    let ask = Ask::Create {
        pool: POOL.to_owned(),
        parent: None,
        init_arg: None,
    };
    let sent = children::ask(&format!("open-{customer}"), ask, |operation, answer| {
        let customer = operation.strip_prefix("open-").unwrap_or(operation);
        match answer {
            Answer::Created(canister) => note(customer, Standing::Open(canister)),
            Answer::Refused(why) => note(customer, refused(why)),
            _ => again(customer, ask_for),
        }
    });
    if sent.is_err() {
        again(customer, ask_for);
    }
}

fn give_back(customer: &str) {
    let Standing::Closing(canister) = of(customer) else {
        return;
    };
    let ask = Ask::Recycle {
        canister: CanisterId(canister),
    };
    let sent = children::ask(&format!("close-{customer}"), ask, |operation, answer| {
        let customer = operation.strip_prefix("close-").unwrap_or(operation);
        match answer {
            Answer::Recycled => note(customer, Standing::Closed),
            Answer::Refused(why) => note(customer, refused(why)),
            _ => again(customer, give_back),
        }
    });
    if sent.is_err() {
        again(customer, give_back);
    }
}

fn refused(why: Refusal) -> Standing {
    Standing::Refused(why.name, why.detail)
}

fn again(customer: &str, act: fn(&str)) {
    let customer = customer.to_owned();
    set_timer(ASK_AGAIN, async move { act(&customer) });
}

/// Nothing is under way that would be cut: root ends the customers' canisters before this one.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "only a wasm module exports the drain method")
)]
fn is_idle() -> bool {
    true
}

hatchery::worker!(is_idle);
hatchery::candid_service!(include_str!("../desk.did"));
