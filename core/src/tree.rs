//! A document as a tree: for conversion between formats, for taking out a part, and for proving that two texts say the
//! same. Editing never goes through it, see [`crate::document`].

use alloc::vec::Vec;

use crate::order;
use crate::path::Segment;
use crate::text::Text;
use crate::value::Value;

#[cfg(feature = "formats")]
pub(crate) mod arrange;
#[cfg(feature = "formats")]
pub mod at;

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
    Comment(Text),
    /// A value or collection.
    Item {
        /// `None` in a list.
        key: Option<Text>,
        /// What it is.
        node: Node,
    },
}

impl core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Comment(_) => f.write_str("Comment(redacted)"),
            Self::Item { key, node } => f
                .debug_tuple("Item")
                .field(&key.as_deref())
                .field(node)
                .finish(),
        }
    }
}

impl Node {
    /// The entries of a list or mapping.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Leaf(_) => &[],
            Self::List(entries) | Self::Mapping(entries) => entries,
        }
    }

    /// The value of a leaf.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Leaf(value) => Some(value),
            Self::List(_) | Self::Mapping(_) => None,
        }
    }

    /// The keys of a mapping with what stands there; of a list, what stands in it.
    pub fn items(&self) -> impl Iterator<Item = (Option<&str>, &Self)> {
        self.entries().iter().filter_map(|entry| match entry {
            Entry::Comment(_) => None,
            Entry::Item { key, node } => Some((key.as_deref(), node)),
        })
    }

    /// A mapping's first entry of that key.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.items()
            .find(|(key, _)| *key == Some(name))
            .map(|(_, node)| node)
    }

    /// Puts leaves together that are told by their paths, in whatever order they come.
    pub(crate) fn of_leaves<'a>(leaves: impl Iterator<Item = (&'a [Segment], &'a Value)>) -> Self {
        let leaves = order::Table::new(leaves.collect());
        let mut top = Vec::new();
        for (path, value) in leaves.entries() {
            place(&mut top, path, value);
        }
        Self::Mapping(top)
    }
}

/// Leaves come sorted, so that those of one collection follow each other.
fn place(entries: &mut Vec<Entry>, path: &[Segment], value: &Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let key = match first {
        Segment::Key(key) => Some(key.clone()),
        Segment::Index(_) => None,
    };
    let Some(next) = rest.first() else {
        let node = Node::Leaf(value.clone());
        entries.push(Entry::Item { key, node });
        return;
    };
    let goes_on = match (entries.last(), first) {
        (Some(Entry::Item { key: last, node }), Segment::Key(_)) => {
            *last == key && !matches!(node, Node::Leaf(_))
        }
        // An index that is not new names the last item.
        (Some(Entry::Item { node, .. }), Segment::Index(index)) => {
            entries.len() > *index && !matches!(node, Node::Leaf(_))
        }
        _ => false,
    };
    if !goes_on {
        let node = match next {
            Segment::Index(_) => Node::List(Vec::new()),
            Segment::Key(_) => Node::Mapping(Vec::new()),
        };
        entries.push(Entry::Item { key, node });
    }
    if let Some(Entry::Item { node, .. }) = entries.last_mut()
        && let Node::List(inner) | Node::Mapping(inner) = node
    {
        place(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn leaves_in_any_order_become_a_tree() {
        let path = |steps: &[&str]| -> Vec<Segment> {
            let step = |text: &&str| match text.parse() {
                Ok(index) => Segment::Index(index),
                Err(_) => Segment::Key((*text).into()),
            };
            steps.iter().map(step).collect()
        };
        let leaves = [
            (path(&["age", "1", "enc"]), Value::string("b")),
            (path(&["mac"]), Value::string("m")),
            (path(&["age", "0", "recipient"]), Value::string("r")),
            (path(&["age", "0", "enc"]), Value::string("a")),
        ];
        let node = Node::of_leaves(leaves.iter().map(|(path, value)| (path.as_slice(), value)));
        let age = node.get("age").unwrap();
        assert_eq!(age.items().count(), 2);
        let first = age.items().next().unwrap().1;
        assert_eq!(
            first.get("enc").and_then(Node::value).unwrap().as_str(),
            Some("a")
        );
        assert_eq!(
            node.get("mac").and_then(Node::value).unwrap().as_str(),
            Some("m")
        );
        assert!(!format!("{node:?}").contains("\"a\""));
    }
}
