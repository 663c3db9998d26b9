//! What a worker pool should be: bounds, signals, buffers, windows, leases; words without behaviour.
//!
//! How the parts decide together is written down, in order of precedence, in `hatchery-core`
//! (`plan/policy.rs`).

use crate::{CanisterId, Nanos};
use minicbor::{Decode, Encode};

/// A scaled set of canisters of one role.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct PoolSpec {
    /// Name.
    #[n(0)]
    pub name: String,
    /// Role of its members.
    #[n(1)]
    pub role: String,
    /// Never fewer at work, once faults have stopped long enough.
    #[n(2)]
    pub min: u32,
    /// Never more living members, those on standby included.
    #[n(3)]
    pub max: u32,
    /// Workers to start with.
    #[n(4)]
    pub initial: u32,
    /// Growing.
    #[n(6)]
    pub scale_up: ScaleSpec,
    /// Shrinking.
    #[n(7)]
    pub scale_down: ScaleSpec,
    /// Share of the members that may drain at once, per cent; at least one.
    #[n(8)]
    pub disruption_percent: u32,
    /// How long a discovery answer may be used; a cordoned worker waits this long before it is
    /// told to drain.
    #[n(9)]
    pub valid_for: Nanos,
    /// Loads to follow; the one that wants most workers decides. Without any, and without buffer
    /// and schedule, the pool stays at its minimum.
    #[cbor(n(5), with = "signals", has_nil)]
    pub signals: Vec<SignalSpec>,
    /// Workers kept free beyond the leased ones.
    #[n(11)]
    pub buffer: Option<BufferSpec>,
    /// Times at which it is larger.
    #[n(12)]
    #[cbor(default)]
    pub schedule: Vec<WindowSpec>,
    /// Workers kept installed and out of service, so that a promotion needs no call.
    #[n(13)]
    #[cbor(default)]
    pub standby: u32,
    /// Rules of leases; none = nobody may lease.
    #[n(14)]
    pub lease: Option<LeaseSpec>,
    /// A member may ask to be spared for at most this long at a time.
    #[n(15)]
    #[cbor(default)]
    pub protection_max: Nanos,
    /// Voluntary actions stop when more than this share of the members failed lately, per cent;
    /// zero = never.
    #[n(16)]
    #[cbor(default)]
    pub breaker_percent: u32,
    /// False: the pool is left as it is.
    #[cbor(n(17), with = "enabled", has_nil)]
    pub enabled: bool,
    /// Who may lease and report for it, beside operators; none = nobody.
    #[n(18)]
    pub parent: Option<ParentSpec>,
}

impl PoolSpec {
    /// A pool with every default: up at once, down to the highest wish of five minutes. The numbers
    /// are those that `cargo xtask lab` measures.
    pub fn new(name: &str, role: &str, min: u32, max: u32) -> Self {
        PoolSpec {
            name: name.to_owned(),
            role: role.to_owned(),
            min,
            max,
            initial: min,
            scale_up: ScaleSpec::UP,
            scale_down: ScaleSpec::DOWN,
            disruption_percent: 50,
            valid_for: Nanos::from_secs(30),
            signals: Vec::new(),
            buffer: None,
            schedule: Vec::new(),
            standby: 0,
            lease: None,
            protection_max: Nanos::from_secs(3_600),
            breaker_percent: 50,
            enabled: true,
            parent: None,
        }
    }

    /// The signal of that name, with its position.
    pub fn signal(&self, name: &str) -> Option<(usize, &SignalSpec)> {
        let mut signals = self.signals.iter().enumerate();
        signals.find(|(_, signal)| signal.name == name)
    }

    /// The first signal of the members themselves, with its position: what a member's load is.
    pub fn load(&self) -> Option<(usize, &SignalSpec)> {
        let mut signals = self.signals.iter().enumerate();
        signals.find(|(_, signal)| signal.scope == Scope::Worker)
    }

    /// Something can wake it from zero: a total, a schedule, a buffer, or somebody who leases.
    pub fn wakes_from_zero(&self) -> bool {
        let total = self
            .signals
            .iter()
            .any(|signal| signal.scope == Scope::Pool);
        total || self.lease.is_some() || self.buffer.is_some() || !self.schedule.is_empty()
    }
}

