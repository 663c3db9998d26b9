//! What an upgrade does to a canister of the model: snapshots, other modules, and memory that is the
//! same or is not. Memory is a number: where it came from.

use super::canister::{Canister, INSTALL_PREPAID, Saved};
use super::fleet::{self, CORRUPTS, TRAPS};
use super::platform::Call;
use super::steps::{REJECT_CANISTER_ERROR, refused};
use hatchery_types::{EffectKind, ModuleHash, Nanos, Outcome, RunState, Step, Value};

/// Does one step of an upgrade to a canister that root controls. `sequence` is new.
pub(super) fn perform(
    canister: &mut Canister,
    call: &Call,
    at: Nanos,
    sequence: u64,
    is_stored: bool,
) -> Outcome {
    let no = |text| refused(REJECT_CANISTER_ERROR, text);
    match (call.step, &call.kind) {
        (Step::TakeSnapshot, _) => take(canister, at, sequence),
        (Step::ListSnapshots, _) => list(canister),
        (
            Step::LoadSnapshot,
            EffectKind::Return {
                snapshot: Some(snapshot),
            },
        ) => load(canister, snapshot),
        (Step::DeleteSnapshot, EffectKind::DropSnapshot { snapshot }) => {
            match canister.saved.take_if(|saved| saved.id == *snapshot) {
                Some(_) => Outcome::Done(Value::Nothing),
                None => no("no such snapshot"),
            }
        }
        (Step::UpgradeCode, EffectKind::Upgrade { .. }) if !is_stored => no("chunk not found"),
        (Step::UpgradeCode, EffectKind::Upgrade { module }) => upgrade(canister, *module),
        (step, kind) => panic!("bug: step {step:?} in {kind}"),
    }
}

fn take(canister: &mut Canister, at: Nanos, sequence: u64) -> Outcome {
    let Some(module) = canister.module else {
        return refused(REJECT_CANISTER_ERROR, "no code to save");
    };
    if canister.saved.is_some() {
        return refused(REJECT_CANISTER_ERROR, "too many snapshots");
    }
    canister.saved = Some(Saved {
        id: sequence.to_be_bytes().to_vec(),
        at,
        module,
        memory: canister.memory,
    });
    list(canister)
}

fn list(canister: &Canister) -> Outcome {
    let saved = canister.saved.iter();
    let listed = saved.map(|it| (it.id.clone(), it.at)).collect();
    Outcome::Done(Value::Saved(listed))
}

fn load(canister: &mut Canister, snapshot: &[u8]) -> Outcome {
    if canister.run_state == RunState::Stopping {
        return refused(REJECT_CANISTER_ERROR, "stopping");
    }
    let saved = canister.saved.as_ref().filter(|it| it.id == snapshot);
    let Some((module, memory)) = saved.map(|it| (it.module, it.memory)) else {
        return refused(REJECT_CANISTER_ERROR, "no such snapshot");
    };
    canister.module = Some(module);
    canister.memory = memory;
    Outcome::Done(Value::Nothing)
}

/// What traps is undone; what writes over its memory is not.
fn upgrade(canister: &mut Canister, module: ModuleHash) -> Outcome {
    let flaws = [
        (canister.module.is_none(), "no wasm module"),
        (canister.cycles < INSTALL_PREPAID, "out of cycles"),
        (module == fleet::module_of(TRAPS), "trapped in post_upgrade"),
    ];
    if let Some((_, text)) = flaws.into_iter().find(|(is_so, _)| *is_so) {
        return refused(REJECT_CANISTER_ERROR, text);
    }
    canister.module = Some(module);
    if module == fleet::module_of(CORRUPTS) {
        canister.memory = 0;
    }
    Outcome::Done(Value::Nothing)
}
