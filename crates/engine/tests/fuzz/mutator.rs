//! Random bytes without libFuzzer: seeds from `fuzz/seeds`, mutated by a seeded stream, so many that
//! `cargo test` stays quick. `HATCHERY_FUZZ_SECONDS=600 cargo test -p hatchery-engine fuzz` goes on
//! for ten minutes a target; a failure prints the bytes. What is done with them is the targets'.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Every seed as it is, then mutated ones.
pub(crate) fn fuzz(name: &str, inputs: u32, target: fn(&[u8])) {
    let seeds = seeds(name);
    assert!(seeds.len() > 2, "the seeds of {name} are missing");
    let stream_seed = variable("HATCHERY_FUZZ_SEED").unwrap_or(1);
    let mut stream = ChaCha8Rng::seed_from_u64(stream_seed);
    for seed in &seeds {
        run(name, seed, target);
    }
    match variable("HATCHERY_FUZZ_SECONDS") {
        None => (0..inputs).for_each(|_| run(name, &mutated(&seeds, &mut stream), target)),
        Some(seconds) => for_seconds(seconds, || run(name, &mutated(&seeds, &mut stream), target)),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "on demand only: how many inputs are tried is no part of any result"
)]
fn for_seconds(seconds: u64, mut act: impl FnMut()) {
    let start = std::time::Instant::now();
    let mut inputs = 0_u64;
    while start.elapsed().as_secs() < seconds {
        act();
        inputs += 1;
    }
    eprintln!("{inputs} inputs");
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("the variable is a number"))
}

fn run(name: &str, bytes: &[u8], target: fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        eprintln!("{name} failed on {bytes:02x?}");
        resume_unwind(panic);
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let files = std::fs::read_dir(folder.join(name)).expect("the seeds are there");
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("readable"))
        .collect()
}

fn below(stream: &mut ChaCha8Rng, bound: usize) -> usize {
    stream.next_u64() as usize % bound.max(1)
}

/// A seed with up to eight changes.
fn mutated(seeds: &[Vec<u8>], stream: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seeds[below(stream, seeds.len())].clone();
    for _ in 0..=below(stream, 8) {
        change(&mut bytes, seeds, stream);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], stream: &mut ChaCha8Rng) {
    let at = below(stream, bytes.len());
    let to = (at + 1 + below(stream, 32)).min(bytes.len());
    match below(stream, 8) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << below(stream, 8),
        1 if !bytes.is_empty() => bytes[at] = stream.next_u32() as u8,
        2 => drop(bytes.drain(at..to)),
        3 => {
            let copy = bytes[at..to].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => bytes.truncate(at),
        5 => {
            let other = &seeds[below(stream, seeds.len())];
            let from = below(stream, other.len());
            let end = (from + below(stream, 64)).min(other.len());
            bytes.splice(at..at, other[from..end].iter().copied());
        }
        6 => {
            // Numbers at the edges, as lengths and offsets.
            let edges = [
                0,
                1,
                0x7f,
                0x80,
                0xff,
                0xffff,
                1 << 20,
                0x7fff_ffff,
                u32::MAX,
            ];
            let edge = edges[below(stream, edges.len())].to_le_bytes();
            bytes.splice(at..(at + 4).min(bytes.len()), edge);
        }
        _ => {
            let mut random = [0; 8];
            stream.fill_bytes(&mut random);
            bytes.splice(at..at, random);
        }
    }
}
