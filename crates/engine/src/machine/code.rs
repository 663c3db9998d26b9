//! The committed state of a canister's code: heap, globals, stable memory, module. It owns
//! snapshots and their bytes; instances that run it are [`super::live`]'s.

use std::sync::Arc;

use super::error::ImageError;
use super::module::Module;
use super::pages::{PAGE_BYTES, Pages};
use super::stable::{MAX_STABLE_PAGES, StableMemory, WASM_PAGE_BYTES};

/// Value of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobalValue {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
}

/// Heap and mutable globals between two messages.
#[derive(Clone, Default)]
pub(super) struct Heap {
    pub(super) pages: Pages,
    /// Pages of 64 KiB.
    pub(super) size: u64,
    pub(super) globals: Vec<GlobalValue>,
}

impl Heap {
    /// Whether an instance that starts as `initial` can get into this state.
    pub(super) fn fits(&self, initial: &Heap) -> bool {
        let same_type = |(one, two): (&GlobalValue, &GlobalValue)| {
            std::mem::discriminant(one) == std::mem::discriminant(two)
        };
        (initial.size..=MAX_HEAP_PAGES).contains(&self.size)
            && self.globals.len() == initial.globals.len()
            && self.globals.iter().zip(&initial.globals).all(same_type)
    }
}

/// Pages of 4 KiB in so many pages of 64 KiB.
pub(super) fn page_count(size: u64) -> u64 {
    size.saturating_mul(WASM_PAGE_BYTES / PAGE_BYTES as u64)
}

/// Installed code with its state, as of the last message that was kept.
pub struct Code {
    pub(super) id: u64,
    pub(super) state: Image,
}

/// A snapshot of a [`Code`]: cheap to take and to clone, since all pages are shared.
#[derive(Clone)]
pub struct Image {
    pub(super) module: Arc<Module>,
    pub(super) heap: Heap,
    pub(super) stable: StableMemory,
}

impl Code {
    /// What runs.
    pub fn module(&self) -> &Arc<Module> {
        &self.state.module
    }

    /// Bytes of the heap.
    pub fn heap_bytes(&self) -> u64 {
        self.state.heap_bytes()
    }

    /// Bytes of stable memory.
    pub fn stable_bytes(&self) -> u64 {
        self.state.stable.size_bytes()
    }

    /// Bytes that the mutable globals take.
    pub fn globals_bytes(&self) -> u64 {
        self.state.heap.globals.len() as u64 * 8
    }

    /// Stable memory.
    pub fn stable(&self) -> &StableMemory {
        &self.state.stable
    }

    /// Replaces stable memory, for tests and backdoors of a subnet; no message may be running.
    pub fn set_stable(&mut self, stable: StableMemory) {
        self.state.stable = stable;
    }

    /// Bytes of the heap from `offset` on; fewer where the heap ends.
    pub fn read_heap(&self, offset: u64, length: u64) -> Vec<u8> {
        self.state.read_heap(offset, length)
    }
}

impl Image {
    /// What ran when the image was taken.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// Bytes of heap, stable memory and globals.
    pub fn bytes(&self) -> u64 {
        self.heap_bytes() + self.stable.size_bytes() + self.heap.globals.len() as u64 * 8
    }

    /// Bytes of the heap.
    pub fn heap_bytes(&self) -> u64 {
        self.heap.size * WASM_PAGE_BYTES
    }

    /// Bytes of the heap from `offset` on; fewer where the heap ends.
    pub fn read_heap(&self, offset: u64, length: u64) -> Vec<u8> {
        let end = offset.saturating_add(length).min(self.heap_bytes());
        let mut bytes = vec![0; end.saturating_sub(offset) as usize];
        self.heap.pages.read(offset as usize, &mut bytes);
        bytes
    }

    /// Stable memory.
    pub fn stable(&self) -> &StableMemory {
        &self.stable
    }

    /// Mutable globals in the order of their indexes.
    pub(crate) fn globals(&self) -> &[GlobalValue] {
        &self.heap.globals
    }

