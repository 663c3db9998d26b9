//! What each method of `root.did` does: one input or one look at the state.
//!
//! Owns the way from a request to an input and from a reply to an answer. Guards and bytes are
//! `entry`'s, shapes `view`'s, and every decision is `hatchery-core`'s.

use super::{count_refused, feed, now, tick, view, warm_pool, with_state};
use crate::call;
use hatchery_api::{
    Answer, CanistersPage, CanistersRequest, Command, CommandAnswer, CommandRequest, CommitModule,
    EffectView, EffectsRequest, EventsPage, EventsRequest, ExportPage, ExportRequest, FleetStatus,
    PlanView, PoolListPage, PoolListRequest, PoolStatus, ReasonView, Recover, Refused, Report,
    ReportAnswer, StageChunk, WorkersPage, WorkersRequest, check_spec,
};
use hatchery_core as core;
use hatchery_core::{CommandInput, Input, Reply, check, plan_pool};
use hatchery_types::{CanisterId, FleetSpec, Generation, Nanos, Principal, Reason};

/// A signal brings the next tick this near: many reports make one plan.
pub(super) const SIGNAL_GAP: Nanos = Nanos::from_secs(1);

/// Checks a spec and applies it; the new generation.
pub(crate) fn apply_spec(spec: FleetSpec) -> Answer<Generation> {
    let generation = apply(spec)?;
    tick::keep_watch();
    tick::ask();
    Ok(generation)
}

/// Applies a spec without asking for a tick, which `init` may not.
pub(crate) fn apply(spec: FleetSpec) -> Answer<Generation> {
    if let Err(errors) = check_spec(&spec) {
        let line = |it: &hatchery_api::SpecError| format!("{it} ({})", it.hint);
        let lines: Vec<String> = errors.iter().map(line).collect();
        count_refused(core::Operation::BootstrapConfig, &Reason::BadSpec);
        return Err(refused(&Reason::BadSpec, lines.join("\n")));
    }
    let unpayable = with_state(|state| core::unpayable(state, &tick::vitals(), &spec));
    if let Some((reason, detail)) = unpayable {
        count_refused(core::Operation::BootstrapConfig, &reason);
        return Err(refused(&reason, detail));
    }
    applied(act(&Input::Apply(Box::new(spec))))
}

/// Takes a piece of a module; the spec's generation.
pub(crate) fn stage_chunk(
    StageChunk {
        module,
        index,
        bytes,
    }: StageChunk,
) -> Answer<Generation> {
    applied(act(&Input::StageChunk {
        module,
        index,
        bytes,
    }))
}

/// Closes a module; the spec's generation.
pub(crate) fn commit_module(CommitModule { module, chunks }: CommitModule) -> Answer<Generation> {
    let generation = applied(act(&Input::CommitModule { module, chunks }))?;
    tick::ask();
    Ok(generation)
}

/// Carries out an operator's command, once per operation id.
pub(crate) fn command(caller: Principal, request: CommandRequest) -> Answer<CommandAnswer> {
    let CommandRequest { operation, command } = request;
    let input = CommandInput {
        caller,
        operation,
        command: from_wire(command),
    };
    let reply = act(&Input::Command(input));
    if let Reply::Refused(reason, _) = &reply {
        count_refused(core::Operation::Command, reason);
    }
    commanded(reply)
}

/// The answer to an operation that was taken, or why it was not.
pub(super) fn commanded(reply: Reply) -> Answer<CommandAnswer> {
    match reply {
        Reply::Command(done) => {
            tick::ask();
            view::command_answer(done).map_err(|reason| refused(&reason, String::new()))
        }
        Reply::Refused(reason, detail) => Err(refused(&reason, detail)),
        _ => panic!("bug: a command is not answered as one"),
    }
}

fn from_wire(command: Command) -> core::Command {
    match command {
        Command::CreateEmpty => core::Command::CreateEmpty,
        Command::ImportImmediate { canister } => core::Command::ImportImmediate(canister),
        Command::ImportQueued { canisters } => core::Command::ImportQueued(canisters),
        Command::Recycle { canister } => core::Command::Recycle(canister),
        Command::RequeueFailed { canisters } => core::Command::RequeueFailed(canisters),
        Command::Export { canister, to } => core::Command::Export(canister, to),
        Command::Delete { canister } => core::Command::Delete(canister),
        Command::Forget { canister } => core::Command::Forget(canister),
        Command::DrainSurplus => core::Command::DrainSurplus,
        Command::Pause { direction } => core::Command::Pause(direction),
        Command::Resume { direction } => core::Command::Resume(direction),
        Command::Recover(how) => core::Command::Recover(match how {
            Recover::Canisters { canisters } => core::Recover::Canisters(canisters),
            Recover::Range { first, ids } => core::Recover::Range { first, ids },
            Recover::Done => core::Recover::Done,
        }),
    }
}

