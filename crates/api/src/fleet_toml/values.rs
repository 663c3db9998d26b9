//! How single values are written: amounts, durations, percentages, principals, arguments.

use super::read::article;
use hatchery_types::{
    BufferSpec, CanisterId, Cycles, LeaseEnd, Missing, Nanos, Placeholder, Principal, Reuse, Scope,
    Source, Visibility,
};
use toml_edit::{Item, Offset};

/// Why a text is not a value of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: String,
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong {
        message: message.into(),
        hint: hint.into(),
    }
}

const AMOUNT: &str = "write an amount as text: \"5T\", \"300B\", \"1.5M\" or \"1_000_000\"";
const DURATION: &str = "write a duration as text: \"30s\", \"5m\" or \"24h\"";
const PERCENT: &str = "write a share as text: \"10%\"";

/// A text.
pub(super) fn text(item: &Item) -> Result<String, Wrong> {
    Ok(string(item, "write a text in quotes")?.to_owned())
}

/// A whole number from 0 to 2^32 - 1.
pub(super) fn count(item: &Item) -> Result<u32, Wrong> {
    let number = whole(item)?;
    u32::try_from(number).map_err(|_| {
        wrong(
            format!("{number} is too large"),
            format!("at most {}", u32::MAX),
        )
    })
}

/// A whole number, not negative.
pub(super) fn whole(item: &Item) -> Result<u64, Wrong> {
    let hint = "write a whole number, without quotes";
    let Some(number) = item.as_integer() else {
        let found = article(item.type_name());
        return Err(wrong(
            format!("expected a whole number, found {found}"),
            hint,
        ));
    };
    u64::try_from(number).map_err(|_| wrong(format!("{number} is negative"), "0 or more"))
}

/// An amount of cycles: digits, perhaps a fraction, and a unit; exact.
pub(super) fn cycles(item: &Item) -> Result<Cycles, Wrong> {
    let text = string(item, AMOUNT)?;
    parse_cycles(text).ok_or_else(|| wrong(format!("{text:?} is not an amount of cycles"), AMOUNT))
}

fn parse_cycles(text: &str) -> Option<Cycles> {
    let (digits, unit) = match text.char_indices().last()? {
        (end, 'T') => (&text[..end], Cycles::T),
        (end, 'B') => (&text[..end], Cycles::B),
        (end, 'M') => (&text[..end], 1_000_000),
        _ => (text, 1),
    };
    let digits = digits.trim_end();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.ends_with('.') {
        return None;
    }
    let mut amount = number(whole)?.checked_mul(unit)?;
    let mut weight = unit;
    for digit in fraction.chars() {
        if weight % 10 != 0 {
            return None; // finer than one cycle
        }
        weight /= 10;
        amount = amount.checked_add(u128::from(digit.to_digit(10)?) * weight)?;
    }
    Some(Cycles(amount))
}

/// Digits with single underscores between them.
fn number(text: &str) -> Option<u128> {
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let digits = text.replace('_', "");
    // `parse` would take a sign.
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// A duration of whole seconds, minutes or hours.
pub(super) fn duration(item: &Item) -> Result<Nanos, Wrong> {
    let text = string(item, DURATION)?;
    parse_duration(text).ok_or_else(|| wrong(format!("{text:?} is not a duration"), DURATION))
}

fn parse_duration(text: &str) -> Option<Nanos> {
    let (digits, unit) = match text.char_indices().last()? {
        (end, 's') => (&text[..end], 1),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 60 * 60),
        _ => return None,
    };
    let nanos = number(digits)?
        .checked_mul(unit)?
        .checked_mul(1_000_000_000)?;
    u64::try_from(nanos).ok().map(Nanos)
}

/// A share in whole per cent.
pub(super) fn percent(item: &Item) -> Result<u32, Wrong> {
    let text = string(item, PERCENT)?;
    text.strip_suffix('%')
        .and_then(|digits| number(digits.trim_end()))
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| wrong(format!("{text:?} is not a share in per cent"), PERCENT))
}

/// Who may see more than counts.
pub(super) fn visibility(item: &Item) -> Result<Visibility, Wrong> {
    let words = [
        ("public", Visibility::Public),
        ("operators", Visibility::Operators),
    ];
    one_of(item, &words)
}

