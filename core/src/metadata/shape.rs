//! What may stand where in the `sops` block: lists, mappings, texts, numbers. What the reference refuses to read is
//! refused here as well, or the two would see different blocks in one file.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::format::Format;
use crate::format::parts::Root;
use crate::format::yaml::block::line_number;
use crate::path::{Path, Segment};
use crate::value::Value;

/// The kinds of keys, and the texts that are written of each.
pub(crate) const KEYS: [(&str, &[&str]); 7] = [
    ("age", &["enc", "recipient"]),
    (
        "azure_kv",
        &["created_at", "enc", "name", "vault_url", "version"],
    ),
    ("gcp_kms", &["created_at", "enc", "resource_id"]),
    (
        "hc_vault",
        &[
            "created_at",
            "enc",
            "engine_path",
            "key_name",
            "vault_address",
        ],
    ),
    ("hckms", &["created_at", "enc", "key_id"]),
    ("kms", &["arn", "aws_profile", "created_at", "enc", "role"]),
    ("pgp", &["created_at", "enc", "fp"]),
];

/// Fields that are texts.
const TEXTS: [&str; 9] = [
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "lastmodified",
    "mac",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
    "version",
];

/// What the reference wants at a place.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// It does not know the place.
    Anything,
    Boolean,
    /// A key in a list of keys.
    Key,
    List,
    Mapping,
    Number,
    Text,
}

/// What stands at a place.
#[derive(Clone, Copy)]
enum Found<'a> {
    List,
    Mapping,
    Scalar(&'a Value),
}

