//! The document's MAC: SHA-512 over the bytes of its values in file order, sealed with the data key
//! and bound to `lastmodified`.
//!
//! Which values count, and with which bytes, is for the caller to say.

use alloc::string::{String, ToString as _};
use core::fmt::Write as _;

use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::cipher::{self, SealedValue};
use crate::data_key::DataKey;
use crate::error::{Error, ErrorCode};
use crate::random::Random;
use crate::timestamp::Timestamp;

/// Which values the MAC covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacScope {
    /// All of them.
    All,
    /// Only those selected for encryption (`mac_only_encrypted`).
    EncryptedOnly,
}

/// The running hash.
pub(crate) struct MacHasher(Sha512);

impl MacHasher {
    /// Starts a document.
    pub(crate) fn new(scope: MacScope) -> Self {
        let mut hasher = Sha512::new();
        if scope == MacScope::EncryptedOnly {
            hasher.update(ENCRYPTED_ONLY_PREFIX);
        }
        Self(hasher)
    }

    /// Adds the next value.
    pub(crate) fn update(&mut self, value: &[u8]) {
        self.0.update(value);
    }

    /// The hash as 128 upper-case hexadecimal digits.
    ///
    /// # Security
    /// Short secrets can be guessed from it: it is never shown.
    pub(crate) fn finish(self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(128));
        for byte in self.0.finalize() {
            // Writing to a string does not fail.
            write!(text, "{byte:02X}").unwrap_or_default();
        }
        text
    }
}

/// Seals a MAC for the metadata block.
///
/// # Errors
/// `random-failed`.
pub(crate) fn seal_mac(
    key: &DataKey,
    mac: &str,
    lastmodified: &Timestamp,
    random: &mut dyn Random,
) -> Result<String, Error> {
    cipher::seal(
        key,
        mac.as_bytes(),
        lastmodified.to_string().as_bytes(),
        KIND,
        random,
    )
}

/// Opens the MAC of a metadata block and compares it with the one computed, in constant time.
///
/// # Errors
/// `mac-mismatch`, also when the sealed MAC is missing, malformed or does not open.
pub(crate) fn verify_mac(
    key: &DataKey,
    enc: &str,
    lastmodified: &Timestamp,
    computed: &str,
) -> Result<(), Error> {
    let stored = open_mac(key, enc, lastmodified)?;
    if bool::from(stored.as_slice().ct_eq(computed.as_bytes())) {
        Ok(())
    } else {
        Err(mismatch(
            "a value was changed, added, removed or moved after the document was sealed",
        ))
    }
}

fn open_mac(
    key: &DataKey,
    enc: &str,
    lastmodified: &Timestamp,
) -> Result<Zeroizing<alloc::vec::Vec<u8>>, Error> {
    if enc.is_empty() {
        return Err(mismatch("the metadata holds no MAC"));
    }
    let sealed = SealedValue::parse(enc)
        .and_then(Result::ok)
        .filter(|sealed| sealed.kind == KIND)
        .ok_or_else(|| mismatch("the MAC in the metadata is no sealed text"))?;
    cipher::open(key, &sealed, lastmodified.to_string().as_bytes()).map_err(|_| {
        mismatch("the MAC in the metadata does not open with this data key and lastmodified")
    })
}

fn mismatch(reason: &str) -> Error {
    Error::input(
        ErrorCode::MacMismatch,
        format_args!("the document's MAC does not match: {reason}"),
    )
}

const KIND: &str = "str";

/// SHA-256 of `sops`, fixed by the format.
const ENCRYPTED_ONLY_PREFIX: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];
