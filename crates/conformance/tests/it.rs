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

/// Sections of the table, and that each has rows.
const SECTIONS: [&str; 9] = ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "9"];

/// The table of what is covered names cases and tests that exist, in every row, or says why none.
#[test]
fn the_table_of_coverage_is_true() {
    let table = include_str!("../COVERAGE.md");
    let cases = all();
    let mut wrong = Vec::new();
    let mut rows: Vec<(&str, usize)> = Vec::new();
    for line in table.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            rows.push((title.split(' ').next().unwrap_or_default(), 0));
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [row, pinned] = cells[..] else { continue };
        if pinned.trim() == "pinned by" {
            continue;
        }
        rows.last_mut().expect("a section").1 += 1;
        let names: Vec<&str> = pinned.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !pinned.trim().starts_with('–') {
            wrong.push(format!("nothing pins: {row}"));
        }
        let missing = names
            .into_iter()
            .filter(|name| match name.strip_prefix("engine:") {
                Some(test) => !engine_tests(test),
                None => !cases.iter().any(|case| case.name == *name),
            });
        wrong.extend(missing.map(|name| format!("there is no {name}: {row}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let found: Vec<&str> = rows.iter().map(|(section, _)| *section).collect();
    assert_eq!(found, SECTIONS);
    assert!(rows.iter().all(|(_, rows)| *rows >= 5), "{rows:?}");
}

/// Whether the engine has tests of this path, `folder::file`.
fn engine_tests(path: &str) -> bool {
    let file = path.replace("::", "/") + ".rs";
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../engine/tests");
    std::fs::read_to_string(folder.join(file)).is_ok_and(|text| text.contains("#[test]"))
}