/// Takes a member's load and tells it whether to take new work.
pub(crate) fn report(caller: Principal, report: Report) -> ReportAnswer {
    let Report {
        generation,
        signal,
        value,
    } = report;
    let member = CanisterId(caller);
    match heard(&Input::Report {
        member,
        generation,
        signal,
        value,
    }) {
        Reply::Reported { accepting, refused } => ReportAnswer {
            accepting,
            refused: refused.as_ref().map(ReasonView::from),
        },
        _ => panic!("bug: a report is not answered as one"),
    }
}

/// Counters of the fleet.
pub(crate) fn status() -> FleetStatus {
    with_state(|state| view::fleet_status(state, now(), tick::vitals(), tick::armed_at()))
}

/// One page of rows.
pub(crate) fn canisters(request: &CanistersRequest) -> CanistersPage {
    with_state(|state| view::canisters(state, request))
}

/// Counters of the warm pool.
pub(crate) fn pool_status() -> PoolStatus {
    with_state(|state| warm_pool::status(state, now(), tick::vitals(), tick::armed_at()))
}

/// One page of the warm pool.
pub(crate) fn pool_list(request: &PoolListRequest) -> PoolListPage {
    with_state(|state| warm_pool::list(state, request))
}

/// One page of workers that take new work.
pub(crate) fn workers(request: &WorkersRequest) -> Answer<WorkersPage> {
    with_state(|state| view::workers(state, request)).ok_or_else(|| no_pool(&request.pool))
}

/// What the next tick would do with a pool.
pub(crate) fn plan(pool: &str) -> Answer<PlanView> {
    let plan = with_state(|state| plan_pool(state, now(), &tick::vitals(), pool));
    plan.map(view::plan).ok_or_else(|| no_pool(pool))
}

/// One page of events.
pub(crate) fn events(request: &EventsRequest) -> EventsPage {
    with_state(|state| view::events(state, request))
}

/// One page of the journal.
pub(crate) fn effects(request: &EffectsRequest) -> Vec<EffectView> {
    with_state(|state| view::effects(state, request))
}

/// One page of the registry.
pub(crate) fn export(request: &ExportRequest) -> ExportPage {
    with_state(|state| view::export(state, call::myself(), request))
}

/// The spec as it was applied.
pub(crate) fn spec() -> Option<FleetSpec> {
    with_state(|state| state.spec().cloned())
}

/// What is wrong with the state; nothing ever should be.
pub(crate) fn violations() -> Vec<String> {
    let violations = with_state(check);
    violations
        .iter()
        .take(view::PAGE)
        .map(ToString::to_string)
        .collect()
}

/// Feeds an input and returns what the requester hears.
/// Decides and applies what was reported; a tick follows only if it may change a plan.
pub(super) fn heard(input: &Input) -> Reply {
    let decision = feed(input);
    if decision.more {
        tick::arm(now() + SIGNAL_GAP);
    }
    decision.reply
}

pub(super) fn act(input: &Input) -> Reply {
    let decision = feed(input);
    assert!(
        decision.effects.is_empty(),
        "bug: effects outside of a tick"
    );
    decision.reply
}

fn applied(reply: Reply) -> Answer<Generation> {
    match reply {
        Reply::Applied(generation) => Ok(generation),
        Reply::Refused(reason, detail) => Err(refused(&reason, detail)),
        _ => panic!("bug: a spec or a module is not answered as one"),
    }
}

pub(super) fn refused(reason: &Reason, detail: String) -> Refused {
    Refused {
        reason: ReasonView::from(reason),
        detail,
    }
}

pub(super) fn no_pool(name: &str) -> Refused {
    refused(
        &Reason::UnknownPool,
        format!("no pool `{name}` in the applied spec"),
    )
}

/// The functions that the platform calls.
pub(crate) mod entries {
    use super::super::{entry::serve, http, method, tick};
    use super::call::caller;

    /// Update `apply_spec`.
    pub fn apply_spec() {
        serve(&method::APPLY_SPEC, |(spec,)| super::apply_spec(spec));
    }

    /// Update `stage_chunk`.
    pub fn stage_chunk() {
        serve(&method::STAGE_CHUNK, |(chunk,)| super::stage_chunk(chunk));
    }

    /// Update `commit_module`.
    pub fn commit_module() {
        serve(&method::COMMIT_MODULE, |(module,)| {
            super::commit_module(module)
        });
    }

