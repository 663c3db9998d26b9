//! Updates and queries a second over HTTP: one client on one connection, whose every request is
//! signed, and who waits for each answer.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use hatchery_engine::{Config, InstallMode, Principal};
use hatchery_network::{Network, Options, engine_now};
use ic_transport_types::{Envelope, EnvelopeContent};

use crate::measure::timed;
use crate::module;

const UPDATES: u64 = 1_000;
const QUERIES: u64 = 5_000;
const EXPIRY_NS: u64 = 240_000_000_000;

/// Updates a second with certified answers, and queries a second with signed ones.
pub(crate) fn calls() -> (f64, f64) {
    let mut client = Client::new();
    client.send_many(100, true);
    let update_s = timed(|| client.send_many(UPDATES, true));
    let query_s = timed(|| client.send_many(QUERIES, false));
    (UPDATES as f64 / update_s, QUERIES as f64 / query_s)
}

struct Client {
    network: Network,
    canister: Principal,
    key: ic_ed25519::PrivateKey,
    stream: BufReader<TcpStream>,
    sent: u64,
    expiry_ns: u64,
}

impl Client {
    fn new() -> Self {
        let options = Options::default();
        let network = Network::start(&options, || engine_now(Config::default()));
        let network = network.expect("bug: the network does not start");
        let wasm = module::large();
        let install = network.visit(move |engine| {
            let me = Principal::anonymous();
            let canister = engine.create_canister(me, 1 << 60);
            let installed = engine.install(me, canister, &wasm, Vec::new(), InstallMode::Install);
            installed.map(|()| (canister, engine.now_ns()))
        });
        let installed = install.expect("bug: the network has stopped");
        let (canister, now_ns) = installed.expect("bug: the module is refused");
        let stream = TcpStream::connect(network.address()).expect("bug: nobody listens");
        stream.set_nodelay(true).expect("bug: the stream is open");
        Client {
            network,
            canister,
            key: ic_ed25519::PrivateKey::deserialize_raw_32(&[1; 32]),
            stream: BufReader::new(stream),
            sent: 0,
            expiry_ns: now_ns + EXPIRY_NS,
        }
    }

    fn send_many(&mut self, count: u64, update: bool) {
        for _ in 0..count {
            self.sent += 1;
            let envelope = self.envelope(update);
            let (version, question) = if update {
                ("v4", "call")
            } else {
                ("v3", "query")
            };
            let question = format!("{version}/canister/{}/{question}", self.canister);
            let body = envelope.encode_bytes();
            assert_eq!(
                self.exchange(&question, &body),
                200,
                "bug: a request is refused"
            );
        }
    }

    fn envelope(&self, update: bool) -> Envelope<'static> {
        let key =
            ic_ed25519::PublicKey::convert_raw32_to_der(self.key.public_key().serialize_raw());
        let (sender, nonce) = (
            Principal::self_authenticating(&key),
            Some(self.sent.to_le_bytes().to_vec()),
        );
        let (ingress_expiry, canister_id, arg) = (self.expiry_ns, self.canister, Vec::new());
        let content = if update {
            EnvelopeContent::Call {
                nonce,
                ingress_expiry,
                sender,
                canister_id,
                method_name: "count".to_owned(),
                arg,
                sender_info: None,
            }
        } else {
            EnvelopeContent::Query {
                ingress_expiry,
                sender,
                canister_id,
                method_name: "peek".to_owned(),
                arg,
                nonce,
                sender_info: None,
            }
        };
        let request = content.to_request_id();
        let signed = [&b"\x0Aic-request"[..], request.as_slice()].concat();
        Envelope {
            content: Cow::Owned(content),
            sender_pubkey: Some(key),
            sender_sig: Some(self.key.sign_message(&signed).to_vec()),
            sender_delegation: None,
        }
    }

    /// Sends a request and reads its answer; returns the answer's status.
    fn exchange(&mut self, question: &str, body: &[u8]) -> u16 {
        let head = format!(
            "POST /api/{question} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/cbor\r\n\
             content-length: {}\r\n\r\n",
            self.network.address(),
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        let stream = self.stream.get_mut();
        stream
            .write_all(&request)
            .expect("bug: the network hung up");
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line);
            assert!(
                read.expect("bug: the network hung up") > 0,
                "bug: no answer"
            );
            let line = line.trim().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("bug: no status");
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().expect("bug: no length");
            } else if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream
            .read_exact(&mut answer)
            .expect("bug: the network hung up");
        status
    }
}
