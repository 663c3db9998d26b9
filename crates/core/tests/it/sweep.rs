//! The sweeper: its bytes are its source, and what canisters hold too much comes back.

use hatchery_core::{SWEEPER, SWEEPER_HASH};
use hatchery_types::ModuleHash;
use sha2::{Digest, Sha256};

/// `UPDATE_EXPECT=1` builds the module again; the hash in the code is then changed by hand.
#[test]
fn p26_the_sweeper_is_what_its_source_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sweeper/");
    let source = std::fs::read_to_string(format!("{folder}sweeper.wat")).expect("the source");
    let built = wat::parse_str(&source).expect("the source is right");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(format!("{folder}sweeper.wasm"), &built).expect("the folder is there");
    }
    assert!(built == SWEEPER, "run with UPDATE_EXPECT=1, and then again");
    assert_eq!(ModuleHash(Sha256::digest(SWEEPER).into()), SWEEPER_HASH);
    assert!(SWEEPER.len() < 1_024, "{} bytes", SWEEPER.len());
}
