//! The events that go-yaml's parser makes of the tokens, each with the comments that it takes along.
//!
//! An event takes what the tokens up to its own have brought; which events take comments, and which leave them for a later
//! one, is what this is about. Values are not looked at.

use alloc::vec::Vec;

use super::scan::{Kind, Lines, Role, Scanner, Token};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An alias, or a value that is no collection.
    Leaf,
    DocumentEnd,
    DocumentStart,
    MappingEnd,
    MappingStart,
    SequenceEnd,
    SequenceStart,
    StreamEnd,
}

/// The comments of a node or event.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) head: Lines,
    pub(super) line: Lines,
    pub(super) foot: Lines,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) what: What,
    pub(super) flow: bool,
    pub(super) notes: Notes,
}

impl Event {
    fn bare(what: What) -> Self {
        Self::with(what, Notes::default())
    }

    fn with(what: What, notes: Notes) -> Self {
        Self {
            what,
            flow: false,
            notes,
        }
    }
}

/// What is to come.
#[derive(Clone, Copy, Debug)]
enum State {
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    BlockNode,
    BlockSequenceEntry,
    BlockSequenceFirst,
    Content,
    DocumentEnd,
    DocumentStart,
    End,
    FlowMappingEmpty,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowPairEnd,
    FlowPairKey,
    FlowPairValue,
    FlowSequenceEntry,
    FlowSequenceFirst,
    IndentlessEntry,
    Start,
    StreamStart,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    notes: Notes,
    /// What stood before a dash, for the collection behind it.
    stem: Lines,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::StreamStart,
            states: Vec::new(),
            notes: Notes::default(),
            stem: Lines::new(),
        }
    }

    /// The next event; `None` where go-yaml takes the text for no YAML.
    pub(super) fn next(&mut self) -> Option<Event> {
        match self.state {
            State::StreamStart => {
                self.peek()?;
                self.scanner.skip_token();
                self.state = State::Start;
                self.next_document(true)
            }
            State::Start => self.next_document(true),
            State::DocumentStart => self.next_document(false),
            State::Content => self.content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.peek()?;
                self.scanner.skip_token();
                self.block_sequence()
            }
            State::BlockSequenceEntry => self.block_sequence(),
            State::IndentlessEntry => self.indentless(),
            State::BlockMappingFirst => {
                self.peek()?;
                self.scanner.skip_token();
                self.block_key()
            }
            State::BlockMappingKey => self.block_key(),
            State::BlockMappingValue => self.block_value(),
            State::FlowSequenceFirst => {
                self.peek()?;
                self.scanner.skip_token();
                self.flow_item(true)
            }
            State::FlowSequenceEntry => self.flow_item(false),
            State::FlowPairKey => self.pair_key(),
            State::FlowPairValue => self.pair_value(),
            State::FlowPairEnd => {
                self.peek()?;
                self.state = State::FlowSequenceEntry;
                Some(Event::bare(What::MappingEnd))
            }
            State::FlowMappingFirst => {
                self.peek()?;
                self.scanner.skip_token();
                self.flow_key(true)
            }
            State::FlowMappingKey => self.flow_key(false),
            State::FlowMappingValue => self.flow_value(),
            State::FlowMappingEmpty => {
                self.peek()?;
                Some(self.nothing(State::FlowMappingKey))
            }
            State::End => Some(Event::bare(What::StreamEnd)),
        }
    }

    /// The next token; comments before it are taken up.
    fn peek(&mut self) -> Option<Token> {
        let token = self.scanner.peek()?;
        while let Some(comment) = self.scanner.comment(token.at) {
            let notes = match comment.role {
                // An end is no place for what stands before something.
                Role::Head if token.kind == Kind::BlockEnd => break,
                Role::Head => &mut self.notes.head,
                Role::Foot => &mut self.notes.foot,
                Role::Line => &mut self.notes.line,
            };
            notes.append(&mut comment.lines);
            self.scanner.skip_comment();
        }
        Some(token)
    }

    /// The token behind the next one, which is passed.
    fn after(&mut self) -> Option<Token> {
        self.scanner.skip_token();
        self.peek()
    }

    fn take(&mut self) -> Notes {
        self.stem.clear();
        core::mem::take(&mut self.notes)
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// A value that is not there takes no comments.
    fn nothing(&mut self, state: State) -> Event {
        self.state = state;
        Event::bare(What::Leaf)
    }

    fn next_document(&mut self, first: bool) -> Option<Event> {
        let mut token = self.peek()?;
        while !first && token.kind == Kind::DocumentEnd {
            token = self.after()?;
        }
        if token.kind == Kind::StreamEnd {
            self.state = State::End;
            return Some(Event::bare(What::StreamEnd));
        }
        self.states.push(State::DocumentEnd);
        if first && !matches!(token.kind, Kind::Directive | Kind::DocumentStart) {
            self.state = State::BlockNode;
            let head = self.split_document_head();
            let notes = Notes {
                head,
                ..Notes::default()
            };
            return Some(Event::with(What::DocumentStart, notes));
        }
        while token.kind == Kind::Directive {
            token = self.after()?;
        }
        if token.kind != Kind::DocumentStart {
            return None;
        }
        self.state = State::Content;
        self.scanner.skip_token();
        Some(Event::bare(What::DocumentStart))
    }

    /// What stands above the last empty line is about the document.
    fn split_document_head(&mut self) -> Lines {
        let head = &mut self.notes.head;
        let ends_empty = head.len() > 1 && head.last().is_some_and(Option::is_none);
        let empty = if ends_empty {
            head.len().checked_sub(1)
        } else {
            head.iter().rposition(Option::is_none).filter(|at| *at > 0)
        };
        let Some(empty) = empty else {
            return Lines::new();
        };
        let rest = head.split_off(empty + 1);
        core::mem::replace(head, rest)
    }

    fn content(&mut self) -> Option<Event> {
        let token = self.peek()?;
        if matches!(
            token.kind,
            Kind::Directive | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd
        ) {
            self.pop();
            return Some(Event::bare(What::Leaf));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Option<Event> {
        let token = self.peek()?;
        if token.kind == Kind::DocumentEnd {
            self.scanner.skip_token();
        }
        self.state = State::DocumentStart;
        let mut notes = self.take();
        if notes.foot.is_empty() {
            notes.foot = core::mem::take(&mut notes.head);
        }
        Some(Event::with(What::DocumentEnd, notes))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Option<Event> {
        let mut token = self.peek()?;
        let mut has_properties = false;
        for kind in match token.kind {
            Kind::Anchor => [Kind::Anchor, Kind::Tag],
            _ => [Kind::Tag, Kind::Anchor],
        } {
            if token.kind == kind {
                has_properties = true;
                token = self.after()?;
            } else {
                break;
            }
        }
        match token.kind {
            Kind::Alias | Kind::Scalar => {
                self.pop();
                let notes = self.take();
                self.scanner.skip_token();
                Some(Event::with(What::Leaf, notes))
            }
            Kind::BlockEntry if indentless => {
                self.state = State::IndentlessEntry;
                Some(Event::bare(What::SequenceStart))
            }
            Kind::FlowSequenceStart => {
                Some(self.flow(State::FlowSequenceFirst, What::SequenceStart))
            }
            Kind::FlowMappingStart => Some(self.flow(State::FlowMappingFirst, What::MappingStart)),
            Kind::BlockSequenceStart if block => {
                Some(self.block(State::BlockSequenceFirst, What::SequenceStart))
            }
            Kind::BlockMappingStart if block => {
                Some(self.block(State::BlockMappingFirst, What::MappingStart))
            }
            _ if has_properties => {
                self.pop();
                Some(Event::bare(What::Leaf))
            }
            _ => None,
        }
    }

    fn flow(&mut self, state: State, what: What) -> Event {
        self.state = state;
        Event {
            flow: true,
            ..Event::with(what, self.take())
        }
    }

    fn block(&mut self, state: State, what: What) -> Event {
        self.state = state;
        let notes = Notes {
            head: core::mem::take(&mut self.stem),
            ..Notes::default()
        };
        Event::with(what, notes)
    }

    fn block_sequence(&mut self) -> Option<Event> {
        match self.peek()?.kind {
            Kind::BlockEntry => {
                let token = self.behind_dash()?;
                if matches!(token.kind, Kind::BlockEntry | Kind::BlockEnd) {
                    return Some(self.nothing(State::BlockSequenceEntry));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            Kind::BlockEnd => {
                self.pop();
                self.scanner.skip_token();
                Some(Event::bare(What::SequenceEnd))
            }
            _ => None,
        }
    }

    fn indentless(&mut self) -> Option<Event> {
        if self.peek()?.kind != Kind::BlockEntry {
            self.pop();
            return Some(Event::bare(What::SequenceEnd));
        }
        let token = self.behind_dash()?;
        if matches!(
            token.kind,
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd
        ) {
            return Some(self.nothing(State::IndentlessEntry));
        }
        self.states.push(State::IndentlessEntry);
        self.node(true, false)
    }

    /// Passes a dash. What stood before it is about the collection that begins behind it, not about its first entry.
    fn behind_dash(&mut self) -> Option<Token> {
        let before = self.notes.head.len();
        let token = self.after();
        if before > 0
            && token.is_some_and(|token| {
                matches!(
                    token.kind,
                    Kind::BlockSequenceStart | Kind::BlockMappingStart
                )
            })
        {
            let rest = self.notes.head.split_off(before);
            self.stem = core::mem::replace(&mut self.notes.head, rest);
        }
        token
    }

    fn block_key(&mut self) -> Option<Event> {
        match self.peek()?.kind {
            Kind::Key => {
                let token = self.after()?;
                if matches!(token.kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
                    return Some(self.nothing(State::BlockMappingValue));
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            Kind::BlockEnd => {
                self.pop();
                let notes = self.take();
                self.scanner.skip_token();
                Some(Event::with(What::MappingEnd, notes))
            }
            _ => None,
        }
    }

    fn block_value(&mut self) -> Option<Event> {
        if self.peek()?.kind == Kind::Value {
            let token = self.after()?;
            if !matches!(token.kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
                self.states.push(State::BlockMappingKey);
                return self.node(true, true);
            }
        }
        Some(self.nothing(State::BlockMappingKey))
    }

    fn flow_item(&mut self, first: bool) -> Option<Event> {
        let mut token = self.peek()?;
        if !first && token.kind != Kind::FlowSequenceEnd {
            if token.kind != Kind::FlowEntry {
                return None;
            }
            token = self.after()?;
        }
        match token.kind {
            Kind::FlowSequenceEnd => Some(self.flow_end(What::SequenceEnd)),
            Kind::Key => {
                self.state = State::FlowPairKey;
                self.scanner.skip_token();
                Some(Event {
                    flow: true,
                    ..Event::bare(What::MappingStart)
                })
            }
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_end(&mut self, what: What) -> Event {
        self.pop();
        let notes = self.take();
        self.scanner.skip_token();
        Event::with(what, notes)
    }

    fn pair_key(&mut self) -> Option<Event> {
        let token = self.peek()?;
        if matches!(
            token.kind,
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd
        ) {
            self.scanner.skip_token();
            return Some(self.nothing(State::FlowPairValue));
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    fn pair_value(&mut self) -> Option<Event> {
        if self.peek()?.kind == Kind::Value {
            let token = self.after()?;
            if !matches!(token.kind, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        Some(self.nothing(State::FlowPairEnd))
    }

    fn flow_key(&mut self, first: bool) -> Option<Event> {
        let mut token = self.peek()?;
        if !first && token.kind != Kind::FlowMappingEnd {
            if token.kind != Kind::FlowEntry {
                return None;
            }
            token = self.after()?;
        }
        match token.kind {
            Kind::FlowMappingEnd => Some(self.flow_end(What::MappingEnd)),
            Kind::Key => {
                let token = self.after()?;
                if matches!(
                    token.kind,
                    Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd
                ) {
                    return Some(self.nothing(State::FlowMappingValue));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingEmpty);
                self.node(false, false)
            }
        }
    }

    fn flow_value(&mut self) -> Option<Event> {
        if self.peek()?.kind == Kind::Value {
            let token = self.after()?;
            if !matches!(token.kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        Some(self.nothing(State::FlowMappingKey))
    }
}
