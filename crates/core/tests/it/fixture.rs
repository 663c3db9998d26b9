//! A root without a platform: the test answers its effects by hand, and reads what it did as text.

use hatchery_core::{
    Answer, Command, CommandInput, Counted, Decision, Event, Input, Memories, Reply, Row, State,
    Vitals, check, decide,
};
use hatchery_types::{
    CanisterId, Creation, Cycles, DrainSpec, Effect, EffectKind, FleetSpec, Generation, Info,
    LanesSpec, ModuleHash, Nanos, Observation, OperationId, Outcome, PoolSpec, Principal,
    REJECT_DESTINATION_INVALID, Refusal, RoleSpec, RunState, ScaleSpec, SignalSpec, Value,
    WarmPoolSpec,
};
use ic_stable_structures::{Memory, VectorMemory};
use sha2::{Digest, Sha256};
use std::fmt::Write;

pub(crate) const ROOT: Principal = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
pub(crate) const OPERATOR: Principal = Principal::from_slice(&[7, 2]);
pub(crate) const WASM: &[u8] = b"\0asm\x01\0\0\0";

pub(crate) struct Root {
    pub(crate) state: State<VectorMemory>,
    memories: Vec<VectorMemory>,
    pub(crate) now: Nanos,
    pub(crate) vitals: Vitals,
    pub(crate) open: Vec<Effect>,
    pub(crate) told: String,
    /// Too large to look at the whole of it after each input.
    pub(crate) large: bool,
}

impl Root {
    /// Fresh memory that is known to be whole, no spec.
    pub(crate) fn bare() -> Root {
        let mut root = Root::newborn();
        root.see_itself();
        root
    }

    /// Fresh memory, and nothing is known yet.
    pub(crate) fn newborn() -> Root {
        let memories = (0..Memories::<VectorMemory>::COUNT).map(|_| VectorMemory::default());
        let mut root = Root::on(memories.collect(), Nanos::from_secs(1_000));
        root.feed(&Input::Started {
            root: CanisterId(ROOT),
        });
        root
    }

    /// Root sees in its own history that its memory is whole.
    pub(crate) fn see_itself(&mut self) {
        self.tick();
        let looks = self.take(|kind| matches!(kind, EffectKind::Info { .. }));
        self.answer(&looks[0], &[told(info(1))]);
        self.story();
    }

    fn on(memories: Vec<VectorMemory>, now: Nanos) -> Root {
        let state = State::open(Memories::new(|n| memories[usize::from(n)].clone()));
        Root {
            state: state.expect("our own layout opens"),
            memories,
            now,
            vitals: Vitals {
                liquid: Cycles(1_000 * Cycles::T),
                stopping: false,
            },
            open: Vec::new(),
            told: String::new(),
            large: false,
        }
    }

    /// A root upgraded to this code at `now`, with memories of an earlier one; the calls it had
    /// under way are answered to nobody.
    pub(crate) fn resume<M: Memory>(now: Nanos, parts: impl Fn(u8) -> M) -> Root {
        let copy = |number| {
            let (part, memory) = (parts(number), VectorMemory::default());
            memory.grow(part.size());
            let mut bytes = vec![0; memory.borrow().len()];
            part.read(0, &mut bytes);
            memory.write(0, &bytes);
            memory
        };
        let memories = (0..Memories::<VectorMemory>::COUNT).map(copy).collect();
        let mut root = Root::on(memories, now);
        root.feed(&Input::Started {
            root: CanisterId(ROOT),
        });
        root
    }

    /// Stable memory, part by part.
    pub(crate) fn memories(&self) -> &[VectorMemory] {
        &self.memories
    }

