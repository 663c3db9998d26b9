//! System calls on stable memory.

use super::{Api, define};
use crate::machine::stable::WASM_PAGE_BYTES;
use crate::machine::trap::Stop;

/// What `stable64_grow` answers when it cannot: -1.
const CANNOT_GROW: u64 = u64::MAX;

pub(super) fn define(api: &mut Api) {
    define!(api:
        stable64_size |cx| -> u64 { Ok(cx.host().stable.size()) }
        stable64_grow |cx, pages: u64| -> u64 {
            let host = cx.host_mut();
            let Some(bytes) = pages.checked_mul(WASM_PAGE_BYTES) else {
                return Ok(CANNOT_GROW);
            };
            if !host.stable.can_grow(pages) || !host.take_headroom(bytes) {
                return Ok(CANNOT_GROW);
            }
            Ok(host.stable.grow(pages).unwrap_or(CANNOT_GROW))
        }
        stable64_write |cx, offset: u64, src: u64, length: u64| -> () {
            let (src, length) = heap_range(src, length)?;
            cx.charge(u64::from(length))?;
            cx.write_stable(offset, src, length)
        }
        stable64_read |cx, dst: u64, offset: u64, length: u64| -> () {
            let (dst, length) = heap_range(dst, length)?;
            cx.charge(u64::from(length))?;
            cx.write_with(dst, length, |target, host| {
                host.stable.read(offset, target).map_err(out_of_bounds)
            })
        }
    );
}

impl super::Cx<'_> {
    fn write_stable(&mut self, offset: u64, src: u32, length: u32) -> wasmtime::Result<()> {
        self.slice(src, length)?;
        let Some(memory) = self.host().memory else {
            return Ok(self
                .host_mut()
                .stable
                .write(offset, &[])
                .map_err(out_of_bounds)?);
        };
        let (heap, host) = memory.data_and_store_mut(&mut self.caller);
        let source = &heap[src as usize..src as usize + length as usize];
        if host.stable.would_dirty(offset, u64::from(length)) > host.stable_dirty_limit() {
            return Err(Stop::too_many_dirty_pages(host.stable_dirty_limit()).into());
        }
        Ok(host.stable.write(offset, source).map_err(out_of_bounds)?)
    }
}

fn out_of_bounds(_: crate::machine::stable::OutOfBounds) -> Stop {
    Stop::trapped("stable memory out of bounds")
}

/// The 64-bit arguments as a range of a 32-bit heap.
fn heap_range(start: u64, length: u64) -> Result<(u32, u32), Stop> {
    let narrow = |value: u64| u32::try_from(value);
    match (narrow(start), narrow(length)) {
        (Ok(start), Ok(length)) => Ok((start, length)),
        _ => Err(Stop::trapped("heap out of bounds")),
    }
}
