//! Snapshots of canisters: taken, loaded, listed and deleted. Their bytes go out and come in through
//! [`super::transfer`].

use std::collections::BTreeMap;

use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterIdRecord, ChangeDetails, DeleteCanisterSnapshotArgs, LoadCanisterSnapshotArgs,
    LoadSnapshotRecord, Snapshot, SnapshotSource, TakeCanisterSnapshotArgs,
};
use ic_principal::Principal;

use super::visibility::Visibility;
use super::{Handled, decode, reply, reply_nothing, stated_version};
use crate::machine::{Image, Parts};
use crate::reject::Reject;
use crate::saved::saved;
use crate::subnet::{LowMemoryHook, Request, Status, Subnet, origin_of};

/// Snapshots a canister may have (ENGINE facts: lifecycle).
const SNAPSHOTS_MAX: usize = 10;
/// What taking or loading one costs beside nothing else here.
const BASE_INSTRUCTIONS: u64 = 2_000_000_000;

/// One snapshot.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(super) owner: Principal,
    pub(super) content: Content,
    pub(super) certified_data: Vec<u8>,
    pub(super) chunks: BTreeMap<[u8; 32], Vec<u8>>,
    pub(super) timer_ns: u64,
    pub(super) low_memory: LowMemoryHook,
    pub(super) version: u64,
    pub(super) at_ns: u64,
    pub(super) bytes: u64,
}

/// Code and memory of a snapshot, by where they come from.
#[derive(Clone)]
pub(crate) enum Content {
    /// From a canister.
    Taken(Image),
    /// From outside, perhaps not all of it yet.
    Uploaded(Parts),
}

impl Taken {
    pub(super) fn source(&self) -> SnapshotSource {
        match self.content {
            Content::Taken(_) => SnapshotSource::TakenFromCanister(candid::Reserved),
            Content::Uploaded(_) => SnapshotSource::MetadataUpload(candid::Reserved),
        }
    }
}

/// All snapshots of the subnet by their ids. They outlive their canister's code.
#[derive(Clone, Default)]
pub(crate) struct Snapshots {
    pub(super) taken: BTreeMap<Vec<u8>, Taken>,
    next: u64,
}

impl Snapshots {
    pub(super) fn add(&mut self, taken: Taken) -> Vec<u8> {
        let mut id = self.next.to_be_bytes().to_vec();
        id.extend_from_slice(taken.owner.as_slice());
        self.next += 1;
        self.taken.insert(id.clone(), taken);
        id
    }

    fn of<'a>(&'a self, canister: &'a Principal) -> impl Iterator<Item = (&'a Vec<u8>, &'a Taken)> {
        self.taken
            .iter()
            .filter(move |(_, taken)| taken.owner == *canister)
    }
}

impl Subnet {
    pub(super) fn take_canister_snapshot(&mut self, request: &Request) -> Handled {
        let args: TakeCanisterSnapshotArgs = decode(&request.arg)?;
        let id = args.canister_id;
        let canister = self.controlled(&id, &request.origin)?;
        if canister.code.is_none() {
            return Err(Reject::no_module(&id));
        }
        let replaced = args.replace_snapshot;
        self.check_room(&id, replaced.as_deref())?;
        self.charge_snapshot(&id, BASE_INSTRUCTIONS)?;
        if let Some(replaced) = replaced {
            self.delete_snapshot(&replaced);
        }
        let snapshot = self.take_snapshot(&id);
        if args.uninstall_code == Some(true) {
            let by = origin_of(&request.origin, args.sender_canister_version);
            self.uninstall(&id, by);
        }
        reply(&snapshot)
    }

