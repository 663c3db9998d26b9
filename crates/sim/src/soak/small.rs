//! A failing seed of the wasm level made small: its rounds are cut, then faults and deeds are left out,
//! and what faults are left hold for a shorter while.

use super::deed::Deed;
use super::faults::Fault;
use super::{Modules, Story, replay};
use crate::model::Failure;
use crate::shrink::{Parts, Shrinker};
use std::ops::Range;

/// Replays that shrinking may take, of a few seconds each.
pub const TRIALS_MAX: u32 = 60;
/// A fault that holds for fewer rounds is not cut any more.
const ROUNDS_MIN: u64 = 10;
/// The lists of a story: its faults; the other one is that of its deeds.
const FAULTS: usize = 0;

/// The smallest story found in so many replays that fails as `story` does, and how; none = the story
/// does not fail when it is replayed, or may not be.
pub fn shrink(
    story: Story,
    failure: &Failure,
    modules: &Modules,
    trials_max: u32,
) -> Option<(Failure, Story)> {
    let again = |story: &Story| replay(story, modules).err();
    let mut shrinker = Shrinker::new(&failure.checker, trials_max, &again);
    if !shrinker.fails(&story) {
        return None;
    }
    let story = cut(&mut shrinker, story);
    let story = shrinker.drop_parts(story);
    let story = narrow(&mut shrinker, story);
    let story = cut(&mut shrinker, story);
    Some((shrinker.into_failure()?, story))
}

/// The rest comes sooner, as soon as it may: a failure in the rounds before it is at their end anyhow.
fn cut(shrinker: &mut Shrinker<'_, Story>, story: Story) -> Story {
    let last = story.deeds.last().map_or(0, |(round, _)| round + 1);
    let shares = [story.rounds / 8, story.rounds / 4, story.rounds / 2, last];
    let mut lengths = shares.to_vec();
    lengths.sort_unstable();
    lengths.retain(|rounds| story.rests && *rounds < story.rounds);
    let shorter = lengths.into_iter().map(|rounds| story.cut(rounds));
    let shorter = shorter.into_iter().find(|shorter| shrinker.fails(shorter));
    shorter.unwrap_or(story)
}

/// Faults hold for half as long, and again, while that is enough.
fn narrow(shrinker: &mut Shrinker<'_, Story>, mut story: Story) -> Story {
    for index in 0..story.faults.len() {
        loop {
            let rounds = story.faults[index].rounds.clone();
            let middle = rounds.start.midpoint(rounds.end);
            if middle - rounds.start < ROUNDS_MIN {
                break;
            }
            let halves = [rounds.start..middle, middle..rounds.end];
            let halves = halves.map(|half| {
                let mut smaller = story.clone();
                smaller.faults[index].rounds = half;
                smaller
            });
            let Some(smaller) = halves.into_iter().find(|half| shrinker.fails(half)) else {
                break;
            };
            story = smaller;
        }
    }
    story
}

impl Story {
    /// The same, of fewer rounds.
    fn cut(&self, rounds: u64) -> Story {
        let faults = self.faults.iter().cloned().map(|fault| Fault {
            rounds: fault.rounds.start..fault.rounds.end.min(rounds),
            ..fault
        });
        let is_before = |(at, _): &&(u64, Deed)| *at < rounds;
        Story {
            rounds,
            faults: faults.filter(|fault| !fault.rounds.is_empty()).collect(),
            deeds: self.deeds.iter().filter(is_before).cloned().collect(),
            ..self.clone()
        }
    }
}

impl Parts for Story {
    const LISTS: usize = 2;

    fn count(&self, list: usize) -> usize {
        [self.faults.len(), self.deeds.len()][list]
    }

    fn without(&self, list: usize, parts: Range<usize>) -> Self {
        let mut smaller = self.clone();
        if list == FAULTS {
            smaller.faults.drain(parts);
        } else {
            smaller.deeds.drain(parts);
        }
        smaller
    }
}
