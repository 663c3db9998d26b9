//! A progress bar on a terminal, nothing elsewhere; and the clock for figures per second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A bar of that many.
pub(crate) fn bar(count: u64, unit: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    let template = format!("{{bar:32.green/black.bright}} {{pos}}/{{len}} {unit}  {{eta}}");
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style.progress_chars("━━━")),
        Err(_) => bar,
    }
}

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one figure that is of the wall clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How many a second.
pub(crate) fn per_second(count: u64, took: Duration) -> u64 {
    (count as f64 / took.as_secs_f64().max(0.001)) as u64
}
