//! When a fleet is at rest: all pools within their bounds, the warm pool full, nothing in flight or on
//! its way, each canister as its row says, every member on its role's module. A root that says that it
//! buys no more is let off what follows from that, and nothing else.

use super::{tenants, watch};
use crate::world::{CallError, FleetWorld, Truth};
use candid::Principal;
use hatchery_api::{EffectView, FleetStatus, RowView};
use hatchery_types::{CanisterId, FleetSpec, Nanos, Phase, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// What the world looks like.
struct Scene<'a> {
    spec: &'a FleetSpec,
    root: CanisterId,
    status: FleetStatus,
    rows: Vec<RowView>,
    effects: Vec<EffectView>,
    truth: Vec<Truth>,
    now: u64,
}

/// The kind of effect that buys a canister.
const CREATE: &str = "create";
/// A creation takes no longer when nothing goes wrong.
const CREATION_MAX: Nanos = Nanos::from_secs(120);

/// What is not at rest yet; none = all is.
///
/// # Errors
/// Root does not answer.
pub(super) fn unrest(
    world: &mut FleetWorld,
    spec: &FleetSpec,
) -> Result<Option<String>, CallError> {
    let scene = Scene {
        spec,
        root: world.root,
        status: world.status()?,
        rows: world.rows()?,
        effects: world.effects()?,
        truth: world.truth(),
        now: world.engine.now_ns(),
    };
    let unrest = [
        in_flight,
        on_the_way,
        out_of_bounds,
        warm_pool,
        unaccounted,
        outdated,
        orphaned_children,
    ];
    let unrest = unrest.into_iter().find_map(|look| look(&scene));
    Ok(unrest.or_else(|| left_behind(world, &scene.rows)))
}

impl Scene<'_> {
    /// Root says that it buys no more, and why: too much came to nothing. Pools may lack members then,
    /// and spare canisters may be missing.
    fn buys_no_more(&self) -> bool {
        let held = [
            Reason::LostCreations.code(),
            Reason::UnprovenCanisters.code(),
        ];
        held.contains(&self.status.warm_reason.code)
    }

    fn creations(&self) -> usize {
        let kinds = self.effects.iter().map(|effect| effect.kind.as_str());
        kinds.filter(|kind| *kind == CREATE).count()
    }
}

/// Nothing is open but creations, and none of those for long but the ones that root says are lost.
fn in_flight(scene: &Scene<'_>) -> Option<String> {
    let is_old = |effect: &&EffectView| Nanos(scene.now).since(effect.started_at) > CREATION_MAX;
    let (creations, others): (Vec<&EffectView>, Vec<_>) =
        scene.effects.iter().partition(|it| it.kind == CREATE);
    let old: Vec<_> = creations.into_iter().filter(is_old).collect();
    let is_late = old.len() as u64 > scene.status.lost_creations;
    let late = others.first().or(old.first().filter(|_| is_late))?;
    Some(format!("still open: {late:?}"))
}

/// No canister is between two phases in which it may stay.
fn on_the_way(scene: &Scene<'_>) -> Option<String> {
    let stays = [
        Phase::Ready,
        Phase::InService,
        Phase::Standby,
        Phase::Leased,
        Phase::Failed,
        Phase::Lost,
    ];
    let row = scene.rows.iter().find(|row| !stays.contains(&row.phase))?;
    Some(format!("{} is still on its way: {row:?}", row.canister))
}

fn out_of_bounds(scene: &Scene<'_>) -> Option<String> {
    scene.spec.pools.iter().find_map(|pool| {
        let serves = |row: &&RowView| matches!(row.phase, Phase::InService | Phase::Leased);
        let ours = scene.rows.iter().filter(serves);
        let count = ours
            .filter(|row| row.pool.as_ref() == Some(&pool.name))
            .count();
        let (min, max) = (pool.min, pool.max);
        let least = if scene.buys_no_more() { 0 } else { min };
        let is_within = (least as usize..=max as usize).contains(&count);
        (!is_within).then(|| format!("{}: {count} of {min}..{max}: {:?}", pool.name, scene.status))
    })
}

fn warm_pool(scene: &Scene<'_>) -> Option<String> {
    let status = &scene.status;
    let ready = scene
        .rows
        .iter()
        .filter(|row| row.phase == Phase::Ready)
        .count();
    let (minimum, maximum) = (status.warm_minimum as usize, status.warm_maximum as usize);
    let least = if scene.buys_no_more() { 0 } else { minimum };
    let is_within = (least..=maximum).contains(&ready);
    (!is_within).then(|| format!("{ready} ready of {minimum}..{maximum}: {status:?}"))
}

