//! How many management calls a round takes: their instructions, and the long install that holds
//! others back.

use ic_principal::Principal;

use super::effective_canister;
use crate::subnet::{Request, Subnet};

/// Instructions that all management calls of a round share (ENGINE facts: 7 billion / 16).
const ROUND_INSTRUCTIONS: u64 = 437_500_000;
/// Calls handled in a round beside a slice of a long install.
const CALLS_BESIDE_LONG_INSTALL: usize = 2;

impl Subnet {
    /// Handles management calls, senders in turn, while instructions are left.
    ///
    /// A head that has to wait, an install while a long one runs or a call about a canister that
    /// is occupied, holds back its sender's queue.
    pub(crate) fn run_management(&mut self) {
        let mut calls_left = usize::MAX;
        if self.long_install.is_some() {
            self.continue_long_install();
            calls_left = CALLS_BESIDE_LONG_INSTALL;
        }
        self.management_spent = 0;
        if self.management.is_empty() {
            return;
        }
        let mut queue = std::mem::take(&mut self.management);
        while self.management_spent < ROUND_INSTRUCTIONS && calls_left > 0 {
            let Some(request) = queue.pop(|request| self.may_run(request)) else {
                break;
            };
            self.handle_management(request);
            calls_left -= 1;
        }
        self.management = queue;
    }

    fn may_run(&self, request: &Request) -> bool {
        if self.long_install.is_some() && is_install(&request.method) {
            return false;
        }
        if self.long_install.is_none() && self.busy.is_empty() {
            return true;
        }
        effective_canister(&request.arg).map_or(true, |target: Principal| !self.is_blocked(&target))
    }
}

fn is_install(method: &str) -> bool {
    matches!(method, "install_code" | "install_chunked_code")
}
