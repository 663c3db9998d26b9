//! The live view's loop: steps the demo in time with the wall clock, draws, hears keys. It leaves
//! the terminal as it found it, also after a panic.

use super::clock::Clock;
use crate::live::harm::{self, Parties};
use crate::live::view::{self, Pace};
use crate::live::{Asked, Controls, Mischief, Recording, Story};
use anyhow::Context;
use hatchery_sim::demo::{Demo, ROUNDS_PER_SECOND};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use std::time::Duration;

/// Virtual seconds in a real one; the default shows a run in about a minute.
const SPEEDS: [u32; 8] = [1, 2, 4, 6, 8, 12, 20, 40];
const SPEED_DEFAULT: usize = 3;
/// Real time between two pictures.
const FRAME: Duration = Duration::from_millis(40);
/// Steps may take so long, in seconds, before keys are heard and a picture is drawn.
const STEPS_SECONDS_MAX: f64 = 0.1;
/// Calls fail for so many rounds of the engine: ten seconds.
const FAIL_ROUNDS: u64 = 10 * ROUNDS_PER_SECOND;
/// The last picture stays for so long, or until a key.
const LAST_FRAME: Duration = Duration::from_millis(2_500);

/// Shows the demo; false if a key ended it early.
pub(super) fn show(
    demo: &mut Demo,
    story: &mut Story,
    recording: &mut Recording,
) -> anyhow::Result<bool> {
    let mut terminal = ratatui::try_init().context("the terminal cannot show a live view")?;
    let shown = Live::new(demo, story, recording).run(&mut terminal);
    ratatui::restore();
    shown
}

struct Live<'d> {
    demo: &'d mut Demo,
    story: &'d mut Story,
    recording: &'d mut Recording,
    speed: usize,
    controls: Controls,
    /// Virtual seconds that should have passed.
    due: f64,
}

impl<'d> Live<'d> {
    fn new(demo: &'d mut Demo, story: &'d mut Story, recording: &'d mut Recording) -> Self {
        Live {
            demo,
            story,
            recording,
            speed: SPEED_DEFAULT,
            controls: Controls::new(true),
            due: 1.0,
        }
    }

    fn run(&mut self, terminal: &mut DefaultTerminal) -> anyhow::Result<bool> {
        let clock = Clock::start();
        let mut last = clock.seconds();
        while !self.demo.is_over() {
            self.step_until_due()?;
            self.draw(terminal)?;
            if event::poll(FRAME)? && self.hear()? {
                return Ok(false);
            }
            let now = clock.seconds();
            if !self.controls.paused {
                self.due += (now - last) * f64::from(SPEEDS[self.speed]);
            }
            last = now;
        }
        self.draw(terminal)?;
        event::poll(LAST_FRAME)?;
        Ok(true)
    }

    fn step_until_due(&mut self) -> anyhow::Result<()> {
        let clock = Clock::start();
        while (self.story.seconds() as f64) < self.due.floor() && !self.demo.is_over() {
            self.story.step(self.demo)?;
            self.recording.add(&self.story.frame);
            if clock.seconds() > STEPS_SECONDS_MAX {
                // A slow machine: go on from here instead of hurrying after the clock.
                self.due = self.story.seconds() as f64;
            }
        }
        Ok(())
    }

    fn draw(&mut self, terminal: &mut DefaultTerminal) -> anyhow::Result<()> {
        let pace = Pace::Virtual(SPEEDS[self.speed]);
        terminal.draw(|frame| view::draw(frame, self.story, pace, &self.controls))?;
        Ok(())
    }

    /// Takes a key; true = end.
    fn hear(&mut self) -> anyhow::Result<bool> {
        let event = event::read()?;
        self.take(&event)
    }

    fn take(&mut self, event: &Event) -> anyhow::Result<bool> {
        match self.controls.hear(event) {
            Some(Asked::Quit) => return Ok(true),
            Some(Asked::Faster) => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Some(Asked::Slower) => self.speed = self.speed.saturating_sub(1),
            Some(Asked::Harm(mischief)) => self.harm(mischief)?,
            None => {}
        }
        Ok(false)
    }

    fn harm(&mut self, mischief: Mischief) -> anyhow::Result<()> {
        let world = self.demo.world_mut();
        let of = Parties {
            root: world.root.0,
            operator: world.operator,
        };
        let engine = &mut world.engine;
        let notice = match mischief {
            Mischief::Upgrade => {
                let open = self.demo.upgrade_by_force()?;
                format!("root upgraded by force, {open} effects open")
            }
            Mischief::Fail => {
                let now = engine.round();
                let rule = harm::refusal(of.root).rounds(now, now + FAIL_ROUNDS);
                engine.faults().add(rule);
                "the platform refuses root's calls for 10 s".to_owned()
            }
            Mischief::Kill | Mischief::Delete => harm::strike(engine, of, mischief)?,
        };
        self.demo.tell(notice);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
