//! Comments among the lines of a tree, where go-yaml's emitter puts them for the reference.
//!
//! The reference gives go-yaml comments before a node and behind one. The emitter holds them until it comes by a place for
//! them, which may be further down: what stands behind a list's last item, when that is a collection, goes behind the next
//! value; what stands in an empty list goes before the next key. Where a comment comes while another one is held, the
//! reference loses the one it holds; here both are written.

use alloc::vec::Vec;

use super::{Level, Writer, check_length, is_bare};
use crate::error::Error;
use crate::text::Text;
use crate::tree::{Entry, Node};

/// An open collection.
struct Open<'a> {
    level: Level<'a>,
    /// Comments since its last entry.
    since: Vec<&'a Text>,
    /// What goes behind it.
    foot: Vec<&'a Text>,
}

pub(super) struct Reference<'a> {
    pub(super) writer: Writer<'a>,
    open: Vec<Open<'a>>,
    /// Held for the next line.
    head: Vec<&'a Text>,
    /// Held for behind the next value.
    foot: Vec<&'a Text>,
}

impl<'a> Reference<'a> {
    pub(super) fn new(indent: usize) -> Self {
        let mut writer = Writer::new(indent);
        writer.as_reference = true;
        Self {
            writer,
            open: Vec::new(),
            head: Vec::new(),
            foot: Vec::new(),
        }
    }

    pub(super) fn document(&mut self, node: &'a Node) -> Result<(), Error> {
        self.head.extend(lead(node));
        self.write_head(0);
        if is_bare(node.entries()) {
            self.writer.line(0);
            let text = self.writer.scalar(node, 0, self.writer.indent);
            self.writer.out.push_str(&text);
            self.writer.fresh = false;
        } else {
            self.begin(node, 0, Vec::new());
        }
        while let Some(open) = self.open.last_mut() {
            let (column, is_list) = (open.level.column, open.level.is_list);
            match open.level.rest.next() {
                None => self.end(),
                Some(Entry::Comment(text)) => open.since.push(text),
                Some(Entry::Item { key, node }) => {
                    let since = core::mem::take(&mut open.since);
                    self.head.extend(since);
                    if is_list {
                        self.item(node, column);
                    } else {
                        self.entry(key.as_deref().unwrap_or_default(), node, column);
                    }
                }
            }
            check_length(&self.writer.out)?;
        }
        if !self.foot.is_empty() {
            // An empty line sets it off.
            self.writer.after_foot = Some(0);
            self.write_foot(0);
        }
        self.writer.after_foot = None;
        Ok(())
    }

    fn begin(&mut self, node: &'a Node, column: usize, foot: Vec<&'a Text>) {
        let inside = node.entries();
        let lead = inside.len() - behind_lead(inside).len();
        self.open.push(Open {
            level: Level {
                rest: inside.get(lead..).unwrap_or_default().iter(),
                column,
                is_list: matches!(node, Node::List(_)),
            },
            since: Vec::new(),
            foot,
        });
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.foot.extend(open.foot);
        if open.level.is_list {
            return;
        }
        let column = open.level.column;
        self.write(open.since, column, true);
        self.write_head(column);
    }

    fn item(&mut self, node: &'a Node, column: usize) {
        let rest = self.open.last().map(|open| open.level.rest.as_slice());
        let rest = rest.filter(|rest| is_bare(rest)).unwrap_or_default();
        let foot: Vec<_> = comments(rest).collect();
        if let Some(open) = self.open.last_mut()
            && !foot.is_empty()
        {
            open.level.rest = [].iter();
        }
        self.head.extend(lead(node));
        self.write_head(column);
        self.writer.line(column);
        self.writer.mark('-');
        self.value(node, column, column + 2, foot);
    }

    fn entry(&mut self, key: &str, node: &'a Node, column: usize) {
        self.write_head(column);
        let explicit = self.writer.key(key, node, column);
        let below = match self.writer.below(column) {
            // An odd indentation may leave no room for the blank behind the mark.
            below if explicit => below.max(column + 2),
            below => below,
        };
        self.head.extend(lead(node));
        self.value(node, column, below, Vec::new());
    }

