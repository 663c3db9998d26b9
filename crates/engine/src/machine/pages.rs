//! A sparse, shared image of bytes in pages of 4 KiB. It owns how pages are shared and copied; it
//! knows nothing of canisters, limits or undo.
//!
//! ```text
//! Pages ── leaf 0 ──► [page 0 │ page 1 │ … │ page 255]    1 MiB, shared until written
//!       ── (none)     1 MiB of zeros costs nothing
//!       ── leaf 2 ──► …
//! ```

use std::sync::Arc;

/// Bytes of a page, the unit the platform charges dirtied memory in.
pub const PAGE_BYTES: usize = 4096;
/// Pages of a leaf.
const LEAF_PAGES: usize = 256;
/// What a page that was never written holds.
pub(crate) static ZERO_PAGE: [u8; PAGE_BYTES] = [0; PAGE_BYTES];

/// The content of one page.
pub(crate) type Page = Arc<[u8; PAGE_BYTES]>;
type Leaf = [Option<Page>; LEAF_PAGES];

/// A sparse image: unwritten pages are zero and cost nothing; a clone costs one reference per MiB.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    leaves: Vec<Option<Arc<Leaf>>>,
}

impl Pages {
    /// The page with this index, if it was ever written.
    pub(crate) fn get(&self, index: usize) -> Option<&Page> {
        let leaf = self.leaves.get(index / LEAF_PAGES)?.as_ref()?;
        leaf[index % LEAF_PAGES].as_ref()
    }

    /// The bytes of a page; zeros if it was never written.
    pub(crate) fn bytes(&self, index: usize) -> &[u8; PAGE_BYTES] {
        self.get(index).map_or(&ZERO_PAGE, |page| page)
    }

    /// Copies bytes from `offset` on; what was never written is zero.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) {
        let mut at = offset;
        let mut rest = into;
        while !rest.is_empty() {
            let start = at % PAGE_BYTES;
            let length = rest.len().min(PAGE_BYTES - start);
            let (chunk, tail) = rest.split_at_mut(length);
            chunk.copy_from_slice(&self.bytes(at / PAGE_BYTES)[start..start + length]);
            rest = tail;
            at += length;
        }
    }

    /// Whether both images share the very same page (or both have none).
    pub(crate) fn shares(&self, other: &Pages, index: usize) -> bool {
        match (self.get(index), other.get(index)) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// Puts a page in place and returns what was there.
    pub(crate) fn replace(&mut self, index: usize, page: Option<Page>) -> Option<Page> {
        std::mem::replace(self.slot(index), page)
    }

    /// The page with this index for writing, created or unshared as needed.
    pub(crate) fn bytes_mut(&mut self, index: usize) -> &mut [u8; PAGE_BYTES] {
        Arc::make_mut(self.slot(index).get_or_insert_with(|| Arc::new(ZERO_PAGE)))
    }

    fn slot(&mut self, index: usize) -> &mut Option<Page> {
        let leaf = index / LEAF_PAGES;
        if leaf >= self.leaves.len() {
            self.leaves.resize(leaf + 1, None);
        }
        let leaf = self.leaves[leaf].get_or_insert_with(|| Arc::new([const { None }; LEAF_PAGES]));
        &mut Arc::make_mut(leaf)[index % LEAF_PAGES]
    }

    /// Indexes of all written pages, ascending.
    pub(crate) fn written(&self) -> impl Iterator<Item = usize> + '_ {
        let leaves = self.leaves.iter().enumerate();
        leaves.flat_map(|(number, leaf)| {
            let pages = leaf.iter().flat_map(|leaf| leaf.iter().enumerate());
            pages.filter_map(move |(page, content)| {
                content.as_ref().map(|_| number * LEAF_PAGES + page)
            })
        })
    }

    /// Indexes of pages that the two images do not share, ascending.
    pub(crate) fn not_shared_with<'a>(
        &'a self,
        other: &'a Pages,
    ) -> impl Iterator<Item = usize> + 'a {
        let leaves = self.leaves.len().max(other.leaves.len());
        (0..leaves)
            .filter(|&leaf| !same_leaf(self.leaves.get(leaf), other.leaves.get(leaf)))
            .flat_map(|leaf| leaf * LEAF_PAGES..(leaf + 1) * LEAF_PAGES)
            .filter(|&page| !self.shares(other, page))
    }
}

fn same_leaf(one: Option<&Option<Arc<Leaf>>>, two: Option<&Option<Arc<Leaf>>>) -> bool {
    match (one.and_then(Option::as_ref), two.and_then(Option::as_ref)) {
        (None, None) => true,
        (Some(one), Some(two)) => Arc::ptr_eq(one, two),
        _ => false,
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pages({} written)", self.written().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_until_written() {
        let mut one = Pages::default();
        one.bytes_mut(3)[0] = 7;
        one.bytes_mut(700)[1] = 8;
        let two = one.clone();
        assert_eq!(one.not_shared_with(&two).count(), 0);
        one.bytes_mut(700)[1] = 9;
        assert_eq!(one.not_shared_with(&two).collect::<Vec<_>>(), [700]);
        assert_eq!((one.bytes(700)[1], two.bytes(700)[1]), (9, 8));
        assert_eq!(one.written().collect::<Vec<_>>(), [3, 700]);
        assert_eq!(one.bytes(4), &ZERO_PAGE);
    }

    #[test]
    fn replace_returns_what_was_there() {
        let mut pages = Pages::default();
        assert!(pages.replace(1, Some(Arc::new([5; PAGE_BYTES]))).is_none());
        assert_eq!(pages.replace(1, None).unwrap()[0], 5);
        assert!(pages.get(1).is_none());
    }
}
