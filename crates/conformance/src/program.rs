//! Programs of the universal canister: how they are written down. What the operations do is in
//! `wat/universal.wat`; which modules there are is in [`crate::modules`].

use ic_principal::Principal;

/// Cell of the program that `canister_pre_upgrade` runs.
const CELL_PRE_UPGRADE: u64 = 500;
/// Cell of the program that `canister_global_timer` runs.
const CELL_TIMER: u64 = 501;
/// Cell of the program that `canister_heartbeat` runs.
const CELL_HEARTBEAT: u64 = 502;
/// Cell of the program that `canister_inspect_message` runs.
const CELL_INSPECT: u64 = 503;
/// Cell of the program that `canister_on_low_wasm_memory` runs.
const CELL_LOW_MEMORY: u64 = 504;

/// A row of operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Program(Vec<u8>);

/// The empty program.
pub(crate) fn program() -> Program {
    Program::default()
}

/// One method and one number per operation, in the order of the table of the canister.
macro_rules! operations {
    ($($name:ident)*) => {
        /// Names of all operations; the place is the number.
        const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        #[allow(non_camel_case_types, reason = "numbered after the methods of the same names")]
        #[repr(u8)]
        enum Operation { $($name),* }

        #[allow(dead_code, reason = "the language is whole, whatever the cases use of it")]
        impl Program {
            $(pub(crate) fn $name(self) -> Self { self.operation(Operation::$name) })*
        }
    };
}

operations! {
    push concat dup discard slice size add multiply less equal fill
    exec when choose repeat spin forever unreachable
    cell_set cell_get count counter global_set global_get
    memory_size memory_grow memory_load8 touch
    arg arg_copy arg_size caller self_id subnet method_name reject_code reject_text deadline
    append reply_appended reply reject trap print accept_message
    available refunded accept burn balance liquid
    cost_call cost_create cost_http cost_ecdsa cost_schnorr cost_vetkd
    call_new call_raw on_cleanup call_append best_effort call_cycles perform
    stable_size stable_grow stable_write stable_read
    status version time timer_set performance controlled_by replicated
    certify certificate_present certificate root_key
    env_count env_name env_name_size env_exists env_value env_value_size
}

/// The row of the function table that holds the operations.
pub(crate) fn operations_row() -> String {
    let names: Vec<String> = OPERATIONS
        .iter()
        .map(|name| format!("$op_{name}"))
        .collect();
    format!("(elem (i32.const 16) {})", names.join(" "))
}

impl Program {
    fn operation(mut self, operation: Operation) -> Self {
        self.0.push(operation as u8);
        self
    }

    /// The bytes, as an argument.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// This program and then another.
    pub(crate) fn then(mut self, next: &Program) -> Self {
        self.0.extend_from_slice(&next.0);
        self
    }

