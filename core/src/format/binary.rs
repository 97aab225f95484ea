//! Binary: any bytes as one value, which stands in JSON when it is sealed.

use crate::tree::{Entry, Node};

/// What the sealed value is put into.
pub(crate) const FRAME: &str = "{\n\t\"data\": \"\"\n}\n";

/// The block without the rule: a binary file has none.
pub(crate) fn without_rule(block: &Node) -> Node {
    let is_rule = |entry: &Entry| match entry {
        Entry::Item { key: Some(key), .. } => {
            crate::selector::Selector::of_field(key, "a").is_some()
        }
        _ => false,
    };
    let entries = block.entries().iter().filter(|entry| !is_rule(entry));
    Node::Mapping(entries.cloned().collect())
}
