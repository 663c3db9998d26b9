//! A failing seed becomes a script: smaller, readable, and it fails in the same way again.

use hatchery_sim::model::{Failure, Report, Story, tell};

const STORY: &str = "seed 17
fate install c9 1 #2 never-idle silent runs 1000 answers 1000
fate reset c5 1 #0 unknown-ran lost runs 1200 answers 500
pass 60000
jump 3600000
tick
report c5 value 12 generation-off 2 unknown-signal
work c5=3 c7=0
call-ends c7
command \"op-1\" import c4 c5
command \"op-2\" requeue-all
worker \"op-3\" south
request c5 0 \"op-4\" upgrade-all worker
spec pool 1 min 0 max 3 initial 1 standby 2 minimum 1 maximum 4 resets 3 second 1 target 20 surplus 1 reuse 2 rule 1
stage-badly 2 1
meddle taken-over c4
balance 2000000000000
stopping true
stopping false
store-cleared filled true
upgrade forced
upgrade polite
rest
";

#[test]
fn a_story_is_read_as_it_is_told() {
    let story = Story::read(STORY).expect("it is one");
    assert_eq!(story.text(), STORY);
    let wrong = Story::read("seed 1\npass soon\n").expect_err("no number");
    assert_eq!(wrong, "line 2: `pass soon` means nothing");
}

#[test]
fn a_story_of_a_healthy_core_ends_well() {
    let story = Story::read(STORY).expect("it is one");
    assert!(story.replay().is_ok());
}

/// Actions, fates and splits are all there is to a seed.
#[test]
fn a_seed_told_as_a_story_ends_in_the_same_bytes() {
    let mut split = 0;
    for seed in 0..24 {
        let (ended, story) = tell(seed, 200);
        let read = Story::read(&story.text()).expect("it reads what it tells");
        assert_eq!(read, story, "seed {seed}");
        let digest = |ended: Result<Report, Failure>| ended.map(|it| it.digest);
        assert_eq!(digest(read.replay()), digest(ended), "seed {seed}");
        split += u32::from(story.splits > 0);
    }
    assert!(split > 2, "only {split} seeds split ticks");
}

/// With a bug in core, a seed fails; its story is short and fails by the same checker.
#[cfg(feature = "plant")]
#[test]
fn a_failing_seed_is_made_small() {
    use hatchery_sim::model::{shrink, simulate};
    hatchery_core::plant::plant(Some("p07"));
    let failure = simulate(0, 300).expect_err("a row is dropped");
    let (small, story) = shrink(0, 300).expect("its story fails too");
    assert_eq!(small.checker, failure.checker);
    assert!(story.actions.len() < 20, "{}", story.text());
    let read = Story::read(&story.text()).expect("it reads what it tells");
    assert_eq!(read.replay(), Err(small));
    hatchery_core::plant::plant(None);
}
