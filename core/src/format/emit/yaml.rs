//! A tree as YAML, as go-yaml lays it out for the reference: block style, a fixed indentation, comments on lines of
//! their own.
//!
//! Where the reference loses something, this does not: text that begins with a tab is quoted instead of dropped, `-0`
//! stays a float, the indentation told in a block's header is the real one, and U+2028 and U+2029 are escaped. Comments
//! stand before what they are about; `reference` puts them where the reference has them.

mod reference;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::is_bare;
use crate::error::{Error, ErrorCode};
use crate::format::yaml::write;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// As [`yaml`], and as the reference where it loses something that a reader of its output sees anyway: `-0.0` is
/// written `-0`, and U+2028 and U+2029 stand as they are. Comments stand where it puts them.
pub(crate) fn yaml_as_reference(documents: &[Node], indent: usize) -> Result<String, Error> {
    let mut reference = reference::Reference::new(indent);
    for (number, node) in documents.iter().enumerate() {
        reference.writer.begin_document(number);
        reference.document(node)?;
        reference.writer.end_line();
    }
    Ok(reference.writer.out)
}

/// Documents as text, `---` between them, with a line break at the end.
pub(crate) fn yaml(documents: &[Node], indent: usize) -> Result<String, Error> {
    Writer::new(indent).documents(documents)
}

/// What follows the `:` of a key that stands at `column`: a blank and a value, or lines, each after a line break.
pub(crate) fn yaml_at(node: &Node, column: usize, indent: usize) -> Result<String, Error> {
    let mut writer = Writer::new(indent);
    let below = writer.below(column);
    if is_bare(node.entries()) {
        let text = writer.scalar(node, column, below);
        writer.text(&text);
    } else {
        writer.collection(node, below)?;
    }
    Ok(writer.out)
}

/// What follows the dash of an item whose dash stands at `column`: a blank and a value, or the lines of a collection,
/// of which the first goes on with the dash's.
pub(crate) fn yaml_item_at(node: &Node, column: usize, indent: usize) -> Result<String, Error> {
    let mut writer = Writer::new(indent);
    if is_bare(node.entries()) {
        let text = writer.scalar(node, column, column + 2);
        writer.text(&text);
    } else {
        writer.fresh = true;
        writer.column = column + 1;
        writer.collection(node, column + 2)?;
    }
    Ok(writer.out)
}

/// The entries of a collection, which begin at `column`: lines, of which the first lacks its indentation.
pub(crate) fn yaml_entries_at(node: &Node, column: usize, indent: usize) -> Result<String, Error> {
    let mut writer = Writer::new(indent);
    writer.fresh = true;
    writer.column = column;
    writer.collection(node, column)?;
    Ok(writer.out)
}

/// The text of a value inside `{…}` or `[…]`, on one line. Comments have no place there.
pub(crate) fn yaml_flow(node: &Node) -> String {
    let mut out = String::new();
    let mut open: Vec<(core::slice::Iter<'_, Entry>, char, bool)> = Vec::new();
    let mut next = Some(node);
    loop {
        match next.take() {
            Some(Node::Leaf(Value::String(text))) => out.push_str(&yaml_flow_key(text)),
            Some(Node::Leaf(value)) => out.push_str(&write::word(value)),
            Some(Node::List(entries)) => {
                out.push('[');
                open.push((entries.iter(), ']', true));
            }
            Some(Node::Mapping(entries)) => {
                out.push('{');
                open.push((entries.iter(), '}', true));
            }
            None => {}
        }
        let Some((rest, end, first)) = open.last_mut() else {
            return out;
        };
        match rest.next() {
            Some(Entry::Comment(_)) => {}
            Some(Entry::Item { key, node }) => {
                if !core::mem::take(first) {
                    out.push_str(", ");
                }
                if let Some(key) = key {
                    out.push_str(&yaml_flow_key(key));
                    out.push_str(": ");
                }
                next = Some(node);
            }
            None => {
                out.push(*end);
                open.pop();
            }
        }
    }
}

/// The text of a key, or of a string, inside `{…}`.
pub(crate) fn yaml_flow_key(text: &str) -> String {
    let plain = write::is_flow_safe(text) && write::key_or_value(text) == text;
    if plain {
        text.to_owned()
    } else {
        write::double(text)
    }
}

/// The longest key that go-yaml writes without `?`.
const SIMPLE_KEY_BYTES: usize = 128;

/// An open collection.
struct Level<'a> {
    rest: core::slice::Iter<'a, Entry>,
    column: usize,
    is_list: bool,
}

