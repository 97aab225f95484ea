//! The check without keys: is a text what its marks promise? The page asks before it sends, the
//! server before it writes; neither trusts the other (R-01 and R-02 of the threat model).

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::age;
use crate::cipher::SealedValue;
use crate::document::{Document, Encrypted, Plain, looks_sealed};
use crate::error::{Error, ErrorCode};
use crate::format::Format;
use crate::format::parts::{Item, Root};
use crate::limits::Limits;
use crate::marks::{self, Mark};
use crate::metadata::{self, AgeEntry};
use crate::path::Path;
use crate::recipient::Recipient;
use crate::selector::Selector;
use crate::timestamp::Timestamp;
use crate::value::Value;

/// What the guard found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Number of sealed values; 0 for a plain text.
    pub sealed_values: usize,
    /// The wrapped data keys, for the ledger.
    pub entries: Vec<AgeEntry>,
}

/// Checks a text against its marks.
///
/// Without marks it must be plain: no `sops` block, nothing that looks like `ENC[…]`. With marks it
/// must be sealed to exactly `recipients`, its rule must be the names of the marks and nothing
/// wider or narrower, every value that the rule selects must be well-formed `ENC[…]` or empty, and
/// each mark must hit a value.
///
/// # Errors
/// `leaf-not-sealed`, `leaf-malformed`, `value-looks-sealed`, `recipient-mismatch`, `invalid-selector`,
/// `mark-matches-nothing`, `mac-mismatch` (none there), `metadata-invalid`, and what parsing finds.
pub fn check(
    text: &[u8],
    marks: &[Mark],
    recipients: &[Recipient],
    limits: &Limits,
) -> Result<Guarded, Error> {
    // Ciphertext is longer than the value, and the block adds some nodes of its own.
    let limits = Limits {
        scalar_bytes: limits.scalar_bytes.saturating_mul(2),
        nodes: limits.nodes.saturating_add(1000),
        ..*limits
    };
    if marks.is_empty() {
        return check_plain(text, &limits);
    }
    let sealed =
        Document::<Encrypted>::parse(text, &limits).map_err(|error| match error.code() {
            ErrorCode::MetadataInvalid if is_plain(text, &limits) => Error::input(
                ErrorCode::LeafNotSealed,
                "the text has marks but is not sealed; seal it before it is saved",
            ),
            _ => error,
        })?;
    if let Some(obstacle) = sealed.obstacle() {
        return Err(obstacle);
    }
    check_block(&sealed, recipients)?;
    check_rule(&sealed, marks)?;
    check_values(&sealed)
}

fn is_plain(text: &[u8], limits: &Limits) -> bool {
    matches!(crate::document::is_sealed(text, limits), Ok(false))
}

fn check_plain(text: &[u8], limits: &Limits) -> Result<Guarded, Error> {
    let plain = Document::<Plain>::parse(text, limits)?;
    match plain.scalars().find(|(_, scalar)| looks_sealed(&scalar.value)) {
        Some((_, scalar)) => Err(Error::input(ErrorCode::ValueLooksSealed, "the value looks sealed, but the file has no marks; mark the key or write the value itself")
            .at_line(scalar.line)
            .at_path(&scalar.path)),
        None => Ok(Guarded { sealed_values: 0, entries: Vec::new() }),
    }
}

fn check_block(sealed: &Document<Encrypted>, recipients: &[Recipient]) -> Result<(), Error> {
    let metadata = sealed.metadata();
    let in_block = |error: Error| error.at_path("sops");
    if let Some(foreign) = metadata.foreign_names().next() {
        return Err(in_block(Error::input(
            ErrorCode::RecipientMismatch,
            format!(
                "the file can also be opened through {foreign}, which is not registered here; seal it anew"
            ),
        )));
    }
    let expected: Vec<&str> = recipients.iter().map(Recipient::as_str).collect();
    let found: Vec<&str> = metadata
        .age
        .iter()
        .map(|entry| entry.recipient.as_str())
        .collect();
    if let Some(stranger) = found.iter().find(|key| !expected.contains(key)) {
        return Err(in_block(Error::input(
            ErrorCode::RecipientMismatch,
            format!(
                "the file is sealed to {stranger}, which is not registered here; reload and seal it anew"
            ),
        )));
    }
    if let Some(missing) = expected.iter().find(|key| !found.contains(key)) {
        return Err(in_block(Error::input(
            ErrorCode::RecipientMismatch,
            format!("the file is not sealed to {missing}; reload and seal it anew"),
        )));
    }
    let mut each = found.iter().enumerate();
    if each.any(|(at, key)| found.iter().take(at).any(|before| before == key)) {
        return Err(in_block(Error::input(
            ErrorCode::RecipientMismatch,
            "a recipient stands twice in the file; seal it anew",
        )));
    }
    for entry in &metadata.age {
        age::armor::decode(&entry.enc).map_err(|error| error.at_path("sops.age"))?;
    }
    Timestamp::parse(&metadata.last_modified)
        .map_err(|error| error.at_path("sops.lastmodified"))?;
    if metadata.mac_only_encrypted {
        return Err(in_block(Error::input(
            ErrorCode::MetadataInvalid,
            "the MAC of the file covers sealed values alone, which is not allowed here; seal it anew",
        )));
    }
    let versioned = |c: char| c.is_ascii_digit() || c == '.';
    let odd = metadata.version.len() > 16 || !metadata.version.chars().all(versioned);
    if metadata.unknown || odd || !same_blocks(sealed) {
        return Err(in_block(Error::input(
            ErrorCode::MetadataInvalid,
            "the sops block holds something that is not known here; seal the file anew",
        )));
    }
    let sealed_text = |text: &str| matches!(SealedValue::parse(text), Some(Ok(_)));
    if metadata
        .layout
        .as_deref()
        .is_some_and(|layout| !sealed_text(layout))
    {
        return Err(in_block(Error::input(
            ErrorCode::MetadataInvalid,
            "the layout in the sops block is not sealed; seal the file anew",
        )));
    }
    match SealedValue::parse(&metadata.mac) {
        Some(Ok(_)) => {}
        _ => {
            return Err(Error::input(
                ErrorCode::MacMismatch,
                "the file has no well-formed MAC; seal it anew",
            )
            .at_path("sops.mac"));
        }
    }
    // Every document must carry the block, or it would be read as plain by itself.
    let everywhere = sealed
        .roots()
        .iter()
        .all(|root| carries_block(sealed.format(), root));
    if everywhere {
        Ok(())
    } else {
        Err(in_block(Error::input(
            ErrorCode::MetadataInvalid,
            "a document of the file has no sops block; seal it anew",
        )))
    }
}

