//! A network on an engine that somebody else owns: it answers while it is told to, on the owner's
//! thread, in the engine's own time. For worlds whose rounds are counted elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use hatchery_engine::{Config, Engine};

use crate::api::Api;
use crate::clock::{Clock, Time};
use crate::desk::{Desk, Job};
use crate::key::Keys;
use crate::network::{NetworkError, Options, listen};
use crate::server::Server;

/// How long a job is waited for before the owner is asked again whether to go on.
const LOOK_UP_EVERY: Duration = Duration::from_millis(10);

/// A network that runs while its owner lets it.
pub struct Lent {
    /// Between two times of serving, its engine is an empty one.
    desk: Desk,
    received: Receiver<Job>,
    jobs: Sender<Job>,
    address: SocketAddr,
    root_key: Vec<u8>,
    /// Dropped with this, and the last field: its connections wait for the desk.
    _server: Server,
}

/// Makes a serving [`Lent`] ask at once whether to go on.
#[derive(Debug, Clone)]
pub struct Waker {
    jobs: Sender<Job>,
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lent({})", self.address)
    }
}

impl Lent {
    /// A network on `engine`, whose root key it sets. Nothing is answered yet.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(engine: &mut Engine) -> Result<Lent, NetworkError> {
        let (listener, address) = listen(Options::default().address)?;
        let clock = Arc::new(Clock::new(Time::Manual));
        clock.follow(engine.now_ns());
        let keys = Arc::new(Keys::of_seed(engine.seed()));
        let own = std::mem::replace(engine, Engine::new(Config::default()));
        let mut desk = Desk::new(own, Arc::clone(&keys), Arc::clone(&clock), None);
        std::mem::swap(&mut desk.engine, engine);
        let (jobs, received) = channel();
        let api = Api {
            jobs: jobs.clone(),
            clock,
            keys: Arc::clone(&keys),
        };
        Ok(Lent {
            desk,
            received,
            jobs,
            address,
            root_key: keys.root_key().to_vec(),
            _server: Server::start(listener, api)?,
        })
    }

    /// What agents are told.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The root key in DER.
    pub fn root_key(&self) -> &[u8] {
        &self.root_key
    }

    /// Wakes this network from another thread.
    pub fn waker(&self) -> Waker {
        Waker {
            jobs: self.jobs.clone(),
        }
    }

    /// Answers requests from the state of `engine` until `done` says so; executes no round.
    pub fn serve_until(&mut self, engine: &mut Engine, mut done: impl FnMut() -> bool) {
        std::mem::swap(&mut self.desk.engine, engine);
        self.desk.settle();
        while !done() {
            if let Ok(job) = self.received.recv_timeout(LOOK_UP_EVERY) {
                self.desk.take(job);
            }
        }
        std::mem::swap(&mut self.desk.engine, engine);
    }
}

impl Waker {
    /// As said.
    pub fn wake(&self) {
        drop(self.jobs.send(Job::Wake));
    }
}
