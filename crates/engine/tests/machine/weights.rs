//! What a program costs, reckoned a second time: every scalar operator, every system call, bytes and
//! pages, from a table of its own (sources: the replica's instruction costs for 32-bit memories and
//! its system call overheads, October 2025). Sums over whole programs must agree to the instruction.

use hatchery_engine::machine::Keep;
use hatchery_engine::message::Mode;

use super::rig::{Rig, rig, update};
use super::specification::imports;

/// Operators with their types: `operands result`, a letter each (`i` i32, `I` i64, `f` f32, `F` f64),
/// and what one of them costs.
const OPERATORS: &[(u64, &str, &str)] = &[
    (
        1,
        "ii i",
        "i32.add i32.sub i32.mul i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr",
    ),
    (
        1,
        "II I",
        "i64.add i64.sub i64.mul i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr",
    ),
    (10, "ii i", "i32.div_s i32.div_u i32.rem_s i32.rem_u"),
    (10, "II I", "i64.div_s i64.div_u i64.rem_s i64.rem_u"),
    (
        1,
        "ii i",
        "i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u",
    ),
    (
        1,
        "II i",
        "i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u",
    ),
    (
        1,
        "i i",
        "i32.eqz i32.clz i32.ctz i32.popcnt i32.extend8_s i32.extend16_s",
    ),
    (
        1,
        "I I",
        "i64.clz i64.ctz i64.popcnt i64.extend8_s i64.extend16_s i64.extend32_s",
    ),
    (1, "I i", "i64.eqz i32.wrap_i64"),
    (1, "i I", "i64.extend_i32_s i64.extend_i32_u"),
    (1, "f f", "f32.abs f32.neg"),
    (1, "F F", "f64.abs f64.neg"),
    (2, "f f", "f32.ceil f32.floor f32.trunc f32.nearest"),
    (2, "F F", "f64.ceil f64.floor f64.trunc f64.nearest"),
    (2, "ff f", "f32.add f32.sub f32.mul f32.copysign"),
    (2, "FF F", "f64.add f64.sub f64.mul"),
    (3, "ff f", "f32.div"),
    (5, "FF F", "f64.div"),
    (3, "FF F", "f64.copysign"),
    (5, "f f", "f32.sqrt"),
    (8, "F F", "f64.sqrt"),
    (18, "ff f", "f32.min f32.max"),
    (18, "FF F", "f64.min f64.max"),
    (3, "ff i", "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge"),
    (3, "FF i", "f64.eq f64.ne f64.lt f64.gt f64.le f64.ge"),
    (3, "i f", "f32.convert_i32_s"),
    (3, "I f", "f32.convert_i64_s"),
    (3, "i F", "f64.convert_i32_s"),
    (3, "I F", "f64.convert_i64_s"),
    (16, "i f", "f32.convert_i32_u"),
    (16, "I f", "f32.convert_i64_u"),
    (16, "i F", "f64.convert_i32_u"),
    (16, "I F", "f64.convert_i64_u"),
    (
        20,
        "f i",
        "i32.trunc_f32_s i32.trunc_f32_u i32.trunc_sat_f32_s i32.trunc_sat_f32_u",
    ),
    (
        20,
        "F i",
        "i32.trunc_f64_s i32.trunc_f64_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u",
    ),
    (
        20,
        "f I",
        "i64.trunc_f32_s i64.trunc_f32_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u",
    ),
    (
        20,
        "F I",
        "i64.trunc_f64_s i64.trunc_f64_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u",
    ),
    (1, "F f", "f32.demote_f64"),
    (1, "f F", "f64.promote_f32"),
    (1, "i f", "f32.reinterpret_i32"),
    (1, "f i", "i32.reinterpret_f32"),
    (1, "I F", "f64.reinterpret_i64"),
    (1, "F I", "i64.reinterpret_f64"),
    (
        1,
        "i i",
        "i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u",
    ),
    (
        1,
        "i I",
        "i64.load i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u",
    ),
    (1, "i f", "f32.load"),
    (1, "i F", "f64.load"),
    (1, "iii i", "select"),
    (20, " i", "memory.size"),
    (100, " i", "table.size"),
    (300, "i i", "memory.grow"),
];

