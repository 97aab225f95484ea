//! `merge-driver --finish --pick`: one side of conflicts, so that nobody has to delete marker lines by hand.

use std::collections::BTreeSet;

use stackseal_core::Format;
use stackseal_core::merge::marker;
use stackseal_core::path::Segment;
use stackseal_core::tree::at::TreePath;

use super::parts::{self, Part, Place, Side};
use crate::exit::Failure;

/// What is picked.
#[derive(Debug, Default)]
pub(super) struct Picks {
    /// For conflicts that are not named.
    rest: Option<Side>,
    named: Vec<Named>,
}

/// A side of the conflict at a path, and below it.
#[derive(Debug)]
struct Named {
    /// As it was typed.
    typed: String,
    /// In dots; which documents of the file, where that is said.
    path: String,
    /// Of a path in brackets, as `set` takes it.
    steps: Option<TreePath>,
    side: Side,
}

/// A file with conflicts in it.
pub(super) struct Conflicted<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) format: Format,
    /// How messages call it.
    pub(super) name: &'a str,
    /// How long its markers are at least.
    pub(super) marker_size: usize,
    /// Whether our side ends without a line break, and theirs: markers stand in lines of their own, so one was put
    /// there.
    pub(super) ends_open: [bool; 2],
}

impl Picks {
    /// Reads `ours`, `theirs` and `PATH=ours`.
    ///
    /// # Errors
    /// `arguments-conflict`.
    pub(super) fn of(options: &[String]) -> Result<Self, Failure> {
        let side = |text: &str| match text {
            "ours" => Ok(Side::Ours),
            "theirs" => Ok(Side::Theirs),
            _ => Err(Failure::conflict(
                "--pick takes ours, theirs, or the path of a conflict with one of them: db.password=theirs",
            )),
        };
        let mut picks = Self::default();
        for option in options {
            let Some((path, text)) = option.rsplit_once('=') else {
                let side = side(option)?;
                if picks.rest.is_some_and(|rest| rest != side) {
                    return Err(both("the conflicts"));
                }
                picks.rest = Some(side);
                continue;
            };
            let named = Named::of(path, side(text)?);
            if picks.named.iter().any(|it| it.contradicts(&named)) {
                return Err(both(path));
            }
            picks.named.push(named);
        }
        Ok(picks)
    }

    /// Whether anything is.
    pub(super) fn is_any(&self) -> bool {
        self.rest.is_some() || self.has_paths()
    }

    /// Whether a path is named.
    pub(super) fn has_paths(&self) -> bool {
        !self.named.is_empty()
    }

    /// The paths, as they were typed, at which none of these conflicts is.
    pub(super) fn unfit(&self, conflicts: &BTreeSet<Place>) -> Vec<&str> {
        let named = self.named.iter();
        named
            .filter(|named| !conflicts.iter().any(|place| named.is_of(place)))
            .map(|named| named.typed.as_str())
            .collect()
    }

    /// The text with the sides picked.
    ///
    /// # Errors
    /// `merge-conflict` where nothing is picked for a conflict, or two sides are; `not-utf-8`; those of reading a side.
    pub(super) fn picked(&self, file: &Conflicted<'_>) -> Result<String, Failure> {
        let name = file.name;
        let text = file.text()?;
        if !file.has_markers() {
            return Err(super::conflict(format!(
                "{name}: no conflict markers stand in it, so there is nothing to pick from; leave --pick out if it is \
                 resolved, or bring them with 'git checkout --merge'"
            )));
        }
        let parts = parts::parts(text, file.marker_size);
        if self.named.is_empty()
            && let Some(side) = self.rest
        {
            return Ok(file.put_together(&parts, |_| side));
        }
        let parts = parts::by_line(parts);
        let places = parts::differing(&parts, file.format, name)?;
        let missing = self.missing(&places);
        if !missing.is_empty() {
            return Err(super::conflict(format!(
                "{name}: nothing is picked for {}; pick a side of each, or of the rest by --pick ours or --pick \
                 theirs; nothing was written",
                missing.join(", ")
            )));
        }
        let mut sides = Vec::new();
        for (part, places) in parts.iter().zip(&places) {
            sides.push(match part {
                Part::Both(_) => Side::Ours,
                Part::Conflict { line, ours, .. } => self.side(places, ours).map_err(|why| {
                    super::conflict(format!(
                        "{name}: the conflict in line {line} {why}; nothing was written"
                    ))
                })?,
            });
        }
        Ok(file.put_together(&parts, |at| sides.get(at).copied().unwrap_or(Side::Ours)))
    }

