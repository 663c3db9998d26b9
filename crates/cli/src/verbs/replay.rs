//! `hatchery replay`: a recorded decision again, by root's own module on an engine of its own: the
//! same views must give the same plan, byte for byte.
//!
//! Owns which views, and the comparison; planning is the module's. That module is the one that root
//! runs, by the hash which the network certifies, so what is replayed is what decided.

use crate::args::{ReplayOptions, WasmOptions};
use crate::complaint::{Complaint, Kind};
use crate::connection::client::{accept, decode, encode};
use crate::connection::network::Home;
use crate::fleet_file::hash_of;
use crate::session::Session;
use crate::show::amount;
use crate::wasm;
use candid::Principal;
use hatchery_api::{
    Answer, DecisionView, DecisionsPage, DecisionsRequest, InitArg, ReplayAnswer, ReplayRequest,
};
use hatchery_engine::{Config, Engine, InstallMode};
use hatchery_types::ModuleHash;
use std::path::PathBuf;

/// Cycles of a root that answers one question.
const CYCLES: u128 = 10_000_000_000_000;
/// The question.
const REPLAY: &str = "replay";

pub(crate) fn run(session: &Session<'_>, options: &ReplayOptions) -> anyhow::Result<()> {
    let Recorded { decision, views } = recorded(session, options)?;
    let (answer, by) = if options.by_root {
        let answer = session.client.ask(REPLAY, &views)?;
        (answer, "root itself".to_owned())
    } else {
        let (hash, module) = module_of_root(session, &options.wasm)?;
        let answer = replay_here(&module, &views, cache(session))?;
        (answer, format!("module {} here", amount::hash(hash)))
    };
    if (&answer.plan, answer.digest) != (&decision.plan, decision.digest) {
        let message = format!("decision {} comes out differently", decision.number);
        return Err(Complaint::new(Kind::Failed, message)
            .hint("root was upgraded since, or this is a bug of ours: please report it")
            .into());
    }
    session.say(&decision, |_| {
        println!(
            "decision {} of {}: the same again, wants {}, because {}",
            decision.number,
            amount::moment(decision.at),
            decision.did.desired,
            amount::reasons(&decision.did.reasons)
        );
        println!("replayed by {by}, byte for byte");
    });
    Ok(())
}

/// A decision, and the views that led to it: a whole one, then what changed.
struct Recorded {
    decision: DecisionView,
    views: ReplayRequest,
}

fn recorded(session: &Session<'_>, options: &ReplayOptions) -> anyhow::Result<Recorded> {
    let mut request = DecisionsRequest {
        pool: options.pool.clone(),
        from: options.decision,
        limit: 0,
    };
    let mut kept: Vec<DecisionView> = Vec::new();
    let first = loop {
        let page: DecisionsPage = session.client.ask("decisions", &request)?;
        kept.extend(page.decisions);
        let Some(newest) = kept.first() else {
            let message = format!("no decision of {} is kept", options.pool);
            return Err(Complaint::new(Kind::Input, message)
                .hint("one is kept whenever a plan changes something or says something new")
                .into());
        };
        let first = if newest.base == 0 {
            newest.number
        } else {
            newest.base
        };
        let reaches = kept.last().is_some_and(|last| last.number <= first);
        if reaches || page.next.is_none() {
            break first;
        }
        request.from = page.next;
    };
    let views = kept.iter().filter(|it| it.number >= first).rev();
    Ok(Recorded {
        views: views.map(|it| it.view.clone()).collect(),
        decision: kept.swap_remove(0),
    })
}

/// The module that root runs, found here by its hash, as it is or gzipped as it was deployed.
fn module_of_root(
    session: &Session<'_>,
    options: &WasmOptions,
) -> anyhow::Result<(ModuleHash, Vec<u8>)> {
    let root = session.client.root()?;
    let certified = session.client.certified(root)?.module.unwrap_or_default();
    let folder = wasm::folder(options);
    let plain = wasm::read(&folder, wasm::ROOT)?;
    for module in [super::deploy::root_module(&folder)?, plain] {
        let hash = hash_of(&module);
        if hash.0[..] == certified[..] {
            return Ok((hash, module));
        }
    }
    let running = data_encoding::HEXLOWER.encode(&certified);
    let message = format!(
        "root runs another module than the one in {}",
        folder.display()
    );
    Err(Complaint::new(Kind::Missing, message)
        .hint(format!(
            "name the folder of module {running} with --wasm-dir, or ask root itself: --by-root"
        ))
        .into())
}

/// Compiled modules of the folder's own network, if it has one.
fn cache(session: &Session<'_>) -> Option<PathBuf> {
    let folder = Home::of(&session.globals.folder).path("network");
    folder.is_dir().then(|| folder.join("compiled"))
}

/// What a root that knows nothing else makes of the views.
fn replay_here(
    module: &[u8],
    views: &ReplayRequest,
    cache_dir: Option<PathBuf>,
) -> anyhow::Result<ReplayAnswer> {
    let me = Principal::from_slice(&[1]);
    let mut engine = Engine::new(Config {
        cache_dir,
        ..Config::default()
    });
    let root = engine.create_canister(me, CYCLES);
    let arg = encode(&Some(InitArg::default()));
    engine.install(me, root, module, arg, InstallMode::Install)?;
    let bytes = engine.query(me, root, REPLAY, encode(views))?;
    accept(REPLAY, decode::<Answer<ReplayAnswer>>(REPLAY, &bytes)?)
}
