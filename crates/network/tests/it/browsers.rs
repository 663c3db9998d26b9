//! Canisters in a browser: found by host and by parameter, verified where they certify, repeated as
//! updates where they want it.

use std::io::{Read, Write};
use std::net::TcpStream;

use candid::CandidType;
use data_encoding::BASE64;
use hatchery_engine::Principal;
use ic_certification::{HashTree, fork, label, labeled, leaf};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::client::{Answer, World, answer_to, encode};

#[derive(CandidType, Default)]
struct Page {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    upgrade: Option<bool>,
    streaming_strategy: Option<Strategy>,
}

#[derive(CandidType)]
enum Strategy {
    Callback(u8),
}

impl Page {
    fn of(body: &str) -> Page {
        Page {
            status_code: 200,
            body: body.into(),
            ..Page::default()
        }
    }
}

/// `set` keeps its argument as the page, `certify` certifies it, `certificate` replies with the
/// certificate; an update shows the page that was kept, without its first byte's upgrade.
const PAGES: &str = r#"(module
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "data_certificate_size" (func $certificate_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $certificate_copy (param i32 i32 i32)))
  (memory (export "memory") 4)
  (global $length (mut i32) (i32.const 0))
  (global $updated (mut i32) (i32.const 0))
  (func (export "canister_update set")
    (call $copy (i32.const 0) (i32.const 0) (call $size))
    (global.set $length (call $size))
    (call $reply))
  (func (export "canister_update set_updated")
    (call $copy (i32.const 65536) (i32.const 0) (call $size))
    (global.set $updated (call $size))
    (call $reply))
  (func (export "canister_update certify")
    (call $copy (i32.const 131072) (i32.const 0) (call $size))
    (call $certify (i32.const 131072) (call $size))
    (call $reply))
  (func (export "canister_query certificate")
    (call $certificate_copy (i32.const 131072) (i32.const 0) (call $certificate_size))
    (call $append (i32.const 131072) (call $certificate_size))
    (call $reply))
  (func (export "canister_query http_request")
    (call $append (i32.const 0) (global.get $length))
    (call $reply))
  (func (export "canister_update http_request_update")
    (call $append (i32.const 65536) (global.get $updated))
    (call $reply)))"#;

fn world(page: &Page) -> World {
    let world = World::with(PAGES);
    set(&world, "set", encode(page));
    world
}

fn set(world: &World, method: &'static str, arg: Vec<u8>) {
    let canister = world.canister;
    let set = world
        .network
        .visit(move |engine| engine.update(Principal::anonymous(), canister, method, arg));
    set.expect("the network runs")
        .expect("the canister keeps it");
}

fn by_parameter(world: &World) -> Answer {
    let (url, id) = (world.network.url(), world.canister);
    answer_to(minreq::get(format!("{url}/?canisterId={id}")))
}

#[test]
fn a_canister_has_an_address() {
    let world = world(&Page::of("hello"));
    assert_eq!(by_parameter(&world).body, b"hello");
    let port = world.network.address().port();
    let host = format!("{}.localhost:{port}", world.canister);
    let by_host = |path: &str, host: &str| raw(&world, path, &format!("host: {host}"));
    let page = by_host("/path?x=1", &host);
    assert!(page.ends_with("hello"), "{page}");
    let nobody = by_host("/", "localhost");
    assert!(nobody.starts_with("HTTP/1.1 404"), "{nobody}");
    let page = format!("{}/?canisterId={}", world.network.url(), world.canister);
    let part = raw(&world, "/style.css", &format!("host: x\r\nreferer: {page}"));
    assert!(part.ends_with("hello"), "{part}");
    // The interface is at the canister's address as well.
    let status = by_host("/api/v2/status", &host);
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
}

/// The whole answer to a request with these headers.
fn raw(world: &World, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(world.network.address()).expect("a place");
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_a_canister_wants_as_an_update_is_one() {
    let wants = Page {
        upgrade: Some(true),
        ..Page::of("ask again")
    };
    let world = world(&wants);
    set(&world, "set_updated", encode(&Page::of("as an update")));
    assert_eq!(by_parameter(&world).body, b"as an update");
}

#[test]
fn what_is_no_answer_is_refused() {
    let streamed = Page {
        streaming_strategy: Some(Strategy::Callback(1)),
        ..Page::of("part")
    };
    let strange = Page {
        status_code: 7,
        ..Page::of("")
    };
    for page in [streamed, strange] {
        let answer = by_parameter(&world(&page));
        assert_eq!(answer.status, 502, "{}", answer.text());
    }
    let world = world(&Page::of(""));
    set(&world, "set", b"no Candid".to_vec());
    assert_eq!(by_parameter(&world).status, 502);
}

#[test]
fn certified_pages_are_verified() {
    let world = world(&Page::of(""));
    let hash = |body: &str| leaf(Sha256::digest(body).to_vec());
    let assets = fork(label("/", hash("hello")), label("/other", hash("other")));
    let tree: HashTree = labeled("http_assets", assets);
    set(&world, "certify", tree.digest().to_vec());
    let canister = world.canister;
    // The certificate is asked for by a query over HTTP: only those are signed.
    let query = crate::client::unsigned(world.query(Principal::anonymous(), "certificate"));
    let answer = world.post("v3", "query", &query);
    let response = serde_cbor::from_slice(&answer.body).expect("CBOR");
    let ic_transport_types::QueryResponse::Replied { reply, .. } = response else {
        panic!("{canister} replies, not {response:?}");
    };
    world.verified(&reply.arg);
    let header = format!(
        "certificate=:{}:, tree=:{}:",
        BASE64.encode(&reply.arg),
        BASE64.encode(&self_described(&tree))
    );
    for (body, status) in [("hello", 200), ("hello!", 502), ("other", 502)] {
        let page = Page {
            headers: vec![("IC-Certificate".to_owned(), header.clone())],
            ..Page::of(body)
        };
        set(&world, "set", encode(&page));
        let answer = by_parameter(&world);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}

fn self_described<T: Serialize>(value: &T) -> Vec<u8> {
    let mut serializer = serde_cbor::Serializer::new(Vec::new());
    serializer.self_describe().expect("a vector takes it");
    value.serialize(&mut serializer).expect("a vector takes it");
    serializer.into_inner()
}
