//! Effects as calls: what each step sends, and the callback that brings its outcome back.
//!
//! Owns the number by which a callback knows its step. Nothing on the heap has to survive between
//! a call and its answer, so the answers to an earlier root's calls are recorded like any other.

use super::argument::{Tenant, filled};
use super::management::{
    CanisterInfoArgs, CanisterRecord, ChunkHash, CreateCanister, HISTORY_KEPT, HandOverSettings,
    InstallChunkedCode, InstallCode, InstallMode, MANAGEMENT, MemberSettings, Persistence,
    SnapshotArgs, UpdateSettings, UpgradeFlags, UploadChunk, Variable, WarmSettings,
};
use super::outcome::{REPLY_BYTES_MAX, measured, not_sent, outcome};
use super::{Stable, feed, now, tick, with_state};
use crate::call::{self, Answer, Call, Wait};
use hatchery_api::environment;
use hatchery_core::{Input, SWEEPER, State, sweeper_argument};
use hatchery_types::plant::planted;
use hatchery_types::{
    CanisterId, Effect, EffectId, EffectKind, Nanos, Outcome, Principal, PullSpec, Refusal,
    RoleSpec, Step, Wire,
};

/// How long root waits for a worker: never so long that a worker keeps root from stopping.
const WORKER_WAIT_S: u32 = 30;

/// Candid for no arguments at all.
const NO_ARGUMENTS: &[u8] = b"DIDL\0\0";

/// Makes the calls of an effect, all of them in this message and in order; a step that cannot be
/// sent has its outcome recorded, and the steps after it are still tried. True if all were sent.
pub(crate) fn execute(effect: &Effect) -> bool {
    let mut all_sent = true;
    for (index, step) in effect.kind.steps().iter().enumerate() {
        let index = index as u8;
        if let Err(outcome) = send(effect, *step, pack(effect.id, index)) {
            feed(&Input::Outcome {
                effect: effect.id,
                step: index,
                outcome,
            });
            all_sent = false;
        }
    }
    all_sent
}

fn send(effect: &Effect, step: Step, env: u32) -> Result<(), Outcome> {
    let request = with_state(|state| request(state, call::myself(), effect, step));
    let Some(request) = request else {
        let text = "not sent: the spec or the module it needs is gone";
        return Err(Outcome::NotExecuted(Refusal::new(0, text)));
    };
    let call = Call {
        callee: request.callee,
        method: &request.method,
        argument: &request.argument,
        cycles: request.cycles,
        wait: request.wait,
    };
    call.send_with_cleanup(settled, Some(unsettled), env)
        .map_err(not_sent)
}

/// The callback of every step, reply and reject alike: turns the answer into an outcome, records
/// it, and asks for a tick that plans in a message of its own.
extern "C" fn settled(env: usize) {
    let answer = call::answer(REPLY_BYTES_MAX);
    if let Some(input) = with_state(|state| settle(state, env as u32, &answer)) {
        feed(&input);
    }
    tick::ask();
}

/// Runs when the callback trapped and what it did was undone: the answer is lost, and the journal
/// says so. The timer brings the tick, since no call may be made here.
extern "C" fn unsettled(env: usize) {
    if planted("l18") {
        return;
    }
    let ceiling = with_state(|state| state.header().effect_ceiling);
    if let Some((effect, step)) = unpack(env as u32, ceiling) {
        let outcome = Outcome::Unknown(Refusal::new(0, "the answer's callback trapped"));
        feed(&Input::Outcome {
            effect,
            step,
            outcome,
        });
        tick::arm(now() + CLEANUP_GAP);
    }
}

/// A tick follows a trapped callback this soon.
const CLEANUP_GAP: Nanos = Nanos::from_secs(1);

/// The input that an answer brings; `None` if its effect is closed.
fn settle(state: &State<Stable>, env: u32, answer: &Answer) -> Option<Input> {
    let (id, index) = unpack(env, state.header().effect_ceiling)?;
    let effect = state.effect(id)?;
    let step = effect.kind.steps().get(usize::from(index))?;
    let outcome = match pull_of(state, &effect) {
        Some(pull) => measured(pull, answer),
        None => outcome(*step, answer),
    };
    Some(Input::Outcome {
        effect: id,
        step: index,
        outcome,
    })
}

