//! `hatchery check`: says whether a `fleet.toml` makes sense, and where it does not.

use crate::args::CheckOptions;
use crate::complaint::{Complaint, Kind};
use crate::wasm;
use hatchery_api::fleet_toml::{self, TomlError};
use hatchery_types::{FleetSpec, ModuleHash};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

pub(crate) fn run(options: &CheckOptions) -> anyhow::Result<()> {
    let text = read_text(&options.file)?;
    let beside = options.file.parent().unwrap_or(Path::new("")).to_owned();
    let folders = [beside, wasm::folder(&options.wasm)];
    let spec = check(&text, &folders).map_err(|errors| refuse(&options.file, &errors))?;
    print!("{}", praise(&options.file, &spec));
    Ok(())
}

/// The text of a `fleet.toml`.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read_text(file: &Path) -> Result<String, Complaint> {
    std::fs::read_to_string(file).map_err(|error| {
        let message = format!("{} cannot be read: {error}", file.display());
        Complaint::new(Kind::Input, message)
            .hint("give the path of a fleet.toml; examples/demo/fleet.toml is one")
    })
}

/// The errors of a file, one below the other.
pub(crate) fn refuse(file: &Path, errors: &[TomlError]) -> Complaint {
    let name = file.display().to_string();
    let shown: Vec<String> = errors.iter().map(|error| error.render(&name)).collect();
    let count = match errors.len() {
        1 => "one error".to_owned(),
        count => format!("{count} errors"),
    };
    Complaint::new(
        Kind::Input,
        format!("{name} has {count}\n\n{}", shown.join("\n\n")),
    )
}

fn check(text: &str, folders: &[PathBuf]) -> Result<FleetSpec, Vec<TomlError>> {
    fleet_toml::parse(text)?.resolve(|_, path| hash_of(path, folders))
}

/// The hash of the first file of that path that one of the folders has.
fn hash_of(path: &str, folders: &[PathBuf]) -> Result<ModuleHash, String> {
    let found = folders
        .iter()
        .find_map(|folder| std::fs::read(folder.join(path)).ok());
    match found {
        None => {
            let places: Vec<String> = folders.iter().map(|folder| shown(folder)).collect();
            Err(format!("no file `{path}` in {}", places.join(" or ")))
        }
        Some(bytes) if !wasm::is_module(&bytes) => Err(format!("`{path}` is not a wasm module")),
        Some(bytes) => Ok(ModuleHash(Sha256::digest(&bytes).into())),
    }
}

fn shown(folder: &Path) -> String {
    match folder.display().to_string() {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    }
}

fn praise(file: &Path, spec: &FleetSpec) -> String {
    let mut lines = vec![format!("{}: fleet {} is good", file.display(), spec.name)];
    let warm = spec.warm_pool;
    lines.push(format!(
        "  warm pool   {} to {} canisters",
        warm.minimum, warm.maximum
    ));
    for role in &spec.roles {
        lines.push(format!(
            "  role        {}, module {}",
            role.name, role.module
        ));
    }
    for pool in &spec.pools {
        let signals = pool.signals.iter();
        let target: String = signals
            .map(|signal| format!(", {} {} each", signal.target, signal.name))
            .collect();
        let bounds = format!("{} to {} workers", pool.min, pool.max);
        lines.push(format!(
            "  pool        {}: {bounds} of role {}{target}",
            pool.name, pool.role
        ));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::{check, refuse};
    use crate::complaint::render;
    use expect_test::expect;
    use std::path::Path;

    #[test]
    fn every_error_is_shown_with_its_place() {
        let text = "name = \"shop\"\n[warm_pool]\nminimum = 9\nmaximum = 3\n\
                    [roles.worker]\nmodule = \"none.wasm\"\n";
        let errors = check(text, &["".into(), "built".into()]).expect_err("two errors");
        expect![[r#"
            error: fleet.toml has 2 errors

            fleet.toml:3:11: error: `minimum` is more than `maximum` (9 > 3)
              |
            3 | minimum = 9
              |           ^
            hint: lower `minimum` or raise `maximum`

            fleet.toml:6:10: error: no file `none.wasm` in . or built
              |
            6 | module = "none.wasm"
              |          ^^^^^^^^^^^
            hint: build the module, or correct the path"#]]
        .assert_eq(&render(&refuse(Path::new("fleet.toml"), &errors).into()));
    }
}
