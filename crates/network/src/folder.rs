//! The folder that a network keeps between runs: the world, and what the interface adds to it
//! (balances of the cycles ledger, requests that could still be sent again).

use std::path::PathBuf;

use candid::{CandidType, Decode, Encode};
use hatchery_engine::{Config, Engine, MessageId, Principal, WorldError};
use serde::Deserialize;
use serde_bytes::ByteBuf;

use crate::desk::Desk;
use crate::stand_ins::CyclesLedger;
use crate::state::RequestStatus;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read or written.
    #[error("the folder {}: {error}", folder.display())]
    Io {
        /// Which.
        folder: PathBuf,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// What is in it is no world that this version can read.
    #[error("the world in {}: {error}", folder.display())]
    World {
        /// Which.
        folder: PathBuf,
        /// Why not.
        #[source]
        error: WorldError,
    },
    /// What is in it beside the world is damaged.
    #[error("the file `front` in {} is damaged", folder.display())]
    Front {
        /// Which.
        folder: PathBuf,
    },
}

/// A folder with a saved network, or for one.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// What the interface adds to the world.
#[derive(CandidType, Deserialize)]
pub(crate) struct Front {
    cycles_ledger: CyclesLedger,
    requests: Vec<SavedRequest>,
}

#[derive(CandidType, Deserialize)]
struct SavedRequest {
    request: ByteBuf,
    sender: Principal,
    expires_ns: u64,
    status: SavedStatus,
}

#[derive(CandidType, Deserialize)]
enum SavedStatus {
    /// Under way in the engine with this number.
    Waiting(u64),
    Replied(ByteBuf),
    /// Only that it was answered is kept of a reject.
    Done,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Folder { path }
    }

    /// The saved network; `None` when there is none yet.
    ///
    /// # Errors
    /// The folder cannot be read, or what is in it is damaged.
    pub(crate) fn load(&self) -> Result<Option<(Engine, Front)>, FolderError> {
        std::fs::create_dir_all(&self.path).map_err(|error| self.io(error))?;
        let world = self.path.join("world");
        if !world.exists() {
            return Ok(None);
        }
        let config = Config {
            cache_dir: Some(self.path.join("compiled")),
            ..Config::default()
        };
        let engine = Engine::load(&world, &config).map_err(|error| FolderError::World {
            folder: self.path.clone(),
            error,
        })?;
        let front = std::fs::read(self.path.join("front")).map_err(|error| self.io(error))?;
        let front = Decode!(&front, Front).map_err(|_| FolderError::Front {
            folder: self.path.clone(),
        })?;
        Ok(Some((engine, front)))
    }

    /// Saves a network in place of what was there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn save(&self, desk: &mut Desk) -> Result<(), FolderError> {
        let front = Front::of(desk);
        let bytes = Encode!(&front).expect("bug: our own types encode");
        let beside = self.path.join("front.new");
        std::fs::write(&beside, bytes)
            .and_then(|()| std::fs::rename(&beside, self.path.join("front")))
            .map_err(|error| self.io(error))?;
        desk.engine
            .save(self.path.join("world"))
            .map_err(|error| FolderError::World {
                folder: self.path.clone(),
                error,
            })
    }

    fn io(&self, error: std::io::Error) -> FolderError {
        FolderError::Io {
            folder: self.path.clone(),
            error,
        }
    }
}

impl Front {
    fn of(desk: &Desk) -> Self {
        let requests = desk.history.all();
        let requests = requests.map(|(request, known, message)| SavedRequest {
            request: ByteBuf::from(request.as_slice()),
            sender: known.sender,
            expires_ns: known.expires_ns,
            status: match (message, &known.status) {
                (Some(message), _) => SavedStatus::Waiting(message.number()),
                (None, RequestStatus::Replied(reply)) => {
                    SavedStatus::Replied(ByteBuf::from(reply.as_slice()))
                }
                (None, _) => SavedStatus::Done,
            },
        });
        Front {
            cycles_ledger: desk.stand_ins.cycles_ledger.clone(),
            requests: requests.collect(),
        }
    }

    /// Puts all of it back where it was.
    pub(crate) fn put_back(self, desk: &mut Desk) {
        desk.stand_ins.cycles_ledger = self.cycles_ledger;
        for saved in self.requests {
            let Ok(request) = <[u8; 32]>::try_from(saved.request.as_slice()) else {
                continue;
            };
            let whose = (saved.sender, saved.expires_ns);
            let (history, state) = (&mut desk.history, &mut desk.state);
            match saved.status {
                SavedStatus::Waiting(number) => {
                    history.take_in(request, whose, MessageId::from_number(number), state);
                }
                SavedStatus::Replied(reply) => {
                    let status = RequestStatus::Replied(reply.into_vec());
                    history.put(request, whose, status, state);
                }
                SavedStatus::Done => history.put(request, whose, RequestStatus::Done, state),
            }
        }
    }
}
