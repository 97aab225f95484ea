//! Sealing: each selected leaf becomes `ENC[…]` in its place, and the `sops` block is added.
//!
//! Three passes: choose, encrypt and hash, splice. Then the result is parsed again and compared
//! with what was intended, so that a mistake of a span is an error, never damage. With an opened
//! earlier version, unchanged values keep their ciphertext and a document that did not change
//! comes back to the byte.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{self, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain, looks_sealed, splice};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Item, Scalar};
use crate::format::yaml::{metadata as block, write};
use crate::mac::{self, MacHasher, MacScope};
use crate::metadata::{AgeEntry, FORMAT_VERSION, Metadata};
use crate::open::Opened;
use crate::order::Table;
use crate::random::Random;
use crate::recipient::Recipient;
use crate::selector::{Selector, Walk};
use crate::timestamp::Timestamp;

/// What sealing needs besides the document.
pub struct Sealing<'a> {
    /// Who shall be able to open it: exactly these, in this order. At least one.
    pub recipients: &'a [Recipient],
    /// Which leaves are sealed.
    pub selector: &'a Selector,
    /// The time of the change.
    pub now: Timestamp,
    /// The generator for data key, nonces and wrapping.
    pub random: &'a mut dyn Random,
}

impl fmt::Debug for Sealing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing")
            .field("recipients", &self.recipients)
            .field("selector", &self.selector)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Document<Plain> {
    /// Seals a document that has no earlier version, under a new data key.
    ///
    /// # Errors
    /// What keeps the document from being sealed (`alias-in-sealed-document`, `non-string-key`,
    /// `layout-unsupported`, `value-out-of-range`, `tag-unsupported`, `empty-document`),
    /// `value-looks-sealed`, `selector-matches-nothing`, `recipient-missing`, `random-failed`.
    pub fn seal(&self, sealing: Sealing<'_>) -> Result<Document<Encrypted>, Error> {
        seal(self, sealing, None).map(|(sealed, _)| sealed)
    }

    /// As [`Document::seal`], and opens the result again: whoever goes on editing needs no unwrap.
    ///
    /// # Errors
    /// As [`Document::seal`].
    pub fn seal_and_open(&self, sealing: Sealing<'_>) -> Result<Opened, Error> {
        let (sealed, data_key) = seal(self, sealing, None)?;
        sealed.open(&data_key)
    }
}

impl Opened {
    /// Seals a changed version of this document.
    ///
    /// The data key is kept, and with it the ciphertext of every value whose path, type and text
    /// did not change, unless a recipient goes or a sealed value is no longer selected: then there
    /// is a new data key and everything is sealed anew.
    ///
    /// # Errors
    /// As [`Document::seal`]; `metadata-invalid` when the file is also sealed to something other than age recipients.
    pub fn reseal(
        &self,
        changed: &Document<Plain>,
        sealing: Sealing<'_>,
    ) -> Result<Document<Encrypted>, Error> {
        seal(changed, sealing, Some(self)).map(|(sealed, _)| sealed)
    }

    /// As [`Opened::reseal`], and opens the result again.
    ///
    /// # Errors
    /// As [`Opened::reseal`].
    pub fn reseal_and_open(
        &self,
        changed: &Document<Plain>,
        sealing: Sealing<'_>,
    ) -> Result<Self, Error> {
        let (sealed, data_key) = seal(changed, sealing, Some(self))?;
        sealed.open(&data_key)
    }
}

fn seal(
    plain: &Document<Plain>,
    sealing: Sealing<'_>,
    earlier: Option<&Opened>,
) -> Result<(Document<Encrypted>, DataKey), Error> {
    let Sealing {
        recipients,
        selector,
        now,
        random,
    } = sealing;
    check(plain, recipients, selector, earlier)?;
    let kept = earlier.filter(|earlier| keeps_data_key(plain, earlier, recipients, selector));
    let data_key = match kept {
        Some(earlier) => earlier.data_key().clone(),
        None => DataKey::generate(random)?,
    };
    let mac_only = earlier.is_some_and(|earlier| earlier.metadata().mac_only_encrypted);
    let mut pass = Pass {
        plain,
        walk: selector.walk(),
        data_key: &data_key,
        kept,
        mac: MacHasher::new(if mac_only {
            MacScope::EncryptedOnly
        } else {
            MacScope::All
        }),
        mac_only,
        edits: Vec::new(),
    };
    for (document, item) in plain.items() {
        pass.item(document, item, random)?;
    }
    let Pass { mac, edits, .. } = pass;
    let body = splice(plain.text(), edits.clone());
    if let Some(earlier) = kept
        && earlier.metadata().selector == *selector
        && earlier.has_exactly(recipients)
        && (earlier.sealed().body() == body || earlier.plain().text() == plain.text())
    {
        return Ok((earlier.sealed().clone(), data_key));
    }
    let metadata = Metadata {
        age: wrap_all(&data_key, recipients, kept, random)?,
        last_modified: now.to_string(),
        mac: mac::seal_mac(&data_key, &mac.finish(), &now, random)?,
        version: earlier.map_or(FORMAT_VERSION.to_owned(), |earlier| {
            earlier.metadata().version.clone()
        }),
        selector: selector.clone(),
        mac_only_encrypted: mac_only,
        unknown: false,
        foreign: Vec::new(),
    };
    let text = add_blocks(plain, edits, &metadata);
    let sealed =
        Document::<Encrypted>::parse(text.as_bytes(), &with_room(plain)).map_err(|error| {
            Error::bug(alloc::format!(
                "the sealed text does not parse ({})",
                error.code().as_str()
            ))
        })?;
    prove(plain, &sealed, selector, &metadata)?;
    Ok((sealed, data_key))
}

