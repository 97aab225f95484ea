//! Which bytes of a YAML or JSON text to replace so that a part is set or gone.
//!
//! A proposal only: whoever asks parses the result. So what is rare gives `None` here instead of a rule of its own.
//! JSON is taken for what it is to YAML, collections in brackets.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::format::Edit;
use crate::format::emit::{self, Indent, json as in_json, yaml as emitted};
use crate::format::parts::{Item, Place, Root, Scalar, Shape, Style};
use crate::format::yaml::block::{line_end, line_start};
use crate::format::yaml::write::{self, Caution};
use crate::path::Segment;
use crate::tree::Node;

/// A part of the first document.
pub(super) struct Site<'a> {
    text: &'a str,
    root: &'a Root,
    steps: &'a [Segment],
    indent: usize,
    newline: &'static str,
    /// The indentation of JSON; `None` for YAML.
    json: Option<Indent>,
}

/// How far a path leads.
enum Found {
    /// To an entry.
    Entry(usize),
    /// To an entry without parts, and so many steps.
    Leaf(usize, usize),
    /// To a collection that lacks the next entry, and so many steps.
    Open(usize, usize),
}

impl<'a> Site<'a> {
    pub(super) fn new(
        text: &'a str,
        root: &'a Root,
        steps: &'a [Segment],
        json: Option<Indent>,
    ) -> Self {
        Self {
            json,
            text,
            root,
            steps,
            indent: indent(root),
            newline: write::newline(text),
        }
    }

    /// What to replace so that a value stands at the path, or nothing does.
    pub(super) fn edits(&self, value: Option<&Node>, caution: Caution) -> Option<Vec<Edit>> {
        let edits = match value {
            Some(value) => self.set(value, caution)?,
            None => self.unset(caution)?,
        };
        Some(self.with_newlines(edits))
    }

    fn set(&self, value: &Node, caution: Caution) -> Option<Vec<Edit>> {
        let rest = |depth| self.steps.get(depth..);
        if !self.root.has_content && self.json.is_none() {
            return self.begin(value, caution);
        }
        match self.find()? {
            Found::Entry(entry) => self.replace(entry, self.steps, value, caution),
            Found::Leaf(entry, depth) => {
                let value = Node::grown(rest(depth)?, value.clone());
                self.replace(entry, self.steps.get(..depth)?, &value, caution)
            }
            Found::Open(collection, depth) => {
                let (step, rest) = rest(depth)?.split_first()?;
                self.append(collection, step, Node::grown(rest, value.clone()), caution)
            }
        }
    }

    /// The first entry of a document that holds comments at most.
    fn begin(&self, value: &Node, caution: Caution) -> Option<Vec<Edit>> {
        let at = self.root.end;
        let (step, rest) = self.steps.split_first()?;
        let value = Node::grown(rest, value.clone());
        let written = self.entry(step, value, 0, caution)?;
        let before = self.text.get(..at)?;
        let newline = if before.is_empty() || before.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        Some(vec![(at..at, format!("{newline}{written}\n"))])
    }

    fn unset(&self, caution: Caution) -> Option<Vec<Edit>> {
        let Found::Entry(entry) = self.find()? else {
            return None;
        };
        let collection = self.root.places.get(entry)?.collection;
        if self.entries(collection).count() > 1 {
            return self.remove(entry, caution);
        }
        // The last one leaves an empty collection.
        let (_, above) = self.steps.split_last()?;
        if above.is_empty() {
            let (start, end) = self.extent(entry)?;
            let flow = self.shape(self.root.places.get(entry)?)?.flow;
            return Some(vec![(start..end, if flow { "" } else { "{}" }.into())]);
        }
        let mut outer = self.root.places.iter();
        let outer = outer.position(|place| place.value == Some(collection))?;
        let empty = match self.root.collections.get(collection)?.items {
            Some(_) => Node::List(Vec::new()),
            None => Node::Mapping(Vec::new()),
        };
        self.replace(outer, above, &empty, Caution::Keep)
    }

    fn find(&self) -> Option<Found> {
        let mut collection = 0;
        // Entries begin after what they stand in.
        let mut from = 0;
        self.root.collections.first()?;
        for (depth, step) in self.steps.iter().enumerate() {
            let inside = self.root.places.iter().enumerate().skip(from);
            let mut inside = inside.filter(|(_, place)| place.collection == collection);
            let found = match step {
                Segment::Index(index) => inside.nth(*index),
                Segment::Key(key) => inside.find(|(_, place)| place.key.as_ref() == Some(key)),
            };
            let Some((entry, place)) = found else {
                return Some(Found::Open(collection, depth));
            };
            if depth + 1 == self.steps.len() {
                return Some(Found::Entry(entry));
            }
            match place.value {
                // An empty one is written as `{}` or `[]`, which a block takes the place of.
                Some(value) if self.entries(value).next().is_some() => collection = value,
                _ => return Some(Found::Leaf(entry, depth + 1)),
            }
            from = entry + 1;
        }
        None
    }

