//! The record of everything that happens: one event, one line, equal for equal seeds. Off unless
//! somebody listens; events are then not even built.

use std::collections::VecDeque;
use std::fmt;

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use crate::faults::Verdict;
use crate::subnet::MessageId;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An ingress message was taken in.
    Submitted {
        /// Its id.
        id: MessageId,
        /// Sender.
        sender: Principal,
        /// Receiver.
        canister: Principal,
        /// Method.
        method: String,
    },
    /// A canister ran one message.
    Executed {
        /// The canister.
        canister: Principal,
        /// What was entered, for example `update greet` or `reply greet`.
        entry: String,
        /// Instructions used.
        instructions: u64,
        /// The trap's code.
        trap: Option<ErrorCode>,
    },
    /// `call_perform` refused calls of a message: no slot, or too few cycles.
    Refused {
        /// The caller.
        canister: Principal,
        /// How many.
        calls: u64,
    },
    /// A request left a canister.
    Sent {
        /// Caller.
        from: Principal,
        /// Callee.
        to: Principal,
        /// Method.
        method: String,
        /// Attached.
        cycles: u128,
    },
    /// An answer was given to a canister.
    Answered {
        /// Who asked.
        to: Principal,
        /// The reject's code; `None` = a reply.
        error: Option<ErrorCode>,
        /// Cycles returned.
        refund: u128,
    },
    /// An ingress message got its final status.
    Finished {
        /// Its id.
        id: MessageId,
        /// The reject's code; `None` = a reply.
        error: Option<ErrorCode>,
    },
    /// The management canister handled a call.
    Managed {
        /// Caller.
        sender: Principal,
        /// Method.
        method: String,
        /// The canister it is about.
        target: Option<Principal>,
        /// Why not.
        error: Option<ErrorCode>,
    },
    /// A fault rule was applied.
    Fault {
        /// Caller.
        caller: Principal,
        /// Callee.
        callee: Principal,
        /// What was done.
        verdict: Verdict,
    },
    /// A canister changed outside of a call: stopped, timed out, ran dry, meddled with.
    Changed {
        /// The canister.
        canister: Principal,
        /// In one word.
        what: &'static str,
    },
}

/// An [`Event`] with its place in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// Round.
    pub round: u64,
    /// Time of the round in nanoseconds.
    pub time_ns: u64,
    /// What happened.
    pub event: Event,
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000);
        let round = self.round;
        let (verb, subject) = self.event.head();
        write!(
            f,
            "{round:>6} {seconds}.{nanos:09} {verb:<7} {subject:<11} "
        )?;
        self.event.write_rest(f)
    }
}

impl Event {
    /// What is done, and to whom.
    fn head(&self) -> (&'static str, String) {
        match self {
            Event::Submitted { canister, .. } => ("submit", short(canister)),
            Event::Executed { canister, .. } => ("execute", short(canister)),
            Event::Refused { canister, .. } => ("refuse", short(canister)),
            Event::Sent { from, .. } => ("send", short(from)),
            Event::Answered { to, .. } => ("answer", short(to)),
            Event::Finished { id, .. } => ("finish", format!("#{id}")),
            Event::Managed { target, .. } => ("manage", target.as_ref().map_or("-".into(), short)),
            Event::Fault { caller, .. } => ("fault", short(caller)),
            Event::Changed { canister, .. } => ("change", short(canister)),
        }
    }

    fn write_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Submitted {
                id, sender, method, ..
            } => {
                write!(f, "{method} #{id} by {}", short(sender))
            }
            Event::Executed {
                entry,
                instructions,
                trap,
                ..
            } => {
                write!(f, "{entry} {instructions} {}", outcome(*trap))
            }
            Event::Refused { calls, .. } => write!(f, "{calls} calls"),
            Event::Sent {
                to, method, cycles, ..
            } => {
                write!(f, "-> {} {method} +{cycles}", short(to))
            }
            Event::Answered { error, refund, .. } => {
                write!(f, "{} +{refund}", outcome(*error))
            }
            Event::Finished { error, .. } => f.write_str(&outcome(*error)),
            Event::Managed {
                sender,
                method,
                error,
                ..
            } => {
                write!(f, "{method} by {} {}", short(sender), outcome(*error))
            }
            Event::Fault {
                callee, verdict, ..
            } => {
                write!(f, "-> {} {verdict:?}", short(callee))
            }
            Event::Changed { what, .. } => f.write_str(what),
        }
    }
}

/// The first two groups of a principal's text: enough to tell canisters of one world apart.
fn short(principal: &Principal) -> String {
    let text = principal.to_text();
    text.chars().take(11).collect()
}

fn outcome(error: Option<ErrorCode>) -> String {
    error.map_or_else(|| "ok".to_owned(), |error| error.to_string())
}

/// Where events go.
#[derive(Default)]
enum Sink {
    #[default]
    Off,
    Keep {
        events: VecDeque<TraceEvent>,
        limit: usize,
    },
    Stream(Box<dyn FnMut(&TraceEvent)>),
}

/// The trace of one engine.
#[derive(Default)]
pub(crate) struct Trace {
    sink: Sink,
}

impl Trace {
    pub(crate) fn off(&mut self) {
        self.sink = Sink::Off;
    }

    pub(crate) fn keep(&mut self, limit: usize) {
        let events = VecDeque::new();
        self.sink = Sink::Keep { events, limit };
    }

    pub(crate) fn stream(&mut self, listener: Box<dyn FnMut(&TraceEvent)>) {
        self.sink = Sink::Stream(listener);
    }

    pub(crate) fn kept(&self) -> impl Iterator<Item = &TraceEvent> {
        match &self.sink {
            Sink::Keep { events, .. } => Some(events.iter()),
            Sink::Off | Sink::Stream(_) => None,
        }
        .into_iter()
        .flatten()
    }

    /// Records what `event` builds, if anybody listens.
    #[inline]
    pub(crate) fn record(&mut self, round: u64, time_ns: u64, event: impl FnOnce() -> Event) {
        if matches!(self.sink, Sink::Off) {
            return;
        }
        let event = TraceEvent {
            round,
            time_ns,
            event: event(),
        };
        match &mut self.sink {
            Sink::Off => {}
            Sink::Keep { events, limit } => {
                if events.len() >= *limit {
                    events.pop_front();
                }
                events.push_back(event);
            }
            Sink::Stream(listener) => listener(&event),
        }
    }
}
