//! The work: how many jobs come each second, what they are, and what their results must be. It
//! knows no fleet.

use crate::dice::Dice;
use sha2::{Digest, Sha256};

/// Seconds before the first job: the warm pool fills.
const BEGINS: u64 = 20;
/// The wave rises until here,
const TOP: u64 = 80;
/// stays until here,
const FALLS: u64 = 200;
/// and is over here.
const ENDS: u64 = 290;
/// Jobs a second at the top, in thousandths.
const TOP_PERMILLE: u64 = 3_000;
/// Jobs a second at the foot, in thousandths.
const FOOT_PERMILLE: u64 = 300;
/// Whole batches that come at once, on top of the wave: second and jobs. They make the fleet grow in
/// strides, so that several installs are open together.
const BATCHES: [(u64, u64); 3] = [(60, 60), (100, 50), (140, 40)];
/// Hashes a job takes: about two seconds of a worker.
const TIMES: (u64, u64) = (1_500, 2_500);
/// Bytes of a document.
const DOCUMENT_BYTES: (u64, u64) = (100, 2_000);

/// One job: a document to hash many times over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Unique in the demo.
    pub id: u64,
    /// What to hash.
    pub document: Vec<u8>,
    /// How often.
    pub times: u32,
}

impl Job {
    /// Its id on the wire.
    pub fn name(&self) -> String {
        format!("job-{:05}", self.id)
    }

    /// What a worker must answer, computed here and by nothing that the worker uses.
    pub fn expected(&self) -> Vec<u8> {
        let mut digest = Sha256::digest(&self.document);
        for _ in 1..self.times {
            digest = Sha256::digest(digest);
        }
        digest.to_vec()
    }
}

/// The load over time.
#[derive(Debug)]
pub struct Wave {
    dice: Dice,
    next: u64,
    owed_permille: u64,
}

impl Wave {
    /// The wave of a seed.
    pub fn new(seed: u64) -> Self {
        Wave {
            dice: Dice::new(seed, 10),
            next: 0,
            owed_permille: 0,
        }
    }

    /// The jobs that come in this second; seconds are asked for once each, in order.
    pub fn jobs_of(&mut self, second: u64) -> Vec<Job> {
        self.owed_permille += rate_permille(second);
        let batch = BATCHES
            .iter()
            .find(|(at, _)| *at == second)
            .map_or(0, |(_, jobs)| *jobs);
        let count = batch + self.owed_permille / 1_000;
        self.owed_permille %= 1_000;
        (0..count).map(|_| self.draw()).collect()
    }

    fn draw(&mut self) -> Job {
        let bytes = self.dice.between(DOCUMENT_BYTES.0, DOCUMENT_BYTES.1);
        let document = (0..bytes).map(|_| self.dice.below(256) as u8).collect();
        let times = self.dice.between(TIMES.0, TIMES.1) as u32;
        self.next += 1;
        Job {
            id: self.next,
            document,
            times,
        }
    }

    /// Between its beginning and its end.
    pub fn is_on(&self, second: u64) -> bool {
        (BEGINS..ENDS).contains(&second)
    }

    /// No more jobs come.
    pub fn is_over(&self, second: u64) -> bool {
        second >= ENDS
    }
}

/// Jobs a second, in thousandths: a trapezium.
fn rate_permille(second: u64) -> u64 {
    let height = TOP_PERMILLE - FOOT_PERMILLE;
    match second {
        BEGINS..TOP => FOOT_PERMILLE + height * (second - BEGINS) / (TOP - BEGINS),
        TOP..FALLS => TOP_PERMILLE,
        FALLS..ENDS => TOP_PERMILLE - height * (second - FALLS) / (ENDS - FALLS),
        _ => 0,
    }
}
