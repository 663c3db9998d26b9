//! The one thread that owns the engine: it takes what the HTTP side asks, decides when a round is
//! due, and answers. Nothing here knows HTTP or checks a signature.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use hatchery_engine::{Engine, Principal, Reject};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::folder::{Folder, FolderError};
use crate::history::{History, RequestId};
use crate::key::Keys;
use crate::stand_ins::StandIns;
use crate::state::{RequestStatus, State};
use crate::tree::Label;

/// Longest time without a round: certificates are as old as the last one.
const IDLE_NS: u64 = 1_000_000_000;
/// Time between rounds while canisters are busy and no user waits.
const BACKGROUND_NS: u64 = 5_000_000;
/// What is taken from the channel before a round comes between.
const BATCH_MAX: usize = 500;

/// An update call whose sender is authentic.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: RequestId,
    pub(crate) sender: Principal,
    pub(crate) expires_ns: u64,
    pub(crate) canister: Principal,
    pub(crate) method: String,
    pub(crate) arg: Vec<u8>,
}

/// What an update call came to.
#[derive(Debug)]
pub(crate) enum CallAnswer {
    /// The certificate that shows its answer.
    Certified(Vec<u8>),
    /// Taken in; ask later.
    Accepted,
    /// Not taken in.
    Refused(Reject),
    /// Not taken in: too many requests are remembered.
    Full,
}

/// A query whose sender is authentic.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) sender: Principal,
    pub(crate) canister: Principal,
    pub(crate) method: String,
    pub(crate) arg: Vec<u8>,
}

/// Whether a user may see what a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Shown,
    /// The request is another user's.
    ForeignRequest,
    /// The metadata are for controllers.
    PrivateMetadata,
}

/// What a query came to, and the time of the state it was asked of.
#[derive(Debug)]
pub(crate) struct QueryAnswer {
    pub(crate) result: Result<Vec<u8>, Reject>,
    pub(crate) time_ns: u64,
}

/// What the HTTP side asks.
pub(crate) enum Job {
    /// `wait`: answer when the call is answered, not when it is taken in.
    Call {
        call: Call,
        wait: bool,
        answer: oneshot::Sender<CallAnswer>,
    },
    Query {
        query: Query,
        answer: oneshot::Sender<QueryAnswer>,
    },
    ReadState {
        sender: Principal,
        paths: Vec<Vec<Label>>,
        answer: oneshot::Sender<Result<Vec<u8>, Sight>>,
    },
    /// An update of the anonymous user, for the canister's own HTTP.
    Update {
        canister: Principal,
        method: String,
        arg: Vec<u8>,
        answer: oneshot::Sender<Result<Vec<u8>, Reject>>,
    },
    Visit(Box<dyn FnOnce(&mut Engine) + Send>),
    /// Save to the folder what has changed.
    Save(std::sync::mpsc::Sender<Result<(), FolderError>>),
    /// Nothing: whoever waits for a job looks up.
    Wake,
    Stop,
}

/// The engine and all that the interface adds to it.
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) state: State,
    pub(crate) history: History,
    pub(crate) stand_ins: StandIns,
    clock: Arc<Clock>,
    folder: Option<Folder>,
    waiters: BTreeMap<RequestId, Vec<oneshot::Sender<CallAnswer>>>,
    last_round_ns: u64,
    /// Something happened since the last save but time.
    changed: bool,
}

impl Desk {
    /// A desk for `engine`, whose time becomes the clock's.
    pub(crate) fn new(
        mut engine: Engine,
        keys: Arc<Keys>,
        clock: Arc<Clock>,
        folder: Option<Folder>,
    ) -> Self {
        let state = State::of(&mut engine, keys);
        Desk {
            state,
            engine,
            history: History::default(),
            stand_ins: StandIns::default(),
            clock,
            folder,
            waiters: BTreeMap::new(),
            last_round_ns: 0,
            changed: true,
        }
    }

    /// Serves until it is told to stop, or nobody is left who could.
    pub(crate) fn serve(&mut self, jobs: &Receiver<Job>) {
        self.round();
        loop {
            let first = match jobs.recv_timeout(self.until_round()) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for job in first.into_iter().chain(jobs.try_iter().take(BATCH_MAX)) {
                if matches!(job, Job::Stop) {
                    return;
                }
                self.take(job);
            }
            if self.clock.is_wall() && self.until_round().is_zero() {
                self.round();
            }
        }
    }

    pub(crate) fn take(&mut self, job: Job) {
        match job {
            Job::Call { call, wait, answer } => self.call(call, wait, answer),
            Job::Query { query, answer } => {
                let result = self.query(&query);
                let time_ns = self.state.time_ns();
                drop(answer.send(QueryAnswer { result, time_ns }));
            }
            Job::ReadState {
                sender,
                paths,
                answer,
            } => drop(answer.send(self.read_state(&sender, &paths))),
            Job::Update {
                canister,
                method,
                arg,
                answer,
            } => {
                let sender = Principal::anonymous();
                drop(answer.send(self.engine.update(sender, canister, &method, arg)));
                self.settle();
            }
            Job::Visit(visit) => {
                visit(&mut self.engine);
                self.changed = true;
                self.engine.set_root_key(self.state.root_key().to_vec());
                self.settle();
            }
            Job::Save(answer) => drop(answer.send(self.save())),
            Job::Wake | Job::Stop => {}
        }
    }

