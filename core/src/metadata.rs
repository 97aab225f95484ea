//! The `sops` block as types: who can open the document, which rule selects, and the MAC.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::path::Segment;
use crate::selector::Selector;
use crate::value::Value;

/// The version that this codec writes: the release of the reference whose format it is.
pub const FORMAT_VERSION: &str = "3.11.0";

/// One recipient's copy of the data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeEntry {
    /// The recipient as the file names it; not checked.
    pub recipient: String,
    /// Armored age file whose payload is the data key, ending in a line break.
    pub enc: String,
}

/// The `sops` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Recipients with their copies of the data key.
    pub age: Vec<AgeEntry>,
    /// Time of the last change as the file has it, RFC 3339.
    pub last_modified: String,
    /// The sealed MAC; empty when the file has none.
    pub mac: String,
    /// Version of the program that made the file.
    pub version: String,
    /// The rule.
    pub selector: Selector,
    /// Whether the MAC covers sealed values alone.
    pub mac_only_encrypted: bool,
    /// Whether there is a field, or something below a known one, that is not known here.
    pub unknown: bool,
    /// Names of other key blocks that hold something (`kms`, `pgp`, `key_groups`, …).
    pub foreign: Vec<String>,
}

/// Reads the block from its leaves; paths begin below `sops`.
pub(crate) fn read<'a>(
    leaves: impl Iterator<Item = (&'a [Segment], &'a Value, usize)>,
) -> Result<Metadata, Error> {
    let mut age: Vec<AgeEntry> = Vec::new();
    let mut last_modified = None;
    let mut mac = String::new();
    let mut version = String::new();
    let mut selectors: Vec<Selector> = Vec::new();
    let mut mac_only_encrypted = false;
    let mut foreign: Vec<String> = Vec::new();
    let mut unknown = false;
    for (path, value, line) in leaves {
        let Some(Segment::Key(field)) = path.first() else {
            continue;
        };
        let text = text_of(value);
        match (field.as_ref(), path.get(1..).unwrap_or_default()) {
            ("age", [Segment::Index(index), Segment::Key(key)]) => {
                if *index >= age.len() {
                    age.push(AgeEntry {
                        recipient: String::new(),
                        enc: String::new(),
                    });
                }
                if let Some(entry) = age.last_mut() {
                    match key.as_ref() {
                        "recipient" => entry.recipient = text,
                        "enc" => entry.enc = text,
                        _ => unknown = true,
                    }
                }
            }
            ("lastmodified", []) => last_modified = Some(text),
            ("mac", []) => mac = text,
            ("version", []) => version = text,
            ("mac_only_encrypted", []) => {
                mac_only_encrypted = matches!(value, Value::Boolean(true));
                unknown |= !matches!(value, Value::Boolean(_));
            }
            ("encrypted_suffix", []) if !text.is_empty() => {
                selectors.push(Selector::EncryptedSuffix(text))
            }
            ("unencrypted_suffix", []) if !text.is_empty() => {
                selectors.push(Selector::UnencryptedSuffix(text))
            }
            ("encrypted_regex", []) if !text.is_empty() => {
                selectors.push(Selector::encrypted_regex(&text).map_err(|e| e.at_line(line))?)
            }
            ("unencrypted_regex", []) if !text.is_empty() => {
                selectors.push(Selector::unencrypted_regex(&text).map_err(|e| e.at_line(line))?)
            }
            ("encrypted_comment_regex" | "unencrypted_comment_regex", []) if !text.is_empty() => {
                return Err(Error::configuration(
                    ErrorCode::InvalidSelector,
                    "rules that go by comments are not read; choose values by key",
                )
                .at_line(line));
            }
            (
                name @ ("kms" | "gcp_kms" | "hckms" | "azure_kv" | "hc_vault" | "pgp"
                | "key_groups" | "shamir_threshold"),
                _,
            ) if !value.is_empty() && !foreign.iter().any(|known| known == name) => {
                foreign.push(name.to_owned());
            }
            // the reference writes known fields without a value, too
            _ => unknown |= !value.is_empty(),
        }
    }
    let broken = |message: &str| Error::input(ErrorCode::MetadataInvalid, message).at_path("sops");
    let last_modified = last_modified.ok_or_else(|| broken("the block has no lastmodified; take the file from a version that was not edited by hand"))?;
    if version.is_empty() {
        return Err(broken(
            "the block has no version; take the file from a version that was not edited by hand",
        ));
    }
    if selectors.len() > 1 {
        return Err(broken(
            "the block states more than one rule for what is sealed; keep one",
        ));
    }
    let selector = selectors.pop().unwrap_or_default();
    Ok(Metadata {
        age,
        last_modified,
        mac,
        version,
        selector,
        mac_only_encrypted,
        unknown,
        foreign,
    })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Time(text) => text.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => crate::number::positional(*number),
        Value::Boolean(_) | Value::Bytes(_) | Value::Null => String::new(),
    }
}
