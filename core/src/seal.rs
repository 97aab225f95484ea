//! Sealing: each selected leaf becomes `ENC[…]` in its place, and the `sops` block is added.
//!
//! Three passes: choose, encrypt and hash, splice. Then the result is parsed again and compared
//! with what was intended, so that a mistake of a span is an error, never damage. With an opened
//! earlier version, unchanged values keep their ciphertext and a document that did not change
//! comes back to the byte.

#[cfg(feature = "formats")]
mod block;
mod keys;
#[cfg(feature = "formats")]
mod layout;
#[cfg(feature = "formats")]
mod rekey;
#[cfg(feature = "formats")]
mod rotate;

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::cipher::{self, Cipher, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain, looks_sealed, splice};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Comment, Item, Remedy, Scalar};
#[cfg(feature = "formats")]
use crate::format::yaml::write::Caution;
use crate::format::{Edit, Format};
use crate::mac::{self, MacHasher, MacScope};
use crate::metadata::{FORMAT_VERSION, Metadata};
use crate::open::{Ciphertexts, Opened};
use crate::order;
use crate::random::Random;
use crate::recipient::Recipient;
use crate::selector::Selector;
use crate::timestamp::Timestamp;
use crate::value::Value;
use keys::Keys;

#[cfg(feature = "formats")]
pub(crate) use keys::wrap_into;
#[cfg(feature = "formats")]
pub use rotate::Rotation;

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

/// What sealing may do beyond the usual. The default is the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Key groups instead of [`Sealing::recipients`], when there are several.
    pub groups: &'a [Vec<Recipient>],
    /// How many of the groups are needed; all by default.
    pub threshold: Option<usize>,
    /// Whether the MAC covers sealed values alone; by default as in the earlier version, else all values.
    pub mac_only_encrypted: Option<bool>,
    /// Whether a rule that selects nothing is taken.
    pub accept_nothing: bool,
    /// Whether data key and wrapped copies stay as they are in the earlier version, whoever they are for.
    pub keep_keys: bool,
    /// Whether everything is sealed anew under a new data key. Fields of the block that are not known here stay.
    pub new_data_key: bool,
    /// Whether a text that cannot be sealed as it is laid out is sealed in another layout, and the layout kept beside it.
    #[cfg(feature = "formats")]
    pub keep_layout: bool,
}

impl Document<Plain> {
    /// Seals a document that has no earlier version, under a new data key.
    ///
    /// # Errors
    /// What keeps the document from being sealed (`alias-in-sealed-document`, `non-string-key`,
    /// `layout-unsupported`, `value-out-of-range`, `tag-unsupported`, `empty-document`),
    /// `value-looks-sealed`, `selector-matches-nothing`, `recipient-missing`, `random-failed`.
    pub fn seal(&self, sealing: Sealing<'_>) -> Result<Document<Encrypted>, Error> {
        self.seal_with(sealing, &Options::default())
    }

    /// As [`Document::seal`], with options.
    ///
    /// # Errors
    /// As [`Document::seal`]; `threshold-invalid`.
    pub fn seal_with(
        &self,
        sealing: Sealing<'_>,
        options: &Options<'_>,
    ) -> Result<Document<Encrypted>, Error> {
        seal(self, sealing, options, None).map(|(sealed, _)| sealed)
    }

    /// As [`Document::seal`], and opens the result again: whoever goes on editing needs no unwrap.
    ///
    /// # Errors
    /// As [`Document::seal`].
    pub fn seal_and_open(&self, sealing: Sealing<'_>) -> Result<Opened, Error> {
        let (sealed, data_key) = seal(self, sealing, &Options::default(), None)?;
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
        self.reseal_with(changed, sealing, &Options::default())
    }

    /// As [`Opened::reseal`], with options.
    ///
    /// # Errors
    /// As [`Opened::reseal`]; `threshold-invalid`.
    pub fn reseal_with(
        &self,
        changed: &Document<Plain>,
        sealing: Sealing<'_>,
        options: &Options<'_>,
    ) -> Result<Document<Encrypted>, Error> {
        seal(changed, sealing, options, Some(self)).map(|(sealed, _)| sealed)
    }

