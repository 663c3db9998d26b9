//! How single values are written: amounts, durations, percentages, principals, arguments.

use super::read::article;
use hatchery_types::{Cycles, Nanos, Principal, Visibility};
use toml_edit::Item;

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
    let hint = "write \"public\" or \"operators\"";
    match string(item, hint)? {
        "public" => Ok(Visibility::Public),
        "operators" => Ok(Visibility::Operators),
        other => Err(wrong(format!("{other:?} is nobody"), hint)),
    }
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
    candid_parser::parse_idl_args(text)
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
    use super::{parse_cycles, parse_duration, parse_hex};
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
    fn hex_comes_in_pairs() {
        assert_eq!(parse_hex("00ff"), Some(vec![0, 255]));
        assert_eq!(parse_hex(""), Some(vec![]));
        assert_eq!(parse_hex("0"), None);
        assert_eq!(parse_hex("ä"), None);
    }
}
