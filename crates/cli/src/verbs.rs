//! The commands that speak to a root, one module a noun.

pub(crate) mod apply;
mod call;
mod canisters;
mod cycles;
pub(crate) mod deploy;
mod doctor;
pub(crate) mod events;
mod lease;
mod metrics;
pub(crate) mod modules;
mod parts;
mod payable;
pub(crate) mod plan;
mod pool;
mod registry;
mod replay;
mod status;
pub(crate) mod top;
mod why;
mod workers;

use crate::args::{FleetVerb, Globals};
use crate::session::Session;

/// Does what was typed.
///
/// # Errors
/// The network, root, or what was typed does not allow it.
pub(crate) fn run(globals: &Globals, verb: &FleetVerb) -> anyhow::Result<()> {
    if let FleetVerb::Deploy(options) = verb {
        return deploy::run(globals, options);
    }
    let session = Session::open(globals)?;
    let session = &session;
    match verb {
        FleetVerb::Deploy(_) => unreachable!("bug: it is above"),
        FleetVerb::Plan(options) => plan::run(session, options),
        FleetVerb::Apply(options) => apply::run(session, options),
        FleetVerb::Status(options) => status::run(session, options),
        FleetVerb::Pool(verb) => pool::run(session, verb),
        FleetVerb::Workers(verb) => workers::run(session, verb),
        FleetVerb::Lease(verb) => lease::run(session, verb),
        FleetVerb::Modules(verb) => modules::run(session, verb),
        FleetVerb::Canisters(options) => canisters::run(session, options),
        FleetVerb::Events(options) => events::run(session, options),
        FleetVerb::Effects => canisters::effects(session),
        FleetVerb::Why(options) => why::run(session, options),
        FleetVerb::Cycles(verb) => cycles::run(session, verb),
        FleetVerb::Upgrade(options) => apply::upgrade(session, options),
        FleetVerb::Doctor => doctor::run(session),
        FleetVerb::Metrics => metrics::run(session),
        FleetVerb::Replay(options) => replay::run(session, options),
        FleetVerb::Top(options) => top::run(session, options),
        FleetVerb::Export(options) => registry::export(session, options),
        FleetVerb::Recover(options) => registry::recover(session, options),
        FleetVerb::Spec => call::spec(session),
        FleetVerb::Call(options) => call::run(session, options),
    }
}
