//! What a merge shall say: the trees of three versions, merged by path. Comments are left to the text.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Range;

use sha2::{Digest as _, Sha256};

use super::{Act, Conflict, Preference, Subject, Versions};
use crate::error::Error;
use crate::path::{Path, Segment};
use crate::sequence::{self, Piece};
use crate::text::Text;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// The merged documents, and where the sides contradict each other.
///
/// # Errors
/// `limit-exceeded`, `alias-in-sealed-document`.
pub(super) fn merged(
    versions: &Versions<'_>,
    preference: Preference,
) -> Result<(Vec<Node>, Vec<Conflict>), Error> {
    let base = match versions.base {
        Some(base) => base.plain().trees()?,
        None => Vec::new(),
    };
    let (ours, theirs) = (
        versions.ours.plain().trees()?,
        versions.theirs.plain().trees()?,
    );
    let mut merge = Merge {
        preference,
        document: 0,
        conflicts: Vec::new(),
    };
    let mut documents = Vec::new();
    let in_their_places = |side: &[Node]| {
        let refer = |nodes: &'_ [Node]| nodes.iter().map(told).collect::<Vec<_>>();
        stay(
            &base.iter().collect::<Vec<_>>(),
            &side.iter().collect::<Vec<_>>(),
            &refer(&base),
            &refer(side),
        )
    };
    if ours.len() == theirs.len()
        && (base.is_empty()
            || base.len() == ours.len() && in_their_places(&ours) && in_their_places(&theirs))
    {
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            merge.document = at;
            documents.extend(merge.node(&Path::top(), base.get(at), Some(ours), Some(theirs)));
        }
    } else {
        let [base, ours, theirs] =
            [&base, &ours, &theirs].map(|nodes| nodes.iter().collect::<Vec<_>>());
        let merged = merge.list(&Path::top(), &base, &ours, &theirs);
        documents.extend(merged);
    }
    Ok((documents, merge.conflicts))
}

/// Whether items that stand at the same place in both may be the same: none is another's earlier self, and none has
/// another name than what stood there. What is not sure is a conflict, since a value would come to another owner.
fn stay<T: Ord>(base: &[&Node], side: &[&Node], told_base: &[T], told_side: &[T]) -> bool {
    let earlier: BTreeSet<&T> = told_base.iter().collect();
    let mut pairs = told_base.iter().zip(told_side);
    let mut nodes = base.iter().zip(side);
    pairs.all(|(was, is)| was == is || !earlier.contains(is))
        && nodes.all(|(was, is)| {
            NAMES
                .into_iter()
                .all(|name| match (value_at(was, name), value_at(is, name)) {
                    (Some(was), Some(is)) => alike(was, is),
                    _ => true,
                })
        })
}

fn stay_within<T: Ord>(
    (base, told_base): (&[&Node], &[T]),
    was: &Range<usize>,
    (side, told_side): (&[&Node], &[T]),
    is: &Range<usize>,
) -> bool {
    let parts = (
        base.get(was.clone()),
        side.get(is.clone()),
        told_base.get(was.clone()),
        told_side.get(is.clone()),
    );
    match parts {
        (Some(base), Some(side), Some(told_base), Some(told_side)) => {
            stay(base, side, told_base, told_side)
        }
        _ => false,
    }
}

/// What things in lists are usually told apart by.
const NAMES: [&[&str]; 7] = [
    &["apiVersion"],
    &["id"],
    &["key"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["name"],
];

fn value_at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(node, |node, key| node.get(key))?
        .value()
}

struct Merge {
    preference: Preference,
    document: usize,
    conflicts: Vec<Conflict>,
}

