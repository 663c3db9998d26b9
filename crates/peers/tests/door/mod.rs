//! Users' way into a simulated world by ic-agent over HTTP.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use candid::Principal;
use hatchery_engine::{Engine, ErrorCode, IngressStatus, MessageId, Reject};
use hatchery_network::Lent;
use hatchery_sim::world::Door;
use ic_agent::agent::{CallResponse, RejectResponse, RequestStatusResponse};
use ic_agent::identity::BasicIdentity;
use ic_agent::{Agent, AgentError, Identity, RequestId};
use tokio::runtime::{Builder, Handle};

/// A request's life; the network takes at most six minutes.
const LIFE: Duration = Duration::from_mins(4);
/// An agent is made anew when the engine's clock has run so far ahead of what it knows.
const AGENT_LIFE_NS: u64 = 60_000_000_000;

/// What went through a door.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) updates: u64,
    pub(crate) queries: u64,
    pub(crate) reads: u64,
    /// Answers that ic-agent did not accept.
    pub(crate) unverified: u64,
}

/// A door with an agent for each user.
#[derive(Debug)]
pub(crate) struct HttpDoor {
    /// Where the agents' requests run.
    agents_thread: Handle,
    /// Started with the first message.
    network: Option<Lent>,
    agents: BTreeMap<Principal, (u64, Agent)>,
    messages: BTreeMap<u64, Message>,
    told: Arc<Mutex<Told>>,
}

/// A message that was handed in.
#[derive(Debug, Clone)]
enum Message {
    Open {
        request: RequestId,
        sender: Principal,
        canister: Principal,
    },
    Ended(IngressStatus),
}

impl HttpDoor {
    pub(crate) fn new() -> (Self, Arc<Mutex<Told>>) {
        let told = Arc::new(Mutex::new(Told::default()));
        let door = HttpDoor {
            agents_thread: agents_thread(),
            network: None,
            agents: BTreeMap::new(),
            messages: BTreeMap::new(),
            told: Arc::clone(&told),
        };
        (door, told)
    }

    fn count(&self, count: impl FnOnce(&mut Told)) {
        count(&mut self.told.lock().expect("bug: a test panicked"));
    }

    fn network(&mut self, engine: &mut Engine) -> &mut Lent {
        self.network
            .get_or_insert_with(|| Lent::start(engine).expect("a port is free"))
    }

    /// The agent of `sender`, whose requests are in time by the engine's clock.
    fn agent(&mut self, engine: &mut Engine, sender: Principal) -> Agent {
        let now_ns = engine.now_ns();
        let known = self.agents.get(&sender);
        if let Some((since_ns, agent)) = known
            && since_ns + AGENT_LIFE_NS > now_ns
        {
            return agent.clone();
        }
        let network = self.network(engine);
        let ahead = Duration::from_nanos(now_ns.saturating_sub(wall_ns()));
        let agent = Agent::builder()
            .with_url(network.url())
            .with_identity(identity(sender))
            .with_ingress_expiry(ahead + LIFE)
            .build()
            .expect("the address is one");
        agent.set_root_key(network.root_key().to_vec());
        self.agents.insert(sender, (now_ns, agent.clone()));
        agent
    }

    /// Runs `question` while the network answers.
    fn run<T: Send + 'static>(
        &mut self,
        engine: &mut Engine,
        question: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (send, receive) = channel();
        let waker = self.network(engine).waker();
        self.agents_thread.spawn(async move {
            drop(send.send(question.await));
            waker.wake();
        });
        let mut answer = None;
        self.network(engine).serve_until(engine, || {
            match receive.try_recv() {
                Ok(value) => answer = Some(value),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => panic!("bug: the agent panicked"),
            }
            answer.is_some()
        });
        answer.expect("bug: served until there is an answer")
    }

    fn keep(&mut self, message: Message) -> MessageId {
        let number = self.messages.len() as u64 + 1;
        self.messages.insert(number, message);
        MessageId::from_number(number)
    }

    /// The reject in an error, or that the answer was not accepted.
    fn reject(&self, error: AgentError) -> Reject {
        match error {
            AgentError::CertifiedReject { reject, .. }
            | AgentError::UncertifiedReject { reject, .. } => rejected(&reject),
            other => {
                self.count(|told| told.unverified += 1);
                Reject::new(ErrorCode::CanisterRejectedMessage, format!("HTTP: {other}"))
            }
        }
    }
}