    /// Update `command`.
    pub fn command() {
        serve(&method::COMMAND, |(request,)| {
            super::command(caller(), request)
        });
    }

    /// Update `report`.
    pub fn report() {
        serve(&method::REPORT, |(report,)| super::report(caller(), report));
    }

    /// Update `hatchery_tick`, which takes no bytes and answers none.
    pub fn hatchery_tick() {
        match method::TICK.admit(method::Caller::of_message()) {
            Ok(()) => {
                tick::tick();
                super::call::reply(&[]);
                super::super::count_served(method::TICK.name);
            }
            Err(text) => super::call::reject(text),
        }
    }

    /// Query `status`.
    pub fn status() {
        serve(&method::STATUS, |()| super::status());
    }

    /// Query `canisters`.
    pub fn canisters() {
        serve(&method::CANISTERS, |(request,)| super::canisters(&request));
    }

    /// Query `pool_status`.
    pub fn pool_status() {
        serve(&method::POOL_STATUS, |()| super::pool_status());
    }

    /// Query `pool_list`.
    pub fn pool_list() {
        serve(&method::POOL_LIST, |(request,)| super::pool_list(&request));
    }

    /// Query `workers`.
    pub fn workers() {
        serve(&method::WORKERS, |(request,)| super::workers(&request));
    }

    /// Query `plan`.
    pub fn plan() {
        serve(&method::PLAN, |(pool,): (String,)| super::plan(&pool));
    }

    /// Query `events`.
    pub fn events() {
        serve(&method::EVENTS, |(request,)| super::events(&request));
    }

    /// Query `effects`.
    pub fn effects() {
        serve(&method::EFFECTS, |(request,)| super::effects(&request));
    }

    /// Query `export`.
    pub fn export() {
        serve(&method::EXPORT, |(request,)| super::export(&request));
    }

    /// Query `http_request`.
    pub fn http_request() {
        serve(&method::HTTP_REQUEST, |(request,)| http::answer(&request));
    }

    /// Query `spec`.
    pub fn spec() {
        serve(&method::SPEC, |()| super::spec());
    }

    /// Query `violations`.
    pub fn violations() {
        serve(&method::VIOLATIONS, |()| super::violations());
    }
}

#[cfg(test)]
mod tests {
    use super::super::method::{self, Group};
    use super::super::{explain, hub};
    use candid::CandidType;
    use candid::types::internal::TypeContainer;
    use candid::types::{Field, FuncMode, Function, Type, TypeInner};
    use candid_parser::utils::{CandidSource, service_equal};
    use hatchery_types::Wire;
    use hatchery_types::wire::{self, Shape};

    const NOBODY: candid::Principal = candid::Principal::anonymous();

    /// The service that the endpoints make.
    #[derive(Default)]
    struct Service {
        types: TypeContainer,
        methods: Vec<(String, Type)>,
    }

    impl Service {
        fn add(&mut self, name: &str, modes: Vec<FuncMode>, args: Vec<Type>, ret: Type) {
            let function = Function {
                modes,
                args,
                rets: vec![ret],
            };
            self.methods
                .push((name.to_owned(), TypeInner::Func(function).into()));
        }

        /// The type of a shape, which its table on the wire must show too.
        fn type_of<T: CandidType + Wire>(&mut self) -> Type {
            assert!(
                shows(T::SHAPE, &T::ty()),
                "{:?} is not {}",
                T::SHAPE,
                T::ty()
            );
            self.types.add::<T>()
        }

        /// An update with one argument.
        fn update<A, R>(&mut self, name: &str, _: fn(A) -> R)
        where
            A: CandidType + Wire,
            R: CandidType + Wire,
        {
            let (arg, ret) = (self.type_of::<A>(), self.type_of::<R>());
            self.add(name, vec![], vec![arg], ret);
        }

        /// A query with one argument.
        fn query<A, R>(&mut self, name: &str, _: fn(&A) -> R)
        where
            A: CandidType + Wire,
            R: CandidType + Wire,
        {
            let (arg, ret) = (self.type_of::<A>(), self.type_of::<R>());
            self.add(name, vec![FuncMode::Query], vec![arg], ret);
        }

        /// A query without arguments.
        fn look<R: CandidType + Wire>(&mut self, name: &str, _: fn() -> R) {
            let ret = self.type_of::<R>();
            self.add(name, vec![FuncMode::Query], vec![], ret);
        }
    }

