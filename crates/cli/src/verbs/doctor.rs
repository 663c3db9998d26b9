//! `hatchery doctor`: looks at everything and says what is wrong, and what to do.

use crate::complaint::{Complaint, Kind};
use crate::connection::network::LOCAL;
use crate::fleet_file;
use crate::session::Session;
use crate::show::{Paint, amount};
use crate::{args::WasmOptions, verbs::plan};
use candid::CandidType;
use hatchery_api::{FleetStatus, RowView};
use hatchery_types::{Nanos, Phase};

/// A row that moves is done long before; a drain has its own deadline.
const STUCK_AFTER: Nanos = Nanos::from_secs(30 * 60);
/// Root wakes at least so often, and half as much again for a busy subnet.
const ASLEEP_AFTER: Nanos = Nanos::from_secs(45 * 60);

/// One thing that was looked at.
#[derive(CandidType)]
struct Finding {
    what: String,
    state: State,
    text: String,
    /// What to do.
    hint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, CandidType)]
enum State {
    Good,
    Warning,
    Bad,
}

pub(crate) fn run(session: &Session<'_>) -> anyhow::Result<()> {
    let status = session.client.status()?;
    let rows = session.client.rows(None)?;
    let mut findings = vec![
        reachable(session)?,
        controllers(session)?,
        whole(&status),
        cycles(session, &status),
        clock(&status),
        stuck(&rows),
        failed(&rows),
        paused(&status),
        drift(session, &status),
    ];
    findings.push(violations(session));
    session.say(&findings, |paint| {
        for finding in &findings {
            print(finding, paint);
        }
    });
    let bad = findings.iter().filter(|it| it.state == State::Bad).count();
    match bad {
        0 => Ok(()),
        bad => Err(Complaint::new(
            Kind::Failed,
            format!("{bad} of {} are not as they must be", findings.len()),
        )
        .into()),
    }
}

fn print(finding: &Finding, paint: Paint) {
    let mark = match finding.state {
        State::Good => paint.good("ok   "),
        State::Warning => paint.warn("look "),
        State::Bad => paint.bad("BAD  "),
    };
    println!("{mark} {:<12} {}", finding.what, finding.text);
    if let Some(hint) = &finding.hint {
        println!("                   {}", paint.faint(hint));
    }
}

fn finding(what: &str, state: State, text: impl Into<String>) -> Finding {
    Finding {
        what: what.to_owned(),
        state,
        text: text.into(),
        hint: None,
    }
}

impl Finding {
    fn hint(mut self, hint: &str) -> Finding {
        self.hint = Some(hint.to_owned());
        self
    }
}

fn reachable(session: &Session<'_>) -> anyhow::Result<Finding> {
    let client = &session.client;
    let certified = client.certified(client.root()?)?;
    let module = certified.module.unwrap_or_default();
    let module = data_encoding::HEXLOWER.encode(&module);
    let text = format!(
        "{} answers at {}, module {}",
        client.root()?,
        client.place().url,
        module.chars().take(12).collect::<String>()
    );
    Ok(finding("root", State::Good, text))
}

fn controllers(session: &Session<'_>) -> anyhow::Result<Finding> {
    let client = &session.client;
    let controllers = client.certified(client.root()?)?.controllers;
    let is_ours = controllers.contains(&client.me());
    let text = format!("{} of root", controllers.len());
    let is_for_good = client.place().name != LOCAL;
    let found = match (controllers.len(), is_ours) {
        (0, _) => finding("controllers", State::Bad, "root has none: nobody can upgrade it"),
        (1, _) if is_for_good => finding("controllers", State::Warning, "root has only one")
            .hint("a lost key would be a lost fleet: `icp canister settings update ROOT --add-controller …`"),
        (_, true) => finding("controllers", State::Good, text),
        (_, false) => finding("controllers", State::Warning, text + ", this identity not among them")
            .hint("commands that change the fleet will be refused: --identity"),
    };
    Ok(found)
}

fn whole(status: &FleetStatus) -> Finding {
    match &status.recovery.held_back {
        None => finding("memory", State::Good, "root does its work"),
        Some(reason) => finding("memory", State::Bad, reason.text.clone())
            .hint("`hatchery recover` names its canisters; see the runbook"),
    }
}

