//! Harm done on purpose to a fleet on its own network: what the keys of the live view stand for.

use super::host::Host;
use crate::connection::Client;
use crate::live::Mischief;
use crate::live::harm::{self, Parties};
use crate::verbs::deploy::upgrade_by_force;

/// Calls fail for so long, in seconds.
pub(super) const FAIL_SECONDS: f64 = 10.0;

/// Does it; what was done, for people.
///
/// # Errors
/// The network or root does not answer.
pub(super) fn act(
    mischief: Mischief,
    host: &Host,
    client: &Client,
    module: &[u8],
) -> anyhow::Result<String> {
    let parties = parties(client)?;
    match mischief {
        Mischief::Upgrade => {
            let effects = client.status()?.effects;
            let open: u64 = effects.iter().map(|(_, count)| *count).sum();
            upgrade_by_force(client, module)?;
            Ok(format!("root upgraded by force, {open} effects open"))
        }
        Mischief::Fail => {
            host.visit(move |engine| engine.faults().add(harm::refusal(parties.root)))?;
            Ok("the platform refuses root's calls for 10 s".to_owned())
        }
        Mischief::Kill | Mischief::Delete => {
            host.visit(move |engine| harm::strike(engine, parties, mischief))?
        }
    }
}

/// Ends what [`Mischief::Fail`] began.
pub(super) fn calls_work_again(host: &Host) -> anyhow::Result<()> {
    host.visit(|engine| engine.faults().clear())
}

/// Root and its operator.
pub(super) fn parties(client: &Client) -> anyhow::Result<Parties> {
    Ok(Parties {
        root: client.root()?,
        operator: client.me(),
    })
}
