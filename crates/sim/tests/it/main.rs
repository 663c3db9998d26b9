//! The worlds under test: the model with every checker, the real wasm on the engine, the demo.

mod demo;
mod exhaustive;
mod http;
mod model;
mod planted;
mod wasm;
mod world;
