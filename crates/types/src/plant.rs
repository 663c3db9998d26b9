//! Whether a known bug is planted, to see that checkers and tests find it. Which bugs there are is
//! told where they are hunted; here is only the switch.
//!
//! Without the feature `plant` nothing is ever planted and nothing of it is compiled. Natively a bug
//! is planted by the environment variable `HATCHERY_PLANT` or by [`plant`]; in a canister by its id,
//! written into the module behind [`MARK`].

/// What a module with plants has in its data, before the place for an id of [`ID_BYTES`] bytes.
pub const MARK: &[u8] = b"hatchery plants: ";
/// Bytes of an id.
pub const ID_BYTES: usize = 3;

#[cfg(all(feature = "plant", not(target_family = "wasm")))]
mod planted {
    use std::cell::RefCell;

    thread_local! {
        static PLANTED: RefCell<Option<String>> =
            RefCell::new(std::env::var("HATCHERY_PLANT").ok());
    }

    /// Plants the bug of that id on this thread, in place of the one before; none = no bug. A
    /// thread begins with the one that the environment variable `HATCHERY_PLANT` names.
    pub fn plant(id: Option<&str>) {
        PLANTED.set(id.map(str::to_owned));
    }

    /// Whether that bug is planted.
    pub fn planted(id: &str) -> bool {
        PLANTED.with_borrow(|planted| planted.as_deref() == Some(id))
    }
}

#[cfg(all(feature = "plant", target_family = "wasm"))]
mod planted {
    use super::{ID_BYTES, MARK};

    /// The mark, and the place for an id.
    static MARKED: [u8; MARK.len() + ID_BYTES] = *b"hatchery plants: ---";

    /// Whether that bug is planted.
    pub fn planted(id: &str) -> bool {
        // What is written there after the build must not be known to the compiler.
        let marked = std::hint::black_box(&MARKED);
        marked[MARK.len()..] == *id.as_bytes()
    }
}

#[cfg(all(feature = "plant", not(target_family = "wasm")))]
pub use planted::plant;
#[cfg(feature = "plant")]
pub use planted::planted;

/// Whether that bug is planted: it never is.
#[cfg(not(feature = "plant"))]
#[must_use]
pub const fn planted(_id: &str) -> bool {
    false
}

/// Writes an id into a module that has a place for it; false: it has none, and is left as it is.
pub fn write(module: &mut [u8], id: &str) -> bool {
    let places = module.windows(MARK.len());
    let places: Vec<usize> = places
        .enumerate()
        .filter(|(_, bytes)| *bytes == MARK)
        .map(|(at, _)| at + MARK.len())
        .collect();
    for at in &places {
        if let Some(place) = module.get_mut(*at..at + ID_BYTES)
            && place.len() == id.len()
        {
            place.copy_from_slice(id.as_bytes());
        }
    }
    !places.is_empty()
}
