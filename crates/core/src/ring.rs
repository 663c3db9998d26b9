//! The newest entries of the log in stable memory: each lies at the place that its number names, so
//! an append is one write of its bytes, and the oldest is written over. Knows bytes, not meaning.

use crate::limits::LOG_MAX;
use crate::record::LogEntry;
use crate::storage::{Record, encode};
use hatchery_types::Reason;
use ic_stable_structures::storable::Bound;
use ic_stable_structures::{Memory, StableBTreeMap, StableVec, Storable};
use std::borrow::Cow;

/// Numbered entries; the newest [`LOG_MAX`] are there.
pub(crate) struct Ring<M: Memory> {
    places: StableVec<Place, M>,
    newest: u64,
}

impl<M: Memory> Ring<M> {
    /// Fresh memory, or what a ring left there.
    pub(crate) fn init(memory: M) -> Self {
        Ring::over(StableVec::init(memory))
    }

    /// What the map of layouts 1 and 2 left there, entry for entry; the map is written over.
    pub(crate) fn from_map(memory: M) -> Self {
        let map: StableBTreeMap<u64, Record, M> = StableBTreeMap::init(memory);
        let entries: Vec<(u64, Record)> = map.iter().map(|it| (*it.key(), it.value())).collect();
        let mut ring = Ring::over(StableVec::new(map.into_memory()));
        for (number, record) in entries {
            ring.put(number, &record.into_bytes());
        }
        ring
    }

