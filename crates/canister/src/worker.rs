//! A worker's side of the fleet: who it is, whether it may take work, how loaded it is.
//!
//! Owns the draining flag, the reports to root and the drain method of `worker.did`. What load is
//! and when the worker is idle are the worker's own affair. A canister that root did not install
//! has no [`identity`], sends nothing and just works.
//!
//! ```no_run
//! # use std::time::Duration;
//! fn depth() -> u64 { 0 } // jobs waiting
//! fn is_idle() -> bool { true } // no jobs, and no results that nobody fetched
//!
//! hatchery::worker!(is_idle); // exports `hatchery_drain`
//!
//! fn init() { // and the same after an upgrade
//!     hatchery::worker::report_every(Duration::from_secs(120), "depth", depth);
//! }
//! ```

use crate::call::{self, Answer, Call, Wait};
use hatchery_api::{DrainAnswer, Report, environment};
use hatchery_types::wire::{self, Work};
use hatchery_types::{Generation, Principal, Reason, Wire};
use std::cell::Cell;
use std::time::Duration;

/// A report that root does not answer in this time is given up; the next one says more.
const REPORT_WAIT_S: u32 = 30;
/// Root's answer to a report is small; longer ones are not read.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Work allowed for reading it.
const WORK: Work = Work {
    steps: 1_000,
    steps_per_byte: 4,
};

thread_local! {
    /// On the heap: a worker that forgets it in an upgrade hears it again, from the answer to its
    /// next report and from root's next drain call.
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// What root told this canister through its environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The root that installed it.
    pub root: Principal,
    /// Its role.
    pub role: Option<String>,
    /// Its pool.
    pub pool: Option<String>,
    /// Who it works for.
    pub parent: Option<Principal>,
    /// Fences this tenancy of the canister.
    pub generation: Generation,
}

/// Who this canister is in the fleet; `None` outside of one.
pub fn identity() -> Option<Identity> {
    identity_from(variable)
}

/// Reads an identity from a source of environment variables; `None` without root or generation.
fn identity_from(read: impl Fn(&str) -> Option<String>) -> Option<Identity> {
    let principal = |name| principal_from_text(&read(name)?);
    Some(Identity {
        root: principal(environment::ROOT)?,
        role: read(environment::ROLE),
        pool: read(environment::POOL),
        parent: principal(environment::PARENT),
        generation: Generation(read(environment::GENERATION)?.parse().ok()?),
    })
}

/// Bytes of the checksum in front of a principal's text form.
const CHECKSUM_BYTES: usize = 4;