struct Writer<'a> {
    out: String,
    indent: usize,
    /// Columns of the line that are filled.
    column: usize,
    /// Whether nothing but indentation, dashes and question marks stands on the line.
    fresh: bool,
    levels: Vec<Level<'a>>,
    as_reference: bool,
    /// The column of a comment just written behind something: an empty line follows before a line in the same column.
    after_foot: Option<usize>,
}

impl<'a> Writer<'a> {
    fn new(indent: usize) -> Self {
        Self {
            out: String::new(),
            // What go-yaml does not take it replaces.
            indent: if (2..=9).contains(&indent) { indent } else { 2 },
            column: 0,
            fresh: false,
            levels: Vec::new(),
            as_reference: false,
            after_foot: None,
        }
    }

    /// The column of what stands below a key: the next multiple of the indentation.
    fn below(&self, column: usize) -> usize {
        (column + self.indent) / self.indent * self.indent
    }

    fn documents(mut self, documents: &'a [Node]) -> Result<String, Error> {
        for (number, node) in documents.iter().enumerate() {
            self.begin_document(number);
            self.document(node)?;
            self.out.push('\n');
        }
        Ok(self.out)
    }

    fn begin_document(&mut self, number: usize) {
        if number > 0 {
            self.out.push_str("---\n");
        }
        self.fresh = true;
        self.column = 0;
    }

    /// Goes to the beginning of a line, unless it is there.
    fn end_line(&mut self) {
        if !self.fresh || self.column > 0 {
            self.out.push('\n');
        }
        self.fresh = true;
        self.column = 0;
    }

    fn document(&mut self, node: &'a Node) -> Result<(), Error> {
        let inside = node.entries();
        if !is_bare(inside) {
            return self.collection(node, 0);
        }
        self.comments(inside, 0);
        self.line(0);
        let text = self.scalar(node, 0, self.indent);
        self.out.push_str(&text);
        Ok(())
    }

    /// A collection with entries, which begin at `column`.
    fn collection(&mut self, node: &'a Node, column: usize) -> Result<(), Error> {
        self.open(node, column);
        while let Some(level) = self.levels.last_mut() {
            let (column, is_list) = (level.column, level.is_list);
            match level.rest.next() {
                None => {
                    self.levels.pop();
                }
                Some(Entry::Comment(text)) => self.comment(text, column),
                Some(Entry::Item { node, .. }) if is_list => self.item(node, column),
                Some(Entry::Item { key, node }) => {
                    self.entry(key.as_deref().unwrap_or_default(), node, column);
                }
            }
            check_length(&self.out)?;
        }
        Ok(())
    }

    fn open(&mut self, node: &'a Node, column: usize) {
        self.levels.push(Level {
            rest: node.entries().iter(),
            column,
            is_list: matches!(node, Node::List(_)),
        });
    }

    fn item(&mut self, node: &'a Node, column: usize) {
        // What stands before the first entry of an item stands before its dash.
        let inside = node.entries();
        let lead = inside
            .iter()
            .take_while(|entry| matches!(entry, Entry::Comment(_)))
            .count();
        self.comments(inside.get(..lead).unwrap_or_default(), column);
        self.line(column);
        self.mark('-');
        if is_bare(inside) {
            let text = self.scalar(node, column, column + 2);
            self.text(&text);
        } else {
            self.levels.push(Level {
                rest: inside.get(lead..).unwrap_or_default().iter(),
                column: column + 2,
                is_list: matches!(node, Node::List(_)),
            });
        }
    }

    fn entry(&mut self, key: &str, node: &'a Node, column: usize) {
        let below = self.below(column);
        let inside = node.entries();
        let is_bare = is_bare(inside);
        // What stands behind the brackets belongs inside; there is room for one.
        let behind = match inside {
            [Entry::Comment(text)] if !text.contains(['\n', '\r']) => Some(text),
            _ => None,
        };
        if is_bare && behind.is_none() {
            self.comments(inside, column);
        }
        let explicit = self.key(key, node, column);
        if is_bare {
            let text = self.scalar(node, column, below);
            self.text(&text);
            if let Some(text) = behind {
                self.out.push_str(" #");
                self.out.push_str(text);
            }
        } else if explicit {
            if matches!(inside.first(), Some(Entry::Comment(_))) {
                // Behind the mark it would belong to what the key stands in.
                self.fresh = false;
            }
            // An odd indentation may leave no room for the blank behind the mark.
            self.open(node, below.max(column + 2));
        } else {
            self.open(node, below);
        }
    }

