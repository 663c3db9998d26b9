//! Which network and which root: what `--network`, `--root` and the folder `.hatchery` say.
//!
//! Owns that folder's few files but the network's own; a key of a network is trusted only from
//! where it can be: compiled in, written by `hatchery up` here, or given.

use crate::complaint::{Complaint, Kind};
use anyhow::Context;
use candid::Principal;
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names the network when no option does.
pub(crate) const NETWORK_VARIABLE: &str = "HATCHERY_NETWORK";
/// Names root when no option does.
pub(crate) const ROOT_VARIABLE: &str = "HATCHERY_ROOT";
/// The network that `hatchery up` runs in this folder.
pub(crate) const LOCAL: &str = "local";
/// The Internet Computer.
pub(crate) const IC: &str = "ic";
/// Where it takes calls.
const IC_URL: &str = "https://icp-api.io";

/// A network as it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `local`, `ic`, or its address.
    pub(crate) name: String,
    /// Where it takes calls.
    pub(crate) url: String,
    /// How its answers are verified.
    pub(crate) trust: Trust,
}

/// The key that answers are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The Internet Computer's, which is compiled in.
    Compiled,
    /// This one, in DER.
    Given(Vec<u8>),
    /// Whatever the network says: on this machine alone.
    Asked,
}

/// The files of a fleet's folder that are not the fleet's own.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
}

/// What `hatchery up` writes for others while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Where the network takes calls.
    pub(crate) url: String,
    /// Its key, in hexadecimal digits.
    pub(crate) root_key: String,
    /// The process that runs it.
    pub(crate) process: u32,
}

impl Home {
    /// The folder `.hatchery` beside a fleet's file; it need not exist.
    pub(crate) fn of(folder: &Path) -> Home {
        let folder = folder.strip_prefix(".").unwrap_or(folder);
        Home {
            folder: folder.join(".hatchery"),
        }
    }

    /// Makes the folder, whose content is no part of the fleet's history but for the roots.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            std::fs::write(
                self.path(".gitignore"),
                "*\n!.gitignore\n!roots.json\n!fleet.schema.json\n",
            )
        };
        write().with_context(|| format!("{} cannot be written", self.folder.display()))
    }

    /// A file or folder in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The key of the embedded network's operator.
    pub(crate) fn operator(&self) -> PathBuf {
        self.path("operator.pem")
    }

    /// The network that runs in this folder, if one does.
    pub(crate) fn running(&self) -> Option<Running> {
        let text = std::fs::read(self.path("network.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Says that a network runs here, or no longer.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn set_running(&self, running: Option<&Running>) -> anyhow::Result<()> {
        let path = self.path("network.json");
        match running {
            Some(running) => write(&path, running),
            None => std::fs::remove_file(&path).with_context(|| path.display().to_string()),
        }
    }

    /// The root that was deployed to a network from here.
    pub(crate) fn root(&self, network: &str) -> Option<Principal> {
        let root = self.roots().remove(network)?;
        Principal::from_text(root).ok()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn set_root(&self, network: &str, root: Principal) -> anyhow::Result<()> {
        let mut roots = self.roots();
        roots.insert(network.to_owned(), root.to_text());
        self.make()?;
        write(&self.path("roots.json"), &roots)
    }

    /// The request for a root on a network whose answer was not heard yet.
    pub(crate) fn creation(&self, network: &str) -> Option<Vec<u8>> {
        let text = std::fs::read(self.path(CREATION)).ok()?;
        let asked: Asked = serde_json::from_slice(&text).ok()?;
        (asked.network == network).then_some(asked.request)
    }

    /// Writes such a request down, or that there is none.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn set_creation(&self, network: &str, request: Option<&[u8]>) -> anyhow::Result<()> {
        let path = self.path(CREATION);
        if let Some(request) = request {
            self.make()?;
            let (network, request) = (network.to_owned(), request.to_vec());
            return write(&path, &Asked { network, request });
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| path.display().to_string())
            }
            _ => Ok(()),
        }
    }

    fn roots(&self) -> BTreeMap<String, String> {
        let text = std::fs::read(self.path("roots.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// Where a request for a root stands until its answer is remembered.
const CREATION: &str = "creation.json";

#[derive(Serialize, Deserialize)]
struct Asked {
    network: String,
    request: Vec<u8>,
}

/// Never half a file: another process may read it.
fn write<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The network of that name.
///
/// # Errors
/// It is none, it does not run, or its key is not known.
pub(crate) fn find(name: &str, home: &Home, root_key: Option<&str>) -> anyhow::Result<Place> {
    let given = root_key.map(read_key).transpose()?;
    let (url, trust) = match name {
        LOCAL => {
            let running = home.running().ok_or_else(not_running)?;
            let key = read_key(&running.root_key)?;
            (running.url, Trust::Given(key))
        }
        IC => (IC_URL.to_owned(), Trust::Compiled),
        url if url.starts_with("https://") || url.starts_with("http://") => {
            let trust = match &given {
                Some(key) => Trust::Given(key.clone()),
                None if is_on_this_machine(url) => Trust::Asked,
                None if is_the_ic(url) => Trust::Compiled,
                None => return Err(no_key(url).into()),
            };
            (url.trim_end_matches('/').to_owned(), trust)
        }
        other => {
            let message = format!("there is no network `{other}`");
            let hint = "`local`, `ic`, or an address such as http://127.0.0.1:4943";
            return Err(Complaint::new(Kind::Input, message).hint(hint).into());
        }
    };
    Ok(Place {
        name: name.trim_end_matches('/').to_owned(),
        url,
        trust,
    })
}

fn not_running() -> Complaint {
    Complaint::new(Kind::Unreachable, "no network runs in this folder")
        .hint("start one with `hatchery up`, or name another with --network")
}

fn no_key(url: &str) -> Complaint {
    let message = format!("the key of {url} is not known, so no answer of it could be trusted");
    Complaint::new(Kind::Input, message).hint("give it with --root-key, in hexadecimal digits")
}

fn read_key(text: &str) -> anyhow::Result<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| {
        let message = "the root key is not in hexadecimal digits";
        Complaint::new(Kind::Input, message)
            .hint("`icp network status` and `hatchery up` show a network's")
            .into()
    })
}

/// The host of an address, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

fn is_on_this_machine(url: &str) -> bool {
    let host = host(url);
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(is_loopback)
}

fn is_the_ic(url: &str) -> bool {
    let host = host(url);
    let names = ["icp-api.io", "ic0.app", "icp0.io", "internetcomputer.org"];
    let is_of = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    url.starts_with("https://") && names.into_iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use super::{Home, Trust, find};
    use std::path::Path;

    fn trust(name: &str) -> Result<Trust, String> {
        let home = Home::of(Path::new("/nowhere"));
        let place = find(name, &home, None).map_err(|error| error.to_string())?;
        Ok(place.trust)
    }

    #[test]
    fn a_key_is_asked_for_on_this_machine_alone() {
        for here in [
            "http://127.0.0.1:4943",
            "http://localhost:80/",
            "http://[::1]:1",
        ] {
            assert_eq!(trust(here), Ok(Trust::Asked), "{here}");
        }
        for ic in ["ic", "https://icp-api.io", "https://x.icp0.io"] {
            assert_eq!(trust(ic), Ok(Trust::Compiled), "{ic}");
        }
        for far in [
            "http://icp-api.io",
            "https://icp-api.io.example.org",
            "http://127.0.0.1.example.org",
            "http://10.0.0.1:4943",
        ] {
            assert!(trust(far).is_err(), "{far}");
        }
        assert!(trust("testnet").is_err());
        assert!(trust("local").is_err());
    }
}
