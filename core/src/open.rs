//! Opening: each sealed value is decrypted in its place, the MAC is verified, the block removed.

#[cfg(feature = "formats")]
mod reference;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{self, Cipher, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain, splice};
use crate::error::{Error, ErrorCode};
use crate::format::Format;
use crate::format::parts::{Comment, Item, Scalar};
use crate::format::yaml::write::{self, Caution};
use crate::mac::{self, MacHasher, MacScope};
use crate::metadata::Metadata;
use crate::order::Table;
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::value::Value;

/// Document and path of a value, or of the collection that a comment stands in.
pub(crate) type Place<'a> = (usize, &'a Path);

/// A sealed document together with its plain text and data key.
#[derive(Clone)]
pub struct Opened {
    sealed: Document<Encrypted>,
    plain: Document<Plain>,
    data_key: DataKey,
    /// The document as it opened, when another layout was told beside it.
    #[cfg(feature = "formats")]
    as_opened: Option<Document<Plain>>,
    /// Each value that was sealed.
    values: Vec<Sealed>,
    /// Each comment that was sealed.
    comments: Vec<Sealed>,
    /// The layout that the block tells, opened.
    #[cfg(feature = "formats")]
    layout: Option<Zeroizing<String>>,
    /// What shall keep which ciphertexts, when that is not told by the sealed document.
    #[cfg(feature = "formats")]
    kept: Option<Kept>,
    /// Whether values or comments stand in clear in the file that its rule seals, and were taken.
    has_clear: bool,
}

/// A document that was opened although values stand in clear that its rule seals.
pub struct OpenedWithClear {
    /// The document; those values are in it as they stand, and are sealed when it is sealed again.
    pub opened: Opened,
    /// Line and path of each of those values.
    pub in_clear: Vec<(usize, Path)>,
    /// Lines of comments in clear that the rule seals, which the MAC does not cover.
    pub comments_in_clear: Vec<usize>,
    /// Whether the MAC is that of all other values: then those in clear were added, and nothing else changed.
    pub others_match: bool,
}

impl fmt::Debug for OpenedWithClear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedWithClear(redacted)")
    }
}

/// What becomes of a value in clear that the rule seals.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum InClear {
    #[default]
    Refused,
    Taken,
}

/// Something that was sealed.
#[derive(Clone, Copy)]
pub(crate) struct Sealed {
    /// Which of the values, or of the comments, of the opened document it is.
    number: usize,
    /// Which of the sealed document's items it was.
    item: usize,
}

/// What was sealed, by its place.
pub(crate) struct Ciphertexts<'a> {
    pub(crate) values: Table<Place<'a>, (&'a Value, Text)>,
    pub(crate) comments: Table<Place<'a>, (&'a Text, Text)>,
}

impl Ciphertexts<'_> {
    /// The ciphertext of a value that did not change.
    pub(crate) fn of_value(&self, document: usize, path: &Path, value: &Value) -> Option<&Text> {
        let found = self.values.get(|at| at.cmp(&(document, path)));
        let (_, (earlier, enc)) = found.first()?;
        (*earlier == value).then_some(enc)
    }

    /// The ciphertext of a comment.
    pub(crate) fn of_comment(&self, document: usize, path: &Path, text: &str) -> Option<&Text> {
        let known = self.comments.get(|at| at.cmp(&(document, path)));
        let found = known
            .iter()
            .find(|(_, (earlier, _))| earlier.as_str() == text);
        found.map(|(_, (_, enc))| enc)
    }
}

/// Values and comments, and the ciphertexts that they shall keep.
#[cfg(feature = "formats")]
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) values: Vec<((usize, Path), (Value, Text))>,
    pub(crate) comments: Vec<((usize, Path), (Text, Text))>,
}

impl Opened {
    /// The readable document.
    pub fn plain(&self) -> &Document<Plain> {
        &self.plain
    }

    /// The document as it was read.
    pub fn sealed(&self) -> &Document<Encrypted> {
        &self.sealed
    }

    /// The data key.
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// Whether values or comments stand in clear in the file that its rule seals, and were taken; see [`OpenedWithClear`].
    pub fn has_clear(&self) -> bool {
        self.has_clear
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        self.sealed.metadata()
    }

    /// The document as it opened.
    fn as_opened(&self) -> &Document<Plain> {
        #[cfg(feature = "formats")]
        if let Some(opened) = &self.as_opened {
            return opened;
        }
        &self.plain
    }

