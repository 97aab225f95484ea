//! Shamir's sharing of the data key over several key groups: GF(2^8) modulo x^8+x^4+x^3+x+1, byte by byte.
//!
//! A share is the polynomials' values followed by the one byte `x` they were taken at, which counts from 1. Every
//! operation takes the same steps whatever the bytes are (SOPS 3.11, `shamir`).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::error::{Error, ErrorCode};
use crate::random::Random;

/// Bytes of a share: those of the key, and `x`.
const SHARE: usize = 33;

/// Splits a key into so many shares of which `threshold` bring it back.
///
/// # Errors
/// `threshold-invalid` unless 2 <= threshold <= count <= 255; `random-failed`.
pub(crate) fn split(
    key: &DataKey,
    count: usize,
    threshold: usize,
    random: &mut dyn Random,
) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
    if !(2..=count).contains(&threshold) {
        return Err(Error::configuration(
            ErrorCode::ThresholdInvalid,
            alloc::format!(
                "a threshold of {threshold} does not fit {count} key groups; it must be from 2 to the number of groups"
            ),
        ));
    }
    let last = u8::try_from(count).map_err(|_| {
        Error::configuration(
            ErrorCode::ThresholdInvalid,
            "a file takes up to 255 key groups",
        )
    })?;
    // For each power from 1, one coefficient for each byte of the key.
    let mut coefficients = Zeroizing::new(alloc::vec![0; (threshold - 1) * key.expose().len()]);
    random.fill(coefficients.as_mut_slice())?;
    let share = |x: u8| {
        let mut share = Zeroizing::new(alloc::vec![0; key.expose().len()]);
        for powers in coefficients.rchunks_exact(key.expose().len()) {
            for (value, coefficient) in share.iter_mut().zip(powers) {
                *value = multiply(*value ^ coefficient, x);
            }
        }
        for (value, byte) in share.iter_mut().zip(key.expose()) {
            *value ^= byte;
        }
        share.push(x);
        share
    };
    Ok((1..=last).map(share).collect())
}

/// The key that all of the shares together give. Wrong ones give a wrong key, which no value opens under.
///
/// # Errors
/// `data-key-invalid` when one is no share, or stands twice.
pub(crate) fn combine(shares: &[Zeroizing<Vec<u8>>]) -> Result<DataKey, Error> {
    let invalid = || {
        Error::input(
            ErrorCode::DataKeyInvalid,
            "the shares of the data key do not fit together; take the file from an earlier version",
        )
    };
    let parts: Option<Vec<(&u8, &[u8])>> = shares
        .iter()
        .map(|share| share.split_last().filter(|_| share.len() == SHARE))
        .collect();
    let parts = parts.ok_or_else(invalid)?;
    let mut key = Zeroizing::new([0; SHARE - 1]);
    for (number, (x, values)) in parts.iter().enumerate() {
        // The Lagrange polynomial of this share at 0.
        let mut weight = 1;
        for (other, (at, _)) in parts.iter().enumerate() {
            if other != number {
                let difference = *at ^ *x;
                if difference == 0 || **at == 0 {
                    return Err(invalid());
                }
                weight = multiply(weight, multiply(**at, inverse(difference)));
            }
        }
        for (byte, value) in key.iter_mut().zip(values.iter()) {
            *byte ^= multiply(*value, weight);
        }
    }
    DataKey::of_payload(key.as_slice())
}

fn multiply(one: u8, other: u8) -> u8 {
    let mut product = 0;
    let (mut one, mut other) = (one, other);
    for _ in 0..8 {
        product ^= one & 0_u8.wrapping_sub(other & 1);
        let carry = 0_u8.wrapping_sub(one >> 7);
        one = (one << 1) ^ (0x1b & carry);
        other >>= 1;
    }
    product
}

/// The power 254.
fn inverse(value: u8) -> u8 {
    let mut power = value;
    let mut result = 1;
    for _ in 0..7 {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn every_number_but_zero_has_an_inverse() {
        for value in 1..=255 {
            assert_eq!(multiply(value, inverse(value)), 1, "{value}");
        }
        assert_eq!(multiply(0x57, 0x83), 0xc1);
    }

    #[test]
    fn any_shares_of_the_threshold_bring_the_key_back() {
        let mut random = vectors::repeatable(1);
        let key = DataKey::generate(&mut random).unwrap();
        let shares = split(&key, 4, 3, &mut random).unwrap();
        for left_out in 0..4 {
            let mut some = shares.clone();
            some.remove(left_out);
            assert!(combine(&some).unwrap() == key);
            some.reverse();
            assert!(combine(&some).unwrap() == key);
            some.pop();
            assert!(combine(&some).unwrap() != key);
        }
        assert!(combine(&shares).unwrap() == key);
    }

    #[test]
    fn what_is_no_set_of_shares_is_refused() {
        let mut random = vectors::repeatable(2);
        let key = DataKey::generate(&mut random).unwrap();
        let shares = split(&key, 2, 2, &mut random).unwrap();
        let twice = [shares[0].clone(), shares[0].clone()];
        let short = [shares[0].clone(), Zeroizing::new(alloc::vec![1; 32])];
        for shares in [&twice, &short] {
            let error = combine(shares).unwrap_err();
            assert_eq!(error.code(), ErrorCode::DataKeyInvalid);
        }
    }

    #[test]
    fn a_threshold_must_fit_the_groups() {
        let mut random = vectors::repeatable(3);
        let key = DataKey::generate(&mut random).unwrap();
        for (count, threshold) in [(2, 1), (2, 3), (2, 0), (1, 1), (300, 2)] {
            let error = split(&key, count, threshold, &mut random).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ThresholdInvalid);
        }
        assert_eq!(split(&key, 255, 255, &mut random).unwrap().len(), 255);
    }
}
