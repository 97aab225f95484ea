//! Opening a sealed document with the identities at hand.

use stackseal_core::{Document, Encrypted, Error, Opened, OpenedWithClear};

use crate::exit::{Act, Failure};
use crate::keyring::Keyring;
use crate::output;

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
        Mac::IgnoreToChange => {
            let found = document.open_with_clear(&data_key);
            let found = found.map_err(|error| failed(&error))?;
            for line in told_of_clear(&found, name) {
                output::warning(&line);
            }
            return Ok(found.opened);
        }
    };
    opened.map_err(|error| failed(&error))
}

/// What is to be told of values and comments that stand in clear and are about to be sealed, and of a MAC that does not match.
pub(crate) fn told_of_clear(found: &OpenedWithClear, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (line, path) in &found.in_clear {
        lines.push(format!(
            "{name}: line {line}: {path} stands in clear and gets sealed; change this secret if others could see it"
        ));
    }
    for line in &found.comments_in_clear {
        lines.push(format!(
            "{name}: line {line}: a comment stands in clear and gets sealed; change what it tells if others could see it"
        ));
    }
    match (lines.is_empty(), found.others_match) {
        (true, true) => {}
        (true, false) => lines.push(format!(
            "{name}: the MAC does not match, so something was changed; what stands in the file is taken over as it is; \
             compare with the file's history"
        )),
        (false, true) => lines.push(format!(
            "{name}: everything else is as it was sealed, the MAC says"
        )),
        (false, false) => lines.push(format!(
            "{name}: the MAC cannot tell whether anything else was changed; compare with the file's history"
        )),
    }
    lines
}

/// What to do about the MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mac {
    Check,
    Ignore,
    /// As [`Self::Ignore`], for whoever seals the document again: values that stand in clear are taken, and told of.
    IgnoreToChange,
}
