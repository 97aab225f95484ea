//! Where the entries of a block-style YAML file stand, by line and column.
//!
//! Only block mappings and sequences get an outline; whatever else a value is (flow style, block
//! scalars, anchors, aliases) stays opaque text. The outline is a guess that [`super::edit`] proves: a
//! wrong one leads to a refusal, never to a damaged file.

use std::ops::Range;

use stackseal_core::document::{Document, Plain};

/// An entry of a mapping (with its key) or an item of a sequence (without).
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key; `None` for an item.
    pub(crate) key: Option<String>,
    /// Line of the key or dash, from 0.
    pub(crate) line: usize,
    /// Column of the key or dash.
    pub(crate) column: usize,
    /// Line after the last one of the entry, comments and blank lines at its end left out.
    pub(crate) end: usize,
    /// Bytes of the value on the entry's own line, comment left out; empty when there is none.
    pub(crate) value: Range<usize>,
    /// What is nested in it.
    pub(crate) children: Vec<Self>,
}

impl Entry {
    /// The nested entry with this key.
    pub(crate) fn child(&self, key: &str) -> Option<&Self> {
        self.children
            .iter()
            .find(|child| child.key.as_deref() == Some(key))
    }
}

/// The outline of a document's top level, as the children of an entry without a key.
pub(crate) fn outline(document: &Document<Plain>) -> Entry {
    let text = document.text();
    let lines = Lines::of(text);
    let tokens = tokens(text, &lines, document);
    let mut at = 0;
    let children = block(&tokens, &mut at, 0);
    let end = tokens.last().map_or(0, |token| token.end);
    Entry {
        key: None,
        line: 0,
        column: 0,
        end,
        value: 0..0,
        children,
    }
}

/// Starts of lines.
pub(crate) struct Lines {
    starts: Vec<usize>,
    length: usize,
}

impl Lines {
    /// Finds the lines of a text.
    pub(crate) fn of(text: &str) -> Self {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        let starts = std::iter::once(0)
            .chain(breaks.filter(|at| *at < text.len()))
            .collect();
        Self {
            starts,
            length: text.len(),
        }
    }

    /// Where a line begins; the text's end for a line after the last.
    pub(crate) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.length)
    }

    fn number(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    fn count(&self) -> usize {
        if self.length == 0 {
            0
        } else {
            self.starts.len()
        }
    }
}

#[derive(Debug)]
enum Kind {
    Dash,
    Key(String),
    Other,
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    line: usize,
    column: usize,
    value: Range<usize>,
    /// Line after the last one that its value takes.
    end: usize,
}

fn tokens(text: &str, lines: &Lines, document: &Document<Plain>) -> Vec<Token> {
    // lines inside a value of several lines look like structure and are none
    let inside: Vec<Range<usize>> = document
        .leaves()
        .iter()
        .map(|leaf| {
            lines.number(leaf.span.start)
                ..lines.number(leaf.span.end.saturating_sub(1).max(leaf.span.start))
        })
        .filter(|range| !range.is_empty())
        .collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut line = 0;
    while line < lines.count() {
        let (start, end) = (lines.start(line), lines.start(line + 1));
        let content = text.get(start..end).unwrap_or_default().trim_end();
        let blank = content.trim_start().is_empty() || content.trim_start().starts_with('#');
        if blank || content == "---" {
            line += 1;
            continue;
        }
        let first = tokens.len();
        scan(content, start, line, &mut tokens);
        let mut last = line;
        if let Some(value) = tokens.last().map(|token| token.value.clone()) {
            last = last.max(lines.number(flow_end(text, &value)));
        }
        while let Some(range) = inside
            .iter()
            .find(|range| range.start <= last && last < range.end)
        {
            last = range.end;
        }
        for token in tokens.iter_mut().skip(first) {
            token.end = last + 1;
        }
        line = last + 1;
    }
    tokens
}

/// The dashes, key and value of one line.
fn scan(content: &str, start: usize, line: usize, tokens: &mut Vec<Token>) {
    let mut column = content.len() - content.trim_start_matches(' ').len();
    loop {
        let rest = content.get(column..).unwrap_or_default();
        let after_dash = rest
            .strip_prefix('-')
            .filter(|after| after.is_empty() || after.starts_with(' '));
        let Some(after) = after_dash else { break };
        let end = start + content.len();
        tokens.push(Token {
            kind: Kind::Dash,
            line,
            column,
            value: end..end,
            end: line + 1,
        });
        let blanks = after.len() - after.trim_start_matches(' ').len();
        if after.trim_start().is_empty() || after.trim_start().starts_with('#') {
            return;
        }
        column += 1 + blanks;
    }
    let rest = content.get(column..).unwrap_or_default();
    let (kind, offset) = match key(rest) {
        Some((key, offset)) => (Kind::Key(key), offset),
        None => (Kind::Other, 0),
    };
    let value = rest.get(offset..).unwrap_or_default();
    let from = start + column + offset + (value.len() - value.trim_start().len());
    let value = without_comment(value.trim_start());
    tokens.push(Token {
        kind,
        line,
        column,
        value: from..from + value.len(),
        end: line + 1,
    });
}

/// The key that a text starts with, and where its value begins.
fn key(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let inner = text.get(1..)?;
        let length = inner.find(quote)?;
        let name = inner.get(..length)?;
        let after = inner.get(length + 1..)?.strip_prefix(':')?;
        let plain = !name.contains('\\') && (after.is_empty() || after.starts_with([' ', '\t']));
        return plain.then(|| (name.to_owned(), length + 3));
    }
    if text.starts_with(['[', '{', '&', '*', '!', '|', '>', '%', '@', '`', '?', '#']) {
        return None;
    }
    let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
        let after = text.get(at + 1..).unwrap_or_default();
        after.is_empty() || after.starts_with([' ', '\t'])
    })?;
    let name = text.get(..colon)?;
    (!name.contains(" #")).then(|| (name.trim_end().to_owned(), colon + 1))
}

