//! The platform's own canisters as clients meet them: creating, topping up, balances.

use candid::{CandidType, Nat};
use hatchery_engine::Principal;
use ic_transport_types::{EnvelopeContent, QueryResponse};
use serde::Deserialize;

use crate::client::{World, decode, encode};

const CYCLES_LEDGER: &str = "um5iw-rqaaa-aaaaq-qaaba-cai";
const MINTING: &str = "rkp4c-7iaaa-aaaaa-aaaca-cai";

#[derive(CandidType)]
struct Account {
    owner: Principal,
    subaccount: Option<Vec<u8>>,
}

#[derive(CandidType)]
struct Create {
    amount: Nat,
}

#[derive(CandidType)]
struct Withdraw {
    to: Principal,
    amount: Nat,
}

#[derive(Debug, CandidType, Deserialize)]
struct Created {
    canister_id: Principal,
}

#[derive(Debug, CandidType, Deserialize)]
enum Refusal {
    InsufficientFunds { balance: Nat },
    InvalidReceiver { receiver: Principal },
    GenericError { message: String },
}

/// A world whose calls go to a canister of the platform.
fn world(callee: &str) -> World {
    let mut world = World::new();
    world.canister = Principal::from_text(callee).expect("an id");
    world
}

fn call(world: &World, method: &str, arg: Vec<u8>) -> Vec<u8> {
    let mut content = world.call(method);
    if let EnvelopeContent::Call { arg: place, .. } = &mut content {
        *place = arg;
    }
    world.update(content).expect("a reply")
}

fn balance(world: &World) -> u128 {
    let owner = world.owner.id();
    let account = Account {
        owner,
        subaccount: None,
    };
    let balance: Nat = decode(&call(world, "icrc1_balance_of", encode(&account)));
    u128::try_from(balance.0).expect("a balance")
}

#[test]
fn canisters_are_created_and_topped_up_from_a_balance() {
    let world = world(CYCLES_LEDGER);
    let before = balance(&world);
    let amount = Nat::from(3_000_000_000_000_u64);
    let created = call(&world, "create_canister", encode(&Create { amount }));
    let created: Result<Created, Refusal> = decode(&created);
    let id = created.expect("a canister").canister_id;
    let withdraw = |to| {
        let amount = Nat::from(1_000_000_000_000_u64);
        let answer = call(&world, "withdraw", encode(&Withdraw { to, amount }));
        decode::<Result<Nat, Refusal>>(&answer)
    };
    withdraw(id).expect("a block");
    assert!(matches!(
        withdraw(Principal::management_canister()),
        Err(Refusal::InvalidReceiver { .. })
    ));
    let owner = world.owner.id();
    let view = world.network.visit(move |engine| engine.canister(id));
    let view = view.expect("runs").expect("there");
    assert_eq!(view.controllers, [owner]);
    assert!(view.cycles > 3_400_000_000_000, "{}", view.cycles);
    assert_eq!(balance(&world), before - 4_000_200_000_000);
    let balanced = world
        .network
        .visit(|engine| engine.cycles_account().is_balanced());
    assert!(balanced.expect("runs"));
}

#[test]
fn nobody_spends_more_than_they_have() {
    let world = world(CYCLES_LEDGER);
    let amount = Nat::from(u128::MAX);
    let created = call(&world, "create_canister", encode(&Create { amount }));
    let refusal = decode::<Result<Created, Refusal>>(&created).expect_err("too much");
    assert!(
        matches!(refusal, Refusal::InsufficientFunds { .. }),
        "{refusal:?}"
    );
}

#[test]
fn canisters_are_created_on_the_one_subnet() {
    let world = world(MINTING);
    let mut content = world.query(world.owner.id(), "get_default_subnets");
    if let EnvelopeContent::Query { arg, .. } = &mut content {
        *arg = candid::encode_args(()).expect("nothing encodes");
    }
    let answer = world.post("v3", "query", &world.owner.envelope(content));
    match serde_cbor::from_slice(&answer.body).expect("CBOR") {
        QueryResponse::Replied { reply, .. } => {
            let subnets: Vec<Principal> = decode(&reply.arg);
            assert_eq!(subnets, [world.network.subnet()]);
        }
        QueryResponse::Rejected { reject, .. } => panic!("{reject:?}"),
    }
}
