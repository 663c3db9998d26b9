//! Rounds of large jobs: a thousand canisters reset, created or installed in so many lanes.

use ic_principal::Principal;

use super::fleet::manager;
use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, reply_seen, same, says};
use crate::management::{
    CreateArg, SettingsArg, Variable, about, chunked_arg, encode, settings_arg, upload_arg,
};
use crate::program::{Program, manage, program};
use crate::world::{B, T, World};

cases! {
    "lanes":
    "rounds of a manager, measured on PocketIC 10" => resets_one_after_another(Plant::Round);
    "rounds of a manager, measured on PocketIC 10" => resets_in_lanes_awaited(Plant::Round);
    "rounds of a manager, measured on PocketIC 10" => resets_in_lanes_pipelined(Plant::Round);
    "rounds of a manager, measured on PocketIC 10" => creations_in_lanes(Plant::Round);
    "rounds of a manager, measured on PocketIC 10" => installs_in_lanes(Plant::Round);
}

/// Place of the next canister to begin with, of those finished, and the cell of the list.
const NEXT: u64 = 10;

const FINISHED: u64 = 11;

const LIST: u64 = 20;

/// Cell of the program that begins with the next canister, if there is one.
const BEGIN: u64 = 21;

/// Bytes of a canister id.
const ID_BYTES: u64 = 10;

/// Creates canisters by the manager itself, without cycles beyond the fee, and keeps their list.
pub(super) fn children(
    w: &mut World<'_>,
    manager: Principal,
    count: u64,
    cycles: u128,
) -> Checked<Vec<Principal>> {
    let arg = encode(&CreateArg {
        settings: None,
        sender_canister_version: None,
    });
    let one = manage("create_canister", arg)
        .cycles(cycles + 500 * B)
        .answered(&program());
    let first = w.empty(T)?;
    for begin in (0..count).step_by(500) {
        let body = program().times(500.min(count - begin), &program().call(&one));
        w.act(manager, &body)?;
        w.ticks(3)?;
    }
    // Ids are sequential and nobody else creates.
    let place = first.as_slice()[..8]
        .iter()
        .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let ids: Vec<Principal> = (1..=count)
        .map(|step| Principal::from_slice(&[&(place + step).to_be_bytes()[..], &[1, 1]].concat()))
        .collect();
    let list: Vec<u8> = ids.iter().flat_map(|id| id.as_slice().to_vec()).collect();
    w.act(manager, &program().keep(LIST, list))?;
    Ok(ids)
}

/// The argument with the id of the canister in hand in place of a stand-in.
fn about_current(arg: &[u8], stand_in: Principal) -> Program {
    let mut built = program().bytes("");
    let mut rest = arg;
    let found = |bytes: &[u8]| {
        bytes
            .windows(10)
            .position(|window| window == stand_in.as_slice())
    };
    while let Some(place) = found(rest) {
        built = built.bytes(&rest[..place]).concat().kept(30).concat();
        rest = &rest[place + 10..];
    }
    built.bytes(rest).concat()
}

/// Ten bytes that stand for the canister in hand.
pub(super) fn stand_in() -> Principal {
    Principal::from_slice(&[0xab; 10])
}

/// One job on the canister whose list place is on the heap: the programs of its calls are made
/// when it begins, so that the id is in them. `steps` are methods and arguments about the stand-in.
pub(super) fn job(count: u64, steps: &[(&str, Vec<u8>)], pipelined: bool) -> Program {
    let done = program()
        .bump(FINISHED, 1)
        .read(FINISHED)
        .number(count)
        .equal()
        .code(&program().say("all"))
        .when()
        .kept(BEGIN)
        .exec();
    let (last, front) = steps.split_last().expect("bug: a job without steps");
    let stepping =
        |(method, arg): &(&str, Vec<u8>)| manage(method, "").arg(about_current(arg, stand_in()));
    let body = if pipelined {
        front
            .iter()
            .map(stepping)
            .fold(program(), |body, step| {
                body.call(&step.answered(&program()))
            })
            .call(&stepping(last).answered(&done))
    } else {
        chain(front, last, &done)
    };
    // Cell 30 is the id in hand: of this program until it has made its first call.
    let begin = program()
        .number(30)
        .kept(LIST)
        .read(NEXT)
        .number(ID_BYTES)
        .multiply()
        .number(ID_BYTES)
        .slice()
        .cell_set()
        .bump(NEXT, 1)
        .then(&body);
    program()
        .read(NEXT)
        .number(count)
        .less()
        .code(&begin)
        .when()
}

/// Steps that wait for one another. A later step finds its canister by the earlier one's place,
/// which comes back as the order of answers is the order of requests in every lane.
fn chain(front: &[(&str, Vec<u8>)], last: &(&str, Vec<u8>), done: &Program) -> Program {
    // Every step has a counter of its own: the n-th answer to a step is about the n-th canister.
    let in_hand = |place: u64| {
        program()
            .number(30)
            .kept(LIST)
            .read(place)
            .number(ID_BYTES)
            .multiply()
            .number(ID_BYTES)
            .slice()
            .cell_set()
            .bump(place, 1)
    };
    let stepping =
        |(method, arg): &(&str, Vec<u8>)| manage(method, "").arg(about_current(arg, stand_in()));
    let steps: Vec<&(&str, Vec<u8>)> = front.iter().chain([last]).collect();
    let mut next = done.clone();
    for (place, step) in steps.iter().enumerate().rev() {
        let calling = program().call(&stepping(step).answered(&next));
        next = if place == 0 {
            calling
        } else {
            in_hand(40 + place as u64).then(&calling)
        };
    }
    next
}