    /// The conflicts for which there is no side.
    fn missing(&self, places: &[BTreeSet<Place>]) -> Vec<String> {
        if self.rest.is_some() {
            return Vec::new();
        }
        let places: BTreeSet<_> = places.iter().flatten().collect();
        let missing = places
            .into_iter()
            .filter(|place| self.of_place(place).is_none());
        missing.map(Place::to_string).collect()
    }

    /// The side of a value; the longest path tells.
    fn of_place(&self, place: &Place) -> Option<Side> {
        let named = self.named.iter().filter(|named| named.is_of(place));
        let named = named.max_by_key(|named| named.path.len());
        named.map(|named| named.side).or(self.rest)
    }

    /// The side of a conflict about values.
    fn side(&self, places: &BTreeSet<Place>, ours: &[&str]) -> Result<Side, String> {
        let mut all = places.iter().map(|place| (place, self.of_place(place)));
        let Some((first, side)) = all.next() else {
            return self.rest.or(self.of_block(ours)).ok_or_else(|| {
                "is about comments or the sops block; add --pick ours or --pick theirs".to_owned()
            });
        };
        if let Some((other, _)) = all.find(|(_, other)| *other != side) {
            return Err(format!(
                "is about {first} and {other}, which stand in it together; pick the same side for both"
            ));
        }
        side.ok_or_else(|| format!("is about {first}, for which nothing is picked"))
    }

    /// The side of the fields that follow from the values: the MAC is made anew, so either will do, and what the layout
    /// says fits the side that it is of.
    fn of_block(&self, ours: &[&str]) -> Option<Side> {
        let has = |word: &str| {
            let mut lines = ours.iter();
            lines.any(|line| line.contains(word) && line.contains("type:str]"))
        };
        let theirs = self.named.iter().all(|named| named.side == Side::Theirs);
        (has("mac") || has("stackseal_layout")).then_some(match theirs {
            true => Side::Theirs,
            false => Side::Ours,
        })
    }
}

fn both(what: &str) -> Failure {
    Failure::conflict(format!(
        "--pick takes both sides of {what}; leave one of them out"
    ))
}

impl Named {
    fn of(typed: &str, side: Side) -> Self {
        let steps = TreePath::parse(typed).ok();
        let steps = steps.filter(|steps| !steps.steps().is_empty());
        let mut path = String::new();
        for step in steps.iter().flat_map(TreePath::steps) {
            match step {
                Segment::Index(index) => path.push_str(&format!("[{index}]")),
                Segment::Key(key) if path.is_empty() => path.push_str(key),
                Segment::Key(key) => path.push_str(&format!(".{key}")),
            }
        }
        Self {
            typed: typed.to_owned(),
            path: if steps.is_some() {
                path
            } else {
                typed.to_owned()
            },
            steps,
            side,
        }
    }

    /// Whether it names the same as another, and not the same side. Two keys may read as one path in dots.
    fn contradicts(&self, other: &Self) -> bool {
        let is_same = match (&self.steps, &other.steps) {
            (Some(one), Some(other)) => one == other,
            _ => self.path == other.path,
        };
        is_same && self.side != other.side
    }

    /// Whether a value stands at the path, or below it.
    fn is_of(&self, place: &Place) -> bool {
        if let Some(steps) = &self.steps {
            let mut segments = place.path.segments();
            let mut steps = steps.steps().iter();
            return steps.all(|step| segments.next() == Some(step));
        }
        is_at(&place.path.to_string(), &self.path) || is_at(&place.to_string(), &self.path)
    }
}

