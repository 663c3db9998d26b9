//! What can be typed is what the book, root's interface and the help say, and every verb is seen at
//! work in a script.

use super::{Arguments, Verb};
use clap::{CommandFactory, Parser};
use std::path::{Path, PathBuf};

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

/// Every line of a `sh` block that starts our program, and every command of the runbook, with its
/// page.
fn lines_of_the_book() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut paths = vec![root.join("docs/src"), root.join("README.md")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            paths.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a page");
        let blocks = text.split("```sh\n").skip(1);
        let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or("").lines());
        let ours = lines.filter(|line| line.starts_with("hatchery "));
        // A comment of the shell is for the reader.
        let ours = ours.map(|line| line.split(" #").next().unwrap_or(line));
        found.extend(ours.map(|line| (path.clone(), line.to_owned())));
        // The runbook's are in its sentences.
        if path.ends_with("runbook.md") {
            let quoted = text.split('`').skip(1).step_by(2);
            let ours = quoted.filter(|line| line.starts_with("hatchery "));
            found.extend(ours.map(|line| (path.clone(), line.to_owned())));
        }
    }
    found
}

#[test]
fn what_the_book_says_to_type_can_be_typed() {
    let lines = lines_of_the_book();
    assert!(!lines.is_empty(), "the book shows no command");
    for (page, line) in lines {
        let parsed = Arguments::try_parse_from(line.split_whitespace());
        if let Err(error) = parsed {
            panic!("{}: `{line}`: {error}", page.display());
        }
    }
}

/// Every method of root, and a command that calls it.
const REACHED_BY: [(&str, &str); 29] = [
    ("apply_spec", "apply"),
    ("stage_chunk", "modules stage worker.wasm"),
    ("commit_module", "modules stage worker.wasm"),
    ("command", "pool create"),
    // Of members; an operator hears that it is none.
    ("report", "call report (record{})"),
    ("protect", "call protect (record{})"),
    ("request", "call request (record{})"),
    ("report_pool", "workers report workers --total backlog=3"),
    ("lease", "lease take workers 2"),
    ("renew", "lease renew workers aaaaa-aa --ttl 1h"),
    ("release", "lease release workers aaaaa-aa"),
    ("status", "status"),
    ("canisters", "canisters"),
    ("pool_status", "pool status"),
    ("pool_list", "pool list --phase failed"),
    ("workers", "workers list"),
    ("plan", "workers plan workers"),
    ("events", "events --follow"),
    ("effects", "effects"),
    ("export", "export -o fleet.json"),
    ("spec", "spec"),
    ("violations", "doctor"),
    ("create_worker", "workers create workers"),
    ("plan_create_worker", "workers create workers --dry-run"),
    ("why", "why workers"),
    ("decisions", "replay workers"),
    ("replay", "replay workers 3"),
    ("metrics", "metrics --json"),
    ("http_request", "metrics"),
];

#[test]
fn every_method_of_root_is_reached_by_a_command() {
    let did = candid_parser::utils::CandidSource::Text(hatchery_api::ROOT_DID);
    let (env, service) = did.load().expect("root.did can be read");
    let service = service.expect("root.did has a service");
    let methods = env.as_service(&service).expect("root.did has a service");
    let mut methods: Vec<&str> = methods.iter().map(|(name, _)| name.as_str()).collect();
    let mut reached = REACHED_BY.map(|(method, _)| method).to_vec();
    methods.sort_unstable();
    reached.sort_unstable();
    assert_eq!(methods, reached);
    for (method, line) in REACHED_BY {
        let words = ["hatchery"].into_iter().chain(line.split_whitespace());
        let parsed = Arguments::try_parse_from(words);
        let verb = parsed
            .unwrap_or_else(|error| panic!("{method}: {error}"))
            .verb;
        assert!(matches!(verb, Verb::Fleet(_)), "{method}: {line}");
    }
}

