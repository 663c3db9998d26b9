//! The client against a tiny server that checks requests and replays documented answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::*;

/// One request as the server saw it.
#[derive(Debug, PartialEq)]
struct Seen {
    line: String,
    body: Value,
}

/// Serves these answers, one connection each, and tells what was asked.
#[expect(
    clippy::disallowed_methods,
    reason = "the server must answer while the client waits"
)]
fn serve(answers: Vec<(u16, String)>) -> (PocketIcServer, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for (code, body) in answers {
            let (stream, _) = listener.accept().expect("a connection");
            let seen = exchange(stream, code, &body);
            if tell.send(seen).is_err() {
                return;
            }
        }
    });
    (PocketIcServer::at(&url), told)
}

fn exchange(mut stream: TcpStream, code: u16, body: &str) -> Seen {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request line");
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).expect("a body");
    let head = format!(
        "HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("an answer");
    stream.write_all(body.as_bytes()).expect("an answer");
    let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    Seen {
        line,
        body: serde_json::from_slice(&content).unwrap_or(Value::Null),
    }
}

/// Answers behind the one that makes the instance, and the one that ends it.
fn with_instance(answers: &[(u16, &str)]) -> (PocketIcBackend, Receiver<Seen>) {
    let created =
        r#"{"Created":{"instance_id":3,"topology":{"anything":1},"http_gateway_info":null}}"#;
    let mut all = vec![(201, created.to_owned())];
    all.extend(
        answers
            .iter()
            .map(|(code, body)| (*code, (*body).to_owned())),
    );
    all.push((200, String::new()));
    let (server, told) = serve(all);
    let backend = PocketIcBackend::new(server).expect("an instance");
    (backend, told)
}

fn id(byte: u8) -> Principal {
    Principal::from_slice(&[byte; 3])
}

#[test]
fn instance_is_made_with_one_application_subnet_and_deleted() {
    let (backend, told) = with_instance(&[]);
    drop(backend);
    let made = told.recv().unwrap();
    assert_eq!(made.line, "POST /instances");
    let subnets = &made.body["subnet_config_set"];
    assert_eq!(subnets["application"].as_array().unwrap().len(), 1);
    assert_eq!(subnets["application"][0]["state_config"], "New");
    assert_eq!(subnets["system"], json!([]));
    assert_eq!(told.recv().unwrap().line, "DELETE /instances/3/");
}

