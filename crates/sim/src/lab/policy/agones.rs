//! Agones' buffer policy: allocated and a buffer of ready ones, every 30 s (the default sync), with
//! the buffer of five of its reference example.
//!
//! There a game server is allocated whole. Here allocated is how many workers the jobs would fill,
//! which is what its later counter policy does with capacities.

use super::{Scaler, Sight};

const PERIOD_S: u64 = 30;
const BUFFER: u32 = 5;

/// It remembers nothing.
#[derive(Debug)]
pub(super) struct Buffer;

impl Scaler for Buffer {
    fn period_s(&self) -> u64 {
        PERIOD_S
    }

    fn desired(&mut self, sight: &Sight) -> u32 {
        let allocated = (sight.total() / f64::from(sight.slots)).ceil() as u32;
        allocated + BUFFER
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;
    use crate::lab::policy::{Scaler, Sight};

    #[test]
    fn allocated_and_five() {
        let sight = Sight {
            now: 0,
            current: 9,
            samples: vec![Some(3), Some(4), None],
            target: 6,
            slots: 8,
        };
        // 10.5 jobs fill two workers.
        assert_eq!(Buffer.desired(&sight), 7);
    }
}
