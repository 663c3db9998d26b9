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
    /// Parameters: `i` = i32, `I` = i64, `p` = as wide as the canister's addresses.
    pub(in crate::machine) params: &'static str,
    /// Result in the same letters; empty = none.
    pub(in crate::machine) result: &'static str,
    /// Contexts, one bit per [`Mode`].
    pub(in crate::machine) contexts: u32,
    /// Fixed price in instructions.
    pub(in crate::machine) cost: u64,
}

/// The letters of a type as a canister with 32-bit or 64-bit memory must import it.
pub(in crate::machine) fn letters(types: &str, wide: bool) -> String {
    types.replace('p', if wide { "I" } else { "i" })
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

/// All functions of the System API.
pub(in crate::machine) const RULES: &[Rule] = &[
    row("msg_arg_data_size", "", "p", ARGUMENT, 500),
    row("msg_arg_data_copy", "ppp", "", ARGUMENT, 500),
    row("msg_caller_size", "", "p", ALL, 500),
    row("msg_caller_copy", "ppp", "", ALL, 500),
    row("msg_caller_info_data_size", "", "p", CALLER_INFO, 500),
    row("msg_caller_info_data_copy", "ppp", "", CALLER_INFO, 500),
    row("msg_caller_info_signer_size", "", "p", CALLER_INFO, 500),
    row("msg_caller_info_signer_copy", "ppp", "", CALLER_INFO, 500),
    row("msg_reject_code", "", "i", RY | RT | CRY | CRT | C, 500),
    row("msg_reject_msg_size", "", "p", RT | CRT, 500),
    row("msg_reject_msg_copy", "ppp", "", RT | CRT, 500),
    row("msg_deadline", "", "I", ANSWER, 500),
    row("msg_reply_data_append", "pp", "", ANSWER, 500),
    row("msg_reply", "", "", ANSWER, 500),
    row("msg_reject", "pp", "", ANSWER, 500),
    row("msg_cycles_available128", "p", "", U | RQ | RT | RY, 500),
    row("msg_cycles_refunded128", "p", "", RT | RY, 500),
    row("msg_cycles_accept128", "IIp", "", U | RQ | RT | RY, 500),
    row(
        "cycles_burn128",
        "IIp",
        "",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row("canister_self_size", "", "p", ALL, 500),
    row("canister_self_copy", "ppp", "", ALL, 500),
    row("canister_cycle_balance128", "p", "", ALL, 500),
    row("canister_liquid_cycle_balance128", "p", "", ALL, 500),
    row("canister_status", "", "i", ALL, 500),
    row("canister_version", "", "I", ALL, 500),
    row("subnet_self_size", "", "p", ALL, 500),
    row("subnet_self_copy", "ppp", "", ALL, 500),
    row("subnet_self_node_count", "", "i", ALL, 500),
    row("msg_method_name_size", "", "p", F, 500),
    row("msg_method_name_copy", "ppp", "", F, 500),
    row("accept_message", "", "", F, 500),
    row("call_new", "pppppppp", "", CALLS, 1_500),
    row("call_on_cleanup", "pp", "", CALLS, 500),
    row("call_data_append", "pp", "", CALLS, 500),
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
        "p",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row(
        "root_key_copy",
        "ppp",
        "",
        I | G | U | RQ | RY | RT | C | T,
        500,
    ),
    row("certified_data_set", "pp", "", I | G | U | RY | RT | T, 500),
    row("data_certificate_present", "", "i", ALL, 500),
    row("data_certificate_size", "", "p", NRQ | CQ, 500),
    row("data_certificate_copy", "ppp", "", NRQ | CQ, 500),
    row("time", "", "I", ALL, 500),
    row(
        "global_timer_set",
        "I",
        "I",
        I | G | U | RY | RT | C | T,
        500,
    ),
    row("performance_counter", "i", "I", ALL | S, 200),
    row("is_controller", "pp", "i", ALL | S, 1_000),
    row("in_replicated_execution", "", "i", ALL | S, 500),
    row("cost_call", "IIp", "", ALL | S, 500),
    row("cost_create_canister", "p", "", ALL | S, 500),
    row("cost_http_request", "IIp", "", ALL | S, 500),
    row("cost_http_request_v2", "ppp", "", ALL | S, 500),
    row("cost_sign_with_ecdsa", "ppip", "i", ALL | S, 500),
    row("cost_sign_with_schnorr", "ppip", "i", ALL | S, 500),
    row("cost_vetkd_derive_key", "ppip", "i", ALL | S, 500),
    row("env_var_count", "", "p", ALL, 500),
    row("env_var_name_size", "p", "p", ALL, 500),
    row("env_var_name_copy", "pppp", "", ALL, 500),
    row("env_var_name_exists", "pp", "i", ALL, 500),
    row("env_var_value_size", "pp", "p", ALL, 500),
    row("env_var_value_copy", "ppppp", "", ALL, 500),
    row("debug_print", "pp", "", ALL | S, 100),
    row("trap", "pp", "", ALL | S, 500),
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
