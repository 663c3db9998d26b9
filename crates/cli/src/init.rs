//! `hatchery init`: a `fleet.toml` to start from, and an example worker for it.

use crate::args::{Globals, InitOptions};
use crate::complaint::{Complaint, Kind};
use crate::connection::network::Home;
use crate::fleet_file;
use crate::show::json;
use crate::wasm;
use anyhow::Context;
use serde_json::json;
use std::path::Path;

const TEMPLATE: &str = include_str!("init/fleet.toml");
/// What an editor checks the file by; the template's first line points there.
const SCHEMA: &str = include_str!("../../../docs/src/reference/fleet.schema.json");
const SCHEMA_NAME: &str = "fleet.schema.json";
/// What the template calls the fleet.
const TEMPLATE_NAME: &str = "my-fleet";
/// The module that the template names.
const WORKER: &str = "worker.wasm";
/// Longest name of a fleet.
const NAME_CHARACTERS_MAX: usize = 40;

pub(crate) fn run(globals: &Globals, options: &InitOptions) -> anyhow::Result<()> {
    let folder = &globals.folder;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => name_of(folder),
    };
    let file = folder.join(fleet_file::NAME);
    let mut written = vec![fleet_file::NAME.to_owned()];
    let mut text = TEMPLATE.replace(TEMPLATE_NAME, &name);
    if options.example {
        text = text.replace("# drain = ", "drain = ");
    }
    write_new(&file, text.as_bytes())?;
    let home = Home::of(folder);
    home.make()?;
    std::fs::write(home.path(SCHEMA_NAME), SCHEMA)?;
    if options.example {
        let bytes = wasm::read(&wasm::folder(&options.wasm), wasm::WORKER)?;
        write_new(&folder.join(WORKER), &bytes)?;
        written.push(WORKER.to_owned());
    }
    if globals.json {
        json::print(&json!({ "name": name, "written": written }));
        return Ok(());
    }
    println!("fleet {name}: wrote {}", written.join(" and "));
    if options.example {
        println!("next: hatchery up");
    } else {
        println!("next: put your module at {WORKER}, or name another; then: hatchery up");
    }
    Ok(())
}

/// Never over a file that is there.
fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    match file {
        Ok(mut file) => Ok(file.write_all(bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let message = format!("{} is there already", path.display());
            Err(Complaint::new(Kind::Input, message)
                .hint("it is left as it is; -C names another folder")
                .into())
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The folder's name, as far as a fleet may have it.
fn name_of(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_default();
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let allowed = |character: char| match character {
        'a'..='z' | '0'..='9' => character,
        _ => '-',
    };
    let name: String = name
        .chars()
        .map(allowed)
        .take(NAME_CHARACTERS_MAX)
        .collect();
    match name.trim_matches('-') {
        "" => TEMPLATE_NAME.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATE, name_of};
    use hatchery_api::fleet_toml;
    use hatchery_types::ModuleHash;
    use std::path::Path;

    #[test]
    fn the_template_makes_sense() {
        let draft = fleet_toml::parse(TEMPLATE).expect("it can be read");
        let spec = draft.resolve(|_, _| Ok(ModuleHash([1; 32])));
        assert_eq!(spec.expect("it makes sense").name, super::TEMPLATE_NAME);
        let hint = format!("#:schema .hatchery/{}\n", super::SCHEMA_NAME);
        assert!(TEMPLATE.starts_with(&hint), "{hint}");
    }

    #[test]
    fn any_folder_gives_a_name() {
        assert_eq!(name_of(Path::new("/")), "my-fleet");
        assert_eq!(name_of(Path::new("/nowhere")), "my-fleet");
    }
}
