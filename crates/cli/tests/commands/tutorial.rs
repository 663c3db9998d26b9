//! The book's tutorial, followed word for word: what it says to type is typed, what it says to see
//! is seen.
//!
//! Owns reading the page. Building the workspace is what runs this test, so that step is taken as
//! done.

use crate::stage::{put_away, wasm_folder};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PAGE: &str = include_str!("../../../../docs/src/guides/tutorial.md");

/// Someone who reads and types.
struct Reader {
    folder: PathBuf,
    up: Option<Child>,
    seen: String,
}

#[test]
fn the_tutorial_works_word_for_word() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorial");
    // What an earlier run left.
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut reader = Reader {
        folder,
        up: None,
        seen: String::new(),
    };
    let mut typed = 0;
    for (kind, text) in blocks(PAGE) {
        match kind {
            "sh" => {
                for line in text.lines() {
                    reader.follow(line);
                    typed += 1;
                }
            }
            "text" => reader.compare(text),
            other => panic!("a block of {other}"),
        }
    }
    assert!(typed > 12, "{typed} lines");
}

/// The page's blocks, each with its kind.
pub(crate) fn blocks(page: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = page.split("```").collect();
    let inside = parts.iter().skip(1).step_by(2);
    inside
        .map(|part| part.split_once('\n').expect("a kind"))
        .collect()
}

impl Reader {
    fn follow(&mut self, line: &str) {
        match line {
            // Both are done for a test that runs.
            "cargo xtask demo --fast" => {}
            export if export.starts_with("export PATH=") => {}
            "hatchery up" => self.start(),
            // The page says to end it before.
            "hatchery up --once" => {
                self.end();
                self.type_in(line);
                assert!(self.seen.contains("5 workers in service"), "{}", self.seen);
            }
            cd if cd.starts_with("cd ") => self.folder.push(&cd[3..]),
            line => self.type_in(line),
        }
    }

    fn command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_hatchery"));
        let folder = program.parent().expect("it is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-ec", line])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HATCHERY_WASM_DIR", wasm_folder())
            .env_remove("HATCHERY_NETWORK")
            .env_remove("HATCHERY_IDENTITY")
            .env_remove("HATCHERY_ROOT")
            .stdin(Stdio::null());
        command
    }

    fn type_in(&mut self, line: &str) {
        let output = self.command(line).output().expect("sh starts");
        self.seen = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{}{said}", self.seen);
    }

    /// Leaves it running, once it says that it is up.
    #[expect(
        clippy::disallowed_methods,
        reason = "another program's pipe is emptied beside it"
    )]
    fn start(&mut self) {
        let mut up = self
            .command("exec hatchery up")
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut lines = BufReader::new(up.stdout.take().expect("it is piped")).lines();
        let is_up = lines
            .by_ref()
            .any(|line| line.is_ok_and(|line| line.contains(" is up after ")));
        assert!(is_up, "it ended before it was up");
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        self.up = Some(up);
    }

    /// Ctrl-C.
    fn end(&mut self) {
        let mut up = self.up.take().expect("it runs");
        let told = Command::new("kill")
            .args(["-INT", &up.id().to_string()])
            .status();
        assert!(told.expect("kill starts").success());
        assert!(up.wait().expect("it ends").success());
    }

    /// Every line of the block is among what was seen last, in this order.
    fn compare(&self, block: &str) {
        let seen = put_away(&self.seen);
        let mut seen = seen.lines();
        for line in put_away(block).lines().filter(|line| !line.is_empty()) {
            assert!(
                seen.any(|it| it == line),
                "`{line}` is not in\n{}",
                self.seen
            );
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut up) = self.up.take() {
            drop(up.kill());
            drop(up.wait());
        }
    }
}