/// True or false.
pub(super) fn flag(item: &Item) -> Result<bool, Wrong> {
    let found = article(item.type_name());
    item.as_bool().ok_or_else(|| {
        wrong(
            format!("expected true or false, found {found}"),
            "write it without quotes",
        )
    })
}

/// One of a few words.
fn one_of<T: Copy>(item: &Item, words: &[(&str, T)]) -> Result<T, Wrong> {
    let known: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    let hint = format!("write {}", known.join(" or "));
    let text = string(item, &hint)?;
    let found = words.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| wrong(format!("{text:?} is none of the words"), hint))
}

/// What the value of a signal says.
pub(super) fn scope(item: &Item) -> Result<Scope, Wrong> {
    one_of(item, &[("worker", Scope::Worker), ("pool", Scope::Pool)])
}

/// Where the values of a signal come from.
pub(super) fn source(item: &Item) -> Result<Source, Wrong> {
    let words = [
        ("pushed", Source::Pushed),
        ("pulled", Source::Pulled),
        ("memory", Source::Memory),
        ("burn", Source::Burn),
        ("queries", Source::Queries),
    ];
    one_of(item, &words)
}

/// What a missing value means: a word, or a number of workers.
pub(super) fn missing(item: &Item) -> Result<Missing, Wrong> {
    if item.is_integer() {
        return count(item).map(Missing::Fallback);
    }
    let words = [("cautious", Missing::Cautious), ("hold", Missing::Hold)];
    one_of(item, &words)
}

/// What becomes of a worker after its lease.
pub(super) fn lease_end(item: &Item) -> Result<LeaseEnd, Wrong> {
    let words = [("recycle", LeaseEnd::Recycle), ("return", LeaseEnd::Return)];
    one_of(item, &words)
}

/// Who may get a canister that had this role.
pub(super) fn reuse(item: &Item) -> Result<Reuse, Wrong> {
    let words = [
        ("same-role", Reuse::SameRole),
        ("same-parent", Reuse::SameParent),
        ("any", Reuse::Any),
        ("never", Reuse::Never),
    ];
    one_of(item, &words)
}

/// Whether children leave first, or keep their parent from being recycled.
pub(super) fn children(item: &Item) -> Result<bool, Wrong> {
    one_of(item, &[("refuse", false), ("first", true)])
}

/// What becomes of spare canisters above the maximum; none = deleted.
pub(super) fn surplus(item: &Item) -> Result<Option<CanisterId>, Wrong> {
    if item.as_str() == Some("delete") {
        return Ok(None);
    }
    let to = principal(item).map_err(|refused| Wrong {
        hint: "write \"delete\", or the principal that gets the surplus".to_owned(),
        ..refused
    })?;
    Ok(Some(CanisterId(to)))
}

/// A number of workers, or a share of all.
pub(super) fn buffer(item: &Item) -> Result<BufferSpec, Wrong> {
    if item.is_integer() {
        count(item).map(BufferSpec::Workers)
    } else {
        percent(item).map(BufferSpec::Percent)
    }
}

/// A point in time, with its distance from UTC.
pub(super) fn instant(item: &Item) -> Result<Nanos, Wrong> {
    let hint = "write a time without quotes: 2026-01-05T08:00:00Z";
    let time = item.as_datetime().ok_or_else(|| {
        let found = article(item.type_name());
        wrong(format!("expected a time, found {found}"), hint)
    })?;
    let (Some(date), Some(clock), Some(offset)) = (time.date, time.time, time.offset) else {
        return Err(wrong(
            "a date, a time or the distance from UTC is missing",
            hint,
        ));
    };
    let minutes_east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_since_1970(i64::from(date.year), date.month.into(), date.day.into());
    let clock_seconds = i64::from(clock.hour) * 3_600
        + i64::from(clock.minute) * 60
        + i64::from(clock.second.unwrap_or(0));
    let seconds = days * 86_400 + clock_seconds - minutes_east * 60;
    u64::try_from(seconds)
        .map(Nanos::from_secs)
        .map_err(|_| wrong("a time before 1970", hint))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: years are counted from March, so that
/// the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_TO_1970: i64 = 719_468;
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_TO_1970
}

/// One principal.
pub(super) fn principal(item: &Item) -> Result<Principal, Wrong> {
    let hint = "write a principal as text: \"aaaaa-aa\"";
    let text = string(item, hint)?;
    Principal::from_text(text)
        .map_err(|error| wrong(format!("{text:?} is not a principal: {error}"), hint))
}