    /// What is sealed in it, to be looked up.
    pub(crate) fn ciphertexts(&self) -> Ciphertexts<'_> {
        #[cfg(feature = "formats")]
        if let Some(Kept { values, comments }) = &self.kept {
            let values = values
                .iter()
                .map(|((at, path), (value, enc))| ((*at, path), (value, enc.clone())));
            let comments = comments
                .iter()
                .map(|((at, path), (text, enc))| ((*at, path), (text, enc.clone())));
            return Ciphertexts {
                values: Table::new(values.collect()),
                comments: Table::new(comments.collect()),
            };
        }
        let opened = self.as_opened();
        let values = opened.scalars();
        let values = values.map(|(at, scalar)| ((at, &scalar.path), &scalar.value));
        let comments = opened.comments();
        let comments = comments.map(|(at, comment)| ((at, &comment.path), &comment.text));
        let items: Vec<&Item> = self.sealed.items().map(|(_, item)| item).collect();
        Ciphertexts {
            values: Table::new(placed(values, &self.values, &items).collect()),
            comments: Table::new(placed(comments, &self.comments, &items).collect()),
        }
    }

    pub(crate) fn sealed_paths(&self) -> impl Iterator<Item = (usize, &Path)> {
        let mut values = self.as_opened().scalars().enumerate();
        self.values.iter().filter_map(move |sealed| {
            let (_, (document, scalar)) = values.find(|(number, _)| *number == sealed.number)?;
            Some((document, &scalar.path))
        })
    }

    /// Whether its text and block are those of a file as it was sealed. What is put together to be sealed by must be
    /// written, whatever it says, and so must a file in which something stands in clear.
    pub(crate) fn is_of_file(&self) -> bool {
        #[cfg(feature = "formats")]
        return self.kept.is_none() && !self.has_clear;
        #[cfg(not(feature = "formats"))]
        !self.has_clear
    }

    /// The same document with another block and other ciphertexts to be kept, to be sealed by.
    #[cfg(feature = "formats")]
    pub(crate) fn rewritten(&self, data_key: DataKey, metadata: Metadata, kept: Kept) -> Self {
        Self {
            sealed: self.sealed.with_metadata(metadata),
            layout: self.layout.clone().filter(|_| data_key == self.data_key),
            data_key,
            kept: Some(kept),
            ..self.clone()
        }
    }

    /// The sealed form of a layout that did not change.
    #[cfg(feature = "formats")]
    pub(crate) fn sealed_layout(&self, layout: &str) -> Option<&str> {
        let known = self.layout.as_ref()?;
        (known.as_str() == layout).then_some(self.metadata().layout.as_deref()?)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(redacted)")
    }
}

impl Document<Encrypted> {
    /// Opens all values and verifies the MAC.
    ///
    /// # Errors
    /// `leaf-tampered`, `leaf-not-sealed`, `leaf-malformed` with the path; `mac-mismatch`;
    /// `layout-unsupported` instead when a character is to blame that only some readers take for a
    /// line break. Nothing is returned then.
    pub fn open(&self, data_key: &DataKey) -> Result<Opened, Error> {
        self.open_as_written(data_key)
            .map_err(|error| self.told_by_line_break(error))
    }

    /// Where go-yaml sees other lines than we do, other values than we see were sealed.
    pub(crate) fn told_by_line_break(&self, error: Error) -> Error {
        match self.line_break() {
            Some(found)
                if matches!(
                    error.code(),
                    ErrorCode::LeafNotSealed | ErrorCode::LeafTampered | ErrorCode::MacMismatch
                ) =>
            {
                found
            }
            _ => error,
        }
    }

    fn open_as_written(&self, data_key: &DataKey) -> Result<Opened, Error> {
        self.opened(data_key, true)
    }

    /// As [`Document::open`] without looking at the MAC: what stands in the text is then only as good as its source.
    ///
    /// # Errors
    /// As [`Document::open`], without `mac-mismatch`.
    pub fn open_without_mac(&self, data_key: &DataKey) -> Result<Opened, Error> {
        self.opened(data_key, false)
    }

    /// As [`Document::open_without_mac`], also when values stand in clear that the file's rule seals: who wrote them
    /// there is not known, so whoever takes them has to say so.
    ///
    /// # Errors
    /// As [`Document::open_without_mac`], without `leaf-not-sealed`.
    pub fn open_with_clear(&self, data_key: &DataKey) -> Result<OpenedWithClear, Error> {
        let opened = || {
            let pass = self.open_leaves_with(data_key, InClear::Taken)?;
            let in_clear = pass.in_clear.clone();
            let comments_in_clear = pass.comments_in_clear.clone();
            let others = self.compare_mac_with(data_key, &pass.mac_of_others);
            Ok(OpenedWithClear {
                opened: self.opened_of(data_key, pass)?,
                in_clear,
                comments_in_clear,
                others_match: others.is_ok(),
            })
        };
        opened().map_err(|error| self.told_by_line_break(error))
    }

