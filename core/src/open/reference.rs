//! The layout of what the reference sealed, opened as the reference lays it out.
//!
//! It seals the comments of a list as items of it, in whose places they could stand as comments; but it writes some of
//! them elsewhere: above the dash of a list in a list, or behind the next value. A file that stands in its very layout is
//! written anew for that.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Edit, Pass};
use crate::document::{Document, Encrypted, Plain, splice};
use crate::format::Format;
use crate::format::emit;
use crate::format::yaml::block::{line_end, line_start};
use crate::order::Table;
use crate::text::Text;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// What a sealed text opens to.
enum Opened<'a> {
    Comment(&'a str),
    Value(&'a Value),
}

impl Document<Encrypted> {
    /// The opened document as the reference writes it; `None` where opening in place does the same, or the file is not of
    /// its making.
    pub(super) fn opened_by_reference(&self, pass: &mut Pass<'_>) -> Option<Document<Plain>> {
        let text = self.text_by_reference(pass)?;
        let plain = self.proved(text, &pass.intended).ok()?;
        if !has_comments_in_order(&plain, pass) {
            // Which is which cannot be told any more; they are sealed anew.
            pass.comments.clear();
        }
        Some(plain)
    }

    fn text_by_reference(&self, pass: &Pass<'_>) -> Option<Text> {
        let in_place = pass.comment_items.is_empty() || self.metadata().layout.is_some();
        if in_place || self.format() != Format::Yaml {
            return None;
        }
        let shapes = self.roots().iter().flat_map(|root| &root.shapes);
        let mut inside = shapes.filter(|shape| !shape.flow && shape.column > 0);
        let indent = inside.next()?.column;
        let sealed = self.trees().ok()?;
        // Comments may stand where the reference itself would not put them again.
        let bare: Vec<Node> = sealed.iter().map(without_comments).collect();
        if emit::yaml_as_reference(&bare, indent).ok()? != self.body_without_comments()? {
            return None;
        }
        let edits = pass.edits.iter().map(|(_, edit)| match edit {
            Edit::Comment(comment, text) => (comment.text.as_str(), Opened::Comment(text)),
            Edit::Item(scalar, text) => {
                let sealed = scalar.value.as_str().unwrap_or_default();
                (
                    sealed,
                    Opened::Comment(text.lines().next().unwrap_or_default()),
                )
            }
            Edit::Value(scalar, value) => {
                let sealed = scalar.value.as_str().unwrap_or_default();
                (sealed, Opened::Value(value))
            }
        });
        let opened = Table::new(edits.collect());
        let trees: Vec<Node> = sealed.iter().map(|tree| plain(tree, &opened)).collect();
        let text = emit::yaml_as_reference(&trees, indent).ok()?;
        Some(text.into())
    }
}

impl Document<Encrypted> {
    /// The text without block and comments; `None` when the reference would drop one.
    fn body_without_comments(&self) -> Option<String> {
        let mut edits = Vec::new();
        for (_, comment) in self.comments() {
            if comment.seat.is_none_or(|seat| seat.dropped) {
                return None;
            }
            let start = line_start(self.text(), comment.span.start());
            let end = (line_end(self.text(), comment.span.end()) + 1).min(self.text().len());
            let lead = self.text().get(start..comment.span.start())?;
            let rest = self.text().get(end..)?;
            let range = if lead.trim().is_empty() {
                start..end
            } else {
                comment.span.start()..end + rest.len() - rest.trim_start_matches(' ').len()
            };
            edits.push((range, String::new()));
        }
        for root in self.roots() {
            edits.extend(self.format().removal(self.text(), root)?);
        }
        Some(splice(self.text(), &edits))
    }
}

/// The depth is bounded by the limits of the document.
fn without_comments(node: &Node) -> Node {
    let entry = |entry: &Entry| match entry {
        Entry::Comment(_) => None,
        Entry::Item { key, node } => Some(Entry::Item {
            key: key.clone(),
            node: without_comments(node),
        }),
    };
    match node {
        Node::Leaf(_) => node.clone(),
        Node::List(entries) => Node::List(entries.iter().filter_map(entry).collect()),
        Node::Mapping(entries) => Node::Mapping(entries.iter().filter_map(entry).collect()),
    }
}

/// Whether each opened comment is the one of that number in the opened document.
fn has_comments_in_order(plain: &Document<Plain>, pass: &Pass<'_>) -> bool {
    let opened = pass.edits.iter().filter_map(|(_, edit)| match edit {
        Edit::Comment(_, text) | Edit::Item(_, text) => Some(first_line(text)),
        Edit::Value(..) => None,
    });
    let mut comments = plain.comments().enumerate();
    pass.comments.iter().zip(opened).all(|(place, text)| {
        let found = comments.find(|(at, _)| *at == place.number);
        found.is_some_and(|(_, (_, comment))| comment.text.as_str() == text)
    })
}

/// A list of comments alone is told in another line when it opens in place.
fn first_line(text: &Text) -> &str {
    text.lines().next().unwrap_or_default()
}

type Texts<'a> = Table<&'a str, Opened<'a>>;

/// The depth is bounded by the limits of the document.
fn plain(node: &Node, opened: &Texts<'_>) -> Node {
    let of = |text: &str| {
        let found = opened.get(|sealed| (*sealed).cmp(text));
        found.first().map(|(_, opened)| opened)
    };
    let entry = |entry: &Entry| match entry {
        Entry::Comment(text) => match of(text) {
            Some(Opened::Comment(text)) => Entry::Comment((*text).into()),
            _ => entry.clone(),
        },
        Entry::Item { key, node } => {
            let text = node.value().and_then(Value::as_str);
            match text.and_then(of) {
                Some(Opened::Comment(text)) => Entry::Comment((*text).into()),
                _ => Entry::Item {
                    key: key.clone(),
                    node: plain(node, opened),
                },
            }
        }
    };
    match node {
        Node::Leaf(value) => match value.as_str().and_then(of) {
            Some(Opened::Value(value)) => Node::Leaf((*value).clone()),
            _ => node.clone(),
        },
        Node::List(entries) => Node::List(entries.iter().map(entry).collect()),
        Node::Mapping(entries) => Node::Mapping(entries.iter().map(entry).collect()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::format;

    use super::*;
    use crate::cipher;
    use crate::limits::Limits;
    use crate::recipient::Identity;
    use crate::seal::Sealing;
    use crate::selector::Selector;
    use crate::timestamp::Timestamp;
    use crate::vectors;

    fn identity() -> Identity {
        Identity::generate(&mut vectors::repeatable(3)).unwrap()
    }

    fn plain(text: &str) -> Document<Plain> {
        Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn with_sealing<T>(act: impl FnOnce(Sealing<'_>) -> T) -> T {
        act(Sealing {
            recipients: &[identity().recipient()],
            selector: &Selector::default(),
            now: Timestamp::parse("2026-01-02T03:04:05Z").unwrap(),
            random: &mut vectors::repeatable(4),
        })
    }

    /// Seals a text and opens it with each value `COMMENT` turned into a comment, as the reference seals those of lists.
    fn reopened(text: &str) -> crate::open::Opened {
        let plain = plain(text);
        let sealed = with_sealing(|sealing| plain.seal(sealing)).unwrap();
        let data_key = sealed.data_key(&[identity()]).unwrap();
        let mut changed = sealed.text().to_owned();
        let values = plain.leaves_with_text().zip(sealed.leaves_with_text());
        for ((_, before), (leaf, after)) in values {
            if before == Some("COMMENT") {
                let random = &mut vectors::repeatable(leaf.line as u64);
                let aad = leaf.path.additional_data();
                let enc = cipher::seal(&data_key, b" c", aad.as_bytes(), "comment", random);
                changed = changed.replace(after.unwrap(), &enc.unwrap());
            }
        }
        let changed = Document::<Encrypted>::parse(changed.as_bytes(), &Limits::default());
        changed.unwrap().open_without_mac(&data_key).unwrap()
    }

    fn opened(text: &str) -> String {
        reopened(text).plain().text().to_owned()
    }

    #[test]
    fn comments_that_changed_their_order_are_sealed_anew() {
        let opened = reopened("k:\n    - f: 1\n    - COMMENT\n#x\nm: 2\n");
        let text = opened.plain().text();
        assert_eq!(text, "k:\n    - f: 1\n#x\nm: 2\n# c\n");
        let text = text.replace('2', "3");
        let changed = plain(&text);
        let again = with_sealing(|sealing| opened.reseal_and_open(&changed, sealing)).unwrap();
        assert_eq!(again.plain().text(), text);
    }

    #[test]
    fn comments_of_lists_stand_where_the_reference_writes_them() {
        for (sealed, expected) in [
            (
                "k:\n    - COMMENT\n    - 1\n    - COMMENT\n",
                "k:\n    # c\n    - 1\n    # c\n",
            ),
            (
                "k:\n    - - COMMENT\n      - x\n",
                "k:\n    # c\n    - - x\n",
            ),
            (
                "k:\n    - f: 1\n    - COMMENT\nm: 2\n",
                "k:\n    - f: 1\nm: 2\n# c\n",
            ),
            ("k:\n    - COMMENT\nm: 2\n", "k: []\n# c\nm: 2\n"),
            (
                "a: []\nk:\n    - - COMMENT\n      - x\n",
                "a: []\nk:\n    # c\n    - - x\n",
            ),
        ] {
            assert_eq!(opened(sealed), expected, "{sealed}");
        }
    }

    #[test]
    fn another_layout_than_that_of_the_reference_stays() {
        for (sealed, expected) in [
            ("k:\n  - - COMMENT\n    - x\n\n", "k:\n  - # c\n    - x\n\n"),
            (
                "k:\n    - - COMMENT\n      - 'x'\n",
                "k:\n    - # c\n      - 'x'\n",
            ),
        ] {
            assert_eq!(opened(sealed), expected, "{sealed}");
        }
        let comment = format!("{}# c\n", "k:\n    - 1\n");
        assert_eq!(opened(&comment), comment);
    }
}
