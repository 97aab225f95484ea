//! The X25519 stanza: a file key wrapped to one recipient through an ephemeral share.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use super::header::{Stanza, invalid};
use super::wrapped::{self, Seal};
use super::{FileKey, derive};
use crate::error::{Error, ErrorCode};
use crate::random::Random;
use crate::recipient::{Identity, Recipient};
use crate::x25519::{Point, Scalar};

/// Wraps the file key to the recipient, under a fresh share.
pub(super) fn wrap(
    file_key: &FileKey,
    recipient: &Recipient,
    random: &mut dyn Random,
) -> Result<Stanza, Error> {
    let Some(point) = recipient.point() else {
        return Err(Error::key(
            ErrorCode::InvalidRecipient,
            "only native recipients can share an age file",
        ));
    };
    let mut scalar = Zeroizing::new([0; 32]);
    random.fill(scalar.as_mut_slice())?;
    let ephemeral = Scalar::new(&scalar);
    let share = ephemeral.point();
    let shared = ephemeral
        .shared_with(point)
        .ok_or_else(|| Error::bug("a recipient turned out to be a low-order point"))?;
    let seal = seal(&shared, &share, point);
    wrapped::stanza(KIND, share.as_bytes(), file_key, &seal)
}

/// A well-formed X25519 stanza.
pub(super) struct Wrapped(wrapped::Wrapped<32>);

impl Wrapped {
    /// Reads a stanza of this kind.
    pub(super) fn parse(stanza: &Stanza) -> Result<Self, Error> {
        wrapped::Wrapped::parse(stanza, "an X25519 stanza").map(Self)
    }

    /// The file key; `None` when the stanza is for another identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, Error> {
        let Some((scalar, point)) = identity.native() else {
            return Ok(None);
        };
        let share = Point::from(self.0.share);
        let shared = scalar
            .shared_with(&share)
            .ok_or_else(|| invalid("the share of an X25519 stanza is a low-order point"))?;
        Ok(self.0.open(&seal(&shared, &share, point)))
    }
}

/// The cipher around the file key.
fn seal(shared: &[u8; 32], share: &Point, recipient: &Point) -> Seal {
    let salt = [share.as_bytes().as_slice(), recipient.as_bytes()].concat();
    let key = derive(&salt, shared, LABEL);
    // The key is used for this one message, so the nonce may be fixed.
    (ChaCha20Poly1305::new((&*key).into()), Nonce::default())
}

pub(super) const KIND: &str = "X25519";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
