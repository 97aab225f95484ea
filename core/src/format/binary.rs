//! Binary: any bytes as one value, which stands in JSON when it is sealed.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::tree::{Entry, Node};

/// What the sealed value is put into, indented by so many columns or by a tab.
pub(crate) fn frame(columns: Option<usize>) -> String {
    let indent = columns.map_or_else(|| "\t".to_owned(), |columns| " ".repeat(columns));
    alloc::format!("{{\n{indent}\"data\": \"\"\n}}\n")
}

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
