//! `stackseal decrypt`: the plaintext of a sealed document, only after its MAC was verified.

use stackseal_core::{Document, Encrypted, Error, ErrorCode, Limits};

use crate::args::Decrypt;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::keyring::{Environment, Keyring};

/// Opens the document and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes.
pub(crate) fn run(arguments: &Decrypt, environment: &Environment) -> Result<(), Failure> {
    let places = &arguments.places;
    places.check()?;
    let name = places.name();
    let failed = |error: &Error| Failure::of_document(error, &name, Act::Decrypt);

    let bytes = places.read()?;
    let document = Document::<Encrypted>::parse(&bytes, &Limits::generous())
        .map_err(|error| failed(&error))?;
    let keyring = Keyring::find(environment);
    let data_key = document.data_key(&keyring.identities).map_err(|error| {
        let mut failure = failed(&error);
        if error.code() == ErrorCode::NoMatchingIdentity {
            failure.message = no_key(&name, &document, &keyring);
        }
        failure
    })?;
    let opened = document.open(&data_key).map_err(|error| failed(&error))?;
    places.write(opened.plain().text(), Audience::Owner)
}

/// Who could open the document, and where identities were looked for.
fn no_key(name: &str, document: &Document<Encrypted>, keyring: &Keyring) -> String {
    let mut message = format!("{name}: none of the identities at hand opens it");
    message.push_str("\n  it is sealed to:");
    for entry in &document.metadata().age {
        message.push_str(&format!("\n    {}", entry.recipient));
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
