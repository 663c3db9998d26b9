//! How running code ends early: from whatever wasmtime or the System API raised to the platform's
//! code and text. It owns the texts; who may see them is the subnet's business.

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use crate::message::Trap;

/// A trap before the canister's id is put in front of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Stop {
    pub(super) code: ErrorCode,
    pub(super) text: String,
    /// What the canister's log shows after `[TRAP]: `.
    pub(super) log: String,
}

impl Stop {
    fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Stop {
            code,
            log: text.clone(),
            text,
        }
    }

    /// The System API was used against its rules.
    pub(super) fn contract(error: impl std::fmt::Display) -> Self {
        Stop::new(
            ErrorCode::CanisterContractViolation,
            format!("Canister violated contract: {error}"),
        )
    }

    /// A WebAssembly trap, or one of the host on its behalf.
    pub(super) fn trapped(cause: &str) -> Self {
        Stop {
            log: cause.to_string(),
            ..Stop::new(
                ErrorCode::CanisterTrapped,
                format!("Canister trapped: {cause}"),
            )
        }
    }

    /// `ic0.trap`.
    pub(super) fn called(message: &str) -> Self {
        Stop {
            log: message.to_string(),
            ..Stop::new(
                ErrorCode::CanisterCalledTrap,
                format!("Canister called `ic0.trap` with message: '{message}'"),
            )
        }
    }

    pub(super) fn out_of_instructions(limit: u64) -> Self {
        Stop::new(
            ErrorCode::CanisterInstructionLimitExceeded,
            format!(
                "Canister exceeded the limit of {limit} instructions for single message execution."
            ),
        )
    }

    pub(super) fn no_method(kind: &str, name: &str) -> Self {
        Stop::new(
            ErrorCode::CanisterMethodNotFound,
            format!("Canister has no {kind} method '{name}'."),
        )
    }

    pub(super) fn no_function(index: u32) -> Self {
        Stop::new(
            ErrorCode::CanisterFunctionNotFound,
            format!(
                "Canister requested to invoke a non-existent Wasm function {index} from table 0"
            ),
        )
    }

    pub(super) fn wrong_signature() -> Self {
        Stop::contract("function invocation does not match its signature")
    }

    pub(super) fn too_many_dirty_pages(limit: u64) -> Self {
        Stop::new(
            ErrorCode::CanisterMemoryAccessLimitExceeded,
            format!(
                "Canister exceeded memory access limits: Exceeded the limit of {limit} modified \
                 pages in the stable memory in a single message execution."
            ),
        )
    }

    pub(super) fn wasm_memory_limit(bytes: u64, limit: u64) -> Self {
        Stop::new(
            ErrorCode::CanisterWasmMemoryLimitExceeded,
            format!(
                "Canister exceeded its current Wasm memory limit of {limit} bytes. The peak Wasm \
                 memory usage was {bytes} bytes."
            ),
        )
    }

    /// The stop behind an error of wasmtime.
    pub(super) fn from_error(error: &wasmtime::Error, limit: u64) -> Self {
        use wasmtime::Trap as Wasm;
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return stop.clone();
        }
        match error.downcast_ref::<Wasm>() {
            Some(Wasm::OutOfFuel) => Stop::out_of_instructions(limit),
            Some(Wasm::StackOverflow) => Stop::trapped("stack overflow"),
            Some(Wasm::MemoryOutOfBounds) => Stop::trapped("heap out of bounds"),
            Some(Wasm::TableOutOfBounds) => Stop::trapped("table out of bounds"),
            Some(Wasm::IntegerDivisionByZero) => Stop::trapped("integer divide by zero"),
            Some(Wasm::IntegerOverflow) => Stop::trapped("integer overflow"),
            Some(Wasm::BadConversionToInteger) => Stop::trapped("invalid conversion to integer"),
            Some(Wasm::IndirectCallToNull) => Stop::trapped("indirect call to null"),
            Some(Wasm::UnreachableCodeReached) => Stop::trapped("unreachable"),
            Some(Wasm::BadSignature) => Stop::wrong_signature(),
            Some(other) => Stop::trapped(&other.to_string()),
            None => Stop::new(
                ErrorCode::CanisterWasmEngineError,
                format!("Canister encountered a Wasm engine error: {error}"),
            ),
        }
    }

    /// The platform's text: whose error, then what.
    pub(super) fn of(self, canister: &Principal) -> Trap {
        Trap {
            code: self.code,
            message: format!("Error from Canister {canister}: {}", self.text),
        }
    }
}
