//! `stackseal decrypt`: the plaintext of a sealed document, only after its MAC was verified.

use stackseal_core::{Document, Encrypted, Error, Limits};

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
    let data_key = Keyring::find(environment).data_key(&document, &name)?;
    let opened = document.open(&data_key).map_err(|error| failed(&error))?;
    places.write(opened.plain().text(), Audience::Owner)
}
