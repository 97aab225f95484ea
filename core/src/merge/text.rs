//! The text that says what a merge shall say: the lines of both sides put together as Git does, and where their changes
//! overlap, the lines of one side with the other's values set in them.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::tree::is_same;
use super::{Act, Conflict, Preference, Subject, Version, Versions};
use crate::convert::{self, Indentation};
use crate::document::{Document, Plain};
use crate::edit;
use crate::format::Format;
use crate::path::{Path, Segment};
use crate::sequence::{self, Piece};
use crate::tree::Node;
use crate::tree::at::TreePath;

/// A text that says what is wanted; `None` when none is found.
pub(super) fn put_together(
    versions: &Versions<'_>,
    preference: Preference,
    wanted: &[Node],
) -> Option<Document<Plain>> {
    let sides = match preference {
        Preference::Ours => [versions.ours.plain(), versions.theirs.plain()],
        Preference::Theirs => [versions.theirs.plain(), versions.ours.plain()],
    };
    let like = versions.ours.plain();
    if like.format() == Format::Binary {
        // There is one value, and it is a side's.
        let side = sides.into_iter().find(|side| says(side, wanted));
        return side.cloned();
    }
    let lines = lines(versions, preference);
    let parse = |text: &str| {
        let document =
            Document::<Plain>::parse_as(like.format(), text.as_bytes(), like.limits()).ok()?;
        Some(document.with_integers_of(sides).unwrap_or(document))
    };
    let merged = parse(&lines);
    let starts = merged.as_ref().into_iter().chain(sides);
    for start in starts {
        if says(start, wanted) {
            return Some(start.clone());
        }
        if let Some(text) = with_changes(start, wanted)
            && let Some(document) = parse(&text)
            && says(&document, wanted)
        {
            return Some(document);
        }
    }
    let bytes = convert::written(wanted, like.format(), Indentation::default()).ok()?;
    let document = parse(core::str::from_utf8(&bytes).ok()?)?;
    says(&document, wanted).then_some(document)
}

/// The lines of both sides; of those that both changed, the preferred side's.
fn lines(versions: &Versions<'_>, preference: Preference) -> Zeroizing<String> {
    let base = versions.base.map_or("", |base| base.plain().text());
    let texts = [
        base,
        versions.ours.plain().text(),
        versions.theirs.plain().text(),
    ];
    let [base, ours, theirs] = texts.map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut text = Zeroizing::new(String::new());
    // Room for all, so that no part of it is left behind where it grows.
    text.reserve(texts.iter().map(|text| text.len() + 2).sum());
    let numbers = sequence::numbered(&[&base, &ours, &theirs]);
    let [in_base, in_ours, in_theirs] = numbers.as_slice() else {
        return text;
    };
    let mut put = |lines: Option<&[&str]>| {
        for line in lines.unwrap_or_default() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(line);
        }
    };
    for piece in sequence::three_way(in_base, in_ours, in_theirs) {
        match piece {
            Piece::Base(range) => put(base.get(range)),
            Piece::Ours(range) => put(ours.get(range)),
            Piece::Theirs(range) => put(theirs.get(range)),
            // Both put something in where nothing stood.
            Piece::Both {
                base: was,
                ours: one,
                theirs: other,
            } if was.is_empty() => {
                put(ours.get(one));
                put(theirs.get(other));
            }
            Piece::Both {
                ours: one,
                theirs: other,
                ..
            } => match preference {
                Preference::Ours => put(ours.get(one)),
                Preference::Theirs => put(theirs.get(other)),
            },
        }
    }
    text
}

/// Whether a document says what is wanted; comments aside.
pub(super) fn says(document: &Document<Plain>, wanted: &[Node]) -> bool {
    document.trees().is_ok_and(|trees| {
        trees.len() == wanted.len()
            && trees
                .iter()
                .zip(wanted)
                .all(|(one, other)| is_same(one, other))
    })
}

/// Whether two documents of the same text hold the same values: of a binary file the text does not tell.
pub(super) fn same_values(one: &Document<Plain>, other: &Document<Plain>) -> bool {
    other.trees().is_ok_and(|trees| says(one, &trees))
}

