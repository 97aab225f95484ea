//! Reading decimal numbers, correctly rounded, without the tables of the standard library's reader: those are
//! 10 KB that no compressor can shrink, a tenth of the codec as the page loads it.
//!
//! Exact by arithmetic on whole numbers: the text is `digits × 10^exponent`, written as a fraction of two whole
//! numbers, and long division yields the 53 bits that a double holds and whether anything is left.

use alloc::vec;
use alloc::vec::Vec;

/// More significant digits than any halfway point between two doubles has; later ones only say "a bit more".
const DIGITS: usize = 800;
/// Powers of ten up to here are doubles without rounding.
const EXACT_POWER: i64 = 22;

/// The double nearest to `[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?`, ties to even. Too large is infinity, too
/// small is zero. `None` for any other text.
pub(crate) fn read(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at_checked(end)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut scale = match exponent.get(1..) {
        None => 0,
        Some(exponent) => small(exponent)?,
    };
    scale = scale.saturating_sub(i64::try_from(fraction.len()).ok()?);

    let mut digits = Vec::new();
    let mut more = false;
    for byte in whole.bytes().chain(fraction.bytes()) {
        match byte {
            b'0' if digits.is_empty() => {}
            b'0'..=b'9' if digits.len() < DIGITS => digits.push(byte - b'0'),
            b'0'..=b'9' => {
                more |= byte != b'0';
                scale = scale.saturating_add(1);
            }
            _ => return None,
        }
    }
    // What is not loaded by the page has the tables, which are much faster on long digits.
    let magnitude = if cfg!(feature = "formats") {
        unsigned.parse().ok()?
    } else {
        magnitude(&digits, scale, more)
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// A whole number with a sign, held within ±10^9: beyond that every double is infinite or zero already.
fn small(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.bytes().fold(0, |number: i64, byte| {
        (number * 10 + i64::from(byte - b'0')).min(1_000_000_000)
    });
    Some(if negative { -number } else { number })
}

fn magnitude(digits: &[u8], scale: i64, more: bool) -> f64 {
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if digits.is_empty() || count.saturating_add(scale) < -330 {
        return 0.0;
    }
    if count.saturating_add(scale) > 310 {
        return f64::INFINITY;
    }
    if count <= 15 && scale.abs() <= EXACT_POWER {
        return exact(digits, scale);
    }
    let mut top = Whole::from_digits(digits, more);
    let mut bottom = Whole(vec![1]);
    // one digit more stands for all that were cut off
    let scale = if more { scale - 1 } else { scale };
    for _ in 0..scale.max(0) {
        top.multiply_add(10, 0);
    }
    for _ in 0..(-scale).max(0) {
        bottom.multiply_add(10, 0);
    }
    nearest(top, bottom)
}

/// Both numbers are doubles without rounding, so that the one operation rounds once.
fn exact(digits: &[u8], scale: i64) -> f64 {
    let number = digits
        .iter()
        .fold(0.0, |number, digit| number * 10.0 + f64::from(*digit));
    let power = (0..scale.abs()).fold(1.0, |power, _| power * 10.0);
    if scale < 0 {
        number / power
    } else {
        number * power
    }
}

/// The double nearest to `top / bottom`; neither is zero.
fn nearest(mut top: Whole, mut bottom: Whole) -> f64 {
    // the quotient gets 64 or 65 bits: shift = power of two that was taken out of it
    let mut shift = top.bits() - bottom.bits() - 64;
    if shift < 0 {
        top.shift_left(shift.unsigned_abs());
    } else {
        bottom.shift_left(shift.unsigned_abs());
    }
    let mut quotient: u128 = 0;
    for place in (0..=64).rev() {
        let mut part = bottom.clone();
        part.shift_left(place);
        quotient <<= 1;
        if top.subtract_if_it_holds(&part) {
            quotient |= 1;
        }
    }
    let mut rest = !top.is_zero();
    let length = 128 - i64::from(quotient.leading_zeros());
    // a double has 53 bits, and fewer where its exponent would fall below -1074
    let cut = (length - 53).max(-1074 - shift);
    if cut >= 128 {
        return 0.0;
    }
    shift += cut;
    let kept = quotient >> cut;
    let half = 1u128 << (cut - 1);
    let lost = quotient & ((1u128 << cut) - 1);
    rest |= lost & (half - 1) != 0;
    let up = lost & half != 0 && (rest || kept & 1 == 1);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "53 bits, or one more after rounding up"
    )]
    compose(kept as u64 + u64::from(up), shift)
}

