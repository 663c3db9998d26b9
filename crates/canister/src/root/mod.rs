//! The control plane in a canister: [`root!`](crate::root!) exports it.
//!
//! Owns the one state of this canister, where it lives in stable memory, and the way of every
//! input: decide, apply, and the message ends. What to do is decided in `hatchery-core`; the calls
//! are `effects`, the repeated planning is `tick`.

mod argument;
mod effects;
mod endpoint;
mod entry;
mod explain;
mod history;
pub mod http;
mod hub;
mod lifecycle;
mod management;
mod method;
mod observation;
mod outcome;
mod tick;
mod view;
mod warm_pool;

pub use hatchery_api::ROOT_DID;

use hatchery_core::{
    Checkpoint, Decision, Ended, Event, Input, Memories, Operation, State, decide,
};
use hatchery_types::{Nanos, Reason};
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};
use ic_stable_structures::{DefaultMemoryImpl, Memory};
use std::cell::RefCell;

/// Stable memory as root uses it: a part of the canister's one `MemoryManager`.
pub type Stable = VirtualMemory<DefaultMemoryImpl>;

/// Where root's memories come from; asked once for each number below [`MEMORIES`], and it must
/// answer the same after every upgrade.
pub type MemorySource = fn(u8) -> Stable;

/// How many memories root needs.
pub const MEMORIES: u8 = Memories::<Stable>::COUNT;

/// Pages of a bucket of the ready-made memory manager: 1 MiB, since most memories stay small.
const BUCKET_PAGES: u16 = 16;

thread_local! {
    static STATE: RefCell<Option<State<Stable>>> = const { RefCell::new(None) };
    static MANAGER: MemoryManager<DefaultMemoryImpl> =
        MemoryManager::init_with_bucket_size(DefaultMemoryImpl::default(), BUCKET_PAGES);
}

/// The memories of a root that has the canister to itself.
pub fn own_memory(index: u8) -> Stable {
    MANAGER.with(|manager| manager.get(MemoryId::new(index)))
}

/// Opens the state, or traps: a root without a readable state must not run.
fn open(memory: MemorySource) {
    match State::open(Memories::new(memory)) {
        Ok(state) => STATE.set(Some(state)),
        Err(error) => ic_cdk::trap(format!("the state cannot be opened: {error}")),
    }
}

/// Reads the state.
fn with_state<R>(read: impl FnOnce(&State<Stable>) -> R) -> R {
    STATE.with_borrow(|state| read(state.as_ref().expect("bug: no state before init")))
}

/// The platform's clock, constant within a message.
fn now() -> Nanos {
    Nanos(ic0::time())
}

/// Decides on an input and writes what follows; the caller makes the calls of its effects.
fn feed(input: &Input) -> Decision {
    STATE.with_borrow_mut(|state| {
        let state = state.as_mut().expect("bug: no state before init");
        let before = ic0::performance_counter(0);
        let (decision, step) = take_in(state, now(), input);
        if let Some(step) = step {
            let spent = ic0::performance_counter(0).saturating_sub(before);
            state.apply(now(), Event::Measured(step, spent));
        }
        decision
    })
}

/// Counts an operation that was refused before it became an input.
fn count_refused(operation: Operation, reason: &Reason) {
    STATE.with_borrow_mut(|state| {
        let state = state.as_mut().expect("bug: no state before init");
        let failed = Event::Counted(operation, Ended::Failed, reason.name());
        state.apply(now(), failed);
    });
}

/// Counts what a message with a call of that method took; of a query nothing stays.
fn count_served(method: &'static str) {
    STATE.with_borrow_mut(|state| {
        let state = state.as_mut().expect("bug: no state before init");
        state.apply(now(), Event::Served(method, ic0::performance_counter(0)));
    });
}

fn take_in<M: Memory>(
    state: &mut State<M>,
    now: Nanos,
    input: &Input,
) -> (Decision, Option<Checkpoint>) {
    let mut decision = decide(state, now, input);
    let step = Checkpoint::of(&decision);
    for event in decision.events.drain(..) {
        state.apply(now, event);
    }
    (decision, step)
}

/// The entry points behind [`root!`](crate::root!).
#[doc(hidden)]
pub mod exports {
    pub use super::endpoint::entries::*;
    pub use super::explain::entries::*;
    pub use super::hub::entries::*;
    pub use super::lifecycle::{init, post_upgrade, pre_upgrade};
    pub use super::method::{inspect, inspect_shared};
}

/// Exports the control plane: `root.did`, the life-cycle hooks and the interface's metadata.
///
/// `root!()` takes the canister's stable memory for itself. `root!(memory)`, with a
/// [`MemorySource`], lets root share the canister's `MemoryManager` with an application; that
/// application must not export `canister_init`, `canister_pre_upgrade`, `canister_post_upgrade` or
/// `canister_inspect_message` itself; its own methods pass root's inspection. `http_request` and the
/// certified data stay the application's; [`http`] has what root would have said. With a function
/// behind the memories, `root!(memory, start)`, that runs after the install and after every upgrade:
/// for the application's timers.
#[macro_export]
macro_rules! root {
    () => {
        $crate::root!(@ $crate::root::own_memory, inspect, true, || {});
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::root_entries! { "canister_query http_request" => http_request }
        };
    };
    ($memory:path) => {
        $crate::root!(@ $memory, inspect_shared, false, || {});
    };
    ($memory:path, $start:path) => {
        $crate::root!(@ $memory, inspect_shared, false, $start);
    };
    (@ $memory:path, $inspect:ident, $web:literal, $start:expr) => {
        $crate::candid_service!($crate::root::ROOT_DID);
        const _: fn() = $start;
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(export_name = "canister_init")]
            extern "C" fn init() {
                $crate::root::exports::init($memory, $web);
                ($start)();
            }
            #[unsafe(export_name = "canister_post_upgrade")]
            extern "C" fn post_upgrade() {
                $crate::root::exports::post_upgrade($memory, $web);
                ($start)();
            }
            $crate::root_entries! {
                "canister_pre_upgrade" => pre_upgrade,
                "canister_inspect_message" => $inspect,
                "canister_update apply_spec" => apply_spec,
                "canister_update stage_chunk" => stage_chunk,
                "canister_update commit_module" => commit_module,
                "canister_update command" => command,
                "canister_update report" => report,
                "canister_update report_pool" => report_pool,
                "canister_update protect" => protect,
                "canister_update lease" => lease,
                "canister_update renew" => renew,
                "canister_update release" => release,
                "canister_update create_worker" => create_worker,
                "canister_update request" => request,
                "canister_update hatchery_tick" => hatchery_tick,
                "canister_query status" => status,
                "canister_query canisters" => canisters,
                "canister_query pool_status" => pool_status,
                "canister_query pool_list" => pool_list,
                "canister_query workers" => workers,
                "canister_query plan" => plan,
                "canister_query plan_create_worker" => plan_create_worker,
                "canister_query why" => why,
                "canister_query decisions" => decisions,
                "canister_query replay" => replay,
                "canister_query metrics" => metrics,
                "canister_query events" => events,
                "canister_query effects" => effects,
                "canister_query export" => export,
                "canister_query spec" => spec,
                "canister_query violations" => violations,
            }
        };
    };
}

/// One exported function per entry point.
#[doc(hidden)]
#[macro_export]
macro_rules! root_entries {
    ($($export:literal => $entry:ident),* $(,)?) => {
        $(
            #[unsafe(export_name = $export)]
            extern "C" fn $entry() {
                $crate::root::exports::$entry();
            }
        )*
    };
}
