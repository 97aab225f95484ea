//! The `sops` block in YAML: its text, and where it stands.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::block::line_start;
use super::write;
use crate::format::parts::Root;
use crate::metadata::Metadata;
use crate::selector::Selector;

/// The top key of the block.
pub(crate) const KEY: &str = "sops";

/// Writes the block as the reference does: four columns a level, ending in a line break.
/// `column` is that of the mapping it joins.
pub(crate) fn render(metadata: &Metadata, column: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.push(format!("{KEY}:"));
    if !metadata.age.is_empty() {
        lines.push("    age:".into());
        for entry in &metadata.age {
            lines.push(format!(
                "        - recipient: {}",
                write::key_or_value(&entry.recipient)
            ));
            lines.push("          enc: |".into());
            lines.extend(entry.enc.lines().map(|line| format!("            {line}")));
        }
    }
    lines.push(format!(
        "    lastmodified: {}",
        write::key_or_value(&metadata.last_modified)
    ));
    lines.push(format!("    mac: {}", write::key_or_value(&metadata.mac)));
    let (key, text) = match &metadata.selector {
        Selector::EncryptedRegex(regex) => ("encrypted_regex", regex.as_str()),
        Selector::EncryptedSuffix(suffix) => ("encrypted_suffix", suffix.as_str()),
        Selector::UnencryptedRegex(regex) => ("unencrypted_regex", regex.as_str()),
        Selector::UnencryptedSuffix(suffix) => ("unencrypted_suffix", suffix.as_str()),
    };
    lines.push(format!("    {key}: {}", write::key_or_value(text)));
    if metadata.mac_only_encrypted {
        lines.push("    mac_only_encrypted: true".into());
    }
    lines.push(format!(
        "    version: {}",
        write::key_or_value(&metadata.version)
    ));
    let indent = " ".repeat(column);
    lines
        .into_iter()
        .map(|line| format!("{indent}{line}\n"))
        .collect()
}

/// Bytes of the block in one document, whole lines; `None` when the document has none.
///
/// At the end of a text without a last line break the block takes the break before it along, as
/// [`insertion`] put it there.
pub(crate) fn find(text: &str, root: &Root) -> Option<Range<usize>> {
    let key = root.keys.iter().find(|key| key.name.as_ref() == KEY)?;
    let start = line_start(text, key.start);
    let last = key.end;
    let rest = text.get(last..)?;
    match rest.find('\n') {
        Some(newline) => Some(start..last + newline + 1),
        None => Some(start - before_newline(text, start)..text.len()),
    }
}

/// What to replace so that a document goes on without its block. Where nothing else made the first of
/// several a document, a marker must.
pub(crate) fn removal(text: &str, root: &Root, only: bool) -> Option<(Range<usize>, String)> {
    let range = find(text, root)?;
    let before = text.get(..range.start)?;
    let marked = before
        .lines()
        .any(|line| line.trim_start_matches('\u{feff}').starts_with("---"));
    let vanishes = !only && root.keys.len() == 1 && !marked;
    let marker = if vanishes {
        format!("---{}", write::newline_at(text, range.start))
    } else {
        String::new()
    };
    Some((range, marker))
}

/// Where the block goes in a document, and how its text is joined there.
pub(crate) fn insertion(text: &str, root: &Root, block: &str) -> (usize, String) {
    let newline = write::newline(text);
    let block = if newline == "\n" {
        String::from(block)
    } else {
        block.replace('\n', newline)
    };
    let before = text.get(..root.end).unwrap_or(text);
    if before.is_empty() || before.ends_with('\n') {
        return (root.end, block);
    }
    let bare = block.strip_suffix(newline).unwrap_or(&block);
    (root.end, format!("{newline}{bare}"))
}

fn before_newline(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or("");
    if before.ends_with("\r\n") {
        2
    } else {
        usize::from(before.ends_with('\n'))
    }
}
