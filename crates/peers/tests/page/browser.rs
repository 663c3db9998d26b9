//! A headless Chromium that is told what to do through two pipes (its `--remote-debugging-pipe`:
//! messages in JSON, each ended by a zero byte), and what it complains of.

use data_encoding::BASE64;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Names that the program goes by.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    orders: ChildStdin,
    heard: Receiver<Value>,
    session: String,
    sent: u64,
    /// Errors of the page and requests to anywhere but `home`.
    pub(crate) complaints: Vec<String>,
    home: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, if it is installed.
pub(crate) fn program() -> Option<&'static str> {
    super::installed(&PROGRAMS)
}

impl Browser {
    /// Starts it with its files in `folder`; `wait` is what the caller does until there is an
    /// answer.
    pub(crate) fn start(
        program: &str,
        folder: &Path,
        home: &str,
        wait: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Browser {
        let flags = "--headless=new --no-sandbox --disable-gpu --no-first-run \
                     --disable-background-networking --disable-component-update \
                     --remote-debugging-pipe";
        // Chromium hears on descriptor 3 and speaks on 4.
        let line = format!(
            "exec {program} {flags} --user-data-dir={} about:blank 3<&0 4>&1 0</dev/null \
             1>/dev/null 2>/dev/null",
            folder.display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let orders = child.stdin.take().expect("it is piped");
        let speech = BufReader::new(child.stdout.take().expect("it is piped"));
        let heard = hear(speech);
        let mut browser = Browser {
            child,
            orders,
            heard,
            session: String::new(),
            sent: 0,
            complaints: Vec::new(),
            home: home.to_owned(),
        };
        let page = browser.order("Target.createTarget", &json!({"url": "about:blank"}), wait);
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.order("Target.attachToTarget", &target, wait);
        let session = attached["sessionId"].as_str().expect("an id");
        session.clone_into(&mut browser.session);
        for domain in [
            "Runtime.enable",
            "Log.enable",
            "Network.enable",
            "Page.enable",
        ] {
            browser.order(domain, &json!({}), wait);
        }
        browser
    }

    /// Sends an order and waits for its answer.
    pub(crate) fn order(
        &mut self,
        method: &str,
        parameters: &Value,
        wait: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Value {
        self.sent += 1;
        let id = self.sent;
        let mut order = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        self.orders.write_all(&bytes).expect("Chromium listens");
        let mut answer = None;
        wait(&mut || {
            while let Ok(message) = self.heard.try_recv() {
                if message["id"] == id {
                    answer = Some(message);
                } else {
                    note(&message, &self.home, &mut self.complaints);
                }
            }
            answer.is_some()
        });
        let answer = answer.expect("bug: waited until there is one");
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The value of a script's promise.
    pub(crate) fn evaluate(
        &mut self,
        script: &str,
        wait: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Value {
        let parameters = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.order("Runtime.evaluate", &parameters, wait);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{script}: {thrown}");
        answer["result"]["value"].clone()
    }

    /// A picture of the whole page as PNG.
    pub(crate) fn picture(&mut self, wait: &mut dyn FnMut(&mut dyn FnMut() -> bool)) -> Vec<u8> {
        let whole = json!({"captureBeyondViewport": true});
        let answer = self.order("Page.captureScreenshot", &whole, wait);
        let text = answer["data"].as_str().expect("a picture");
        BASE64.decode(text.as_bytes()).expect("base64")
    }
}

/// What Chromium says, message by message.
#[expect(
    clippy::disallowed_methods,
    reason = "a pipe is read by waiting, and the test has a network to serve meanwhile"
)]
fn hear(speech: impl BufRead + Send + 'static) -> Receiver<Value> {
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        for message in speech.split(0).map_while(Result::ok) {
            let message = serde_json::from_slice(&message).expect("Chromium speaks JSON");
            if tell.send(message).is_err() {
                return;
            }
        }
    });
    heard
}

/// Keeps what should not be.
fn note(message: &Value, home: &str, complaints: &mut Vec<String>) {
    let parameters = &message["params"];
    let is_wrong = match message["method"].as_str().unwrap_or_default() {
        "Runtime.exceptionThrown" => true,
        "Runtime.consoleAPICalled" => parameters["type"] == "error",
        "Log.entryAdded" => parameters["entry"]["level"] == "error",
        "Network.requestWillBeSent" => {
            let url = parameters["request"]["url"].as_str().unwrap_or_default();
            !url.starts_with(home) && !url.starts_with("data:") && url != "about:blank"
        }
        _ => false,
    };
    if is_wrong {
        complaints.push(message.to_string());
    }
}
