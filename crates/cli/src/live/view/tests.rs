//! The whole picture, as a terminal of 100 by 30 shows it.

use super::super::story::Story;
use super::{Controls, Pace, draw};
use expect_test::expect;
use hatchery_api::{EventView, PoolView, ReasonView, RowView};
use hatchery_sim::demo::Frame;
use hatchery_types::{
    CanisterId, Cycles, Generation, Level, Nanos, Phase, Principal, Reason, Topic,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const START: Nanos = Nanos::from_secs(1_000);

fn id(n: u8) -> CanisterId {
    CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, n, 1, 1]))
}

fn row(n: u8, phase: Phase, reason: &Reason) -> RowView {
    RowView {
        canister: id(n),
        phase,
        since: START,
        role: None,
        pool: None,
        parent: None,
        module: None,
        generation: Generation(1),
        cycles: None,
        cycles_at: None,
        created_at: START,
        attempts: 0,
        reason: ReasonView::from(reason),
        effect: (phase == Phase::Installing).then(|| "install".to_owned()),
        holder: None,
        leased_until: None,
        load: Some(7),
    }
}

fn second(second: u64) -> Frame {
    let workers = second.min(90) / 10;
    let phases = Phase::ALL.map(|phase| match phase {
        Phase::Ready => (phase, 5),
        Phase::InService => (phase, workers),
        Phase::Installing => (phase, 1),
        _ => (phase, 0),
    });
    let event = EventView {
        number: second,
        at: START + Nanos::from_secs(second),
        canister: Some(id(3)),
        pool: None,
        phase: Some(Phase::InService),
        reason: ReasonView::from(&Reason::Installed),
        topic: Topic::Workers,
        level: Level::Info,
        operation: None,
    };
    Frame {
        virtual_seconds: second,
        phases: phases.to_vec(),
        load: second * 2,
        desired: workers + 1,
        in_service: workers,
        ready: 5,
        jobs_submitted: second * second / 50,
        jobs_done: second,
        rows: vec![
            row(1, Phase::Ready, &Reason::VerifiedEmpty),
            row(2, Phase::Installing, &Reason::Claimed),
            row(3, Phase::InService, &Reason::Installed),
        ],
        events: if second.is_multiple_of(10) {
            vec![event]
        } else {
            vec![]
        },
        pool_reasons: vec![ReasonView::from(&Reason::AboveTarget)],
        root_cycles: Cycles(900 * Cycles::T),
        notice: (second == 85).then(|| "root upgraded by force, 4 effects open".to_owned()),
        accounted: 14,
        canisters: 14,
        ..Frame::default()
    }
}

fn story() -> Story {
    let mut story = Story::empty("fleet demo, seed 1");
    for n in 1..=95 {
        story.add(second(n), START + Nanos::from_secs(n));
    }
    story
}

fn picture(story: &Story, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("no terminal needed");
    terminal
        .draw(|frame| draw(frame, story, Pace::Virtual(6), &Controls::default()))
        .expect("drawn to memory");
    terminal.backend().to_string()
}

