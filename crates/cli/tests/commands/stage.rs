//! A network, a folder with a fleet, and the program: what a script runs on.

use candid::Principal;
use hatchery_engine::Config;
use hatchery_network::{Network, Options, engine_now};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Nobody's but the tests': an Ed25519 key of ones.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n-----END PRIVATE KEY-----\n";

/// Everything is at rest after so long: two minutes of the network's time.
const REST_NS: u64 = 120_000_000_000;

/// One script's surroundings.
pub(crate) struct Stage {
    folder: PathBuf,
    network: Network,
    transcript: String,
}

impl Stage {
    /// A fresh network and a folder with the example fleet.
    pub(crate) fn new(name: &str) -> Stage {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What an earlier run left.
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("me.pem"), KEY).expect("a file");
        let config = Config {
            cache_dir: Some(target().join("hatchery-cache")),
            ..Config::default()
        };
        let network = Network::start(&Options::default(), || engine_now(config));
        let mut stage = Stage {
            folder,
            network: network.expect("a port"),
            transcript: String::new(),
        };
        stage.quietly("init --example --name shop");
        stage
    }

    /// The same, with the fleet deployed.
    pub(crate) fn deployed(name: &str) -> Stage {
        let mut stage = Stage::new(name);
        stage.quietly("deploy --yes");
        stage.rest();
        stage
    }

    /// A canister that was built.
    pub(crate) fn built(name: &str) -> Vec<u8> {
        let path = wasm_folder().join(name);
        std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", path.display()))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Runs a line into the transcript, with the exit code unless it is 0.
    pub(crate) fn run(&mut self, line: &str) {
        let (code, out, err) = self.output(line);
        let code = match code {
            0 => String::new(),
            code => format!("[exit {code}]\n"),
        };
        let text = format!("$ hatchery {line}\n{out}{err}{code}\n");
        self.transcript += &self.put_away(&text);
    }

    /// Runs a line into the transcript, of its lines the first words alone and each once: figures and
    /// labels differ from run to run.
    pub(crate) fn run_names(&mut self, line: &str) {
        let out = self.quietly(line);
        // Root says when it wakes only while it has a reason to before the watchdog.
        let comes_and_goes = |line: &str| line.starts_with("hatchery_next_wake");
        let figures = out
            .lines()
            .filter(|line| !(line.starts_with('#') || comes_and_goes(line)));
        let mut names: Vec<&str> = figures
            .filter_map(|line| line.trim_start().split([' ', '{']).next())
            .collect();
        names.dedup();
        let text = format!("$ hatchery {line}\n{}\n\n", names.join("\n"));
        self.transcript += &text;
    }

    /// Runs a line that must go well.
    pub(crate) fn quietly(&mut self, line: &str) -> String {
        let (code, out, err) = self.output(line);
        assert_eq!(code, 0, "hatchery {line}\n{out}{err}");
        out
    }

    /// Runs a line and kills the program as soon as it has said this.
    pub(crate) fn kill_once_said(&self, line: &str, text: &str) {
        let mut command = self.command(line);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let heard = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = heard
            .lines()
            .any(|heard| heard.is_ok_and(|heard| heard.contains(text)));
        drop(child.kill());
        drop(child.wait());
        assert!(said, "`hatchery {line}` never said `{text}`");
    }

    /// The root that the folder remembers.
    pub(crate) fn root(&self) -> String {
        let text = std::fs::read(self.folder.join(".hatchery/roots.json")).expect("deployed");
        let roots: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let root = roots.as_object().and_then(|roots| roots.values().next());
        root.and_then(|it| it.as_str())
            .expect("one root")
            .to_owned()
    }

    /// The script's key as `icp` 1.5 keeps it in plain files.
    pub(crate) fn keep_identity_in_icps_store(&self, name: &str) {
        let store = self.folder.join("icp/identity");
        std::fs::create_dir_all(store.join("keys")).expect("a folder");
        std::fs::write(store.join(format!("keys/{name}.pem")), KEY).expect("a file");
        let list = format!(
            "{{\"v\":1,\"identities\":{{\"{name}\":{{\"kind\":\"pem\",\"format\":\"plaintext\"}}}}}}"
        );
        std::fs::write(store.join("identity_list.json"), list).expect("a file");
    }

    /// Until nothing is under way.
    pub(crate) fn rest(&mut self) {
        self.until("effects", |effects| *effects == serde_json::json!([]));
    }

    /// What a line prints as JSON once that is as wished.
    pub(crate) fn until(
        &mut self,
        line: &str,
        is_so: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let begun = self.now();
        loop {
            let told = self.json(line);
            if is_so(&told) {
                return told;
            }
            let spent = self.now() - begun;
            assert!(spent < REST_NS, "{line} still says {told}");
        }
    }

    /// The network's time.
    fn now(&self) -> u64 {
        let now = self.network.visit(|engine| engine.now_ns());
        now.expect("the network runs")
    }

    /// The JSON that a line prints.
    pub(crate) fn json(&mut self, line: &str) -> serde_json::Value {
        let out = self.quietly(&format!("{line} --json"));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"))
    }

    /// What was said so far.
    pub(crate) fn transcript(&mut self) -> String {
        std::mem::take(&mut self.transcript)
    }

    /// Exit code, standard output, standard error.
    pub(crate) fn output(&self, line: &str) -> (i32, String, String) {
        let output = self.command(line).output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        let code = output.status.code().expect("it ends by itself");
        (code, text(output.stdout), text(output.stderr))
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatchery"));
        command
            .current_dir(&self.folder)
            .args(line.split_whitespace())
            .env("HATCHERY_NETWORK", self.network.url())
            .env("HATCHERY_IDENTITY", "me.pem")
            .env("HATCHERY_WASM_DIR", wasm_folder())
            .env("ICP_HOME", self.folder.join("icp"))
            .env_remove("HATCHERY_ROOT")
            .stdin(Stdio::null());
        command
    }

    fn put_away(&self, text: &str) -> String {
        let text = text
            .replace(&self.network.url(), "NETWORK")
            .replace(&self.folder.display().to_string(), "FOLDER");
        put_away(&text)
    }
}