    /// A new snapshot replaces one of the canister, or is one of at most ten.
    pub(super) fn check_room(&self, id: &Principal, replaced: Option<&[u8]>) -> Result<(), Reject> {
        if let Some(replaced) = replaced {
            return self.snapshot_of(id, replaced).map(drop);
        }
        if self.snapshots.of(id).count() >= SNAPSHOTS_MAX {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!("Canister {id} has the {SNAPSHOTS_MAX} snapshots it may have"),
            ));
        }
        Ok(())
    }

    pub(super) fn charge_snapshot(
        &mut self,
        id: &Principal,
        instructions: u64,
    ) -> Result<(), Reject> {
        let cost = self.context.prices.instruction * u128::from(instructions);
        let freezing_limit = self.freezing_limit(id);
        let canister = self
            .canisters
            .get_mut(id)
            .ok_or_else(|| Reject::not_found(id))?;
        crate::subnet::prepay(canister, freezing_limit, cost)?;
        self.ledger
            .burn_taken(canister, crate::subnet::Use::Instructions, cost);
        self.management_spent += instructions;
        Ok(())
    }

    fn take_snapshot(&mut self, id: &Principal) -> Snapshot {
        let Subnet {
            canisters,
            machine,
            snapshots,
            time_ns,
            ..
        } = self;
        let canister = canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let code = canister.code.as_ref().expect("bug: a snapshot needs code");
        let bytes = canister.heap_bytes()
            + canister.stable_bytes()
            + code.module().raw_bytes()
            + canister.chunk_store_bytes();
        let taken = Taken {
            owner: *id,
            content: Content::Taken(machine.image(code)),
            certified_data: canister.certified_data.clone(),
            chunks: canister.chunks.clone(),
            timer_ns: canister.timer_ns,
            low_memory: canister.low_memory,
            version: canister.version,
            at_ns: *time_ns,
            bytes,
        };
        canister.snapshot_bytes += bytes;
        let snapshot_id = snapshots.add(taken);
        listed(&snapshot_id, &snapshots.taken[&snapshot_id])
    }

    pub(super) fn load_canister_snapshot(&mut self, request: &Request) -> Handled {
        let args: LoadCanisterSnapshotArgs = decode(&request.arg)?;
        let id = args.canister_id;
        let canister = self.controlled(&id, &request.origin)?;
        if !matches!(canister.status, Status::Running | Status::Stopped) {
            return Err(Reject::stopping(&id));
        }
        let owner = self.readable_snapshot(&args.snapshot_id, request)?;
        let image = match &self.snapshots.taken[&args.snapshot_id].content {
            Content::Taken(image) => image.clone(),
            Content::Uploaded(parts) => self
                .machine
                .assemble(parts)
                .map_err(|error| Reject::new(error.code, error.text))?,
        };
        self.charge_snapshot(&id, BASE_INSTRUCTIONS)?;
        self.load_snapshot(&id, owner, &args.snapshot_id, &image, request);
        reply_nothing()
    }

    /// A snapshot of another canister may be loaded by who may read it.
    pub(super) fn readable_snapshot(
        &self,
        snapshot: &[u8],
        request: &Request,
    ) -> Result<Principal, Reject> {
        let taken = self
            .snapshots
            .taken
            .get(snapshot)
            .ok_or_else(|| no_snapshot(snapshot))?;
        let sender = request.origin.principal();
        let owner = self.existing(&taken.owner)?;
        let may_read =
            owner.is_controller(&sender) || owner.settings.snapshot_visibility.is_open_to(&sender);
        if may_read {
            Ok(taken.owner)
        } else {
            Err(Reject::not_controller(&taken.owner, &sender))
        }
    }

    fn load_snapshot(
        &mut self,
        id: &Principal,
        owner: Principal,
        snapshot: &[u8],
        image: &Image,
        request: &Request,
    ) {
        let by = origin_of(&request.origin, stated_version(request));
        let Subnet {
            canisters,
            machine,
            snapshots,
            time_ns,
            ..
        } = self;
        let taken = &snapshots.taken[snapshot];
        let canister = canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        canister.code = Some(machine.restore(image));
        canister.certified_data.clone_from(&taken.certified_data);
        canister.chunks.clone_from(&taken.chunks);
        canister.low_memory = taken.low_memory;
        canister.tasks.clear();
        canister.version += 1;
        let change = ChangeDetails::LoadSnapshot(LoadSnapshotRecord {
            from_canister_id: (owner != *id).then_some(owner),
            snapshot_id: snapshot.to_vec(),
            canister_version: taken.version,
            taken_at_timestamp: taken.at_ns,
            source: taken.source(),
        });
        canister
            .history
            .record(*time_ns, canister.version, by, change);
        let timer_ns = taken.timer_ns;
        self.set_timer(id, timer_ns);
        self.reindex(id);
    }

    pub(super) fn list_canister_snapshots(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        self.controlled(&args.canister_id, &request.origin)?;
        let list: Vec<Snapshot> = self
            .snapshots
            .of(&args.canister_id)
            .map(|(id, taken)| listed(id, taken))
            .collect();
        reply(&list)
    }

    pub(super) fn delete_canister_snapshot(&mut self, request: &Request) -> Handled {
        let args: DeleteCanisterSnapshotArgs = decode(&request.arg)?;
        self.controlled(&args.canister_id, &request.origin)?;
        self.snapshot_of(&args.canister_id, &args.snapshot_id)?;
        self.delete_snapshot(&args.snapshot_id);
        reply_nothing()
    }

    pub(super) fn snapshot_of(
        &self,
        canister: &Principal,
        snapshot: &[u8],
    ) -> Result<&Taken, Reject> {
        self.snapshots
            .taken
            .get(snapshot)
            .filter(|taken| taken.owner == *canister)
            .ok_or_else(|| no_snapshot(snapshot))
    }

    pub(super) fn delete_snapshot(&mut self, snapshot: &[u8]) {
        if let Some(taken) = self.snapshots.taken.remove(snapshot)
            && let Some(canister) = self.canisters.get_mut(&taken.owner)
        {
            canister.snapshot_bytes -= taken.bytes;
        }
    }

    pub(crate) fn delete_snapshots_of(&mut self, canister: &Principal) {
        let ids: Vec<Vec<u8>> = self
            .snapshots
            .of(canister)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.delete_snapshot(&id);
        }
    }
}

fn listed(id: &[u8], taken: &Taken) -> Snapshot {
    Snapshot {
        id: id.to_vec(),
        taken_at_timestamp: taken.at_ns,
        total_size: taken.bytes,
    }
}

pub(super) fn no_snapshot(snapshot: &[u8]) -> Reject {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in snapshot.iter().take(64) {
        let _ = write!(hex, "{byte:02x}");
    }
    Reject::new(
        ErrorCode::CanisterSnapshotNotFound,
        format!("Could not find the snapshot with ID {hex}"),
    )
}

saved!(enum Content { 0 => Taken(image), 1 => Uploaded(parts) });
saved!(struct Taken {
    owner, content, certified_data, chunks, timer_ns, low_memory, version, at_ns, bytes,
});
saved!(struct Snapshots { taken, next });
