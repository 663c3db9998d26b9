//! The members that ask, count and are upgraded: a relay that keeps a counter in heap and stable
//! memory, in versions that are good and versions that are not.

use crate::world::relay;

/// What a version does to who is upgraded to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The first, and others as good.
    Good(u64),
    /// Traps in `post_upgrade`.
    Traps,
    /// Answers no health check.
    Sick,
    /// Writes over its memory, which its health check sees.
    Corrupts,
}

const IMPORTS: &str = r#"
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (import "ic0" "cycles_burn128" (func $burn (param i64 i64 i32)))
"#;

/// `count` adds one to two counters and answers both as bytes; the second word kept beside them says
/// that all is well. `counted` answers them from the heap, then from stable memory. `burn` takes the
/// cycles to burn as eight bytes.
const KEEPER: &str = r#"
  (func $restore (call $read (i64.const 0) (i64.const 0) (i64.const 16)))
  (func $keep (call $write (i64.const 0) (i64.const 0) (i64.const 16)))
  (func (export "canister_init")
    (drop (call $grow (i64.const 1)))
    (i64.store (i32.const 8) (i64.const 777))
    (call $keep))
  (func (export "canister_post_upgrade") POST)
  (func (export "canister_update count")
    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
    (call $keep)
    (call $append (i32.const 0) (i32.const 8))
    (call $reply))
  (func (export "canister_query counted")
    (call $append (i32.const 0) (i32.const 8))
    (call $read (i64.const 256) (i64.const 0) (i64.const 8))
    (call $append (i32.const 256) (i32.const 8))
    (call $reply))
  (func (export "canister_update burn")
    (call $copy (i32.const 512) (i32.const 0) (i32.const 8))
    (call $burn (i64.const 0) (i64.load (i32.const 512)) (i32.const 520))
    (call $reply))
  (func (export "canister_query health") HEALTH (call $reply))
  (data (i32.const 1000) "VERSION")
"#;

/// Memory whose word is gone is corrupt.
const CHECKED: &str = "(if (i64.ne (i64.load (i32.const 8)) (i64.const 777)) (then (unreachable)))";
const CORRUPT: &str = "(memory.fill (i32.const 0) (i32.const 255) (i32.const 16)) (call $keep)";

/// The module of a version.
pub(super) fn module(version: Version) -> Vec<u8> {
    let (post, health) = match version {
        Version::Good(_) => ("(call $restore)", CHECKED),
        Version::Traps => ("(unreachable)", CHECKED),
        Version::Sick => ("(call $restore)", "(unreachable)"),
        Version::Corrupts => (CORRUPT, CHECKED),
    };
    let more = KEEPER
        .replace("POST", post)
        .replace("HEALTH", health)
        .replace("VERSION", &format!("{version:?}"));
    relay::module_with(IMPORTS, &more)
}
