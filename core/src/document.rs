//! A document is its bytes plus the spans of its parts; plain and encrypted ones are different types.
//!
//! Sealing and opening replace exactly the spans that change (see [`crate::seal`], [`crate::open`]);
//! nothing is ever written anew from a tree.

#[cfg(feature = "formats")]
mod aliases;

use alloc::borrow::ToOwned as _;
#[cfg(feature = "formats")]
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::SealedValue;
use crate::data_key::DataKey;
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Comment, Item, Obstacle, Parsed, Remedy, Root, Scalar};
use crate::format::yaml::block::line_number;
use crate::format::yaml::parse;
use crate::format::yaml::portable;
use crate::format::{Edit, Format};
use crate::limits::Limits;
#[cfg(feature = "formats")]
use crate::merge;
use crate::metadata::{self, AgeEntry, Metadata};
use crate::order;
use crate::path::Path;
use crate::recipient::Identity;
use crate::selector::Selector;
use crate::text::Text;
#[cfg(feature = "formats")]
use crate::value::Plaintext;
use crate::value::{Value, ValueKind};

#[cfg(feature = "formats")]
pub use aliases::AliasPlace;

/// A document whose values are readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain;

/// A document with a `sops` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Encrypted {
    metadata: Metadata,
}

/// YAML text with the spans of its parts. The text may be secret: it is wiped on drop and `Debug`
/// does not show it.
#[derive(Clone)]
pub struct Document<State> {
    format: Format,
    text: Text,
    parsed: Arc<Parsed>,
    limits: Limits,
    state: State,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Keys and list positions from the top.
    pub path: Path,
    /// Which of the text's documents, from 0.
    pub document: usize,
    /// Bytes of the value in the text: quotes and block header included, tag and anchor not.
    pub span: Range<usize>,
    /// Line of the value's first byte, from 1.
    pub line: usize,
    /// Type of the value as it stands; a sealed value is text.
    pub kind: ValueKind,
    /// Whether it is a well-formed `ENC[…]`.
    pub sealed: bool,
    /// Whether it is null or empty, which sealing leaves as it is.
    pub empty: bool,
}

impl<State> Document<State> {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, to be shared.
    #[cfg(feature = "formats")]
    pub(crate) fn shared_text(&self) -> &Text {
        &self.text
    }

    /// What the text is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// All values in file order, without those of the `sops` block.
    pub fn leaves(&self) -> Vec<Leaf> {
        self.scalars()
            .map(|(document, scalar)| leaf(document, scalar))
            .collect()
    }

    /// The text of the value at a leaf's span, as a reader of the file gets it; `None` where no value stands.
    pub fn value_text(&self, span: &Range<usize>) -> Option<Zeroizing<String>> {
        let (_, scalar) = self
            .scalars()
            .find(|(_, scalar)| scalar.span.range() == *span)?;
        let bytes = scalar.value.plaintext();
        core::str::from_utf8(&bytes)
            .ok()
            .map(|text| Zeroizing::new(text.to_owned()))
    }

    /// All values in file order, each with the text that a reader of the file gets; `None` for what is no text.
    pub fn leaves_with_text(&self) -> impl Iterator<Item = (Leaf, Option<&str>)> {
        self.scalars()
            .map(|(document, scalar)| (leaf(document, scalar), scalar.value.as_str()))
    }

    /// How many comments are well-formed `ENC[…]`; they are no leaves.
    pub fn sealed_comments(&self) -> usize {
        let texts = self.comments().map(|(_, comment)| comment.text.as_str());
        texts
            .filter(|text| matches!(SealedValue::parse(text), Some(Ok(_))))
            .count()
    }

    /// Line of the first alias or merge key, from 1: what stands there is no leaf, so no check of leaves sees it.
    pub fn alias_line(&self) -> Option<usize> {
        let alias = |code| code == ErrorCode::AliasInSealedDocument;
        let mut obstacles = self.parsed.obstacles.iter();
        obstacles
            .find(|obstacle| alias(obstacle.code))
            .map(|obstacle| obstacle.line)
    }