    /// Writes a node's key; whether it stands behind `? `.
    fn key(&mut self, key: &str, node: &Node, column: usize) -> bool {
        self.line(column);
        // Loaders refuse to merge what holds no keys; the reference writes it all the same.
        let text = match key {
            "<<" if !self.as_reference && !is_mergeable(node) => "'<<'".into(),
            key => string(key, column, self.below(column)),
        };
        let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        let explicit = key.len() > SIMPLE_KEY_BYTES || key.contains(breaks);
        if explicit {
            self.mark('?');
            self.text(&text);
            self.line(column);
            self.mark(':');
        } else {
            self.out.push_str(&text);
            self.out.push(':');
            self.fresh = false;
        }
        explicit
    }

    /// What stands behind a key or dash in one piece; `column` is that of its collection, `below` that of its lines.
    fn scalar(&self, node: &Node, column: usize, below: usize) -> String {
        match node {
            Node::List(_) => "[]".into(),
            Node::Mapping(_) => "{}".into(),
            Node::Leaf(Value::String(text)) if self.as_reference && has_broken_line(text) => {
                broken(text, below)
            }
            Node::Leaf(Value::String(text)) => string(text, column, below),
            Node::Leaf(Value::Bytes(bytes)) => match write::packed(bytes) {
                packed if packed.contains('\n') => {
                    format!("!!binary {}", write::lines(&packed, column, below))
                }
                packed => format!("!!binary {packed}"),
            },
            Node::Leaf(Value::Float(number)) if self.as_reference => crate::number::yaml(*number),
            Node::Leaf(value) => write::word(value),
        }
    }

    fn comments(&mut self, entries: &[Entry], column: usize) {
        for entry in entries {
            if let Entry::Comment(text) = entry {
                self.comment(text, column);
            }
        }
    }

    /// A line for each of the comment's.
    fn comment(&mut self, text: &str, column: usize) {
        for (number, line) in text.split(['\n', '\r']).enumerate() {
            self.line(column);
            match number {
                0 => self.out.push('#'),
                _ if line.starts_with('#') => {}
                _ => self.out.push_str("# "),
            }
            self.out.push_str(line);
            self.fresh = false;
        }
    }

    /// Goes to a column, on a line of its own unless only indentation and marks stand on this one.
    fn line(&mut self, column: usize) {
        if !self.fresh || self.column > column {
            self.out.push('\n');
            self.column = 0;
        }
        if self.after_foot.take() == Some(column) {
            self.out.push('\n');
        }
        while self.column < column {
            self.out.push(' ');
            self.column += 1;
        }
        self.fresh = true;
    }

    fn mark(&mut self, mark: char) {
        self.out.push(mark);
        self.column += 1;
    }

