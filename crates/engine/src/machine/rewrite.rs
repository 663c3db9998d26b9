//! The light rewrite of a valid module before it is compiled: its exports become what the machine
//! needs to enter functions, call table entries and restore globals. It owns section order and the
//! private names; code and data pass through untouched.

use wasm_encoder::{ExportKind, ExportSection, RawSection};
use wasmparser::{Encoding, ExternalKind, Parser, Payload};

use super::error::ModuleError;
use super::validate::Facts;

/// Name of memory 0.
pub(super) const MEMORY: &str = "hatchery memory";
/// Name of table 0.
pub(super) const TABLE: &str = "hatchery table";
/// Name of what was the start function.
pub(super) const START: &str = "hatchery start";

/// Name of a mutable global.
pub(super) fn global_name(index: u32) -> String {
    format!("hatchery global {index}")
}

const EXPORT_SECTION: u8 = 7;
const START_SECTION: u8 = 8;

/// The module with private exports, entry points, no start section and no custom sections.
pub(super) fn rewrite(wasm: &[u8], facts: &Facts) -> Result<Vec<u8>, ModuleError> {
    let exports = exports(wasm, facts)?;
    let mut exports = Some(exports);
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| ModuleError::new(error.to_string()))?;
        if let Payload::Version { encoding, .. } = &payload
            && *encoding != Encoding::Module
        {
            return Err(ModuleError::new("components are not supported"));
        }
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        // Exports stand before every section with a greater id; the data count (12) comes after
        // them and before the code, too. A tag section (13) cannot be here: no exceptions.
        if id >= EXPORT_SECTION
            && let Some(exports) = exports.take()
        {
            module.section(&exports);
        }
        if id != 0 && id != EXPORT_SECTION && id != START_SECTION {
            let data = &wasm[range];
            module.section(&RawSection { id, data });
        }
    }
    if let Some(exports) = exports {
        module.section(&exports);
    }
    Ok(module.finish())
}

fn exports(wasm: &[u8], facts: &Facts) -> Result<ExportSection, ModuleError> {
    let mut exports = ExportSection::new();
    if facts.memory.is_some() {
        exports.export(MEMORY, ExportKind::Memory, 0);
    }
    if facts.has_table {
        exports.export(TABLE, ExportKind::Table, 0);
    }
    for &index in &facts.mutable_globals {
        exports.export(&global_name(index), ExportKind::Global, index);
    }
    if let Some(start) = facts.start {
        exports.export(START, ExportKind::Func, start);
    }
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Payload::ExportSection(section)) = payload else {
            continue;
        };
        for export in section {
            let export = export.map_err(|error| ModuleError::new(error.to_string()))?;
            if export.kind == ExternalKind::Func && export.name.starts_with("canister_") {
                exports.export(export.name, ExportKind::Func, export.index);
            }
        }
    }
    Ok(exports)
}
