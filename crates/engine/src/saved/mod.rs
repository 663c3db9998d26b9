//! A world as a file: header, checksum, and the order of its parts. What each part looks like
//! stands beside its type, in one `saved!` line; how values become bytes is [`codec`]'s.
//!
//! ```text
//! magic 8 "hatchery" │ version 4 │ SHA-256 of the rest 32 │ modules │ pages │ world
//! ```
//! A module or a page of memory that many canisters share is written once. All numbers are
//! little-endian. Equal worlds give equal bytes.

mod codec;

use std::path::Path;

use sha2::{Digest, Sha256};

pub(crate) use codec::{Damaged, Reader, Saved, Writer, saved};

use crate::engine::Config;
use crate::machine::{Machine, ModuleError};
use crate::subnet::{Subnet, World};

const MAGIC: &[u8; 8] = b"hatchery";
/// Changes with every change of what a saved type looks like.
const VERSION: u32 = 2;
const HEADER_BYTES: usize = 8 + 4 + 32;

/// Why a file is not a world that can be gone back to.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read or written.
    #[error("the file of the world cannot be read or written")]
    Io(#[from] std::io::Error),
    /// The file is something else than a saved world.
    #[error("this is not a saved world")]
    Foreign,
    /// The file was written by a version of the engine that saves worlds differently.
    #[error("the world was saved in layout {found}, this engine reads layout {VERSION}")]
    Version {
        /// The file's layout.
        found: u32,
    },
    /// The file is cut off, or its bytes are not those that were written.
    #[error("the saved world is damaged")]
    Damaged,
    /// The world holds a module that this engine refuses.
    #[error("the saved world holds a module that is refused")]
    Module(#[from] ModuleError),
}

impl From<Damaged> for WorldError {
    fn from(Damaged: Damaged) -> Self {
        WorldError::Damaged
    }
}

/// Writes beside and renames, so that an interrupted save leaves the file of before.
pub(crate) fn save(world: &World, path: &Path) -> Result<(), WorldError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, to_bytes(world))?;
    std::fs::rename(&beside, path)?;
    Ok(())
}

/// The subnet in a file; compiled modules are kept where `config` says.
pub(crate) fn load(path: &Path, config: &Config) -> Result<Subnet, WorldError> {
    from_bytes(&std::fs::read(path)?, config)
}

pub(crate) fn to_bytes(world: &World) -> Vec<u8> {
    let mut writer = Writer::default();
    world.write(&mut writer);
    sealed(&writer.into_bytes())
}

/// Header and checksum, then `body`.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER_BYTES + body.len());
    file.extend(MAGIC);
    file.extend(VERSION.to_le_bytes());
    file.extend(Sha256::digest(body));
    file.extend(body);
    file
}

/// The subnet that [`to_bytes`] wrote.
pub(crate) fn from_bytes(file: &[u8], config: &Config) -> Result<Subnet, WorldError> {
    let (magic, rest) = file.split_first_chunk::<8>().ok_or(WorldError::Foreign)?;
    if magic != MAGIC {
        return Err(WorldError::Foreign);
    }
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(WorldError::Damaged)?;
    let found = u32::from_le_bytes(*version);
    if found != VERSION {
        return Err(WorldError::Version { found });
    }
    let (checksum, body) = rest.split_first_chunk::<32>().ok_or(WorldError::Damaged)?;
    if Sha256::digest(body)[..] != checksum[..] {
        return Err(WorldError::Damaged);
    }
    let mut machine = Machine::new(config.cache_dir.clone());
    let mut reader = Reader::open(body, &mut machine)?;
    let mut world = World::read(&mut reader)?;
    reader.finish()?;
    world.keep_compiled_in(config.cache_dir.clone());
    Ok(Subnet::of_world(machine, &world))
}
