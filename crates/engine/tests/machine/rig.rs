//! A canister on a bench: one module, one code, messages with everything at rest unless a test
//! says otherwise.

use hatchery_engine::machine::{Code, Keep, Machine};
use hatchery_engine::message::{
    Callback, CanisterContext, Entry, Execution, Message, Mode, Prices, QueueRoom, Response,
    SubnetContext,
};
use ic_principal::Principal;

pub(crate) struct Rig {
    pub(crate) machine: Machine,
    pub(crate) code: Code,
    pub(crate) canister: CanisterContext,
    pub(crate) subnet: SubnetContext,
    pub(crate) room: Room,
    pub(crate) arg: Vec<u8>,
}

/// So many free slots to everybody.
pub(crate) struct Room(pub(crate) usize);

impl QueueRoom for Room {
    fn free_slots(&self, _callee: &Principal, _method: &str) -> usize {
        self.0
    }
}

pub(crate) fn principal(text: &str) -> Principal {
    Principal::from_text(text).unwrap()
}

pub(crate) fn rig(wat: &str) -> Rig {
    let mut machine = Machine::new(None);
    let module = machine.load(&wat::parse_str(wat).unwrap()).unwrap();
    let code = machine.start(&module);
    Rig {
        machine,
        code,
        canister: CanisterContext {
            id: principal("rwlgt-iiaaa-aaaaa-aaaaa-cai"),
            balance: 1_000_000_000_000,
            freezing_limit: 0,
            freezing_limit_per_call: 0,
            status: 1,
            version: 7,
            controllers: vec![principal("2vxsx-fae")],
            environment: vec![
                ("ROLE".into(), "worker".into()),
                ("EMPTY".into(), String::new()),
            ],
            timer_ns: 0,
            wasm_memory_limit: 0,
            memory_headroom: 1 << 32,
        },
        subnet: SubnetContext {
            id: principal("aaaaa-aa"),
            nodes: 13,
            root_key: vec![1, 2, 3],
            prices: Prices::for_nodes(13),
        },
        room: Room(500),
        arg: b"argument".to_vec(),
    }
}

pub(crate) fn update(name: &str) -> Entry {
    Entry::Update(name.into())
}

pub(crate) fn query(name: &str) -> Entry {
    Entry::Query(name.into())
}

pub(crate) fn callback(function: u32, environment: u32) -> Entry {
    Entry::Callback(Callback {
        function,
        environment,
    })
}

impl Rig {
    /// Runs a message that `adjust` may change.
    pub(crate) fn run_with(
        &mut self,
        entry: Entry,
        mode: Mode,
        keep: Keep,
        adjust: impl FnOnce(&mut Message<'_>),
    ) -> Execution {
        let mut message = Message {
            entry,
            mode,
            caller: Principal::anonymous(),
            arg: &self.arg,
            reject: None,
            deadline_ns: 0,
            time_ns: 1_620_328_630_000_000_000,
            cycles_available: 0,
            cycles_refunded: 0,
            responded: false,
            context_instructions: 0,
            instruction_limit: 40_000_000_000,
            data_certificate: None,
            canister: self.canister.clone(),
            subnet: &self.subnet,
            queue_room: &self.room,
        };
        adjust(&mut message);
        self.machine.run(&mut self.code, &message, keep)
    }

    pub(crate) fn run(&mut self, entry: Entry, mode: Mode) -> Execution {
        self.run_with(entry, mode, Keep::OnReturn, |_| {})
    }

    pub(crate) fn update(&mut self, name: &str) -> Execution {
        self.run(update(name), Mode::Update)
    }

    pub(crate) fn query(&mut self, name: &str) -> Execution {
        self.run_with(query(name), Mode::Query, Keep::Never, |_| {})
    }
}

/// The bytes replied, or a panic that shows what came instead.
pub(crate) fn reply(execution: Execution) -> Vec<u8> {
    match (execution.result, execution.effects.response) {
        (Ok(()), Some(Response::Reply(bytes))) => bytes,
        (result, response) => panic!("no reply: {result:?} {response:?}"),
    }
}

/// The first number replied, little-endian.
pub(crate) fn number(execution: Execution) -> u64 {
    let mut bytes = reply(execution);
    bytes.resize(8, 0);
    u64::from_le_bytes(bytes.try_into().unwrap())
}
