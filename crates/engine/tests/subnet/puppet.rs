//! Programs for `puppet.wat`, the canister that does what its argument says, and worlds with
//! puppets in them.

use std::sync::OnceLock;

use candid::{CandidType, Decode, Encode};
use hatchery_engine::{Config, Engine, InstallMode, Principal, Reject};
use serde::de::DeserializeOwned;

/// A program.
#[derive(Clone, Default)]
pub(crate) struct Program(pub(crate) Vec<u8>);

/// What `Program::info` appends.
#[derive(Clone, Copy)]
pub(crate) enum Info {
    Balance = 0,
    Available = 1,
    Refunded = 2,
    Time = 3,
    Version = 4,
    RejectCode = 5,
    Status = 6,
    Performed = 9,
    Deadline = 10,
}

/// An empty program.
pub(crate) fn program() -> Program {
    Program::default()
}

/// Counts refused `call_perform`s.
pub(crate) const REFUSED: u32 = 255;

impl Program {
    fn op(mut self, op: u8) -> Self {
        self.0.push(op);
        self
    }
    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn blob(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u32).to_le_bytes());
        self.0.extend(bytes);
        self
    }

    pub(crate) fn append(self, bytes: &[u8]) -> Self {
        self.op(1).blob(bytes)
    }
    pub(crate) fn reply(self) -> Self {
        self.op(2)
    }
    pub(crate) fn reject(self, text: &str) -> Self {
        self.op(3).blob(text.as_bytes())
    }
    pub(crate) fn trap(self, text: &str) -> Self {
        self.op(4).blob(text.as_bytes())
    }
    pub(crate) fn counter(self, index: u32) -> Self {
        self.op(5).u32(index)
    }
    pub(crate) fn count(self, index: u32) -> Self {
        self.op(6).u32(index).u64(1)
    }
    pub(crate) fn spin(self, times: u64) -> Self {
        self.op(7).u64(times)
    }
    pub(crate) fn accept(self, cycles: u64) -> Self {
        self.op(8).u64(cycles)
    }
    pub(crate) fn info(self, info: Info) -> Self {
        self.op(9).u32(info as u32)
    }
    pub(crate) fn arg(self) -> Self {
        self.op(10)
    }
    pub(crate) fn reject_text(self) -> Self {
        self.op(11)
    }
    pub(crate) fn caller(self) -> Self {
        self.op(12)
    }
    pub(crate) fn call(self, call: &CallTo) -> Self {
        let mut program = self
            .op(13)
            .blob(call.callee.as_slice())
            .blob(call.method.as_bytes())
            .blob(&call.on_reply.0)
            .blob(&call.on_reject.0)
            .op(14)
            .blob(&call.arg);
        if call.cycles > 0 {
            program = program.op(15).u64(call.cycles);
        }
        if let Some(seconds) = call.best_effort {
            program = program.op(16).u32(seconds);
        }
        if let Some(cleanup) = &call.on_cleanup {
            program = program.op(17).blob(&cleanup.0);
        }
        program.op(18)
    }
    pub(crate) fn repeat(self, times: u32, body: &Program) -> Self {
        self.op(19).u32(times).blob(&body.0)
    }
    pub(crate) fn on_timer(self, body: &Program) -> Self {
        self.op(21).blob(&body.0)
    }
    pub(crate) fn on_heartbeat(self, body: &Program) -> Self {
        self.op(22).blob(&body.0)
    }
    pub(crate) fn stable_grow(self, pages: u32) -> Self {
        self.op(23).u32(pages)
    }
    pub(crate) fn stable_write(self, offset: u64, bytes: &[u8]) -> Self {
        self.op(24).u64(offset).blob(bytes)
    }
    pub(crate) fn stable(self, offset: u64, size: u32) -> Self {
        self.op(25).u64(offset).u32(size)
    }
    pub(crate) fn print(self, text: &str) -> Self {
        self.op(26).blob(text.as_bytes())
    }
    pub(crate) fn certify(self, bytes: &[u8]) -> Self {
        self.op(27).blob(bytes)
    }
    pub(crate) fn burn(self, cycles: u64) -> Self {
        self.op(28).u64(cycles)
    }
    pub(crate) fn environment(self, name: &str) -> Self {
        self.op(29).blob(name.as_bytes())
    }
    pub(crate) fn heap_grow(self, pages: u32) -> Self {
        self.op(30).u32(pages)
    }
    pub(crate) fn timer_in(self, ns: u64) -> Self {
        self.op(31).u64(ns)
    }
    pub(crate) fn on_inspect(self, body: &Program) -> Self {
        self.op(32).blob(&body.0)
    }
    pub(crate) fn accept_message(self) -> Self {
        self.op(33)
    }
    pub(crate) fn on_low_memory(self, body: &Program) -> Self {
        self.op(34).blob(&body.0)
    }
    pub(crate) fn before_upgrade(self, body: &Program) -> Self {
        self.op(35).blob(&body.0)
    }
}

