//! The whole suite on the engine: every case passes, and every case fails when what it looks at is
//! falsified.

use std::path::PathBuf;

use hatchery_conformance::{Case, EngineBackend, MakeBackend, Verdict, all};
use hatchery_engine::Config;

/// Cases the engine does not meet yet, with what is missing. A case that is met must leave the list.
const AWAITED: &[(&str, &str)] = &[
    ("atomicity/trap_discards_certified_data", NO_CERTIFICATES),
    ("install/upgrade_keeps_certified_data", NO_CERTIFICATES),
    ("api/certificate_comes_with_queries_only", NO_CERTIFICATES),
    ("api/certificate_holds_the_data", NO_CERTIFICATES),
    (
        "settings/allocation_that_would_freeze_is_refused",
        "update_settings does not weigh the new idle burn against the balance",
    ),
];
const NO_CERTIFICATES: &str = "queries come without a data certificate";

/// Runs `judge` with a maker of fresh worlds that share compiled modules.
fn with_worlds<T>(judge: impl FnOnce(&mut MakeBackend<'_>) -> T) -> T {
    let config = Config {
        cache_dir: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance-modules")),
        ..Config::default()
    };
    judge(&mut move || Ok(Box::new(EngineBackend::new(config.clone()))))
}

fn is_awaited(case: &Case) -> bool {
    AWAITED.iter().any(|(name, _)| *name == case.name)
}

#[test]
fn all_cases_pass_on_the_engine() {
    let wrong: Vec<String> = with_worlds(|make| {
        let judged = all().into_iter().map(|case| (case.run(make), case));
        judged
            .filter(|(verdict, case)| (*verdict == Verdict::Passed) == is_awaited(case))
            .map(|(verdict, case)| format!("{}: {verdict:?}", case.name))
            .collect()
    });
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn every_case_fails_when_planted() {
    let blind: Vec<String> = with_worlds(|make| {
        let judged = all()
            .into_iter()
            .filter(|case| !is_awaited(case))
            .map(|case| (case.run_planted(make), case));
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
