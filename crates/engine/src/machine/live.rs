//! Instances that can run: built from committed state, brought in line with it after every
//! message, and bounded in number. It owns the comparison of a live heap with its pages; what runs
//! in an instance is [`super::execute`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use wasmtime::{Engine, Global, Instance, Memory, Store, Table, V128, Val};

use super::code::{GlobalValue, Heap};
use super::host::Host;
use super::module::Module;
use super::pages::{PAGE_BYTES, Pages, ZERO_PAGE};
use super::rewrite;
use super::trap::Stop;
use super::trusted::watch::{self, Watch};

/// Instances kept; each takes 4 GiB of address space (not of memory) and a few mappings.
const MAX_INSTANCES: usize = 128;

/// An instance whose heap and globals are those of a [`super::code::Code`] between messages.
pub(super) struct Live {
    pub(super) store: Store<Host>,
    pub(super) instance: Instance,
    pub(super) table: Option<Table>,
    memory: Option<Memory>,
    globals: Vec<Global>,
    /// Notices writes to the heap; without it every page is compared.
    watch: Option<Watch>,
    used: u64,
}

/// How a live heap differs from the committed one.
#[derive(Default)]
pub(super) struct Changed {
    /// Indexes of pages of 4 KiB.
    pub(super) pages: Vec<usize>,
    /// Pages that were compared to find them.
    looked_at: usize,
}

/// All instances, by the id of their code.
#[derive(Default)]
pub(super) struct Instances {
    by_code: BTreeMap<u64, Live>,
    clock: u64,
}

impl Instances {
    /// Takes the instance of a code out; it is put back with [`Instances::put`] if it stays good.
    pub(super) fn take(&mut self, code: u64) -> Option<Live> {
        self.by_code.remove(&code)
    }

    /// Keeps an instance, and lets the one that was not used for longest go if there are too many.
    pub(super) fn put(&mut self, code: u64, mut live: Live) {
        self.clock += 1;
        live.used = self.clock;
        self.by_code.insert(code, live);
        if self.by_code.len() > MAX_INSTANCES {
            let oldest = self.by_code.iter().min_by_key(|(_, live)| live.used);
            let oldest = oldest.map(|(code, _)| *code);
            self.by_code
                .remove(&oldest.expect("bug: instances were counted"));
        }
    }
}

impl Live {
    /// A new instance with the module's initial state.
    pub(super) fn new(
        engine: &Engine,
        module: &wasmtime::InstancePre<Host>,
        mutable_globals: &[u32],
    ) -> Result<Self, Stop> {
        let mut store = Store::new(engine, Host::new());
        store.limiter(|host| host);
        let instance = module
            .instantiate(&mut store)
            .map_err(|error| Stop::from_error(&error, 0))?;
        let memory = instance.get_memory(&mut store, rewrite::MEMORY);
        let table = instance.get_table(&mut store, rewrite::TABLE);
        let globals = mutable_globals
            .iter()
            .map(|&index| {
                instance
                    .get_global(&mut store, &rewrite::global_name(index))
                    .expect("bug: the rewrite exports every mutable global")
            })
            .collect();
        store.data_mut().memory = memory;
        Ok(Live {
            store,
            instance,
            table,
            memory,
            globals,
            watch: None,
            used: 0,
        })
    }

    /// Its memory has 64-bit addresses.
    pub(super) fn is_wide(&self) -> bool {
        let memory = self.memory.map(|memory| memory.ty(&self.store));
        memory.is_some_and(|memory| memory.is_64())
    }

    /// An instance with this state.
    pub(super) fn rebuild(
        engine: &Engine,
        module: &Arc<Module>,
        heap: &Heap,
    ) -> Result<Self, Stop> {
        let mut live = Live::new(engine, &module.pre, &module.facts.mutable_globals)?;
        let missing = heap.size - live.size();
        if let Some(memory) = live.memory {
            if missing > 0 {
                memory
                    .grow(&mut live.store, missing)
                    .map_err(|error| Stop::from_error(&error, 0))?;
            }
            let target = memory.data_mut(&mut live.store);
            for index in heap.pages.not_shared_with(&module.initial.pages) {
                page_mut(target, index).copy_from_slice(heap.pages.bytes(index));
            }
        }
        live.set_globals(&heap.globals);
        Ok(live)
    }

    /// Size of the heap in pages of 64 KiB.
    pub(super) fn size(&self) -> u64 {
        self.memory.map_or(0, |memory| memory.size(&self.store))
    }

    /// Begins to watch the heap, so that later comparisons look at few pages.
    pub(super) fn watch(&mut self) {
        if let Some(memory) = self.memory {
            let base = memory.data_ptr(&self.store);
            let bytes = memory.data_size(&self.store);
            self.watch = watch::arm(&mut self.store, base, bytes);
        }
    }

