//! A failing seed made small: its actions and fates are what its story is made of.

use super::fate::Fate;
use super::script::Story;
use super::swarm::{Fault, Swarm};
use super::world::{Failure, Report, Watch, World};
use crate::shrink::{Parts, Shrinker};
use std::ops::Range;

/// The list of a story's actions; the other one is that of its fates.
const ACTIONS: usize = 0;

/// Replays that shrinking may take.
const TRIALS_MAX: u32 = 2_000;

/// The failure of a seed, and the smallest story found that ends in one of the same checker. None
/// if the seed does not fail.
pub fn shrink(seed: u64, steps: u64) -> Option<(Failure, Story)> {
    let (ended, story) = tell(seed, steps);
    let failure = ended.err()?;
    let replay = |story: &Story| story.replay().err();
    let mut shrinker = Shrinker::new(&failure.checker, TRIALS_MAX, &replay);
    if !shrinker.fails(&story) {
        return None;
    }
    let whole = Story {
        splits: 0,
        ..story.clone()
    };
    let story = if shrinker.fails(&whole) { whole } else { story };
    let story = shrinker.drop_parts(story);
    Some((shrinker.into_failure()?, story))
}

/// How a seed ends, and the seed as a story, which ends in the same bytes.
pub fn tell(seed: u64, steps: u64) -> (Result<Report, Failure>, Story) {
    let mut world = World::unborn(seed, Swarm::new(seed), Watch::Closely);
    world.keep();
    let mut rests = false;
    let mut run = || -> Result<(), Failure> {
        world.begin()?;
        for _ in 0..steps {
            world.step()?;
        }
        rests = true;
        world.converge()
    };
    let ended = run();
    let splits = Swarm::new(seed).permille(Fault::TickSplit);
    let mut fates = world.platform.recorded();
    fates.retain(|_, fate| *fate != Fate::GOOD);
    let actions = world.kept().to_vec();
    let story = Story {
        seed,
        splits,
        fates,
        actions,
        rests,
    };
    (ended.map(|()| world.report()), story)
}

impl Parts for Story {
    const LISTS: usize = 2;

    fn count(&self, list: usize) -> usize {
        [self.actions.len(), self.fates.len()][list]
    }

    fn without(&self, list: usize, parts: Range<usize>) -> Self {
        let mut smaller = self.clone();
        if list == ACTIONS {
            smaller.actions.drain(parts);
        } else {
            let fates = self.fates.iter().enumerate();
            let kept = fates.filter(|(index, _)| !parts.contains(index));
            smaller.fates = kept.map(|(_, (name, fate))| (*name, *fate)).collect();
        }
        smaller
    }
}
