//! Pages of the reference that are read off the code: what the code says of itself is said once.

use super::{Generated, read};
use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const REASONS: &str = "crates/types/src/reason.rs";
const LIMITS: &str = "crates/core/src/limits.rs";
const METRICS: &str = "crates/canister/src/root/http/metrics.rs";
const JSON: &str = "crates/cli/tests/golden/json.txt";
/// The same of commands that change something.
const JSON_OF_CHANGES: &str = "crates/cli/tests/golden/json-of-changes.txt";
const FLEET_TOML: &str = "crates/api/src/fleet_toml.rs";

/// Every reason: code, name, meaning.
pub(super) fn reasons(root: &Path) -> anyhow::Result<Generated> {
    let source = read(root, REASONS)?;
    let meanings = variants(&source);
    let mut rows = BTreeMap::new();
    for (variant, code, name) in facts(&source) {
        let meaning = meanings.get(variant).copied().unwrap_or_default();
        ensure!(!meaning.is_empty(), "{REASONS}: `{variant}` says nothing");
        rows.insert(code, (name, meaning));
    }
    ensure!(
        rows.len() == meanings.len(),
        "{REASONS}: {} variants, {} with code and name",
        meanings.len(),
        rows.len()
    );
    let mut text = "<!-- Made from crates/types/src/reason.rs by `cargo xtask docs --write`. -->\n\
                    # Reasons\n\n\
                    Every refusal, and everything left undone, carries one. Codes and names are \
                    stable: they are added, never reused.\n\n\
                    | code | name | meaning |\n|---:|---|---|\n"
        .to_owned();
    for (code, (name, meaning)) in rows {
        writeln!(text, "| {code} | `{name}` | {meaning} |")?;
    }
    Ok(Generated {
        path: "docs/src/reference/reasons.md",
        text,
    })
}

/// Variants of the enum with the first line of their documentation.
fn variants(source: &str) -> BTreeMap<&str, &str> {
    let body = source
        .split_once("pub enum Reason {")
        .and_then(|(_, rest)| rest.split_once("\n}\n"))
        .map_or("", |(body, _)| body);
    let mut variants = BTreeMap::new();
    let mut meaning = "";
    for line in body.lines().filter(|line| !line.starts_with("     ")) {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("/// ") {
            if meaning.is_empty() {
                meaning = text;
            }
        } else if line.starts_with(|it: char| it.is_ascii_uppercase()) {
            let end = line
                .find(|it: char| !it.is_ascii_alphanumeric())
                .unwrap_or(line.len());
            variants.insert(&line[..end], meaning);
            meaning = "";
        }
    }
    variants
}

/// Variant, code and name of each arm of `facts`.
fn facts(source: &str) -> Vec<(&str, u16, &str)> {
    let arms = source.lines().filter_map(|line| {
        let (pattern, facts) = line.trim().split_once(" => (")?;
        let variant = pattern.strip_prefix("Reason::")?;
        let end = variant
            .find(|it: char| !it.is_ascii_alphanumeric())
            .unwrap_or(variant.len());
        let (code, name) = facts.split_once(", ")?;
        let name = name.strip_prefix('"')?.split('"').next()?;
        Some((&variant[..end], code.parse().ok()?, name))
    });
    arms.collect()
}

/// Names of the reasons.
pub(super) fn reason_names(root: &Path) -> anyhow::Result<Vec<String>> {
    let source = read(root, REASONS)?;
    let names = facts(&source).into_iter().map(|(.., name)| name.to_owned());
    Ok(names.collect())
}

/// Every metric: name, type, help.
pub(super) fn metrics(root: &Path) -> anyhow::Result<Generated> {
    let source = read(root, METRICS)?;
    let mut text = format!(
        "<!-- Made from {METRICS} by `cargo xtask docs --write`. -->\n\
         # Metrics\n\n\
         `/metrics` of root speaks the text format of Prometheus. Every label has a bounded set of \
         values: phases, kinds of effect, lanes, [reasons](reasons.md), and the pools of the spec. \
         The figures come from one replica and are not certified.\n\n\
         | metric | type | meaning |\n|---|---|---|\n"
    );
    for (name, kind, help) in families(&source) {
        writeln!(
            text,
            "| `hatchery_{name}` | {} | {help} |",
            kind.to_lowercase()
        )?;
    }
    Ok(Generated {
        path: "docs/src/reference/metrics.md",
        text,
    })
}

/// Names of the metrics.
pub(super) fn metric_names(root: &Path) -> anyhow::Result<Vec<String>> {
    let source = read(root, METRICS)?;
    let names = families(&source).into_iter();
    Ok(names.map(|(name, ..)| format!("hatchery_{name}")).collect())
}

/// Name, type and help of each row of `FAMILIES`, however it is broken into lines.
fn families(source: &str) -> Vec<(&str, &str, &str)> {
    let list = source
        .split_once("FAMILIES: &[")
        .and_then(|(_, rest)| rest.split_once("\n];"))
        .map_or("", |(list, _)| list);
    // Texts stand between quotes, the type behind the first comma after a name.
    let parts: Vec<&str> = list.split('"').skip(1).collect();
    let rows = parts.chunks_exact(4).map(|row| {
        let kind = row[1].trim_matches(|it: char| !it.is_alphanumeric());
        (row[0], kind, row[2])
    });
    rows.collect()
}

