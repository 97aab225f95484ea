//! Who shall be able to open a document: the wrapped copies of the data key, kept where they still serve.

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use super::Options;
use crate::data_key::DataKey;
use crate::document::{Document, Plain};
use crate::error::{Error, ErrorCode};
use crate::format::parts::Item;
#[cfg(feature = "formats")]
use crate::metadata::KeyGroup;
use crate::metadata::{AgeEntry, Metadata};
use crate::open::Opened;
use crate::order::Table;
use crate::random::Random;
use crate::recipient::Recipient;
use crate::selector::Selector;

/// The recipients asked for, and those of the earlier version.
pub(super) struct Keys<'a> {
    pub(super) recipients: &'a [Recipient],
    pub(super) options: &'a Options<'a>,
    pub(super) earlier: Option<&'a Opened>,
}

impl Keys<'_> {
    /// Whether there are recipients at all, and none that is not wrapped to would be lost.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.options.keep_keys && self.earlier.is_some() {
            return Ok(());
        }
        if self.recipients.is_empty() && self.options.groups.iter().all(Vec::is_empty) {
            return Err(Error::configuration(
                ErrorCode::RecipientMissing,
                "nobody could open the document; name at least one recipient",
            ));
        }
        let foreign = self.earlier.and_then(|earlier| {
            let metadata = earlier.metadata();
            // Where everything is sealed anew, who is named takes the place of the groups.
            let keeps_groups = !self.has_groups() && !self.options.new_data_key;
            metadata
                .foreign_names()
                .find(|name| *name != "key_groups" || keeps_groups)
        });
        match foreign {
            Some(foreign) => Err(Error::input(ErrorCode::MetadataInvalid, alloc::format!("the file is also sealed through {foreign}, which would be lost; change it with the tool that made it")).at_path("sops")),
            None => Ok(()),
        }
    }

    fn has_groups(&self) -> bool {
        self.options.groups.len() > 1
    }

    fn groups(&self) -> impl Iterator<Item = &[Recipient]> {
        let groups = self.options.groups.iter().map(Vec::as_slice);
        let one = self.options.groups.is_empty().then_some(self.recipients);
        groups.chain(one)
    }

    /// Nobody who could open the document loses that right, and no value leaves the sealed set.
    pub(super) fn stay(
        &self,
        plain: &Document<Plain>,
        earlier: &Opened,
        selection: &[bool],
    ) -> bool {
        let stays = |gone: &str| {
            let mut all = self.groups().flatten();
            all.any(|recipient| recipient.as_str() == gone)
        };
        let nobody_goes = earlier
            .metadata()
            .age_entries()
            .all(|entry| stays(entry.recipient.trim()));
        let hits = plain.items().zip(selection);
        let selected = hits.filter_map(|((document, item), selected)| match item {
            Item::Scalar(scalar) if *selected => Some(((document, &scalar.path), ())),
            _ => None,
        });
        let selected = Table::new(selected.collect());
        nobody_goes
            && earlier
                .sealed_paths()
                .all(|at| selected.holds(|place| place.cmp(&at)))
    }

    /// Whether the earlier version has exactly these recipients.
    pub(super) fn are_those_of(&self, earlier: &Opened) -> bool {
        let metadata = earlier.metadata();
        if self.options.keep_keys {
            return true;
        }
        if self.has_groups() {
            return metadata.shamir_threshold == Some(self.threshold())
                && metadata.key_groups.len() == self.options.groups.len()
                && metadata
                    .key_groups
                    .iter()
                    .zip(self.groups())
                    .all(|(group, recipients)| are(&group.age, recipients));
        }
        metadata.key_groups.is_empty()
            && self
                .groups()
                .all(|recipients| are(&metadata.age, recipients))
    }

    fn threshold(&self) -> usize {
        let asked = self.options.threshold.filter(|threshold| *threshold > 0);
        asked.unwrap_or(self.options.groups.len())
    }

    /// The block with the keys alone.
    pub(super) fn wrapped(
        &self,
        data_key: &DataKey,
        kept: Option<&Opened>,
        random: &mut dyn Random,
    ) -> Result<Metadata, Error> {
        let mut metadata = Metadata {
            age: Vec::new(),
            key_groups: Vec::new(),
            shamir_threshold: None,
            last_modified: Default::default(),
            mac: Default::default(),
            version: Default::default(),
            selector: Selector::default(),
            mac_only_encrypted: false,
            layout: None,
            unknown: false,
            groups_passed_over: false,
            foreign: Vec::new(),
            extra: Vec::new(),
        };
        let earlier = kept.map(Opened::metadata);
        if let Some(earlier) = earlier
            && (self.options.keep_keys || kept.is_some_and(|kept| self.are_those_of(kept)))
        {
            metadata.age.clone_from(&earlier.age);
            metadata.key_groups.clone_from(&earlier.key_groups);
            metadata.shamir_threshold = earlier.shamir_threshold;
            metadata.foreign.clone_from(&earlier.foreign);
            return Ok(metadata);
        }
        #[cfg(feature = "formats")]
        if self.has_groups() {
            let threshold = self.threshold();
            metadata.key_groups = shared(data_key, self.options.groups, threshold, random)?;
            metadata.shamir_threshold = Some(threshold);
            return Ok(metadata);
        }
        let known = earlier.map_or(&[][..], |earlier| &earlier.age);
        metadata.age = copies(data_key, self.groups().flatten(), known, random)?;
        Ok(metadata)
    }
}