#[test]
fn everything_is_shown() {
    expect![[r#"
        " hatchery  fleet demo, seed 1 · 1:35 virtual, 6x · wave: 3.6 jobs/s, rising                         "
        "╭ canisters by phase ────────╮╭ load 190────────────╮╭ in service 9 desired 10 draining 0 ready 5──╮"
        "│ ready           5 █████    ││190│                ⣀││10 │                                      ⢀⣀⣀│"
        "│ installing      1 █        ││   │              ⡠⠞⠁││   │                                  ⡤⠤⠤⠤⢠⠤⠤│"
        "│ in-service      9 ████████ ││   │           ⢀⡴⠋   ││   │                         ⢀⣀⣀⣀⣠⣀⣀⣀⣠⠋⠉⠉⠉⠁  │"
        "│                            ││   │         ⣠⠖⠋     ││   │                     ⢠⠤⠤⠤⢠⠤⠤⠤⠴⠁          │"
        "│                            ││   │       ⣠⠞⠁       ││   │⠐⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⢀⠖⠒⠒⠒⡰⠒⠒⠒⠃⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒│"
        "│                            ││   │    ⢀⡴⠊          ││   │        ⢀⣀⣀⣀⣠⣀⣀⣀⣠⠋⠉⠉⠉⠁                   │"
        "│                            ││   │  ⣀⠔⠉            ││   │    ⡰⠒⠒⠒⡰⠒⠒⠒⠒⠁                           │"
        "│                            ││0  │⡠⠞⠁              ││0  │⢀⣀⣀⣀⡜⠉⠉⠉⠁⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀│"
        "│                            ││   └─────────────────││   └─────────────────────────────────────────│"
        "│                            ││0:00      0:47   1:35││0:00                  0:47               1:35│"
        "╰────────────────────────────╯╰─────────────────────╯╰─────────────────────────────────────────────╯"
        "╭ canisters ───────────────────────────────────────────────────────────────────────────────────────╮"
        "│ canister     phase         load     age  doing     reason                                        │"
        "│ ryjl3-tyaaa  installing       7    1:35  install   claimed                                       │"
        "│ r7inp-6aaaa  in-service       7    1:35            installed                                     │"
        "│ rrkah-fqaaa  ready                 1:35            verified-empty                                │"
        "│                                                                                                  │"
        "│                                                                                                  │"
        "╰──────────────────────────────────────────────────────────────────────────────────────────────────╯"
        "╭ events ──────────────────────────────────────────────────────────────────────────────────────────╮"
        "│  1:10  r7inp-6aaaa in-service    installed                                                       │"
        "│  1:20  r7inp-6aaaa in-service    installed                                                       │"
        "│  1:25  ▶ root upgraded by force, 4 effects open                                                  │"
        "│  1:30  r7inp-6aaaa in-service    installed                                                       │"
        "╰──────────────────────────────────────────────────────────────────────────────────────────────────╯"
        " why      above-target                                                                              "
        " accounted 14 / 14 · lost 0 · jobs 95 / 180 · effects 0 · root 900.000 T                            "
        " q quit  p pause  / filter  enter look  +/- speed                                                   "
    "#]].assert_eq(&picture(&story(), 100, 30));
}

/// The smallest terminal that people have: canisters and events are there too.
#[test]
fn nothing_is_left_out_of_a_small_terminal() {
    expect![[r#"
        " hatchery  fleet demo, seed 1 · 1:35 virtual, 6x · wave: 3.6 jobs/s, rising     "
        "╭ canisters by phase ────────╮╭ load 190──────╮╭ serve 9 want 10 drain 0 ready ╮"
        "│ ready           5 █████    ││190│         ⢀⡤││10 │                      ⢀⣀⣀⣀⣀│"
        "│ installing      1 █        ││   │       ⣠⠔⠉ ││   │                ⢀⣀⣀⢀⣀⣀⡰⠒⠒⠃ │"
        "│ in-service      9 ████████ ││   │    ⢀⡤⠚⠁   ││   │⠠⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⡤⠤⠤⡤⠤⠴⠒⠒⠊⠤⠤⠤⠤⠤⠤⠤│"
        "│                            ││   │  ⣀⠴⠋      ││   │     ⢠⠤⠤⢠⠤⠤⠏⠉⠉             │"
        "│                            ││0  │⡠⠞⠁        ││0  │⢀⣀⣀⠖⠒⠚⠉⠉⠁⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀│"
        "│                            ││   └───────────││   └───────────────────────────│"
        "│                            ││0:00       1:35││0:00            0:47       1:35│"
        "╰────────────────────────────╯╰───────────────╯╰───────────────────────────────╯"
        "╭ canisters ───────────────────────────────────────────────────────────────────╮"
        "│ canister     phase         load     age  doing     reason                    │"
        "│ ryjl3-tyaaa  installing       7    1:35  install   claimed                   │"
        "│ r7inp-6aaaa  in-service       7    1:35            installed                 │"
        "│ rrkah-fqaaa  ready                 1:35            verified-empty            │"
        "│                                                                              │"
        "╰──────────────────────────────────────────────────────────────────────────────╯"
        "╭ events ──────────────────────────────────────────────────────────────────────╮"
        "│  1:25  ▶ root upgraded by force, 4 effects open                              │"
        "│  1:30  r7inp-6aaaa in-service    installed                                   │"
        "╰──────────────────────────────────────────────────────────────────────────────╯"
        " why      above-target                                                          "
        " accounted 14 / 14 · lost 0 · jobs 95 / 180 · effects 0 · root 900.000 T        "
        " q quit  p pause  / filter  enter look  +/- speed                               "
    "#]]
    .assert_eq(&picture(&story(), 80, 24));
}

#[test]
fn canisters_not_accounted_for_are_said() {
    let mut story = story();
    let frame = Frame {
        accounted: 13,
        lost: 1,
        ..second(96)
    };
    story.add(frame, START + Nanos::from_secs(96));
    assert!(picture(&story, 80, 24).contains("accounted 13 / 14 · lost 1"));
}

#[test]
fn a_tiny_terminal_is_no_reason_to_panic() {
    for (width, height) in [(1, 1), (10, 3), (20, 10), (300, 5)] {
        picture(&story(), width, height);
    }
}

#[test]
fn a_fleet_on_a_network_shows_its_pools_and_what_is_looked_into() {
    let mut story = story();
    story.pools = vec![PoolView {
        name: "workers".to_owned(),
        role: "worker".to_owned(),
        min: 2,
        max: 12,
        desired: 10,
        installing: 1,
        standby: 0,
        in_service: 9,
        leased: 3,
        draining: 0,
        load: 190,
        reasons: vec![ReasonView::from(&Reason::AboveTarget)],
        work_cut: 0,
        upgrading: 0,
        rollout: None,
    }];
    let mut controls = Controls::new(true);
    controls.filter = "in-service".to_owned();
    controls.is_open = true;
    let mut terminal = Terminal::new(TestBackend::new(100, 34)).expect("no terminal needed");
    terminal
        .draw(|frame| draw(frame, &story, Pace::Real, &controls))
        .expect("drawn to memory");
    let lower: Vec<String> = terminal
        .backend()
        .to_string()
        .lines()
        .skip(14)
        .map(str::to_owned)
        .collect();
    expect![[r#"
        "╭ r7inp-6aaaa-aaaaa-aaabq-cai in-service · esc closes ─────────────────────────────────────────────╮"
        "│ reason      installed                                                                            │"
        "│ age         1:35                                                                                 │"
        "│ role        -                                                                                    │"
        "│ pool        -                                                                                    │"
        "│ module      -                                                                                    │"
        "│ generation  1                                                                                    │"
        "│ cycles      -                                                                                    │"
        "│ attempts    0                                                                                    │"
        "│ doing       -                                                                                    │"
        "│ load        7                                                                                    │"
        "│                                                                                                  │"
        "│   1:30  in-service    installed                                                                  │"
        "│   1:20  in-service    installed                                                                  │"
        "│   1:10  in-service    installed                                                                  │"
        "│   1:00  in-service    installed                                                                  │"
        "╰──────────────────────────────────────────────────────────────────────────────────────────────────╯"
        " workers      want 10 · serve 9 · leased 3 · standby 0 · drain 0 · 2 to 12 above-target             "
        " accounted 14 / 14 · lost 0 · effects 0 · root 900.000 T                                            "
        " q quit  p pause  / filter  enter look  k kill  d delete  u upgrade  f fail                         "
    "#]].assert_eq(&(lower.join("\n") + "\n"));
}
