//! Integration tests of the engine.

mod fuzz;
mod machine;
mod subnet;
