//! Workers asked for one by one: observe, plan, refuse with a typed reason or take a canister for
//! the pool; the tick installs it, and the receipt says how it ended.
//!
//! A worker asked for counts as wished: the pool keeps it for the window of scaling down, and longer
//! if its policy wishes so too.

use super::command::{Act, Acted, once};
use super::lanes::Room;
use super::parent::is_parent;
use super::{Draft, past, refuse, refused, standing, tick};
use crate::input::WorkerInput;
use crate::limits;
use crate::metrics::{Ended, Operation};
use crate::plan::{PoolPlan, PoolView, plan_one_more};
use crate::plant::planted;
use crate::receipt::{Goal, On, Wait};
use crate::record::Row;
use crate::state::State;
use crate::storage::encode;
use crate::{Decision, Event, Vitals};
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
    let pool = state.spec().and_then(|spec| spec.pool(&input.pool));
    let pool = pool.ok_or_else(|| unknown(&input.pool))?;
    let of_parent = is_parent(state, pool, input.caller);
    if !input.operator && !of_parent {
        let text = "only the pool's parent and operators may ask for workers";
        return Err(refused(Reason::Unauthorised, text));
    }
    let asked = encode(&("create-worker", &input.pool, &input.init_arg));
    let payload = ModuleHash(Sha256::digest(asked).into());
    let identity = (input.caller, &input.operation, payload);
    once(state, now, identity, || {
        let wanted = Wanted {
            pool: &input.pool,
            parent: of_parent.then_some(CanisterId(input.caller)),
            kept: false,
            init_arg: input.init_arg.as_deref(),
            vitals: &input.vitals,
        };
        take(state, now, &wanted)
    })
}

fn unknown(pool: &str) -> (Reason, String) {
    refused(Reason::UnknownPool, format!("no pool `{pool}`"))
}

/// One canister that somebody may have.
pub(super) struct Wanted<'a> {
    pub(super) pool: &'a str,
    /// Whose child it becomes; none = as the pool says.
    pub(super) parent: Option<CanisterId>,
    /// No policy takes it.
    pub(super) kept: bool,
    /// In place of the role's.
    pub(super) init_arg: Option<&'a [u8]>,
    pub(super) vitals: &'a Vitals,
}

/// Plans one more and takes a canister for it, which the tick installs: every way to a canister of
/// a pool that somebody asks for goes here.
pub(super) fn take<M: Memory>(state: &State<M>, now: Nanos, wanted: &Wanted<'_>) -> Act {
    let most = limits::INIT_ARG_BYTES_MAX;
    let too_long = wanted.init_arg.is_some_and(|bytes| bytes.len() > most);
    if too_long && !planted("l05") {
        let text = format!("an init argument has at most {most} bytes");
        return Err(refused(Reason::OverLimit, text));
    }
    let planned = plan_for(state, now, wanted).ok_or_else(|| unknown(wanted.pool))?;
    let plan = planned.map_err(|reason| {
        let text = format!("pool `{}` takes no further worker now", wanted.pool);
        refused(reason, text)
    })?;
    let taken = *plan
        .claim
        .first()
        .expect("bug: a plan for one more claims none");
    let spec = state.spec().expect("bug: a plan without a spec");
    let row = tick::expect_row(state, taken);
    let mut row = tick::claimed(state, now, spec, wanted.pool, row);
    row.reason = Reason::Requested;
    row.init_arg = wanted.init_arg.map(<[u8]>::to_vec);
    row.parent = wanted.parent.or(row.parent);
    row.kept = wanted.kept;
    Ok(Acted {
        events: vec![
            Event::RowChanged(Box::new(row)),
            Event::PoolChanged(Box::new(plan.record)),
        ],
        answer: None,
        wait: Some(Wait {
            goal: Goal::Worker,
            on: On::Canister(taken),
        }),
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
    let wanted = Wanted {
        pool,
        parent: None,
        kept: false,
        init_arg: None,
        vitals,
    };
    plan_for(state, now, &wanted)
}

fn plan_for<M: Memory>(
    state: &State<M>,
    now: Nanos,
    wanted: &Wanted<'_>,
) -> Option<Result<PoolPlan, Reason>> {
    let room = Room::new(state, wanted.vitals);
    let spec = state.spec()?;
    let mut view: PoolView<'_> = tick::view(state, now, spec, wanted.pool, &room)?;
    if let Some(reason) = standing::held_back(state) {
        return Some(Err(reason));
    }
    // The lane is the tick's affair: a request waits there.
    view.install_room = view.install_room.max(1);
    let heir = tick::heir(state, view.spec);
    let heir = past::Heir {
        parent: wanted.parent.or(heir.parent),
        ..heir
    };
    view.ready = past::fitting(state, spec, heir, 1);
    Some(plan_one_more(&view, wanted.kept))
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
        return draft.wait_for_lane(row);
    };
    let generation = row.generation;
    let row = Row {
        reason: Reason::Claimed,
        since: draft.now,
        ..row
    };
    draft.start_on(row, EffectKind::Install { module, generation });
}
