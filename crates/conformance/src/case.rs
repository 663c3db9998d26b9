//! One case: what it pins, where that is written, how it is run, and how it is made to fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::backend::{Backend, BackendError, Plant, PlantedBackend};
use crate::check::{Checked, Failure};
use crate::world::World;

/// A pinned behaviour.
#[derive(Clone, Copy)]
pub struct Case {
    /// `room/what_it_pins`.
    pub name: &'static str,
    /// Where the behaviour is written down.
    pub citation: &'static str,
    /// What is falsified to see the case fail.
    pub plant: Plant,
    pub(crate) body: fn(&mut World<'_>) -> Checked<()>,
}

/// What running a case came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The platform does what the case pins.
    Passed,
    /// It does something else, or the backend broke; says what.
    Failed(String),
    /// The backend cannot show it; says why.
    Skipped(String),
}

/// Makes fresh backends.
pub type MakeBackend<'a> = dyn FnMut() -> Result<Box<dyn Backend>, BackendError> + 'a;

impl Case {
    /// Runs the case on a fresh backend.
    pub fn run(&self, make: &mut MakeBackend<'_>) -> Verdict {
        match make() {
            Ok(mut backend) => self.run_on(backend.as_mut()),
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }

    /// Runs the case twice, honestly and then with its deviation planted. A case that is as it
    /// should be ends [`Verdict::Failed`] here; [`Verdict::Passed`] means it cannot fail.
    pub fn run_planted(&self, make: &mut MakeBackend<'_>) -> Verdict {
        let mut honest = match make() {
            Ok(backend) => backend,
            Err(error) => return Verdict::Skipped(error.to_string()),
        };
        let mut counting = PlantedBackend::counting(honest.as_mut(), self.plant);
        if let Verdict::Failed(detail) | Verdict::Skipped(detail) = self.run_on(&mut counting) {
            return Verdict::Skipped(format!("fails without a plant: {detail}"));
        }
        let seen = counting.seen();
        match make() {
            Ok(mut backend) => {
                let mut lying = PlantedBackend::lying(backend.as_mut(), self.plant, seen);
                self.run_on(&mut lying)
            }
            Err(error) => Verdict::Skipped(error.to_string()),
        }
    }

    fn run_on(&self, backend: &mut dyn Backend) -> Verdict {
        let body = || (self.body)(&mut World::new(backend));
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Failure::Skipped(reason))) => Verdict::Skipped(reason.to_owned()),
            Ok(Err(failure)) => Verdict::Failed(failure.to_string()),
            Err(_) => Verdict::Failed("panicked".to_owned()),
        }
    }
}

/// Registers the cases of a room: citation, function, plant.
macro_rules! cases {
    ($room:literal: $($citation:literal => $case:ident ($plant:expr);)*) => {
        /// The cases of this room.
        pub(super) const CASES: &[$crate::case::Case] = &[$($crate::case::Case {
            name: concat!($room, "/", stringify!($case)),
            citation: $citation,
            plant: $plant,
            body: $case,
        }),*];
    };
}
pub(crate) use cases;