/// The text of a document with what differs from the wanted put in, place by place.
fn with_changes(document: &Document<Plain>, wanted: &[Node]) -> Option<Zeroizing<String>> {
    let trees = document.trees().ok()?;
    if trees.len() != wanted.len() {
        return None;
    }
    let mut changed = Zeroizing::new(String::with_capacity(document.text().len()));
    let mut from = 0;
    for (at, (tree, wanted)) in trees.iter().zip(wanted).enumerate() {
        let is_last = at + 1 == trees.len();
        let end = match document.roots().get(at) {
            Some(root) if !is_last => root.end,
            _ => document.text().len(),
        };
        let part = document.text().get(from..end)?;
        from = end;
        let mut changes = Vec::new();
        differences(tree, wanted, &mut Vec::new(), &mut changes)?;
        if changes.len().saturating_mul(part.len()) > MOST_WORK {
            return None;
        }
        let mut text = Zeroizing::new(part.to_owned());
        for (steps, value) in changes {
            let plain =
                Document::<Plain>::parse_as(document.format(), text.as_bytes(), document.limits());
            let plain = plain.ok()?;
            if plain.roots().len() > 1 {
                return None;
            }
            let path = TreePath::of_steps(steps);
            text = match value {
                Some(value) => edit::set(&plain, &path, value).ok()?.text,
                None => edit::unset(&plain, &path).ok()?.text,
            };
        }
        changed.push_str(&text);
    }
    Some(changed)
}

/// Each change reads the text again: so many bytes are read at most.
const MOST_WORK: usize = 1 << 28;

/// What to set, and what to take away, so that a node says what is wanted; `None` where that cannot be told by paths.
fn differences<'a>(
    node: &Node,
    wanted: &'a Node,
    path: &mut Vec<Segment>,
    changes: &mut Vec<(Vec<Segment>, Option<&'a Node>)>,
) -> Option<()> {
    match (node, wanted) {
        _ if is_same(node, wanted) => {}
        (Node::Mapping(_), Node::Mapping(_)) => {
            let (is, shall) = (keys(node)?, keys(wanted)?);
            for (key, shall) in wanted.items() {
                let key = key.unwrap_or_default();
                path.push(Segment::Key(key.into()));
                match is.get(key) {
                    Some(is) => differences(is, shall, path, changes)?,
                    None => changes.push((path.clone(), Some(shall))),
                }
                path.pop();
            }
            for (key, _) in node.items() {
                let key = key.unwrap_or_default();
                if !shall.contains_key(key) {
                    let mut gone = path.clone();
                    gone.push(Segment::Key(key.into()));
                    changes.push((gone, None));
                }
            }
        }
        (Node::List(_), Node::List(_)) if node.items().count() == wanted.items().count() => {
            for (at, ((_, is), (_, shall))) in node.items().zip(wanted.items()).enumerate() {
                path.push(Segment::Index(at));
                differences(is, shall, path, changes)?;
                path.pop();
            }
        }
        _ if path.is_empty() => return None,
        _ => changes.push((path.clone(), Some(wanted))),
    }
    Some(())
}

/// What stands at each key; `None` when a key stands twice.
fn keys(node: &Node) -> Option<BTreeMap<&str, &Node>> {
    let mut keys = BTreeMap::new();
    for (key, node) in node.items() {
        if keys.insert(key.unwrap_or_default(), node).is_some() {
            return None;
        }
    }
    Some(keys)
}

/// Comments that a side added or took away, and that the merged text does not have so.
pub(super) fn lost_comments(versions: &Versions<'_>, merged: &Document<Plain>) -> Vec<Conflict> {
    #[derive(Default)]
    struct Count<'a> {
        base: usize,
        ours: usize,
        theirs: usize,
        merged: usize,
        place: Option<(usize, &'a Path)>,
    }
    let mut counts: BTreeMap<&str, Count<'_>> = BTreeMap::new();
    let base = versions.base.map(Version::plain);
    type Add = fn(&mut Count<'_>);
    let documents: [(_, Add); 4] = [
        (base, |count| count.base += 1),
        (Some(versions.ours.plain()), |count| count.ours += 1),
        (Some(versions.theirs.plain()), |count| count.theirs += 1),
        (Some(merged), |count| count.merged += 1),
    ];
    for (document, add) in documents {
        for (at, comment) in document.into_iter().flat_map(Document::comments) {
            let count = counts.entry(comment.text.as_str()).or_default();
            count.place = Some((at, &comment.path));
            add(count);
        }
    }
    let mut lost: Vec<Conflict> = Vec::new();
    for (_, count) in counts {
        let shall = (count.ours + count.theirs).saturating_sub(count.base);
        let alike = count.ours == count.theirs && count.merged == count.ours;
        if count.merged == shall || alike {
            continue;
        }
        let act = |side: usize| match side.cmp(&count.base) {
            core::cmp::Ordering::Less => Act::Removed,
            core::cmp::Ordering::Equal => Act::Kept,
            core::cmp::Ordering::Greater => Act::Added,
        };
        let (document, path) = count.place.unwrap_or((0, &TOP));
        let conflict = Conflict {
            document,
            subject: Subject::Comment(path.clone()),
            ours: act(count.ours),
            theirs: act(count.theirs),
        };
        if !lost.contains(&conflict) {
            lost.push(conflict);
        }
    }
    lost
}

static TOP: Path = Path::top();
