//! Ten thousand members: what one look at the fleet costs, whichever way it is looked at. The live
//! view, the page and Prometheus look again and again, so each look has a bound.

use crate::wasm;
use crate::world::{settle, start};
use candid::{CandidType, Encode};
use hatchery_api::{
    CanistersRequest, EffectsRequest, EventsRequest, HttpRequest, HttpResponse, WhyRequest,
    WorkersRequest,
};
use hatchery_engine::trace::Event;
use hatchery_sim::world::{FleetWorld, memory};
use std::cell::RefCell;
use std::rc::Rc;

const MEMBERS: u64 = 10_000;
const HALF_SECOND: u64 = 500_000_000;
const MILLION: u64 = 1_000_000;

/// What a look cost: instructions of root and bytes of the answer.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    instructions: u64,
    bytes: usize,
}

impl Cost {
    fn and(self, other: Cost) -> Cost {
        Cost {
            instructions: self.instructions + other.instructions,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// A fleet that looks are counted at.
struct Watched {
    world: FleetWorld,
    instructions: Rc<RefCell<u64>>,
}

impl Watched {
    fn new() -> Watched {
        let (mut world, spec) = start();
        settle(&mut world, &spec);
        memory::grow(&mut world.engine, world.root, MEMBERS);
        world
            .submit_forced_upgrade(&wasm::load("hatchery_root"))
            .expect("the upgrade is taken in");
        world.pass(120, HALF_SECOND);
        let status = world.status().expect("root answers");
        assert!(
            u64::from(status.pools[0].in_service) >= MEMBERS,
            "{status:?}"
        );
        let instructions = Rc::<RefCell<u64>>::default();
        let (told, root) = (instructions.clone(), world.root.0);
        world.engine.trace_stream(Box::new(move |event| {
            if let Event::Executed {
                canister,
                entry,
                instructions,
                ..
            } = &event.event
                && *canister == root
                && !entry.ends_with("hatchery_tick")
            {
                *told.borrow_mut() += instructions;
            }
        }));
        Watched {
            world,
            instructions,
        }
    }

    /// A query by its operator, executed as an update: the same instructions, and they are told.
    fn ask(&mut self, method: &str, arg: Vec<u8>) -> (Cost, Vec<u8>) {
        let before = *self.instructions.borrow();
        let world = &mut self.world;
        let answer = world
            .engine
            .update(world.operator, world.root.0, method, arg);
        let answer = answer.unwrap_or_else(|reject| panic!("{method}: {reject}"));
        let cost = Cost {
            instructions: *self.instructions.borrow() - before,
            bytes: answer.len(),
        };
        assert!(cost.instructions > 0, "{method} was not counted");
        (cost, answer)
    }

    fn candid(&mut self, method: &str, request: &impl CandidType) -> Cost {
        self.ask(method, Encode!(request).expect("encodes")).0
    }

    fn http(&mut self, url: &str) -> Cost {
        let url = url.to_owned();
        let request = Encode!(&HttpRequest { url }).expect("encodes");
        let (cost, answer) = self.ask("http_request", request);
        let response: HttpResponse = candid::decode_one(&answer).expect("a response");
        assert_eq!(
            response.status_code,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        cost
    }
}

#[test]
fn a_look_at_ten_thousand_canisters_is_bounded() {
    let mut it = Watched::new();
    let newest = it
        .world
        .status()
        .map(|_| it.world.events(0))
        .expect("root answers");
    let newest = newest
        .expect("root answers")
        .last()
        .map_or(0, |event| event.number);
    let member = memory::nobody(MEMBERS / 2);
    let status = it.ask("status", Encode!().expect("encodes")).0;
    let live_status = it.http("/live/status");
    let rows = it.candid(
        "canisters",
        &CanistersRequest {
            limit: 100,
            ..CanistersRequest::default()
        },
    );
    let events = it.candid(
        "events",
        &EventsRequest {
            after: newest.saturating_sub(100),
            limit: 100,
            ..EventsRequest::default()
        },
    );
    let page_rows = it.http("/live/canisters?limit=25");
    let page_events = it.http(&format!(
        "/live/events?after={}",
        newest.saturating_sub(200)
    ));
    let why = WhyRequest {
        pool: "workers".to_owned(),
        ..WhyRequest::default()
    };
    let workers = WorkersRequest {
        pool: "workers".to_owned(),
        ..WorkersRequest::default()
    };
    let looks = [
        ("`hatchery status`", status, 6, 4_000),
        (
            "`hatchery top`, `up`: a picture",
            status.and(rows).and(events),
            25,
            60_000,
        ),
        ("page: status", live_status, 7, 8_000),
        (
            "page: a refresh in which much happened",
            live_status.and(page_rows).and(page_events),
            40,
            120_000,
        ),
        (
            "page: canisters in a phase",
            it.http("/live/canisters?limit=25&phase=in-service"),
            12,
            25_000,
        ),
        (
            "page: what next?",
            it.http("/live/plan?pool=workers"),
            30,
            8_000,
        ),
        (
            "page: why a member is where it is",
            it.http(&format!("/live/why?pool=workers&canister={member}&limit=1")),
            60,
            8_000,
        ),
        (
            "page: journal",
            it.http("/live/effects?limit=50"),
            2,
            20_000,
        ),
        ("`/metrics`", it.http("/metrics"), 8, 30_000),
        ("`/health`", it.http("/health"), 6, 2_000),
        (
            "`hatchery why`: a page of members",
            it.candid("why", &why),
            110,
            100_000,
        ),
        (
            "discovery: a page of workers",
            it.candid("workers", &workers),
            2,
            10_000,
        ),
        (
            "`hatchery effects`: a page",
            it.candid("effects", &EffectsRequest::default()),
            2,
            20_000,
        ),
    ];
    println!("| one look | instructions of root, millions | bytes |");
    println!("|---|---|---|");
    for (what, cost, ..) in &looks {
        let tenths = cost.instructions / (MILLION / 10);
        println!(
            "| {what} | {}.{} | {} |",
            tenths / 10,
            tenths % 10,
            cost.bytes
        );
    }
    for (what, cost, millions_most, bytes_most) in looks {
        assert!(
            cost.instructions <= millions_most * MILLION,
            "{what}: {cost:?}"
        );
        assert!(cost.bytes <= bytes_most, "{what}: {cost:?}");
    }
}
