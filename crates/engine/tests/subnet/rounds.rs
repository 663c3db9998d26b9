//! How many rounds things take, as measured on the platform (ENGINE facts, section 9).

use hatchery_engine::ErrorCode;
use ic_management_canister_types::{CanisterSettings, UpdateSettingsArgs};

use super::puppet::*;

#[test]
fn an_update_takes_one_round() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let (rounds, answer) = rounds(&mut engine, id, &program().append(b"hi").reply());
    assert_eq!((rounds, answer), (1, Ok(b"hi".to_vec())));
}

#[test]
fn an_awaited_call_within_the_subnet_takes_no_further_round() {
    let mut engine = engine();
    let [a, b, c] = [
        puppet(&mut engine),
        puppet(&mut engine),
        puppet(&mut engine),
    ];
    let inner = program().call(&call(c, &program().append(b"deep").reply()));
    let outer = program().call(&call(b, &inner));
    assert_eq!(rounds(&mut engine, a, &outer), (1, Ok(b"deep".to_vec())));
}

#[test]
fn an_awaited_management_call_takes_three_rounds_and_each_further_one_two_more() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let raw_rand = || manage("raw_rand", encode(&()));
    let one = program().call(&raw_rand());
    assert_eq!(rounds(&mut engine, id, &one).0, 3);
    let two = program().call(&raw_rand().on_reply(program().call(&raw_rand())));
    assert_eq!(rounds(&mut engine, id, &two).0, 5);
    let three = program().call(&raw_rand().on_reply(two.clone()));
    assert_eq!(rounds(&mut engine, id, &three).0, 7);
}
