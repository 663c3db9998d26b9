//! The System API as a table: every function with its type, the contexts it may be called in and
//! its fixed price in instructions. It owns no behaviour.
//!
//! Sources: interface specification 0.66 ("System imports" and its table of contexts), ic0 1.2.0
//! for the two newest functions, the replica's system call overheads of October 2025.

use crate::message::Mode;

/// One function of module `ic0`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::machine) struct Rule {
    /// Name without the module.
    pub(in crate::machine) name: &'static str,
    /// Parameters, `i` = i32, `I` = i64.
    pub(in crate::machine) params: &'static str,
    /// Result in the same letters; empty = none.
    pub(in crate::machine) result: &'static str,
    /// Contexts, one bit per [`Mode`].
    pub(in crate::machine) contexts: u32,
    /// Fixed price in instructions.
    pub(in crate::machine) cost: u64,
}

impl Rule {
    /// Whether the function may be called in this context.
    pub(in crate::machine) fn allows(&self, mode: Mode) -> bool {
        self.contexts & bit(mode) != 0
    }
}

/// The rule of a function, if we have it.
pub(in crate::machine) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

const fn bit(mode: Mode) -> u32 {
    1 << mode as u32
}

const I: u32 = bit(Mode::Init);
const G: u32 = bit(Mode::PreUpgrade);
const U: u32 = bit(Mode::Update);
const RQ: u32 = bit(Mode::ReplicatedQuery);
const NRQ: u32 = bit(Mode::Query);
const CQ: u32 = bit(Mode::CompositeQuery);
const RY: u32 = bit(Mode::Reply);
const RT: u32 = bit(Mode::Reject);
const CRY: u32 = bit(Mode::CompositeReply);
const CRT: u32 = bit(Mode::CompositeReject);
const C: u32 = bit(Mode::Cleanup);
const CC: u32 = bit(Mode::CompositeCleanup);
const S: u32 = bit(Mode::Start);
const F: u32 = bit(Mode::Inspect);
const T: u32 = bit(Mode::SystemTask);

/// `*` of the specification: everywhere but in the start function.
const ALL: u32 = I | G | U | RQ | NRQ | CQ | RY | RT | CRY | CRT | C | CC | F | T;
const ARGUMENT: u32 = I | U | RQ | NRQ | CQ | RY | CRY | F;
const CALLER_INFO: u32 = U | RQ | NRQ | CQ | RY | RT | CRY | CRT | C | CC | F;
const ANSWER: u32 = U | RQ | NRQ | CQ | RY | RT | CRY | CRT;
const CALLS: u32 = U | CQ | RY | RT | CRY | CRT | T;

const fn row(
    name: &'static str,
    params: &'static str,
    result: &'static str,
    contexts: u32,
    cost: u64,
) -> Rule {
    Rule {
        name,
        params,
        result,
        contexts,
        cost,
    }
}

