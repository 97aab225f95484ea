//! Text for values: what the reference prints (Go's `encoding/json`, which also escapes what HTML minds).

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::format::Edit;
use crate::format::parts::Scalar;
use crate::number::json;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// What to replace so that a sealed value stands in the place of a value.
pub(crate) fn sealed(enc: &str, at: &Scalar) -> Vec<Edit> {
    vec![(at.span.range(), string(enc))]
}

/// What to replace so that an opened value stands in the place of its sealed form.
///
/// # Errors
/// `value-not-representable`.
pub(crate) fn opened(value: &Value, at: &Scalar) -> Result<Vec<Edit>, Error> {
    let text = match value {
        // Laid out anew such bytes are lost, and said to be; in place they must come back.
        Value::Bytes(_) => Err(Error::input(
            ErrorCode::ValueNotRepresentable,
            "bytes that are no text were sealed here, and JSON has no form for them; seal them as text, such as base64",
        )),
        value => scalar(value),
    };
    let text = text.map_err(|error| error.at_line(at.line).at_path(&at.path))?;
    Ok(vec![(at.span.range(), text)])
}

/// A float as JSON has it; `None` for what is no number or infinite.
fn number(value: f64) -> Option<String> {
    value.is_finite().then(|| json(value))
}

/// A string with its quotes.
pub(crate) fn string(text: &str) -> String {
    quoted(core::iter::once((text, 0)))
}

/// Bytes that are no UTF-8: what does not decode is lost, byte for byte, as with the reference.
fn bytes(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks();
    quoted(chunks.map(|chunk| (chunk.valid(), chunk.invalid().len())))
}

/// Pieces of text, each with the number of undecodable bytes that follow it.
fn quoted<'a>(pieces: impl Iterator<Item = (&'a str, usize)> + Clone) -> String {
    // Room is taken once: text that grows leaves copies of itself behind.
    let lengths = pieces.clone().map(|(text, lost)| {
        let runs = runs(text)
            .map(|(run, next)| run.len() + next.map_or(0, |next| escape(next).length(next)));
        runs.sum::<usize>() + lost * 6
    });
    let mut out = String::with_capacity(lengths.sum::<usize>() + 2);
    out.push('"');
    for (text, lost) in pieces {
        for (run, next) in runs(text) {
            out.push_str(run);
            let Some(next) = next else { continue };
            match escape(next) {
                Escape::Code => write!(out, "\\u{:04x}", u32::from(next)).unwrap_or_default(),
                Escape::Letter(letter) => out.extend(['\\', letter]),
                Escape::No => out.push(next),
            }
        }
        for _ in 0..lost {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
    out
}

/// Runs of text that need no escape, each with the character behind it, which may: most strings are one run.
fn runs(mut rest: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    core::iter::from_fn(move || {
        let may_need_escape = |byte| MAY_NEED_ESCAPE.get(usize::from(byte)) == Some(&true);
        let end = rest.bytes().position(may_need_escape);
        let (run, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let mut chars = behind.chars();
        let next = chars.next();
        rest = chars.as_str();
        (!run.is_empty() || next.is_some()).then_some((run, next))
    })
}

/// Whether a byte begins a character that may need an escape.
#[expect(
    clippy::indexing_slicing,
    reason = "a constant that panics does not compile"
)]
static MAY_NEED_ESCAPE: [bool; 256] = {
    let mut may_need = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        may_need[byte] = true;
        byte += 1;
    }
    // 0xe2 begins the line and paragraph separators.
    let others = *b"\"\\<>&\xe2";
    let mut at = 0;
    while at < others.len() {
        may_need[others[at] as usize] = true;
        at += 1;
    }
    may_need
};

/// How a character is written in a string.
enum Escape {
    /// `\u` and four digits.
    Code,
    /// A backslash and this.
    Letter(char),
    No,
}

impl Escape {
    fn length(&self, c: char) -> usize {
        match self {
            Self::Code => 6,
            Self::Letter(_) => 2,
            Self::No => c.len_utf8(),
        }
    }
}

fn escape(c: char) -> Escape {
    match c {
        '"' | '\\' => Escape::Letter(c),
        '\u{8}' => Escape::Letter('b'),
        '\u{c}' => Escape::Letter('f'),
        '\n' => Escape::Letter('n'),
        '\r' => Escape::Letter('r'),
        '\t' => Escape::Letter('t'),
        '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => Escape::Code,
        _ => Escape::No,
    }
}

fn scalar(value: &Value) -> Result<String, Error> {
    Ok(match value {
        Value::Boolean(true) => "true".to_owned(),
        Value::Boolean(false) => "false".to_owned(),
        Value::Bytes(content) => bytes(content),
        Value::Float(float) => number(*float).ok_or_else(|| {
            Error::input(
                ErrorCode::ValueNotRepresentable,
                "JSON has no form for an infinite number or NaN; write it as text, or take another format",
            )
        })?,
        Value::Integer(integer) => integer.to_string(),
        Value::Null => "null".to_owned(),
        Value::String(text) | Value::Time(text) => string(text),
    })
}

