//! The listening socket: connections, their limits, and reading what they send. However many there
//! are and however slow, memory is bounded and a newcomer gets a place.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::api::{Api, Reply};
use crate::network::NetworkError;
use crate::places::{Held, Place, Places};
use crate::site::{Page, Site, plain};

/// A request must begin, and its head be complete, within this.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A request's body must be complete within this.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest body: an ingress message of 2 MiB and what signs it.
const BODY_BYTES_MAX: usize = (2 << 20) + (512 << 10);
/// Bytes of a body that is too large which are read before its client is refused.
const FORGOTTEN_BYTES_MAX: usize = 32 << 20;
/// Bytes buffered per connection beside the body.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Pause after the system refused a connection, as when no more files can be open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The thread that has all connections; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `api` to whoever connects.
    ///
    /// # Errors
    /// The system gives us no thread.
    pub(crate) fn start(listener: std::net::TcpListener, api: Api) -> Result<Server, NetworkError> {
        let (stop, told_to_stop) = oneshot::channel();
        let site = Arc::new(Site { api });
        let thread = std::thread::Builder::new()
            .name("hatchery-http".to_owned())
            .spawn(move || run(listener, site, told_to_stop))
            .map_err(|_| NetworkError::Failed)?;
        Ok(Server {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was told on standard error; nobody else can be told.
            drop(thread.join());
        }
    }
}

fn run(listener: std::net::TcpListener, site: Arc<Site>, stop: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .expect("bug: this thread has no other runtime");
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => serve(listener, site, stop).await,
            Err(error) => eprintln!("error: the network cannot listen: {error}"),
        }
    });
}

/// Serves until `stop` is sent or dropped.
async fn serve(listener: TcpListener, site: Arc<Site>, stop: oneshot::Receiver<()>) {
    let places = Arc::new(Places::default());
    let accept = async {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                admit(stream, &places, &site);
            } else {
                places.close_slowest();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    };
    tokio::select! {
        () = accept => {}
        _ = stop => {}
    }
}

fn admit(stream: TcpStream, places: &Arc<Places>, site: &Arc<Site>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let site = Arc::clone(site);
    places.seat(|place| tokio::spawn(talk(stream, place, site)).abort_handle());
}

/// One connection, request after request.
async fn talk(stream: TcpStream, place: Place, site: Arc<Site>) {
    let service = service_fn(|request| {
        let (place, site) = (&place, &site);
        async move { Ok::<_, Infallible>(respond(request, place, site).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is its client's affair.
    drop(connection.await);
}

async fn respond(request: Request<Incoming>, place: &Place, site: &Site) -> Page {
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_TIMEOUT, read_body(body, place)).await;
    match read {
        Ok(Ok((body, _held))) => {
            let _busy = place.busy();
            site.answer(&head, &body).await
        }
        Ok(Err(refusal)) => plain(refusal),
        Err(_) => plain(Reply::text(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        )),
    }
}

/// The body, and the memory it is accounted to.
async fn read_body(mut body: Incoming, place: &Place) -> Result<(Vec<u8>, Held), Reply> {
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large(body).await);
    }
    let (mut bytes, mut held) = (Vec::new(), place.hold());
    while let Some(frame) = body.frame().await {
        let broken = |error| Reply::text(StatusCode::BAD_REQUEST, format!("the body: {error}"));
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > BODY_BYTES_MAX {
            return Err(too_large(body).await);
        }
        if !held.more(data.len()) {
            return Err(Reply::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many large requests at once; try again",
            ));
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, held))
}

/// The refusal of a body, the rest of which is read and forgotten: most clients look for an answer
/// only when they have sent all.
async fn too_large(mut body: Incoming) -> Reply {
    let mut forgotten = 0;
    while let Some(Ok(frame)) = body.frame().await {
        forgotten += frame.data_ref().map_or(0, |data| data.len());
        if forgotten > FORGOTTEN_BYTES_MAX {
            break;
        }
    }
    let text = format!("the body is larger than {BODY_BYTES_MAX} bytes");
    Reply::text(StatusCode::PAYLOAD_TOO_LARGE, text)
}
