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
        // Any clamped number is a multiple of 8, which takes every such point to zero.
        Scalar::new(&[0; 32]).shared_with(self).is_none()
    }
}

impl From<[u8; 32]> for Point {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
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
    fn both_sides_find_the_same_secret() {
        let [one, other] = [[1; 32], [2; 32]].map(|bytes| Scalar::new(&bytes));
        let secret = one.shared_with(&other.point());
        assert!(secret.is_some());
        assert_eq!(secret, other.shared_with(&one.point()));
    }
}
