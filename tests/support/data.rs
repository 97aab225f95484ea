//! What documents say, apart from how they are written.

use stackseal_core::tree::{Entry, Node};

/// A tree of keys and values alone.
pub fn without_comments(node: &Node) -> Node {
    let entries = |entries: &[Entry]| -> Vec<Entry> {
        let items = entries.iter().filter_map(|entry| match entry {
            Entry::Comment(_) => None,
            Entry::Item { key, node } => Some(Entry::Item {
                key: key.clone(),
                node: without_comments(node),
            }),
        });
        items.collect()
    };
    match node {
        Node::Leaf(value) => Node::Leaf(value.clone()),
        Node::List(list) => Node::List(entries(list)),
        Node::Mapping(mapping) => Node::Mapping(entries(mapping)),
    }
}
