//! Three-way merge of sealed documents: what each side changed, sealed again as one document with a MAC of its own.
//!
//! `tree` tells by paths what shall come out and where the sides contradict each other, `text` finds the text that says
//! so, `block` who can open it and by which rule it is sealed. Values that did not change keep their ciphertext. The
//! result is opened again and compared with the tree, and nothing may stand in it in clear that was not in clear on a
//! side: where that does not hold there is no result.

mod block;
mod conflict;
mod text;
mod tree;
mod values;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::document::{Document, Encrypted, Plain};
use crate::error::Error;
use crate::open::Opened;
use crate::random::Random;
use crate::recipient::Recipient;
use crate::sequence;
use crate::timestamp::Timestamp;
use crate::tree::Node;

pub use conflict::{Act, Conflict, Subject};

/// A version of a document.
#[derive(Clone, Copy, Debug)]
pub enum Version<'a> {
    /// It is not sealed.
    Plain(&'a Document<Plain>),
    /// It is sealed, and was opened.
    Sealed(&'a Opened),
}

impl<'a> Version<'a> {
    /// The document as it is sealed; `None` for one that is not.
    pub fn sealed(self) -> Option<&'a Document<Encrypted>> {
        self.opened().map(Opened::sealed)
    }

    fn plain(self) -> &'a Document<Plain> {
        match self {
            Self::Plain(document) => document,
            Self::Sealed(opened) => opened.plain(),
        }
    }

    fn opened(self) -> Option<&'a Opened> {
        match self {
            Self::Plain(_) => None,
            Self::Sealed(opened) => Some(opened),
        }
    }
}

/// What is merged: two versions, and the one that both were made of, if there was one.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a> {
    /// What both were made of.
    pub base: Option<Version<'a>>,
    /// Our version: the layout of the text is taken from it.
    pub ours: Version<'a>,
    /// Their version.
    pub theirs: Version<'a>,
}

/// What a merge needs besides the versions.
pub struct Merging<'a> {
    /// The time of the merge.
    pub now: Timestamp,
    /// The recipient that a name in a block stands for, asked when the data key must be wrapped to it; `None` for one
    /// that cannot be sealed to here.
    pub recipient: &'a mut dyn FnMut(&str) -> Option<Recipient>,
    /// The generator for data key, nonces and wrapping.
    pub random: &'a mut dyn Random,
}

impl fmt::Debug for Merging<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Merging");
        out.field("now", &self.now).finish_non_exhaustive()
    }
}

/// What comes of a merge.
#[derive(Debug)]
pub enum Merged {
    /// The sides contradict each other in what cannot stand side by side: who can open the document and by which rule
    /// it is sealed, or its text as a whole.
    Apart(Vec<Conflict>),
    /// One document.
    Clean(Box<Document<Encrypted>>),
    /// The sides contradict each other in places.
    Conflicting(Box<Conflicting>),
}

/// Everything merged but some places, once with our side of these and once with theirs. Both are whole, under one data
/// key, and the same elsewhere.
#[derive(Debug)]
pub struct Conflicting {
    /// With our side of the conflicts.
    pub ours: Document<Encrypted>,
    /// With their side of the conflicts.
    pub theirs: Document<Encrypted>,
    /// Where the sides contradict each other.
    pub conflicts: Vec<Conflict>,
}

impl Conflicting {
    /// The sealed text, both sides of what differs between marker lines as Git writes them.
    pub fn marked(&self, markers: &Markers<'_>) -> String {
        markers.around(self.ours.text(), self.theirs.text())
    }
}

/// The lines around the two sides of a conflict.
#[derive(Clone, Copy, Debug)]
pub struct Markers<'a> {
    /// How often the marker's character stands at least: more often where a line of the texts looks like a marker.
    pub size: usize,
    /// How our side is called.
    pub ours: &'a str,
    /// How their side is called.
    pub theirs: &'a str,
}

/// How often a marker's character stands at least.
pub const MARKER: usize = 7;

/// The character of a line that marks a side of a conflict as Git does, and how that side is called. `size` is how often
/// the character must stand at least.
pub fn marker(line: &str, size: usize) -> Option<(char, &str)> {
    let mark = line.chars().next().filter(|mark| "<|=>".contains(*mark))?;
    let name = line.trim_start_matches(mark);
    let is_marker = line.len() - name.len() >= size
        && (name.starts_with(' ') || name.trim_end_matches(['\r', '\n']).is_empty());
    is_marker.then_some((mark, name.trim()))
}

