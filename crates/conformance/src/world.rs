//! The world a case acts in: a backend and the steps that many cases share. Set-up that does not
//! work fails the case like any other deviation.

use candid::Nat;
use ic_principal::Principal;

use crate::backend::{Answer, Backend, MessageId, Reject};
use crate::check::{Checked, fail, number, replied};
use crate::management::{
    About, Info, InstallMode, Logs, ProvisionalCreateArg, SettingsArg, Snapshot, Status,
    TakeSnapshotArg, UPGRADE, about, decode, encode, info_arg, install_arg, settings_arg,
};
use crate::modules::universal;
use crate::program::{Call, Program, call, manage, program};

/// A trillion cycles.
pub(crate) const T: u128 = 1_000_000_000_000;
/// A billion cycles.
pub(crate) const B: u128 = 1_000_000_000;
/// A second in nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// A page of wasm memory in bytes.
pub(crate) const PAGE: u64 = 65_536;

/// The management canister.
pub(crate) const MANAGEMENT: Principal = Principal::management_canister();

/// The user who controls every canister unless a case says otherwise.
pub(crate) fn owner() -> Principal {
    Principal::self_authenticating([7])
}

/// A user who controls nothing.
pub(crate) fn stranger() -> Principal {
    Principal::self_authenticating([8])
}

/// A backend with the steps that cases share.
pub struct World<'a> {
    pub(crate) backend: &'a mut dyn Backend,
}

impl<'a> World<'a> {
    /// A world over a fresh backend.
    pub fn new(backend: &'a mut dyn Backend) -> Self {
        World { backend }
    }

    // ---- canisters ----

    /// An empty canister of the owner.
    #[track_caller]
    pub(crate) fn empty(&mut self, cycles: u128) -> Checked<Principal> {
        self.empty_with(cycles, SettingsArg::default())
    }

    /// An empty canister of the owner, or of whom the settings say.
    #[track_caller]
    pub(crate) fn empty_with(&mut self, cycles: u128, settings: SettingsArg) -> Checked<Principal> {
        let arg = encode(&ProvisionalCreateArg {
            amount: Some(Nat::from(cycles)),
            settings: Some(SettingsArg {
                controllers: settings.controllers.or_else(|| Some(vec![owner()])),
                ..settings
            }),
            specified_id: None,
        });
        let answer = self.manage("provisional_create_canister_with_cycles", arg)?;
        Ok(decode::<About>(&replied(answer)?)?.canister_id)
    }

    /// A universal canister of the owner with 100 T cycles.
    #[track_caller]
    pub(crate) fn canister(&mut self) -> Checked<Principal> {
        self.canister_of(universal())
    }

    /// A canister of the owner with 100 T cycles and this module.
    #[track_caller]
    pub(crate) fn canister_of(&mut self, wasm: &[u8]) -> Checked<Principal> {
        let id = self.empty(100 * T)?;
        self.install(id, wasm)?;
        Ok(id)
    }

    /// A universal canister that this canister controls as well.
    #[track_caller]
    pub(crate) fn child_of(&mut self, parent: Principal) -> Checked<Principal> {
        let id = self.empty_child_of(parent)?;
        self.install(id, universal())?;
        Ok(id)
    }

    /// An empty canister that this canister controls as well.
    #[track_caller]
    pub(crate) fn empty_child_of(&mut self, parent: Principal) -> Checked<Principal> {
        self.empty_with(
            100 * T,
            SettingsArg {
                controllers: Some(vec![owner(), parent]),
                ..SettingsArg::default()
            },
        )
    }

    /// Installs a module into an empty canister.
    #[track_caller]
    pub(crate) fn install(&mut self, id: Principal, wasm: &[u8]) -> Checked<()> {
        let answer = self.try_install(id, InstallMode::install, wasm, &program())?;
        replied(answer)?;
        Ok(())
    }

    /// Upgrades to a module with a program for `canister_post_upgrade`.
    #[track_caller]
    pub(crate) fn upgrade(&mut self, id: Principal, wasm: &[u8], arg: &Program) -> Checked<()> {
        let answer = self.try_install(id, UPGRADE, wasm, arg)?;
        replied(answer)?;
        Ok(())
    }

