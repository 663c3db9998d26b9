//! The whole suite on the engine: every case passes, and every case fails when what it looks at is
//! falsified.

use std::path::PathBuf;

use hatchery_conformance::{EngineBackend, MakeBackend, Verdict, all};
use hatchery_engine::Config;

/// Runs `judge` with a maker of fresh worlds that share compiled modules.
fn with_worlds<T>(judge: impl FnOnce(&mut MakeBackend<'_>) -> T) -> T {
    let config = Config {
        cache_dir: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance-modules")),
        ..Config::default()
    };
    judge(&mut move || Ok(Box::new(EngineBackend::new(config.clone()))))
}

#[test]
fn all_cases_pass_on_the_engine() {
    let wrong: Vec<String> = with_worlds(|make| {
        let judged = all().into_iter().map(|case| (case.run(make), case));
        judged
            .filter(|(verdict, _)| *verdict != Verdict::Passed)
            .map(|(verdict, case)| format!("{}: {verdict:?}", case.name))
            .collect()
    });
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn every_case_fails_when_planted() {
    let blind: Vec<String> = with_worlds(|make| {
        let judged = all().into_iter().map(|case| (case.run_planted(make), case));
        judged
            .filter(|(verdict, _)| !matches!(verdict, Verdict::Failed(_)))
            .map(|(verdict, case)| format!("{}: {verdict:?}", case.name))
            .collect()
    });
    assert!(blind.is_empty(), "cannot fail:\n{}", blind.join("\n"));
}

#[test]
fn cases_are_many_named_once_and_cited() {
    let cases = all();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "two cases share a name");
    assert!(cases.iter().all(|case| !case.citation.is_empty()));
}
