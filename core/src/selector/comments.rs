//! Rules that go by comments: what a comment governs, and so which leaves and comments are encrypted.
//!
//! A comment governs what follows it in its collection up to the next entry, and everything below that. The comment
//! itself counts when `unencrypted_comment_regex` asks about it, not when `encrypted_comment_regex` does, so that the
//! mark stays readable in both (SOPS 3.11, `sops.go`).

use alloc::vec;
use alloc::vec::Vec;

use super::{Pattern, Selector};
use crate::format::parts::Item;
use crate::tree::arrange::{Arranged, Part};

/// For each item of the document, in its order, whether the rule selects it.
pub(crate) fn selection(selector: &Selector, document: &Arranged<'_>) -> Vec<bool> {
    let (pattern, includes_itself) = match selector {
        Selector::EncryptedCommentRegex(pattern) => (pattern, false),
        Selector::UnencryptedCommentRegex(pattern) => (pattern, true),
        _ => return Vec::new(),
    };
    let mut pass = Pass {
        document,
        pattern,
        includes_itself,
        selected: vec![false; document.items.len()],
    };
    pass.all();
    pass.selected
}

struct Pass<'a> {
    document: &'a Arranged<'a>,
    pattern: &'a Pattern,
    includes_itself: bool,
    selected: Vec<bool>,
}

impl Pass<'_> {
    /// Parents have lower numbers than their children, so one walk over all branches does.
    fn all(&mut self) {
        let branches = &self.document.branches;
        let mut governed = vec![false; branches.len()];
        for (number, branch) in branches.iter().enumerate() {
            let from_above = governed.get(number).copied().unwrap_or_default();
            let mut pending = false;
            // The first comment that made it so.
            let mut mark = 0;
            for part in &branch.parts {
                match part {
                    Part::Branch(below) => {
                        if let Some(below) = governed.get_mut(*below) {
                            *below = from_above || pending;
                        }
                        pending = false;
                    }
                    Part::Comment(item) => {
                        let before = from_above || pending;
                        if !pending && self.matches(*item) {
                            pending = true;
                            mark = *item;
                        }
                        let hit = before || (self.includes_itself && pending);
                        self.set(*item, hit);
                    }
                    Part::Alias(_) => pending = false,
                    // It governs nothing, as nobody reads it there, and has no place but that in the text.
                    Part::Dropped(item) => {
                        self.set(*item, from_above || pending && mark < *item);
                    }
                    Part::Leaf(item) => {
                        self.set(*item, from_above || pending);
                        pending = false;
                    }
                }
            }
        }
    }

    fn matches(&self, item: usize) -> bool {
        match self.document.items.get(item) {
            Some(Item::Comment(comment)) => self.pattern.is_match(&comment.text),
            _ => false,
        }
    }

    fn set(&mut self, item: usize, governed: bool) {
        if let Some(selected) = self.selected.get_mut(item) {
            *selected = governed != self.includes_itself;
        }
    }
}
