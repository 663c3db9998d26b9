//! How code and its memory are saved with a world: above its module, page by page, each shared page
//! once. The image as plain bytes, without a world around it, is [`super::code`]'s.

use super::code::{Code, GlobalValue, Heap, Image, MAX_HEAP_PAGES, page_count};
use super::pages::Pages;
use super::stable::{MAX_STABLE_PAGES, StableMemory};
use crate::saved::{Damaged, Reader, Saved, Writer, saved};

saved!(enum GlobalValue {
    0 => I32(value),
    1 => I64(value),
    2 => F32(value),
    3 => F64(value),
    4 => V128(value),
});

/// Of the heap, what differs from the module's: pages it shares with it are not written.
impl Saved for Image {
    fn write(&self, to: &mut Writer) {
        to.module(&self.module);
        self.heap.globals.write(to);
        self.heap.size.write(to);
        self.heap.pages.write_above(&self.module.initial.pages, to);
        self.stable.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let module = from.module()?;
        let globals: Vec<GlobalValue> = Saved::read(from)?;
        let size = u64::read(from)?;
        if size > MAX_HEAP_PAGES {
            return Err(Damaged);
        }
        let pages = Pages::read_above(&module.initial.pages, page_count(size), from)?;
        let stable = <StableMemory as Saved>::read(from)?;
        let heap = Heap {
            pages,
            size,
            globals,
        };
        if !heap.fits(&module.initial) {
            return Err(Damaged);
        }
        Ok(Image {
            module,
            heap,
            stable,
        })
    }
}

impl Saved for Code {
    fn write(&self, to: &mut Writer) {
        self.state.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let image = Image::read(from)?;
        Ok(from.machine.restore(&image))
    }
}

impl Saved for StableMemory {
    fn write(&self, to: &mut Writer) {
        self.size().write(to);
        self.pages().write_above(&Pages::default(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let size = <u64 as Saved>::read(from)?;
        if size > MAX_STABLE_PAGES {
            return Err(Damaged);
        }
        let pages = Pages::read_above(&Pages::default(), page_count(size), from)?;
        Ok(StableMemory::from_parts(size, pages))
    }
}

/// As parts of uploads; their size is checked there.
impl Saved for Pages {
    fn write(&self, to: &mut Writer) {
        self.write_above(&Pages::default(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Pages::read_above(&Pages::default(), page_count(MAX_STABLE_PAGES), from)
    }
}

impl Pages {
    /// Writes the pages that are not shared with `base`.
    fn write_above(&self, base: &Pages, to: &mut Writer) {
        let indexes: Vec<usize> = self.not_shared_with(base).collect();
        (indexes.len() as u64).write(to);
        for index in indexes {
            (index as u64).write(to);
            let page = self.get(index);
            page.is_some().write(to);
            if let Some(page) = page {
                to.page(page);
            }
        }
    }

    /// Reads pages written above the same `base`; all indexes are below `count`.
    fn read_above(base: &Pages, count: u64, from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut pages = base.clone();
        for _ in 0..u64::read(from)? {
            let index = u64::read(from)?;
            if index >= count {
                return Err(Damaged);
            }
            let is_some = bool::read(from)?;
            let page = is_some.then(|| from.page()).transpose()?;
            pages.replace(index as usize, page);
        }
        Ok(pages)
    }
}