/// Whether a path is the one named, or below it.
fn is_at(path: &str, name: &str) -> bool {
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl<'a> Conflicted<'a> {
    /// Whether a line is a marker.
    pub(super) fn has_markers(&self) -> bool {
        let text = String::from_utf8_lossy(self.bytes);
        text.lines()
            .any(|line| marker(line, self.marker_size).is_some())
    }

    /// The values in which the sides differ; `None` where that cannot be told.
    pub(super) fn places(&self) -> Option<BTreeSet<Place>> {
        let parts = parts::by_line(parts::parts(self.text().ok()?, self.marker_size));
        let places = parts::differing(&parts, self.format, self.name).ok()?;
        Some(places.into_iter().flatten().collect())
    }

    fn text(&self) -> Result<&'a str, Failure> {
        std::str::from_utf8(self.bytes).map_err(|_| {
            Failure::usage(
                "not-utf-8",
                format!(
                    "{}: the file is not UTF-8; take it from Git again",
                    self.name
                ),
            )
        })
    }

    /// The text with a side of each part, which ends as that of the last one does.
    fn put_together(&self, parts: &[Part<'_>], side: impl Fn(usize) -> Side) -> String {
        let mut text = parts::put_together(parts, &side);
        let [ours, theirs] = self.ends_open;
        let ends_open = match parts.last() {
            Some(Part::Conflict { .. }) => match side(parts.len() - 1) {
                Side::Ours => ours,
                Side::Theirs => theirs,
            },
            _ => false,
        };
        if ends_open && text.ends_with('\n') {
            text.pop();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use stackseal_core::merge::MARKER;

    use super::*;

    const TEXT: &str = "a\n<<<<<<< ours\nb\n||||||| base\nc\n=======\nd\n>>>>>>> theirs\ne\n";

    fn pick(text: &str, option: &str, ends_open: [bool; 2]) -> Result<String, Failure> {
        let picks = Picks::of(&[option.to_owned()]).unwrap();
        picks.picked(&Conflicted {
            bytes: text.as_bytes(),
            format: Format::Yaml,
            name: "f",
            marker_size: MARKER,
            ends_open,
        })
    }

    fn picked(text: &str, option: &str) -> String {
        pick(text, option, [false; 2]).unwrap()
    }

    #[test]
    fn a_side_is_what_stands_between_its_markers() {
        assert_eq!(picked(TEXT, "ours"), "a\nb\ne\n");
        assert_eq!(picked(TEXT, "theirs"), "a\nd\ne\n");
        let open = TEXT.replace(">>>>>>> theirs\n", "");
        assert_eq!(picked(&open, "ours"), open);
        let nothing = pick("a\n", "ours", [false; 2]).unwrap_err();
        assert_eq!(nothing.code, "merge-conflict");
    }

    #[test]
    fn a_side_ends_as_it_did_before_a_marker_was_put_behind_it() {
        let text = TEXT.replace("e\n", "");
        for (ends_open, ours, theirs) in [
            ([true, true], "a\nb", "a\nd"),
            ([true, false], "a\nb", "a\nd\n"),
            ([false, true], "a\nb\n", "a\nd"),
        ] {
            assert_eq!(pick(&text, "ours", ends_open).unwrap(), ours);
            assert_eq!(pick(&text, "theirs", ends_open).unwrap(), theirs);
        }
        assert_eq!(pick(TEXT, "ours", [true; 2]).unwrap(), "a\nb\ne\n");
    }

    #[test]
    fn a_side_has_one_of_two_names() {
        for option in ["mine", "a=", "a=mine", ""] {
            let failure = Picks::of(&[option.to_owned()]).unwrap_err();
            assert_eq!(failure.code, "arguments-conflict", "{option}");
        }
        assert!(is_at("a.b[0]", "a.b") && is_at("a.b", "a") && !is_at("ab", "a"));
    }

    #[test]
    fn a_path_has_one_side() {
        for (one, other, is_taken) in [
            ("a=ours", "a=theirs", false),
            ("a=ours", "a=ours", true),
            ("ours", "theirs", false),
            ("theirs", "theirs", true),
            ("a.b[0]=ours", "['a'][\"b\"][0]=theirs", false),
            ("['a.b']=ours", "['a']['b']=theirs", true),
            ("a=ours", "a.b=theirs", true),
        ] {
            let picks = Picks::of(&[one.to_owned(), other.to_owned()]);
            assert_eq!(picks.is_ok(), is_taken, "{one} {other}");
        }
    }
}
