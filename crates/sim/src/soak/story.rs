//! A seed of the wasm level as text: its faults, and what was done in which round. A human reads it, a
//! test replays it.
//!
//! ```text
//! seed 17
//! rounds 340
//! fault report-traps 35000 0..340
//! at 12 command op-3 x1 recycle c14
//! at 60 upgrade forced
//! at 61 meddle deleted c33
//! rest
//! ```
//!
//! A fault strikes so many calls of a million, drawn from the seed, in those rounds; `rest` = then the
//! faults stop, and the fleet must come to rest.

use super::deed::Deed;
use super::faults::{Fault, is_known};
use super::words;

/// A seed that can be read and replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Of the engine and of what the faults strike.
    pub seed: u64,
    /// Rounds with faults and deeds.
    pub rounds: u64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is done before which round, in order.
    pub deeds: Vec<(u64, Deed)>,
    /// Then faults end and the fleet must come to rest.
    pub rests: bool,
}

impl Story {
    /// The text.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("seed {}", self.seed),
            format!("rounds {}", self.rounds),
        ];
        lines.extend(self.faults.iter().map(|fault| {
            let (from, until) = (fault.rounds.start, fault.rounds.end);
            format!("fault {} {} {from}..{until}", fault.name, fault.share)
        }));
        let deeds = self.deeds.iter();
        lines.extend(deeds.map(|(round, deed)| format!("at {round} {}", words::write(deed))));
        lines.extend(self.rests.then(|| "rest".to_owned()));
        lines.join("\n") + "\n"
    }

    /// Reads a text; lines that begin with `#` are for people.
    ///
    /// # Errors
    /// The first line that is none, with its number.
    pub fn read(text: &str) -> Result<Story, String> {
        let mut story = Story {
            seed: 0,
            rounds: 0,
            faults: Vec::new(),
            deeds: Vec::new(),
            rests: false,
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = story.read_line(line);
            read.ok_or_else(|| format!("line {}: `{line}` means nothing", number + 1))?;
        }
        // A deed waits for its round: the order of lines is that of rounds.
        story.deeds.sort_by_key(|(round, _)| *round);
        Ok(story)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["seed", seed] => self.seed = seed.parse().ok()?,
            ["rounds", rounds] => self.rounds = rounds.parse().ok()?,
            ["rest"] => self.rests = true,
            ["fault", name, share, rounds] if is_known(name) => {
                let (from, until) = rounds.split_once("..")?;
                self.faults.push(Fault {
                    name: (*name).to_owned(),
                    share: share.parse().ok()?,
                    rounds: from.parse().ok()?..until.parse().ok()?,
                });
            }
            ["at", round, deed @ ..] => {
                let deed = words::read(deed)?;
                self.deeds.push((round.parse().ok()?, deed));
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Story;

    /// Every word there is.
    const TEXT: &str = "\
seed 17
rounds 340
fault report-traps 35000 0..340
fault callback-traps 900 20..40
at 1 upgrade forced
at 1 upgrade polite
at 2 jump 600
at 2 meddle deleted c5
at 2 meddle uninstalled c5
at 2 meddle stopped c5
at 2 meddle taken-over c5
at 2 meddle controller-added c5
at 2 meddle topped-up c5
at 3 command op-1 x1 create-empty
at 3 command op-2 x2 recycle c5
at 3 command op-3 x1 import c5 c6
at 3 command op-4 x1 import-now c5
at 3 command op-5 x1 delete c5
at 3 command op-6 x1 export c5 home
at 3 command op-7 x1 drain-surplus
at 3 command op-8 x1 pause
at 3 command op-9 x1 resume
at 3 command op-10 x1 requeue-all
at 4 ask c5/3 child-1 child
at 4 ask c5/3 end-1 end c6
at 4 ask c5/3 move-1 move c6
at 4 ask c5/3 move-all-1 move-all
at 5 lease lease-1 x2 3
at 5 release c5 c6
at 5 protect c5/3
at 5 count c5/3
at 5 burn c5 3T
at 6 roll-out good-7 by-itself
at 6 roll-out traps when-asked
at 6 roll-out sick when-asked
at 6 roll-out corrupts by-itself
at 7 bounds 1 35..50 standby 2
rest
";

    #[test]
    fn a_story_is_what_its_text_says() {
        let story = Story::read(TEXT).expect("it means something");
        assert_eq!(story.text(), TEXT);
        assert_eq!(Story::read(&story.text()), Ok(story));
    }

    #[test]
    fn what_means_nothing_is_said_with_its_line() {
        for line in ["at 3 sing", "fault none 3 0..4", "at x jump 3", "rest now"] {
            let read = Story::read(&format!("seed 1\n\n{line}\n"));
            let told = format!("line 3: `{line}` means nothing");
            assert_eq!(read, Err(told));
        }
    }
}