/// The help of a command and of all below it.
fn help(command: &mut clap::Command, path: &str, into: &mut Vec<String>) {
    into.push(format!("$ {path} --help\n{}\n", command.render_long_help()));
    for verb in command.get_subcommands_mut() {
        let name = verb.get_name().to_owned();
        // What is for every command is told once.
        let own = verb.clone().mut_args(|arg| {
            let is_global = arg.is_global_set();
            arg.hide(is_global)
        });
        if name != "help" {
            help(
                &mut own.clone().disable_help_subcommand(true),
                &format!("{path} {name}"),
                into,
            );
        }
    }
}

#[test]
fn the_help_is_as_it_was() {
    let mut text = Vec::new();
    let mut command = Arguments::command().term_width(100);
    command.build();
    help(&mut command, "hatchery", &mut text);
    let text = text.concat();
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    expect_test::expect_file!["../../tests/golden/help.txt"].assert_eq(&(text.join("\n") + "\n"));
}

/// What scripts typed and saw, and the tutorial, which is one.
const SCRIPTS: [&str; 8] = [
    include_str!("../../tests/golden/look.txt"),
    include_str!("../../tests/golden/change.txt"),
    include_str!("../../tests/golden/deploy.txt"),
    include_str!("../../tests/golden/root.txt"),
    include_str!("../../tests/golden/refuse.txt"),
    include_str!("../../tests/golden/every.txt"),
    include_str!("../../tests/golden/demo.txt"),
    include_str!("../../../../docs/src/guides/tutorial.md"),
];
/// The shapes of answers as JSON.
const SHAPES: [&str; 2] = [
    include_str!("../../tests/golden/json.txt"),
    include_str!("../../tests/golden/json-of-changes.txt"),
];
/// Verbs without an answer of their own: a view for a terminal, whose pictures are in
/// `live/view/tests.rs`; a script for a shell, which `operate.rs` looks into; and a network that runs
/// until it is ended, whose answer is that of `status`.
const NO_TRANSCRIPT: [&str; 2] = ["top", "completions"];
const NO_JSON: [&str; 3] = ["top", "completions", "up"];

/// Every verb that can be typed, without those that are only the beginning of others.
fn verbs(command: &clap::Command, path: &str, into: &mut Vec<String>) {
    for verb in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
    {
        let path = format!("{path} {}", verb.get_name());
        if verb.get_subcommands().next().is_none() {
            into.push(path.trim_start().to_owned());
        }
        verbs(verb, &path, into);
    }
}

/// Lines that were typed, and whether they went well: a refusal ends with its exit code.
fn typed() -> Vec<(&'static str, bool)> {
    let mut found = Vec::new();
    for script in SCRIPTS {
        let mut last: Option<(&str, bool)> = None;
        for line in script.lines() {
            let prompt = line.strip_prefix("$ hatchery ");
            if let Some(line) = prompt.or_else(|| line.strip_prefix("hatchery ")) {
                found.extend(last.replace((line, true)));
            } else if line.starts_with("[exit ") {
                last = last.map(|(line, _)| (line, false));
            }
        }
        found.extend(last);
    }
    found
}

#[test]
fn no_verb_is_left_out_of_the_scripts() {
    let mut all = Vec::new();
    verbs(&Arguments::command(), "", &mut all);
    assert!(all.len() > 40, "{all:?}");
    let is_of = |line: &str, verb: &str| {
        let rest = line.strip_prefix(verb);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':']))
    };
    let (typed, mut missing) = (typed(), Vec::new());
    for verb in &all {
        let seen = |well| {
            typed
                .iter()
                .any(|(line, it)| *it == well && is_of(line, verb))
        };
        let mut lines = SHAPES.iter().flat_map(|text| text.lines());
        let has_shape = lines.any(|line| is_of(line, verb));
        for (what, is_there, excepted) in [
            ("transcript", seen(true), &NO_TRANSCRIPT[..]),
            ("refusal", seen(false), &[]),
            ("shape as JSON", has_shape, &NO_JSON),
        ] {
            if is_there == excepted.contains(&verb.as_str()) {
                missing.push(format!("{verb}: {what}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
