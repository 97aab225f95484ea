//! `stackseal rotate`: a new data key for files, everything in them sealed anew.

use std::collections::BTreeSet;
use std::sync::Mutex;

use stackseal_core::{Document, Limits, Plain};

use super::Context;
use crate::args::{Places, Rotate};
use crate::config::Config;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::key_groups::{self, Group};
use crate::keyring::Keyring;
use crate::keys::lock;
use crate::keys::recipient::Recipients;
use crate::many::{Batch, Sealed, Words};
use crate::opening::{self, Mac};
use crate::output;

/// Rotates the files.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes.
pub(crate) fn run(arguments: &Rotate, context: &Context) -> Result<(), Failure> {
    key_groups::refuse_foreign(&arguments.other_keys)?;
    let known = Recipients::default();
    let add = key_groups::named(&arguments.add_age, &known, "--add-age")?;
    let remove = removed(&arguments.rm_age, &known)?;
    let places = arguments.places();
    places.check()?;
    let config = context.config()?;
    let rotation = Rotation {
        arguments,
        places: &places,
        config: config.as_ref(),
        context,
        keyring: Keyring::find(&context.environment),
        known,
        add,
        missed: Mutex::new(remove.iter().cloned().collect()),
        remove,
    };
    let batch = Batch {
        paths: &arguments.files,
        in_place: arguments.in_place,
        dry_run: arguments.dry_run,
        one_by_one: false,
        format: places.stated_input(),
        words: Words {
            done: "rotated",
            missing: 2,
        },
    };
    let text = batch.run(&|file, _| rotation.rotate(file).map(Some))?;
    for recipient in lock(&rotation.missed).iter() {
        output::warning(&format!(
            "nothing was sealed to {recipient}, so it was not removed"
        ));
    }
    match text {
        Some(text) => places.write(text.as_bytes(), Audience::Anyone),
        None => Ok(()),
    }
}

/// The recipients to remove. Those whose kind is not supported can be.
fn removed(options: &[String], known: &Recipients) -> Result<Vec<String>, Failure> {
    let mut removed = Vec::new();
    for text in options
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
    {
        if text.starts_with("age1") {
            removed.push(text.to_owned());
        } else {
            removed.extend(key_groups::named(&[text.to_owned()], known, "--rm-age")?);
        }
    }
    Ok(removed)
}

/// What is done to each file.
struct Rotation<'a> {
    arguments: &'a Rotate,
    places: &'a Places,
    config: Option<&'a Config>,
    context: &'a Context,
    keyring: Keyring,
    known: Recipients,
    add: Vec<String>,
    remove: Vec<String>,
    /// Who was to be removed and was in no file yet.
    missed: Mutex<BTreeSet<String>>,
}

impl Rotation<'_> {
    fn rotate(&self, file: &Sealed<'_>) -> Result<String, Failure> {
        let name = file.name.as_str();
        let mac = match self.arguments.ignore_mac {
            true => Mac::Ignore,
            false => Mac::Check,
        };
        let opened = opening::open(&file.document, &self.keyring, name, mac)?;
        let metadata = file.document.metadata();
        let groups = self.changed(key_groups::of_file(metadata));
        let groups = key_groups::recipients(&groups, &self.known, name)?;

        let failed = |error| Failure::of_document(&error, name, Act::Encrypt);
        let plain = opened.plain();
        let format = self.places.output();
        let converted = if file.of_many
            || self.arguments.output_type.is_none()
            || format == plain.format()
        {
            None
        } else {
            let indentation = self.context.indentation(self.config, format)?;
            let text = plain.converted(format, indentation).map_err(failed)?;
            Some(Document::<Plain>::parse_as(format, &text, &Limits::generous()).map_err(failed)?)
        };
        let plain = converted.as_ref().unwrap_or(plain);
        let threshold = key_groups::threshold(metadata);
        let sealed = key_groups::sealed_anew(&opened, plain, &groups, threshold, self.context.now);
        Ok(sealed.map_err(failed)?.text().to_owned())
    }

    /// The groups with who comes, in the first one, and without who goes.
    fn changed(&self, mut groups: Vec<Group>) -> Vec<Group> {
        if let Some(first) = groups.first_mut() {
            for recipient in &self.add {
                if !first.age.contains(recipient) {
                    first.age.push(recipient.clone());
                }
            }
        }
        for recipient in &self.remove {
            for group in &mut groups {
                let before = group.age.len();
                group
                    .age
                    .retain(|other| !key_groups::is_same(other, recipient));
                if group.age.len() < before {
                    lock(&self.missed).remove(recipient);
                }
            }
        }
        groups
    }
}