    /// The text without its `sops` blocks, as sealed values stand in it.
    pub(crate) fn body(&self) -> String {
        let mut edits: Vec<Edit> = Vec::new();
        for root in &self.parsed.documents {
            let removal = self.format.removal(&self.text, root);
            edits.extend(removal.into_iter().flatten());
        }
        splice(&self.text, &edits)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn roots(&self) -> &[Root] {
        &self.parsed.documents
    }

    /// Items of all documents without the `sops` block's, with the document's number.
    pub(crate) fn items(&self) -> impl Iterator<Item = (usize, &Item)> {
        self.parsed
            .documents
            .iter()
            .enumerate()
            .flat_map(|(document, root)| {
                let in_block = self.format.in_block(&self.text, root);
                root.items
                    .iter()
                    .filter(move |item| !in_block(item))
                    .map(move |item| (document, item))
            })
    }

    pub(crate) fn scalars(&self) -> impl Iterator<Item = (usize, &Scalar)> {
        self.items().filter_map(|(document, item)| match item {
            Item::Scalar(scalar) => Some((document, scalar)),
            Item::Comment(_) => None,
        })
    }

    pub(crate) fn comments(&self) -> impl Iterator<Item = (usize, &Comment)> {
        self.items().filter_map(|(document, item)| match item {
            Item::Comment(comment) => Some((document, comment)),
            Item::Scalar(_) => None,
        })
    }

    /// The first reason why this text cannot be sealed as it is.
    pub(crate) fn obstacle(&self) -> Option<Error> {
        self.obstacles().next().map(Obstacle::error)
    }

    /// Line of the first thing that keeps the text from being sealed as it is, from 1.
    pub fn obstacle_line(&self) -> Option<usize> {
        self.obstacles().next().map(|obstacle| obstacle.line)
    }

    pub(crate) fn obstacles(&self) -> impl Iterator<Item = &Obstacle> {
        self.parsed.obstacles.iter()
    }

    /// The first line break that readers do not agree on, as an error.
    pub(crate) fn line_break(&self) -> Option<Error> {
        if self.format != Format::Yaml {
            return None;
        }
        let (at, message) = portable::line_break(&self.text)?;
        let line = line_number(self.text.as_bytes(), at);
        Some(Error::input(ErrorCode::LayoutUnsupported, message).at_line(line))
    }

    /// For each item, in their order, whether a rule selects it.
    pub(crate) fn selection(&self, selector: &Selector) -> Vec<bool> {
        #[cfg(feature = "formats")]
        if selector.goes_by_comments() {
            let documents = self.arranged();
            return documents
                .iter()
                .flat_map(|document| crate::selector::comments::selection(selector, document))
                .collect();
        }
        let mut walk = selector.walk();
        let item = |(_, item): (usize, &Item)| match item {
            Item::Comment(comment) => walk.selects(&comment.path),
            Item::Scalar(scalar) => walk.selects(&scalar.path),
        };
        self.items().map(item).collect()
    }

    /// The documents as trees.
    ///
    /// # Errors
    /// `limit-exceeded` when aliases stand for more than the limits let in; `alias-in-sealed-document` for one that stands
    /// inside what it names.
    #[cfg(feature = "formats")]
    pub fn trees(&self) -> Result<Vec<crate::tree::Node>, Error> {
        let documents = self.arranged();
        let mut left = self.limits.nodes.min(ALIASED);
        documents
            .iter()
            .map(|document| document.tree(&mut left))
            .collect()
    }

    #[cfg(feature = "formats")]
    fn arranged(&self) -> Vec<crate::tree::arrange::Arranged<'_>> {
        let roots = self.parsed.documents.iter().map(|root| {
            let in_block = self.format.in_block(&self.text, root);
            let items = root.items.iter().filter(|item| !in_block(item));
            let collections = root.collections.iter().enumerate();
            let collections =
                collections.filter(|(_, collection)| !self.format.names_block(&collection.path));
            let block = root
                .keys
                .iter()
                .position(|key| self.format.is_block_key(&key.name));
            crate::tree::arrange::arrange(items.collect(), collections, root, block)
        });
        roots.collect()
    }

