//! `stackseal updatekeys`: makes who can open files what the creation rules say.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use stackseal_core::{Format, Rotation};

use super::Context;
use crate::args::UpdateKeys;
use crate::config::{Config, Plan, Rule, SelectionFlags, combine};
use crate::exit::{Act, Failure};
use crate::key_groups::{self, Difference, Group};
use crate::keyring::Keyring;
use crate::keys::recipient::Recipients;
use crate::many::{Batch, Sealed, Told, Words, to_write};
use crate::output;
use crate::sealing;

/// Updates the keys of the files.
///
/// # Errors
/// `config-missing`; those of the arguments, files and rules, and what the codec finds, by its codes.
pub(crate) fn run(arguments: &UpdateKeys, context: &Context) -> Result<(), Failure> {
    let Some(config) = context.config()? else {
        return Err(Failure::usage(
            "config-missing",
            "config file not found: a .sops.yaml says who shall open which files; write one, or name it with --config",
        ));
    };
    let update = Update {
        arguments,
        context,
        config,
        keyring: Keyring::find(&context.environment),
        known: Recipients::default(),
        left: AtomicUsize::new(0),
        gone: AtomicBool::new(false),
    };
    let batch = Batch {
        paths: &arguments.files,
        in_place: true,
        dry_run: arguments.dry_run,
        one_by_one: !arguments.yes && !arguments.dry_run,
        format: arguments.input_type.as_deref().and_then(Format::of_word),
        words: Words::of_sealed("updated", 1),
    };
    let done = batch.run(&|file, told| Ok(update.update(file, told)?.map(to_write)));
    super::warn_of_who_left(update.left.into_inner());
    super::remind_of_who_left(update.gone.into_inner());
    done.map(drop)
}

/// What is done to each file.
struct Update<'a> {
    arguments: &'a UpdateKeys,
    context: &'a Context,
    config: Config,
    keyring: Keyring,
    known: Recipients,
    /// How many files lost somebody who still knows their data key.
    left: AtomicUsize,
    /// Whether somebody lost a file whose data key is a new one.
    gone: AtomicBool,
}

impl Update<'_> {
    fn update(&self, file: &Sealed<'_>, told: &mut Told) -> Result<Option<String>, Failure> {
        let name = file.name;
        if !file.of_many {
            told.note(&format!("Syncing keys for file {name}"));
        }
        if file.document.metadata().groups_passed_over {
            told.warning(&format!(
                "{name}: key_groups stand beside the keys, where they count for nothing, but whoever they name may hold \
                 the data key; 'stackseal rotate -i {name}' takes them out, under a new data key"
            ));
        }
        let rule = self.rule(file)?;
        let plan = combine(Some(&rule), &SelectionFlags::default(), &[])?;
        tell_selection(file, &rule, &plan, told);
        let groups: Vec<_> = plan.groups.iter().cloned().map(Group::of_age).collect();
        let metadata = file.document.metadata();
        let old = key_groups::of_file(metadata);
        let threshold = (
            key_groups::threshold(metadata),
            self.threshold(key_groups::threshold(metadata), groups.len()),
        );
        let difference = Difference::between(&old, &groups, threshold);
        if difference.is_none() {
            if !file.of_many {
                told.note(&format!("File {name} already up to date"));
            }
            return Ok(None);
        }
        let whose = if file.of_many { name } else { "the file" };
        told.result(&format!(
            "The following changes will be made to {whose}'s groups:\n{}",
            difference.text()
        ));
        if !self.arguments.dry_run && !self.is_agreed(told)? {
            told.note(&format!("File {name} left unchanged"));
            return Ok(None);
        }
        let groups = sealing::groups(&plan, &self.known)?;
        if self.arguments.dry_run {
            return Ok(Some(String::new()));
        }
        let data_key = self.keyring.data_key(&file.document, name)?;
        let document = &file.document;
        let changed = if self.arguments.rotate {
            self.gone
                .fetch_or(difference.removes_somebody(), Ordering::Relaxed);
            let rotation = Rotation {
                groups: &groups,
                threshold: Some(threshold.1),
                now: self.context.now,
                ignore_mac: false,
                random: &mut crate::random,
            };
            document.rotated(&data_key, rotation)
        } else {
            if difference.removes_somebody() {
                self.left.fetch_add(1, Ordering::Relaxed);
            }
            document.with_keys(&data_key, &groups, Some(threshold.1), &mut crate::random)
        };
        let changed = changed.map_err(|error| Failure::of_document(&error, name, Act::Decrypt))?;
        if !file.of_many {
            told.when_written(format!("File {name} synced with new keys"));
        }
        Ok(Some(changed.text().to_owned()))
    }

    fn rule(&self, file: &Sealed<'_>) -> Result<Rule, Failure> {
        let rule = self.config.rule_for(file.path)?;
        let rule = rule.ok_or_else(|| sealing::no_rule(file.name))?;
        Ok(rule.for_format(file.document.format()))
    }

    /// As `sops`: that of the file, and no more than there are groups. What a file of one group says about it means nothing.
    fn threshold(&self, old: usize, groups: usize) -> usize {
        match usize::from(self.arguments.shamir_secret_sharing_threshold) {
            0 if old == 1 && groups > 1 => 0,
            0 => old.min(groups),
            asked => asked.min(groups),
        }
    }

    /// Asks whether to go on, unless that was said beforehand.
    fn is_agreed(&self, told: &mut Told) -> Result<bool, Failure> {
        if self.arguments.yes {
            return Ok(true);
        }
        told.tell();
        loop {
            match output::ask("Is this okay? (y/n):")?.trim() {
                "y" => return Ok(true),
                "n" => return Ok(false),
                _ => {}
            }
        }
    }
}

/// Warns of a choice of what is sealed that is not the rule's, since keys alone are updated here.
fn tell_selection(file: &Sealed<'_>, rule: &Rule, plan: &Plan, told: &mut Told) {
    let metadata = file.document.metadata();
    let (field, text) = metadata.selector.field();
    let name = &file.name;
    let what = match &plan.selector {
        Some((kind, wanted)) if (kind.as_str(), wanted.as_str()) != (field, text) => {
            format!(
                "what is sealed is chosen by {field} '{text}', but {} says {kind} '{wanted}'",
                rule.place
            )
        }
        _ if rule
            .mac_only_encrypted
            .is_some_and(|said| said != metadata.mac_only_encrypted) =>
        {
            format!("which values the MAC covers is not as {} says", rule.place)
        }
        _ => return,
    };
    told.warning(&format!(
        "{name}: {what}; updatekeys leaves that as it is, 'stackseal rotate --by-rule -i {name}' \
         brings it in line"
    ));
}
