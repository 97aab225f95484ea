//! What the native stanzas have in common: one parameter, the share, and a body that holds the file key under a key
//! that is used this once. Where key and nonce come from is each kind's own.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, Nonce};

use super::FileKey;
use super::header::{Stanza, invalid};
use crate::error::Error;

/// A well-formed stanza, its share having so many bytes.
pub(super) struct Wrapped<const SHARE: usize> {
    pub(super) share: [u8; SHARE],
    file_key: [u8; 16],
    tag: [u8; 16],
}

/// What seals the one message.
pub(super) type Seal = (ChaCha20Poly1305, Nonce);

/// The stanza of a kind.
pub(super) fn stanza(
    kind: &str,
    share: &[u8],
    file_key: &FileKey,
    (cipher, nonce): &Seal,
) -> Result<Stanza, Error> {
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(file_key.as_slice());
    let tag = cipher
        .encrypt_inout_detached(nonce, &[], body.as_mut_slice().into())
        .map_err(|_| Error::bug("a file key is too long to wrap"))?;
    body.extend_from_slice(&tag);
    Ok(Stanza {
        arguments: [String::from(kind), STANDARD_NO_PAD.encode(share)].into(),
        body,
    })
}

impl<const SHARE: usize> Wrapped<SHARE> {
    /// Reads a stanza; `name` is how messages call it.
    pub(super) fn parse(stanza: &Stanza, name: &str) -> Result<Self, Error> {
        let broken = |what: core::fmt::Arguments<'_>| Err(invalid(&alloc::fmt::format(what)));
        let [_, text] = stanza.arguments.as_slice() else {
            return broken(format_args!("{name} does not have exactly one parameter"));
        };
        let mut share = [0; SHARE];
        if STANDARD_NO_PAD.decode_slice(text, &mut share) != Ok(SHARE) {
            return broken(format_args!(
                "the share of {name} is not {SHARE} bytes in base64"
            ));
        }
        // The length is fixed before anything is decrypted: a longer body could be crafted to open
        // under several keys.
        let halves = stanza.body.split_first_chunk();
        let halves = halves.and_then(|(file_key, tag)| Some((*file_key, tag.try_into().ok()?)));
        let Some((file_key, tag)) = halves else {
            return broken(format_args!("the body of {name} is not {BODY} bytes"));
        };
        Ok(Self {
            share,
            file_key,
            tag,
        })
    }

    /// The file key; `None` when it is under another key.
    pub(super) fn open(&self, (cipher, nonce): &Seal) -> Option<FileKey> {
        let mut file_key = FileKey::new(self.file_key);
        let whole = file_key.as_mut_slice().into();
        let opened = cipher.decrypt_inout_detached(nonce, &[], whole, &self.tag.into());
        opened.ok().map(|()| file_key)
    }
}

/// Bytes of a file key and its tag.
const BODY: usize = 32;
