//! What go-yaml cannot load, or reads differently, though the parser takes it: measured against
//! SOPS 3.11. Each function gives the place and a message.

/// Where something stands that keeps a text from being sealed, and why.
pub(crate) type Found = (usize, &'static str);

const TAB: &str = "a tab stands where YAML readers expect spaces; replace it with spaces";

/// Line breaks to go-yaml, but to no other reader; a carriage return alone is one of some.
pub(crate) fn line_break(text: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    // Most texts have none of these, which is told many bytes at a time.
    let is_odd = |byte: u8| matches!(byte, b'\r' | 0xc2 | 0xe2);
    if !bytes.iter().fold(false, |odd, byte| odd | is_odd(*byte)) {
        return None;
    }
    bytes.iter().enumerate().find_map(|(at, byte)| {
        let next = |count: usize| bytes.get(at + count).copied().unwrap_or_default();
        match byte {
            b'\r' if next(1) != b'\n' => Some((
                at,
                "a line ends in a carriage return alone; use one kind of line break",
            )),
            0xc2 if next(1) == 0x85 => Some((at, UNICODE_BREAK)),
            0xe2 if next(1) == 0x80 && matches!(next(2), 0xa8 | 0xa9) => Some((at, UNICODE_BREAK)),
            _ => None,
        }
    })
}

/// The words for U+0085, U+2028 and U+2029.
const UNICODE_BREAK: &str = "the character U+0085, U+2028 or U+2029 stands here, which only some YAML readers take for a line break; remove it, or write \\N, \\L or \\P in double quotes";

/// What stands between two documents, or before the first: directives, markers, comments.
pub(crate) fn prologue(
    text: &str,
    from: usize,
    to: usize,
    first: bool,
    explicit: bool,
) -> Option<Found> {
    if !first && !explicit {
        return Some((to, "a document begins without ---; add it"));
    }
    let mut at = from;
    for line in text.get(from..to)?.split_inclusive('\n') {
        let here = at;
        at += line.len();
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if here == 0 => rest,
            _ => line,
        };
        if line.trim_start_matches([' ', '\t']).starts_with('\u{feff}') {
            return Some((here, "a byte order mark stands inside the text; remove it"));
        }
        if first && line.starts_with("...") {
            return Some((
                here,
                "a document ends here before one begins; remove the ...",
            ));
        }
        if here > 0 && text.as_bytes().get(here - 1) != Some(&b'\n') {
            continue;
        }
        let mut words = line.split_ascii_whitespace();
        let fine = match words.next() {
            Some("%YAML") => words.next() == Some("1.1"),
            Some("%TAG") => true,
            _ => !line.starts_with('%'),
        };
        if !fine {
            return Some((
                here,
                "a line begins with % and is no directive that all YAML readers take; put it in quotes, or remove it",
            ));
        }
    }
    None
}

/// What stands between two tokens in block context.
///
/// `indent` is the column of the collection around a plain scalar that ends at `from`: behind one,
/// lines of blanks may hold tabs further right.
pub(crate) fn gap(text: &str, from: usize, to: usize, indent: Option<usize>) -> Option<Found> {
    let mut lead = from == 0;
    let mut behind_plain = indent;
    let mut column = 0;
    for (at, byte) in text.get(from..to)?.bytes().enumerate() {
        match byte {
            b'\n' => {
                lead = true;
                column = 0;
                continue;
            }
            b' ' | b'\r' | 0xef | 0xbb | 0xbf => {}
            b'\t' => {
                let harmless = behind_plain.is_some_and(|indent| column > indent);
                if lead && !harmless {
                    return Some((from + at, TAB));
                }
            }
            b'-' | b'?' | b':' => behind_plain = None,
            _ => {
                lead = false;
                behind_plain = None;
            }
        }
        column += 1;
    }
    None
}

/// What stands between two tokens in brackets: behind a tab that begins a line, text could be read
/// but not be replaced.
pub(crate) fn flow_gap(text: &str, from: usize, to: usize) -> Option<Found> {
    let (lines, lead) = text.get(from..to)?.rsplit_once('\n')?;
    let tab = lead.find('\t')?;
    Some((from + lines.len() + 1 + tab, TAB))
}

/// The lines of a plain scalar after its first.
pub(crate) fn plain(text: &str, from: usize, to: usize, indent: usize) -> Option<Found> {
    let mut at = from;
    for (number, line) in text.get(from..to)?.split_inclusive('\n').enumerate() {
        let blanks = line.bytes().take_while(|byte| *byte == b' ').count();
        if number > 0 && blanks <= indent && line.as_bytes().get(blanks) == Some(&b'\t') {
            return Some((at + blanks, TAB));
        }
        at += line.len();
    }
    None
}

/// A plain scalar in `[…]` or `{…}`; `source` is its text, `rest` what follows it.
pub(crate) fn flow_plain(source: &str, rest: &str) -> Option<&'static str> {
    let mut rest = rest.chars();
    let colon = rest.next() == Some(':')
        && rest
            .next()
            .is_some_and(|next| matches!(next, ',' | '[' | ']' | '{' | '}'));
    (colon || source.contains('?') || source.starts_with(':')).then_some(
        "a question mark or colon in brackets is read differently by YAML readers; put the text in quotes",
    )
}

/// The lead of a block scalar whose header states no indentation.
pub(crate) fn block(text: &str, from: usize, to: usize) -> Option<Found> {
    let source = text.get(from..to)?;
    let (header, body) = source.split_once('\n')?;
    let mut marks = header.bytes().skip(1);
    if marks
        .by_ref()
        .take(2)
        .take_while(|byte| !byte.is_ascii_whitespace())
        .any(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let at = body
        .bytes()
        .position(|byte| !matches!(byte, b' ' | b'\r' | b'\n'))?;
    (body.as_bytes().get(at) == Some(&b'\t')).then_some((from + header.len() + 1 + at, TAB))
}

/// Escapes in double quotes that go-yaml does not know.
pub(crate) fn escapes(text: &str, from: usize, to: usize) -> Option<Found> {
    let source = text.get(from..to)?;
    let mut at = 0;
    while let Some(found) = source.get(at..)?.find('\\') {
        let rest = source.get(at + found + 1..)?;
        let surrogate = rest.starts_with(['u'])
            && rest.get(1..3).is_some_and(|head| {
                head.starts_with(['d', 'D'])
                    && head.ends_with([
                        '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'A', 'B', 'C', 'D', 'E', 'F',
                    ])
            });
        if surrogate || rest.starts_with('/') {
            return Some((
                from + at + found,
                "an escape stands here that not all YAML readers know; write the character itself",
            ));
        }
        at += found + 1 + rest.chars().next().map_or(0, char::len_utf8);
    }
    None
}
