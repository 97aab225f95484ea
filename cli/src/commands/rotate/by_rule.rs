//! `rotate --by-rule`: files taken over into their creation rule: sealed anew to those whom it names, and what it
//! chooses.
//!
//! What becomes sealed by that, and what becomes readable, is told; the latter needs to be agreed to. Where the rule
//! states no selector the file keeps its own: `verify` lets it choose that, too.

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
    pub(super) fn by_rule(&self, file: &Sealed<'_>, told: &mut Told) -> Result<String, Failure> {
        let name = file.name.as_str();
        let metadata = file.document.metadata();
        let rule = self.rule(file)?;
        let plan = combine(Some(&rule), &SelectionFlags::default(), &[])?;
        let groups = sealing::groups(&plan, &self.known)?;
        let selector = match &plan.selector {
            Some(_) => sealing::selector(&plan)?,
            None => metadata.selector.clone(),
        };
        let mac = match self.arguments.ignore_mac {
            true => Mac::IgnoreToChange,
            false => Mac::Check,
        };
        let opened = opening::open(&file.document, &self.keyring, name, mac)?;
        let was_sealed = file.document.leaves().iter().any(|leaf| leaf.sealed);
        let sealing = Sealing {
            recipients: groups.first().map_or(&[], Vec::as_slice),
            selector: &selector,
            now: self.context.now,
            random: &mut crate::random,
        };
        let options = Options {
            groups: if groups.len() > 1 { &groups } else { &[] },
            threshold: plan.shamir_threshold.map(usize::from),
            mac_only_encrypted: Some(plan.mac_only_encrypted),
            // A rule that hits nothing is a mistake, unless nothing was hit before.
            accept_nothing: !was_sealed,
            new_data_key: true,
            keep_layout: true,
            ..Options::default()
        };
        let sealed = opened.reseal_with(opened.plain(), sealing, &options);
        let sealed = sealed.map_err(|error| Failure::of_document(&error, name, Act::Encrypt))?;
        let changes = Changes::between(&file.document, &sealed);
        told.note(&changes.text(name, &rule.place, metadata, sealed.metadata()));
        match changes.readable.is_empty() || self.arguments.accept_readable {
            true => Ok(sealed.text().to_owned()),
            false => Err(changes.refusal(name, &rule.place)),
        }
    }

    /// The rule for the file.
    fn rule(&self, file: &Sealed<'_>) -> Result<Rule, Failure> {
        let by_name = self.arguments.filename_override.as_deref();
        let path: &Path = by_name.unwrap_or(file.path);
        let rule = sealing::rule(self.config, path)?.ok_or_else(|| sealing::no_rule(&file.name))?;
        Ok(rule.for_format(file.document.format()))
    }
}

/// What becomes sealed or readable when a document is sealed by another rule: paths, no values.
struct Changes {
    sealed: Vec<String>,
    readable: Vec<String>,
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

    fn text(&self, name: &str, place: &str, old: &Metadata, new: &Metadata) -> String {
        let mut text = format!("{name}: sealed as {place} says");
        let mut line = |what: &str| {
            text.push_str("\n  ");
            text.push_str(what);
        };
        let (was, is) = (old.selector.field(), new.selector.field());
        if was != is {
            line(&format!(
                "{} '{}' becomes {} '{}'",
                was.0, was.1, is.0, is.1
            ));
        }
        if old.mac_only_encrypted != new.mac_only_encrypted {
            line(match new.mac_only_encrypted {
                true => "the MAC covers sealed values alone from now on",
                false => "the MAC covers all values from now on",
            });
        }
        for path in &self.sealed {
            line(&format!("becomes sealed: {path}"));
        }
        for path in &self.readable {
            line(&format!("becomes readable: {path}"));
        }
        let groups = (key_groups::of_file(old), key_groups::of_file(new));
        let threshold = (key_groups::threshold(old), key_groups::threshold(new));
        let difference = Difference::between(&groups.0, &groups.1, threshold);
        if !difference.is_none() {
            difference.text().lines().for_each(&mut line);
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
