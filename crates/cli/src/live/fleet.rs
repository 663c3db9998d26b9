//! The loop of the live view on a network: one thread asks root, this one draws and hears keys. It
//! leaves the terminal as it found it, also after a panic.

use super::view::{self, Pace};
use super::{Asked, Controls, Mischief, Recording, Story};
use anyhow::Context;
use hatchery_api::PoolView;
use hatchery_sim::demo::Frame;
use hatchery_types::Nanos;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(100);
/// Time between two questions to root.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A fleet as it is now.
pub(crate) struct Now {
    pub(crate) frame: Frame,
    pub(crate) pools: Vec<PoolView>,
    pub(crate) at: Nanos,
}

/// Where a live view has its fleet from.
pub(crate) trait Source: Send {
    /// The fleet now.
    ///
    /// # Errors
    /// It cannot be asked.
    fn read(&mut self) -> anyhow::Result<Now>;

    /// Does harm; what was done is told with the next frame.
    fn harm(&mut self, mischief: Mischief);

    /// Whether harm can be done.
    fn may_harm(&self) -> bool;

    /// Whether the end was asked for from elsewhere.
    fn is_over(&self) -> bool;
}

/// Shows a fleet until a key or a signal ends it.
///
/// # Errors
/// The terminal cannot show it, or the fleet cannot be asked.
pub(crate) fn show(
    source: &mut dyn Source,
    story: &mut Story,
    recording: &mut Recording,
) -> anyhow::Result<()> {
    let controls = Controls::new(source.may_harm());
    let mut terminal = ratatui::try_init().context("the terminal cannot show a live view")?;
    let shown = std::thread::scope(|scope| {
        let (harm, harms) = channel();
        let (news, frames) = channel();
        let asking = scope.spawn(move || ask(source, &harms, &news));
        let ended = draw(&mut terminal, story, recording, controls, &frames, &harm);
        drop(harm);
        drop(frames);
        let asked = asking
            .join()
            .map_err(|_| anyhow::anyhow!("bug: the asking thread panicked"))?;
        ended.and(asked)
    });
    ratatui::restore();
    shown
}

/// Reads the fleet again and again until nobody listens.
fn ask(
    source: &mut dyn Source,
    harms: &Receiver<Mischief>,
    news: &Sender<Now>,
) -> anyhow::Result<()> {
    loop {
        if source.is_over() || news.send(source.read()?).is_err() {
            return Ok(());
        }
        match harms.recv_timeout(ASK_EVERY) {
            Ok(mischief) => source.harm(mischief),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn draw(
    terminal: &mut DefaultTerminal,
    story: &mut Story,
    recording: &mut Recording,
    mut controls: Controls,
    frames: &Receiver<Now>,
    harm: &Sender<Mischief>,
) -> anyhow::Result<()> {
    loop {
        loop {
            match frames.try_recv() {
                Ok(now) if !controls.paused => {
                    recording.add(&now.frame);
                    story.pools = now.pools;
                    story.add(now.frame, now.at);
                }
                Ok(now) => recording.add(&now.frame),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        terminal.draw(|frame| view::draw(frame, story, Pace::Real, &controls))?;
        if !event::poll(FRAME)? {
            continue;
        }
        match controls.hear(&event::read()?) {
            Some(Asked::Quit) => return Ok(()),
            Some(Asked::Harm(mischief)) => drop(harm.send(mischief)),
            _ => {}
        }
    }
}
