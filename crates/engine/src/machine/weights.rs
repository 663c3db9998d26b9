//! What each WebAssembly operator costs in instructions. It owns the table only; system calls are
//! priced in [`super::api`], dirtied pages in [`super::execute`].
//!
//! Source: the replica's instruction weights for 32-bit memories, October 2025. Two costs exceed
//! the table's `u8`: `memory.grow` (300) is completed in [`super::host`], `data.drop` and
//! `elem.drop` (300) count 255.

use wasmtime::OperatorCost;

/// `memory.grow` costs this much beyond what fits in the table.
pub(super) const MEMORY_GROW_REMAINDER: u64 = 300 - 255;

/// Sets several operators to one cost.
macro_rules! cost {
    ($table:ident, $cost:literal: $($operator:ident)*) => {
        $($table.$operator = $cost;)*
    };
}

/// The whole table. Operators that are not named cost 1.
pub(super) fn operator_cost() -> OperatorCost {
    let mut table = OperatorCost::new();
    control(&mut table);
    integers_and_floats(&mut table);
    conversions(&mut table);
    memory(&mut table);
    vectors(&mut table);
    table
}

fn control(table: &mut OperatorCost) {
    cost!(table, 0: Block Loop Else End);
    cost!(table, 1: Nop Drop Unreachable Return);
    cost!(table, 2: If Br BrIf BrTable GlobalGet GlobalSet);
    cost!(table, 5: Call RefIsNull TableGet TableSet);
    cost!(table, 10: CallIndirect);
    cost!(table, 3: ReturnCall);
    cost!(table, 60: ReturnCallIndirect);
    cost!(table, 130: RefFunc);
}

fn integers_and_floats(table: &mut OperatorCost) {
    cost!(table, 10: I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU);
    cost!(table, 2: F32Add F32Sub F32Mul F32Ceil F32Floor F32Trunc F32Nearest);
    cost!(table, 2: F64Add F64Sub F64Mul F64Ceil F64Floor F64Trunc F64Nearest);
    cost!(table, 3: F32Div F64Copysign);
    cost!(table, 2: F32Copysign);
    cost!(table, 5: F64Div F32Sqrt);
    cost!(table, 8: F64Sqrt);
    cost!(table, 18: F32Min F32Max F64Min F64Max);
    cost!(table, 3: F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le F64Ge);
}

fn conversions(table: &mut OperatorCost) {
    cost!(table, 3: F32ConvertI32S F64ConvertI64S F32ConvertI64S F64ConvertI32S);
    cost!(table, 16: F64ConvertI32U F32ConvertI64U F32ConvertI32U F64ConvertI64U);
    cost!(table, 20: I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U);
    cost!(table, 20: I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U);
    cost!(table, 20: I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U);
    cost!(table, 20: I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U);
}

fn memory(table: &mut OperatorCost) {
    cost!(table, 255: MemoryGrow TableGrow DataDrop ElemDrop);
    cost!(table, 20: MemorySize);
    cost!(table, 100: TableSize MemoryFill MemoryCopy MemoryInit TableFill TableCopy TableInit);
    table.variable.memory_copy_per_byte = 1;
    table.variable.memory_fill_per_byte = 1;
    table.variable.memory_init_per_byte = 1;
    table.variable.memory_grow_per_page = 0;
}

fn vectors(table: &mut OperatorCost) {
    cost!(table, 2: I8x16LtU I8x16GtU I16x8LtU I16x8GtU I8x16ShrU);
    cost!(table, 2: I16x8ExtAddPairwiseI8x16U I16x8Shl I16x8ShrS I16x8ShrU);
    cost!(table, 2: I16x8ExtMulHighI8x16S I16x8ExtMulHighI8x16U);
    cost!(table, 2: I32x4Shl I32x4ShrS I32x4ShrU I32x4Mul);
    cost!(table, 2: I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S);
    cost!(table, 2: I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U);
    cost!(table, 2: I64x2Shl I64x2ShrU I32x4TruncSatF32x4S I32x4TruncSatF64x2SZero);
    cost!(table, 2: F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F32x4Abs F32x4Neg);
    cost!(table, 2: F32x4Add F32x4Sub F32x4Mul F64x2Add F64x2Sub F64x2Mul);
    cost!(table, 2: F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2Abs F64x2Neg);
    cost!(table, 3: I8x16Shuffle I8x16Popcnt I8x16Shl I8x16ShrS I64x2ShrS);
    cost!(table, 3: I32x4ExtAddPairwiseI16x8U I32x4TruncSatF64x2UZero);
    cost!(table, 4: I64x2Mul F32x4Min F32x4Max F64x2Min);
    cost!(table, 4: I32x4TruncSatF32x4U F32x4ConvertI32x4U);
    cost!(table, 5: F32x4Sqrt F64x2Max);
    cost!(table, 10: F32x4Div);
    cost!(table, 12: F64x2Div);
    cost!(table, 14: F64x2Sqrt);
}