    /// What stands behind a key or dash.
    fn value(&mut self, node: &'a Node, column: usize, below: usize, foot: Vec<&'a Text>) {
        match node {
            Node::Leaf(_) => {
                let text = self.writer.scalar(node, column, below);
                self.writer.text(&text);
                self.foot.extend(foot);
            }
            _ if !is_bare(node.entries()) => {
                self.write_foot(column);
                self.begin(node, below, foot);
                return;
            }
            Node::List(_) => {
                self.write_foot(column);
                self.writer.text("[]");
                self.foot.extend(foot);
            }
            Node::Mapping(_) => {
                self.write_foot(column);
                self.writer.text("{");
                self.write_head(below);
                self.writer.out.push('}');
                self.writer.fresh = false;
                self.foot.extend(foot);
            }
        }
        self.write_foot(column);
    }

    fn write_head(&mut self, column: usize) {
        let head = core::mem::take(&mut self.head);
        self.write(head, column, false);
    }

    fn write_foot(&mut self, column: usize) {
        let foot = core::mem::take(&mut self.foot);
        self.write(foot, column, true);
    }

    fn write(&mut self, texts: Vec<&'a Text>, column: usize, is_foot: bool) {
        if texts.is_empty() {
            return;
        }
        for text in texts {
            self.writer.comment(text, column);
        }
        self.writer.end_line();
        if is_foot {
            self.writer.after_foot = Some(column);
        }
    }
}

fn behind_lead(entries: &[Entry]) -> &[Entry] {
    let lead = comments(entries).count();
    entries.get(lead..).unwrap_or_default()
}

/// The comments that stand first.
fn comments(entries: &[Entry]) -> impl Iterator<Item = &Text> {
    entries.iter().map_while(|entry| match entry {
        Entry::Comment(text) => Some(text),
        Entry::Item { .. } => None,
    })
}

fn lead(node: &Node) -> impl Iterator<Item = &Text> {
    comments(node.entries())
}

#[cfg(test)]
mod tests {
    use crate::document::{Document, Plain};
    use crate::format::emit::yaml_as_reference;
    use crate::limits::Limits;

    #[test]
    fn comments_stand_where_the_emitter_of_the_reference_comes_to_write_them() {
        for (before, after) in [
            // behind a collection that ends a list: behind the next value, or before what that holds
            (
                "k:\n - {f: 1}\n # c\nm: 2\nl:\n  a: 1\n",
                "k:\n    - f: 1\nm: 2\n# c\n\nl:\n    a: 1\n",
            ),
            (
                "k:\n - {f: 1}\n # c\nm:\n  a: 1\n",
                "k:\n    - f: 1\nm:\n# c\n    a: 1\n",
            ),
            (
                "k:\n - {f: 1}\n # c\nm: {}\nl: 2\n",
                "k:\n    - f: 1\nm:\n# c\n{}\n\nl: 2\n",
            ),
            // at the end, set off
            ("k:\n - {f: 1}\n # c\n", "k:\n    - f: 1\n\n# c\n"),
            // in collections of nothing
            ("k: [] #c\nl: 1\n", "k: []\n#c\nl: 1\n"),
            ("k: {} #c\nl: 1\n", "k: {\n    #c\n}\nl: 1\n"),
            ("k:\n- [] #c\n- 1\n", "k:\n    #c\n    - []\n    - 1\n"),
            // the dash of a list in a list follows what the inner one begins with
            (
                "k:\n- - 1\n- - 2 #c\n",
                "k:\n    - - 1\n    #c\n    - - 2\n",
            ),
            // the reference loses the first of these
            ("k:\n# c\n- - 1 # d\n", "k:\n    # c\n    # d\n    - - 1\n"),
        ] {
            let document = Document::<Plain>::parse(before.as_bytes(), &Limits::generous());
            let trees = document.unwrap().trees().unwrap();
            let text = yaml_as_reference(&trees, 4).unwrap();
            assert_eq!(text, after, "{before}");
        }
    }
}
