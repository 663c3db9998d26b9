//! Every finding that there is, good and bad.

use super::super::{Facts, File, Finding, Overview, State};
use super::examine;
use candid::Principal;
use expect_test::expect_file;
use hatchery_api::{
    FleetStatus, FundingView, LedgerView, ModuleView, PoolView, ReasonView, RecoveryView,
    RolloutView, RowView,
};
use hatchery_types::{
    CanisterId, Cycles, Generation, Incarnation, ModuleHash, Nanos, Phase, Reason,
};

const NOW: Nanos = Nanos::from_secs(1_800_000_000);
const T: u128 = 1_000_000_000_000;
const MINUTES: u64 = 60;
const CARRIED: ModuleHash = ModuleHash([7; 32]);
const OTHER: ModuleHash = ModuleHash([8; 32]);

fn reason() -> ReasonView {
    ReasonView::from(&Reason::Satisfied)
}

/// A small fleet of which nothing is to be said.
fn good() -> Facts {
    let me = Principal::self_authenticating([1]);
    Facts {
        root: Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]),
        url: "https://icp-api.io".to_owned(),
        is_local: false,
        me,
        controllers: vec![me, Principal::self_authenticating([2])],
        module: Some(CARRIED),
        carried: vec![CARRIED],
        now: NOW,
        live: Some(Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: NOW,
            health: Vec::new(),
        }),
        status: status(),
        prices: Some((Cycles(10 * T), Cycles(5 * T))),
        moving: Vec::new(),
        failed: None,
        file: File::Read {
            changes: 0,
            uploads: 0,
        },
        violations: Ok(Vec::new()),
    }
}

fn status() -> FleetStatus {
    FleetStatus {
        name: "shop".to_owned(),
        generation: Generation(1),
        incarnation: Incarnation(1),
        paused: false,
        phases: vec![(Phase::Ready, 3), (Phase::InService, 4)],
        effects: Vec::new(),
        lost_creations: 0,
        warm_minimum: 2,
        warm_maximum: 5,
        warm_reason: reason(),
        cycles: Cycles(100 * T),
        modules: vec![module(true)],
        pools: vec![pool(None)],
        next_wake: Some(Nanos(NOW.0 + 300_000_000_000)),
        recovery: RecoveryView {
            held_back: None,
            sought_creations: 0,
            search: None,
        },
        ledger: LedgerView::default(),
        funding: funding(Some(24 * 90)),
    }
}

fn module(installable: bool) -> ModuleView {
    ModuleView {
        module: OTHER,
        bytes: 1_000,
        committed: installable,
        installable,
    }
}

fn funding(hours_left: Option<u64>) -> FundingView {
    FundingView {
        paid_today: Cycles(T),
        needy: 0,
        burn: Vec::new(),
        own_burn: Some(Cycles(T / 10)),
        hours_left,
        reason: reason(),
    }
}

fn pool(rollout: Option<RolloutView>) -> PoolView {
    PoolView {
        name: "workers".to_owned(),
        role: "worker".to_owned(),
        min: 2,
        max: 9,
        desired: 4,
        installing: 0,
        standby: 0,
        in_service: 4,
        leased: 0,
        draining: 0,
        load: 0,
        reasons: vec![reason()],
        work_cut: 0,
        upgrading: 0,
        rollout,
    }
}

fn rollout(failures: u32, left: u32) -> RolloutView {
    RolloutView {
        module: OTHER,
        since: NOW,
        done: 1,
        failures,
        left,
    }
}

fn row(phase: Phase, minutes: u64) -> RowView {
    RowView {
        canister: CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1])),
        phase,
        since: Nanos(NOW.0 - minutes * MINUTES * 1_000_000_000),
        role: None,
        pool: None,
        parent: None,
        module: None,
        generation: Generation(1),
        cycles: None,
        cycles_at: None,
        created_at: NOW,
        attempts: 5,
        reason: ReasonView::from(&Reason::NotEmpty),
        effect: None,
        load: None,
        holder: None,
        leased_until: None,
    }
}

