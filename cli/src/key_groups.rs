//! Who can open a file, by name: the key groups of its block, how others differ from them, and what seals to them.

use std::fmt::Write as _;

use stackseal_core::metadata::{AgeEntry, Foreign};
use stackseal_core::tree::Node;
use stackseal_core::{Metadata, Recipient};

use crate::exit::Failure;
use crate::keys::recipient::Recipients;

/// A group: the texts of its age recipients, and keys of other kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) age: Vec<String>,
    /// The kind and the name of each.
    pub(crate) foreign: Vec<(String, String)>,
}

impl Group {
    pub(crate) fn of_age(age: Vec<String>) -> Self {
        Self {
            age,
            foreign: Vec::new(),
        }
    }

    fn read(age: &[AgeEntry], foreign: &[Foreign]) -> Self {
        let mut group = Self::default();
        for entry in age {
            let text = entry.recipient.trim().to_owned();
            if !group.age.contains(&text) {
                group.age.push(text);
            }
        }
        for (kind, keys) in foreign {
            for (_, key) in keys.items() {
                group.foreign.push((kind.clone(), name(kind, key)));
            }
        }
        group
    }

    /// All names as messages have them.
    fn names(&self) -> impl Iterator<Item = &str> {
        let foreign = self.foreign.iter().map(|(_, name)| name.as_str());
        foreign.chain(self.age.iter().map(String::as_str))
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|it| it == name)
    }
}

/// What names a key of another kind, as `sops` calls it.
fn name(kind: &str, key: &Node) -> String {
    let text = |field: &str| {
        let value = key.get(field).and_then(Node::value);
        let text = value.and_then(|value| value.as_str());
        text.unwrap_or_default().to_owned()
    };
    let place = |field: &str| text(field).trim_end_matches('/').to_owned();
    let name = match kind {
        "pgp" => text("fp"),
        "kms" => match text("role").as_str() {
            "" => text("arn"),
            role => format!("{}+{role}", text("arn")),
        },
        "gcp_kms" => text("resource_id"),
        "azure_kv" => format!(
            "{}/keys/{}/{}",
            place("vault_url"),
            text("name"),
            text("version")
        ),
        "hckms" => text("key_id"),
        _ => format!(
            "{}/v1/{}/keys/{}",
            place("vault_address"),
            text("engine_path"),
            text("key_name")
        ),
    };
    match name.is_empty() {
        true => kind.to_owned(),
        false => name,
    }
}

/// The groups of a file; one, unless there are several.
pub(crate) fn of_file(metadata: &Metadata) -> Vec<Group> {
    match metadata.key_groups.as_slice() {
        [] => vec![Group::read(&metadata.age, &metadata.foreign)],
        groups => (groups.iter())
            .map(|group| Group::read(&group.age, &group.foreign))
            .collect(),
    }
}

/// How many of the groups of a file are needed, as it says; 0 when it does not.
pub(crate) fn threshold(metadata: &Metadata) -> usize {
    metadata.shamir_threshold.unwrap_or(0)
}

/// The recipients of the groups; `name` is how messages call the file.
///
/// # Errors
/// `key-unsupported` for a key that cannot be sealed to here; `key-group-empty`.
pub(crate) fn recipients(
    groups: &[Group],
    known: &Recipients,
    name: &str,
) -> Result<Vec<Vec<Recipient>>, Failure> {
    let mut all = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        if let Some((kind, key)) = group.foreign.first() {
            return Err(Failure::usage(
                "key-unsupported",
                format!(
                    "{name} is also sealed to {kind} {key}, and only age keys are supported here, so that key \
                     would lose the file; use sops for it"
                ),
            ));
        }
        if group.age.is_empty() {
            let which = match groups.len() {
                1 => String::new(),
                _ => format!(" in key_groups[{at}]"),
            };
            return Err(Failure::usage(
                "key-group-empty",
                format!(
                    "{name}: no keys are left{which}, so nobody could open it; leave or add an age recipient"
                ),
            ));
        }
        let recipients = group.age.iter().map(|text| known.parse(text, name));
        all.push(recipients.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

/// How the groups of a file become others.
pub(crate) struct Difference {
    /// For each group: who stays, comes, goes.
    groups: Vec<[Vec<String>; 3]>,
    threshold: (usize, usize),
    leaves: bool,
}

impl Difference {
    pub(crate) fn between(old: &[Group], new: &[Group], threshold: (usize, usize)) -> Self {
        let nobody = Group::default();
        let groups = (0..old.len().max(new.len())).map(|at| {
            let (old, new) = (
                old.get(at).unwrap_or(&nobody),
                new.get(at).unwrap_or(&nobody),
            );
            let some = |of: &Group, with: &dyn Fn(&str) -> bool| {
                let names = of.names().filter(|name| with(name));
                names.map(str::to_owned).collect()
            };
            [
                some(new, &|name| old.has(name)),
                some(new, &|name| !old.has(name)),
                some(old, &|name| !new.has(name)),
            ]
        });
        let is_left = |name| !new.iter().any(|group| group.has(name));
        Self {
            groups: groups.collect(),
            threshold,
            leaves: old.iter().flat_map(Group::names).any(is_left),
        }
    }

    /// Whether there is any.
    pub(crate) fn is_none(&self) -> bool {
        let moves = |[_, come, go]: &[Vec<String>; 3]| !come.is_empty() || !go.is_empty();
        self.threshold.0 == self.threshold.1 && !self.groups.iter().any(moves)
    }

    /// Whether somebody is in no group any more.
    pub(crate) fn removes_somebody(&self) -> bool {
        self.leaves
    }

    /// As `sops` shows it, without a last line break.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |mark: &str, what: &str| {
            // A string takes everything.
            let _written = write!(text, "\n{mark}{what}");
        };
        let said = |threshold: usize| format!("shamir_threshold: {threshold}");
        match self.threshold {
            (old, new) if old == new => {
                if old > 0 {
                    line("", &said(old));
                }
            }
            (old, new) => {
                for (mark, threshold) in [("+++ ", new), ("--- ", old)] {
                    if threshold > 0 {
                        line(mark, &said(threshold));
                    }
                }
            }
        }
        for (at, lists) in self.groups.iter().enumerate() {
            line("", &format!("Group {}", at + 1));
            for (mark, names) in ["    ", "+++ ", "--- "].iter().zip(lists) {
                for name in names {
                    line(mark, name);
                }
            }
        }
        text.trim_start().to_owned()
    }
}

/// The recipients that options name: with commas, and the options may be repeated. Each once.
///
/// # Errors
/// `invalid-recipient`.
pub(crate) fn named(
    options: &[String],
    known: &Recipients,
    option: &str,
) -> Result<Vec<String>, Failure> {
    let mut named: Vec<String> = Vec::new();
    let texts = options
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim);
    for text in texts.filter(|text| !text.is_empty()) {
        let recipient = known.parse(text, option)?;
        if !named.iter().any(|other| other == recipient.as_str()) {
            named.push(recipient.as_str().to_owned());
        }
    }
    Ok(named)
}

/// Says that keys of other kinds than age were named.
///
/// # Errors
/// `key-unsupported`, if any were.
pub(crate) fn refuse_foreign(named: &[String]) -> Result<(), Failure> {
    match named {
        [] => Ok(()),
        _ => Err(Failure::usage(
            "key-unsupported",
            "only age and SSH keys are supported here; keys of PGP, clouds and vaults are out of scope: name \
             age recipients with --age (--add-age, --rm-age), or use sops for files that need the others",
        )),
    }
}