/// What stands between the parts of an object or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout<'a> {
    /// `None` when everything stands on one line.
    pub(crate) lines: Option<Lines<'a>>,
    /// After the comma of what stands on one line.
    pub(crate) comma: &'a str,
    /// After the colon.
    pub(crate) colon: &'a str,
}

/// One item a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lines<'a> {
    pub(crate) newline: &'a str,
    /// Before the closing bracket of the outermost object or list.
    pub(crate) indent: &'a str,
    /// What each level has more.
    pub(crate) unit: &'a str,
}

impl Lines<'_> {
    /// As the reference writes: a tab for each level.
    pub(crate) const REFERENCE: Lines<'static> = Lines {
        newline: "\n",
        indent: "",
        unit: "\t",
    };
}

impl Layout<'_> {
    /// As the reference writes.
    pub(crate) const REFERENCE: Layout<'static> = Layout {
        lines: Some(Lines::REFERENCE),
        comma: "",
        colon: " ",
    };

    fn break_line(&self, depth: usize, out: &mut String) {
        if let Some(lines) = &self.lines {
            out.push_str(lines.newline);
            out.push_str(lines.indent);
            for _ in 0..depth {
                out.push_str(lines.unit);
            }
        }
    }

    fn end_item(&self, out: &mut String) {
        out.push(',');
        if self.lines.is_none() {
            out.push_str(self.comma);
        }
    }
}

/// The text of a tree, without a line break at its end. Comments have no form in JSON.
///
/// # Errors
/// `value-not-representable`, with the key's name.
pub(crate) fn render(node: &Node, layout: &Layout<'_>) -> Result<Zeroizing<String>, Error> {
    let mut out = Zeroizing::new(String::new());
    // Collections that are open: what is left of them, whether anything was written, the closing bracket.
    let mut open = Vec::new();
    if let Some(entries) = begin(node, &mut out)? {
        open.push((entries.0.iter(), true, entries.1));
    }
    while let Some((entries, first, end)) = open.last_mut() {
        let (end, was_first) = (*end, *first);
        let next = entries.find_map(|entry| match entry {
            Entry::Comment(_) => None,
            Entry::Item { key, node } => Some((key, node)),
        });
        let Some((key, node)) = next else {
            open.pop();
            if !was_first {
                layout.break_line(open.len(), &mut out);
            }
            out.push(end);
            continue;
        };
        *first = false;
        if !was_first {
            layout.end_item(&mut out);
        }
        layout.break_line(open.len(), &mut out);
        if let Some(key) = key {
            out.push_str(&string(key));
            out.push(':');
            out.push_str(layout.colon);
        }
        let begun = begin(node, &mut out).map_err(|error| match key {
            Some(key) => error.at_path(key),
            None => error,
        })?;
        if let Some((entries, end)) = begun {
            open.push((entries.iter(), true, end));
        }
    }
    Ok(out)
}

