//! Aliases that a change concerns, written out: where one value changes that several places stand for, the others must
//! get texts of their own.

use alloc::vec::Vec;

use super::brackets::Site;
use crate::document::splice;
use crate::format::parts::{Alias, Item, Root};
use crate::format::yaml::parse::parse_for_edit;
use crate::format::yaml::write::Caution;
use crate::limits::Limits;
use crate::path::Segment;
use crate::text::Text;
use crate::tree::at::TreePath;
use crate::tree::{Entry, Node};

/// The text in which those aliases of the first document stand for themselves that name what a path leads to, or a part
/// of it, or what it lies in; and those that it leads through. `None` where there are none, or no way is known.
pub(super) fn written_out(
    text: &Text,
    limits: &Limits,
    tree: &Node,
    path: &[Segment],
) -> Option<alloc::string::String> {
    let parsed = parse_for_edit(text, limits).ok()?;
    let root = parsed.documents.first()?;
    let mut edits = Vec::new();
    for alias in root.aliases.iter().filter(|it| concerns(root, it, path)) {
        let steps = alias.path.to_segments();
        let node = tree.at(&TreePath::of_steps(steps.clone())).ok()?;
        let site = Site::new(text, root, &steps, None);
        edits.extend(site.edits(Some(&without_comments(node)), Caution::Keep)?);
    }
    (!edits.is_empty()).then(|| splice(text, &edits))
}

fn concerns(root: &Root, alias: &Alias, path: &[Segment]) -> bool {
    if alias.path.depth() < path.len() && begins_with(path, &alias.path.to_segments()) {
        return true;
    }
    named(root, alias).is_some_and(|named| begins_with(&named, path) || begins_with(path, &named))
}

fn begins_with(steps: &[Segment], with: &[Segment]) -> bool {
    steps.get(..with.len()) == Some(with)
}

/// The steps to what an alias names.
fn named(root: &Root, alias: &Alias) -> Option<Vec<Segment>> {
    let mut anchors = root.anchors.iter();
    let (_, start) = anchors.find(|(number, _)| *number == alias.anchor)?;
    let mut collections = root.collections.iter();
    if let Some(collection) = collections.find(|it| it.start == *start) {
        return Some(collection.path.to_segments());
    }
    root.items.iter().find_map(|item| match item {
        Item::Scalar(scalar) if scalar.span.start() == *start => Some(scalar.path.to_segments()),
        _ => None,
    })
}

/// They stay where the value stood first. The depth is bounded by the limits of the document.
fn without_comments(node: &Node) -> Node {
    let entries = |entries: &[Entry]| -> Vec<Entry> {
        let items = entries.iter().filter_map(|entry| match entry {
            Entry::Item { key, node } => Some(Entry::Item {
                key: key.clone(),
                node: without_comments(node),
            }),
            Entry::Comment(_) => None,
        });
        items.collect()
    };
    match node {
        Node::Leaf(value) => Node::Leaf(value.clone()),
        Node::List(list) => Node::List(entries(list)),
        Node::Mapping(mapping) => Node::Mapping(entries(mapping)),
    }
}
