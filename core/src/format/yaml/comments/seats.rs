//! Where the reference files the comments of go-yaml's nodes among the entries of a collection.
//!
//! go-yaml hands the comments of an entry's end on to the key before, and drops some: those at the opening bracket of a
//! collection, and whatever another comes to the same place for. The reference puts a node's comments around its entry;
//! those of a collection that is a key's value go inside.

use alloc::vec::Vec;

use super::events::{Event, Notes, Parser, What};
use super::scan::Lines;
use crate::order;

/// The seat of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// Where its `#` stands.
    pub(super) at: usize,
    pub(super) document: usize,
    /// The number of its collection among those of the document, as they begin.
    pub(super) collection: usize,
    /// How many of the collection's entries stand before it.
    pub(super) before: usize,
    /// Where it comes among the comments of the text.
    pub(super) rank: usize,
    /// Whether the reference drops it; the collection is the one around it then.
    pub(super) dropped: bool,
}

/// What go-yaml makes of a text.
#[derive(Debug, Default)]
pub(super) struct Seats {
    /// By where they stand.
    pub(super) seats: Vec<Seat>,
    /// How many collections each document has.
    pub(super) collections: Vec<usize>,
}

/// Where a comment goes that stands between two entries, in this order.
#[derive(Clone, Copy)]
enum Slot {
    DocumentHead,
    OwnHead,
    OwnLine,
    ValueFoot,
    KeyFoot,
    Head,
    Line,
    ValueHead,
    ValueLine,
    OwnFoot,
    DocumentFoot,
    Dropped,
}

/// An open collection.
struct Frame {
    /// `None` inside a key.
    number: Option<usize>,
    is_mapping: bool,
    is_flow: bool,
    entries: usize,
    head: Lines,
    /// The comments of a key whose value is to come.
    key: Option<Notes>,
    /// What follows the last entry.
    last_foot: Lines,
}

/// Every comment of the text in its seat; `None` where go-yaml takes the text for no YAML.
pub(super) fn of_text(text: &str) -> Option<Seats> {
    let mut parser = Parser::new(text);
    let mut composer = Composer::default();
    loop {
        let event = parser.next()?;
        if event.what == What::StreamEnd {
            return Some(composer.finish());
        }
        composer.event(event);
    }
}

#[derive(Default)]
struct Composer {
    frames: Vec<Frame>,
    /// Collections of the document so far.
    count: usize,
    /// The number of entries in the top collection of the document.
    top_entries: usize,
    collections: Vec<usize>,
    /// Each with the slot, and where its collection is in the order.
    seats: Vec<(Seat, Slot)>,
}

impl Composer {
    fn event(&mut self, event: Event) {
        let Event { what, flow, notes } = event;
        match what {
            What::DocumentStart => {
                self.count = 0;
                self.top_entries = 0;
                self.file(Some(0), 0, Slot::DocumentHead, notes.head);
            }
            What::DocumentEnd => {
                let entries = self.top_entries;
                self.file(Some(0), entries, Slot::DocumentFoot, notes.foot);
                self.drop_all([notes.head, notes.line]);
                self.collections.push(self.count);
            }
            What::Leaf => self.node(None, notes),
            What::MappingStart => self.open(true, flow, notes),
            What::SequenceStart => self.open(false, flow, notes),
            What::MappingEnd | What::SequenceEnd => self.close(notes),
            What::StreamEnd => {}
        }
    }

    fn open(&mut self, is_mapping: bool, is_flow: bool, notes: Notes) {
        let is_key = self
            .frames
            .last()
            .is_some_and(|frame| frame.is_mapping && frame.key.is_none());
        let inside_key = self
            .frames
            .last()
            .is_some_and(|frame| frame.number.is_none());
        let number = (!is_key && !inside_key).then_some(self.count);
        self.count += usize::from(number.is_some());
        self.frames.push(Frame {
            number,
            is_mapping,
            is_flow,
            entries: 0,
            head: notes.head,
            key: None,
            last_foot: Lines::new(),
        });
        // The end brings its own.
        self.drop_all([notes.line, notes.foot]);
    }

