//! The keys of the live view, pressed while the real root runs its fleet.

use super::Live;
use crate::demo::FLEET_TOML;
use crate::live::view::{self, Pace};
use crate::live::{Recording, Story};
use crate::wasm;
use hatchery_sim::demo::{Demo, DemoConfig};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

impl Live<'_> {
    fn press(&mut self, code: KeyCode) -> bool {
        let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        self.take(&event).expect("the fleet answers")
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.story.step(self.demo).expect("the fleet answers");
        }
    }

    /// What a terminal of 120 by 50 shows.
    fn picture(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(120, 50)).expect("it has a size");
        terminal
            .draw(|frame| view::draw(frame, self.story, Pace::Virtual(1), &self.controls))
            .expect("it can be drawn");
        terminal.backend().to_string()
    }

    fn has(&self, text: &str) -> bool {
        self.picture().contains(text)
    }
}

#[test]
fn every_key_does_what_it_says_to_a_fleet_that_lives() {
    let folder = wasm::folder(&crate::args::WasmOptions { wasm_dir: None });
    let built = |name| {
        let wasm = wasm::read(&folder, name);
        wasm.unwrap_or_else(|error| panic!("{error}; run `cargo xtask test`"))
    };
    let config = DemoConfig {
        seed: 7,
        chaos: false,
        root_wasm: built(wasm::ROOT),
        worker_wasm: built(wasm::WORKER),
        fleet_toml: FLEET_TOML.to_owned(),
        cache_dir: Some(folder.join("compiled")),
    };
    let mut demo = Demo::start(config, &mut |_| ()).expect("it starts");
    let mut story = Story::new(&demo, 7);
    let mut recording = Recording::new(None, "");
    let mut live = Live::new(&mut demo, &mut story, &mut recording);
    live.pass(60);
    let there = live.story.frame.canisters;
    assert!(live.has(&format!("accounted {there} / {there} · lost 0 ")));

    // A canister goes behind root's back: it is missed at once, and the row that stands for it is
    // told apart until root has noticed.
    live.press(KeyCode::Char('d'));
    live.pass(1);
    assert!(live.has("deleted behind root's back"), "{}", live.picture());
    let left = live.story.frame.canisters;
    assert_eq!(left, there - 1, "{}", live.picture());
    assert!(live.has(&format!("accounted {left} / {left} ")));
    assert_eq!((live.story.frame.stale, live.story.frame.lost), (1, 0));
    assert!(live.has("gone unnoticed 1"));

    live.press(KeyCode::Char('k'));
    live.pass(1);
    assert!(live.has("killed behind root's back"), "{}", live.picture());
    live.press(KeyCode::Char('f'));
    live.pass(1);
    assert!(live.has("refuses root's calls"), "{}", live.picture());
    live.pass(11);
    live.press(KeyCode::Char('u'));
    live.pass(1);
    assert!(live.has("root upgraded by force"), "{}", live.picture());

    // All of it is made good, and root knows of what is gone.
    let mut seconds = 0;
    while live.story.frame.stale > 0 && seconds < 3_600 {
        live.pass(1);
        seconds += 1;
        let frame = &live.story.frame;
        assert_eq!(frame.accounted, frame.canisters, "{}", live.picture());
    }
    assert_eq!(live.story.frame.stale, 0, "{}", live.picture());
    assert!(!live.has("gone unnoticed"));

    // Filter, look into, hold, faster, the end.
    live.press(KeyCode::Char('/'));
    for letter in "ready".chars() {
        live.press(KeyCode::Char(letter));
    }
    assert!(
        live.has("only canisters with: ready_"),
        "{}",
        live.picture()
    );
    live.press(KeyCode::Enter);
    let (shown, _) = live.controls.shown(live.story);
    assert!(!shown.is_empty() && shown.iter().all(|(row, _)| row.phase.name() == "ready"));
    let first = shown[0].0.canister.to_string();
    live.press(KeyCode::Enter);
    assert!(live.has(&first), "{}", live.picture());
    live.press(KeyCode::Esc);
    live.press(KeyCode::Char('p'));
    assert!(live.has("paused"));
    let speed = live.speed;
    live.press(KeyCode::Char('+'));
    assert_eq!(live.speed, speed + 1);
    assert!(!live.press(KeyCode::Esc), "the filter goes first");
    assert!(live.press(KeyCode::Char('q')));
}
