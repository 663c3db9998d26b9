//! The autoscaling laboratory: its runs repeat, lose nothing, and say what is promised of our
//! policy. `cargo xtask lab` runs all traces and seeds; here is a share of them.

use hatchery_sim::lab::{Figures, Policy, Trace, markdown, measure, picture, seeds, traces};

fn all() -> Vec<Trace> {
    traces().expect("the files are traces")
}

/// The traces of a few hours at most.
fn short() -> Vec<Trace> {
    let mut traces = all();
    traces.retain(|trace| trace.duration_s <= 10_000);
    traces
}

fn of(figures: &[Figures], policy: Policy) -> &Figures {
    let same = |row: &&Figures| row.policy == policy.name();
    figures.iter().find(same).expect("it was measured")
}

#[test]
fn the_files_hold_what_was_asked_for() {
    let names: Vec<String> = all().into_iter().map(|trace| trace.name).collect();
    for kind in [
        "steady",
        "step",
        "ramp",
        "sine",
        "spike",
        "on-off",
        "day",
        "week",
        "heavy-tail",
        "follow",
    ] {
        assert!(names.iter().any(|name| name.starts_with(kind)), "{kind}");
    }
    let seeds = seeds().expect("the file holds seeds");
    assert!(!seeds.tuning.is_empty() && !seeds.judged.is_empty());
    for seed in &seeds.judged {
        assert!(!seeds.tuning.contains(seed), "{seed} tunes and judges");
    }
}

#[test]
fn a_file_that_is_no_trace_is_refused() {
    let good = include_str!("../../traces/step.toml");
    assert!(Trace::read("step", good).is_ok());
    let changed = [
        (good.replace("about", "aboot"), "unknown field"),
        (
            good.replace("target = 6", "target = 0"),
            "the target is zero",
        ),
        (good.replace("[1201,", "[1100,"), "not in order"),
        (good.replace("min = 1", "min = 90"), "not in order"),
        ("[load".to_owned(), "step"),
    ];
    for (text, expected) in changed {
        let error = Trace::read("step", &text).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_others() {
    let trace = &short()[1];
    let line = |seed| {
        let figures = measure(trace, seed, &[Policy::Ours, Policy::Hpa]);
        serde_json::to_string(&figures).expect("figures are JSON")
    };
    assert_eq!(line(5), line(5));
    assert_ne!(line(5), line(6));
    assert_eq!(
        picture(trace, 5, Policy::Hpa),
        picture(trace, 5, Policy::Hpa)
    );
}

#[test]
fn no_job_is_lost_and_the_oracle_is_never_later() {
    for trace in short() {
        let figures = measure(&trace, 7_001, &Policy::ALL);
        for row in &figures {
            assert_eq!(row.lost, 0, "{row:?}");
            assert!(row.jobs > 10_000 || trace.load.clients.is_some(), "{row:?}");
        }
        let oracle = of(&figures, Policy::Oracle);
        for policy in Policy::ALL {
            let other = of(&figures, policy);
            let later = policy == Policy::AlwaysMax || oracle.late <= other.late;
            assert!(later, "{oracle:?} {other:?}");
        }
        let (least, most) = (
            of(&figures, Policy::AlwaysMin),
            of(&figures, Policy::AlwaysMax),
        );
        for row in &figures {
            let within = least.worker_seconds..=most.worker_seconds;
            assert!(within.contains(&row.worker_seconds), "{row:?}");
        }
    }
}

/// The figures of all traces and judged seeds, as `cargo xtask lab --write` left them.
fn judged() -> Vec<Figures> {
    let lines = include_str!("../../traces/judged.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a line is a row of figures"))
        .collect()
}

/// What is promised of our policy beside the autoscaler of Kubernetes, trace by trace.
fn keeps_the_promise(ours: &Figures, hpa: &Figures) {
    assert_eq!(ours.lost, 0, "{ours:?}");
    assert!(ours.late <= hpa.late, "late: {ours:?} {hpa:?}");
    let cost = ours.worker_seconds as f64 / hpa.worker_seconds as f64;
    assert!(cost <= 1.05, "cost {cost}: {ours:?} {hpa:?}");
    assert!(ours.reversals_in_a_window <= 1, "flaps: {ours:?}");
}

#[test]
fn judged_figures_keep_every_promise() {
    let figures = judged();
    let mut totals: Option<(Figures, Figures)> = None;
    for trace in all() {
        let mut rows = figures.clone();
        rows.retain(|row| row.trace == trace.name);
        assert_eq!(
            rows.len(),
            Policy::ALL.len(),
            "{}: not measured",
            trace.name
        );
        let (ours, hpa) = (of(&rows, Policy::Ours), of(&rows, Policy::Hpa));
        keeps_the_promise(ours, hpa);
        match &mut totals {
            None => totals = Some((ours.clone(), hpa.clone())),
            Some((sum, of_hpa)) => {
                sum.add(ours);
                of_hpa.add(hpa);
            }
        }
    }
    let (ours, hpa) = totals.expect("there are traces");
    assert!(
        ours.late * 10 <= hpa.late * 9 || ours.worker_seconds * 10 <= hpa.worker_seconds * 9,
        "all together: {ours:?} {hpa:?}"
    );
}

/// A share of the judged runs, made again: what is committed is what the code does, but for small
/// drift; `cargo xtask lab --write` brings it up to date.
#[test]
fn s11_judged_runs_repeat_and_do_not_flap() {
    let committed = judged();
    let seeds = seeds().expect("the file holds seeds").judged;
    let share = [
        "steady",
        "step",
        "on-off-half",
        "on-off-equal",
        "slow-start",
    ];
    for trace in all() {
        if !share.contains(&trace.name.as_str()) {
            continue;
        }
        let mut sums = Vec::new();
        for seed in &seeds {
            let rows = measure(&trace, *seed, &[Policy::Ours, Policy::Hpa]);
            if sums.is_empty() {
                sums = rows;
            } else {
                let pairs = sums.iter_mut().zip(&rows);
                pairs.for_each(|(sum, row): (&mut Figures, &Figures)| sum.add(row));
            }
        }
        keeps_the_promise(&sums[0], &sums[1]);
        for row in &sums {
            let same = |it: &&Figures| it.trace == row.trace && it.policy == row.policy;
            let then = committed.iter().find(same).expect("it was measured");
            let drift = row.worker_seconds as f64 / then.worker_seconds as f64;
            assert!((0.97..1.03).contains(&drift), "{row:?} was {then:?}");
            let off = row.late.abs_diff(then.late);
            assert!(off <= 50 + then.late / 10, "{row:?} was {then:?}");
        }
    }
}

#[test]
fn the_book_shows_the_judged_figures() {
    let page = include_str!("../../../../docs/src/guides/choosing-a-policy.md");
    assert!(
        page.contains(&markdown(&judged())),
        "run `cargo xtask lab --write`"
    );
}
