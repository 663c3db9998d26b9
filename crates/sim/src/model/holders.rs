//! Those who use workers: leases taken, kept and given back, protection asked for, pools reported
//! by their parent. Draws it, and lets it happen.

use super::action::Action;
use super::fleet;
use super::world::{Failure, World};
use hatchery_core::{
    Input, LeaseAnswer, LeaseAsk, LeaseInput, PoolReport, Reply, Row, WorkerInput, plan_worker,
};
use hatchery_types::{CanisterId, Nanos, OperationId, Phase, Reason};

impl World {
    /// A holder or a worker says something.
    pub(super) fn draw_holder(&mut self, actions: &mut Vec<Action>) {
        let pool = fleet::POOLS[self.dice.below(2) as usize].to_owned();
        // One that is away for its upgrade is given back meanwhile.
        let is_away = |row: &&Row| row.phase == Phase::Upgrading && row.holder.is_some();
        let away = self.rows().values().find(is_away);
        let away = away.and_then(|row| Some((row.pool.clone()?, vec![row.canister])));
        if let Some((pool, canisters)) = away.filter(|_| self.dice.chance(700)) {
            let operation = OperationId(format!("back-{}", self.step));
            let ask = LeaseAsk::Release { canisters };
            return actions.push(Action::Lease(operation, pool, ask));
        }
        match self.dice.below(15) {
            14 => {
                let number = self.dice.below(8);
                let operation = OperationId(format!("worker-{}-{number}", self.step / 50));
                actions.push(Action::Worker(operation, pool));
            }
            10.. => self.draw_request(actions),
            0..2 => {
                let members = self.draw_members(&pool, |row| row.phase.is_living());
                let loads = members.into_iter().map(|id| (id, self.dice.below(50)));
                let loads = loads.collect();
                actions.push(Action::ReportPool(pool, loads));
            }
            2 => {
                let seconds = self.dice.below(600);
                let member = self.draw_members(&pool, |row| row.phase.is_living()).pop();
                let member = member.unwrap_or_else(|| super::canister_id(self.dice.below(24)));
                actions.push(Action::Protect(member, Nanos::from_secs(seconds)));
            }
            _ => self.draw_lease(pool, actions),
        }
    }

    fn draw_lease(&mut self, pool: String, actions: &mut Vec<Action>) {
        let seconds = [None, Some(5), Some(300), Some(0)][self.dice.below(4) as usize];
        let ttl = seconds.map(Nanos::from_secs);
        let mut held = self.draw_members(&pool, |row| row.holder.is_some());
        let ask = match self.dice.below(4) {
            0 if !held.is_empty() => LeaseAsk::Renew {
                canisters: held,
                ttl,
            },
            1 if !held.is_empty() => {
                held.truncate(1 + self.dice.below(2) as usize);
                LeaseAsk::Release { canisters: held }
            }
            _ => LeaseAsk::Take {
                count: self.dice.below(4) as u32,
                ttl,
            },
        };
        let number = self.dice.below(20);
        let operation = OperationId(format!("lease-{}-{number}", self.step / 100));
        let action = Action::Lease(operation, pool, ask);
        if self.dice.chance(200) {
            actions.push(action.clone());
        }
        actions.push(action);
    }

    fn draw_members(&self, pool: &str, which: impl Fn(&Row) -> bool) -> Vec<CanisterId> {
        let rows = self.rows().values();
        let ours = rows.filter(|row| row.pool.as_deref() == Some(pool) && which(row));
        ours.map(|row| row.canister).collect()
    }

    pub(super) fn lease(
        &mut self,
        operation: &OperationId,
        pool: &str,
        ask: &LeaseAsk,
    ) -> Result<(), Failure> {
        let reply = self.message(&Input::Lease(LeaseInput {
            caller: fleet::operator(),
            operator: true,
            operation: operation.clone(),
            pool: pool.to_owned(),
            ask: ask.clone(),
        }))?;
        self.tick_owed = true;
        match reply {
            Reply::Lease(answer) => {
                self.note("lease answered");
                self.check_lease(ask, &answer)
            }
            Reply::Refused(..) => {
                self.note("lease refused");
                Ok(())
            }
            other => Err(self.failure("lease", format!("{ask:?} got {other:?}"))),
        }
    }

    /// What is asked for is granted, skipped or short: nothing is left unsaid.
    fn check_lease(&self, ask: &LeaseAsk, answer: &LeaseAnswer) -> Result<(), Failure> {
        let asked = match ask {
            LeaseAsk::Take { count, .. } => *count as usize,
            LeaseAsk::Renew { canisters, .. } | LeaseAsk::Release { canisters } => canisters.len(),
        };
        let told = answer.granted.len() + answer.skipped.len() + answer.short as usize;
        if asked == told {
            return Ok(());
        }
        Err(self.failure("lease", format!("{ask:?} got {answer:?}")))
    }

    /// The dry run says what the call then does.
    pub(super) fn worker(&mut self, operation: &OperationId, pool: &str) -> Result<(), Failure> {
        let (caller, vitals) = (fleet::operator(), self.vitals());
        let again = self.state.receipt(caller, operation).is_some();
        let planned = plan_worker(&self.state, self.now, &vitals, pool);
        let reply = self.message(&Input::CreateWorker(WorkerInput {
            caller,
            operator: true,
            operation: operation.clone(),
            pool: pool.to_owned(),
            init_arg: None,
            vitals,
        }))?;
        self.tick_owed = true;
        let agrees = match (&planned, &reply) {
            _ if again => true,
            (Some(Ok(_)), Reply::Command(_)) => true,
            (Some(Err(planned)), Reply::Refused(reason, _)) => planned == reason,
            // Root answers nobody before it knows that its memory is whole.
            (_, Reply::Refused(reason, _)) => {
                matches!(reason, Reason::Recovering | Reason::Unchecked)
            }
            _ => false,
        };
        if !agrees {
            let what = format!("{operation:?}: {planned:?} was planned, {reply:?} came");
            return Err(self.failure("plan = act", what));
        }
        self.note(match reply {
            Reply::Command(_) => "worker taken",
            _ => "worker refused",
        });
        Ok(())
    }

    pub(super) fn protect(&mut self, member: CanisterId, span: Nanos) -> Result<(), Failure> {
        let canister = self.platform.canisters.get(&member);
        let generation = canister.and_then(|canister| canister.generation);
        let until = self.now + span;
        self.message(&Input::Protect {
            member,
            generation: generation.unwrap_or_default(),
            until,
        })?;
        Ok(())
    }

    pub(super) fn report_pool(
        &mut self,
        pool: &str,
        loads: &[(CanisterId, u64)],
    ) -> Result<(), Failure> {
        let member = |(id, value): &(CanisterId, u64)| (*id, fleet::SIGNAL.to_owned(), *value);
        self.message(&Input::ReportPool(PoolReport {
            caller: fleet::operator(),
            operator: true,
            pool: pool.to_owned(),
            totals: vec![("unheard-of".to_owned(), 1)],
            members: loads.iter().map(member).collect(),
        }))?;
        self.tick_owed = true;
        Ok(())
    }
}
