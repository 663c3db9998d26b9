//! A network that can be started, asked for its address, visited and stopped. Two threads behind it:
//! one owns the engine, one all connections.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use data_encoding::HEXLOWER;
use hatchery_engine::{Config, Engine, Principal};

use crate::api::Api;
use crate::clock::{Clock, Time, wall_ns};
use crate::desk::{Desk, Job};
use crate::folder::{Folder, FolderError};
use crate::key::Keys;
use crate::server::Server;

/// WebAssembly may use 5 MiB of stack, and its host some more.
const DESK_STACK_BYTES: usize = 32 << 20;
/// A world may be so far ahead of the wall clock.
const AHEAD_NS_MAX: u64 = 60_000_000_000;

/// Where and how a network is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Address to listen at; port 0 is any free one. The default is a free port of the loopback
    /// interface.
    pub address: SocketAddr,
    /// Whose time its rounds have.
    pub time: Time,
    /// Folder that the world is restored from and saved to; made when it is not there.
    pub folder: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            time: Time::Wall,
            folder: None,
        }
    }
}

/// Why a network cannot be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Nobody can listen there.
    #[error("cannot listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// The world is ahead of the wall clock: it has been in virtual time, which clients do not
    /// follow.
    #[error(
        "the world is {seconds} s ahead of the wall clock; agents refuse certificates of a network that was in virtual time"
    )]
    Ahead {
        /// How far.
        seconds: u64,
    },
    /// The folder cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A thread of the network has failed: our bug, told on standard error.
    #[error("the network has failed")]
    Failed,
}

/// A running network.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    root_key: Vec<u8>,
    subnet: Principal,
    jobs: Sender<Job>,
    desk: Option<DeskThread>,
    server: Option<Server>,
}

impl Network {
    /// Starts a network on the world that `engine` makes, or on the one in the folder.
    ///
    /// # Errors
    /// The address is taken, the folder damaged, or its world ahead of the wall clock.
    pub fn start(
        options: &Options,
        engine: impl FnOnce() -> Engine + Send + 'static,
    ) -> Result<Network, NetworkError> {
        let (listener, address) = listen(options.address)?;
        let clock = Arc::new(Clock::new(options.time));
        let (jobs, desk_jobs) = channel();
        let (keys, desk) = start_desk(options, engine, &clock, desk_jobs)?;
        let api = Api {
            jobs: jobs.clone(),
            clock,
            keys: Arc::clone(&keys),
        };
        let server = Server::start(listener, api)?;
        Ok(Network {
            address,
            root_key: keys.root_key().to_vec(),
            subnet: keys.subnet_id(),
            jobs,
            desk: Some(desk),
            server: Some(server),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What agents are told: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The root key in DER.
    pub fn root_key(&self) -> &[u8] {
        &self.root_key
    }

    /// The root key as `icp` and `dfx` take it: in hexadecimal digits.
    pub fn root_key_hex(&self) -> String {
        HEXLOWER.encode(&self.root_key)
    }

    /// The one subnet.
    pub fn subnet(&self) -> Principal {
        self.subnet
    }

    /// Lets `visit` look at the engine and change it, between two rounds. Users see what it
    /// changed.
    ///
    /// # Errors
    /// [`NetworkError::Failed`], also when `visit` itself panics.
    pub fn visit<R: Send + 'static>(
        &self,
        visit: impl FnOnce(&mut Engine) -> R + Send + 'static,
    ) -> Result<R, NetworkError> {
        let (send, receive) = channel();
        let visit = Box::new(move |engine: &mut Engine| drop(send.send(visit(engine))));
        self.jobs
            .send(Job::Visit(visit))
            .map_err(|_| NetworkError::Failed)?;
        receive.recv().map_err(|_| NetworkError::Failed)
    }

    /// Saves the world to its folder, if it has one and anything happened.
    ///
    /// # Errors
    /// The world cannot be saved.
    pub fn save(&self) -> Result<(), NetworkError> {
        let (send, receive) = channel();
        self.jobs
            .send(Job::Save(send))
            .map_err(|_| NetworkError::Failed)?;
        Ok(receive.recv().map_err(|_| NetworkError::Failed)??)
    }

    /// Stops serving and saves the world to its folder.
    ///
    /// # Errors
    /// The world cannot be saved.
    pub fn stop(mut self) -> Result<(), NetworkError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), NetworkError> {
        drop(self.server.take());
        drop(self.jobs.send(Job::Stop));
        match self.desk.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(saved)) => Ok(saved?),
            Some(Err(_)) => Err(NetworkError::Failed),
        }
    }
}

impl Drop for Network {
    /// As [`Network::stop`]; nobody hears of its error.
    fn drop(&mut self) {
        drop(self.end());
    }
}

/// An engine for a network: a new world that starts now.
pub fn engine_now(config: Config) -> Engine {
    Engine::new(Config {
        start_time_ns: wall_ns(),
        ..config
    })
}

pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), NetworkError> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|error| NetworkError::Listen { address, error })
}

type DeskThread = JoinHandle<Result<(), FolderError>>;

/// Starts the thread that owns the engine, and waits until it can be asked.
fn start_desk(
    options: &Options,
    engine: impl FnOnce() -> Engine + Send + 'static,
    clock: &Arc<Clock>,
    jobs: std::sync::mpsc::Receiver<Job>,
) -> Result<(Arc<Keys>, DeskThread), NetworkError> {
    let (ready, is_ready) = channel();
    let (clock, folder) = (Arc::clone(clock), options.folder.clone().map(Folder::new));
    let run = move || {
        let mut desk = match open_desk(engine, &clock, folder) {
            Ok((keys, desk)) => {
                drop(ready.send(Ok(keys)));
                desk
            }
            Err(error) => {
                drop(ready.send(Err(error)));
                return Ok(());
            }
        };
        desk.serve(&jobs);
        desk.save()
    };
    let desk = std::thread::Builder::new()
        .name("hatchery-desk".to_owned())
        .stack_size(DESK_STACK_BYTES)
        .spawn(run)
        .map_err(|_| NetworkError::Failed)?;
    let keys = is_ready.recv().map_err(|_| NetworkError::Failed)??;
    Ok((keys, desk))
}

fn open_desk(
    engine: impl FnOnce() -> Engine,
    clock: &Arc<Clock>,
    folder: Option<Folder>,
) -> Result<(Arc<Keys>, Desk), NetworkError> {
    let saved = folder.as_ref().map(Folder::load).transpose()?.flatten();
    let (engine, front) = match saved {
        Some((engine, front)) => (engine, Some(front)),
        None => (engine(), None),
    };
    let ahead_ns = engine.now_ns().saturating_sub(wall_ns());
    if clock.is_wall() && ahead_ns > AHEAD_NS_MAX {
        let seconds = ahead_ns / 1_000_000_000;
        return Err(NetworkError::Ahead { seconds });
    }
    clock.follow(engine.now_ns());
    let keys = Arc::new(Keys::of_seed(engine.seed()));
    let mut desk = Desk::new(engine, Arc::clone(&keys), Arc::clone(clock), folder);
    if let Some(front) = front {
        front.put_back(&mut desk);
    }
    Ok((keys, desk))
}