    fn opened(&self, data_key: &DataKey, check_mac: bool) -> Result<Opened, Error> {
        let pass = self.open_leaves(data_key)?;
        if check_mac {
            self.compare_mac(data_key, &pass)?;
        }
        self.opened_of(data_key, pass)
    }

    fn opened_of(&self, data_key: &DataKey, mut pass: Pass<'_>) -> Result<Opened, Error> {
        let has_clear = !pass.in_clear.is_empty() || !pass.comments_in_clear.is_empty();
        let plain = self.plain_document(data_key, &mut pass)?;
        #[cfg(feature = "formats")]
        let layout = crate::layout::open(data_key, self.metadata().layout.as_deref());
        #[cfg(feature = "formats")]
        let (plain, as_opened) = match &layout {
            Some(layout) => (crate::layout::restore(plain.clone(), layout), Some(plain)),
            None => (plain, None),
        };
        Ok(Opened {
            sealed: self.clone(),
            plain,
            #[cfg(feature = "formats")]
            as_opened,
            data_key: data_key.clone(),
            values: pass.values,
            comments: pass.comments,
            #[cfg(feature = "formats")]
            layout,
            #[cfg(feature = "formats")]
            kept: None,
            has_clear,
        })
    }

    pub(crate) fn compare_mac(&self, data_key: &DataKey, pass: &Pass<'_>) -> Result<(), Error> {
        self.compare_mac_with(data_key, &pass.mac)
    }

    fn compare_mac_with(&self, data_key: &DataKey, computed: &str) -> Result<(), Error> {
        let moment = Timestamp::parse(&self.metadata().last_modified)
            .map_err(|error| error.at_path("sops.lastmodified"))?;
        mac::verify_mac(data_key, &self.metadata().mac, &moment, computed)
    }

    fn plain_document(
        &self,
        data_key: &DataKey,
        pass: &mut Pass<'_>,
    ) -> Result<Document<Plain>, Error> {
        #[cfg(feature = "formats")]
        if self.format() == Format::Binary {
            return match pass.intended.first() {
                Some((_, value @ (Value::String(_) | Value::Bytes(_)))) => {
                    Document::of_value(value, self.limits())
                }
                _ => Err(Error::input(
                    ErrorCode::ValueNotRepresentable,
                    "the sealed file holds no bytes: its value is missing, or labelled as something else; take its last good version from Git",
                )),
            };
        }
        #[cfg(feature = "formats")]
        if let Some(plain) = self.opened_by_reference(pass) {
            return Ok(plain);
        }
        let text = self.plain_text(&core::mem::take(&mut pass.edits), Caution::Keep)?;
        match self.proved(text, &pass.intended) {
            Err(Error::Bug(_)) => {
                let pass = self.open_leaves_with(data_key, pass.clear)?;
                let text = self.plain_text(&pass.edits, Caution::Quote)?;
                self.proved(text, &pass.intended)
            }
            done => done,
        }
    }

    /// Checks that the data key is this document's: its MAC opens under it. No value is opened, and
    /// the MAC is not compared with the values; that is left to whoever opens them.
    ///
    /// # Errors
    /// `mac-mismatch`; `timestamp-invalid` when `lastmodified` is no time.
    pub fn check_data_key(&self, data_key: &DataKey) -> Result<(), Error> {
        let moment = Timestamp::parse(&self.metadata().last_modified)
            .map_err(|error| error.at_path("sops.lastmodified"))?;
        mac::open_mac(data_key, &self.metadata().mac, &moment).map(drop)
    }

    /// Whether any sealed value opens under a data key.
    #[cfg(feature = "formats")]
    pub(crate) fn opens_somewhere(&self, data_key: &DataKey) -> bool {
        let cipher = Cipher::new(data_key);
        self.scalars().any(|(_, scalar)| {
            let sealed = scalar.value.as_str().and_then(SealedValue::parse);
            matches!(sealed, Some(Ok(_))) && open_scalar(&cipher, scalar, InClear::Refused).is_ok()
        })
    }

