//! How a call is refused: reject code, error code and text, and the texts of the refusals that
//! several rooms share. Nothing here decides anything.

use crate::saved::saved;
use ic_error_types::{ErrorCode, RejectCode};
use ic_principal::Principal;

/// Longest reject text the platform passes on, in bytes.
pub const REJECT_TEXT_BYTES_MAX: usize = 8 * 1024;

/// A refused or failed call as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {error}: {message}")]
pub struct Reject {
    /// Reject code (interface specification, section "Reject codes").
    pub code: RejectCode,
    /// The platform's finer code (`IC0xxx`).
    pub error: ErrorCode,
    /// Text for people; not stable, never to be matched on.
    pub message: String,
}

impl Reject {
    /// A reject whose reject code is the class of `error`; the text is cut at 8 KiB.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Reject {
            code: RejectCode::from(error),
            error,
            message: cut(message.into()),
        }
    }

    /// The text a canister sees: errors of the platform carry their code in front, what a canister
    /// said itself does not.
    pub(crate) fn text_for_canister(&self) -> String {
        match self.error {
            ErrorCode::CanisterRejectedMessage
            | ErrorCode::CanisterStopped
            | ErrorCode::CanisterStopping => self.message.clone(),
            error => cut(format!("{error}: {}", self.message)),
        }
    }

    pub(crate) fn not_found(canister: &Principal) -> Self {
        Reject::new(
            ErrorCode::CanisterNotFound,
            format!("Canister {canister} not found"),
        )
    }

    pub(crate) fn no_module(canister: &Principal) -> Self {
        Reject::new(
            ErrorCode::CanisterWasmModuleNotFound,
            format!(
                "Error from Canister {canister}: Attempted to execute a message, but the canister contains no Wasm module"
            ),
        )
    }

    pub(crate) fn stopped(canister: &Principal) -> Self {
        Reject::new(
            ErrorCode::CanisterStopped,
            format!("Canister {canister} is stopped"),
        )
    }

    pub(crate) fn stopping(canister: &Principal) -> Self {
        Reject::new(
            ErrorCode::CanisterStopping,
            format!("Canister {canister} is stopping"),
        )
    }

    pub(crate) fn out_of_cycles(canister: &Principal, balance: u128, needed: u128) -> Self {
        Reject::new(
            ErrorCode::CanisterOutOfCycles,
            format!(
                "Canister {canister} is out of cycles: it holds {balance} and needs {needed}, its freezing limit included"
            ),
        )
    }

    pub(crate) fn not_controller(canister: &Principal, sender: &Principal) -> Self {
        Reject::new(
            ErrorCode::CanisterInvalidController,
            format!(
                "Only the controllers of the canister {canister} can control it. Called by {sender}"
            ),
        )
    }

    pub(crate) fn bad_payload(reason: impl std::fmt::Display) -> Self {
        Reject::new(
            ErrorCode::InvalidManagementPayload,
            format!("Error decoding candid: {reason}"),
        )
    }
}

fn cut(mut text: String) -> String {
    if text.len() > REJECT_TEXT_BYTES_MAX {
        let mut end = REJECT_TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

saved!(struct Reject { code, error, message });
