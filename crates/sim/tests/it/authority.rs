//! Who may call what: every method of the real root, called as every kind of caller. The page of
//! the book about it is what came out.

use crate::wasm;
use candid::{Encode, Principal, Reserved};
use expect_test::expect_file;
use hatchery_api::{
    Answer, Ask, CanistersRequest, Command, CommandRequest, CommitModule, CreateWorkerRequest,
    DecisionsRequest, EffectsRequest, EventsRequest, ExportRequest, HttpRequest, LeaseRequest,
    MemberRequest, MetricsRequest, PoolListRequest, PoolReport, Protect, ROOT_DID, ReleaseRequest,
    RenewRequest, Report, ReportAnswer, StageChunk, WhyRequest, WorkersRequest,
};
use hatchery_engine::trace::Event;
use hatchery_engine::{ErrorCode, InstallMode};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::{FleetWorld, relay, stranger};
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Generation, GrantSpec, LeaseSpec, ModuleHash, Nanos,
    OperationId, ParentSpec, Phase, PoolSpec, Reason, RoleSpec, SignalSpec,
};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const SECOND: u64 = 1_000_000_000;
/// A module that does nothing, to be staged and committed.
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A fleet with two hubs, each the parent of a pool of relays.
pub(crate) struct Stage {
    pub(crate) world: FleetWorld,
    pub(crate) spec: FleetSpec,
    /// Parents of the pools `workers` and `others`.
    pub(crate) hubs: [Principal; 2],
    /// Members of `workers`.
    pub(crate) members: Vec<Principal>,
    /// A member of `others`.
    pub(crate) other: Principal,
    /// A canister that is nobody's.
    pub(crate) stray: Principal,
}

/// The stage, with everybody at work.
pub(crate) fn stage() -> Stage {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let relay = relay::module();
    let [first, second, stray] = [(); 3].map(|()| outsider(&mut world, &relay));
    let module = world.upload_module(&relay).expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    spec.roles = vec![RoleSpec::new("relay", module)];
    spec.pools = [("workers", first), ("others", second)]
        .map(|(name, hub)| PoolSpec {
            parent: Some(ParentSpec::Canister(CanisterId(hub))),
            lease: Some(LeaseSpec::default()),
            signals: vec![SignalSpec {
                stale_after: Nanos::from_secs(86_400),
                ..SignalSpec::new("depth", 10)
            }],
            ..PoolSpec::new(name, "relay", 2, 6)
        })
        .to_vec();
    spec.grants = vec![GrantSpec {
        role: "relay".to_owned(),
        pool: "workers".to_owned(),
        each: 2,
        all: 3,
        depth: 4,
        under_root: false,
    }];
    world.apply(&spec).expect("the spec is good");
    world
        .stage_chunk(&chunk())
        .expect("the chunk is in its place");
    world.pass(90, SECOND);
    let rows = world.rows().expect("root answers");
    let at_work = |pool: &str| -> Vec<Principal> {
        let rows = rows
            .iter()
            .filter(|row| row.phase == Phase::InService && row.pool.as_deref() == Some(pool));
        rows.map(|row| row.canister.0).collect()
    };
    let (members, others) = (at_work("workers"), at_work("others"));
    assert_eq!((members.len(), others.len()), (2, 2));
    Stage {
        world,
        spec,
        hubs: [first, second],
        members,
        other: others[0],
        stray,
    }
}

fn outsider(world: &mut FleetWorld, module: &[u8]) -> Principal {
    let operator = world.operator;
    let canister = world.engine.create_canister(operator, 10 * Cycles::T);
    let arg = Encode!().expect("encodes");
    world
        .engine
        .install(operator, canister, module, arg, InstallMode::Install)
        .expect("it installs");
    canister
}

fn chunk() -> StageChunk {
    StageChunk {
        module: ModuleHash(Sha256::digest(EMPTY_MODULE).into()),
        index: 0,
        bytes: EMPTY_MODULE.to_vec(),
    }
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From outside of the subnet.
    User,
    /// A canister, by a relay.
    Canister,
    /// Root's own principal, as nobody but root can have it.
    Root,
}

struct Caller {
    title: &'static str,
    way: Way,
    id: Principal,
    /// Speaks of its own tenancy; else of one that is not its own.
    own: bool,
}

