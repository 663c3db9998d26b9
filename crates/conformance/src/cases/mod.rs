//! The table of all cases, room by room.

mod atomicity;
mod calls;
mod queries;
mod rounds;

use crate::case::Case;

/// All cases in the order in which they are reported.
pub fn all() -> Vec<Case> {
    [
        atomicity::CASES,
        calls::CASES,
        queries::CASES,
        rounds::CASES,
    ]
    .concat()
}
