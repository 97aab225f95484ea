//! `stackseal decrypt`: the plaintext of a sealed document, only after its MAC was verified.

use stackseal_core::tree::at::TreePath;

use super::Context;
use crate::args::Decrypt;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::opening::Mac;

/// Opens the document and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes.
pub(crate) fn run(arguments: &Decrypt, context: &Context) -> Result<(), Failure> {
    let places = &arguments.places;
    places.check()?;
    let extract = arguments.extract.as_deref().map(TreePath::parse);
    let extract = extract
        .transpose()
        .map_err(|error| Failure::of_tree_path(&error, "--extract", 91))?;
    let config = context.config()?;
    let name = places.name();
    let mac = match arguments.ignore_mac {
        true => Mac::Ignore,
        false => Mac::Check,
    };
    let _held = places.held();
    let opened = places.open(context, mac)?;
    let to = places.output();
    let indentation = context.indentation(config.as_ref(), to)?;
    let plain = opened.plain();
    let content = match &extract {
        Some(path) => plain.extracted(path, to),
        // Without a copy: it may be large.
        None if to == plain.format() => return places.write(&plain.content(), Audience::Owner),
        None => plain.converted(to, indentation),
    };
    let content = content.map_err(|error| Failure::of_document(&error, &name, Act::Decrypt))?;
    places.write(&content, Audience::Owner)
}
