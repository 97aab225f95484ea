//! The `sops` member of the top object: where it stands, and how it is put there and taken out again.
//!
//! Putting in and taking out are inverse to each other for every layout. The member takes the layout that it finds:
//! line break and indentation of the members before it, or everything on the line.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::scan::{BLANKS, Scanner};
use super::write::{self, Layout, Lines};
use crate::format::Edit;
use crate::format::parts::Root;
use crate::tree::Node;

/// The name of the member.
pub(super) const KEY: &str = "sops";

/// What to insert so that the member stands last.
pub(crate) fn insertion(text: &str, root: &Root, metadata: &Node) -> Edit {
    let layout = layout_of(text, root);
    let member = member(metadata, &layout);
    let (newline, indent) = layout
        .lines
        .map_or(("", layout.comma), |lines| (lines.newline, lines.indent));
    let (at, text) = match root.keys.last() {
        Some(last) => (last.end, format!(",{newline}{indent}{member}")),
        None => {
            let inside = root.collections.first().map_or(0, |top| top.start + 1);
            (inside, format!("{newline}{indent}{member}{newline}"))
        }
    };
    (at..at, text)
}

/// What to replace so that the member says something else where it stands; `None` without one.
pub(crate) fn replacement(text: &str, root: &Root, metadata: &Node) -> Option<Vec<Edit>> {
    let key = root.keys.iter().find(|key| key.name.as_ref() == KEY)?;
    let member = member(metadata, &layout_of(text, root));
    Some(vec![(key.start..key.end, member)])
}

fn member(metadata: &Node, layout: &Layout<'_>) -> String {
    // Metadata is text, whole numbers and booleans, for which JSON has a form.
    let value = write::render(metadata, layout).unwrap_or_default();
    format!("\"{KEY}\":{}{}", layout.colon, value.as_str())
}

/// What to take out so that the object goes on without the member, as if it had never been there.
pub(crate) fn removal(text: &str, root: &Root) -> Option<Vec<Edit>> {
    let at = root.keys.iter().position(|key| key.name.as_ref() == KEY)?;
    let key = root.keys.get(at)?;
    let before = at.checked_sub(1).and_then(|at| root.keys.get(at));
    let range = match (before, root.keys.get(at + 1)) {
        (Some(before), _) => before.end..key.end,
        (None, Some(after)) => key.start..after.start,
        (None, None) => {
            let blanks = blanks_before(text, key.start);
            let after = text.get(key.end..).unwrap_or_default();
            // What was empty got a line break on each side.
            let newline = ["\n", "\r\n"]
                .into_iter()
                .find(|newline| blanks.starts_with(newline) && after.starts_with(newline));
            key.start - blanks.len()..key.end + newline.map_or(0, str::len)
        }
    };
    Some(vec![(range, String::new())])
}

/// How the members of the top object are laid out; `indent` is theirs.
fn layout_of<'a>(text: &'a str, root: &Root) -> Layout<'a> {
    let Some(last) = root.keys.last() else {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = Lines {
            newline,
            indent: Lines::REFERENCE.unit,
            ..Lines::REFERENCE
        };
        return Layout {
            lines: Some(lines),
            ..Layout::REFERENCE
        };
    };
    let colon = if is_loose(text, last.start) { " " } else { "" };
    let mut before = root.keys.iter().map(|key| blanks_before(text, key.start));
    if let Some((newline, indent)) = before
        .rfind(|blanks| blanks.contains('\n'))
        .and_then(last_line)
    {
        let outer = last_line(blanks_before(text, root.end)).map_or("", |(_, indent)| indent);
        let lines = Lines {
            newline,
            indent,
            unit: indent.strip_prefix(outer).unwrap_or(indent),
        };
        return Layout {
            lines: Some(lines),
            comma: "",
            colon,
        };
    }
    let comma = if root.keys.len() > 1 {
        blanks_before(text, last.start)
    } else {
        colon
    };
    Layout {
        lines: None,
        comma,
        colon,
    }
}

fn blanks_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before
        .get(before.trim_end_matches(BLANKS).len()..)
        .unwrap_or_default()
}

/// The last line break of blanks, and what follows it.
fn last_line(blanks: &str) -> Option<(&str, &str)> {
    let (before, indent) = blanks.rsplit_once('\n')?;
    let newline = if before.ends_with('\r') { "\r\n" } else { "\n" };
    Some((newline, indent))
}

