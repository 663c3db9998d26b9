//! A gate on the way to a network, which counts what goes through.
//!
//! Owns bytes and requests, not what they say: every request of ours is a POST, and bodies are CBOR,
//! in which those five letters and the path behind them do not stand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const REQUEST: &[u8] = b"POST /api/";

/// What went through so far.
#[derive(Default)]
struct Counted {
    requests: AtomicU64,
    answer_bytes: AtomicU64,
}

/// A gate that stands as long as the test runs.
pub(crate) struct Toll {
    url: String,
    counted: Arc<Counted>,
}

impl Toll {
    /// In front of the network at an address such as `http://127.0.0.1:4943`.
    #[expect(
        clippy::disallowed_methods,
        reason = "both sides of a connection are passed on while a program waits for them"
    )]
    pub(crate) fn before(url: &str) -> Toll {
        let network = url.strip_prefix("http://").expect("an address").to_owned();
        let gate = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", gate.local_addr().expect("it has one"));
        let counted = Arc::<Counted>::default();
        let told = counted.clone();
        std::thread::spawn(move || {
            for client in gate.incoming().flatten() {
                let network = TcpStream::connect(&network).expect("the network runs");
                let (from, to) = (client.try_clone(), network.try_clone());
                let (from, to) = (from.expect("a socket"), to.expect("a socket"));
                let there = told.clone();
                std::thread::spawn(move || {
                    let mut tail = Vec::new();
                    pass(from, to, |bytes| there.count_requests(&mut tail, bytes));
                });
                let back = told.clone();
                std::thread::spawn(move || {
                    pass(network, client, |bytes| {
                        back.answer_bytes
                            .fetch_add(bytes.len() as u64, Ordering::SeqCst);
                    });
                });
            }
        });
        Toll { url, counted }
    }

    /// How it is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Requests and bytes of answers since it was asked last.
    pub(crate) fn take(&self) -> (u64, u64) {
        let take = |it: &AtomicU64| it.swap(0, Ordering::SeqCst);
        (
            take(&self.counted.requests),
            take(&self.counted.answer_bytes),
        )
    }
}

impl Counted {
    /// `tail` is the end of what came before, which may hold the beginning of a request.
    fn count_requests(&self, tail: &mut Vec<u8>, bytes: &[u8]) {
        tail.extend_from_slice(bytes);
        let found = tail.windows(REQUEST.len()).filter(|it| *it == REQUEST);
        self.requests
            .fetch_add(found.count() as u64, Ordering::SeqCst);
        let kept = tail.len().saturating_sub(REQUEST.len() - 1);
        tail.drain(..kept);
    }
}

/// Passes on what comes until it ends.
fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        // Counted before it is passed on, so that whoever got it finds it counted.
        seen(&buffer[..count]);
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}
