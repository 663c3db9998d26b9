//! How cases say what must hold, and what comes of it when it does not.

use std::fmt::Debug;
use std::panic::Location;

use crate::backend::{Answer, BackendError};

/// Why a case did not pass.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The platform does something else than the case pins.
    #[error("{0}")]
    Deviation(String),
    /// The backend cannot show it.
    #[error("not on this backend: {0}")]
    Skipped(&'static str),
    /// The backend broke.
    #[error(transparent)]
    Broken(#[from] BackendError),
}

/// What checks and observations return.
pub type Checked<T> = Result<T, Failure>;

fn deviation(place: &Location<'_>, text: impl std::fmt::Display) -> Failure {
    let file = place.file().rsplit('/').next().unwrap_or_default();
    Failure::Deviation(format!("{text} ({file}:{})", place.line()))
}

/// A deviation seen at the caller's caller.
#[track_caller]
pub(crate) fn fail<T>(text: impl std::fmt::Display) -> Checked<T> {
    Err(deviation(Location::caller(), text))
}

/// Both must be equal.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cases hand over what they have just made"
)]
pub(crate) fn same<T: PartialEq + Debug>(found: T, wanted: T) -> Checked<()> {
    if found == wanted {
        return Ok(());
    }
    fail(format_args!(
        "found {}, wanted {}",
        short(&found),
        short(&wanted)
    ))
}

/// Both must differ.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cases hand over what they have just made"
)]
pub(crate) fn differ<T: PartialEq + Debug>(found: T, unwanted: T) -> Checked<()> {
    if found != unwanted {
        return Ok(());
    }
    fail(format_args!(
        "found {}, which it must not be",
        short(&found)
    ))
}

/// It must lie between the two, both included.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cases hand over what they have just made"
)]
pub(crate) fn between<T: PartialOrd + Debug>(found: T, low: T, high: T) -> Checked<()> {
    if found >= low && found <= high {
        return Ok(());
    }
    fail(format_args!("found {found:?}, wanted {low:?} to {high:?}"))
}

/// The answer must be a reply; its bytes.
#[track_caller]
pub(crate) fn replied(answer: Answer) -> Checked<Vec<u8>> {
    match answer {
        Ok(reply) => Ok(reply),
        Err(reject) => fail(format_args!("found {reject:?}, wanted a reply")),
    }
}

/// The answer must be exactly this reply.
#[track_caller]
pub(crate) fn says(answer: Answer, wanted: impl AsRef<[u8]>) -> Checked<()> {
    let reply = replied(answer)?;
    if reply == wanted.as_ref() {
        return Ok(());
    }
    let wanted = wanted.as_ref();
    fail(format_args!(
        "found {}, wanted {}",
        short(&reply),
        short(&wanted)
    ))
}

/// The answer must be a number.
#[track_caller]
pub(crate) fn number(answer: Answer) -> Checked<u64> {
    number_of(&replied(answer)?)
}

/// The eight bytes are a number.
#[track_caller]
pub(crate) fn number_of(bytes: &[u8]) -> Checked<u64> {
    match bytes.try_into() {
        Ok(bytes) => Ok(u64::from_le_bytes(bytes)),
        Err(_) => fail(format_args!("found {}, wanted a number", short(&bytes))),
    }
}

/// The answer must be an amount of cycles.
#[track_caller]
pub(crate) fn amount(answer: Answer) -> Checked<u128> {
    amount_of(&replied(answer)?)
}

/// The sixteen bytes are an amount of cycles.
#[track_caller]
pub(crate) fn amount_of(bytes: &[u8]) -> Checked<u128> {
    match bytes.try_into() {
        Ok(bytes) => Ok(u128::from_le_bytes(bytes)),
        Err(_) => fail(format_args!("found {}, wanted cycles", short(&bytes))),
    }
}

/// The answer must be a reject with this code and, where the backend reports one, this error.
#[track_caller]
pub(crate) fn refused(answer: Answer, code: u8, error: u16) -> Checked<()> {
    refused_with(answer, code, &[error])
}

/// As [`refused`], where versions of the platform differ in the error.
#[track_caller]
pub(crate) fn refused_with(answer: Answer, code: u8, errors: &[u16]) -> Checked<()> {
    match answer {
        Err(reject)
            if reject.code == code && reject.error.is_none_or(|error| errors.contains(&error)) =>
        {
            Ok(())
        }
        found => fail(format_args!(
            "found {}, wanted reject {code} with error {errors:?}",
            short(&found)
        )),
    }
}

/// What a canister saw of a call, as [`crate::program::call_to`] reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Reply(Vec<u8>),
    Reject(u64),
}

/// What the canister saw of its call.
#[track_caller]
pub(crate) fn seen(answer: Answer) -> Checked<Seen> {
    let reply = replied(answer)?;
    match reply.split_first() {
        Some((b'+', bytes)) => Ok(Seen::Reply(bytes.to_vec())),
        Some((b'-', code)) => Ok(Seen::Reject(number_of(code)?)),
        _ => fail(format_args!(
            "found {}, wanted an outcome of a call",
            short(&reply)
        )),
    }
}

/// The canister must have seen a reject with this code.
#[track_caller]
pub(crate) fn saw_reject(answer: Answer, code: u64) -> Checked<()> {
    same(seen(answer)?, Seen::Reject(code))
}

/// The canister must have seen exactly this reply.
#[track_caller]
pub(crate) fn saw_reply(answer: Answer, bytes: impl AsRef<[u8]>) -> Checked<()> {
    same(seen(answer)?, Seen::Reply(bytes.as_ref().to_vec()))
}

/// The reply that the canister saw.
#[track_caller]
pub(crate) fn reply_seen(answer: Answer) -> Checked<Vec<u8>> {
    match seen(answer)? {
        Seen::Reply(bytes) => Ok(bytes),
        found @ Seen::Reject(_) => fail(format_args!("found {found:?}, wanted a reply")),
    }
}

/// Whether a part occurs in the bytes.
pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Long values cut.
fn short(value: &dyn Debug) -> String {
    let mut text = format!("{value:?}");
    if text.len() > 300 {
        let mut end = 300;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
