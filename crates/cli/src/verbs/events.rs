//! `hatchery events`: what happened, and what happens.

use crate::args::EventsOptions;
use crate::connection::canister;
use crate::follow;
use crate::session::Session;
use crate::show::table::terminal_width;
use crate::show::{Paint, amount, json};
use hatchery_api::{EventView, EventsRequest};
use hatchery_types::{CanisterId, Level};
use std::time::Duration;

/// Between two looks for new ones.
const ASK_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(session: &Session<'_>, options: &EventsOptions) -> anyhow::Result<()> {
    let of = options.canister.as_deref().map(canister).transpose()?;
    let mut request = EventsRequest {
        canister: of.map(CanisterId),
        topic: options.topic,
        level: options.level,
        ..EventsRequest::default()
    };
    let is_open = request == EventsRequest::default();
    let newest = session.client.events(u64::MAX, 1)?.newest;
    let from = newest.saturating_sub(if is_open { options.last } else { newest });
    request.after = options.after.unwrap_or(from);
    let mut events = session.client.events_where(request.clone())?;
    if options.after.is_none() && of.is_none() {
        let surplus = events.len().saturating_sub(options.last as usize);
        events.drain(..surplus);
    }
    if !options.follow {
        session.say(&events, |paint| print(&events, paint));
        return Ok(());
    }
    request.after = newest;
    loop {
        tell(session, &events);
        let last = events.last().map_or(0, |event| event.number);
        request.after = request.after.max(last);
        follow::pause(ASK_EVERY);
        let newest = session.client.events(u64::MAX, 1)?.newest;
        events = session.client.events_where(request.clone())?;
        request.after = request.after.max(newest);
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
    let why = match event.level {
        Level::Info => event.reason.text.clone(),
        Level::Warning => paint.warn(&event.reason.text),
        Level::Error => paint.bad(&event.reason.text),
    };
    let operation = event.operation.as_ref();
    let operation = operation.map_or_else(String::new, |id| format!("  {}", paint.faint(&id.0)));
    format!(
        "{:>6} {}  {subject:<27}  {phase}{gap}{why}{operation}",
        event.number,
        paint.faint(time),
    )
}
