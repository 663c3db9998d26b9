//! A client without an agent: it builds envelopes by hand, right or wrong, and verifies
//! certificates.

use candid::{CandidType, Encode};
use hatchery_engine::{Config, InstallMode, Principal};
use hatchery_network::{Network, Options, engine_now};
use ic_certification::{Certificate, LookupResult};
use ic_transport_types::{
    Delegation, Envelope, EnvelopeContent, SignedDelegation, TransportCallResponse,
};
use serde::Deserialize;

/// An answer: status and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A user with an Ed25519 key.
pub(crate) struct User {
    key: ic_ed25519::PrivateKey,
}

impl User {
    pub(crate) fn new(number: u8) -> Self {
        let key = ic_ed25519::PrivateKey::deserialize_raw_32(&[number; 32]);
        User { key }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        ic_ed25519::PublicKey::convert_raw32_to_der(self.key.public_key().serialize_raw())
    }

    pub(crate) fn id(&self) -> Principal {
        Principal::self_authenticating(self.der())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign_message(message).to_vec()
    }

    /// `content` with this user's signature.
    pub(crate) fn envelope(&self, content: EnvelopeContent) -> Envelope<'static> {
        let id = content.to_request_id();
        Envelope {
            sender_pubkey: Some(self.der()),
            sender_sig: Some(self.sign(&[&b"\x0Aic-request"[..], id.as_slice()].concat())),
            sender_delegation: None,
            content: std::borrow::Cow::Owned(content),
        }
    }

    /// What this user grants.
    pub(crate) fn grants(&self, delegation: Delegation) -> SignedDelegation {
        SignedDelegation {
            signature: self.sign(&delegation.signable()),
            delegation,
        }
    }
}

/// A network with one canister of an owner.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) owner: User,
    pub(crate) canister: Principal,
}

impl World {
    pub(crate) fn new() -> Self {
        World::with(COUNTER)
    }

    /// The canister has this module.
    pub(crate) fn with(module: &str) -> Self {
        let network = start(&Options::default());
        let owner = User::new(1);
        let (id, wasm) = (
            owner.id(),
            wat::parse_str(module).expect("the module is valid"),
        );
        let canister = network.visit(move |engine| {
            let canister = engine.create_canister(id, 100_000_000_000_000);
            let installed = engine.install(id, canister, &wasm, Vec::new(), InstallMode::Install);
            installed.map(|()| canister)
        });
        let canister = canister
            .expect("the network runs")
            .expect("the module is taken");
        World {
            network,
            owner,
            canister,
        }
    }

    /// Five minutes less two seconds from now.
    pub(crate) fn expiry_ns(&self) -> u64 {
        let now_ns = self.network.visit(|engine| engine.now_ns());
        now_ns.expect("the network runs") + 298_000_000_000
    }

    pub(crate) fn call(&self, method: &str) -> EnvelopeContent {
        EnvelopeContent::Call {
            nonce: None,
            ingress_expiry: self.expiry_ns(),
            sender: self.owner.id(),
            canister_id: self.canister,
            method_name: method.to_owned(),
            arg: Vec::new(),
            sender_info: None,
        }
    }

    pub(crate) fn query(&self, sender: Principal, method: &str) -> EnvelopeContent {
        EnvelopeContent::Query {
            ingress_expiry: self.expiry_ns(),
            sender,
            canister_id: self.canister,
            method_name: method.to_owned(),
            arg: Vec::new(),
            nonce: None,
            sender_info: None,
        }
    }

    pub(crate) fn read(&self, sender: Principal, path: &[&[u8]]) -> EnvelopeContent {
        EnvelopeContent::ReadState {
            ingress_expiry: self.expiry_ns(),
            sender,
            paths: vec![path.iter().map(|label| (*label).into()).collect()],
        }
    }

    /// The answer at `/api/<path>` of the canister.
    pub(crate) fn post(&self, version: &str, question: &str, envelope: &Envelope<'_>) -> Answer {
        let path = format!("api/{version}/canister/{}/{question}", self.canister);
        self.post_bytes(&path, envelope.encode_bytes())
    }

