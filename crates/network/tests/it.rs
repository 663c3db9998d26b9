//! The network from outside: every test speaks HTTP to a network in this process, or to the program.

#[path = "it/agents.rs"]
mod agents;
#[path = "it/browsers.rs"]
mod browsers;
#[path = "it/client.rs"]
mod client;
#[path = "it/folder.rs"]
mod folder;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/slow.rs"]
mod slow;
#[path = "it/stand_ins.rs"]
mod stand_ins;