/// Bits of the number that tell the step.
const STEP_BITS: u32 = 2;
/// Effects told apart by the other bits.
const ID_RANGE: u64 = 1 << (u32::BITS - STEP_BITS);

/// Effect and step in 32 bits: a callback gets no more.
fn pack(effect: EffectId, step: u8) -> u32 {
    ((effect.0 % ID_RANGE) as u32) << STEP_BITS | u32::from(step)
}

/// The newest effect below `ceiling` with these bits, and the step. An answer would have to be a
/// thousand million effects late to be taken for another's.
fn unpack(env: u32, ceiling: u64) -> Option<(EffectId, u8)> {
    let low = u64::from(env >> STEP_BITS);
    let newest = ceiling.checked_sub(1)?;
    let behind = (newest % ID_RANGE + ID_RANGE - low) % ID_RANGE;
    let id = newest.checked_sub(behind)?;
    Some((EffectId(id), (env % (1 << STEP_BITS)) as u8))
}

/// A call, its argument encoded.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    callee: Principal,
    method: String,
    argument: Vec<u8>,
    cycles: u128,
    wait: Wait,
}

impl Request {
    fn management(method: &str, argument: &impl Wire) -> Self {
        Request {
            callee: MANAGEMENT,
            method: method.to_owned(),
            argument: call::encode(argument),
            cycles: 0,
            wait: Wait::Unbounded,
        }
    }
}

/// What a step sends; `None` if the state no longer holds what it needs.
fn request(state: &State<Stable>, root: Principal, effect: &Effect, step: Step) -> Option<Request> {
    let canister = || {
        effect
            .canister
            .map(|canister_id| CanisterRecord { canister_id })
    };
    Some(match step {
        Step::Create => create(state, root, effect)?,
        Step::CleanSettings => {
            let settings = WarmSettings::new(controllers(state, root));
            let argument = UpdateSettings {
                canister_id: effect.canister?,
                settings,
            };
            Request::management("update_settings", &argument)
        }
        Step::MemberSettings => {
            let environment_variables = member_variables(state, root, effect)?;
            let settings = MemberSettings {
                controllers: controllers(state, root),
                environment_variables,
            };
            let argument = UpdateSettings {
                canister_id: effect.canister?,
                settings,
            };
            Request::management("update_settings", &argument)
        }
        Step::Uninstall => Request::management("uninstall_code", &canister()?),
        Step::Deposit => Request {
            cycles: effect.kind.attached().0,
            ..Request::management("deposit_cycles", &canister()?)
        },
        Step::Start => Request::management("start_canister", &canister()?),
        Step::Status => Request::management("canister_status", &canister()?),
        Step::Stop => Request::management("stop_canister", &canister()?),
        Step::Delete => Request::management("delete_canister", &canister()?),
        Step::Install | Step::UpgradeCode => install(state, root, effect)?,
        Step::UploadChunk => upload_chunk(state, root, effect)?,
        Step::StoredChunks => Request::management("stored_chunks", &own(root)),
        Step::ClearChunkStore => Request::management("clear_chunk_store", &own(root)),
        Step::Drain => {
            let method = role_of(state, effect)?.drain.method.clone()?;
            ask_worker(effect, method)?
        }
        Step::Check => {
            let method = role_of(state, effect)?.health.as_ref()?.method.clone();
            ask_worker(effect, method)?
        }
        Step::Ask => ask_worker(effect, pull_of(state, effect)?.method.clone())?,
        Step::History => history(effect)?,
        Step::InstallSweeper => sweep(root, effect)?,
        Step::HandOver => hand_over(effect)?,
        Step::TakeSnapshot => Request::management("take_canister_snapshot", &canister()?),
        Step::ListSnapshots => Request::management("list_canister_snapshots", &canister()?),
        Step::LoadSnapshot => of_snapshot("load_canister_snapshot", effect)?,
        Step::DeleteSnapshot => of_snapshot("delete_canister_snapshot", effect)?,
    })
}

fn own(root: Principal) -> CanisterRecord {
    CanisterRecord {
        canister_id: CanisterId(root),
    }
}