/// A call a program makes.
#[derive(Clone)]
pub(crate) struct CallTo {
    pub(crate) callee: Principal,
    pub(crate) method: String,
    pub(crate) arg: Vec<u8>,
    pub(crate) cycles: u64,
    pub(crate) best_effort: Option<u32>,
    pub(crate) on_reply: Program,
    pub(crate) on_reject: Program,
    pub(crate) on_cleanup: Option<Program>,
}

/// A call of `run` that passes a reply on and answers a reject with its code in eight bytes.
pub(crate) fn call(callee: Principal, arg: &Program) -> CallTo {
    method_call(callee, "run", arg.0.clone())
}

/// A call to the management canister that passes its answer on.
pub(crate) fn manage(method: &str, arg: Vec<u8>) -> CallTo {
    method_call(MANAGEMENT, method, arg)
}

pub(crate) fn method_call(callee: Principal, method: &str, arg: Vec<u8>) -> CallTo {
    CallTo {
        callee,
        method: method.to_owned(),
        arg,
        cycles: 0,
        best_effort: None,
        on_reply: program().arg().reply(),
        on_reject: program().info(Info::RejectCode).reply(),
        on_cleanup: None,
    }
}

impl CallTo {
    pub(crate) fn on_reply(mut self, program: Program) -> Self {
        self.on_reply = program;
        self
    }
    pub(crate) fn on_reject(mut self, program: Program) -> Self {
        self.on_reject = program;
        self
    }
    /// The same program on reply and on reject.
    pub(crate) fn then(self, program: &Program) -> Self {
        self.on_reply(program.clone()).on_reject(program.clone())
    }
    pub(crate) fn on_cleanup(mut self, program: Program) -> Self {
        self.on_cleanup = Some(program);
        self
    }
    pub(crate) fn cycles(mut self, cycles: u64) -> Self {
        self.cycles = cycles;
        self
    }
    pub(crate) fn best_effort(mut self, seconds: u32) -> Self {
        self.best_effort = Some(seconds);
        self
    }
}

pub(crate) const MANAGEMENT: Principal = Principal::management_canister();
pub(crate) const T: u128 = 1_000_000_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// The user that controls every puppet.
pub(crate) fn owner() -> Principal {
    Principal::self_authenticating([7])
}

pub(crate) fn stranger() -> Principal {
    Principal::self_authenticating([8])
}

/// The puppet without `inspect_message` and heartbeat.
pub(crate) fn wasm() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| wasm_with(""))
}

/// The puppet with more exports, and so with another hash.
pub(crate) fn wasm_with(exports: &str) -> Vec<u8> {
    let text = include_str!("puppet.wat").replace(";; EXPORTS", exports);
    wat::parse_str(text).expect("the puppet is valid")
}

pub(crate) fn engine() -> Engine {
    Engine::new(Config::default())
}

/// A running puppet with 1,000 T cycles.
pub(crate) fn puppet(engine: &mut Engine) -> Principal {
    puppet_with(engine, 1_000 * T, wasm(), &program())
}

pub(crate) fn puppet_with(
    engine: &mut Engine,
    cycles: u128,
    wasm: &[u8],
    init: &Program,
) -> Principal {
    let id = engine.create_canister(owner(), cycles);
    engine
        .install(owner(), id, wasm, init.0.clone(), InstallMode::Install)
        .expect("the puppet can be installed");
    id
}

