//! Text of floating point numbers: shortest digits that read back, laid out as SOPS does.
//!
//! The digits come from `ryu`: the standard library's shortest form rounds exact ties up where Go,
//! and so the MAC of every existing file, rounds them to even.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

/// Positional decimal without exponent: the bytes that are encrypted and hashed.
/// `1e21` gives `1000000000000000000000`, `-0.0` gives `-0`; `NaN`, `+Inf`, `-Inf`.
pub(crate) fn positional(number: f64) -> String {
    match digits(number) {
        Err(word) => word.to_owned(),
        Ok(digits) => digits.positional(),
    }
}

/// YAML text: an exponent when the first digit's place is below -4 or from 6 up (SOPS 3.11 through go-yaml).
pub(crate) fn yaml(number: f64) -> String {
    match digits(number) {
        Err("NaN") => ".nan".to_owned(),
        Err("-Inf") => "-.inf".to_owned(),
        Err(_) => ".inf".to_owned(),
        Ok(digits) if digits.place < -4 || digits.place >= 6 => digits.exponential(),
        Ok(digits) => digits.positional(),
    }
}

/// JSON text: an exponent for what is below a millionth or from 1e21 up (Go's `encoding/json`).
#[cfg(feature = "formats")]
pub(crate) fn json(number: f64) -> String {
    match digits(number) {
        Err(word) => word.to_owned(),
        Ok(digits) if digits.text != "0" && !(-6..21).contains(&digits.place) => {
            digits.exponential().replace("e-0", "e-")
        }
        Ok(digits) => digits.positional(),
    }
}

struct Digits {
    negative: bool,
    /// Significant digits, no zeros at the end; `0` for zero.
    text: String,
    /// Decimal place of the first digit: 0 for 5.2, 3 for 1000.
    place: i32,
}

impl Digits {
    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    fn positional(&self) -> String {
        let sign = self.sign();
        if self.place < 0 {
            let zeros = "0".repeat(self.place.unsigned_abs() as usize - 1);
            return format!("{sign}0.{zeros}{}", self.text);
        }
        let whole = self.place.unsigned_abs() as usize + 1;
        match self.text.split_at_checked(whole) {
            None | Some((_, "")) => format!("{sign}{:0<whole$}", self.text),
            Some((before, after)) => format!("{sign}{before}.{after}"),
        }
    }

    fn exponential(&self) -> String {
        let (first, rest) = self.text.split_at_checked(1).unwrap_or((&self.text, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let mark = if self.place < 0 { '-' } else { '+' };
        format!(
            "{}{first}{point}{rest}e{mark}{:02}",
            self.sign(),
            self.place.unsigned_abs()
        )
    }
}

fn digits(number: f64) -> Result<Digits, &'static str> {
    if number.is_nan() {
        return Err("NaN");
    }
    if number.is_infinite() {
        return Err(if number > 0.0 { "+Inf" } else { "-Inf" });
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let leading = all.len() - significant.len();
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Digits {
            negative,
            text: "0".to_owned(),
            place: 0,
        });
    }
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let place = exponent + i32::try_from(whole.len()).unwrap_or(0)
        - 1
        - i32::try_from(leading).unwrap_or(0);
    Ok(Digits {
        negative,
        text: significant.to_owned(),
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_text_has_no_exponent() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "-0"),
            (1e21, "1000000000000000000000"),
            (1.5e-7, "0.00000015"),
            (0.1, "0.1"),
            (1234.5, "1234.5"),
            (10.0, "10"),
            (100.25, "100.25"),
            (7_386_976_294_838_065.0 / 4.0, "1846744073709516.2"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (5e-324, &format!("0.{}5", "0".repeat(323))),
        ] {
            assert_eq!(positional(number), text);
        }
    }

    #[test]
    fn yaml_text_takes_an_exponent_from_a_million() {
        for (number, text) in [
            (1.0, "1"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (1_234_567.8, "1.2345678e+06"),
            (123_456.7, "123456.7"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0"),
            (f64::INFINITY, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
            (f64::NAN, ".nan"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(yaml(number), text);
        }
    }
}
