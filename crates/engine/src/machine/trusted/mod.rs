//! The only `unsafe` code of the engine, one reason per file:
//!
//! * [`lend`]: a store's data must be `'static`, a message is borrowed for one execution;
//! * [`artifact`]: loading machine code back from the disk cache;
//! * [`watch`]: noticing writes to a heap without looking at all of it (Linux only).

#![allow(unsafe_code)] // this folder exists to hold it; the crate denies it everywhere else

pub(super) mod artifact;
pub(super) mod lend;
#[cfg(target_os = "linux")]
pub(super) mod watch;
#[cfg(not(target_os = "linux"))]
#[path = "no_watch.rs"]
pub(super) mod watch;

#[cfg(all(test, target_os = "linux"))]
mod no_watch;

/// The stand-in must offer what the watch offers: the assignments compile, or a platform without
/// the watch would not.
#[cfg(all(test, target_os = "linux"))]
mod stand_in {
    use wasmtime::Store;

    use super::{no_watch, watch};
    use crate::machine::host::Host;

    type Arm<W> = fn(&mut Store<Host>, *mut u8, usize) -> Option<W>;
    type Uses<W> = (
        fn(&W, *mut u8, usize) -> bool,
        fn(&W, *mut u8) -> bool,
        fn(&W, usize) -> Vec<usize>,
        fn(&W, usize) -> bool,
    );

    #[test]
    fn has_the_shape_of_the_watch() {
        use {no_watch::Watch as Stand, watch::Watch};
        let _: (Arm<Watch>, Uses<Watch>) = (
            watch::arm,
            (
                Watch::covers,
                Watch::starts_at,
                Watch::suspects,
                Watch::rest,
            ),
        );
        let (arm, _): (Arm<Stand>, Uses<Stand>) = (
            no_watch::arm,
            (
                Stand::covers,
                Stand::starts_at,
                Stand::suspects,
                Stand::rest,
            ),
        );
        let mut store = Store::new(&wasmtime::Engine::default(), Host::new());
        assert!(arm(&mut store, std::ptr::null_mut(), 0).is_none());
    }
}
