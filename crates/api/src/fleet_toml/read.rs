//! Walks TOML tables, field by field, and keeps every error and every place; which fields there
//! are is the business of `sections`.

use super::error::{Places, TomlError};
use super::values::Wrong;
use crate::nearest::did_you_mean;
use std::ops::Range;
use toml_edit::{Item, TableLike};

/// A table of the file, or the absence of one.
pub(super) struct Section<'d> {
    /// Keys from the top, joined by dots; empty at the top.
    pub(super) path: String,
    /// `None`: the file does not have it, and every field takes its default.
    table: Option<&'d dyn TableLike>,
    place: Range<usize>,
}

impl Section<'_> {
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

/// Collects what is wrong while values are read.
pub(super) struct Reader<'t> {
    text: &'t str,
    errors: Vec<TomlError>,
    places: Places,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Reader {
            text,
            errors: Vec::new(),
            places: Places::default(),
        }
    }

    /// Errors in order of the file, and where every value stands.
    pub(super) fn finish(mut self) -> (Vec<TomlError>, Places) {
        self.errors.sort_by_key(|error| error.position);
        (self.errors, self.places)
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The whole file, which may have the fields `known`.
    pub(super) fn top<'d>(&mut self, table: &'d dyn TableLike, known: &[&str]) -> Section<'d> {
        let top = Section {
            path: String::new(),
            table: Some(table),
            place: 0..0,
        };
        self.refuse_unknown(&top, known);
        top
    }

    /// The table `key` of `parent`, which may have the fields `known`.
    pub(super) fn section<'d>(
        &mut self,
        parent: &Section<'d>,
        key: &str,
        known: &[&str],
    ) -> Section<'d> {
        let section = self.table(parent, key);
        self.refuse_unknown(&section, known);
        section
    }

    /// Like [`Self::section`]; its absence is an error at the top of the file.
    pub(super) fn required_section<'d>(
        &mut self,
        parent: &Section<'d>,
        key: &str,
        known: &[&str],
    ) -> Section<'d> {
        let section = self.section(parent, key, known);
        if parent.table.is_some_and(|table| !table.contains_key(key)) {
            let path = &section.path;
            let message = format!("there is no section `{path}`");
            self.refuse(parent.place.clone(), message, format!("add `[{path}]`"));
        }
        section
    }

    /// The tables of the table `key` of `parent`, each named by its key, in order of the file.
    pub(super) fn named<'d>(
        &mut self,
        parent: &Section<'d>,
        key: &str,
        known: &[&str],
    ) -> Vec<(String, Section<'d>)> {
        let all = self.table(parent, key);
        let names: Vec<String> = all
            .table
            .iter()
            .flat_map(|table| table.iter().map(|(name, _)| name.to_owned()))
            .collect();
        names
            .into_iter()
            .map(|name| {
                let section = self.section(&all, &name, known);
                (name, section)
            })
            .filter(|(_, section)| section.is_there())
            .collect()
    }

    /// The tables of the list `key` of `parent`, each named by its position from 0.
    pub(super) fn list<'d>(
        &mut self,
        parent: &Section<'d>,
        key: &str,
        known: &[&str],
    ) -> Vec<Section<'d>> {
        let Some(item) = parent.table.and_then(|table| table.get(key)) else {
            return Vec::new();
        };
        let path = parent.path_of(key);
        let place = key_place(parent, key);
        self.places.insert(path.clone(), place.clone());
        let tables: Option<Vec<&'d dyn TableLike>> =
            match (item.as_array_of_tables(), item.as_array()) {
                (Some(tables), _) => {
                    Some(tables.iter().map(|table| table as &dyn TableLike).collect())
                }
                (None, Some(array)) => array
                    .iter()
                    .map(|value| value.as_inline_table().map(|table| table as &dyn TableLike))
                    .collect(),
                (None, None) => None,
            };
        let Some(tables) = tables else {
            let message = format!(
                "`{key}` is a list of sections, not {}",
                article(item.type_name())
            );
            self.refuse(place, message, format!("write each as `[[{path}]]`"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, table) in tables.into_iter().enumerate() {
            let section = Section {
                path: format!("{path}.{index}"),
                table: Some(table),
                place: place.clone(),
            };
            self.places.insert(section.path.clone(), place.clone());
            self.refuse_unknown(&section, known);
            sections.push(section);
        }
        sections
    }

    /// The value of `key`, if the file has it and `read` takes it.
    pub(super) fn optional<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: impl FnOnce(&Item) -> Result<T, Wrong>,
    ) -> Option<T> {
        let item = section.table?.get(key)?;
        let place = item.span().unwrap_or_else(|| key_place(section, key));
        self.places.insert(section.path_of(key), place.clone());
        match read(item) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let message = format!("`{key}`: {}", wrong.message);
                self.refuse(place, message, wrong.hint);
                None
            }
        }
    }

    /// The value of `key`, or its default.
    pub(super) fn or<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: impl FnOnce(&Item) -> Result<T, Wrong>,
        default: T,
    ) -> T {
        self.optional(section, key, read).unwrap_or(default)
    }

    /// The value of `key`; its absence is an error at the head of the section. (The absence of
    /// the section itself is [`Self::required_section`]'s to report.)
    pub(super) fn required<T: Default>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        example: &str,
        read: impl FnOnce(&Item) -> Result<T, Wrong>,
    ) -> T {
        if section.table.is_none_or(|table| table.contains_key(key)) {
            return self.optional(section, key, read).unwrap_or_default();
        }
        let of = if section.path.is_empty() {
            "the fleet"
        } else {
            section.path.as_str()
        };
        let message = format!("{of} has no `{key}`");
        self.refuse(
            section.place.clone(),
            message,
            format!("add `{key} = {example}`"),
        );
        T::default()
    }

    /// Where the value of `path` stands.
    pub(super) fn place_of(&self, path: &str) -> Range<usize> {
        self.places.nearest(path)
    }

    pub(super) fn refuse(
        &mut self,
        place: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.errors
            .push(TomlError::at(self.text, place, message, hint));
    }

    fn table<'d>(&mut self, parent: &Section<'d>, key: &str) -> Section<'d> {
        let path = parent.path_of(key);
        let Some(item) = parent.table.and_then(|table| table.get(key)) else {
            return Section {
                path,
                table: None,
                place: parent.place.clone(),
            };
        };
        let place = key_place(parent, key);
        self.places.insert(path.clone(), place.clone());
        let table = item.as_table_like();
        if table.is_none() {
            let message = format!("`{key}` is a section, not {}", article(item.type_name()));
            self.refuse(place.clone(), message, format!("write it as `[{path}]`"));
        }
        Section { path, table, place }
    }

    fn refuse_unknown(&mut self, section: &Section<'_>, known: &[&str]) {
        let Some(table) = section.table else { return };
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let hint = match did_you_mean(key, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.refuse(
                key_place(section, key),
                format!("unknown field `{key}`"),
                hint,
            );
        }
    }
}

fn key_place(section: &Section<'_>, key: &str) -> Range<usize> {
    section
        .table
        .and_then(|table| table.key(key))
        .and_then(toml_edit::Key::span)
        .unwrap_or_else(|| section.place.clone())
}

/// The name of a TOML type with its article.
pub(super) fn article(type_name: &str) -> String {
    let vowel = type_name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {type_name}", if vowel { "an" } else { "a" })
}
