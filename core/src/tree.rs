//! A document as a tree: for conversion between formats, for taking out a part, and for proving that two texts say the
//! same. Editing never goes through it, see [`crate::document`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::format::parts::{Collection, Comment, Item};
use crate::path::{Path, Segment};
use crate::value::Value;

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A value.
    Leaf(Value),
    /// Entries without keys.
    List(Vec<Entry>),
    /// Entries with keys, in order; a key may stand twice.
    Mapping(Vec<Entry>),
}

/// One thing in a list or mapping.
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// A comment: what follows its mark, leading blank included. It may be secret, as a value may.
    Comment(Zeroizing<alloc::string::String>),
    /// A value or collection.
    Item {
        /// `None` in a list.
        key: Option<Arc<str>>,
        /// What it is.
        node: Node,
    },
}

impl core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Comment(_) => f.write_str("Comment(redacted)"),
            Self::Item { key, node } => f.debug_tuple("Item").field(key).field(node).finish(),
        }
    }
}

/// An open collection while a tree is built.
struct Branch<'a> {
    path: &'a Path,
    is_list: bool,
    entries: Vec<Part>,
    /// Comments that stand before the collection and belong into it are told by its path.
    parent: usize,
}

enum Part {
    Comment(Zeroizing<alloc::string::String>),
    /// A key and a value.
    Leaf(Option<Arc<str>>, Value),
    /// A key and the number of a branch.
    Branch(Option<Arc<str>>, usize),
}

/// Puts the parts of one document together. `text` is what they stand in; `items` and `collections` are in file order.
pub(crate) fn build<'a>(
    text: &str,
    items: impl Iterator<Item = &'a Item>,
    collections: impl Iterator<Item = &'a Collection>,
) -> Node {
    let mut builder = Builder::default();
    let mut collections = collections.peekable();
    let mut items = items.peekable();
    loop {
        let before = match (collections.peek(), items.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(collection), Some(item)) => collection.start <= item.start(),
        };
        if before {
            if let Some(collection) = collections.next() {
                builder.open(collection);
            }
        } else {
            match items.next() {
                Some(Item::Comment(comment)) => builder.comment(text, comment),
                Some(Item::Scalar(scalar)) => {
                    builder.leaf(&scalar.path, scalar.value.clone());
                    if scalar.span.is_empty() {
                        builder.null = scalar.span.start;
                    }
                }
                None => {}
            }
        }
    }
    builder.finish()
}

#[derive(Default)]
struct Builder<'a> {
    branches: Vec<Branch<'a>>,
    /// The innermost branch that is open.
    open: usize,
    /// Comments whose collection has not begun yet.
    waiting: Vec<&'a Comment>,
    /// Where the last value without extent stands: at the `:` of its key.
    null: usize,
}

impl<'a> Builder<'a> {
    fn open(&mut self, collection: &'a Collection) {
        let number = self.branches.len();
        let depth = collection.path.segments().len();
        let parent = self.parent(depth);
        if number > 0
            && let Some(parent) = self.branches.get_mut(parent)
        {
            parent
                .entries
                .push(Part::Branch(key_of(&collection.path), number));
        }
        self.branches.push(Branch {
            path: &collection.path,
            is_list: collection.items.is_some(),
            entries: Vec::new(),
            parent,
        });
        self.open = number;
        let (here, later) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|comment| comment.path == collection.path);
        self.waiting = later;
        for comment in here {
            self.put(number, text_of(comment), false);
        }
    }

    fn leaf(&mut self, path: &Path, value: Value) {
        let parent = self.parent(path.segments().len());
        if let Some(branch) = self.branches.get_mut(parent) {
            branch.entries.push(Part::Leaf(key_of(path), value));
        }
    }

    /// A comment belongs where its path says; one behind something on its line goes before that.
    fn comment(&mut self, text: &str, comment: &'a Comment) {
        let before = text.get(..comment.span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let line = line.trim_matches([' ', '\t', '-', '\u{feff}']);
        // Behind a key alone, what the key is for comes later, unless that is nothing.
        let comes_later = line.ends_with(':') && self.null + 1 < before.trim_end().len();
        let inline = !line.is_empty() && !comes_later;
        let mut at = self.open;
        while let Some(branch) = self.branches.get(at) {
            if *branch.path == comment.path {
                self.put(at, text_of(comment), inline);
                return;
            }
            if branch.parent == at {
                break;
            }
            at = branch.parent;
        }
        self.waiting.push(comment);
    }

    fn put(&mut self, branch: usize, text: Zeroizing<alloc::string::String>, before_last: bool) {
        if let Some(branch) = self.branches.get_mut(branch) {
            let end = branch.entries.len();
            let at = end.saturating_sub(usize::from(before_last));
            branch.entries.insert(at, Part::Comment(text));
        }
    }

    /// The innermost open branch that something with so many steps in its path can stand in.
    fn parent(&mut self, depth: usize) -> usize {
        while let Some(branch) = self.branches.get(self.open) {
            if branch.path.segments().len() < depth || branch.parent == self.open {
                break;
            }
            self.open = branch.parent;
        }
        self.open
    }

    fn finish(mut self) -> Node {
        // What belongs nowhere is kept at the top.
        for comment in core::mem::take(&mut self.waiting) {
            self.put(0, text_of(comment), false);
        }
        let mut done: Vec<Option<Node>> = Vec::new();
        done.resize_with(self.branches.len(), || None);
        // Children have higher numbers than their parents.
        while let Some(branch) = self.branches.pop() {
            let entries = branch.entries.into_iter().map(|part| match part {
                Part::Comment(text) => Entry::Comment(text),
                Part::Leaf(key, value) => Entry::Item {
                    key,
                    node: Node::Leaf(value),
                },
                Part::Branch(key, number) => Entry::Item {
                    key,
                    node: done
                        .get_mut(number)
                        .and_then(Option::take)
                        .unwrap_or(Node::Mapping(Vec::new())),
                },
            });
            let entries = entries.collect();
            if let Some(place) = done.get_mut(self.branches.len()) {
                *place = Some(if branch.is_list {
                    Node::List(entries)
                } else {
                    Node::Mapping(entries)
                });
            }
        }
        let top = done.into_iter().next().flatten();
        top.unwrap_or(Node::Mapping(Vec::new()))
    }
}

fn text_of(comment: &Comment) -> Zeroizing<alloc::string::String> {
    Zeroizing::new(comment.text.clone())
}

fn key_of(path: &Path) -> Option<Arc<str>> {
    match path.segments().last() {
        Some(Segment::Key(key)) => Some(key.clone()),
        _ => None,
    }
}
