//! The cycles ledger as clients see it: balances, transfers, canisters created and topped up from
//! them. Every account starts with a gift; cycles spent on canisters are minted by the engine.
//!
//! Source: the cycles ledger's Candid interface (`cycles-ledger.did`, 2026).

use std::collections::BTreeMap;

use candid::{CandidType, Decode, Encode, Nat};
use hatchery_engine::{Engine, Principal};
use ic_management_canister_types::{CanisterIdRecord, CanisterSettings};
use serde::Deserialize;
use serde_bytes::ByteBuf;

use super::{Answer, decoded, deposits, encoded, no_method};

/// Cycles that an account has before it was ever touched.
const GIFT: u128 = 1_000_000_000_000_000_000;
/// Fee of every transfer, withdrawal and creation.
const FEE: u128 = 100_000_000;

/// An owner's account, of which there may be many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, CandidType, Deserialize)]
pub(crate) struct Account {
    pub(crate) owner: Principal,
    pub(crate) subaccount: Option<ByteBuf>,
}

/// Balances that differ from the gift, and the number of the last block.
#[derive(Debug, Clone, Default, CandidType, Deserialize)]
pub(crate) struct CyclesLedger {
    balances: BTreeMap<Account, u128>,
    blocks: u64,
    /// Deposits of canisters that were credited.
    deposits: u64,
    /// Creations whose requests had a time: the same one again is a duplicate.
    timed: Option<Vec<Timed>>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
struct Timed {
    from: Account,
    amount: Nat,
    time: u64,
    block: Nat,
    canister: Principal,
}

#[derive(CandidType, Deserialize)]
struct CreateCanister {
    from_subaccount: Option<ByteBuf>,
    created_at_time: Option<u64>,
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType, Deserialize)]
struct CreationArgs {
    settings: Option<CanisterSettings>,
}

#[derive(CandidType, Deserialize)]
struct Withdraw {
    from_subaccount: Option<ByteBuf>,
    to: Principal,
    amount: Nat,
}

#[derive(CandidType, Deserialize)]
struct Transfer {
    from_subaccount: Option<ByteBuf>,
    to: Account,
    amount: Nat,
}

#[derive(CandidType)]
struct Created {
    block_id: Nat,
    canister_id: Principal,
}

/// The errors that can happen here; the real ledger has more.
#[derive(CandidType)]
enum LedgerError {
    InsufficientFunds {
        balance: Nat,
    },
    InvalidReceiver {
        receiver: Principal,
    },
    Duplicate {
        duplicate_of: Nat,
        canister_id: Option<Principal>,
    },
    GenericError {
        error_code: Nat,
        message: String,
    },
}

#[derive(CandidType, Deserialize)]
struct Provisional {
    amount: Option<Nat>,
    settings: Option<CanisterSettings>,
}

impl CyclesLedger {
    pub(super) fn update(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        method: &str,
        arg: &[u8],
    ) -> Answer {
        match method {
            "create_canister" => Ok(encoded(&self.create(engine, sender, decoded(arg)?))),
            "withdraw" => Ok(encoded(&self.withdraw(engine, sender, decoded(arg)?))),
            "icrc1_transfer" => Ok(encoded(&self.transfer(sender, decoded(arg)?))),
            _ => self.query(method, arg),
        }
    }

    pub(super) fn query(&self, method: &str, arg: &[u8]) -> Answer {
        match method {
            "icrc1_balance_of" => Ok(encoded(&Nat::from(self.balance(&decoded(arg)?)))),
            "icrc1_fee" => Ok(encoded(&Nat::from(FEE))),
            "icrc1_decimals" => Ok(encoded(&12_u8)),
            "icrc1_symbol" => Ok(encoded(&"TCYCLES")),
            "icrc1_name" => Ok(encoded(&"Trillion Cycles")),
            _ => no_method("cycles ledger", method),
        }
    }

    fn balance(&self, account: &Account) -> u128 {
        self.balances.get(&normal(account)).copied().unwrap_or(GIFT)
    }

