//! `hatchery why`: why a pool or a canister is as it is.

use super::canisters::one;
use super::events::line;
use super::workers::pools;
use crate::args::WhyOptions;
use crate::session::Session;
use crate::show::{Paint, amount};
use candid::{CandidType, Principal};
use hatchery_api::{EventView, PlanView, ReasonView, RowView, WhyRequest, WhyView};
use hatchery_types::CanisterId;

/// So many of the latest events are told.
const EVENTS_SHOWN: usize = 8;
/// So many of the latest events are looked through.
const EVENTS_READ: u64 = 1_000;

/// Why a pool is as it is.
#[derive(CandidType)]
struct PoolWhy {
    pool: String,
    /// What the last tick said.
    last: Vec<ReasonView>,
    /// What the next tick would do.
    next: PlanView,
    /// What policy wished before anything held it back; for operators alone.
    asked: Option<WhyView>,
    events: Vec<EventView>,
}

/// Why a canister is as it is.
#[derive(CandidType)]
struct CanisterWhy {
    row: RowView,
    events: Vec<EventView>,
}

pub(crate) fn run(session: &Session<'_>, options: &WhyOptions) -> anyhow::Result<()> {
    let what = options.what.as_deref();
    if let Some(id) = what.and_then(|text| Principal::from_text(text).ok()) {
        return canister(session, CanisterId(id));
    }
    let status = session.client.status()?;
    let newest = session.client.events(u64::MAX, 1)?.newest;
    let events = session
        .client
        .all_events(newest.saturating_sub(EVENTS_READ))?;
    let mut found = Vec::new();
    for pool in pools(session, what)? {
        let next = session.client.plan(&pool)?;
        let request = WhyRequest {
            pool: pool.clone(),
            ..WhyRequest::default()
        };
        let view = status.pools.iter().find(|view| view.name == pool);
        found.push(PoolWhy {
            last: view.map(|view| view.reasons.clone()).unwrap_or_default(),
            next,
            // The first page of members is enough to read.
            asked: session.client.ask("why", &request).ok(),
            events: latest(&events, |event| event.pool.as_ref() == Some(&pool)),
            pool,
        });
    }
    session.say(&found, |paint| {
        for why in &found {
            print_pool(why, paint);
        }
        if what.is_none() {
            println!("{}", paint.bold("warm pool"));
            println!("  now      {}", status.warm_reason.text);
        }
    });
    Ok(())
}

fn latest(events: &[EventView], fits: impl Fn(&EventView) -> bool) -> Vec<EventView> {
    let mut found: Vec<EventView> = events.iter().filter(|event| fits(event)).cloned().collect();
    found.drain(..found.len().saturating_sub(EVENTS_SHOWN));
    found
}

fn print_pool(why: &PoolWhy, paint: Paint) {
    println!("{}  wants {}", paint.bold(&why.pool), why.next.desired);
    if let Some(asked) = &why.asked {
        println!("  wished   {}, allowed {}", asked.wished, asked.desired);
    }
    println!("  now      {}", amount::reasons(&why.last));
    let next = &why.next;
    let moves = [
        ("claim", next.claim.len()),
        ("promote", next.promote.len()),
        ("uncordon", next.uncordon.len()),
        ("cordon", next.cordon.len()),
        ("release", next.release.len()),
        ("upgrade", next.upgrade.len()),
        ("wait for", next.unmet as usize),
    ];
    let moves = moves.iter().filter(|(_, count)| *count > 0);
    let moves: Vec<String> = moves
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    let moves = if moves.is_empty() {
        "nothing to do".to_owned()
    } else {
        moves.join(", ")
    };
    println!("  next     {moves}: {}", amount::reasons(&next.reasons));
    for event in &why.events {
        println!("  {}", line(event, paint));
    }
}

fn canister(session: &Session<'_>, canister: CanisterId) -> anyhow::Result<()> {
    let row = one(session, canister)?;
    let newest = session.client.events(u64::MAX, 1)?.newest;
    let events = session
        .client
        .all_events(newest.saturating_sub(EVENTS_READ))?;
    let events = latest(&events, |event| event.canister == Some(canister));
    let why = CanisterWhy { row, events };
    session.say(&why, |paint| {
        let row = &why.row;
        println!(
            "{}  {} for {}: {}",
            paint.bold(&canister.to_string()),
            paint.phase(row.phase),
            amount::age(row.since, amount::now()),
            row.reason.text
        );
        if let Some(effect) = &row.effect {
            println!("  doing    {effect}");
        }
        for event in &why.events {
            println!("  {}", line(event, paint));
        }
    });
    Ok(())
}
