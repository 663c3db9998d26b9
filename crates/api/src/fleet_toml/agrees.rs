//! The schema for editors says of every small change of the documented file what the reader says.

use super::parse;
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

const SCHEMA: &str = include_str!("../../../../docs/src/reference/fleet.schema.json");
const GOOD: [&str; 3] = [
    include_str!("../../../../examples/demo/fleet.toml"),
    include_str!("../../../cli/src/init/fleet.toml"),
    include_str!("../../../sim/src/soak/fleet.toml"),
];

#[test]
fn the_schema_agrees_with_the_reader() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let documented = super::tests::documented();
    for good in GOOD.into_iter().chain([documented.as_str()]) {
        assert_eq!(verdict(&schema, good), (true, true), "{good}");
    }
    let document: DocumentMut = documented.parse().expect("TOML");
    let mut changes = 0;
    for path in paths(document.as_table(), &[]) {
        for change in [
            Change::Drop,
            Change::Set("-1"),
            Change::Set("1.5"),
            Change::Set("[[1]]"),
            Change::Add,
        ] {
            let mut changed = document.clone();
            if !apply(changed.as_table_mut(), &path, change) {
                continue;
            }
            changes += 1;
            let text = changed.to_string();
            let (reader, schema) = verdict(&schema, &text);
            assert_eq!(
                reader, schema,
                "reader and schema on {change:?} at {path:?}"
            );
        }
    }
    assert!(changes > 200, "{changes} changes");
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Drop,
    /// Another value.
    Set(&'static str),
    /// A field more in a section.
    Add,
}

/// Whether the reader takes a file, and whether the schema does.
fn verdict(schema: &Value, text: &str) -> (bool, bool) {
    let document: DocumentMut = text.parse().expect("TOML");
    let value = of_table(document.as_table());
    (parse(text).is_ok(), is_valid(schema, schema, &value))
}

fn paths(table: &dyn TableLike, above: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (key, item) in table.iter() {
        let path = [above, &[key.to_owned()]].concat();
        if let Some(table) = item.as_table_like() {
            found.extend(paths(table, &path));
        }
        found.push(path);
    }
    found
}

fn apply(table: &mut dyn TableLike, path: &[String], change: Change) -> bool {
    let (key, rest) = path.split_first().expect("a path");
    if !rest.is_empty() {
        let below = table.get_mut(key).and_then(Item::as_table_like_mut);
        return below.is_some_and(|below| apply(below, rest, change));
    }
    match change {
        Change::Drop => table.remove(key).is_some(),
        Change::Set(value) => {
            let value: toml_edit::Value = value.parse().expect("a value");
            table.remove(key);
            table.insert(key, Item::Value(value));
            true
        }
        Change::Add => {
            let below = table.get_mut(key).and_then(Item::as_table_like_mut);
            below.is_some_and(|below| below.insert("surprise", toml_edit::value(1)).is_none())
        }
    }
}

fn of_table(table: &dyn TableLike) -> Value {
    let fields = table
        .iter()
        .map(|(key, item)| (key.to_owned(), of_item(item)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn of_item(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return of_table(table);
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| of_table(table)).collect();
    }
    item.as_value().map_or(Value::Null, of_value)
}

fn of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().clone().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(flag) => (*flag.value()).into(),
        toml_edit::Value::Datetime(time) => time.value().to_string().into(),
        toml_edit::Value::Array(items) => items.iter().map(of_value).collect(),
        toml_edit::Value::InlineTable(table) => of_table(table),
    }
}

/// As much of JSON schema as ours uses.
fn is_valid(all: &Value, schema: &Value, value: &Value) -> bool {
    let fields = schema.as_object().expect("a schema");
    fields.iter().all(|(rule, says)| match rule.as_str() {
        "type" => match says.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            other => panic!("type {other:?}"),
        },
        "minimum" => value.as_i64() >= says.as_i64(),
        "enum" => says.as_array().is_some_and(|words| words.contains(value)),
        "anyOf" => schemas(says).any(|schema| is_valid(all, schema, value)),
        "oneOf" => {
            schemas(says)
                .filter(|schema| is_valid(all, schema, value))
                .count()
                == 1
        }
        "items" => {
            let mut items = value.as_array().into_iter().flatten();
            items.all(|item| is_valid(all, says, item))
        }
        "required" => {
            schemas(says).all(|key| key.as_str().is_some_and(|key| value.get(key).is_some()))
        }
        "properties" => properties(says).all(|(key, schema)| {
            value
                .get(key)
                .is_none_or(|value| is_valid(all, schema, value))
        }),
        "additionalProperties" => properties(value)
            .filter(|(key, _)| schema["properties"].get(key.as_str()).is_none())
            .all(|(_, value)| says.is_object() && is_valid(all, says, value)),
        "$ref" => {
            let name = says.as_str().and_then(|it| it.rsplit('/').next());
            is_valid(all, &all["definitions"][name.expect("a name")], value)
        }
        // Editors use it; what may be written there, the reader's own tests say.
        "pattern" | "format" | "description" | "title" | "$schema" | "definitions" => true,
        other => panic!("a rule that nobody checks: {other}"),
    })
}

fn schemas(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn properties(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
