//! From text to leaves and comments in order, each with its path and byte span.
//!
//! What go-yaml reads differently from YAML 1.2 is settled here: literal blocks that end with the
//! file. What the reference cannot seal (aliases, keys that are no strings, …) is kept as an
//! [`Obstacle`]: the text may still be looked at, but not sealed.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle, options};

#[cfg(feature = "formats")]
use super::metadata::KEY;
#[cfg(feature = "formats")]
use zeroize::Zeroizing;

use super::resolve::{self, Resolved};
use super::{block, comments, portable, syntax};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{
    Alias, Collection, Comment, Item, Obstacle, Parsed, Remedy, Root, Scalar, Style, TopKey, small,
};
#[cfg(feature = "formats")]
use crate::format::parts::{Place, Shape};
use crate::limits::Limits;
use crate::order;
use crate::path::{Path, Segment, Steps};
use crate::text::Text;
use crate::value::Value;

pub(crate) fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let most = small(limits.bytes) as usize;
    if bytes.len() > most {
        return Err(limit(format!(
            "the text has {} bytes, more than the {most} allowed; split it",
            bytes.len(),
        )));
    }
    Ok(())
}

/// As [`decode`], without a copy.
#[cfg(feature = "formats")]
pub(crate) fn decode_own(bytes: Zeroizing<Vec<u8>>, limits: &Limits) -> Result<Text, Error> {
    check_size(&bytes, limits)?;
    let mut bytes = bytes;
    match String::from_utf8(core::mem::take(&mut *bytes)) {
        Ok(text) => Ok(text.into()),
        Err(error) => decode(&Zeroizing::new(error.into_bytes()), limits),
    }
}

/// Checks size and encoding; gives the text without looking at YAML, as a copy that is wiped.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Text, Error> {
    check_size(bytes, limits)?;
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let line = block::line_number(bytes, error.valid_up_to());
        Error::input(
            ErrorCode::NotUtf8,
            "the text is not UTF-8; save it with that encoding",
        )
        .at_line(line)
    })?;
    Ok(text.into())
}

/// Parses a text.
pub(crate) fn parse(text: &Text, limits: &Limits) -> Result<Parsed, Error> {
    events(Builder::new(text, limits))
}

/// As [`parse`], with the places of all entries, which edits of the text need.
#[cfg(feature = "formats")]
pub(crate) fn parse_for_edit(text: &Text, limits: &Limits) -> Result<Parsed, Error> {
    let mut builder = Builder::new(text, limits);
    builder.all_places = true;
    events(builder)
}

fn events(mut builder: Builder<'_>) -> Result<Parsed, Error> {
    let (text, limits) = (builder.text, builder.limits);
    let options = options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        max_buffered_comment_events: limits.nodes,
    };
    if text.contains('\0') {
        return Err(Error::input(
            ErrorCode::NotUtf8,
            "the text holds a NUL byte, so it is no YAML; remove it",
        ));
    }
    builder.refuse(portable::line_break(text));
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax::error(&error, text))?;
        builder.event(event, &span)?;
    }
    Ok(builder.finish())
}

fn limit(message: String) -> Error {
    Error::input(ErrorCode::LimitExceeded, message)
}

/// Offset and column of the dash that a line begins with. For a list at its key's own indentation
/// the parser reports a place behind it.
fn first_dash(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = block::line_start(text, at);
    let lead = text.get(start..at)?;
    let column = lead.bytes().take_while(|byte| *byte == b' ').count();
    lead.get(column..)?
        .starts_with('-')
        .then_some((start + column, column))
}

/// What `!!` stands for.
const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// Whether a scalar has a tag. go-yaml does as if a bare `!` were not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tagged {
    Bare,
    No,
    Yes,
}

/// An open collection.
struct Frame {
    path: Path,
    /// The same, for those of its entries.
    steps: Steps,
    kind: FrameKind,
    flow: bool,
    /// Whether its items are merged: each must be a mapping.
    merges: bool,
    column: usize,
    /// Its number among those of the document.
    collection: usize,
    /// The number of its last entry among those of the document.
    #[cfg(feature = "formats")]
    entry: Option<usize>,
}

