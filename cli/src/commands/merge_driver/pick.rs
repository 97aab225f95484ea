//! `merge-driver --finish --pick`: one side of conflicts, so that nobody has to delete marker lines by hand.
//!
//! Between its markers a conflict has lines of both sides, sealed. The text with all lines of one side is a sealed
//! document, and so tells which values stand in which conflict.

use std::collections::{BTreeMap, BTreeSet};

use stackseal_core::merge::marker;
use stackseal_core::{Document, Encrypted, Format, Limits};

use crate::exit::{Act, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

/// What is picked.
#[derive(Debug, Default)]
pub(super) struct Picks {
    /// For conflicts that are not named.
    rest: Option<Side>,
    /// Dotted paths.
    named: Vec<(String, Side)>,
}

/// A part of a file.
enum Part<'a> {
    /// Lines that stay.
    Both(Vec<&'a str>),
    Conflict {
        /// Where it begins, from 1; what was one has the same.
        line: usize,
        ours: Vec<&'a str>,
        theirs: Vec<&'a str>,
    },
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
            match option.rsplit_once('=') {
                Some((path, text)) => picks.named.push((path.to_owned(), side(text)?)),
                None => picks.rest = Some(side(option)?),
            }
        }
        Ok(picks)
    }

    /// The text with the sides picked, if any are; `name` is how messages call the file, `size` how long its markers
    /// are at least.
    ///
    /// # Errors
    /// `merge-conflict` where nothing is picked for a conflict, or two sides are; `not-utf-8`; those of reading a side.
    pub(super) fn picked(
        &self,
        bytes: &[u8],
        format: Format,
        name: &str,
        size: usize,
    ) -> Result<Option<String>, Failure> {
        if self.rest.is_none() && self.named.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Failure::usage(
                "not-utf-8",
                format!("{name}: the file is not UTF-8; take it from Git again"),
            )
        })?;
        let parts = parts(text, size);
        if text.lines().all(|line| marker(line, size).is_none()) {
            return Err(super::conflict(format!(
                "{name}: no conflict markers stand in it, so there is nothing to pick from; leave --pick out if it is \
                 resolved, or bring them with 'git checkout --merge'"
            )));
        }
        if self.named.is_empty()
            && let Some(side) = self.rest
        {
            return Ok(Some(put_together(&parts, |_| side)));
        }
        let parts = by_line(parts);
        let paths = paths(&parts, format, name)?;
        let mut sides = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let (Part::Conflict { line, ours, .. }, Some(paths)) = (part, paths.get(at)) else {
                sides.push(Side::Ours);
                continue;
            };
            sides.push(self.side(paths, ours).map_err(|why| {
                super::conflict(format!(
                    "{name}: the conflict in line {line} {why}; nothing was written"
                ))
            })?);
        }
        let conflicts = parts.iter().zip(&paths);
        let conflicts: Vec<_> = conflicts
            .filter(|(part, _)| matches!(part, Part::Conflict { .. }))
            .flat_map(|(_, paths)| paths)
            .collect();
        let is_there = |named: &&(String, Side)| conflicts.iter().any(|path| is_at(path, &named.0));
        if let Some((path, _)) = self.named.iter().find(|named| !is_there(named)) {
            return Err(super::conflict(format!(
                "{name}: there is no conflict at {path}; nothing was written"
            )));
        }
        Ok(Some(put_together(&parts, |at| {
            sides.get(at).copied().unwrap_or(Side::Ours)
        })))
    }

    /// The side of a conflict about values.
    fn side(&self, paths: &BTreeSet<String>, ours: &[&str]) -> Result<Side, String> {
        let picked = |path: &String| {
            let named = self.named.iter().rev().find(|(name, _)| is_at(path, name));
            named.map(|(_, side)| *side).or(self.rest)
        };
        let mut all = paths.iter().map(|path| (path, picked(path)));
        let Some((first, side)) = all.next() else {
            // The MAC is made anew, so either will do.
            let is_mac = ours
                .iter()
                .any(|line| line.contains("mac") && line.contains("type:str]"));
            let side = self.rest.or(is_mac.then_some(Side::Ours));
            return side
                .ok_or_else(|| "is about comments; add --pick ours or --pick theirs".to_owned());
        };
        if let Some((other, _)) = all.find(|(_, other)| *other != side) {
            return Err(format!(
                "is about {first} and {other}, which stand in it together; pick the same side for both"
            ));
        }
        side.ok_or_else(|| format!("is about {first}, for which nothing is picked"))
    }
}

