//! Runs one message on an instance and decides what stays. It owns the whole-message atomicity:
//! after a trap, heap, globals, stable memory and effects are as if nothing had run.

use wasmtime::{Instance, Ref, Store};

use super::code::Code;
use super::host::Host;
use super::live::Live;
use super::module::export_name;
use super::rewrite;
use super::trap::Stop;
use super::trusted::lend;
use super::{Keep, Machine};
use crate::message::{Callback, Effects, Entry, Execution, Message, Mode};

/// Instructions per 4 KiB page that a message dirtied: of the heap, pages whose content it changed;
/// of stable memory, pages it wrote. So does the platform: of the heap's written pages it charges
/// those that differ from what they were, of stable memory all (dfinity/ic,
/// `rs/embedders/src/wasmtime_embedder.rs`, `page_accesses` and `run`).
const DIRTY_PAGE_COST: u64 = 1_000;

/// What entering the code came to.
struct Run {
    result: Result<(), Stop>,
    instructions: u64,
}

impl Machine {
    /// Runs one message.
    ///
    /// With [`Keep::OnReturn`] memory stays changed if the entry returned; after a trap, and always
    /// with [`Keep::Never`], it is as before. Effects are reported in both cases, but after a trap
    /// only logs. A missing method is a trap, a missing hook returns at once.
    pub fn run(&mut self, code: &mut Code, message: &Message<'_>, keep: Keep) -> Execution {
        let mut live = match self.live(code) {
            Ok(live) => live,
            Err(stop) => return failed(stop, message),
        };
        let stable = std::mem::take(&mut code.state.stable);
        live.store.data_mut().begin(message, stable);
        let mut run = lend::lend(
            &mut live,
            |live| &mut live.store.data_mut().lent,
            message,
            |live| enter(live, message),
        );
        let changed = live.changed(&code.state.heap.pages);
        let dirtied = changed.pages.len() as u64 + live.store.data().stable.dirtied();
        charge_pages(&mut run, dirtied, message.instruction_limit);

        let commit = run.result.is_ok() && keep == Keep::OnReturn;
        let whole = if commit {
            live.commit(&changed, &mut code.state.heap);
            live.store.data_mut().stable.keep();
            true
        } else {
            live.store.data_mut().stable.revert();
            live.restore(&changed, &code.state.heap)
        };
        code.state.stable = std::mem::take(&mut live.store.data_mut().stable);
        let effects = live.store.data_mut().take_effects();
        // Dropped segments are state that cannot be restored; on the platform they come back with
        // every message, so such an instance serves one message only.
        if whole && !code.state.module.facts.drops_segments {
            self.instances.put(code.id, live);
        }
        conclude(run, effects, message)
    }

    fn live(&mut self, code: &Code) -> Result<Live, Stop> {
        if let Some(live) = self.instances.take(code.id) {
            return Ok(live);
        }
        let module = self.at_home(&code.state.module);
        let mut live = Live::rebuild(&self.engine, &module, &code.state.heap)?;
        if self.watches_heaps {
            live.watch();
        }
        Ok(live)
    }
}

fn charge_pages(run: &mut Run, pages: u64, limit: u64) {
    run.instructions += pages * DIRTY_PAGE_COST;
    if run.instructions > limit {
        run.instructions = limit;
        if run.result.is_ok() {
            run.result = Err(Stop::out_of_instructions(limit));
        }
    }
}

fn conclude(run: Run, mut effects: Effects, message: &Message<'_>) -> Execution {
    let result = run.result.map_err(|stop| {
        let mut logs = std::mem::take(&mut effects.logs);
        logs.push(format!("[TRAP]: {}", stop.log).into_bytes());
        effects = Effects {
            logs,
            ..Effects::default()
        };
        stop.of(&message.canister.id)
    });
    Execution {
        result,
        instructions: run.instructions,
        effects,
    }
}

fn failed(stop: Stop, message: &Message<'_>) -> Execution {
    let run = Run {
        result: Err(stop),
        instructions: 0,
    };
    conclude(run, Effects::default(), message)
}

fn enter(live: &mut Live, message: &Message<'_>) -> Run {
    let limit = message.instruction_limit;
    live.store
        .set_fuel(limit)
        .expect("bug: the engine meters fuel");
    let result = check_heap_limit(live).and_then(|()| match message.entry {
        Entry::Callback(callback) => call_back(live, callback, limit),
        _ => call_exports(live, message),
    });
    let left = live.store.get_fuel().expect("bug: the engine meters fuel");
    let surcharge = live.store.data().surcharge;
    let used = limit.saturating_sub(left).saturating_add(surcharge);
    let ran_out = matches!(&result, Err(stop)
        if stop.code == ic_error_types::ErrorCode::CanisterInstructionLimitExceeded);
    Run {
        result,
        instructions: if ran_out { limit } else { used },
    }
}

/// A heap above the limit refuses what the limit binds, grown or not.
fn check_heap_limit(live: &Live) -> Result<(), Stop> {
    let bytes = live.size() * super::stable::WASM_PAGE_BYTES;
    match live.store.data().heap_limit() {
        Some(limit) if bytes > limit => Err(Stop::wasm_memory_limit(bytes, limit)),
        _ => Ok(()),
    }
}

fn call_exports(live: &mut Live, message: &Message<'_>) -> Result<(), Stop> {
    let limit = message.instruction_limit;
    let Live {
        store, instance, ..
    } = live;
    if matches!(message.entry, Entry::Init | Entry::PostUpgrade) {
        store.data_mut().mode = Mode::Start;
        call_export(store, instance, rewrite::START, limit)?;
        store.data_mut().mode = message.mode;
    }
    let name = export_name(&message.entry).expect("bug: callbacks are not exports");
    let found = call_export(store, instance, &name, limit)?;
    match (&message.entry, found) {
        (Entry::Update(name), false) => Err(Stop::no_method("update", name)),
        (Entry::Query(name), false) => Err(Stop::no_method("query", name)),
        (Entry::CompositeQuery(name), false) => Err(Stop::no_method("composite_query", name)),
        _ => Ok(()),
    }
}

/// Calls an export if there is one.
fn call_export(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &str,
    limit: u64,
) -> Result<bool, Stop> {
    let Some(function) = instance.get_func(&mut *store, name) else {
        return Ok(false);
    };
    let function = function
        .typed::<(), ()>(&*store)
        .map_err(|_| Stop::wrong_signature())?;
    match function.call(store, ()) {
        Ok(()) => Ok(true),
        Err(error) => Err(Stop::from_error(&error, limit)),
    }
}

fn call_back(live: &mut Live, callback: Callback, limit: u64) -> Result<(), Stop> {
    let missing = || Stop::no_function(callback.function);
    let table = live.table.ok_or_else(missing)?;
    let index = u64::from(callback.function);
    let Some(Ref::Func(Some(function))) = table.get(&mut live.store, index) else {
        return Err(missing());
    };
    let environment = callback.environment;
    let called = if live.is_wide() {
        let function = function.typed::<u64, ()>(&live.store);
        let function = function.map_err(|_| Stop::wrong_signature())?;
        function.call(&mut live.store, environment.into())
    } else {
        let function = function.typed::<u32, ()>(&live.store);
        let function = function.map_err(|_| Stop::wrong_signature())?;
        function.call(&mut live.store, environment)
    };
    called.map_err(|error| Stop::from_error(&error, limit))
}
