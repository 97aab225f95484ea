//! `stackseal set`: a value at a path of a sealed document.

use std::path::Path;

use stackseal_core::tree::Node;
use stackseal_core::{Document, Format, Limits, Plain, Random, edit};
use zeroize::Zeroizing;

use super::Context;
use super::change::Change;
use crate::args::Set;
use crate::exit::Failure;
use crate::files;

/// Puts the value there and writes the document.
///
/// # Errors
/// `value-missing` (exit 100), `value-invalid` (exit 7); those of [`Change`]; `tree-path-missing`.
pub(crate) fn run(
    arguments: &Set,
    context: &Context,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let value = value(arguments)?;
    let change = Change::begin(&arguments.target, context)?;
    let text = edit::set(change.opened.plain(), &change.path, &value);
    change.end(
        &text.map_err(|error| change.failed(&error))?,
        context,
        random,
    )
}

fn value(arguments: &Set) -> Result<Node, Failure> {
    let missing = |message: &str| Failure {
        status: 100,
        code: "value-missing",
        message: message.to_owned(),
    };
    let text = match (&arguments.value, arguments.value_stdin) {
        (None, true) => files::read_stdin()?,
        (Some(_), true) => {
            return Err(Failure::conflict(
                "with --value-stdin the value comes from standard input; leave the argument out",
            ));
        }
        (Some(name), false) if arguments.value_file => files::read(Path::new(name))?,
        (Some(text), false) => Zeroizing::new(text.as_encoded_bytes().to_vec()),
        (None, false) => {
            return Err(missing(
                "there is no value to set; give it as JSON with --value-stdin or --value-file",
            ));
        }
    };
    // One value is read as the only member of an object.
    let mut object = Zeroizing::new(b"{\"\":".to_vec());
    object.extend_from_slice(text.trim_ascii());
    object.extend_from_slice(b"\n}");
    let parsed = Document::<Plain>::parse_as(Format::Json, &object, &Limits::generous());
    let invalid = || Failure {
        status: 7,
        code: "value-invalid",
        message: "the value is not JSON; text must stand in double quotes: '\"text\"'".to_owned(),
    };
    let parsed = parsed.map_err(|_| invalid())?;
    if parsed.obstacle_line().is_some() || text.trim_ascii().is_empty() {
        return Err(invalid());
    }
    let trees = parsed.trees().map_err(|_| invalid())?;
    let mut members = trees.iter().flat_map(Node::items);
    match (members.next(), members.next()) {
        (Some((_, Node::List(_))), None) => Err(Failure {
            message: "the value is a list, which sops takes only inside of an object; set its items one by one, such \
                      as '[\"list\"][0]', or edit the document"
                .to_owned(),
            ..invalid()
        }),
        (Some((_, value)), None) => Ok(value.clone()),
        _ => Err(invalid()),
    }
}
