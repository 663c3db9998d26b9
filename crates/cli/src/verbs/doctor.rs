//! `hatchery doctor`: looks at everything and says what is wrong, and what to do.
//!
//! Owns what is asked of whom, a bounded number of questions however large the fleet, and how
//! findings look; what the answers mean is [`examine`]'s, which asks nobody.

mod examine;

use crate::complaint::{self, Complaint, Kind};
use crate::connection::network::LOCAL;
use crate::fleet_file::{self, hash_of};
use crate::session::Session;
use crate::show::{Paint, amount};
use crate::wasm;
use crate::{args::WasmOptions, verbs::plan};
use candid::{CandidType, Principal};
use examine::examine;
use hatchery_api::{FleetStatus, HttpRequest, HttpResponse, PAGE_MAX, RowView};
use hatchery_types::{Cycles, FleetSpec, ModuleHash, Nanos, Phase};

/// One thing that was looked at.
#[derive(CandidType)]
struct Finding {
    what: String,
    state: State,
    text: String,
    /// What to do.
    hint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, CandidType)]
enum State {
    Good,
    Warning,
    Bad,
}

/// Everything that a finding can come from.
struct Facts {
    root: Principal,
    url: String,
    /// A network that ends with its folder.
    is_local: bool,
    me: Principal,
    controllers: Vec<Principal>,
    /// What the network certifies that root runs.
    module: Option<ModuleHash>,
    /// What this program would deploy, as it is and gzipped; none = not built.
    carried: Vec<ModuleHash>,
    /// This machine's clock.
    now: Nanos,
    live: Option<Overview>,
    status: FleetStatus,
    /// Root's reserve and the price of one more canister; none for strangers.
    prices: Option<(Cycles, Cycles)>,
    /// Rows on their way, so many of each phase as fit a page.
    moving: Vec<RowView>,
    /// One that waits for an operator.
    failed: Option<RowView>,
    file: File,
    /// Else why they are not known; none = for operators alone.
    violations: Result<Vec<String>, Option<String>>,
}

/// Of `/live/status` what Candid does not say.
struct Overview {
    version: String,
    now: Nanos,
    health: Vec<String>,
}

/// The folder's `fleet.toml` against root.
enum File {
    None,
    /// It makes no sense.
    Broken(String),
    /// The spec is for operators alone.
    Closed,
    Read {
        changes: usize,
        uploads: usize,
    },
}

pub(crate) fn run(session: &Session<'_>) -> anyhow::Result<()> {
    let findings = examine(&facts(session)?);
    session.say(&findings, |paint| {
        for finding in &findings {
            print(finding, paint);
        }
    });
    let bad = findings.iter().filter(|it| it.state == State::Bad).count();
    match bad {
        0 => Ok(()),
        bad => Err(Complaint::new(
            Kind::Failed,
            format!("{bad} of {} are not as they must be", findings.len()),
        )
        .into()),
    }
}

fn print(finding: &Finding, paint: Paint) {
    let mark = match finding.state {
        State::Good => paint.good("ok   "),
        State::Warning => paint.warn("look "),
        State::Bad => paint.bad("BAD  "),
    };
    println!("{mark} {:<12} {}", finding.what, finding.text);
    if let Some(hint) = &finding.hint {
        println!("                   {}", paint.faint(hint));
    }
}

fn facts(session: &Session<'_>) -> anyhow::Result<Facts> {
    let client = &session.client;
    let root = client.root()?;
    let status = client.status()?;
    let certified = client.certified(root)?;
    let spec = client.spec();
    let file = file(session, &spec, &status);
    let spec = spec.ok().flatten();
    let mut facts = Facts {
        root,
        url: client.place().url.clone(),
        is_local: client.place().name == LOCAL,
        me: client.me(),
        controllers: certified.controllers,
        module: certified
            .module
            .and_then(|hash| Some(ModuleHash(hash.try_into().ok()?))),
        carried: carried(),
        now: Nanos(0),
        live: overview(session),
        prices: spec.map(|spec| (spec.reserve, spec.warm_pool.cycles)),
        moving: Vec::new(),
        failed: None,
        file,
        violations: client.look("violations").map_err(|error| {
            let is_denied = complaint::is(&error, Kind::Denied);
            (!is_denied).then(|| error.to_string())
        }),
        status,
    };
    facts.now = amount::now();
    for (phase, count) in &facts.status.phases {
        let limit = match phase {
            Phase::Failed | Phase::Lost => 1,
            phase if examine::moves(*phase) => PAGE_MAX,
            _ => continue,
        };
        if *count == 0 {
            continue;
        }
        // A stranger may not see rows; the counts say enough of failures.
        let rows = client
            .page(Some(*phase), None, limit)
            .map_or_else(|_| Vec::new(), |page| page.rows);
        if examine::moves(*phase) {
            facts.moving.extend(rows);
        } else {
            facts.failed = facts.failed.or(rows.into_iter().next());
        }
    }
    Ok(facts)
}

/// Root's modules here, if they are built.
fn carried() -> Vec<ModuleHash> {
    let folder = wasm::folder(&WasmOptions { wasm_dir: None });
    let gzipped = super::deploy::root_module(&folder).ok();
    let plain = wasm::read(&folder, wasm::ROOT).ok();
    let modules = gzipped.into_iter().chain(plain);
    modules.map(|module| hash_of(&module)).collect()
}

fn overview(session: &Session<'_>) -> Option<Overview> {
    let request = HttpRequest {
        url: "/live/status".to_owned(),
    };
    let answer: HttpResponse = session.client.query("http_request", &request).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let health = value["health"].as_array()?.iter();
    Some(Overview {
        version: value["version"].as_str()?.to_owned(),
        now: Nanos(value["now"].as_u64()?),
        health: health
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect(),
    })
}

fn file(
    session: &Session<'_>,
    applied: &anyhow::Result<Option<FleetSpec>>,
    status: &FleetStatus,
) -> File {
    let folder = &session.globals.folder;
    if !folder.join(fleet_file::NAME).exists() {
        return File::None;
    }
    let fleet = match fleet_file::load(folder, &WasmOptions { wasm_dir: None }) {
        Ok(fleet) => fleet,
        Err(error) => return File::Broken(error.to_string()),
    };
    let Ok(applied) = applied else {
        return File::Closed;
    };
    let (changes, uploads) = plan::compare(applied.as_ref(), &fleet, status, 0).counts();
    File::Read { changes, uploads }
}
