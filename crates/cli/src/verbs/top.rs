//! `hatchery top`: the live view of a fleet on any network.

use crate::args::TopOptions;
use crate::complaint::{Complaint, Kind};
use crate::connection::Client;
use crate::live::fleet::{Now, Source, show};
use crate::live::harm::Account;
use crate::live::{Mischief, Recording, Story};
use crate::session::Session;
use crate::show::amount;
use hatchery_api::{FleetStatus, PoolView};
use hatchery_sim::demo::Frame;
use hatchery_types::{Nanos, Phase};
use std::io::IsTerminal;

/// Rows of a picture, of however large a fleet.
const ROWS_MAX: u32 = 100;
/// Events of a picture.
const EVENTS_MAX: u32 = 100;

pub(crate) fn run(session: &Session<'_>, options: &TopOptions) -> anyhow::Result<()> {
    if !std::io::stdout().is_terminal() || session.globals.json {
        return Err(Complaint::new(Kind::Input, "`top` needs a terminal")
            .hint("`hatchery status --json` and `hatchery events --follow` need none")
            .into());
    }
    let mut reader = Reader::new(&session.client)?;
    let title = reader.title()?;
    let mut story = Story::empty(&title);
    let mut recording = Recording::new(options.record.clone(), &title);
    show(&mut reader, &mut story, &mut recording)?;
    if let Some(path) = recording.write()? {
        eprintln!("recording: {}", path.display());
    }
    Ok(())
}

/// Reads pictures of a fleet from its root.
#[derive(Debug)]
pub(crate) struct Reader<'c> {
    client: &'c Client,
    began: Nanos,
    last_event: u64,
}

impl<'c> Reader<'c> {
    /// Pictures from now on.
    ///
    /// # Errors
    /// Root does not answer.
    pub(crate) fn new(client: &'c Client) -> anyhow::Result<Reader<'c>> {
        let newest = client.events(u64::MAX, 1)?.newest;
        Ok(Reader {
            client,
            began: amount::now(),
            last_event: newest.saturating_sub(u64::from(EVENTS_MAX)),
        })
    }

    /// Goes on where another reader was.
    pub(crate) fn at(client: &'c Client, began: Nanos, last_event: u64) -> Reader<'c> {
        Reader {
            client,
            began,
            last_event,
        }
    }

    /// The last event that was read.
    pub(crate) fn last_event(&self) -> u64 {
        self.last_event
    }

    /// Which fleet, and where.
    ///
    /// # Errors
    /// Root does not answer.
    pub(crate) fn title(&self) -> anyhow::Result<String> {
        let name = self.client.status()?.name;
        Ok(format!("fleet {name} on {}", self.client.place().name))
    }

    /// The fleet as root tells it, with a count of its canisters if there is another than root's
    /// own.
    ///
    /// # Errors
    /// Root does not answer.
    pub(crate) fn read(&mut self, account: Option<Account>) -> anyhow::Result<Now> {
        let status = self.client.status()?;
        let page = self.client.page(None, None, ROWS_MAX)?;
        let events = self.client.events(self.last_event, EVENTS_MAX)?.events;
        self.last_event = events.last().map_or(self.last_event, |event| event.number);
        let at = amount::now();
        let known = known(&status);
        let account = account.unwrap_or(Account {
            canisters: known + status.lost_creations,
            accounted: known,
            stale: 0,
        });
        let sum = |count: fn(&PoolView) -> u64| status.pools.iter().map(count).sum();
        let reasons = status.pools.iter().flat_map(|pool| pool.reasons.clone());
        let frame = Frame {
            virtual_seconds: at.since(self.began).as_secs(),
            load: sum(|pool| pool.load),
            desired: sum(|pool| u64::from(pool.desired)),
            in_service: sum(|pool| u64::from(pool.in_service + pool.leased)),
            draining: count(&status, Phase::Draining),
            ready: count(&status, Phase::Ready),
            failed: count(&status, Phase::Failed),
            effects: status.effects.iter().map(|(_, count)| *count).sum(),
            events,
            pool_reasons: reasons.chain([status.warm_reason.clone()]).collect(),
            root_cycles: status.cycles,
            accounted: account.accounted,
            canisters: account.canisters,
            stale: account.stale,
            lost: status.lost_creations + count(&status, Phase::Lost),
            phases: status.phases,
            rows: page.rows,
            ..Frame::default()
        };
        Ok(Now {
            frame,
            pools: status.pools,
            at,
        })
    }
}

/// Canisters that root answers for and that are there, or are being created.
fn known(status: &FleetStatus) -> u64 {
    let all: u64 = status.phases.iter().map(|(_, count)| *count).sum();
    let creations = status.effects.iter().filter(|(kind, _)| kind == "create");
    let creations: u64 = creations.map(|(_, count)| *count).sum();
    all + creations - count(status, Phase::Lost)
}

fn count(status: &FleetStatus, wanted: Phase) -> u64 {
    let phases = status.phases.iter();
    let phases = phases.filter(|(phase, _)| *phase == wanted);
    phases.map(|(_, count)| *count).sum()
}

impl Source for Reader<'_> {
    fn read(&mut self) -> anyhow::Result<Now> {
        Reader::read(self, None)
    }

    fn harm(&mut self, _: Mischief) {}

    fn may_harm(&self) -> bool {
        false
    }

    fn is_over(&self) -> bool {
        false
    }
}