/// `significand × 2^exponent`, which is a double or beyond the largest.
fn compose(significand: u64, exponent: i64) -> f64 {
    let (mut significand, mut exponent) = (significand, exponent);
    if significand >> 53 != 0 {
        significand >>= 1;
        exponent += 1;
    }
    if exponent > 1023 - 52 {
        return f64::INFINITY;
    }
    // without its top bit the number is subnormal, whose exponent field is zero
    let field = if significand >> 52 == 0 {
        0
    } else {
        (exponent + 1075).unsigned_abs()
    };
    f64::from_bits((field << 52) | (significand & ((1 << 52) - 1)))
}

/// A whole number of any size, least significant part first.
#[derive(Clone)]
struct Whole(Vec<u32>);

impl Whole {
    fn from_digits(digits: &[u8], more: bool) -> Self {
        let mut number = Self(Vec::new());
        for digit in digits.iter().copied().chain(more.then_some(1)) {
            number.multiply_add(10, u32::from(digit));
        }
        number
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half is kept, the high half carried"
    )]
    fn multiply_add(&mut self, factor: u32, term: u32) {
        let mut carry = u64::from(term);
        for part in &mut self.0 {
            let product = u64::from(*part) * u64::from(factor) + carry;
            *part = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn bits(&self) -> i64 {
        let parts = i64::try_from(self.0.len()).unwrap_or(i64::MAX / 64);
        self.0
            .last()
            .map_or(0, |top| parts * 32 - i64::from(top.leading_zeros()))
    }

    fn shift_left(&mut self, bits: u64) {
        for _ in 0..bits % 32 {
            self.multiply_add(2, 0);
        }
        let parts = usize::try_from(bits / 32).unwrap_or(0);
        self.0.splice(0..0, core::iter::repeat_n(0, parts));
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|part| *part == 0)
    }

    /// Takes `other` away where it is not larger; says whether it did.
    fn subtract_if_it_holds(&mut self, other: &Self) -> bool {
        let part = |number: &Self, at: usize| number.0.get(at).copied().unwrap_or(0);
        let length = self.0.len().max(other.0.len());
        let first = (0..length)
            .rev()
            .find(|at| part(self, *at) != part(other, *at));
        if first.is_some_and(|at| part(self, at) < part(other, at)) {
            return false;
        }
        let mut borrow = false;
        for (at, mine) in self.0.iter_mut().enumerate() {
            let (less, one) = mine.overflowing_sub(part(other, at));
            let (less, two) = less.overflowing_sub(u32::from(borrow));
            *mine = less;
            borrow = one || two;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    /// The standard library is the oracle.
    fn agrees(text: &str) {
        let expected: f64 = text.parse().unwrap();
        let found = read(text).unwrap();
        assert_eq!(found.to_bits(), expected.to_bits(), "{text}");
    }

    #[test]
    fn hard_texts_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "-0",
            "0.0e999999999999",
            "1",
            "-1.5",
            ".5",
            "5.",
            "+7.25e-3",
            "1e22",
            "1e23",
            "123456789012345e22",
            "9007199254740993",
            "9007199254740992.9999999999999999",
            "9007199254740993.0000000000000000000000001",
            "4.9406564584124654e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.5e-324",
            "1e-400",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.797693134862315807e308",
            "1.7976931348623159e308",
            "1e309",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "0.1",
            "0.30000000000000004",
            "8.5e-17",
            "6.02214076e23",
            "12345678901234567890",
        ] {
            agrees(text);
        }
        agrees(&format!("1{}1e-900", "0".repeat(900)));
        agrees(&format!("0.{}1", "0".repeat(900)));
        agrees(&format!("{}.5", "9".repeat(309)));
        // halfway between two doubles, with and without a digit far behind
        let half = "9007199254740993";
        for tail in ["", "0", "1"] {
            agrees(&format!("{half}.{}{tail}", "0".repeat(1000)));
        }
    }

    #[test]
    fn any_double_and_the_points_between_read_as_the_standard_library_reads_them() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..4000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let number = f64::from_bits(state);
            if !number.is_finite() {
                continue;
            }
            agrees(&number.to_string());
            agrees(&format!("{number:e}"));
            agrees(&format!("{number:.3e}"));
            agrees(&format!("{number:.25e}"));
            // exact text of the point halfway to the next double
            let next = f64::from_bits(state + 1);
            if (number / 2.0 + next / 2.0).is_finite()
                && number.abs() > 1e-290
                && number.abs() < 1e15
            {
                agrees(&format!("{:.60e}", number / 2.0 + next / 2.0));
            }
        }
    }

    #[test]
    fn whole_numbers_past_the_exact_ones_tie_to_even() {
        for shift in 0..10u32 {
            for odd in [1u128, 3, 5] {
                let number = (((1u128 << 53) + odd) << 1 | 1) << shift;
                for near in [number - 1, number, number + 1] {
                    agrees(&near.to_string());
                }
            }
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "", "-", "+", ".", "e5", "1e", "1e+", "1_0", "0x1", "inf", "nan", "1.2.3", " 1", "1 ",
            "--1", "1e5.0", "٣",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
