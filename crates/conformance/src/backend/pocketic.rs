//! `PocketIC` as a backend: a thin client of its REST interface that starts the server named by
//! `POCKET_IC_BIN` and makes one instance per world. It speaks to servers 10 to 16: requests carry
//! what any of them needs, answers are read for what is needed and may hold anything else.
//!
//! Source: the public REST types of the `PocketIC` client library.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use candid::{CandidType, Decode};
use data_encoding::BASE64;
use hatchery_engine::{ErrorCode, RejectCode};
use ic_principal::Principal;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Backend, BackendError, Done, MessageId, Reject};

/// Seconds that one request may take: awaiting a message executes up to 100 rounds.
const REQUEST_SECONDS: u64 = 300;
/// How often we look for the port file, and how long between two looks.
const START_LOOKS: u32 = 600;
const START_PAUSE: Duration = Duration::from_millis(50);

/// A running server; it ends with its last owner.
#[derive(Debug, Clone)]
pub struct PocketIcServer {
    url: String,
    /// `None` for a server that somebody else started.
    _process: Option<Arc<Process>>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    port_file: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.port_file));
    }
}

impl PocketIcServer {
    /// Starts the server named by `POCKET_IC_BIN`.
    ///
    /// # Errors
    /// The variable is not set, or the server does not start.
    pub fn from_environment() -> Done<Self> {
        let binary = std::env::var_os("POCKET_IC_BIN").ok_or_else(|| {
            BackendError::new("POCKET_IC_BIN must name the binary of a PocketIC server (10 to 16)")
        })?;
        Self::start(Path::new(&binary))
    }

    /// Starts a server: it writes its port into a file that must not exist before.
    ///
    /// # Errors
    /// It does not start within half a minute.
    pub fn start(binary: &Path) -> Done<Self> {
        let name = format!("hatchery-conformance-{}.port", std::process::id());
        let port_file = std::env::temp_dir().join(name);
        drop(std::fs::remove_file(&port_file));
        let child = Command::new(binary)
            .args(["--ttl", "600", "--port-file"])
            .arg(&port_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BackendError::new(format_args!("{}: {error}", binary.display())))?;
        let mut process = Process { child, port_file };
        let port = wait_for_port(&mut process)?;
        Ok(PocketIcServer {
            url: format!("http://127.0.0.1:{port}"),
            _process: Some(Arc::new(process)),
        })
    }

    /// A server that runs already.
    pub fn at(url: &str) -> Self {
        PocketIcServer {
            url: url.to_owned(),
            _process: None,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a foreign process has no virtual time to wait in"
)]
fn wait_for_port(process: &mut Process) -> Done<u16> {
    for _ in 0..START_LOOKS {
        // The port is there when its line is ended.
        if let Ok(text) = std::fs::read_to_string(&process.port_file)
            && let Some(line) = text.strip_suffix('\n')
        {
            return line.trim().parse().map_err(BackendError::new);
        }
        if let Ok(Some(status)) = process.child.try_wait() {
            return Err(BackendError::new(format_args!(
                "the server ended: {status}"
            )));
        }
        std::thread::sleep(START_PAUSE);
    }
    Err(BackendError::new("the server gave no port"))
}

/// One instance of a server: a single application subnet.
#[derive(Debug)]
pub struct PocketIcBackend {
    server: PocketIcServer,
    instance: u64,
}

#[derive(Deserialize)]
struct Time {
    nanos_since_epoch: u64,
}

#[derive(Deserialize)]
struct Cycles {
    cycles: u128,
}

/// Serialised by hand where a number exceeds 64 bits.
#[derive(Serialize)]
struct AddCycles {
    canister_id: String,
    amount: u128,
}

/// What a management argument may name as its canister.
#[derive(CandidType, Deserialize)]
struct Effective {
    canister_id: Option<Principal>,
    target_canister: Option<Principal>,
}

impl PocketIcBackend {
    /// A fresh instance.
    ///
    /// # Errors
    /// The server does not answer as it should.
    pub fn new(server: PocketIcServer) -> Done<Self> {
        let mut backend = PocketIcBackend {
            server,
            instance: 0,
        };
        let created = backend.request(minreq::post, "/instances", Some(&instance_config()))?;
        let created: Value = read(&created)?;
        backend.instance = created["Created"]["instance_id"]
            .as_u64()
            .ok_or_else(|| BackendError::new(format_args!("no instance: {created}")))?;
        Ok(backend)
    }

    /// Sends one request and returns the body of the answer.
    fn request(
        &self,
        method: fn(String) -> minreq::Request,
        path: &str,
        body: Option<&str>,
    ) -> Done<String> {
        let mut request =
            method(format!("{}{path}", self.server.url)).with_timeout(REQUEST_SECONDS);
        if let Some(body) = body {
            request = request
                .with_header("content-type", "application/json")
                .with_body(body);
        }
        let response = request.send().map_err(BackendError::new)?;
        let text = response.as_str().map_err(BackendError::new)?.to_owned();
        match response.status_code {
            200 | 201 => Ok(text),
            202 | 409 => Err(BackendError::new(format_args!(
                "{path}: the server is busy"
            ))),
            code => Err(BackendError::new(format_args!("{path}: {code}: {text}"))),
        }
    }

    fn get(&self, route: &str) -> Done<String> {
        let path = format!("/instances/{}/{route}", self.instance);
        self.request(minreq::get, &path, None)
    }