/// Every constant that bounds something.
pub(super) fn limits(root: &Path) -> anyhow::Result<Generated> {
    let source = read(root, LIMITS)?;
    let mut text = "<!-- Made from crates/core/src/limits.rs by `cargo xtask docs --write`. -->\n\
                    # Limits\n\n\
                    Nothing is unbounded. These are compiled in; what an operator may set is in \
                    [`fleet.toml`](fleet-toml.md). Times are nanoseconds unless they say seconds.\
                    \n\n| limit | value | what it bounds |\n|---|---|---|\n"
        .to_owned();
    let mut meaning = String::new();
    for line in source.lines() {
        if let Some(words) = line.strip_prefix("/// ") {
            meaning.push_str(if meaning.is_empty() { "" } else { " " });
            meaning.push_str(words);
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let (name, rest) = constant.split_once(':').unwrap_or((constant, ""));
            let value = rest.split_once("= ").map_or("", |(_, value)| value);
            let value = value.trim_end_matches(';');
            writeln!(text, "| `{name}` | `{value}` | {meaning} |")?;
            meaning.clear();
        } else {
            meaning.clear();
        }
    }
    Ok(Generated {
        path: "docs/src/reference/limits.md",
        text,
    })
}

/// The file that the documentation of its reader shows, which a test of that reader reads.
pub(super) fn fleet_toml(root: &Path) -> anyhow::Result<Generated> {
    let example = documented_file(root)?;
    Ok(Generated {
        path: "docs/src/reference/fleet-toml.md",
        text: format!(
            "<!-- Made from {FLEET_TOML} by `cargo xtask docs --write`. -->\n\
             # `fleet.toml`\n\n\
             One file says what the fleet should be. Unknown fields are refused; every error names \
             line and column and gives a hint. Amounts of cycles are written with M, B or T, \
             shares with `%`, times with s, m or h. Editors find the same as a JSON schema in \
             [`fleet.schema.json`](fleet.schema.json), to which the first line of what `hatchery \
             init` writes points. A field whose comment names no default must be given, where its \
             section is.\n\n```toml\n{example}```\n"
        ),
    })
}

/// The shapes of what `--json` prints, as the commands' own test has them.
pub(super) fn json(root: &Path) -> anyhow::Result<Generated> {
    let shapes = read(root, JSON)? + &read(root, JSON_OF_CHANGES)?;
    let mut text = format!(
        "<!-- Made from {JSON} and {JSON_OF_CHANGES} by `cargo xtask docs --write`. -->\n\
         # Answers as JSON\n\n\
         Every command takes `--json` and then prints one value. A test runs the commands against a \
         live fleet and holds their answers against these shapes: names stay and are added to. \
         Amounts of cycles are texts, since they are larger than what JSON's numbers carry; times \
         are nanoseconds since 1970; `null` stands where a value may be missing, `[]` where the \
         test's fleet had none.\n"
    );
    for line in shapes.lines() {
        let (command, shape) = line
            .split_once(": ")
            .with_context(|| format!("{JSON}: `{line}`"))?;
        write!(text, "\n## {command}\n\n```text\n{shape}\n```\n")?;
    }
    Ok(Generated {
        path: "docs/src/reference/json.md",
        text,
    })
}

/// The whole file that the code's documentation shows.
pub(super) fn documented_file(root: &Path) -> anyhow::Result<String> {
    let source = read(root, FLEET_TOML)?;
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| *line != "```toml")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    ensure!(!lines.is_empty(), "{FLEET_TOML} shows no file");
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::{facts, families, variants};

    const SOURCE: &str = r#"
pub enum Reason {
    // A group.
    /// It was so.
    /// And more.
    #[n(0)]
    Plain,
    /// With a field.
    #[n(1)]
    Until {
        /// When.
        #[n(0)]
        until: Nanos,
    },
    /// With a value.
    #[n(2)]
    Said(#[n(0)] Refusal),
}

fn facts() {
    Reason::Plain => (0, "plain"),
    Reason::Until { .. } => (1, "until"),
    Reason::Said(..) => (2, "said"),
}
"#;

    #[test]
    fn variants_and_their_facts_are_found() {
        let variants: Vec<(&str, &str)> = variants(SOURCE).into_iter().collect();
        assert_eq!(
            variants,
            [
                ("Plain", "It was so."),
                ("Said", "With a value."),
                ("Until", "With a field.")
            ]
        );
        let facts = facts(SOURCE);
        assert_eq!(
            facts,
            [
                ("Plain", 0, "plain"),
                ("Until", 1, "until"),
                ("Said", 2, "said")
            ]
        );
    }

    #[test]
    fn metrics_are_found_on_one_line_or_on_four() {
        let source = "const FAMILIES: &[(&str, Kind, &str)] = &[\n    (\"a\", Gauge, \"One.\"),\n    (\n        \"b\",\n        Counter,\n        \"Two.\",\n    ),\n];\n\"c\"";
        assert_eq!(
            families(source),
            [("a", "Gauge", "One."), ("b", "Counter", "Two.")]
        );
    }
}