    fn close(&mut self, end: Notes) {
        self.drop_all([end.head]);
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        let mut foot = end.foot;
        let mut last = core::mem::take(&mut frame.last_foot);
        if frame.is_mapping && !frame.is_flow && !foot.is_empty() && frame.entries > 0 {
            let replaced = core::mem::replace(&mut last, core::mem::take(&mut foot));
            self.drop_all([replaced]);
        }
        self.file(frame.number, frame.entries, Slot::KeyFoot, last);
        let notes = Notes {
            head: core::mem::take(&mut frame.head),
            line: end.line,
            foot,
        };
        if self.frames.is_empty() {
            self.top_entries = frame.entries;
        }
        self.node(Some((frame.number, frame.entries)), notes);
    }

    /// A node ends; of a collection, its number and how many entries it has.
    fn node(&mut self, collection: Option<(Option<usize>, usize)>, mut notes: Notes) {
        let Some(frame) = self.frames.last_mut() else {
            let (number, entries) = collection.unwrap_or((Some(0), 0));
            self.inside(number, entries, notes);
            return;
        };
        let (number, entries) = (frame.number, frame.entries);
        if !frame.is_mapping {
            frame.entries += 1;
            self.file(number, entries, Slot::Head, notes.head);
            self.file(number, entries, Slot::Line, notes.line);
            self.file(number, entries + 1, Slot::ValueFoot, notes.foot);
            return;
        }
        let Some(mut key) = frame.key.take() else {
            let mut last = core::mem::take(&mut frame.last_foot);
            let mut replaced = Lines::new();
            if !frame.is_flow && !notes.foot.is_empty() && entries > 0 {
                replaced = core::mem::replace(&mut last, core::mem::take(&mut notes.foot));
            }
            frame.key = Some(notes);
            self.file(number, entries, Slot::KeyFoot, last);
            self.drop_all([replaced]);
            return;
        };
        if key.foot.is_empty() {
            key.foot = core::mem::take(&mut notes.foot);
        }
        frame.last_foot = key.foot;
        frame.entries += 1;
        self.file(number, entries, Slot::Head, key.head);
        self.file(number, entries, Slot::Line, key.line);
        match collection {
            Some((inner, inner_entries)) => self.inside(inner, inner_entries, notes),
            None => {
                self.file(number, entries, Slot::ValueHead, notes.head);
                self.file(number, entries, Slot::ValueLine, notes.line);
                self.file(number, entries + 1, Slot::ValueFoot, notes.foot);
            }
        }
    }

    /// The comments of a collection itself.
    fn inside(&mut self, number: Option<usize>, entries: usize, notes: Notes) {
        self.file(number, 0, Slot::OwnHead, notes.head);
        self.file(number, 0, Slot::OwnLine, notes.line);
        self.file(number, entries, Slot::OwnFoot, notes.foot);
    }

    fn file(&mut self, collection: Option<usize>, before: usize, slot: Slot, lines: Lines) {
        let Some(collection) = collection else {
            self.drop_all([lines]);
            return;
        };
        self.put(collection, before, slot, lines);
    }

    fn put(&mut self, collection: usize, before: usize, slot: Slot, lines: Lines) {
        let document = self.collections.len();
        let seats = lines.into_iter().flatten().map(|at| {
            let seat = Seat {
                at,
                document,
                collection,
                before,
                rank: 0,
                dropped: matches!(slot, Slot::Dropped),
            };
            (seat, slot)
        });
        self.seats.extend(seats);
    }

    fn drop_all<const N: usize>(&mut self, all: [Lines; N]) {
        let around = self.frames.iter().rev().find_map(|frame| {
            let number = frame.number?;
            Some((number, frame.entries))
        });
        let (collection, before) = around.unwrap_or((0, self.top_entries));
        for lines in all {
            self.put(collection, before, Slot::Dropped, lines);
        }
    }

    fn finish(self) -> Seats {
        // Stable, so that the lines of a comment stay in order.
        let by_slot = order::by_key(self.seats, |(seat, slot)| (seat.before, *slot as usize));
        let ranked = by_slot
            .into_iter()
            .enumerate()
            .map(|(rank, (seat, _))| Seat { rank, ..seat });
        Seats {
            seats: order::by_key(ranked.collect(), |seat| (seat.at, 0)),
            collections: self.collections,
        }
    }
}
