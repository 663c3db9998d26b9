//! The work itself: a queue of jobs, hashed slice by slice, and the results until collected.
//!
//! Owns no clock, no timer and no caller: those are the canister's.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// Jobs in the queue and results not collected, together, at most.
pub(crate) const JOBS_MAX: usize = 200;
/// Longest id, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 64;
/// Largest document, in bytes.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Most hashes of one job.
pub(crate) const TIMES_MAX: u32 = 1_000_000;

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    id: String,
    /// The document, then the digest so far.
    bytes: Vec<u8>,
    /// Hashes still to do.
    left: u32,
}

/// Queue and results.
#[derive(Debug, Default)]
pub(crate) struct Work {
    queue: VecDeque<Job>,
    results: BTreeMap<String, Hash>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    Queued,
    Done(Hash),
}

impl Work {
    /// Jobs not yet done.
    pub(crate) fn depth(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Nothing queued and nothing uncollected.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.results.is_empty()
    }

    /// As many jobs as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() + self.results.len() >= JOBS_MAX
    }

    /// Where the job of that id stands.
    pub(crate) fn standing(&self, id: &str) -> Standing {
        if let Some(hash) = self.results.get(id) {
            return Standing::Done(*hash);
        }
        // At most JOBS_MAX entries.
        if self.queue.iter().any(|job| job.id == id) {
            Standing::Queued
        } else {
            Standing::Unknown
        }
    }

    /// Appends a job; the caller has checked that it may.
    pub(crate) fn push(&mut self, id: String, document: Vec<u8>, times: u32) {
        assert!(times > 0, "bug: a job without work");
        self.queue.push_back(Job {
            id,
            bytes: document,
            left: times,
        });
    }

    /// Does at most `hashes` hashes, oldest job first.
    pub(crate) fn advance(&mut self, hashes: u32) {
        let mut left = hashes;
        while left > 0
            && let Some(job) = self.queue.front_mut()
        {
            let now = left.min(job.left);
            for _ in 0..now {
                job.bytes = Sha256::digest(&job.bytes).to_vec();
            }
            left -= now;
            job.left -= now;
            if job.left == 0 {
                self.finish_first();
            }
        }
    }

    fn finish_first(&mut self) {
        let job = self.queue.pop_front().expect("bug: no first job");
        let hash = job.bytes.try_into().expect("bug: a digest has 32 bytes");
        self.results.insert(job.id, hash);
    }

    /// Takes the results that are there.
    pub(crate) fn collect(&mut self, ids: Vec<String>) -> Vec<(String, Hash)> {
        let taken = ids
            .into_iter()
            .filter_map(|id| self.results.remove_entry(&id));
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(document: &[u8], times: u32) -> Hash {
        let mut bytes = document.to_vec();
        for _ in 0..times {
            bytes = Sha256::digest(&bytes).to_vec();
        }
        bytes.try_into().expect("32 bytes")
    }

    #[test]
    fn a_job_is_done_in_slices_and_collected_once() {
        let mut work = Work::default();
        work.push("a".to_owned(), b"document".to_vec(), 5);
        work.push("b".to_owned(), Vec::new(), 1);
        assert_eq!((work.depth(), work.standing("a")), (2, Standing::Queued));

        work.advance(4);
        assert_eq!((work.depth(), work.standing("a")), (2, Standing::Queued));
        work.advance(2);
        assert_eq!(work.depth(), 0);
        assert_eq!(work.standing("a"), Standing::Done(hashed(b"document", 5)));
        assert_eq!(work.standing("b"), Standing::Done(hashed(b"", 1)));
        assert!(!work.is_empty(), "uncollected results are work");

        let ids = vec![
            "b".to_owned(),
            "a".to_owned(),
            "a".to_owned(),
            "c".to_owned(),
        ];
        let taken: Vec<String> = work.collect(ids).into_iter().map(|(id, _)| id).collect();
        assert_eq!(taken, ["b", "a"]);
        assert!(work.is_empty());
        assert_eq!(work.standing("a"), Standing::Unknown);
    }

    #[test]
    fn queued_and_uncollected_jobs_fill_it() {
        let mut work = Work::default();
        for number in 0..JOBS_MAX {
            assert!(!work.is_full());
            work.push(number.to_string(), Vec::new(), 1);
        }
        assert!(work.is_full());
        work.advance(10);
        assert!(work.is_full());
        assert_eq!(work.collect(vec!["3".to_owned()]).len(), 1);
        assert!(!work.is_full());
    }
}
