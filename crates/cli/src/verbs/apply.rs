//! `hatchery apply` and `hatchery upgrade`: a spec on its way to root.

use super::modules::stage_all;
use super::plan;
use crate::args::{ApplyOptions, UpgradeOptions};
use crate::complaint::{Complaint, Kind};
use crate::connection::Client;
use crate::fleet_file::{self, FleetFile, Module, hash_of};
use crate::follow;
use crate::session::Session;
use crate::wasm;
use hatchery_types::{FleetSpec, Generation};
use std::collections::BTreeMap;

/// The fleet may take so long to be as the file says.
pub(crate) const READY_WITHIN_SECONDS: u64 = 600;
/// Memory of a worker where the price is shown beside other things.
const WORKER_MIB: u64 = 100;

/// `hatchery apply`.
pub(crate) fn run(session: &Session<'_>, options: &ApplyOptions) -> anyhow::Result<()> {
    let fleet = fleet_file::load(&session.globals.folder, &options.wasm)?;
    let applied = session.client.spec()?;
    let status = session.client.status()?;
    let difference = plan::compare(applied.as_ref(), &fleet, &status, WORKER_MIB);
    if !session.globals.json {
        plan::print(&difference, WORKER_MIB, session.paint);
        println!();
    }
    if is_dangerous(applied.as_ref(), &fleet.spec) {
        session.confirm("Pools go, and their workers with them.")?;
    }
    finish(session, &fleet, options.no_wait)
}

/// Pools or roles that are there would go.
fn is_dangerous(applied: Option<&FleetSpec>, wanted: &FleetSpec) -> bool {
    let mut before = applied.iter().flat_map(|spec| &spec.pools);
    before.any(|pool| wanted.pool(&pool.name).is_none())
}

/// Applies, follows, and tells the status.
pub(crate) fn finish(
    session: &Session<'_>,
    fleet: &FleetFile,
    no_wait: bool,
) -> anyhow::Result<()> {
    let shown = !session.globals.json;
    let generation = apply(&session.client, fleet, shown)?;
    let status = if no_wait {
        session.client.status()?
    } else {
        follow::until_ready(&session.client, READY_WITHIN_SECONDS, shown)?
    };
    session.say(&status, |paint| {
        let text = format!("spec {} of {} is applied", generation.0, fleet.spec.name);
        println!("{}", paint.good(&text));
    });
    Ok(())
}

/// Stages what is missing and applies the spec.
///
/// # Errors
/// Root refuses.
pub(crate) fn apply(client: &Client, fleet: &FleetFile, shown: bool) -> anyhow::Result<Generation> {
    stage_all(client, fleet, shown)?;
    client.tell("apply_spec", &fleet.spec)
}

/// `hatchery upgrade`: the applied spec with another module.
pub(crate) fn upgrade(session: &Session<'_>, options: &UpgradeOptions) -> anyhow::Result<()> {
    let bytes = std::fs::read(&options.module).map_err(|error| {
        let message = format!("{} cannot be read: {error}", options.module.display());
        Complaint::new(Kind::Input, message).hint("give the path of a wasm module")
    })?;
    if !wasm::is_module(&bytes) {
        let message = format!("{} is no wasm module", options.module.display());
        return Err(Complaint::new(Kind::Input, message)
            .hint("root takes wasm and gzipped wasm")
            .into());
    }
    let mut spec = session.client.spec()?.ok_or_else(|| {
        Complaint::new(Kind::Refused, "no spec is applied yet").hint("`hatchery apply` comes first")
    })?;
    let names: Vec<String> = spec.roles.iter().map(|role| role.name.clone()).collect();
    let mut roles = spec.roles.iter_mut();
    let Some(role) = roles.find(|role| role.name == options.role) else {
        let message = format!("there is no role {}", options.role);
        let hint = format!("roles: {}", names.join(", "));
        return Err(Complaint::new(Kind::Input, message).hint(hint).into());
    };
    let module = hash_of(&bytes);
    if role.module == module {
        session.say(&module, |_| {
            println!("{} already has that module", options.role);
        });
        return Ok(());
    }
    role.module = module;
    let path = options.module.clone();
    let modules = BTreeMap::from([(module, Module { path, bytes })]);
    finish(session, &FleetFile { spec, modules }, options.no_wait)
}
