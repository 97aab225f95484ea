//! Opening a sealed document with the identities at hand.

use stackseal_core::{Document, Encrypted, Error, ErrorCode, Opened};

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
    let data_key = document
        .data_key_by(&mut |entry| keyring.open(entry))
        .map_err(|error| {
            let mut failure = failed(&error);
            if error.code() == ErrorCode::NoMatchingIdentity {
                failure.message = no_key(&error, name, document, keyring);
            }
            failure
        })?;
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

/// Who could open the document, and where identities were looked for.
fn no_key(error: &Error, name: &str, document: &Document<Encrypted>, keyring: &Keyring) -> String {
    let reason = error.fault().map_or("", |fault| fault.message.as_str());
    let mut message = format!(
        "{name}: Failed to get the data key required to decrypt the SOPS file: {reason}\n  it is sealed to:"
    );
    for entry in document.metadata().age_entries() {
        message.push_str(&format!("\n    {}", entry.recipient));
    }
    for foreign in document.metadata().foreign_names() {
        if foreign != "key_groups" {
            message.push_str(&format!("\n    keys of another kind ({foreign})"));
        }
    }
    message.push_str("\n  identities were looked for in:");
    for place in &keyring.places {
        message.push_str(&format!("\n    {place}"));
    }
    message.push_str(
        "\n  bring the identity of one of these recipients, or ask someone who has one to seal the document to you, too",
    );
    message
}