/// Whether a document has a block of its own.
pub(crate) fn carries_block(format: Format, root: &Root) -> bool {
    root.keys.iter().any(|key| format.is_block_key(&key.name))
}

/// Whether all documents carry the block of the first.
pub(crate) fn same_blocks(sealed: &Document<Encrypted>) -> bool {
    let blocks = sealed.roots().iter().map(|root| {
        let scalars = root.items.iter().filter_map(|item| match item {
            Item::Scalar(scalar) => Some(scalar),
            Item::Comment(_) => None,
        });
        let block = scalars.filter(|scalar| scalar.path.keys().next() == Some("sops"));
        block.map(|scalar| (&scalar.path, &scalar.value))
    });
    // The layout is that of the whole text, and may stand in the first block alone.
    let is_layout = |(path, _): &(&Path, &Value)| path.keys().nth(1) == Some(metadata::LAYOUT);
    let mut blocks = blocks.map(|block| block.collect::<Vec<_>>());
    let first = blocks.next().unwrap_or_default();
    let mut bare = first.clone();
    bare.retain(|field| !is_layout(field));
    blocks.all(|block| block == bare || block == first)
}

/// The rule must be the one that the marks compile to, for this very text.
fn check_rule(sealed: &Document<Encrypted>, marks: &[Mark]) -> Result<(), Error> {
    let names = marks::key_names(sealed, marks)?;
    let stated: Option<Vec<_>> = match &sealed.metadata().selector {
        Selector::EncryptedRegex(pattern) => crate::selector::literal_names(pattern.as_str()),
        _ => None,
    };
    let same = stated.is_some_and(|stated| {
        stated.len() == names.len()
            && names.iter().all(|name| stated.contains(name))
            && stated.iter().all(|name| names.contains(name))
    });
    if same {
        Ok(())
    } else {
        Err(Error::input(
            ErrorCode::InvalidSelector,
            "the rule in the file is not the one its marks ask for; seal it anew",
        )
        .at_path("sops.encrypted_regex"))
    }
}

fn check_values(sealed: &Document<Encrypted>) -> Result<Guarded, Error> {
    let mut rule = sealed.metadata().selector.walk();
    let mut sealed_values = 0;
    for (_, scalar) in sealed.scalars() {
        let place = |error: Error| error.at_line(scalar.line).at_path(&scalar.path);
        let selected = rule.selects(&scalar.path);
        match scalar.value.as_str().and_then(SealedValue::parse) {
            Some(parsed) if selected => {
                parsed.map_err(place)?;
                sealed_values += 1;
            }
            _ if selected && !scalar.value.is_empty() => {
                return Err(place(Error::input(
                    ErrorCode::LeafNotSealed,
                    "the value is marked but stands in clear; seal it before it is saved",
                )));
            }
            _ if !selected && looks_sealed(&scalar.value) => {
                return Err(place(Error::input(
                    ErrorCode::ValueLooksSealed,
                    "the value looks sealed, but no mark names it; readers would take the ciphertext as the value",
                )));
            }
            _ => {}
        }
    }
    Ok(Guarded {
        sealed_values,
        entries: sealed
            .metadata()
            .age
            .iter()
            .map(|entry| AgeEntry {
                recipient: entry.recipient.to_string(),
                enc: entry.enc.to_string(),
            })
            .collect(),
    })
}