/// Root and the configured controllers, sorted, each once.
fn controllers(state: &State<Stable>, root: Principal) -> Vec<Principal> {
    let configured = state.spec().map_or(&[][..], |spec| &spec.controllers);
    let mut controllers = configured.to_vec();
    controllers.push(root);
    controllers.sort_unstable();
    controllers.dedup();
    controllers
}

fn create(state: &State<Stable>, root: Principal, effect: &Effect) -> Option<Request> {
    let EffectKind::Create { cycles } = &effect.kind else {
        return None;
    };
    let settings = WarmSettings::new(controllers(state, root));
    let request = Request::management("create_canister", &CreateCanister { settings });
    Some(Request {
        cycles: cycles.0,
        ..request
    })
}

/// What a member is told of itself.
fn member_variables(
    state: &State<Stable>,
    root: Principal,
    effect: &Effect,
) -> Option<Vec<Variable>> {
    let (EffectKind::Install { generation, .. } | EffectKind::Mend { generation }) = &effect.kind
    else {
        return None;
    };
    let row = state.row(effect.canister?)?;
    let parent = row.parent.map_or(root, |parent| parent.0);
    let variable = |name: &str, value| Variable {
        name: name.to_owned(),
        value,
    };
    Some(vec![
        variable(environment::ROOT, root.to_text()),
        variable(environment::ROLE, row.role?),
        variable(environment::POOL, row.pool?),
        variable(environment::PARENT, parent.to_text()),
        variable(environment::GENERATION, generation.to_string()),
    ])
}

/// An upgrade gets the same argument as an install: a Motoko actor class reads it both times.
fn install(state: &State<Stable>, root: Principal, effect: &Effect) -> Option<Request> {
    let target_canister = effect.canister?;
    let row = state.row(target_canister)?;
    let role = state.spec()?.role(row.role.as_deref()?)?;
    let (module, mode) = match &effect.kind {
        EffectKind::Install { module, .. } => (module, InstallMode::Install),
        EffectKind::Upgrade { module } => {
            let wasm_memory_persistence = Persistence::Keep;
            let keeps = role.upgrade.is_some_and(|rule| rule.keep_memory);
            let flags = keeps.then_some(UpgradeFlags {
                wasm_memory_persistence,
            });
            (module, InstallMode::Upgrade(flags))
        }
        _ => return None,
    };
    let arg = row.init_arg.unwrap_or_else(|| role.init_arg.clone());
    let tenant = Tenant {
        own: target_canister.0,
        parent: row.parent.map_or(root, |parent| parent.0),
        root,
        pool: row.pool.as_deref().unwrap_or_default(),
    };
    let arg = filled(arg, tenant);
    let chunks = state.module(*module)?.chunks;
    let argument = InstallChunkedCode {
        mode,
        target_canister,
        store_canister: CanisterId(root),
        chunk_hashes_list: chunks.into_iter().map(|hash| ChunkHash { hash }).collect(),
        wasm_module_hash: *module,
        arg,
    };
    Some(Request::management("install_chunked_code", &argument))
}

fn of_snapshot(method: &str, effect: &Effect) -> Option<Request> {
    let (EffectKind::Return {
        snapshot: Some(snapshot),
    }
    | EffectKind::DropSnapshot { snapshot }) = &effect.kind
    else {
        return None;
    };
    let argument = SnapshotArgs {
        canister_id: effect.canister?,
        snapshot_id: snapshot.clone(),
    };
    Some(Request::management(method, &argument))
}

fn hand_over(effect: &Effect) -> Option<Request> {
    let EffectKind::HandOver { to } = &effect.kind else {
        return None;
    };
    let settings = HandOverSettings {
        controllers: vec![*to],
    };
    let argument = UpdateSettings {
        canister_id: effect.canister?,
        settings,
    };
    Some(Request::management("update_settings", &argument))
}

fn upload_chunk(state: &State<Stable>, root: Principal, effect: &Effect) -> Option<Request> {
    let EffectKind::StoreChunk { module, index } = &effect.kind else {
        return None;
    };
    let chunk = state.chunk(*module, *index)?;
    let argument = UploadChunk {
        canister_id: CanisterId(root),
        chunk,
    };
    Some(Request::management("upload_chunk", &argument))
}

