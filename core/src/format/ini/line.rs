//! One line of INI: where its key and its value stand, and what the reference overlooks beside them.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

use crate::format::parts::Style;

/// What begins a comment, anywhere outside of quotes.
pub(super) const MARKS: [char; 2] = ['#', ';'];

/// What stands between key and value, whichever comes first.
const DELIMITERS: [char; 2] = ['=', ':'];

pub(super) const TRIPLE: &str = "\"\"\"";

/// The key of a line.
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    /// Where the value may begin, from the start of the line.
    pub(super) after: usize,
    /// Whether something stands between the closing quote and the delimiter.
    pub(super) overlooks: bool,
}

/// A value and the lines that it takes.
pub(super) struct Found<'a> {
    /// Quotes included.
    pub(super) span: Range<usize>,
    /// `Block` for quotes that may span lines.
    pub(super) style: Style,
    pub(super) value: Cow<'a, str>,
    /// From the mark to the end of the line.
    pub(super) comment: Option<Range<usize>>,
    /// Whether something stands behind the closing quote that is no comment to the reference.
    pub(super) overlooks: bool,
    /// Whether it goes on in another line without quotes.
    pub(super) continues: bool,
    /// Where the next line begins.
    pub(super) end: usize,
}

/// Why a line has no key.
#[derive(Clone, Copy)]
pub(super) enum NoKey {
    Delimiter,
    Name,
    Quote,
}

/// Reads the key of a line without its indentation.
pub(super) fn key(line: &str) -> Result<Key<'_>, NoKey> {
    let quote = if line.starts_with(TRIPLE) && line.len() > 2 * TRIPLE.len() {
        TRIPLE
    } else {
        ["\"", "`"]
            .into_iter()
            .find(|quote| line.starts_with(quote))
            .unwrap_or_default()
    };
    let start = quote.len();
    let inner = line.get(start..).unwrap_or_default();
    let (name, close) = if quote.is_empty() {
        ("", 0)
    } else {
        let close = inner.find(quote).ok_or(NoKey::Quote)?;
        (
            inner.get(..close).unwrap_or_default(),
            start + close + quote.len(),
        )
    };
    let rest = line.get(close..).unwrap_or_default();
    let delimiter = rest.find(DELIMITERS).ok_or(NoKey::Delimiter)?;
    let between = rest.get(..delimiter).unwrap_or_default().trim();
    let (name, overlooks) = if quote.is_empty() {
        (between, false)
    } else {
        (name.trim(), !between.is_empty())
    };
    if name.is_empty() {
        return Err(NoKey::Name);
    }
    Ok(Key {
        name,
        after: close + delimiter + 1,
        overlooks,
    })
}

/// Reads the value that begins at `from`, in the line that ends at `line_end`, its line break included. `None` when
/// a quote is not closed.
pub(super) fn value(text: &str, from: usize, line_end: usize) -> Option<Found<'_>> {
    let rest = text.get(from..line_end)?;
    let lead = rest.trim_start();
    let start = line_end - lead.len();
    if lead.is_empty() {
        // Where a value would stand.
        let at = from + usize::from(rest.starts_with(' '));
        return Some(plain(at..at, Style::Plain, "", line_end));
    }
    if lead.starts_with(TRIPLE) && lead.len() > TRIPLE.len() {
        return quoted(text, start, TRIPLE, line_end);
    }
    if lead.starts_with('`') {
        return quoted(text, start, "`", line_end);
    }
    let body = lead.trim_end();
    if body.ends_with('\\') {
        return Some(continued(text, start..start + body.len(), line_end));
    }
    let mark = body.find(MARKS);
    let comment = mark.map(|mark| start + mark..start + body.len());
    let body = body.get(..mark.unwrap_or(body.len()))?.trim_end();
    let (style, inner) = surrounded(body);
    let span = start..start + body.len();
    Some(Found {
        comment,
        ..plain(span, style, inner, line_end)
    })
}

fn plain(span: Range<usize>, style: Style, value: &str, end: usize) -> Found<'_> {
    Found {
        span,
        style,
        value: Cow::Borrowed(value),
        comment: None,
        overlooks: false,
        continues: false,
        end,
    }
}

/// A value in quotes is taken as it is when these are the only ones of their kind.
fn surrounded(body: &str) -> (Style, &str) {
    for (quote, style) in [('\'', Style::Single), ('"', Style::Double)] {
        let inner = body
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return (style, inner);
        }
    }
    (Style::Plain, body)
}

/// The closing quote is the last of the first line that has one; what follows it on the first line is overlooked.
fn quoted<'a>(text: &'a str, start: usize, quote: &str, line_end: usize) -> Option<Found<'a>> {
    let inner = start + quote.len();
    if let Some(close) = text.get(inner..line_end)?.rfind(quote) {
        let span = start..inner + close + quote.len();
        let overlooks = !text.get(span.end..line_end)?.trim().is_empty();
        let value = text.get(inner..inner + close)?;
        return Some(Found {
            overlooks,
            ..plain(span, Style::Block, value, line_end)
        });
    }
    let mut line_start = line_end;
    loop {
        let line = text.get(line_start..)?.split_inclusive('\n').next()?;
        let line_end = line_start + line.len();
        let close = line.rfind(quote);
        let end = close.map_or(line_start, |close| line_start + close + quote.len());
        let rest = text.get(end..line_end)?.trim_end();
        // Since ini 1.67.1 a backslash at the end of the line takes the closing quote back.
        if let Some(close) = close.filter(|_| !rest.ends_with('\\')) {
            let value = text.get(inner..line_start + close)?;
            let mark = rest.find(MARKS);
            let overlooked = rest.get(..mark.unwrap_or(rest.len()))?;
            return Some(Found {
                comment: mark.map(|mark| end + mark..end + rest.len()),
                overlooks: !overlooked.trim().is_empty(),
                ..plain(start..end, Style::Block, value, line_end)
            });
        }
        line_start = line_end;
    }
}

/// Lines that end in a backslash are joined, each without blanks around; comments are not looked for.
fn continued(text: &str, first: Range<usize>, line_end: usize) -> Found<'_> {
    let mut value = String::from(text.get(first.clone()).unwrap_or_default());
    value.pop();
    let mut span = first;
    let mut end = line_end;
    let rest = text.get(line_end..).unwrap_or_default();
    for line in rest.split_inclusive('\n') {
        let next = line.trim();
        let lead = line.len() - line.trim_start().len();
        if !next.is_empty() {
            span.end = end + lead + next.len();
        }
        end += line.len();
        value.push_str(next);
        if next.is_empty() || !value.ends_with('\\') {
            break;
        }
        value.pop();
    }
    Found {
        span,
        style: Style::Plain,
        value: Cow::Owned(value),
        comment: None,
        overlooks: false,
        continues: true,
        end,
    }
}
