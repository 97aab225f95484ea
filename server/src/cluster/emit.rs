//! What new entries of a cluster file look like, as text and as the data that the text must read back as.

use std::fmt::Write as _;

use serde_yaml::Value;
use stackseal_model::stack::MemberKind;

use crate::cluster::edit::WantedMember;

/// A file without stacks.
pub(crate) fn skeleton(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ImportCluster\nmetadata:\n  name: {}\nspec:\n  stacks:\n",
        scalar(name)
    )
}

/// A member's lines, as a mapping at column 0.
pub(crate) fn member_text(wanted: &WantedMember<'_>) -> String {
    let mut fields = vec![("name", scalar(wanted.name.as_str()))];
    let chart = wanted.chart.filter(|_| wanted.kind == MemberKind::Addon);
    if let Some(chart) = chart {
        fields.push(("chart_name", scalar(&chart.name)));
        // always quoted: readers refuse a bare 1.20
        fields.push(("chart_version", quoted(&chart.version)));
        fields.push(("repository_url", scalar(&chart.repository_url)));
    }
    if let Some(namespace) = wanted.namespace {
        fields.push(("namespace", scalar(namespace.as_str())));
    }
    let mut source = fields_text(&[("from_file", scalar(wanted.from_file))]);
    if !wanted.marks.is_empty() {
        source.push_str(MARKS);
        source.push_str(":\n");
        for mark in wanted.marks {
            // Writing to a String cannot fail.
            let _ = writeln!(source, "  - {}", scalar(mark));
        }
    }
    let fields = fields_text(&fields);
    match wanted.kind {
        MemberKind::Addon => format!("{fields}configuration:\n{}", indented(&source, 2)),
        MemberKind::Manifest => format!("{fields}{source}"),
    }
}

/// A member's data.
pub(crate) fn member_value(wanted: &WantedMember<'_>) -> Value {
    let mut source = mapping(&[("from_file", wanted.from_file)]);
    if !wanted.marks.is_empty()
        && let Some(map) = source.as_mapping_mut()
    {
        let marks: Vec<Value> = wanted
            .marks
            .iter()
            .map(|mark| Value::from(mark.as_str()))
            .collect();
        map.insert(MARKS.into(), marks.into());
    }
    let mut fields = vec![("name", wanted.name.as_str())];
    if let Some(namespace) = wanted.namespace {
        fields.push(("namespace", namespace.as_str()));
    }
    if let Some(chart) = wanted.chart.filter(|_| wanted.kind == MemberKind::Addon) {
        fields.push(("chart_name", &chart.name));
        fields.push(("chart_version", &chart.version));
        fields.push(("repository_url", &chart.repository_url));
    }
    let mut member = mapping(&fields);
    if let Some(map) = member.as_mapping_mut() {
        match (wanted.kind, source) {
            (MemberKind::Addon, source) => {
                map.insert("configuration".into(), source);
            }
            (MemberKind::Manifest, Value::Mapping(source)) => map.extend(source),
            (MemberKind::Manifest, _) => {}
        }
    }
    member
}

/// A mapping of texts; `description` is left out when empty.
pub(crate) fn mapping(fields: &[(&str, &str)]) -> Value {
    let kept = fields
        .iter()
        .filter(|(key, value)| *key != "description" || !value.is_empty());
    Value::Mapping(
        kept.map(|(key, value)| (Value::from(*key), Value::from(*value)))
            .collect(),
    )
}

/// Lines of `key: value`.
pub(crate) fn fields_text(fields: &[(&str, String)]) -> String {
    fields.iter().fold(String::new(), |mut text, (key, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key}: {value}");
        text
    })
}

/// A mapping's lines as an item of a sequence whose dash stands at `column`.
pub(crate) fn as_item(text: &str, column: usize) -> String {
    let mut lines = text.lines();
    let mut out = format!("{:column$}- {}\n", "", lines.next().unwrap_or_default());
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:column$}  {line}", "");
    }
    out
}

/// Lines moved to the right.
pub(crate) fn indented(text: &str, column: usize) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:column$}{line}", "");
        out
    })
}

/// A text as a YAML scalar: bare when it cannot be taken for anything else.
pub(crate) fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let word = text.to_ascii_lowercase();
    let special =
        ["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(&word.as_str());
    let bare =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && !special;
    if bare { text.to_owned() } else { quoted(text) }
}

/// A text as a double-quoted YAML scalar.
pub(crate) fn quoted(text: &str) -> String {
    // JSON's strings are YAML's double-quoted scalars, save for the characters below
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}') =>
            {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The key that a member's marks stand under.
pub(crate) const MARKS: &str = "encrypted_paths";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_read_back_as_texts() {
        for text in [
            "a",
            "true",
            "Yes",
            "1.20",
            ".inf",
            "~",
            "",
            "a: b",
            "a #b",
            "- x",
            "é\u{2028}\u{7}",
            "\\\"",
            "0x1",
            "1e3",
            "null",
        ] {
            let read: Value = serde_yaml::from_str(&format!("k: {}\n", scalar(text))).unwrap();
            assert_eq!(read.get("k").and_then(Value::as_str), Some(text));
        }
    }
}