/// A list of principals.
pub(super) fn principals(item: &Item) -> Result<Vec<Principal>, Wrong> {
    let hint = "write a list of principals: [\"aaaaa-aa\"]";
    let Some(list) = item.as_array() else {
        return Err(wrong(
            format!("expected a list, found {}", article(item.type_name())),
            hint,
        ));
    };
    list.iter()
        .map(|value| {
            let text = value.as_str().ok_or_else(|| {
                wrong(
                    format!("expected texts, found {}", article(value.type_name())),
                    hint,
                )
            })?;
            Principal::from_text(text)
                .map_err(|error| wrong(format!("{text:?} is not a principal: {error}"), hint))
        })
        .collect()
}

/// Bytes of an init argument, from Candid text or from `hex:` and digits.
pub(super) fn init_arg(item: &Item) -> Result<Vec<u8>, Wrong> {
    let hint =
        "write Candid text such as \"(record { limit = 5 : nat32 })\", or \"hex:\" and digits";
    let text = string(item, hint)?;
    if let Some(digits) = text.strip_prefix("hex:") {
        return parse_hex(digits)
            .ok_or_else(|| wrong("these are not pairs of hexadecimal digits", hint));
    }
    let mut text = text.to_owned();
    for (placeholder, word) in Placeholder::ALL {
        let stand_in = format!("principal \"{}\"", placeholder.principal());
        text = text.replace(&format!("principal \"{word}\""), &stand_in);
    }
    candid_parser::parse_idl_args(&text)
        .map_err(|error| wrong(format!("not Candid: {}", first_line(&error)), hint))?
        .to_bytes()
        .map_err(|error| wrong(format!("not a Candid value: {}", first_line(&error)), hint))
}

/// The bytes of an empty argument list.
pub(super) fn no_arguments() -> Vec<u8> {
    b"DIDL\x00\x00".to_vec()
}

fn parse_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            Some((high * 16 + low) as u8)
        })
        .collect()
}

fn first_line(error: &impl std::fmt::Display) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn string<'d>(item: &'d Item, hint: &str) -> Result<&'d str, Wrong> {
    item.as_str().ok_or_else(|| {
        wrong(
            format!("expected a text, found {}", article(item.type_name())),
            hint,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{days_since_1970, parse_cycles, parse_duration, parse_hex};
    use hatchery_types::{Cycles, Nanos};

    #[test]
    fn amounts_are_exact_or_refused() {
        let good = [
            ("5T", 5 * Cycles::T),
            ("300B", 300 * Cycles::B),
            ("1_000_000", 1_000_000),
            ("1.5T", 1_500 * Cycles::B),
            ("0.000001M", 1),
            ("7 T", 7 * Cycles::T),
            ("0", 0),
        ];
        for (text, amount) in good {
            assert_eq!(parse_cycles(text), Some(Cycles(amount)), "{text}");
        }
        let bad = [
            "",
            "T",
            "5t",
            "5X",
            "-5T",
            "+5T",
            "1__0",
            "_1",
            "1_",
            "1.T",
            ".",
            "1.2.3T",
            "0.1",
            "5 TT",
            "fünf",
            "999999999999999999999999999999999999999T",
        ];
        for text in bad {
            assert_eq!(parse_cycles(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        let good = [("0s", 0), ("30s", 30), ("5m", 300), ("24h", 86_400)];
        for (text, seconds) in good {
            assert_eq!(
                parse_duration(text),
                Some(Nanos::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["", "30", "s", "1.5m", "-1s", "5 min", "99999999999999h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_by_the_gregorian_calendar() {
        let known = [
            ((1970, 1, 1), 0),
            ((1970, 3, 1), 59),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 11, 22), 20_779),
            ((2100, 3, 1), 47_541),
        ];
        for ((year, month, day), days) in known {
            assert_eq!(
                days_since_1970(year, month, day),
                days,
                "{year}-{month}-{day}"
            );
        }
    }

    #[test]
    fn hex_comes_in_pairs() {
        assert_eq!(parse_hex("00ff"), Some(vec![0, 255]));
        assert_eq!(parse_hex(""), Some(vec![]));
        assert_eq!(parse_hex("0"), None);
        assert_eq!(parse_hex("ä"), None);
    }
}
