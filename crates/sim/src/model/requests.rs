//! Members that ask for canisters of their own: honestly, twice, for others, as who they are not.
//! Draws it, and lets it happen.

use super::action::{Action, Numbers};
use super::fleet;
use super::world::{Failure, World};
use hatchery_core::{Ask, Input, Reply, RequestInput};
use hatchery_types::{CanisterId, Generation, Nanos, OperationId, Phase};

impl World {
    /// A member, or somebody who is none, asks.
    pub(super) fn draw_request(&mut self, actions: &mut Vec<Action>) {
        if self.dice.chance(100) {
            return self.draw_asked_upgrade(actions);
        }
        let at_work = self.rows().values();
        let at_work = at_work.filter(|row| row.phase == Phase::InService);
        let at_work: Vec<CanisterId> = at_work.map(|row| row.canister).collect();
        let member = self.dice.pick(&at_work).copied();
        let caller = member.filter(|_| self.dice.chance(950));
        let caller = caller.unwrap_or_else(|| super::canister_id(self.dice.below(24)));
        let generation_off = if self.dice.chance(60) {
            self.dice.between(1, 3)
        } else {
            0
        };
        let children = self.rows().values();
        let children = children.filter(|row| row.parent == Some(caller) && row.phase.is_living());
        let children: Vec<CanisterId> = children.map(|row| row.canister).collect();
        let ask = match self.dice.below(11) {
            10 => Ask::Upgrade(self.dice.pick(&children).copied().unwrap_or(caller)),
            0..3 => {
                let child = self.dice.pick(&children).copied();
                let any = self.dice.pick(&at_work).copied();
                Ask::Recycle(child.or(any).unwrap_or(caller))
            }
            number => Ask::Create {
                pool: fleet::POOLS[usize::from(!self.dice.chance(200))].to_owned(),
                parent: match number {
                    3 => Some(self.platform.root),
                    4..6 => self.dice.pick(&at_work).copied(),
                    6 => self.dice.pick(&children).copied(),
                    _ => None,
                },
                init_arg: None,
            },
        };
        // Few ids, of all members together: each other's, and their own again.
        let operation = format!("request-{}-{}", self.step / 50, self.dice.below(8));
        let action = Action::Request {
            caller,
            generation_off,
            operation: OperationId(operation),
            ask,
        };
        if self.dice.chance(250) {
            actions.push(action.clone());
        }
        actions.push(action);
    }

    /// A member gets a child whose role has no rule, and has it upgraded, twice.
    fn draw_asked_upgrade(&mut self, actions: &mut Vec<Action>) {
        let members = self.rows().values();
        let members = members.filter(|row| matches!(row.phase, Phase::InService | Phase::Leased));
        let members = members.filter(|row| row.role.as_deref() == Some("checked"));
        let members: Vec<CanisterId> = members.map(|row| row.canister).collect();
        let Some(caller) = self.dice.pick(&members).copied() else {
            return;
        };
        let numbers = Numbers {
            pool: 1,
            min: 0,
            max: 5,
            initial: 1,
            minimum: 3,
            maximum: 6,
            rule: false,
            ..self.draw_numbers()
        };
        let step = self.step;
        let asked = |what: &str, ask| Action::Request {
            caller,
            generation_off: 0,
            operation: OperationId(format!("{what}-{step}")),
            ask,
        };
        let create = Ask::Create {
            pool: fleet::POOLS[1].to_owned(),
            parent: None,
            init_arg: None,
        };
        let wait = Action::Pass(Nanos::from_secs(20));
        actions.extend([Action::Respec(numbers), Action::Tick, wait.clone()]);
        actions.extend([asked("child", create), wait.clone()]);
        for (round, module) in [("first", 1), ("second", 0), ("third", 1)] {
            let all = Ask::UpgradeAll("worker".to_owned());
            actions.extend([Action::Remodule(0, module), wait.clone(), asked(round, all)]);
            actions.extend([wait.clone(), wait.clone()]);
        }
    }

    pub(super) fn request(
        &mut self,
        caller: CanisterId,
        generation_off: u64,
        operation: &OperationId,
        ask: &Ask,
    ) -> Result<(), Failure> {
        let row = self.state.row(caller);
        let generation = row.map_or(0, |row| row.generation.0);
        let reply = self.message(&Input::Request(RequestInput {
            caller,
            generation: Generation(generation.wrapping_add(generation_off)),
            operation: operation.clone(),
            ask: ask.clone(),
            vitals: self.vitals(),
        }))?;
        self.tick_owed = true;
        match reply {
            Reply::Command(_) if matches!(ask, Ask::Upgrade(_) | Ask::UpgradeAll(_)) => {
                self.note("upgrade asked for");
            }
            Reply::Command(_) => self.note("request taken"),
            Reply::Refused(reason, _) => self.note(match reason.name() {
                "no-grant" => "request without a grant",
                "grant-used-up" => "request beyond its grant",
                "stale-generation" => "request of an earlier tenant",
                "disruption-budget" => "upgrade asked for beyond the budget",
                "upgrade-stopped" => "upgrade asked for of a module that is no good",
                _ => "request refused",
            }),
            other => return Err(self.failure("request", format!("{ask:?} got {other:?}"))),
        }
        Ok(())
    }
}
