//! `hatchery export` and `hatchery recover`: the registry out of a root, and into one that lost its
//! memory.

use super::parts;
use super::pool::give;
use crate::args::{ExportOptions, Given, RecoverOptions};
use crate::complaint::{Complaint, Kind};
use crate::connection::canister;
use crate::follow::until_looked_at;
use crate::session::Session;
use crate::show::json;
use hatchery_api::{Command, Recover};
use hatchery_types::{CanisterId, Generation, ModuleHash, Nanos, Phase, Registered};
use serde_json::Value;
use std::path::Path;

/// `hatchery export`.
pub(crate) fn export(session: &Session<'_>, options: &ExportOptions) -> anyhow::Result<()> {
    let page = session.client.export()?;
    let value = json::of(&page);
    let Some(path) = &options.output else {
        json::print(&value);
        return Ok(());
    };
    let text = serde_json::to_string_pretty(&value)? + "\n";
    std::fs::write(path, text).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Complaint::new(Kind::Input, message).hint("name a file in a folder that is there")
    })?;
    session.say(&(page.canisters.len() as u64), |_| {
        println!("{} canisters in {}", page.canisters.len(), path.display());
    });
    Ok(())
}

/// `hatchery recover`.
pub(crate) fn recover(session: &Session<'_>, options: &RecoverOptions) -> anyhow::Result<()> {
    let mut canisters = match &options.from {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    for id in &options.canisters {
        canisters.push(Registered::bare(CanisterId(canister(id)?)));
    }
    let mut steps = Vec::new();
    if let (Some(first), Some(ids)) = (&options.first, options.ids) {
        let first = CanisterId(canister(first)?);
        steps.push(Recover::Range { first, ids });
    }
    if options.done {
        session.confirm("root takes what it knows for all there is and goes to work.")?;
        steps.push(Recover::Done);
    }
    if canisters.is_empty() && steps.is_empty() {
        return Err(Complaint::new(Kind::Input, "nothing to recover from")
            .hint("give --from EXPORT.json, ids, or --first ID --ids N; then --done")
            .into());
    }
    let given = Given {
        operation: None,
        no_wait: false,
    };
    if !canisters.is_empty() {
        let name = |canisters| Command::Recover(Recover::Canisters { canisters });
        parts::give(session, canisters, name, &given)?;
    }
    for step in steps {
        if step == Recover::Done {
            until_looked_at(&session.client, !session.globals.json)?;
        }
        give(session, Command::Recover(step), &given)?;
    }
    Ok(())
}

/// The canisters of a file that `export` wrote.
fn read(path: &Path) -> anyhow::Result<Vec<Registered>> {
    let wrong = |what: &str| {
        let message = format!("{} is no export: {what}", path.display());
        Complaint::new(Kind::Input, message).hint("`hatchery export -o FILE` writes one")
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
    let canisters = value["canisters"]
        .as_array()
        .ok_or_else(|| wrong("it has no `canisters`"))?;
    let read = canisters.iter().map(|value| {
        registered(value).ok_or_else(|| wrong(&format!("this is no canister: {value}")).into())
    });
    read.collect()
}

fn registered(value: &Value) -> Option<Registered> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let id = |name: &str| {
        let text = value[name].as_str()?;
        candid::Principal::from_text(text).ok().map(CanisterId)
    };
    let phase = value["phase"].as_str().and_then(|name| {
        let mut all = Phase::ALL.into_iter();
        all.find(|phase| format!("{phase:?}") == name)
    });
    Some(Registered {
        canister: id("canister")?,
        phase,
        role: text("role"),
        pool: text("pool"),
        parent: id("parent"),
        module: value["module"].as_str().and_then(ModuleHash::from_hex),
        generation: value["generation"].as_u64().map(Generation),
        created_at: value["created_at"].as_u64().map(Nanos),
    })
}

#[cfg(test)]
mod tests {
    use super::registered;
    use crate::show::json;
    use hatchery_types::{CanisterId, Generation, ModuleHash, Nanos, Phase, Principal, Registered};

    #[test]
    fn what_is_exported_can_be_read() {
        let id = CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]));
        let whole = Registered {
            canister: id,
            phase: Some(Phase::InService),
            role: Some("worker".to_owned()),
            pool: Some("workers".to_owned()),
            parent: Some(id),
            module: Some(ModuleHash([3; 32])),
            generation: Some(Generation(4)),
            created_at: Some(Nanos::from_secs(1_767_600_000)),
        };
        for one in [whole, Registered::bare(id)] {
            assert_eq!(registered(&json::of(&one)), Some(one));
        }
    }
}
