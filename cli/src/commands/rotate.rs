//! `stackseal rotate`: a new data key for files, everything in them sealed anew.

mod by_rule;

use std::collections::BTreeSet;
use std::sync::Mutex;

use stackseal_core::is_same_recipient;
use stackseal_core::{
    DataKey, Document, Encrypted, ErrorCode, Format, Limits, Options, Plain, Recipient, Rotation,
    Sealing,
};

use super::Context;
use crate::args::{Places, Rotate};
use crate::config::Config;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::key_groups::{self, Group};
use crate::keyring::Keyring;
use crate::keys::lock;
use crate::keys::recipient::Recipients;
use crate::many::{Batch, Sealed, Told, Words, to_write};
use crate::opening;
use crate::output;
use crate::sealing;

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
    if arguments.by_rule && config.is_none() {
        return Err(Failure::usage(
            "config-missing",
            "config file not found: --by-rule follows the creation rules of a .sops.yaml; write one, or name it with \
             --config",
        ));
    }
    let files = Files {
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
        words: Words::of_sealed("rotated", 2),
    };
    let text = batch.run(&|file, told| match arguments.by_rule {
        true => Ok(files.by_rule(file, told)?.map(to_write)),
        false => Ok(Some(to_write(files.rotate(file, told)?))),
    })?;
    super::remind_of_who_left(
        !arguments.dry_run && lock(&files.missed).len() < removed_names(&files),
    );
    for recipient in lock(&files.missed).iter() {
        output::warning(&format!(
            "nothing was sealed to {recipient}, so it was not removed"
        ));
    }
    match text {
        Some(text) => places.write(&text, Audience::Anyone),
        None => Ok(()),
    }
}