pub(crate) fn run(
    engine: &mut Engine,
    id: Principal,
    program: &Program,
) -> Result<Vec<u8>, Reject> {
    engine.update(owner(), id, "run", program.0.clone())
}

pub(crate) fn ask(
    engine: &mut Engine,
    id: Principal,
    program: &Program,
) -> Result<Vec<u8>, Reject> {
    engine.query(owner(), id, "ask", program.0.clone())
}

/// The value of a counter, by query.
pub(crate) fn counter(engine: &mut Engine, id: Principal, index: u32) -> u64 {
    number(&ask(engine, id, &program().counter(index).reply()).expect("the query replies"))
}

/// The first number of a reply.
pub(crate) fn number(reply: &[u8]) -> u64 {
    u64::from_le_bytes(reply[..8].try_into().expect("eight bytes"))
}

/// The first balance of a reply.
pub(crate) fn cycles(reply: &[u8]) -> u128 {
    u128::from_le_bytes(reply[..16].try_into().expect("sixteen bytes"))
}

/// Rounds until a message is answered, and the answer.
pub(crate) fn rounds(
    engine: &mut Engine,
    id: Principal,
    program: &Program,
) -> (u64, Result<Vec<u8>, Reject>) {
    let before = engine.round();
    let answer = run(engine, id, program);
    (engine.round() - before, answer)
}

pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    Encode!(value).expect("encodes")
}

pub(crate) fn decode<T: CandidType + DeserializeOwned>(bytes: &[u8]) -> T {
    Decode!(bytes, T).expect("decodes")
}

/// `record { canister_id }`.
pub(crate) fn about(canister_id: Principal) -> Vec<u8> {
    encode(&ic_management_canister_types::CanisterIdRecord { canister_id })
}

/// A management call of the owner by ingress.
pub(crate) fn managed(engine: &mut Engine, method: &str, arg: Vec<u8>) -> Result<Vec<u8>, Reject> {
    engine.update(owner(), MANAGEMENT, method, arg)
}

pub(crate) fn assert_balanced(engine: &Engine) {
    let account = engine.cycles_account();
    assert!(account.is_balanced(), "{account:?}");
}

/// A puppet controlled by `root`, with 10 T cycles.
pub(crate) fn child_of(engine: &mut Engine, root: Principal) -> Principal {
    let id = puppet_with(engine, 10 * T, wasm(), &program());
    assert!(engine.set_controllers(id, vec![root, owner()]));
    id
}

/// An empty canister controlled by `root` and the owner, with 10 T cycles.
pub(crate) fn empty_child_of(engine: &mut Engine, root: Principal) -> Principal {
    let id = engine.create_canister(owner(), 10 * T);
    assert!(engine.set_controllers(id, vec![root, owner()]));
    id
}

/// The argument of `install_code` for the puppet.
pub(crate) fn install(canister_id: Principal) -> Vec<u8> {
    install_of(canister_id, wasm())
}

pub(crate) fn install_of(canister_id: Principal, wasm: &[u8]) -> Vec<u8> {
    encode(&ic_management_canister_types::InstallCodeArgs {
        mode: ic_management_canister_types::CanisterInstallMode::Install,
        canister_id,
        wasm_module: wasm.to_vec(),
        arg: Vec::new(),
        sender_canister_version: None,
    })
}

/// The argument of `update_settings`.
pub(crate) fn settings(
    canister_id: Principal,
    settings: ic_management_canister_types::CanisterSettings,
) -> Vec<u8> {
    encode(&ic_management_canister_types::UpdateSettingsArgs {
        canister_id,
        settings,
        sender_canister_version: None,
    })
}

/// A module of about so many instructions.
pub(crate) fn large_wasm(instructions: usize) -> Vec<u8> {
    let function = format!("(func {})", "nop ".repeat(10_000));
    let text = format!("(module {})", function.repeat(instructions / 10_000));
    wat::parse_str(text).expect("the module is valid")
}

pub(crate) fn encode_nothing() -> Vec<u8> {
    candid::encode_args(()).expect("encodes")
}
