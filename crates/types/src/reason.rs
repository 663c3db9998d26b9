//! Why something was done, refused, or left undone.

use crate::{CanisterId, Cycles, Nanos, Refusal};
use core::fmt;
use minicbor::{Decode, Encode};

/// A typed reason. Its code is stable: numbers are added, never reused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Reason {
    // Why a row changed.
    /// Root bought it.
    #[n(0)]
    Bought,
    /// An operator gave it to the pool.
    #[n(1)]
    Imported,
    /// An operator or the pool sent it back for reset.
    #[n(2)]
    Recycled,
    /// Observed empty and clean.
    #[n(3)]
    VerifiedEmpty,
    /// Taken from the warm pool for a role.
    #[n(4)]
    Claimed,
    /// Its module is installed.
    #[n(5)]
    Installed,
    /// Chosen by scale-in.
    #[n(6)]
    ScaledIn,
    /// Load returned before the drain ended.
    #[n(7)]
    LoadReturned,
    /// The worker said it is idle.
    #[n(8)]
    Idle,
    /// The drain deadline passed before the worker was idle.
    #[n(9)]
    DrainDeadline,
    /// An operator asked for it.
    #[n(10)]
    Requeued,
    /// More spare canisters than the maximum.
    #[n(11)]
    Surplus,

    // Why a row failed or waits.
    /// The platform or the callee said no.
    #[n(20)]
    Refused(#[n(0)] Refusal),
    /// It did not run; tried again later.
    #[n(21)]
    NotExecuted(#[n(0)] Refusal),
    /// The outcome is unknown; observed next.
    #[n(22)]
    Unknown(#[n(0)] Refusal),
    /// The stop did not end in time.
    #[n(23)]
    StopTimedOut,
    /// The canister is gone.
    #[n(24)]
    Gone,
    /// Root does not control it.
    #[n(25)]
    NotControlled,
    /// Observed with a module, memory or snapshots after a reset.
    #[n(26)]
    NotEmpty,
    /// Observed with controllers other than the configured ones.
    #[n(27)]
    WrongControllers,
    /// Observed with settings other than the warm pool's.
    #[n(28)]
    WrongSettings,
    /// The replica does not report what must be known.
    #[n(29)]
    Unobservable,
    /// Observed not running.
    #[n(30)]
    NotRunning,
    /// Fewer cycles than the warm pool's floor.
    #[n(31)]
    BelowFloor,
    /// Observed with another module than its role's.
    #[n(32)]
    WrongModule,
    /// The member stopped reporting.
    #[n(34)]
    Silent,

    // Why a pool or the warm pool does what it does, or nothing.
    /// Everything is as wanted.
    #[n(50)]
    Satisfied,
    /// `initial` workers are not there yet.
    #[n(51)]
    BelowInitial,
    /// Fewer than `min`.
    #[n(52)]
    BelowMinimum,
    /// Load per worker above target.
    #[n(53)]
    AboveTarget,
    /// Load per worker below target.
    #[n(54)]
    BelowTarget,
    /// Inside the tolerance around the target.
    #[n(55)]
    WithinTolerance,
    /// `max` reached.
    #[n(56)]
    AtMaximum,
    /// `min` reached.
    #[n(57)]
    AtMinimum,
    /// A recommendation inside the window holds the pool where it is.
    #[n(58)]
    Stabilising {
        /// When the window lets go.
        #[n(0)]
        until: Nanos,
    },
    /// The rate per period is spent.
    #[n(59)]
    RateLimited {
        /// When the period ends.
        #[n(0)]
        until: Nanos,
    },
    /// A cooldown runs.
    #[n(60)]
    CoolingDown {
        /// When it ends.
        #[n(0)]
        until: Nanos,
    },
    /// The disruption budget is spent by drains under way.
    #[n(61)]
    DisruptionBudget,
    /// No warm canister is ready.
    #[n(62)]
    NoReadyCanister,
    /// Some signals are missing; the pool holds.
    #[n(63)]
    SignalsMissing,
    /// The role's module is not held by root, or not yet in its chunk store.
    #[n(64)]
    ModuleMissing,
    /// Installs keep failing; the pool waits.
    #[n(65)]
    BackingOff {
        /// When it tries again.
        #[n(0)]
        until: Nanos,
    },
    /// The lane is full.
    #[n(66)]
    LaneFull,
    /// Root would fall below its reserve.
    #[n(67)]
    AtReserve,
    /// An operator paused it.
    #[n(68)]
    Paused,
    /// Root is stopping: it starts nothing new.
    #[n(69)]
    RootStopping,
    /// No spec is applied yet.
    #[n(71)]
    NoSpec,
    /// Too many creations have an unknown outcome; none is bought until they are found.
    #[n(72)]
    LostCreations,
    /// Too many bought canisters fail their verification; none is bought until that is mended.
    #[n(73)]
    UnprovenCanisters,

    // Why a request was refused.
    /// No row with that id.
    #[n(100)]
    UnknownCanister,
    /// No pool of that name.
    #[n(101)]
    UnknownPool,
    /// The phase does not allow it.
    #[n(102)]
    WrongPhase,
    /// The caller may not ask for it.
    #[n(103)]
    Unauthorised,
    /// The operation id was used with another payload.
    #[n(104)]
    OperationConflict,
    /// The operation id is empty or too long.
    #[n(105)]
    BadOperationId,
    /// A limit of the request, named in the text.
    #[n(106)]
    OverLimit,
    /// A row for it is there already.
    #[n(107)]
    AlreadyManaged,
    /// The signal's value is absurd.
    #[n(108)]
    AbsurdSignal,
    /// The caller has too many live operations.
    #[n(109)]
    TooManyOperations,
    /// The bytes do not have the announced hash.
    #[n(110)]
    HashMismatch,
    /// The bytes are not a wasm module.
    #[n(111)]
    NotWasm,
    /// Chunks are missing or out of order.
    #[n(112)]
    ChunkOutOfOrder,
    /// The pool has no policy on a signal of that name.
    #[n(113)]
    UnknownSignal,
    /// The spec is wrong, as the text says.
    #[n(114)]
    BadSpec,
    /// A member of a pool: recycle it instead.
    #[n(118)]
    Registered {
        /// Its role.
        #[n(0)]
        role: String,
        /// Its parent.
        #[n(1)]
        parent: Option<CanisterId>,
    },
    /// No role is recorded of it.
    #[n(119)]
    NoRole,
    /// No module is recorded of it.
    #[n(120)]
    NoModule,

    // Why a canister left.
    /// Released to another controller, or to its old role.
    #[n(115)]
    Exported,
    /// Given back to the platform by an operator.
    #[n(116)]
    Deleted,
    /// Lost, and struck from the books by an operator.
    #[n(117)]
    Forgotten,

    // What root lost and found.
    /// Root has not seen its own history yet: is its memory whole?
    #[n(140)]
    Unchecked,
    /// Root was reinstalled and its memory is gone: it does nothing before `recover`.
    #[n(141)]
    Recovering,
    /// Creations whose answers were lost are searched for; they count as bought.
    #[n(142)]
    SearchingLost,
    /// A creation whose answer was lost: its canister was found by its record.
    #[n(143)]
    Found,
    /// A creation whose answer was lost: its canister is not among the ids behind.
    #[n(144)]
    NotFound,
    /// Named to a root that lost its memory, or rebuilt by it.
    #[n(145)]
    Recovered,
    /// It runs something that no pool of the spec knows: looked into by an operator, or requeued.
    #[n(146)]
    UnknownTenant,
    /// It holds more cycles than a spare canister should: swept before it is Ready.
    #[n(147)]
    AboveSweepLine,
    /// Its last role is never reused: deleted.
    #[n(148)]
    NeverReused,
    /// Workers of a pool are its children: empty that pool first.
    #[n(149)]
    HasChildren,
    // How pools of workers scale.
    /// The signal of this name wants most workers.
    #[n(160)]
    DrivenBy(#[n(0)] String),
    /// No sample of the signal of this name is fresh.
    #[n(161)]
    Stale(#[n(0)] String),
    /// Taken from standby into service.
    #[n(163)]
    Promoted,
    /// Installed ahead of need; waits out of service.
    #[n(164)]
    Standby,
    /// Handed to a holder.
    #[n(165)]
    Leased,
    /// Its holder gave it back.
    #[n(166)]
    Released,
    /// Its holder did not renew the lease in time.
    #[n(167)]
    LeaseExpired,
    /// More workers on standby than wanted.
    #[n(168)]
    StandbySurplus,
    /// A new worker did not show in time that it works.
    #[n(169)]
    StartFailed,
    /// Its install succeeded; the start-up check is yet to come.
    #[n(170)]
    Starting,
    /// The module never started in the pool: a few installs at a time.
    #[n(171)]
    Probing,
    /// The free buffer decides.
    #[n(175)]
    Buffered,
    /// A window of the schedule decides.
    #[n(176)]
    Scheduled,
    /// Leases that found no free worker decide.
    #[n(177)]
    LeasesWanted,
    /// A total above its activation wakes the pool from zero.
    #[n(178)]
    Activated,
    /// Every value of the signal is missing: its fallback decides.
    #[n(179)]
    Fallback,
    /// Scaling of the pool is switched off in the spec.
    #[n(180)]
    Disabled,
    /// Leased or protected members are no victims; nobody else is left.
    #[n(182)]
    Spared,
    /// Fewer workers on standby than wanted.
    #[n(183)]
    StandbyShort,
    /// No worker is free to lease.
    #[n(190)]
    NoWorkerFree,
    /// The canister is not leased by the caller.
    #[n(191)]
    NotLeased,
    /// A parent or an operator asked for one more worker.
    #[n(200)]
    Requested,
    /// The spec gives the pool no leases.
    #[n(192)]
    NoLeases,
    /// The lease or the protection would be longer than the spec allows.
    #[n(193)]
    TtlTooLong,
    /// Policy wants no more workers.
    #[n(194)]
    NotAboveDemand,
    // Cycles.
    /// Root gave it cycles: this many.
    #[n(220)]
    ToppedUp(#[n(0)] Cycles),
    /// What root may pay today is spent.
    #[n(221)]
    BudgetSpent,
    // Upgrades of members.
    /// It runs another module than its role's now: it is being upgraded.
    #[n(222)]
    Outdated,
    /// It runs its role's module now.
    #[n(223)]
    Upgraded,
    /// It did not take its role's module, and is as it was.
    #[n(224)]
    RolledBack,
    /// It did not take its role's module, and could not be brought back; its snapshot is kept.
    #[n(225)]
    RollbackFailed,
    /// Too many members did not take the module: no further one gets it.
    #[n(226)]
    UpgradeStopped,
    /// Leased and protected members keep their module for now.
    #[n(227)]
    UpgradeWaits {
        /// When they do no more.
        #[n(0)]
        until: Nanos,
    },
    // Requests of members, and their children.
    /// No grant of the spec lets the caller's role ask for that.
    #[n(230)]
    NoGrant,
    /// The grant allows no further child: of this parent, or of all.
    #[n(231)]
    GrantUsedUp,
    /// The grant allows no child so deep below root.
    #[n(232)]
    TooDeep,
    /// The caller is not, or no longer, the tenant that it says it is.
    #[n(233)]
    StaleGeneration,
    /// The canister is not the caller's child.
    #[n(234)]
    NotAChild,
    /// Its parent leaves, and children leave first.
    #[n(235)]
    ParentLeaves,
    /// Its parent is gone: root has it now.
    #[n(236)]
    Adopted,
    // Operations under an id.
    /// The operation is under way.
    #[n(320)]
    Taken,
    /// The operation is done and answered.
    #[n(321)]
    Answered,
    /// It runs its role's module already.
    #[n(300)]
    UpToDate,
    /// Root cannot pay for the least that the spec asks for.
    #[n(301)]
    Unpayable,
    /// It was verified a day ago: a reset shows what was done to it since.
    #[n(340)]
    VerifiedLongAgo,
    /// Too many installs or members failed; voluntary actions stop.
    #[n(181)]
    BreakerOpen {
        /// When it is tried again.
        #[n(0)]
        until: Nanos,
    },
}

impl Reason {
    /// The stable number.
    pub fn code(&self) -> u16 {
        self.facts().0
    }

    /// The stable name, in kebab case.
    pub fn name(&self) -> &'static str {
        self.facts().1
    }

    fn facts(&self) -> (u16, &'static str) {
        match self {
            Reason::Bought => (0, "bought"),
            Reason::Imported => (1, "imported"),
            Reason::Recycled => (2, "recycled"),
            Reason::VerifiedEmpty => (3, "verified-empty"),
            Reason::Claimed => (4, "claimed"),
            Reason::Installed => (5, "installed"),
            Reason::ScaledIn => (6, "scaled-in"),
            Reason::LoadReturned => (7, "load-returned"),
            Reason::Idle => (8, "idle"),
            Reason::DrainDeadline => (9, "drain-deadline"),
            Reason::Requeued => (10, "requeued"),
            Reason::Surplus => (11, "surplus"),
            Reason::Refused(..) => (20, "refused"),
            Reason::NotExecuted(..) => (21, "not-executed"),
            Reason::Unknown(..) => (22, "unknown"),
            Reason::StopTimedOut => (23, "stop-timed-out"),
            Reason::Gone => (24, "gone"),
            Reason::NotControlled => (25, "not-controlled"),
            Reason::NotEmpty => (26, "not-empty"),
            Reason::WrongControllers => (27, "wrong-controllers"),
            Reason::WrongSettings => (28, "wrong-settings"),
            Reason::Unobservable => (29, "unobservable"),
            Reason::NotRunning => (30, "not-running"),
            Reason::BelowFloor => (31, "below-floor"),
            Reason::WrongModule => (32, "wrong-module"),
            Reason::Silent => (34, "silent"),
            Reason::Satisfied => (50, "satisfied"),
            Reason::BelowInitial => (51, "below-initial"),
            Reason::BelowMinimum => (52, "below-minimum"),
            Reason::AboveTarget => (53, "above-target"),
            Reason::BelowTarget => (54, "below-target"),
            Reason::WithinTolerance => (55, "within-tolerance"),
            Reason::AtMaximum => (56, "at-maximum"),
            Reason::AtMinimum => (57, "at-minimum"),
            Reason::Stabilising { .. } => (58, "stabilising"),
            Reason::RateLimited { .. } => (59, "rate-limited"),
            Reason::CoolingDown { .. } => (60, "cooling-down"),
            Reason::DisruptionBudget => (61, "disruption-budget"),
            Reason::NoReadyCanister => (62, "no-ready-canister"),
            Reason::SignalsMissing => (63, "signals-missing"),
            Reason::ModuleMissing => (64, "module-missing"),
            Reason::BackingOff { .. } => (65, "backing-off"),
            Reason::LaneFull => (66, "lane-full"),
            Reason::AtReserve => (67, "at-reserve"),
            Reason::Paused => (68, "paused"),
            Reason::RootStopping => (69, "root-stopping"),
            Reason::NoSpec => (71, "no-spec"),
            Reason::LostCreations => (72, "lost-creations"),
            Reason::UnprovenCanisters => (73, "unproven-canisters"),
            Reason::UnknownCanister => (100, "unknown-canister"),
            Reason::UnknownPool => (101, "unknown-pool"),
            Reason::WrongPhase => (102, "wrong-phase"),
            Reason::Unauthorised => (103, "unauthorised"),
            Reason::OperationConflict => (104, "operation-conflict"),
            Reason::BadOperationId => (105, "bad-operation-id"),
            Reason::OverLimit => (106, "over-limit"),
            Reason::AlreadyManaged => (107, "already-managed"),
            Reason::AbsurdSignal => (108, "absurd-signal"),
            Reason::TooManyOperations => (109, "too-many-operations"),
            Reason::HashMismatch => (110, "hash-mismatch"),
            Reason::NotWasm => (111, "not-wasm"),
            Reason::UnknownSignal => (113, "unknown-signal"),
            Reason::BadSpec => (114, "bad-spec"),
            Reason::Exported => (115, "exported"),
            Reason::Deleted => (116, "deleted"),
            Reason::Forgotten => (117, "forgotten"),
            Reason::Registered { .. } => (118, "registered"),
            Reason::NoRole => (119, "no-role"),
            Reason::NoModule => (120, "no-module"),
            Reason::ChunkOutOfOrder => (112, "chunk-out-of-order"),
            Reason::Unchecked => (140, "unchecked"),
            Reason::Recovering => (141, "recovering"),
            Reason::SearchingLost => (142, "searching-lost"),
            Reason::Found => (143, "found"),
            Reason::NotFound => (144, "not-found"),
            Reason::Recovered => (145, "recovered"),
            Reason::UnknownTenant => (146, "unknown-tenant"),
            Reason::AboveSweepLine => (147, "above-sweep-line"),
            Reason::NeverReused => (148, "never-reused"),
            Reason::HasChildren => (149, "has-children"),
            Reason::DrivenBy(..) => (160, "driven-by"),
            Reason::Stale(..) => (161, "stale"),
            Reason::Promoted => (163, "promoted"),
            Reason::Standby => (164, "standby"),
            Reason::Leased => (165, "leased"),
            Reason::Released => (166, "released"),
            Reason::LeaseExpired => (167, "lease-expired"),
            Reason::StandbySurplus => (168, "standby-surplus"),
            Reason::StartFailed => (169, "start-failed"),
            Reason::Starting => (170, "starting"),
            Reason::Probing => (171, "probing"),
            Reason::Buffered => (175, "buffered"),
            Reason::Scheduled => (176, "scheduled"),
            Reason::LeasesWanted => (177, "leases-wanted"),
            Reason::Activated => (178, "activated"),
            Reason::Fallback => (179, "fallback"),
            Reason::Disabled => (180, "disabled"),
            Reason::Spared => (182, "spared"),
            Reason::StandbyShort => (183, "standby-short"),
            Reason::NoWorkerFree => (190, "no-worker-free"),
            Reason::NotLeased => (191, "not-leased"),
            Reason::Requested => (200, "requested"),
            Reason::NoLeases => (192, "no-leases"),
            Reason::TtlTooLong => (193, "ttl-too-long"),
            Reason::NotAboveDemand => (194, "not-above-demand"),
            Reason::BreakerOpen { .. } => (181, "breaker-open"),
            Reason::ToppedUp(..) => (220, "topped-up"),
            Reason::BudgetSpent => (221, "budget-spent"),
            Reason::Outdated => (222, "outdated"),
            Reason::Upgraded => (223, "upgraded"),
            Reason::RolledBack => (224, "rolled-back"),
            Reason::RollbackFailed => (225, "rollback-failed"),
            Reason::UpgradeStopped => (226, "upgrade-stopped"),
            Reason::UpgradeWaits { .. } => (227, "upgrade-waits"),
            Reason::NoGrant => (230, "no-grant"),
            Reason::GrantUsedUp => (231, "grant-used-up"),
            Reason::TooDeep => (232, "too-deep"),
            Reason::StaleGeneration => (233, "stale-generation"),
            Reason::NotAChild => (234, "not-a-child"),
            Reason::ParentLeaves => (235, "parent-leaves"),
            Reason::Adopted => (236, "adopted"),
            Reason::Taken => (320, "taken"),
            Reason::Answered => (321, "answered"),
            Reason::UpToDate => (300, "up-to-date"),
            Reason::Unpayable => (301, "unpayable"),
            Reason::VerifiedLongAgo => (340, "verified-long-ago"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Reason::Refused(refusal) | Reason::NotExecuted(refusal) | Reason::Unknown(refusal) => {
                write!(f, " (code {}: {})", refusal.code, refusal.text)
            }
            Reason::Stabilising { until }
            | Reason::RateLimited { until }
            | Reason::CoolingDown { until }
            | Reason::BackingOff { until }
            | Reason::UpgradeWaits { until }
            | Reason::BreakerOpen { until } => write!(f, " until {} s", until.as_secs()),
            Reason::DrivenBy(signal) | Reason::Stale(signal) => write!(f, " ({signal})"),
            Reason::ToppedUp(cycles) => write!(f, " by {cycles}"),
            Reason::Registered { role, parent } => {
                write!(f, " as {role}")?;
                parent.map_or(Ok(()), |parent| write!(f, " under {parent}"))
            }
            _ => Ok(()),
        }
    }
}