/// How many are to be removed, each counted once.
fn removed_names(files: &Files<'_>) -> usize {
    files.remove.iter().collect::<BTreeSet<_>>().len()
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

/// What is to be done to files.
struct Files<'a> {
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

impl Files<'_> {
    fn rotate(&self, file: &Sealed<'_>, told: &mut Told) -> Result<String, Failure> {
        let name = file.name;
        let data_key = self.keyring.data_key(&file.document, name)?;
        let metadata = file.document.metadata();
        let groups = self.changed(key_groups::of_file(metadata));
        self.tell_strangers(file, &groups, told);
        let groups = key_groups::recipients(&groups, &self.known, name)?;
        let threshold = key_groups::threshold(metadata);
        self.tell_mac(file, &data_key, told);
        if let Some(format) = self.converts_to(file) {
            return self.converted(file, format, &data_key, &groups, threshold);
        }
        let rotation = Rotation {
            groups: &groups,
            threshold: Some(threshold),
            now: self.context.now,
            ignore_mac: self.arguments.ignore_mac,
            random: &mut crate::random,
        };
        let rotated = match file.document.rotated(&data_key, rotation) {
            Err(error) if self.arguments.ignore_mac && error.code() == ErrorCode::LeafNotSealed => {
                self.with_clear(file, told, &data_key, &groups, threshold)?
            }
            rotated => rotated.map_err(|error| Failure::of_document(&error, name, Act::Decrypt))?,
        };
        Ok(rotated.text().to_owned())
    }

    /// Warns of recipients who keep the file although its rule does not name them: the block is not protected, so
    /// somebody may have written them there. Who is added here is meant.
    fn tell_strangers(&self, file: &Sealed<'_>, groups: &[Group], told: &mut Told) {
        let mut warn = |message: String| {
            told.warning(&format!("{}: {message}", file.name));
        };
        let by_name = self.arguments.filename_override.as_deref();
        let rule = match sealing::rule_if_any(self.config, by_name.unwrap_or(file.path)) {
            Ok(Some(rule)) => rule,
            Ok(None) => return,
            Err(failure) => {
                return warn(format!(
                    "whether its rule names all recipients cannot be told: {}",
                    failure.message
                ));
            }
        };
        let named: Vec<_> = (rule.groups.iter())
            .flat_map(|group| &group.age)
            .chain(&self.add)
            .collect();
        let all: BTreeSet<_> = groups.iter().flat_map(|group| &group.age).collect();
        for recipient in all {
            if !named
                .iter()
                .any(|other| is_same_recipient(other, recipient))
            {
                warn(format!(
                    "{recipient}, whom {} does not name, can open what is sealed anew; take it out with 'stackseal \
                     updatekeys --rotate' or --rm-age, or name it there",
                    rule.place
                ));
            }
        }
    }

    /// Warns of a MAC that does not match and is passed over; where values stand in clear [`Self::with_clear`] does.
    fn tell_mac(&self, file: &Sealed<'_>, data_key: &DataKey, told: &mut Told) {
        if !self.arguments.ignore_mac {
            return;
        }
        // What cannot be opened at all fails later.
        if let Ok(found) = file.document.open_with_clear(data_key)
            && found.in_clear.is_empty()
        {
            for line in opening::told_of_clear(&found, file.name) {
                told.warning(&line);
            }
        }
    }

    /// A document in which values stand in clear that its rule seals: they are taken as they are.
    fn with_clear(
        &self,
        file: &Sealed<'_>,
        told: &mut Told,
        data_key: &DataKey,
        groups: &[Vec<Recipient>],
        threshold: usize,
    ) -> Result<Document<Encrypted>, Failure> {
        let failed = |act| move |error| Failure::of_document(&error, file.name, act);
        let found = file.document.open_with_clear(data_key);
        let found = found.map_err(failed(Act::Decrypt))?;
        for line in opening::told_of_clear(&found, file.name) {
            told.warning(&line);
        }
        let sealing = Sealing {
            recipients: sealing::first(groups),
            selector: &file.document.metadata().selector,
            now: self.context.now,
            random: &mut crate::random,
        };
        let options = Options {
            accept_nothing: true,
            new_data_key: true,
            ..sealing::to_groups(groups, Some(threshold))
        };
        let opened = &found.opened;
        let sealed = opened.reseal_with(opened.plain(), sealing, &options);
        sealed.map_err(failed(Act::Encrypt))
    }

    /// The format that the result shall have, if it is another.
    fn converts_to(&self, file: &Sealed<'_>) -> Option<Format> {
        let format = self.places.output();
        let said = !file.of_many && self.arguments.output_type.is_some();
        (said && format != file.document.format()).then_some(format)
    }

    /// The document in another format, under a new data key like every document that is sealed the first time.
    fn converted(
        &self,
        file: &Sealed<'_>,
        format: Format,
        data_key: &DataKey,
        groups: &[Vec<Recipient>],
        threshold: usize,
    ) -> Result<String, Failure> {
        let failed = |act| move |error| Failure::of_document(&error, file.name, act);
        let opened = match self.arguments.ignore_mac {
            true => file.document.open_without_mac(data_key),
            false => file.document.open(data_key),
        };
        let opened = opened.map_err(failed(Act::Decrypt))?;
        let indentation = self.context.indentation(self.config, format)?;
        let text = opened.plain().converted_whole(format, indentation);
        let text = text.map_err(failed(Act::Encrypt))?;
        let plain = Document::<Plain>::parse_as(format, &text, &Limits::generous())
            .map_err(failed(Act::Encrypt))?;
        let metadata = file.document.metadata();
        let sealing = Sealing {
            recipients: sealing::first(groups),
            selector: &metadata.selector,
            now: self.context.now,
            random: &mut crate::random,
        };
        let options = Options {
            mac_only_encrypted: Some(metadata.mac_only_encrypted),
            accept_nothing: true,
            ..sealing::to_groups(groups, Some(threshold))
        };
        let sealed = plain
            .seal_with(sealing, &options)
            .map_err(failed(Act::Encrypt))?;
        Ok(sealed.text().to_owned())
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
                    .retain(|other| !is_same_recipient(other, recipient));
                if group.age.len() < before {
                    lock(&self.missed).remove(recipient);
                }
            }
        }
        groups
    }
}