/// Whether each group could be opened by somebody.
///
/// # Errors
/// `recipient-missing`.
#[cfg(feature = "formats")]
pub(super) fn check(groups: &[Vec<Recipient>]) -> Result<(), Error> {
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err(Error::configuration(
            ErrorCode::RecipientMissing,
            "a key group would have no keys, so nobody could open it; name at least one recipient for each",
        ));
    }
    Ok(())
}

/// A block with other keys, all of them age's. `threshold` may be 0, for all; with one group it means nothing, and is
/// written as it is given.
#[cfg(feature = "formats")]
pub(super) fn replaced(
    block: &Metadata,
    data_key: &DataKey,
    groups: &[Vec<Recipient>],
    threshold: Option<usize>,
    random: &mut dyn Random,
) -> Result<Metadata, Error> {
    let mut metadata = Metadata {
        age: Vec::new(),
        key_groups: Vec::new(),
        shamir_threshold: threshold.filter(|threshold| *threshold > 0),
        foreign: Vec::new(),
        ..block.clone()
    };
    wrap_into(&mut metadata, data_key, groups, &block.age, random)?;
    Ok(metadata)
}

/// Puts copies of the data key, or shares of it, into a block that has none; `known` are copies of this very data key.
///
/// # Errors
/// `threshold-invalid`, `random-failed`.
#[cfg(feature = "formats")]
pub(crate) fn wrap_into(
    block: &mut Metadata,
    data_key: &DataKey,
    groups: &[Vec<Recipient>],
    known: &[AgeEntry],
    random: &mut dyn Random,
) -> Result<(), Error> {
    if groups.len() > 1 {
        let threshold = block.shamir_threshold.unwrap_or(groups.len());
        block.shamir_threshold = Some(threshold);
        block.key_groups = shared(data_key, groups, threshold, random)?;
    } else {
        block.age = copies(data_key, groups.iter().flatten(), known, random)?;
    }
    Ok(())
}

/// A copy of the data key for each recipient, once; those who are known keep theirs.
pub(super) fn copies<'a>(
    data_key: &DataKey,
    recipients: impl Iterator<Item = &'a Recipient>,
    known: &[AgeEntry],
    random: &mut dyn Random,
) -> Result<Vec<AgeEntry>, Error> {
    let mut entries: Vec<AgeEntry> = Vec::new();
    for recipient in recipients {
        let is = |entry: &&AgeEntry| entry.recipient.trim() == recipient.as_str();
        if entries.iter().any(|entry| is(&entry)) {
            continue;
        }
        let enc = match known.iter().find(is) {
            Some(known) => known.enc.clone(),
            None => data_key.wrap(recipient, random)?,
        };
        entries.push(AgeEntry {
            recipient: recipient.as_str().to_owned(),
            enc,
        });
    }
    Ok(entries)
}

/// A share of the data key for each group, wrapped to each of its recipients.
#[cfg(feature = "formats")]
pub(super) fn shared(
    data_key: &DataKey,
    groups: &[Vec<Recipient>],
    threshold: usize,
    random: &mut dyn Random,
) -> Result<Vec<KeyGroup>, Error> {
    let shares = crate::shamir::split(data_key, groups.len(), threshold, random)?;
    let mut shared = Vec::new();
    for (recipients, share) in groups.iter().zip(&shares) {
        let mut group = KeyGroup::default();
        for recipient in recipients {
            group.age.push(AgeEntry {
                recipient: recipient.as_str().to_owned(),
                enc: recipient.wrap(share, random)?,
            });
        }
        shared.push(group);
    }
    Ok(shared)
}

fn are(entries: &[AgeEntry], recipients: &[Recipient]) -> bool {
    entries.len() == recipients.len()
        && entries
            .iter()
            .zip(recipients)
            .all(|(entry, recipient)| entry.recipient.trim() == recipient.as_str())
}
