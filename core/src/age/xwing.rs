//! MLKEM768-X25519 (X-Wing): ML-KEM-768 and X25519 under one shared secret, which takes both to find.
//!
//! A key is 32 bytes that SHAKE256 stretches into one of each kind. The numbers are the business of `ml-kem` and
//! [`crate::x25519`]; here is how they are put together. Source: draft-connolly-cfrg-xwing-kem, sections 5.2 to 5.5.

use alloc::vec::Vec;

use ml_kem::array::Array;
use ml_kem::kem::Decapsulate as _;
use ml_kem::{B32, EncapsulateDeterministic as _, EncodedSizeUser as _, KemCore as _, MlKem768};
use sha3::digest::{Digest as _, ExtendableOutput as _, Update as _, XofReader as _};
use sha3::{Sha3_256, Shake256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::x25519::{Point, Scalar};

type Encapsulation = <MlKem768 as ml_kem::KemCore>::EncapsulationKey;
type Decapsulation = <MlKem768 as ml_kem::KemCore>::DecapsulationKey;

/// The secret that both sides share.
pub(super) type Shared = Zeroizing<[u8; 32]>;

/// A public key, taken apart.
#[derive(Clone)]
pub(crate) struct Public {
    lattice: Encapsulation,
    point: Point,
}

impl Public {
    /// Reads 1216 bytes; `None` when they make no key of ML-KEM. The point is taken as it is.
    pub(crate) fn parse(bytes: &[u8; PUBLIC]) -> Option<Self> {
        let (lattice, point) = bytes.split_last_chunk()?;
        // Each three bytes of the vector are two numbers, which have to be below the modulus.
        let numbers = lattice.get(..LATTICE - 32)?.chunks(3);
        let in_range = |three: &[u8]| {
            let [low, middle, high] = *three else {
                return false;
            };
            let [low, middle, high] = [low, middle, high].map(u16::from);
            low | (middle & 0x0f) << 8 < MODULUS && middle >> 4 | high << 4 < MODULUS
        };
        if !numbers.into_iter().all(in_range) {
            return None;
        }
        Some(Self {
            lattice: Encapsulation::from_bytes(&Array::try_from(lattice).ok()?),
            point: Point::from(*point),
        })
    }

    /// The 1216 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [self.lattice.as_bytes().as_slice(), self.point.as_bytes()].concat()
    }

    /// The X25519 half.
    pub(crate) fn point(&self) -> &Point {
        &self.point
    }

    /// A fresh share of 1120 bytes, by which the holder of the private key finds the secret; `None` when the point is
    /// of low order. `random` is used for this one share.
    pub(super) fn encapsulate(&self, random: &[u8; 64]) -> Option<(Vec<u8>, Shared)> {
        let (first, second) = random.split_first_chunk::<32>()?;
        let scalar = Scalar::new(second.try_into().ok()?);
        let of_point = scalar.shared_with(&self.point)?;
        let share = scalar.point();
        let mut first = B32::from(*first);
        let encapsulated = self.lattice.encapsulate_deterministic(&first);
        first.zeroize();
        let (ciphertext, mut of_lattice) = encapsulated.ok()?;
        let shared = combined(&of_lattice, &of_point, &share, &self.point);
        of_lattice.zeroize();
        let share = [ciphertext.as_slice(), share.as_bytes()].concat();
        Some((share, shared))
    }
}

/// A private key. Wiped when dropped.
pub(crate) struct Private {
    seed: Zeroizing<[u8; 32]>,
    public: Public,
}

impl Private {
    /// The key that 32 bytes amount to.
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let (_, lattice, scalar) = expanded(seed);
        let public = Public {
            lattice,
            point: scalar.point(),
        };
        Self {
            seed: Zeroizing::new(*seed),
            public,
        }
    }

    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    pub(crate) fn public(&self) -> &Public {
        &self.public
    }

    /// The secret behind a share; another one, of no use, when the share is for another key. `None` when its point is
    /// of low order.
    pub(super) fn decapsulate(&self, share: &[u8; SHARE]) -> Option<Shared> {
        let (ciphertext, point) = share.split_last_chunk::<32>()?;
        let point = Point::from(*point);
        let (lattice, _, scalar) = expanded(&self.seed);
        let of_point = scalar.shared_with(&point)?;
        let mut of_lattice = lattice
            .decapsulate(&Array::try_from(ciphertext).ok()?)
            .ok()?;
        let shared = combined(&of_lattice, &of_point, &point, &self.public.point);
        of_lattice.zeroize();
        Some(shared)
    }
}

fn expanded(seed: &[u8; 32]) -> (Decapsulation, Encapsulation, Scalar) {
    let mut stretched = Shake256::default();
    stretched.update(seed);
    let mut stretched = stretched.finalize_xof();
    let mut next = || {
        let mut part = Zeroizing::new([0; 32]);
        stretched.read(part.as_mut_slice());
        part
    };
    let [mut first, mut second] = [next(), next()].map(|part| B32::from(*part));
    let scalar = next();
    let (private, public) = MlKem768::generate_deterministic(&first, &second);
    first.zeroize();
    second.zeroize();
    (private, public, Scalar::new(&scalar))
}

fn combined(of_lattice: &[u8], of_point: &[u8; 32], share: &Point, point: &Point) -> Shared {
    let mut hash = Sha3_256::new();
    for part in [
        of_lattice,
        of_point,
        share.as_bytes(),
        point.as_bytes(),
        LABEL,
    ] {
        sha3::Digest::update(&mut hash, part);
    }
    let mut shared = Shared::default();
    hash.finalize_into(shared.as_mut_slice().into());
    shared
}

pub(crate) const PUBLIC: usize = LATTICE + 32;
pub(super) const SHARE: usize = 1120;
const LATTICE: usize = 1184;
const MODULUS: u16 = 3329;
const LABEL: &[u8] = br"\.//^\";
