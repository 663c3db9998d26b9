//! A canister's state in pieces, as it is uploaded: bytes of the module, of heap and stable memory,
//! and globals. It owns bounds; whether the pieces make code that can run is found out when they
//! are put together.

use super::code::{GlobalValue, Heap, Image, MAX_HEAP_PAGES};
use super::error::ModuleError;
use super::pages::{PAGE_BYTES, Pages};
use super::stable::{MAX_STABLE_PAGES, OutOfBounds, StableMemory, WASM_PAGE_BYTES};
use super::unpack::MAX_WASM_BYTES;
use super::{Machine, Module};
use crate::saved::saved;

/// So many bytes, zero until written. Unwritten pages cost nothing.
#[derive(Clone, Default)]
pub(crate) struct Piece {
    pages: Pages,
    bytes: u64,
}

impl Piece {
    fn new(bytes: u64) -> Self {
        Piece {
            pages: Pages::default(),
            bytes,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn read(&self, offset: u64, size: u64) -> Result<Vec<u8>, OutOfBounds> {
        self.check(offset, size)?;
        let mut bytes = vec![0; size as usize];
        self.pages.read(offset as usize, &mut bytes);
        Ok(bytes)
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(offset, bytes.len() as u64)?;
        self.pages.write(offset as usize, bytes);
        Ok(())
    }

    fn check(&self, offset: u64, size: u64) -> Result<(), OutOfBounds> {
        match offset.checked_add(size) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(OutOfBounds),
        }
    }
}

/// The pieces of one state.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    pub(crate) wasm: Piece,
    pub(crate) heap: Piece,
    pub(crate) stable: Piece,
    globals: Vec<GlobalValue>,
}

impl Parts {
    /// Room for pieces of these sizes in bytes; `None` if no canister can be so large.
    pub(crate) fn new(
        wasm: u64,
        heap: u64,
        stable: u64,
        globals: Vec<GlobalValue>,
    ) -> Option<Self> {
        let whole_pages = |bytes: u64, most: u64| {
            bytes.is_multiple_of(WASM_PAGE_BYTES) && bytes / WASM_PAGE_BYTES <= most
        };
        let fits = wasm <= MAX_WASM_BYTES
            && whole_pages(heap, MAX_HEAP_PAGES)
            && whole_pages(stable, MAX_STABLE_PAGES);
        fits.then(|| Parts {
            wasm: Piece::new(wasm),
            heap: Piece::new(heap),
            stable: Piece::new(stable),
            globals,
        })
    }

    pub(crate) fn globals(&self) -> &[GlobalValue] {
        &self.globals
    }

    /// Bytes of all pieces, written or not.
    pub(crate) fn bytes(&self) -> u64 {
        self.wasm.bytes + self.heap.bytes + self.stable.bytes
    }
}

impl Machine {
    /// The state that the pieces make.
    ///
    /// # Errors
    /// The module is refused, or cannot have this heap and these globals.
    pub(crate) fn assemble(&mut self, parts: &Parts) -> Result<Image, ModuleError> {
        let mut wasm = vec![0; parts.wasm.bytes as usize];
        parts.wasm.pages.read(0, &mut wasm);
        let module = self.load(&wasm)?;
        let heap = Heap {
            pages: parts.heap.pages.clone(),
            size: parts.heap.bytes / WASM_PAGE_BYTES,
            globals: parts.globals.clone(),
        };
        if !heap.fits(&module.initial) {
            return Err(ModuleError::new(
                "the uploaded globals or memory are not those of the uploaded module",
            ));
        }
        let stable_pages = parts.stable.bytes / WASM_PAGE_BYTES;
        Ok(Image {
            module,
            heap,
            stable: StableMemory::from_parts(stable_pages, parts.stable.pages.clone()),
        })
    }

    /// Code of a new module that keeps the main memory of the old (interface specification,
    /// section `install_code`, `wasm_memory_persistence`): globals begin anew, and active segments
    /// of the new module do not reach the memory.
    pub(crate) fn upgrade_keeping(
        &mut self,
        module: &std::sync::Arc<Module>,
        old: &Image,
    ) -> super::Code {
        let heap = Heap {
            pages: old.heap.pages.clone(),
            size: old.heap.size.max(module.initial.size),
            globals: module.initial.globals.clone(),
        };
        self.restore(&Image {
            module: module.clone(),
            heap,
            stable: old.stable.clone(),
        })
    }
}

impl Pages {
    /// Writes bytes from `offset` on.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = at % PAGE_BYTES;
            let length = rest.len().min(PAGE_BYTES - start);
            let (chunk, tail) = rest.split_at(length);
            self.bytes_mut(at / PAGE_BYTES)[start..start + length].copy_from_slice(chunk);
            rest = tail;
            at += length;
        }
    }
}

saved!(struct Piece { pages, bytes });
saved!(struct Parts { wasm, heap, stable, globals });