fn history(effect: &Effect) -> Option<Request> {
    let EffectKind::Info { canister } = effect.kind else {
        return None;
    };
    let argument = CanisterInfoArgs {
        canister_id: canister,
        num_requested_changes: HISTORY_KEPT,
    };
    Some(Request::management("canister_info", &argument))
}

/// Mode `install`: the platform itself refuses a canister that is not empty.
fn sweep(root: Principal, effect: &Effect) -> Option<Request> {
    let EffectKind::Sweep { keep } = effect.kind else {
        return None;
    };
    let deposit = CanisterRecord {
        canister_id: CanisterId(root),
    };
    let argument = InstallCode {
        mode: InstallMode::Install,
        canister_id: effect.canister?,
        wasm_module: SWEEPER.to_vec(),
        arg: sweeper_argument(keep, &call::encode(&deposit)),
    };
    Some(Request::management("install_code", &argument))
}

/// The role of the canister that an effect is done to.
fn role_of<'a>(state: &'a State<Stable>, effect: &Effect) -> Option<&'a RoleSpec> {
    let role = state.row(effect.canister?)?.role?;
    state.spec()?.role(&role)
}

/// How the number that an effect asks for is asked for.
fn pull_of<'a>(state: &'a State<Stable>, effect: &Effect) -> Option<&'a PullSpec> {
    let EffectKind::Pull { signal } = &effect.kind else {
        return None;
    };
    let role = role_of(state, effect)?;
    role.pulls.iter().find(|pull| pull.signal == *signal)
}

/// A call to a worker's own code: bounded, without arguments and without cycles.
fn ask_worker(effect: &Effect, method: String) -> Option<Request> {
    Some(Request {
        callee: effect.canister?.0,
        method,
        argument: NO_ARGUMENTS.to_vec(),
        cycles: 0,
        wait: if planted("l24") {
            Wait::Unbounded
        } else {
            Wait::Seconds(WORKER_WAIT_S)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_types::{Cycles, Generation};

    #[test]
    fn a_callback_finds_its_effect_and_step() {
        for id in [
            0,
            1,
            999,
            ID_RANGE - 1,
            ID_RANGE,
            ID_RANGE + 7,
            5 * ID_RANGE + 123_456,
        ] {
            for step in 0..4 {
                for newer in [1, 2, 1_000, ID_RANGE] {
                    let env = pack(EffectId(id), step);
                    assert_eq!(
                        unpack(env, id + newer),
                        Some((EffectId(id), step)),
                        "{id} {newer}"
                    );
                }
            }
        }
        assert_eq!(
            unpack(pack(EffectId(5), 0), 0),
            None,
            "no effect was ever started"
        );
        assert_eq!(unpack(pack(EffectId(5), 0), 3), None, "not yet");
    }

    #[test]
    fn every_step_of_every_kind_fits() {
        let module = hatchery_types::ModuleHash([0; 32]);
        let kinds = [
            EffectKind::Create { cycles: Cycles(0) },
            EffectKind::Observe,
            EffectKind::Reset { start: false },
            EffectKind::Reset { start: true },
            EffectKind::Install {
                module,
                generation: Generation(1),
            },
            EffectKind::Drain,
            EffectKind::Check,
            EffectKind::Pull {
                signal: String::new(),
            },
            EffectKind::Stop,
            EffectKind::Delete,
            EffectKind::StoreChunk { module, index: 0 },
            EffectKind::Info {
                canister: CanisterId(Principal::management_canister()),
            },
            EffectKind::Sweep { keep: Cycles(0) },
            EffectKind::HandOver { to: MANAGEMENT },
            EffectKind::Mend {
                generation: Generation(1),
            },
            EffectKind::CheckStore,
            EffectKind::ClearStore,
            EffectKind::TopUp { cycles: Cycles(0) },
            EffectKind::Save,
            EffectKind::FindSnapshot,
            EffectKind::Upgrade { module },
            EffectKind::Return { snapshot: None },
            EffectKind::Return {
                snapshot: Some(Vec::new()),
            },
            EffectKind::DropSnapshot {
                snapshot: Vec::new(),
            },
        ];
        for kind in kinds {
            assert!(kind.steps().len() <= 1 << STEP_BITS, "{kind}");
        }
    }
}