fn callers(stage: &Stage) -> Vec<Caller> {
    let caller = |title, way, id, own| Caller {
        title,
        way,
        id,
        own,
    };
    let [hub, other_hub] = stage.hubs;
    vec![
        caller("anonymous", Way::User, Principal::anonymous(), true),
        caller("stranger", Way::User, stranger(), true),
        caller("stranger canister", Way::Canister, stage.stray, true),
        caller("member for itself", Way::Canister, stage.members[0], true),
        caller("member for another", Way::Canister, stage.members[0], false),
        caller(
            "member of another parent",
            Way::Canister,
            stage.other,
            false,
        ),
        caller("hub of the pool", Way::Canister, hub, true),
        caller("hub of another pool", Way::Canister, other_hub, true),
        caller("operator", Way::User, stage.world.operator, true),
        caller("root", Way::Root, stage.world.root.0, true),
    ]
}

/// The argument that suits a method, in the name of a tenancy of the caller's or another's.
pub(crate) fn argument(stage: &mut Stage, method: &str, own: bool) -> Vec<u8> {
    let operation = OperationId("an operation".to_owned());
    let pool = || "workers".to_owned();
    let generation = Generation(if own { 1 } else { 7 });
    let canisters = vec![CanisterId(stage.members[1])];
    let encoded = match method {
        "apply_spec" => Encode!(&stage.spec),
        "stage_chunk" => Encode!(&chunk()),
        "commit_module" => Encode!(&CommitModule {
            module: chunk().module,
            chunks: 1
        }),
        "command" => Encode!(&CommandRequest {
            operation,
            command: Command::Pause { direction: None }
        }),
        "report" => Encode!(&Report {
            generation,
            signal: "depth".to_owned(),
            value: 1
        }),
        "protect" => Encode!(&Protect {
            generation,
            until: Nanos(0)
        }),
        "report_pool" => Encode!(&PoolReport {
            pool: pool(),
            totals: Vec::new(),
            members: Vec::new(),
            known: Generation(0)
        }),
        "lease" => Encode!(&LeaseRequest {
            operation,
            pool: pool(),
            count: 1,
            ttl: None,
            known: Generation(0)
        }),
        "renew" => Encode!(&RenewRequest {
            operation,
            pool: pool(),
            canisters,
            ttl: None
        }),
        "release" => Encode!(&ReleaseRequest {
            operation,
            pool: pool(),
            canisters
        }),
        "create_worker" => Encode!(&CreateWorkerRequest {
            operation,
            pool: pool(),
            init_arg: None
        }),
        "request" => Encode!(&MemberRequest {
            operation,
            generation,
            ask: Ask::Create {
                pool: pool(),
                parent: None,
                init_arg: None
            }
        }),
        "plan" | "plan_create_worker" => Encode!(&pool()),
        "why" => Encode!(&WhyRequest {
            pool: pool(),
            ..WhyRequest::default()
        }),
        "decisions" => Encode!(&DecisionsRequest {
            pool: pool(),
            ..DecisionsRequest::default()
        }),
        "replay" => {
            let decisions = stage.world.decisions("workers").expect("root answers");
            let whole = decisions.into_iter().find(|it| it.base == 0);
            Encode!(&vec![serde_bytes::ByteBuf::from(
                whole.expect("one is whole").view
            )])
        }
        "workers" => Encode!(&WorkersRequest {
            pool: pool(),
            ..WorkersRequest::default()
        }),
        "canisters" => Encode!(&CanistersRequest::default()),
        "pool_list" => Encode!(&PoolListRequest::default()),
        "metrics" => Encode!(&MetricsRequest::default()),
        "events" => Encode!(&EventsRequest::default()),
        "effects" => Encode!(&EffectsRequest::default()),
        "export" => Encode!(&ExportRequest::default()),
        "http_request" => Encode!(&HttpRequest {
            url: "/live".to_owned()
        }),
        "status" | "pool_status" | "spec" | "violations" | "hatchery_tick" => Encode!(),
        _ => panic!("what to say to `{method}`?"),
    };
    encoded.expect("our own types encode")
}

/// Every method of `root.did` and whether it is a query; and the one that is root's own.
pub(crate) fn methods() -> Vec<(String, bool)> {
    let (_, service) = ROOT_DID.split_once("\nservice").expect("it has a service");
    let lines = service.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("  ")?.split_once(" : (")?;
        Some((name.to_owned(), rest.ends_with("query;")))
    });
    let mut methods: Vec<_> = lines.collect();
    methods.push(("hatchery_tick".to_owned(), false));
    assert!(methods.len() >= 29, "{methods:?}");
    methods
}

/// How a call ends, in a word.
fn outcome(method: &str, is_query: bool, answer: Result<Vec<u8>, String>) -> String {
    let bytes = match answer {
        Ok(bytes) => bytes,
        Err(text) if is_query && text.contains("unauthorised: ") => return "rejected".to_owned(),
        Err(text) if text.contains(&ErrorCode::CanisterRejectedMessage.to_string()) => {
            return "door".to_owned();
        }
        Err(text) if text.contains("unauthorised: ") => return "rejected".to_owned(),
        Err(text) => panic!("{method}: {text}"),
    };
    let reason = if matches!(method, "report" | "protect") {
        let answer: ReportAnswer = candid::decode_one(&bytes).expect("its own shape");
        answer.refused
    } else {
        let answer: Result<Answer<Reserved>, _> = candid::decode_one(&bytes);
        answer.ok().and_then(Result::err).map(|it| it.reason)
    };
    reason.map_or_else(|| "yes".to_owned(), |reason| reason.name)
}

