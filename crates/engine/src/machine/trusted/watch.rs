//! Finds out which pages of a live heap may have been written, at a cost that grows with them and
//! not with the heap. It owns page protection; comparing contents is [`super::super::live`]'s.
//!
//! A watched heap is write-protected. The first write to a page faults; the handler notes the page
//! and unprotects it. Noted pages stay writable from message to message, since a canister writes
//! the same few again and again, until they are too many and all are protected anew.
//!
//! This is an optimisation alone: what counts as changed is decided by content, so a platform
//! without it ([`arm`] answers `None`) gives equal results, more slowly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use wasmtime::Store;
use wasmtime::unix::StoreExt as _;

use crate::machine::host::Host;
use crate::machine::pages::PAGE_BYTES;

/// Noted pages above which all are protected anew. Every run of them is a mapping of the process,
/// and there are 128 instances against the kernel's usual 65,530 mappings.
const MAX_NOTED: usize = 128;
/// Faults of one message after which a fault unprotects a whole block.
const SINGLE_FAULTS: usize = 32;
/// Pages of a block.
const BLOCK_PAGES: usize = 64;

/// A heap under watch.
pub(in crate::machine) struct Watch(Arc<Notes>);

/// What the fault handler reads and writes.
struct Notes {
    base: usize,
    pages: usize,
    /// One bit per page that is writable.
    noted: Box<[AtomicU64]>,
    /// All pages are writable: the kernel refused to split a mapping.
    all: AtomicBool,
    /// Faults since the last message ended.
    faults: AtomicUsize,
}

/// Protects a heap of `bytes` at `base`, which must be the memory of this store's instance.
///
/// `None` if the heap is empty or the platform cannot do it.
pub(in crate::machine) fn arm(
    store: &mut Store<Host>,
    base: *mut u8,
    bytes: usize,
) -> Option<Watch> {
    // SAFETY: `sysconf` only reads a constant of the system.
    let system_page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let pages = bytes / PAGE_BYTES;
    let aligned = base.addr().is_multiple_of(PAGE_BYTES) && bytes.is_multiple_of(PAGE_BYTES);
    if pages == 0 || !aligned || usize::try_from(system_page) != Ok(PAGE_BYTES) {
        return None;
    }
    let words = (0..pages.div_ceil(64)).map(|_| AtomicU64::new(0));
    let notes = Arc::new(Notes {
        base: base.expose_provenance(),
        pages,
        noted: words.collect(),
        all: AtomicBool::new(false),
        faults: AtomicUsize::new(0),
    });
    let handler = notes.clone();
    // SAFETY: the handler is async-signal-safe: it touches atomics, allocated before, and calls
    // `mprotect`. It answers `true` only for a write fault in the watched heap that it resolved.
    // wasmtime runs it for every fault below this store's calls, in code of the canister and in
    // our system calls alike; between calls we write noted pages only.
    unsafe {
        store.set_signal_handler(move |signal, info, _| {
            signal == libc::SIGSEGV && handler.resolve((*info).si_addr().addr())
        });
    }
    notes.protect().then_some(Watch(notes))
}

impl Watch {
    /// Whether this watch is on the heap at `base` with `bytes`.
    pub(in crate::machine) fn covers(&self, base: *mut u8, bytes: usize) -> bool {
        self.0.base == base.addr() && self.0.pages * PAGE_BYTES == bytes
    }

    /// Whether the heap still starts where it did.
    pub(in crate::machine) fn starts_at(&self, base: *mut u8) -> bool {
        self.0.base == base.addr()
    }

    /// Indexes of pages that may have been written, ascending, among the first `pages`. Pages that
    /// were added since the watch began are among them.
    pub(in crate::machine) fn suspects(&self, pages: usize) -> Vec<usize> {
        let notes = &self.0;
        if notes.all.load(Ordering::Relaxed) {
            return (0..pages).collect();
        }
        let mut suspects = Vec::new();
        for (number, word) in notes.noted.iter().enumerate() {
            let mut bits = word.load(Ordering::Relaxed);
            while bits != 0 {
                suspects.push(number * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
        suspects.extend(notes.pages..pages);
        suspects
    }

    /// Ends a message that had so many suspects: protects all pages anew if they are many.
    /// `false` if the watch is lost.
    pub(in crate::machine) fn rest(&self, suspects: usize) -> bool {
        let notes = &self.0;
        notes.faults.store(0, Ordering::Relaxed);
        if suspects <= MAX_NOTED {
            return true;
        }
        notes.all.store(false, Ordering::Relaxed);
        for word in &notes.noted {
            word.store(0, Ordering::Relaxed);
        }
        notes.protect()
    }
}

impl Notes {
    /// Protects all pages, or none.
    fn protect(&self) -> bool {
        if self.set_protection(0, self.pages, libc::PROT_READ) {
            return true;
        }
        let writable = self.set_protection(0, self.pages, libc::PROT_READ | libc::PROT_WRITE);
        assert!(writable, "bug: a heap stays protected without a watch");
        false
    }

    /// Handles a fault at `address`: `true` if it was a first write to a protected page.
    fn resolve(&self, address: usize) -> bool {
        let Some(offset) = address.checked_sub(self.base) else {
            return false;
        };
        let page = offset / PAGE_BYTES;
        if page >= self.pages || self.all.load(Ordering::Relaxed) || self.is_noted(page) {
            return false;
        }
        let many = self.faults.fetch_add(1, Ordering::Relaxed) >= SINGLE_FAULTS;
        let (first, count) = if many {
            let first = page / BLOCK_PAGES * BLOCK_PAGES;
            (first, BLOCK_PAGES.min(self.pages - first))
        } else {
            (page, 1)
        };
        for page in first..first + count {
            self.noted[page / 64].fetch_or(1 << (page % 64), Ordering::Relaxed);
        }
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        if self.set_protection(first, count, writable) {
            return true;
        }
        self.all.store(true, Ordering::Relaxed);
        self.set_protection(0, self.pages, writable)
    }

    fn is_noted(&self, page: usize) -> bool {
        self.noted[page / 64].load(Ordering::Relaxed) & (1 << (page % 64)) != 0
    }

    fn set_protection(&self, first: usize, count: usize, protection: libc::c_int) -> bool {
        let start = std::ptr::with_exposed_provenance_mut(self.base + first * PAGE_BYTES);
        // SAFETY: the range lies in the heap that `arm` was given, which the instance keeps mapped
        // as long as the store lives, and this watch is dropped with it. Reading stays allowed, so
        // shared slices of the heap stay valid; writes are resolved by the handler.
        unsafe { libc::mprotect(start, count * PAGE_BYTES, protection) == 0 }
    }
}
