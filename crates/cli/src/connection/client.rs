//! Calls to root and to the platform's management interface, each signed, each answer verified.
//!
//! Owns encoding and what can go wrong on the way; what the answers mean is the verbs'.

use super::network::{Place, Trust};
use super::reject::{Attempt, explain};
use crate::complaint::{Complaint, Kind};
use anyhow::anyhow;
use candid::{CandidType, Principal};
use hatchery_api::{Answer, Refused};
use ic_agent::{Agent, Identity};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::runtime::Runtime;

const MANAGEMENT: Principal = Principal::management_canister();
/// An update is waited for so long; a stop takes its own time.
const ANSWER_WITHIN: Duration = Duration::from_mins(6);

/// A way to one network, as one identity.
pub(crate) struct Client {
    runtime: Runtime,
    agent: Agent,
    place: Place,
    me: Principal,
    root: Option<Principal>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} as {})", self.place.name, self.me)
    }
}

impl Client {
    /// Connects to a network; `root` may still have to be made.
    ///
    /// # Errors
    /// The address is none, or the network does not say its key.
    pub(crate) fn connect(
        place: Place,
        identity: Box<dyn Identity>,
        root: Option<Principal>,
    ) -> anyhow::Result<Client> {
        let me = identity.sender().map_err(|error| anyhow!(error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let agent = Agent::builder()
            .with_url(&place.url)
            .with_boxed_identity(identity)
            .with_max_polling_time(ANSWER_WITHIN)
            .build()
            .map_err(|error| {
                let message = format!("{} is no address: {error}", place.url);
                Complaint::new(Kind::Input, message).hint(
                    "--network takes `local`, `ic` or an address such as http://127.0.0.1:4943",
                )
            })?;
        match &place.trust {
            Trust::Compiled => {}
            Trust::Given(key) => agent.set_root_key(key.clone()),
            Trust::Asked => runtime.block_on(agent.fetch_root_key()).map_err(|error| {
                let attempt = Attempt {
                    method: "status",
                    network: &place.name,
                    identity: "",
                    callee: "",
                };
                explain(attempt, &error)
            })?,
        }
        Ok(Client {
            runtime,
            agent,
            place,
            me,
            root,
        })
    }

    /// From now on, this root.
    pub(crate) fn set_root(&mut self, root: Principal) {
        self.root = Some(root);
    }

    /// The same, without a root that is not on the network: its state was thrown away.
    ///
    /// # Errors
    /// The network does not say.
    pub(crate) fn forget_a_root_that_is_gone(mut self) -> anyhow::Result<Client> {
        if let Some(root) = self.root
            && self.certified(root)?.controllers.is_empty()
        {
            self.root = None;
        }
        Ok(self)
    }

    /// Which network.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// As whom.
    pub(crate) fn me(&self) -> Principal {
        self.me
    }

    /// Which root, if one is known.
    pub(crate) fn known_root(&self) -> Option<Principal> {
        self.root
    }

    /// Which root.
    ///
    /// # Errors
    /// None is known here.
    pub(crate) fn root(&self) -> Result<Principal, Complaint> {
        self.root.ok_or_else(|| {
            let network = &self.place.name;
            let message = format!("no root is known on {network}");
            let hint = match network.as_str() {
                "local" => "`hatchery up` makes one; wait for its first line".to_owned(),
                name => format!(
                    "give its id with --root, or make one: `hatchery deploy --network {name}`"
                ),
            };
            Complaint::new(Kind::Input, message).hint(hint)
        })
    }

    /// A query of root with one argument.
    ///
    /// # Errors
    /// Not reached, rejected, or the answer has another shape.
    pub(crate) fn query<A: CandidType, T: CandidType + DeserializeOwned>(
        &self,
        method: &str,
        arg: &A,
    ) -> anyhow::Result<T> {
        decode(
            method,
            &self.query_bytes(self.root()?, method, encode(arg))?,
        )
    }

    /// A query of root without an argument.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub(crate) fn look<T: CandidType + DeserializeOwned>(&self, method: &str) -> anyhow::Result<T> {
        decode(method, &self.query_bytes(self.root()?, method, nothing())?)
    }

    /// A query of root that root may refuse.
    ///
    /// # Errors
    /// As [`Client::query`], or refused.
    pub(crate) fn ask<A: CandidType, T: CandidType + DeserializeOwned>(
        &self,
        method: &str,
        arg: &A,
    ) -> anyhow::Result<T> {
        accept(method, self.query::<A, Answer<T>>(method, arg)?)
    }

    /// An update of root that root may refuse.
    ///
    /// # Errors
    /// Not reached, rejected, refused, or the answer has another shape.
    pub(crate) fn tell<A: CandidType, T: CandidType + DeserializeOwned>(
        &self,
        method: &str,
        arg: &A,
    ) -> anyhow::Result<T> {
        let bytes = self.update_bytes(self.root()?, method, encode(arg))?;
        accept(method, decode::<Answer<T>>(method, &bytes)?)
    }

    /// A query of any canister.
    ///
    /// # Errors
    /// Not reached, or rejected.
    pub(crate) fn query_bytes(
        &self,
        callee: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> anyhow::Result<Vec<u8>> {
        let call = self.agent.query(&callee, method).with_arg(arg);
        let answer = self.runtime.block_on(call.call());
        answer.map_err(|error| self.explain(callee, method, &error))
    }

    /// An update of any canister, awaited.
    ///
    /// # Errors
    /// Not reached, or rejected.
    pub(crate) fn update_bytes(
        &self,
        callee: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> anyhow::Result<Vec<u8>> {
        let call = self.agent.update(&callee, method).with_arg(arg);
        let answer = self.runtime.block_on(call.call_and_wait());
        answer.map_err(|error| self.explain(callee, method, &error))
    }

    /// A method of the management canister about a canister; its answer's bytes.
    ///
    /// # Errors
    /// Not reached, or rejected.
    pub(crate) fn manage<A: CandidType>(
        &self,
        about: Principal,
        method: &str,
        arg: &A,
    ) -> anyhow::Result<Vec<u8>> {
        let call = self
            .agent
            .update(&MANAGEMENT, method)
            .with_effective_canister_id(about)
            .with_arg(encode(arg));
        let answer = self.runtime.block_on(call.call_and_wait());
        answer.map_err(|error| self.explain(about, method, &error))
    }

    /// What the network's state says of a canister: its module and its controllers.
    ///
    /// # Errors
    /// Not reached, or not signed.
    pub(crate) fn certified(&self, canister: Principal) -> anyhow::Result<Certified> {
        let module = self
            .runtime
            .block_on(self.agent.read_state_canister_module_hash(canister));
        let module = match module {
            Ok(hash) => Some(hash),
            Err(ic_agent::AgentError::LookupPathAbsent(_)) => None,
            Err(error) => return Err(self.explain(canister, "read_state", &error)),
        };
        let controllers = self
            .runtime
            .block_on(self.agent.read_state_canister_controllers(canister));
        let controllers = match controllers {
            Ok(controllers) => controllers,
            Err(ic_agent::AgentError::LookupPathAbsent(_)) => Vec::new(),
            Err(error) => return Err(self.explain(canister, "read_state", &error)),
        };
        Ok(Certified {
            module,
            controllers,
        })
    }

    fn explain(
        &self,
        callee: Principal,
        method: &str,
        error: &ic_agent::AgentError,
    ) -> anyhow::Error {
        let callee = match self.root {
            Some(root) if root == callee => format!("root ({root})"),
            _ => callee.to_text(),
        };
        let me = match self.me {
            anonymous if anonymous == Principal::anonymous() => "the anonymous identity".to_owned(),
            me => me.to_text(),
        };
        let attempt = Attempt {
            method,
            network: &self.place.name,
            identity: &me,
            callee: &callee,
        };
        explain(attempt, error).into()
    }
}

/// What the network certifies of a canister.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certified {
    /// SHA-256 of its module; none = empty, or no canister.
    pub(crate) module: Option<Vec<u8>>,
    /// Empty = no canister, or one that nobody controls.
    pub(crate) controllers: Vec<Principal>,
}

/// Candid bytes of one value.
pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    candid::encode_one(value).expect("bug: our own types encode")
}

/// Candid bytes of no value.
pub(crate) fn nothing() -> Vec<u8> {
    candid::encode_args(()).expect("bug: nothing encodes")
}

/// The value in Candid bytes.
///
/// # Errors
/// They are of another shape.
pub(crate) fn decode<T: CandidType + DeserializeOwned>(
    method: &str,
    bytes: &[u8],
) -> anyhow::Result<T> {
    candid::decode_one(bytes).map_err(|error| {
        let message = format!("the answer to `{method}` has another shape: {error}");
        Complaint::new(Kind::Refused, message)
            .hint(
                "root and this program are of different versions: `hatchery deploy` upgrades root",
            )
            .into()
    })
}

/// What root says, or why it refuses.
///
/// # Errors
/// Refused.
pub(crate) fn accept<T>(method: &str, answer: Answer<T>) -> anyhow::Result<T> {
    answer.map_err(|refused| refusal(method, &refused).into())
}

/// Root's refusal: its reason is the message, its advice the hint.
fn refusal(method: &str, refused: &Refused) -> Complaint {
    let Refused { reason, detail } = refused;
    let name = if reason.name == reason.text {
        String::new()
    } else {
        format!(" ({})", reason.name)
    };
    let message = format!("root refuses `{method}`: {}{name}", reason.text);
    let complaint = Complaint::new(Kind::Refused, message);
    if detail.is_empty() || *detail == reason.text {
        return complaint;
    }
    complaint.hint(detail)
}