    fn call(&mut self, call: Call, wait: bool, answer: oneshot::Sender<CallAnswer>) {
        let request = call.request;
        let reply = if self.history.get(&request).is_some() {
            None
        } else if self.history.has_room() {
            self.take_in(call).err().map(CallAnswer::Refused)
        } else {
            Some(CallAnswer::Full)
        };
        match reply {
            Some(reply) => drop(answer.send(reply)),
            None if wait && self.may_wait(&request) => {
                self.waiters.entry(request).or_default().push(answer);
                self.answer_waiters(&request);
            }
            None => drop(answer.send(CallAnswer::Accepted)),
        }
    }

    /// Where no round comes by itself, nobody waits for one.
    fn may_wait(&self, request: &RequestId) -> bool {
        let known = self.history.get(request);
        let answered = known.is_some_and(|known| known.status != RequestStatus::Received);
        self.clock.is_wall() || answered
    }

    fn take_in(&mut self, call: Call) -> Result<(), Reject> {
        let whose = (call.sender, call.expires_ns);
        if let Some(result) = self.stand_ins.update(
            &mut self.engine,
            call.sender,
            &call.canister,
            &call.method,
            &call.arg,
        ) {
            self.changed = true;
            let status = match result {
                Ok(reply) => RequestStatus::Replied(reply),
                Err(reject) => RequestStatus::Rejected(reject),
            };
            self.settle();
            self.history
                .put(call.request, whose, status, &mut self.state);
            return Ok(());
        }
        let message = self
            .engine
            .submit(call.sender, call.canister, &call.method, call.arg)?;
        self.history
            .take_in(call.request, whose, message, &mut self.state);
        Ok(())
    }

    fn query(&mut self, query: &Query) -> Result<Vec<u8>, Reject> {
        let Query {
            sender,
            canister,
            method,
            arg,
        } = query;
        if let Some(result) = self
            .stand_ins
            .query(*sender, canister, method, arg, &self.engine)
        {
            return result;
        }
        let state = &self.state;
        let certify = || state.data_certificate(canister);
        self.engine
            .query_certified(*sender, *canister, method, arg, &certify)
    }

    fn read_state(&self, sender: &Principal, paths: &[Vec<Label>]) -> Result<Vec<u8>, Sight> {
        for path in paths {
            match self.sight(sender, path) {
                Sight::Shown => {}
                hidden => return Err(hidden),
            }
        }
        Ok(self.state.certificate(paths))
    }

    fn sight(&self, sender: &Principal, path: &[Label]) -> Sight {
        let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        match labels.as_slice() {
            [b"request_status", request, ..] => {
                let request = RequestId::try_from(*request).ok();
                let known = request.and_then(|request| self.history.get(&request));
                match known {
                    Some(known) if known.sender != *sender => Sight::ForeignRequest,
                    _ => Sight::Shown,
                }
            }
            [b"canister", id, b"metadata", name, ..] => {
                let id = Principal::try_from_slice(id).ok();
                let canister = id.and_then(|id| self.engine.certified_state(id));
                let private = canister.is_some_and(|canister| {
                    !canister.controllers().contains(sender)
                        && canister
                            .metadata()
                            .any(|(there, it)| there.as_bytes() == *name && !it.public)
                });
                if private {
                    Sight::PrivateMetadata
                } else {
                    Sight::Shown
                }
            }
            _ => Sight::Shown,
        }
    }

    /// Saves the network, if it has a folder and anything happened.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn save(&mut self) -> Result<(), FolderError> {
        if let Some(folder) = self.folder.clone()
            && self.changed
        {
            folder.save(self)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Executes a round at the clock's time.
    pub(crate) fn round(&mut self) {
        let now_ns = self.clock.now_ns();
        self.last_round_ns = now_ns;
        let behind_ns = now_ns.saturating_sub(self.engine.now_ns());
        self.changed |= self.engine.has_work();
        if self.clock.is_wall() {
            self.engine.advance_ns(behind_ns);
            self.engine.tick();
        }
        self.settle();
    }

    /// Brings tree, history and waiting users to the engine's state.
    pub(crate) fn settle(&mut self) {
        self.state.follow(&self.engine);
        let finished: Vec<_> = self
            .history
            .waiting()
            .filter(|(message, _)| self.engine.is_finished(message))
            .collect();
        for (message, _) in &finished {
            if let Some(status) = self.engine.take_status(message) {
                self.history.finish(*message, status, &mut self.state);
            }
        }
        self.clock.follow(self.engine.now_ns());
        self.history.expire(self.clock.now_ns(), &mut self.state);
        for (_, request) in &finished {
            self.answer_waiters(request);
        }
    }

    /// Answers those who wait for `request`, if it is answered.
    fn answer_waiters(&mut self, request: &RequestId) {
        let known = self.history.get(request);
        if known.is_some_and(|known| known.status == RequestStatus::Received) {
            return;
        }
        let Some(waiters) = self.waiters.remove(request) else {
            return;
        };
        let path = vec![b"request_status".to_vec(), request.to_vec()];
        let certificate = self.state.certificate(&[path]);
        for waiter in waiters {
            drop(waiter.send(CallAnswer::Certified(certificate.clone())));
        }
    }

    /// Time until the next round is due.
    fn until_round(&self) -> Duration {
        let now_ns = self.clock.now_ns();
        let idle_ns = self.last_round_ns + IDLE_NS;
        let due_ns = match (self.engine.has_work(), self.history.is_waiting()) {
            _ if !self.clock.is_wall() => now_ns + IDLE_NS,
            (true, true) => now_ns,
            (true, false) => self.last_round_ns + BACKGROUND_NS,
            (false, _) => {
                let due_ns = self.engine.next_due_ns().unwrap_or(u64::MAX);
                due_ns.max(self.last_round_ns + BACKGROUND_NS).min(idle_ns)
            }
        };
        Duration::from_nanos(due_ns.saturating_sub(now_ns))
    }
}