    pub(crate) fn post_bytes(&self, path: &str, body: Vec<u8>) -> Answer {
        let request = minreq::post(format!("{}/{path}", self.network.url()))
            .with_header("content-type", "application/cbor")
            .with_body(body);
        answer_to(request)
    }

    /// What `method` replied to the owner, from a certificate that verifies.
    pub(crate) fn update(&self, content: EnvelopeContent) -> Result<Vec<u8>, String> {
        let request = content.to_request_id();
        let answer = self.post("v4", "call", &self.owner.envelope(content));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let certificate = match serde_cbor::from_slice(&answer.body) {
            Ok(TransportCallResponse::Replied { certificate }) => certificate,
            other => panic!("a certificate expected, found {other:?}"),
        };
        let certificate = self.verified(&certificate);
        let leaf = |name: &str| {
            let path: [&[u8]; 3] = [b"request_status", request.as_slice(), name.as_bytes()];
            match certificate.tree.lookup_path(path) {
                LookupResult::Found(bytes) => Some(bytes.to_vec()),
                _ => None,
            }
        };
        match leaf("status").as_deref() {
            Some(b"replied") => Ok(leaf("reply").expect("a reply")),
            Some(b"rejected") => {
                let text = leaf("reject_message").expect("a reject message");
                Err(String::from_utf8_lossy(&text).into_owned())
            }
            other => panic!("an answer expected, found {other:?}"),
        }
    }

    /// The certificate, whose signature is right.
    pub(crate) fn verified(&self, bytes: &[u8]) -> Certificate {
        let certificate: Certificate = serde_cbor::from_slice(bytes).expect("a certificate");
        assert!(is_signed(&certificate, self.network.root_key()));
        certificate
    }

    /// The last value that the counter's `inc` replied.
    pub(crate) fn count(&self) -> u64 {
        let canister = self.canister;
        let count = self
            .network
            .visit(move |engine| engine.query(Principal::anonymous(), canister, "get", Vec::new()));
        let count = count
            .expect("the network runs")
            .expect("the counter answers");
        u64::from_le_bytes(count.try_into().expect("eight bytes"))
    }
}

pub(crate) fn start(options: &Options) -> Network {
    Network::start(options, || engine_now(Config::default())).expect("the network starts")
}

pub(crate) fn answer_to(request: minreq::Request) -> Answer {
    let answer = request
        .with_timeout(60)
        .send()
        .expect("the network answers");
    Answer {
        status: answer.status_code,
        body: answer.into_bytes(),
    }
}

/// Whether the signature is that of the certificate's tree.
pub(crate) fn is_signed(certificate: &Certificate, root_key: &[u8]) -> bool {
    let root = certificate.tree.digest();
    let message = [&b"\x0Dic-state-root"[..], &root].concat();
    let signature = &certificate.signature;
    ic_verify_bls_signature::verify_bls_signature(signature, &message, &root_key[37..]).is_ok()
}

/// The content of an envelope without key and signature.
pub(crate) fn unsigned(content: EnvelopeContent) -> Envelope<'static> {
    Envelope {
        content: std::borrow::Cow::Owned(content),
        sender_pubkey: None,
        sender_sig: None,
        sender_delegation: None,
    }
}

pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    Encode!(value).expect("our own types encode")
}

pub(crate) fn decode<T: CandidType + for<'a> Deserialize<'a>>(bytes: &[u8]) -> T {
    candid::decode_one(bytes).expect("the answer has the expected type")
}

/// `inc` counts and replies with the count in eight bytes, `get` reads it, `refuse` rejects, `echo`
/// certifies and replies with its argument.
pub(crate) const COUNTER: &str = r#"(module
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (memory (export "memory") 64)
  (data (i32.const 8) "no")
  (func $answer (call $append (i32.const 0) (i32.const 8)) (call $reply))
  (func (export "canister_update inc")
    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
    (call $answer))
  (func (export "canister_query get") (call $answer))
  (func (export "canister_update refuse") (call $reject (i32.const 8) (i32.const 2)))
  (func (export "canister_update echo")
    (call $copy (i32.const 64) (i32.const 0) (call $size))
    (call $append (i32.const 64) (call $size))
    (call $reply))
  (@custom "icp:public shown" "to all")
  (@custom "icp:private hidden" "from strangers"))"#;