/// How often the character of a marker stands at least that is none of these lines.
pub fn marker_size<'a>(lines: impl IntoIterator<Item = &'a str>) -> usize {
    let lines = lines.into_iter();
    let lengths = lines.filter_map(|line| {
        let (mark, _) = marker(line, MARKER)?;
        Some(line.len() - line.trim_start_matches(mark).len() + 1)
    });
    lengths.fold(MARKER, usize::max)
}

impl Markers<'_> {
    /// Two texts as one, with markers around the lines in which they differ.
    pub fn around(&self, ours: &str, theirs: &str) -> String {
        let one: Vec<&str> = ours.split_inclusive('\n').collect();
        let other: Vec<&str> = theirs.split_inclusive('\n').collect();
        let sized = self.sized(ours, theirs);
        let mut text = String::with_capacity(ours.len() + theirs.len());
        let mut at = 0;
        let lines = |text: &mut String, lines: Option<&[&str]>| {
            lines
                .unwrap_or_default()
                .iter()
                .for_each(|line| text.push_str(line));
        };
        for hunk in sequence::line_hunks(&one, &other) {
            lines(&mut text, one.get(at..hunk.old.start));
            at = hunk.old.end;
            sized.side(&mut text, '<', self.ours);
            lines(&mut text, one.get(hunk.old));
            sized.side(&mut text, '=', "");
            lines(&mut text, other.get(hunk.new));
            sized.side(&mut text, '>', self.theirs);
        }
        lines(&mut text, one.get(at..));
        text
    }

    /// Both texts whole, one behind the other: for what can only be taken as it is.
    pub fn beside(&self, ours: &str, theirs: &str) -> String {
        let sized = self.sized(ours, theirs);
        let mut text = String::with_capacity(ours.len() + theirs.len());
        sized.side(&mut text, '<', self.ours);
        text.push_str(ours);
        sized.side(&mut text, '=', "");
        text.push_str(theirs);
        sized.side(&mut text, '>', self.theirs);
        text
    }

    /// Markers that no line of the texts looks like.
    fn sized(&self, ours: &str, theirs: &str) -> Self {
        let least = marker_size(ours.lines().chain(theirs.lines()));
        Self {
            size: self.size.clamp(1, 1000).max(least),
            ..*self
        }
    }

    fn side(&self, text: &mut String, marker: char, name: &str) {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend(core::iter::repeat_n(marker, self.size));
        if !name.is_empty() {
            text.push(' ');
            text.push_str(name);
        }
        text.push('\n');
    }
}

/// Whose version is taken where both cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    Ours,
    Theirs,
}

