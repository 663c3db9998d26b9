//! The engine as a backend: one fresh world in this process.

use hatchery_engine::{Config, Engine, IngressStatus};
use ic_principal::Principal;

use super::{Answer, Backend, BackendError, Done, MessageId, Reject};

/// A world of the engine.
pub struct EngineBackend {
    engine: Engine,
    /// Messages submitted so far; a [`MessageId`] is the place in it.
    messages: Vec<hatchery_engine::MessageId>,
}

impl EngineBackend {
    /// A fresh world.
    pub fn new(config: Config) -> Self {
        EngineBackend {
            engine: Engine::new(config),
            messages: Vec::new(),
        }
    }

    fn message(&self, id: &MessageId) -> Done<hatchery_engine::MessageId> {
        let place = id.0.as_slice().try_into().map(usize::from_le_bytes);
        let message = place.ok().and_then(|place| self.messages.get(place));
        message
            .copied()
            .ok_or_else(|| BackendError::new("unknown message"))
    }
}

fn reject(reject: &hatchery_engine::Reject) -> Reject {
    Reject {
        code: reject.code as u8,
        error: Some(reject.error as u16),
    }
}

impl Backend for EngineBackend {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Result<MessageId, Reject>> {
        Ok(match self.engine.submit(sender, canister, method, arg) {
            Ok(message) => {
                self.messages.push(message);
                let place = self.messages.len() - 1;
                Ok(MessageId(place.to_le_bytes().to_vec()))
            }
            Err(refused) => Err(reject(&refused)),
        })
    }

    fn poll(&mut self, id: &MessageId) -> Done<Option<Answer>> {
        let message = self.message(id)?;
        Ok(match self.engine.status(&message) {
            IngressStatus::Replied(reply) => Some(Ok(reply)),
            IngressStatus::Rejected(refused) => Some(Err(reject(&refused))),
            IngressStatus::Received | IngressStatus::Processing | IngressStatus::Unknown => None,
        })
    }

    fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Answer> {
        let answer = self.engine.query(sender, canister, method, arg);
        Ok(answer.map_err(|refused| reject(&refused)))
    }

    fn tick(&mut self) -> Done<()> {
        self.engine.tick();
        Ok(())
    }

    fn time_ns(&mut self) -> Done<u64> {
        Ok(self.engine.now_ns())
    }

    fn advance_ns(&mut self, ns: u64) -> Done<()> {
        self.engine.advance_ns(ns);
        Ok(())
    }

    fn cycles(&mut self, canister: Principal) -> Done<u128> {
        self.engine
            .canister(canister)
            .map(|view| view.cycles)
            .ok_or_else(|| BackendError::new("no such canister"))
    }

    fn add_cycles(&mut self, canister: Principal, cycles: u128) -> Done<()> {
        if self.engine.add_cycles(canister, cycles) {
            Ok(())
        } else {
            Err(BackendError::new("no such canister"))
        }
    }
}
