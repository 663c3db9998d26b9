//! What must have happened in a seed of the wasm level for its good end to mean anything.

use super::{FORCED, POLITE, ROUNDS, Soaked};

/// Canisters that root had at once.
const CANISTERS: u64 = 100;
/// Kinds of faults that struck.
const KINDS: usize = 5;

/// What is missing; none = nothing.
pub(super) fn missing(soaked: &Soaked) -> Option<String> {
    let struck = |name: &str| soaked.faults.get(name).copied().unwrap_or(0);
    let (forced, polite) = (struck(FORCED), struck(POLITE));
    let kinds = soaked.faults.values().filter(|count| **count > 0).count();
    let (looks, complete) = (soaked.looks, soaked.looks_complete);
    let lacks = [
        (soaked.rounds < ROUNDS, format!("{} rounds", soaked.rounds)),
        (
            soaked.canisters < CANISTERS,
            format!("{} canisters at once", soaked.canisters),
        ),
        (kinds < KINDS, format!("{kinds} kinds of faults")),
        (forced == 0, "no upgrade by force".to_owned()),
        (polite != 1, format!("{polite} polite upgrades")),
        (
            soaked.upgrades != forced + polite,
            format!(
                "root counts {} upgrades, {forced} by force and {polite} polite were done",
                soaked.upgrades
            ),
        ),
        (
            complete * 2 < looks,
            format!("{complete} complete looks of {looks}"),
        ),
    ];
    let missing = lacks.into_iter().find(|(is_missing, _)| *is_missing);
    missing.map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::{CANISTERS, FORCED, POLITE, ROUNDS, Soaked, missing};

    type Spoil = fn(&mut Soaked);

    fn struck(soaked: &mut Soaked, name: &str, count: u64) {
        soaked.faults.insert(name.to_owned(), count);
    }

    fn eventful() -> Soaked {
        let faults = ["refused", "slow-call", "deleted", FORCED, POLITE];
        Soaked {
            rounds: ROUNDS,
            canisters: CANISTERS,
            faults: faults.map(|name| (name.to_owned(), 1)).into(),
            looks: 10,
            looks_complete: 5,
            upgrades: 2,
            ..Soaked::default()
        }
    }

    #[test]
    fn a_seed_in_which_too_little_happened_fails() {
        assert_eq!(missing(&eventful()), None);
        let spoils: [(Spoil, &str); 7] = [
            (|it| it.rounds -= 1, "999 rounds"),
            (|it| it.canisters -= 1, "99 canisters at once"),
            (|it| struck(it, "refused", 0), "4 kinds of faults"),
            (|it| struck(it, FORCED, 0), "4 kinds of faults"),
            (|it| struck(it, POLITE, 2), "2 polite upgrades"),
            (
                |it| it.upgrades = 1,
                "root counts 1 upgrades, 1 by force and 1 polite were done",
            ),
            (|it| it.looks_complete = 4, "4 complete looks of 10"),
        ];
        for (spoil, what) in spoils {
            let mut soaked = eventful();
            spoil(&mut soaked);
            assert_eq!(missing(&soaked).as_deref(), Some(what));
        }
    }
}