    /// Installs in any mode.
    pub(crate) fn try_install(
        &mut self,
        id: Principal,
        mode: InstallMode,
        wasm: &[u8],
        arg: &Program,
    ) -> Checked<Answer> {
        let arg = install_arg(id, mode, wasm, &arg.encoded());
        self.manage("install_code", arg)
    }

    /// Changes settings as the owner.
    #[track_caller]
    pub(crate) fn set(&mut self, id: Principal, settings: SettingsArg) -> Checked<()> {
        let answer = self.manage("update_settings", settings_arg(id, settings))?;
        replied(answer)?;
        Ok(())
    }

    /// Stops a canister as the owner.
    #[track_caller]
    pub(crate) fn stop(&mut self, id: Principal) -> Checked<()> {
        let answer = self.manage("stop_canister", about(id))?;
        replied(answer)?;
        Ok(())
    }

    /// Starts a canister as the owner.
    #[track_caller]
    pub(crate) fn start(&mut self, id: Principal) -> Checked<()> {
        let answer = self.manage("start_canister", about(id))?;
        replied(answer)?;
        Ok(())
    }

    /// Takes the code away as the owner.
    #[track_caller]
    pub(crate) fn uninstall(&mut self, id: Principal) -> Checked<()> {
        let answer = self.manage("uninstall_code", about(id))?;
        replied(answer)?;
        Ok(())
    }

    /// Takes a snapshot as the owner.
    #[track_caller]
    pub(crate) fn snapshot(&mut self, canister_id: Principal) -> Checked<Snapshot> {
        let arg = encode(&TakeSnapshotArg {
            canister_id,
            replace_snapshot: None,
        });
        let answer = self.manage("take_canister_snapshot", arg)?;
        decode(&replied(answer)?)
    }

    /// The status as the owner sees it.
    #[track_caller]
    pub(crate) fn status(&mut self, id: Principal) -> Checked<Status> {
        let answer = self.manage("canister_status", about(id))?;
        decode(&replied(answer)?)
    }

    /// What `canister_info` tells a canister about another.
    #[track_caller]
    pub(crate) fn info(&mut self, asker: Principal, id: Principal) -> Checked<Info> {
        let asking = program().call(&ask_management("canister_info", info_arg(id, 20)));
        let answer = self.run(asker, &asking)?;
        decode(&replied(answer)?)
    }

    /// The log as the owner sees it.
    #[track_caller]
    pub(crate) fn logs(&mut self, id: Principal) -> Checked<Logs> {
        let answer = self
            .backend
            .query(owner(), MANAGEMENT, "fetch_canister_logs", about(id))?;
        decode(&replied(answer)?)
    }

    // ---- messages ----

    /// A management call of the owner by ingress.
    pub(crate) fn manage(&mut self, method: &str, arg: Vec<u8>) -> Checked<Answer> {
        self.manage_as(owner(), method, arg)
    }

