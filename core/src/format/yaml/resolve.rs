//! The type of a scalar, exactly as go-yaml v3 decides it: the MAC covers resolved values.

use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::time;
use crate::decimal;
use crate::value::Value;

/// What a scalar means.
#[derive(Debug, PartialEq)]
pub(crate) enum Resolved {
    /// A value of the data model; no string that stands as it reads.
    Value(Value),
    /// The text itself, as a string.
    Text,
    /// An unsigned number above `i64::MAX`, or a time whose offset has no text: the reference refuses both.
    OutOfRange,
    /// The tag forces a type that the text is not.
    Mismatch,
}

/// Types a plain scalar without a tag.
pub(crate) fn plain(text: &str) -> Resolved {
    Resolved::Value(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Boolean(true),
        "false" | "False" | "FALSE" => Value::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => {
            return match text.as_bytes().first() {
                Some(b'.') => float_or_text(dotted_float(text)),
                Some(b'+' | b'-' | b'0'..=b'9') => number_or_time(text),
                _ => Resolved::Text,
            };
        }
    })
}

/// Types a scalar with a tag of the core schema (the part after `!!`); other tags leave it a string.
pub(crate) fn tagged(suffix: &str, text: &str, is_plain: bool) -> Resolved {
    let value = match suffix {
        "binary" => return binary(text),
        "str" => return Resolved::Text,
        "timestamp" => match time::canonical(text) {
            Some(text) => return Resolved::Value(Value::Time(text.into())),
            None => return Resolved::Mismatch,
        },
        _ => match plain(text) {
            Resolved::Value(value) => value,
            Resolved::Text if !matches!(suffix, "bool" | "int" | "float" | "null") => {
                return Resolved::Text;
            }
            Resolved::Text => return Resolved::Mismatch,
            other => return other,
        },
    };
    match (suffix, value) {
        ("float", Value::Integer(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            let number = number as f64;
            Resolved::Value(Value::Float(number))
        }
        ("bool", value @ Value::Boolean(_))
        | ("int", value @ Value::Integer(_))
        | ("float", value @ Value::Float(_))
        | ("null", value @ Value::Null) => Resolved::Value(value),
        ("bool" | "int" | "float" | "null", _) => Resolved::Mismatch,
        (_, value) if is_plain && suffix == "merge" => Resolved::Value(value),
        _ => Resolved::Text,
    }
}

fn binary(text: &str) -> Resolved {
    let packed: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    match STANDARD.decode(&*packed) {
        Err(_) => Resolved::Mismatch,
        Ok(bytes) => Resolved::Value(match String::from_utf8(bytes) {
            Ok(text) => Value::String(text.into()),
            Err(error) => Value::bytes(error.into_bytes()),
        }),
    }
}

/// A text that starts with a dot, as Go's `ParseFloat` takes it: single underscores between digits only.
fn dotted_float(text: &str) -> Option<f64> {
    let digits_end = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at_checked(digits_end)?;
    let digits = mantissa.strip_prefix('.')?;
    let grouped = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    if !grouped || !(exponent.is_empty() || is_exponent(exponent)) {
        return None;
    }
    finite(&text.replace('_', ""))
}

fn number_or_time(text: &str) -> Resolved {
    if let Some(time) = time::canonical(text) {
        return Resolved::Value(Value::Time(time.into()));
    }
    if time::offset_is_too_far(text) {
        return Resolved::OutOfRange;
    }
    let bare = Zeroizing::new(text.replace('_', ""));
    match integer(&bare) {
        Some(Ok(number)) => return Resolved::Value(Value::Integer(number)),
        Some(Err(())) => return Resolved::OutOfRange,
        None => {}
    }
    if is_float(&bare) {
        return float_or_text(finite(&bare));
    }
    match signed_after_prefix(&bare) {
        Some(number) => Resolved::Value(Value::Integer(number)),
        None => Resolved::Text,
    }
}

fn float_or_text(number: Option<f64>) -> Resolved {
    number.map_or(Resolved::Text, |number| {
        Resolved::Value(Value::Float(number))
    })
}

/// go-yaml reads `0b` and `0o` once more by hand, and so takes a sign behind them: `0b-1` is -1.
fn signed_after_prefix(text: &str) -> Option<i64> {
    let (negative, rest) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (radix, digits) = match rest.as_bytes() {
        [b'0', b'b', ..] => (2, rest.get(2..)?),
        [b'0', b'o', ..] => (8, rest.get(2..)?),
        _ => return None,
    };
    if negative && digits.starts_with(['-', '+']) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    if negative {
        number.checked_neg()
    } else {
        Some(number)
    }
}

/// Go's `ParseInt` with base 0; `Err` when only an unsigned 64-bit number holds it.
fn integer(text: &str) -> Option<Result<i64, ()>> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(true), text.get(1..)?),
        b'+' => (Some(false), text.get(1..)?),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` takes a sign of its own, which may not stand here.
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (sign, i64::try_from(magnitude)) {
        (Some(true), _) => 0i64.checked_sub_unsigned(magnitude).map(Ok),
        (_, Ok(number)) => Some(Ok(number)),
        (None, Err(_)) => Some(Err(())),
        (Some(false), Err(_)) => None,
    }
}

/// `[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let Some((mantissa, exponent)) = unsigned.split_at_checked(end) else {
        return false;
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && (exponent.is_empty() || is_exponent(exponent))
}

fn is_exponent(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['e', 'E']) else {
        return false;
    };
    let digits = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Overflow is no number; underflow is zero.
fn finite(text: &str) -> Option<f64> {
    decimal::read(text).filter(|number| number.is_finite())
}

/// Whether this text, written plain, would be read as the same string.
pub(crate) fn is_plain_string(text: &str) -> bool {
    matches!(plain(text), Resolved::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> &'static str {
        match plain(text) {
            Resolved::Value(Value::Null) => "null",
            Resolved::Value(value) => value.label(),
            Resolved::Text => "str",
            Resolved::OutOfRange => "u64",
            Resolved::Mismatch => "mismatch",
        }
    }

    #[test]
    fn surprising_types_are_those_of_go_yaml() {
        for (text, expected) in [
            ("yes", "str"),
            ("on", "str"),
            ("tRue", "str"),
            ("nil", "str"),
            ("<<", "str"),
            (".5", "float"),
            (".1_0", "float"),
            ("._1", "str"),
            (".1__0", "str"),
            (".", "str"),
            (".1e400", "str"),
            (".e5", "str"),
            ("0777", "int"),
            ("0o17", "int"),
            ("0b-1", "int"),
            ("-0b-1", "str"),
            ("0x1F", "int"),
            ("0X1f", "int"),
            ("1_000", "int"),
            ("1__0", "int"),
            ("1_", "int"),
            ("08", "float"),
            ("0129", "float"),
            ("1e3", "float"),
            ("1.", "float"),
            ("1e400", "str"),
            ("1e-400", "float"),
            ("-0", "int"),
            ("-0.0", "float"),
            ("+5", "int"),
            ("+", "str"),
            ("-", "str"),
            ("--1", "str"),
            ("0x", "str"),
            ("0o8", "str"),
            ("_1", "str"),
            ("9223372036854775807", "int"),
            ("9223372036854775808", "u64"),
            ("+9223372036854775808", "float"),
            ("-9223372036854775808", "int"),
            ("-9223372036854775809", "float"),
            ("18446744073709551615", "u64"),
            ("18446744073709551616", "float"),
            ("190:20:30", "str"),
            ("1.2.3", "str"),
            ("2001-01-01", "time"),
            ("2001-13-01", "str"),
            ("", "null"),
            ("~", "null"),
            ("None", "str"),
        ] {
            assert_eq!(label(text), expected, "{text}");
        }
        assert_eq!(plain("0777"), Resolved::Value(Value::Integer(511)));
        assert_eq!(plain("-017"), Resolved::Value(Value::Integer(-15)));
    }

    #[test]
    fn tags_force_a_type() {
        assert_eq!(
            tagged("int", "7", false),
            Resolved::Value(Value::Integer(7))
        );
        assert_eq!(
            tagged("float", "3", true),
            Resolved::Value(Value::Float(3.0))
        );
        assert_eq!(tagged("str", "5", true), Resolved::Text);
        assert_eq!(
            tagged("binary", "aGk=", true),
            Resolved::Value(Value::string("hi"))
        );
        assert_eq!(tagged("bool", "yes", true), Resolved::Mismatch);
        assert_eq!(tagged("null", "x", true), Resolved::Mismatch);
        assert_eq!(tagged("binary", "?", true), Resolved::Mismatch);
    }
}
