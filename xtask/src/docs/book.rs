//! What must be true of every page: it is in the summary, its links lead somewhere, and the
//! commands it tells people to type exist.

use super::read;
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

const SOURCE: &str = "docs/src";

/// Every fault, each with its page and line.
pub(super) fn faults(root: &Path) -> anyhow::Result<Vec<String>> {
    let pages = pages(&root.join(SOURCE))?;
    let mut faults = missing_from_summary(&pages);
    for (path, text) in &pages {
        let name = path.display();
        for (line, target) in links(text) {
            if let Some(fault) = broken(root, &pages, path, &target) {
                faults.push(format!("{name}:{line}: {fault}"));
            }
        }
        for (line, command) in commands(text) {
            if let Some(fault) = unknown(&command) {
                faults.push(format!("{name}:{line}: {fault}"));
            }
        }
    }
    Ok(faults)
}

/// Text of each page by its path inside the book.
fn pages(source: &Path) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(source).unwrap_or(&path).to_owned();
                pages.insert(name, read(source, &path.to_string_lossy())?);
            }
        }
    }
    Ok(pages)
}

fn missing_from_summary(pages: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let summary = Path::new("SUMMARY.md");
    let listed: BTreeSet<PathBuf> = pages
        .get(summary)
        .map(|text| links(text).into_iter().map(|(_, target)| target.into()))
        .into_iter()
        .flatten()
        .collect();
    pages
        .keys()
        .filter(|path| *path != summary && !listed.contains(*path))
        .map(|path| format!("{} is not in SUMMARY.md", path.display()))
        .collect()
}

/// Lines outside of code blocks, or inside of those of one language, counted from 1.
fn lines<'a>(text: &'a str, language: Option<&'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let mut block: Option<&str> = None;
    let numbered = text.lines().enumerate();
    numbered.filter_map(move |(index, line)| {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            block = match block {
                None => Some(info.trim()),
                Some(_) => None,
            };
            return None;
        }
        (block == language).then_some((index + 1, line))
    })
}

/// Targets of Markdown links with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in lines(text, None) {
        for rest in line.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                links.push((number, target.to_owned()));
            }
        }
    }
    links
}

/// Why a link leads nowhere; links to other sites are not followed.
fn broken(
    root: &Path,
    pages: &BTreeMap<PathBuf, String>,
    page: &Path,
    target: &str,
) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let to = if file.is_empty() {
        page.to_owned()
    } else {
        plain(&page.parent().unwrap_or(Path::new("")).join(file))
    };
    let Some(text) = pages.get(&to) else {
        let exists = root.join(SOURCE).join(&to).exists();
        return (!exists).then(|| format!("`{target}` leads nowhere"));
    };
    let known = anchor.is_empty() || headings(text).contains(anchor);
    (!known).then(|| format!("`{target}`: no such heading"))
}

/// The path without its dots.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Anchors that mdBook makes of the headings.
fn headings(text: &str) -> BTreeSet<String> {
    let headings = lines(text, None).filter_map(|(_, line)| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let kept = heading.trim_start_matches('#').trim().chars();
            kept.filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'))
                .map(|it| if it == ' ' { '-' } else { it })
                .collect::<String>()
                .to_lowercase()
        })
        .collect()
}

/// What people are told to type, with the lines it stands in.
fn commands(text: &str) -> Vec<(usize, String)> {
    lines(text, Some("sh"))
        .map(|(number, line)| (number, line.trim().to_owned()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Why a command of ours is none. The verbs of `hatchery` are checked by its own parser, in
/// `crates/cli`.
fn unknown(command: &str) -> Option<String> {
    let verb = command
        .strip_prefix("cargo xtask ")?
        .split_whitespace()
        .next()?;
    let known = verb == "help" || crate::COMMANDS.iter().any(|command| command.name == verb);
    (!known).then(|| format!("`cargo xtask {verb}` is no command"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# One & Two

[here](#one--two) [there](a/b.md) [out](https://example.org) [gone](gone.md)

```sh
# a comment
cargo xtask test
cargo xtask conquer
```

```text
[not a link](nowhere.md)
```
";

    #[test]
    fn links_are_followed_and_code_is_not() {
        let pages = BTreeMap::from([
            (PathBuf::from("page.md"), PAGE.to_owned()),
            (PathBuf::from("a/b.md"), "# B".to_owned()),
        ]);
        let root = Path::new("/nowhere");
        let faults: Vec<String> = links(PAGE)
            .into_iter()
            .filter_map(|(_, target)| broken(root, &pages, Path::new("page.md"), &target))
            .collect();
        assert_eq!(faults, ["`gone.md` leads nowhere"]);
        let back = broken(root, &pages, Path::new("a/b.md"), "../page.md#one--two");
        assert_eq!(back, None);
        let wrong = broken(root, &pages, Path::new("a/b.md"), "../page.md#three");
        assert_eq!(
            wrong.as_deref(),
            Some("`../page.md#three`: no such heading")
        );
    }

    #[test]
    fn commands_that_are_none_are_named() {
        let faults: Vec<(usize, String)> = commands(PAGE)
            .into_iter()
            .filter_map(|(line, command)| Some((line, unknown(&command)?)))
            .collect();
        assert_eq!(
            faults,
            [(8, "`cargo xtask conquer` is no command".to_owned())]
        );
    }

    #[test]
    fn a_page_that_the_summary_lacks_is_named() {
        let pages = BTreeMap::from([
            (PathBuf::from("SUMMARY.md"), "- [A](a.md)".to_owned()),
            (PathBuf::from("a.md"), String::new()),
            (PathBuf::from("b.md"), String::new()),
        ]);
        assert_eq!(missing_from_summary(&pages), ["b.md is not in SUMMARY.md"]);
    }
}
