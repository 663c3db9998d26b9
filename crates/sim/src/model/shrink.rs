//! A failing seed made small: actions and fates are dropped, halves first, then ever smaller parts,
//! as long as the same checker still complains.

use super::fate::{Fate, Script};
use super::script::Story;
use super::swarm::{Fault, Swarm};
use super::world::{Failure, Watch, World};

/// Replays that shrinking may take.
const TRIALS_MAX: u32 = 2_000;

/// The failure of a seed, and the smallest story found that ends in one of the same checker. None
/// if the seed does not fail.
pub fn shrink(seed: u64, steps: u64) -> Option<(Failure, Story)> {
    let (failure, story) = tell(seed, steps)?;
    let mut shrinker = Shrinker {
        checker: failure.checker,
        trials: 0,
    };
    let mut story = shrinker.fails(story)?;
    loop {
        let before = (story.actions.len(), story.fates.len());
        story = shrinker.drop_actions(story);
        story = shrinker.drop_fates(story);
        if (story.actions.len(), story.fates.len()) == before {
            break;
        }
    }
    let failure = story.replay().err()?;
    Some((failure, story))
}

/// The failing seed as a story.
fn tell(seed: u64, steps: u64) -> Option<(Failure, Story)> {
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
    let failure = run().err()?;
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
    Some((failure, story))
}

struct Shrinker {
    checker: String,
    trials: u32,
}

impl Shrinker {
    /// The story, if it still fails by the same checker.
    fn fails(&mut self, story: Story) -> Option<Story> {
        self.trials += 1;
        if self.trials > TRIALS_MAX {
            return None;
        }
        let failure = story.replay().err()?;
        (failure.checker == self.checker).then_some(story)
    }

    fn drop_actions(&mut self, mut story: Story) -> Story {
        let mut size = story.actions.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < story.actions.len() {
                let end = (at + size).min(story.actions.len());
                let mut smaller = story.clone();
                smaller.actions.drain(at..end);
                match self.fails(smaller) {
                    Some(smaller) => story = smaller,
                    None => at = end,
                }
            }
            size /= 2;
        }
        story
    }

    fn drop_fates(&mut self, mut story: Story) -> Story {
        let mut size = story.fates.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < story.fates.len() {
                let end = (at + size).min(story.fates.len());
                let kept = story.fates.iter().enumerate();
                let kept = kept.filter(|(index, _)| !(at..end).contains(index));
                let fates: Script = kept.map(|(_, (name, fate))| (*name, *fate)).collect();
                match self.fails(Story {
                    fates,
                    ..story.clone()
                }) {
                    Some(smaller) => story = smaller,
                    None => at = end,
                }
            }
            size /= 2;
        }
        story
    }
}
