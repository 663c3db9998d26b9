//! The public metadata section that tells any client a canister's interface.
//!
//! Owns the mechanism alone; the `.did` texts belong to `hatchery-api` and to the canisters.

/// How many bytes of an interface are left without its comments.
#[doc(hidden)]
pub const fn bare_length(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut at, mut kept) = (0, 0);
    while at < text.len() {
        at = behind_comment(text, at);
        if at < text.len() {
            (at, kept) = (at + 1, kept + 1);
        }
    }
    kept
}

/// The bytes of an interface without its comments, as an array, which is what a custom section is
/// made of. Comments are for who reads the `.did` file; whoever asks a canister wants its types.
#[doc(hidden)]
pub const fn section<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    let mut section = [0; N];
    let (mut at, mut kept) = (0, 0);
    while at < text.len() {
        at = behind_comment(text, at);
        if at < text.len() {
            section[kept] = text[at];
            (at, kept) = (at + 1, kept + 1);
        }
    }
    assert!(kept == N, "bug: the section is longer than its text");
    section
}

/// Where the text goes on behind a line that is a comment and no more; `at` itself elsewhere.
const fn behind_comment(text: &[u8], mut at: usize) -> usize {
    while at == 0 || text[at - 1] == b'\n' {
        let mut word = at;
        while word < text.len() && text[word] == b' ' {
            word += 1;
        }
        if word + 1 >= text.len() || text[word] != b'/' || text[word + 1] != b'/' {
            return at;
        }
        while word < text.len() && text[word] != b'\n' {
            word += 1;
        }
        at = if word < text.len() { word + 1 } else { word };
        if at >= text.len() {
            return at;
        }
    }
    at
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
            static SECTION: [u8; $crate::candid_service::bare_length(DID)] =
                $crate::candid_service::section(DID);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "// An interface.\ntype A = nat;\n  // A comment.\n  // Another.\n\nservice : { // and\n  \"a//b\" : () -> () };\n// The end.";

    #[test]
    fn comments_stay_at_home() {
        const SECTION: [u8; bare_length(DID)] = section(DID);
        let bare = "type A = nat;\n\nservice : { // and\n  \"a//b\" : () -> () };\n";
        assert_eq!(std::str::from_utf8(&SECTION), Ok(bare));
        assert_eq!(bare_length("// Nothing else.\n"), 0);
        assert_eq!(bare_length(""), 0);
    }
}
