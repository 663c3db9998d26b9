//! Typed calls to root: encoding, paging, and what can go wrong on the way.

use super::FleetWorld;
use candid::{CandidType, Principal};
use hatchery_api::{
    Answer, CanistersPage, CanistersRequest, CommandAnswer, CommandRequest, CommitModule,
    DecisionView, DecisionsPage, DecisionsRequest, EffectView, EffectsRequest, EventView,
    EventsPage, EventsRequest, ExportPage, ExportRequest, FleetStatus, MetricsPage, MetricsRequest,
    PAGE_MAX, PlanView, PoolStatus, Refused, ReplayAnswer, ReplayRequest, RowView, StageChunk,
    WhyRequest, WhyView, WorkersPage, WorkersRequest,
};
use hatchery_engine::{MessageId, Reject};
use hatchery_types::{FleetSpec, Generation, Registered};
use serde::de::DeserializeOwned;

/// Why a call to root brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The platform or root's guard said no.
    #[error("{method} rejected: {text}")]
    Rejected {
        /// What was called.
        method: String,
        /// Reject code and text.
        text: String,
    },
    /// The answer has another shape.
    #[error("{method} answered something else")]
    Undecodable {
        /// What was called.
        method: String,
        /// What Candid says.
        #[source]
        source: candid::Error,
    },
    /// Root refused, with a reason.
    #[error("{method} refused: {} ({})", refused.reason.text, refused.detail)]
    Refused {
        /// What was called.
        method: String,
        /// Root's words.
        refused: Refused,
    },
}

impl CallError {
    /// A call that was rejected.
    pub(crate) fn rejected(method: &str, reject: &Reject) -> Self {
        CallError::Rejected {
            method: method.to_owned(),
            text: reject.to_string(),
        }
    }

    /// The typed reason, if root gave one.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            CallError::Refused { refused, .. } => Some(refused),
            _ => None,
        }
    }
}

/// Candid bytes of one value.
pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    candid::encode_one(value).expect("bug: our own types encode")
}

/// The value in Candid bytes.
pub(crate) fn decode<T: CandidType + DeserializeOwned>(
    method: &str,
    bytes: &[u8],
) -> Result<T, CallError> {
    candid::decode_one(bytes).map_err(|source| CallError::Undecodable {
        method: method.to_owned(),
        source,
    })
}

