//! Messages made to hurt: each method refuses them, and root works little for them.

use crate::authority::{Stage, argument, methods, stage};
use candid::Principal;
use hatchery_engine::trace::Event;
use hatchery_sim::world::relay;

/// What a message may cost root beside what grows with its bytes.
const INSTRUCTIONS: u64 = 4_000_000;
/// What each of its bytes may cost root.
const INSTRUCTIONS_PER_BYTE: u64 = 400;
/// What a call costs the one who passes it on: canisters send no more than this many bytes here.
const RELAYED_BYTES_MAX: usize = 200_000;

/// A number as Candid writes it.
fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A message of that type table, argument types and bytes.
fn message(table: &[&[u8]], types: &[u8], values: &[u8]) -> Vec<u8> {
    let count = leb(table.len() as u64);
    let parts = [&b"DIDL"[..], &count, &table.concat(), types, values];
    parts.concat()
}

const OPT: u8 = 0x6e;
const VEC: u8 = 0x6d;
const RECORD: u8 = 0x6c;
const NULL: u8 = 0x7f;
const MOST: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];

/// Values that a few bytes make huge, or deep, or endless.
fn bombs(bytes_max: usize) -> Vec<(&'static str, Vec<u8>)> {
    let room = bytes_max.min(RELAYED_BYTES_MAX).saturating_sub(100);
    let options = vec![1; room];
    let few = (room / 12).min(5_000);
    let entry = |index: u64| [vec![VEC], leb(index)].concat();
    let chain: Vec<Vec<u8>> = (1..=few as u64).map(entry).collect();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let last: [&[u8]; 1] = [&[VEC, NULL]];
    let records = vec![0; room];
    vec![
        ("no Candid", b"this is not Candid at all".to_vec()),
        ("cut short", b"DIDL\x01\x6c\x02".to_vec()),
        (
            "an endless number",
            [&b"DIDL"[..], &vec![0xff; room]].concat(),
        ),
        ("deep options", message(&[&[OPT, 0]], &[1, 0], &options)),
        (
            "billions of nulls",
            message(&[&[VEC, NULL]], &[1, 0], &MOST),
        ),
        (
            "billions of empty records",
            message(&[&[RECORD, 0], &[VEC, 0]], &[1, 1], &MOST),
        ),
        (
            "vectors of vectors of nothing",
            message(
                &[&[RECORD, 0], &[VEC, 0], &[VEC, 1], &[VEC, 2]],
                &[1, 3],
                &[&MOST[..], &MOST, &MOST].concat(),
            ),
        ),
        (
            "a long chain of types",
            message(&[&chain[..], &last].concat(), &[1, 0], &options[..few]),
        ),
        (
            "a record that holds itself",
            message(&[&[RECORD, 1, 0, 0]], &[1, 0], &[]),
        ),
        (
            "many arguments",
            [&b"DIDL\x01\x6c\x00"[..], &leb(room as u64), &records].concat(),
        ),
        (
            "billions of arguments",
            [&b"DIDL\x00"[..], &MOST, &options].concat(),
        ),
    ]
}

/// The same behind a good first argument, where it is to be passed over. Only for arguments whose
/// message ends with its values, which is all of Candid.
fn behind(argument: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    // One argument of a plain type: its count of types is at a known place.
    let is_text = argument.starts_with(b"DIDL\x00\x01\x71");
    let (_, value) = argument.split_at_checked(7).filter(|_| is_text)?;
    let table: [&[u8]; 2] = [&[RECORD, 0], &[VEC, 0]];
    let whole = message(&table, &[2, 0x71, 1], &[value, &MOST].concat());
    (whole.len() <= bytes_max).then_some(whole)
}

/// What root spent on a message, and whether it was refused.
fn sent(stage: &mut Stage, sender: Option<Principal>, method: &str, bytes: &[u8]) -> (u64, bool) {
    let root = stage.world.root.0;
    let mut engine = stage.world.engine.fork();
    engine.trace_keep(10_000);
    let refused = match sender {
        None => {
            let operator = stage.world.operator;
            let answer = engine.update(operator, root, method, bytes.to_vec());
            answer.is_err()
        }
        Some(canister) => relay::call(&mut engine, canister, root, method, bytes).is_err(),
    };
    let entry = format!("update {method}");
    let spent = engine.trace().filter_map(|it| match &it.event {
        Event::Executed {
            canister,
            entry: ran,
            instructions,
            trap,
        } if *canister == root && (*ran == entry || ran.ends_with(method)) => {
            assert_eq!(*trap, None, "{method}");
            Some(*instructions)
        }
        _ => None,
    });
    (spent.sum(), refused)
}

fn largest(method: &str) -> usize {
    match method {
        "apply_spec" | "stage_chunk" => 1024 * 1024,
        "replay" => 2_000_000,
        "command" => 256 * 1024,
        "http_request" => 64 * 1024,
        "report_pool" => 32 * 1024,
        "renew" | "release" | "create_worker" | "request" => 8 * 1024,
        _ => 1024,
    }
}

#[test]
fn l22_bombs_are_refused_at_every_endpoint_for_few_instructions() {
    let mut stage = stage();
    let (hub, member) = (stage.hubs[0], stage.members[0]);
    for (method, _) in methods().into_iter().filter(|it| it.0 != "hatchery_tick") {
        // Who gets furthest: past the guard.
        let sender = match method.as_str() {
            "report" | "protect" | "request" => Some(member),
            "report_pool" | "lease" | "renew" | "release" | "create_worker" => Some(hub),
            _ => None,
        };
        let bytes_max = largest(&method);
        let mut bombs = bombs(bytes_max);
        let good = argument(&mut stage, &method, true);
        bombs.extend(behind(&good, bytes_max).map(|bytes| ("billions behind", bytes)));
        bombs.push(("too long", vec![0; bytes_max + 2_000]));
        for (name, bytes) in bombs {
            let (spent, refused) = sent(&mut stage, sender, &method, &bytes);
            // What is well formed is passed over, as Candid asks: its cost counts all the same.
            let may_pass = ["deep options", "many arguments", "a long chain of types"];
            assert!(refused || may_pass.contains(&name), "{method} takes {name}");
            let bound = INSTRUCTIONS + INSTRUCTIONS_PER_BYTE * bytes.len() as u64;
            assert!(spent <= bound, "{method}: {spent} for {name}");
            assert!(
                spent > 0 || name == "too long",
                "{method}: {name} came through"
            );
        }
    }
}
