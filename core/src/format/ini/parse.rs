//! From text to sections, values and comments with their spans.
//!
//! What the reference drops or puts together from several places cannot be sealed where it stands: it is an
//! [`Obstacle`], beside the items that the reference loads.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::line::{self, Found, MARKS, NoKey};
use super::{DEFAULT, write};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{
    Collection, Comment, Item, Obstacle, Parsed, Remedy, Root, Scalar, Style, TopKey,
};
use crate::limits::Limits;
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::value::Value;

/// Reads a text.
///
/// # Errors
/// `ini-syntax` for a line that is nothing the reference knows, `limit-exceeded`.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Parsed, Error> {
    let mut reader = Reader::new(text, limits);
    reader.at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    while reader.line()? {}
    Ok(reader.finish())
}

struct Reader<'a> {
    text: &'a str,
    limits: &'a Limits,
    at: usize,
    number: usize,
    nodes: usize,
    root: Root,
    obstacles: Vec<Obstacle>,
    section: Section,
    pending: Pending,
}

/// The section that is being read.
struct Section {
    path: Path,
    entries: Vec<(Scalar, Option<Comment>)>,
    /// Where each key stands among the entries.
    seen: BTreeMap<Text, usize>,
    /// How many keys got a number for a name.
    numbered: usize,
}

/// Comment lines that wait for what they belong to.
#[derive(Default)]
struct Pending {
    /// Each line without indentation, line break included.
    raw: String,
    span: Option<Range<usize>>,
    line: usize,
}

impl Section {
    fn new(name: &Text) -> Self {
        Self {
            path: Path::default().child(Segment::Key(name.clone())),
            entries: Vec::new(),
            seen: BTreeMap::new(),
            numbered: 0,
        }
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Self {
        let name: Text = DEFAULT.into();
        let section = Section::new(&name);
        let collection = |path: &Path| Collection {
            path: path.clone(),
            start: 0,
            items: None,
        };
        let collections = vec![collection(&Path::default()), collection(&section.path)];
        Self {
            text,
            limits,
            at: 0,
            number: 0,
            nodes: 0,
            root: Root {
                end: text.len(),
                collections,
                keys: vec![TopKey {
                    name,
                    start: 0,
                    end: 0,
                    line: 1,
                }],
                ..Root::default()
            },
            obstacles: Vec::new(),
            section,
            pending: Pending::default(),
        }
    }

    /// Reads what begins on the next line; `false` at the end.
    fn line(&mut self) -> Result<bool, Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(line) = rest.split_inclusive('\n').next() else {
            return Ok(false);
        };
        let end = self.at + line.len();
        let line = line.trim_start();
        let start = end - line.len();
        self.number += 1;
        self.at = end;
        if line.starts_with(MARKS) {
            self.count(1)?;
            self.pending.add(line, start, self.number);
        } else if line.starts_with('[') {
            self.header(line, start)?;
        } else if !line.is_empty() {
            self.pair(line, start)?;
        }
        Ok(true)
    }

    fn header(&mut self, line: &str, start: usize) -> Result<(), Error> {
        let close = line
            .rfind(']')
            .ok_or_else(|| self.syntax("a section's name is not closed; put a ] behind it"))?;
        let name = line.get(1..close).unwrap_or_default();
        if name.is_empty() {
            return Err(self.syntax("a section has no name; write one between [ and ]"));
        }
        self.check_size(name.len(), self.limits.key_bytes, "a section's name")?;
        self.count(1)?;
        let rest = line.get(close + 1..).unwrap_or_default().trim_end();
        let mark = rest.find(MARKS);
        let overlooked = rest.get(..mark.unwrap_or(rest.len())).unwrap_or_default();
        if !overlooked.trim().is_empty() {
            self.obstacle(
                "text behind the section's name belongs to nothing, and sops drops it; remove it",
            );
        }
        if mark.is_some() {
            // The name reaches to the last ] of the line, and a sealed comment has one.
            self.obstacle(
                "a comment behind a section's name cannot be sealed there; put it before the line",
            );
        }
        let after = start + close + 1;
        let inline = mark.map(|mark| after + mark..after + rest.len());
        self.close_section();
        let name: Text = name.into();
        self.section = Section::new(&name);
        let path = self.section.path.clone();
        let comment = self.comment(&path, inline, true);
        let begin = comment
            .as_ref()
            .map_or(start, |comment| comment.span.start());
        self.root.collections.push(Collection {
            path,
            start: begin.min(start),
            items: None,
        });
        self.root.items.extend(comment.map(Item::Comment));
        self.root.has_content = true;
        self.root.keys.push(TopKey {
            name,
            start,
            end: after + rest.len(),
            line: self.number,
        });
        Ok(())
    }

    fn pair(&mut self, line: &str, start: usize) -> Result<(), Error> {
        let key = line::key(line).map_err(|problem| self.syntax(message(problem)))?;
        self.check_size(key.name.len(), self.limits.key_bytes, "a key")?;
        self.count(2)?;
        let found = line::value(self.text, start + key.after, self.at).ok_or_else(|| {
            self.syntax("a value's quote is not closed; put the closing one behind the value")
        })?;
        self.check_size(found.value.len(), self.limits.scalar_bytes, "a value")?;
        let name: Text = if key.name == "-" {
            self.section.numbered += 1;
            format!("#{}", self.section.numbered).into()
        } else {
            key.name.into()
        };
        let scalar = Scalar {
            path: self.section.path.child(Segment::Key(name.clone())),
            span: found.span.clone().into(),
            line: self.number,
            style: found.style,
            flow: false,
            column: 0,
            tag: None,
            value: Value::string(&found.value),
        };
        self.check_layout(key.overlooks, &found, &scalar);
        let path = self.section.path.clone();
        let comment = self.comment(&path, found.comment.clone(), false);
        let lines = self.text.get(self.at..found.end).unwrap_or_default();
        self.number += lines.matches('\n').count();
        self.at = found.end;
        self.root.has_content = true;
        if let Some(key) = self.root.keys.last_mut() {
            key.end = found.comment.map_or(found.span.end, |comment| comment.end);
        }
        self.keep(name, scalar, comment);
        Ok(())
    }

