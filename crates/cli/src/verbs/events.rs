//! `hatchery events`: what happened, and what happens.

use crate::args::EventsOptions;
use crate::connection::canister;
use crate::follow;
use crate::session::Session;
use crate::show::table::terminal_width;
use crate::show::{Paint, amount, json};
use hatchery_api::EventView;
use hatchery_types::CanisterId;
use std::time::Duration;

/// Between two looks for new ones.
const ASK_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(session: &Session<'_>, options: &EventsOptions) -> anyhow::Result<()> {
    if let Some(text) = &options.canister {
        let events = session.client.history(CanisterId(canister(text)?))?;
        session.say(&events, |paint| print(&events, paint));
        return Ok(());
    }
    let newest = session.client.events(u64::MAX, 1)?.newest;
    let after = options
        .after
        .unwrap_or_else(|| newest.saturating_sub(options.last));
    let mut last = after;
    let events = session.client.all_events(after)?;
    last = events.last().map_or(last, |event| event.number);
    if !options.follow {
        session.say(&events, |paint| print(&events, paint));
        return Ok(());
    }
    tell(session, &events);
    loop {
        follow::pause(ASK_EVERY);
        let events = session.client.all_events(last)?;
        last = events.last().map_or(last, |event| event.number);
        tell(session, &events);
    }
}

fn print(events: &[EventView], paint: Paint) {
    for event in events {
        println!("{}", line(event, paint));
    }
    if events.is_empty() {
        println!("no events");
    }
}

/// One line an event, as JSON too.
fn tell(session: &Session<'_>, events: &[EventView]) {
    for event in events {
        if session.globals.json {
            println!("{}", json::of(event));
        } else {
            println!("{}", line(event, session.paint));
        }
    }
}

/// On narrower terminals the time stands without its date.
const DATE_WIDTH: usize = 100;

/// An event in one line.
pub(crate) fn line(event: &EventView, paint: Paint) -> String {
    let moment = amount::moment(event.at);
    let is_narrow = terminal_width().is_some_and(|width| width < DATE_WIDTH);
    let time = match moment.split_once('T') {
        Some((_, time)) if is_narrow => time,
        _ => &moment,
    };
    let canister = event.canister.map(|it| it.to_string());
    let subject = canister.or_else(|| event.pool.clone()).unwrap_or_default();
    let phase = event
        .phase
        .map_or_else(String::new, |phase| paint.phase(phase));
    let gap = " ".repeat(14_usize.saturating_sub(event.phase.map_or(0, |it| it.name().len())));
    format!(
        "{:>6} {}  {subject:<27}  {phase}{gap}{}",
        event.number,
        paint.faint(time),
        event.reason.text
    )
}
