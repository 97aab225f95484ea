//! Text for values, keys, comments and whole trees: as the reference prints them, or with the quotes that the place
//! has already.
//!
//! The reference prints some values and keys so that it reads others back. Those get the first of the other quotes
//! that reads back, and are refused where none does.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::DEFAULT;
use super::line::{self, MARKS, TRIPLE};
use crate::error::Error;
use crate::format::parts::{Comment, Scalar, Style};
use crate::format::{Edit, flat};
use crate::text::Text;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// What to replace so that a sealed value stands where the value stood, in the quotes that it has.
pub(crate) fn sealed(enc: &str, at: &Scalar) -> Vec<Edit> {
    let quote = quote_of(at);
    vec![(at.span.range(), format!("{quote}{enc}{quote}"))]
}

/// What to replace so that a sealed comment stands where the comment stood, behind the mark that it has.
pub(crate) fn sealed_comment(enc: &str, at: &Comment) -> Vec<Edit> {
    vec![(
        at.span.start() + mark_length(at)..at.span.end(),
        enc.to_owned(),
    )]
}

/// What to replace so that an opened value stands where its sealed form stood.
///
/// # Errors
/// `value-not-representable` for what does not read back in any quotes, and for bytes that are no text.
pub(crate) fn opened(value: &Value, at: &Scalar, document: &str) -> Result<Vec<Edit>, Error> {
    let place = |error: Error| error.at_line(at.line).at_path(&at.path);
    let text = flat::text(value).map_err(place)?;
    let text = again(&text, at).ok_or_else(|| place(unreadable_value()))?;
    let mut range = at.span.range();
    let rest = document.get(range.end..).unwrap_or_default().lines().next();
    let rest = rest.unwrap_or_default().trim_end();
    // Overlooked behind a value of one line, a backslash takes back the closing quote of several.
    if text.contains('\n') && rest.ends_with('\\') {
        range.end += rest.len();
    }
    Ok(vec![(range, text)])
}

/// What to replace so that an opened comment stands where its sealed form stood.
pub(crate) fn opened_comment(text: &str, at: &Comment) -> Vec<Edit> {
    let (kept, text) = comment_again(text, mark_length(at), at.of_section);
    vec![(
        (at.span.start() + kept).min(at.span.end())..at.span.end(),
        text,
    )]
}

/// Text in the place of a value: the quotes stay when it reads back in them.
pub(super) fn again(text: &str, at: &Scalar) -> Option<String> {
    let quote = quote_of(at);
    let kept = format!("{quote}{text}{quote}");
    if !quote.is_empty() && reads_back(&kept, text) {
        return Some(kept);
    }
    value(text)
}

/// How much of a comment stays at its beginning, and what follows: `mark` is the length of its mark and blanks.
///
/// The reference prints a mark and one blank, so that is taken for its work and goes on as the reference would; with
/// anything else the lines stay as they are.
pub(super) fn comment_again(text: &str, mark: usize, of_section: bool) -> (usize, String) {
    let mut lines = comment_lines(text);
    let first = lines.next().unwrap_or_default();
    let canonical = mark == 2;
    let (kept, mut text) = match (canonical, first.starts_with(MARKS)) {
        (true, true) => (0, comment_line(first, of_section)),
        (true, false) if of_section => (mark, first.to_owned()),
        (true, false) => (mark, first.trim().to_owned()),
        (false, _) => (mark, first.to_owned()),
    };
    for line in lines {
        text.push('\n');
        if !canonical && line.starts_with(MARKS) {
            text.push_str(line);
        } else {
            text.push_str(&comment_line(line, of_section));
        }
    }
    // Blanks at the end do not belong to a comment as it is read.
    text.truncate(text.trim_end().len());
    (kept, text)
}

/// What the reference takes for the text of a comment: all of the first mark's kind and blanks before it go.
pub(super) fn without_mark(raw: &str) -> &str {
    match raw.chars().next() {
        Some(mark) if MARKS.contains(&mark) => raw.trim_start_matches([mark, ' ']),
        _ => raw,
    }
}

