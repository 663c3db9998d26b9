//! The platform's rules for a module, and the facts read off it on the way. It owns the limits; it
//! neither changes nor compiles the module.
//!
//! Source: interface specification, "WebAssembly module requirements", and the replica's limits of
//! October 2025.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use wasmparser::{
    CustomSectionReader, DataKind, ExternalKind, Import, Operator, Parser, Payload, RefType,
    TypeRef, ValType, Validator, WasmFeatures,
};

use super::api::contract;
use super::error::ModuleError;

const MAX_CODE_SECTION_BYTES: usize = 11 * 1024 * 1024;
const MAX_FUNCTIONS: usize = 50_000;
const MAX_FUNCTION_INSTRUCTIONS: u64 = 1_000_000;
const MAX_GLOBALS: usize = 1_000;
const MAX_METHODS: usize = 1_000;
const MAX_METHOD_NAMES_BYTES: usize = 20_000;
const MAX_METADATA_SECTIONS: usize = 16;
const MAX_METADATA_BYTES: usize = 1024 * 1024;
/// Not a rule of the platform: bounds what one instance costs this process.
const MAX_TABLE_ELEMENTS: u64 = 1_000_000;

const SYSTEM_EXPORTS: [&str; 7] = [
    "canister_init",
    "canister_inspect_message",
    "canister_pre_upgrade",
    "canister_post_upgrade",
    "canister_heartbeat",
    "canister_global_timer",
    "canister_on_low_wasm_memory",
];

/// How a method is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodKind {
    /// `canister_update`
    Update,
    /// `canister_query`
    Query,
    /// `canister_composite_query`
    CompositeQuery,
}

impl MethodKind {
    const ALL: [MethodKind; 3] = [Self::Update, Self::Query, Self::CompositeQuery];

    /// The export's prefix, blank included.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            MethodKind::Update => "canister_update ",
            MethodKind::Query => "canister_query ",
            MethodKind::CompositeQuery => "canister_composite_query ",
        }
    }
}

/// A custom section `icp:public <name>` or `icp:private <name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Anybody may read it.
    pub public: bool,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// How wide the addresses of a memory are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// 32 bits.
    Narrow,
    /// 64 bits: wasm64.
    Wide,
}

/// What a valid module says about itself.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) methods: BTreeMap<String, MethodKind>,
    pub(super) hooks: BTreeSet<String>,
    pub(super) metadata: BTreeMap<String, Metadata>,
    pub(super) instructions: u64,
    /// Indexes of mutable globals.
    pub(super) mutable_globals: Vec<u32>,
    /// Its memory, if it has one.
    pub(super) memory: Option<Memory>,
    pub(super) has_table: bool,
    pub(super) start: Option<u32>,
    /// Segments can be dropped at run time, which is state of an instance.
    pub(super) drops_segments: bool,
    /// Heap bytes that active segments initialise; `None` if their place is not a plain constant.
    pub(super) data: Option<Vec<Range<u64>>>,
    functions: usize,
    globals: usize,
    metadata_bytes: usize,
    name_bytes: usize,
}

impl Facts {
    /// Its memory has 64-bit addresses.
    pub(super) fn is_wide(&self) -> bool {
        self.memory == Some(Memory::Wide)
    }
}

/// Checks a plain module against all rules.
pub(super) fn validate(wasm: &[u8]) -> Result<Facts, ModuleError> {
    check_header(wasm)?;
    let mut facts = Facts {
        data: Some(Vec::new()),
        ..Facts::default()
    };
    for payload in Parser::new(0).parse_all(wasm) {
        inspect(&mut facts, payload.map_err(malformed)?)?;
    }
    check_types(wasm, facts.is_wide())?;
    Ok(facts)
}

/// The WebAssembly features of a canister; the engine is configured alike.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MEMORY64
}

fn check_header(wasm: &[u8]) -> Result<(), ModuleError> {
    match wasm.get(4..8) {
        Some([1, 0, 0, 0]) => Ok(()),
        _ => refuse("not a WebAssembly module of version 1"),
    }
}