/// Whether blanks follow the colon of the key that starts here.
fn is_loose(text: &str, key: usize) -> bool {
    let mut scanner = Scanner::new(text.get(key..).unwrap_or_default());
    let colon = scanner.string().ok().and_then(|_| scanner.next_token());
    let after = text.get(key + scanner.at() + 1..).unwrap_or_default();
    colon.is_some() && after.starts_with(BLANKS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::splice;
    use crate::format::json::parse;
    use crate::format::parts::Parsed;
    use crate::limits::Limits;
    use crate::tree::Entry;
    use crate::value::Value;

    fn parsed(text: &str) -> Parsed {
        parse(&text.into(), &Limits::default()).unwrap()
    }

    fn item(key: Option<&str>, node: Node) -> Entry {
        Entry::Item {
            key: key.map(Into::into),
            node,
        }
    }

    fn metadata() -> Node {
        let entry = Node::Mapping(vec![
            item(Some("recipient"), Node::Leaf(Value::string("age1x"))),
            item(Some("enc"), Node::Leaf(Value::string("A\nB\n"))),
        ]);
        Node::Mapping(vec![
            item(Some("shamir_threshold"), Node::Leaf(Value::Integer(2))),
            item(Some("age"), Node::List(vec![item(None, entry)])),
            item(Some("mac"), Node::Leaf(Value::string("ENC[x]"))),
        ])
    }

    fn with_block(text: &str) -> String {
        let parsed = parsed(text);
        splice(text, &[insertion(text, &parsed.documents[0], &metadata())])
    }

    fn without_block(text: &str) -> String {
        let parsed = parsed(text);
        splice(text, &removal(text, &parsed.documents[0]).unwrap())
    }

    #[test]
    fn the_block_goes_in_and_comes_out_without_a_trace() {
        let bodies = [
            "{}",
            "{ }",
            "{\n}",
            "{\n\n}",
            "{\r\n}",
            "{ \n\t}",
            "{\t}",
            "  {}",
            "{}\r\n",
            "{\n\r\n}",
            "{\r\n\n}",
            "{\r}",
            "{\"a\":1}",
            "{\"a\": 1}",
            "{ \"a\": 1 }",
            "{\"a\":1,\"b\":2}",
            "{\"a\": 1, \"b\": [1, 2]}",
            "{\n\t\"a\": 1\n}",
            "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": {}\n\t}\n}",
            "{\n  \"a\": 1\n}",
            "{\n    \"a\": [\n        1\n    ],\n    \"b\": 1\n}",
            "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}",
            "{\n\"a\": 1,\n\"b\": {\n\"c\": 1\n}\n}",
            "  {\n    \"a\": 1\n  }",
            "{ \"a\": 1,\n  \"b\": 2 }",
            "{ \"a\": 1\n, \"b\": 2\n}",
            "{\n  \"a\": 1 , \"b\" :2 , \"c\":\n3 \n\n}",
            "{\"a\":1\n}",
            "{\"a\": {\n  \"b\": 1\n}}",
            "{\"a\\\"b:\" :\t1}",
            "{\r\"a\": 1,\r\"b\": 2\r}",
            "{\"sopsy\": {\"sops\": 1}}",
            "{\n\n\n   \"a\":1\n\n}",
        ];
        for body in bodies {
            for (head, tail) in [
                ("", ""),
                ("", "\n"),
                ("\n\n", "  \t \n\n"),
                ("\r\n", "\r\n"),
                (" ", " "),
            ] {
                let text = format!("{head}{body}{tail}");
                let longer = with_block(&text);
                let parsed = parsed(&longer);
                let keys = &parsed.documents[0].keys;
                assert_eq!(keys.last().unwrap().name.as_ref(), KEY, "{longer:?}");
                assert_eq!(parsed.obstacles.len(), 0);
                assert_eq!(without_block(&longer), text, "{longer:?}");
            }
        }
    }

    #[test]
    fn the_block_takes_the_layout_that_it_finds() {
        for (text, expected) in [
            (
                "{\n\t\"a\": \"x\"\n}\n",
                "{\n\t\"a\": \"x\",\n\t\"sops\": {\n\t\t\"shamir_threshold\": 2,\n\t\t\"age\": [\n\t\t\t{\n\
                 \t\t\t\t\"recipient\": \"age1x\",\n\t\t\t\t\"enc\": \"A\\nB\\n\"\n\t\t\t}\n\t\t],\n\
                 \t\t\"mac\": \"ENC[x]\"\n\t}\n}\n",
            ),
            (
                "{\r\n  \"a\":1,\r\n  \"b\":2\r\n}",
                "{\r\n  \"a\":1,\r\n  \"b\":2,\r\n  \"sops\":{\r\n    \"shamir_threshold\":2,\r\n    \"age\":[\r\n\
                 \x20     {\r\n        \"recipient\":\"age1x\",\r\n        \"enc\":\"A\\nB\\n\"\r\n      }\r\n\
                 \x20   ],\r\n    \"mac\":\"ENC[x]\"\r\n  }\r\n}",
            ),
            (
                "  {\n     \"a\": 1 }",
                "  {\n     \"a\": 1,\n     \"sops\": {\n          \"shamir_threshold\": 2,\n          \"age\": [\n\
                 \x20              {\n                    \"recipient\": \"age1x\",\n\
                 \x20                   \"enc\": \"A\\nB\\n\"\n\
                 \x20              }\n          ],\n          \"mac\": \"ENC[x]\"\n     } }",
            ),
            (
                "{\n\"a\": 1\n}",
                "{\n\"a\": 1,\n\"sops\": {\n\"shamir_threshold\": 2,\n\"age\": [\n{\n\"recipient\": \"age1x\",\n\
                 \"enc\": \"A\\nB\\n\"\n}\n],\n\"mac\": \"ENC[x]\"\n}\n}",
            ),
            (
                "{\"a\":1}",
                "{\"a\":1,\"sops\":{\"shamir_threshold\":2,\"age\":[{\"recipient\":\"age1x\",\"enc\":\"A\\nB\\n\"}],\
                 \"mac\":\"ENC[x]\"}}",
            ),
            (
                "{\"a\": 1}\n",
                "{\"a\": 1, \"sops\": {\"shamir_threshold\": 2, \
                 \"age\": [{\"recipient\": \"age1x\", \"enc\": \"A\\nB\\n\"}], \
                 \"mac\": \"ENC[x]\"}}\n",
            ),
            (
                "{}\n",
                "{\n\t\"sops\": {\n\t\t\"shamir_threshold\": 2,\n\t\t\"age\": [\n\t\t\t{\n\
                 \t\t\t\t\"recipient\": \"age1x\",\n\
                 \t\t\t\t\"enc\": \"A\\nB\\n\"\n\t\t\t}\n\t\t],\n\t\t\"mac\": \"ENC[x]\"\n\t}\n}\n",
            ),
        ] {
            assert_eq!(with_block(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_block_comes_out_wherever_it_stands() {
        for (text, rest) in [
            ("{\n\t\"sops\": {},\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1\n}\n"),
            (
                "{\n\t\"a\": 1,\n\t\"sops\": {},\n\t\"b\": 2\n}\n",
                "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n",
            ),
            (
                "{\n\t\"a\": 1,\n\t\"sops\": {\n\t}\n}\n",
                "{\n\t\"a\": 1\n}\n",
            ),
            ("{\n\t\"sops\": {}\n}\n", "{}\n"),
            ("{\r\n  \"sops\": {}\r\n}", "{}"),
            ("{\"sops\": {}, \"a\": 1}", "{\"a\": 1}"),
            ("{\"a\": 1, \"sops\": {}, \"b\": 2}", "{\"a\": 1, \"b\": 2}"),
            ("{\"a\":1,\"sops\":{}}", "{\"a\":1}"),
            ("{ \"sops\": {} }", "{ }"),
            ("{\"a\": 1 , \"\\u0073ops\": {}\t}", "{\"a\": 1\t}"),
        ] {
            assert_eq!(without_block(text), rest, "{text:?}");
        }
    }

    #[test]
    fn without_the_member_nothing_comes_out() {
        let text = "{\"a\": {\"sops\": 1}}";
        let parsed = parsed(text);
        assert_eq!(removal(text, &parsed.documents[0]), None);
    }
}
