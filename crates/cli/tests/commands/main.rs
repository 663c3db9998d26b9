//! The program as people run it: the real root on the embedded network, over HTTP.
//!
//! Owns scripts and their transcripts. What differs from run to run (times, amounts, hashes, ports)
//! is put away; the ids of canisters are the same each time.

mod book;
mod deploy;
mod every;
mod large;
mod operate;
mod parts;
mod stage;
mod toll;
mod tutorial;