/// Writes a leaf, or the opening bracket of a collection, whose entries and closing bracket come back.
fn begin<'a>(node: &'a Node, out: &mut String) -> Result<Option<(&'a [Entry], char)>, Error> {
    match node {
        Node::Leaf(value) => {
            out.push_str(&Zeroizing::new(scalar(value)?));
            Ok(None)
        }
        Node::List(entries) => {
            out.push('[');
            Ok(Some((entries, ']')))
        }
        Node::Mapping(entries) => {
            out.push('{');
            Ok(Some((entries, '}')))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::format::json::parse;
    use crate::format::parts::Item;
    use crate::limits::Limits;

    fn place() -> Scalar {
        let parsed = parse(&r#"{"a": {"b": "ENC[x]"}}"#.into(), &Limits::default()).unwrap();
        match parsed.documents[0].items.first().unwrap() {
            Item::Scalar(scalar) => scalar.clone(),
            Item::Comment(_) => unreachable!(),
        }
    }

    #[test]
    fn text_is_escaped_as_the_reference_does() {
        for (text, quoted) in [
            ("", r#""""#),
            ("a\"b\\c/d'e", r#""a\"b\\c/d'e""#),
            ("\n\r\t\u{8}\u{c}", r#""\n\r\t\b\f""#),
            (
                "\0\u{1}\u{7}\u{b}\u{1b}\u{1f}",
                r#""\u0000\u0001\u0007\u000b\u001b\u001f""#,
            ),
            ("<b>&amp;</b>", r#""\u003cb\u003e\u0026amp;\u003c/b\u003e""#),
            ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
            ("a€…b\u{2027}", "\"a€…b\u{2027}\""),
            (
                "\u{7f}\u{85}\u{a0}\u{feff}é😀\u{fffd}",
                "\"\u{7f}\u{85}\u{a0}\u{feff}é😀\u{fffd}\"",
            ),
        ] {
            assert_eq!(string(text), quoted);
            assert_eq!(string(text).capacity(), quoted.len(), "{quoted}");
        }
    }

    #[test]
    fn undecodable_bytes_are_replaced_one_by_one() {
        for (content, quoted) in [
            (&b"\xff"[..], r#""\ufffd""#),
            (
                b"\xfb\xe2\x82\xa1\xf0\x9f\0",
                "\"\\ufffd₡\\ufffd\\ufffd\\u0000\"",
            ),
            (b"a\xed\xa0\x80<", r#""a\ufffd\ufffd\ufffd\u003c""#),
            (b"\xf0\x9f\x98\x80\xe2\x82", "\"😀\\ufffd\\ufffd\""),
        ] {
            assert_eq!(bytes(content), quoted);
            assert_eq!(bytes(content).capacity(), quoted.len());
        }
    }

    #[test]
    fn values_are_printed_as_the_reference_prints_them() {
        let time = "2001-12-14T21:59:43.1-05:00";
        for (value, text) in [
            (Value::Boolean(true), "true"),
            (Value::Boolean(false), "false"),
            (Value::Null, "null"),
            (Value::Integer(i64::MIN), "-9223372036854775808"),
            (Value::Integer(9_007_199_254_740_993), "9007199254740993"),
            (Value::Float(1.0), "1"),
            (Value::Float(-0.0), "-0"),
            (Value::Float(1e21), "1e+21"),
            (Value::Float(1e-7), "1e-7"),
            (Value::string("x"), r#""x""#),
            (Value::Time(time.into()), &format!("\"{time}\"")),
        ] {
            let at = place();
            assert_eq!(
                opened(&value, &at).unwrap(),
                [(at.span.range(), text.to_owned())]
            );
        }
    }

    #[test]
    fn what_json_has_no_form_for_is_refused_with_its_place() {
        let floats = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert!(floats.iter().all(|float| number(*float).is_none()));
        let bytes = Value::bytes(vec![0xff]);
        for value in floats.map(Value::Float).iter().chain([&bytes]) {
            let error = opened(value, &place()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValueNotRepresentable);
            let fault = error.fault().unwrap();
            assert_eq!((fault.line, fault.path.as_deref()), (Some(1), Some("a.b")));
        }
    }

    #[test]
    fn a_sealed_value_stands_in_quotes() {
        let at = place();
        let edits = sealed("ENC[AES256_GCM,data:a+/=]\"", &at);
        assert_eq!(
            edits,
            [(
                at.span.range(),
                r#""ENC[AES256_GCM,data:a+/=]\"""#.to_owned()
            )]
        );
    }

    fn tree() -> Node {
        let item = |key: &str, node| Entry::Item {
            key: Some(key.into()),
            node,
        };
        let leaf = |value| Node::Leaf(value);
        Node::Mapping(vec![
            Entry::Comment(" lost".into()),
            item("a<", leaf(Value::Float(1.5))),
            item("none", Node::List(vec![Entry::Comment("".into())])),
            item(
                "list",
                Node::List(vec![
                    Entry::Item {
                        key: None,
                        node: leaf(Value::string("x")),
                    },
                    Entry::Item {
                        key: None,
                        node: Node::Mapping(vec![
                            item("k", leaf(Value::Null)),
                            item("k", leaf(Value::Boolean(true))),
                        ]),
                    },
                ]),
            ),
            item("empty", Node::Mapping(Vec::new())),
        ])
    }

    #[test]
    fn a_tree_is_laid_out_as_the_reference_does() {
        let text = render(&tree(), &Layout::REFERENCE).unwrap();
        let expected = "{\n\t\"a\\u003c\": 1.5,\n\t\"none\": [],\n\t\"list\": [\n\
                        \t\t\"x\",\n\t\t{\n\t\t\t\"k\": null,\n\
                        \t\t\t\"k\": true\n\t\t}\n\t],\n\t\"empty\": {}\n}";
        assert_eq!(text.as_str(), expected);
    }

    #[test]
    fn a_tree_fits_on_a_line() {
        let layout = Layout {
            lines: None,
            comma: " ",
            colon: "",
        };
        let text = render(&tree(), &layout).unwrap();
        let expected =
            r#"{"a\u003c":1.5, "none":[], "list":["x", {"k":null, "k":true}], "empty":{}}"#;
        assert_eq!(text.as_str(), expected);
        assert_eq!(
            render(&Node::Leaf(Value::Null), &layout).unwrap().as_str(),
            "null"
        );
    }

    #[test]
    fn a_tree_of_any_depth_is_written_without_recursion() {
        let mut node = Node::Leaf(Value::Null);
        for _ in 0..1000 {
            node = Node::List(vec![Entry::Item { key: None, node }]);
        }
        let layout = Layout {
            lines: None,
            ..Layout::REFERENCE
        };
        let text = render(&node, &layout).unwrap();
        assert_eq!(text.len(), 2004);
    }

    #[test]
    fn a_tree_with_what_json_cannot_say_is_refused_by_key() {
        let node = Node::Mapping(vec![Entry::Item {
            key: Some("k".into()),
            node: Node::Leaf(Value::Float(f64::NAN)),
        }]);
        let error = render(&node, &Layout::REFERENCE).unwrap_err();
        assert_eq!(error.fault().unwrap().path.as_deref(), Some("k"));
    }
}
