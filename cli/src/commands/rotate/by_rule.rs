//! `rotate --by-rule`: files taken over into their creation rule: sealed anew to those whom it names, and what it
//! chooses.
//!
//! What becomes sealed by that, and what becomes readable, is told; the latter needs to be agreed to. Where the rule
//! states no selector the file keeps its own: `verify` lets it choose that, too. A file that is in line with its rule
//! stays as it is.

use std::collections::BTreeMap;
use std::path::Path;

use stackseal_core::{Document, Encrypted, Leaf, Metadata, Options, Sealing};

use super::Files;
use crate::config::{Rule, SelectionFlags, combine};
use crate::exit::{Act, Failure};
use crate::key_groups::{self, Difference};
use crate::many::{Sealed, Told};
use crate::opening::{self, Mac};
use crate::sealing;

impl Files<'_> {
    pub(super) fn by_rule(
        &self,
        file: &Sealed<'_>,
        told: &mut Told,
    ) -> Result<Option<String>, Failure> {
        let name = file.name;
        let metadata = file.document.metadata();
        let rule = self.rule(file)?;
        let plan = combine(Some(&rule), &SelectionFlags::default(), &[])?;
        let groups = sealing::groups(&plan, &self.known)?;
        let selector = match &plan.selector {
            Some((kind, text)) => sealing::selector_of_rule(&rule, *kind, text)?,
            None => metadata.selector.clone(),
        };
        let mac = match self.arguments.ignore_mac {
            true => Mac::IgnoreToChange,
            false => Mac::Check,
        };
        let opened = opening::open(&file.document, &self.keyring, name, mac)?;
        let was_sealed = file.document.leaves().iter().any(|leaf| leaf.sealed);
        let sealing = Sealing {
            recipients: sealing::first(&groups),
            selector: &selector,
            now: self.context.now,
            random: &mut crate::random,
        };
        let options = Options {
            mac_only_encrypted: Some(plan.mac_only_encrypted),
            // A rule that hits nothing is a mistake, unless nothing was hit before.
            accept_nothing: !was_sealed,
            new_data_key: true,
            ..sealing::to_groups(&groups, plan.shamir_threshold.map(usize::from))
        };
        let sealed = opened.reseal_with(opened.plain(), sealing, &options);
        let sealed = sealed.map_err(|error| Failure::of_document(&error, name, Act::Encrypt))?;
        let changes = Changes::between(&file.document, &sealed);
        if changes.is_none() && !self.arguments.ignore_mac {
            if !file.of_many {
                told.note(&format!("{name} is in line with {} already", rule.place));
            }
            let in_place = self.arguments.in_place || self.arguments.dry_run;
            return Ok((!in_place).then(|| file.document.text().to_owned()));
        }
        told.note(&changes.text(name, &rule.place));
        match changes.readable.is_empty() || self.arguments.accept_readable {
            true => Ok(Some(sealed.text().to_owned())),
            false => Err(changes.refusal(name, &rule.place)),
        }
    }

    /// The rule for the file.
    fn rule(&self, file: &Sealed<'_>) -> Result<Rule, Failure> {
        let by_name = self.arguments.filename_override.as_deref();
        let path: &Path = by_name.unwrap_or(file.path);
        let rule = sealing::rule(self.config, path)?.ok_or_else(|| sealing::no_rule(file.name))?;
        Ok(rule.for_format(file.document.format()))
    }
}

/// What becomes sealed or readable when a document is sealed by another rule: paths, no values.
struct Changes {
    sealed: Vec<String>,
    readable: Vec<String>,
    /// How the choice of what is sealed changes.
    selection: Vec<String>,
    /// How those change who can open it.
    groups: Vec<String>,
}

impl Changes {
    fn between(old: &Document<Encrypted>, new: &Document<Encrypted>) -> Self {
        let places = |of: &Document<Encrypted>| -> BTreeMap<_, _> {
            let key = |leaf: &Leaf| (leaf.document, leaf.path.to_string());
            let leaves = of.leaves();
            leaves.iter().map(|leaf| (key(leaf), leaf.sealed)).collect()
        };
        let (was, is) = (places(old), places(new));
        let become_ = |sealed: bool| -> Vec<String> {
            let others = was.iter().filter(|(_, was)| **was != sealed);
            let changed = others.filter(|(key, _)| is.get(key) == Some(&sealed));
            changed.map(|((_, path), _)| path.clone()).collect()
        };
        let mut changes = Self {
            sealed: become_(true),
            readable: become_(false),
            selection: selection(old.metadata(), new.metadata()),
            groups: groups(old.metadata(), new.metadata()),
        };
        let counted = |count: usize| match count {
            1 => "1 comment".to_owned(),
            count => format!("{count} comments"),
        };
        match (old.sealed_comments(), new.sealed_comments()) {
            (old, new) if old < new => changes.sealed.push(counted(new - old)),
            (old, new) if old > new => changes.readable.push(counted(old - new)),
            _ => {}
        }
        changes
    }

    /// Whether the file is in line with its rule.
    fn is_none(&self) -> bool {
        [&self.sealed, &self.readable, &self.selection, &self.groups]
            .iter()
            .all(|lines| lines.is_empty())
    }

    fn text(&self, name: &str, place: &str) -> String {
        let sealed = self.sealed.iter();
        let sealed = sealed.map(|path| format!("becomes sealed: {path}"));
        let readable = self.readable.iter();
        let readable = readable.map(|path| format!("becomes readable: {path}"));
        let lines = sealed.chain(readable).chain(self.groups.iter().cloned());
        let mut text = format!("{name}: sealed as {place} says");
        for line in self.selection.iter().cloned().chain(lines) {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        text
    }

    fn refusal(&self, name: &str, place: &str) -> Failure {
        let paths = self.readable.join(", ");
        Failure::usage(
            "becomes-readable",
            format!(
                "{name}: {place} does not choose what is sealed now, so everybody who has the file could read: \
                 {paths}; mend the rule, or agree with --accept-readable"
            ),
        )
    }
}

fn selection(old: &Metadata, new: &Metadata) -> Vec<String> {
    let mut lines = Vec::new();
    let (was, is) = (old.selector.field(), new.selector.field());
    if was != is {
        lines.push(format!("{} '{}' becomes {} '{}'", was.0, was.1, is.0, is.1));
    }
    if old.mac_only_encrypted != new.mac_only_encrypted {
        let what = match new.mac_only_encrypted {
            true => "the MAC covers sealed values alone from now on",
            false => "the MAC covers all values from now on",
        };
        lines.push(what.to_owned());
    }
    lines
}

fn groups(old: &Metadata, new: &Metadata) -> Vec<String> {
    let groups = (key_groups::of_file(old), key_groups::of_file(new));
    let threshold = (key_groups::threshold(old), key_groups::threshold(new));
    let difference = Difference::between(&groups.0, &groups.1, threshold);
    match difference.is_none() {
        true => Vec::new(),
        false => difference.text().lines().map(str::to_owned).collect(),
    }
}
