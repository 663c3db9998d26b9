//! A compiled module and what it says about itself. It owns no running state.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::InstancePre;

use super::code::Heap;
use super::host::Host;
use super::rewrite;
use super::validate::{Facts, Metadata, MethodKind};
use crate::message::Entry;

/// A module that passed all checks, compiled. Shared by all canisters that run it.
pub struct Module {
    pub(super) hash: [u8; 32],
    pub(super) wasm: Arc<[u8]>,
    pub(super) facts: Facts,
    pub(super) pre: InstancePre<Host>,
    /// Heap and globals as an instance has them before any code ran.
    pub(super) initial: Heap,
}

impl Module {
    /// SHA-256 of the bytes as uploaded (gzip is not removed).
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The bytes as uploaded.
    pub fn wasm(&self) -> &Arc<[u8]> {
        &self.wasm
    }

    /// Exported methods by name.
    pub fn methods(&self) -> &BTreeMap<String, MethodKind> {
        &self.facts.methods
    }

    /// How a method is exported, if it is.
    pub fn method(&self, name: &str) -> Option<MethodKind> {
        self.facts.methods.get(name).copied()
    }

    /// Whether there is a function to enter. Callbacks are decided at run time: `true`.
    pub fn has(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Callback(_) => true,
            Entry::Start => self.facts.start.is_some(),
            entry => self.has_export(entry),
        }
    }

    /// Custom sections `icp:public <name>` and `icp:private <name>`, by name.
    pub fn metadata(&self) -> &BTreeMap<String, Metadata> {
        &self.facts.metadata
    }

    /// Bytes as uploaded.
    pub fn raw_bytes(&self) -> u64 {
        self.wasm.len() as u64
    }

    /// WebAssembly instructions of the code; compiling costs 6,000 each on the first install.
    pub fn wasm_instructions(&self) -> u64 {
        self.facts.instructions
    }

    /// Its memory has 64-bit addresses (wasm64).
    pub fn is_wide(&self) -> bool {
        self.facts.is_wide()
    }

    fn has_export(&self, entry: &Entry) -> bool {
        let method = |name: &str, kind| self.method(name) == Some(kind);
        match entry {
            Entry::Update(name) => method(name, MethodKind::Update),
            Entry::Query(name) => method(name, MethodKind::Query),
            Entry::CompositeQuery(name) => method(name, MethodKind::CompositeQuery),
            entry => export_name(entry).is_some_and(|name| self.facts.hooks.contains(&name)),
        }
    }
}

/// The export an entry enters; `None` for callbacks, which are entered by table index.
pub(super) fn export_name(entry: &Entry) -> Option<String> {
    let method = |kind: MethodKind, name: &str| format!("{}{name}", kind.prefix());
    Some(match entry {
        Entry::Update(name) => method(MethodKind::Update, name),
        Entry::Query(name) => method(MethodKind::Query, name),
        Entry::CompositeQuery(name) => method(MethodKind::CompositeQuery, name),
        Entry::Init => "canister_init".into(),
        Entry::PreUpgrade => "canister_pre_upgrade".into(),
        Entry::PostUpgrade => "canister_post_upgrade".into(),
        Entry::Start => rewrite::START.into(),
        Entry::InspectMessage(_) => "canister_inspect_message".into(),
        Entry::Heartbeat => "canister_heartbeat".into(),
        Entry::GlobalTimer => "canister_global_timer".into(),
        Entry::OnLowWasmMemory => "canister_on_low_wasm_memory".into(),
        Entry::Callback(_) => return None,
    })
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = &self.hash;
        write!(
            f,
            "Module({:02x}{:02x}{:02x}{:02x}…)",
            hash[0], hash[1], hash[2], hash[3]
        )
    }
}
