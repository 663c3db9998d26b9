//! The table of all cases, room by room.

mod accounts;
mod api;
mod atomicity;
mod best_effort;
mod bounds;
mod calls;
mod codes;
mod contexts;
mod crowd;
mod cycles;
mod fleet;
mod freezing;
mod install;
mod installs;
mod lanes;
mod lifecycle;
mod limits;
mod queries;
mod rounds;
mod settings;
mod stores;
mod timers;
mod told;
mod wide;

use crate::case::Case;

/// All cases in the order in which they are reported.
pub fn all() -> Vec<Case> {
    [
        atomicity::CASES,
        calls::CASES,
        queries::CASES,
        rounds::CASES,
        timers::CASES,
        limits::CASES,
        best_effort::CASES,
        codes::CASES,
        lifecycle::CASES,
        install::CASES,
        contexts::CASES,
        cycles::CASES,
        freezing::CASES,
        stores::CASES,
        settings::CASES,
        told::CASES,
        api::CASES,
        fleet::CASES,
        lanes::CASES,
        installs::CASES,
        crowd::CASES,
        bounds::CASES,
        accounts::CASES,
        wide::CASES,
    ]
    .concat()
}
