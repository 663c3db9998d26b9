//! A story made small: parts of it are left out, halves first, then ever smaller ones, as long as the
//! same checker complains. What a story is made of, and how it is replayed, it knows itself.

use crate::model::Failure;
use std::ops::Range;

/// What has lists of parts that can be left out.
pub(crate) trait Parts: Clone {
    /// How many lists.
    const LISTS: usize;

    /// How many parts are in a list.
    fn count(&self, list: usize) -> usize;

    /// The story without those parts of a list.
    #[must_use]
    fn without(&self, list: usize, parts: Range<usize>) -> Self;
}

/// Replays smaller and smaller stories.
pub(crate) struct Shrinker<'a, S> {
    replay: &'a dyn Fn(&S) -> Option<Failure>,
    checker: String,
    trials_left: u32,
    /// How the smallest story so far fails.
    failure: Option<Failure>,
}

impl<'a, S: Parts> Shrinker<'a, S> {
    /// Nothing is shrunk yet; at most so many replays, of which each must fail by that checker.
    pub(crate) fn new(
        checker: &str,
        trials_max: u32,
        replay: &'a dyn Fn(&S) -> Option<Failure>,
    ) -> Self {
        Shrinker {
            replay,
            checker: checker.to_owned(),
            trials_left: trials_max,
            failure: None,
        }
    }

    /// How the last story failed of which [`Shrinker::fails`] said so.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    /// The story still fails by the same checker, as far as may still be tried.
    pub(crate) fn fails(&mut self, story: &S) -> bool {
        if self.trials_left == 0 {
            return false;
        }
        self.trials_left -= 1;
        let failure = (self.replay)(story).filter(|failure| failure.checker == self.checker);
        let is_same = failure.is_some();
        self.failure = failure.or(self.failure.take());
        is_same
    }

    /// The story without what it fails without, too.
    pub(crate) fn drop_parts(&mut self, mut story: S) -> S {
        let sizes = |story: &S| -> Vec<usize> { (0..S::LISTS).map(|it| story.count(it)).collect() };
        loop {
            let before = sizes(&story);
            for list in 0..S::LISTS {
                story = self.drop_of(list, story);
            }
            if sizes(&story) == before {
                return story;
            }
        }
    }

    fn drop_of(&mut self, list: usize, mut story: S) -> S {
        let mut size = story.count(list);
        while size > 0 {
            let mut at = 0;
            while at < story.count(list) {
                let end = (at + size).min(story.count(list));
                let smaller = story.without(list, at..end);
                if self.fails(&smaller) {
                    story = smaller;
                } else {
                    at = end;
                }
            }
            size /= 2;
        }
        story
    }
}