/// Whether a path is the one named, or below it.
fn is_at(path: &str, name: &str) -> bool {
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// For each part, the values in it, of either side.
fn paths(parts: &[Part<'_>], format: Format, name: &str) -> Result<Vec<BTreeSet<String>>, Failure> {
    let mut sides = Vec::new();
    for side in [Side::Ours, Side::Theirs] {
        let text = put_together(parts, |_| side);
        let document =
            Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::generous());
        let document =
            document.map_err(|error| Failure::of_document(&error, name, Act::Decrypt))?;
        // Of each line of the text, the part that it comes from.
        let of_line: Vec<usize> = parts
            .iter()
            .enumerate()
            .flat_map(|(at, part)| part.lines(side).iter().map(move |_| at))
            .collect();
        let mut paths = vec![BTreeSet::new(); parts.len()];
        for leaf in document.leaves() {
            let at = leaf.line.checked_sub(1).and_then(|line| of_line.get(line));
            if let Some(paths) = at.and_then(|at| paths.get_mut(*at)) {
                paths.insert(leaf.path.to_string());
            }
        }
        sides.push(paths);
    }
    // Lines that do not say the same stay together: all of them are about all of it.
    let mut together: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut all = Vec::new();
    if let [ours, theirs] = sides.as_slice() {
        for (part, (ours, theirs)) in parts.iter().zip(ours.iter().zip(theirs)) {
            let both: BTreeSet<_> = ours.union(theirs).cloned().collect();
            if let Part::Conflict { line, .. } = part
                && (ours != theirs || ours.is_empty())
            {
                together.entry(*line).or_default();
            }
            all.push(both);
        }
    }
    for (part, paths) in parts.iter().zip(&all) {
        if let Part::Conflict { line, .. } = part
            && let Some(together) = together.get_mut(line)
        {
            together.extend(paths.iter().cloned());
        }
    }
    for (part, paths) in parts.iter().zip(&mut all) {
        if let Part::Conflict { line, .. } = part
            && let Some(together) = together.get(line)
        {
            paths.clone_from(together);
        }
    }
    Ok(all)
}

/// Conflicts of as many lines on either side, apart: the values of lines that follow each other stand in one.
fn by_line(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut apart = Vec::new();
    for part in parts {
        match part {
            Part::Conflict { line, ours, theirs } if ours.len() == theirs.len() => {
                apart.extend(
                    ours.into_iter()
                        .zip(theirs)
                        .map(|(one, other)| Part::Conflict {
                            line,
                            ours: vec![one],
                            theirs: vec![other],
                        }),
                );
            }
            part => apart.push(part),
        }
    }
    apart
}

impl<'a> Part<'a> {
    fn lines(&self, side: Side) -> &[&'a str] {
        match (self, side) {
            (Self::Both(lines), _) => lines,
            (Self::Conflict { ours, .. }, Side::Ours) => ours,
            (Self::Conflict { theirs, .. }, Side::Theirs) => theirs,
        }
    }
}

fn put_together(parts: &[Part<'_>], side: impl Fn(usize) -> Side) -> String {
    let parts = parts.iter().enumerate();
    parts
        .flat_map(|(at, part)| part.lines(side(at)))
        .copied()
        .collect()
}

/// The parts of a text. What Git puts between `|||||||` and `=======` is no side's.
fn parts(text: &str, size: usize) -> Vec<Part<'_>> {
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
    parts.push(Part::Both(both));
    parts
}

#[cfg(test)]
mod tests {
    use stackseal_core::merge::MARKER;

    use super::*;

    const TEXT: &str = "a\n<<<<<<< ours\nb\n||||||| base\nc\n=======\nd\n>>>>>>> theirs\ne\n";

    fn picked(text: &str, option: &str) -> String {
        let picks = Picks::of(&[option.to_owned()]).unwrap();
        let picked = picks.picked(text.as_bytes(), Format::Yaml, "f", MARKER);
        picked.unwrap().unwrap()
    }

    #[test]
    fn a_side_is_what_stands_between_its_markers() {
        assert_eq!(picked(TEXT, "ours"), "a\nb\ne\n");
        assert_eq!(picked(TEXT, "theirs"), "a\nd\ne\n");
        let open = TEXT.replace(">>>>>>> theirs\n", "");
        assert_eq!(picked(&open, "ours"), open);
        let picks = Picks::of(&["ours".to_owned()]).unwrap();
        let nothing = picks.picked(b"a\n", Format::Yaml, "f", MARKER).unwrap_err();
        assert_eq!(nothing.code, "merge-conflict");
    }

    #[test]
    fn a_side_has_one_of_two_names() {
        for option in ["mine", "a=", "a=mine", ""] {
            let failure = Picks::of(&[option.to_owned()]).unwrap_err();
            assert_eq!(failure.code, "arguments-conflict", "{option}");
        }
        assert!(is_at("a.b[0]", "a.b") && is_at("a.b", "a") && !is_at("ab", "a"));
    }
}
