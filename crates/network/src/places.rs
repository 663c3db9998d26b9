//! How many connections there may be, which of them goes when one more comes, and how much memory
//! their bodies take together. It moves no bytes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// Connections at a time.
const CONNECTIONS_MAX: usize = 4_096;
/// Bytes of all bodies that are being read or answered.
const BODIES_BYTES_MAX: usize = 256 << 20;

/// Everybody who is connected.
#[derive(Default)]
pub(crate) struct Places {
    seats: Mutex<Seats>,
    body_bytes: AtomicUsize,
}

#[derive(Default)]
struct Seats {
    next: u64,
    connected: BTreeMap<u64, Seat>,
    /// Those who owe us a request, or have not taken all of an answer, in the order in which they
    /// began to.
    slow: BTreeMap<u64, u64>,
}

struct Seat {
    abort: AbortHandle,
    /// Its key among the slow; `None` while its request is being answered.
    slow_since: Option<u64>,
}

/// The place of one connection, free again when this is dropped.
pub(crate) struct Place {
    id: u64,
    places: Arc<Places>,
}

/// While this lives, the connection waits for us and not we for it.
pub(crate) struct Busy<'a> {
    place: &'a Place,
}

/// Memory that one body takes.
pub(crate) struct Held {
    bytes: usize,
    places: Arc<Places>,
}

impl Places {
    /// Seats a connection that `start` starts. When all places are taken, the connection that has
    /// kept us waiting longest is closed; when none does, this one is not started.
    pub(crate) fn seat(self: &Arc<Self>, start: impl FnOnce(Place) -> AbortHandle) {
        if self.lock().connected.len() >= CONNECTIONS_MAX && !self.close_slowest() {
            return;
        }
        let id = self.lock().number();
        let place = Place {
            id,
            places: Arc::clone(self),
        };
        let abort = start(place);
        let mut seats = self.lock();
        let seat = Seat {
            abort,
            slow_since: None,
        };
        seats.connected.insert(id, seat);
        seats.wait_for(id);
    }

    /// Closes the connection that has kept us waiting longest; `false` when none does.
    pub(crate) fn close_slowest(&self) -> bool {
        let mut seats = self.lock();
        let Some((_, id)) = seats.slow.pop_first() else {
            return false;
        };
        let seat = seats.connected.remove(&id);
        drop(seats);
        if let Some(seat) = seat {
            seat.abort.abort();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn wait_for(&mut self, id: u64) {
        let turn = self.number();
        if let Some(seat) = self.connected.get_mut(&id) {
            seat.slow_since = Some(turn);
            self.slow.insert(turn, id);
        }
    }

    fn no_longer_wait_for(&mut self, id: u64) {
        let seat = self.connected.get_mut(&id);
        if let Some(turn) = seat.and_then(|seat| seat.slow_since.take()) {
            self.slow.remove(&turn);
        }
    }
}

impl Place {
    /// The connection's request is complete.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.places.lock().no_longer_wait_for(self.id);
        Busy { place: self }
    }

    /// Memory for the connection's next body; none yet.
    pub(crate) fn hold(&self) -> Held {
        Held {
            bytes: 0,
            places: Arc::clone(&self.places),
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.place.places.lock().wait_for(self.place.id);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut seats = self.places.lock();
        seats.no_longer_wait_for(self.id);
        seats.connected.remove(&self.id);
    }
}

impl Held {
    /// Takes `bytes` more; `false` when there are too many already.
    pub(crate) fn more(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        let before = self.places.body_bytes.fetch_add(bytes, Ordering::Relaxed);
        before + bytes <= BODIES_BYTES_MAX
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.places
            .body_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
