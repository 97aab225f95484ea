//! What their side alone brings in that decides who reads a file and what of it is secret. No MAC covers these, so the
//! creation rule of the file must say the same; who merges is told what to write there.

use std::path::Path;

use stackseal_core::is_same_recipient;
use stackseal_core::merge::{Version, Versions};
use stackseal_core::metadata::Foreign;
use stackseal_core::{Document, Encrypted, Metadata, Selector};

use crate::commands::Context;
use crate::config::Rule;
use crate::exit::Failure;
use crate::key_groups;
use crate::output;
use crate::sealing;

/// The sealed documents that are brought together; `None` for what is not sealed. No key is needed to look at them.
pub(super) struct Sides<'a> {
    pub(super) base: Option<&'a Document<Encrypted>>,
    pub(super) ours: Option<&'a Document<Encrypted>>,
    pub(super) theirs: Option<&'a Document<Encrypted>>,
    /// Whether ours was sealed, and cannot be read: then nothing is known to have been there before.
    pub(super) ours_is_broken: bool,
}

impl<'a> Sides<'a> {
    pub(super) fn of(versions: &Versions<'a>) -> Self {
        Self {
            base: versions.base.and_then(Version::sealed),
            ours: versions.ours.sealed(),
            theirs: versions.theirs.sealed(),
            ours_is_broken: false,
        }
    }
}

/// What keeps their side from being merged.
///
/// # Errors
/// `config-unreadable`, `config-invalid`.
pub(super) fn refused(
    sides: &Sides<'_>,
    name: &str,
    context: &Context,
) -> Result<Vec<String>, Failure> {
    let config = context.config()?;
    let rule = sealing::rule_if_any(config.as_ref(), Path::new(name));
    let brought = Brought { sides, name, rule };
    brought.tell_gone();
    let found = [
        brought.stranger(),
        brought.foreign_stranger(),
        brought.field(),
        brought.selector(),
        brought.mac_only(),
    ];
    Ok(found.into_iter().flatten().collect())
}

struct Brought<'a> {
    sides: &'a Sides<'a>,
    name: &'a str,
    /// Why it cannot be told is a reason not to merge what asks for it.
    rule: Result<Option<Rule>, Failure>,
}

