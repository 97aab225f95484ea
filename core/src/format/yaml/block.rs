//! Where a block scalar begins and ends in the text.
//!
//! The parser's span covers the content alone; replacing the value means replacing from the `|` or
//! `>` of the header to the last line that belongs to the value, without its line break.

use core::ops::Range;

/// Span from the header's indicator to the end of the value, without the last line break.
///
/// `content` is the parser's span, `after` the end of whatever stands before the scalar,
/// `keeps` whether trailing blank lines belong to the value (`+`).
pub(crate) fn span(text: &str, content: &Range<usize>, after: usize) -> Option<Range<usize>> {
    let header = header_start(text, after)?;
    let header_end = line_end(text, header);
    let keeps = text
        .get(header..header_end)?
        .split(" #")
        .next()?
        .contains('+');
    let body_end = content.end.min(text.len()).max(header_end);
    let body = text.get(header_end..body_end)?;
    let end = if keeps {
        // All blank lines that follow belong to the value.
        let mut end = body_end;
        for line in text.get(body_end..)?.split_inclusive('\n') {
            if !line.trim_matches(['\n', '\r', ' ', '\t']).is_empty() {
                break;
            }
            end += line.len();
        }
        let whole = text.get(header_end..end)?;
        // The last line may be the indentation of what follows.
        let cut = whole.rfind('\n').filter(|at| {
            whole
                .get(at + 1..)
                .is_some_and(|rest| rest.trim().is_empty())
        });
        header_end
            + cut.map_or(whole.len(), |at| {
                if whole.get(..at).is_some_and(|w| w.ends_with('\r')) {
                    at - 1
                } else {
                    at
                }
            })
    } else {
        // The parser may run into the indentation of what follows; lines of blanks may be content.
        let (whole, rest) = body.rsplit_once('\n').unwrap_or((body, ""));
        let lines = if rest.trim().is_empty() { whole } else { body };
        header_end + lines.trim_end_matches(['\n', '\r']).len()
    };
    // A value of blank lines alone still ends at its header.
    let end = end.max(trimmed(text, header, header_end));
    // A line that ends in blanks belongs to the value whole.
    let end = if end > header_end {
        line_end(text, end).max(end)
    } else {
        end
    };
    Some(header..end)
}

/// The indicator is the first `|` or `>` after the properties and comments that precede the scalar.
fn header_start(text: &str, after: usize) -> Option<usize> {
    let mut at = after;
    let bytes = text.as_bytes();
    loop {
        match bytes.get(at)? {
            b'|' | b'>' => return Some(at),
            b'#' => at = line_end(text, at),
            // `&anchor` and `!tag` run to the next blank.
            b'&' | b'!' => {
                while !matches!(bytes.get(at)?, b' ' | b'\n' | b'\t' | b'\r') {
                    at += 1;
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' | b':' | b'-' | b'?' => at += 1,
            _ => return None,
        }
    }
}

/// Where the line ends, before its line break.
pub(crate) fn line_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    from + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The number of the line at an offset, from 1.
pub(crate) fn line_number(text: &[u8], at: usize) -> usize {
    let before = text.iter().take(at);
    before.filter(|&&byte| byte == b'\n').count() + 1
}

/// Where the line begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}

fn trimmed(text: &str, from: usize, to: usize) -> usize {
    from + text.get(from..to).map_or(0, |line| line.trim_end().len())
}

/// Whether the last line of a block scalar with nothing behind it, not even a line break, is a line of the value: blanks
/// that reach no further than its indentation are none. `column` is that of the collection that the scalar stands in.
pub(crate) fn last_line_counts(block: &str, column: usize) -> bool {
    let (_, body) = block.split_once('\n').unwrap_or((block, ""));
    let last = body.rsplit('\n').next().unwrap_or_default();
    if !last.trim().is_empty() || !body.contains('\n') {
        // One line alone is empty, however many blanks it has: the parser takes it for a line break.
        return true;
    }
    let (_, indent) = indentation(block, column);
    indent.is_some_and(|indent| blanks(last) > indent)
}

/// The indentation that a block scalar's header tells, and the column in which its lines begin, if the header or a line
/// with text tells it. `column` is that of the collection that the scalar stands in.
pub(crate) fn indentation(block: &str, column: usize) -> (Option<usize>, Option<usize>) {
    let (header, body) = block.split_once('\n').unwrap_or((block, ""));
    let digit = header
        .chars()
        .skip(1)
        .take_while(|c| matches!(c, '+' | '-' | '0'..='9'))
        .find_map(|c| c.to_digit(10))
        .and_then(|digit| usize::try_from(digit).ok());
    let first = body.lines().find(|line| !line.trim().is_empty());
    (
        digit,
        digit.map(|digit| column + digit).or(first.map(blanks)),
    )
}

fn blanks(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