    /// Opens all values; the MAC is computed and not compared.
    pub(crate) fn open_leaves<'a>(&'a self, data_key: &DataKey) -> Result<Pass<'a>, Error> {
        self.open_leaves_with(data_key, InClear::Refused)
    }

    fn open_leaves_with<'a>(
        &'a self,
        data_key: &DataKey,
        clear: InClear,
    ) -> Result<Pass<'a>, Error> {
        let metadata = self.metadata();
        let scope = if metadata.mac_only_encrypted {
            MacScope::EncryptedOnly
        } else {
            MacScope::All
        };
        let cipher = Cipher::new(data_key);
        let mut hasher = MacHasher::new(scope);
        let mut others = (clear == InClear::Taken).then(|| MacHasher::new(scope));
        let mut pass = Pass {
            clear,
            ..Pass::default()
        };
        let selection = self.selection(&metadata.selector);
        // Where the item begins before which a list has nothing that stays.
        let mut leading = 0;
        for (at, ((document, item), selected)) in self.items().zip(selection).enumerate() {
            match item {
                Item::Comment(comment) => {
                    let number = pass.comment_count;
                    pass.comment_count += 1;
                    let is_clear =
                        || !comment.text.starts_with("ENC[") && !comment.text.trim().is_empty();
                    if clear == InClear::Taken && selected && is_clear() {
                        pass.comments_in_clear.push(comment.line);
                    }
                    // A comment that does not open stays as it is, as with the reference: it is not in the MAC.
                    let Some(Ok(sealed)) = SealedValue::parse(&comment.text).filter(|_| selected)
                    else {
                        continue;
                    };
                    let aad = comment.path.additional_data();
                    let kind = sealed.kind;
                    let Ok(bytes) = cipher.open(sealed, aad.as_bytes()) else {
                        continue;
                    };
                    if kind != "comment" {
                        if Value::from_plaintext(kind, bytes).is_ok() {
                            // The reference takes it for a value, which the MAC does not know.
                            return Err(Error::input(
                                ErrorCode::LeafMalformed,
                                "a comment is labelled as a value; take it from a version that was not edited by hand",
                            )
                            .at_line(comment.line));
                        }
                        continue;
                    }
                    if let Ok(text) = core::str::from_utf8(&bytes)
                        && self.format().takes_comment(text)
                    {
                        let text = Text::from(text);
                        pass.edits
                            .push((comment.span.range(), Edit::Comment(comment, text)));
                        pass.comments.push(Sealed { number, item: at });
                    }
                }
                Item::Scalar(scalar) => {
                    let value = if selected {
                        open_scalar(&cipher, scalar, clear)?
                    } else {
                        Leaf::Value(scalar.value.clone())
                    };
                    match value {
                        Leaf::InClear => {
                            pass.in_clear.push((scalar.line, scalar.path.clone()));
                            hasher.update(&scalar.value.plaintext());
                            pass.intended.push((document, scalar.value.clone()));
                        }
                        Leaf::Comment(text) => {
                            let range = if self.drops_comment(scalar) {
                                let range = dropped_item(self.text(), scalar, leading);
                                let range = range.ok_or_else(|| cannot_drop(scalar))?;
                                if range.start == scalar.span.start() {
                                    leading = range.end;
                                }
                                range
                            } else {
                                let number = pass.comment_count;
                                pass.comment_count += 1;
                                pass.comments.push(Sealed { number, item: at });
                                pass.comment_items
                                    .push((document, scalar, pass.edits.len()));
                                dash_before(self.text(), scalar.span.start())..scalar.span.end()
                            };
                            pass.edits.push((range, Edit::Item(scalar, text)));
                        }
                        Leaf::Value(value) => {
                            if selected || !metadata.mac_only_encrypted {
                                hasher.update(&value.plaintext());
                                if let Some(others) = &mut others {
                                    others.update(&value.plaintext());
                                }
                            }
                            if selected && !scalar.value.is_empty() {
                                let number = pass.intended.len();
                                pass.values.push(Sealed { number, item: at });
                                pass.edits.push((
                                    scalar.span.range(),
                                    Edit::Value(scalar, value.clone()),
                                ));
                            }
                            pass.intended.push((document, value));
                        }
                    }
                }
            }
        }
        pass.mac = hasher.finish();
        if let Some(others) = others {
            pass.mac_of_others = others.finish();
        }
        self.keep_empty_lists(&mut pass);
        Ok(pass)
    }

    /// Whether a list that a comment is an item of has no place for it, as with the reference: `[…]`.
    fn drops_comment(&self, scalar: &Scalar) -> bool {
        scalar.flow || self.format() != Format::Yaml
    }

    /// A list of comments alone must stay a list: without items it would read as null.
    fn keep_empty_lists(&self, pass: &mut Pass<'_>) {
        let items = pass.comment_items.iter().map(|(document, scalar, edit)| {
            (
                (*document, scalar.path.collection()),
                (*edit, scalar.column),
            )
        });
        let comments = Table::new(items.collect());
        if comments.entries().is_empty() {
            return;
        }
        for (document, root) in self.roots().iter().enumerate() {
            for list in &root.collections {
                let Some(count) = list.items else { continue };
                let path = list.path.to_segments();
                let comments = comments.get(|place| place.cmp(&(document, path.as_slice())));
                if comments.len() == count
                    && let Some((_, (edit, column))) = comments.last()
                    && let Some((range, Edit::Item(_, text))) = pass.edits.get_mut(*edit)
                {
                    let newline = write::newline_at(self.text(), range.end);
                    let blanks = " ".repeat(*column);
                    *text = alloc::format!("{text}{newline}{blanks}[]").into();
                }
            }
        }
    }

    /// The readable text.
    fn plain_text(
        &self,
        pass: &[(Range<usize>, Edit<'_>)],
        caution: Caution,
    ) -> Result<Text, Error> {
        let mut edits: Vec<(Range<usize>, String)> = Vec::with_capacity(pass.len() + 1);
        for (range, edit) in pass {
            match edit {
                Edit::Comment(comment, text) => {
                    edits.extend(self.format().opened_comment(text, comment));
                }
                Edit::Item(scalar, _) if self.drops_comment(scalar) => {
                    edits.push((range.clone(), String::new()));
                }
                Edit::Item(_, text) => {
                    edits.push((range.clone(), alloc::format!("#{}", text.as_str())))
                }
                Edit::Value(scalar, value) => {
                    let opened = self.format().opened(value, scalar, self.text(), caution);
                    let place = |error: Error| error.at_line(scalar.line).at_path(&scalar.path);
                    edits.extend(opened.map_err(place)?);
                }
            }
        }
        for root in self.roots() {
            let removal = self.format().removal(self.text(), root);
            let removal = removal.ok_or_else(|| {
                Error::input(
                    ErrorCode::MetadataInvalid,
                    "a document of the file has no sops block of its own; seal the file again",
                )
                .at_path("sops")
            })?;
            edits.extend(removal);
        }
        Ok(splice(self.text(), &edits).into())
    }

    /// Reads the text again: it must say what was intended.
    fn proved(&self, text: Text, intended: &[(usize, Value)]) -> Result<Document<Plain>, Error> {
        let broken = || Error::bug("the opened text does not read back");
        let mut plain =
            Document::<Plain>::of_text(self.format(), text, self.limits()).map_err(|_| broken())?;
        let differs = |((at, scalar), (document, value)): &((usize, &Scalar), &(usize, Value))| {
            at != document
                || !scalar.value.says_the_same(value) && !plain.is_written_as(scalar, value)
        };
        if let Some(((_, scalar), _)) = plain.scalars().zip(intended).find(differs) {
            return Err(match is_tagged(plain.text(), scalar) {
                true => Error::input(
                    ErrorCode::TagUnsupported,
                    "a tag gives this value another type than it was sealed with; take the tag out",
                )
                .at_line(scalar.line)
                .at_path(&scalar.path),
                false => broken(),
            });
        }
        if plain.scalars().count() != intended.len() {
            return Err(broken());
        }
        // What is written 1 may have been sealed as a float, and other formats tell them apart.
        for (scalar, (_, value)) in plain.scalars_mut().zip(intended) {
            scalar.value.clone_from(value);
        }
        Ok(plain)
    }
}

enum Leaf {
    Comment(Text),
    InClear,
    Value(Value),
}

/// What was sealed, and what it opened to.
pub(crate) enum Edit<'a> {
    Comment(&'a Comment, Text),
    /// A comment that stands as an item of a list.
    Item(&'a Scalar, Text),
    Value(&'a Scalar, Value),
}

/// Takes the places of the opened document: a comment that was an item of a list does not count there.
fn placed<'a, T: 'a>(
    opened: impl Iterator<Item = (Place<'a>, T)>,
    sealed: &[Sealed],
    items: &[&Item],
) -> impl Iterator<Item = (Place<'a>, (T, Text))> {
    let mut opened = opened.enumerate();
    sealed.iter().filter_map(move |sealed| {
        let (_, (place, what)) = opened.find(|(at, _)| *at == sealed.number)?;
        let (path, enc) = match items.get(sealed.item)? {
            Item::Comment(comment) => (&comment.path, comment.text.clone()),
            Item::Scalar(scalar) => (&scalar.path, sealed_text(scalar)),
        };
        // Otherwise the ciphertext would not open there.
        let same = place.1.additional_data() == path.additional_data();
        same.then_some((place, (what, enc)))
    })
}

/// The text of a sealed value; written as a block it ends in a line break. What stands behind the bracket does not
/// count, as with the reference.
pub(crate) fn sealed_text(scalar: &Scalar) -> Text {
    let Value::String(text) = &scalar.value else {
        return Text::default();
    };
    let sealed = cipher::without_rest(text.trim_end_matches(['\n', '\r']));
    text.part(0..sealed.len())
}

/// Everything sealed in a document, opened.
#[derive(Default)]
pub(crate) struct Pass<'a> {
    /// In file order, with the bytes of the text that an opened one goes without.
    pub(crate) edits: Vec<(Range<usize>, Edit<'a>)>,
    /// List items that turn into comments, with their edit.
    comment_items: Vec<(usize, &'a Scalar, usize)>,
    /// All values, each with the number of its document.
    pub(crate) intended: Vec<(usize, Value)>,
    values: Vec<Sealed>,
    comments: Vec<Sealed>,
    comment_count: usize,
    /// The hash over the values.
    pub(crate) mac: Zeroizing<String>,
    /// Values in clear that the rule seals, where they are taken.
    in_clear: Vec<(usize, Path)>,
    /// Lines of comments in clear that it seals, where those are taken.
    comments_in_clear: Vec<usize>,
    clear: InClear,
    /// The hash over all values but those.
    mac_of_others: Zeroizing<String>,
}

fn open_scalar(cipher: &Cipher<'_>, scalar: &Scalar, clear: InClear) -> Result<Leaf, Error> {
    let place = |error: Error| error.at_line(scalar.line).at_path(&scalar.path);
    if scalar.value.is_empty() {
        return Ok(Leaf::Value(scalar.value.clone()));
    }
    let text = sealed_text(scalar);
    let sealed = match SealedValue::parse(&text) {
        Some(sealed) => sealed.map_err(place)?,
        None if clear == InClear::Taken => return Ok(Leaf::InClear),
        None => {
            return Err(place(Error::input(
                ErrorCode::LeafNotSealed,
                "the rule of the file seals this value, but it stands in clear; seal it, or take the file from an earlier version",
            )));
        }
    };
    let aad = scalar.path.additional_data();
    let kind = sealed.kind;
    let bytes = cipher.open(sealed, aad.as_bytes()).map_err(place)?;
    if kind == "comment" {
        // Among the items of a list a comment stands as one of them; elsewhere a value would be lost.
        if !matches!(scalar.path.last(), Some(Segment::Index(_))) {
            return Err(place(Error::input(
                ErrorCode::LeafMalformed,
                "a value is labelled as a comment; take it from a version that was not edited by hand",
            )));
        }
        let text = core::str::from_utf8(&bytes)
            .ok()
            .filter(|text| !text.contains(['\n', '\r']));
        let text = text.ok_or_else(|| {
            place(Error::input(
                ErrorCode::LeafMalformed,
                "a sealed comment is not one line of text",
            ))
        })?;
        return Ok(Leaf::Comment(text.into()));
    }
    Value::from_plaintext(kind, bytes)
        .map(Leaf::Value)
        .map_err(place)
}

/// What is taken out of `[…]` with an item: the comma behind it when nothing before it stays, else the one before.
/// `leading` is where the item begins before which all were taken out.
fn dropped_item(text: &str, scalar: &Scalar, leading: usize) -> Option<Range<usize>> {
    let Range { start, end } = scalar.span.range();
    let (before, behind) = (text.get(..start)?.trim_end(), text.get(end..)?);
    if start != leading && !before.ends_with('[') {
        let comma = before.strip_suffix(',')?.len();
        return Some(comma..end);
    }
    let blanks = |text: &str| text.len() - text.trim_start().len();
    let at = end + blanks(behind);
    match text.get(at..)?.strip_prefix(',') {
        Some(rest) => Some(start..at + 1 + blanks(rest)),
        None => text.get(at..)?.starts_with(']').then_some(start..end),
    }
}

fn cannot_drop(scalar: &Scalar) -> Error {
    Error::input(
        ErrorCode::LayoutUnsupported,
        "a sealed comment stands in a list where it cannot be taken out; write one item a line",
    )
    .at_line(scalar.line)
    .at_path(&scalar.path)
}

/// Where the list item begins whose text becomes a comment.
fn dash_before(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let trimmed = before.trim_end_matches([' ', '\t']);
    if trimmed.ends_with('-') {
        trimmed.len() - 1
    } else {
        at
    }
}

/// Whether a tag stands before a value: somebody wrote it there, since nothing that is sealed has one that types it.
fn is_tagged(text: &str, scalar: &Scalar) -> bool {
    let before = text.get(..scalar.span.start()).unwrap_or_default();
    let words = before.trim_end().rsplit([' ', '\t', '\n']);
    words.take(2).any(|word| word.starts_with('!'))
}

#[cfg(test)]
#[cfg(feature = "formats")]
mod tests {
    use super::*;
    use crate::edit;
    use crate::seal::Sealing;
    use crate::tree::Node;
    use crate::tree::at::TreePath;
    use crate::{Identity, Limits, Selector, vectors};

    const TIME: &str = "2026-11-21T08:30:00Z";

    fn plain(text: &str) -> Document<Plain> {
        Document::<Plain>::parse_as(Format::Json, text.as_bytes(), &Limits::default()).unwrap()
    }

    fn parsed(format: Format, text: &str) -> Result<Document<Encrypted>, Error> {
        Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::default())
    }

    /// A sealed document, and who opens it.
    fn sealed(plain: &Document<Plain>) -> (Document<Encrypted>, Identity) {
        let random = &mut vectors::repeatable(1);
        let identity = Identity::generate(random).unwrap();
        let sealed = plain.seal(Sealing {
            recipients: &[identity.recipient()],
            selector: &Selector::default(),
            now: Timestamp::parse(TIME).unwrap(),
            random,
        });
        (sealed.unwrap(), identity)
    }

    fn opened(sealed: &Document<Encrypted>, identity: Identity) -> Result<Opened, Error> {
        sealed.open(&sealed.data_key(&[identity]).unwrap())
    }

    #[test]
    fn whole_numbers_that_no_double_holds_open_in_json_and_stay_when_another_value_changes() {
        let text = "{\"a\": 9007199254740993, \"b\": 1, \"c\": [-9223372036854775807]}\n";
        let mut whole = plain(text);
        let numbers = [9_007_199_254_740_993, 1, -9_223_372_036_854_775_807];
        for (scalar, number) in whole.scalars_mut().zip(numbers) {
            scalar.value = Value::Integer(number);
        }
        let (sealed, identity) = sealed(&whole);
        let opened = opened(&sealed, identity).unwrap();
        assert_eq!(opened.plain().text(), text);

        let two = Node::Leaf(Value::Integer(2));
        let path = TreePath::parse("[\"b\"]").unwrap();
        let changed = edit::set(opened.plain(), &path, &two).unwrap();
        assert_eq!(*changed, text.replace(": 1,", ": 2,"));
        let now = Timestamp::parse(TIME).unwrap();
        let again = opened.reseal_as_before(&plain(&changed), now, &mut vectors::repeatable(2));
        let again = again.unwrap();
        let values = |document: &Document<Encrypted>| {
            let scalars = document.scalars().map(|(_, scalar)| scalar.value.clone());
            scalars.collect::<Vec<_>>()
        };
        let (before, after) = (values(&sealed), values(&again));
        assert!(before[0] == after[0] && before[1] != after[1] && before[2] == after[2]);
        assert_eq!(
            again.open(opened.data_key()).unwrap().plain().text(),
            *changed
        );
        let unset = edit::unset(opened.plain(), &path).unwrap();
        assert_eq!(*unset, text.replace(" \"b\": 1,", ""));
    }

    #[test]
    fn a_tag_before_a_sealed_value_that_gives_it_another_type_is_told() {
        let plain = Document::<Plain>::parse(b"a: .inf\nb: x\n", &Limits::default()).unwrap();
        let (sealed, identity) = sealed(&plain);
        let data_key = sealed.data_key(&[identity]).unwrap();
        for (tag, code) in [
            ("!!str", Some(ErrorCode::TagUnsupported)),
            ("!!str &x", Some(ErrorCode::TagUnsupported)),
            ("&x", None),
        ] {
            let text = sealed
                .text()
                .replacen("a: ", &alloc::format!("a: {tag} "), 1);
            let sealed = parsed(Format::Yaml, &text).unwrap();
            let found = sealed.open(&data_key).err();
            assert_eq!(found.map(|error| error.code()), code, "{tag}");
        }
    }

    #[test]
    fn values_that_were_sealed_as_numbers_stay_when_another_changes_where_all_is_text() {
        for (format, text, path) in [
            (Format::Dotenv, "A=1\nB=x\n", "[\"B\"]"),
            (Format::Ini, "[s]\na = 1\nb = x\n", "[\"s\"][\"b\"]"),
        ] {
            let whole = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default());
            let mut whole = whole.unwrap();
            whole.scalars_mut().next().unwrap().value = Value::Integer(1);
            let (sealed, identity) = sealed(&whole);
            assert!(sealed.text().contains("type:int"));
            let opened = opened(&sealed, identity).unwrap();
            let path = TreePath::parse(path).unwrap();
            let y = Node::Leaf(Value::string("y"));
            let changed = edit::set(opened.plain(), &path, &y).unwrap();
            assert_eq!(*changed, text.replace('x', "y"));
            let changed =
                Document::<Plain>::parse_as(format, changed.as_bytes(), &Limits::default());
            let now = Timestamp::parse(TIME).unwrap();
            let again =
                opened.reseal_as_before(&changed.unwrap(), now, &mut vectors::repeatable(2));
            let again = again.unwrap().open(opened.data_key()).unwrap();
            assert_eq!(again.plain().text(), text.replace('x', "y"));
            assert!(edit::unset(opened.plain(), &path).is_ok());
        }
    }

    #[test]
    fn json_opens_as_the_yaml_that_it_is() {
        for text in [
            "{\"a\": \"x\"}",
            "{\n\t\"a\": [\"x\", 1.5],\n\t\"b\": {}\n}\n",
        ] {
            let (sealed, identity) = sealed(&plain(text));
            let as_yaml = parsed(Format::Yaml, sealed.text()).unwrap();
            assert_eq!(opened(&as_yaml, identity).unwrap().plain().text(), text);
        }
    }

    #[test]
    fn comments_in_lists_of_json_are_dropped() {
        let text = r##"{"l": ["# c", "# c", "a", "# c", "b", "# c", "# c"], "m": ["# c", "# c" ], "n": [["# c"], "# c"]}"##;
        let (sealed, identity) = sealed(&plain(text));
        let key = sealed.data_key(&[identity]).unwrap();
        let opened = sealed.open(&key).unwrap();
        let mut labelled = String::from(sealed.text());
        for (at, scalar) in sealed.scalars().map(|(_, scalar)| scalar).enumerate() {
            let enc = scalar.value.as_str().unwrap();
            let shown = opened.plain().scalars().nth(at).unwrap().1.value.as_str();
            if shown == Some("# c") {
                labelled = labelled.replacen(enc, &enc.replace("type:str", "type:comment"), 1);
            }
        }
        for format in [Format::Json, Format::Yaml] {
            let opened = parsed(format, &labelled)
                .unwrap()
                .open_without_mac(&key)
                .unwrap();
            let shown = opened.plain().text();
            assert_eq!(shown, "{\"l\": [\"a\", \"b\"], \"m\": [ ], \"n\": [[]]}");
        }
    }

    #[test]
    fn a_value_that_is_labelled_as_a_comment_is_none() {
        let (sealed, identity) = sealed(&plain("{\"a\": \"x\"}"));
        let key = sealed.data_key(&[identity]).unwrap();
        let relabelled = sealed.text().replacen("type:str", "type:comment", 1);
        for format in [Format::Json, Format::Yaml] {
            let error = parsed(format, &relabelled).unwrap().open_without_mac(&key);
            assert_eq!(error.unwrap_err().code(), ErrorCode::LeafMalformed);
        }
    }

    #[test]
    fn a_field_of_the_block_in_another_case_is_refused_in_json() {
        let (sealed, _) = sealed(&plain("{\"a\": 1}"));
        assert!(parsed(Format::Json, sealed.text()).is_ok());
        for (from, to) in [
            ("\"mac\":", "\"MAC\": \"x\", \"mac\":"),
            ("\"age\":", "\"Age\": [{\"recipient\": \"x\"}], \"age\":"),
            ("\"recipient\":", "\"reCipient\": \"x\", \"recipient\":"),
            ("\"version\":", "\"ver\u{17f}ion\": \"x\", \"version\":"),
        ] {
            let altered = sealed.text().replacen(from, to, 1);
            assert_ne!(altered, sealed.text());
            let error = parsed(Format::Json, &altered).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{to}");
        }
    }

    #[test]
    fn a_field_that_is_not_known_stays_when_a_value_changes() {
        let (sealed, identity) = sealed(&plain("{\"a\": 1, \"b\": 2}"));
        let text = sealed
            .text()
            .replacen("\"mac\":", "\"zz\": \"q\", \"mac\":", 1);
        let opened = opened(&parsed(Format::Json, &text).unwrap(), identity).unwrap();
        let now = Timestamp::parse(TIME).unwrap();
        let changed = plain("{\"a\": 3, \"b\": 2}");
        let changed = opened.reseal_as_before(&changed, now, &mut vectors::repeatable(2));
        assert!(changed.unwrap().text().contains("\"zz\": \"q\""));
    }
}