fn unaccounted(scene: &Scene<'_>) -> Option<String> {
    // What root lost was searched for and is not there, unless it says that it lost too much; what
    // somebody took from it then is not its any more.
    let root = scene.root;
    let is_ours = |one: &&Truth| one.controllers.contains(&root.0);
    let ours: Vec<Truth> = scene.truth.iter().filter(is_ours).cloned().collect();
    let orphans = watch::orphans(&ours, root, &scene.rows);
    let lost = scene.status.lost_creations as usize;
    let absent = if scene.buys_no_more() { 0 } else { lost };
    if orphans.len() + absent > scene.creations() {
        return Some(format!("orphans: {orphans:?}, {:?}", scene.status));
    }
    let dead = watch::dead_members(&scene.truth, &scene.rows);
    let first = dead.first();
    first.map(|id| format!("{id} is said to be in service, and is not"))
}

/// Every member is on its role's module, unless the rollout stopped and says so.
fn outdated(scene: &Scene<'_>) -> Option<String> {
    let pool = scene
        .status
        .pools
        .iter()
        .find(|pool| pool.name == tenants::POOL)?;
    let stopped = Reason::UpgradeStopped.code();
    if pool.reasons.iter().any(|reason| reason.code == stopped) {
        return None;
    }
    let wanted = Some(tenants::wanted(scene.spec));
    let ours = scene
        .rows
        .iter()
        .filter(|row| row.pool.as_deref() == Some(tenants::POOL));
    let mut ours = ours.filter(|row| row.phase.is_living());
    let late = ours.find(|row| row.module != wanted || row.phase == Phase::Upgrading)?;
    Some(format!("{} waits for its module: {pool:?}", late.canister))
}

/// Who was asked for has a parent: root, or a member.
fn orphaned_children(scene: &Scene<'_>) -> Option<String> {
    let members = scene.rows.iter().filter(|row| row.phase.is_member());
    let members: BTreeMap<CanisterId, &RowView> = members.map(|row| (row.canister, row)).collect();
    let mut children = members.values().filter(|row| {
        let parent = row.parent.filter(|parent| *parent != scene.root);
        parent.is_some_and(|parent| !members.contains_key(&parent))
    });
    let child = children.next()?;
    Some(format!(
        "{} has no parent: {:?}",
        child.canister, child.parent
    ))
}

/// No snapshot stays behind.
fn left_behind(world: &FleetWorld, rows: &[RowView]) -> Option<String> {
    let at_rest = rows
        .iter()
        .filter(|row| row.phase != Phase::Failed && row.phase != Phase::Lost);
    let mut views = at_rest.filter_map(|row| world.engine.canister(row.canister.0));
    let view = views.find(|view| view.snapshot_bytes > 0)?;
    Some(format!("{} has a snapshot left", view.id))
}

/// A day and more, so that every balance is looked at once more: rounds of ten minutes.
const LAST_LOOK_ROUNDS: u64 = 26 * 6;
const LAST_LOOK_ROUND_NS: u64 = 600_000_000_000;

/// What root says that its canisters hold is what they hold, within one per cent of what was burned;
/// its books agree with that exactly, as its own check says, and so does the engine's account. Of what
/// others changed behind its back, and of what it may not look at, it cannot know.
///
/// # Errors
/// It is not, or root does not answer.
pub(super) fn check_books(
    world: &mut FleetWorld,
    meddled: &BTreeSet<Principal>,
) -> Result<(), String> {
    world.pass(LAST_LOOK_ROUNDS, LAST_LOOK_ROUND_NS);
    let told = |error: CallError| error.to_string();
    let (rows, ledger) = (
        world.rows().map_err(told)?,
        world.status().map_err(told)?.ledger,
    );
    let off = rows.iter().filter_map(|row| {
        let is_known = row.phase.is_living() || row.phase == Phase::Ready;
        let view = world.engine.canister(row.canister.0)?;
        let seen = row
            .cycles
            .filter(|_| is_known && !meddled.contains(&view.id))?;
        Some(seen.0.abs_diff(view.cycles))
    });
    let (off, burned) = (off.sum::<u128>(), ledger.burned.0);
    if off * 100 <= burned {
        return Ok(());
    }
    Err(format!("balances are off by {off}: {ledger:?}"))
}