    /// Reads a text whether it has a block or not.
    pub(crate) fn parse_any(
        format: Format,
        text: Text,
        limits: &Limits,
        state: State,
    ) -> Result<Self, Error> {
        parse::check_size(text.as_bytes(), limits)?;
        let parsed = format
            .parse(&text, limits)
            .map_err(|error| error.because_of(&text))?;
        Ok(Self {
            format,
            text,
            parsed: Arc::new(parsed),
            limits: *limits,
            state,
        })
    }
}

impl Document<Plain> {
    /// Reads plain YAML.
    ///
    /// # Errors
    /// `not-utf-8`, `yaml-syntax`, `duplicate-key`, `limit-exceeded`; `already-sealed` when a top
    /// `sops` key stands in it.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::parse_as(Format::Yaml, bytes, limits)
    }

    /// Reads plain text of a format.
    ///
    /// # Errors
    /// `not-utf-8`, `limit-exceeded`, `already-sealed`, and the format's own (`yaml-syntax`, `json-syntax`, …).
    pub fn parse_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        #[cfg(feature = "formats")]
        if format == Format::Binary {
            return Self::of_bytes(bytes, None, limits);
        }
        Self::of_text(format, parse::decode(bytes, limits)?, limits)
    }

    /// As [`Document::<Plain>::parse_as`], without a copy of the text; no binary file.
    ///
    /// # Errors
    /// As [`Document::<Plain>::parse_as`].
    #[cfg(feature = "formats")]
    pub fn parse_own(
        format: Format,
        bytes: Zeroizing<Vec<u8>>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        Self::of_text(format, parse::decode_own(bytes, limits)?, limits)
    }

    /// As [`Document::<Plain>::parse_as`] of a text that is at hand.
    pub(crate) fn of_text(format: Format, text: Text, limits: &Limits) -> Result<Self, Error> {
        let document = Self::parse_any(format, text, limits, Plain)?;
        if let Some(line) = document.sops_line() {
            return Err(Error::input(
                ErrorCode::AlreadySealed,
                "a top key named sops stands here: the text is sealed already, or the key must get another name",
            )
            .at_line(line));
        }
        Ok(document)
    }
}

impl Document<Plain> {
    /// Reads a text that is sealed, without its block.
    fn parse_sealed(format: Format, text: Text, limits: &Limits) -> Result<Self, Error> {
        let document = Self::parse_any(format, text, limits, Plain)?;
        #[cfg(feature = "formats")]
        if let Format::Binary | Format::Json = format
            && let Some(obstacle) = document.obstacles().find(|it| it.remedy == Remedy::Rewrite)
        {
            // Something stands behind the object, which the reference does not read either.
            return Err(obstacle.error());
        }
        let mistagged =
            |it: &&Obstacle| it.code == ErrorCode::TagUnsupported && it.remedy == Remedy::None;
        if let Some(obstacle) = document.obstacles().find(mistagged) {
            // The reference takes such a value for nothing, so that it does not match the MAC.
            return Err(obstacle.error());
        }
        Ok(document)
    }

    /// Whether a whole number stands here digit by digit. JSON reads those beyond 2^53 as their nearest double, but they
    /// may have been sealed as they are: from YAML, or by newer releases of the reference. And whether a format that knows
    /// texts alone has the text of what was sealed as something else.
    pub(crate) fn is_written_as(&self, scalar: &Scalar, value: &Value) -> bool {
        #[cfg(feature = "formats")]
        if matches!(self.format, Format::Dotenv | Format::Ini) {
            let text = crate::format::flat::text(value);
            return text.is_ok_and(|text| scalar.value.as_str() == Some(text.as_str()));
        }
        matches!((&scalar.value, value), (Value::Float(_), Value::Integer(_)))
            && self.text.as_bytes().get(scalar.span.range()) == Some(&*value.plaintext())
    }

