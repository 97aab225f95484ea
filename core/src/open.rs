//! Opening: each sealed value is decrypted in its place, the MAC is verified, the block removed.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::{self, Cipher, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain, splice};
use crate::error::{Error, ErrorCode};
#[cfg(feature = "formats")]
use crate::format::Format;
use crate::format::parts::{Comment, Item, Scalar};
use crate::format::yaml::write::{self, Caution};
use crate::mac::{self, MacHasher, MacScope};
use crate::metadata::Metadata;
use crate::order::Table;
use crate::path::Path;
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::value::Value;

/// Document and path of a value, or of the collection that a comment stands in.
type Place = (usize, Path);

/// A sealed document together with its plain text and data key.
#[derive(Clone)]
pub struct Opened {
    sealed: Document<Encrypted>,
    plain: Document<Plain>,
    data_key: DataKey,
    /// Each value that was sealed, and its ciphertext.
    values: Vec<(Place, (Value, Text))>,
    /// Each comment that was sealed, and its ciphertext.
    comments: Vec<(Place, (Text, Text))>,
    /// The layout that the block tells, opened.
    #[cfg(feature = "formats")]
    layout: Option<Zeroizing<String>>,
}

/// What was sealed, by its place.
pub(crate) struct Ciphertexts<'a> {
    values: Table<&'a Place, &'a (Value, Text)>,
    comments: Table<&'a Place, &'a (Text, Text)>,
}

impl<'a> Ciphertexts<'a> {
    /// The ciphertext of a value that did not change.
    pub(crate) fn of_value(&self, document: usize, path: &Path, value: &Value) -> Option<&'a Text> {
        let found = self.values.get(|at| compared(at, document, path));
        let (_, (earlier, enc)) = found.first()?;
        (earlier == value).then_some(enc)
    }

    /// The ciphertext of a comment.
    pub(crate) fn of_comment(&self, document: usize, path: &Path, text: &str) -> Option<&'a Text> {
        let known = self.comments.get(|at| compared(at, document, path));
        let found = known.iter().find(|(_, (earlier, _))| &**earlier == text);
        found.map(|(_, (_, enc))| enc)
    }
}