    /// Numbers grow from the first place on, up to the newest; behind it lies what is older, or
    /// nothing.
    fn over(places: StableVec<Place, M>) -> Self {
        let number = |place| places.get(place).map_or(0, |place| place.number());
        let first = number(0);
        let (mut low, mut high) = (1, places.len().max(1));
        while low < high {
            let middle = u64::midpoint(low, high);
            if number(middle) >= first {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let newest = number(low - 1);
        Ring { places, newest }
    }

    /// The number of the newest entry; 0 = none yet.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Adds an entry; the oldest goes if it is one too many.
    pub(crate) fn append(&mut self, entry: &LogEntry) {
        self.put(self.newest + 1, &fitting(entry));
    }

    /// At most `limit` entries with a number above `after`, oldest first.
    pub(crate) fn after(&self, after: u64, limit: usize) -> Vec<(u64, LogEntry)> {
        let oldest = self.newest.saturating_sub(LOG_MAX - 1).max(1);
        let numbers = oldest.max(after.saturating_add(1))..=self.newest;
        let places = numbers.filter_map(|number| self.places.get(number % LOG_MAX));
        let entries = places.filter_map(|place| place.read());
        entries.take(limit).collect()
    }

    fn put(&mut self, number: u64, entry: &[u8]) {
        let place = number % LOG_MAX;
        // Places before the first entry stay empty.
        while self.places.len() <= place {
            self.places.push(&Place(Vec::new()));
        }
        let bytes = [&number.to_be_bytes(), entry].concat();
        self.places.set(place, &Place(bytes));
        self.newest = number;
    }
}

/// Bytes of a place: a number, a canister, a name of at most 100 bytes, an operation of at most 64 and a
/// reason with a text of at most 200 fit.
const PLACE_BYTES: usize = 512;

/// Names and texts are bounded where they come in. If one is not, the event goes without them: no
/// reason to lose it, nor to trap in a callback.
fn fitting(entry: &LogEntry) -> Vec<u8> {
    let bytes = encode(entry);
    if bytes.len() + size_of::<u64>() <= PLACE_BYTES {
        return bytes;
    }
    let mut bare = LogEntry {
        pool: None,
        ..entry.clone()
    };
    if let Reason::Refused(refusal) | Reason::NotExecuted(refusal) | Reason::Unknown(refusal) =
        &mut bare.reason
    {
        refusal.text.clear();
    }
    encode(&bare)
}

/// The number of an entry (8 bytes), then its CBOR; or nothing.
struct Place(Vec<u8>);

impl Place {
    fn number(&self) -> u64 {
        self.0
            .first_chunk()
            .map_or(0, |number| u64::from_be_bytes(*number))
    }

    fn read(&self) -> Option<(u64, LogEntry)> {
        let (number, entry) = self.0.split_first_chunk()?;
        let entry = minicbor::decode(entry).expect("bug: the log holds bytes of another shape");
        Some((u64::from_be_bytes(*number), entry))
    }
}

impl Storable for Place {
    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn from_bytes(bytes: Cow<[u8]>) -> Self {
        Place(bytes.into_owned())
    }

    const BOUND: Bound = Bound::Bounded {
        max_size: PLACE_BYTES as u32,
        is_fixed_size: false,
    };
}

#[cfg(test)]
mod tests {
    use super::Ring;
    use crate::limits::LOG_MAX;
    use crate::record::LogEntry;
    use crate::storage::Record;
    use hatchery_types::{Nanos, Reason, Refusal};
    use ic_stable_structures::{StableBTreeMap, VectorMemory};

    fn entry(number: u64) -> LogEntry {
        LogEntry {
            at: Nanos(number),
            canister: None,
            pool: None,
            phase: None,
            reason: Reason::Recycled,
            operation: None,
        }
    }

    fn filled(ring: &mut Ring<VectorMemory>, to: u64) {
        while ring.newest() < to {
            ring.append(&entry(ring.newest() + 1));
        }
    }

    fn holds(ring: &Ring<VectorMemory>, first: u64, last: u64) {
        let entries = ring.after(0, usize::MAX);
        let numbers: Vec<u64> = entries.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (first..=last).collect::<Vec<_>>());
        assert!(entries.iter().all(|(number, it)| it.at == Nanos(*number)));
    }

    #[test]
    fn l09_a_ring_opens_with_its_newest_wherever_that_lies() {
        for last in [0, 1, 2, LOG_MAX - 1, LOG_MAX, LOG_MAX + 1, 2 * LOG_MAX + 77] {
            let memory = VectorMemory::default();
            filled(&mut Ring::init(memory.clone()), last);
            let mut ring = Ring::init(memory);
            let first = |last: u64| last.saturating_sub(LOG_MAX - 1).max(1);
            assert_eq!(ring.newest(), last);
            holds(&ring, first(last), last);
            filled(&mut ring, last + 3);
            holds(&ring, first(last + 3), last + 3);
        }
    }

    #[test]
    fn pages_go_on_behind_a_number() {
        let mut ring = Ring::init(VectorMemory::default());
        filled(&mut ring, LOG_MAX + 50);
        let page = ring.after(LOG_MAX - 1, 3);
        let numbers: Vec<u64> = page.into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [LOG_MAX, LOG_MAX + 1, LOG_MAX + 2]);
        assert_eq!(ring.after(7, 1)[0].0, 51, "what is gone is passed over");
        assert!(ring.after(LOG_MAX + 50, 3).is_empty());
        assert!(ring.after(u64::MAX, 3).is_empty());
    }

    #[test]
    fn p14_an_entry_that_is_too_long_goes_without_its_texts() {
        let mut ring = Ring::init(VectorMemory::default());
        let mut refusal = Refusal::new(4, "");
        refusal.text = "x".repeat(1_000);
        ring.append(&LogEntry {
            pool: Some("y".repeat(1_000)),
            reason: Reason::Refused(refusal),
            ..entry(1)
        });
        let (_, kept) = ring.after(0, 1).remove(0);
        assert_eq!(kept.reason, Reason::Refused(Refusal::new(4, "")));
    }

    #[test]
    fn l08_the_map_of_older_layouts_becomes_a_ring() {
        for (first, last) in [(1, 5), (15_000, 17_000), (15_000, 24_999), (20_000, 29_999)] {
            let memory = VectorMemory::default();
            let mut map = StableBTreeMap::init(memory.clone());
            for number in first..=last {
                map.insert(number, Record::from(entry(number)));
            }
            drop(map);
            holds(&Ring::from_map(memory.clone()), first, last);
            let mut ring = Ring::init(memory);
            holds(&ring, first, last);
            filled(&mut ring, last + 1);
            assert_eq!(ring.after(last, 9).len(), 1);
        }
    }
}
