//! `hatchery status`: the fleet at a glance.

use crate::args::StatusOptions;
use crate::follow;
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use hatchery_api::{FleetStatus, FundingView, PoolView, RolloutView};

pub(crate) fn run(session: &Session<'_>, options: &StatusOptions) -> anyhow::Result<()> {
    if let Some(seconds) = options.until_ready {
        follow::until_ready(&session.client, seconds, !session.globals.json)?;
    }
    let status = session.client.status()?;
    session.say(&status, |paint| print(&status, paint));
    Ok(())
}

fn print(status: &FleetStatus, paint: Paint) {
    let name = match status.name.as_str() {
        "" => "no spec applied yet".to_owned(),
        name => format!("{name}, spec {}", status.generation.0),
    };
    println!(
        "{}  incarnation {}",
        paint.bold(&name),
        status.incarnation.0
    );
    if let Some(reason) = &status.recovery.held_back {
        println!("{}", paint.bad(&format!("held back: {}", reason.text)));
        println!("{}", paint.faint("see `hatchery recover --help`"));
    }
    if status.paused {
        let text = "paused: `hatchery pool resume` goes on";
        println!("{}", paint.warn(text));
    }
    println!();
    pools(status, paint);
    println!();
    phases(status, paint);
    println!();
    print_warm(status);
    print_cycles(status);
    let effects: u64 = status.effects.iter().map(|(_, count)| *count).sum();
    let kinds = status.effects.iter().filter(|(_, count)| *count > 0);
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    println!("calls       {effects} under way {}", kinds.join(", "));
    if status.lost_creations > 0 {
        let text = format!("lost        {} creations", status.lost_creations);
        println!("{}", paint.bad(&text));
    }
}

fn pools(status: &FleetStatus, paint: Paint) {
    let mut table = Table::new([
        "pool", "role", ">min", ">max", ">want", ">serve", ">lease", ">stand", ">start", ">drain",
        ">load", "because",
    ]);
    for pool in &status.pools {
        table.row([
            pool.name.clone(),
            pool.role.clone(),
            pool.min.to_string(),
            pool.max.to_string(),
            pool.desired.to_string(),
            pool.in_service.to_string(),
            pool.leased.to_string(),
            pool.standby.to_string(),
            pool.installing.to_string(),
            pool.draining.to_string(),
            pool.load.to_string(),
            amount::reasons(&pool.reasons),
        ]);
    }
    table.print(paint, "no worker pools");
    for pool in &status.pools {
        if let Some(rollout) = &pool.rollout
            && rollout.left > 0
        {
            println!("rollout     {}", rollout_text(pool, rollout));
        }
    }
}

/// How far a pool is on its way to another module.
fn rollout_text(pool: &PoolView, rollout: &RolloutView) -> String {
    let module = amount::hash(rollout.module);
    let RolloutView {
        done,
        failures,
        left,
        ..
    } = rollout;
    let (name, now) = (&pool.name, pool.upgrading);
    format!("{name} to {module}: {done} done, {now} under way, {left} left, {failures} failed")
}

fn phases(status: &FleetStatus, paint: Paint) {
    let there = status.phases.iter().filter(|(_, count)| *count > 0);
    let there: Vec<String> = there
        .map(|(phase, count)| format!("{count} {}", paint.phase(*phase)))
        .collect();
    let total: u64 = status.phases.iter().map(|(_, count)| *count).sum();
    println!("canisters   {total}: {}", there.join(", "));
}

fn print_warm(status: &FleetStatus) {
    println!(
        "warm pool   {} to {}: {}",
        status.warm_minimum, status.warm_maximum, status.warm_reason.text
    );
}

fn print_cycles(status: &FleetStatus) {
    let ledger = status.ledger;
    println!(
        "cycles      root holds {}; spent {}, swept back {}, discarded {}",
        amount::cycles(status.cycles.0),
        amount::cycles(ledger.spent.0),
        amount::cycles(ledger.swept.0),
        amount::cycles(ledger.discarded.0)
    );
    println!("funding     {}", funding(&status.funding));
}

/// What is paid to keep the fleet alive, and how long root can.
pub(crate) fn funding(funding: &FundingView) -> String {
    let lasts = match funding.hours_left {
        Some(hours) => format!("lasts {}", amount::span(hours.saturating_mul(3_600))),
        None => "how long it lasts is not known".to_owned(),
    };
    let paid = amount::cycles(funding.paid_today.0);
    format!(
        "{}; {lasts}; topped up today {paid}, {} wait",
        funding.reason.text, funding.needy
    )
}
