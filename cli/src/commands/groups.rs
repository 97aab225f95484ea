//! `stackseal groups add` and `groups delete`: another key group in files, or one less.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Context;
use crate::args::GroupAct;
use crate::exit::{Act, Failure};
use crate::key_groups::{self, Difference, Group};
use crate::keyring::Keyring;
use crate::keys::recipient::Recipients;
use crate::many::{Batch, Sealed, Words, to_write};
use crate::output;

/// Changes the groups of the files.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes.
pub(crate) fn run(act: &GroupAct, context: &Context) -> Result<(), Failure> {
    let known = Recipients::default();
    let (files, change) = match act {
        GroupAct::Add(arguments) => {
            key_groups::refuse_foreign(&arguments.other_keys)?;
            let age = key_groups::named(&arguments.age, &known, "--age")?;
            if age.is_empty() {
                return Err(Failure::usage(
                    "key-group-empty",
                    "a group without keys could not be opened by anybody; name age recipients with --age",
                ));
            }
            (&arguments.files, Change::Add(Group::of_age(age)))
        }
        GroupAct::Delete(arguments) => (&arguments.files, Change::Delete(arguments.index)),
    };
    context.config()?;
    let regrouping = Regrouping {
        change,
        threshold: usize::from(files.shamir_secret_sharing_threshold),
        keyring: Keyring::find(&context.environment),
        known,
        left: AtomicUsize::new(0),
    };
    let batch = Batch {
        paths: &files.files,
        in_place: files.in_place,
        dry_run: files.dry_run,
        one_by_one: false,
        format: None,
        words: Words::of_sealed("changed", 2),
    };
    let done = batch.run(&|file, _| Ok(Some(to_write(regrouping.regroup(file)?))));
    let left = regrouping.left.into_inner();
    super::warn_of_who_left(if files.dry_run { 0 } else { left });
    match done? {
        Some(text) => output::result(&text),
        None => Ok(()),
    }
}

enum Change {
    Add(Group),
    /// Which one, from 0.
    Delete(usize),
}

/// What is done to each file.
struct Regrouping {
    change: Change,
    /// 0 when none was asked for.
    threshold: usize,
    keyring: Keyring,
    known: Recipients,
    /// How many files lost somebody who still knows their data key.
    left: AtomicUsize,
}

impl Regrouping {
    fn regroup(&self, file: &Sealed<'_>) -> Result<String, Failure> {
        let name = file.name;
        let metadata = file.document.metadata();
        let old = key_groups::of_file(metadata);
        let groups = self.changed(&old, name)?;
        let threshold = self.threshold(key_groups::threshold(metadata), &groups, name)?;
        let data_key = self.keyring.data_key(&file.document, name)?;
        let recipients = key_groups::recipients(&groups, &self.known, name)?;
        let changed = file
            .document
            .with_keys(&data_key, &recipients, Some(threshold), &mut crate::random)
            .map_err(|error| Failure::of_document(&error, name, Act::Encrypt))?;
        if Difference::between(&old, &groups, (0, 0)).removes_somebody() {
            self.left.fetch_add(1, Ordering::Relaxed);
        }
        Ok(changed.text().to_owned())
    }

    fn changed(&self, old: &[Group], name: &str) -> Result<Vec<Group>, Failure> {
        let mut groups = old.to_vec();
        match &self.change {
            Change::Add(group) => groups.push(group.clone()),
            Change::Delete(_) if groups.len() == 1 => {
                return Err(Failure::usage(
                    "key-group-missing",
                    format!("{name} has one key group; without it nobody could open the file"),
                ));
            }
            Change::Delete(index) if *index >= groups.len() => {
                let last = groups.len() - 1;
                return Err(Failure::usage(
                    "key-group-missing",
                    format!("{name} has no key group {index}; they are counted from 0 to {last}"),
                ));
            }
            Change::Delete(index) => {
                groups.remove(*index);
            }
        }
        Ok(groups)
    }

    /// As `sops`: that of the file, unless another is asked for. Nothing lowers it silently.
    fn threshold(&self, old: usize, groups: &[Group], name: &str) -> Result<usize, Failure> {
        let threshold = match self.threshold {
            // of a file with one group it means nothing
            0 if old == 1 => 0,
            0 => old,
            asked => asked,
        };
        let least = groups.len().min(2);
        if threshold > groups.len() || threshold > 0 && threshold < least {
            let count = groups.len();
            let (left, fits) = match count {
                1 => ("one key group".to_owned(), "1".to_owned()),
                _ => (
                    format!("{count} key groups"),
                    format!("from {least} to {count}"),
                ),
            };
            return Err(Failure::usage(
                "threshold-invalid",
                format!(
                    "{name} would have {left}, and a threshold of {threshold}, which must be {fits} then; name another \
                     with --shamir-secret-sharing-threshold",
                ),
            ));
        }
        Ok(threshold)
    }
}
