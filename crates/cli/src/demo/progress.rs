//! A run without the live view, as fast as it goes: a progress bar on a terminal, else a line
//! every half minute of virtual time. Both on standard error.

use crate::live::Recording;
use crate::live::story::{Story, minutes};
use hatchery_sim::demo::{Demo, SECONDS_MAX};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Virtual seconds between two lines.
const LINE_EVERY: u64 = 30;

/// Runs to the end; true.
pub(super) fn show(
    demo: &mut Demo,
    story: &mut Story,
    recording: &mut Recording,
) -> anyhow::Result<bool> {
    let on_terminal = std::io::stderr().is_terminal();
    let target = if on_terminal {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(SECONDS_MAX), target).with_style(style()?);
    while !demo.is_over() {
        story.step(demo)?;
        recording.add(&story.frame);
        bar.set_position(story.seconds());
        bar.set_message(line(story));
        let notice = story.frame.notice.as_deref();
        if let Some(notice) = notice.filter(|_| on_terminal) {
            bar.println(format!("{} {notice}", minutes(story.seconds())));
        }
        if !on_terminal && (story.seconds().is_multiple_of(LINE_EVERY) || notice.is_some()) {
            let notice = notice
                .map(|notice| format!("  << {notice}"))
                .unwrap_or_default();
            eprintln!("{:>5} {}{notice}", minutes(story.seconds()), line(story));
        }
    }
    bar.finish_and_clear();
    Ok(true)
}

fn style() -> anyhow::Result<ProgressStyle> {
    Ok(
        ProgressStyle::with_template("{bar:24.green/black.bright} {pos:>3} s  {msg}")?
            .progress_chars("━━━"),
    )
}

fn line(story: &Story) -> String {
    let frame = &story.frame;
    format!(
        "load {:>3} · desired {:>2} · in service {:>2} · draining {:>2} · ready {:>2} · jobs {}/{} · \
         accounted {}/{}",
        frame.load,
        frame.desired,
        frame.in_service,
        frame.draining,
        frame.ready,
        frame.jobs_done,
        frame.jobs_submitted,
        frame.accounted,
        frame.canisters
    )
}