impl Door for HttpDoor {
    fn user(&self, name: &str) -> Principal {
        principal(&identity_of(name))
    }

    fn submit(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject> {
        self.count(|told| told.updates += 1);
        let agent = self.agent(engine, sender);
        let effective = effective(canister, &arg);
        let method = method.to_owned();
        let call = async move {
            agent
                .update(&canister, method)
                .with_effective_canister_id(effective)
                .with_arg(arg)
                .call()
                .await
        };
        match self.run(engine, call) {
            Ok(CallResponse::Poll(request)) => Ok(self.keep(Message::Open {
                request,
                sender,
                canister: effective,
            })),
            Ok(CallResponse::Response((reply, _))) => {
                Ok(self.keep(Message::Ended(IngressStatus::Replied(reply))))
            }
            Err(error) => Err(self.reject(error)),
        }
    }

    fn status(&mut self, engine: &mut Engine, message: &MessageId) -> IngressStatus {
        let (request, sender, canister) = match self.messages.get(&message.number()) {
            None => return IngressStatus::Unknown,
            Some(Message::Ended(status)) => return status.clone(),
            Some(Message::Open {
                request,
                sender,
                canister,
            }) => (*request, *sender, *canister),
        };
        self.count(|told| told.reads += 1);
        let agent = self.agent(engine, sender);
        let read = async move { agent.request_status_raw(&request, canister).await };
        let status = match self.run(engine, read) {
            Ok((RequestStatusResponse::Replied(reply), _)) => IngressStatus::Replied(reply.arg),
            Ok((RequestStatusResponse::Rejected(reject), _)) => {
                IngressStatus::Rejected(rejected(&reject))
            }
            Ok((RequestStatusResponse::Received | RequestStatusResponse::Processing, _)) => {
                return IngressStatus::Processing;
            }
            Ok((RequestStatusResponse::Done | RequestStatusResponse::Unknown, _)) => {
                IngressStatus::Unknown
            }
            Err(error) => IngressStatus::Rejected(self.reject(error)),
        };
        let ended = Message::Ended(status.clone());
        self.messages.insert(message.number(), ended);
        status
    }

    fn query(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.count(|told| told.queries += 1);
        let agent = self.agent(engine, sender);
        let method = method.to_owned();
        let ask = async move { agent.query(&canister, method).with_arg(arg).call().await };
        self.run(engine, ask).map_err(|error| self.reject(error))
    }
}

/// A thread that runs what is spawned on it until the test ends.
fn agents_thread() -> Handle {
    let (send, receive) = channel();
    let run = move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system gives us a runtime");
        drop(send.send(runtime.handle().clone()));
        runtime.block_on(std::future::pending::<()>());
    };
    let thread = std::thread::Builder::new().spawn(run);
    drop(thread.expect("the system gives us a thread"));
    receive.recv().expect("the thread says where it is")
}

/// The demo's users, by name.
const USERS: [&str; 2] = ["the operator of a simulated world", "a user of the fleet"];

fn identity_of(name: &str) -> BasicIdentity {
    let number = USERS.iter().position(|user| *user == name);
    let number = number.expect("bug: the demo has another user") as u8 + 1;
    BasicIdentity::from_raw_key(&[number; 32])
}

fn identity(user: Principal) -> BasicIdentity {
    USERS
        .iter()
        .map(|name| identity_of(name))
        .find(|identity| principal(identity) == user)
        .expect("bug: somebody else comes in by this door")
}

fn principal(identity: &BasicIdentity) -> Principal {
    identity.sender().expect("bug: the key is ours")
}

/// Whom a call concerns: for the management canister, whoever its argument names.
fn effective(canister: Principal, arg: &[u8]) -> Principal {
    #[derive(candid::CandidType, serde::Deserialize)]
    struct Target {
        canister_id: Principal,
    }
    if canister != Principal::management_canister() {
        return canister;
    }
    let target: Target = candid::decode_one(arg).expect("bug: the demo installs and no more");
    target.canister_id
}

fn rejected(reject: &RejectResponse) -> Reject {
    let text = format!("{:?} {}", reject.error_code, reject.reject_message);
    Reject::new(ErrorCode::CanisterRejectedMessage, text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "agents live in wall-clock time, so the world begins there"
)]
pub(crate) fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is after 1970").as_nanos() as u64
}