/// Statements that leave nothing, and their whole cost by the same source.
const STATEMENTS: &[(&str, u64)] = &[
    ("(nop)", 1),
    ("(block (loop (nop)))", 1),
    ("(local.set $n (local.get $n))", 2),
    ("(drop (local.tee $n (local.get $n)))", 3),
    ("(global.set $g (global.get $g))", 4),
    ("(if (local.get $n) (then) (else (nop)))", 1 + 2 + 1),
    ("(block (br 0))", 2),
    ("(block (br_if 0 (i32.const 1)))", 1 + 2),
    ("(block (br_table 0 (i32.const 0)))", 1 + 2),
    ("(call $nothing)", 5 + 1),
    ("(call_indirect (i32.const 0))", 1 + 10 + 1),
    (
        "(drop (ref.is_null (table.get 0 (i32.const 0))))",
        1 + 5 + 5 + 1,
    ),
    ("(drop (ref.func $nothing))", 130 + 1),
    (
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 700))",
        3 + 100 + 700,
    ),
    (
        "(memory.copy (i32.const 0) (i32.const 8) (i32.const 900))",
        3 + 100 + 900,
    ),
    (
        "(memory.init $some (i32.const 0) (i32.const 0) (i32.const 3))",
        3 + 100 + 3,
    ),
];

/// System calls of an update with arguments that do nothing much: what they cost beside the call
/// itself, which is 5, and their arguments, 1 each.
const SYSTEM_CALLS: &[(&str, u64)] = &[
    ("msg_arg_data_size", 500),
    ("msg_caller_size", 500),
    ("msg_caller_info_data_size", 500),
    ("msg_caller_info_signer_size", 500),
    ("msg_deadline", 500),
    ("canister_self_size", 500),
    ("canister_status", 500),
    ("canister_version", 500),
    ("subnet_self_size", 500),
    ("subnet_self_node_count", 500),
    ("stable64_size", 20),
    ("root_key_size", 500),
    ("data_certificate_present", 500),
    ("time", 500),
    ("in_replicated_execution", 500),
    ("env_var_count", 500),
    ("msg_arg_data_copy", 500),
    ("msg_caller_copy", 500),
    ("canister_self_copy", 500),
    ("subnet_self_copy", 500),
    ("root_key_copy", 500),
    ("msg_reply_data_append", 500),
    ("stable64_grow", 500),
    ("stable64_write", 20),
    ("stable64_read", 20),
    ("certified_data_set", 500),
    ("global_timer_set", 500),
    ("performance_counter", 200),
    ("env_var_name_size", 500),
    ("env_var_name_exists", 500),
    ("debug_print", 100),
    ("call_new", 1_500),
    ("call_data_append", 500),
    ("call_on_cleanup", 500),
    ("call_cycles_add128", 500),
];

fn constant(letter: char) -> &'static str {
    match letter {
        'i' => "(i32.const 2)",
        'I' => "(i64.const 2)",
        'f' => "(f32.const 2)",
        _ => "(f64.const 2)",
    }
}

/// All statements of the table, each with what it costs.
fn statements() -> Vec<(String, u64)> {
    let operators = OPERATORS.iter().flat_map(|(cost, shape, names)| {
        let (operands, _) = shape.split_once(' ').expect("operands and a result");
        let arguments: Vec<&str> = operands.chars().map(constant).collect();
        let whole = arguments.len() as u64 + cost + 1;
        names.split(' ').map(move |name| {
            let table = if name == "table.size" { " 0" } else { "" };
            (
                format!("(drop ({name}{table} {}))", arguments.join(" ")),
                whole,
            )
        })
    });
    let others = STATEMENTS
        .iter()
        .map(|(text, cost)| ((*text).to_owned(), *cost));
    operators.chain(others).chain(system_calls()).collect()
}

fn system_calls() -> impl Iterator<Item = (String, u64)> {
    SYSTEM_CALLS.iter().map(|(name, cost)| {
        let functions = super::specification::FUNCTIONS;
        let found = functions.iter().find(|(known, ..)| known == name);
        let (_, params, result, _) = found.expect("a function of the specification");
        let zeros: String = params
            .chars()
            .map(|letter| {
                if letter == 'i' {
                    "(i32.const 0)"
                } else {
                    "(i64.const 0)"
                }
            })
            .collect();
        let call = format!("(call ${name} {zeros})");
        let whole = params.len() as u64 + 5 + cost;
        if name.starts_with("call_") && *name != "call_new" {
            // There must be a call under construction.
            let zeros = "(i32.const 0)".repeat(8);
            return (
                format!("(call $call_new {zeros}) {call}"),
                whole + 8 + 5 + 1_500,
            );
        }
        match *result {
            "" => (call, whole),
            _ => (format!("(drop {call})"), whole + 1),
        }
    })
}