    /// A key that stands twice keeps its first place and takes the last value, and the last comment or none.
    fn keep(&mut self, name: Text, scalar: Scalar, comment: Option<Comment>) {
        let entries = &mut self.section.entries;
        match self.section.seen.get(&name) {
            Some(at) => {
                if let Some(entry) = entries.get_mut(*at) {
                    *entry = (scalar, comment);
                }
                self.obstacle("this key stands twice in its section, and sops keeps the last value alone; remove one");
            }
            None => {
                self.section.seen.insert(name, entries.len());
                entries.push((scalar, comment));
            }
        }
    }

    /// What would not come back as it is when the value is replaced.
    fn check_layout(&mut self, beside_key: bool, found: &Found<'_>, scalar: &Scalar) {
        if beside_key || found.overlooks {
            self.obstacle(
                "text behind a closing quote belongs to nothing, and sops drops it; remove it",
            );
        } else if found.style == Style::Block && found.comment.is_some() {
            // Once the value is one line, the reference overlooks what follows its quotes.
            self.obstacle(
                "a comment behind a value of several lines cannot be sealed there; put it before the key",
            );
        } else if found.continues {
            self.obstacle("a value goes on behind a backslash, which sops writes as one line; write it as one line");
        } else {
            let written = write::again(&found.value, scalar);
            if written.as_deref() != self.text.get(found.span.clone()) {
                self.obstacle("sops writes this value with other quotes; write it as sops does");
            }
        }
    }

    /// The comment of what stands on this line: that of the lines before it together with its own.
    fn comment(
        &mut self,
        path: &Path,
        inline: Option<Range<usize>>,
        of_section: bool,
    ) -> Option<Comment> {
        let pending = core::mem::take(&mut self.pending);
        let mut raw = pending.raw;
        let own = inline.clone().and_then(|inline| self.text.get(inline));
        raw.push_str(own.unwrap_or_default());
        let raw = raw.trim();
        let text = write::without_mark(raw);
        let line = pending.span.as_ref().map_or(self.number, |_| pending.line);
        let both = pending.span.is_some() && inline.is_some();
        let span = pending.span.or(inline)?;
        let (kept, written) = write::comment_again(text, raw.len() - text.len(), of_section);
        let source = self.text.get(span.clone()).unwrap_or_default();
        if both {
            self.obstacle(
                "a comment stands before this line and another on it, which sops takes for one; \
                 put them together before the line",
            );
        } else if source.get(kept..) != Some(written.as_str()) {
            self.obstacle(
                "sops writes this comment otherwise; begin each of its lines with the mark and one blank, \
                 without empty lines between",
            );
        }
        Some(Comment {
            path: path.clone(),
            span: span.into(),
            line,
            text: text.into(),
            seat: None,
            of_section,
        })
    }

    fn close_section(&mut self) {
        self.section.seen.clear();
        for (scalar, comment) in self.section.entries.drain(..) {
            self.root.items.push(Item::Scalar(scalar));
            self.root.items.extend(comment.map(Item::Comment));
        }
    }

    fn finish(mut self) -> Parsed {
        self.close_section();
        if self.pending.span.is_some() {
            self.number = self.pending.line;
            self.obstacle("a comment at the end of the text belongs to no key, and sops drops it; put it before a key");
        }
        Parsed {
            documents: vec![self.root],
            obstacles: self.obstacles,
        }
    }

    fn count(&mut self, more: usize) -> Result<(), Error> {
        self.nodes += more;
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        Err(Error::input(
            ErrorCode::LimitExceeded,
            format!(
                "the text has more than {} keys, values and comments; split it",
                self.limits.nodes
            ),
        )
        .at_line(self.number))
    }

    fn check_size(&self, length: usize, limit: usize, what: &str) -> Result<(), Error> {
        if length <= limit {
            return Ok(());
        }
        let message = format!("{what} has more than {limit} bytes; shorten it");
        Err(Error::input(ErrorCode::LimitExceeded, message).at_line(self.number))
    }

    fn obstacle(&mut self, message: &'static str) {
        self.obstacles.push(Obstacle {
            code: ErrorCode::LayoutUnsupported,
            line: self.number,
            message,
            remedy: Remedy::Rewrite,
        });
    }

    fn syntax(&self, message: &str) -> Error {
        Error::input(ErrorCode::IniSyntax, message).at_line(self.number)
    }
}

impl Pending {
    fn add(&mut self, line: &str, start: usize, number: usize) {
        if self.span.is_none() {
            self.line = number;
        }
        self.raw.push_str(line);
        let first = self.span.as_ref().map_or(start, |span| span.start);
        self.span = Some(first..start + line.trim_end().len());
    }
}

fn message(problem: NoKey) -> &'static str {
    match problem {
        NoKey::Delimiter => {
            "the line is no section, key or comment; put an = behind the key, or ; before a comment"
        }
        NoKey::Name => "a value has no key; write one before the = or :",
        NoKey::Quote => "a key's quote is not closed; put the closing one behind the key",
    }
}
