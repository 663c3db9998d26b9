//! Requests that nobody should send, and what becomes of them. After each, the network serves on.

use hatchery_engine::Principal;
use ic_transport_types::{Delegation, DelegationPermissions, Envelope, EnvelopeContent};

use crate::client::{User, World, answer_to, unsigned};

/// The answer to a call in `envelope`, which did not run.
fn refused(world: &World, envelope: &Envelope<'_>, status: u16, words: &str) {
    let answer = world.post("v4", "call", envelope);
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(words), "{}", answer.text());
    assert_eq!(world.count(), 0);
}

fn with_expiry(mut content: EnvelopeContent, expiry_ns: u64) -> EnvelopeContent {
    let (EnvelopeContent::Call { ingress_expiry, .. }
    | EnvelopeContent::Query { ingress_expiry, .. }
    | EnvelopeContent::ReadState { ingress_expiry, .. }) = &mut content;
    *ingress_expiry = expiry_ns;
    content
}

#[test]
fn a_wrong_signature_is_refused() {
    let world = World::new();
    let mut envelope = world.owner.envelope(world.call("inc"));
    if let Some(signature) = &mut envelope.sender_sig {
        signature[5] ^= 1;
    }
    refused(&world, &envelope, 403, "does not verify");
    envelope.sender_sig = Some(Vec::new());
    refused(&world, &envelope, 403, "does not verify");
    refused(&world, &unsigned(world.call("inc")), 403, "not signed");
    // Another's key, with a right signature under it.
    refused(
        &world,
        &User::new(2).envelope(world.call("inc")),
        403,
        "not of the sender",
    );
    envelope.sender_pubkey = Some(vec![1, 2, 3]);
    refused(&world, &envelope, 403, "not of the sender");
}

#[test]
fn a_request_out_of_its_time_is_refused() {
    let world = World::new();
    let now_ns = world.expiry_ns() - 298_000_000_000;
    for expiry_ns in [
        0,
        now_ns - 1_000_000_000,
        now_ns + 400_000_000_000,
        u64::MAX,
    ] {
        let content = with_expiry(world.call("inc"), expiry_ns);
        refused(&world, &world.owner.envelope(content), 400, "expires");
    }
    // A signed query must be in time as well; an anonymous one need not.
    let old = |sender| with_expiry(world.query(sender, "get"), 1);
    let signed = world.owner.envelope(old(world.owner.id()));
    assert_eq!(world.post("v3", "query", &signed).status, 400);
    let anonymous = unsigned(old(Principal::anonymous()));
    assert_eq!(world.post("v3", "query", &anonymous).status, 200);
}

#[test]
fn an_anonymous_request_has_no_key() {
    let world = World::new();
    let mut content = world.call("inc");
    if let EnvelopeContent::Call { sender, .. } = &mut content {
        *sender = Principal::anonymous();
    }
    refused(&world, &world.owner.envelope(content), 403, "anonymous");
}

