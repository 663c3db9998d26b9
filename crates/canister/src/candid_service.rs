//! The public metadata section that tells any client a canister's interface.
//!
//! Owns the mechanism alone; the `.did` texts belong to `hatchery-api` and to the canisters.

/// The bytes of a text as an array, which is what a custom section is made of.
#[doc(hidden)]
pub const fn section<const N: usize>(text: &str) -> [u8; N] {
    match text.as_bytes().first_chunk() {
        Some(bytes) => *bytes,
        None => panic!("bug: the section is longer than its text"),
    }
}

/// Puts a Candid interface into the wasm's public metadata, `candid:service`
/// (interface specification, "Canister module format").
///
/// ```
/// hatchery::candid_service!("service : {}");
/// ```
#[macro_export]
macro_rules! candid_service {
    ($did:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            const DID: &str = $did;
            #[used]
            #[unsafe(link_section = "icp:public candid:service")]
            static SECTION: [u8; DID.len()] = $crate::candid_service::section(DID);
        };
    };
}
