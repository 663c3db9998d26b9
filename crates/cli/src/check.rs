//! `hatchery check`: says whether a `fleet.toml` makes sense, and where it does not.

use crate::args::{CheckOptions, Globals};
use crate::complaint::{Complaint, Kind};
use crate::fleet_file::{self, hash_of};
use crate::show::json;
use crate::wasm;
use hatchery_api::fleet_toml::{self, TomlError};
use hatchery_types::FleetSpec;
use std::path::{Path, PathBuf};

pub(crate) fn run(globals: &Globals, options: &CheckOptions) -> anyhow::Result<()> {
    let default = || shortest(&globals.folder.join(fleet_file::NAME));
    let file = options.file.clone().unwrap_or_else(default);
    let text = read_text(&file)?;
    let beside = file.parent().unwrap_or(Path::new("")).to_owned();
    let folders = [beside, wasm::folder(&options.wasm)];
    let spec = check(&text, &folders).map_err(|errors| refuse(&file, &errors))?;
    if globals.json {
        json::print(&json::of(&spec));
    } else {
        print!("{}", praise(&file, &spec));
    }
    Ok(())
}

/// Without a `./` in front.
fn shortest(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// The text of a `fleet.toml`.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read_text(file: &Path) -> Result<String, Complaint> {
    std::fs::read_to_string(file).map_err(|error| {
        let message = format!("{} cannot be read: {error}", shortest(file).display());
        Complaint::new(Kind::Input, message)
            .hint("`hatchery init` writes one; -C names another folder")
    })
}

/// The errors of a file, one below the other.
pub(crate) fn refuse(file: &Path, errors: &[TomlError]) -> Complaint {
    let name = shortest(file).display().to_string();
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
    fleet_toml::parse(text)?.resolve(|_, path| {
        let (_, bytes) = wasm::find_module(path, folders)?;
        Ok(hash_of(&bytes))
    })
}

fn praise(file: &Path, spec: &FleetSpec) -> String {
    let mut lines = vec![format!("{}: fleet {} is good", file.display(), spec.name)];
    let warm = &spec.warm_pool;
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
        let target: Vec<String> = signals
            .map(|signal| format!(", {} {} each", signal.target, signal.name))
            .collect();
        let target = target.concat();
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