impl Brought<'_> {
    /// Tells who cannot open the file any more because their side took them out, though the rule names them: a line that
    /// somebody deleted takes them out, too.
    fn tell_gone(&self) {
        let Ok(Some(rule)) = &self.rule else {
            return;
        };
        if self.sides.theirs.is_none() {
            return;
        }
        let (ours, theirs) = (named(self.sides.ours), named(self.sides.theirs));
        let base = named(self.sides.base);
        let is_gone = |name: &&String| is_among(&base, name) && !is_among(&theirs, name);
        for name in ours.iter().filter(is_gone) {
            let mut groups = rule.groups.iter();
            if groups.any(|group| is_among(&group.age, name)) {
                output::warning(&format!(
                    "{}: theirs took out the recipient {name}, whom {} names; that is well if this merge takes them \
                     out there, too, else put them back with 'stackseal updatekeys'",
                    self.name, rule.place
                ));
            }
        }
    }

    /// Somebody whom their side alone seals to. Without a rule to go by it is told, no more.
    fn stranger(&self) -> Option<String> {
        let mut known = named(self.sides.ours);
        known.extend(named(self.sides.base));
        let theirs = named(self.sides.theirs);
        for newcomer in theirs.iter().filter(|name| !is_among(&known, name)) {
            let rule = match &self.rule {
                Ok(rule) => rule.as_ref(),
                Err(failure) => return Some(failure.message.clone()),
            };
            let Some(rule) = rule else {
                output::warning(&format!(
                    "{}: theirs brings in the recipient {newcomer}",
                    self.name
                ));
                continue;
            };
            let mut groups = rule.groups.iter();
            if !groups.any(|group| is_among(&group.age, newcomer)) {
                return Some(format!(
                    "theirs seals to {newcomer}, whom {} does not name; name them there to have them",
                    rule.place
                ));
            }
        }
        None
    }

    /// As [`Self::stranger`], of keys of other kinds.
    fn foreign_stranger(&self) -> Option<String> {
        let mut known = foreign(self.sides.ours);
        known.extend(foreign(self.sides.base));
        let theirs = foreign(self.sides.theirs);
        for (kind, name) in theirs.iter().filter(|key| !known.contains(key)) {
            match &self.rule {
                Err(failure) => return Some(failure.message.clone()),
                Ok(None) => output::warning(&format!(
                    "{}: theirs brings in the key {kind} {name}",
                    self.name
                )),
                Ok(Some(rule)) => {
                    if !rule.groups.iter().any(|group| group.foreign.contains(name)) {
                        return Some(format!(
                            "theirs seals to {kind} {name}, which {} does not name; name it there to have it",
                            rule.place
                        ));
                    }
                }
            }
        }
        None
    }

    /// A field of the block that nobody knows: it may say anything.
    fn field(&self) -> Option<String> {
        let theirs = self.changed(|document| &document.metadata().extra)?;
        let ours = self.sides.ours.map(Document::metadata);
        let is_new = |field: &&Foreign| ours.is_none_or(|ours| !ours.extra.contains(field));
        let (name, _) = theirs.metadata().extra.iter().find(is_new)?;
        let name = name.escape_debug();
        Some(format!(
            "theirs has '{name}' in its sops block, which sops does not know, and nothing seals or covers it; have it \
             taken out there"
        ))
    }

    /// Another choice of what is sealed: values that are secret here would stand in clear from then on. A rule that
    /// chooses nothing stands for the choice that is made without one.
    fn selector(&self) -> Option<String> {
        let theirs = &self.changed(|document| &document.metadata().selector)?;
        let (field, text) = theirs.metadata().selector.field();
        let usual = Selector::default();
        let rule = match &self.rule {
            Ok(rule) => rule.as_ref(),
            Err(failure) => return Some(failure.message.clone()),
        };
        let stated = rule.and_then(|rule| rule.selectors.iter().next());
        let stated = stated.map(|(kind, text)| (kind.as_str(), text));
        let text_shown = text.escape_debug();
        (stated.unwrap_or(usual.field()) != (field, text)).then(|| {
            format!(
                "theirs chooses what is sealed by {field} '{text_shown}', which {}; state it there to have it",
                self.says_not()
            )
        })
    }

    /// Values in clear that the MAC leaves out from then on.
    fn mac_only(&self) -> Option<String> {
        let theirs = self.changed(|document| &document.metadata().mac_only_encrypted)?;
        let rule = match &self.rule {
            Ok(rule) => rule.as_ref(),
            Err(failure) => return Some(failure.message.clone()),
        };
        let stated = rule.and_then(|rule| rule.mac_only_encrypted);
        let is_less = theirs.metadata().mac_only_encrypted && stated != Some(true);
        is_less.then(|| {
            format!(
                "theirs leaves values in clear out of the MAC (mac_only_encrypted), which {}; state it there to have \
                 it",
                self.says_not()
            )
        })
    }

    /// Their document, if it says something else than both others do. What both changed, the merge tells of.
    fn changed<T: PartialEq>(
        &self,
        of: impl for<'d> Fn(&'d Document<Encrypted>) -> &'d T,
    ) -> Option<&Document<Encrypted>> {
        let (base, theirs) = (self.sides.base, self.sides.theirs?);
        let ours = match self.sides.ours {
            None if self.sides.ours_is_broken => return Some(theirs),
            ours => ours?,
        };
        let is_kept = base.is_some_and(|base| of(base) == of(ours));
        (is_kept && of(ours) != of(theirs)).then_some(theirs)
    }

    fn says_not(&self) -> String {
        match &self.rule {
            Ok(Some(rule)) => format!("{} does not state", rule.place),
            _ => "no creation rule in .sops.yaml states".to_owned(),
        }
    }
}

/// The keys of other kinds that open a version: kind and name of each.
fn foreign(side: Option<&Document<Encrypted>>) -> Vec<(String, String)> {
    let metadata = side.map(Document::metadata);
    let groups = metadata.into_iter().flat_map(key_groups::of_file);
    groups.flat_map(|group| group.foreign).collect()
}

/// Who can open a version, by name.
fn named(side: Option<&Document<Encrypted>>) -> Vec<String> {
    let metadata = side.map(Document::metadata);
    let entries = metadata.into_iter().flat_map(Metadata::age_entries);
    entries
        .map(|entry| entry.recipient.trim().to_owned())
        .collect()
}

fn is_among(names: &[String], name: &str) -> bool {
    names.iter().any(|it| is_same_recipient(it, name))
}