fn compared(place: &Place, document: usize, path: &Path) -> Ordering {
    place.0.cmp(&document).then_with(|| place.1.cmp(path))
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

    pub(crate) fn metadata(&self) -> &Metadata {
        self.sealed.metadata()
    }

    /// What is sealed in it, to be looked up.
    pub(crate) fn ciphertexts(&self) -> Ciphertexts<'_> {
        let values = self.values.iter().map(|(place, what)| (place, what));
        let comments = self.comments.iter().map(|(place, what)| (place, what));
        Ciphertexts {
            values: Table::new(values.collect()),
            comments: Table::new(comments.collect()),
        }
    }

    pub(crate) fn sealed_paths(&self) -> impl Iterator<Item = (usize, &Path)> {
        let entries = self.values.iter();
        entries.map(|((document, path), _)| (*document, path))
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

    fn opened(&self, data_key: &DataKey, check_mac: bool) -> Result<Opened, Error> {
        let pass = self.open_leaves(data_key)?;
        if check_mac {
            self.compare_mac(data_key, &pass)?;
        }
        let plain = self.plain_document(&pass)?;
        let values = places(
            plain.scalars().map(|(at, scalar)| (at, &scalar.path)),
            pass.values,
        );
        let comments = plain.comments();
        let comments = places(
            comments.map(|(at, comment)| (at, &comment.path)),
            pass.comments,
        );
        #[cfg(feature = "formats")]
        let layout = crate::layout::open(data_key, self.metadata().layout.as_deref());
        #[cfg(feature = "formats")]
        let plain = match &layout {
            Some(layout) => crate::layout::restore(plain, layout),
            None => plain,
        };
        Ok(Opened {
            sealed: self.clone(),
            plain,
            data_key: data_key.clone(),
            values,
            comments,
            #[cfg(feature = "formats")]
            layout,
        })
    }

    pub(crate) fn compare_mac(&self, data_key: &DataKey, pass: &Pass<'_>) -> Result<(), Error> {
        let moment = Timestamp::parse(&self.metadata().last_modified)
            .map_err(|error| error.at_path("sops.lastmodified"))?;
        mac::verify_mac(data_key, &self.metadata().mac, &moment, &pass.mac)
    }

    fn plain_document(&self, pass: &Pass<'_>) -> Result<Document<Plain>, Error> {
        #[cfg(feature = "formats")]
        if self.format() == Format::Binary {
            let (_, value) = pass.intended.first().cloned().unwrap_or((0, Value::Null));
            return Document::of_value(&value, self.limits());
        }
        match self.plain(pass, Caution::Keep) {
            Err(Error::Bug(_)) => self.plain(pass, Caution::Quote),
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
            matches!(sealed, Some(Ok(_))) && open_scalar(&cipher, scalar).is_ok()
        })
    }

    /// Opens all values; the MAC is computed and not compared.
    pub(crate) fn open_leaves<'a>(&'a self, data_key: &DataKey) -> Result<Pass<'a>, Error> {
        let metadata = self.metadata();
        let scope = if metadata.mac_only_encrypted {
            MacScope::EncryptedOnly
        } else {
            MacScope::All
        };
        let cipher = Cipher::new(data_key);
        let mut hasher = MacHasher::new(scope);
        let mut pass = Pass::default();
        let selection = self.selection(&metadata.selector);
        for ((document, item), selected) in self.items().zip(selection) {
            match item {
                Item::Comment(comment) => {
                    let number = pass.comment_count;
                    pass.comment_count += 1;
                    // A comment that does not open stays as it is, as with the reference: it is not in the MAC.
                    let Some(Ok(sealed)) = SealedValue::parse(&comment.text).filter(|_| selected)
                    else {
                        continue;
                    };
                    let aad = comment.path.additional_data();
                    if let Ok(bytes) = cipher.open(sealed, aad.as_bytes())
                        && let Ok(text) = core::str::from_utf8(&bytes)
                        && self.format().takes_comment(text)
                    {
                        let text = Text::from(text);
                        pass.edits
                            .push((comment.span.clone(), Edit::Comment(comment, text.clone())));
                        let place = (number, &comment.path);
                        pass.comments.push((place, (text, comment.text.clone())));
                    }
                }
                Item::Scalar(scalar) => {
                    let value = if selected {
                        open_scalar(&cipher, scalar)?
                    } else {
                        Leaf::Value(scalar.value.clone())
                    };
                    match value {
                        Leaf::Comment(text) => {
                            let place = (pass.comment_count, &scalar.path);
                            pass.comment_count += 1;
                            let enc = sealed_text(scalar);
                            pass.comments.push((place, (text.clone(), enc)));
                            let start = dash_before(self.text(), scalar.span.start);
                            pass.comment_items
                                .push((document, scalar, pass.edits.len()));
                            pass.edits
                                .push((start..scalar.span.end, Edit::Item(scalar, text)));
                        }
                        Leaf::Value(value) => {
                            if selected || !metadata.mac_only_encrypted {
                                hasher.update(&value.plaintext());
                            }
                            if selected && !scalar.value.is_empty() {
                                let place = (pass.intended.len(), &scalar.path);
                                pass.values
                                    .push((place, (value.clone(), sealed_text(scalar))));
                                pass.edits.push((
                                    scalar.span.clone(),
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
        self.keep_empty_lists(&mut pass);
        Ok(pass)
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

    /// The readable text, proved by parsing it again.
    fn plain(&self, pass: &Pass<'_>, caution: Caution) -> Result<Document<Plain>, Error> {
        let mut edits: Vec<(Range<usize>, String)> = Vec::with_capacity(pass.edits.len() + 1);
        for (range, edit) in &pass.edits {
            match edit {
                Edit::Comment(comment, text) => {
                    edits.extend(self.format().opened_comment(text, comment));
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
        let text = Text::from(splice(self.text(), &edits));
        let broken = || Error::bug("the opened text does not read back");
        let mut plain =
            Document::<Plain>::of_text(self.format(), text, self.limits()).map_err(|_| broken())?;
        let same = plain.scalars().count() == pass.intended.len()
            && plain
                .scalars()
                .zip(&pass.intended)
                .all(|((at, scalar), (document, value))| {
                    at == *document && scalar.value.says_the_same(value)
                });
        if !same {
            return Err(broken());
        }
        // What is written 1 may have been sealed as a float, and other formats tell them apart.
        for (scalar, (_, value)) in plain.scalars_mut().zip(&pass.intended) {
            scalar.value.clone_from(value);
        }
        Ok(plain)
    }
}

enum Leaf {
    Comment(Text),
    Value(Value),
}

/// What was sealed, and what it opened to.
pub(crate) enum Edit<'a> {
    Comment(&'a Comment, Text),
    /// A comment that stands as an item of a list.
    Item(
        #[cfg_attr(
            not(feature = "formats"),
            expect(dead_code, reason = "asked where layouts are kept")
        )]
        &'a Scalar,
        Text,
    ),
    Value(&'a Scalar, Value),
}

/// Which of the values, or of the comments, of the plain document it is, and its path when sealed.
type Sealed<'a> = (usize, &'a Path);

/// Takes the places of the plain document: a comment that was an item of a list does not count there.
fn places<'a, T>(
    plain: impl Iterator<Item = (usize, &'a Path)>,
    sealed: Vec<(Sealed<'_>, T)>,
) -> Vec<(Place, T)> {
    let mut plain = plain.enumerate();
    let found = sealed.into_iter().filter_map(|((number, path), what)| {
        let (_, (document, place)) = plain.find(|(at, _)| *at == number)?;
        // Otherwise the ciphertext would not open there.
        let same = place.additional_data() == path.additional_data();
        same.then(|| ((document, place.clone()), what))
    });
    found.collect()
}

/// The text of a sealed value; written as a block it ends in a line break. What stands behind the bracket does not count,
/// as with the reference.
fn sealed_text(scalar: &Scalar) -> Text {
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
    values: Vec<(Sealed<'a>, (Value, Text))>,
    comments: Vec<(Sealed<'a>, (Text, Text))>,
    comment_count: usize,
    /// The hash over the values.
    pub(crate) mac: Zeroizing<String>,
}

fn open_scalar(cipher: &Cipher<'_>, scalar: &Scalar) -> Result<Leaf, Error> {
    let place = |error: Error| error.at_line(scalar.line).at_path(&scalar.path);
    if scalar.value.is_empty() {
        return Ok(Leaf::Value(scalar.value.clone()));
    }
    let text = sealed_text(scalar);
    let sealed = match SealedValue::parse(&text) {
        Some(sealed) => sealed.map_err(place)?,
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
    Value::from_plaintext(kind, &bytes)
        .map(Leaf::Value)
        .map_err(place)
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