fn cycles(session: &Session<'_>, status: &FleetStatus) -> Finding {
    let held = amount::cycles(status.cycles.0);
    let Some(spec) = session.client.spec().ok().flatten() else {
        return finding("cycles", State::Good, format!("root holds {held}"));
    };
    let reserve = amount::cycles(spec.reserve.0);
    let text = format!("root holds {held}, its reserve is {reserve}");
    let next = spec.reserve.0 + spec.warm_pool.cycles.0;
    match status.cycles.0 {
        less if less <= spec.reserve.0 => finding("cycles", State::Bad, text)
            .hint("it pays for nothing: `hatchery cycles top-up`"),
        less if less < next => finding("cycles", State::Warning, text)
            .hint("not enough for one more canister: `hatchery cycles top-up`"),
        _ => finding("cycles", State::Good, text),
    }
}

/// Root's next wake-up is in the future, by this machine's clock: clock and timer both work.
fn clock(status: &FleetStatus) -> Finding {
    let now = amount::now();
    match status.next_wake {
        None => finding("timer", State::Good, "root wakes in at most 30m"),
        Some(at) if now.since(at) > ASLEEP_AFTER => {
            let text = format!("root should have woken {} ago", amount::age(at, now));
            finding("timer", State::Bad, text)
                .hint("is this machine's clock right? is root out of cycles or stopped?")
        }
        Some(at) => {
            let text = format!(
                "root wakes in at most {}",
                amount::span(at.since(now).as_secs())
            );
            finding("timer", State::Good, text)
        }
    }
}

fn stuck(rows: &[RowView]) -> Finding {
    let now = amount::now();
    let moves = |phase: Phase| {
        !matches!(
            phase,
            Phase::Ready
                | Phase::InService
                | Phase::Leased
                | Phase::Standby
                | Phase::Failed
                | Phase::Lost
                | Phase::Draining
        )
    };
    let stuck: Vec<&RowView> = rows
        .iter()
        .filter(|row| moves(row.phase) && now.since(row.since) > STUCK_AFTER)
        .collect();
    match stuck.as_slice() {
        [] => finding(
            "rows",
            State::Good,
            format!("{} canisters, none stuck", rows.len()),
        ),
        [first, ..] => {
            let text = format!(
                "{} stuck, such as {}: {}",
                stuck.len(),
                first.canister,
                first.reason.text
            );
            finding("rows", State::Bad, text).hint("`hatchery why ID` says more of each")
        }
    }
}

fn failed(rows: &[RowView]) -> Finding {
    let waits = |phase: Phase| matches!(phase, Phase::Failed | Phase::Lost);
    let failed: Vec<&RowView> = rows.iter().filter(|row| waits(row.phase)).collect();
    match failed.as_slice() {
        [] => finding("failures", State::Good, "nothing waits for an operator"),
        [first, ..] => {
            let text = format!(
                "{} failed or lost, such as {}: {}",
                failed.len(),
                first.canister,
                first.reason.text
            );
            finding("failures", State::Warning, text)
                .hint("`hatchery pool requeue` tries failed ones again; `hatchery pool forget ID` strikes a lost one")
        }
    }
}

fn paused(status: &FleetStatus) -> Finding {
    if status.paused {
        return finding("pause", State::Warning, "paused: nothing voluntary happens")
            .hint("`hatchery pool resume` goes on");
    }
    finding("pause", State::Good, "not paused")
}

/// The file against root, where there is a file.
fn drift(session: &Session<'_>, status: &FleetStatus) -> Finding {
    let options = WasmOptions { wasm_dir: None };
    let Ok(fleet) = fleet_file::load(&session.globals.folder, &options) else {
        return finding("drift", State::Good, "no fleet.toml here to compare with");
    };
    let Ok(applied) = session.client.spec() else {
        return finding("drift", State::Good, "the spec is for operators alone");
    };
    if plan::compare(applied.as_ref(), &fleet, status, 0).is_none() {
        finding("drift", State::Good, "root has what fleet.toml says")
    } else {
        finding(
            "drift",
            State::Warning,
            "fleet.toml says something else than root has",
        )
        .hint("`hatchery plan` shows the difference")
    }
}

fn violations(session: &Session<'_>) -> Finding {
    let found: anyhow::Result<Vec<String>> = session.client.look("violations");
    match found {
        Err(_) => finding(
            "invariants",
            State::Good,
            "for operators alone; not looked at",
        ),
        Ok(none) if none.is_empty() => finding("invariants", State::Good, "all hold"),
        Ok(found) => finding("invariants", State::Bad, found.join("; "))
            .hint("a bug of ours: please report it with `hatchery export` and `hatchery events`"),
    }
}