/// A value as the reference prints it, or so that it reads back.
pub(super) fn value(text: &str) -> Option<String> {
    let in_quotes = |quote: &str| format!("{quote}{text}{quote}");
    let printed = if text.contains(['\n', '`']) {
        in_quotes(TRIPLE)
    } else if text.contains(MARKS) {
        in_quotes("`")
    } else if text.trim().len() != text.len() {
        in_quotes("\"")
    } else {
        text.to_owned()
    };
    let others = ["\"", "'", "`", TRIPLE].map(in_quotes);
    [printed]
        .into_iter()
        .chain(others)
        .find(|written| reads_back(written, text))
}

/// A key as the reference prints it, or so that it reads back.
pub(super) fn key(name: &str) -> Option<String> {
    let in_quotes = |quote: &str| format!("{quote}{name}{quote}");
    let printed = if name.contains(['"', '=', ':']) {
        in_quotes("`")
    } else if name.contains('`') {
        in_quotes(TRIPLE)
    } else {
        name.to_owned()
    };
    let others = ["\"", "`", TRIPLE].map(in_quotes);
    [printed].into_iter().chain(others).find(|written| {
        let line = format!("{written} = x\n");
        let key = line::key(&line).ok();
        key.is_some_and(|key| key.name == name && !key.overlooks)
            && !written.starts_with(MARKS)
            // At the beginning of a text a mark of byte order is skipped.
            && !written.starts_with(['[', '\u{feff}'])
            && !name.contains('\n')
            && name != "-"
    })
}

/// A tree in the layout of the reference.
///
/// # Errors
/// `value-not-representable` for values outside of sections, lists and mappings in a section, and what does not read
/// back.
pub(crate) fn emit(tree: &Node) -> Result<String, Error> {
    let sections = match tree {
        Node::Mapping(sections) => sections.iter(),
        Node::Leaf(_) | Node::List(_) => {
            return Err(flat::not_representable(
                "the document is no mapping at the top, which INI cannot hold; take YAML or JSON",
            ));
        }
    };
    let mut text = String::new();
    let mut written = 0;
    // Whether the section before ends in an empty line, once another follows.
    let mut parted = false;
    for entry in sections {
        // A comment between sections is dropped.
        let Entry::Item { key, node } = entry else {
            continue;
        };
        let name = key.as_deref().unwrap_or_default();
        let section = Section::of(name, node)?;
        if core::mem::take(&mut parted) {
            text.push('\n');
        }
        section.write(written == 0, &mut text);
        parted = written > 0 || name != DEFAULT || !section.pairs.is_empty();
        written += 1;
    }
    Ok(text)
}

/// Lines of `key = value`, the keys as long as the longest.
pub(super) fn pairs(pairs: &[Pair]) -> String {
    let width = pairs.iter().map(|pair| pair.key.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for pair in pairs {
        let lines = pair.comment.as_deref();
        write_comment(lines, false, &mut text);
        text.push_str(&pair.key);
        text.extend(core::iter::repeat_n(' ', width - pair.key.len()));
        text.push_str(" = ");
        text.push_str(&pair.value);
        text.push('\n');
    }
    text
}

/// A key and its value as they are written.
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) comment: Option<Text>,
}

struct Section<'a> {
    name: &'a str,
    comment: Option<&'a str>,
    pairs: Vec<Pair>,
}

