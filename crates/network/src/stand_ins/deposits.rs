//! Cycles that canisters deposit with the cycles ledger: a small canister at the ledger's id takes
//! them and writes them down; here they are read. Crediting them is the ledger's.

use std::fmt::Write as _;

use candid::{CandidType, Encode, Nat};
use hatchery_engine::{Engine, InstallMode};
use serde::Deserialize;

use super::cycles_ledger::Account;
use super::{CYCLES_LEDGER, decoded};

const PAGE_BYTES: usize = 65_536;
/// What the canister lives on; none of it is anybody's balance.
const CYCLES: u128 = 1_000_000_000_000_000;

/// One deposit.
pub(super) struct Deposit {
    /// `None` when the argument was none.
    pub(super) to: Option<Account>,
    pub(super) cycles: u128,
}

#[derive(CandidType, Deserialize)]
struct DepositArg {
    to: Account,
}

/// The ledger answers before it has credited: balance and block are not known then.
#[derive(CandidType)]
struct DepositReply {
    balance: Nat,
    block_index: Nat,
}

/// Puts the canister in its place, unless it is there.
pub(super) fn place(engine: &mut Engine) {
    if engine.place_canister(CYCLES_LEDGER, CYCLES_LEDGER, CYCLES) {
        let installed = engine.install(
            CYCLES_LEDGER,
            CYCLES_LEDGER,
            &module(),
            Vec::new(),
            InstallMode::Install,
        );
        installed.expect("bug: our own canister can be installed");
    }
}

/// The deposits after the first `count`, oldest first.
pub(super) fn after(engine: &Engine, count: u64) -> Vec<Deposit> {
    let written = engine.stable_memory(CYCLES_LEDGER).unwrap_or_default();
    let pages = written.chunks_exact(PAGE_BYTES);
    let read = |page| deposit(page).expect("bug: the canister wrote what is no deposit");
    pages.skip(count as usize).map(read).collect()
}

fn deposit(page: &[u8]) -> Option<Deposit> {
    let (size, rest) = page.split_first_chunk::<4>()?;
    let (cycles, rest) = rest.split_first_chunk::<16>()?;
    let arg = rest.get(..u32::from_le_bytes(*size) as usize)?;
    Some(Deposit {
        to: decoded(arg).ok().map(|arg: DepositArg| arg.to),
        cycles: u128::from_le_bytes(*cycles),
    })
}

fn module() -> Vec<u8> {
    let reply = DepositReply {
        balance: Nat::from(0_u8),
        block_index: Nat::from(0_u8),
    };
    let reply = Encode!(&reply).expect("bug: our own types encode");
    let mut escaped = String::new();
    for byte in &reply {
        write!(escaped, "\\{byte:02x}").expect("bug: writing to a text cannot fail");
    }
    let text = include_str!("deposit.wat")
        .replace("$REPLY_BYTES", &reply.len().to_string())
        .replace("$REPLY", &escaped);
    wat::parse_str(text).expect("bug: our own canister is valid")
}
