//! The tokens that go-yaml's scanner makes of a text, and the comments it meets on the way.
//!
//! Values are passed over, not read. What counts is where a token begins, how many are fetched ahead, and where indentation
//! ends: by that go-yaml tells whether a comment is about what follows, what stands on its line, or what came before. Its
//! oddities are part of it: the line break behind a comment is not looked at, so that `\r\n` counts as an empty line.

mod notes;
mod scalars;

use alloc::vec::Vec;

pub(super) use notes::{Found, Lines, Role};

/// A place in the text; line and column count from 0.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) at: usize,
    line: usize,
    column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Alias,
    Anchor,
    BlockEnd,
    BlockEntry,
    BlockMappingStart,
    BlockSequenceStart,
    Directive,
    DocumentEnd,
    DocumentStart,
    FlowEntry,
    FlowMappingEnd,
    FlowMappingStart,
    FlowSequenceEnd,
    FlowSequenceStart,
    Key,
    Scalar,
    StreamEnd,
    StreamStart,
    Tag,
    Value,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// Something that may turn out to be a key once a `:` follows.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    number: usize,
    mark: Mark,
}

/// `None` where go-yaml takes the text for no YAML.
type Done = Option<()>;

pub(super) struct Scanner<'a> {
    text: &'a [u8],
    mark: Mark,
    /// Line breaks since the last character that is no blank.
    newlines: usize,
    tokens: Vec<Token>,
    head: usize,
    taken: usize,
    comments: Vec<Found>,
    comments_head: usize,
    indent: Option<usize>,
    indents: Vec<Option<usize>>,
    flow: usize,
    key_allowed: bool,
    keys: Vec<SimpleKey>,
    started: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let at = text.len() - text.trim_start_matches('\u{feff}').len();
        Self {
            text: text.as_bytes(),
            mark: Mark {
                at: at.min(BYTE_ORDER_MARK),
                ..Mark::default()
            },
            newlines: 0,
            tokens: Vec::new(),
            head: 0,
            taken: 0,
            comments: Vec::new(),
            comments_head: 0,
            indent: None,
            indents: Vec::new(),
            flow: 0,
            key_allowed: true,
            keys: alloc::vec![SimpleKey::default()],
            started: false,
        }
    }

    /// The next token, with two more fetched, and as many as it takes to tell whether it is a key.
    pub(super) fn peek(&mut self) -> Option<Token> {
        while self.tokens.len() < self.head + 3 || self.may_be_key(self.taken)? {
            self.fetch()?;
        }
        self.tokens.get(self.head).copied()
    }

    pub(super) fn skip_token(&mut self) {
        self.head += 1;
        self.taken += 1;
        if self.head > 1024 {
            // Two are fetched ahead at least, and no more are looked back at.
            let rest = self.tokens.split_off(self.head);
            self.tokens = rest;
            self.head = 0;
        }
    }

    /// The first comment that no token has taken, if the token at that place may.
    pub(super) fn comment(&mut self, at: usize) -> Option<&mut Found> {
        self.comments
            .get_mut(self.comments_head)
            .filter(|comment| at >= comment.token)
    }

    pub(super) fn skip_comment(&mut self) {
        self.comments_head += 1;
        if self.comments_head == self.comments.len() {
            // Taken ones are not looked at again.
            self.comments.clear();
            self.comments_head = 0;
        }
    }

    /// Whether a token may be a key: it begins one, and neither its line nor its length says otherwise.
    fn may_be_key(&mut self, number: usize) -> Option<bool> {
        let after = self.keys.partition_point(|key| key.number <= number);
        let mut found = false;
        for at in (after.saturating_sub(2)..after).rev() {
            if self
                .keys
                .get(at)
                .is_some_and(|key| key.possible && key.number == number)
            {
                found |= self.is_valid(at)?;
            }
        }
        Some(found)
    }

    fn is_valid(&mut self, at: usize) -> Option<bool> {
        let mark = self.mark;
        let Some(key) = self.keys.get_mut(at).filter(|key| key.possible) else {
            return Some(false);
        };
        let too_far = key.mark.line < mark.line || key.mark.column + KEY_LENGTH < mark.column;
        if too_far && key.required {
            return None;
        }
        key.possible = !too_far;
        Some(!too_far)
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.mark.at + ahead).copied().unwrap_or(0)
    }

    fn is_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0
    }

    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\n' | b'\r' => true,
            0xc2 => self.byte(ahead + 1) == 0x85,
            0xe2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9),
            _ => false,
        }
    }

    fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_break(ahead) || self.is_end(ahead)
    }

    fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Passes one character.
    fn skip(&mut self) {
        if !self.is_blank(0) {
            self.newlines = 0;
        }
        self.mark.at += width(self.byte(0));
        self.mark.column += 1;
    }

    /// Passes letters, digits and what else means nothing within a value or a comment, many at a time; whether there
    /// were any.
    fn skip_ordinary(&mut self) -> bool {
        let rest = self.text.get(self.mark.at..).unwrap_or_default();
        let is_ordinary = |byte: &u8| ORDINARY.get(usize::from(*byte)) == Some(&true);
        let end = rest.iter().position(|byte| !is_ordinary(byte));
        let length = end.unwrap_or(rest.len());
        if length > 0 {
            self.newlines = 0;
            self.mark.at += length;
            self.mark.column += length;
        }
        length > 0
    }

    /// Passes a line break.
    fn skip_line(&mut self) {
        self.mark.at += match (self.byte(0), self.byte(1)) {
            (b'\r', b'\n') => 2,
            (first, _) => width(first),
        };
        self.mark.column = 0;
        self.mark.line += 1;
        self.newlines += 1;
    }

    fn skip_to_end_of_line(&mut self) {
        loop {
            let _passed = self.skip_ordinary();
            if self.is_break_or_end(0) {
                return;
            }
            self.skip();
        }
    }

    fn put(&mut self, kind: Kind, at: usize) {
        self.tokens.push(Token { kind, at });
    }

    /// Puts a token before the one of that number.
    fn put_before(&mut self, number: usize, kind: Kind, at: usize) {
        let place = (self.head + number.saturating_sub(self.taken)).min(self.tokens.len());
        self.tokens.insert(place, Token { kind, at });
    }

    fn last(&self, back: usize) -> Option<Token> {
        let at = self.tokens.len().checked_sub(back)?;
        self.tokens.get(at).copied()
    }

    fn fetch(&mut self) -> Done {
        if !self.started {
            self.started = true;
            self.put(Kind::StreamStart, self.mark.at);
            return Some(());
        }
        let scanned = self.mark;
        self.scan_to_next_token();
        self.unroll(Some(self.mark.column), scanned.at);
        if self.is_end(0) {
            if self.mark.column != 0 {
                self.mark.column = 0;
                self.mark.line += 1;
            }
            self.unroll(None, self.mark.at);
            self.remove_key()?;
            self.key_allowed = false;
            self.put(Kind::StreamEnd, self.mark.at);
            return Some(());
        }
        if self.mark.column == 0 && self.byte(0) == b'%' {
            self.begin_prologue()?;
            self.put(Kind::Directive, self.mark.at);
            self.skip_to_end_of_line();
            if self.is_break(0) {
                self.skip_line();
            }
            return Some(());
        }
        if let Some(kind) = self.document_indicator() {
            self.begin_prologue()?;
            self.put(kind, self.mark.at);
            (0..3).for_each(|_| self.skip());
            return Some(());
        }
        let indicator = if self.flow == 0 { b':' } else { b',' };
        let about = match self.last(1) {
            // What follows the mark is about what stands before it.
            Some(token) if self.byte(0) == indicator => token.at,
            _ => self.mark.at,
        };
        self.fetch_in_document()?;
        // A dash has no comment on its line: that is about what follows.
        if self
            .last(1)
            .is_none_or(|token| token.kind != Kind::BlockEntry)
        {
            self.scan_line_comment(about);
        }
        Some(())
    }

    fn document_indicator(&self) -> Option<Kind> {
        if self.mark.column > 0 || !self.is_blank_or_end(3) {
            return None;
        }
        match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'-', b'-', b'-') => Some(Kind::DocumentStart),
            (b'.', b'.', b'.') => Some(Kind::DocumentEnd),
            _ => None,
        }
    }

    fn begin_prologue(&mut self) -> Done {
        self.unroll(None, self.mark.at);
        self.remove_key()?;
        self.key_allowed = false;
        Some(())
    }

    fn fetch_in_document(&mut self) -> Done {
        let first = self.byte(0);
        let stands_alone = self.is_blank_or_end(1);
        match first {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.indicator(Kind::FlowEntry);
                Some(())
            }
            b'-' if stands_alone => {
                self.begin_block(Kind::BlockSequenceStart)?;
                self.remove_key()?;
                self.key_allowed = true;
                self.indicator(Kind::BlockEntry);
                Some(())
            }
            b'?' if stands_alone || self.flow > 0 => {
                self.begin_block(Kind::BlockMappingStart)?;
                self.remove_key()?;
                self.key_allowed = self.flow == 0;
                self.indicator(Kind::Key);
                Some(())
            }
            b':' if stands_alone || self.flow > 0 => self.fetch_value(),
            b'*' => self.fetch_name(Kind::Alias),
            b'&' => self.fetch_name(Kind::Anchor),
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                self.put(Kind::Tag, self.mark.at);
                while !self.is_blank_or_end(0) {
                    self.skip();
                }
                Some(())
            }
            b'|' | b'>' if self.flow == 0 => {
                self.remove_key()?;
                self.key_allowed = true;
                self.scan_block_scalar()
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_quoted(first)
            }
            b' ' | b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => None,
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_plain();
                Some(())
            }
        }
    }

    fn indicator(&mut self, kind: Kind) {
        self.put(kind, self.mark.at);
        self.skip();
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Done {
        self.save_key()?;
        let number = self.taken + self.tokens.len() - self.head;
        self.keys.push(SimpleKey {
            number,
            mark: self.mark,
            ..SimpleKey::default()
        });
        self.flow += 1;
        self.key_allowed = true;
        self.indicator(kind);
        Some(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Done {
        self.remove_key()?;
        if self.flow > 0 {
            self.flow -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        self.indicator(kind);
        Some(())
    }

    /// An indicator that a block collection may begin with.
    fn begin_block(&mut self, kind: Kind) -> Done {
        if self.flow == 0 {
            if !self.key_allowed {
                return None;
            }
            if self.roll(self.mark.column) {
                self.put(kind, self.mark.at);
            }
        }
        Some(())
    }

    fn fetch_value(&mut self) -> Done {
        let last = self.keys.len().checked_sub(1)?;
        if self.is_valid(last)? {
            let key = self.keys.get_mut(last)?;
            key.possible = false;
            let SimpleKey { number, mark, .. } = *key;
            self.put_before(number, Kind::Key, mark.at);
            if self.flow == 0 && self.roll(mark.column) {
                self.put_before(number, Kind::BlockMappingStart, mark.at);
            }
            self.key_allowed = false;
        } else {
            self.begin_block(Kind::BlockMappingStart)?;
            self.key_allowed = self.flow == 0;
        }
        self.indicator(Kind::Value);
        Some(())
    }

    fn fetch_name(&mut self, kind: Kind) -> Done {
        self.save_key()?;
        self.key_allowed = false;
        self.indicator(kind);
        let from = self.mark.at;
        while matches!(self.byte(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-') {
            self.skip();
        }
        let ends = self.is_blank_or_end(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        (ends && self.mark.at > from).then_some(())
    }

    fn save_key(&mut self) -> Done {
        if !self.key_allowed {
            return Some(());
        }
        self.remove_key()?;
        let key = SimpleKey {
            possible: true,
            required: self.flow == 0 && self.indent == Some(self.mark.column),
            number: self.taken + self.tokens.len() - self.head,
            mark: self.mark,
        };
        *self.keys.last_mut()? = key;
        Some(())
    }

    fn remove_key(&mut self) -> Done {
        let key = self.keys.last_mut()?;
        let broken = key.possible && key.required;
        key.possible = false;
        (!broken).then_some(())
    }

    /// Goes in; whether a collection begins there.
    fn roll(&mut self, column: usize) -> bool {
        let begins = self.indent.is_none_or(|indent| indent < column);
        if begins {
            self.indents.push(self.indent);
            self.indent = Some(column);
        }
        begins
    }

    /// Ends the collections that are indented further than a column; all with `None`. The end of one goes before the
    /// comments that stand in its column.
    fn unroll(&mut self, column: Option<usize>, scanned: usize) {
        if self.flow > 0 || self.indent <= column {
            return;
        }
        let mut at = scanned.saturating_sub(1);
        let columns = self.columns_of_comments(at);
        while self.indent > column {
            // The first of several in a column counts.
            let inside = self.indent.map_or(0, |indent| indent + 1);
            let first = columns.partition_point(|(at, _)| *at < inside);
            if let Some((found, start)) = columns.get(first)
                && *found == inside
            {
                at = *start;
            }
            self.put(Kind::BlockEnd, at);
            self.indent = self.indents.pop().flatten();
        }
    }

    fn scan_to_next_token(&mut self) {
        let scanned = self.mark;
        loop {
            while self.byte(0) == b' '
                || ((self.flow > 0 || !self.key_allowed) && self.byte(0) == b'\t')
            {
                self.skip();
            }
            self.line_comment_becomes_head();
            if self.byte(0) == b'#' {
                self.scan_comments(scanned);
            }
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow == 0 {
                self.key_allowed = true;
            }
        }
    }
}

/// The characters of one byte that neither end a value nor are blanks, by their byte.
#[expect(
    clippy::indexing_slicing,
    reason = "a constant that panics does not compile"
)]
static ORDINARY: [bool; 256] = {
    let mut ordinary = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        ordinary[byte as usize] = !matches!(
            byte,
            b',' | b':' | b'?' | b'[' | b']' | b'{' | b'}' | b'\'' | b'"' | b'\\'
        );
        byte += 1;
    }
    ordinary
};

fn width(first: u8) -> usize {
    match first {
        0x00..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    }
}

const BYTE_ORDER_MARK: usize = '\u{feff}'.len_utf8();

/// So many columns behind its beginning a key must have its `:`.
const KEY_LENGTH: usize = 1024;
