//! Answers as JSON. The shape is that of the Candid interface, by one rule for all:
//! a record is an object, a list a list, `opt` the value or null; a variant is its name, or an
//! object with its name and value; principals, blobs (in hexadecimal digits) and `nat` (cycles:
//! more than most readers' numbers hold) are texts.

use candid::CandidType;
use candid::types::Label;
use candid::types::value::{IDLField, IDLValue, VariantValue};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

/// The value as JSON.
pub(crate) fn of<T: CandidType>(value: &T) -> Value {
    let value = IDLValue::try_from_candid_type(value).expect("bug: our own types encode");
    from_candid(&value)
}

/// Prints it as one object on several lines.
pub(crate) fn print(value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("bug: a value is JSON");
    println!("{text}");
}

/// A Candid value as JSON.
pub(crate) fn from_candid(value: &IDLValue) -> Value {
    match value {
        IDLValue::Bool(it) => json!(it),
        IDLValue::Text(it) | IDLValue::Number(it) => json!(it),
        IDLValue::Nat8(it) => json!(it),
        IDLValue::Nat16(it) => json!(it),
        IDLValue::Nat32(it) => json!(it),
        IDLValue::Nat64(it) => json!(it),
        IDLValue::Int8(it) => json!(it),
        IDLValue::Int16(it) => json!(it),
        IDLValue::Int32(it) => json!(it),
        IDLValue::Int64(it) => json!(it),
        IDLValue::Float32(it) => json!(it),
        IDLValue::Float64(it) => json!(it),
        IDLValue::Nat(it) => json!(it.0.to_string()),
        IDLValue::Int(it) => json!(it.0.to_string()),
        IDLValue::Principal(it) | IDLValue::Service(it) => json!(it.to_text()),
        IDLValue::Func(it, method) => json!(format!("{it}.{method}")),
        IDLValue::Blob(it) => json!(HEXLOWER.encode(it)),
        IDLValue::Opt(it) => from_candid(it),
        IDLValue::Vec(items) => list(items),
        IDLValue::Record(fields) => record(fields),
        IDLValue::Variant(variant) => choice(variant),
        IDLValue::Null | IDLValue::None | IDLValue::Reserved => Value::Null,
    }
}

/// Bytes of a blob may come one by one.
fn list(items: &[IDLValue]) -> Value {
    let byte = |item: &IDLValue| match item {
        IDLValue::Nat8(byte) => Some(*byte),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = items.iter().map(byte).collect();
    match bytes {
        Some(bytes) if !bytes.is_empty() => json!(HEXLOWER.encode(&bytes)),
        _ => items.iter().map(from_candid).collect(),
    }
}

/// A tuple is a record whose fields are numbers from 0: a list.
fn record(fields: &[IDLField]) -> Value {
    let is_tuple = fields
        .iter()
        .enumerate()
        .all(|(index, field)| field.id.get_id() == index as u32);
    if is_tuple && !fields.is_empty() {
        return fields.iter().map(|field| from_candid(&field.val)).collect();
    }
    let named = fields
        .iter()
        .map(|field| (name(&field.id), from_candid(&field.val)));
    Value::Object(named.collect::<Map<_, _>>())
}

fn choice(VariantValue(field, _): &VariantValue) -> Value {
    match &field.val {
        IDLValue::Null => json!(name(&field.id)),
        value => json!({ name(&field.id): from_candid(value) }),
    }
}

fn name(label: &Label) -> String {
    label.to_string().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::of;
    use expect_test::expect;
    use hatchery_api::{CommandAnswer, Queued, ReasonView};
    use hatchery_types::{CanisterId, Cycles, ModuleHash, Principal, Reason};

    #[test]
    fn each_shape_follows_the_rule() {
        let queued = Queued {
            added: 1,
            requeued: 0,
            skipped: vec![(
                CanisterId(Principal::management_canister()),
                ReasonView::from(&Reason::Claimed),
            )],
            total: 1,
        };
        let deleted = CommandAnswer::Deleted {
            discarded: Cycles(Cycles::T),
        };
        let exported = CommandAnswer::Exported {
            role: "worker".to_owned(),
            module: ModuleHash([7; 32]),
        };
        let shown = [
            of(&queued),
            of(&deleted),
            of(&exported),
            of(&CommandAnswer::Done),
            of(&None::<u32>),
            of(&Some(3_u32)),
        ];
        let shown = shown.map(|value| value.to_string()).join("\n");
        expect![[r#"
            {"added":1,"requeued":0,"skipped":[["aaaaa-aa",{"code":4,"name":"claimed","text":"claimed"}]],"total":1}
            {"Deleted":{"discarded":"1000000000000"}}
            {"Exported":{"module":"0707070707070707070707070707070707070707070707070707070707070707","role":"worker"}}
            "Done"
            null
            3"#]].assert_eq(&shown);
    }
}
