//! Known bugs, planted one at a time to see that checkers and tests find them.
//!
//! Without the feature `plant` nothing is ever planted and nothing of it is compiled. A plant is an
//! entry of [`PLANTS`] or [`PLANTS_OUTSIDE`] and an `if planted("…")` where the bug would be.

use hatchery_types::Reason;

/// Each failure id with the bug that brings it back.
pub const PLANTS: &[(&str, &str)] = &[
    ("p01", "a claim drops the row until its install is done"),
    (
        "p02",
        "a reset of an earlier root is waited for without end",
    ),
    ("p03", "an import makes a row anew though one is there"),
    ("p04", "a failed reset is tried again at once"),
    (
        "p05",
        "an interrupted immediate import is never tried again",
    ),
    ("p06", "what is skipped counts as requeued too"),
    (
        "p07",
        "a recycled canister's row is dropped before its reset",
    ),
    ("p08", "an export is begun before it is checked"),
    ("p09", "a refused install leaves the canister claimed"),
    ("p10", "a command takes any number of canisters"),
    ("p11", "what is being reset does not count when buying"),
    ("p12", "a creation without an answer is forgotten"),
    ("p13", "after a failed creation the minimum is not kept"),
    ("p14", "each failure's text is appended to the last"),
    ("p15", "a flag set while resets run survives an upgrade"),
    (
        "p16",
        "a bought canister is ready with the cycles that were sent",
    ),
    ("p17", "controllers beside the configured ones are let pass"),
    ("p18", "a member is recycled without a drain"),
    ("p19", "a stopped canister is not started by its reset"),
    ("p20", "a canister below the floor is ready"),
    ("p21", "a member that is gone stays in service"),
    ("p22", "a stop that does not end is waited for"),
    ("p23", "the reset lane has no end"),
    ("p24", "any pool gets any canister, whatever its past"),
    ("p25", "settings of the last tenant are let pass"),
    ("p26", "what leaves with a canister is not booked"),
    ("s01", "a pool grows above its maximum"),
    (
        "s02",
        "an install of unknown outcome is waited for without end",
    ),
    ("s03", "members that left count as living"),
    ("s04", "a lease asked for again is a new one"),
    ("s05", "an operation id is answered whatever it is used for"),
    ("s06", "a full store drops what is not answered yet"),
    ("s07", "who left stays on the list of workers"),
    ("s08", "load above the target makes nothing grow"),
    (
        "s09",
        "a pool that cannot be filled ends the planning of the others",
    ),
    ("s10", "absurd values are taken"),
    ("s11", "a pool shrinks as soon as its load does"),
    ("s12", "a drain is not cancelled when load returns"),
    ("s13", "others are drained than the plan says"),
    ("s14", "failed installs are not counted"),
    ("s15", "leased and protected members are victims"),
    ("s16", "a lease that is not renewed stays"),
    ("s17", "a spec is taken as it comes"),
    ("s18", "a lowered maximum drains all at once"),
    ("s19", "workers of a holder that is gone are forgotten"),
    ("s20", "a lease ends though nobody could renew it"),
    ("l01", "an operation asked for again is a new one"),
    ("l02", "one caller may have any number of receipts"),
    (
        "l03",
        "a late outcome is taken for that of the newest attempt",
    ),
    ("l04", "a snapshot of unknown outcome is not looked for"),
    (
        "l05",
        "a canister is taken before the argument for it is looked at",
    ),
    ("l06", "members have whatever they ask for"),
    (
        "l07",
        "a root that was reinstalled takes its memory for whole",
    ),
    ("l08", "memory of a newer layout is opened"),
    ("l09", "what was counted is lost at an upgrade"),
    ("l10", "a page has no end"),
    ("l11", "a decision buys whatever is missing"),
    ("l12", "a call that was not sent counts as refused"),
    ("l13", "a deposit without an answer is paid again"),
    ("l14", "root pays below its reserve"),
    ("l15", "a canister has no budget of its own"),
    ("l19", "a module is taken without a look at its hash"),
    ("l25", "the chunk store is believed to outlive an upgrade"),
    ("l26", "a stopping root goes on as if it were not"),
    ("u01", "upgrades know no disruption budget"),
    ("u02", "a failed health check counts as a passed one"),
    ("u03", "the snapshot of an upgrade is left behind"),
    ("u04", "a ready canister is never looked at again"),
    ("u05", "the generation of a request is not looked at"),
];

/// The same for bugs of the shell and of the decoder: found by the tests that are named after them,
/// of those crates or on a root that was built with the feature.
pub const PLANTS_OUTSIDE: &[(&str, &str)] = &[
    ("l16", "a tick begins while another one is under way"),
    ("l17", "no timer is armed after an upgrade"),
    ("l18", "a callback that trapped leaves its call open"),
    ("l20", "a reply that cannot be read counts as done"),
    ("l21", "anybody may call what is for operators"),
    ("l22", "a message may ask for a thousand times the work"),
    ("l23", "a message is executed whoever sent it"),
    ("l24", "an answer of a worker is waited for without end"),
];

/// Plant p14: a failure's text behind that of the last one.
pub(crate) fn appended(last: &Reason, reason: Reason) -> Reason {
    let mut reason = reason;
    if let (Some(old), Some(new)) = (text_of(&mut last.clone()), text_of(&mut reason)) {
        new.insert_str(0, old);
    }
    reason
}

fn text_of(reason: &mut Reason) -> Option<&mut String> {
    match reason {
        Reason::Refused(refusal) | Reason::NotExecuted(refusal) | Reason::Unknown(refusal) => {
            Some(&mut refusal.text)
        }
        _ => None,
    }
}

#[cfg(all(feature = "plant", not(target_family = "wasm")))]
pub use hatchery_types::plant::plant;
pub(crate) use hatchery_types::plant::planted;