    /// Seals a changed version for the same people by the same rule: the keys stay as they are, the layout is kept beside
    /// it where it must be, and the rule may hit nothing any more, since it must not keep anybody from removing the last
    /// secret.
    ///
    /// # Errors
    /// As [`Opened::reseal`].
    #[cfg(feature = "formats")]
    pub fn reseal_as_before(
        &self,
        changed: &Document<Plain>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Document<Encrypted>, Error> {
        let sealing = Sealing {
            recipients: &[],
            selector: &self.metadata().selector,
            now,
            random,
        };
        let options = Options {
            accept_nothing: true,
            keep_keys: true,
            keep_layout: true,
            ..Options::default()
        };
        self.reseal_with(changed, sealing, &options)
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
        let (sealed, data_key) = seal(changed, sealing, &Options::default(), Some(self))?;
        sealed.open(&data_key)
    }
}

fn seal(
    plain: &Document<Plain>,
    sealing: Sealing<'_>,
    options: &Options<'_>,
    earlier: Option<&Opened>,
) -> Result<(Document<Encrypted>, DataKey), Error> {
    #[cfg(feature = "formats")]
    let exact = earlier.and_then(|earlier| plain.with_integers_of([earlier.plain()]));
    #[cfg(feature = "formats")]
    let plain = exact.as_ref().unwrap_or(plain);
    #[cfg(feature = "formats")]
    if options.keep_layout {
        return layout::seal(plain, sealing, options, earlier);
    }
    let sealed = seal_in_place(plain, plain, sealing, options, earlier)?;
    Ok((sealed.document, sealed.data_key))
}

/// A sealed document with its key.
struct Sealed {
    document: Document<Encrypted>,
    data_key: DataKey,
    /// What it was made of; `None` when it is the earlier version, unchanged.
    #[cfg_attr(
        not(feature = "formats"),
        expect(dead_code, reason = "asked when the layout is kept beside")
    )]
    made_of: Option<MadeOf>,
}

/// The edits of the values, and the block.
struct MadeOf {
    edits: Vec<Edit>,
    metadata: Metadata,
    selection: Vec<bool>,
}

/// Replaces the selected values where they stand in `plain`, which says the same as `original`.
fn seal_in_place(
    plain: &Document<Plain>,
    original: &Document<Plain>,
    sealing: Sealing<'_>,
    options: &Options<'_>,
    earlier: Option<&Opened>,
) -> Result<Sealed, Error> {
    let Sealing {
        recipients,
        selector,
        now,
        random,
    } = sealing;
    let default_rule = Selector::default();
    let selector = if plain.format().takes_rules() {
        selector
    } else {
        &default_rule
    };
    let keys = Keys {
        recipients,
        options,
        earlier,
    };
    let selection = plain.selection(selector);
    keys.check()?;
    check(plain, selector, &selection, options)?;
    let kept = earlier.filter(|earlier| {
        !options.new_data_key && (options.keep_keys || keys.stay(plain, earlier, &selection))
    });
    let data_key = match kept {
        Some(earlier) => earlier.data_key().clone(),
        None => DataKey::generate(random)?,
    };
    let mac_only = options
        .mac_only_encrypted
        .unwrap_or_else(|| earlier.is_some_and(|earlier| earlier.metadata().mac_only_encrypted));
    let mut pass = Pass {
        plain,
        cipher: Cipher::new(&data_key),
        known: kept.map(Opened::ciphertexts),
        mac: MacHasher::new(if mac_only {
            MacScope::EncryptedOnly
        } else {
            MacScope::All
        }),
        mac_only,
        edits: Vec::new(),
    };
    let mut left = selection.iter().filter(|selected| **selected).count();
    for ((document, item), selected) in plain.items().zip(&selection) {
        pass.item(document, item, *selected, left, random)?;
        left -= usize::from(*selected);
    }
    let Pass { mac, edits, .. } = pass;
    if let Some(earlier) = kept
        && earlier.is_of_file()
        && earlier.metadata().selector == *selector
        && earlier.metadata().mac_only_encrypted == mac_only
        && keys.are_those_of(earlier)
        && is_unchanged(earlier, plain, original, &edits, options)
    {
        return Ok(Sealed {
            document: earlier.sealed().clone(),
            data_key,
            made_of: None,
        });
    }
    let mut metadata = Metadata {
        last_modified: now.to_string(),
        mac: mac::seal_mac(&data_key, &mac.finish(), &now, random)?,
        version: earlier.map_or(FORMAT_VERSION.to_owned(), |earlier| {
            earlier.metadata().version.clone()
        }),
        selector: selector.clone(),
        mac_only_encrypted: mac_only,
        ..keys.wrapped(&data_key, kept, random)?
    };
    // What is not known here is nobody's key: whoever asks for a change of the keys alone keeps it.
    if (options.keep_keys || options.new_data_key)
        && let Some(earlier) = earlier
    {
        metadata.extra = earlier.metadata().extra.clone();
        metadata.unknown = !metadata.extra.is_empty();
    }
    let mut made_of = MadeOf {
        edits,
        metadata,
        selection,
    };
    Ok(Sealed {
        document: made_of.put_together_anew(plain, &data_key, random)?,
        data_key,
        made_of: Some(made_of),
    })
}