/// A module whose updates run these statements: `go` all of them once, `again` a hundred times, and
/// the n-th alone as `n`.
fn program(statements: &[(String, u64)]) -> String {
    let all: String = statements.iter().map(|(text, _)| text.as_str()).collect();
    let alone: Vec<String> = statements
        .iter()
        .enumerate()
        .map(|(n, (text, _))| {
            format!("(func (export \"canister_update {n}\") (local $n i32) {text})")
        })
        .collect();
    let alone = alone.concat();
    format!(
        r#"(module {} (memory 4)
          (table 4 funcref) (elem (i32.const 0) $nothing)
          (data $some "\00\00\00") (global $g (mut i32) (i32.const 0))
          (func $nothing)
          {alone}
          (func (export "canister_update go") (local $n i32) {all})
          (func (export "canister_update again") (local $n i32) (local $left i32)
            (local.set $left (i32.const 100))
            (loop $turn {all}
              (local.set $left (i32.sub (local.get $left) (i32.const 1)))
              (br_if $turn (local.get $left)))))"#,
        imports()
    )
}

fn run(rig: &mut Rig, method: &str) -> u64 {
    let execution = rig.run_with(update(method), Mode::Update, Keep::Never, |_| {});
    assert_eq!(execution.result, Ok(()), "{method}");
    execution.instructions
}

#[test]
fn a_program_of_everything_costs_the_sum_of_its_parts() {
    let all = statements();
    let sum: u64 = all.iter().map(|(_, cost)| cost).sum();
    let mut rig = rig(&program(&all));
    // One for entering the function. The heap's zeros stay zeros: no page is dirtied.
    assert_eq!(run(&mut rig, "go"), 1 + sum);
    // Setting the counter, a hundred turns, counting down (get, const, sub, set) and branching (get,
    // branch) in each.
    assert_eq!(run(&mut rig, "again"), 1 + 2 + 100 * (sum + 4 + 3));
}

/// So that two errors of opposite sign in one sum are seen: every statement alone.
#[test]
fn every_part_costs_what_it_should_alone() {
    let all = statements();
    let mut rig = rig(&program(&all));
    let wrong: Vec<String> = all
        .iter()
        .enumerate()
        .filter_map(|(n, (text, cost))| {
            let found = run(&mut rig, &n.to_string()) - 1;
            (found != *cost).then(|| format!("{text}: {found}, wanted {cost}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A program like those that canisters run: it fills memory, reads it back, calls, and stores.
#[test]
fn bytes_and_pages_add_up_over_a_whole_program() {
    let mut rig = rig(&format!(
        r#"(module {} (memory 4)
          (func (export "canister_update work") (local $i i32)
            (memory.fill (i32.const 4096) (i32.const 1) (i32.const 20480))
            (drop (call $stable64_grow (i64.const 2)))
            (call $stable64_write (i64.const 100) (i64.const 4096) (i64.const 9000))
            (call $stable64_read (i64.const 40960) (i64.const 100) (i64.const 9000))
            (loop $turn
              (i64.store (i32.add (local.get $i) (i32.const 65536)) (i64.const 7))
              (local.set $i (i32.add (local.get $i) (i32.const 8)))
              (br_if $turn (i32.lt_u (local.get $i) (i32.const 8000))))
            (call $msg_reply_data_append (i32.const 4096) (i32.const 2000))
            (call $msg_reply)))"#,
        imports()
    ));
    let found = rig.update("work").instructions;
    let fill = 3 + 100 + 20_480;
    let grow = 1 + 5 + 500 + 1;
    let stable = 2 * (3 + 5 + 20 + 9_000);
    // Address 3, value and store 2; step 4; condition 3 and branch 2: a thousand turns.
    let turns = 1_000 * (3 + 2 + 4 + 3 + 2);
    let reply = 2 + 5 + 500 + 50 * 2_000 + 5 + 500;
    // The fill dirties 5 pages, the read 3 (40,960 to 49,960), the loop 2; stable memory 3.
    let pages = (5 + 3 + 2 + 3) * 1_000;
    assert_eq!(found, 1 + fill + grow + stable + turns + reply + pages);
    // The same bytes again: the heap's pages are as they were and cost nothing, stable memory's are
    // written and cost as before.
    let again = rig.update("work").instructions;
    assert_eq!(again, found - (5 + 3 + 2) * 1_000);
}