/// One call in a world of its own, which nobody sees afterwards.
fn ask(stage: &mut Stage, caller: &Caller, method: &str, is_query: bool) -> String {
    let argument = argument(stage, method, caller.own);
    let (root, mut engine) = (stage.world.root.0, stage.world.engine.fork());
    let answer = match caller.way {
        Way::Canister => relay::call(&mut engine, caller.id, root, method, &argument),
        _ if is_query => {
            let answer = engine.query(caller.id, root, method, argument);
            answer.map_err(|reject| reject.to_string())
        }
        _ => {
            let answer = engine.update(caller.id, root, method, argument);
            answer.map_err(|reject| reject.to_string())
        }
    };
    outcome(method, is_query, answer)
}

/// Root's call of its own tick is taken.
fn ticks(stage: &mut Stage) -> bool {
    let root = stage.world.root.0;
    stage.world.engine.trace_keep(10_000);
    stage.world.pass(40 * 60, SECOND);
    let sent = stage.world.engine.trace().any(|entry| match &entry.event {
        Event::Sent {
            from, to, method, ..
        } => (*from, *to, method.as_str()) == (root, root, "hatchery_tick"),
        _ => false,
    });
    let rejected = stage.world.engine.trace().any(
        |entry| matches!(&entry.event, Event::Answered { to, error: Some(_), .. } if *to == root),
    );
    stage.world.engine.trace_off();
    sent && !rejected
}

const HEAD: &str = "\
# Who may call what

Every method of root, called as every kind of caller on a real root; a test makes this page and
fails when an answer changes.

| answer | means |
|---|---|
| yes | it is done, or answered |
| door | `inspect_message` refuses it: nobody pays for it |
| rejected | the message is rejected, with a text |
| any other | refused with that [reason](reasons.md); nothing is changed and nothing paid |

The members, and the hub of the pool, ask about the pool `workers`, whose members they are or whose
parent; so do all others. A member speaks for another when it sends a generation that is not its own.
Where the spec says `visibility = \"operators\"`, `canisters`, `pool_list`, `plan`, `events` and
`effects` are rejected like `export`. What is a query here is refused at the door as an update to all
but operators; a canister asks it as an update always.

";

#[test]
fn l21_every_endpoint_answers_every_kind_of_caller_as_the_book_says() {
    let mut stage = stage();
    let callers = callers(&stage);
    let mut page = HEAD.to_owned();
    let titles: Vec<&str> = callers.iter().map(|caller| caller.title).collect();
    writeln!(page, "| method | {} |", titles.join(" | ")).expect("a String takes all");
    writeln!(page, "|---|{}", "---|".repeat(callers.len())).expect("a String takes all");
    for (method, is_query) in methods() {
        let cells: Vec<String> = callers
            .iter()
            .map(|caller| {
                let cell = ask(&mut stage, caller, &method, is_query);
                // What would be refused anyway is refused for free.
                let paid = !is_query && caller.way != Way::Canister;
                let refused = cell == "rejected" || cell == Reason::Unauthorised.name();
                assert!(!(paid && refused), "{method} as {}: {cell}", caller.title);
                cell
            })
            .collect();
        writeln!(page, "| `{method}` | {} |", cells.join(" | ")).expect("a String takes all");
    }
    assert!(ticks(&mut stage), "root's own tick is taken");
    expect_file!["../../../../docs/src/reference/authorisation.md"].assert_eq(&page);
}

#[test]
fn l23_queries_sent_as_updates_are_refused_at_the_door_to_all_but_operators() {
    let mut stage = stage();
    for (method, _) in methods().into_iter().filter(|(_, is_query)| *is_query) {
        for (caller, may) in [
            (Principal::anonymous(), false),
            (stranger(), false),
            (stage.world.root.0, false),
            (stage.world.operator, true),
        ] {
            let argument = argument(&mut stage, &method, true);
            let mut engine = stage.world.engine.fork();
            let before = engine.cycles_account();
            let answer = engine.submit(caller, stage.world.root.0, &method, argument);
            assert_eq!(answer.is_ok(), may, "{method} as {caller}: {answer:?}");
            if !may {
                assert_eq!(engine.cycles_account(), before, "{method}: it was paid for");
            }
        }
    }
}