impl Versions<'_> {
    /// Merges the versions.
    ///
    /// # Errors
    /// `random-failed`, `threshold-invalid`, `internal`; what keeps trees from being made of the texts.
    pub fn merge(&self, merging: Merging<'_>) -> Result<Merged, Error> {
        let Merging {
            now,
            recipient,
            random,
        } = merging;
        if let Some(conflict) = self.unsealed() {
            return Ok(Merged::Apart(Vec::from([conflict])));
        }
        let rules = match block::Rules::merged(self) {
            Ok(rules) => rules,
            Err(conflicts) => return Ok(Merged::Apart(conflicts)),
        };
        let (wanted, mut conflicts) = tree::merged(self, Preference::Ours)?;
        let Some(ours) = text::put_together(self, Preference::Ours, &wanted) else {
            return Ok(apart(conflicts));
        };
        conflicts.extend(text::lost_comments(self, &ours));

        if conflicts.is_empty()
            && let Some(side) = self.side_like(&ours, &rules)
        {
            return Ok(Merged::Clean(Box::new(side.sealed().clone())));
        }
        let block = match rules.with_keys(self, recipient, random)? {
            Ok(block) => block,
            Err(conflict) => return Ok(Merged::Apart(Vec::from([conflict]))),
        };
        let mut seal = |plain: Document<Plain>, wanted: &[Node], before: Option<&Opened>| {
            self.sealed(plain, wanted, &block, before, now, &mut *random)
        };
        let ours = match seal(ours, &wanted, None)? {
            Ok(ours) => ours,
            Err(conflict) => return Ok(Merged::Apart(Vec::from([conflict]))),
        };
        if conflicts.is_empty() {
            return Ok(Merged::Clean(Box::new(ours.sealed().clone())));
        }
        let (wanted, _) = tree::merged(self, Preference::Theirs)?;
        let Some(theirs) = text::put_together(self, Preference::Theirs, &wanted) else {
            return Ok(apart(conflicts));
        };
        let theirs = match seal(theirs, &wanted, Some(&ours))? {
            Ok(theirs) => theirs,
            Err(conflict) => {
                conflicts.push(conflict);
                return Ok(Merged::Apart(conflicts));
            }
        };
        Ok(Merged::Conflicting(Box::new(Conflicting {
            ours: ours.sealed().clone(),
            theirs: theirs.sealed().clone(),
            conflicts,
        })))
    }

    /// A side that is not sealed though it was: what the other keeps secret would stand in clear.
    fn unsealed(&self) -> Option<Conflict> {
        let act = |side: Version<'_>| match side {
            Version::Plain(_) => Act::Removed,
            Version::Sealed(_) => Act::Kept,
        };
        let was = self.base.is_some_and(|base| base.opened().is_some());
        let is = self.ours.opened().is_some() && self.theirs.opened().is_some();
        let nowhere = self.ours.opened().is_none() && self.theirs.opened().is_none();
        (was && !is || nowhere).then(|| Conflict {
            document: 0,
            subject: Subject::Block("".to_owned()),
            ours: act(self.ours),
            theirs: act(self.theirs),
        })
    }

    /// A side that is what the merge comes to, in text and block.
    fn side_like(&self, merged: &Document<Plain>, rules: &block::Rules) -> Option<&Opened> {
        let key = rules.home(self).map(Opened::data_key);
        let sides = [self.ours.opened(), self.theirs.opened()];
        sides.into_iter().flatten().find(|side| {
            side.plain().text() == merged.text()
                && text::same_values(side.plain(), merged)
                && rules.are_those_of(side)
                && key == Some(side.data_key())
        })
    }

    /// Seals a merged text; the conflict that keeps it from being one.
    fn sealed(
        &self,
        mut plain: Document<Plain>,
        wanted: &[Node],
        block: &block::Block<'_>,
        before: Option<&Opened>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Result<Opened, Conflict>, Error> {
        let sides = [before, self.ours.opened(), self.theirs.opened()];
        let known = values::kept(&sides, &block.data_key, &mut plain);
        let home = block
            .home
            .rewritten(block.data_key.clone(), block.metadata.clone(), known);
        let sealed = match home.reseal_as_before(&plain, now, random) {
            Ok(sealed) => sealed,
            Err(error @ (Error::Bug(_) | Error::RandomFailed)) => return Err(error),
            // Together the sides make a text that cannot be sealed.
            Err(error) => return Ok(Err(Conflict::whole(Some(&error)))),
        };
        if let Some(conflict) = values::comes_clear(self, &sealed) {
            return Ok(Err(conflict));
        }
        let opened = sealed.open(&block.data_key)?;
        if !text::says(opened.plain(), wanted) {
            return Err(Error::bug(
                "the merged text says something else when it is opened",
            ));
        }
        Ok(Ok(opened))
    }
}

fn apart(mut conflicts: Vec<Conflict>) -> Merged {
    conflicts.push(Conflict::whole(None));
    Merged::Apart(conflicts)
}

impl Opened {
    /// The document with a MAC for what stands in it, which a merge by hand has made of sealed values: nothing else
    /// changes. One whose MAC is right comes back as it is.
    ///
    /// # Errors
    /// As for sealing.
    ///
    /// # Security
    /// Opened without a look at the MAC, the document is only as good as its source.
    pub fn with_mac(
        &self,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Document<Encrypted>, Error> {
        if self.sealed().open(self.data_key()).is_ok() {
            return Ok(self.sealed().clone());
        }
        let home = self.rewritten(
            self.data_key().clone(),
            self.metadata().clone(),
            values::all(self),
        );
        home.reseal_as_before(self.plain(), now, random)
    }
}

#[cfg(test)]
mod tests;