fn inspect(facts: &mut Facts, payload: Payload<'_>) -> Result<(), ModuleError> {
    match payload {
        Payload::ImportSection(section) => {
            for import in section.into_imports() {
                check_import(&import.map_err(malformed)?)?;
            }
        }
        Payload::FunctionSection(section) => {
            facts.functions = section.count() as usize;
            at_most("functions", facts.functions, MAX_FUNCTIONS)?;
        }
        Payload::TableSection(section) => {
            for table in section {
                let table = table.map_err(malformed)?.ty;
                facts.has_table = true;
                if table.initial > MAX_TABLE_ELEMENTS {
                    return refuse(format!("table has more than {MAX_TABLE_ELEMENTS} elements"));
                }
            }
        }
        Payload::MemorySection(section) => {
            at_most("memories", section.count() as usize, 1)?;
            for memory in section {
                let is_wide = memory.map_err(malformed)?.memory64;
                facts.memory = Some(if is_wide {
                    Memory::Wide
                } else {
                    Memory::Narrow
                });
            }
        }
        Payload::GlobalSection(section) => inspect_globals(facts, section)?,
        Payload::ExportSection(section) => {
            for export in section {
                inspect_export(facts, &export.map_err(malformed)?)?;
            }
            at_most("exported methods", facts.methods.len(), MAX_METHODS)?;
        }
        Payload::StartSection { func, .. } => facts.start = Some(func),
        Payload::CodeSectionStart { size, .. } => {
            at_most("bytes of code", size as usize, MAX_CODE_SECTION_BYTES)?;
        }
        Payload::CodeSectionEntry(body) => inspect_body(facts, &body)?,
        Payload::DataSection(section) => {
            for segment in section {
                inspect_data(facts, &segment.map_err(malformed)?)?;
            }
        }
        Payload::CustomSection(section) => inspect_custom(facts, &section)?,
        _ => {}
    }
    Ok(())
}

fn check_import(import: &Import<'_>) -> Result<(), ModuleError> {
    let (module, name) = (import.module, import.name);
    if module != "ic0" {
        return refuse(format!(
            "imports {module}.{name}: only module ic0 can be imported from"
        ));
    }
    if let Some(reason) = contract::why_absent(name) {
        return refuse(format!("imports ic0.{name}, which is not here: {reason}"));
    }
    if contract::rule(name).is_none() {
        return refuse(format!(
            "imports ic0.{name}, which this engine does not have"
        ));
    }
    let TypeRef::Func(_) = import.ty else {
        return refuse(format!(
            "imports ic0.{name} as something else than a function"
        ));
    };
    Ok(())
}

fn inspect_globals(
    facts: &mut Facts,
    section: wasmparser::GlobalSectionReader<'_>,
) -> Result<(), ModuleError> {
    facts.globals = section.count() as usize;
    at_most("globals", facts.globals, MAX_GLOBALS)?;
    for (index, global) in section.into_iter().enumerate() {
        let ty = global.map_err(malformed)?.ty;
        let plain = !matches!(ty.content_type, ValType::Ref(_));
        if !plain {
            return refuse(format!("global {index} holds a reference"));
        }
        if ty.mutable {
            facts.mutable_globals.push(index as u32);
        }
    }
    Ok(())
}

fn inspect_export(facts: &mut Facts, export: &wasmparser::Export<'_>) -> Result<(), ModuleError> {
    let name = export.name;
    if !name.starts_with("canister_") {
        return Ok(());
    }
    if export.kind != ExternalKind::Func {
        return refuse(format!("export '{name}' must be a function"));
    }
    if SYSTEM_EXPORTS.contains(&name) {
        facts.hooks.insert(name.to_string());
        return Ok(());
    }
    for kind in MethodKind::ALL {
        if let Some(method) = name.strip_prefix(kind.prefix()) {
            facts.name_bytes += method.len();
            at_most(
                "bytes of method names",
                facts.name_bytes,
                MAX_METHOD_NAMES_BYTES,
            )?;
            return match facts.methods.insert(method.to_string(), kind) {
                None => Ok(()),
                Some(_) => refuse(format!("method '{method}' is exported twice")),
            };
        }
    }
    refuse(format!(
        "export '{name}' uses the reserved prefix canister_"
    ))
}

