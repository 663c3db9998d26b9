//! Lends the borrowed message of one execution to the store's `'static` data. It owns the pointer
//! and the guarantee that it never outlives the loan.

use std::ptr::NonNull;

use crate::message::Message;

/// Where the store's data finds the message under execution.
#[derive(Default)]
pub(in crate::machine) struct Lent(Option<NonNull<Message<'static>>>);

// SAFETY: outside of `lend` the pointer is `None`, so moving a `Lent` to another thread moves
// nothing; within it the store is borrowed mutably by the lending thread.
unsafe impl Send for Lent {}

impl Lent {
    /// The message under execution.
    pub(in crate::machine) fn message(&self) -> &Message<'_> {
        let pointer = self.0.expect("bug: system call outside of an execution");
        // SAFETY: `lend` set the pointer from a reference that is borrowed until `lend` returns,
        // and clears it before; so the message is alive, and only shared references to it exist.
        // The result cannot outlive `self`, and with it the loan.
        unsafe { pointer.cast::<Message<'_>>().as_ref() }
    }
}

/// Runs `execute` on `owner` while the `Lent` in it shows `message`.
///
/// The loan ends when `execute` returns or unwinds.
pub(in crate::machine) fn lend<O, R>(
    owner: &mut O,
    slot: fn(&mut O) -> &mut Lent,
    message: &Message<'_>,
    execute: impl FnOnce(&mut O) -> R,
) -> R {
    struct Loan<'a, O> {
        owner: &'a mut O,
        slot: fn(&mut O) -> &mut Lent,
    }
    impl<O> Drop for Loan<'_, O> {
        fn drop(&mut self) {
            (self.slot)(self.owner).0 = None;
        }
    }
    slot(owner).0 = Some(NonNull::from(message).cast());
    let loan = Loan { owner, slot };
    execute(&mut *loan.owner)
}