    /// Whether a table and a type say the same.
    fn shows(shape: &Shape, ty: &Type) -> bool {
        let same_fields = |ours: &[wire::Field], theirs: &[Field]| {
            let mut pairs = ours.iter().zip(theirs);
            let same = |ours: &wire::Field, theirs: &Field| {
                ours.id == theirs.id.get_id() && shows(ours.shape, &theirs.ty)
            };
            ours.len() == theirs.len() && pairs.all(|(ours, theirs)| same(ours, theirs))
        };
        match (shape, ty.as_ref()) {
            (Shape::Null, TypeInner::Null)
            | (Shape::Bool, TypeInner::Bool)
            | (Shape::Nat, TypeInner::Nat)
            | (Shape::Nat8, TypeInner::Nat8)
            | (Shape::Nat16, TypeInner::Nat16)
            | (Shape::Nat32, TypeInner::Nat32)
            | (Shape::Nat64, TypeInner::Nat64)
            | (Shape::Text, TypeInner::Text)
            | (Shape::Principal, TypeInner::Principal) => true,
            (Shape::Blob(_), TypeInner::Vec(ty)) => matches!(ty.as_ref(), TypeInner::Nat8),
            (Shape::Opt(shape), TypeInner::Opt(ty)) | (Shape::Vec(shape), TypeInner::Vec(ty)) => {
                shows(shape, ty)
            }
            (Shape::Record(ours), TypeInner::Record(theirs))
            | (Shape::Variant(ours), TypeInner::Variant(theirs)) => same_fields(ours, theirs),
            _ => false,
        }
    }

    /// Every method of `method::ALL` but the tick, which is nobody's but root's.
    fn service() -> Service {
        let mut it = Service::default();
        it.update(method::APPLY_SPEC.name, super::apply_spec);
        it.update(method::STAGE_CHUNK.name, super::stage_chunk);
        it.update(method::COMMIT_MODULE.name, super::commit_module);
        it.update(method::COMMAND.name, |request| {
            super::command(NOBODY, request)
        });
        it.update(method::REPORT.name, |report| super::report(NOBODY, report));
        it.update(method::REPORT_POOL.name, |report| {
            hub::report_pool(NOBODY, report)
        });
        it.update(method::PROTECT.name, |request| {
            hub::protect(NOBODY, &request)
        });
        it.update(method::LEASE.name, |request| hub::lease(NOBODY, request));
        it.update(method::RENEW.name, |request| hub::renew(NOBODY, request));
        it.update(method::RELEASE.name, |request| {
            hub::release(NOBODY, request)
        });
        it.update(method::CREATE_WORKER.name, |request| {
            hub::create_worker(NOBODY, request)
        });
        it.update(method::REQUEST.name, |request| {
            hub::request(NOBODY, request)
        });
        it.query(method::PLAN_CREATE_WORKER.name, |pool: &String| {
            hub::plan_create_worker(pool)
        });
        it.query(method::WHY.name, explain::why);
        it.query(method::DECISIONS.name, explain::decisions);
        it.query(method::REPLAY.name, explain::replay);
        it.query(method::METRICS.name, explain::metrics);
        it.look(method::STATUS.name, super::status);
        it.query(method::CANISTERS.name, super::canisters);
        it.look(method::POOL_STATUS.name, super::pool_status);
        it.query(method::POOL_LIST.name, super::pool_list);
        it.query(method::WORKERS.name, super::workers);
        it.query(method::PLAN.name, |pool: &String| super::plan(pool));
        it.query(method::EVENTS.name, super::events);
        it.query(method::EFFECTS.name, super::effects);
        it.query(method::EXPORT.name, super::export);
        it.query(method::HTTP_REQUEST.name, super::super::http::answer);
        it.look(method::SPEC.name, super::spec);
        it.look(method::VIOLATIONS.name, super::violations);
        it
    }

    #[test]
    fn root_did_is_what_the_endpoints_are() {
        let Service {
            mut types,
            mut methods,
        } = service();
        methods.sort();
        let init = types.add::<Option<hatchery_api::InitArg>>();
        let service: Type = TypeInner::Class(vec![init], TypeInner::Service(methods).into()).into();
        let code = candid::pretty::candid::compile(&types.env, &Some(service));
        let did = CandidSource::Text(hatchery_api::ROOT_DID);
        let result = service_equal(CandidSource::Text(&code), did);
        assert!(result.is_ok(), "{result:?}\nthe code says:\n{code}");
    }

    #[test]
    fn root_did_names_every_method_but_the_tick() {
        let mut named: Vec<String> = service()
            .methods
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let public = method::ALL
            .iter()
            .filter(|method| method.group != Group::Own);
        let mut all: Vec<String> = public.map(|method| method.name.to_owned()).collect();
        named.sort();
        all.sort();
        assert_eq!(named, all);
    }
}
