//! `stackseal decrypt`: the plaintext of a sealed document, only after its MAC was verified.

use std::path::PathBuf;

use stackseal_core::Format;
use stackseal_core::tree::at::TreePath;

use super::Context;
use crate::args::Decrypt;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::keyring::Keyring;
use crate::many::{Batch, Words};
use crate::opening::{self, Mac};
use crate::output;

/// Opens the document and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes.
pub(crate) fn run(arguments: &Decrypt, context: &Context) -> Result<(), Failure> {
    let places = &arguments.places;
    let mac = match arguments.ignore_mac {
        true => Mac::Ignore,
        false => Mac::Check,
    };
    if let Some(paths) = places.several(&arguments.others)? {
        return several(arguments, &paths, mac, context);
    }
    places.check()?;
    let extract = arguments.extract.as_deref().map(TreePath::parse);
    let extract = extract
        .transpose()
        .map_err(|error| Failure::of_tree_path(&error, "--extract", 91))?;
    let config = context.config()?;
    let name = places.name();
    let _held = places.held();
    let opened = places.open(context, mac)?;
    let to = places.output();
    let indentation = context.indentation(config.as_ref(), to)?;
    let plain = opened.plain();
    if arguments.dry_run {
        output::note(&format!("{name} would be opened"));
        return Ok(());
    }
    let content = match &extract {
        Some(path) => plain.extracted(path, to),
        // Without a copy: it may be large.
        None if to == plain.format() => return places.write(&plain.content(), Audience::Owner),
        None => {
            if plain.left_out_in(to) > 0 && to != Format::Binary {
                output::warning(&format!(
                    "{name}: the text has several documents, and the other format holds one: this is the first"
                ));
            }
            plain.converted(to, indentation)
        }
    };
    let content = content.map_err(|error| Failure::of_document(&error, &name, Act::Decrypt))?;
    places.write(&content, Audience::Owner)
}

/// Opens each of several files, or the sealed ones of folders, where it lies.
fn several(
    arguments: &Decrypt,
    paths: &[PathBuf],
    mac: Mac,
    context: &Context,
) -> Result<(), Failure> {
    if arguments.extract.is_some() {
        return Err(Failure::conflict(
            "--extract goes with one file; leave it out for several, or do them one by one",
        ));
    }
    context.config()?;
    let keyring = Keyring::find(&context.environment);
    let batch = Batch {
        paths,
        in_place: arguments.places.in_place,
        dry_run: arguments.dry_run,
        one_by_one: false,
        format: arguments.places.stated_input(),
        words: Words::of_sealed("opened", 100),
    };
    let done = batch.run(&|file, _| {
        let opened = opening::open(&file.document, &keyring, file.name, mac)?;
        Ok(Some(opened.plain().content().to_vec().into()))
    });
    done.map(drop)
}
