//! Amounts, times and ids as people read them.

use hatchery_api::ReasonView;
use hatchery_types::{CanisterId, ModuleHash, Nanos};

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// Trillions of cycles with three digits.
pub(crate) fn cycles(amount: u128) -> String {
    let sign = hatchery_types::Cycles(amount).to_string();
    sign.trim_end().to_owned()
}

/// A span, in its two largest units.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..DAY => two(seconds / 3_600, "h", seconds / 60 % 60, "m"),
        _ => two(seconds / DAY, "d", seconds / 3_600 % 24, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large}{large_unit}"),
        small => format!("{large}{large_unit}{small}{small_unit}"),
    }
}

/// How long ago, by `now`.
pub(crate) fn age(at: Nanos, now: Nanos) -> String {
    span(now.since(at).as_secs())
}

/// A moment in UTC, to the second: `2026-01-05T08:00:00Z`.
pub(crate) fn moment(at: Nanos) -> String {
    let seconds = at.0 / SECOND;
    let (year, month, day) = date(seconds / DAY);
    let of_day = seconds % DAY;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: years that
/// begin in March have their leap day last, so months have fixed starts (Hinnant, "chrono-compatible
/// low-level date algorithms", 2013).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Bytes in the unit that leaves up to four digits.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", count / 1_000_000),
    }
}

/// The start of a hash, enough to tell modules apart.
pub(crate) fn hash(module: ModuleHash) -> String {
    module.to_string().chars().take(12).collect()
}

/// The canister, or nothing.
pub(crate) fn id(canister: Option<CanisterId>) -> String {
    canister.map(|it| it.to_string()).unwrap_or_default()
}

/// The texts of reasons in one line.
pub(crate) fn reasons(reasons: &[ReasonView]) -> String {
    let mut texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    texts.dedup();
    if texts.is_empty() {
        "-".to_owned()
    } else {
        texts.join(", ")
    }
}

/// This machine's time.
#[expect(
    clippy::disallowed_methods,
    reason = "people read ages by their own clock"
)]
pub(crate) fn now() -> Nanos {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Nanos(since.map_or(0, |since| since.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    use super::{moment, span};
    use hatchery_types::Nanos;

    #[test]
    fn spans_have_two_units() {
        let shown = [0, 59, 60, 61, 3_600, 3_661, 86_400, 93_784].map(span);
        assert_eq!(
            shown,
            ["0s", "59s", "1m", "1m1s", "1h", "1h1m", "1d", "1d2h"]
        );
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_600_000, "2026-01-05T08:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(Nanos::from_secs(seconds)), shown);
        }
    }
}
