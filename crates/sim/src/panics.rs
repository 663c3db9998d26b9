//! Panics of what is run on trial: caught, with the place where they happened. Nobody but the caller
//! hears of them; those of other threads are told as ever.

use std::cell::{Cell, RefCell};
use std::panic::{PanicHookInfo, UnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Panicked {
    /// File and line.
    pub(crate) place: String,
    /// What it said.
    pub(crate) text: String,
}

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Panicked> = RefCell::default();
}

/// Runs it on this thread.
///
/// # Errors
/// It panicked, and where.
pub(crate) fn caught<T>(run: impl FnOnce() -> T + UnwindSafe) -> Result<T, Panicked> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if IS_CATCHING.get() {
                note(panic);
            } else {
                others(panic);
            }
        }));
    });
    let was_catching = IS_CATCHING.replace(true);
    let ran = catch_unwind(run);
    IS_CATCHING.set(was_catching);
    ran.map_err(|_| LAST.take())
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(|at| format!("{}:{}", at.file(), at.line()));
    LAST.set(Panicked {
        place: place.unwrap_or_default(),
        text: panic.payload_as_str().unwrap_or_default().to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_place_and_its_text() {
        assert_eq!(caught(|| 7), Ok(7));
        let panicked = caught(|| panic!("bug: number {}", 7)).map(|(): ()| ());
        let panicked = panicked.expect_err("it panics");
        assert_eq!(panicked.text, "bug: number 7");
        assert!(panicked.place.contains("src/panics.rs:"), "{panicked:?}");
    }
}
