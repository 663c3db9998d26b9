//! Calls without futures: what is sent, and what came back, in raw `ic0` terms.
//!
//! Owns the one place where `unsafe` is allowed. A callback is a plain function that gets a
//! 32-bit number back: nothing on the heap has to outlive the message, so an answer that arrives
//! after a forced upgrade to the same module is as good as any other. What to call, and what an
//! answer means, is decided elsewhere.

use hatchery_types::{Principal, Wire, wire};

/// Runs when a call is answered, with the number given to [`Call::send`]; reads [`answer`] once.
pub(crate) type Callback = extern "C" fn(usize);

/// How long the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until there is an answer; for callees that answer for certain.
    Unbounded,
    /// At most this many seconds (interface specification, `call_with_best_effort_response`).
    Seconds(u32),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    /// Who is called.
    pub(crate) callee: Principal,
    /// Which method.
    pub(crate) method: &'a str,
    /// Candid bytes.
    pub(crate) argument: &'a [u8],
    /// Cycles that go with it; only unbounded calls carry any.
    pub(crate) cycles: u128,
    /// How long to wait.
    pub(crate) wait: Wait,
}

/// A call that certainly was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The liquid balance does not cover the call and what is attached to it.
    Cycles,
    /// `call_perform` said no: the queue to this callee is full, or the balance was short after
    /// all. The platform has one code for both.
    Refused,
}

impl NotSent {
    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            NotSent::Cycles => "not sent: the liquid balance does not cover the call",
            NotSent::Refused => "not sent: too many calls in flight, or too few cycles",
        }
    }
}

impl Call<'_> {
    /// Sends it; `callback` runs with `env` when it is answered, whatever the answer.
    ///
    /// The limit is looked at first: a refused call is not free, and the liquid balance says what
    /// may be spent before the freezing limit (interface specification, `cost_call`).
    #[cfg(any(feature = "worker", feature = "hub"))]
    pub(crate) fn send(&self, callback: Callback, env: u32) -> Result<(), NotSent> {
        self.send_with_cleanup(callback, None, env)
    }

    /// The same; should `callback` trap, what it did is undone and `cleanup` runs in its place. It
    /// may make no call and cannot read the answer (interface specification, "Entry points").
    pub(crate) fn send_with_cleanup(
        &self,
        callback: Callback,
        cleanup: Option<Callback>,
        env: u32,
    ) -> Result<(), NotSent> {
        let cost = ic0::cost_call(self.method.len() as u64, self.argument.len() as u64);
        if ic0::canister_liquid_cycle_balance128() < cost.saturating_add(self.cycles) {
            return Err(NotSent::Cycles);
        }
        begin(self.callee, self.method, callback, env);
        if let Some(cleanup) = cleanup {
            clean_up_with(cleanup, env);
        }
        ic0::call_data_append(self.argument);
        if let Wait::Seconds(seconds) = self.wait {
            ic0::call_with_best_effort_response(seconds);
        }
        if self.cycles > 0 {
            ic0::call_cycles_add128(self.cycles);
        }
        match ic0::call_perform() {
            0 => Ok(()),
            _ => Err(NotSent::Refused),
        }
    }
}

/// Starts a call under construction.
#[expect(
    unsafe_code,
    reason = "ic0 cannot know that a function pointer is a safe entry point"
)]
fn begin(callee: Principal, method: &str, callback: Callback, env: u32) {
    // SAFETY: `callback` is a safe `extern "C"` function of the callback's signature, and `env` is
    // a number that owns nothing, so being called with it at any time is sound.
    unsafe {
        ic0::call_new(
            callee.as_slice(),
            method,
            callback,
            env as usize,
            callback,
            env as usize,
        );
    }
}

/// Names the function that runs if the callback of the call under construction traps.
#[expect(
    unsafe_code,
    reason = "ic0 cannot know that a function pointer is a safe entry point"
)]
fn clean_up_with(cleanup: Callback, env: u32) {
    // SAFETY: as for the callbacks of `begin`.
    unsafe {
        ic0::call_on_cleanup(cleanup, env as usize);
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Candid bytes.
    Reply(Vec<u8>),
    /// A reply longer than the reader wanted to see.
    Oversized,
    /// A reject: code 1..=6 (interface specification, "Reject codes") and its text.
    Reject(u8, String),
}

/// Longest part of a reject text that is read, in bytes.
const REJECT_TEXT_MAX: usize = 512;

/// Reads the answer, in a callback; replies beyond `limit` bytes are left alone.
pub(crate) fn answer(limit: usize) -> Answer {
    let code = ic0::msg_reject_code();
    if code == 0 {
        return argument(limit).map_or(Answer::Oversized, Answer::Reply);
    }
    let mut text = vec![0; ic0::msg_reject_msg_size().min(REJECT_TEXT_MAX)];
    ic0::msg_reject_msg_copy(&mut text, 0);
    Answer::Reject(code as u8, String::from_utf8_lossy(&text).into_owned())
}

/// The argument of this message, or the reply in a callback; `None` beyond `limit` bytes.
pub(crate) fn argument(limit: usize) -> Option<Vec<u8>> {
    let size = ic0::msg_arg_data_size();
    if size > limit {
        return None;
    }
    let mut bytes = vec![0; size];
    ic0::msg_arg_data_copy(&mut bytes, 0);
    Some(bytes)
}

/// The caller of this message.
pub(crate) fn caller() -> Principal {
    let mut bytes = [0; Principal::MAX_LENGTH_IN_BYTES];
    let size = ic0::msg_caller_size();
    ic0::msg_caller_copy(&mut bytes[..size], 0);
    Principal::from_slice(&bytes[..size])
}

/// This canister.
pub(crate) fn myself() -> Principal {
    let mut bytes = [0; Principal::MAX_LENGTH_IN_BYTES];
    let size = ic0::canister_self_size();
    ic0::canister_self_copy(&mut bytes[..size], 0);
    Principal::from_slice(&bytes[..size])
}

/// Candid bytes of a value of ours.
pub(crate) fn encode(value: &impl Wire) -> Vec<u8> {
    wire::encode(value)
}

/// Answers this message with Candid bytes.
pub(crate) fn reply(bytes: &[u8]) {
    ic0::msg_reply_data_append(bytes);
    ic0::msg_reply();
}

/// Answers this message with a reject; nothing else happened.
pub(crate) fn reject(text: &str) {
    ic0::msg_reject(text.as_bytes());
}