/// A name, and what makes a good fleet into one that has this.
type Case = (&'static str, fn(&mut Facts));

const CASES: &[Case] = &[
    ("a fleet that is well", |_| {}),
    ("an older root", |it| {
        it.live.as_mut().expect("it answers").version = "0.0.9".to_owned();
    }),
    ("another build of this version", |it| {
        it.module = Some(OTHER);
    }),
    ("nothing built here to compare with", |it| {
        it.carried.clear();
    }),
    ("a root without a page", |it| it.live = None),
    ("no controller", |it| it.controllers.clear()),
    ("one controller", |it| it.controllers.truncate(1)),
    ("a stranger looks", |it| {
        it.controllers.remove(0);
        it.prices = None;
        it.file = File::Closed;
        it.violations = Err(None);
    }),
    ("a root that lost its memory", |it| {
        it.status.recovery.held_back = Some(ReasonView::from(&Reason::Recovering));
    }),
    ("health complains", |it| {
        let live = it.live.as_mut().expect("it answers");
        live.health = vec!["workers: breaker-open".to_owned(), "overdue".to_owned()];
    }),
    ("at the reserve", |it| it.status.cycles = Cycles(9 * T)),
    ("little above the reserve", |it| {
        it.status.cycles = Cycles(12 * T);
    }),
    ("cycles for some days", |it| {
        it.status.funding = funding(Some(60));
    }),
    ("canisters wait for cycles", |it| {
        it.status.funding.needy = 3;
        it.status.funding.reason = ReasonView::from(&Reason::BudgetSpent);
    }),
    ("a clock that is behind", |it| {
        it.now = Nanos(NOW.0 - 120_000_000_000);
    }),
    ("a clock that is far ahead", |it| {
        it.now = Nanos(NOW.0 + 900_000_000_000);
    }),
    ("root slept through its time", |it| {
        it.status.next_wake = Some(Nanos(NOW.0 - 3_600_000_000_000));
    }),
    ("a reset that does not end", |it| {
        it.status.phases.push((Phase::Resetting, 300));
        it.moving = vec![row(Phase::Resetting, 45), row(Phase::Resetting, 5)];
    }),
    ("some failed", |it| {
        it.status.phases.push((Phase::Failed, 2));
        it.failed = Some(row(Phase::Failed, 5));
    }),
    ("some failed, and rows are not for this identity", |it| {
        it.status.phases.push((Phase::Lost, 2));
    }),
    ("creations without an answer", |it| {
        it.status.lost_creations = 2;
    }),
    ("paused", |it| it.status.paused = true),
    ("no fleet.toml", |it| it.file = File::None),
    ("a fleet.toml that makes no sense", |it| {
        it.file = File::Broken("fleet.toml has 2 mistakes".to_owned());
    }),
    ("another spec", |it| {
        it.file = File::Read {
            changes: 3,
            uploads: 0,
        };
    }),
    ("another module", |it| {
        it.file = File::Read {
            changes: 1,
            uploads: 1,
        };
    }),
    ("a module half uploaded", |it| {
        it.status.modules.push(module(false));
    }),
    ("a rollout under way", |it| {
        it.status.pools = vec![pool(Some(rollout(0, 3)))];
    }),
    ("a rollout that fails", |it| {
        it.status.pools = vec![pool(Some(rollout(2, 3)))];
    }),
    ("a bug of ours", |it| {
        it.violations = Ok(vec!["two rows for one canister".to_owned()]);
    }),
    ("too many rows for one look", |it| {
        it.violations = Err(Some("root took too many instructions".to_owned()));
    }),
];

/// Those that call for nothing.
const HARMLESS: [&str; 4] = [
    "a fleet that is well",
    "nothing built here to compare with",
    "no fleet.toml",
    "a rollout under way",
];

#[test]
fn every_finding_says_what_to_do() {
    let mut told = Vec::new();
    for (name, spoil) in CASES {
        let mut facts = good();
        spoil(&mut facts);
        let findings = examine(&facts);
        told.push(format!("# {name}"));
        let is_first = *name == CASES[0].0;
        for finding in &findings {
            // Of the others only what is new.
            if is_first || was(&finding.what) != finding.text {
                told.push(line(finding));
            }
            let is_good = finding.state == State::Good;
            let has_hint = finding.hint.is_some();
            assert_ne!(is_good, has_hint, "{name}: {}", finding.what);
        }
        let is_well = findings.iter().all(|it| it.state == State::Good);
        assert_eq!(is_well, HARMLESS.contains(name), "{name}");
    }
    told.push(String::new());
    expect_file!["../../../../tests/golden/doctor.txt"].assert_eq(&told.join("\n"));
}

/// A finding as people see it, without colour.
fn line(finding: &Finding) -> String {
    let mark = match finding.state {
        State::Good => "ok",
        State::Warning => "look",
        State::Bad => "BAD",
    };
    let text = format!("{mark:<5} {:<12} {}", finding.what, finding.text);
    match &finding.hint {
        None => text,
        Some(hint) => format!("{text}\n{:19}{hint}", ""),
    }
}

/// What a fleet that is well is told there.
fn was(what: &str) -> String {
    let findings = examine(&good());
    let found = findings.into_iter().find(|it| it.what == what);
    found.expect("every finding is always there").text
}
