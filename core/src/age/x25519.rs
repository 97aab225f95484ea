//! The X25519 stanza: a file key wrapped to one recipient through an ephemeral share.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64Unpadded, Encoding as _};
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use super::header::{Stanza, invalid};
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
    let cipher = cipher(&shared, &share, point);
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(file_key.as_slice());
    // The key is used for this one message, so the nonce may be fixed.
    let tag = cipher
        .encrypt_inout_detached(&Nonce::default(), &[], body.as_mut_slice().into())
        .map_err(|_| Error::bug("a file key is too long to wrap"))?;
    body.extend_from_slice(&tag);
    let arguments = [
        String::from(KIND),
        Base64Unpadded::encode_string(share.as_bytes()),
    ];
    Ok(Stanza {
        arguments: arguments.into(),
        body,
    })
}

/// A well-formed X25519 stanza.
pub(super) struct Wrapped {
    share: Point,
    file_key: [u8; 16],
    tag: [u8; 16],
}

impl Wrapped {
    /// Reads a stanza of this kind.
    pub(super) fn parse(stanza: &Stanza) -> Result<Self, Error> {
        let [_, share] = stanza.arguments.as_slice() else {
            return Err(invalid(
                "an X25519 stanza does not have exactly one parameter",
            ));
        };
        let mut point = [0; 32];
        if Base64Unpadded::decode(share, &mut point).map(<[u8]>::len) != Ok(point.len()) {
            return Err(invalid(
                "the share of an X25519 stanza is not 32 bytes in base64",
            ));
        }
        // The length is fixed before anything is decrypted: a longer body could be crafted to open
        // under several keys.
        let halves = stanza.body.split_first_chunk().and_then(|(file_key, tag)| {
            Some(Self {
                share: Point::from(point),
                file_key: *file_key,
                tag: tag.try_into().ok()?,
            })
        });
        halves.ok_or_else(|| invalid("the body of an X25519 stanza is not 32 bytes"))
    }

    /// The file key; `None` when the stanza is for another identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, Error> {
        let Some((scalar, point)) = identity.native() else {
            return Ok(None);
        };
        let shared = scalar
            .shared_with(&self.share)
            .ok_or_else(|| invalid("the share of an X25519 stanza is a low-order point"))?;
        let cipher = cipher(&shared, &self.share, point);
        let mut file_key = FileKey::new(self.file_key);
        let opened = cipher.decrypt_inout_detached(
            &Nonce::default(),
            &[],
            file_key.as_mut_slice().into(),
            &self.tag.into(),
        );
        Ok(opened.ok().map(|()| file_key))
    }
}

/// The cipher around the file key.
fn cipher(shared: &[u8; 32], share: &Point, recipient: &Point) -> ChaCha20Poly1305 {
    let salt = [share.as_bytes().as_slice(), recipient.as_bytes()].concat();
    let key = derive(&salt, shared, LABEL);
    ChaCha20Poly1305::new((&*key).into())
}

pub(super) const KIND: &str = "X25519";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
const BODY: usize = 32;
