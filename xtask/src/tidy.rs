//! Rules of the house that no compiler knows: which crate may use which, and how long a file gets.

use crate::program::cargo;
use anyhow::{Context, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Each of our packages and those of ours it may use. An arrow that is not here is forbidden.
const ARROWS: &[(&str, &[&str])] = &[
    ("hatchery-derive", &[]),
    ("hatchery-types", &["hatchery-derive"]),
    ("hatchery-core", &["hatchery-types"]),
    ("hatchery-api", &["hatchery-types"]),
    (
        "hatchery",
        &["hatchery-core", "hatchery-api", "hatchery-types"],
    ),
    ("hatchery-engine", &[]),
    (
        "hatchery-bench",
        &[
            "hatchery-core",
            "hatchery-api",
            "hatchery-types",
            "hatchery-engine",
            "hatchery-network",
            "hatchery-sim",
        ],
    ),
    (
        "hatchery-sim",
        &[
            "hatchery-core",
            "hatchery-api",
            "hatchery-types",
            "hatchery-engine",
        ],
    ),
    (
        "hatchery-cli",
        &[
            "hatchery-api",
            "hatchery-types",
            "hatchery-engine",
            "hatchery-network",
            "hatchery-sim",
        ],
    ),
    ("hatchery-conformance", &["hatchery-engine"]),
    ("hatchery-network", &["hatchery-engine"]),
    (
        "hatchery-peers",
        &[
            "hatchery-types",
            "hatchery-engine",
            "hatchery-network",
            "hatchery-sim",
        ],
    ),
    ("hatchery-root", &["hatchery"]),
    ("hatchery-own-root", &["hatchery"]),
    ("hatchery-hub", &["hatchery"]),
    ("hatchery-desk", &["hatchery"]),
    ("hatchery-worker", &["hatchery"]),
    ("xtask", &[]),
];

/// Longest source file in lines; the house cuts at 500, this is where it stops being a matter of
/// taste.
const LINES_MAX: usize = 800;

/// Every broken rule in one error.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut broken = broken_arrows(&packages(root)?);
    broken.extend(long_files(root)?);
    if broken.is_empty() {
        return Ok(());
    }
    bail!("tidy:\n  {}", broken.join("\n  "))
}

fn packages(root: &Path) -> anyhow::Result<Vec<Value>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    let output = cargo(root, &arguments)
        .output()
        .context("cargo could not be started")?;
    let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => bail!("cargo lists no packages"),
    }
}

fn broken_arrows(packages: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            broken.push(format!("package `{name}` has no row in xtask/src/tidy.rs"));
            continue;
        };
        let used = package["dependencies"].as_array().into_iter().flatten();
        for dependency in used.filter_map(|dependency| dependency["name"].as_str()) {
            let ours = ARROWS.iter().any(|(name, _)| *name == dependency);
            if ours && !allowed.contains(&dependency) {
                broken.push(format!("`{name}` must not use `{dependency}`"));
            }
        }
    }
    broken
}

fn long_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut long = Vec::new();
    let mut folders: Vec<PathBuf> = ["crates", "canisters", "examples", "xtask"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = std::fs::read_to_string(&path)?.lines().count();
                if lines > LINES_MAX {
                    let path = path.strip_prefix(root).unwrap_or(&path).display();
                    long.push(format!(
                        "{path} has {lines} lines: is there a noun to cut along?"
                    ));
                }
            }
        }
    }
    long.sort();
    Ok(long)
}

#[cfg(test)]
mod tests {
    use super::broken_arrows;
    use serde_json::json;

    #[test]
    fn a_forbidden_arrow_is_named() {
        let packages = [
            json!({"name": "hatchery-core", "dependencies": [{"name": "hatchery-types"}, {"name": "sha2"}]}),
            json!({"name": "hatchery-cli", "dependencies": [{"name": "hatchery-core"}]}),
            json!({"name": "newcomer", "dependencies": []}),
        ];
        let broken = broken_arrows(&packages);
        assert_eq!(
            broken,
            [
                "`hatchery-cli` must not use `hatchery-core`",
                "package `newcomer` has no row in xtask/src/tidy.rs"
            ]
        );
    }
}