/// A load to follow.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct SignalSpec {
    /// Name.
    #[n(0)]
    pub name: String,
    /// Wanted value per worker, at least 1.
    #[n(1)]
    pub target: u64,
    /// No action while the ratio is within this share of the target, per cent.
    #[n(2)]
    pub tolerance_percent: u32,
    /// A sample older than this is missing.
    #[n(3)]
    pub stale_after: Nanos,
    /// A new member is not judged before this.
    #[n(4)]
    pub warm_up: Nanos,
    /// What its value says.
    #[n(5)]
    #[cbor(default)]
    pub scope: Scope,
    /// Where its values come from.
    #[n(6)]
    #[cbor(default)]
    pub source: Source,
    /// What a missing value means.
    #[n(7)]
    #[cbor(default)]
    pub missing: Missing,
    /// Of a total: at or below this no worker is wanted for it, above it at least one.
    #[n(8)]
    #[cbor(default)]
    pub activation: u64,
}

impl SignalSpec {
    /// A signal that members report, with every default.
    pub fn new(name: &str, target: u64) -> Self {
        SignalSpec {
            name: name.to_owned(),
            target,
            tolerance_percent: 10,
            stale_after: Nanos::from_secs(300),
            warm_up: Nanos::from_secs(30),
            scope: Scope::Worker,
            source: Source::Pushed,
            missing: Missing::Cautious,
            activation: 0,
        }
    }
}

/// What the value of a signal says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum Scope {
    /// The load of one worker.
    #[default]
    #[n(0)]
    Worker,
    /// A total for the pool, such as a hub's backlog.
    #[n(1)]
    Pool,
}

/// Where the values of a signal come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum Source {
    /// Reported by the worker or its hub.
    #[default]
    #[n(0)]
    Pushed,
    /// Asked of each worker, by the role's method for it.
    #[n(1)]
    Pulled,
    /// Bytes of memory that the platform measures.
    #[n(2)]
    Memory,
    /// Cycles burnt per hour, derived from balances.
    #[n(3)]
    Burn,
    /// Queries answered per hour, from the platform's statistics.
    #[n(4)]
    Queries,
}

/// What a missing value means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum Missing {
    /// The target on the way down, nothing on the way up.
    #[default]
    #[n(0)]
    Cautious,
    /// The signal moves nothing while one value is missing.
    #[n(1)]
    Hold,
    /// That many workers, when every value is missing.
    #[n(2)]
    Fallback(#[n(0)] u32),
}

/// Workers kept free beyond the leased ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum BufferSpec {
    /// That many.
    #[n(0)]
    Workers(#[n(0)] u32),
    /// That share of all, per cent, below 100.
    #[n(1)]
    Percent(#[n(0)] u32),
}

/// A time at which a pool is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct WindowSpec {
    /// Begins, UTC.
    #[n(0)]
    pub from: Nanos,
    /// Ends, UTC.
    #[n(1)]
    pub to: Nanos,
    /// Comes again after this long; zero = never.
    #[n(2)]
    pub every: Nanos,
    /// The minimum meanwhile, if larger than the pool's.
    #[n(3)]
    pub min: u32,
    /// Workers wished for meanwhile; windows and rates apply.
    #[n(4)]
    pub desired: u32,
}

impl WindowSpec {
    /// Whether it is on.
    pub fn is_on(&self, now: Nanos) -> bool {
        now >= self.from && self.phase(now) < self.to.since(self.from)
    }

    /// When it next begins or ends, after `now`; none = never again.
    pub fn turns_at(&self, now: Nanos) -> Option<Nanos> {
        if now < self.from {
            return Some(self.from);
        }
        let length = self.to.since(self.from);
        let phase = self.phase(now);
        let begun = now - phase;
        if phase < length {
            Some(begun + length)
        } else {
            (self.every.0 > 0).then(|| begun + self.every)
        }
    }

    /// Time since it last began; `now` is not before the first beginning.
    fn phase(&self, now: Nanos) -> Nanos {
        let passed = now.since(self.from);
        match self.every.0 {
            0 => passed,
            every => Nanos(passed.0 % every),
        }
    }
}

/// Rules of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct LeaseSpec {
    /// How long a lease lasts when the holder does not say.
    #[n(0)]
    pub ttl: Nanos,
    /// The longest a holder may ask for at a time.
    #[n(1)]
    pub ttl_max: Nanos,
    /// Most workers of one call.
    #[n(2)]
    pub call_max: u32,
    /// What becomes of a worker whose holder did not renew in time.
    #[n(3)]
    pub expired: LeaseEnd,
    /// What becomes of a worker that its holder gave back.
    #[n(4)]
    pub released: LeaseEnd,
}