    /// Pages of 4 KiB whose content differs from the committed one, ascending.
    pub(super) fn changed(&self, committed: &Pages) -> Changed {
        let Some(memory) = self.memory else {
            return Changed::default();
        };
        let (pages, rest) = memory.data(&self.store).as_chunks::<PAGE_BYTES>();
        debug_assert!(rest.is_empty(), "bug: a heap is whole pages");
        let base = memory.data_ptr(&self.store);
        let watch = self.watch.as_ref().filter(|watch| watch.starts_at(base));
        let suspects = match watch {
            Some(watch) => watch.suspects(pages.len()),
            None => (0..pages.len()).collect(),
        };
        let looked_at = suspects.len();
        let differs = |index: &usize| pages[*index] != *committed.bytes(*index);
        Changed {
            pages: suspects.into_iter().filter(differs).collect(),
            looked_at,
        }
    }

    /// Ends a message: what was looked at decides whether the heap is protected anew.
    fn settle(&mut self, looked_at: usize) {
        let (Some(memory), Some(watch)) = (self.memory, &self.watch) else {
            return;
        };
        let base = memory.data_ptr(&self.store);
        let bytes = memory.data_size(&self.store);
        if !watch.covers(base, bytes) || !watch.rest(looked_at) {
            self.watch();
        }
    }

    /// Makes the instance's state the committed one.
    pub(super) fn commit(&mut self, changed: &Changed, heap: &mut Heap) {
        if let Some(memory) = self.memory {
            let (pages, _) = memory.data(&self.store).as_chunks::<PAGE_BYTES>();
            for &index in &changed.pages {
                *heap.pages.bytes_mut(index) = pages[index];
            }
            heap.size = memory.size(&self.store);
        }
        heap.globals = self.read_globals();
        self.settle(changed.looked_at);
    }

    /// Makes the committed state the instance's; `false` if that takes a new instance, since a
    /// heap cannot shrink.
    pub(super) fn restore(&mut self, changed: &Changed, heap: &Heap) -> bool {
        if self.size() != heap.size {
            return false;
        }
        if let Some(memory) = self.memory {
            let target = memory.data_mut(&mut self.store);
            for &index in &changed.pages {
                page_mut(target, index).copy_from_slice(heap.pages.bytes(index));
            }
        }
        self.set_globals(&heap.globals);
        self.settle(changed.looked_at);
        true
    }

    /// The state before any code ran; `data` says where the heap may differ from zeros.
    pub(super) fn initial(&mut self, data: Option<&[Range<u64>]>) -> Heap {
        let mut heap = Heap::default();
        if let Some(memory) = self.memory {
            let (pages, _) = memory.data(&self.store).as_chunks::<PAGE_BYTES>();
            for index in pages_of(data, pages.len()) {
                if pages[index] != ZERO_PAGE {
                    heap.pages.replace(index, Some(Arc::new(pages[index])));
                }
            }
            heap.size = memory.size(&self.store);
        }
        heap.globals = self.read_globals();
        heap
    }

    fn read_globals(&mut self) -> Vec<GlobalValue> {
        let store = &mut self.store;
        let read = |global: &Global| match global.get(&mut *store) {
            Val::I32(value) => GlobalValue::I32(value.cast_unsigned()),
            Val::I64(value) => GlobalValue::I64(value.cast_unsigned()),
            Val::F32(bits) => GlobalValue::F32(bits),
            Val::F64(bits) => GlobalValue::F64(bits),
            Val::V128(value) => GlobalValue::V128(value.as_u128()),
            other => unreachable!("bug: a global holds {other:?}"),
        };
        self.globals.iter().map(read).collect()
    }

    fn set_globals(&mut self, values: &[GlobalValue]) {
        for (global, value) in self.globals.iter().zip(values) {
            let value = match *value {
                GlobalValue::I32(value) => Val::I32(value.cast_signed()),
                GlobalValue::I64(value) => Val::I64(value.cast_signed()),
                GlobalValue::F32(bits) => Val::F32(bits),
                GlobalValue::F64(bits) => Val::F64(bits),
                GlobalValue::V128(value) => Val::V128(V128::from(value)),
            };
            global
                .set(&mut self.store, value)
                .expect("bug: a mutable global takes a value of its own type");
        }
    }
}

/// Indexes of the pages that these bytes lie on, or of all.
fn pages_of(data: Option<&[Range<u64>]>, all: usize) -> BTreeSet<usize> {
    let pages = |bytes: &Range<u64>| {
        let first = bytes.start as usize / PAGE_BYTES;
        first..(bytes.end as usize).div_ceil(PAGE_BYTES).min(all)
    };
    match data {
        Some(data) => data.iter().flat_map(pages).collect(),
        None => (0..all).collect(),
    }
}

fn page_mut(heap: &mut [u8], index: usize) -> &mut [u8] {
    &mut heap[index * PAGE_BYTES..(index + 1) * PAGE_BYTES]
}