    fn entries(&self, collection: usize) -> impl Iterator<Item = (usize, &'a Place)> + use<'a> {
        let places = self.root.places.iter().enumerate();
        places.filter(move |(_, place)| place.collection == collection)
    }

    fn scalar_at(&self, steps: &[Segment]) -> Option<&'a Scalar> {
        self.root.items.iter().find_map(|item| match item {
            Item::Scalar(scalar) if scalar.path.is(steps) => Some(scalar),
            _ => None,
        })
    }

    fn shape(&self, place: &Place) -> Option<&'a Shape> {
        self.root.shapes.get(place.collection)
    }

    fn is_list(&self, place: &Place) -> Option<bool> {
        let collection = self.root.collections.get(place.collection)?;
        Some(collection.items.is_some())
    }

    /// A value in the place of another, to which `steps` lead.
    fn replace(
        &self,
        entry: usize,
        steps: &[Segment],
        value: &Node,
        caution: Caution,
    ) -> Option<Vec<Edit>> {
        let place = self.root.places.get(entry)?;
        let shape = self.shape(place)?;
        let after = self.after_mark(entry)?;
        if shape.flow {
            return self.replace_flow(place, after, value);
        }
        let scalar = self.scalar_at(steps);
        let scalar = scalar.filter(|scalar| !scalar.span.is_empty());
        if let (Node::Leaf(leaf), Some(scalar)) = (value, scalar) {
            let is_bare = self
                .text
                .get(after..scalar.span.start())?
                .trim_matches([' ', '\t'])
                .is_empty();
            let lines = leaf.as_str().is_some_and(|text| text.contains('\n'));
            // What stands behind the value on its line would become part of a block.
            if is_bare && (!lines || caution == Caution::Quote || scalar.style == Style::Block) {
                return Some(write::opened(leaf, scalar, self.text, caution));
            }
        }
        // The part of the first line that goes, and where the last line ends that goes.
        let (first, last) = match (place.value, scalar) {
            (Some(value), _) if self.root.shapes.get(value)?.flow => {
                let end = self.root.shapes.get(value)?.end;
                (end, end)
            }
            (Some(value), _) => {
                let end = line_end(self.text, after);
                let line = self.text.get(after..end)?;
                let comment = match line.find('#') {
                    _ if self.root.collections.get(value)?.start < end => line.len(),
                    Some(at) if line.get(..at)?.trim().is_empty() => at,
                    _ => line.find(" #").unwrap_or(line.len()),
                };
                let kept = line.get(..comment)?.trim_end().len();
                (
                    after + kept,
                    self.end_with_comments(place, steps, shape.column + 1),
                )
            }
            (None, Some(scalar)) if scalar.style == Style::Block => {
                let header = self.text.get(scalar.span.start()..)?;
                let marks = header
                    .bytes()
                    .take_while(|byte| !byte.is_ascii_whitespace());
                (scalar.span.start() + marks.count(), scalar.span.end())
            }
            (None, Some(scalar)) => (scalar.span.end(), scalar.span.end()),
            (None, None) => {
                let end = place.end.max(after);
                (end, end)
            }
        };
        let written = if caution == Caution::Quote {
            format!(" {}", emitted::yaml_flow(value))
        } else if self.is_list(place)? {
            emitted::yaml_item_at(value, shape.column, self.indent).ok()?
        } else {
            emitted::yaml_at(value, shape.column, self.indent).ok()?
        };
        let (head, body) = match written.find('\n') {
            Some(at) => written.split_at_checked(at)?,
            None => (written.as_str(), ""),
        };
        let rest = line_end(self.text, first);
        let last = line_end(self.text, last.max(first));
        Some(vec![
            (after..first, head.into()),
            (rest..last.max(rest), body.into()),
        ])
    }

    fn replace_flow(&self, place: &Place, after: usize, value: &Node) -> Option<Vec<Edit>> {
        let written = self.in_brackets(place, value)?;
        let old = self.text.get(after..place.end).unwrap_or_default();
        if old.trim().is_empty() {
            return Some(vec![(after..after, format!(" {written}"))]);
        }
        let blanks = old.len() - old.trim_start().len();
        Some(vec![(after + blanks..place.end, written)])
    }

    /// The indentation of an entry that begins its line.
    fn lead(&self, place: &Place) -> Option<&'a str> {
        let line = line_start(self.text, place.start);
        let lead = self.text.get(line..place.start)?;
        (line > 0 && lead.trim().is_empty()).then_some(lead)
    }

    /// A value among the brackets that an entry stands in: on lines of its own in JSON, where the entry has one.
    fn in_brackets(&self, place: &Place, value: &Node) -> Option<String> {
        match (self.json, self.lead(place)) {
            (None, _) => Some(emitted::yaml_flow(value)),
            (Some(_), None) => Some(in_json::json_flow(value).ok()?.as_str().into()),
            (Some(indent), Some(lead)) => {
                Some(in_json::json_at(value, indent, lead).ok()?.as_str().into())
            }
        }
    }

    /// An entry at the end of a collection; `value` goes below the step.
    fn append(
        &self,
        collection: usize,
        step: &Segment,
        value: Node,
        caution: Caution,
    ) -> Option<Vec<Edit>> {
        let shape = self.root.shapes.get(collection)?;
        let (last, place) = self.entries(collection).last()?;
        if shape.flow {
            let written = self.in_brackets(place, &value)?;
            let key = match (step, self.json) {
                (Segment::Index(_), _) => String::new(),
                (Segment::Key(key), None) => format!("{}: ", emitted::yaml_flow_key(key)),
                (Segment::Key(key), Some(_)) => format!("{}: ", crate::format::json::string(key)),
            };
            let between = match self.lead(place) {
                Some(lead) => format!(",\n{lead}"),
                None => ", ".into(),
            };
            let at = self.end(last)?;
            return Some(vec![(at..at, between + &key + &written)]);
        }
        let path = self.root.collections.get(collection)?.path.to_segments();
        let end = self.end_with_comments(place, &path, shape.column);
        let at = line_end(self.text, end);
        let written = self.entry(step, value, shape.column, caution)?;
        let blanks = " ".repeat(shape.column);
        Some(vec![(at..at, format!("\n{blanks}{written}"))])
    }

    /// An entry in block style, without the indentation of its first line. What is cautious stands in brackets.
    fn entry(
        &self,
        step: &Segment,
        value: Node,
        column: usize,
        caution: Caution,
    ) -> Option<String> {
        if caution == Caution::Quote {
            let written = emitted::yaml_flow(&value);
            return Some(match step {
                Segment::Index(_) => format!("- {written}"),
                Segment::Key(key) => format!("{}: {written}", emitted::yaml_flow_key(key)),
            });
        }
        let node = Node::grown(core::slice::from_ref(step), value);
        emitted::yaml_entries_at(&node, column, self.indent).ok()
    }

    /// The end of an entry, of one without a value behind its `:`.
    fn end(&self, entry: usize) -> Option<usize> {
        let place = self.root.places.get(entry)?;
        Some(place.end.max(self.after_mark(entry)?))
    }

    fn remove(&self, entry: usize, caution: Caution) -> Option<Vec<Edit>> {
        let place = self.root.places.get(entry)?;
        let shape = self.shape(place)?;
        let before = self.entries(place.collection);
        let before = before.take_while(|(number, _)| *number < entry).last();
        let mut after = self.entries(place.collection);
        let after = after.find(|(number, _)| *number > entry);
        if shape.flow {
            let range = match (before, after) {
                (_, Some((_, next))) => place.start..next.start,
                (Some((last, _)), None) => self.end(last)?..self.end(entry)?,
                (None, None) => return None,
            };
            return Some(vec![(range, String::new())]);
        }
        let (start, end) = self.extent(entry)?;
        let line = line_start(self.text, start);
        let lead = self.text.get(line..start)?;
        let rest = self.text.get(end..)?;
        if lead.trim_matches(' ').is_empty() {
            let from = self.with_comments_above(line, lead, before.is_none());
            // Blank lines stay, unless a block above would take them for its own.
            let mut lines = rest.split_inclusive('\n');
            let mut gone = lines.next().map_or(0, str::len);
            if caution == Caution::Quote {
                let blank = lines.take_while(|line| line.trim().is_empty());
                gone += blank.map(str::len).sum::<usize>();
            }
            return Some(vec![(from..end + gone, String::new())]);
        }
        // It goes on with the dash of what it stands in, as the next one shall.
        let dashes = lead.bytes().all(|byte| matches!(byte, b' ' | b'-'));
        let blanks = rest.len() - rest.trim_start().len();
        (dashes && after.is_some()).then(|| vec![(start..end + blanks, String::new())])
    }

    /// Where what the path leads to begins and ends: in block style, with its mark and its last line's comment.
    fn extent(&self, entry: usize) -> Option<(usize, usize)> {
        let place = self.root.places.get(entry)?;
        let shape = self.shape(place)?;
        if shape.flow {
            return Some((place.start, self.end(entry)?));
        }
        let start = if self.is_list(place)? {
            self.dash(entry)?
        } else {
            self.key_start(place)?
        };
        let end = self.end_with_comments(place, self.steps, shape.column + 1);
        Some((start, line_end(self.text, end)))
    }

    /// Where the comment lines right above an entry begin. At the top of the file they are about the whole.
    fn with_comments_above(&self, line: usize, lead: &str, is_first: bool) -> usize {
        let mut from = line;
        let before = self.text.get(..line).unwrap_or_default();
        for above in before.split_inclusive('\n').rev() {
            let comment = above.strip_prefix(lead);
            if !comment.is_some_and(|comment| comment.starts_with('#')) {
                let is_marker = above.starts_with("---");
                return if is_first && lead.is_empty() && is_marker {
                    line
                } else {
                    from
                };
            }
            from -= above.len();
        }
        if is_first { line } else { from }
    }

    /// The end of an entry, with the comments behind it that stand in what the steps lead to, from a column on.
    fn end_with_comments(&self, place: &Place, steps: &[Segment], column: usize) -> usize {
        let stands_right = |at: usize| {
            let lead = self.text.get(line_start(self.text, at)..at);
            lead.is_some_and(|lead| lead.len() >= column)
        };
        let ends = self.root.items.iter().filter_map(|item| match item {
            Item::Comment(comment)
                if comment.span.start() > place.end
                    && comment.path.begins_with(steps)
                    && stands_right(comment.span.start()) =>
            {
                Some(comment.span.end())
            }
            _ => None,
        });
        ends.max().unwrap_or_default().max(place.end)
    }

    /// Behind the `:` of a key or the dash of an item.
    fn after_mark(&self, entry: usize) -> Option<usize> {
        let place = self.root.places.get(entry)?;
        if self.is_list(place)? {
            return match self.shape(place)?.flow {
                true => Some(place.start),
                false => Some(self.dash(entry)? + 1),
            };
        }
        let rest = self.text.get(place.key_end..)?;
        let bare = rest.trim_start();
        bare.starts_with(':')
            .then(|| place.key_end + rest.len() - bare.len() + 1)
    }

    /// The dash of an item.
    fn dash(&self, entry: usize) -> Option<usize> {
        let place = self.root.places.get(entry)?;
        let column = self.shape(place)?.column;
        let is_dash = |at: &usize| {
            let rest = self.text.get(*at..).unwrap_or_default();
            rest.starts_with('-') && rest.get(1..).is_some_and(|rest| !rest.starts_with('-'))
        };
        let mut before = self.entries(place.collection);
        let before = before.by_ref().take_while(|(number, _)| *number < entry);
        let Some((_, before)) = before.last() else {
            let start = self.root.collections.get(place.collection)?.start;
            return Some(start).filter(is_dash);
        };
        let mut at = line_end(self.text, before.end);
        while at < place.start.max(before.end + 1) {
            let rest = self.text.get(at..)?;
            at += rest.find('\n')? + 1;
            let line = self.text.get(at..)?;
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if blanks == column && is_dash(&(at + blanks)) {
                return Some(at + blanks);
            }
        }
        None
    }

    /// Where a key begins, with the `?` before it.
    fn key_start(&self, place: &Place) -> Option<usize> {
        let lead = self
            .text
            .get(line_start(self.text, place.start)..place.start)?;
        let bare = lead.trim_end();
        match bare.strip_suffix('?') {
            Some(before) => Some(place.start - lead.len() + before.len()),
            None => Some(place.start),
        }
    }

    fn with_newlines(&self, edits: Vec<Edit>) -> Vec<Edit> {
        if self.newline == "\n" {
            return edits;
        }
        let adapted = |(range, text): Edit| {
            let text = text.replace("\r\n", "\n").replace('\n', self.newline);
            (range, text)
        };
        edits.into_iter().map(adapted).collect()
    }
}

/// How many columns a mapping in a mapping is indented by.
pub(super) fn indent(root: &Root) -> usize {
    let column = |collection: usize| {
        let shape = root.shapes.get(collection).filter(|shape| !shape.flow)?;
        let mapping = root.collections.get(collection)?;
        mapping.items.is_none().then_some(shape.column)
    };
    let mut steps = root
        .places
        .iter()
        .filter_map(|place| column(place.value?)?.checked_sub(column(place.collection)?));
    steps
        .find(|step| (2..=9).contains(step))
        .unwrap_or(emit::DEFAULT_INDENT)
}