impl Merge {
    /// What shall stand at a path; `None` for nothing. The depth is bounded by the limits of the documents.
    fn node(
        &mut self,
        path: &Path,
        base: Option<&Node>,
        ours: Option<&Node>,
        theirs: Option<&Node>,
    ) -> Option<Node> {
        if same(ours, theirs) || same(base, theirs) {
            return ours.map(bare);
        }
        if same(base, ours) {
            return theirs.map(bare);
        }
        match (ours, theirs) {
            (Some(Node::Mapping(_)), Some(Node::Mapping(_))) => {
                let base = base.filter(|base| matches!(base, Node::Mapping(_)));
                Some(self.mapping(path, base, ours, theirs))
            }
            (Some(Node::List(_)), Some(Node::List(_))) => {
                let base = base.filter(|base| matches!(base, Node::List(_)));
                let merged = self.list(path, &items(base), &items(ours), &items(theirs));
                let item = |node| Entry::Item { key: None, node };
                Some(Node::List(merged.into_iter().map(item).collect()))
            }
            _ => {
                self.conflict(path, act(base, ours), act(base, theirs));
                match self.preference {
                    Preference::Ours => ours.map(bare),
                    Preference::Theirs => theirs.map(bare),
                }
            }
        }
    }

    /// Key by key: our keys in our order, then theirs.
    fn mapping(
        &mut self,
        path: &Path,
        base: Option<&Node>,
        ours: Option<&Node>,
        theirs: Option<&Node>,
    ) -> Node {
        let (base, ours, theirs) = (Keys::of(base), Keys::of(ours), Keys::of(theirs));
        let theirs_alone = theirs
            .in_order
            .iter()
            .filter(|key| !ours.by_key.contains_key(*key));
        let mut entries = Vec::new();
        for key in ours.in_order.iter().chain(theirs_alone) {
            let below = path.child(Segment::Key(key.0.clone()));
            let node = self.node(&below, base.get(key), ours.get(key), theirs.get(key));
            entries.extend(node.map(|node| Entry::Item {
                key: Some(key.0.clone()),
                node,
            }));
        }
        Node::Mapping(entries)
    }

    /// As lines are merged; where both sides changed a stretch and each has as many items there as there were, none of
    /// which looks moved, item by item.
    fn list(&mut self, path: &Path, base: &[&Node], ours: &[&Node], theirs: &[&Node]) -> Vec<Node> {
        let told = |nodes: &[&Node]| nodes.iter().map(|node| told(node)).collect::<Vec<_>>();
        let (told_base, told_ours, told_theirs) = (told(base), told(ours), told(theirs));
        let numbers = sequence::numbered(&[&told_base, &told_ours, &told_theirs]);
        let [in_base, in_ours, in_theirs] = numbers.as_slice() else {
            return Vec::new();
        };
        let mut merged = Vec::new();
        let mut told_of = false;
        for piece in sequence::three_way(in_base, in_ours, in_theirs) {
            let (from, range) = match piece {
                Piece::Base(range) => (base, range),
                Piece::Ours(range) => (ours, range),
                Piece::Theirs(range) => (theirs, range),
                Piece::Both {
                    base: was,
                    ours: one,
                    theirs: other,
                } if was.len() == one.len()
                    && was.len() == other.len()
                    && stay_within((base, in_base), &was, (ours, in_ours), &one)
                    && stay_within((base, in_base), &was, (theirs, in_theirs), &other) =>
                {
                    for ((was, one), other) in was.zip(one).zip(other) {
                        let below = path.child(Segment::Index(merged.len()));
                        let (was, mine) = (base.get(was).copied(), ours.get(one).copied());
                        merged.extend(self.node(&below, was, mine, theirs.get(other).copied()));
                    }
                    continue;
                }
                Piece::Both {
                    ours: one,
                    theirs: other,
                    ..
                } => {
                    if !core::mem::replace(&mut told_of, true) {
                        self.conflict(path, Act::Changed, Act::Changed);
                    }
                    match self.preference {
                        Preference::Ours => (ours, one),
                        Preference::Theirs => (theirs, other),
                    }
                }
            };
            merged.extend(
                from.get(range)
                    .unwrap_or_default()
                    .iter()
                    .map(|node| bare(node)),
            );
        }
        merged
    }

    fn conflict(&mut self, path: &Path, ours: Act, theirs: Act) {
        let conflict = Conflict {
            document: self.document,
            subject: Subject::Value(path.to_owned()),
            ours,
            theirs,
        };
        self.conflicts.push(conflict);
    }
}

/// A key and how many of the same stand before it: dotenv and INI take a key more than once.
type Key = (Text, usize);

#[derive(Default)]
struct Keys<'a> {
    in_order: Vec<Key>,
    by_key: BTreeMap<Key, &'a Node>,
}

