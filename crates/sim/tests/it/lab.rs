//! The autoscaling laboratory: its runs repeat, lose nothing, and say what is promised of our
//! policy. `cargo xtask lab` runs all traces and seeds; here is a share of them.

use hatchery_sim::lab::{Figures, Policy, Trace, measure, picture, seeds, traces};

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