    /// With the spec applied and its module in the chunk store.
    pub(crate) fn with(spec: FleetSpec) -> Root {
        let mut root = Root::bare();
        root.feed(&Input::Apply(Box::new(spec)));
        root.feed(&Input::StageChunk {
            module: module(),
            index: 0,
            bytes: WASM.to_vec(),
        });
        root.feed(&Input::CommitModule {
            module: module(),
            chunks: 1,
        });
        root.tick();
        let store = root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }));
        root.answer(&store[0], &[Outcome::Done(Value::Nothing)]);
        root
    }

    /// A new root on the same stable memory.
    pub(crate) fn upgrade(&mut self) {
        let memories = self.memories.clone();
        let state = State::open(Memories::new(|n| memories[usize::from(n)].clone()));
        self.state = state.expect("our own layout opens");
        self.feed(&Input::Started {
            root: CanisterId(ROOT),
        });
    }

    /// Decides and applies one input; every state on the way satisfies the invariants.
    pub(crate) fn feed(&mut self, input: &Input) -> Decision {
        let decision = decide(&self.state, self.now, input);
        for event in decision.events.clone() {
            self.tell(&event);
            self.state.apply(self.now, event);
        }
        self.open.extend(decision.effects.iter().cloned());
        if !self.large {
            assert_eq!(check(&self.state), Vec::new(), "after {input:?}");
        }
        decision
    }

    /// Ticks until nothing is left to do.
    pub(crate) fn tick(&mut self) {
        for _ in 0..10_000 {
            let more = self.feed(&Input::Tick(self.vitals)).more;
            if !more {
                return;
            }
        }
        panic!("the tick never ends");
    }

    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = self.now + Nanos::from_secs(seconds);
        self.tick();
    }

    /// That many seconds on a healthy platform.
    pub(crate) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.later(1);
            self.settle();
        }
    }

    /// Effects in flight of a kind, taken off the list.
    pub(crate) fn take(&mut self, kind: impl Fn(&EffectKind) -> bool) -> Vec<Effect> {
        let (taken, left) = self.open.drain(..).partition(|effect| kind(&effect.kind));
        self.open = left;
        taken
    }

    pub(crate) fn answer(&mut self, effect: &Effect, outcomes: &[Outcome]) {
        for (step, outcome) in outcomes.iter().enumerate() {
            let outcome = outcome.clone();
            self.feed(&Input::Outcome {
                effect: effect.id,
                step: step as u8,
                outcome,
            });
        }
        self.tick();
    }

    /// Answers everything in flight as a healthy platform would, until nothing is in flight.
    pub(crate) fn settle(&mut self) {
        self.settle_all_but(|_| false);
    }

    /// The same, but effects of some kind stay in flight.
    pub(crate) fn settle_all_but(&mut self, stays: impl Fn(&EffectKind) -> bool) {
        let mut next_id = 10 + self.state.rows_len() as u8;
        loop {
            let due = self.take(|kind| !stays(kind));
            if due.is_empty() {
                return;
            }
            for effect in due {
                let outcomes = healthy(&effect, &mut next_id, &self.state);
                self.answer(&effect, &outcomes);
            }
        }
    }

    pub(crate) fn report(&mut self, member: CanisterId, value: u64) -> Reply {
        let generation = self
            .state
            .row(member)
            .map_or(Generation(0), |row| row.generation);
        let signal = "depth".to_owned();
        let reply = self
            .feed(&Input::Report {
                member,
                generation,
                signal,
                value,
            })
            .reply;
        self.tick();
        reply
    }

    /// What happened since the last call, one line an event.
    pub(crate) fn story(&mut self) -> String {
        std::mem::take(&mut self.told)
    }

    /// The row moves, or gives another reason.
    fn is_news(&self, row: &Row) -> bool {
        let before = self.state.row(row.canister);
        before.is_none_or(|before| (before.phase, before.reason) != (row.phase, row.reason.clone()))
    }

    fn tell(&mut self, event: &Event) {
        let seconds = self.now.as_secs() - 1_000;
        let line = match event {
            Event::RowChanged(row) if self.is_news(row) => {
                format!("{} {} ({})", name(row.canister), row.phase, row.reason)
            }
            Event::RowRemoved(canister, reason) => format!("{} gone ({reason})", name(*canister)),
            Event::EffectStarted(effect) => {
                let canister = effect.canister.map_or("-".to_owned(), name);
                format!("{canister} ! {}", effect.kind)
            }
            Event::PoolPlanned {
                record: Some(record),
                ..
            } => {
                let reasons: Vec<&str> = record
                    .reasons
                    .iter()
                    .map(hatchery_types::Reason::name)
                    .collect();
                format!(
                    "pool {} wants {}: {}",
                    record.name,
                    record.desired,
                    reasons.join(", ")
                )
            }
            _ => return,
        };
        writeln!(self.told, "t{seconds} {line}").expect("a String takes text");
    }
}