enum FrameKind {
    Mapping {
        key: Option<Text>,
        seen: BTreeSet<Text>,
    },
    Sequence {
        next: usize,
    },
}

struct Builder<'a> {
    source: &'a Text,
    text: &'a str,
    limits: &'a Limits,
    parsed: Parsed,
    frames: Vec<Frame>,
    /// Comments before the first document.
    comments: Vec<Comment>,
    has_comments: bool,
    nodes: usize,
    /// End of the last token seen, for finding block headers.
    last_end: usize,
    /// Depth of collections inside a key that is itself a collection.
    skipping: usize,
    /// Where the last key ends.
    key_end: usize,
    /// End of the last token, and the column around it when it is a plain scalar.
    token_end: (usize, Option<usize>),
    /// Where the blanks begin that the text ends in.
    content_end: usize,
    /// Whether something was found that go-yaml cannot load.
    refused: bool,
    /// Number of obstacles up to a merge key, while its value is to come.
    merges: Option<usize>,
    /// Where the last value or key ends that came before this event.
    #[cfg(feature = "formats")]
    filled: usize,
    /// Whether the places of all entries are kept, or only those at the top and in the `sops` block.
    #[cfg(feature = "formats")]
    all_places: bool,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Text, limits: &'a Limits) -> Self {
        let text = source.as_str();
        Self {
            source,
            text,
            limits,
            parsed: Parsed::default(),
            frames: Vec::new(),
            comments: Vec::new(),
            has_comments: false,
            nodes: 0,
            last_end: 0,
            skipping: 0,
            key_end: 0,
            token_end: (0, None),
            content_end: text.trim_end_matches([' ', '\t']).len(),
            refused: false,
            merges: None,
            #[cfg(feature = "formats")]
            filled: 0,
            #[cfg(feature = "formats")]
            all_places: false,
        }
    }

    fn finish(mut self) -> Parsed {
        self.gap(self.text.len());
        self.close_document(self.text.len());
        if self.has_comments {
            comments::file(self.text, &mut self.parsed.documents);
        }
        self.parsed
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Error> {
        let range = span.byte_range().unwrap_or_default();
        let line = span.start.line();
        if self.skipping > 0 {
            match event {
                Event::MappingStart(..) | Event::SequenceStart(..) => self.skipping += 1,
                Event::MappingEnd | Event::SequenceEnd => self.skipping -= 1,
                _ => {}
            }
            return Ok(());
        }
        #[cfg(feature = "formats")]
        let is_anchor = matches!(event, Event::Anchor(..));
        match event {
            Event::DocumentStart(explicit, _) => {
                let from = self.token_end.0;
                self.gap(range.start);
                let first = self.parsed.documents.is_empty();
                self.refuse(portable::prologue(
                    self.text,
                    from,
                    range.start,
                    first,
                    explicit,
                ));
                self.token_end = (range.end, None);
                self.close_document(range.start);
                if self.parsed.documents.len() >= self.limits.documents {
                    return Err(limit(format!(
                        "the text has more than {} documents; split it",
                        self.limits.documents
                    ))
                    .at_line(line));
                }
                self.parsed.documents.push(Root {
                    end: self.text.len(),
                    ..Root::default()
                });
                self.last_end = range.end;
            }
            Event::DocumentEnd => {
                if let Some(root) = self.parsed.documents.last_mut() {
                    root.end = root.end.min(range.start.max(self.last_end));
                }
            }
            Event::Comment(text, _) => {
                self.count(line)?;
                self.comment(Comment {
                    path: Path::default(),
                    text: self.source.part_or_copy(range.start + 1, &text),
                    span: range.into(),
                    line,
                    seat: None,
                    #[cfg(feature = "formats")]
                    of_section: false,
                });
            }
            Event::Anchor(_, name) => {
                if !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                {
                    return Err(Error::input(ErrorCode::LayoutUnsupported, "an anchor's name holds more than letters, digits, - and _, which YAML readers take differently; rename it").at_line(line));
                }
                self.last_end = self.last_end.max(range.end);
            }
            Event::Alias(anchor) => {
                self.obstacle(
                    ErrorCode::AliasInSealedDocument,
                    line,
                    "an alias stands here; a sealed file cannot keep it, so write the value out",
                );
                self.last_end = range.end;
                let merged = self.merges.take().is_some();
                let in_merge = self.frames.last().is_some_and(|frame| frame.merges);
                // Loaders look at merges in the first document alone.
                let merges = (merged || in_merge) && self.parsed.documents.len() == 1;
                if let Some(path) = self.node(range.start, line)? {
                    let remedy = if merges && !self.names_mapping(anchor) {
                        Remedy::None
                    } else {
                        Remedy::Rewrite
                    };
                    self.obstacle_with(remedy);
                    self.value_ends(range.end);
                    if let Some(root) = self.parsed.documents.last_mut() {
                        root.aliases.push(Alias {
                            path,
                            start: range.start,
                            anchor,
                        });
                    }
                }
            }
            Event::UnresolvedAlias(_) => {
                return Err(Error::input(
                    ErrorCode::YamlSyntax,
                    "an alias names an anchor that is not defined before it",
                )
                .at_line(line));
            }
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 && range.is_empty() {
                    self.obstacle(
                        ErrorCode::AliasInSealedDocument,
                        line,
                        "an anchor stands here without a value; remove it",
                    );
                    self.obstacle_with(Remedy::Rewrite);
                }
                let core = tag.as_deref().and_then(|tag| {
                    tag.suffix_in_namespace(YAML_TAGS)
                        .map(|suffix| suffix.into_owned())
                });
                self.check_tag(span);
                self.property(anchor != 0 || tag.is_some(), &range, line);
                let bare = matches!(self.tag_source(span), Some("!" | "!<!>"));
                let tagged = match (tag.is_some(), bare) {
                    (false, _) => Tagged::No,
                    (true, true) => Tagged::Bare,
                    (true, false) => Tagged::Yes,
                };
                self.scalar(&text, style, core.as_deref(), span, tagged, anchor)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.property(anchor != 0 || tag.is_some(), &range, line);
                self.check_tag(span);
                self.open(style, span, true, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.property(anchor != 0 || tag.is_some(), &range, line);
                self.check_tag(span);
                self.open(style, span, false, anchor)?;
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(range.end),
            _ => {}
        }
        #[cfg(feature = "formats")]
        if !is_anchor {
            self.filled = self.filled.max(self.last_end);
        }
        Ok(())
    }

    fn count(&mut self, line: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(limit(format!(
                "the text has more than {} keys, values and comments; split it",
                self.limits.nodes
            ))
            .at_line(line));
        }
        Ok(())
    }

    /// Keeps the first thing that go-yaml cannot load.
    fn refuse(&mut self, found: Option<portable::Found>) {
        if let Some((at, message)) = found
            && !self.refused
        {
            self.refused = true;
            let line = block::line_number(self.text.as_bytes(), at);
            self.obstacle(ErrorCode::LayoutUnsupported, line, message);
        }
    }

    fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.flow)
    }

    /// A token begins: what stands before it is looked at.
    fn gap(&mut self, to: usize) {
        let (from, indent) = self.token_end;
        self.refuse(if self.in_flow() {
            portable::flow_gap(self.text, from, to)
        } else {
            portable::gap(self.text, from, to, indent)
        });
        self.token_end = (to.max(from), None);
    }

    /// A node's tag as it is written.
    fn tag_source(&self, span: &Span) -> Option<&'a str> {
        self.text
            .get(span.tag_span()?.byte_range()?)
            .map(str::trim_end)
    }

    /// A tag may hold less than the parser takes.
    fn check_tag(&mut self, span: &Span) {
        if self.tag_source(span).is_some_and(|tag| tag.contains('#')) {
            let at = span.tag_span().and_then(|span| span.byte_range());
            self.refuse(Some((
                at.unwrap_or_default().start,
                "a tag holds a #, which YAML readers take differently; rename it",
            )));
        }
    }

    /// Keeps where a node begins that has an anchor or a tag.
    #[cfg_attr(
        not(feature = "formats"),
        expect(
            unused_variables,
            clippy::unused_self,
            reason = "asked for checks without a key"
        )
    )]
    fn property(&mut self, is: bool, range: &Range<usize>, line: usize) {
        #[cfg(feature = "formats")]
        if is && let Some(root) = self.parsed.documents.last_mut() {
            root.properties.push((range.start, line));
        }
    }

    /// A scalar with extent: what of it go-yaml cannot load.
    fn check_scalar(&mut self, style: ScalarStyle, range: &Range<usize>) {
        self.gap(range.start);
        let column = self.frames.last().map_or(0, |frame| frame.column);
        let plain = style == ScalarStyle::Plain && !self.in_flow();
        self.token_end = (range.end, plain.then_some(column));
        let (text, from, to) = (self.text, range.start, range.end);
        self.refuse(match style {
            ScalarStyle::Plain if plain => portable::plain(text, from, to, column),
            ScalarStyle::Plain => portable::flow_plain(
                text.get(range.clone()).unwrap_or_default(),
                text.get(to..).unwrap_or_default(),
            )
            .map(|message| (from, message)),
            ScalarStyle::DoubleQuoted => portable::escapes(text, from, to),
            ScalarStyle::SingleQuoted => None,
            _ => portable::block(text, from, to),
        });
    }

    fn obstacle(&mut self, code: ErrorCode, line: usize, message: &'static str) {
        self.parsed.obstacles.push(Obstacle {
            code,
            line,
            message,
            remedy: Remedy::None,
        });
    }

    /// As [`Self::obstacle`], where something helps.
    fn obstacle_with(&mut self, remedy: Remedy) {
        if let Some(obstacle) = self.parsed.obstacles.last_mut() {
            obstacle.remedy = remedy;
        }
    }

    /// A node begins: it is a key, or a value with the path given. Keys give `None`.
    #[cfg_attr(
        not(feature = "formats"),
        expect(unused_variables, reason = "where entries begin is asked by edits")
    )]
    fn node(&mut self, start: usize, line: usize) -> Result<Option<Path>, Error> {
        self.count(line)?;
        if let Some(root) = self.parsed.documents.last_mut() {
            root.has_content = true;
        }
        #[cfg(feature = "formats")]
        self.place(start);
        let Some(frame) = self.frames.last_mut() else {
            self.obstacle(
                ErrorCode::LayoutUnsupported,
                line,
                "the document is not a mapping at the top; only a mapping can be sealed",
            );
            return Ok(Some(Path::default()));
        };
        match &mut frame.kind {
            FrameKind::Sequence { next } => {
                let path = frame.steps.to(Segment::Index(*next));
                *next += 1;
                Ok(Some(path))
            }
            FrameKind::Mapping {
                key: key @ Some(_), ..
            } => Ok(key.take().map(|key| frame.steps.to(Segment::Key(key)))),
            FrameKind::Mapping { key: None, .. } => Ok(None),
        }
    }

    /// Keeps where an entry begins, unless this is a key's value, and where the one before it ends.
    #[cfg(feature = "formats")]
    fn place(&mut self, start: usize) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if matches!(frame.kind, FrameKind::Mapping { key: Some(_), .. }) {
            return;
        }
        let Some(root) = self.parsed.documents.last_mut() else {
            return;
        };
        let in_block = || root.keys.last().is_some_and(|key| key.name.as_ref() == KEY);
        if !self.all_places && frame.collection > 0 && !in_block() {
            return;
        }
        if let Some(last) = frame.entry.and_then(|last| root.places.get_mut(last)) {
            last.end = last.end.max(self.filled);
        }
        frame.entry = Some(root.places.len());
        root.places.push(Place {
            collection: frame.collection,
            key: None,
            start,
            key_end: start,
            end: start,
            value: None,
        });
    }

    fn open(
        &mut self,
        style: StructureStyle,
        span: &Span,
        mapping: bool,
        anchor: usize,
    ) -> Result<(), Error> {
        let range = span.byte_range().unwrap_or_default();
        let line = span.start.line();
        let flow = matches!(style, StructureStyle::Flow);
        let mut start = range.start;
        let mut column = span.start.col();
        if let Some(Frame {
            kind: FrameKind::Mapping { .. },
            ..
        }) = self.frames.last()
            && !mapping
            && !flow
        {
            (start, column) = first_dash(self.text, start).unwrap_or((start, column));
        }
        if self.frames.len() >= self.limits.depth {
            return Err(limit(format!(
                "the text is nested deeper than {} levels; flatten it",
                self.limits.depth
            ))
            .at_line(line));
        }
        let top = self.frames.is_empty();
        let path = if top {
            self.count(line)?;
            if let Some(root) = self.parsed.documents.last_mut() {
                root.has_content = true;
                root.column = column;
            }
            if !mapping {
                self.obstacle(
                    ErrorCode::LayoutUnsupported,
                    line,
                    "the document is a list at the top; only a mapping can be sealed",
                );
            } else if flow {
                self.obstacle(
                    ErrorCode::LayoutUnsupported,
                    line,
                    "the document is written as {…} at the top; write one key a line",
                );
                self.obstacle_with(Remedy::Rewrite);
            }
            Path::default()
        } else if let Some(path) = self.node(start, line)? {
            path
        } else {
            self.obstacle(
                ErrorCode::NonStringKey,
                line,
                "a key is a list or mapping; only text can be a key in a sealed file",
            );
            self.pending_key("?".into(), start, line)?;
            self.skipping = 1;
            return Ok(());
        };
        if flow {
            self.gap(range.start);
            self.token_end = (range.end, None);
            self.last_end = self.last_end.max(range.end);
        }
        #[cfg(feature = "formats")]
        let outer = self.frames.last().and_then(|frame| frame.entry);
        let kind = if mapping {
            FrameKind::Mapping {
                key: None,
                seen: BTreeSet::new(),
            }
        } else {
            FrameKind::Sequence { next: 0 }
        };
        let merges = self.merges.take() == Some(self.parsed.obstacles.len()) && !mapping;
        self.anchored(anchor, start);
        let root = self.parsed.documents.last_mut();
        let collection = root.map_or(0, |root| {
            let number = root.collections.len();
            #[cfg(feature = "formats")]
            if let Some(outer) = outer.and_then(|outer| root.places.get_mut(outer)) {
                outer.value = Some(number);
            }
            root.collections.push(Collection {
                path: path.clone(),
                start,
                items: (!mapping).then_some(0),
            });
            #[cfg(feature = "formats")]
            root.shapes.push(Shape {
                end: start,
                column,
                flow,
            });
            number
        });
        self.frames.push(Frame {
            merges,
            #[cfg(feature = "formats")]
            entry: None,
            collection,
            steps: path.steps(),
            path,
            kind,
            flow,
            column,
        });
        Ok(())
    }

    fn close(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        if frame.flow {
            if !self.frames.is_empty() {
                self.value_ends(end);
            }
            self.last_end = self.last_end.max(end);
            self.token_end = (end, None);
        }
        #[cfg(feature = "formats")]
        if let Some(root) = self.parsed.documents.last_mut() {
            if let Some(last) = frame.entry.and_then(|last| root.places.get_mut(last)) {
                last.end = last.end.max(self.filled);
            }
            if let Some(shape) = root.shapes.get_mut(frame.collection) {
                shape.end = if frame.flow { end } else { self.filled };
            }
        }
        if let FrameKind::Sequence { next } = frame.kind
            && let Some(root) = self.parsed.documents.last_mut()
            && let Some(list) = root.collections.get_mut(frame.collection)
        {
            list.items = Some(next);
        }
    }

    /// What an anchor names begins here.
    fn anchored(&mut self, anchor: usize, start: usize) {
        if anchor != 0
            && let Some(root) = self.parsed.documents.last_mut()
        {
            root.anchors.push((anchor, start));
        }
    }

    /// Whether an anchor names a mapping: through an alias go-yaml merges nothing else, no list of mappings either.
    fn names_mapping(&self, anchor: usize) -> bool {
        self.parsed.documents.last().is_some_and(|root| {
            let named = root.anchors.iter().find(|(number, _)| *number == anchor);
            let start = named.map(|(_, start)| *start);
            let mut collections = root.collections.iter();
            start.is_some_and(|start| collections.any(|it| it.start == start && it.items.is_none()))
        })
    }

    /// A value ends; it stands below the last key of the top mapping.
    fn value_ends(&mut self, end: usize) {
        let keys = self.parsed.documents.last_mut().map(|root| &mut root.keys);
        if let Some(key) = keys.and_then(|keys| keys.last_mut()) {
            key.end = key.end.max(end);
        }
    }

    fn pending_key(&mut self, name: Text, start: usize, line: usize) -> Result<(), Error> {
        let top = self.frames.len() == 1;
        let Some(Frame {
            kind: FrameKind::Mapping { key, seen },
            path,
            #[cfg(feature = "formats")]
            entry,
            ..
        }) = self.frames.last_mut()
        else {
            return Ok(());
        };
        if !seen.insert(name.clone()) && name.as_ref() != "?" {
            return Err(Error::input(ErrorCode::DuplicateKey, "this key stands twice in its mapping; readers disagree on which counts, so remove one")
                .at_line(line)
                .at_path(path.child(Segment::Key(name))));
        }
        *key = Some(name.clone());
        #[cfg(feature = "formats")]
        if let Some(root) = self.parsed.documents.last_mut()
            && let Some(place) = entry.and_then(|entry| root.places.get_mut(entry))
        {
            place.key = Some(name.clone());
            place.key_end = self.key_end;
        }
        if top && let Some(root) = self.parsed.documents.last_mut() {
            root.keys.push(TopKey {
                name,
                start,
                end: start,
                line,
            });
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&str>,
        span: &Span,
        tagged: Tagged,
        anchor: usize,
    ) -> Result<(), Error> {
        let has_tag = tagged != Tagged::No;
        let mut range = span.byte_range().unwrap_or_default();
        let line = span.start.line();
        // An empty value is reported as `~` without extent.
        let text = if range.is_empty() && style == ScalarStyle::Plain {
            ""
        } else {
            text
        };
        if text.len() > self.limits.scalar_bytes {
            return Err(limit(format!(
                "a value has more than {} bytes",
                self.limits.scalar_bytes
            ))
            .at_line(line));
        }
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let mut text = text;
        let mut line = line;
        if is_block {
            let ends = range.end;
            if let Some(whole) = block::span(self.text, &range, self.last_end) {
                let head = self.text.get(whole.start..range.start).unwrap_or_default();
                line = line.saturating_sub(head.matches('\n').count());
                range = whole;
            } else {
                // at the top, where nothing could be sealed, or around a carriage return
                return Err(Error::input(
                    ErrorCode::LayoutUnsupported,
                    "where this block value begins cannot be told; write it in quotes",
                )
                .at_line(line));
            }
            if !self.text.ends_with('\n') && ends >= self.content_end {
                let column = self.frames.last().map_or(0, |frame| frame.column);
                let block = self.text.get(range.start..).unwrap_or_default();
                // go-yaml ends the value where the file ends; YAML 1.2 adds the line break that is not there.
                if block::last_line_counts(block, column) {
                    text = text.strip_suffix('\n').unwrap_or(text);
                    if !text.is_empty() {
                        range.end = self.text.len();
                    }
                }
            }
        }
        if !range.is_empty() {
            self.check_scalar(style, &range);
        }
        self.last_end = self.last_end.max(range.end);
        if range.is_empty() && self.frames.is_empty() && !has_tag {
            // A document without anything in it.
            return Ok(());
        }
        let is_plain = style == ScalarStyle::Plain;
        let resolved = match tag {
            Some(suffix) => resolve::tagged(suffix, text, is_plain),
            None if tagged == Tagged::Yes || !is_plain => Resolved::Text,
            None => resolve::plain(text),
        };
        // Behind the quote, when it has one.
        let at = range.start + usize::from(!is_plain);
        let value = match resolved {
            Resolved::Value(value) => value,
            Resolved::Text => Value::String(self.source.part_or_copy(at, text)),
            Resolved::OutOfRange => {
                self.obstacle(
                    ErrorCode::ValueOutOfRange,
                    line,
                    "this number or time is out of range for a sealed file; put it in quotes",
                );
                Value::String(self.source.part_or_copy(at, text))
            }
            Resolved::Mismatch => {
                self.obstacle(
                    ErrorCode::TagUnsupported,
                    line,
                    "the tag names a type that the value is not; remove the tag",
                );
                Value::String(self.source.part_or_copy(at, text))
            }
        };
        if self.frames.is_empty() && matches!(value, Value::Null) {
            // The reference takes it for a mapping of nothing.
            self.obstacle(
                ErrorCode::LayoutUnsupported,
                line,
                "the document is a null at the top; only a mapping can be sealed",
            );
            self.obstacle_with(Remedy::Rewrite);
            return Ok(());
        }
        let Some(path) = self.node(range.start, line)? else {
            self.key_end = range.end;
            if !matches!(value, Value::String(_)) {
                self.obstacle(
                    ErrorCode::NonStringKey,
                    line,
                    "a key is read as a number, boolean, date or null; put it in quotes",
                );
            } else if is_plain && text == "<<" {
                self.obstacle(ErrorCode::AliasInSealedDocument, line, "a merge key (<<) stands here; a sealed file cannot keep it, so write the keys out");
                self.obstacle_with(Remedy::Nothing);
                self.merges = Some(self.parsed.obstacles.len());
            }
            if text.len() > self.limits.key_bytes {
                return Err(limit(format!(
                    "a key has more than {} bytes; shorten it",
                    self.limits.key_bytes
                ))
                .at_line(line));
            }
            // Not the text: that of a binary key is packed.
            let name = match value {
                Value::String(name) => name,
                _ => self.source.part_or_copy(at, text),
            };
            return self.pending_key(name, range.start, line);
        };
        self.value_ends(range.end);
        let first = self.parsed.documents.len() == 1;
        let in_merge = self.frames.last().is_some_and(|frame| frame.merges);
        if in_merge && first {
            let what = "a merge key (<<) merges what is no mapping; remove it";
            self.obstacle(ErrorCode::AliasInSealedDocument, line, what);
        }
        if self.merges.take() == Some(self.parsed.obstacles.len()) && first {
            // Loaders refuse to merge a value.
            self.obstacle_with(Remedy::None);
        }
        self.anchored(anchor, range.start);
        if has_tag && range.is_empty() {
            self.obstacle(
                ErrorCode::TagUnsupported,
                line,
                "a tag stands here without a value; remove it",
            );
            self.obstacle_with(Remedy::Rewrite);
        }
        let (flow, column) = self
            .frames
            .last()
            .map_or((false, 0), |frame| (frame.flow, frame.column));
        let in_mapping = matches!(path.last(), Some(Segment::Key(_)));
        if range.is_empty()
            && !has_tag
            && in_mapping
            && !flow
            && !self
                .text
                .get(self.key_end..)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        {
            self.obstacle(
                ErrorCode::LayoutUnsupported,
                line,
                "a key written with ? has no value; write it as `key:`",
            );
        }
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            _ => Style::Block,
        };
        let tag_span = span.tag_span().and_then(|span| span.byte_range());
        let tag = tag.filter(|tag| *tag != "str");
        let tag = tag.map(|_| tag_span.map_or(range.start, |tag| tag.start));
        if let Some(root) = self.parsed.documents.last_mut() {
            root.items.push(Item::Scalar(Scalar {
                path,
                span: range.into(),
                line,
                style,
                flow,
                column,
                tag: tag.map(small),
                value,
            }));
        }
        Ok(())
    }

    fn comment(&mut self, comment: Comment) {
        self.has_comments = true;
        match self.parsed.documents.last_mut() {
            Some(root) => root.items.push(Item::Comment(comment)),
            None => self.comments.push(comment),
        }
    }

    fn close_document(&mut self, end: usize) {
        self.frames.clear();
        let Some(root) = self.parsed.documents.last_mut() else {
            return;
        };
        root.end = root.end.min(end);
        let before = core::mem::take(&mut self.comments);
        root.items.extend(before.into_iter().map(Item::Comment));
        root.items = order::by_key(core::mem::take(&mut root.items), |item| (item.start(), 0));
    }
}
