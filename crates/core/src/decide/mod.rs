//! From an input to a decision. Pure: reads the state, writes nothing.
//!
//! Each decision is small: one effect concluded, one row looked at, one pool planned. The shell
//! applies it and asks again while there is `more`.

mod ask;
mod asked_upgrade;
mod command;
mod conclude;
mod departure;
mod export;
mod family;
mod funding;
mod intake;
mod lanes;
mod lease;
mod member;
mod mend;
mod module;
mod operation;
mod parent;
mod past;
mod payable;
mod recover;
mod refill;
mod request;
mod search;
mod service;
mod standing;
mod stir;
mod store;
mod sweep;
mod tick;
mod trial;
mod upgrade;
mod why;
mod worker;

pub use funding::{FundingStatus, funding_status};
pub use lanes::{LaneStatus, lanes};
pub use payable::unpayable;
pub use refill::{kept_spare, maintenance_paused, missing_canisters, warm_reason};
pub use standing::held_back;
pub use tick::{next_wake, plan_pool};
pub use why::{MemberWhy, why_members};
pub use worker::plan_worker;

use crate::limits;
use crate::metrics::{Ended, Operation};
use crate::plant::planted;
use crate::record::Row;
use crate::state::State;
use crate::{Decision, Event, Input, Reply};
use hatchery_types::{
    CanisterId, Effect, EffectId, EffectKind, FleetSpec, Nanos, Outcome, Phase, PoolSpec, Reason,
};
use ic_stable_structures::Memory;

/// What follows from `input` at `now`.
pub fn decide<M: Memory>(state: &State<M>, now: Nanos, input: &Input) -> Decision {
    let mut decision = match input {
        Input::Started { root } => Decision {
            events: vec![Event::Started(*root)],
            ..Decision::default()
        },
        Input::Tick(vitals) => tick::tick(state, now, vitals),
        Input::Outcome {
            effect,
            step,
            outcome,
        } => record(state, *effect, *step, outcome),
        Input::Apply(spec) => apply_spec(state, spec),
        Input::Report {
            member,
            generation,
            signal,
            value,
        } => member::report(state, now, *member, *generation, signal, *value),
        Input::Protect {
            member,
            generation,
            until,
        } => member::protect(state, now, *member, *generation, *until),
        Input::Lease(input) => lease::lease(state, now, input),
        Input::CreateWorker(input) => worker::create(state, now, input),
        Input::Request(input) => request::request(state, now, input),
        Input::ReportPool(report) => member::report_pool(state, now, report),
        Input::Command(command) => command::command(state, now, command),
        Input::StageChunk {
            module,
            index,
            bytes,
        } => module::stage(state, now, *module, *index, bytes),
        Input::CommitModule { module, chunks } => module::commit(state, now, *module, *chunks),
    };
    operation::settle(state, now, &mut decision);
    decision
}

/// An outcome is recorded once; only a creation that was given up as lost may still be found.
fn record<M: Memory>(state: &State<M>, id: EffectId, step: u8, outcome: &Outcome) -> Decision {
    let newest = state.index.open.keys().next_back();
    let newest = newest.filter(|_| planted("l03") && state.effect(id).is_none());
    let id = newest.copied().unwrap_or(id);
    let Some(effect) = state.effect(id) else {
        return Decision::default();
    };
    let wanted = match effect.outcomes.get(usize::from(step)) {
        Some(None) => true,
        Some(Some(Outcome::Unknown(_))) => {
            matches!(effect.kind, EffectKind::Create { .. }) && matches!(outcome, Outcome::Done(_))
        }
        _ => false,
    };
    let recorded = Event::OutcomeRecorded(id, step, outcome.clone());
    let mut events = if wanted { vec![recorded] } else { Vec::new() };
    let is_lost = matches!(
        (&effect.kind, outcome),
        (EffectKind::Create { .. }, Outcome::Unknown(_))
    );
    if planted("p12") && wanted && is_lost {
        events.push(Event::EffectClosed(id));
    }
    Decision {
        events,
        ..Decision::default()
    }
}

/// A pool with members cannot vanish from the spec: its canisters would belong to nobody.
fn apply_spec<M: Memory>(state: &State<M>, spec: &FleetSpec) -> Decision {
    if let Some(place) = absurdity(spec).filter(|_| !planted("s17")) {
        let failed = Event::Counted(
            Operation::BootstrapConfig,
            Ended::Failed,
            Reason::BadSpec.name(),
        );
        return Decision {
            events: vec![failed],
            ..refuse(Reason::BadSpec, place)
        };
    }
    let before = state.spec().map_or(&[][..], |spec| &spec.pools);
    let vanished = before
        .iter()
        .find(|pool| spec.pool(&pool.name).is_none() && state.members(&pool.name).next().is_some());
    if let Some(pool) = vanished {
        let text = format!(
            "pool `{}` still has members: apply it with min, initial and max = 0 first, and \
             remove it when it is empty",
            pool.name
        );
        return refused_spec(text);
    }
    let other_role = before.iter().find(|pool| {
        let kept = spec
            .pool(&pool.name)
            .is_none_or(|now| now.role == pool.role);
        !kept && state.members(&pool.name).next().is_some()
    });
    if let Some(pool) = other_role {
        let text = format!(
            "pool `{}` has members of role `{}`: add a pool with the new role, and empty this one",
            pool.name, pool.role
        );
        return refused_spec(text);
    }
    if spec.warm_pool.release_to.is_some() && spec.warm_pool.release_to == state.header().root {
        return refuse(
            Reason::BadSpec,
            "the surplus cannot be released to root itself",
        );
    }
    let generation = hatchery_types::Generation(state.spec_generation().0 + 1);
    let mut events = vec![Event::SpecApplied(Box::new(spec.clone()))];
    events.extend(count_bootstrap(state, spec));
    Decision {
        events,
        reply: Reply::Applied(generation),
        ..Decision::default()
    }
}

