//! The data key: 32 random bytes that encrypt one document, wrapped to each recipient as an
//! armored age file of its own.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::age::{self, armor};
use crate::error::{Error, ErrorCode};
use crate::random::Random;
use crate::recipient::{Identity, Recipient};

/// The key of one document. Wiped when dropped; compared in constant time.
// Boxed, so that moving it leaves no copy behind.
#[derive(Clone)]
pub struct DataKey(Box<Zeroizing<[u8; 32]>>);

impl DataKey {
    /// Makes a new one.
    ///
    /// # Errors
    /// `random-failed` when the generator does.
    pub fn generate(random: &mut dyn Random) -> Result<Self, Error> {
        let mut key = Self(Box::default());
        random.fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// Wraps the key to one recipient: an armored age file, as `enc` holds it.
    ///
    /// # Errors
    /// `random-failed` when the generator does.
    pub fn wrap(&self, recipient: &Recipient, random: &mut dyn Random) -> Result<String, Error> {
        recipient.wrap(self.0.as_slice(), random)
    }

    /// Opens an armored age file with the first identity that fits.
    ///
    /// # Errors
    /// `age-file-invalid` when it is malformed or was altered, `no-matching-identity`,
    /// `data-key-invalid` when its payload is not 32 bytes.
    pub fn unwrap(enc: &str, identities: &[Identity]) -> Result<Self, Error> {
        let payload = age::decrypt(&armor::decode(enc)?, identities)?;
        Self::of_payload(&payload)
    }

    /// The key that an age file holds.
    ///
    /// # Errors
    /// `data-key-invalid` when it is not 32 bytes.
    pub(crate) fn of_payload(payload: &[u8]) -> Result<Self, Error> {
        let mut key = Self(Box::default());
        if payload.len() != key.0.len() {
            return Err(Error::input(
                ErrorCode::DataKeyInvalid,
                format_args!("the data key has {} bytes instead of 32", payload.len()),
            ));
        }
        key.0.copy_from_slice(payload);
        Ok(key)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for DataKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for DataKey {}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::vectors;

    #[test]
    fn a_wrapped_key_comes_back_for_its_identity_only() {
        let mut random = vectors::repeatable(1);
        let (identity, stranger) = (
            Identity::generate(&mut random).unwrap(),
            Identity::generate(&mut random).unwrap(),
        );
        let key = DataKey::generate(&mut random).unwrap();
        let enc = key.wrap(&identity.recipient(), &mut random).unwrap();
        assert!(enc.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(enc.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
        let error = DataKey::unwrap(&enc, core::slice::from_ref(&stranger)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NoMatchingIdentity);
        assert_eq!(DataKey::unwrap(&enc, &[stranger, identity]).unwrap(), key);
        assert_ne!(DataKey::generate(&mut random).unwrap(), key);
    }

    #[test]
    fn a_payload_that_is_not_32_bytes_is_no_data_key() {
        let mut random = vectors::repeatable(2);
        let identities = [Identity::generate(&mut random).unwrap()];
        for size in [0, 16, 31, 33, 64] {
            let payload = alloc::vec![0; size];
            let file = age::encrypt(&payload, &[identities[0].recipient()], &mut random).unwrap();
            let error = DataKey::unwrap(&armor::encode(&file), &identities).unwrap_err();
            assert_eq!(error.code(), ErrorCode::DataKeyInvalid, "{size}");
        }
        let error = DataKey::unwrap("no armor", &identities).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AgeFileInvalid);
    }

    #[test]
    fn debug_output_and_a_failing_generator_give_nothing_away() {
        let key = DataKey::generate(&mut vectors::repeatable(3)).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey(redacted)");
        assert!(matches!(
            DataKey::generate(&mut vectors::failing(0)),
            Err(Error::RandomFailed)
        ));
    }
}
