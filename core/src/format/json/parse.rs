//! From JSON text to leaves in order, each with its path and byte span. No recursion: open objects and lists wait on
//! a stack of their own.

use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::block::KEY;
use super::scan::{Scanner, syntax};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{
    Collection, Item, Obstacle, Parsed, Remedy, Root, Scalar, Style, TopKey,
};
use crate::limits::Limits;
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::value::Value;

/// Parses a text.
///
/// What follows the object is an obstacle: the reference drops it when it encrypts, and refuses it when it decrypts.
pub(crate) fn parse(text: &Text, limits: &Limits) -> Result<Parsed, Error> {
    let mut builder = Builder {
        text,
        scanner: Scanner::new(text),
        limits,
        root: Root::default(),
        frames: Vec::new(),
        nodes: 0,
    };
    builder.top(text)?;
    while !builder.frames.is_empty() {
        builder.step()?;
    }
    let Builder {
        mut scanner, root, ..
    } = builder;
    let mut obstacles = Vec::new();
    if scanner.next_token().is_some() {
        obstacles.push(Obstacle {
            code: ErrorCode::LayoutUnsupported,
            line: scanner.line(),
            message: "something stands after the object, which a sealed file cannot keep; remove it",
            remedy: Remedy::Rewrite,
        });
    }
    let other_case = root.keys.iter().find(|key| is_key_in_other_case(&key.name));
    obstacles.extend(other_case.map(|key| Obstacle {
        code: ErrorCode::LayoutUnsupported,
        line: key.line,
        message: "a top key differs from sops in its case alone, so sops would take it for the block; rename it",
        remedy: Remedy::None,
    }));
    Ok(Parsed {
        documents: alloc::vec![root],
        obstacles,
    })
}

/// Whether the reference would take a key for that of the block.
fn is_key_in_other_case(name: &str) -> bool {
    name != KEY && crate::metadata::folded(name).eq(KEY.chars())
}

fn limit(message: impl core::fmt::Display, line: usize) -> Error {
    Error::input(ErrorCode::LimitExceeded, message).at_line(line)
}

/// An open object or list.
struct Frame {
    path: Path,
    kind: Kind,
    expects: Expects,
}

enum Kind {
    /// The number of its next item, and its own among the collections.
    List { next: usize, collection: usize },
    /// The key whose value comes next.
    Object { key: Option<Text> },
}

/// What may come next in an object or list, besides blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expects {
    /// A comma, or the end.
    Comma,
    /// The first item, or the end.
    First,
    /// An item: a comma stood before it.
    Next,
}

struct Builder<'a> {
    text: &'a Text,
    scanner: Scanner<'a>,
    limits: &'a Limits,
    root: Root,
    frames: Vec<Frame>,
    nodes: usize,
}

