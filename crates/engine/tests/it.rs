//! Integration tests of the engine.

mod machine;