/// Reads a principal from its text form: base 32 of checksum and bytes, in groups of five with
/// dashes (interface specification, "Textual representation of principals"). The checksum guards
/// against typing errors, and no one types here: without its tables the kit is 18 KB smaller.
fn principal_from_text(text: &str) -> Option<Principal> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes().filter(|it| *it != b'-') {
        let digit = match character {
            b'a'..=b'z' => character - b'a',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Principal::try_from_slice(bytes.get(CHECKSUM_BYTES..)?).ok()
}

/// An environment variable of this canister (interface specification, "Environment variables").
fn variable(name: &str) -> Option<String> {
    if ic0::env_var_name_exists(name) == 0 {
        return None;
    }
    let mut value = vec![0; ic0::env_var_value_size(name)];
    ic0::env_var_value_copy(name, &mut value, 0);
    String::from_utf8(value).ok()
}

/// Whether this worker is to refuse new work and finish what it has.
pub fn is_draining() -> bool {
    DRAINING.get()
}

/// Reports `measure()` to root as `signal`, now and then; call it in `init` and `post_upgrade`.
/// Root's answer says whether to take new work. Outside of a fleet it does nothing.
///
/// A report costs some 26 million cycles, worker and root together: five messages of 5 million each
/// (timer, its execution, its end, root's message, the answer; interface specification, cycle
/// costs). Every two minutes that is 0.02 T a day and worker; what cannot wait for the next one is
/// told by [`report`].
pub fn report_every(interval: Duration, signal: &'static str, measure: fn() -> u64) {
    if identity().is_none() {
        return;
    }
    ic_cdk_timers::set_timer_interval(interval, move || async move { report(signal, measure()) });
}

/// Reports one value now; a report that cannot be sent is dropped, since a newer one follows.
pub fn report(signal: &str, value: u64) {
    let Some(identity) = identity() else { return };
    let report = Report {
        generation: identity.generation,
        signal: signal.to_owned(),
        value,
    };
    let argument = call::encode(&report);
    let call = Call {
        callee: identity.root,
        method: "report",
        argument: &argument,
        cycles: 0,
        wait: Wait::Seconds(REPORT_WAIT_S),
    };
    let _ = call.send(reported, 0);
}

/// The part of root's answer that a worker acts on.
#[derive(Wire)]
struct ReportReply {
    accepting: bool,
    refused: Option<RefusedReport>,
}

/// Why root did not take a report.
#[derive(Wire)]
struct RefusedReport {
    code: u16,
}

extern "C" fn reported(_env: usize) {
    if let Answer::Reply(bytes) = call::answer(ANSWER_BYTES_MAX)
        && let Ok(reply) = wire::decode::<ReportReply>(&bytes, WORK)
    {
        // A root that does not know this worker has no say in whether it works.
        let unknown = Reason::Unauthorised.code();
        if reply.refused.is_none_or(|refused| refused.code != unknown) {
            DRAINING.set(!reply.accepting);
        }
    }
}

/// The entry behind [`worker!`](crate::worker!): starts draining and says whether the worker is
/// idle. Rejects every caller but root.
#[doc(hidden)]
pub fn answer_drain(is_idle: fn() -> bool) {
    if identity().map(|identity| identity.root) != Some(call::caller()) {
        return call::reject("unauthorised: only the root of this canister drains it");
    }
    DRAINING.set(true);
    call::reply(&call::encode(&DrainAnswer { idle: is_idle() }));
}

/// Exports `hatchery_drain` of `worker.did`. Its argument is a `fn() -> bool` that says whether
/// the worker has nothing left to do; results that nobody collected count as work.
#[macro_export]
macro_rules! worker {
    ($is_idle:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(export_name = "canister_update hatchery_drain")]
            extern "C" fn drain() {
                $crate::worker::answer_drain($is_idle);
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], name: &str) -> Option<String> {
        let (_, value) = variables.iter().find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    }

    #[test]
    fn principals_are_read_from_their_text() {
        for length in 0..=Principal::MAX_LENGTH_IN_BYTES as u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let principal = Principal::from_slice(&bytes);
            assert_eq!(principal_from_text(&principal.to_text()), Some(principal));
        }
        for text in ["", "aaa", "Aaaaa-aa", "a a", &"a".repeat(80)] {
            assert_eq!(principal_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn identity_needs_root_and_generation() {
        let root = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
        let text = root.to_text();
        let full = [
            (environment::ROOT, text.as_str()),
            (environment::ROLE, "hasher"),
            (environment::POOL, "workers"),
            (environment::PARENT, text.as_str()),
            (environment::GENERATION, "7"),
        ];
        let identity = identity_from(|name| read(&full, name));
        let expected = Identity {
            root,
            role: Some("hasher".to_owned()),
            pool: Some("workers".to_owned()),
            parent: Some(root),
            generation: Generation(7),
        };
        assert_eq!(identity, Some(expected));

        assert_eq!(identity_from(|name| read(&full[1..], name)), None);
        assert_eq!(identity_from(|name| read(&full[..4], name)), None);
        let odd = [
            (environment::ROOT, "not a principal"),
            (environment::GENERATION, "7"),
        ];
        assert_eq!(identity_from(|name| read(&odd, name)), None);
        let odd = [
            (environment::ROOT, text.as_str()),
            (environment::GENERATION, "-1"),
        ];
        assert_eq!(identity_from(|name| read(&odd, name)), None);
    }
}