    /// The same text with whole numbers read as in other documents that have them digit by digit; `None` when that is
    /// how they were read. See [`Self::is_written_as`].
    #[cfg(feature = "formats")]
    pub(crate) fn with_integers_of<'a>(
        &self,
        others: impl IntoIterator<Item = &'a Self>,
    ) -> Option<Self> {
        if self.format != Format::Json {
            return None;
        }
        let scalars = others.into_iter().flat_map(Self::scalars);
        let known: BTreeSet<i64> = scalars
            .filter_map(|(_, scalar)| match scalar.value {
                Value::Integer(number) => Some(number),
                _ => None,
            })
            .collect();
        let exact = |scalar: &Scalar| {
            let number = self.text.get(scalar.span.range())?.parse().ok()?;
            let value = Value::Integer(number);
            let is_other =
                self.is_written_as(scalar, &value) && !scalar.value.says_the_same(&value);
            (is_other && known.contains(&number)).then_some(value)
        };
        let exact: Vec<_> = self.scalars().map(|(_, scalar)| exact(scalar)).collect();
        exact.iter().any(Option::is_some).then(|| {
            let mut document = self.clone();
            for (scalar, value) in document.scalars_mut().zip(exact) {
                if let Some(value) = value {
                    scalar.value = value;
                }
            }
            document
        })
    }

    /// As [`Document::scalars`]; a plain document has no block.
    pub(crate) fn scalars_mut(&mut self) -> impl Iterator<Item = &mut Scalar> {
        let parsed = Arc::make_mut(&mut self.parsed);
        let items = parsed.documents.iter_mut().flat_map(|root| &mut root.items);
        items.filter_map(|item| match item {
            Item::Scalar(scalar) => Some(scalar),
            Item::Comment(_) => None,
        })
    }
}

#[cfg(feature = "formats")]
impl Document<Plain> {
    /// Any bytes as a document of one value. `columns` is how far the sealed text is indented; a tab by default.
    ///
    /// # Errors
    /// `limit-exceeded`.
    pub fn of_bytes(bytes: &[u8], columns: Option<usize>, limits: &Limits) -> Result<Self, Error> {
        parse::check_size(bytes, limits)?;
        let value = match core::str::from_utf8(bytes) {
            Ok(text) => Value::string(text),
            Err(_) => Value::bytes(bytes.to_vec()),
        };
        let frame = crate::format::binary::frame(columns);
        Self::in_frame(&frame, &value, limits)
    }

    /// The document of a binary file's value. Its text is the frame around the value.
    pub(crate) fn of_value(value: &Value, limits: &Limits) -> Result<Self, Error> {
        Self::in_frame(&crate::format::binary::frame(None), value, limits)
    }

    fn in_frame(frame: &str, value: &Value, limits: &Limits) -> Result<Self, Error> {
        let mut document = Self::parse_any(Format::Binary, frame.into(), limits, Plain)?;
        for scalar in document.scalars_mut() {
            scalar.value = value.clone();
        }
        Ok(document)
    }

    /// What the plain file holds: the text, or the bytes of a binary file.
    pub fn content(&self) -> Plaintext<'_> {
        let value = self.scalars().map(|(_, scalar)| &scalar.value).next();
        match value {
            Some(value) if self.format == Format::Binary => value.plaintext(),
            _ => Plaintext::Part(self.text.as_bytes()),
        }
    }
}

