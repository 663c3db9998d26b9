//! The embedded network of a folder: started, found by others, saved.
//!
//! Owns the network and the folder's word that it runs; what a fleet does on it is not its matter.

use crate::complaint::{Complaint, Kind};
use crate::connection::network::{Home, LOCAL, Place, Running, Trust};
use hatchery_engine::{Config, Engine};
use hatchery_network::{Network, NetworkError, Options, Time, engine_now};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Where clients look first.
const PORT: u16 = 4943;
/// Another `hatchery up` answers within this.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// A network that runs here.
#[derive(Debug)]
pub(crate) struct Host {
    network: Network,
    home: Home,
}

impl Host {
    /// Starts the network of a folder, with what it saved before.
    ///
    /// # Errors
    /// One runs there already, the port is taken, or what was saved is damaged.
    pub(crate) fn start(home: &Home, port: Option<u16>) -> anyhow::Result<Host> {
        refuse_a_second(home)?;
        home.make()?;
        let network = match port {
            Some(port) => open(home, port),
            // A port that is taken is no reason not to run.
            None => match open(home, PORT) {
                Err(NetworkError::Listen { .. }) => open(home, 0),
                other => other,
            },
        };
        let network = network.map_err(|error| cannot_start(home, &error))?;
        let running = Running {
            url: network.url(),
            root_key: network.root_key_hex(),
            process: std::process::id(),
        };
        home.set_running(Some(&running))?;
        Ok(Host {
            network,
            home: home.clone(),
        })
    }

    /// How it is reached.
    pub(crate) fn place(&self) -> Place {
        Place {
            name: LOCAL.to_owned(),
            url: self.network.url(),
            trust: Trust::Given(self.network.root_key().to_vec()),
        }
    }

    /// Looks at the engine and changes it, between two rounds.
    ///
    /// # Errors
    /// The network has failed.
    pub(crate) fn visit<R: Send + 'static>(
        &self,
        visit: impl FnOnce(&mut Engine) -> R + Send + 'static,
    ) -> anyhow::Result<R> {
        Ok(self.network.visit(visit)?)
    }

    /// Saves what happened so far.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        Ok(self.network.save()?)
    }
}

impl Drop for Host {
    /// Nobody shall look for it here; the network saves itself.
    fn drop(&mut self) {
        drop(self.home.set_running(None));
    }
}

fn open(home: &Home, port: u16) -> Result<Network, NetworkError> {
    let folder = home.path("network");
    let options = Options {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        time: Time::Wall,
        folder: Some(folder.clone()),
    };
    let config = Config {
        cache_dir: Some(folder.join("compiled")),
        ..Config::default()
    };
    Network::start(&options, || engine_now(config))
}

fn refuse_a_second(home: &Home) -> Result<(), Complaint> {
    let Some(running) = home.running() else {
        return Ok(());
    };
    let address: Option<SocketAddr> = running
        .url
        .strip_prefix("http://")
        .and_then(|it| it.parse().ok());
    let answers =
        |address: SocketAddr| TcpStream::connect_timeout(&address, ANSWERS_WITHIN).is_ok();
    if address.is_some_and(answers) {
        let process = running.process;
        let message = format!("the fleet of this folder runs already, as process {process}");
        return Err(Complaint::new(Kind::Refused, message)
            .hint("watch it with `hatchery status`, or end it with Ctrl-C where it runs"));
    }
    Ok(())
}

fn cannot_start(home: &Home, error: &NetworkError) -> Complaint {
    let hint = match error {
        NetworkError::Listen { .. } => "another port: --port 0 takes any".to_owned(),
        _ => format!(
            "{} holds its state; moved away, a new network begins",
            home.path("network").display()
        ),
    };
    Complaint::new(Kind::Input, format!("the network cannot start: {error}")).hint(hint)
}