impl<'a> Section<'a> {
    fn of(name: &'a str, node: &'a Node) -> Result<Self, Error> {
        let Node::Mapping(entries) = node else {
            return Err(flat::not_representable(
                "a value or list stands at the top, where INI holds sections alone; \
                 put it below a key, or take YAML or JSON",
            )
            .at_path(name));
        };
        if name.is_empty() || name.contains('\n') {
            return Err(flat::not_representable(
                "a section's name is empty or has more than one line, which INI cannot hold; rename it",
            )
            .at_path(name.lines().next().unwrap_or_default()));
        }
        let mut section = Self {
            name,
            comment: None,
            pairs: Vec::new(),
        };
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        // The pair that a comment goes to: the last one written.
        let mut last = None;
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Comment(text) if at == 0 => section.comment = Some(text),
                Entry::Comment(text) => {
                    if let Some(pair) = last.and_then(|last| section.pairs.get_mut::<usize>(last)) {
                        pair.comment = Some(text.clone());
                    }
                }
                Entry::Item { key, node } => {
                    let key = key.as_deref().unwrap_or_default();
                    let pair = Pair::of(key, node)
                        .map_err(|error| error.at_path(format!("{name}.{key}")))?;
                    let next = section.pairs.len();
                    let place = *seen.entry(key).or_insert(next);
                    last = Some(place);
                    match section.pairs.get_mut(place) {
                        Some(earlier) => earlier.value = pair.value,
                        None => section.pairs.push(pair),
                    }
                }
            }
        }
        Ok(section)
    }

    /// The first section goes without a header when it is that of the keys without one.
    fn write(&self, first: bool, text: &mut String) {
        write_comment(self.comment, true, text);
        if !first || self.name != DEFAULT {
            text.push_str(&format!("[{}]\n", self.name));
        }
        text.push_str(&pairs(&self.pairs));
    }
}

impl Pair {
    fn of(name: &str, node: &Node) -> Result<Self, Error> {
        let Node::Leaf(leaf) = node else {
            return Err(flat::not_representable(
                "a list or mapping stands in a section, which INI cannot hold; take YAML or JSON",
            ));
        };
        let key = key(name).ok_or_else(|| {
            flat::not_representable("the key does not read back from INI; rename it")
        })?;
        let text = flat::text(leaf)?;
        Ok(Self {
            key,
            value: value(&text).ok_or_else(unreadable_value)?,
            comment: None,
        })
    }
}

fn unreadable_value() -> Error {
    flat::not_representable(
        "the value does not read back from INI in any quotes; take YAML or JSON",
    )
}

/// The lines of a comment. An empty one makes the reference break down, so there is none.
fn comment_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.trim().is_empty())
}

/// As the reference prints it, but so that it is the same comment when it is read: without lines of marks alone at its
/// beginning, and with one mark at most.
fn write_comment(comment: Option<&str>, of_section: bool, out: &mut String) {
    let is_lead = |c: char| MARKS.contains(&c) || c.is_whitespace();
    let mut lines = comment_lines(comment.unwrap_or_default()).peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        let bare = line.trim_start_matches(is_lead);
        if first && bare.is_empty() && lines.peek().is_some() {
            continue;
        }
        let printed = comment_line(line, of_section);
        if first && without_mark(&printed).starts_with(MARKS) {
            out.push_str("; ");
            out.push_str(bare.trim_end());
        } else {
            out.push_str(&printed);
        }
        out.push('\n');
        first = false;
    }
}

/// One line, with a mark. What stands behind none the reference trims in the comments of keys alone.
fn comment_line(line: &str, of_section: bool) -> String {
    let mut chars = line.chars();
    match chars.next() {
        Some(mark) if MARKS.contains(&mark) => format!("{mark} {}", chars.as_str().trim()),
        _ if of_section => format!("; {line}"),
        _ => format!("; {}", line.trim()),
    }
}

/// The quotes that a value stands in: those around a value that is written as it is.
fn quote_of(at: &Scalar) -> &'static str {
    let length = at.value.as_str().map_or(0, str::len);
    match at.style {
        Style::Block if at.span.len() == length + 2 => "`",
        Style::Block => TRIPLE,
        Style::Double => "\"",
        Style::Plain => "",
        Style::Single => "'",
    }
}

/// How long the mark and the blanks before a comment's text are.
fn mark_length(at: &Comment) -> usize {
    at.span.len().saturating_sub(at.text.len())
}

fn reads_back(written: &str, text: &str) -> bool {
    let lines = Zeroizing::new(format!("{written}\n"));
    let first = lines.find('\n').map_or(lines.len(), |end| end + 1);
    line::value(&lines, 0, first).is_some_and(|found| {
        found.value == text
            && found.comment.is_none()
            && !found.overlooks
            && !found.continues
            && found.end == lines.len()
    })
}