impl Default for LeaseSpec {
    fn default() -> Self {
        LeaseSpec {
            ttl: Nanos::from_secs(600),
            ttl_max: Nanos::from_secs(86_400),
            call_max: 10,
            expired: LeaseEnd::Recycle,
            released: LeaseEnd::Return,
        }
    }
}

/// What becomes of a worker after its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum LeaseEnd {
    /// It drains and is reset: nobody sees what the holder left.
    #[n(0)]
    Recycle,
    /// It goes back to work as it is.
    #[n(1)]
    Return,
}

/// The canister that a pool works for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum ParentSpec {
    /// This one.
    #[n(0)]
    Canister(#[n(0)] CanisterId),
    /// Every member at work of this role.
    #[n(1)]
    Role(#[n(0)] String),
}

/// Limits on moving in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct ScaleSpec {
    /// Stabilisation window: up takes the lowest, down the highest wish within it.
    #[n(0)]
    pub window: Nanos,
    /// At most this share of the members per period, per cent.
    #[n(1)]
    pub max_percent: u32,
    /// At most this many per period; the larger of both counts.
    #[n(2)]
    pub max_workers: u32,
    /// Length of the period.
    #[n(3)]
    pub period: Nanos,
    /// Pause after a step in this direction.
    #[n(4)]
    pub cooldown: Nanos,
}

impl ScaleSpec {
    /// At once, at most to five times as many or by ten every 15 seconds.
    pub const UP: ScaleSpec = ScaleSpec {
        window: Nanos(0),
        max_percent: 400,
        max_workers: 10,
        period: Nanos::from_secs(15),
        cooldown: Nanos(0),
    };
    /// To the highest wish of five minutes.
    pub const DOWN: ScaleSpec = ScaleSpec {
        window: Nanos::from_secs(300),
        max_percent: 100,
        max_workers: 0,
        ..ScaleSpec::UP
    };
}

/// How root asks a worker for a number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct PullSpec {
    /// The signal it feeds.
    #[n(0)]
    pub signal: String,
    /// A method without arguments, query or update.
    #[n(1)]
    pub method: String,
    /// The field of its answer's record; none = the answer is the number.
    #[n(2)]
    pub field: Option<String>,
    /// The number is multiplied by this and rounded.
    #[n(3)]
    pub multiply: u32,
    /// Between two questions to one worker.
    #[n(4)]
    pub every: Nanos,
}

/// How root finds out that a new worker works.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct HealthSpec {
    /// A method without arguments; any reply means that it works.
    #[n(0)]
    pub method: String,
    /// It has failed when it did not reply within this time after its install.
    #[n(1)]
    pub grace: Nanos,
}

/// Signals as a list; layout 1 had one signal or none, without a list around it.
mod signals {
    use super::SignalSpec;
    use minicbor::data::Type;
    use minicbor::decode::Error;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decode, Decoder, Encode, Encoder};

    pub(super) fn encode<C, W: Write>(
        signals: &[SignalSpec],
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        signals.encode(e, ctx)
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Vec<SignalSpec>, Error> {
        let mut ahead = d.probe();
        if ahead.datatype()? == Type::Null {
            d.null()?;
            return Ok(Vec::new());
        }
        let entries = ahead.array()?;
        if entries != Some(0) && ahead.datatype()? == Type::String {
            return SignalSpec::decode(d, ctx).map(|signal| vec![signal]);
        }
        Vec::decode(d, ctx)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape that minicbor asks for")]
    pub(super) fn nil() -> Option<Vec<SignalSpec>> {
        Some(Vec::new())
    }

    pub(super) fn is_nil(_: &[SignalSpec]) -> bool {
        false
    }
}

/// A flag that is true where layout 1 did not have it.
mod enabled {
    use minicbor::decode::Error;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that minicbor asks for"
    )]
    pub(super) fn encode<C, W: Write>(
        enabled: &bool,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bool(*enabled)?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<bool, Error> {
        d.bool()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape that minicbor asks for")]
    pub(super) fn nil() -> Option<bool> {
        Some(true)
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that minicbor asks for"
    )]
    pub(super) fn is_nil(_: &bool) -> bool {
        false
    }
}
