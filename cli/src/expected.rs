//! Who ought to be able to open a file, by name, and how the file differs from that. No key is needed.

use stackseal_core::is_same_recipient;
use stackseal_core::{Document, Encrypted, ErrorCode, Metadata};

use crate::config::Rule;
use crate::key_groups::{self, Group};
use crate::keys;

/// Who ought to be able to open a file.
pub(crate) struct Expected {
    /// Where that is said, as messages call it.
    source: String,
    groups: Vec<Wanted>,
    /// How many of several groups are needed.
    threshold: usize,
}

/// A group: the texts of its age recipients, and of other keys the kind and the name.
#[derive(Default)]
struct Wanted {
    age: Vec<String>,
    foreign: Vec<String>,
}

/// How a file is other than it ought to be.
pub(crate) struct Difference {
    pub(crate) code: &'static str,
    /// Of the block.
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Expected {
    /// What a creation rule says.
    pub(crate) fn of_rule(rule: &Rule) -> Self {
        let groups = rule.groups.iter().map(|group| Wanted {
            age: group.age.clone(),
            foreign: group.foreign.clone(),
        });
        let groups: Vec<_> = groups.collect();
        Self {
            source: rule.place.clone(),
            threshold: rule.shamir_threshold.map_or(groups.len(), usize::from),
            groups,
        }
    }

    /// The recipients that `source` names.
    pub(crate) fn of_recipients(age: Vec<String>, source: &str) -> Self {
        let all = Wanted {
            age,
            foreign: Vec::new(),
        };
        Self {
            source: source.to_owned(),
            groups: vec![all],
            threshold: 1,
        }
    }

    /// How a file differs from it: each name that is missing, and each that is too many.
    pub(crate) fn differences(&self, metadata: &Metadata) -> Vec<Difference> {
        let mut found = Vec::new();
        let groups = key_groups::of_file(metadata);
        let source = &self.source;
        if groups.len() != self.groups.len() {
            let message = format!(
                "the file has {}, but {source} says {}; bring it in line with 'stackseal updatekeys'",
                counted(groups.len()),
                counted(self.groups.len())
            );
            found.push(Difference {
                code: "key-groups-mismatch",
                field: field(&groups, None),
                message,
            });
            let all = Group {
                age: groups.iter().flat_map(|group| group.age.clone()).collect(),
                foreign: groups
                    .iter()
                    .flat_map(|group| group.foreign.clone())
                    .collect(),
            };
            let wanted = Wanted {
                age: self
                    .groups
                    .iter()
                    .flat_map(|group| group.age.clone())
                    .collect(),
                foreign: self
                    .groups
                    .iter()
                    .flat_map(|group| group.foreign.clone())
                    .collect(),
            };
            self.compare(&all, &wanted, &field(&groups, None), &mut found);
            return found;
        }
        for (at, (group, wanted)) in groups.iter().zip(&self.groups).enumerate() {
            self.compare(group, wanted, &field(&groups, Some(at)), &mut found);
        }
        let needed = match key_groups::threshold(metadata) {
            0 => groups.len(),
            needed => needed,
        };
        if groups.len() > 1 && needed != self.threshold {
            let message = format!(
                "{needed} of the key groups open the file, but {source} says {}; bring it in line with \
                 'stackseal updatekeys'",
                self.threshold
            );
            found.push(Difference {
                code: "key-groups-mismatch",
                field: "shamir_threshold".to_owned(),
                message,
            });
        }
        found
    }

    fn compare(&self, group: &Group, wanted: &Wanted, field: &str, found: &mut Vec<Difference>) {
        let source = &self.source;
        let mut tell = |message: String| {
            found.push(Difference {
                code: ErrorCode::RecipientMismatch.as_str(),
                field: field.to_owned(),
                message,
            });
        };
        let missing = |name: &str| {
            format!(
                "the file is not sealed to {name}, whom {source} names; add it with 'stackseal updatekeys'"
            )
        };
        let stranger = |name: &str| {
            format!(
                "the file is sealed to {name}, whom {source} does not name; take it out with 'stackseal updatekeys \
                 --rotate', or name it there"
            )
        };
        for text in &wanted.age {
            if !group.age.iter().any(|it| is_same_recipient(it, text)) {
                tell(missing(text));
            }
        }
        for key in &wanted.foreign {
            if !group
                .foreign
                .iter()
                .any(|(kind, name)| is_key(key, kind, name))
            {
                tell(missing(key));
            }
        }
        for text in &group.age {
            if !wanted.age.iter().any(|it| is_same_recipient(it, text)) {
                tell(stranger(text));
            }
        }
        for (kind, name) in &group.foreign {
            if !wanted.foreign.iter().any(|key| is_key(key, kind, name)) {
                tell(stranger(&format!("{kind} {name}")));
            }
        }
    }
}

/// Where copies of the data key are wrapped for another SSH key than the one beside them.
pub(crate) fn foreign_copies(document: &Document<Encrypted>) -> impl Iterator<Item = Difference> {
    let entries = document.metadata().age_entries();
    let wrong = entries
        .filter(|entry| keys::recipient::is_for_ssh(&entry.recipient, &entry.enc) == Some(false));
    wrong.map(|entry| {
        let message = format!(
            "the copy of the data key for {} is wrapped for another SSH key; take the file from an earlier version",
            entry.recipient.trim()
        );
        Difference {
 code: ErrorCode::AgeFileInvalid.as_str(),
 field: "age".to_owned(),
 message,
 }
    })
}

/// Whether a key that a rule names, with its kind before, is that of a file. A part of a name is another name.
fn is_key(of_rule: &str, kind: &str, name: &str) -> bool {
    let of_kind = |kind: &str| of_rule.strip_prefix(kind)?.strip_prefix(' ');
    match kind {
        "azure_kv" => of_kind("azure_keyvault").is_some_and(|rest| {
            // The address of a key, or of its vault with the key's name and version.
            let mut words = rest.split(' ');
            let mut place = words
                .next()
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned();
            if let Some(key) = words.next() {
                place = format!("{place}/keys/{key}");
            }
            for version in words {
                place = format!("{place}/{version}");
            }
            // Without a version it is the newest when the file is sealed.
            let version = name
                .strip_prefix(&place)
                .and_then(|rest| rest.strip_prefix('/'));
            name == place || version.is_some_and(|version| !version.contains('/'))
        }),
        "kms" => of_kind(kind).is_some_and(|rest| {
            let mut words = rest.split(' ');
            let key = words.next().unwrap_or_default();
            let role = words.next().filter(|role| role.starts_with("arn:"));
            match role {
                Some(role) => name == format!("{key}+{role}"),
                None => name == key,
            }
        }),
        "pgp" => of_kind(kind).is_some_and(|rest| rest.replace(' ', "").eq_ignore_ascii_case(name)),
        _ => of_kind(kind).is_some_and(|rest| rest.trim_end_matches('/') == name),
    }
}

/// The field of the block that a group stands in.
fn field(groups: &[Group], at: Option<usize>) -> String {
    match (groups.len(), at) {
        (0 | 1, _) => "age".to_owned(),
        (_, None) => "key_groups".to_owned(),
        (_, Some(at)) => format!("key_groups[{at}]"),
    }
}

fn counted(groups: usize) -> String {
    match groups {
        1 => "1 key group".to_owned(),
        more => format!("{more} key groups"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_kind_is_known_by_its_whole_name() {
        const FINGERPRINT: &str = "85D77543B3D624B63CEA9E6DBC17301B491B3F21";
        for (of_rule, kind, name, is) in [
            (
                "pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21",
                "pgp",
                FINGERPRINT,
                true,
            ),
            (
                "pgp 85d77543b3d624b63cea9e6dbc17301b491b3f21",
                "pgp",
                FINGERPRINT,
                true,
            ),
            (
                "pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21",
                "pgp",
                "491B3F21",
                false,
            ),
            ("pgp 491B3F21", "pgp", FINGERPRINT, false),
            (
                "kms arn:aws:kms:a:1:key/k+arn:aws:iam::1:role/r",
                "kms",
                "arn:aws:kms:a:1:key/k+arn:aws:iam::1:role/r",
                true,
            ),
            (
                "kms arn:aws:kms:a:1:key/k arn:aws:iam::1:role/r p",
                "kms",
                "arn:aws:kms:a:1:key/k+arn:aws:iam::1:role/r",
                true,
            ),
            (
                "kms arn:aws:kms:a:1:key/k p n:v",
                "kms",
                "arn:aws:kms:a:1:key/k",
                true,
            ),
            (
                "kms arn:aws:kms:a:1:key/kk",
                "kms",
                "arn:aws:kms:a:1:key/k",
                false,
            ),
            ("gcp_kms projects/p/k", "gcp_kms", "projects/p/k", true),
            ("gcp_kms projects/p/kk", "gcp_kms", "projects/p/k", false),
            (
                "hc_vault https://v:82/v1/e/keys/k",
                "hc_vault",
                "https://v:82/v1/e/keys/k",
                true,
            ),
            (
                "hc_vault https://v:82/v1/e/keys/k",
                "hc_vault",
                "https://w:82/v1/e/keys/k",
                false,
            ),
            (
                "azure_keyvault https://v/keys/k/1",
                "azure_kv",
                "https://v/keys/k/1",
                true,
            ),
            (
                "azure_keyvault https://v/ k 1",
                "azure_kv",
                "https://v/keys/k/1",
                true,
            ),
            (
                "azure_keyvault https://v k",
                "azure_kv",
                "https://v/keys/k/1",
                true,
            ),
            (
                "azure_keyvault https://v k 1",
                "azure_kv",
                "https://v/keys/k/11",
                false,
            ),
            (
                "azure_keyvault https://v k",
                "azure_kv",
                "https://v/keys/kk/1",
                false,
            ),
            (
                "azure_keyvault https://v k",
                "azure_kv",
                "https://w/keys/k/1",
                false,
            ),
        ] {
            assert_eq!(is_key(of_rule, kind, name), is, "{of_rule} {name}");
        }
    }
}
