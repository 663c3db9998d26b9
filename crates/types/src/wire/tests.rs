//! Our bytes read by Candid's own library, and its bytes read by ours.

use super::*;
use crate::{CanisterId, Cycles, ModuleHash, Nanos, Phase, Principal};
use candid::CandidType;
use serde::Deserialize;
use std::fmt::Debug;

const WORK: Work = Work {
    steps: 1_000,
    steps_per_byte: 4,
};

#[derive(Debug, Clone, PartialEq, CandidType, Deserialize, Wire)]
struct Everything {
    number: u128,
    small: (u16, u32),
    cycles: Cycles,
    at: Option<Nanos>,
    name: String,
    yes: bool,
    hash: ModuleHash,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    canister: CanisterId,
    nested: Vec<Option<Case>>,
    result: Result<u64, String>,
    phases: Vec<(Phase, u64)>,
}

#[derive(Debug, Clone, PartialEq, CandidType, Deserialize, Wire)]
enum Case {
    Unit,
    Wrapper(Nanos),
    Pair(u64, String),
    #[serde(rename = "renamed")]
    Named {
        from: CanisterId,
        out: Vec<String>,
    },
}

fn everything() -> Everything {
    let canister = CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]));
    let named = Case::Named {
        from: canister,
        out: vec!["é".to_owned(), String::new()],
    };
    Everything {
        number: u128::MAX,
        small: (u16::MAX, 300),
        cycles: Cycles(5 * Cycles::T),
        at: Some(Nanos(u64::MAX)),
        name: "x".repeat(200),
        yes: true,
        hash: ModuleHash([9; 32]),
        bytes: vec![0; 1_000],
        canister,
        nested: vec![
            None,
            Some(Case::Unit),
            Some(Case::Wrapper(Nanos(1))),
            Some(Case::Pair(2, "two".to_owned())),
            Some(named),
        ],
        result: Err("no".to_owned()),
        phases: Phase::ALL.iter().map(|it| (*it, 128)).collect(),
    }
}

