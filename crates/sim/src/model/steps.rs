//! What each step of an effect does to the model platform, and what root hears of it.

use super::canister::{Canister, INSTALL_PREPAID, STOP_TIMEOUT, Work};
use super::platform::{CHUNKS_MAX, Call, OF_ANOTHER_ROOT, Platform};
use super::swarm::Fault;
use super::{fleet, upgrades};
use hatchery_core::SWEEPER_HASH;
use hatchery_types::{
    CanisterId, Creation, Cycles, EffectKind, Generation, Info, ModuleHash, Nanos, Outcome,
    REJECT_DESTINATION_INVALID, Refusal, RunState, Step, Value,
};

/// Canister error: the callee trapped or has no code (interface specification, "Reject codes").
pub(super) const REJECT_CANISTER_ERROR: u8 = 5;
/// The platform's fee for a creation on 13 nodes.
const CREATION_FEE: Cycles = Cycles(500 * Cycles::B);

impl Platform {
    /// Runs one call, faults and all, and puts its answer on the wire.
    pub(super) fn run(&mut self, at: Nanos, call: &Call) {
        let refusal = |code| Refusal::new(code, "a fault of the model");
        let outcome = match call.fate.fault {
            Some(Fault::Refused) => Outcome::Refused(refusal(4)),
            Some(Fault::NotExecuted) => Outcome::NotExecuted(refusal(2)),
            Some(Fault::UnknownNotRan) => Outcome::Unknown(refusal(6)),
            Some(Fault::UnknownRan) => {
                self.perform(at, call);
                Outcome::Unknown(refusal(6))
            }
            Some(Fault::Undecodable) => {
                self.perform(at, call);
                Outcome::Unknown(refusal(0))
            }
            // No other step can be in progress; core is shown one all the same.
            Some(Fault::StopInProgress) if call.step != Step::Stop => Outcome::InProgress,
            _ => self.perform(at, call),
        };
        self.refund(call, &outcome);
        if call.fate.lost {
            return;
        }
        let waited = if outcome == Outcome::InProgress {
            STOP_TIMEOUT
        } else {
            Nanos(0)
        };
        self.answer(at + waited, call, outcome);
    }

    /// Cycles attached to a call that did not take them come back.
    fn refund(&mut self, call: &Call, outcome: &Outcome) {
        let taken = match call.fate.fault {
            Some(Fault::UnknownNotRan | Fault::StopInProgress) => false,
            _ => !matches!(outcome, Outcome::Refused(_) | Outcome::NotExecuted(_)),
        };
        if !taken {
            self.balance.0 += call.kind.attached().0;
        }
    }

    /// Does what the step says, as far as the platform allows it.
    fn perform(&mut self, at: Nanos, call: &Call) -> Outcome {
        match call.step {
            Step::Create => self.perform_create(at, call),
            Step::History => self.perform_history(call),
            Step::UploadChunk => self.perform_upload(call),
            Step::StoredChunks => self.perform_stored_chunks(),
            Step::ClearChunkStore => {
                self.chunks.clear();
                Outcome::Done(Value::Nothing)
            }
            Step::Drain | Step::Check | Step::Ask => self.perform_worker(call),
            Step::Deposit => self.perform_deposit(call),
            Step::CleanSettings
            | Step::MemberSettings
            | Step::HandOver
            | Step::Uninstall
            | Step::Start
            | Step::Status
            | Step::Install
            | Step::InstallSweeper
            | Step::Stop
            | Step::Delete
            | Step::UpgradeCode
            | Step::TakeSnapshot
            | Step::ListSnapshots
            | Step::LoadSnapshot
            | Step::DeleteSnapshot => self.perform_managed(at, call),
        }
    }

    /// Anybody may deposit.
    fn perform_deposit(&mut self, call: &Call) -> Outcome {
        let Some(canister) = self.canisters.get_mut(&call.canister) else {
            return refused(REJECT_DESTINATION_INVALID, "no such canister");
        };
        canister.cycles.0 += call.kind.attached().0;
        Outcome::Done(Value::Nothing)
    }

    fn perform_create(&mut self, at: Nanos, call: &Call) -> Outcome {
        let EffectKind::Create { cycles } = call.kind else {
            panic!("bug: a create step in {}", call.kind)
        };
        let id = self.create(call.controllers.to_vec(), cycles.less(CREATION_FEE));
        if call.effect != OF_ANOTHER_ROOT {
            self.bought.insert(id, call.effect);
        }
        self.created_at.insert(id, at);
        Outcome::Done(Value::Created(id))
    }

