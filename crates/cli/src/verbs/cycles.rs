//! `hatchery cycles …`: what is held where, what was spent, and how long it lasts.

use crate::args::CyclesVerb;
use crate::complaint::{Complaint, Kind};
use crate::connection::client::{decode, encode};
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use candid::{CandidType, Nat, Principal};
use hatchery_api::{FleetStatus, FundingView, LedgerView, RowView};
use hatchery_types::{Cycles, Phase};
use serde::Deserialize;

/// `um5iw-rqaaa-aaaaq-qaaba-cai`, the cycles ledger.
pub(crate) const LEDGER: Principal = Principal::from_slice(&[0, 0, 0, 0, 2, 16, 0, 2, 1, 1]);

/// What the fleet holds and spent.
#[derive(CandidType)]
struct Holdings {
    root: Cycles,
    /// Root keeps at least this for itself; null when the caller may not see the spec.
    reserve: Option<Cycles>,
    canisters: u64,
    /// What they hold together by root's books: balances as last observed, deposits since,
    /// creations under way.
    held: Cycles,
    /// By phase, when every row was to be read: canisters, cycles when last observed, and of how
    /// many that is not known.
    phases: Option<Vec<Held>>,
    ledger: LedgerView,
    funding: FundingView,
}

#[derive(CandidType)]
struct Held {
    phase: Phase,
    canisters: u64,
    cycles: Cycles,
    unobserved: u64,
}

pub(crate) fn run(session: &Session<'_>, verb: &CyclesVerb) -> anyhow::Result<()> {
    match verb {
        CyclesVerb::Show { by_phase } => show(session, *by_phase),
        CyclesVerb::TopUp { amount } => top_up(session, *amount),
    }
}

/// Root's own sums cost two questions, however large the fleet; its rows are read when asked for.
fn show(session: &Session<'_>, by_phase: bool) -> anyhow::Result<()> {
    let status: FleetStatus = session.client.status()?;
    let phases = by_phase.then(|| session.client.rows(None)).transpose()?;
    let spec = session.client.spec().ok().flatten();
    let holdings = Holdings {
        root: status.cycles,
        reserve: spec.map(|spec| spec.reserve),
        canisters: status.phases.iter().map(|(_, count)| *count).sum(),
        held: held(&status.ledger),
        phases: phases.as_deref().map(held_by_phase),
        ledger: status.ledger,
        funding: status.funding,
    };
    session.say(&holdings, |paint| print(&holdings, paint));
    Ok(())
}

/// What came in and did not go.
fn held(ledger: &LedgerView) -> Cycles {
    let came = [ledger.spent, ledger.topped_up, ledger.received];
    let went = [
        ledger.burned,
        ledger.swept,
        ledger.discarded,
        ledger.given_away,
    ];
    let sum = |parts: &[Cycles]| {
        parts
            .iter()
            .fold(0_u128, |sum, it| sum.saturating_add(it.0))
    };
    Cycles(sum(&came).saturating_sub(sum(&went)))
}

fn held_by_phase(rows: &[RowView]) -> Vec<Held> {
    let held = Phase::ALL.into_iter().map(|phase| {
        let rows = rows.iter().filter(|row| row.phase == phase);
        let mut held = Held {
            phase,
            canisters: 0,
            cycles: Cycles(0),
            unobserved: 0,
        };
        for row in rows {
            held.canisters += 1;
            match row.cycles {
                Some(cycles) => held.cycles.0 += cycles.0,
                None => held.unobserved += 1,
            }
        }
        held
    });
    held.filter(|held| held.canisters > 0).collect()
}

fn print(holdings: &Holdings, paint: Paint) {
    let reserve = holdings.reserve.map_or_else(String::new, |reserve| {
        format!(", keeps {} for itself", amount::cycles(reserve.0))
    });
    println!("root       {}{reserve}", amount::cycles(holdings.root.0));
    let held = amount::cycles(holdings.held.0);
    println!("canisters  {held} in {}", holdings.canisters);
    if let Some(phases) = &holdings.phases {
        println!();
        print_phases(phases, paint);
    }
    print_movements(&holdings.ledger);
    print_burn(&holdings.funding);
}