    /// Puts a string on the stack.
    pub(crate) fn bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut program = self.push();
        program.0.extend((bytes.len() as u32).to_le_bytes());
        program.0.extend_from_slice(bytes);
        program
    }

    /// Puts a number on the stack.
    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(number.to_le_bytes())
    }

    /// Puts an amount of cycles on the stack.
    pub(crate) fn amount(self, cycles: u128) -> Self {
        self.bytes(cycles.to_le_bytes())
    }

    /// Puts a program on the stack.
    pub(crate) fn code(self, program: &Program) -> Self {
        self.bytes(&program.0)
    }

    /// Replies with these bytes.
    pub(crate) fn say(self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes(bytes).reply()
    }

    /// Traps on purpose.
    pub(crate) fn fail(self) -> Self {
        self.bytes("on purpose").trap()
    }

    /// Adds to a counter on the heap.
    pub(crate) fn bump(self, place: u64, amount: u64) -> Self {
        self.number(place).number(amount).count()
    }

    /// Puts a counter on the stack.
    pub(crate) fn read(self, place: u64) -> Self {
        self.number(place).counter()
    }

    /// Keeps a string in a cell.
    pub(crate) fn keep(self, cell: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.number(cell).bytes(bytes).cell_set()
    }

    /// Puts what a cell keeps on the stack.
    pub(crate) fn kept(self, cell: u64) -> Self {
        self.number(cell).cell_get()
    }

    /// Runs a program so many times.
    pub(crate) fn times(self, times: u64, body: &Program) -> Self {
        self.number(times).code(body).repeat()
    }

    /// Burns about 13 instructions a turn.
    pub(crate) fn spin_for(self, turns: u64) -> Self {
        self.number(turns).spin()
    }

    /// Uses up any limit quickly. Only where calls can be made.
    pub(crate) fn exhaust(self) -> Self {
        self.use_up(u64::MAX)
    }

    /// Uses some 53 M instructions a turn quickly: bytes appended to a call count fifty each. Only
    /// where calls can be made.
    pub(crate) fn use_up(self, turns: u64) -> Self {
        let again = program()
            .dup()
            .bytes(Principal::management_canister())
            .bytes("none")
            .code(&program())
            .code(&program())
            .call_new()
            .call_append();
        self.number(1 << 20).number(0).fill().times(turns, &again)
    }

    /// Writes to stable memory.
    pub(crate) fn store(self, offset: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.number(offset).bytes(bytes).stable_write()
    }

    /// Puts a part of stable memory on the stack.
    pub(crate) fn load(self, offset: u64, size: u64) -> Self {
        self.number(offset).number(size).stable_read()
    }

    /// Sets the global timer to a time in nanoseconds; 0 turns it off.
    pub(crate) fn timer_at(self, time_ns: u64) -> Self {
        self.number(time_ns).timer_set().discard()
    }

    /// Sets the global timer to so many nanoseconds from now.
    pub(crate) fn timer_in(self, ns: u64) -> Self {
        self.time().number(ns).add().timer_set().discard()
    }

    pub(crate) fn on_pre_upgrade(self, body: &Program) -> Self {
        self.keep(CELL_PRE_UPGRADE, &body.0)
    }

    pub(crate) fn on_timer(self, body: &Program) -> Self {
        self.keep(CELL_TIMER, &body.0)
    }

    pub(crate) fn on_heartbeat(self, body: &Program) -> Self {
        self.keep(CELL_HEARTBEAT, &body.0)
    }

    pub(crate) fn on_inspect(self, body: &Program) -> Self {
        self.keep(CELL_INSPECT, &body.0)
    }

    pub(crate) fn on_low_memory(self, body: &Program) -> Self {
        self.keep(CELL_LOW_MEMORY, &body.0)
    }

    /// Makes a call and leaves what `call_perform` said on the stack.
    pub(crate) fn try_call(self, call: &Call) -> Self {
        let mut program = self
            .then(&call.callee)
            .bytes(&call.method)
            .code(&call.on_reply)
            .code(&call.on_reject)
            .call_new();
        program = program.then(&call.arg).call_append();
        if call.cycles > 0 {
            program = program.amount(call.cycles).call_cycles();
        }
        if let Some(seconds) = call.best_effort {
            program = program.number(u64::from(seconds)).best_effort();
        }
        if let Some(cleanup) = &call.on_cleanup {
            program = program.code(cleanup).on_cleanup();
        }
        program.perform()
    }

    /// Makes a call.
    pub(crate) fn call(self, call: &Call) -> Self {
        self.try_call(call).discard()
    }

    /// Makes a call whose answer goes to an entry of the function table.
    pub(crate) fn call_entry(
        self,
        callee: Principal,
        method: &str,
        arg: &[u8],
        (function, environment): (u64, u64),
    ) -> Self {
        self.bytes(callee)
            .bytes(method)
            .number(function)
            .number(environment)
            .call_raw()
            .bytes(arg)
            .call_append()
            .perform()
            .discard()
    }
}

/// A call that a program makes.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    callee: Program,
    method: String,
    arg: Program,
    cycles: u128,
    best_effort: Option<u32>,
    on_reply: Program,
    on_reject: Program,
    on_cleanup: Option<Program>,
}

/// A call of the method `run` of a universal canister; its answer is passed on as in [`call_to`].
pub(crate) fn call(callee: Principal, body: &Program) -> Call {
    call_to(callee, "run", body.encoded())
}

/// A call to the management canister; its answer is passed on as in [`call_to`].
pub(crate) fn manage(method: &str, arg: impl AsRef<[u8]>) -> Call {
    call_to(Principal::management_canister(), method, arg)
}

/// A call that replies `+` and the reply's bytes, or `-` and the reject code, see
/// [`crate::check::Seen`].
pub(crate) fn call_to(callee: Principal, method: &str, arg: impl AsRef<[u8]>) -> Call {
    Call {
        callee: program().bytes(callee),
        method: method.to_owned(),
        arg: program().bytes(arg),
        cycles: 0,
        best_effort: None,
        on_reply: tell_reply(),
        on_reject: tell_reject(),
        on_cleanup: None,
    }
}

/// Replies `+` and the reply's bytes.
pub(crate) fn tell_reply() -> Program {
    program().bytes("+").arg().concat().reply()
}

/// Replies `-` and the reject code.
pub(crate) fn tell_reject() -> Program {
    program().bytes("-").reject_code().concat().reply()
}

impl Call {
    /// The argument is what the program leaves on the stack.
    pub(crate) fn arg(self, arg: Program) -> Self {
        Call { arg, ..self }
    }
    pub(crate) fn cycles(self, cycles: u128) -> Self {
        Call { cycles, ..self }
    }
    /// Seconds until the call expires.
    pub(crate) fn best_effort(self, seconds: u32) -> Self {
        Call {
            best_effort: Some(seconds),
            ..self
        }
    }
    pub(crate) fn on_reply(self, on_reply: Program) -> Self {
        Call { on_reply, ..self }
    }
    pub(crate) fn on_reject(self, on_reject: Program) -> Self {
        Call { on_reject, ..self }
    }
    /// The same program on reply and on reject.
    pub(crate) fn answered(self, program: &Program) -> Self {
        self.on_reply(program.clone()).on_reject(program.clone())
    }
    pub(crate) fn on_cleanup(self, program: Program) -> Self {
        Call {
            on_cleanup: Some(program),
            ..self
        }
    }
}