    fn post(&self, route: &str, body: &str) -> Done<String> {
        let path = format!("/instances/{}/{route}", self.instance);
        self.request(minreq::post, &path, Some(body))
    }
}

impl Drop for PocketIcBackend {
    fn drop(&mut self) {
        let path = format!("/instances/{}/", self.instance);
        drop(self.request(minreq::delete, &path, None));
    }
}

/// One application subnet with production limits, nothing else.
fn instance_config() -> String {
    json!({
        "subnet_config_set": {
            "nns": null, "sns": null, "ii": null, "fiduciary": null, "bitcoin": null,
            "test_threshold_keys": null,
            "system": [], "cloud_engine": [], "verified_application": [],
            "application": [{
                "state_config": "New",
                "instruction_config": "Production",
                "subnet_admins": null,
                "cost_schedule": "Normal",
            }],
        },
        "http_gateway_config": null, "state_dir": null, "icp_config": null, "log_level": null,
        "bitcoind_addr": null, "dogecoind_addr": null, "icp_features": null,
        "incomplete_state": null, "initial_time": null,
    })
    .to_string()
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Done<T> {
    serde_json::from_str(text).map_err(|error| BackendError::new(format_args!("{error}: {text}")))
}

fn base64(principal: Principal) -> String {
    BASE64.encode(principal.as_slice())
}

/// The subnet of a management call is found by the canister its argument is about.
fn effective_principal(canister: Principal, arg: &[u8]) -> Value {
    let about = if canister == Principal::management_canister() {
        Decode!(arg, Effective)
            .ok()
            .and_then(|fields| fields.canister_id.or(fields.target_canister))
    } else {
        Some(canister)
    };
    match about {
        Some(id) => json!({ "CanisterId": base64(id) }),
        None => json!("None"),
    }
}

fn call(sender: Principal, canister: Principal, method: &str, arg: &[u8]) -> String {
    json!({
        "sender": base64(sender),
        "canister_id": base64(canister),
        "effective_principal": effective_principal(canister, arg),
        "method": method,
        "payload": BASE64.encode(arg),
    })
    .to_string()
}

/// `{"Ok": base64}` or `{"Err": reject}`.
fn answer(value: &Value) -> Done<Answer> {
    if let Some(reply) = value["Ok"].as_str() {
        return BASE64
            .decode(reply.as_bytes())
            .map(Ok)
            .map_err(BackendError::new);
    }
    let refused = &value["Err"];
    match refused["reject_code"].as_str().and_then(reject_code) {
        Some(code) => {
            let error = refused["error_code"].as_str().and_then(error_code);
            Ok(Err(Reject { code, error }))
        }
        None => Err(BackendError::new(format_args!("no answer: {value}"))),
    }
}

/// The number of a reject code by its name.
fn reject_code(name: &str) -> Option<u8> {
    RejectCode::deserialize(named(name))
        .ok()
        .map(|code| code as u8)
}

/// The number of an error code by its name; names of newer servers that we lack are spelt out.
fn error_code(name: &str) -> Option<u16> {
    let newer = match name {
        "SubnetCoolingDown" => Some(211),
        "InvalidSubnetAdmin" => Some(410),
        "CanisterInvalidControllerOrSubnetAdmin" => Some(541),
        "CanisterStatusAccessDenied" => Some(542),
        _ => None,
    };
    newer.or_else(|| {
        ErrorCode::deserialize(named(name))
            .ok()
            .map(|code| code as u16)
    })
}

fn named(name: &str) -> StrDeserializer<'_, NameError> {
    name.into_deserializer()
}

impl Backend for PocketIcBackend {
    fn name(&self) -> &'static str {
        "pocketic"
    }

    fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Result<MessageId, Reject>> {
        let body = call(sender, canister, method, &arg);
        let submitted: Value = read(&self.post("update/submit_ingress_message", &body)?)?;
        match submitted.get("Ok") {
            Some(id) => Ok(Ok(MessageId(id.to_string().into_bytes()))),
            None => match answer(&submitted)? {
                Err(reject) => Ok(Err(reject)),
                Ok(_) => Err(BackendError::new("a message id was expected")),
            },
        }
    }

    fn poll(&mut self, id: &MessageId) -> Done<Option<Answer>> {
        let id: Value = read(&String::from_utf8_lossy(&id.0))?;
        let body = json!({ "raw_message_id": id, "raw_caller": null }).to_string();
        let status: Value = read(&self.post("read/ingress_status", &body)?)?;
        match status {
            Value::Null => Ok(None),
            status => answer(&status).map(Some),
        }
    }

    fn await_answer(&mut self, id: &MessageId) -> Done<Answer> {
        let body = String::from_utf8_lossy(&id.0);
        answer(&read(&self.post("update/await_ingress_message", &body)?)?)
    }

    fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Answer> {
        let body = call(sender, canister, method, &arg);
        answer(&read(&self.post("read/query", &body)?)?)
    }

    fn tick(&mut self) -> Done<()> {
        self.post("update/tick", r#"{"blockmakers":null}"#)
            .map(drop)
    }

    fn time_ns(&mut self) -> Done<u64> {
        Ok(read::<Time>(&self.get("read/get_time")?)?.nanos_since_epoch)
    }

    fn advance_ns(&mut self, ns: u64) -> Done<()> {
        let nanos_since_epoch = self.time_ns()? + ns;
        let body = json!({ "nanos_since_epoch": nanos_since_epoch }).to_string();
        self.post("update/set_time", &body).map(drop)
    }

    fn cycles(&mut self, canister: Principal) -> Done<u128> {
        let body = json!({ "canister_id": base64(canister) }).to_string();
        Ok(read::<Cycles>(&self.post("read/get_cycles", &body)?)?.cycles)
    }

    fn add_cycles(&mut self, canister: Principal, cycles: u128) -> Done<()> {
        let body = AddCycles {
            canister_id: base64(canister),
            amount: cycles,
        };
        let body = serde_json::to_string(&body).map_err(BackendError::new)?;
        self.post("update/add_cycles", &body).map(drop)
    }
}

#[cfg(test)]
mod tests;