    /// The image as plain bytes, without the module: equal images give equal bytes.
    ///
    /// ```text
    /// version 1 │ module hash 32 │ globals: count 4, each type 1 + value 16
    /// │ heap: size 8, pages 8, each index 8 + content 4096 │ stable memory: likewise
    /// ```
    /// All numbers are little-endian; pages of zeros are left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        bytes.extend(self.module.hash);
        bytes.extend((self.heap.globals.len() as u32).to_le_bytes());
        for global in &self.heap.globals {
            let (kind, value) = match *global {
                GlobalValue::I32(value) => (0, u128::from(value)),
                GlobalValue::I64(value) => (1, u128::from(value)),
                GlobalValue::F32(value) => (2, u128::from(value)),
                GlobalValue::F64(value) => (3, u128::from(value)),
                GlobalValue::V128(value) => (4, value),
            };
            bytes.push(kind);
            bytes.extend(value.to_le_bytes());
        }
        write_pages(&mut bytes, self.heap.size, &self.heap.pages);
        write_pages(&mut bytes, self.stable.size(), self.stable.pages());
        bytes
    }

    /// The image in bytes that [`Image::to_bytes`] wrote for this module.
    ///
    /// # Errors
    /// [`ImageError`]: the bytes are damaged, of another layout or of another module.
    pub fn from_bytes(bytes: &[u8], module: &Arc<Module>) -> Result<Self, ImageError> {
        let mut reader = Reader(bytes);
        match reader.array::<1>()?[0] {
            LAYOUT => {}
            version => return Err(ImageError::Version(version)),
        }
        if reader.array::<32>()? != module.hash {
            return Err(ImageError::OtherModule);
        }
        let globals = reader.globals(&module.initial.globals)?;
        let (size, pages) = reader.pages(MAX_HEAP_PAGES)?;
        let (stable_size, stable_pages) = reader.pages(MAX_STABLE_PAGES)?;
        if !reader.0.is_empty() || size < module.initial.size {
            return Err(ImageError::Malformed);
        }
        Ok(Image {
            module: module.clone(),
            heap: Heap {
                pages,
                size,
                globals,
            },
            stable: StableMemory::from_parts(stable_size, stable_pages),
        })
    }
}

const LAYOUT: u8 = 1;
pub(super) const MAX_HEAP_PAGES: u64 = 65_536;

fn write_pages(bytes: &mut Vec<u8>, size: u64, pages: &Pages) {
    let zero = |&index: &usize| pages.bytes(index).iter().any(|byte| *byte != 0);
    let written: Vec<usize> = pages.written().filter(zero).collect();
    bytes.extend(size.to_le_bytes());
    bytes.extend((written.len() as u64).to_le_bytes());
    for index in written {
        bytes.extend((index as u64).to_le_bytes());
        bytes.extend(pages.bytes(index));
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(ImageError::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u64, ImageError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Values of the same number and types as the module's.
    fn globals(&mut self, like: &[GlobalValue]) -> Result<Vec<GlobalValue>, ImageError> {
        if u32::from_le_bytes(self.array()?) as usize != like.len() {
            return Err(ImageError::Malformed);
        }
        like.iter().map(|like| self.global(like)).collect()
    }

    fn global(&mut self, like: &GlobalValue) -> Result<GlobalValue, ImageError> {
        let kind = self.array::<1>()?[0];
        let value = u128::from_le_bytes(self.array()?);
        let narrow = u32::try_from(value).map_err(|_| ImageError::Malformed);
        let long = u64::try_from(value).map_err(|_| ImageError::Malformed);
        match (kind, like) {
            (0, GlobalValue::I32(_)) => Ok(GlobalValue::I32(narrow?)),
            (1, GlobalValue::I64(_)) => Ok(GlobalValue::I64(long?)),
            (2, GlobalValue::F32(_)) => Ok(GlobalValue::F32(narrow?)),
            (3, GlobalValue::F64(_)) => Ok(GlobalValue::F64(long?)),
            (4, GlobalValue::V128(_)) => Ok(GlobalValue::V128(value)),
            _ => Err(ImageError::Malformed),
        }
    }

    fn pages(&mut self, max_size: u64) -> Result<(u64, Pages), ImageError> {
        let size = self.number()?;
        if size > max_size {
            return Err(ImageError::Malformed);
        }
        let mut pages = Pages::default();
        for _ in 0..self.number()? {
            let index = self.number()?;
            if index >= size * (WASM_PAGE_BYTES / PAGE_BYTES as u64) {
                return Err(ImageError::Malformed);
            }
            let page = self.array::<PAGE_BYTES>()?;
            pages.replace(index as usize, Some(Arc::new(page)));
        }
        Ok((size, pages))
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Code({:?}, {} heap bytes)",
            self.state.module,
            self.heap_bytes()
        )
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({:?}, {} bytes)", self.module, self.bytes())
    }
}