/// Where the spec makes no sense. The shell checks a spec whole, and says more; this is what no
/// state may ever be built on.
fn absurdity(spec: &FleetSpec) -> Option<String> {
    let wrong = |(index, pool): (usize, &PoolSpec)| {
        let twice = spec.pools[..index].iter().any(|it| it.name == pool.name);
        let flaws = [
            (pool.min > pool.max, "min"),
            (pool.initial > pool.max, "initial"),
            (pool.signals.iter().any(|it| it.target == 0), "signals"),
            (pool.signals.len() > limits::SIGNALS_MAX, "signals"),
            (spec.role(&pool.role).is_none(), "role"),
            (twice, "name"),
        ];
        let (_, field) = flaws.into_iter().find(|(wrong, _)| *wrong)?;
        Some(format!("pools.{}.{field} makes no sense", pool.name))
    };
    let odd = spec
        .grants
        .iter()
        .find(|grant| spec.role(&grant.role).is_none() || spec.pool(&grant.pool).is_none());
    let odd = odd.map(|grant| {
        format!(
            "a grant of {} for {} makes no sense",
            grant.pool, grant.role
        )
    });
    spec.pools.iter().enumerate().find_map(wrong).or(odd)
}

fn refused_spec(text: String) -> Decision {
    let why = Reason::WrongPhase;
    let failed = Event::Counted(Operation::BootstrapConfig, Ended::Failed, why.name());
    Decision {
        events: vec![failed],
        ..refuse(why, text)
    }
}

/// A spec with pools was taken, and pools that are new begin, or have nothing to begin with.
fn count_bootstrap<M: Memory>(state: &State<M>, spec: &FleetSpec) -> Vec<Event> {
    let told = |operation, ended, why: Reason| Event::Counted(operation, ended, why.name());
    let config = |ended, why| told(Operation::BootstrapConfig, ended, why);
    let mut events = vec![config(Ended::Started, Reason::Satisfied)];
    events.push(if spec.pools.iter().any(|pool| pool.enabled) {
        config(Ended::Completed, Reason::Satisfied)
    } else {
        config(Ended::Skipped, Reason::Disabled)
    });
    let new = spec
        .pools
        .iter()
        .filter(|it| state.pool(&it.name).is_none());
    events.extend(new.map(|pool| {
        let pools = Operation::BootstrapPool;
        match pool.initial {
            _ if !pool.enabled => told(pools, Ended::Skipped, Reason::Disabled),
            0 => told(pools, Ended::Skipped, Reason::Satisfied),
            _ => told(pools, Ended::Started, Reason::BelowInitial),
        }
    }));
    events
}

/// A decision that changes nothing and says why.
fn refuse(reason: Reason, text: impl Into<String>) -> Decision {
    Decision {
        reply: Reply::Refused(reason, text.into()),
        ..Decision::default()
    }
}

/// Why a command is refused, and the hint.
fn refused(reason: Reason, text: impl Into<String>) -> (Reason, String) {
    (reason, text.into())
}

/// A decision under construction, with the ids of its effects.
struct Draft {
    decision: Decision,
    next_effect: EffectId,
    incarnation: hatchery_types::Incarnation,
    newest: Option<CanisterId>,
    now: Nanos,
}

impl Draft {
    fn new<M: Memory>(state: &State<M>, now: Nanos) -> Self {
        Draft {
            decision: Decision::default(),
            next_effect: state.next_effect(),
            incarnation: state.incarnation(),
            newest: search::newest_known(state),
            now,
        }
    }

    fn event(&mut self, event: Event) -> &mut Self {
        self.decision.events.push(event);
        self
    }

    fn count(&mut self, operation: Operation, ended: Ended, why: &Reason) -> &mut Self {
        self.event(Event::Counted(operation, ended, why.name()))
    }

    fn row(&mut self, row: Row) -> &mut Self {
        self.event(Event::RowChanged(Box::new(row)))
    }

    /// Records the intent and orders the calls.
    fn start(&mut self, kind: EffectKind, canister: Option<CanisterId>) -> EffectId {
        let id = self.next_effect;
        self.next_effect = EffectId(id.0 + 1);
        let behind = self
            .newest
            .filter(|_| matches!(kind, EffectKind::Create { .. }));
        let effect = Effect {
            id,
            behind,
            given_up: false,
            outcomes: vec![None; kind.steps().len()],
            kind,
            canister,
            started_at: self.now,
            incarnation: self.incarnation,
        };
        self.event(Event::EffectStarted(Box::new(effect.clone())));
        self.decision.effects.push(effect);
        id
    }

    /// Starts an effect on a row and notes it there.
    fn start_on(&mut self, mut row: Row, kind: EffectKind) {
        row.effect = Some(self.start(kind, Some(row.canister)));
        self.row(row);
    }

    /// The lane that the row's next effect needs is full: it is looked at again soon.
    fn wait_for_lane(&mut self, mut row: Row) {
        row.next_attempt = self.now + limits::LANE_RETRY;
        self.row(row);
    }

    /// The decision; there may be more to do after it.
    fn done(mut self) -> Decision {
        self.decision.more = true;
        self.decision
    }
}

/// The row leaves its pool's work for a reset.
fn to_reset(row: Row, now: Nanos, reason: Reason) -> Row {
    let mut row = row.moved(Phase::PendingReset, now, reason);
    row.forget_samples();
    row.protected_until = Nanos(0);
    row.init_arg = None;
    row.kept = false;
    row.queries = None;
    row.exit = None;
    row.burn = None;
    row.fund_at = Nanos(0);
    row
}