impl Document<Encrypted> {
    /// Reads sealed YAML. Nothing is opened and the MAC is not checked.
    ///
    /// # Errors
    /// As for plain text; `metadata-invalid` without a well-formed `sops` block, `invalid-selector`
    /// when its rule is not read alike by all tools.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::parse_as(Format::Yaml, bytes, limits)
    }

    /// Reads sealed text of a format. A sealed binary file is JSON.
    ///
    /// # Errors
    /// As [`Document::<Encrypted>::parse`], with the format's own instead of `yaml-syntax`.
    pub fn parse_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::of_text(format, parse::decode(bytes, limits)?, limits)
    }

    /// As [`Document::<Encrypted>::parse_as`], without a copy of the text.
    ///
    /// # Errors
    /// As [`Document::<Encrypted>::parse_as`].
    #[cfg(feature = "formats")]
    pub fn parse_own(
        format: Format,
        bytes: Zeroizing<Vec<u8>>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        Self::of_text(format, parse::decode_own(bytes, limits)?, limits)
    }

    /// As [`Document::<Encrypted>::parse_as`] of a text that is at hand.
    pub(crate) fn of_text(format: Format, text: Text, limits: &Limits) -> Result<Self, Error> {
        let plain = Document::parse_sealed(format, text, limits)?;
        let metadata = plain.read_metadata()?;
        metadata.check_version()?;
        // The reference opens no such file either: it has no path for what stands there.
        let obstacles = &plain.parsed.obstacles;
        if let Some(key) = obstacles
            .iter()
            .find(|it| it.code == ErrorCode::NonStringKey)
        {
            return Err(key.error());
        }
        let Document {
            text,
            parsed,
            limits,
            ..
        } = plain;
        Ok(Self {
            format,
            text,
            parsed,
            limits,
            state: Encrypted { metadata },
        })
    }

    /// The same text, taken to have another block.
    #[cfg(feature = "formats")]
    pub(crate) fn with_metadata(&self, metadata: Metadata) -> Self {
        let mut document = self.clone();
        document.state = Encrypted { metadata };
        document
    }

    /// The `sops` block.
    pub fn metadata(&self) -> &Metadata {
        &self.state.metadata
    }

    /// Unwraps the data key with the first identity that fits an entry; entries that name it come first.
    ///
    /// # Errors
    /// `no-matching-identity`, naming the recipients; `age-file-invalid` or `data-key-invalid` when
    /// the entry that fits is broken.
    pub fn data_key(&self, identities: &[Identity]) -> Result<DataKey, Error> {
        let fits = |identity: &Identity, entry: &&AgeEntry| {
            entry.recipient.trim() == identity.recipient().as_str()
        };
        let mut broken = None;
        // The label of an entry may be missing or wrong; the reference does not look at it.
        for labelled in [true, false] {
            for identity in identities {
                let entries = self.metadata().age.iter();
                for entry in entries.filter(|entry| fits(identity, entry) == labelled) {
                    match DataKey::unwrap(&entry.enc, core::slice::from_ref(identity)) {
                        Ok(data_key) => return Ok(data_key),
                        Err(error) if labelled => broken = Some(error),
                        Err(_) => {}
                    }
                }
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        let metadata = self.metadata();
        let entries = metadata.age.iter();
        let mut names: Vec<&str> = entries.map(|entry| entry.recipient.as_str()).collect();
        names.extend(metadata.foreign_names());
        Err(Error::key(
            ErrorCode::NoMatchingIdentity,
            alloc::format!(
                "none of the {} identities at hand opens it; it is sealed to {}; bring the identity of one of these",
                identities.len(),
                if names.is_empty() {
                    "nobody".to_owned()
                } else {
                    names.join(", ")
                }
            ),
        ))
    }

    /// The data key through whatever opens an entry's age file; with several key groups the shares of as many as are
    /// needed. Every group is tried.
    ///
    /// # Errors
    /// `no-matching-identity`, saying how many groups opened; `data-key-invalid`.
    #[cfg(feature = "formats")]
    pub fn data_key_by(
        &self,
        open: &mut dyn FnMut(&AgeEntry) -> Option<Zeroizing<Vec<u8>>>,
    ) -> Result<DataKey, Error> {
        let metadata = self.metadata();
        if metadata.key_groups.is_empty() {
            return match metadata.age.iter().find_map(open) {
                Some(payload) => DataKey::of_payload(&payload),
                None => Err(Error::key(
                    ErrorCode::NoMatchingIdentity,
                    "none of the identities at hand opens it",
                )),
            };
        }
        let groups = metadata.key_groups.iter();
        let shares: Vec<_> = groups
            .filter_map(|group| group.age.iter().find_map(&mut *open))
            .collect();
        let count = metadata.key_groups.len();
        let needed = metadata.shamir_threshold.filter(|needed| *needed > 0);
        let needed = needed.unwrap_or(count);
        if shares.len() < needed {
            return Err(Error::key(
                ErrorCode::NoMatchingIdentity,
                alloc::format!(
                    "the file was sealed with a Shamir threshold of {needed}: identities of so many of its {count} key groups are needed, and {} opened",
                    shares.len()
                ),
            ));
        }
        crate::shamir::combine(&shares)
    }
}

impl<State> fmt::Debug for Document<State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, redacted)", self.text.len())
    }
}

