//! `fleet.toml`.
