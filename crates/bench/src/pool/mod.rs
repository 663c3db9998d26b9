//! The warm pool on the real root, on the engine: rounds of large jobs, and instructions where there
//! are many rows. Rounds and instructions are the platform's, so they are equal on every machine.

mod rounds;
mod rows;

pub(crate) use rows::{Copy, fill, fork};

use std::cell::RefCell;
use std::rc::Rc;

use hatchery_engine::Engine;
use hatchery_engine::trace::{Event, TraceEvent};
use hatchery_types::CanisterId;

use crate::measure::Figure;

/// No message of root may use more (issue of the warm pool: "What must hold").
const MESSAGE_INSTRUCTIONS: f64 = 2e9;

/// The canisters' modules.
pub(crate) struct Modules {
    pub(crate) root: Vec<u8>,
    pub(crate) worker: Vec<u8>,
}

/// All figures of the group.
pub(crate) fn measure(modules: &Modules) -> Vec<Figure> {
    let mut heaviest = 0;
    let mut figures = rounds::measure(modules, &mut heaviest);
    figures.extend(rows::measure(modules, &mut heaviest));
    figures.push(Figure::below(
        "heaviest_message_instructions",
        heaviest as f64,
        MESSAGE_INSTRUCTIONS,
    ));
    figures
}

/// What root's messages came to.
#[derive(Default)]
pub(crate) struct Tally {
    /// Instructions of each message since the last [`Tally::restart`], with what was entered.
    messages: Vec<(String, u64)>,
    /// Instructions of the heaviest message of all.
    heaviest: u64,
    /// Calls that `call_perform` refused.
    refused: u64,
    /// Calls that were sent.
    pub(crate) sent: u64,
}

impl Tally {
    /// Counts what root does from now on.
    pub(crate) fn listen(engine: &mut Engine, root: CanisterId) -> Rc<RefCell<Tally>> {
        let tally = Rc::<RefCell<Tally>>::default();
        let told = tally.clone();
        engine.trace_stream(Box::new(move |event| told.borrow_mut().take(root, event)));
        tally
    }

    fn take(&mut self, root: CanisterId, event: &TraceEvent) {
        match &event.event {
            Event::Executed {
                canister,
                entry,
                instructions,
                ..
            } if *canister == root.0 => {
                self.messages.push((entry.clone(), *instructions));
                self.heaviest = self.heaviest.max(*instructions);
            }
            Event::Sent { from, .. } if *from == root.0 => self.sent += 1,
            Event::Refused { canister, calls } if *canister == root.0 => self.refused += calls,
            _ => {}
        }
    }

    /// Forgets the messages so far; the heaviest of all stays known.
    fn restart(&mut self) {
        self.messages.clear();
    }

    /// Instructions of the messages that entered there, in order.
    pub(crate) fn of(&self, method: &str) -> Vec<u64> {
        let named = self
            .messages
            .iter()
            .filter(|(entry, _)| entry.ends_with(method));
        named.map(|(_, instructions)| *instructions).collect()
    }

    /// Instructions of the one message that entered there.
    pub(crate) fn only(&self, method: &str) -> f64 {
        match self.of(method)[..] {
            [cost] => cost as f64,
            ref costs => panic!("bug: {} messages instead of one", costs.len()),
        }
    }

    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.messages.len()
    }

    /// Instructions of all of them.
    pub(crate) fn all(&self) -> u64 {
        let all = self.messages.iter().map(|(_, instructions)| *instructions);
        all.sum()
    }
}
