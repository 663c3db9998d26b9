//! The worlds under test: the model with every checker, the real wasm on the engine, the demo.

mod authority;
mod books;
mod clockwork;
mod decisions;
mod demo;
mod exhaustive;
mod hostile;
mod http;
mod hub;
mod lab;
mod large;
mod model;
mod own_root;
mod planted;
mod pool;
mod quiet;
mod recovery;
mod requests;
mod script;
mod soak;
mod tenants;
mod upgrades;
mod wasm;
mod what_if;
mod world;
mod zero_touch;
