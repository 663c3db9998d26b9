//! The wall clock, here and nowhere else: how fast the live view goes and how long a run took.

use std::time::Instant;

/// Time since a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "people watch in real time")]
    pub(crate) fn start() -> Clock {
        Clock(Instant::now())
    }

    /// Seconds since the start.
    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
