//! What a run showed so far: the figures of every second and the latest events, for the view, the
//! progress lines and the plot.

use crate::plot::Sample;
use hatchery_api::{PoolView, RowView};
use hatchery_sim::demo::{Demo, Frame};
use hatchery_sim::plot::Mark;
use hatchery_types::{CanisterId, Nanos};
use std::collections::VecDeque;

/// A forecast takes at least so many seconds.
const FORECAST_AFTER: u128 = 60;
/// Most events kept.
const EVENTS_MAX: usize = 200;

/// A run as far as it went.
pub(crate) struct Story {
    title: String,
    samples: Vec<Sample>,
    marks: Vec<Mark>,
    events: VecDeque<EventLine>,
    /// The last second.
    pub(crate) frame: Frame,
    /// The pools of the last second; the demo has one, which its figures tell.
    pub(crate) pools: Vec<PoolView>,
    /// Root's balance at the first second.
    first_cycles: Option<(u64, u128)>,
    /// The virtual clock of the last second.
    pub(crate) now: Nanos,
}

/// Something that happened, as the view shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLine {
    pub(crate) second: u64,
    /// Short name of the canister; empty for a pool or the fleet.
    pub(crate) subject: String,
    /// The phase it went to; empty for none.
    pub(crate) phase: String,
    pub(crate) text: String,
    /// The demo did it, not the fleet.
    pub(crate) is_notice: bool,
}

impl Story {
    pub(crate) fn new(demo: &Demo, seed: u64) -> Story {
        Story::empty(&format!("fleet {}, seed {seed}", demo.spec().name))
    }

    /// Before the first second.
    pub(crate) fn empty(title: &str) -> Story {
        Story {
            title: title.to_owned(),
            samples: Vec::new(),
            marks: Vec::new(),
            events: VecDeque::new(),
            frame: Frame::default(),
            pools: Vec::new(),
            first_cycles: None,
            now: Nanos(0),
        }
    }

    /// One more second of the demo.
    pub(crate) fn step(&mut self, demo: &mut Demo) -> anyhow::Result<()> {
        let frame = demo.step()?.clone();
        let now = Nanos(demo.world().engine.now_ns());
        self.add(frame, now);
        Ok(())
    }

    pub(crate) fn add(&mut self, frame: Frame, now: Nanos) {
        let second = frame.virtual_seconds;
        for event in &frame.events {
            let subject = event.canister.map(short_id).or_else(|| event.pool.clone());
            self.events.push_back(EventLine {
                second: second.saturating_sub(now.since(event.at).as_secs()),
                subject: subject.unwrap_or_default(),
                phase: event
                    .phase
                    .map_or("", hatchery_types::Phase::name)
                    .to_owned(),
                text: event.reason.text.clone(),
                is_notice: false,
            });
        }
        if let Some(notice) = &frame.notice {
            let text = notice.clone();
            self.marks.push(Mark {
                second,
                is_large: text.contains("upgraded"),
                text: text.clone(),
            });
            let (subject, phase) = (String::new(), String::new());
            self.events.push_back(EventLine {
                second,
                subject,
                phase,
                text,
                is_notice: true,
            });
        }
        let surplus = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..surplus);
        self.samples.push(Sample {
            second,
            load: frame.load,
            desired: frame.desired,
            in_service: frame.in_service,
            ready: frame.ready,
            draining: frame.draining,
            jobs: frame.jobs_submitted,
        });
        self.first_cycles
            .get_or_insert((second, frame.root_cycles.0));
        self.now = now;
        self.frame = frame;
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.frame.virtual_seconds
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The newest events, oldest of them first.
    pub(crate) fn latest_events(&self, count: usize) -> impl Iterator<Item = &EventLine> {
        self.events
            .iter()
            .skip(self.events.len().saturating_sub(count))
    }

    /// Jobs given to the fleet in the last ten seconds, and in the ten before.
    pub(crate) fn jobs_lately(&self) -> (u64, u64) {
        let jobs_at = |back: usize| match self.samples.len().checked_sub(back + 1) {
            Some(index) => self.samples[index].jobs,
            None => 0,
        };
        (jobs_at(0) - jobs_at(10), jobs_at(10) - jobs_at(20))
    }

    /// How long root's cycles last if it goes on as since the start, in days; none when it did not
    /// pay, or was not watched for long enough.
    pub(crate) fn lasts_days(&self) -> Option<u64> {
        let (second, before) = self.first_cycles?;
        let seconds = u128::from(self.seconds().checked_sub(second)?);
        let paid = before.checked_sub(self.frame.root_cycles.0)?;
        if seconds < FORECAST_AFTER || paid == 0 {
            return None;
        }
        let left = self.frame.root_cycles.0.checked_mul(seconds)? / paid / 86_400;
        u64::try_from(left).ok()
    }

    /// The rows, members of pools first, each with its age in seconds.
    pub(crate) fn rows(&self) -> Vec<(&RowView, u64)> {
        let mut rows: Vec<_> = self
            .frame
            .rows
            .iter()
            .map(|row| (row, self.now.since(row.created_at).as_secs()))
            .collect();
        rows.sort_by_key(|(row, _)| (!row.phase.is_member(), row.canister));
        rows
    }
}

/// The first groups of an id, enough to tell the canisters of a demo apart.
pub(crate) fn short_id(id: CanisterId) -> String {
    id.to_string().chars().take(11).collect()
}

/// Minutes and seconds.
pub(crate) fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