fn agree<T>(value: &T)
where
    T: Wire + CandidType + for<'a> Deserialize<'a> + PartialEq + Debug,
{
    let ours = encode(value);
    assert_eq!(
        &candid::decode_one::<T>(&ours).expect("ours is Candid"),
        value
    );
    let theirs = candid::encode_one(value).expect("encodes");
    for bytes in [&ours, &theirs] {
        assert_eq!(decode::<T>(bytes, WORK).as_ref(), Ok(value));
        for end in 0..bytes.len() {
            assert!(decode::<T>(&bytes[..end], WORK).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn both_libraries_read_what_either_writes() {
    agree(&everything());
    agree(&Everything {
        number: 0,
        at: None,
        nested: vec![],
        result: Ok(7),
        ..everything()
    });
    agree(&Case::Unit);
    agree(&Phase::Ready);
    agree(&vec![Some(vec![true, false]), None]);
}

#[test]
fn no_byte_that_is_changed_is_a_panic() {
    let bytes = encode(&everything());
    for place in 0..bytes.len() {
        for value in [0, 1, 0x6c, 0x7f, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            let ours = decode::<Everything>(&bytes, WORK);
            let theirs = candid::decode_one::<Everything>(&bytes);
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                assert_eq!(ours, theirs, "byte {place} is {value}");
            }
        }
    }
}

/// What both libraries make of a value written as another type.
fn read<T>(value: impl CandidType) -> Option<T>
where
    T: Wire + CandidType + for<'a> Deserialize<'a> + PartialEq + Debug,
{
    let bytes = candid::encode_one(value).expect("encodes");
    let ours = decode::<T>(&bytes, WORK).ok();
    assert_eq!(ours, candid::decode_one::<T>(&bytes).ok());
    ours
}

#[derive(Debug, PartialEq, CandidType, Deserialize, Wire)]
struct Asked {
    name: String,
    limit: Option<u64>,
    case: Option<Known>,
}

#[derive(Debug, PartialEq, CandidType, Deserialize, Wire)]
enum Known {
    A,
    B(u64),
}

#[derive(CandidType)]
enum Newer {
    A,
    B(u64),
    C { more: Vec<String> },
}

/// A client of another time.
#[derive(CandidType)]
struct Sent<L, C> {
    name: &'static str,
    limit: L,
    case: C,
    unknown: (Vec<Option<u8>>, i128, f64, Option<Box<Newer>>),
}

fn sent<L: CandidType, C: CandidType>(limit: L, case: C) -> Option<(Option<u64>, Option<Known>)> {
    let unknown = (
        vec![Some(1), None],
        -5,
        1.5,
        Some(Box::new(Newer::C { more: vec![] })),
    );
    let asked: Asked = read(Sent {
        name: "n",
        limit,
        case,
        unknown,
    })?;
    assert_eq!(asked.name, "n");
    Some((asked.limit, asked.case))
}

#[test]
fn options_take_what_fits_and_are_none_otherwise() {
    assert_eq!(
        sent(Some(7_u64), Some(Newer::A)),
        Some((Some(7), Some(Known::A)))
    );
    assert_eq!(sent(7_u64, Newer::B(2)), Some((Some(7), Some(Known::B(2)))));
    let unfit = Newer::C {
        more: vec!["x".to_owned()],
    };
    assert_eq!(sent("seven", Some(unfit)), Some((None, None)));
    assert_eq!(sent((), candid::Reserved), Some((None, None)));
    assert_eq!(sent(None::<String>, None::<Newer>), Some((None, None)));
    assert_eq!(sent(Some(7_u128), Some(Some(3_u8))), Some((None, None)));
}

#[test]
fn what_is_missing_or_of_another_type_is_refused() {
    #[derive(CandidType)]
    struct NameAlone {
        name: String,
    }
    #[derive(CandidType)]
    struct Nothing {}
    let asked = read::<Asked>(NameAlone {
        name: String::new(),
    });
    assert!(asked.is_some_and(|it| it.limit.is_none() && it.case.is_none()));
    assert_eq!(read::<Asked>(Nothing {}), None);
    assert_eq!(read::<Known>(Newer::C { more: vec![] }), None);
    assert_eq!(read::<u64>(7_u32), None);
    let beyond_128_bits = [&b"DIDL\0\x01\x7d"[..], &[0xff; 18], &[7]].concat();
    assert!(decode::<u128>(&beyond_128_bits, WORK).is_err());
    assert_eq!(read::<Vec<u64>>(vec![1_u8]), None);
    assert!(decode::<ModuleHash>(&encode(&vec![1_u8; 31]), WORK).is_err());
}

#[test]
fn a_message_without_the_argument_gives_an_option() {
    assert_eq!(decode::<Option<u64>>(NOTHING, WORK), Ok(None));
    assert!(decode::<u64>(NOTHING, WORK).is_err());
}

#[test]
fn l22_work_is_bounded() {
    let empty_records = |count: &[u8]| [b"DIDL\x02\x6c\x00\x6d\x00\x01\x01", count].concat();
    let wanted = |bytes: &[u8]| decode::<Vec<Option<u64>>>(bytes, WORK).map(|it| it.len());
    assert_eq!(wanted(&empty_records(&[10])), Ok(10));
    assert!(wanted(&empty_records(&[0x80, 0x80, 0x40])).is_err());
    let unwanted = |bytes: &[u8]| Reader::new(bytes, &[], WORK).is_ok();
    assert!(unwanted(&empty_records(&[10])));
    assert!(!unwanted(&empty_records(&[0x80, 0x80, 0x40])));
    // type t = opt t, a thousand deep.
    let deep = [&b"DIDL\x01\x6e\x00\x01\x00"[..], &[1; 1_000], &[0]].concat();
    assert!(!unwanted(&deep));
    assert!(decode::<Option<u64>>(&deep, WORK).is_err());
    // A record that holds itself.
    assert!(!unwanted(b"DIDL\x01\x6c\x01\x00\x00\x01\x00"));
    // A list longer than memory.
    assert!(wanted(b"DIDL\x02\x6e\x78\x6d\x00\x01\x01\xff\xff\xff\xff\x0f").is_err());
}

#[test]
fn json_follows_the_rule_of_its_shape() {
    let value = Everything {
        name: "say \"ü\"\\\n\u{1}".to_owned(),
        bytes: vec![0, 255],
        phases: vec![(Phase::PendingReset, 1)],
        ..everything()
    };
    let hash = "09".repeat(32);
    let json = json(&value);
    assert!(
        json.contains(r#""name":"say \"ü\"\\\u000a\u0001""#),
        "{json}"
    );
    for part in [
        r#""at":18446744073709551615"#,
        r#""yes":true"#,
        r#""result":{"Err":"no"}"#,
        r#""number":"340282366920938463463374607431768211455""#,
        r#""small":[65535,300]"#,
        r#""cycles":"5000000000000""#,
        r#""bytes":"00ff""#,
        r#""phases":[["PendingReset",1]]"#,
        r#"{"Wrapper":1},{"Pair":[2,"two"]},{"renamed":{"#,
        r#"[null,"Unit","#,
        &format!(r#""hash":"{hash}""#),
        &format!(r#""canister":"{}""#, value.canister),
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}
