//! The JSON schema of `fleet.toml`, for editors: read off the file that the reference shows, so
//! that there is one place where a field is described.
//!
//! Owns how that file is to be read: a value says of what kind a field is; a comment says what else
//! it may be (`or "word"`, "or a number", `` or `other = field` ``) and whether it has a default. A
//! field whose comment names no default must be given.

use super::Generated;
use super::reference::documented_file;
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::path::Path;
use toml_edit::{DocumentMut, Item, TableLike};

/// Tables whose keys are names that people choose.
const NAMED: [&str; 4] = ["roles", "pools", "signals", "pull"];

/// The schema.
pub(super) fn schema(root: &Path) -> anyhow::Result<Generated> {
    let example = documented_file(root)?;
    let document: DocumentMut = example.parse().context("the documented fleet.toml")?;
    let mut schema = Map::from_iter([
        (
            "$schema".to_owned(),
            json!("http://json-schema.org/draft-07/schema#"),
        ),
        ("title".to_owned(), json!("fleet.toml of Hatchery")),
    ]);
    schema.extend(of_table(document.as_table()));
    let definitions = json!({
        "amount": kind("cycles, such as 5T, 300B or 1.5M", "^[0-9][0-9_]*(\\.[0-9]+)? ?[TBM]?$"),
        "duration": kind("a time, such as 30s, 5m or 24h", "^[0-9][0-9_]*[smh]$"),
        "share": kind("a share, such as 10%", "^[0-9][0-9_]* ?%$"),
    });
    schema.insert("definitions".to_owned(), definitions);
    Ok(Generated {
        path: "docs/src/reference/fleet.schema.json",
        text: serde_json::to_string_pretty(&Value::from(schema))? + "\n",
    })
}

fn kind(description: &str, pattern: &str) -> Value {
    json!({ "type": "string", "description": description, "pattern": pattern })
}

fn of_table(table: &dyn TableLike) -> Map<String, Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let mut either = Vec::new();
    for (key, item) in table.iter() {
        let comment = comment_of(item);
        let mut schema = of_item(key, item, &comment);
        if !comment.is_empty() {
            schema.insert("description".to_owned(), json!(comment));
        }
        properties.insert(key.to_owned(), schema.into());
        if let Some((other, schema)) = other_field(&comment) {
            either = vec![json!({ "required": [key] }), json!({ "required": [other] })];
            properties.insert(other, schema.into());
        } else if !comment.contains("default") && !NAMED.contains(&key) {
            required.push(key);
        }
    }
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), properties.into()),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if !either.is_empty() {
        schema.insert("oneOf".to_owned(), json!(either));
    }
    schema
}

fn of_item(key: &str, item: &Item, comment: &str) -> Map<String, Value> {
    if let Some(tables) = item.as_array_of_tables() {
        let one = tables.iter().next().map(|table| of_table(table));
        return object(json!({ "type": "array", "items": one.unwrap_or_default() }));
    }
    if let Some(table) = item.as_table_like() {
        if !NAMED.contains(&key) {
            return of_table(table);
        }
        let one = table
            .iter()
            .next()
            .and_then(|(_, item)| item.as_table_like());
        return object(json!({
            "type": "object",
            "additionalProperties": one.map(of_table).unwrap_or_default(),
        }));
    }
    of_value(item, comment)
}

fn of_value(item: &Item, comment: &str) -> Map<String, Value> {
    let (choices, _) = comment.split_once(';').unwrap_or((comment, ""));
    let whole = json!({ "type": "integer", "minimum": 0 });
    let value = match item.as_str() {
        Some(text) => of_text(text, choices),
        None if item.is_bool() => json!({ "type": "boolean" }),
        None if item.is_datetime() => json!({ "type": "string", "format": "date-time" }),
        None if item.is_array() => json!({ "type": "array", "items": { "type": "string" } }),
        None => whole.clone(),
    };
    if item.is_str() && choices.contains("or a number") {
        return object(json!({ "anyOf": [value, whole] }));
    }
    object(value)
}

fn of_text(text: &str, choices: &str) -> Value {
    let (digits, unit) = text.split_at(text.len().saturating_sub(1));
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    match unit {
        "T" | "B" | "M" if is_number => json!({ "$ref": "#/definitions/amount" }),
        "s" | "m" | "h" if is_number => json!({ "$ref": "#/definitions/duration" }),
        "%" if is_number => json!({ "$ref": "#/definitions/share" }),
        _ if choices.contains("or \"") => {
            let others = choices.split('"').skip(1).step_by(2);
            json!({ "enum": std::iter::once(text).chain(others).collect::<Vec<_>>() })
        }
        _ => json!({ "type": "string" }),
    }
}

/// The field that may stand in place of this one.
fn other_field(comment: &str) -> Option<(String, Map<String, Value>)> {
    let (_, rest) = comment.split_once("or `")?;
    let (line, _) = rest.split_once('`')?;
    let document: DocumentMut = line.parse().ok()?;
    let (key, item) = document.as_table().iter().next()?;
    Some((key.to_owned(), of_value(item, "")))
}

/// What stands behind a value or a section's head.
fn comment_of(item: &Item) -> String {
    let decor = match item {
        Item::Value(value) => Some(value.decor()),
        Item::Table(table) => Some(table.decor()),
        Item::ArrayOfTables(tables) => tables.iter().next().map(toml_edit::Table::decor),
        Item::None => None,
    };
    let suffix = decor.and_then(toml_edit::Decor::suffix);
    let text = suffix.and_then(toml_edit::RawString::as_str).unwrap_or("");
    text.trim().trim_start_matches('#').trim().to_owned()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::of_table;
    use serde_json::{Value, json};
    use toml_edit::DocumentMut;

    fn of(text: &str) -> Value {
        let document: DocumentMut = text.parse().expect("TOML");
        of_table(document.as_table()).into()
    }

    #[test]
    fn kinds_defaults_and_choices_are_read_off() {
        let text = "name = \"shop\" # what it is called\n\
                    [pools.a] # one\n\
                    ttl = \"5m\" # default 5m\n\
                    end = \"stop\" # or \"go\"; default stop\n\
                    free = \"5%\" # or a number; default none\n\
                    [pools.a.parent] # default nobody\n\
                    canister = \"aaaaa-aa\" # or `role = \"hub\"`\n";
        let schema = of(text);
        assert_eq!(schema["required"], json!(["name"]));
        let pool = &schema["properties"]["pools"]["additionalProperties"];
        assert_eq!(pool["required"], Value::Null);
        let fields = &pool["properties"];
        assert_eq!(fields["ttl"]["$ref"], json!("#/definitions/duration"));
        assert_eq!(fields["end"]["enum"], json!(["stop", "go"]));
        let share = json!({ "$ref": "#/definitions/share" });
        let whole = json!({ "type": "integer", "minimum": 0 });
        assert_eq!(fields["free"]["anyOf"], json!([share, whole]));
        let either = json!([{ "required": ["canister"] }, { "required": ["role"] }]);
        assert_eq!(fields["parent"]["oneOf"], either);
        assert_eq!(
            fields["parent"]["properties"]["role"]["type"],
            json!("string")
        );
    }
}