/// The sealed text is longer than the plain one: ciphertext and the block take room of their own.
fn with_room(plain: &Document<Plain>) -> crate::limits::Limits {
    let limits = plain.limits();
    crate::limits::Limits {
        bytes: usize::MAX,
        nodes: usize::MAX,
        scalar_bytes: usize::MAX,
        depth: limits.depth.max(8),
        key_bytes: limits.key_bytes,
        documents: limits.documents,
    }
}

fn check(
    plain: &Document<Plain>,
    recipients: &[Recipient],
    selector: &Selector,
    earlier: Option<&Opened>,
) -> Result<(), Error> {
    if recipients.is_empty() {
        return Err(Error::configuration(
            ErrorCode::RecipientMissing,
            "nobody could open the document; name at least one recipient",
        ));
    }
    if let Some(obstacle) = plain.obstacle() {
        return Err(obstacle);
    }
    if plain.roots().iter().all(|root| root.keys.is_empty()) {
        return Err(Error::input(
            ErrorCode::EmptyDocument,
            "the text has no key, so there is nothing to seal; add one",
        ));
    }
    if let Some(foreign) = earlier.and_then(|earlier| earlier.metadata().foreign.first()) {
        return Err(Error::input(ErrorCode::MetadataInvalid, alloc::format!("the file is also sealed through {foreign}, which would be lost; change it with the tool that made it")).at_path("sops"));
    }
    let mut walk = selector.walk();
    let mut selected = plain
        .scalars()
        .filter(|(_, scalar)| walk.selects(&scalar.path))
        .peekable();
    if selector.names_what_is_sealed() && selected.peek().is_none() {
        return Err(Error::configuration(
            ErrorCode::SelectorMatchesNothing,
            "the rule selects no value, so nothing would be sealed; check the names, they are case-sensitive",
        ));
    }
    for (_, scalar) in selected {
        if looks_sealed(&scalar.value) {
            return Err(place(
                Error::input(
                    ErrorCode::ValueLooksSealed,
                    "the value already looks like ENC[…]; write the value itself, or unlock the file first",
                ),
                scalar,
            ));
        }
        if scalar.typed_by_tag {
            return Err(place(
                Error::input(
                    ErrorCode::TagUnsupported,
                    "a tag gives this value its type, which sealing cannot keep; remove the tag",
                ),
                scalar,
            ));
        }
    }
    check_last_line(plain, selector)
}

/// The block follows on a line of its own. A text without a last line break must mean the same with
/// one: a block value at its end does not, since go-yaml ends it where the text ends.
fn check_last_line(plain: &Document<Plain>, selector: &Selector) -> Result<(), Error> {
    if plain.text().ends_with('\n') {
        return Ok(());
    }
    let text = Zeroizing::new(alloc::format!("{}\n", plain.text()));
    let mut walk = selector.walk();
    let same = Document::<Plain>::parse(text.as_bytes(), &with_room(plain)).is_ok_and(|longer| {
        longer.scalars().count() == plain.scalars().count()
            && longer
                .scalars()
                .zip(plain.scalars())
                .all(|((_, one), (_, other))| {
                    let sealed = walk.selects(&other.path) && !other.value.is_empty();
                    one.path == other.path && (sealed || one.value == other.value)
                })
    });
    if same {
        Ok(())
    } else {
        Err(Error::input(
            ErrorCode::LayoutUnsupported,
            "the last line has no line break, and adding one would change its value; add it",
        ))
    }
}

fn place(error: Error, scalar: &Scalar) -> Error {
    error.at_line(scalar.line).at_path(&scalar.path)
}

/// One walk over the document: collects the edits and the hash.
struct Pass<'a> {
    plain: &'a Document<Plain>,
    walk: Walk<'a>,
    data_key: &'a DataKey,
    kept: Option<&'a Opened>,
    mac: MacHasher,
    mac_only: bool,
    edits: Vec<(Range<usize>, String)>,
}