/// The text without what differs from run to run, and with one space for many.
pub(crate) fn put_away(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(put_away_word);
        words.collect::<Vec<_>>().join(" ")
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    amounts(&text)
}

/// A time, a span, or a hash that changes with the code.
fn put_away_word(word: &str) -> String {
    let core = word.trim_matches(|it: char| ",;:()\"".contains(it));
    let is_hash = core.len() >= 12
        && core.chars().all(|it| it.is_ascii_hexdigit())
        && core.contains(|it: char| it.is_ascii_alphabetic());
    let is_moment = core.len() == 20 && core.ends_with('Z') && core.starts_with("20");
    let is_span = {
        let (digits, units): (Vec<char>, Vec<char>) = core.chars().partition(char::is_ascii_digit);
        let in_units = units.iter().all(|it| "smhd".contains(*it));
        !digits.is_empty()
            && !units.is_empty()
            && in_units
            && core.starts_with(|it: char| it.is_ascii_digit())
    };
    let name = match (is_hash, is_moment, is_span) {
        (true, ..) => "HASH",
        (_, true, _) => "MOMENT",
        (.., true) => "SPAN",
        _ => return word.to_owned(),
    };
    word.replace(core, name)
}

/// Amounts of cycles, which go with every message; and the gaps that depend on their width.
fn amounts(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let is_amount = |word: &str| {
            word.contains('.') && word.chars().all(|it| it.is_ascii_digit() || it == '.')
        };
        for index in 0..words.len().saturating_sub(1) {
            let unit = words[index + 1].trim_end_matches([',', ';']);
            let is_size = matches!(unit, "kB" | "MB") && words[index].parse::<u64>().is_ok();
            if is_size {
                words[index] = "N";
            }
            if is_amount(words[index]) && matches!(unit, "T" | "B" | "M") {
                words[index] = "N";
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n") + "\n"
}

/// Who the script is.
pub(crate) fn me() -> Principal {
    let key = ic_ed25519::PrivateKey::deserialize_raw_32(&[1; 32]);
    Principal::self_authenticating(key.public_key().serialize_rfc8410_der())
}

fn target() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    option_env!("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), PathBuf::from)
}

pub(crate) fn wasm_folder() -> PathBuf {
    match std::env::var_os("HATCHERY_WASM_DIR") {
        Some(folder) => folder.into(),
        None => target().join("wasm32-unknown-unknown/canister"),
    }
}