/// Checks the leaves of a block, whose paths begin below it, and what has no leaves.
///
/// # Errors
/// `metadata-invalid`.
pub(crate) fn check(
    format: Format,
    text: &str,
    root: &Root,
    leaves: &[(Vec<Segment>, Value, usize)],
) -> Result<(), Error> {
    let mut filled = BTreeSet::new();
    for (path, value, line) in leaves {
        for (at, next) in path.iter().enumerate() {
            let before = path.get(..at).unwrap_or_default();
            let found = match next {
                Segment::Index(usize::MAX) => return Err(refused(path, *line, NO_POSITION)),
                Segment::Index(_) => Found::List,
                Segment::Key(_) => Found::Mapping,
            };
            let wanted = fits(format, before, found, *line)?;
            if wanted == Wanted::Key {
                filled.insert(before);
            }
        }
        fits(format, path, Found::Scalar(value), *line)?;
    }
    if matches!(format, Format::Dotenv | Format::Ini) {
        return Ok(());
    }
    let collections = root.collections.iter();
    for it in collections.filter(|it| format.names_block(&it.path)) {
        let path: Vec<_> = it.path.segments().skip(1).cloned().collect();
        let found = match it.items {
            Some(_) => Found::List,
            None => Found::Mapping,
        };
        let line = || line_number(text.as_bytes(), it.start);
        match wanted(&path) {
            Wanted::Key if !is_of_age(&path) && !filled.contains(path.as_slice()) => {
                return Err(refused(&path, line(), NO_TIME));
            }
            wanted if !is(format, wanted, found) => {
                return Err(refused(&path, line(), message(wanted)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Words that the reference reads as true in YAML, also in quotes, where it wants a boolean.
pub(crate) const YES: [&str; 8] = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];

const NO: [&str; 8] = ["n", "N", "no", "No", "NO", "off", "Off", "OFF"];

fn fits(format: Format, path: &[Segment], found: Found<'_>, line: usize) -> Result<Wanted, Error> {
    let wanted = wanted(path);
    match is(format, wanted, found) {
        true => Ok(wanted),
        false => Err(refused(path, line, message(wanted))),
    }
}

fn is(format: Format, wanted: Wanted, found: Found<'_>) -> bool {
    let flat = matches!(format, Format::Dotenv | Format::Ini);
    let yaml = format == Format::Yaml;
    match (wanted, found) {
        (Wanted::Anything, _)
        | (Wanted::Key | Wanted::Mapping, Found::Mapping)
        | (Wanted::List, Found::List) => true,
        (_, Found::List | Found::Mapping) => false,
        (_, Found::Scalar(Value::Null)) => true,
        (Wanted::Key | Wanted::List | Wanted::Mapping, Found::Scalar(_)) => false,
        // Each is a text there, and what it says is looked at by whoever reads it.
        (_, Found::Scalar(_)) if flat => true,
        (Wanted::Boolean, Found::Scalar(Value::String(text))) => {
            yaml && (YES.contains(&text.as_str()) || NO.contains(&text.as_str()))
        }
        (Wanted::Boolean, Found::Scalar(value)) => matches!(value, Value::Boolean(_)),
        (Wanted::Number, Found::Scalar(value)) => {
            matches!(value, Value::Float(_) | Value::Integer(_))
        }
        (Wanted::Text, Found::Scalar(value)) => match value {
            Value::Boolean(_) | Value::Bytes(_) => false,
            Value::String(_) => true,
            _ => yaml,
        },
    }
}

fn wanted(path: &[Segment]) -> Wanted {
    let (name, rest) = match path {
        [] => return Wanted::Mapping,
        [Segment::Index(_), ..] => return Wanted::Anything,
        [Segment::Key(name), rest @ ..] => (name.as_ref(), rest),
    };
    match (name, rest) {
        ("key_groups", []) => Wanted::List,
        ("key_groups", [_]) => Wanted::Mapping,
        ("key_groups", [_, Segment::Key(kind), rest @ ..]) => of_keys(kind, rest),
        ("mac_only_encrypted", []) => Wanted::Boolean,
        ("shamir_threshold", []) => Wanted::Number,
        (name, []) if TEXTS.contains(&name) => Wanted::Text,
        (kind, rest) => of_keys(kind, rest),
    }
}

fn of_keys(kind: &str, rest: &[Segment]) -> Wanted {
    let Some((_, texts)) = KEYS.iter().find(|(name, _)| *name == kind) else {
        return Wanted::Anything;
    };
    match rest {
        [] => Wanted::List,
        [_] => Wanted::Key,
        [_, Segment::Key(field), rest @ ..] if (kind, field.as_ref()) == ("kms", "context") => {
            match rest {
                [] => Wanted::Mapping,
                _ => Wanted::Text,
            }
        }
        [_, Segment::Key(field)] if texts.contains(&field.as_ref()) => Wanted::Text,
        _ => Wanted::Anything,
    }
}

fn is_of_age(path: &[Segment]) -> bool {
    let mut kinds = path.iter().rev().skip(1);
    matches!(kinds.next(), Some(Segment::Key(kind)) if kind.as_ref() == "age")
}

fn message(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Anything | Wanted::Key => {
            "what should be a key with its fields is none; take the file from a version that was not edited by hand"
        }
        Wanted::Boolean => {
            "this is neither true nor false, so it says nothing; take the file from a version that was not edited by hand"
        }
        Wanted::List => {
            "what should be a list of keys is none; take the file from a version that was not edited by hand"
        }
        Wanted::Mapping => {
            "fields should stand here, and none do; take the file from a version that was not edited by hand"
        }
        Wanted::Number => {
            "this is no number; take the file from a version that was not edited by hand"
        }
        Wanted::Text => "this is no text; take the file from a version that was not edited by hand",
    }
}

const NO_POSITION: &str =
    "the list has no such position; take the file from a version that was not edited by hand";

const NO_TIME: &str =
    "a key has no time in created_at; take the file from a version that was not edited by hand";

fn refused(path: &[Segment], line: usize, message: &str) -> Error {
    let mut of_block = Path::default().child(Segment::Key("sops".into()));
    path.iter()
        .for_each(|segment| of_block.push(segment.clone()));
    Error::input(ErrorCode::MetadataInvalid, message)
        .at_path(of_block)
        .at_line(line)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString as _};

    use super::*;
    use crate::document::{Document, Encrypted};
    use crate::limits::Limits;

    /// Why a block is not read that has one more line, or this instead of its own.
    fn why(format: Format, line: &str) -> Option<String> {
        let name = line.split([':', '=']).next().unwrap_or_default();
        let name = name.trim_matches('"');
        let fields = [
            ("lastmodified", "2026-01-01T00:00:00Z"),
            ("mac", "x"),
            ("version", "3.11.0"),
        ];
        let fields = fields.iter().filter(|(field, _)| *field != name);
        let text = match format {
            Format::Yaml => {
                let fields = fields.map(|(name, text)| format!("    {name}: \"{text}\"\n"));
                format!("a: 1\nsops:\n{}    {line}\n", fields.collect::<String>())
            }
            Format::Json => {
                let fields = fields.map(|(name, text)| format!("\"{name}\": \"{text}\",\n"));
                format!("{{\"sops\": {{\n{}{line}\n}}}}", fields.collect::<String>())
            }
            _ => {
                let fields = fields.map(|(name, text)| format!("sops_{name}={text}\n"));
                format!("a=1\n{}sops_{line}\n", fields.collect::<String>())
            }
        };
        let read = Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::generous());
        read.err().map(|error| {
            assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{text}");
            error.to_string()
        })
    }

    #[test]
    fn what_the_reference_does_not_read_is_refused() {
        let wrong: [(Format, &[&str]); 3] = [
            (
                Format::Yaml,
                &[
                    "mac_only_encrypted: \"true\"",
                    "mac_only_encrypted: 1",
                    "mac_only_encrypted: {}",
                    "mac_only_encrypted: [true]",
                    "mac_only_encrypted: \"\"",
                    "shamir_threshold: \"2\"",
                    "shamir_threshold: []",
                    "shamir_threshold: true",
                    "unencrypted_suffix: []",
                    "unencrypted_suffix: true",
                    "encrypted_regex: {a: b}",
                    "version: [3.11.0]",
                    "mac: {}",
                    "lastmodified: [\"2026-01-01T00:00:00Z\"]",
                    "age: {}",
                    "age: x",
                    "age: \"\"",
                    "age: [x]",
                    "age: [[]]",
                    "age: [{recipient: []}]",
                    "age: [{recipient: {a: b}}]",
                    "age: [{enc: [x]}]",
                    "kms: {}",
                    "kms: [{}]",
                    "kms: [[]]",
                    "kms: [{created_at: 2026-01-01T00:00:00Z, context: x}]",
                    "kms: [{created_at: 2026-01-01T00:00:00Z, role: []}]",
                    "pgp: [{created_at: 2026-01-01T00:00:00Z, fp: [x]}]",
                    "hckms: [{created_at: 2026-01-01T00:00:00Z, key_id: x}]",
                    "hckms: [{created_at: 2026-01-01T00:00:00Z, key_id: \":\"}]",
                    "key_groups: {}",
                    "key_groups: [x]",
                    "key_groups: [{age: {}}]",
                    "key_groups: [{pgp: x}]",
                ],
            ),
            (
                Format::Json,
                &[
                    "\"mac_only_encrypted\": \"true\"",
                    "\"mac_only_encrypted\": \"yes\"",
                    "\"mac_only_encrypted\": 0",
                    "\"shamir_threshold\": \"2\"",
                    "\"unencrypted_suffix\": 5",
                    "\"mac\": 5",
                    "\"age\": {}",
                    "\"age\": [5]",
                    "\"age\": [{\"recipient\": 5}]",
                    "\"kms\": \"\"",
                    "\"key_groups\": [[]]",
                ],
            ),
            (
                Format::Dotenv,
                &[
                    "age=",
                    "age__map_x=y",
                    "age__list_0=x",
                    "age__list_0__list_0=x",
                    "age__list_0__map_enc__map_x=y",
                    "key_groups__list_0__map_age=x",
                    "mac_only_encrypted__list_0=true",
                    "encrypted_regex__map_a=x",
                    "note__list_-1=x",
                    "note__list_99999999999=x",
                ],
            ),
        ];
        for (format, lines) in wrong {
            for line in lines {
                let why = why(format, line);
                assert!(
                    why.is_some_and(|why| why.contains("not edited by hand")),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn what_it_reads_is_read() {
        let right: [(Format, &[&str]); 3] = [
            (
                Format::Yaml,
                &[
                    "mac_only_encrypted: true",
                    "mac_only_encrypted: null",
                    "mac_only_encrypted: off",
                    "shamir_threshold: 2.0",
                    "shamir_threshold: null",
                    "unencrypted_suffix: 5",
                    "lastmodified: 2026-01-01T00:00:00Z",
                    "age: []",
                    "age: null",
                    "age: [null]",
                    "age: [{recipient: 5, enc: null}]",
                    "kms: []",
                    "kms: [{created_at: 2026-01-01T00:00:00Z, context: {a: 5}}]",
                    "hckms: [{created_at: 2026-01-01T00:00:00Z, key_id: a:b}]",
                    "key_groups: [{hc_vault: [], age: []}]",
                    "note: [{}]",
                ],
            ),
            (
                Format::Json,
                &[
                    "\"mac_only_encrypted\": null",
                    "\"age\": null",
                    "\"kms\": null",
                    "\"key_groups\": [{\"hc_vault\": null, \"age\": null}]",
                ],
            ),
            (
                Format::Dotenv,
                &[
                    "mac_only_encrypted=yes",
                    "unencrypted_suffix=",
                    "age__list_0__map_enc=x",
                    "note=x",
                ],
            ),
        ];
        for (format, lines) in right {
            for line in lines {
                assert_eq!(why(format, line), None, "{line}");
            }
        }
    }

    #[test]
    fn other_words_for_true_count_in_yaml_alone() {
        for (format, line, expected) in [
            (Format::Yaml, "mac_only_encrypted: yes", true),
            (Format::Yaml, "mac_only_encrypted: \"On\"", true),
            (Format::Yaml, "mac_only_encrypted: no", false),
            (Format::Dotenv, "sops_mac_only_encrypted=yes", false),
            (Format::Dotenv, "sops_mac_only_encrypted=true", true),
        ] {
            let text = match format {
                Format::Yaml => format!("sops:\n  version: 3.11.0\n  lastmodified: x\n  {line}\n"),
                _ => format!("sops_version=3.11.0\nsops_lastmodified=x\n{line}\n"),
            };
            let read =
                Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::generous());
            assert_eq!(
                read.unwrap().metadata().mac_only_encrypted,
                expected,
                "{line}"
            );
        }
    }
}