/// Rounds of a job on all canisters of the list in so many lanes.
pub(super) fn rounds_in_lanes(
    w: &mut World<'_>,
    manager: Principal,
    lanes: u64,
    begin: &Program,
) -> Checked<u64> {
    let reset = |place: u64| {
        program()
            .number(place)
            .read(place)
            .number(u64::MAX)
            .multiply()
            .count()
    };
    let places = [NEXT, FINISHED, 41, 42, 43];
    let clean = places
        .iter()
        .fold(program(), |body, place| body.then(&reset(*place)));
    w.act(manager, &clean.keep(BEGIN, begin.encoded()))?;
    let body = program().times(lanes, &program().kept(BEGIN).exec());
    let (rounds, answer) = w.rounds(manager, &body)?;
    says(answer, "all")?;
    Ok(rounds)
}

/// The steps of a reset: settings, uninstall, status.
pub(super) fn reset_steps(manager: Principal) -> Vec<(&'static str, Vec<u8>)> {
    let settings = SettingsArg {
        controllers: Some(vec![manager]),
        ..SettingsArg::default()
    };
    vec![
        ("update_settings", settings_arg(stand_in(), settings)),
        ("uninstall_code", about(stand_in())),
        ("canister_status", about(stand_in())),
    ]
}

fn resets_one_after_another(w: &mut World<'_>) -> Checked<()> {
    let manager = manager(w)?;
    children(w, manager, 1_000, 0)?;
    let begin = job(1_000, &reset_steps(manager), false);
    same(rounds_in_lanes(w, manager, 1, &begin)?, 6_001)
}

fn resets_in_lanes_awaited(w: &mut World<'_>) -> Checked<()> {
    let manager = manager(w)?;
    children(w, manager, 1_000, 0)?;
    let begin = job(1_000, &reset_steps(manager), false);
    for (lanes, rounds) in [(10, 601), (50, 121), (100, 61), (250, 25), (500, 13)] {
        same(
            (lanes, rounds_in_lanes(w, manager, lanes, &begin)?),
            (lanes, rounds),
        )?;
    }
    Ok(())
}

fn resets_in_lanes_pipelined(w: &mut World<'_>) -> Checked<()> {
    let manager = manager(w)?;
    children(w, manager, 1_000, 0)?;
    let begin = job(1_000, &reset_steps(manager), true);
    for (lanes, rounds) in [(10, 201), (50, 41), (100, 21), (166, 15)] {
        same(
            (lanes, rounds_in_lanes(w, manager, lanes, &begin)?),
            (lanes, rounds),
        )?;
    }
    Ok(())
}

fn creations_in_lanes(w: &mut World<'_>) -> Checked<()> {
    let manager = manager(w)?;
    let arg = encode(&CreateArg {
        settings: None,
        sender_canister_version: None,
    });
    let done = program()
        .bump(FINISHED, 1)
        .read(FINISHED)
        .number(1_000)
        .equal()
        .code(&program().say("all"))
        .when()
        .kept(BEGIN)
        .exec();
    let create = manage("create_canister", arg)
        .cycles(600 * B)
        .answered(&done);
    let begin = program()
        .read(NEXT)
        .number(1_000)
        .less()
        .code(&program().bump(NEXT, 1).call(&create))
        .when();
    for (lanes, rounds) in [(10, 201), (50, 41), (100, 21), (250, 9), (500, 5)] {
        same(
            (lanes, rounds_in_lanes(w, manager, lanes, &begin)?),
            (lanes, rounds),
        )?;
    }
    Ok(())
}

fn installs_in_lanes(w: &mut World<'_>) -> Checked<()> {
    let manager = manager(w)?;
    let module = crate::modules::assemble("(module)");
    let upload = manage("upload_chunk", upload_arg(manager, &module));
    reply_seen(w.run(manager, &program().call(&upload))?)?;
    let variables = SettingsArg {
        environment_variables: Some(vec![Variable {
            name: "ROOT".into(),
            value: "x".into(),
        }]),
        ..SettingsArg::default()
    };
    let steps = [
        ("update_settings", settings_arg(stand_in(), variables)),
        (
            "install_chunked_code",
            chunked_arg(stand_in(), Some(manager), &[&module], &module),
        ),
    ];
    let begin = job(1_000, &steps, true);
    for (lanes, rounds) in [(10, 201), (50, 41), (250, 9)] {
        children(w, manager, 1_000, T)?;
        same(
            (lanes, rounds_in_lanes(w, manager, lanes, &begin)?),
            (lanes, rounds),
        )?;
    }
    Ok(())
}
