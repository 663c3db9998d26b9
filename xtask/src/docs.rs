//! The book: what in it is generated, and what must be true of the rest.
//!
//! Owns `cargo xtask docs`. The words are `docs/src`'s; how a book becomes HTML is mdBook's, which
//! runs only where it is installed.

mod alerts;
mod book;
mod canic;
mod reference;
mod schema;

use crate::program::{output_of, run};
use crate::workspace::Workspace;
use anyhow::{Context, bail};
use std::path::Path;
use std::process::Command;

/// A page of the book that is made from something else.
struct Generated {
    /// Where it is committed, from the root of the workspace.
    path: &'static str,
    /// Its text.
    text: String,
}

/// `cargo xtask docs`: checks the book, and builds it where mdBook is installed; with `--write`,
/// generated pages are written first.
pub(crate) fn docs(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let root = &workspace.root;
    match arguments {
        [] => {}
        [flag] if flag == "--write" => write(root)?,
        _ => bail!("`cargo xtask docs` takes `--write` and nothing else"),
    }
    check(root)?;
    alerts::check_with_promtool(root)?;
    if output_of("mdbook", &["--version"]).is_none() {
        eprintln!("the book is whole; `cargo install mdbook` to read it as HTML");
        return Ok(());
    }
    let target = workspace.target.join("book");
    run(Command::new("mdbook")
        .arg("build")
        .arg(root.join("docs"))
        .arg("--dest-dir")
        .arg(&target))?;
    eprintln!("the book: {}", target.join("index.html").display());
    Ok(())
}

/// Every fault of the book in one error.
fn check(root: &Path) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for page in generated(root)? {
        let committed = std::fs::read_to_string(root.join(page.path)).unwrap_or_default();
        if committed != page.text {
            faults.push(format!(
                "{} is not what it is made from: `cargo xtask docs --write`",
                page.path
            ));
        }
    }
    faults.extend(book::faults(root)?);
    faults.extend(canic::faults(root)?);
    faults.extend(alerts::faults(root)?);
    if faults.is_empty() {
        return Ok(());
    }
    bail!("the book:\n  {}", faults.join("\n  "))
}

fn write(root: &Path) -> anyhow::Result<()> {
    for page in generated(root)? {
        let path = root.join(page.path);
        std::fs::write(&path, page.text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn generated(root: &Path) -> anyhow::Result<Vec<Generated>> {
    Ok(vec![
        canic::page(root)?,
        reference::reasons(root)?,
        reference::limits(root)?,
        reference::fleet_toml(root)?,
        reference::metrics(root)?,
        schema::schema(root)?,
        reference::json(root)?,
    ])
}

fn read(root: &Path, path: &str) -> anyhow::Result<String> {
    let path = root.join(path);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_book_is_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        if let Err(faults) = super::check(&root) {
            panic!("{faults:#}");
        }
    }
}
