//! A tree as JSON, as the reference writes it: keys in order, a tab a level, comments left out.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::format::json::{Layout, Lines, render};
use crate::tree::Node;

/// How far a level is indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indent {
    /// So many spaces; none still gives a line to each value.
    Spaces(usize),
    /// A tab, as the reference does where nothing else is asked for.
    Tab,
}

/// The text of a tree, with a line break at its end.
///
/// # Errors
/// `value-not-representable` for NaN and the infinities.
pub(crate) fn json(node: &Node, indent: Indent) -> Result<String, Error> {
    let text = json_at(node, indent, "")?;
    let mut out = String::with_capacity(text.len() + 1);
    out.push_str(&text);
    out.push('\n');
    Ok(out)
}

/// The text of a value whose lines stand behind a `lead`.
///
/// # Errors
/// As [`json`].
pub(crate) fn json_at(node: &Node, indent: Indent, lead: &str) -> Result<Zeroizing<String>, Error> {
    let unit = match indent {
        Indent::Tab => "\t".to_owned(),
        Indent::Spaces(count) => " ".repeat(count),
    };
    let layout = Layout {
        lines: Some(Lines {
            newline: "\n",
            indent: lead,
            unit: &unit,
        }),
        ..Layout::REFERENCE
    };
    render(node, &layout)
}

/// The text of a value on one line.
///
/// # Errors
/// As [`json`].
pub(crate) fn json_flow(node: &Node) -> Result<Zeroizing<String>, Error> {
    let layout = Layout {
        lines: None,
        comma: " ",
        ..Layout::REFERENCE
    };
    render(node, &layout)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::tree::Entry;
    use crate::value::Value;

    #[test]
    fn each_level_is_indented_as_asked_for() {
        let item = |key: &str, node| Entry::Item {
            key: Some(key.into()),
            node,
        };
        let bytes = Value::bytes(b"<\xe2\x82".to_vec());
        let inner = Node::Mapping(vec![item("b", Node::Leaf(bytes))]);
        let tree = Node::Mapping(vec![item("a", inner)]);
        for (indent, step) in [
            (Indent::Tab, "\t"),
            (Indent::Spaces(2), "  "),
            (Indent::Spaces(0), ""),
        ] {
            let value = r#""\u003c\ufffd\ufffd""#;
            let expected =
                format!("{{\n{step}\"a\": {{\n{step}{step}\"b\": {value}\n{step}}}\n}}\n");
            assert_eq!(json(&tree, indent).unwrap(), expected);
        }
    }
}