impl FleetWorld {
    /// An update call as `sender`, awaited.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn update_as<A: CandidType, T: CandidType + DeserializeOwned>(
        &mut self,
        sender: Principal,
        method: &str,
        arg: &A,
    ) -> Result<T, CallError> {
        let answer = self.await_root(sender, method, encode(arg));
        let bytes = answer.map_err(|reject| CallError::rejected(method, &reject))?;
        decode(method, &bytes)
    }

    fn update<A: CandidType, T: CandidType + DeserializeOwned>(
        &mut self,
        method: &str,
        arg: &A,
    ) -> Result<T, CallError> {
        let answer: Answer<T> = self.update_as(self.operator, method, arg)?;
        accept(method, answer)
    }

    fn query<A: CandidType, T: CandidType + DeserializeOwned>(
        &mut self,
        method: &str,
        arg: &A,
    ) -> Result<T, CallError> {
        let answer = self.ask(self.operator, self.root.0, method, encode(arg));
        let bytes = answer.map_err(|reject| CallError::rejected(method, &reject))?;
        decode(method, &bytes)
    }

    /// Applies a spec.
    ///
    /// # Errors
    /// Rejected or refused.
    pub fn apply(&mut self, spec: &FleetSpec) -> Result<Generation, CallError> {
        self.update("apply_spec", spec)
    }

    /// Stages one chunk of a module.
    ///
    /// # Errors
    /// Rejected or refused.
    pub fn stage_chunk(&mut self, chunk: &StageChunk) -> Result<Generation, CallError> {
        self.update("stage_chunk", chunk)
    }

    /// Closes a module.
    ///
    /// # Errors
    /// Rejected or refused.
    pub fn commit_module(&mut self, commit: &CommitModule) -> Result<Generation, CallError> {
        self.update("commit_module", commit)
    }

    /// Gives a command.
    ///
    /// # Errors
    /// Rejected or refused.
    pub fn command(&mut self, request: &CommandRequest) -> Result<CommandAnswer, CallError> {
        self.update("command", request)
    }

    /// Gives a command without waiting for its answer.
    ///
    /// # Errors
    /// The platform does not take the message in.
    pub fn submit_command(&mut self, request: &CommandRequest) -> Result<MessageId, CallError> {
        let message = self.submit(self.operator, self.root.0, "command", encode(request));
        message.map_err(|reject| CallError::rejected("command", &reject))
    }

    /// Root's counters.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn status(&mut self) -> Result<FleetStatus, CallError> {
        let answer = self.ask(self.operator, self.root.0, "status", encode_nothing());
        let bytes = answer.map_err(|reject| CallError::rejected("status", &reject))?;
        decode("status", &bytes)
    }

    /// How the warm pool stands.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn pool_status(&mut self) -> Result<PoolStatus, CallError> {
        let answer = self.ask(self.operator, self.root.0, "pool_status", encode_nothing());
        let bytes = answer.map_err(|reject| CallError::rejected("pool_status", &reject))?;
        decode("pool_status", &bytes)
    }

    /// What root says breaks its own invariants.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn root_violations(&mut self) -> Result<Vec<String>, CallError> {
        let answer = self.ask(self.operator, self.root.0, "violations", encode_nothing());
        let bytes = answer.map_err(|reject| CallError::rejected("violations", &reject))?;
        decode("violations", &bytes)
    }

    /// The whole registry, all pages.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn export(&mut self) -> Result<Vec<Registered>, CallError> {
        let mut canisters = Vec::new();
        let mut request = ExportRequest::default();
        loop {
            let page: ExportPage = self.query("export", &request)?;
            canisters.extend(page.canisters);
            request.after = page.next;
            if request.after.is_none() {
                return Ok(canisters);
            }
        }
    }

    /// Every row, all pages.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn rows(&mut self) -> Result<Vec<RowView>, CallError> {
        let mut rows = Vec::new();
        let mut request = CanistersRequest {
            limit: PAGE_MAX,
            ..CanistersRequest::default()
        };
        loop {
            let page: CanistersPage = self.query("canisters", &request)?;
            rows.extend(page.rows);
            request.after = page.next;
            if request.after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Every worker of a pool that takes new work, all pages; rows of the first page's answer say
    /// how long it may be used.
    ///
    /// # Errors
    /// Rejected, refused, or the answer cannot be read.
    pub fn workers(&mut self, pool: &str) -> Result<WorkersPage, CallError> {
        let mut request = WorkersRequest {
            pool: pool.to_owned(),
            ..WorkersRequest::default()
        };
        let mut whole: Option<WorkersPage> = None;
        loop {
            let answer: Answer<WorkersPage> = self.query("workers", &request)?;
            let page = accept("workers", answer)?;
            request.after = page.next;
            match &mut whole {
                None => whole = Some(page),
                Some(whole) => whole.workers.extend(page.workers),
            }
            if request.after.is_none() {
                return Ok(whole.expect("bug: a page was read"));
            }
        }
    }

    /// The dry run of a pool.
    ///
    /// # Errors
    /// Rejected, refused, or the answer cannot be read.
    pub fn plan(&mut self, pool: &str) -> Result<PlanView, CallError> {
        let answer: Answer<PlanView> = self.query("plan", &pool)?;
        accept("plan", answer)
    }

    /// Why a pool is what it is, with its first page of members.
    ///
    /// # Errors
    /// Rejected, refused, or the answer cannot be read.
    pub fn why(&mut self, pool: &str) -> Result<WhyView, CallError> {
        let request = WhyRequest {
            pool: pool.to_owned(),
            ..WhyRequest::default()
        };
        let answer: Answer<WhyView> = self.query("why", &request)?;
        accept("why", answer)
    }

    /// What is kept of a pool's decisions, newest first, all pages.
    ///
    /// # Errors
    /// Rejected, refused, or the answer cannot be read.
    pub fn decisions(&mut self, pool: &str) -> Result<Vec<DecisionView>, CallError> {
        let mut decisions = Vec::new();
        let mut request = DecisionsRequest {
            pool: pool.to_owned(),
            ..DecisionsRequest::default()
        };
        loop {
            let answer: Answer<DecisionsPage> = self.query("decisions", &request)?;
            let page = accept("decisions", answer)?;
            decisions.extend(page.decisions);
            request.from = page.next;
            if request.from.is_none() {
                return Ok(decisions);
            }
        }
    }

    /// What operations on worker pools came to: the first page.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn metrics(&mut self) -> Result<MetricsPage, CallError> {
        self.query("metrics", &MetricsRequest::default())
    }

    /// A plan made again from recorded views.
    ///
    /// # Errors
    /// Rejected, refused, or the answer cannot be read.
    pub fn replay(&mut self, views: &ReplayRequest) -> Result<ReplayAnswer, CallError> {
        let answer: Answer<ReplayAnswer> = self.query("replay", views)?;
        accept("replay", answer)
    }

    /// Every effect in the journal, all pages.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn effects(&mut self) -> Result<Vec<EffectView>, CallError> {
        let mut effects: Vec<EffectView> = Vec::new();
        loop {
            let after = effects.last().map(|effect| effect.id);
            let page: Vec<EffectView> = self.query(
                "effects",
                &EffectsRequest {
                    after,
                    limit: PAGE_MAX,
                },
            )?;
            let count = page.len();
            effects.extend(page);
            if count < PAGE_MAX as usize {
                return Ok(effects);
            }
        }
    }

    /// Every event with a number above `after`, all pages.
    ///
    /// # Errors
    /// Rejected, or the answer cannot be read.
    pub fn events(&mut self, after: u64) -> Result<Vec<EventView>, CallError> {
        let mut events: Vec<EventView> = Vec::new();
        loop {
            let after = events.last().map_or(after, |event| event.number);
            let page: EventsPage = self.query(
                "events",
                &EventsRequest {
                    after,
                    limit: PAGE_MAX,
                    ..EventsRequest::default()
                },
            )?;
            let is_last = page
                .events
                .last()
                .is_none_or(|event| event.number >= page.newest);
            events.extend(page.events);
            if is_last {
                return Ok(events);
            }
        }
    }
}

fn encode_nothing() -> Vec<u8> {
    candid::encode_args(()).expect("bug: nothing encodes")
}

fn accept<T>(method: &str, answer: Answer<T>) -> Result<T, CallError> {
    answer.map_err(|refused| CallError::Refused {
        method: method.to_owned(),
        refused,
    })
}