#[test]
fn delegations_bind() {
    let world = World::new();
    let session = User::new(9);
    let now_ns = world.expiry_ns() - 298_000_000_000;
    let grant = Delegation {
        pubkey: session.der(),
        expiration: now_ns + 60_000_000_000,
        targets: Some(vec![world.canister]),
        permissions: Some(DelegationPermissions::All),
    };
    let envelope = |grants: &[Delegation], content| {
        let mut envelope = session.envelope(content);
        envelope.sender_pubkey = Some(world.owner.der());
        let chain = grants.iter().map(|grant| world.owner.grants(grant.clone()));
        envelope.sender_delegation = Some(chain.collect());
        envelope
    };
    let refuse = |grant: Delegation, words: &str| {
        refused(&world, &envelope(&[grant], world.call("inc")), 403, words);
    };
    let with = |change: &dyn Fn(&mut Delegation)| {
        let mut grant = grant.clone();
        change(&mut grant);
        grant
    };
    refuse(
        with(&|grant| grant.expiration = now_ns - 1_000_000_000),
        "has expired",
    );
    refuse(
        with(&|grant| grant.targets = Some(vec![Principal::anonymous()])),
        "not for canister",
    );
    let queries = with(&|grant| grant.permissions = Some(DelegationPermissions::Queries));
    refuse(queries.clone(), "queries only");
    refuse(
        with(&|grant| grant.pubkey = User::new(8).der()),
        "does not verify",
    );
    let mut forged = envelope(std::slice::from_ref(&grant), world.call("inc"));
    if let Some(chain) = &mut forged.sender_delegation {
        chain[0].delegation.targets = None;
    }
    refused(&world, &forged, 403, "delegation 1");
    let many = vec![grant.clone(); 21];
    refused(
        &world,
        &envelope(&many, world.call("inc")),
        403,
        "more than 20",
    );
    let query = envelope(&[queries], world.query(world.owner.id(), "get"));
    assert_eq!(world.post("v3", "query", &query).status, 200);
    let answer = world.post("v4", "call", &envelope(&[grant], world.call("inc")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.count(), 1);
}

#[test]
fn paths_are_for_those_who_may_read_them() {
    let world = World::new();
    let call = world.call("inc");
    let request = call.to_request_id();
    world.update(call).expect("a reply");
    let read = |user: &User, path: &[&[u8]]| {
        let content = world.read(user.id(), path);
        world
            .post("v3", "read_state", &user.envelope(content))
            .status
    };
    let status: [&[u8]; 2] = [b"request_status", request.as_slice()];
    assert_eq!(read(&world.owner, &status), 200);
    assert_eq!(read(&User::new(2), &status), 403);
    let foreign: [&[u8]; 3] = [b"canister", &[0, 0, 0, 0, 0, 0, 0, 1, 1, 1], b"module_hash"];
    for path in [
        &[&b"request_status"[..]][..],
        &[b"canister"],
        &[b"canister", world.canister.as_slice()],
        &[b"canister", world.canister.as_slice(), b"certified_data"],
        &[b"canister", world.canister.as_slice(), b"metadata"],
        &foreign,
        &[b"secrets"],
        &[],
    ] {
        assert_eq!(read(&world.owner, path), 400, "{path:?}");
    }
}

#[test]
fn the_path_names_whom_a_call_concerns() {
    let world = World::new();
    let body = world.owner.envelope(world.call("inc")).encode_bytes();
    let other = "api/v4/canister/rrkah-fqaaa-aaaaa-aaaaq-cai/call";
    let answer = world.post_bytes(other, body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(world.count(), 0);
    // A query where a call belongs.
    let query = world.owner.envelope(world.query(world.owner.id(), "get"));
    refused(&world, &query, 400, "requests of type call");
}

#[test]
fn a_body_of_three_mebibytes_is_refused() {
    let world = World::new();
    let answer = world.post_bytes("api/v2/canister/aaaaa-aa/call", vec![0; 3 << 20]);
    assert_eq!(answer.status, 413, "{}", answer.text());
    // The largest argument that there may be is not.
    let mut content = world.call("echo");
    if let EnvelopeContent::Call { arg, .. } = &mut content {
        *arg = vec![7; (2 << 20) - 100];
    }
    let reply = world.update(content).expect("a reply");
    assert_eq!(reply.len(), (2 << 20) - 100);
}

#[test]
fn what_is_no_request_is_said_to_be_none() {
    let world = World::new();
    let canister = world.canister;
    let path = format!("api/v3/canister/{canister}/query");
    for body in [&b""[..], b"\xd9\xd9\xf7", b"\xa1", b"hello", &[0x9f; 5_000]] {
        let answer = world.post_bytes(&path, body.to_vec());
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("not a request"), "{}", answer.text());
    }
    let url = |path: &str| format!("{}/{path}", world.network.url());
    for (request, status) in [
        (minreq::get(url("nothing")), 404),
        (minreq::get(url("api/v7/status")), 404),
        (minreq::post(url("api/v2/status")), 405),
        (minreq::get(url(&path)), 405),
        (minreq::post(url("api/v3/canister/nobody/query")), 400),
    ] {
        let answer = answer_to(request);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.body.is_empty());
    }
}
