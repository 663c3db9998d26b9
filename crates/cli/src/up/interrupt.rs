//! Ctrl-C and the polite end: heard once, so that what is under way is saved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a program that a key ended.
const STOPPED: i32 = 130;

/// Whether the end was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen; the second signal ends the program where it is.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn listen() -> anyhow::Result<Interrupt> {
        let asked = Interrupt::default();
        let heard = asked.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listen = move || {
            runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                let mut terminate = signal(SignalKind::terminate())?;
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if heard.0.swap(true, Ordering::Relaxed) {
                        std::process::exit(STOPPED);
                    }
                }
                #[expect(unreachable_code, reason = "it names the type of the error")]
                Ok::<(), std::io::Error>(())
            })
        };
        std::thread::Builder::new()
            .name("hatchery-signals".to_owned())
            .spawn(listen)?;
        Ok(asked)
    }

    /// Whether the end was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