/// What came of a list of canisters.
pub(crate) fn counted(reply: &Reply) -> Counted {
    match reply {
        Reply::Command(Answer::Counted(counted)) => counted.clone(),
        other => panic!("not counted: {other:?}"),
    }
}

/// The last byte of a test id that says something.
pub(crate) fn name(canister: CanisterId) -> String {
    format!("c{}", canister.0.as_slice()[7])
}

pub(crate) fn canister(number: u8) -> CanisterId {
    CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, number, 1, 1]))
}

pub(crate) fn module() -> ModuleHash {
    ModuleHash(Sha256::digest(WASM).into())
}

pub(crate) fn refused(code: u8) -> Outcome {
    Outcome::Refused(Refusal::new(code, "no"))
}

pub(crate) fn empty() -> Observation {
    Observation {
        run_state: RunState::Running,
        module: None,
        controllers: vec![ROOT],
        cycles: Cycles(4 * Cycles::T),
        memory_bytes: 0,
        settings_clean: Some(true),
        snapshot_bytes: Some(0),
        queries: None,
        tenancy: None,
    }
}

pub(crate) fn saw(observation: Observation) -> Outcome {
    Outcome::Done(Value::Observed(Box::new(observation)))
}

/// The history of a canister that root created at the beginning, with so many deployments.
pub(crate) fn info(deployments: u32) -> Info {
    let (by, at) = (CanisterId(ROOT), Nanos::from_secs(1_000));
    Info {
        controllers: vec![ROOT],
        module: None,
        creation: Some(Creation { by, at }),
        deployments,
        whole: true,
    }
}

pub(crate) fn told(info: Info) -> Outcome {
    Outcome::Done(Value::Told(Box::new(info)))
}

/// What `canister_info` says.
pub(crate) fn seen_by_anybody(controllers: Vec<Principal>) -> Outcome {
    told(Info {
        controllers,
        ..info(0)
    })
}

/// What `canister_status` says of a canister that is as its row says.
fn looked(effect: &Effect, state: &State<VectorMemory>) -> Outcome {
    let row = effect.canister.and_then(|canister| state.row(canister));
    let module = row
        .filter(|row| row.phase.is_member())
        .and_then(|row| row.module);
    saw(Observation { module, ..empty() })
}

/// A snapshot taken at that time.
pub(crate) fn saved(at: Nanos) -> Outcome {
    Outcome::Done(Value::Saved(vec![(b"snapshot".to_vec(), at)]))
}

fn healthy(effect: &Effect, next_id: &mut u8, state: &State<VectorMemory>) -> Vec<Outcome> {
    let done = Outcome::Done(Value::Nothing);
    match &effect.kind {
        EffectKind::Create { .. } => {
            *next_id += 1;
            vec![Outcome::Done(Value::Created(canister(*next_id)))]
        }
        EffectKind::Observe => vec![looked(effect, state)],
        EffectKind::Reset { .. } => {
            let mut outcomes = vec![done; effect.outcomes.len() - 1];
            outcomes.push(saw(empty()));
            outcomes
        }
        EffectKind::Drain => vec![Outcome::Done(Value::Drained(true))],
        EffectKind::Pull { .. } => vec![Outcome::Done(Value::Measured(Some(4)))],
        EffectKind::Info { canister } if *canister == CanisterId(ROOT) => vec![told(info(1))],
        EffectKind::Info { .. } if effect.canister.is_some() => vec![seen_by_anybody(vec![ROOT])],
        EffectKind::Info { .. } => vec![refused(REJECT_DESTINATION_INVALID)],
        EffectKind::Mend { .. } => vec![done.clone(), done, looked(effect, state)],
        EffectKind::Upgrade { module } => {
            let module = Some(*module);
            let seen = saw(Observation { module, ..empty() });
            vec![done.clone(), done, seen]
        }
        EffectKind::Return { .. } => {
            let mut outcomes = vec![done; effect.outcomes.len() - 1];
            outcomes.push(looked(effect, state));
            outcomes
        }
        EffectKind::Save => vec![saved(effect.started_at)],
        EffectKind::CheckStore => vec![Outcome::Done(Value::Chunks(Vec::new()))],
        _ => vec![done; effect.outcomes.len()],
    }
}

