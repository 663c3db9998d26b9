//! What a run is measured by: counts of jobs, of what workers cost, of moves and of want.

use super::load::SECOND;

/// Moves in one direction less than this apart are one action.
const ACTION_GAP: u64 = 15 * SECOND;
/// The usual stabilisation window, in which a policy should not turn back twice.
const WINDOW: u64 = 300 * SECOND;

/// Counts of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) arrived: u64,
    pub(super) served: u64,
    pub(super) late: u64,
    pub(super) worker_ns: u64,
    /// When the pool moved, and whether up.
    moves: Vec<(u64, bool)>,
    actions: u64,
    /// Spells in which fewer served than the load needed.
    spells: u64,
    /// Seconds of all of them.
    short_s: u64,
    is_short: bool,
}

impl Tally {
    /// The policy changed the size of the pool.
    pub(super) fn moved(&mut self, now: u64, up: bool) {
        let goes_on = self
            .moves
            .last()
            .is_some_and(|(at, was_up)| *was_up == up && now - at < ACTION_GAP);
        self.actions += u64::from(!goes_on);
        self.moves.push((now, up));
    }

    /// Once a second: how many serve, how many would have to.
    pub(super) fn look(&mut self, serving: u32, needed: u32) {
        let short = serving < needed;
        self.spells += u64::from(short && !self.is_short);
        self.short_s += u64::from(short);
        self.is_short = short;
    }

    pub(super) fn actions(&self) -> u64 {
        self.actions
    }

    /// Times the direction changed.
    pub(super) fn reversals(&self) -> u64 {
        self.turns().count() as u64
    }

    /// Most times within one window that the pool grew after it had shrunk.
    pub(super) fn reversals_in_a_window(&self) -> u64 {
        let regrown: Vec<u64> = self
            .turns()
            .filter(|(_, up)| *up)
            .map(|(at, _)| at)
            .collect();
        let within = |from: &u64| {
            let until = from + WINDOW;
            regrown
                .iter()
                .filter(|at| (*from..until).contains(*at))
                .count()
        };
        regrown.iter().map(within).max().unwrap_or(0) as u64
    }

    fn turns(&self) -> impl Iterator<Item = (u64, bool)> {
        self.moves
            .windows(2)
            .filter(|two| two[0].1 != two[1].1)
            .map(|two| two[1])
    }

    pub(super) fn spells(&self) -> (u64, u64) {
        (self.spells, self.short_s)
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, Tally};

    #[test]
    fn moves_are_actions_and_turns() {
        let mut tally = Tally::default();
        for (second, up) in [
            (0, true),
            (2, true),
            (40, true),
            (400, false),
            (420, true),
            (500, false),
            (510, true),
        ] {
            tally.moved(second * SECOND, up);
        }
        assert_eq!(tally.actions(), 6);
        assert_eq!(tally.reversals(), 4);
        assert_eq!(tally.reversals_in_a_window(), 2);
    }

    #[test]
    fn want_is_counted_by_spell() {
        let mut tally = Tally::default();
        for (serving, needed) in [(1, 2), (1, 2), (2, 2), (2, 3), (3, 3)] {
            tally.look(serving, needed);
        }
        assert_eq!(tally.spells(), (2, 3));
    }
}