    /// Anybody may ask; root itself was installed once, by its first operator.
    fn perform_history(&self, call: &Call) -> Outcome {
        let EffectKind::Info { canister } = call.kind else {
            panic!("bug: an info step in {}", call.kind)
        };
        let (controllers, module) = match self.canisters.get(&canister) {
            Some(it) => (it.controllers.clone(), it.module),
            None if canister == self.root => (Vec::new(), None),
            None => return refused(REJECT_DESTINATION_INVALID, "no such canister"),
        };
        let creation = self.created_at.get(&canister).map(|at| Creation {
            by: self.root,
            at: *at,
        });
        Outcome::Done(Value::Told(Box::new(Info {
            controllers,
            module,
            creation,
            deployments: if canister == self.root {
                self.deployments
            } else {
                1
            },
            whole: true,
        })))
    }

    fn perform_upload(&mut self, call: &Call) -> Outcome {
        let EffectKind::StoreChunk { module, index } = call.kind else {
            panic!("bug: an upload step in {}", call.kind)
        };
        let is_new = !self.chunks.contains(&(module, index));
        if is_new && self.chunks.len() >= CHUNKS_MAX {
            return refused(REJECT_CANISTER_ERROR, "the chunk store is full");
        }
        self.chunks.insert((module, index));
        Outcome::Done(Value::Nothing)
    }

    /// The model's modules have one chunk, which then has the module's hash.
    fn perform_stored_chunks(&self) -> Outcome {
        let chunks = self.chunks.iter().map(|(module, _)| *module);
        Outcome::Done(Value::Chunks(chunks.collect()))
    }

    /// A call to the worker's own code, bounded wait.
    fn perform_worker(&mut self, call: &Call) -> Outcome {
        let unknown = |text| Outcome::Unknown(Refusal::new(REJECT_CANISTER_ERROR, text));
        let Some(canister) = self.canisters.get_mut(&call.canister) else {
            return refused(REJECT_DESTINATION_INVALID, "no such canister");
        };
        if canister.run_state != RunState::Running {
            return unknown("stopped");
        }
        if canister.module.is_none() {
            return unknown("no wasm module");
        }
        let corrupt = canister.module == Some(fleet::module_of(fleet::CORRUPTS));
        let work = &mut canister.work;
        match call.step {
            Step::Check if corrupt => unknown("trapped"),
            Step::Check => Outcome::Done(Value::Nothing),
            Step::Ask => Outcome::Done(Value::Measured(Some(work.jobs))),
            _ => {
                work.draining = true;
                Outcome::Done(Value::Drained(work.jobs == 0 && !work.habits.never_idle))
            }
        }
    }

    /// A management call on a canister: root must control it.
    fn perform_managed(&mut self, at: Nanos, call: &Call) -> Outcome {
        let root = self.root.0;
        match self.canisters.get(&call.canister) {
            None => return refused(REJECT_DESTINATION_INVALID, "no such canister"),
            Some(canister) if !canister.is_controlled_by(root) => {
                return refused(REJECT_CANISTER_ERROR, "only the controllers may do that");
            }
            Some(_) => {}
        }
        match call.step {
            Step::Status => self.perform_status(call),
            Step::Delete => self.perform_delete(call.canister),
            Step::Install => self.perform_install(call),
            Step::InstallSweeper => self.perform_sweep(call),
            Step::UpgradeCode
            | Step::TakeSnapshot
            | Step::ListSnapshots
            | Step::LoadSnapshot
            | Step::DeleteSnapshot => self.perform_upgrade(at, call),
            _ => self.perform_setting(at, call),
        }
    }

    fn perform_status(&mut self, call: &Call) -> Outcome {
        let sequence = self.next_sequence();
        let canister = self.canister_mut(call.canister);
        canister.observed = sequence;
        let seen = canister.observe(call.fate.fault != Some(Fault::Unobservable));
        Outcome::Done(Value::Observed(Box::new(seen)))
    }

    fn perform_delete(&mut self, id: CanisterId) -> Outcome {
        if self.canister_mut(id).run_state != RunState::Stopped {
            return refused(REJECT_CANISTER_ERROR, "must be stopped first");
        }
        self.canisters.remove(&id);
        self.deleted.insert(id);
        Outcome::Done(Value::Nothing)
    }