fn print_phases(phases: &[Held], paint: Paint) {
    let mut table = Table::new(["phase", ">canisters", ">cycles", ">unobserved"]);
    for held in phases {
        table.row([
            paint.phase(held.phase),
            held.canisters.to_string(),
            amount::cycles(held.cycles.0),
            held.unobserved.to_string(),
        ]);
    }
    table.print(paint, "no canisters");
}

/// What came in is what is held and what went.
fn print_movements(ledger: &LedgerView) {
    println!();
    for (name, cycles, what) in [
        ("spent", ledger.spent, "attached to creations"),
        ("topped up", ledger.topped_up, "to keep canisters alive"),
        ("received", ledger.received, "with imports, and from others"),
        ("burned", ledger.burned, "by canisters, fees included"),
        ("swept", ledger.swept, "got back"),
        (
            "discarded",
            ledger.discarded,
            "with canisters that were deleted",
        ),
        (
            "given away",
            ledger.given_away,
            "with canisters handed over",
        ),
    ] {
        println!("{name:<10} {} {what}", amount::cycles(cycles.0));
    }
}

fn print_burn(funding: &FundingView) {
    let day = |cycles: Cycles| format!("{} a day", amount::cycles(cycles.0));
    let own = funding.own_burn.map_or("not known yet".to_owned(), day);
    println!("\nroot burns {own}");
    for (role, burn) in &funding.burn {
        println!("{role} burns {}", day(*burn));
    }
    println!("funding    {}", super::status::funding(funding));
}

#[derive(CandidType)]
struct Withdraw {
    from_subaccount: Option<Vec<u8>>,
    to: Principal,
    created_at_time: Option<u64>,
    amount: Nat,
}

/// Of the ledger's errors those that are named; the others are told as they are.
#[derive(Debug, CandidType, Deserialize)]
pub(crate) enum LedgerError {
    /// The account holds less.
    InsufficientFunds {
        /// What it holds.
        balance: Nat,
    },
    /// The same request came before.
    Duplicate {
        /// Its block.
        duplicate_of: Nat,
        /// Of a creation: what came of it.
        canister_id: Option<Principal>,
    },
    /// The request's time is too long ago to know whether it came before.
    TooOld,
    /// Everything else that comes with a text.
    GenericError {
        /// Its number.
        error_code: Nat,
        /// Its text.
        message: String,
    },
}

/// The ledger's answer, or why there is none.
///
/// # Errors
/// The ledger says no.
pub(crate) fn ledger_answer<T: CandidType + serde::de::DeserializeOwned>(
    method: &str,
    bytes: &[u8],
) -> anyhow::Result<T> {
    let answer: Result<T, LedgerError> = decode(method, bytes)?;
    answer.map_err(|error| refused(method, error).into())
}

/// What to do about it.
pub(crate) fn refused(method: &str, error: LedgerError) -> Complaint {
    let (message, hint) = match error {
        LedgerError::InsufficientFunds { balance } => (
            format!(
                "the identity's account holds {}",
                amount::cycles(u128::try_from(balance.0).unwrap_or(u128::MAX))
            ),
            "`icp cycles mint` makes cycles from ICP; or ask for less",
        ),
        LedgerError::Duplicate { duplicate_of, .. } => (
            format!("block {duplicate_of} did the same already"),
            "look at the balance with `icp cycles balance`",
        ),
        LedgerError::TooOld => (
            "the request is more than a day old".to_owned(),
            "the same command again makes a new one; look first whether the old one was done",
        ),
        LedgerError::GenericError { message, .. } => {
            (message, "look at the balance with `icp cycles balance`")
        }
    };
    let message = format!("the cycles ledger refuses `{method}`: {message}");
    Complaint::new(Kind::Refused, message).hint(hint)
}

fn top_up(session: &Session<'_>, cycles: u128) -> anyhow::Result<()> {
    let root = session.client.root()?;
    session.confirm(&format!("Root gets {}.", amount::cycles(cycles)))?;
    let request = Withdraw {
        from_subaccount: None,
        to: root,
        created_at_time: Some(amount::now().0),
        amount: Nat::from(cycles),
    };
    let bytes = session
        .client
        .update_bytes(LEDGER, "withdraw", encode(&request))?;
    let _: Nat = ledger_answer("withdraw", &bytes)?;
    let status = session.client.status()?;
    session.say(&status.cycles, |_| {
        println!("root holds {}", amount::cycles(status.cycles.0));
    });
    Ok(())
}
