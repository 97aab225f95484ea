//! `stackseal filestatus`: tells whether a file is sealed. No key is needed and nothing is opened.

use stackseal_core::document::block_as;
use stackseal_core::{Error, ErrorCode, Limits, Timestamp};

use crate::args::{Filestatus, Places};
use crate::exit::{Act, Failure};
use crate::output;

/// Prints `{"encrypted":true}` or `{"encrypted":false}`.
///
/// # Errors
/// Those of files; what keeps the text or its `sops` block from being read. All with status 1, as `sops` has it.
pub(crate) fn run(arguments: &Filestatus) -> Result<(), Failure> {
    let is_sealed = is_sealed(arguments).map_err(|failure| Failure {
        status: 1,
        ..failure
    })?;
    output::result(format!("{{\"encrypted\":{is_sealed}}}\n").as_bytes())
}

fn is_sealed(arguments: &Filestatus) -> Result<bool, Failure> {
    let places = Places::of(&arguments.file, arguments.input_type.as_deref(), None);
    let name = places.name();
    let bytes = places.read()?;
    let (format, limits) = (places.input(), Limits::generous());
    let failed = |error: &Error| Failure::of_document(error, &name, Act::Decrypt);
    let metadata = match block_as(format, &bytes, &limits) {
        Ok(None) => return Ok(false),
        Ok(Some(metadata)) => metadata,
        // an expression that is no good does not make it plain
        Err(error) if error.code() == ErrorCode::InvalidSelector => return Ok(true),
        Err(error) => return Err(places.unreadable(&error)),
    };
    if metadata.age_entries().next().is_none() && metadata.foreign_names().next().is_none() {
        return Err(Failure::usage(
            ErrorCode::MetadataInvalid.as_str(),
            format!("{name}: No keys found in file: its sops block names nobody who could open it"),
        ));
    }
    Timestamp::parse(&metadata.last_modified).map_err(|error| failed(&error))?;
    Ok(!metadata.mac.is_empty() && !metadata.version.is_empty())
}
