//! What an agent does in a day, and what it is told.

use hatchery_engine::Principal;
use ic_certification::{Certificate, LookupResult};
use ic_transport_types::{EnvelopeContent, QueryResponse, ReadStateResponse};
use serde::Deserialize;

use crate::client::{User, World, answer_to, is_signed, unsigned};

#[derive(Deserialize)]
struct Status {
    root_key: serde_bytes::ByteBuf,
    replica_health_status: String,
}

fn certificate(world: &World, content: EnvelopeContent) -> Certificate {
    let envelope = if *content.sender() == world.owner.id() {
        world.owner.envelope(content)
    } else {
        unsigned(content)
    };
    let answer = world.post("v3", "read_state", &envelope);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let response: ReadStateResponse = serde_cbor::from_slice(&answer.body).expect("CBOR");
    world.verified(&response.certificate)
}

#[test]
fn status_tells_the_root_key() {
    let world = World::new();
    let url = format!("{}/api/v2/status", world.network.url());
    let answer = answer_to(minreq::get(url));
    let status: Status = serde_cbor::from_slice(&answer.body).expect("CBOR");
    assert_eq!(status.root_key.as_slice(), world.network.root_key());
    assert_eq!(status.replica_health_status, "healthy");
}

#[test]
fn updates_are_answered_with_certificates() {
    let world = World::new();
    let one = world.update(world.call("inc")).expect("a reply");
    assert_eq!(one, 1_u64.to_le_bytes());
    assert_eq!(world.update(world.call("refuse")), Err("no".to_owned()));
    let two = world.update(world.call("inc")).expect("a reply");
    assert_eq!(two, 2_u64.to_le_bytes());
}

#[test]
fn a_request_sent_twice_runs_once() {
    let world = World::new();
    let call = world.call("inc");
    let first = world.update(call.clone()).expect("a reply");
    let again = world.update(call).expect("a reply");
    assert_eq!(first, again);
    assert_eq!(world.count(), 1);
}

#[test]
fn old_agents_poll() {
    let world = World::new();
    let call = world.call("inc");
    let request = call.to_request_id();
    let accepted = world.post("v2", "call", &world.owner.envelope(call));
    assert_eq!((accepted.status, accepted.body.len()), (202, 0));
    // Rounds come by themselves: some poll finds the answer.
    let reply = (0..10_000).find_map(|_| {
        let path: [&[u8]; 2] = [b"request_status", request.as_slice()];
        let content = world.read(world.owner.id(), &path);
        let certificate = certificate(&world, content);
        let path: [&[u8]; 3] = [b"request_status", request.as_slice(), b"reply"];
        match certificate.tree.lookup_path(path) {
            LookupResult::Found(reply) => Some(reply.to_vec()),
            _ => None,
        }
    });
    assert_eq!(reply, Some(1_u64.to_le_bytes().to_vec()));
}

#[test]
fn queries_are_signed_by_the_node() {
    let world = World::new();
    world.update(world.call("inc")).expect("a reply");
    let query = world.query(Principal::anonymous(), "get");
    let request = query.to_request_id();
    let answer = world.post("v3", "query", &unsigned(query));
    let response: QueryResponse = serde_cbor::from_slice(&answer.body).expect("CBOR");
    let signature = &response.signatures()[0];
    let subnet = world.network.subnet();
    let path: [&[u8]; 5] = [
        b"subnet",
        subnet.as_slice(),
        b"node",
        signature.identity.as_slice(),
        b"public_key",
    ];
    let certificate = certificate(&world, world.read(Principal::anonymous(), &[b"subnet"]));
    let LookupResult::Found(key) = certificate.tree.lookup_path(path) else {
        panic!("the node's key is not in {certificate:?}");
    };
    let key = ic_ed25519::PublicKey::deserialize_rfc8410_der(key).expect("a key");
    let signable = response.signable(request, signature.timestamp);
    key.verify_signature(&signable, &signature.signature)
        .expect("the node's signature");
    match response {
        QueryResponse::Replied { reply, .. } => assert_eq!(reply.arg, 1_u64.to_le_bytes()),
        QueryResponse::Rejected { reject, .. } => panic!("{reject:?}"),
    }
}

#[test]
fn what_is_not_there_is_proven_absent() {
    let world = World::new();
    let id = world.canister;
    let metadata: [&[u8]; 4] = [b"canister", id.as_slice(), b"metadata", b"nothing"];
    let certificate = certificate(&world, world.read(Principal::anonymous(), &metadata));
    assert_eq!(certificate.tree.lookup_path(metadata), LookupResult::Absent);
    // Of what was not asked for, nothing is said.
    let other: [&[u8]; 1] = [b"subnet"];
    assert_eq!(certificate.tree.lookup_path(other), LookupResult::Unknown);
}

#[test]
fn private_metadata_are_for_controllers() {
    let world = World::new();
    let path = |name| -> [&[u8]; 4] { [b"canister", world.canister.as_slice(), b"metadata", name] };
    for (sender, name, status) in [
        (world.owner.id(), &b"hidden"[..], 200),
        (world.owner.id(), b"shown", 200),
        (User::new(2).id(), b"hidden", 403),
        (User::new(2).id(), b"shown", 200),
    ] {
        let content = world.read(sender, &path(name));
        let user = User::new(if sender == world.owner.id() { 1 } else { 2 });
        let answer = world.post("v3", "read_state", &user.envelope(content));
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn a_certificate_that_was_changed_does_not_verify() {
    let world = World::new();
    let content = world.read(Principal::anonymous(), &[b"time"]);
    let mut forged = certificate(&world, content);
    assert!(is_signed(&forged, world.network.root_key()));
    forged.tree = ic_certification::labeled("time", ic_certification::leaf([1]));
    assert!(!is_signed(&forged, world.network.root_key()));
}
