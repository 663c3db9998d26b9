//! The System API as the interface specification states it, written down a second time and by
//! another route than the machine's own table: name, type, contexts in the specification's letters.

use hatchery_engine::message::Mode;

/// Name, parameters and result (`i` = i32, `I` = i64), contexts.
pub(crate) const FUNCTIONS: &[(&str, &str, &str, &str)] = &[
    ("msg_arg_data_size", "", "i", "I U RQ NRQ CQ Ry CRy F"),
    ("msg_arg_data_copy", "iii", "", "I U RQ NRQ CQ Ry CRy F"),
    ("msg_caller_size", "", "i", "*"),
    ("msg_caller_copy", "iii", "", "*"),
    (
        "msg_caller_info_data_size",
        "",
        "i",
        "U RQ NRQ CQ Ry Rt CRy CRt C CC F",
    ),
    (
        "msg_caller_info_data_copy",
        "iii",
        "",
        "U RQ NRQ CQ Ry Rt CRy CRt C CC F",
    ),
    (
        "msg_caller_info_signer_size",
        "",
        "i",
        "U RQ NRQ CQ Ry Rt CRy CRt C CC F",
    ),
    (
        "msg_caller_info_signer_copy",
        "iii",
        "",
        "U RQ NRQ CQ Ry Rt CRy CRt C CC F",
    ),
    ("msg_reject_code", "", "i", "Ry Rt CRy CRt C"),
    ("msg_reject_msg_size", "", "i", "Rt CRt"),
    ("msg_reject_msg_copy", "iii", "", "Rt CRt"),
    ("msg_deadline", "", "I", "U RQ NRQ CQ Ry Rt CRy CRt"),
    (
        "msg_reply_data_append",
        "ii",
        "",
        "U RQ NRQ CQ Ry Rt CRy CRt",
    ),
    ("msg_reply", "", "", "U RQ NRQ CQ Ry Rt CRy CRt"),
    ("msg_reject", "ii", "", "U RQ NRQ CQ Ry Rt CRy CRt"),
    ("msg_cycles_available128", "i", "", "U RQ Rt Ry"),
    ("msg_cycles_refunded128", "i", "", "Rt Ry"),
    ("msg_cycles_accept128", "IIi", "", "U RQ Rt Ry"),
    ("cycles_burn128", "IIi", "", "I G U RQ Ry Rt C T"),
    ("canister_self_size", "", "i", "*"),
    ("canister_self_copy", "iii", "", "*"),
    ("canister_cycle_balance128", "i", "", "*"),
    ("canister_liquid_cycle_balance128", "i", "", "*"),
    ("canister_status", "", "i", "*"),
    ("canister_version", "", "I", "*"),
    ("subnet_self_size", "", "i", "*"),
    ("subnet_self_copy", "iii", "", "*"),
    ("subnet_self_node_count", "", "i", "*"),
    ("msg_method_name_size", "", "i", "F"),
    ("msg_method_name_copy", "iii", "", "F"),
    ("accept_message", "", "", "F"),
    ("call_new", "iiiiiiii", "", "U CQ Ry Rt CRy CRt T"),
    ("call_on_cleanup", "ii", "", "U CQ Ry Rt CRy CRt T"),
    ("call_data_append", "ii", "", "U CQ Ry Rt CRy CRt T"),
    (
        "call_with_best_effort_response",
        "i",
        "",
        "U CQ Ry Rt CRy CRt T",
    ),
    ("call_cycles_add128", "II", "", "U Ry Rt T"),
    ("call_perform", "", "i", "U CQ Ry Rt CRy CRt T"),
    ("stable64_size", "", "I", "* s"),
    ("stable64_grow", "I", "I", "* s"),
    ("stable64_write", "III", "", "* s"),
    ("stable64_read", "III", "", "* s"),
    ("root_key_size", "", "i", "I G U RQ Ry Rt C T"),
    ("root_key_copy", "iii", "", "I G U RQ Ry Rt C T"),
    ("certified_data_set", "ii", "", "I G U Ry Rt T"),
    ("data_certificate_present", "", "i", "*"),
    ("data_certificate_size", "", "i", "NRQ CQ"),
    ("data_certificate_copy", "iii", "", "NRQ CQ"),
    ("time", "", "I", "*"),
    ("global_timer_set", "I", "I", "I G U Ry Rt C T"),
    ("performance_counter", "i", "I", "* s"),
    ("is_controller", "ii", "i", "* s"),
    ("in_replicated_execution", "", "i", "* s"),
    ("cost_call", "IIi", "", "* s"),
    ("cost_create_canister", "i", "", "* s"),
    ("cost_http_request", "IIi", "", "* s"),
    ("cost_http_request_v2", "iii", "", "* s"),
    ("cost_sign_with_ecdsa", "iiii", "i", "* s"),
    ("cost_sign_with_schnorr", "iiii", "i", "* s"),
    ("cost_vetkd_derive_key", "iiii", "i", "* s"),
    ("env_var_count", "", "i", "*"),
    ("env_var_name_size", "i", "i", "*"),
    ("env_var_name_copy", "iiii", "", "*"),
    ("env_var_name_exists", "ii", "i", "*"),
    ("env_var_value_size", "ii", "i", "*"),
    ("env_var_value_copy", "iiiii", "", "*"),
    ("debug_print", "ii", "", "* s"),
    ("trap", "ii", "", "* s"),
];

/// The specification's letter for a context.
pub(crate) const LETTERS: &[(&str, Mode)] = &[
    ("I", Mode::Init),
    ("G", Mode::PreUpgrade),
    ("U", Mode::Update),
    ("RQ", Mode::ReplicatedQuery),
    ("NRQ", Mode::Query),
    ("CQ", Mode::CompositeQuery),
    ("Ry", Mode::Reply),
    ("Rt", Mode::Reject),
    ("CRy", Mode::CompositeReply),
    ("CRt", Mode::CompositeReject),
    ("C", Mode::Cleanup),
    ("CC", Mode::CompositeCleanup),
    ("s", Mode::Start),
    ("F", Mode::Inspect),
    ("T", Mode::SystemTask),
];

/// Whether a function with these contexts may be called in the context with this letter.
pub(crate) fn allowed(contexts: &str, letter: &str) -> bool {
    contexts
        .split(' ')
        .any(|one| one == letter || one == "*" && letter != "s")
}

fn types(letters: &str) -> String {
    letters
        .chars()
        .map(|letter| if letter == 'i' { " i32" } else { " i64" })
        .collect()
}

/// Imports of all functions, each named `$<function>`.
pub(crate) fn imports() -> String {
    let import = |(name, params, result, _): &(&str, &str, &str, &str)| {
        let result = match types(result).as_str() {
            "" => String::new(),
            ty => format!("(result{ty})"),
        };
        let params = types(params);
        format!("(import \"ic0\" \"{name}\" (func ${name} (param{params}) {result}))\n")
    };
    FUNCTIONS.iter().map(import).collect::<Vec<_>>().concat()
}
