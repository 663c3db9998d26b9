//! The real Prometheus loads our alert rules, scrapes a fleet over the network's HTTP gateway and
//! answers with the fleet's own figures. Skipped, with a word, where it is not installed.

use hatchery_network::Lent;
use hatchery_sim::demo::{Demo, DemoConfig, FLEET_TOML};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Looks at Prometheus before the test gives up; one every 10 ms or so.
const LOOKS_MAX: u32 = 12_000;
/// Virtual seconds of the demo before the first scrape: the fleet has grown by then.
const SECONDS: u32 = 60;

#[test]
fn prometheus_loads_the_rules_and_scrapes_the_fleet() {
    if super::installed(&["prometheus"]).is_none() {
        eprintln!("skipped: prometheus is not installed (Debian: prometheus)");
        return;
    }
    let mut demo = Demo::start(config(), &mut |_| {}).expect("the demo starts");
    for _ in 0..SECONDS {
        demo.step().expect("root answers");
    }
    let status = demo.world_mut().status().expect("root answers");
    let root = demo.world().root;
    let engine = &mut demo.world_mut().engine;
    let mut network = Lent::start(engine).expect("a port is free");
    let folder = crate::target().join("prometheus");
    let mut prometheus = Prometheus::start(&folder, &network.url(), &root.to_string());

    let mut looks = 0;
    let mut ask = |query: &str, is_answer: &dyn Fn(&Value) -> bool| {
        let mut answer = Value::Null;
        network.serve_until(engine, || {
            looks += 1;
            assert!(looks < LOOKS_MAX, "{query}: {answer}");
            answer = prometheus.get(query);
            is_answer(&answer)
        });
        answer
    };
    let rules = ask("/api/v1/rules", &|answer| {
        let rules = rules_of(answer);
        !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")
    });
    for rule in rules_of(&rules) {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    for pool in &status.pools {
        let query = format!("hatchery_pool_in_service{{pool=%22{}%22}}", pool.name);
        assert_eq!(sample(&mut ask, &query), pool.in_service.to_string());
    }
    assert_eq!(sample(&mut ask, "hatchery_healthy"), "1");
    assert_eq!(sample(&mut ask, "up"), "1");
}

fn config() -> DemoConfig {
    DemoConfig {
        seed: 1,
        chaos: false,
        root_wasm: crate::load("hatchery_root"),
        worker_wasm: crate::load("hatchery_worker"),
        fleet_toml: FLEET_TOML.to_owned(),
        cache_dir: Some(crate::target().join("hatchery-cache")),
    }
}

fn rules_of(answer: &Value) -> Vec<&Value> {
    let groups = answer["data"]["groups"].as_array().into_iter().flatten();
    groups
        .flat_map(|group| group["rules"].as_array().into_iter().flatten())
        .collect()
}

/// The one value of a query, once there is one.
fn sample(ask: &mut impl FnMut(&str, &dyn Fn(&Value) -> bool) -> Value, query: &str) -> String {
    let is_there = |answer: &Value| answer["data"]["result"][0].is_object();
    let answer = ask(&format!("/api/v1/query?query={query}"), &is_there);
    let value = answer["data"]["result"][0]["value"][1].as_str();
    value.expect("a sample is a text").to_owned()
}

struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prometheus {
    /// Starts it on a free port, with our rules and one target.
    fn start(folder: &Path, network: &str, root: &str) -> Self {
        drop(std::fs::remove_dir_all(folder));
        std::fs::create_dir_all(folder).expect("the target folder can be written");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let rules = here.join("../../docs/alerts/hatchery.rules.yml");
        let rules = rules.canonicalize().expect("the rules are there");
        let target = network.trim_start_matches("http://");
        let settings = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [{}]\n\
             scrape_configs:\n\
             - job_name: hatchery\n  \
               params: {{ canisterId: [{root}] }}\n  \
               static_configs: [{{ targets: [{target}] }}]\n",
            rules.display(),
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, settings).expect("the target folder can be written");
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus starts");
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        let address = listening(log).expect("prometheus says where it listens");
        Prometheus { child, address }
    }

    /// The JSON below a path; null while it does not answer.
    fn get(&mut self, path: &str) -> Value {
        let ended = self.child.try_wait().expect("it is our child");
        assert!(ended.is_none(), "prometheus ended: {ended:?}");
        let get = || {
            let mut stream = TcpStream::connect(&self.address)?;
            write!(
                stream,
                "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n",
                self.address
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        let answer = get().unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or(Value::Null)
    }
}

/// The address in the log; what is logged afterwards is read by nobody.
#[expect(
    clippy::disallowed_methods,
    reason = "somebody must empty the pipe of a program that goes on writing"
)]
fn listening(log: impl BufRead + Send + 'static) -> Option<String> {
    let mut lines = log.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("\"Listening on\""))?;
    std::thread::spawn(move || lines.for_each(drop));
    let (_, address) = line.split_once("address=")?;
    address.split_whitespace().next().map(str::to_owned)
}