    /// Takes the amount and the fee off an account.
    fn charge(&mut self, from: &Account, amount: &Nat) -> Result<u128, LedgerError> {
        let balance = self.balance(from);
        let short = LedgerError::InsufficientFunds {
            balance: Nat::from(balance),
        };
        let Ok(amount) = u128::try_from(&amount.0) else {
            return Err(short);
        };
        let left = amount
            .checked_add(FEE)
            .and_then(|total| balance.checked_sub(total));
        let Some(left) = left else {
            return Err(short);
        };
        self.balances.insert(normal(from), left);
        Ok(amount)
    }

    /// Credits what canisters have deposited since the last time.
    pub(super) fn credit_deposits(&mut self, engine: &Engine) {
        for deposit in deposits::after(engine, self.deposits) {
            self.deposits += 1;
            self.blocks += 1;
            if let Some(to) = deposit.to {
                self.credit(&to, deposit.cycles.saturating_sub(FEE));
            }
        }
    }

    fn credit(&mut self, to: &Account, amount: u128) {
        let balance = self.balance(to).saturating_add(amount);
        self.balances.insert(normal(to), balance);
    }

    fn next_block(&mut self) -> Nat {
        self.blocks += 1;
        Nat::from(self.blocks)
    }

    fn create(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        args: CreateCanister,
    ) -> Result<Created, LedgerError> {
        let from = normal(&account(sender, args.from_subaccount));
        if let Some(known) = self.known(&from, &args.amount, args.created_at_time) {
            return Err(LedgerError::Duplicate {
                duplicate_of: known.block.clone(),
                canister_id: Some(known.canister),
            });
        }
        let amount = self.charge(&from, &args.amount)?;
        let settings = args.creation_args.and_then(|args| args.settings);
        let request = Provisional {
            amount: Some(Nat::from(amount)),
            settings,
        };
        let arg = Encode!(&request).expect("bug: our own types encode");
        let method = "provisional_create_canister_with_cycles";
        let answer = engine.update(sender, Principal::management_canister(), method, arg);
        match answer {
            Ok(reply) => {
                let reply = Decode!(&reply, CanisterIdRecord);
                let canister = reply.expect("bug: the engine's answer decodes").canister_id;
                let block = self.next_block();
                if let Some(time) = args.created_at_time {
                    self.timed.get_or_insert_default().push(Timed {
                        from,
                        amount: args.amount,
                        time,
                        block: block.clone(),
                        canister,
                    });
                }
                Ok(Created {
                    block_id: block,
                    canister_id: canister,
                })
            }
            Err(reject) => {
                self.credit(&from, amount);
                Err(LedgerError::GenericError {
                    error_code: Nat::from(reject.error as u32),
                    message: reject.message,
                })
            }
        }
    }

    /// The creation that the same request led to before.
    fn known(&self, from: &Account, amount: &Nat, time: Option<u64>) -> Option<&Timed> {
        let time = time?;
        let mut timed = self.timed.iter().flatten();
        timed.find(|it| it.time == time && it.from == *from && it.amount == *amount)
    }

    fn withdraw(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        args: Withdraw,
    ) -> Result<Nat, LedgerError> {
        if engine.canister(args.to).is_none() {
            return Err(LedgerError::InvalidReceiver { receiver: args.to });
        }
        let amount = self.charge(&account(sender, args.from_subaccount), &args.amount)?;
        engine.add_cycles(args.to, amount);
        Ok(self.next_block())
    }

    fn transfer(&mut self, sender: Principal, args: Transfer) -> Result<Nat, LedgerError> {
        let amount = self.charge(&account(sender, args.from_subaccount), &args.amount)?;
        self.credit(&args.to, amount);
        Ok(self.next_block())
    }
}

fn account(owner: Principal, subaccount: Option<ByteBuf>) -> Account {
    Account { owner, subaccount }
}

/// 32 zeros are the same as no subaccount.
fn normal(account: &Account) -> Account {
    let subaccount = account.subaccount.clone();
    Account {
        owner: account.owner,
        subaccount: subaccount.filter(|bytes| bytes.iter().any(|byte| *byte != 0)),
    }
}
