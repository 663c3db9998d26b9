//! Upgrades that a parent asks for: its own children, to the present module of their role.
//!
//! Each goes the way of every upgrade, within the same budget; what cannot begin now is refused, and
//! nothing waits in a queue.

use super::command::{Act, Acted};
use super::lanes::Room;
use super::tick::{expect_row, view};
use super::{refused, standing, upgrade};
use crate::Event;
use crate::input::RequestInput;
use crate::limits;
use crate::plan::{Asked, plan_asked};
use crate::receipt::{Answer, Goal, On, Wait};
use crate::record::PoolRecord;
use crate::state::State;
use hatchery_types::{CanisterId, FleetSpec, Nanos, Phase, PoolSpec, Reason};
use ic_stable_structures::Memory;
use std::collections::BTreeSet;

/// One child. One that is on its way already is waited for.
pub(super) fn one<M: Memory>(
    state: &State<M>,
    now: Nanos,
    input: &RequestInput,
    child: CanisterId,
) -> Act {
    let row = expect_row(state, child);
    let wait = Some(Wait {
        goal: Goal::Upgrade,
        on: On::Canister(child),
    });
    if row.phase == Phase::Upgrading {
        return Ok(Acted {
            wait,
            ..Acted::default()
        });
    }
    let at_work = matches!(row.phase, Phase::InService | Phase::Leased | Phase::Standby);
    if !at_work || row.starts_until.0 > 0 {
        let text = format!(
            "{child} is {}: only what is at work or on standby",
            row.phase
        );
        return Err(refused(Reason::WrongPhase, text));
    }
    let pool = row.pool.as_deref().unwrap_or_default();
    let spec = known_spec(state)?;
    let Some(pool) = spec.pool(pool) else {
        let text = format!("its pool `{pool}` is not in the spec any more");
        return Err(refused(Reason::UnknownPool, text));
    };
    let asked = plan(state, now, spec, pool, input, &BTreeSet::from([child]))?;
    if asked.begin.is_empty() {
        let text = format!("{child} keeps its module for now");
        return Err(refused(asked.why, text));
    }
    Ok(Acted {
        events: begin(state, now, spec, pool, &asked),
        wait,
        ..Acted::default()
    })
}

/// Children of a role: as many as may be away now. The answer says how many still run another module.
pub(super) fn all<M: Memory>(
    state: &State<M>,
    now: Nanos,
    input: &RequestInput,
    role: &str,
) -> Act {
    let spec = known_spec(state)?;
    let children: BTreeSet<CanisterId> = state.children(input.caller, None).collect();
    let (mut begun, mut left, mut events) = (0, 0, Vec::new());
    let mut why = Reason::NotAChild;
    for pool in spec.pools.iter().filter(|pool| pool.role == role) {
        let mut members = state.members(&pool.name);
        if !members.any(|member| children.contains(&member.canister)) {
            continue;
        }
        let mut asked = plan(state, now, spec, pool, input, &children)?;
        let most = limits::FAMILY_BATCH - begun;
        left += asked.left as usize + asked.begin.len().saturating_sub(most);
        asked.begin.truncate(most);
        begun += asked.begin.len();
        events.extend(begin(state, now, spec, pool, &asked));
        if asked.left > 0 || why == Reason::NotAChild {
            why = asked.why;
        }
    }
    if begun == 0 {
        let text = format!("no child of role `{role}` goes to another module now");
        return Err(refused(why, text));
    }
    let (begun, left) = (begun as u32, left as u32);
    Ok(Acted::done(events, Answer::Upgrading { begun, left }))
}

fn known_spec<M: Memory>(state: &State<M>) -> Result<&FleetSpec, (Reason, String)> {
    if let Some(reason) = standing::held_back(state) {
        let text = "root does not know its own fleet yet: ask again later";
        return Err(refused(reason, text));
    }
    let spec = state.spec();
    spec.ok_or_else(|| refused(Reason::NoSpec, "apply a spec first"))
}

/// What may begin now, of the children that are named. A lease that the parent holds itself is no
/// obstacle.
fn plan<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &PoolSpec,
    input: &RequestInput,
    named: &BTreeSet<CanisterId>,
) -> Result<Asked, (Reason, String)> {
    let room = Room::new(state, &input.vitals);
    let view = view(state, now, spec, &pool.name, &room);
    let unknown = || refused(Reason::UnknownPool, format!("no pool `{}`", pool.name));
    let view = view.ok_or_else(unknown)?;
    let is_named = |id: CanisterId| named.contains(&id);
    let is_own = |id: CanisterId| {
        let row = state.row(id);
        row.is_some_and(|row| row.holder == Some(input.caller) && row.protected_until <= now)
    };
    Ok(plan_asked(&view, is_named, is_own))
}

fn begin<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &PoolSpec,
    asked: &Asked,
) -> Vec<Event> {
    if asked.begin.is_empty() {
        return Vec::new();
    }
    let record = state.pool(&pool.name).cloned();
    let record = record.map(|record| PoolRecord {
        rollout: Some(asked.rollout),
        ..record
    });
    let record = record.map(|record| Event::PoolChanged(Box::new(record)));
    let rows = asked.begin.iter().map(|child| {
        let mut row = upgrade::begin(now, spec, expect_row(state, *child));
        if let Some(upgrade) = &mut row.upgrade {
            upgrade.asked = true;
        }
        Event::RowChanged(Box::new(row))
    });
    rows.chain(record).collect()
}
