//! The parts of a text with conflict markers in it, and which values each conflict is about.
//!
//! The text with all lines of one side is a sealed document, and so tells which values stand in which lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use stackseal_core::merge::marker;
use stackseal_core::{Document, Encrypted, Format, Limits, Path};

use super::summary;
use crate::exit::{Act, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

/// A part of a file.
pub(super) enum Part<'a> {
    /// Lines that stay.
    Both(Vec<&'a str>),
    Conflict {
        /// Where it begins, from 1; what was one has the same.
        line: usize,
        ours: Vec<&'a str>,
        theirs: Vec<&'a str>,
    },
}

/// Where a value stands: the number of its document, and its path there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    document: usize,
    pub(super) path: Path,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&summary::place(self.document, &self.path))
    }
}

/// The parts of a text. What Git puts between `|||||||` and `=======` is no side's.
pub(super) fn parts(text: &str, size: usize) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut both = Vec::new();
    let mut inside: Option<(usize, [Vec<&str>; 3], usize)> = None;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        match (marker(line, size).map(|(mark, _)| mark), &mut inside) {
            (Some('<'), None) => {
                parts.push(Part::Both(std::mem::take(&mut both)));
                inside = Some((number, Default::default(), 0));
            }
            (Some('|'), Some((_, _, now))) if *now == 0 => *now = 1,
            (Some('='), Some((_, _, now))) if *now < 2 => *now = 2,
            (Some('>'), Some((line, [ours, _, theirs], 2))) => {
                parts.push(Part::Conflict {
                    line: *line,
                    ours: std::mem::take(ours),
                    theirs: std::mem::take(theirs),
                });
                inside = None;
            }
            (_, Some((_, sides, now))) => {
                if let Some(lines) = sides.get_mut(*now) {
                    lines.push(line);
                }
            }
            (_, None) => both.push(line),
        }
    }
    // One that does not end stays, and the marker in it is told.
    if let Some((line, ..)) = inside {
        both.extend(text.split_inclusive('\n').skip(line - 1));
    }
    if !both.is_empty() {
        parts.push(Part::Both(both));
    }
    parts
}

/// Conflicts of as many lines on either side, apart: the values of lines that follow each other stand in one. A line
/// that both sides have is in none.
pub(super) fn by_line(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut apart = Vec::new();
    for part in parts {
        match part {
            Part::Conflict { line, ours, theirs } if ours.len() == theirs.len() => {
                let lines = ours.into_iter().zip(theirs);
                apart.extend(lines.map(|(one, other)| match one == other {
                    true => Part::Both(vec![one]),
                    false => Part::Conflict {
                        line,
                        ours: vec![one],
                        theirs: vec![other],
                    },
                }));
            }
            part => apart.push(part),
        }
    }
    apart
}

impl<'a> Part<'a> {
    pub(super) fn lines(&self, side: Side) -> &[&'a str] {
        match (self, side) {
            (Self::Both(lines), _) => lines,
            (Self::Conflict { ours, .. }, Side::Ours) => ours,
            (Self::Conflict { theirs, .. }, Side::Theirs) => theirs,
        }
    }
}

/// The text with a side of each part.
pub(super) fn put_together(parts: &[Part<'_>], side: impl Fn(usize) -> Side) -> String {
    let parts = parts.iter().enumerate();
    parts
        .flat_map(|(at, part)| part.lines(side(at)))
        .copied()
        .collect()
}

/// For each part, the values in it in which the sides differ. Lines of which only some stand on both sides stay
/// together: all of them are about all of it.
///
/// # Errors
/// Those of reading a side.
pub(super) fn differing(
    parts: &[Part<'_>],
    format: Format,
    name: &str,
) -> Result<Vec<BTreeSet<Place>>, Failure> {
    let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| {
        let text = put_together(parts, |_| side);
        let read = Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::generous());
        read.map_err(|error| Failure::of_document(&error, name, Act::Decrypt))
    });
    let (ours, theirs) = (ours?, theirs?);
    let ours = Values::of(&ours, parts, Side::Ours);
    let theirs = Values::of(&theirs, parts, Side::Theirs);
    let mut together: BTreeMap<usize, BTreeSet<Place>> = BTreeMap::new();
    let mut all = Vec::new();
    for (part, (ours, theirs)) in parts.iter().zip(ours.places.iter().zip(&theirs.places)) {
        if let Part::Conflict { line, .. } = part
            && (ours != theirs || ours.is_empty())
        {
            together.entry(*line).or_default();
        }
        all.push(ours | theirs);
    }
    for (part, places) in parts.iter().zip(&all) {
        if let Part::Conflict { line, .. } = part
            && let Some(together) = together.get_mut(line)
        {
            together.extend(places.iter().cloned());
        }
    }
    for (part, places) in parts.iter().zip(&mut all) {
        if let Part::Conflict { line, .. } = part
            && let Some(together) = together.get(line)
        {
            places.clone_from(together);
        }
        places.retain(|place| ours.texts.get(place) != theirs.texts.get(place));
    }
    Ok(all)
}

/// The values of a side.
struct Values<'a> {
    /// For each part, those in its lines.
    places: Vec<BTreeSet<Place>>,
    /// What stands in the text for each.
    texts: BTreeMap<Place, Vec<&'a str>>,
}

impl<'a> Values<'a> {
    fn of(document: &'a Document<Encrypted>, parts: &[Part<'_>], side: Side) -> Self {
        // Of each line of the text, the part that it comes from.
        let of_line: Vec<usize> = parts
            .iter()
            .enumerate()
            .flat_map(|(at, part)| part.lines(side).iter().map(move |_| at))
            .collect();
        let mut values = Self {
            places: vec![BTreeSet::new(); parts.len()],
            texts: BTreeMap::new(),
        };
        for leaf in document.leaves() {
            let text = document.text().get(leaf.span).unwrap_or_default();
            let place = Place {
                document: leaf.document,
                path: leaf.path,
            };
            let more = text.trim_end().matches('\n').count();
            let lines = leaf.line.saturating_sub(1)..leaf.line.saturating_add(more);
            for at in of_line.get(lines).unwrap_or_default() {
                if let Some(places) = values.places.get_mut(*at) {
                    places.insert(place.clone());
                }
            }
            values.texts.entry(place).or_default().push(text);
        }
        values
    }
}
