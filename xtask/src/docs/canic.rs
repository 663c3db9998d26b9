//! *Coming from Canic*: a table made from `docs/coming-from-canic.toml`, each row of which names
//! the test that shows it.

use super::{Generated, read};
use anyhow::Context;
use serde::Deserialize;
use std::fmt::Write;
use std::path::Path;

const DATA: &str = "docs/coming-from-canic.toml";
const PAGE: &str = "docs/src/coming-from-canic.md";

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    /// Text above the tables.
    preface: String,
    /// The tables, in order.
    section: Vec<Section>,
    /// What Canic has and Hatchery does not, yet.
    #[serde(default)]
    missing: Vec<Missing>,
}

/// One table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    /// Text between the title and the table.
    #[serde(default)]
    text: String,
    row: Vec<Row>,
}

/// One thing of Canic's, ours, and where it is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    canic: String,
    ours: String,
    /// `path/of/file.rs::name_of_test`.
    test: String,
    /// What is different, if anything.
    #[serde(default)]
    difference: String,
}

/// Something that is not there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Missing {
    canic: String,
    instead: String,
}

/// The page.
pub(super) fn page(root: &Path) -> anyhow::Result<Generated> {
    let data = data(root)?;
    let mut text = format!(
        "<!-- Made from ../coming-from-canic.toml by `cargo xtask docs --write`. -->\n\
         # Coming from Canic\n\n{}\n",
        data.preface.trim()
    );
    for section in &data.section {
        write!(text, "\n## {}\n\n", section.title)?;
        if !section.text.is_empty() {
            write!(text, "{}\n\n", section.text.trim())?;
        }
        text.push_str("| Canic | Hatchery | different | shown by |\n|---|---|---|---|\n");
        for row in &section.row {
            let (path, test) = split(&row.test);
            let file = path.rsplit('/').next().unwrap_or(path);
            writeln!(
                text,
                "| {} | {} | {} | [`{test}`](../../{path}) in {file} |",
                row.canic, row.ours, row.difference
            )?;
        }
    }
    text.push_str("\n## Not there yet\n\n");
    if data.missing.is_empty() {
        text.push_str("Nothing.\n");
    } else {
        text.push_str("| Canic | meanwhile |\n|---|---|\n");
        for missing in &data.missing {
            writeln!(text, "| {} | {} |", missing.canic, missing.instead)?;
        }
    }
    Ok(Generated { path: PAGE, text })
}

/// Rows that claim a test that is not there.
pub(super) fn faults(root: &Path) -> anyhow::Result<Vec<String>> {
    let data = data(root)?;
    let rows = data.section.iter().flat_map(|section| &section.row);
    Ok(rows
        .filter(|row| !is_shown(root, &row.test))
        .map(|row| format!("{DATA}: `{}`: no test `{}`", row.canic, row.test))
        .collect())
}

fn data(root: &Path) -> anyhow::Result<Comparison> {
    toml_edit::de::from_str(&read(root, DATA)?).context(DATA)
}

fn split(test: &str) -> (&str, &str) {
    test.split_once("::").unwrap_or((test, ""))
}

/// The file has a test of that name, and it is a test.
fn is_shown(root: &Path, test: &str) -> bool {
    let (path, name) = split(test);
    let Ok(text) = read(root, path) else {
        return false;
    };
    has_test(&text, name)
}

fn has_test(text: &str, name: &str) -> bool {
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if let Some(function) = line.strip_prefix("fn ") {
            let this = function.strip_prefix(name);
            if marked && this.is_some_and(|rest| rest.starts_with('(')) {
                return true;
            }
            marked = false;
        }
        marked |= line == "#[test]";
    }
    false
}

#[cfg(test)]
mod tests {
    use super::has_test;

    #[test]
    fn only_a_test_shows_anything() {
        let text = "fn helper() {}\n#[test]\nfn it_holds() {\n}\nfn it() {}";
        assert!(has_test(text, "it_holds"));
        for name in ["helper", "it", "it_hold", "it_holds_not", ""] {
            assert!(!has_test(text, name), "{name}");
        }
    }
}
