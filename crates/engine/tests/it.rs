//! Integration tests of the engine.

mod machine;
mod subnet;
