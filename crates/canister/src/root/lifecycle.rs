//! Install and upgrade of root.
//!
//! Owns the hooks. Nothing is saved before an upgrade: rows and journal live in stable memory, and
//! what is on the heap is rebuilt from them.

use super::{MemorySource, endpoint, entry, feed, http, open, tick, with_state};
use crate::call;
use hatchery_api::InitArg;
use hatchery_core::Input;
use hatchery_types::CanisterId;

/// `canister_status` of a stopped canister (interface specification, "Canister status").
const STOPPED: u32 = 3;
/// Largest init argument, in bytes: a spec of the size that `apply_spec` takes.
const INIT_BYTES_MAX: usize = super::method::APPLY_SPEC.argument_bytes_max;

/// `canister_init`, with `opt InitArg` or nothing at all; `web`: the certified data is root's.
pub fn init(memory: MemorySource, web: bool) {
    begin(memory, web);
    if let Some(spec) = init_arg().spec
        && let Err(refused) = endpoint::apply(spec)
    {
        ic_cdk::trap(format!("the spec is refused: {}", refused.detail));
    }
    tick::wake_after_install();
}

/// `canister_post_upgrade`, without an argument.
pub fn post_upgrade(memory: MemorySource, web: bool) {
    begin(memory, web);
    tick::wake_after_upgrade();
}

/// `canister_pre_upgrade`: refuses while calls are open and root is not stopped, since their
/// answers would arrive in a module that may not be this one.
pub fn pre_upgrade() {
    let open = with_state(|state| state.counts().calls);
    assert!(
        open == 0 || ic0::canister_status() == STOPPED,
        "open calls: {open}; stop root first or skip pre_upgrade"
    );
}

fn begin(memory: MemorySource, web: bool) {
    // The executor's context sets the hook that turns a panic into a trap with its text.
    ic_cdk::futures::internals::in_executor_context(|| open(memory));
    feed(&Input::Started {
        root: CanisterId(call::myself()),
    });
    if web {
        http::certify();
    }
}

fn init_arg() -> InitArg {
    let Some(bytes) = call::argument(INIT_BYTES_MAX) else {
        ic_cdk::trap("the init argument is too long");
    };
    match parse(&bytes) {
        Ok(arg) => arg,
        Err(error) => ic_cdk::trap(format!("the init argument does not decode: {error}")),
    }
}

fn parse(bytes: &[u8]) -> Result<InitArg, &'static str> {
    if bytes.is_empty() {
        return Ok(InitArg::default());
    }
    let (arg,): (Option<InitArg>,) = entry::decode(bytes)?;
    Ok(arg.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_argument_and_an_empty_one_are_fine() {
        let encode = |arg: Option<InitArg>| candid::encode_one(arg).expect("encodes");
        let none = candid::encode_args(()).expect("encodes");
        for bytes in [
            Vec::new(),
            none,
            encode(None),
            encode(Some(InitArg::default())),
        ] {
            assert_eq!(parse(&bytes).expect("parses"), InitArg::default());
        }
        assert!(parse(b"nonsense").is_err());
    }
}