/// Selected comments that the sealed text has elsewhere than the plain one, as both have them.
fn moved_comments<'a>(
    plain: &'a Document<Plain>,
    sealed: &'a Document<Encrypted>,
    selection: &'a [bool],
) -> impl Iterator<Item = (&'a Comment, &'a Comment)> {
    let comments = plain
        .items()
        .zip(selection)
        .filter_map(|((_, item), selected)| match item {
            Item::Comment(comment) => Some((comment, *selected && !comment.text.is_empty())),
            Item::Scalar(_) => None,
        });
    let sealed = sealed.comments().map(|(_, comment)| comment);
    comments
        .zip(sealed)
        .filter_map(|((before, selected), after)| {
            let moved = before.path.additional_data() != after.path.additional_data();
            (selected && moved).then_some((before, after))
        })
}

impl MadeOf {
    /// The sealed text, its comments sealed for where it has them: at the end of a text one may belong elsewhere once the
    /// block follows it, and would not open there.
    fn put_together_anew(
        &mut self,
        plain: &Document<Plain>,
        data_key: &DataKey,
        random: &mut dyn Random,
    ) -> Result<Document<Encrypted>, Error> {
        let sealed = self.text(plain)?;
        let selector = &self.metadata.selector;
        let mut again = Vec::new();
        for (before, after) in moved_comments(plain, &sealed, &self.selection) {
            if !selector.goes_by_comments() && !selector.selects(&after.path) {
                return Err(Error::input(
                    ErrorCode::LayoutUnsupported,
                    "a comment stands where it would belong to something else in the sealed text; indent it as what it belongs to",
                )
                .at_line(before.line));
            }
            let (text, aad) = (before.text.as_bytes(), after.path.additional_data());
            let enc = cipher::seal(data_key, text, aad.as_bytes(), "comment", random)?;
            again.extend(plain.format().sealed_comment(&enc, before));
        }
        if again.is_empty() {
            prove(plain, &sealed, &self.selection, &self.metadata)?;
            return Ok(sealed);
        }
        let key = |(range, _): &Edit| (range.start, range.end);
        self.edits = order::by_key(core::mem::take(&mut self.edits), key);
        for edit in again {
            let found = self.edits.binary_search_by_key(&key(&edit), key);
            let place = found.ok().and_then(|at| self.edits.get_mut(at));
            *place.ok_or_else(|| Error::bug("a comment has no edit"))? = edit;
        }
        let document = self.put_together(plain)?;
        let places = |document: &Document<Encrypted>| {
            let comments = document.comments();
            comments
                .map(|(_, comment)| comment.path.additional_data())
                .collect::<Vec<_>>()
        };
        if places(&document) != places(&sealed) {
            return Err(Error::bug("a comment moved again"));
        }
        Ok(document)
    }

    /// The sealed text, proved by parsing it.
    fn put_together(&self, plain: &Document<Plain>) -> Result<Document<Encrypted>, Error> {
        let sealed = self.text(plain)?;
        prove(plain, &sealed, &self.selection, &self.metadata)?;
        Ok(sealed)
    }

    fn text(&self, plain: &Document<Plain>) -> Result<Document<Encrypted>, Error> {
        let blocks = insertions(plain, &self.metadata);
        let text = splice(plain.text(), self.edits.iter().chain(&blocks));
        Document::<Encrypted>::of_text(plain.format(), text.into(), &with_room(plain)).map_err(
            |error| {
                Error::bug(alloc::format!(
                    "the sealed text does not parse ({})",
                    error.code().as_str()
                ))
            },
        )
    }
}

/// A block for each document of the text.
fn insertions(plain: &Document<Plain>, metadata: &Metadata) -> Vec<Edit> {
    let (first, other) = metadata.to_nodes();
    let blocks = core::iter::once(&first).chain(core::iter::repeat(&other));
    let roots = plain.roots().iter().zip(blocks);
    roots
        .map(|(root, block)| plain.format().insertion(plain.text(), root, block))
        .collect()
}

