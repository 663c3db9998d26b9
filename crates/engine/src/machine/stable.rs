//! Stable memory of a canister: sparse, cheap to clone, undone by message. It owns bounds and
//! undo; what an access costs and who may make it is the System API's business.

use std::collections::BTreeMap;

use super::pages::{PAGE_BYTES, Page, Pages};

/// Bytes of a WebAssembly page, in which stable memory grows.
pub const WASM_PAGE_BYTES: u64 = 65_536;
/// Stable memory is at most 500 GiB (interface specification, "Stable memory").
pub const MAX_STABLE_PAGES: u64 = 500 * 1024 * 1024 * 1024 / WASM_PAGE_BYTES;

/// A canister's stable memory. Unwritten pages cost nothing; a clone shares all pages.
#[derive(Clone, Default)]
pub struct StableMemory {
    pages: Pages,
    size: u64,
    undo: Undo,
}

/// What must be put back when the message under execution traps.
#[derive(Clone, Default)]
struct Undo {
    size: u64,
    pages: BTreeMap<usize, Option<Page>>,
}

/// An access outside of `0..size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stable memory out of bounds")]
pub struct OutOfBounds;

impl StableMemory {
    /// Size in pages of 64 KiB.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size * WASM_PAGE_BYTES
    }

    /// Whether [`StableMemory::grow`] by so many pages would succeed.
    pub fn can_grow(&self, pages: u64) -> bool {
        pages <= MAX_STABLE_PAGES - self.size
    }

    /// Adds pages of zeros and returns the old size, or `None` above [`MAX_STABLE_PAGES`].
    pub fn grow(&mut self, pages: u64) -> Option<u64> {
        if !self.can_grow(pages) {
            return None;
        }
        let grown = self.size + pages;
        Some(std::mem::replace(&mut self.size, grown))
    }

    /// Reads into `into` from byte `offset` on.
    ///
    /// # Errors
    /// [`OutOfBounds`]; nothing is read then.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(offset, into.len() as u64)?;
        self.pages.read(offset as usize, into);
        Ok(())
    }

    /// Writes `bytes` from byte `offset` on.
    ///
    /// # Errors
    /// [`OutOfBounds`]; nothing is written then.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(offset, bytes.len() as u64)?;
        let mut at = offset as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = at % PAGE_BYTES;
            let length = rest.len().min(PAGE_BYTES - start);
            let (chunk, tail) = rest.split_at(length);
            let page = at / PAGE_BYTES;
            let pages = &mut self.pages;
            self.undo
                .pages
                .entry(page)
                .or_insert_with(|| pages.get(page).cloned());
            self.pages.bytes_mut(page)[start..start + length].copy_from_slice(chunk);
            rest = tail;
            at += length;
        }
        Ok(())
    }

    fn check(&self, offset: u64, length: u64) -> Result<(), OutOfBounds> {
        match offset.checked_add(length) {
            Some(end) if end <= self.size_bytes() => Ok(()),
            _ => Err(OutOfBounds),
        }
    }

    /// Opens the undo journal of a message.
    pub(super) fn begin(&mut self) {
        self.undo.size = self.size;
        self.undo.pages.clear();
    }

    /// Pages of 4 KiB written since [`StableMemory::begin`].
    pub(super) fn dirtied(&self) -> u64 {
        self.undo.pages.len() as u64
    }

    /// What [`StableMemory::dirtied`] would be after a write of so many bytes.
    pub(super) fn would_dirty(&self, offset: u64, length: u64) -> u64 {
        let end = offset.saturating_add(length);
        if length == 0 || end > self.size_bytes() {
            return self.dirtied();
        }
        let pages = offset as usize / PAGE_BYTES..(end as usize).div_ceil(PAGE_BYTES);
        let known = self.undo.pages.range(pages.clone()).count();
        self.dirtied() + (pages.len() - known) as u64
    }

    /// Keeps what was written since [`StableMemory::begin`].
    pub(super) fn keep(&mut self) {
        self.undo.pages.clear();
    }

    /// Puts back what was there at [`StableMemory::begin`].
    pub(super) fn revert(&mut self) {
        for (index, page) in std::mem::take(&mut self.undo.pages) {
            self.pages.replace(index, page);
        }
        self.size = self.undo.size;
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(super) fn from_parts(size: u64, pages: Pages) -> Self {
        StableMemory {
            pages,
            size,
            undo: Undo::default(),
        }
    }
}

impl std::fmt::Debug for StableMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StableMemory({} pages of 64 KiB)", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_across_pages_are_read_back() {
        let mut stable = StableMemory::default();
        assert_eq!(stable.grow(2), Some(0));
        let bytes: Vec<u8> = (0..10_000).map(|n| (n % 251) as u8).collect();
        stable.write(4_000, &bytes).unwrap();
        let mut back = vec![0; 10_000];
        stable.read(4_000, &mut back).unwrap();
        assert_eq!(back, bytes);
    }

    #[test]
    fn bounds_are_exact_and_overflow_is_caught() {
        let mut stable = StableMemory::default();
        stable.grow(1).unwrap();
        assert_eq!(stable.write(65_535, &[1]), Ok(()));
        assert_eq!(stable.write(65_536, &[]), Ok(()));
        assert_eq!(stable.write(65_536, &[1]), Err(OutOfBounds));
        assert_eq!(stable.write(u64::MAX, &[1]), Err(OutOfBounds));
        assert_eq!(stable.grow(u64::MAX), None);
        assert_eq!(stable.grow(MAX_STABLE_PAGES), None);
        assert_eq!(stable.grow(MAX_STABLE_PAGES - 1), Some(1));
    }

    #[test]
    fn revert_restores_size_and_bytes_and_leaves_clones_alone() {
        let mut stable = StableMemory::default();
        stable.grow(1).unwrap();
        stable.write(10, b"old").unwrap();
        stable.begin();
        stable.grow(1).unwrap();
        stable.write(10, b"new").unwrap();
        stable.write(70_000, b"far").unwrap();
        let fork = stable.clone();
        assert_eq!(stable.dirtied(), 2);
        stable.revert();
        assert_eq!(stable.size(), 1);
        let mut back = [0; 3];
        stable.read(10, &mut back).unwrap();
        assert_eq!(&back, b"old");
        stable.grow(1).unwrap();
        stable.read(70_000, &mut back).unwrap();
        assert_eq!(back, [0; 3]);
        fork.read(70_000, &mut back).unwrap();
        assert_eq!(&back, b"far");
    }
}
