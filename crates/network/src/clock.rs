//! The network's time: the wall clock, or what the engine's owner makes of it. The one place that
//! reads the wall clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Whose time the network's rounds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// The wall clock's; rounds come by themselves. What agents and browsers need.
    #[default]
    Wall,
    /// The engine's own: no round comes but from [`crate::Network::visit`]. For tests whose client
    /// accepts certificates from another time than its own.
    Manual,
}

/// Tells both sides of the network what time it is.
#[derive(Debug)]
pub(crate) struct Clock {
    time: Time,
    /// Time of the engine's next round, were it to happen now.
    engine_ns: AtomicU64,
}

impl Clock {
    pub(crate) fn new(time: Time) -> Self {
        let engine_ns = AtomicU64::new(0);
        Clock { time, engine_ns }
    }

    pub(crate) fn is_wall(&self) -> bool {
        self.time == Time::Wall
    }

    /// The engine is at this time.
    pub(crate) fn follow(&self, engine_ns: u64) {
        self.engine_ns.store(engine_ns, Ordering::Relaxed);
    }

    /// Nanoseconds since 1970; never before the engine's time.
    pub(crate) fn now_ns(&self) -> u64 {
        let engine_ns = self.engine_ns.load(Ordering::Relaxed);
        match self.time {
            Time::Wall => engine_ns.max(wall_ns()),
            Time::Manual => engine_ns,
        }
    }
}

/// The wall clock in nanoseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "agents live in wall-clock time, so a network they talk to must as well"
)]
pub(crate) fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
