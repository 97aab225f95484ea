//! Opening a sealed document with the identities at hand.

use stackseal_core::{Document, Encrypted, Error, Opened};

use crate::exit::{Act, Failure};
use crate::keyring::Keyring;

/// Opens a document; `name` is how messages call it.
///
/// # Errors
/// `no-matching-identity`, saying who could open it and where identities were looked for; what the codec finds, by its
/// codes.
pub(crate) fn open(
    document: &Document<Encrypted>,
    keyring: &Keyring,
    name: &str,
    mac: Mac,
) -> Result<Opened, Failure> {
    let failed = |error: &Error| Failure::of_document(error, name, Act::Decrypt);
    let data_key = keyring.data_key(document, name)?;
    let opened = match mac {
        Mac::Check => document.open(&data_key),
        Mac::Ignore => document.open_without_mac(&data_key),
    };
    opened.map_err(|error| failed(&error))
}

/// What to do about the MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mac {
    Check,
    Ignore,
}
