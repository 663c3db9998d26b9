//! What the book says to type, beyond the tutorial: every line that starts our program is run against
//! a fleet that lives, in the order of its page.
//!
//! Owns what stands for the reader's own files, canisters and networks; the words are the book's.

use crate::operate::foreign;
use crate::stage::Stage;
use crate::tutorial::blocks;
use std::path::{Path, PathBuf};

/// Followed word for word elsewhere.
const TUTORIAL: &str = "tutorial.md";
/// A recording that a reader might have.
const SIGNALS: &str = "at_s,workers,depth\n0,2,10\n600,2,60\n3600,10,10\n";
/// What it is replayed through.
const SIGNAL: &str = "\n[pools.workers.signals.depth]\ntarget = 10\n";

/// Every page with the lines of it that start our program, the pages by name.
fn pages() -> Vec<(PathBuf, Vec<String>)> {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    let mut found = Vec::new();
    let mut folders = vec![book];
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            folders.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        if path.extension().is_none_or(|it| it != "md") || path.ends_with(TUTORIAL) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a page");
        let ours: Vec<String> = blocks(&text)
            .into_iter()
            .filter(|(kind, _)| *kind == "sh")
            .flat_map(|(_, block)| block.lines())
            .filter_map(|line| line.trim().strip_prefix("hatchery "))
            // A comment of the shell is for the reader.
            .map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned())
            .collect();
        if !ours.is_empty() {
            found.push((path, ours));
        }
    }
    found.sort();
    found
}

/// The line as it can be typed here.
fn here(stage: &Stage, line: &str) -> String {
    let words = line.split(' ').map(|word| match word {
        // No network but this one is there.
        "ic" => stage.network().url(),
        "ID" | "ID1" | "ID2" => foreign(stage).to_text(),
        word => word.to_owned(),
    });
    // Nobody is there to say stop.
    let words = words.filter(|word| word != "--follow");
    // Nor yes.
    let line = words.collect::<Vec<_>>().join(" ") + " --yes";
    match line.as_str() {
        // A page of its own, in a folder of its own.
        "init --yes" => {
            let files = stage.folder().read_dir().expect("a folder").count();
            format!("init -C page-{files}")
        }
        // Nobody looks; and the pool follows its load.
        demo if demo.starts_with("demo ") => {
            let demo = demo.replace("fleet.toml", "new.toml");
            format!("{demo} --fast --svg demo.svg")
        }
        _ => line,
    }
}

#[test]
fn what_the_book_says_to_type_works() {
    let mut stage = Stage::deployed("book");
    stage.keep_identity_in_icps_store("keeper");
    let folder = stage.folder().to_owned();
    let fleet = std::fs::read_to_string(folder.join("fleet.toml")).expect("init wrote it");
    std::fs::write(folder.join("new.toml"), fleet + SIGNAL).expect("a file");
    std::fs::write(folder.join("signals.csv"), SIGNALS).expect("a file");
    let mut typed = 0;
    for (page, lines) in pages() {
        for line in lines {
            // The page tells it to those whose root lost its memory.
            if line.starts_with("recover --from") {
                stage.quietly("deploy --reinstall shop --no-wait");
            }
            let (code, out, err) = stage.output(&here(&stage, &line));
            assert_eq!(code, 0, "{}: hatchery {line}\n{out}{err}", page.display());
            stage.rest();
            typed += 1;
        }
    }
    assert!(typed > 15, "{typed} lines");
}