    /// A management call of any user by ingress.
    pub(crate) fn manage_as(
        &mut self,
        sender: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Checked<Answer> {
        Ok(self.backend.update(sender, MANAGEMENT, method, arg)?)
    }

    /// An update call of the owner.
    pub(crate) fn run(&mut self, id: Principal, body: &Program) -> Checked<Answer> {
        Ok(self.backend.update(owner(), id, "run", body.encoded())?)
    }

    /// An update call that must be answered with a reply; what it says does not matter.
    #[track_caller]
    pub(crate) fn act(&mut self, id: Principal, body: &Program) -> Checked<()> {
        let answer = self.run(id, &body.clone().say("done"))?;
        replied(answer)?;
        Ok(())
    }

    /// A query of the owner.
    pub(crate) fn ask(&mut self, id: Principal, body: &Program) -> Checked<Answer> {
        Ok(self.backend.query(owner(), id, "ask", body.encoded())?)
    }

    /// A composite query of the owner.
    pub(crate) fn compose(&mut self, id: Principal, body: &Program) -> Checked<Answer> {
        Ok(self.backend.query(owner(), id, "compose", body.encoded())?)
    }

    /// A counter on the heap, by query.
    #[track_caller]
    pub(crate) fn counter(&mut self, id: Principal, place: u64) -> Checked<u64> {
        let answer = self.ask(id, &program().read(place).reply())?;
        number(answer)
    }

    /// Submits an update call of the owner; it must be taken in.
    #[track_caller]
    pub(crate) fn submit(&mut self, id: Principal, body: &Program) -> Checked<MessageId> {
        let submitted = self.try_submit(id, body)?;
        accepted(submitted)
    }

    pub(crate) fn try_submit(
        &mut self,
        id: Principal,
        body: &Program,
    ) -> Checked<Result<MessageId, Reject>> {
        Ok(self.backend.submit(owner(), id, "run", body.encoded())?)
    }

    /// Submits a management call of the owner; it must be taken in.
    #[track_caller]
    pub(crate) fn submit_manage(&mut self, method: &str, arg: Vec<u8>) -> Checked<MessageId> {
        let submitted = self.backend.submit(owner(), MANAGEMENT, method, arg)?;
        accepted(submitted)
    }

    /// Executes rounds until the message is answered.
    pub(crate) fn wait(&mut self, id: &MessageId) -> Checked<Answer> {
        Ok(self.backend.await_answer(id)?)
    }

    /// The answer, which must be there already.
    #[track_caller]
    pub(crate) fn answered(&mut self, id: &MessageId) -> Checked<Answer> {
        match self.backend.poll(id)? {
            Some(answer) => Ok(answer),
            None => fail("the message is not answered yet"),
        }
    }

    /// The message must still be open.
    #[track_caller]
    pub(crate) fn still_open(&mut self, id: &MessageId) -> Checked<()> {
        match self.backend.poll(id)? {
            None => Ok(()),
            Some(answer) => fail(format_args!("answered too early: {answer:?}")),
        }
    }

    /// Rounds until an update call of the owner is answered, and the answer.
    #[track_caller]
    pub(crate) fn rounds(&mut self, id: Principal, body: &Program) -> Checked<(u64, Answer)> {
        let message = self.submit(id, body)?;
        self.rounds_of(&message)
    }

    /// Rounds from now until the message is answered, at most 7,000, and the answer.
    #[track_caller]
    pub(crate) fn rounds_of(&mut self, message: &MessageId) -> Checked<(u64, Answer)> {
        for rounds in 1..=7_000 {
            self.tick()?;
            if let Some(answer) = self.backend.poll(message)? {
                return Ok((rounds, answer));
            }
        }
        fail("no answer after 7,000 rounds")
    }

    // ---- rounds and time ----

    pub(crate) fn tick(&mut self) -> Checked<()> {
        Ok(self.backend.tick()?)
    }

    pub(crate) fn ticks(&mut self, rounds: u64) -> Checked<()> {
        for _ in 0..rounds {
            self.tick()?;
        }
        Ok(())
    }

    /// Lets seconds pass without executing anything.
    pub(crate) fn pass(&mut self, seconds: u64) -> Checked<()> {
        Ok(self.backend.advance_ns(seconds * SECOND)?)
    }

    pub(crate) fn now(&mut self) -> Checked<u64> {
        Ok(self.backend.time_ns()?)
    }

    pub(crate) fn cycles(&mut self, id: Principal) -> Checked<u128> {
        Ok(self.backend.cycles(id)?)
    }

    pub(crate) fn add_cycles(&mut self, id: Principal, cycles: u128) -> Checked<()> {
        Ok(self.backend.add_cycles(id, cycles)?)
    }
}

#[track_caller]
fn accepted(submitted: Result<MessageId, Reject>) -> Checked<MessageId> {
    match submitted {
        Ok(message) => Ok(message),
        Err(reject) => fail(format_args!("refused at the door: {reject:?}")),
    }
}

/// A management call that passes the bare reply on, and traps on a reject.
pub(crate) fn ask_management(method: &str, arg: Vec<u8>) -> Call {
    manage(method, arg)
        .on_reply(program().arg().reply())
        .on_reject(program().fail())
}

/// A program that makes so many management calls one after another, each about `about`, and then
/// goes on.
pub(crate) fn after_calls(about: Principal, calls: u64, last: &Program) -> Program {
    (0..calls).fold(last.clone(), |next, _| {
        program().call(&manage("canister_info", info_arg(about, 0)).on_reply(next))
    })
}

/// No arguments in Candid.
pub(crate) fn encode_nothing() -> Vec<u8> {
    b"DIDL\0\0".to_vec()
}

/// A call to another universal canister that passes the answer on.
pub(crate) fn relay(callee: Principal, body: &Program) -> Program {
    program().call(&call(callee, body))
}
