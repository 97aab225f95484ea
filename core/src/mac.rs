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

/// Opens the sealed MAC without comparing it with anything.
pub(crate) fn open_mac(
    key: &DataKey,
    enc: &str,
    lastmodified: &Timestamp,
) -> Result<Zeroizing<alloc::vec::Vec<u8>>, Error> {
    if enc.is_empty() {
        return Err(mismatch("the metadata holds no MAC"));
    }
    let sealed = SealedValue::parse(cipher::without_rest(enc))
        .and_then(Result::ok)
        .filter(|sealed| sealed.kind == KIND)
        .ok_or_else(|| mismatch("the MAC in the metadata is no sealed text"))?;
    cipher::open(key, sealed, lastmodified.to_string().as_bytes()).map_err(|_| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RandomFailed;
    use crate::vectors;

    fn key() -> DataKey {
        DataKey::generate(&mut vectors::repeatable(1)).unwrap()
    }

    fn hash(scope: MacScope, values: &[&[u8]]) -> Zeroizing<String> {
        let mut hasher = MacHasher::new(scope);
        for value in values {
            hasher.update(value);
        }
        hasher.finish()
    }

    #[test]
    fn the_mac_that_sops_wrote_is_made_again() {
        let file = vectors::json("aes-gcm-256-nonce/vectors.json");
        let (mac, leaves) = file["sops"].as_array().unwrap().split_last().unwrap();
        let mut hasher = MacHasher::new(MacScope::All);
        for leaf in leaves {
            hasher.update(&vectors::hex(&leaf["plaintext"]));
        }
        let bytes = vectors::hex(&mac["key"]);
        let key = DataKey::generate(&mut |out: &mut [u8]| -> Result<(), RandomFailed> {
            out.copy_from_slice(&bytes);
            Ok(())
        });
        let lastmodified = Timestamp::parse(mac["aad"].as_str().unwrap()).unwrap();
        verify_mac(
            &key.unwrap(),
            mac["text"].as_str().unwrap(),
            &lastmodified,
            &hasher.finish(),
        )
        .unwrap();
    }

    #[test]
    fn hashes_are_upper_case_sha_512_and_start_differently_by_scope() {
        assert_eq!(
            hash(MacScope::All, &[b"a", b"bc"]).as_str(),
            "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD\
             454D4423643CE80E2A9AC94FA54CA49F"
        );
        assert_eq!(
            sha2::Sha256::digest(b"sops").as_slice(),
            ENCRYPTED_ONLY_PREFIX
        );
        let prefixed = hash(MacScope::All, &[&ENCRYPTED_ONLY_PREFIX, b"abc"]);
        assert_eq!(hash(MacScope::EncryptedOnly, &[b"abc"]), prefixed);
    }

    #[test]
    fn a_mac_is_bound_to_key_time_and_values() {
        let time = Timestamp::parse("2026-11-21T08:30:00Z").unwrap();
        let later = Timestamp::parse("2026-11-21T08:30:01Z").unwrap();
        let (mac, other) = (hash(MacScope::All, &[b"a"]), hash(MacScope::All, &[b"b"]));
        let enc = seal_mac(&key(), &mac, &time, &mut vectors::repeatable(2)).unwrap();
        verify_mac(&key(), &enc, &time, &mac).unwrap();
        let stranger = DataKey::generate(&mut vectors::repeatable(3)).unwrap();
        let untyped = enc.replace("type:str", "type:int");
        for (key, enc, time, mac) in [
            (&key(), enc.as_str(), &time, &other),
            (&key(), &enc, &later, &mac),
            (&stranger, &enc, &time, &mac),
            (&key(), &untyped, &time, &mac),
            (&key(), "", &time, &mac),
            (&key(), mac.as_str(), &time, &mac),
        ] {
            let error = verify_mac(key, enc, time, mac).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MacMismatch);
            assert!(!error.to_string().contains(mac.as_str()));
        }
    }
}
