//! How things look: tables, amounts, times, colour, JSON.
//!
//! Owns no words about the fleet; what is shown is the verbs'.

pub(crate) mod amount;
pub(crate) mod json;
pub(crate) mod paint;
pub(crate) mod table;

pub(crate) use paint::Paint;
pub(crate) use table::Table;