fn inspect_body(facts: &mut Facts, body: &wasmparser::FunctionBody<'_>) -> Result<(), ModuleError> {
    let mut instructions = 0;
    let mut reader = body.get_operators_reader().map_err(malformed)?;
    while !reader.eof() {
        instructions += 1;
        match reader.read().map_err(malformed)? {
            Operator::TableSet { .. } => return refuse_operator("table.set"),
            Operator::TableGrow { .. } => return refuse_operator("table.grow"),
            Operator::TableFill { .. } => return refuse_operator("table.fill"),
            Operator::TableCopy { .. } => return refuse_operator("table.copy"),
            Operator::TableInit { .. } => return refuse_operator("table.init"),
            Operator::DataDrop { .. } | Operator::ElemDrop { .. } => facts.drops_segments = true,
            _ => {}
        }
    }
    if instructions > MAX_FUNCTION_INSTRUCTIONS {
        return refuse(format!(
            "a function has more than {MAX_FUNCTION_INSTRUCTIONS} instructions"
        ));
    }
    facts.instructions += instructions;
    Ok(())
}

fn inspect_data(facts: &mut Facts, segment: &wasmparser::Data<'_>) -> Result<(), ModuleError> {
    let DataKind::Active { offset_expr, .. } = &segment.kind else {
        return Ok(());
    };
    let mut operators = offset_expr.get_operators_reader();
    let first = operators.read().map_err(malformed)?;
    let second = operators.read().map_err(malformed)?;
    match (first, second, &mut facts.data) {
        (Operator::I32Const { value }, Operator::End, Some(ranges)) => {
            let start = u64::from(value.cast_unsigned());
            ranges.push(start..start + segment.data.len() as u64);
        }
        (Operator::I64Const { value }, Operator::End, Some(ranges)) => {
            let start = value.cast_unsigned();
            ranges.push(start..start.saturating_add(segment.data.len() as u64));
        }
        _ => facts.data = None,
    }
    Ok(())
}

fn inspect_custom(facts: &mut Facts, section: &CustomSectionReader<'_>) -> Result<(), ModuleError> {
    let Some(rest) = section.name().strip_prefix("icp:") else {
        return Ok(());
    };
    let (public, name) = match rest.split_once(' ') {
        Some(("public", name)) => (true, name),
        Some(("private", name)) => (false, name),
        _ => {
            return refuse(format!(
                "custom section 'icp:{rest}' is neither icp:public nor icp:private with a name"
            ));
        }
    };
    facts.metadata_bytes += name.len() + section.data().len();
    at_most(
        "bytes of metadata",
        facts.metadata_bytes,
        MAX_METADATA_BYTES,
    )?;
    let metadata = Metadata {
        public,
        content: section.data().to_vec(),
    };
    if facts.metadata.insert(name.to_string(), metadata).is_some() {
        return refuse(format!(
            "custom section 'icp:{rest}': the name is used twice"
        ));
    }
    at_most(
        "metadata sections",
        facts.metadata.len(),
        MAX_METADATA_SECTIONS,
    )
}

/// The module is valid WebAssembly, its entry points are `() -> ()`, and its imports have the
/// System API's types.
fn check_types(wasm: &[u8], wide: bool) -> Result<(), ModuleError> {
    let types = Validator::new_with_features(features())
        .validate_all(wasm)
        .map_err(malformed)?;
    let types = types.as_ref();
    for (module, name, entity) in types.core_imports().into_iter().flatten() {
        let rule = contract::rule(name);
        if let (wasmparser::types::EntityType::Func(id), Some(rule)) = (entity, rule) {
            let ty = types[id].unwrap_func();
            let wanted = |types| contract::letters(types, wide);
            if letters(ty.params()) != wanted(rule.params)
                || letters(ty.results()) != wanted(rule.result)
            {
                return refuse(format!("imports {module}.{name} with a wrong type"));
            }
        }
    }
    for (name, entity) in types.core_exports().into_iter().flatten() {
        if !name.starts_with("canister_") {
            continue;
        }
        if let wasmparser::types::EntityType::Func(id) = entity {
            let ty = types[id].unwrap_func();
            if !ty.params().is_empty() || !ty.results().is_empty() {
                return refuse(format!("export '{name}' must have type () -> ()"));
            }
        }
    }
    Ok(())
}

