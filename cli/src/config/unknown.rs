//! Fields of a configuration that nobody reads. `sops` passes over them; but one that was meant to be another would
//! decide who can open a file, or what is sealed in it, so a rule is not followed that has such a slip in it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::node::Node;
use crate::exit::Failure;
use crate::keys::lock;
use crate::output;

/// A field that nobody reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unknown {
    /// Where it stands, with its own name.
    place: String,
    /// The field that it may have been meant to be.
    meant: Option<&'static str>,
}

impl Unknown {
    /// Whether it may have been meant to be another.
    pub(super) fn is_slip(&self) -> bool {
        self.meant.is_some()
    }

    /// Also a slip of the pen is no more than warned of.
    pub(super) fn harmless(self) -> Self {
        Self {
            meant: None,
            ..self
        }
    }
}

/// Those of a mapping that are none of `known`.
///
/// # Errors
/// `config-invalid` where no mapping stands.
pub(super) fn fields(node: &Node<'_>, known: &[&'static str]) -> Result<Vec<Unknown>, Failure> {
    let mapping = node.mapping()?;
    let names = mapping.into_iter().flat_map(|mapping| mapping.keys());
    let texts = names.filter_map(|name| name.as_str());
    let unknown = texts.filter(|name| !known.contains(name) && !is_aside(name));
    Ok(unknown
        .map(|name| Unknown {
            place: match node.place.as_str() {
                "" => name.to_owned(),
                place => format!("{place}.{name}"),
            },
            meant: meant(name, known),
        })
        .collect())
}

/// Refuses a slip, and warns of anything else, once.
///
/// # Errors
/// `config-invalid`.
pub(super) fn check<'a>(
    file: &str,
    unknown: impl Iterator<Item = &'a Unknown>,
    warned: &Mutex<BTreeSet<String>>,
) -> Result<(), Failure> {
    // Held until all are told: others that follow the same rule wait, and the order is that of the file.
    let mut warned = lock(warned);
    for Unknown { place, meant } in unknown {
        if let Some(meant) = meant {
            return Err(Failure::usage(
                "config-invalid",
                format!(
                    "{file}: {place}: there is no such field, so it would count for nothing; did you mean {meant}?"
                ),
            ));
        }
        if warned.insert(place.clone()) {
            output::warning(&format!(
                "{file}: {place}: there is no such field, so it counts for nothing; mind its spelling"
            ));
        }
    }
    Ok(())
}

/// Names that by custom are for people, or for anchors that other places name.
fn is_aside(name: &str) -> bool {
    name.starts_with("x-") || name.starts_with(['_', '.'])
}

fn meant(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |text: &str| -> Vec<char> {
        let told = text.chars().filter(|c| c.is_alphanumeric());
        told.map(|c| c.to_ascii_lowercase()).collect()
    };
    let name = plain(name);
    if name.len() > LONGEST {
        return None;
    }
    let distances = known.iter().map(|it| (distance(&name, &plain(it)), *it));
    let (distance, nearest) = distances.min()?;
    let slips = match nearest.len() {
        ..=4 => 1,
        5..=9 => 2,
        _ => 3,
    };
    (distance <= slips && distance < nearest.len().div_ceil(2)).then_some(nearest)
}

/// How many letters must be changed, added, taken away or swapped with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, c) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, d) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(row);
            let mut least = (at(&last, column) + usize::from(c != d))
                .min(at(&last, column + 1) + 1)
                .min(at(&line, column) + 1);
            let pair = |text: &[char], end: usize| {
                end.checked_sub(1)
                    .and_then(|begin| text.get(begin..=end))
                    .map(<[char]>::to_vec)
            };
            if let (Some(mut one), Some(other)) = (pair(one, row), pair(other, column)) {
                one.reverse();
                if one == other {
                    least = least.min(at(&before_last, column - 1) + 1);
                }
            }
            line.push(least);
        }
        before_last = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or_default()
}

/// No field is nearly as long.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::node::parse;
    use super::*;

    const KNOWN: [&str; 6] = [
        "age",
        "pgp",
        "path_regex",
        "encrypted_regex",
        "unencrypted_regex",
        "key_groups",
    ];

    #[test]
    fn a_slip_is_told_from_something_else() {
        for (name, expected) in [
            ("encrypted_regexp", Some("encrypted_regex")),
            ("encrypted-regex", Some("encrypted_regex")),
            ("encryptedRegex", Some("encrypted_regex")),
            ("encypted_regex", Some("encrypted_regex")),
            ("unencrpyted_regex", Some("unencrypted_regex")),
            ("path_regx", Some("path_regex")),
            ("pathregexp", Some("path_regex")),
            ("key_group", Some("key_groups")),
            ("aeg", Some("age")),
            ("ages", Some("age")),
            ("Age", Some("age")),
            ("pages", None),
            ("description", None),
            ("owner", None),
            ("", None),
        ] {
            assert_eq!(meant(name, &KNOWN), expected, "{name}");
        }
        assert_eq!(meant(&"x".repeat(1 << 20), &KNOWN), None);
    }

    #[test]
    fn what_is_known_or_stands_aside_is_not_told() {
        let value = parse(
            "f",
            b"{age: a, x-owner: b, _anchors: c, .d: e, 5: f, note: g}",
        )
        .unwrap();
        let found = fields(&Node::at("f", "r".to_owned(), &value), &KNOWN).unwrap();
        let note = Unknown {
            place: "r.note".to_owned(),
            meant: None,
        };
        assert_eq!(found, [note]);
    }
}
