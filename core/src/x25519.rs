//! X25519: a private number, the public point that belongs to it, and the secret that two sides share.
//!
//! The function itself is `curve25519-dalek`'s. Source: RFC 7748, sections 5 and 6.1.

use curve25519_dalek::montgomery::MontgomeryPoint;
use zeroize::{Zeroize as _, Zeroizing};

/// A public point, as the bytes that it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point([u8; 32]);

impl Point {
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether it is one of the few points that make the same secret with every number.
    pub(crate) fn is_low_order(&self) -> bool {
        let Self(mut bytes) = *self;
        // The function does not look at the highest bit.
        if let Some(last) = bytes.last_mut() {
            *last &= 0x7f;
        }
        LOW_ORDER.contains(&bytes)
    }
}

impl From<[u8; 32]> for Point {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Every encoding of 0, 1, -1 and of the two points of order 8, the highest bit aside. They are compared, since multiplying
/// would cost for each recipient that is read what opening the file costs. Source: RFC 7748, section 4.1: the curve has a
/// cofactor of 8, its twist one of 4.
const LOW_ORDER: [[u8; 32]; 7] = [
    least(0),
    least(1),
    greatest(0xec),
    greatest(0xed),
    greatest(0xee),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

/// A small number.
const fn least(first: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes
}

/// A number around the prime 2^255 - 19, whose own first byte is 0xed.
const fn greatest(first: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = first;
    bytes[31] = 0x7f;
    bytes
}

/// A private number. Wiped when dropped.
pub(crate) struct Scalar(Zeroizing<[u8; 32]>);

impl Scalar {
    /// Takes any bytes; using them clamps them.
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The point that belongs to it.
    pub(crate) fn point(&self) -> Point {
        Point(MontgomeryPoint::mul_base_clamped(*self.0).0)
    }

    /// The secret that its holder and the point's share; `None` with a point of low order, where everybody knows it.
    pub(crate) fn shared_with(&self, point: &Point) -> Option<Zeroizing<[u8; 32]>> {
        let mut shared = MontgomeryPoint(point.0).mul_clamped(*self.0);
        let secret = Zeroizing::new(shared.0);
        shared.zeroize();
        (secret.iter().fold(0, |all, byte| all | byte) != 0).then_some(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn shared_secrets_agree_with_wycheproof_and_low_order_points_show() {
        let mut counts = [0, 0];
        for (_, case) in vectors::wycheproof("x25519") {
            let [private, public, shared] = ["private", "public", "shared"]
                .map(|field| <[u8; 32]>::try_from(vectors::hex(&case[field])).unwrap());
            let point = Point::from(public);
            let made = Scalar::new(&private).shared_with(&point);
            assert_eq!(made.is_none(), point.is_low_order(), "{case}");
            assert_eq!(*made.unwrap_or_default(), shared, "{case}");
            counts[usize::from(shared == [0; 32])] += 1;
        }
        assert_eq!(counts.iter().sum::<i32>(), 518);
        assert!(counts[1] > 0);
    }

    #[test]
    fn the_points_of_low_order_are_those_that_a_multiple_of_8_takes_to_zero() {
        let zero = Scalar::new(&[0; 32]);
        for number in 0..=u8::MAX {
            for bytes in [least(number), greatest(number)] {
                let point = Point::from(bytes);
                assert_eq!(point.is_low_order(), zero.shared_with(&point).is_none());
            }
        }
        for mut bytes in LOW_ORDER {
            for high in [0, 0x80] {
                bytes[31] |= high;
                let point = Point::from(bytes);
                assert!(point.is_low_order() && zero.shared_with(&point).is_none());
            }
            bytes[31] &= 0x7f;
            bytes[7] ^= 1;
            assert!(!Point::from(bytes).is_low_order());
        }
    }

    #[test]
    fn both_sides_find_the_same_secret() {
        let [one, other] = [[1; 32], [2; 32]].map(|bytes| Scalar::new(&bytes));
        let secret = one.shared_with(&other.point());
        assert!(secret.is_some());
        assert_eq!(secret, other.shared_with(&one.point()));
    }
}