fn letters(types: &[ValType]) -> String {
    let letter = |ty: &ValType| match ty {
        ValType::I32 => 'i',
        ValType::I64 => 'I',
        ValType::F32 => 'f',
        ValType::F64 => 'F',
        ValType::V128 => 'v',
        ValType::Ref(RefType { .. }) => 'r',
    };
    types.iter().map(letter).collect()
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), ModuleError> {
    if count > limit {
        return refuse(format!(
            "module has {count} {what}; at most {limit} are allowed"
        ));
    }
    Ok(())
}

fn refuse_operator(name: &str) -> Result<(), ModuleError> {
    refuse(format!("module uses {name}, which canisters must not"))
}

fn refuse<T>(text: impl Into<String>) -> Result<T, ModuleError> {
    Err(ModuleError::new(text))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err takes"
)]
fn malformed(error: wasmparser::BinaryReaderError) -> ModuleError {
    ModuleError::new(format!("not a valid WebAssembly module: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(wat: &str) {
        validate(&wat::parse_str(wat).unwrap()).unwrap();
    }

    fn refuses(wat: &str, named: &str) {
        let error = validate(&wat::parse_str(wat).unwrap()).unwrap_err();
        assert!(
            error.text.contains(named),
            "'{error}' does not name '{named}'"
        );
    }

    fn many(count: usize, item: impl Fn(usize) -> String) -> String {
        format!("(module {})", (0..count).map(item).collect::<String>())
    }

    #[test]
    fn limits_are_exact() {
        let functions = |count| many(count, |_| "(func)".into());
        accepts(&functions(MAX_FUNCTIONS));
        refuses(&functions(MAX_FUNCTIONS + 1), "functions");
        let globals = |count| many(count, |_| "(global (mut i32) (i32.const 0))".into());
        accepts(&globals(MAX_GLOBALS));
        refuses(&globals(MAX_GLOBALS + 1), "globals");
        let method = |n| format!("(func (export \"canister_update {n}\"))");
        accepts(&many(MAX_METHODS, method));
        refuses(&many(MAX_METHODS + 1, method), "methods");
        let name = |bytes| {
            many(1, |_| {
                format!("(func (export \"canister_query {}\"))", "n".repeat(bytes))
            })
        };
        accepts(&name(MAX_METHOD_NAMES_BYTES));
        refuses(&name(MAX_METHOD_NAMES_BYTES + 1), "method names");
        let nops = |count| format!("(module (func {}))", "nop ".repeat(count));
        accepts(&nops(999_999));
        refuses(&nops(1_000_000), "instructions");
    }

    #[test]
    fn metadata_is_limited() {
        let section = |n| format!("(@custom \"icp:public {n}\" \"x\")");
        accepts(&many(MAX_METADATA_SECTIONS, section));
        refuses(
            &many(MAX_METADATA_SECTIONS + 1, section),
            "metadata sections",
        );
        let bytes = |count| {
            many(1, |_| {
                format!("(@custom \"icp:private x\" \"{}\")", "y".repeat(count))
            })
        };
        accepts(&bytes(MAX_METADATA_BYTES - 1));
        refuses(&bytes(MAX_METADATA_BYTES), "metadata");
        refuses("(module (@custom \"icp:secret x\" \"\"))", "icp:secret x");
        refuses(
            "(module (@custom \"icp:public x\" \"\") (@custom \"icp:private x\" \"\"))",
            "twice",
        );
    }

    #[test]
    fn active_segments_are_located() {
        let data = |wat: &str| validate(&wat::parse_str(wat).unwrap()).unwrap().data;
        let wat = "(module (memory 1) (data (i32.const 9) \"abc\") (data \"passive\"))";
        assert_eq!(data(wat), Some(std::iter::once(9..12).collect()));
        let wat = "(module (memory 1) (data (i32.add (i32.const 1) (i32.const 1)) \"abc\"))";
        assert_eq!(data(wat), None);
    }
}
