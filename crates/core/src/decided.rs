//! The decision log's shapes: what a pool's plan looked at, what it was, and the same plan again
//! from what was kept.
//!
//! Owns bytes and their meaning; when an entry is written is `decide`'s, where it lives `state`'s.

use crate::limits;
use crate::plan::{PoolPlan, PoolView, plan};
use crate::record::PoolRecord;
use crate::state::Member;
use crate::storage::encode;
use hatchery_types::{CanisterId, ModuleHash, Nanos, PoolSpec, UpgradeSpec};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A plan of a pool that changed something, or said something new.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decided {
    /// When.
    #[n(0)]
    pub at: Nanos,
    /// Of which pool.
    #[n(1)]
    pub pool: String,
    /// Number of the pool's decision before this one; 0 = none.
    #[n(2)]
    pub before: u64,
    /// Number of the decision whose view is whole, from which this view's changes count; 0 = this
    /// view is whole itself.
    #[n(3)]
    pub base: u64,
    /// SHA-256 of the whole view.
    #[n(4)]
    pub digest: ModuleHash,
    /// CBOR of the view, or of what changed in it since the decision before; empty = too large.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub view: Vec<u8>,
    /// CBOR of the [`PoolPlan`].
    #[cbor(n(6), with = "minicbor::bytes")]
    pub plan: Vec<u8>,
}

impl Decided {
    /// The plan.
    pub fn plan(&self) -> Option<PoolPlan> {
        minicbor::decode(&self.plan).ok()
    }
}

/// Since which decision's view which members changed; on the heap alone: a new root begins with a
/// whole view.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Number of the decision with the whole view.
    pub(crate) base: u64,
    /// Decisions since then.
    pub(crate) since_base: u32,
    /// Members that changed since the last one, those that left too.
    pub(crate) changed: BTreeSet<CanisterId>,
}

/// A view, whole or only what changed in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Part {
    #[n(0)]
    now: Nanos,
    /// None = as before.
    #[n(1)]
    spec: Option<PoolSpec>,
    #[n(2)]
    record: PoolRecord,
    /// All, or those that changed.
    #[n(3)]
    members: Vec<Member>,
    /// Those that left.
    #[n(4)]
    gone: Vec<CanisterId>,
    #[n(5)]
    ready: Vec<CanisterId>,
    #[n(6)]
    install_room: u32,
    #[n(7)]
    payable: bool,
    #[n(8)]
    module: Option<ModuleHash>,
    #[n(9)]
    paused_up: bool,
    #[n(10)]
    paused_down: bool,
    #[n(11)]
    unreserved: u32,
    #[n(12)]
    upgrade: Option<UpgradeSpec>,
}

impl Part {
    fn whole(view: &PoolView<'_>) -> Part {
        Part {
            now: view.now,
            spec: Some(view.spec.clone()),
            record: view.record.clone(),
            members: view.members.clone(),
            gone: Vec::new(),
            ready: view.ready.clone(),
            install_room: view.install_room,
            payable: view.payable,
            module: view.module,
            paused_up: view.paused_up,
            paused_down: view.paused_down,
            unreserved: view.unreserved,
            upgrade: view.upgrade,
        }
    }

    /// Of a whole view, what is told when the view before is known; the spec did not change since.
    fn changes(self, changed: &BTreeSet<CanisterId>) -> Part {
        let (mut members, mut gone) = (self.members, changed.clone());
        members.retain(|it| gone.remove(&it.canister));
        Part {
            spec: None,
            members,
            gone: gone.into_iter().collect(),
            ..self
        }
    }

    /// The view after it changed.
    fn then(self, next: Part) -> Part {
        let mut members = BTreeMap::new();
        for member in self.members {
            members.insert(member.canister, member);
        }
        for gone in &next.gone {
            members.remove(gone);
        }
        for member in next.members {
            members.insert(member.canister, member);
        }
        Part {
            spec: next.spec.or(self.spec),
            members: members.into_values().collect(),
            gone: Vec::new(),
            ..next
        }
    }

    fn plan(&self) -> Option<PoolPlan> {
        Some(plan(&PoolView {
            now: self.now,
            spec: self.spec.as_ref()?,
            record: &self.record,
            members: self.members.clone(),
            ready: self.ready.clone(),
            install_room: self.install_room,
            payable: self.payable,
            module: self.module,
            paused_up: self.paused_up,
            paused_down: self.paused_down,
            unreserved: self.unreserved,
            upgrade: self.upgrade,
        }))
    }
}

/// The entry for a plan, behind the decision `before`; with what is known since a whole view, only
/// the changes are kept.
pub(crate) fn entry(
    view: &PoolView<'_>,
    plan: &PoolPlan,
    before: u64,
    noted: Option<&Noted>,
) -> Decided {
    let whole = Part::whole(view);
    let digest = ModuleHash(Sha256::digest(encode(&whole)).into());
    let (base, part) = match noted {
        None => (0, whole),
        Some(noted) => (noted.base, whole.changes(&noted.changed)),
    };
    let mut bytes = encode(&part);
    if bytes.len() > limits::DECISION_BYTES_MAX {
        bytes.clear();
    }
    Decided {
        at: view.now,
        pool: view.spec.name.clone(),
        before,
        base,
        digest,
        view: bytes,
        plan: encode(plan),
    }
}

/// Plans again what a pool's decisions looked at: the first view is whole, each further one says
/// what changed; the plan of the last one, and the digest of its whole view.
pub fn replay(views: &[Vec<u8>]) -> Option<(Vec<u8>, ModuleHash)> {
    let mut parts = views.iter().map(|bytes| minicbor::decode::<Part>(bytes));
    let first = parts.next()?.ok()?;
    let view = parts.try_fold(first, |view, next| Some(view.then(next.ok()?)))?;
    let digest = ModuleHash(Sha256::digest(encode(&view)).into());
    Some((encode(&view.plan()?), digest))
}
