//! `stackseal unset`: a part of a sealed document, taken away.

use stackseal_core::{ErrorCode, Random, edit};

use super::Context;
use super::change::Change;
use crate::args::Unset;
use crate::exit::Failure;
use crate::output;
use crate::output::Shown as _;

/// Takes away what stands there and writes the document.
///
/// # Errors
/// Those of [`Change`]; `tree-path-missing`, unless `--idempotent` takes it for done.
pub(crate) fn run(
    arguments: &Unset,
    context: &Context,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let change = Change::begin(&arguments.target, context)?;
    match edit::unset(change.opened.plain(), &change.path) {
        Err(error) if arguments.target.idempotent && error.code() == ErrorCode::TreePathMissing => {
            output::note(&format!(
                "{}: nothing stands there, so nothing is changed",
                arguments.target.file.shown()
            ));
            Ok(())
        }
        text => change.end(
            &text.map_err(|error| change.failed(&error))?,
            context,
            random,
        ),
    }
}
