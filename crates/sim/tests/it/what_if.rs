//! Recorded signals through another spec: the same twice, cheaper when told to be, and refused when
//! there is nothing to replay.

use hatchery_sim::what_if::{Recording, RecordingError, what_if};
use hatchery_types::{PoolSpec, Scope, SignalSpec};

const CSV: &str = "at_s,workers,depth\n0,2,10\n600,2,60\n1200,10,60\n4200,10,10\n7200,2,10\n";

fn spec(target: u64) -> PoolSpec {
    PoolSpec {
        signals: vec![SignalSpec::new("depth", target)],
        ..PoolSpec::new("workers", "worker", 1, 30)
    }
}

fn recording() -> Recording {
    let mut recording = Recording::read(CSV).expect("it is a recording");
    recording.carries.insert("depth".to_owned(), 6);
    recording
}

#[test]
fn a_lower_target_pays_more_and_misses_less() {
    let sides = [3, 6, 12].map(|target| {
        let outcome = what_if(&recording(), &spec(target)).expect("it can be replayed");
        let again = what_if(&recording(), &spec(target)).expect("it can be replayed");
        assert_eq!(outcome, again);
        assert_eq!(outcome.seconds, 7_200);
        outcome.replayed
    });
    for two in sides.windows(2) {
        assert!(two[0].worker_hours > two[1].worker_hours, "{sides:?}");
        assert!(
            two[0].late_worker_hours < two[1].late_worker_hours,
            "{sides:?}"
        );
        assert!(two[0].cycles > two[1].cycles, "{sides:?}");
        assert!(two[0].workers_max > two[1].workers_max, "{sides:?}");
    }
}

#[test]
fn the_recorded_side_is_counted_by_hand() {
    let outcome = what_if(&recording(), &spec(6)).expect("it can be replayed");
    let recorded = outcome.recorded.expect("workers were recorded");
    // 2 workers for 20 min, 10 for 100 min; for 10 min the load wanted 8 more than there were.
    assert!((recorded.worker_hours - 17.333).abs() < 1e-9);
    assert!((recorded.late_worker_hours - 1.333).abs() < 1e-9);
    assert_eq!((recorded.workers_max, recorded.changes), (10, 2));
    assert!(outcome.replayed.late_worker_hours < 0.1, "{outcome:?}");
}

#[test]
fn a_total_is_followed_as_well() {
    let mut pool = spec(6);
    pool.signals[0].scope = Scope::Pool;
    let outcome = what_if(&recording(), &pool).expect("it can be replayed");
    assert_eq!(outcome.replayed.workers_max, 10);
}

#[test]
fn the_end_alone_is_kept() {
    let mut recording = recording();
    recording.keep_last(3_000);
    let times: Vec<u64> = recording.points.iter().map(|point| point.at_s).collect();
    assert_eq!(times, [4_200, 7_200]);
}

#[test]
fn json_and_csv_say_the_same() {
    let json = r#"{"points": [
        {"at_s": 0, "workers": 2, "signals": {"depth": 10}},
        {"at_s": 60, "workers": null, "signals": {}}
    ]}"#;
    let csv = "at_s, workers, depth\n0, 2, 10\n\n60, ,\n";
    assert_eq!(Recording::read(json), Recording::read(csv));
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let read = |text: &str| {
        Recording::read(text)
            .map(|_| ())
            .map_err(|it| it.to_string())
    };
    let rows = [
        ("", "line 1: the columns are at_s, workers and signals"),
        (
            "at_s,workers\n",
            "line 1: the columns are at_s, workers and signals",
        ),
        ("at_s,workers,depth\n0,1\n", "line 2: 2 cells, not 3"),
        ("at_s,workers,depth\n0,x,1\n", "line 2: `x` is not a number"),
        ("at_s,workers,depth\n,1,1\n", "line 2: no time"),
        (
            "at_s,workers,depth\n5,1,1\n5,1,1\n",
            "point 2 is not later than the one before it",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), Err(expected.to_owned()));
    }
    assert!(read("{\n\"points\": 3}").is_err_and(|error| error.starts_with("line 2:")));
    let mut short = recording();
    short.points.truncate(1);
    assert_eq!(what_if(&short, &spec(6)), Err(RecordingError::TooShort));
    let mut other = spec(6);
    other.signals[0].name = "memory".to_owned();
    let error = what_if(&recording(), &other).expect_err("no such signal");
    assert_eq!(
        error.to_string(),
        "it has none of the pool's signals: memory"
    );
}
