//! Values that a change leaves readable in the file. The selector stands in the file's block, which no key protects:
//! whoever narrows it there gets the next secret in clear, so a creation rule that would seal it goes before the file.

use std::collections::BTreeSet;
use std::path::Path;

use stackseal_core::{
    Document, Encrypted, Leaf, Opened, Options, Plain, Sealing, Selector, Timestamp,
};

use crate::commands::Context;
use crate::exit::{Act, Failure};
use crate::output;
use crate::sealing;
use crate::shell;

/// A document that was changed and sealed again, before it is written.
pub(crate) struct Changed<'a> {
    pub(crate) file: &'a Path,
    /// How messages call it.
    pub(crate) name: &'a str,
    pub(crate) before: &'a Opened,
    pub(crate) plain: &'a Document<Plain>,
    pub(crate) sealed: &'a Document<Encrypted>,
    pub(crate) now: Timestamp,
}

impl Changed<'_> {
    /// Tells of values that were added and stand readable.
    ///
    /// # Errors
    /// `selector-mismatch` when the file's creation rule would seal one of them; `config-invalid` when that cannot be
    /// told.
    pub(crate) fn check(&self, context: &Context) -> Result<(), Failure> {
        let before: Vec<_> = readable(self.before.sealed()).collect();
        let landed = self.landed(&before);
        if landed.is_empty() {
            return Ok(());
        }
        let (field, text) = self.sealed.metadata().selector.field();
        let config = context.config()?;
        let rule = sealing::rule_if_any(config.as_ref(), self.file)?;
        let rule = rule.map(|rule| rule.for_format(self.sealed.format()));
        if let Some(rule) = &rule
            && let Some((kind, wanted)) = rule.selectors.iter().next()
        {
            if (kind.as_str(), wanted) == (field, text) {
                self.tell_chosen(elsewhere(landed, &before), &rule.place);
                return Ok(());
            }
            let refused =
                self.sealed_by(&sealing::selector_of_rule(rule, kind, wanted)?, &landed)?;
            if !refused.is_empty() {
                let name = self.name;
                return Err(Failure::usage(
                    "selector-mismatch",
                    format!(
                        "{name}: {} would stand readable in the file, since what is sealed is chosen by {field} \
                         '{text}' there, but {} says {kind} '{wanted}', which seals it; nothing was written; \
                         {} brings the file in line",
                        listed(&refused),
                        rule.place,
                        shell::told("stackseal rotate --by-rule -i", &[self.file.as_os_str()]),
                    ),
                ));
            }
        }
        let landed = elsewhere(landed, &before);
        if landed.is_empty() {
            return Ok(());
        }
        output::warning(&format!(
            "{}: stands readable in the file, since its {field} '{text}' does not choose it: {}",
            self.name,
            listed(&landed)
        ));
        Ok(())
    }

    /// Tells of what stands readable as the rule has it. Whoever wrote the rule chose so, but a key that is misspelt or
    /// got another name is not what they had in mind.
    fn tell_chosen(&self, landed: Vec<Leaf>, place: &str) {
        let name = self.name;
        let before = self.before.plain();
        let sealed = self.before.sealed().leaves().into_iter();
        let sealed: BTreeSet<_> = sealed
            .filter(|leaf| leaf.sealed)
            .map(|leaf| (leaf.document, leaf.path.to_string()))
            .collect();
        let secrets: BTreeSet<&str> = before
            .leaves_with_text()
            .filter(|(leaf, _)| sealed.contains(&(leaf.document, leaf.path.to_string())))
            .filter_map(|(_, text)| text)
            .collect();
        let now = self.plain.leaves_with_text();
        let shown: BTreeSet<_> = now
            .filter(|(_, text)| text.is_some_and(|text| secrets.contains(text)))
            .map(|(leaf, _)| (leaf.document, leaf.path.to_string()))
            .collect();
        let was_sealed = |leaf: &Leaf| shown.contains(&(leaf.document, leaf.path.to_string()));
        let (were_sealed, new): (Vec<_>, Vec<_>) = landed.into_iter().partition(was_sealed);
        if !were_sealed.is_empty() {
            output::warning(&format!(
                "{name}: {} holds what was sealed, and stands readable in the file, since {place} does not choose it",
                listed(&were_sealed)
            ));
        }
        if !new.is_empty() {
            output::note(&format!(
                "{name}: readable in the file, as {place} has it: {}",
                listed(&new)
            ));
        }
    }

    /// What stands readable, and did not before. Positions in lists do not count: they move when an item comes or goes.
    fn landed(&self, before: &[(Leaf, &str)]) -> Vec<Leaf> {
        let known: BTreeSet<_> = before
            .iter()
            .map(|(leaf, text)| (leaf.document, leaf.path.keys().collect::<Vec<_>>(), *text))
            .collect();
        let is_new = |(leaf, text): &(Leaf, &str)| {
            !known.contains(&(leaf.document, leaf.path.keys().collect(), *text))
        };
        let new = readable(self.sealed).filter(is_new);
        new.map(|(leaf, _)| leaf).collect()
    }

    /// Which of them a selector seals: told by sealing, since comments may choose, too.
    fn sealed_by(&self, selector: &Selector, landed: &[Leaf]) -> Result<Vec<Leaf>, Failure> {
        let sealing = Sealing {
            recipients: &[],
            selector,
            now: self.now,
            random: &mut crate::random,
        };
        let options = Options {
            accept_nothing: true,
            keep_keys: true,
            keep_layout: true,
            ..Options::default()
        };
        let sealed = self.before.reseal_with(self.plain, sealing, &options);
        let sealed =
            sealed.map_err(|error| Failure::of_document(&error, self.name, Act::Encrypt))?;
        let place = |leaf: &Leaf| (leaf.document, leaf.path.to_string());
        let leaves = sealed.leaves();
        let chosen: BTreeSet<_> = leaves.iter().filter(|it| it.sealed).map(place).collect();
        let chosen = landed.iter().filter(|leaf| chosen.contains(&place(leaf)));
        Ok(chosen.cloned().collect())
    }
}

/// Those whose places held nothing readable before.
fn elsewhere(landed: Vec<Leaf>, before: &[(Leaf, &str)]) -> Vec<Leaf> {
    let place = |leaf: &Leaf| (leaf.document, leaf.path.to_string());
    let before: BTreeSet<_> = before.iter().map(|(leaf, _)| place(leaf)).collect();
    let is_new = |leaf: &Leaf| !before.contains(&place(leaf));
    landed.into_iter().filter(is_new).collect()
}

/// Values in clear, each with its text; what is empty is no secret.
fn readable(document: &Document<Encrypted>) -> impl Iterator<Item = (Leaf, &str)> {
    let leaves = document.leaves_with_text();
    let leaves = leaves.filter(|(leaf, _)| !leaf.sealed && !leaf.empty);
    leaves.map(|(leaf, text)| {
        let stands = document.text().get(leaf.span.clone());
        let text = text.or(stands).unwrap_or_default();
        (leaf, text)
    })
}

fn listed(leaves: &[Leaf]) -> String {
    let paths: Vec<_> = leaves.iter().map(|leaf| leaf.path.to_string()).collect();
    paths.join(", ")
}