/// Whether the text has a top-level `sops` block.
///
/// # Errors
/// As for parsing plain text.
pub fn is_sealed(bytes: &[u8], limits: &Limits) -> Result<bool, Error> {
    is_sealed_as(Format::Yaml, bytes, limits)
}

/// As [`is_sealed`], of any format.
///
/// # Errors
/// As for parsing plain text.
pub fn is_sealed_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<bool, Error> {
    let text = parse::decode(bytes, limits)?;
    let document = Document::parse_any(format, text, limits, Plain)?;
    Ok(document.sops_line().is_some())
}

/// The `sops` block of a text, whatever version it states; `None` where there is none. The rest is not looked at.
///
/// # Errors
/// As [`Document::<Encrypted>::parse_as`].
#[cfg(feature = "formats")]
pub fn block_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Option<Metadata>, Error> {
    let document = Document::parse_sealed(format, parse::decode(bytes, limits)?, limits)?;
    let block = document.sops_line().map(|_| document.read_metadata());
    block.transpose()
}

pub(crate) fn leaf(document: usize, scalar: &Scalar) -> Leaf {
    let sealed = scalar.value.as_str().and_then(SealedValue::parse);
    Leaf {
        path: scalar.path.clone(),
        document,
        span: scalar.span.range(),
        line: scalar.line,
        kind: scalar.value.kind(),
        sealed: matches!(sealed, Some(Ok(_))),
        empty: scalar.value.is_empty(),
    }
}

/// Whether a value claims to be sealed, well-formed or not.
pub(crate) fn looks_sealed(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("ENC["))
}

/// So many nodes aliases may stand for: a text of a few lines can stand for billions.
#[cfg(feature = "formats")]
const ALIASED: usize = 100_000;

/// Whether a text, be it damaged or plain, holds something sealed.
pub fn holds_sealed(text: &str) -> bool {
    text.contains("ENC[AES256_GCM,")
}

impl Error {
    /// Adds what a text that cannot be read looks like: people should not seal a ruin again, nor look for the fault in
    /// lines that Git wrote.
    fn because_of(mut self, text: &str) -> Self {
        if !holds_sealed(text) {
            return self;
        }
        let why = match conflict(text) {
            Some(line) => format!("; Git's conflict markers stand in the text, from line {line}"),
            None => {
                "; the text holds sealed values, so it is damaged, or half a sealed file".to_owned()
            }
        };
        if let Some(fault) = self.fault_mut() {
            fault.message.push_str(&why);
        }
        self
    }
}

