//! `hatchery modules …`: modules held by root, and how they get there.

use crate::args::ModulesVerb;
use crate::complaint::{Complaint, Kind};
use crate::connection::Client;
use crate::fleet_file::{FleetFile, hash_of};
use crate::follow;
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use crate::wasm;
use hatchery_api::{CHUNK_BYTES_MAX, CommitModule, FleetStatus, ModuleView, StageChunk};
use hatchery_types::{FleetSpec, Generation, ModuleHash};

/// How much of a module is staged.
const BAR: &str = "module {msg} {bar:24.green/black.bright} {bytes} of {total_bytes}";

pub(crate) fn run(session: &Session<'_>, verb: &ModulesVerb) -> anyhow::Result<()> {
    match verb {
        ModulesVerb::List => list(session),
        ModulesVerb::Stage { file } => {
            let bytes = std::fs::read(file).map_err(|error| {
                let message = format!("{} cannot be read: {error}", file.display());
                Complaint::new(Kind::Input, message).hint("give the path of a wasm module")
            })?;
            if !wasm::is_module(&bytes) {
                let message = format!("{} is no wasm module", file.display());
                return Err(Complaint::new(Kind::Input, message)
                    .hint("root takes wasm and gzipped wasm")
                    .into());
            }
            let module = hash_of(&bytes);
            let status = session.client.status()?;
            stage(&session.client, &status, &bytes, !session.globals.json)?;
            session.say(&module, |_| println!("staged {module}"));
            Ok(())
        }
    }
}

fn list(session: &Session<'_>) -> anyhow::Result<()> {
    let modules = session.client.status()?.modules;
    // Whose they are is for operators alone.
    let spec = session.client.spec().ok().flatten();
    session.say(&modules, |paint| print(&modules, spec.as_ref(), paint));
    Ok(())
}

fn print(modules: &[ModuleView], spec: Option<&FleetSpec>, paint: Paint) {
    let mut table = Table::new(["module", ">size", "state", "roles"]);
    for module in modules {
        let state = match (module.committed, module.installable) {
            (false, _) => "staged in part",
            (true, false) => "being uploaded by root",
            (true, true) => "installable",
        };
        let roles = spec.iter().flat_map(|spec| &spec.roles);
        let roles: Vec<&str> = roles
            .filter(|role| role.module == module.module)
            .map(|role| role.name.as_str())
            .collect();
        table.row([
            amount::hash(module.module),
            amount::bytes(module.bytes),
            state.to_owned(),
            roles.join(", "),
        ]);
    }
    table.print(paint, "root holds no modules");
}

/// Stages every module of a fleet that root does not hold yet; how many that were.
///
/// # Errors
/// Root refuses one.
pub(crate) fn stage_all(client: &Client, fleet: &FleetFile, shown: bool) -> anyhow::Result<usize> {
    let status = client.status()?;
    let mut staged = 0;
    for module in fleet.modules.values() {
        staged += usize::from(stage(client, &status, &module.bytes, shown)?);
    }
    Ok(staged)
}

/// Stages a module unless root holds it; an upload that was interrupted goes on where it was.
fn stage(client: &Client, status: &FleetStatus, bytes: &[u8], shown: bool) -> anyhow::Result<bool> {
    let module = hash_of(bytes);
    let held = status.modules.iter().find(|held| held.module == module);
    if held.is_some_and(|held| held.committed) {
        return Ok(false);
    }
    let there = held.map_or(0, |held| held.bytes as usize / CHUNK_BYTES_MAX);
    let bar = follow::filling(bytes.len() as u64, BAR, shown);
    bar.set_message(amount::hash(module));
    for (index, chunk) in bytes.chunks(CHUNK_BYTES_MAX).enumerate().skip(there) {
        bar.set_position((index * CHUNK_BYTES_MAX) as u64);
        let chunk = StageChunk {
            module,
            index: index as u32,
            bytes: chunk.to_vec(),
        };
        let _: Generation = client.tell("stage_chunk", &chunk)?;
    }
    let chunks = bytes.len().div_ceil(CHUNK_BYTES_MAX) as u32;
    let _: Generation = client.tell("commit_module", &CommitModule { module, chunks })?;
    bar.finish_and_clear();
    Ok(true)
}

/// Whether root holds a module, whole.
pub(crate) fn is_held(status: &FleetStatus, module: ModuleHash) -> bool {
    let mut held = status.modules.iter();
    held.any(|held| held.module == module && held.committed)
}