impl Builder<'_> {
    fn top(&mut self, text: &str) -> Result<(), Error> {
        let message = match self.scanner.next_token() {
            Some(b'{') => return self.open(b'{', Path::default()),
            None => "the text is empty; JSON is at least {}",
            _ if text.starts_with('\u{feff}') => {
                "a byte order mark stands at the start, which JSON does not allow; save the file without it"
            }
            Some(b'[') => "the text is a list at the top; only an object can be sealed",
            Some(_) => "the text does not begin with {; only an object can be sealed",
        };
        Err(syntax(message, self.scanner.line()))
    }

    /// Reads one item, or what stands between two.
    fn step(&mut self) -> Result<(), Error> {
        let next = self.token()?;
        let line = self.scanner.line();
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        let is_object = matches!(frame.kind, Kind::Object { .. });
        let end = if is_object { b'}' } else { b']' };
        match frame.expects {
            Expects::Comma if next == b',' => {
                frame.expects = Expects::Next;
                self.scanner.skip();
                Ok(())
            }
            Expects::Comma | Expects::First if next == end => {
                self.close();
                Ok(())
            }
            Expects::Comma => Err(syntax(
                if is_object {
                    "a comma or } is missing after a value"
                } else {
                    "a comma or ] is missing after a value"
                },
                line,
            )),
            Expects::Next if next == end => Err(syntax(
                "a comma stands after the last item; remove it",
                line,
            )),
            Expects::First | Expects::Next => {
                frame.expects = Expects::Comma;
                if is_object {
                    self.key(next)?;
                }
                self.value()
            }
        }
    }

    /// The next byte after blanks. Where the text ends early the reference drops what was open; that is no JSON.
    fn token(&mut self) -> Result<u8, Error> {
        self.scanner.next_token().ok_or_else(|| {
            let message = "the text ends before its object does; a closing bracket is missing";
            syntax(message, self.scanner.line())
        })
    }

    fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!(
                "the text has more than {} keys and values; split it",
                self.limits.nodes
            );
            return Err(limit(message, self.scanner.line()));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(Range<usize>, Text), Error> {
        let (span, text) = self.scanner.string()?;
        let text = text.unwrap_or_else(|| self.text.part(span.start + 1..span.end - 1));
        Ok((span, text))
    }

    /// A key and its colon.
    fn key(&mut self, next: u8) -> Result<(), Error> {
        self.count()?;
        let line = self.scanner.line();
        if next != b'"' {
            return Err(syntax(
                "a key is missing; keys stand in double quotes",
                line,
            ));
        }
        let (span, name) = self.string()?;
        if name.len() > self.limits.key_bytes {
            let message = format!(
                "a key has more than {} bytes; shorten it",
                self.limits.key_bytes
            );
            return Err(limit(message, line));
        }
        if self.token()? != b':' {
            return Err(syntax(
                "a colon is missing after a key",
                self.scanner.line(),
            ));
        }
        self.scanner.skip();
        if self.frames.len() == 1 {
            self.top_key(name.clone(), span.start, line)?;
        }
        if let Some(Frame {
            kind: Kind::Object { key },
            ..
        }) = self.frames.last_mut()
        {
            *key = Some(name);
        }
        Ok(())
    }

    /// Keys may stand twice, but not that of the block: which one counts, readers disagree on.
    fn top_key(&mut self, name: Text, start: usize, line: usize) -> Result<(), Error> {
        let keys = &mut self.root.keys;
        if name.as_ref() == KEY && keys.iter().any(|key| key.name.as_ref() == KEY) {
            return Err(Error::input(
                ErrorCode::DuplicateKey,
                "this key stands twice at the top, where it may stand once; remove one",
            )
            .at_line(line)
            .at_path(KEY));
        }
        keys.push(TopKey {
            name,
            start,
            end: start,
            line,
        });
        Ok(())
    }

    /// The path of the value that comes next.
    fn path(&mut self) -> Path {
        let Some(frame) = self.frames.last_mut() else {
            return Path::default();
        };
        let segment = match &mut frame.kind {
            Kind::List { next, .. } => {
                *next += 1;
                Segment::Index(*next - 1)
            }
            Kind::Object { key } => Segment::Key(key.take().unwrap_or_default()),
        };
        frame.path.child(segment)
    }

    fn value(&mut self) -> Result<(), Error> {
        let next = self.token()?;
        let (start, line) = (self.scanner.at(), self.scanner.line());
        let path = self.path();
        let (span, value) = match next {
            bracket @ (b'{' | b'[') => return self.open(bracket, path),
            b'"' => {
                let (span, text) = self.string()?;
                (span, Value::String(text))
            }
            b'-' | b'0'..=b'9' => {
                let (span, number) = self
                    .scanner
                    .number()
                    .map_err(|error| error.at_path(&path))?;
                (span, Value::Float(number))
            }
            _ => {
                let value = if self.scanner.word("true") {
                    Value::Boolean(true)
                } else if self.scanner.word("false") {
                    Value::Boolean(false)
                } else if self.scanner.word("null") {
                    Value::Null
                } else {
                    return Err(syntax(
                        "a value is missing, or is none that JSON knows; text stands in double quotes",
                        line,
                    ));
                };
                (start..self.scanner.at(), value)
            }
        };
        self.scalar(path, span, line, value)
    }

    fn scalar(
        &mut self,
        path: Path,
        span: Range<usize>,
        line: usize,
        value: Value,
    ) -> Result<(), Error> {
        self.count()?;
        let length = value.as_str().map_or(span.len(), str::len);
        if length > self.limits.scalar_bytes {
            let message = format!("a value has more than {} bytes", self.limits.scalar_bytes);
            return Err(limit(message, line));
        }
        self.value_ends(span.end);
        let style = if matches!(value, Value::String(_)) {
            Style::Double
        } else {
            Style::Plain
        };
        self.root.items.push(Item::Scalar(Scalar {
            path,
            span: span.into(),
            line,
            style,
            flow: true,
            column: 0,
            tag: None,
            value,
        }));
        Ok(())
    }

    fn open(&mut self, bracket: u8, path: Path) -> Result<(), Error> {
        self.count()?;
        if self.frames.len() >= self.limits.depth {
            let message = format!(
                "the text is nested deeper than {} levels; flatten it",
                self.limits.depth
            );
            return Err(limit(message, self.scanner.line()));
        }
        let is_list = bracket == b'[';
        let collections = &mut self.root.collections;
        let kind = if is_list {
            Kind::List {
                next: 0,
                collection: collections.len(),
            }
        } else {
            Kind::Object { key: None }
        };
        collections.push(Collection {
            path: path.clone(),
            start: self.scanner.at(),
            items: is_list.then_some(0),
        });
        self.root.has_content = true;
        self.scanner.skip();
        self.frames.push(Frame {
            path,
            kind,
            expects: Expects::First,
        });
        Ok(())
    }

    fn close(&mut self) {
        self.root.end = self.scanner.at();
        self.scanner.skip();
        if let Some(Frame {
            kind: Kind::List { next, collection },
            ..
        }) = self.frames.pop()
            && let Some(list) = self.root.collections.get_mut(collection)
        {
            list.items = Some(next);
        }
        if !self.frames.is_empty() {
            self.value_ends(self.scanner.at());
        }
    }

    /// A value ends; it stands below the last key of the top object.
    fn value_ends(&mut self, end: usize) {
        if let Some(key) = self.root.keys.last_mut() {
            key.end = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::string::{String, ToString as _};

    use super::*;

    fn root(text: &str) -> Root {
        let parsed = parse(&text.into(), &Limits::default()).unwrap();
        assert_eq!(parsed.obstacles.len(), 0, "{text}");
        parsed.documents.into_iter().next().unwrap()
    }

    fn scalars(root: &Root) -> impl Iterator<Item = &Scalar> {
        root.items.iter().filter_map(|item| match item {
            Item::Scalar(scalar) => Some(scalar),
            Item::Comment(_) => None,
        })
    }

    fn refusal(text: &str) -> (ErrorCode, Option<usize>) {
        let error = parse(&text.into(), &Limits::default()).unwrap_err();
        (error.code(), error.fault().and_then(|fault| fault.line))
    }

    #[test]
    fn leaves_come_with_path_span_line_and_value() {
        let text = "{\"a\": 1.50,\n \"b\" :{ \"\": [true, \"x\\ty\",\r\n[null]], \"ü\": -0}, \"c\": false}\n";
        let root = root(text);
        let found: Vec<_> = scalars(&root)
            .map(|at| {
                (
                    at.path.to_string(),
                    &text[at.span.range()],
                    at.line,
                    at.style,
                )
            })
            .collect();
        let expected = [
            ("a", "1.50", 1, Style::Plain),
            ("b.[0]", "true", 2, Style::Plain),
            ("b.[1]", "\"x\\ty\"", 2, Style::Double),
            ("b.[2][0]", "null", 3, Style::Plain),
            ("b.ü", "-0", 3, Style::Plain),
            ("c", "false", 3, Style::Plain),
        ];
        assert_eq!(
            found,
            expected.map(|(path, text, line, style)| (path.to_owned(), text, line, style))
        );
        let values = [
            Value::Float(1.5),
            Value::Boolean(true),
            Value::string("x\ty"),
            Value::Null,
            Value::Float(-0.0),
            Value::Boolean(false),
        ];
        assert!(scalars(&root).map(|at| &at.value).eq(&values));
        assert!(scalars(&root).all(|at| at.flow && at.column == 0));
    }

    #[test]
    fn top_keys_reach_from_their_quote_to_the_end_of_their_value() {
        let text = " {\"a\": 1,\n\"b\" : [{}, {\"b\": [\n]}],\"\\u0063\":{\"a\":1} } \n";
        let root = root(text);
        let found: Vec<_> = root
            .keys
            .iter()
            .map(|key| (key.name.as_ref(), &text[key.start..key.end], key.line))
            .collect();
        let expected = [
            ("a", "\"a\": 1", 1),
            ("b", "\"b\" : [{}, {\"b\": [\n]}]", 2),
            ("c", "\"\\u0063\":{\"a\":1}", 3),
        ];
        assert_eq!(found, expected);
        assert_eq!(&text[root.end..], "} \n");
        assert!(root.has_content);
    }

    #[test]
    fn collections_come_in_the_order_in_which_they_begin() {
        let text = "{\"a\": [[], {\"b\": [1, 2]}], \"c\": {}}";
        let root = root(text);
        let found: Vec<_> = root
            .collections
            .iter()
            .map(|at| (at.path.to_string(), &text[at.start..=at.start], at.items))
            .collect();
        let expected = [
            ("", "{", None),
            ("a", "[", Some(2)),
            ("a[0]", "[", Some(0)),
            ("a[1]", "{", None),
            ("a[1].b", "[", Some(2)),
            ("c", "{", None),
        ];
        assert_eq!(
            found,
            expected.map(|(path, text, items)| (path.to_owned(), text, items))
        );
    }

    #[test]
    fn keys_may_stand_twice_except_that_of_the_block() {
        let root = root("{\"a\": 1, \"a\": 2, \"b\": {\"sops\": 1, \"sops\": 2}}");
        assert_eq!(root.keys.len(), 3);
        assert_eq!(scalars(&root).count(), 4);
        assert_eq!(
            refusal("{\"sops\": {},\n\"\\u0073ops\": {}}"),
            (ErrorCode::DuplicateKey, Some(2))
        );
    }

    #[test]
    fn what_the_reference_refuses_is_refused() {
        for (text, line) in [
            ("", 1),
            (" \n", 2),
            ("\u{feff}{}", 1),
            ("\n[1]", 2),
            ("\"x\"", 1),
            ("null", 1),
            ("}", 1),
            ("{", 1),
            ("{\"a\":1", 1),
            ("{\"a\":1\n\n", 3),
            ("{\"a\"", 1),
            ("{\"a\":\n", 2),
            ("{\"a\":1,", 1),
            ("{\"a\":[1", 1),
            ("{\"a\":1]", 1),
            ("{\"a\":[1}", 1),
            ("{\"a\":1,}", 1),
            ("{\"a\":[1,]}", 1),
            ("{\"a\":[,1]}", 1),
            ("{\"a\":[1,,2]}", 1),
            ("{,\"a\":1}", 1),
            ("{\n\"a\":1\n\"b\":2}", 3),
            ("{\"a\" 1}", 1),
            ("{\"a\"\n\n1}", 3),
            ("{\"a\":}", 1),
            ("{\"a\"}", 1),
            ("{\"a\"::1}", 1),
            ("{a:1}", 1),
            ("{'a':1}", 1),
            ("{1:1}", 1),
            ("{null:1}", 1),
            ("{[]:1}", 1),
            ("{\"a\":01}", 1),
            ("{\"a\":1.}", 1),
            ("{\"a\":.5}", 1),
            ("{\"a\":+1}", 1),
            ("{\"a\":0x1}", 1),
            ("{\"a\":1e}", 1),
            ("{\"a\":tru}", 1),
            ("{\"a\":truex}", 1),
            ("{\"a\":True}", 1),
            ("{\"a\":NaN}", 1),
            ("{\"a\":Infinity}", 1),
            ("{\"a\":\"\\x\"}", 1),
            ("{\"a\":\"\\ud80\"}", 1),
            ("{\"a\":\"\t\"}", 1),
            ("{\"a\":\n\"x\ny\"}", 2),
            ("{\"a\":1 /* c */}", 1),
            ("{\"a\":1 // c\n}", 1),
            ("{\u{c}\"a\":1}", 1),
            ("{\u{a0}\"a\":1}", 1),
            ("{\"a\":1\0}", 1),
        ] {
            assert_eq!(
                refusal(text),
                (ErrorCode::JsonSyntax, Some(line)),
                "{text:?}"
            );
        }
        for text in ["{\"a\":\n1e400}", "{\"a\":\n-1e400}"] {
            assert_eq!(refusal(text), (ErrorCode::ValueOutOfRange, Some(2)));
        }
    }

    #[test]
    fn what_follows_the_object_is_an_obstacle() {
        for text in [
            "{\"a\":1}\n x",
            "{\"a\":1}\n{\"b\":2}",
            "{\"a\":1}\r\n}",
            "{\"a\":1}\n\u{feff}",
        ] {
            let parsed = parse(&text.into(), &Limits::default()).unwrap();
            let obstacle = parsed.obstacles.first().unwrap();
            assert_eq!(
                (obstacle.code, obstacle.line),
                (ErrorCode::LayoutUnsupported, 2)
            );
            assert_eq!(parsed.documents[0].keys.len(), 1);
        }
    }

    #[test]
    fn a_top_key_that_is_that_of_the_block_in_other_case_is_an_obstacle() {
        for (text, line) in [
            ("{\"a\": 1,\n\"Sops\": 2}", Some(2)),
            ("{\"SOPS\": {}}", Some(1)),
            ("{\"\\u017fop\\u017f\": 1}", Some(1)),
            ("{\"a\": {\"Sops\": 1}}", None),
            ("{\"sops\": {}, \"Sop\": 1, \"sopss\": 2}", None),
        ] {
            let parsed = parse(&text.into(), &Limits::default()).unwrap();
            let found = parsed.obstacles.first().map(|obstacle| obstacle.line);
            assert_eq!(found, line, "{text}");
        }
    }

    #[test]
    fn every_limit_holds_and_names_the_line() {
        let limits = Limits {
            depth: 3,
            nodes: 7,
            scalar_bytes: 4,
            key_bytes: 3,
            ..Limits::default()
        };
        for text in [
            "{\"abc\": \"abcd\"}",
            "{\"a\": \"\\u0061\\u0061\\u0061\\u0061\"}",
            "{\"a\": 1234}",
            "{\"a\": [[1]]}",
            "{\"a\": 1, \"b\": 2, \"c\": 3}",
        ] {
            assert!(parse(&text.into(), &limits).is_ok(), "{text}");
        }
        for text in [
            "{\n\"abcd\": 1}",
            "{\n\"\\u0061bcd\": 1}",
            "{\n\"a\": \"abcde\"}",
            "{\n\"a\": 12345}",
            "{\n\"a\": [[[]]]}",
            "{\"a\": 1, \"b\": 2, \"c\": 3,\n\"d\": 4}",
            "{\"a\": [1, 2, 3, 4,\n5]}",
        ] {
            let error = parse(&text.into(), &limits).unwrap_err();
            assert_eq!(error.code(), ErrorCode::LimitExceeded, "{text}");
            assert_eq!(error.fault().unwrap().line, Some(2), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let limits = Limits {
            depth: usize::MAX,
            ..Limits::default()
        };
        let depth = 2_000;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let parsed = parse(&text.into(), &limits).unwrap();
        assert_eq!(parsed.documents[0].collections.len(), depth + 1);
    }

    #[test]
    fn no_text_that_is_cut_off_or_altered_makes_it_panic() {
        let text = "{\"a\\n\\ud83d\\ude00é\": [1.5e-7, -0, true, null, {\"\": \"x\\u00e9\"}, []], \"sops\": {}}";
        for at in 0..=text.len() {
            if let Some(head) = text.get(..at) {
                assert_eq!(
                    parse(&head.into(), &Limits::default()).is_ok(),
                    at == text.len()
                );
            }
            for byte in ["", "\"", "\\", "}", "]", ",", "é", "9", "\0"] {
                if let (Some(head), Some(tail)) = (text.get(..at), text.get(at + 1..)) {
                    let altered: String = [head, byte, tail].concat();
                    drop(parse(&altered.into(), &Limits::default()));
                }
            }
        }
    }
}
