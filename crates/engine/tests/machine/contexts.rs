//! Every function of the System API in every context: it runs where the specification says so, and
//! anywhere else the message traps with the platform's code.

use std::fmt::Write as _;

use hatchery_engine::machine::Keep;
use ic_error_types::ErrorCode;

use crate::machine::rig::{rig, update};
use crate::machine::specification::{FUNCTIONS, LETTERS, allowed, imports};

#[test]
fn every_function_runs_in_its_contexts_only() {
    let mut wat = format!("(module {} (memory 1)", imports());
    for (name, params, result, _) in FUNCTIONS {
        let zeros: String = params
            .chars()
            .map(|letter| match letter {
                'i' => "(i32.const 0)",
                _ => "(i64.const 0)",
            })
            .collect();
        let call = format!("(call ${name} {zeros})");
        let call = match *result {
            "" => call,
            _ => format!("(drop {call})"),
        };
        writeln!(wat, "(func (export \"canister_update {name}\") {call})").unwrap();
    }
    let mut rig = rig(&(wat + ")"));
    let (mut ran, mut refused) = (0, 0);
    for (name, _, _, contexts) in FUNCTIONS {
        for (letter, mode) in LETTERS {
            let execution = rig.run_with(update(name), *mode, Keep::Never, |_| {});
            let text = execution
                .result
                .as_ref()
                .err()
                .map(|trap| trap.message.clone());
            let text = text.unwrap_or_default();
            let wrong_context = text.contains("cannot be executed in");
            assert_eq!(
                !wrong_context,
                allowed(contexts, letter),
                "{name} in {letter}: {text}"
            );
            if wrong_context {
                let code = execution.result.unwrap_err().code;
                assert_eq!(code, ErrorCode::CanisterContractViolation);
                assert!(text.contains(&format!("\"ic0.{name}\"")), "{text}");
                refused += 1;
            } else {
                ran += 1;
            }
        }
    }
    assert!(ran > 500 && refused > 250, "{ran} {refused}");
}
