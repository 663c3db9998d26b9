//! One more worker on request: observe the pool, plan, refuse with a reason or create, register.
//!
//! The same policy as the tick's, asked by the pool's parent: it brings forward what the next ticks
//! would do, and binds an argument of the requester's own to the worker.

use super::lease::{admit, earlier};
use super::service;
use super::tick::{claim, expect_row, view_of};
use super::{Draft, refuse};
use crate::input::CreateInput;
use crate::lease::{Grant, LeaseAnswer, LeaseReceipt};
use crate::limits;
use crate::metric::{Metric, Operation, Stage};
use crate::plan::{CreatePlan, plan_create};
use crate::state::State;
use crate::storage::encode;
use crate::{Decision, Event, Reply, Vitals};
use hatchery_types::{CanisterId, FleetSpec, ModuleHash, Nanos, Reason};
use ic_stable_structures::Memory;
use minicbor::bytes::ByteVec;
use sha2::{Digest, Sha256};

/// Where a creation stands when its cost so far is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checkpoint {
    /// The pool was looked at.
    Observe,
    /// Policy decided.
    Plan,
    /// A canister was taken.
    Create,
    /// It was entered, and the answer kept.
    Register,
}

impl Checkpoint {
    /// Every checkpoint, in order.
    pub const ALL: [Checkpoint; 4] = [
        Checkpoint::Observe,
        Checkpoint::Plan,
        Checkpoint::Create,
        Checkpoint::Register,
    ];

    /// The name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Checkpoint::Observe => "observe",
            Checkpoint::Plan => "plan",
            Checkpoint::Create => "create",
            Checkpoint::Register => "register",
        }
    }
}

/// What would become of a request for one more worker; nothing changes.
pub fn plan_create_worker<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
    pool: &str,
) -> Option<CreatePlan> {
    let view = view_of(state, now, state.spec()?, pool, vitals)?;
    Some(plan_create(&view, false))
}

/// Creates a worker, or says why not; `mark` is called at each checkpoint.
pub fn create_worker<M: Memory>(
    state: &State<M>,
    now: Nanos,
    input: &CreateInput,
    mark: &mut dyn FnMut(Checkpoint),
) -> Decision {
    let pool = match admit(state, &input.pool, input.caller, input.operator, &input.operation) {
        Ok(pool) => pool,
        Err(decision) => return decision,
    };
    let asked = (&input.pool, "create", ByteVec::from(input.init_arg.clone().unwrap_or_default()));
    let payload = ModuleHash(Sha256::digest(encode(&asked)).into());
    if let Some(decision) = earlier(state, input.caller, &input.operation, payload) {
        return decision;
    }
    let bytes = input.init_arg.as_ref().map_or(0, Vec::len);
    if bytes > limits::WORKER_ARG_BYTES_MAX {
        let most = limits::WORKER_ARG_BYTES_MAX;
        return refuse(Reason::OverLimit, format!("an argument of at most {most} bytes"));
    }
    let spec = state.spec().expect("bug: a pool without a spec");
    let view = view_of(state, now, spec, &pool.name, &input.vitals);
    let view = view.expect("bug: a pool of the spec without a view");
    mark(Checkpoint::Observe);
    let plan = plan_create(&view, input.init_arg.is_some());
    mark(Checkpoint::Plan);
    let mut draft = Draft::new(state, now);
    let canister = match (plan.verdict, plan.canister) {
        (Ok(reason), Some(canister)) => {
            draft.count(Operation::Plan, Stage::Completed, &reason);
            canister
        }
        (Ok(reason), None) | (Err(reason), _) => {
            draft.count(Operation::Plan, Stage::Skipped, &reason);
            let reply = Reply::Refused(reason, format!("pool `{}` gets no worker now", pool.name));
            return Decision {
                reply,
                more: false,
                ..draft.done()
            };
        }
    };
    let grant = make(&mut draft, state, spec, input, canister, plan.from_standby);
    mark(Checkpoint::Create);
    let answer = LeaseAnswer {
        granted: vec![grant],
        ..LeaseAnswer::default()
    };
    draft.event(Event::LeaseAnswered {
        caller: input.caller,
        operation: input.operation.clone(),
        receipt: Box::new(LeaseReceipt {
            at: now,
            payload,
            answer: answer.clone(),
        }),
    });
    Decision {
        reply: Reply::Lease(answer),
        more: false,
        ..draft.done()
    }
}

/// Takes the canister for the pool, with the requester as its parent.
fn make<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    spec: &FleetSpec,
    input: &CreateInput,
    canister: CanisterId,
    from_standby: bool,
) -> Grant {
    let row = expect_row(state, canister);
    if from_standby {
        let row = service::to_work(Some(spec), draft.now, row, Reason::Promoted);
        let grant = Grant::of(&row);
        draft.row(row);
        return grant;
    }
    let parent = Some(CanisterId(input.caller));
    let row = crate::record::Row {
        init_arg: input.init_arg.clone(),
        ..row
    };
    claim(draft, draft.now, spec, &input.pool, row, parent)
}

/// What is counted when a spec is applied: which pools are to get initial workers, and which not.
pub(super) fn count_bootstrap<M: Memory>(state: &State<M>, spec: &FleetSpec) -> Vec<Event> {
    let count = |operation, stage, reason| Event::Counted(Metric::new(operation, stage, &reason));
    let mut events = vec![count(
        Operation::BootstrapConfig,
        Stage::Started,
        Reason::BelowInitial,
    )];
    for pool in &spec.pools {
        let there = state.pool(&pool.name).is_some_and(|record| record.bootstrapped);
        let (stage, reason) = if !pool.enabled {
            (Stage::Skipped, Reason::Disabled)
        } else if pool.initial.max(pool.min) == 0 {
            (Stage::Skipped, Reason::AtMinimum)
        } else if there {
            (Stage::Skipped, Reason::Satisfied)
        } else {
            (Stage::Started, Reason::BelowInitial)
        };
        events.push(count(Operation::BootstrapPool, stage, reason));
    }
    events.push(count(
        Operation::BootstrapConfig,
        Stage::Completed,
        Reason::Satisfied,
    ));
    events
}
