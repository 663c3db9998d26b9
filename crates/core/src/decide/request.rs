//! What members ask for themselves: children under a grant, the upgrade of a child, and its end.
//!
//! Owns who may ask; how a canister is made is `worker`'s, how one is upgraded `asked_upgrade`'s, how
//! one leaves `departure`'s.

use super::command::{Act, once};
use super::{asked_upgrade, departure, family, refuse, refused, standing, worker};
use crate::input::{Ask, RequestInput};
use crate::metrics::{Ended, Operation};
use crate::plant::planted;
use crate::record::Row;
use crate::state::State;
use crate::storage::encode;
use crate::{Decision, Event};
use hatchery_types::{CanisterId, ModuleHash, Nanos, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};

/// Checks who asks, then the operation id, then the grant, then acts. What is refused costs nothing.
pub(super) fn request<M: Memory>(state: &State<M>, now: Nanos, input: &RequestInput) -> Decision {
    let asker = match asker(state, input) {
        Ok(asker) => asker,
        Err((reason, text)) => return refuse(reason, text),
    };
    let done = once(
        state,
        now,
        (input.caller.0, &input.operation, digest(input)),
        || act(state, now, &asker, input),
    );
    done.unwrap_or_else(|(reason, text)| {
        let creates = matches!(input.ask, Ask::Create { .. });
        let failed = Event::Counted(Operation::Create, Ended::Failed, reason.name());
        Decision {
            events: creates.then_some(failed).into_iter().collect(),
            ..refuse(reason, text)
        }
    })
}

/// The row of the caller: a member at work, of the tenancy that it says.
fn asker<M: Memory>(state: &State<M>, input: &RequestInput) -> Result<Row, (Reason, String)> {
    let Some(row) = state.living(input.caller) else {
        if let Some(reason) = standing::held_back(state) {
            let text = "root does not know its own fleet yet: ask again later";
            return Err(refused(reason, text));
        }
        let text = "only members at work may ask";
        return Err(refused(Reason::Unauthorised, text));
    };
    if row.generation != input.generation && !planted("u05") {
        let text = format!("this tenancy's generation is {}", row.generation);
        return Err(refused(Reason::StaleGeneration, text));
    }
    Ok(row)
}

fn act<M: Memory>(state: &State<M>, now: Nanos, asker: &Row, input: &RequestInput) -> Act {
    match &input.ask {
        Ask::Create {
            pool,
            parent,
            init_arg,
        } => {
            let spec = state.spec();
            let spec = spec.filter(|spec| spec.pool(pool).is_some());
            let unknown = || refused(Reason::UnknownPool, format!("no pool `{pool}`"));
            let spec = spec.ok_or_else(unknown)?;
            let parent = family::parent_for(state, spec, asker, pool, *parent)?;
            let wanted = worker::Wanted {
                pool,
                parent: Some(parent),
                kept: true,
                init_arg: init_arg.as_deref(),
                vitals: &input.vitals,
            };
            worker::take(state, now, &wanted)
        }
        Ask::Recycle(child) => {
            if !is_child(state, input, *child) {
                return Err(not_a_child(input, *child));
            }
            departure::recycle(state, now, *child)
        }
        Ask::Upgrade(child) => {
            if !is_child(state, input, *child) {
                return Err(not_a_child(input, *child));
            }
            asked_upgrade::one(state, now, input, *child)
        }
        Ask::UpgradeAll(role) => asked_upgrade::all(state, now, input, role),
    }
}

/// A member that has the caller as its parent.
fn is_child<M: Memory>(state: &State<M>, input: &RequestInput, child: CanisterId) -> bool {
    let row = state.row(child).filter(|row| row.phase.is_member());
    row.is_some_and(|row| row.parent == Some(input.caller)) || planted("l06")
}

fn not_a_child(input: &RequestInput, child: CanisterId) -> (Reason, String) {
    let text = format!("{child} is not a child of {}", input.caller);
    refused(Reason::NotAChild, text)
}

/// SHA-256 of what is asked and by which tenant: who comes after it in the same canister has other
/// operations.
fn digest(input: &RequestInput) -> ModuleHash {
    let generation = input.generation;
    let bytes = match &input.ask {
        Ask::Create {
            pool,
            parent,
            init_arg,
        } => encode(&("request-create", generation, pool, parent, init_arg)),
        Ask::Recycle(child) => encode(&("request-recycle", generation, child)),
        Ask::Upgrade(child) => encode(&("request-upgrade", generation, child)),
        Ask::UpgradeAll(role) => encode(&("request-upgrade-all", generation, role)),
    };
    ModuleHash(Sha256::digest(bytes).into())
}