/// All functions of the System API for 32-bit canisters.
pub(in crate::machine) const RULES: &[Rule] = &[
    row("msg_arg_data_size", "", "i", ARGUMENT, 500),
    row("msg_arg_data_copy", "iii", "", ARGUMENT, 500),
    row("msg_caller_size", "", "i", ALL, 500),
    row("msg_caller_copy", "iii", "", ALL, 500),
    row("msg_caller_info_data_size", "", "i", CALLER_INFO, 500),
    row("msg_caller_info_data_copy", "iii", "", CALLER_INFO, 500),
    row("msg_caller_info_signer_size", "", "i", CALLER_INFO, 500),
    row("msg_caller_info_signer_copy", "iii", "", CALLER_INFO, 500),
    row("msg_reject_code", "", "i", RY | RT | CRY | CRT | C, 500),
    row("msg_reject_msg_size", "", "i", RT | CRT, 500),
    row("msg_reject_msg_copy", "iii", "", RT | CRT, 500),
    row("msg_deadline", "", "I", ANSWER, 500),
    row("msg_reply_data_append", "ii", "", ANSWER, 500),
    row("msg_reply", "", "", ANSWER, 500),
    row("msg_reject", "ii", "", ANSWER, 500),
    row("msg_cycles_available128", "i", "", U | RQ | RT | RY, 500),
    row("msg_cycles_refunded128", "i", "", RT | RY, 500),
    row("msg_cycles_accept128", "IIi", "", U | RQ | RT | RY, 500),
    row(
        "cycles_burn128",
        "IIi",
        "",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row("canister_self_size", "", "i", ALL, 500),
    row("canister_self_copy", "iii", "", ALL, 500),
    row("canister_cycle_balance128", "i", "", ALL, 500),
    row("canister_liquid_cycle_balance128", "i", "", ALL, 500),
    row("canister_status", "", "i", ALL, 500),
    row("canister_version", "", "I", ALL, 500),
    row("subnet_self_size", "", "i", ALL, 500),
    row("subnet_self_copy", "iii", "", ALL, 500),
    row("subnet_self_node_count", "", "i", ALL, 500),
    row("msg_method_name_size", "", "i", F, 500),
    row("msg_method_name_copy", "iii", "", F, 500),
    row("accept_message", "", "", F, 500),
    row("call_new", "iiiiiiii", "", CALLS, 1_500),
    row("call_on_cleanup", "ii", "", CALLS, 500),
    row("call_data_append", "ii", "", CALLS, 500),
    row("call_with_best_effort_response", "i", "", CALLS, 500),
    row("call_cycles_add128", "II", "", U | RY | RT | T, 500),
    row("call_perform", "", "i", CALLS, 5_000),
    row("stable64_size", "", "I", ALL | S, 20),
    row("stable64_grow", "I", "I", ALL | S, 500),
    row("stable64_write", "III", "", ALL | S, 20),
    row("stable64_read", "III", "", ALL | S, 20),
    row(
        "root_key_size",
        "",
        "i",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row(
        "root_key_copy",
        "iii",
        "",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row("certified_data_set", "ii", "", I | G | U | RY | RT | T, 500),
    row("data_certificate_present", "", "i", ALL, 500),
    row("data_certificate_size", "", "i", NRQ | CQ, 500),
    row("data_certificate_copy", "iii", "", NRQ | CQ, 500),
    row("time", "", "I", ALL, 500),
    row(
        "global_timer_set",
        "I",
        "I",
        I | G | U | RY | RT | C | T,
        500,
    ),
    row("performance_counter", "i", "I", ALL | S, 200),
    row("is_controller", "ii", "i", ALL | S, 1_000),
    row("in_replicated_execution", "", "i", ALL | S, 500),
    row("cost_call", "IIi", "", ALL | S, 500),
    row("cost_create_canister", "i", "", ALL | S, 500),
    row("cost_http_request", "IIi", "", ALL | S, 500),
    row("cost_http_request_v2", "iii", "", ALL | S, 500),
    row("cost_sign_with_ecdsa", "iiii", "i", ALL | S, 500),
    row("cost_sign_with_schnorr", "iiii", "i", ALL | S, 500),
    row("cost_vetkd_derive_key", "iiii", "i", ALL | S, 500),
    row("env_var_count", "", "i", ALL, 500),
    row("env_var_name_size", "i", "i", ALL, 500),
    row("env_var_name_copy", "iiii", "", ALL, 500),
    row("env_var_name_exists", "ii", "i", ALL, 500),
    row("env_var_value_size", "ii", "i", ALL, 500),
    row("env_var_value_copy", "iiiii", "", ALL, 500),
    row("debug_print", "ii", "", ALL | S, 100),
    row("trap", "ii", "", ALL | S, 500),
];

/// Functions that exist on the platform and are refused here, with the reason.
pub(in crate::machine) fn why_absent(name: &str) -> Option<&'static str> {
    match name {
        "msg_cycles_available"
        | "msg_cycles_refunded"
        | "msg_cycles_accept"
        | "canister_cycle_balance"
        | "call_cycles_add" => Some("deprecated; use its 128-bit twin"),
        "stable_size" | "stable_grow" | "stable_write" | "stable_read" => {
            Some("deprecated; use its 64-bit twin")
        }
        "mint_cycles128" => Some("only for the cycles minting canister"),
        _ => None,
    }
}

/// What the platform calls a context in its error texts.
pub(in crate::machine) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Init => "init",
        Mode::PreUpgrade => "pre upgrade",
        Mode::Update => "update",
        Mode::ReplicatedQuery => "replicated query",
        Mode::Query => "non replicated query",
        Mode::CompositeQuery => "composite query",
        Mode::Reply => "reply callback",
        Mode::Reject => "reject callback",
        Mode::CompositeReply => "composite reply callback",
        Mode::CompositeReject => "composite reject callback",
        Mode::Cleanup => "cleanup",
        Mode::CompositeCleanup => "composite cleanup",
        Mode::Start => "start",
        Mode::Inspect => "inspect message",
        Mode::SystemTask => "system task",
    }
}
