//! The table of all cases, room by room.

mod atomicity;

use crate::case::Case;

/// All cases in the order in which they are reported.
pub fn all() -> Vec<Case> {
    [atomicity::CASES].concat()
}