/// Whether nothing is left to write: the same text, or, unless layouts are kept, the same but for how sealed values were
/// written.
fn is_unchanged(
    earlier: &Opened,
    plain: &Document<Plain>,
    original: &Document<Plain>,
    edits: &[Edit],
    options: &Options<'_>,
) -> bool {
    if plain.format() != earlier.plain().format() {
        return false;
    }
    let mut values = earlier.plain().scalars().zip(original.scalars());
    let mut same_values = || values.all(|((_, one), (_, other))| one.value == other.value);
    let same_text = earlier.plain().text() == original.text();
    same_text && (plain.format().takes_rules() || same_values())
        || !options.keeps_layout() && earlier.sealed().body() == splice(plain.text(), edits)
}

/// What the sealed text will open to, told from what was sealed.
#[cfg(feature = "formats")]
fn opens_to(
    plain: &Document<Plain>,
    sealed: &Document<Encrypted>,
    selection: &[bool],
) -> Result<Zeroizing<alloc::string::String>, Error> {
    let format = plain.format();
    let mut edits = Vec::new();
    let pairs = plain.items().zip(sealed.items()).zip(selection);
    for (((_, before), (_, after)), selected) in pairs {
        match (before, after) {
            (Item::Scalar(before), Item::Scalar(after))
                if *selected && !before.value.is_empty() =>
            {
                edits.extend(format.opened(&before.value, after, sealed.text(), Caution::Keep)?);
            }
            (Item::Comment(before), Item::Comment(after))
                if *selected && !before.text.is_empty() =>
            {
                edits.extend(format.opened_comment(&before.text, after));
            }
            _ => {}
        }
    }
    for root in sealed.roots() {
        edits.extend(format.removal(sealed.text(), root).unwrap_or_default());
    }
    Ok(Zeroizing::new(splice(sealed.text(), &edits)))
}

impl Options<'_> {
    fn keeps_layout(&self) -> bool {
        #[cfg(feature = "formats")]
        return self.keep_layout;
        #[cfg(not(feature = "formats"))]
        false
    }
}

/// The sealed text is longer than the plain one: ciphertext and the block take room of their own.
fn with_room<State>(document: &Document<State>) -> crate::limits::Limits {
    let limits = document.limits();
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
    selector: &Selector,
    selection: &[bool],
    options: &Options<'_>,
) -> Result<(), Error> {
    let obstacle = plain.obstacles().find(|obstacle| {
        // Read alike when no alias stands there; only who merges keys sees a difference.
        !(options.keeps_layout() && obstacle.remedy == Remedy::Nothing)
    });
    if let Some(obstacle) = obstacle {
        return Err(obstacle.error());
    }
    let nothing_asked = options.keeps_layout() && !selector.names_what_is_sealed();
    let nothing = plain.roots().iter().all(|root| root.keys.is_empty());
    if nothing && (plain.roots().is_empty() || !options.accept_nothing && !nothing_asked) {
        return Err(Error::input(
            ErrorCode::EmptyDocument,
            "the text has no key, so there is nothing to seal; add one",
        ));
    }
    let items = plain.items().zip(selection);
    let mut selected = items
        .filter_map(|((_, item), selected)| match item {
            Item::Scalar(scalar) if *selected => Some(scalar),
            _ => None,
        })
        .peekable();
    let must_select = selector.names_what_is_sealed() && !options.accept_nothing;
    if must_select && selected.peek().is_none() {
        return Err(Error::configuration(
            ErrorCode::SelectorMatchesNothing,
            "the rule selects no value, so nothing would be sealed; check the names, they are case-sensitive",
        ));
    }
    for scalar in selected {
        let looks_sealed = if options.keeps_layout() {
            is_sealed_value(&scalar.value)
        } else {
            looks_sealed(&scalar.value)
        };
        if looks_sealed && plain.format().takes_rules() {
            return Err(place(
                Error::input(
                    ErrorCode::ValueLooksSealed,
                    "the value already looks like ENC[…]; write the value itself, or unlock the file first",
                ),
                scalar,
            ));
        }
        if scalar.tag.is_some() && !options.keeps_layout() {
            return Err(place(
                Error::input(
                    ErrorCode::TagUnsupported,
                    "a tag gives this value its type, which sealing cannot keep; remove the tag",
                ),
                scalar,
            ));
        }
    }
    check_last_line(plain, selection)
}