impl Pass<'_> {
    fn item(&mut self, document: usize, item: &Item, random: &mut dyn Random) -> Result<(), Error> {
        match item {
            Item::Comment(comment) => {
                if self.walk.selects(&comment.path) && !comment.text.is_empty() {
                    let known = self.kept.and_then(|kept| {
                        kept.sealed_comment(document, &comment.path, &comment.text)
                    });
                    let enc = match known {
                        Some(enc) => enc.to_owned(),
                        None => cipher::seal(
                            self.data_key,
                            comment.text.as_bytes(),
                            comment.path.additional_data().as_bytes(),
                            "comment",
                            random,
                        )?,
                    };
                    self.edits
                        .push((comment.span.clone(), alloc::format!("#{enc}")));
                }
            }
            Item::Scalar(scalar) => {
                let selected = self.walk.selects(&scalar.path);
                if selected || !self.mac_only {
                    self.mac.update(&scalar.value.plaintext());
                }
                if selected && !scalar.value.is_empty() {
                    let known = self
                        .kept
                        .and_then(|kept| kept.sealed_value(document, &scalar.path, &scalar.value));
                    let enc = match known {
                        Some(enc) => enc.to_owned(),
                        None => cipher::seal(
                            self.data_key,
                            &scalar.value.plaintext(),
                            scalar.path.additional_data().as_bytes(),
                            scalar.value.label(),
                            random,
                        )?,
                    };
                    self.edits
                        .extend(write::sealed(&enc, scalar, self.plain.text()));
                }
            }
        }
        Ok(())
    }
}

/// Nobody who could open the document loses that right, and no value leaves the sealed set.
fn keeps_data_key(
    plain: &Document<Plain>,
    earlier: &Opened,
    recipients: &[Recipient],
    selector: &Selector,
) -> bool {
    let stays = |gone: &str| {
        recipients
            .iter()
            .any(|recipient| recipient.as_str() == gone)
    };
    let nobody_goes = earlier
        .metadata()
        .age
        .iter()
        .all(|entry| stays(entry.recipient.trim()));
    let mut walk = selector.walk();
    let hits = plain
        .scalars()
        .filter(|(_, scalar)| walk.selects(&scalar.path));
    let selected = hits.map(|(document, scalar)| ((document, &scalar.path), ()));
    let selected = Table::new(selected.collect());
    nobody_goes
        && earlier
            .sealed_paths()
            .all(|at| selected.holds(|place| place.cmp(&at)))
}

fn wrap_all(
    data_key: &DataKey,
    recipients: &[Recipient],
    kept: Option<&Opened>,
    random: &mut dyn Random,
) -> Result<Vec<AgeEntry>, Error> {
    let known = kept.map_or(&[][..], |kept| &kept.metadata().age);
    let mut entries: Vec<AgeEntry> = Vec::new();
    for recipient in recipients {
        let is = |entry: &&AgeEntry| entry.recipient.trim() == recipient.as_str();
        if entries.iter().any(|entry| is(&entry)) {
            continue;
        }
        let enc = match known.iter().find(is) {
            Some(known) => known.enc.clone(),
            None => data_key.wrap(recipient, random)?,
        };
        entries.push(AgeEntry {
            recipient: recipient.as_str().to_owned(),
            enc,
        });
    }
    Ok(entries)
}

fn add_blocks(
    plain: &Document<Plain>,
    mut edits: Vec<(Range<usize>, String)>,
    metadata: &Metadata,
) -> String {
    for root in plain.roots() {
        let text = block::render(metadata, root.column);
        let (at, text) = block::insertion(plain.text(), root, &text);
        edits.push((at..at, text));
    }
    splice(plain.text(), edits)
}

/// Compares the parsed result with the intention: same places in the same order, each selected
/// value sealed (or empty), each other one unchanged, the block as it was meant.
fn prove(
    plain: &Document<Plain>,
    sealed: &Document<Encrypted>,
    selector: &Selector,
    metadata: &Metadata,
) -> Result<(), Error> {
    if sealed.metadata() != metadata {
        return Err(Error::bug("the sops block does not read back"));
    }
    let mut before = plain.scalars();
    let mut after = sealed.scalars();
    let mut walk = selector.walk();
    loop {
        let ((document, before), (document_after, after)) = match (before.next(), after.next()) {
            (None, None) => break,
            (Some(before), Some(after)) => (before, after),
            _ => return Err(Error::bug("a value was lost or gained")),
        };
        let broken = |what: &str| Err(place(Error::bug(what), before));
        if document != document_after || before.path != after.path {
            return broken("a value moved");
        }
        let is_sealed = after
            .value
            .as_str()
            .and_then(SealedValue::parse)
            .is_some_and(|parsed| parsed.is_ok());
        let must_seal = walk.selects(&before.path) && !before.value.is_empty();
        if must_seal && !is_sealed {
            return broken("a selected value was not sealed");
        }
        if !must_seal && before.value != after.value {
            return broken("a value that is not selected changed");
        }
    }
    let comments = (plain.comments().count(), sealed.comments().count());
    if comments.0 != comments.1 {
        return Err(Error::bug("a comment was lost or gained"));
    }
    Ok(())
}