impl<'a> Keys<'a> {
    fn of(node: Option<&'a Node>) -> Self {
        let mut keys = Self::default();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, node) in node.into_iter().flat_map(Node::items) {
            let key = key.unwrap_or_default();
            let count = counts.entry(key).or_default();
            let numbered = (Text::from(key), *count);
            *count += 1;
            keys.in_order.push(numbered.clone());
            keys.by_key.insert(numbered, node);
        }
        keys
    }

    fn get(&self, key: &Key) -> Option<&'a Node> {
        self.by_key.get(key).copied()
    }
}

fn items(node: Option<&Node>) -> Vec<&Node> {
    let items = node.into_iter().flat_map(Node::items);
    items.map(|(_, node)| node).collect()
}

fn act(base: Option<&Node>, side: Option<&Node>) -> Act {
    match (base, side) {
        (_, None) => Act::Removed,
        (None, Some(_)) => Act::Added,
        (Some(_), Some(_)) => Act::Changed,
    }
}

/// The node without its comments.
fn bare(node: &Node) -> Node {
    let entries = || {
        let items = node.entries().iter().filter_map(|entry| match entry {
            Entry::Comment(_) => None,
            Entry::Item { key, node } => Some(Entry::Item {
                key: key.clone(),
                node: bare(node),
            }),
        });
        items.collect()
    };
    match node {
        Node::Leaf(value) => Node::Leaf(value.clone()),
        Node::List(_) => Node::List(entries()),
        Node::Mapping(_) => Node::Mapping(entries()),
    }
}

fn same(one: Option<&Node>, other: Option<&Node>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => is_same(one, other),
        _ => false,
    }
}

/// Whether two nodes say the same, in whatever order their keys stand.
pub(super) fn is_same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::Leaf(one), Node::Leaf(other)) => alike(one, other),
        (Node::List(_), Node::List(_)) => {
            let (mut ones, mut others) = (one.items(), other.items());
            loop {
                match (ones.next(), others.next()) {
                    (None, None) => return true,
                    (Some((_, one)), Some((_, other))) if is_same(one, other) => {}
                    _ => return false,
                }
            }
        }
        (Node::Mapping(_), Node::Mapping(_)) => {
            let in_order = one.items().count() == other.items().count()
                && (one.items().zip(other.items())).all(|((key, _), (other, _))| key == other);
            if in_order {
                return (one.items().zip(other.items()))
                    .all(|((_, one), (_, other))| is_same(one, other));
            }
            let (ones, others) = (Keys::of(Some(one)), Keys::of(Some(other)));
            ones.by_key.len() == others.by_key.len()
                && (ones.by_key.iter())
                    .all(|(key, node)| others.get(key).is_some_and(|other| is_same(node, other)))
        }
        _ => false,
    }
}

/// A number without a fraction may be of either type: `1` may have been sealed as a float.
pub(super) fn alike(one: &Value, other: &Value) -> bool {
    let is_number = |value: &Value| matches!(value, Value::Float(_) | Value::Integer(_));
    one == other || is_number(one) && is_number(other) && *one.plaintext() == *other.plaintext()
}

/// The same digest for nodes that say the same.
fn told(node: &Node) -> [u8; 32] {
    let mut hash = Sha256::new();
    tell(node, &mut hash);
    hash.finalize().into()
}

fn tell(node: &Node, hash: &mut Sha256) {
    let text = |mark: u8, text: &[u8], hash: &mut Sha256| {
        hash.update([mark]);
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    match node {
        Node::Leaf(value) => {
            let mark = match value {
                Value::Null => b'0',
                Value::Float(_) | Value::Integer(_) => b'n',
                Value::Boolean(_) => b'b',
                Value::Time(_) => b't',
                Value::Bytes(_) | Value::String(_) => b's',
            };
            text(mark, &value.plaintext(), hash);
        }
        Node::List(_) => {
            hash.update(b"[");
            node.items().for_each(|(_, node)| tell(node, hash));
            hash.update(b"]");
        }
        Node::Mapping(_) => {
            hash.update(b"{");
            for (key, node) in Keys::of(Some(node)).by_key {
                text(b'k', key.0.as_bytes(), hash);
                tell(node, hash);
            }
            hash.update(b"}");
        }
    }
}
