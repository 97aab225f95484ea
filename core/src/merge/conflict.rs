//! What two sides of a merge contradict each other in, in words that hold no value.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString};
use core::fmt;

use crate::error::Error;
use crate::path::Path;

/// What a side did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It was not there before.
    Added,
    /// It is another than before.
    Changed,
    /// It is as it was.
    Kept,
    /// It is there no more.
    Removed,
}

/// What the sides contradict each other in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the `sops` block; the empty name is the block itself.
    Block(String),
    /// A value that is sealed on a side, and would stand in clear by the rule of the other.
    Clear(Path),
    /// A comment; the path is that of what it belongs to.
    Comment(Path),
    /// Somebody who shall be able to open the result, and cannot be sealed to here.
    Recipient(String),
    /// The text as a whole; why, if that is known.
    Text(String),
    /// A value or collection.
    Value(Path),
}

/// A place in which two sides contradict each other, and what each did there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which of the text's documents, from 0.
    pub document: usize,
    /// The place.
    pub subject: Subject,
    /// What was done on our side.
    pub ours: Act,
    /// What was done on their side.
    pub theirs: Act,
}

impl Conflict {
    pub(super) fn whole(error: Option<&Error>) -> Self {
        Self {
            document: 0,
            subject: Subject::Text(error.map(ToString::to_string).unwrap_or_default()),
            ours: Act::Changed,
            theirs: Act::Changed,
        }
    }

    pub(super) fn recipient(name: &str) -> Self {
        Self {
            document: 0,
            subject: Subject::Recipient(name.to_owned()),
            ours: Act::Changed,
            theirs: Act::Changed,
        }
    }

    /// A field of the block that both sides changed.
    pub(super) fn block(field: &str, ours: Act, theirs: Act) -> Self {
        Self {
            document: 0,
            subject: Subject::Block(field.to_owned()),
            ours,
            theirs,
        }
    }
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Kept => "kept",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.document > 0 {
            write!(f, "document {}: ", self.document + 1)?;
        }
        let top = |path: &Path| path.depth() == 0;
        match &self.subject {
            Subject::Block(field) if field.is_empty() => {
                let side = match (self.ours, self.theirs) {
                    (Act::Removed, Act::Removed) => "neither side is sealed",
                    (Act::Removed, _) => "ours is not sealed",
                    (_, Act::Removed) => "theirs is not sealed",
                    _ => return f.write_str("sops: the two versions are not sealed alike"),
                };
                return write!(f, "{side} any more");
            }
            Subject::Block(field) => write!(f, "sops.{field}")?,
            Subject::Comment(path) if top(path) => f.write_str("a comment")?,
            Subject::Comment(path) => write!(f, "a comment in {path}")?,
            Subject::Clear(path) => {
                return write!(
                    f,
                    "{path}: it is sealed on one side, and the rule of the other would leave it in clear"
                );
            }
            Subject::Recipient(name) => {
                return write!(f, "sops: the data key cannot be wrapped to {name} here");
            }
            Subject::Text(why) if why.is_empty() => {
                return f.write_str("the text: the two versions cannot be put together");
            }
            Subject::Text(why) => {
                return write!(
                    f,
                    "the text: what both versions make together cannot be sealed: {why}"
                );
            }
            Subject::Value(path) if top(path) => f.write_str("the document")?,
            Subject::Value(path) => write!(f, "{path}")?,
        }
        if let Subject::Comment(_) = self.subject {
            // Each wording of a comment is one by itself.
            let (side, act) = match (self.ours, self.theirs) {
                (Act::Kept, act) => ("theirs", act),
                (act, Act::Kept) => ("ours", act),
                (act, _) => ("both sides", act),
            };
            return write!(
                f,
                ": {side} {} it where both changed the same lines",
                act.word()
            );
        }
        if self.ours == self.theirs {
            write!(f, ": both sides {} it, differently", self.ours.word())
        } else {
            let (ours, theirs) = (self.ours.word(), self.theirs.word());
            write!(f, ": ours {ours} it, theirs {theirs} it")
        }
    }
}