#[test]
fn message_is_submitted_polled_and_awaited() {
    let message = r#"{"Ok":{"effective_principal":{"CanisterId":"AgIC"},"message_id":"AAEC"}}"#;
    let trapped = r#"{"Err":{"reject_code":"CanisterError","reject_message":"x","error_code":"CanisterCalledTrap","certified":true}}"#;
    let (mut backend, told) = with_instance(&[
        (200, message),
        (200, "null"),
        (200, r#"{"Ok":"aGk="}"#),
        (200, trapped),
    ]);
    let submitted = backend
        .submit(id(1), id(2), "run", b"arg".to_vec())
        .unwrap();
    let message = submitted.expect("taken in");
    assert_eq!(backend.poll(&message).unwrap(), None);
    assert_eq!(backend.poll(&message).unwrap(), Some(Ok(b"hi".to_vec())));
    let reject = Reject {
        code: 5,
        error: Some(503),
    };
    assert_eq!(backend.await_answer(&message).unwrap(), Err(reject));

    told.recv().unwrap();
    let raw = json!({ "effective_principal": { "CanisterId": "AgIC" }, "message_id": "AAEC" });
    let asked = [
        (
            "POST /instances/3/update/submit_ingress_message",
            json!({
                "sender": "AQEB", "canister_id": "AgIC",
                "effective_principal": { "CanisterId": "AgIC" },
                "method": "run", "payload": "YXJn",
            }),
        ),
        (
            "POST /instances/3/read/ingress_status",
            json!({ "raw_message_id": raw, "raw_caller": null }),
        ),
        (
            "POST /instances/3/read/ingress_status",
            json!({ "raw_message_id": raw, "raw_caller": null }),
        ),
        (
            "POST /instances/3/update/await_ingress_message",
            raw.clone(),
        ),
    ];
    for (line, body) in asked {
        let line = line.to_owned();
        assert_eq!(told.recv().unwrap(), Seen { line, body });
    }
}

#[test]
fn refusal_at_the_door_is_a_reject() {
    let refused = r#"{"Err":{"reject_code":"DestinationInvalid","reject_message":"","error_code":"CanisterNotFound","certified":false}}"#;
    let (mut backend, _told) = with_instance(&[(200, refused)]);
    let submitted = backend.submit(id(1), id(2), "run", Vec::new()).unwrap();
    assert_eq!(
        submitted,
        Err(Reject {
            code: 3,
            error: Some(301)
        })
    );
}

#[test]
fn unknown_error_codes_leave_the_reject_code() {
    let newer = r#"{"Err":{"reject_code":"CanisterError","reject_message":"","error_code":"OfTheFuture","certified":false,"more":1}}"#;
    let (mut backend, _told) = with_instance(&[(200, newer)]);
    let asked = backend.query(id(1), id(2), "ask", Vec::new()).unwrap();
    assert_eq!(
        asked,
        Err(Reject {
            code: 5,
            error: None
        })
    );
    assert_eq!(error_code("CanisterStatusAccessDenied"), Some(542));
}

#[test]
fn time_rounds_and_cycles_use_their_routes() {
    let much = (1u128 << 100).to_string();
    let balance = format!(r#"{{"cycles":{much}}}"#);
    let (mut backend, told) = with_instance(&[
        (200, "null"),
        (200, r#"{"nanos_since_epoch":1620328630000000000}"#),
        (200, r#"{"nanos_since_epoch":1620328630000000000}"#),
        (200, "null"),
        (200, &balance),
        (200, &balance),
    ]);
    backend.tick().unwrap();
    assert_eq!(backend.time_ns().unwrap(), 1_620_328_630_000_000_000);
    backend.advance_ns(5).unwrap();
    assert_eq!(backend.cycles(id(2)).unwrap(), 1 << 100);
    backend.add_cycles(id(2), 7).unwrap();

    told.recv().unwrap();
    let asked = [
        (
            "POST /instances/3/update/tick",
            json!({ "blockmakers": null }),
        ),
        ("GET /instances/3/read/get_time", Value::Null),
        ("GET /instances/3/read/get_time", Value::Null),
        (
            "POST /instances/3/update/set_time",
            json!({ "nanos_since_epoch": 1_620_328_630_000_000_005u64 }),
        ),
        (
            "POST /instances/3/read/get_cycles",
            json!({ "canister_id": "AgIC" }),
        ),
        (
            "POST /instances/3/update/add_cycles",
            json!({ "canister_id": "AgIC", "amount": 7 }),
        ),
    ];
    for (line, body) in asked {
        let line = line.to_owned();
        assert_eq!(told.recv().unwrap(), Seen { line, body });
    }
}

#[test]
fn effective_canister_is_read_from_the_argument() {
    let management = Principal::management_canister();
    let about = crate::management::about(id(9));
    assert_eq!(
        effective_principal(management, &about),
        json!({ "CanisterId": base64(id(9)) })
    );
    let chunked = crate::management::chunked_arg(id(8), None, &[], b"");
    assert_eq!(
        effective_principal(management, &chunked),
        json!({ "CanisterId": base64(id(8)) })
    );
    assert_eq!(effective_principal(management, b"DIDL\0\0"), json!("None"));
    assert_eq!(
        effective_principal(id(7), b"any"),
        json!({ "CanisterId": base64(id(7)) })
    );
}

#[test]
fn failing_server_is_an_error() {
    let (mut backend, _told) =
        with_instance(&[(400, r#"{"message":"no"}"#), (409, "{}"), (200, "{}")]);
    assert!(backend.tick().is_err());
    assert!(backend.tick().is_err());
    assert!(backend.time_ns().is_err());
}

#[cfg(unix)]
#[test]
fn server_is_started_and_its_port_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("hatchery-fake-server-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let binary = folder.join("server");
    // The last argument is the port file.
    let script = "#!/bin/sh\nfor last; do :; done\necho 4321 > \"$last\"\nexec sleep 60\n";
    std::fs::write(&binary, script).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = PocketIcServer::start(&binary);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(server.unwrap().url, "http://127.0.0.1:4321");
}