/// A value on one line without the comment behind it.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open && !(open == '"' && before == '\\') => quote = None,
            Some(_) => {}
            None if c == '#' && before.is_whitespace() => {
                return text.get(..at).unwrap_or_default().trim_end();
            }
            None if matches!(c, '"' | '\'')
                && (before.is_whitespace() || "[{,:".contains(before)) =>
            {
                quote = Some(c);
            }
            None => {}
        }
        before = c;
    }
    text.trim_end()
}

/// The last byte of a flow collection that begins a value, or the value's own last byte.
fn flow_end(text: &str, value: &Range<usize>) -> usize {
    let rest = text.get(value.start..).unwrap_or_default();
    if value.is_empty() || !rest.starts_with(['[', '{']) {
        return value
            .end
            .saturating_sub(1)
            .max(value.start.saturating_sub(1));
    }
    let (mut depth, mut quote, mut before, mut comment) = (0_usize, None, ' ', false);
    for (at, c) in rest.char_indices() {
        match (comment, quote) {
            (true, _) => comment = c != '\n',
            (_, Some(open)) if c == open && !(open == '"' && before == '\\') => quote = None,
            (_, Some(_)) => {}
            _ => match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                '"' | '\'' if before.is_whitespace() || "[{,:".contains(before) => quote = Some(c),
                '#' if before.is_whitespace() => comment = true,
                _ => {}
            },
        }
        if depth == 0 {
            return value.start + at;
        }
        before = c;
    }
    text.len().saturating_sub(1)
}

/// The entries at the column of the next token, which is at least `least`.
fn block(tokens: &[Token], at: &mut usize, least: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Some(column) = tokens
        .get(*at)
        .map(|token| token.column)
        .filter(|column| *column >= least)
    else {
        return entries;
    };
    let items = matches!(
        tokens.get(*at),
        Some(Token {
            kind: Kind::Dash,
            ..
        })
    );
    while let Some(token) = tokens.get(*at).filter(|token| token.column == column) {
        let (key, nested_from) = match &token.kind {
            Kind::Dash if items => (None, column + 1),
            // the dashes of a sequence may stand below the key that they belong to
            Kind::Key(key) if !items => match tokens.get(*at + 1) {
                Some(Token {
                    kind: Kind::Dash,
                    column: dash,
                    ..
                }) if *dash == column => (Some(key.clone()), column),
                _ => (Some(key.clone()), column + 1),
            },
            _ => break,
        };
        *at += 1;
        let children = block(tokens, at, nested_from);
        skip_deeper(tokens, at, column);
        let end = tokens
            .get(at.saturating_sub(1))
            .map_or(token.end, |last| last.end.max(token.end));
        let (line, value) = (token.line, token.value.clone());
        entries.push(Entry {
            key,
            line,
            column,
            end,
            value,
            children,
        });
    }
    entries
}

/// Passes over what is nested deeper and is neither key nor item.
fn skip_deeper(tokens: &[Token], at: &mut usize, column: usize) {
    while tokens.get(*at).is_some_and(|token| token.column > column) {
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use stackseal_core::Limits;

    use super::*;

    fn shape(entries: &[Entry]) -> String {
        let one = |entry: &Entry| {
            let key = entry.key.as_deref().unwrap_or("-");
            let inner = shape(&entry.children);
            format!(
                "{key}@{}..{}{}",
                entry.line,
                entry.end,
                if inner.is_empty() {
                    inner
                } else {
                    format!("({inner})")
                }
            )
        };
        entries.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn outlined(text: &str) -> String {
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        shape(&outline(&document).children)
    }

    #[test]
    fn mappings_and_sequences_nest_by_column() {
        assert_eq!(
            outlined("a: 1\nb:\n  c: 2\n\n  # note\n  d:\n    - e: 3\n      f: 4\n    - g\nh: 5\n"),
            "a@0..1 b@1..9(c@2..3 d@5..9(-@6..8(e@6..7 f@7..8) -@8..9)) h@9..10"
        );
        assert_eq!(
            outlined("a:\n- b: 1\n- c: 2\nd: 3\n"),
            "a@0..3(-@1..2(b@1..2) -@2..3(c@2..3)) d@3..4"
        );
    }

    #[test]
    fn values_of_several_lines_are_opaque() {
        assert_eq!(
            outlined(
                "a: |\n  b: 1\n  - c\nd: >-\n\n  e:\nf: g\n  h\ni: [1,\n  {j: ']'}, # x: ]\n  2]\nk: \"l\n  m: n\"\no: 1\n"
            ),
            "a@0..3 d@3..6 f@6..8 i@8..11 k@11..13 o@13..14"
        );
    }

    #[test]
    fn the_value_ends_before_its_comment() {
        let text = "a: 'x # y' # z\nb: [c, \"d # e\"] # f\ng: h#i\n";
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        let values: Vec<_> = outline(&document)
            .children
            .into_iter()
            .map(|e| text[e.value].to_owned())
            .collect();
        assert_eq!(values, ["'x # y'", "[c, \"d # e\"]", "h#i"]);
    }

    #[test]
    fn quoted_keys_and_windows_lines_are_read() {
        assert_eq!(
            outlined("\"a b\": 1\r\n'c':\r\n  - d: \"e: f\"\r\n"),
            "a b@0..1 c@1..3(-@2..3(d@2..3))"
        );
    }
}