/// The line of the first conflict that Git left in a text; what cannot be merged is not looked at.
#[cfg(not(feature = "formats"))]
fn conflict(_: &str) -> Option<usize> {
    None
}

/// The line of the first conflict that Git left in a text.
#[cfg(feature = "formats")]
fn conflict(text: &str) -> Option<usize> {
    let marks = |line, mark| merge::marker(line, merge::MARKER).is_some_and(|(it, _)| it == mark);
    let mut lines = text.lines().zip(1..);
    let (_, first) = lines.find(|(line, _)| marks(line, '<'))?;
    lines.any(|(line, _)| marks(line, '>')).then_some(first)
}

/// Replaces ranges, which do not overlap, by texts.
pub(crate) fn splice<'a>(text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> String {
    splice_all(text, edits.into_iter().collect())
}

fn splice_all(text: &str, edits: Vec<&Edit>) -> String {
    let edits = order::by_key(edits, |(range, _)| (range.start, range.end));
    let more: usize = edits.iter().map(|(_, replacement)| replacement.len()).sum();
    let less: usize = edits.iter().map(|(range, _)| range.len()).sum();
    let mut out = String::with_capacity((text.len() + more).saturating_sub(less));
    let mut at = 0;
    for (range, replacement) in edits {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(replacement);
        at = range.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

impl<State> Document<State> {
    /// Line of the first block, or of the key that would be taken for one.
    fn sops_line(&self) -> Option<usize> {
        let mut keys = self.parsed.documents.iter().flat_map(|root| &root.keys);
        keys.find(|key| self.format.is_block_key(&key.name))
            .map(|key| key.line)
    }

    fn read_metadata(&self) -> Result<Metadata, Error> {
        let first = self.parsed.documents.first();
        let has_block = |root: &&Root| {
            root.keys
                .iter()
                .any(|key| self.format.is_block_key(&key.name))
        };
        let Some(root) = first.filter(has_block) else {
            let error = |message| Error::input(ErrorCode::MetadataInvalid, message);
            return Err(match holds_sealed(&self.text) {
                true => error("sops metadata not found: the text has no sops block")
                    .because_of(&self.text),
                false => error(
                    "sops metadata not found: the text has no sops block, so it is not sealed",
                ),
            });
        };
        #[cfg(feature = "formats")]
        if self.format == Format::Ini {
            let blocks = root.keys.iter();
            let mut blocks = blocks.filter(|key| self.format.is_block_key(&key.name));
            if let Some(second) = blocks.nth(1) {
                // The reference opens no such file either, and nothing covers what stands there.
                return Err(Error::input(
                    ErrorCode::MetadataInvalid,
                    "the section sops stands twice, and one of them alone can be the block; take the other out",
                )
                .at_path("sops")
                .at_line(second.line));
            }
        }
        let leaves = self.format.block_leaves(root);
        #[cfg(feature = "formats")]
        if let Format::Json | Format::Binary = self.format {
            // The reference reads these names in any case, so it could see another block than we do.
            let mut names = leaves.iter().flat_map(|(path, _, line)| {
                let keys = path.iter().filter_map(|segment| match segment {
                    crate::path::Segment::Key(key) => Some(key),
                    crate::path::Segment::Index(_) => None,
                });
                keys.map(move |key| (key, *line))
            });
            if let Some((name, line)) =
                names.find(|(name, _)| metadata::is_field_in_other_case(name))
            {
                return Err(Error::input(
                    ErrorCode::MetadataInvalid,
                    "a field of the sops block stands in another case, which sops reads as the field itself; take the file from a version that was not edited by hand",
                )
                .at_line(line)
                .at_path(alloc::format!("sops.{name}")));
            }
        }
        #[cfg(feature = "formats")]
        metadata::shape::check(self.format, &self.text, root, &leaves)?;
        let leaves = leaves.iter();
        let leaves = leaves.map(|(path, value, line)| (path.as_slice(), value, *line));
        metadata::read(self.format, leaves)
    }
}