/// A fleet of one pool with short waits.
pub(crate) fn spec(minimum: u32, min: u32, max: u32) -> FleetSpec {
    FleetSpec {
        visibility: None,
        name: "test".to_owned(),
        controllers: Vec::new(),
        reserve: Cycles(10 * Cycles::T),
        lanes: LanesSpec {
            create: 10,
            reset: 50,
            install: 4,
        },
        warm_pool: WarmPoolSpec {
            sweep_above: None,
            ..WarmPoolSpec::new(minimum, 100)
        },
        roles: vec![RoleSpec {
            drain: DrainSpec {
                method: Some("hatchery_drain".to_owned()),
                deadline: Nanos::from_secs(60),
            },
            ..RoleSpec::new("worker", module())
        }],
        pools: vec![pool(min, max)],
        top_up: None,
        grants: Vec::new(),
    }
}

/// A pool that follows a depth of 4 a worker.
pub(crate) fn pool(min: u32, max: u32) -> PoolSpec {
    PoolSpec {
        signals: vec![SignalSpec {
            stale_after: Nanos::from_secs(60),
            warm_up: Nanos(0),
            ..SignalSpec::new("depth", 4)
        }],
        scale_down: ScaleSpec {
            window: Nanos::from_secs(30),
            ..ScaleSpec::UP
        },
        valid_for: Nanos::from_secs(10),
        ..PoolSpec::new("workers", "worker", min, max)
    }
}

impl Root {
    pub(crate) fn command(&mut self, operation: &str, command: Command) -> Reply {
        let input = CommandInput {
            caller: OPERATOR,
            operation: OperationId(operation.to_owned()),
            command,
        };
        let reply = self.feed(&Input::Command(input)).reply;
        self.tick();
        reply
    }

    pub(crate) fn import(&mut self, canister: CanisterId) {
        let operation = format!("import {canister} {}", self.now.0);
        self.command(&operation, Command::ImportQueued(vec![canister]));
    }

    pub(crate) fn recycle(&mut self, canister: CanisterId) {
        let operation = format!("recycle {canister} {}", self.now.0);
        self.command(&operation, Command::Recycle(canister));
    }

    /// Answers what is in flight until an effect of that kind is.
    pub(crate) fn settle_until(&mut self, kind: impl Fn(&EffectKind) -> bool) {
        let mut next_id = 10 + self.state.rows_len() as u8;
        for _ in 0..1_000 {
            if self.open.iter().any(|effect| kind(&effect.kind)) {
                return;
            }
            let effect = self.open.remove(0);
            let outcomes = healthy(&effect, &mut next_id, &self.state);
            self.answer(&effect, &outcomes);
        }
        panic!("no such effect");
    }
}

impl Root {
    /// Ticks until a pool is planned; false if something else took its place.
    pub(crate) fn first_plan(&mut self) -> bool {
        for _ in 0..1_000 {
            let decision = self.feed(&Input::Tick(self.vitals));
            let planned = |event: &Event| matches!(event, Event::PoolPlanned { .. });
            if decision.events.iter().any(planned) {
                return true;
            }
            if !decision.more {
                return false;
            }
        }
        false
    }

    /// Answers one effect as a healthy platform would, and does not tick.
    pub(crate) fn settle_one(&mut self) {
        let mut next_id = 10 + self.state.rows_len() as u8;
        let effect = self.open.remove(0);
        let outcomes = healthy(&effect, &mut next_id, &self.state);
        for (step, outcome) in outcomes.into_iter().enumerate() {
            self.feed(&Input::Outcome {
                effect: effect.id,
                step: step as u8,
                outcome,
            });
        }
    }

    /// Answers everything in flight but installs.
    pub(crate) fn settle_but_installs(&mut self) {
        self.settle_but(|kind| matches!(kind, EffectKind::Install { .. }));
    }

    /// Answers everything in flight but effects of a kind.
    pub(crate) fn settle_but(&mut self, kind: impl Fn(&EffectKind) -> bool) {
        let mut next_id = 10 + self.state.rows_len() as u8;
        loop {
            let found = self.open.iter().position(|effect| !kind(&effect.kind));
            let Some(position) = found else { return };
            let effect = self.open.remove(position);
            let outcomes = healthy(&effect, &mut next_id, &self.state);
            self.answer(&effect, &outcomes);
        }
    }
}