    fn text(&mut self, text: &str) {
        if !self.fresh || self.column > 0 {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.fresh = false;
    }
}

fn check_length(text: &str) -> Result<(), Error> {
    if text.len() > MOST_BYTES {
        return Err(Error::input(
            ErrorCode::LimitExceeded,
            "the text would be longer than 1 GiB; split the document",
        ));
    }
    Ok(())
}

fn is_mergeable(node: &Node) -> bool {
    match node {
        Node::Leaf(_) => false,
        Node::List(_) => node
            .items()
            .all(|(_, item)| matches!(item, Node::Mapping(_))),
        Node::Mapping(_) => true,
    }
}

/// A string as key or value in block style.
fn string(text: &str, column: usize, below: usize) -> String {
    if text.starts_with('\u{feff}') {
        return spelled(text);
    }
    if text.contains('\n') {
        return write::lines(text, column, below);
    }
    match write::key_or_value(text) {
        // So it stays a merge key for those who merge.
        quoted if text == "<<" => format!("!!merge {}", quoted.trim_matches('\'')),
        chosen => chosen,
    }
}

/// Whether a text is of one line for us and of several for go-yaml, which then takes single quotes unless a blank stands
/// before a break.
fn has_broken_line(text: &str) -> bool {
    let breaks = ['\u{2028}', '\u{2029}'];
    let plain = text.replace(breaks, "x");
    let after_blank = breaks.iter().any(|c| text.contains(&format!(" {c}")));
    plain != text && !after_blank && !plain.contains('\n') && plain.chars().all(write::is_printable)
}

/// Such a text as go-yaml writes it.
fn broken(text: &str, below: usize) -> String {
    let mut out = String::from("'");
    let mut after_break = false;
    for c in text.chars() {
        let is_break = matches!(c, '\u{2028}' | '\u{2029}');
        if after_break && !is_break {
            out.extend(core::iter::repeat_n(' ', below));
        }
        after_break = is_break;
        match c {
            '\'' => out.push_str("''"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// Double-quoted with every character escaped, as go-yaml writes what begins with a byte order mark.
fn spelled(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let one = write::double(c.encode_utf8(&mut [0; 4]));
        match (c, one.trim_matches('"')) {
            ('"', _) => out.push_str("\\\""),
            ('\u{a0}', _) => out.push_str("\\_"),
            (_, escaped) if escaped.starts_with('\\') => out.push_str(escaped),
            (c, _) if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            (c, _) => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A deep tree takes more room for its indentation than its values do.
const MOST_BYTES: usize = 1 << 30;

#[cfg(test)]
mod tests {

    use super::*;
    use crate::document::{Document, Plain};
    use crate::limits::Limits;

    fn trees(text: &str) -> Vec<Node> {
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::generous()).unwrap();
        document.trees().unwrap()
    }

    fn item(key: Option<&str>, node: Node) -> Entry {
        let key = key.map(Into::into);
        Entry::Item { key, node }
    }

    #[test]
    fn a_document_is_laid_out_as_the_reference_lays_it_out() {
        for (before, after) in [
            (
                "# h\n\na: 1   # line a\n\n\nb: 2\n",
                "# h\n# line a\na: 1\nb: 2\n",
            ),
            (
                "a: {b: 1, c: [x, {y: z}]}\n",
                "a:\n    b: 1\n    c:\n        - x\n        - \"y\": z\n",
            ),
            (
                "l:\n- x\n-  - 1\n   - 2\n",
                "l:\n    - x\n    - - 1\n      - 2\n",
            ),
            (
                "a: 'it''s'\nb: \"plain\"\nc: >-\n  two\n  lines\n",
                "a: it's\nb: plain\nc: two lines\n",
            ),
            (
                "a: 0x1F\nb: 1_000\nc: .5\nd: 1.0\ne: 1000000.0\nf: -0.0\ng: 2002-12-14\nh: ~\ni: .INF\n",
                "a: 31\nb: 1000\nc: 0.5\nd: 1\ne: 1e+06\nf: -0.0\ng: 2002-12-14T00:00:00Z\nh: null\ni: .inf\n",
            ),
            ("a: {}\nb: []\nc:\n  - {}\n", "a: {}\nb: []\nc:\n    - {}\n"),
            (
                "a: !!binary //79\nb: <<\n",
                "a: !!binary //79\nb: !!merge <<\n",
            ),
            (
                "a: 1\n# t\n---\n---\nb: |+\n  x\n\n",
                "a: 1\n# t\n---\n{}\n---\nb: |+\n    x\n\n",
            ),
        ] {
            assert_eq!(yaml(&trees(before), 4).unwrap(), after, "{before}");
        }
    }

    #[test]
    fn comments_stand_on_lines_of_their_own_before_what_they_are_about() {
        for (before, after) in [
            (
                "a:\n  # c\n  b: 1\n  # d\n  c: 2\n  # foot\nd: 1\n",
                "a:\n    # c\n    b: 1\n    # d\n    c: 2\n    # foot\nd: 1\n",
            ),
            (
                "a:\n  # c\n  - x: 1\n  # d\n  - - q\n    # r\n    - s\n  - t\n  # e\n",
                "a:\n    # c\n    - x: 1\n    # d\n    - - q\n      # r\n      - s\n    - t\n    # e\n",
            ),
            ("#\n##c\na: 1\n", "#\n##c\na: 1\n"),
        ] {
            assert_eq!(yaml(&trees(before), 4).unwrap(), after, "{before}");
        }
    }

    #[test]
    fn a_comment_at_the_start_of_a_list_in_a_list_goes_on_with_the_dash() {
        let comment = |text| Entry::Comment(String::from(text).into());
        let leaf = || item(None, Node::Leaf(Value::string("x")));
        let inner = Node::List(alloc::vec![comment(" c"), leaf()]);
        let middle = Node::List(alloc::vec![item(None, inner), comment(" d")]);
        let bare = Node::Mapping(alloc::vec![comment(" e")]);
        let outer = Node::List(alloc::vec![item(None, middle), item(None, bare)]);
        let tree = Node::Mapping(alloc::vec![item(Some("a"), outer)]);
        assert_eq!(
            yaml(&[tree], 4).unwrap(),
            "a:\n    - # c\n      - - x\n      # d\n    # e\n    - {}\n"
        );
    }

    #[test]
    fn keys_that_are_long_or_of_several_lines_stand_behind_a_question_mark() {
        let long = "k".repeat(129);
        let one = || Node::Leaf(Value::Integer(1));
        let list = Node::List(alloc::vec![item(None, one())]);
        let tree = Node::Mapping(alloc::vec![
            item(Some(&long), list),
            item(Some("a\nb"), Node::Leaf(Value::string("c\nd"))),
            item(Some("e\rf"), one()),
            item(Some("<<"), one()),
            item(Some(""), one()),
        ]);
        let expected = format!(
            "? {long}\n:   - 1\n? |-\n    a\n    b\n: |-\n    c\n    d\n? \"e\\rf\"\n: 1\n'<<': 1\n\"\": 1\n"
        );
        assert_eq!(yaml(&[tree], 4).unwrap(), expected);
    }

    #[test]
    fn a_part_is_written_for_the_place_it_shall_take() {
        let node = trees("v: {a: [1, {b: x y}], c: \"l\\nm\"}\n").swap_remove(0);
        let node = node.get("v").unwrap();
        assert_eq!(
            yaml_at(node, 2, 2).unwrap(),
            "\n    a:\n      - 1\n      - b: x y\n    c: |-\n      l\n      m"
        );
        assert_eq!(
            yaml_item_at(node, 2, 2).unwrap(),
            " a:\n      - 1\n      - b: x y\n    c: |-\n      l\n      m"
        );
        assert_eq!(yaml_flow(node), "{a: [1, {b: \"x y\"}], c: \"l\\nm\"}");
        assert_eq!(yaml_at(&Node::List(Vec::new()), 0, 4).unwrap(), " []");
    }

    /// Texts that need care, in any place of a tree.
    const TEXTS: &[&str] = &[
        "x",
        "",
        "~",
        "1",
        "true",
        "y",
        "1:20",
        "2001-01-01",
        ".5",
        "-0",
        "- a",
        "? a",
        "a: b",
        "a #b",
        "# a",
        " a",
        "a ",
        "it's",
        "\"q\"",
        "{",
        "[a]",
        "<<",
        "---",
        "...",
        "a\tb",
        "\u{85}",
        "\u{2028}x",
        "\u{feff}ab\u{a0}",
        "😀",
        "é",
        "\0",
        "a\nb",
        "a\nb\n",
        "a\n\n",
        "\n",
        " a\nb",
        "\na",
        "\n\ta",
        "\ta\nb",
        "a \nb",
        "a\nb ",
        "a\n\t\nb",
        "a\r\nb",
        "a\n\n b\n",
        "\u{feff}a\nb",
        "a\u{2029}\nb",
        "---\na\n",
        "#a\nb",
    ];

    #[test]
    fn what_is_written_reads_back_as_the_same_tree() {
        let mut state = 7_u32;
        let mut next = |most: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % most
        };
        for round in 0..300 {
            let mut nodes: Vec<Node> = Vec::new();
            for _ in 0..40 {
                let text = TEXTS[next(TEXTS.len())];
                let take = next(nodes.len().min(3) + 1);
                let kind = next(4);
                if kind > 1 {
                    nodes.push(Node::Leaf(Value::string(text)));
                    continue;
                }
                let inside = nodes.split_off(nodes.len() - take).into_iter();
                nodes.push(if kind == 0 {
                    Node::List(inside.map(|node| item(None, node)).collect())
                } else {
                    let key = |at| TEXTS[(round + 7 * at) % TEXTS.len()];
                    let inside = inside.enumerate();
                    Node::Mapping(inside.map(|(at, node)| item(Some(key(at)), node)).collect())
                });
            }
            let key = |at: usize| format!("k{at}");
            let entries = nodes.into_iter().enumerate();
            let tree = Node::Mapping(
                entries
                    .map(|(at, node)| item(Some(&key(at)), node))
                    .collect(),
            );
            for indent in 2..=9 {
                let text = yaml(core::slice::from_ref(&tree), indent).unwrap();
                assert_eq!(trees(&text), core::slice::from_ref(&tree), "{text}");
            }
        }
    }
}