    fn perform_install(&mut self, call: &Call) -> Outcome {
        let EffectKind::Install { module, .. } = call.kind else {
            panic!("bug: an install step in {}", call.kind)
        };
        if !self.chunks.iter().any(|(stored, _)| *stored == module) {
            return refused(REJECT_CANISTER_ERROR, "chunk not found");
        }
        let habits = call.fate.habits;
        let sequence = self.next_sequence();
        let canister = self.canister_mut(call.canister);
        if canister.module.is_some() {
            return refused(REJECT_CANISTER_ERROR, "not empty");
        }
        if canister.cycles < INSTALL_PREPAID {
            return refused(REJECT_CANISTER_ERROR, "out of cycles");
        }
        install(
            canister,
            module,
            Work {
                habits,
                ..Work::default()
            },
        );
        canister.installed = sequence;
        canister.memory = sequence;
        Outcome::Done(Value::Nothing)
    }

    fn perform_upgrade(&mut self, at: Nanos, call: &Call) -> Outcome {
        let sequence = self.next_sequence();
        let module = match call.kind {
            EffectKind::Upgrade { module } => Some(module),
            _ => None,
        };
        let mut stored = self.chunks.iter();
        let is_stored = stored.any(|(stored, _)| Some(*stored) == module);
        let canister = self.canister_mut(call.canister);
        upgrades::perform(canister, call, at, sequence, is_stored)
    }

    /// The sweeper runs as soon as it is there.
    fn perform_sweep(&mut self, call: &Call) -> Outcome {
        let EffectKind::Sweep { keep } = call.kind else {
            panic!("bug: a sweep step in {}", call.kind)
        };
        let canister = self.canister_mut(call.canister);
        if canister.module.is_some() {
            return refused(REJECT_CANISTER_ERROR, "not empty");
        }
        if canister.cycles < INSTALL_PREPAID {
            return refused(REJECT_CANISTER_ERROR, "out of cycles");
        }
        install(canister, SWEEPER_HASH, Work::default());
        if canister.run_state == RunState::Running {
            let swept = canister.cycles.less(keep);
            canister.cycles = canister.cycles.less(swept);
            self.balance.0 += swept.0;
        }
        Outcome::Done(Value::Nothing)
    }

    fn perform_setting(&mut self, at: Nanos, call: &Call) -> Outcome {
        let never_stops = call.fate.fault == Some(Fault::StopInProgress);
        let canister = self.canister_mut(call.canister);
        match (call.step, &call.kind) {
            (Step::CleanSettings, _) => {
                canister.controllers = call.controllers.to_vec();
                canister.settings_clean = true;
                canister.generation = None;
            }
            (
                Step::MemberSettings,
                EffectKind::Install { generation, .. } | EffectKind::Mend { generation },
            ) => {
                canister.controllers = call.controllers.to_vec();
                set_environment(canister, *generation);
            }
            (Step::Uninstall, _) => canister.remove_code(),
            (Step::Start, _) => canister.run_state = RunState::Running,
            (Step::Stop, _) => return stop(canister, never_stops),
            (Step::HandOver, EffectKind::HandOver { to }) => canister.controllers = vec![*to],
            (step, kind) => panic!("bug: step {step:?} in {kind} at {at:?}"),
        }
        Outcome::Done(Value::Nothing)
    }

    fn canister_mut(&mut self, id: CanisterId) -> &mut Canister {
        self.canisters.get_mut(&id).expect("bug: looked up before")
    }
}

fn install(canister: &mut Canister, module: ModuleHash, work: Work) {
    canister.module = Some(module);
    canister.work = work;
    canister.cycles = canister.cycles.less(Cycles(3 * Cycles::B));
}

fn set_environment(canister: &mut Canister, generation: Generation) {
    canister.settings_clean = false;
    canister.generation = Some(generation);
}

fn stop(canister: &mut Canister, never_stops: bool) -> Outcome {
    if canister.run_state == RunState::Stopped {
        return Outcome::Done(Value::Nothing);
    }
    if never_stops && canister.module.is_some() {
        canister.work.call_open = true;
    }
    if canister.work.call_open {
        canister.run_state = RunState::Stopping;
        return Outcome::InProgress;
    }
    canister.run_state = RunState::Stopped;
    Outcome::Done(Value::Nothing)
}

pub(super) fn refused(code: u8, text: &str) -> Outcome {
    Outcome::Refused(Refusal::new(code, text))
}
