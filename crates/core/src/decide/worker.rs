//! Workers asked for one by one: observe, plan, refuse with a typed reason or take a canister for
//! the pool; the tick installs it, and the receipt says how it ended.
//!
//! A worker asked for counts as wished: the pool keeps it for the window of scaling down, and longer
//! if its policy wishes so too.

use super::lanes::Room;
use super::parent::is_parent;
use super::{Draft, past, refuse, refused, standing, tick};
use crate::input::WorkerInput;
use crate::limits;
use crate::metrics::{Ended, Operation};
use crate::plan::{PoolPlan, PoolView, plan_one_more};
use crate::receipt::{Answer, Goal, On, Receipt, Wait};
use crate::record::Row;
use crate::state::State;
use crate::storage::encode;
use crate::{Decision, Event, Reply, Vitals};
use hatchery_types::{CanisterId, EffectKind, FleetSpec, Lane, ModuleHash, Nanos, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};

/// Checks who asks and the operation id, plans, then takes a canister.
pub(super) fn create<M: Memory>(state: &State<M>, now: Nanos, input: &WorkerInput) -> Decision {
    match attempt(state, now, input) {
        Ok(decision) => decision,
        Err((reason, text)) => {
            let failed = Event::Counted(Operation::Create, Ended::Failed, reason.name());
            let known = !matches!(reason, Reason::Unauthorised | Reason::UnknownPool);
            Decision {
                events: known.then_some(failed).into_iter().collect(),
                ..refuse(reason, text)
            }
        }
    }
}

fn attempt<M: Memory>(
    state: &State<M>,
    now: Nanos,
    input: &WorkerInput,
) -> Result<Decision, (Reason, String)> {
    let unknown = || refused(Reason::UnknownPool, format!("no pool `{}`", input.pool));
    let spec = state.spec().ok_or_else(unknown)?;
    let pool = spec.pool(&input.pool).ok_or_else(unknown)?;
    let of_parent = is_parent(state, pool, input.caller);
    if !input.operator && !of_parent {
        let text = "only the pool's parent and operators may ask for workers";
        return Err(refused(Reason::Unauthorised, text));
    }
    if !input.operation.is_valid() {
        let text = "an operation id has 1 to 64 bytes";
        return Err(refused(Reason::BadOperationId, text));
    }
    let bytes = input.init_arg.as_deref();
    let asked = encode(&("create-worker", &input.pool, &input.init_arg));
    let payload = ModuleHash(Sha256::digest(asked).into());
    if let Some(receipt) = state.receipt(input.caller, &input.operation) {
        return Ok(super::command::repeated(
            &receipt,
            payload,
            &input.operation.0,
        ));
    }
    if !state.has_receipt_room(input.caller, now) {
        let text = "too many operations within 24 hours";
        return Err(refused(Reason::TooManyOperations, text));
    }
    if bytes.is_some_and(|bytes| bytes.len() > limits::INIT_ARG_BYTES_MAX) {
        let text = format!(
            "an init argument has at most {} bytes",
            limits::INIT_ARG_BYTES_MAX
        );
        return Err(refused(Reason::OverLimit, text));
    }
    let planned = plan_worker(state, now, &input.vitals, &input.pool).ok_or_else(unknown)?;
    let plan = planned.map_err(|reason| {
        let text = format!("pool `{}` takes no further worker now", input.pool);
        refused(reason, text)
    })?;
    let taken = *plan
        .claim
        .first()
        .expect("bug: a plan for one more claims none");
    let mut row = tick::claimed(
        state,
        now,
        spec,
        &input.pool,
        tick::expect_row(state, taken),
    );
    row.reason = Reason::Requested;
    row.init_arg.clone_from(&input.init_arg);
    if of_parent {
        row.parent = Some(CanisterId(input.caller));
    }
    let mut draft = Draft::new(state, now);
    draft.row(row);
    draft.event(Event::PoolChanged(Box::new(plan.record)));
    draft.event(Event::OperationAnswered {
        caller: input.caller,
        operation: input.operation.clone(),
        receipt: Receipt {
            at: now,
            payload,
            answer: Answer::InProgress,
            wait: Some(Wait {
                goal: Goal::Worker,
                on: On::Canister(taken),
            }),
        },
    });
    Ok(Decision {
        reply: Reply::Command(Answer::InProgress),
        ..draft.decision
    })
}

/// What a request for one more worker would do now, or why it would be refused; nothing is changed.
/// `None` without that pool.
pub fn plan_worker<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
    pool: &str,
) -> Option<Result<PoolPlan, Reason>> {
    let room = Room::new(state, vitals);
    let spec = state.spec()?;
    let mut view: PoolView<'_> = tick::view(state, now, spec, pool, &room)?;
    if let Some(reason) = standing::held_back(state) {
        return Some(Err(reason));
    }
    // The lane is the tick's affair: a request waits there.
    view.install_room = view.install_room.max(1);
    view.ready = past::fitting(state, spec, tick::heir(state, view.spec), 1);
    Some(plan_one_more(&view))
}

/// A canister that was asked for is installed; a full lane is waited for without holding up others.
pub(super) fn go_on<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    spec: &FleetSpec,
    room: &Room,
    row: Row,
) {
    let Some(module) = row
        .module
        .filter(|_| room.lane(state, spec, Lane::Install) > 0)
    else {
        let next_attempt = draft.now + limits::LANE_RETRY;
        draft.row(Row {
            next_attempt,
            ..row
        });
        return;
    };
    let generation = row.generation;
    let row = Row {
        reason: Reason::Claimed,
        ..row
    };
    draft.start_on(row, EffectKind::Install { module, generation });
}