/// The block follows on a line of its own. A YAML text without a last line break must mean the same with
/// one: a block value at its end does not, since go-yaml ends it where the text ends.
fn check_last_line(plain: &Document<Plain>, selection: &[bool]) -> Result<(), Error> {
    if plain.text().ends_with('\n') || plain.format() != Format::Yaml {
        return Ok(());
    }
    let text = Zeroizing::new(alloc::format!("{}\n", plain.text()));
    let same = Document::<Plain>::parse(text.as_bytes(), &with_room(plain)).is_ok_and(|longer| {
        let scalars = plain.items().zip(selection);
        let mut scalars = scalars.filter_map(|((_, item), selected)| match item {
            Item::Scalar(scalar) => Some((scalar, *selected)),
            Item::Comment(_) => None,
        });
        let same = longer.scalars().all(|(_, one)| {
            scalars.next().is_some_and(|(other, selected)| {
                let sealed = selected && !other.value.is_empty();
                one.path == other.path && (sealed || one.value == other.value)
            })
        });
        same && scalars.next().is_none()
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

/// Whether a value is a well-formed sealed one, which nobody means to seal again.
fn is_sealed_value(value: &Value) -> bool {
    let sealed = value.as_str().and_then(SealedValue::parse);
    matches!(sealed, Some(Ok(_)))
}

fn place(error: Error, scalar: &Scalar) -> Error {
    error.at_line(scalar.line).at_path(&scalar.path)
}

/// One walk over the document: collects the edits and the hash.
struct Pass<'a> {
    plain: &'a Document<Plain>,
    cipher: Cipher<'a>,
    known: Option<Ciphertexts<'a>>,
    mac: MacHasher,
    mac_only: bool,
    edits: Vec<Edit>,
}

impl Pass<'_> {
    fn item(
        &mut self,
        document: usize,
        item: &Item,
        selected: bool,
        left: usize,
        random: &mut dyn Random,
    ) -> Result<(), Error> {
        let format = self.plain.format();
        match item {
            Item::Comment(comment) => {
                if selected && !comment.text.is_empty() {
                    let known = self
                        .known
                        .as_ref()
                        .and_then(|known| known.of_comment(document, &comment.path, &comment.text));
                    let enc = match known {
                        Some(enc) => enc.as_str().to_owned(),
                        None => self.cipher.seal(
                            comment.text.as_bytes(),
                            comment.path.additional_data().as_bytes(),
                            "comment",
                            left,
                            random,
                        )?,
                    };
                    self.edits.extend(format.sealed_comment(&enc, comment));
                }
            }
            Item::Scalar(scalar) => {
                let plaintext = scalar.value.plaintext();
                if selected || !self.mac_only {
                    self.mac.update(&plaintext);
                }
                if selected && !scalar.value.is_empty() {
                    let known = self.known.as_ref();
                    let known = known
                        .and_then(|known| known.of_value(document, &scalar.path, &scalar.value));
                    let enc = match known {
                        Some(enc) => enc.as_str().to_owned(),
                        None => self.cipher.seal(
                            &plaintext,
                            scalar.path.additional_data().as_bytes(),
                            scalar.value.label(),
                            left,
                            random,
                        )?,
                    };
                    self.edits
                        .extend(format.sealed(&enc, scalar, self.plain.text()));
                }
            }
        }
        Ok(())
    }
}

/// Compares the parsed result with the intention: same places in the same order, each selected
/// value sealed (or empty), each other one unchanged, the block as it was meant.
fn prove(
    plain: &Document<Plain>,
    sealed: &Document<Encrypted>,
    selection: &[bool],
    metadata: &Metadata,
) -> Result<(), Error> {
    if sealed.metadata() != metadata {
        return Err(Error::bug("the sops block does not read back"));
    }
    let comments = (plain.comments().count(), sealed.comments().count());
    if comments.0 != comments.1 {
        return Err(Error::bug("a comment was lost or gained"));
    }
    if metadata.selector.goes_by_comments() && sealed.selection(&metadata.selector) != selection {
        return Err(Error::configuration(
            ErrorCode::InvalidSelector,
            "the rule would choose other values in the sealed text, as it matches sealed comments; choose another expression",
        ));
    }
    let mut after = sealed.scalars();
    for ((document, item), selected) in plain.items().zip(selection) {
        let Item::Scalar(before) = item else { continue };
        let Some((document_after, after)) = after.next() else {
            return Err(Error::bug("a value was lost"));
        };
        let broken = |what: &str| Err(place(Error::bug(what), before));
        if document != document_after || before.path != after.path {
            return broken("a value moved");
        }
        let must_seal = *selected && !before.value.is_empty();
        if must_seal && !after.value.as_str().is_some_and(cipher::is_sealed) {
            return broken("a selected value was not sealed");
        }
        if !must_seal && before.value != after.value {
            return broken("a value that is not selected changed");
        }
    }
    if after.next().is_some() {
        return Err(Error::bug("a value was gained"));
    }
    Ok(())
}
