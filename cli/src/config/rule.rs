//! A creation rule: whom documents are sealed to, and which values.

use std::collections::BTreeMap;
use std::fmt;

use serde_yaml::Value;

use crate::exit::Failure;

use super::node::Node;
use super::unknown::{self, Unknown};

/// What a rule says about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// File and place of the rule, for messages.
    pub(crate) place: String,
    /// One group of keys, or several that share the data key. They may be empty, see `plan::combine`.
    pub(crate) groups: Vec<Group>,
    /// Whether they stand in `key_groups`, not in fields of the rule itself.
    pub(crate) grouped: bool,
    /// How many of the groups are needed; `None` when the rule does not say.
    pub(crate) shamir_threshold: Option<u8>,
    /// What is chosen: one kind at most.
    pub(crate) selectors: Selectors,
    /// `None` when the rule does not say.
    pub(crate) mac_only_encrypted: Option<bool>,
}

/// A group of keys, any of which opens the group's part of the data key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// age recipients as they stand in the file, each once; not yet parsed.
    pub(crate) age: Vec<String>,
    /// Keys that are not age's, each once: the kind and the key's name, such as `pgp 85D7…`.
    pub(crate) foreign: Vec<String>,
}

/// The settings that choose which values are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SelectorKind {
    EncryptedCommentRegex,
    EncryptedRegex,
    EncryptedSuffix,
    UnencryptedCommentRegex,
    UnencryptedRegex,
    UnencryptedSuffix,
}

/// Those of the settings that are made. An empty text counts as not made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selectors(BTreeMap<SelectorKind, String>);

impl SelectorKind {
    pub(crate) const ALL: [Self; 6] = [
        Self::EncryptedCommentRegex,
        Self::EncryptedRegex,
        Self::EncryptedSuffix,
        Self::UnencryptedCommentRegex,
        Self::UnencryptedRegex,
        Self::UnencryptedSuffix,
    ];

    /// The name of the field, in `.sops.yaml` and in the metadata.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EncryptedCommentRegex => "encrypted_comment_regex",
            Self::EncryptedRegex => "encrypted_regex",
            Self::EncryptedSuffix => "encrypted_suffix",
            Self::UnencryptedCommentRegex => "unencrypted_comment_regex",
            Self::UnencryptedRegex => "unencrypted_regex",
            Self::UnencryptedSuffix => "unencrypted_suffix",
        }
    }
}

impl fmt::Display for SelectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Selectors {
    /// Makes a setting, over one of the same kind.
    pub(crate) fn set(&mut self, kind: SelectorKind, text: &str) {
        if !text.is_empty() {
            self.0.insert(kind, text.to_owned());
        }
    }

    /// The settings that are made.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (SelectorKind, &str)> {
        self.0.iter().map(|(kind, text)| (*kind, text.as_str()))
    }
}

/// A rule as it stands in the file, its types checked. What only the rule that holds must have right is kept raw.
#[derive(Debug)]
pub(super) struct CreationRule {
    pub(super) place: String,
    /// Empty: every document.
    pub(super) path_regex: String,
    selectors: Selectors,
    shamir_threshold: Option<i64>,
    mac_only_encrypted: Option<bool>,
    /// When there are any, the flat fields count for nothing.
    key_groups: Vec<Group>,
    /// Field, kind of the keys, and what the field holds.
    flat: Vec<(&'static str, &'static str, Value)>,
    /// Fields that nobody reads, in its key groups, too.
    pub(super) unknown: Vec<Unknown>,
}

impl CreationRule {
    pub(super) fn read(rule: &Node<'_>) -> Result<Self, Failure> {
        let mut selectors = Selectors::default();
        for kind in SelectorKind::ALL {
            selectors.set(kind, &rule.field(kind.as_str())?.text()?);
        }
        let mut flat = Vec::new();
        for (field, kind) in FLAT {
            flat.push((field, kind, rule.field(field)?.value().clone()));
        }
        // This one is a list always, and so faulty also where the rule does not hold.
        rule.field("hckms")?.texts()?;
        rule.field("aws_profile")?.text()?;
        let known: Vec<_> = FIELDS
            .into_iter()
            .chain(FLAT.map(|(field, _)| field))
            .chain(SelectorKind::ALL.map(SelectorKind::as_str))
            .collect();
        let mut unknown = unknown::fields(rule, &known)?;
        for group in rule.field("key_groups")?.items()? {
            unknown.extend(unknown::fields(&group, &GROUP)?);
        }
        Ok(Self {
            place: rule.place.clone(),
            path_regex: rule.field("path_regex")?.text()?,
            selectors,
            shamir_threshold: rule.field("shamir_threshold")?.integer()?,
            mac_only_encrypted: rule.field("mac_only_encrypted")?.boolean()?,
            key_groups: groups(&rule.field("key_groups")?)?,
            flat,
            unknown,
        })
    }

    /// The rule, now that it holds for a document.
    ///
    /// # Errors
    /// `config-invalid`.
    pub(super) fn resolve(&self, file: &str) -> Result<Rule, Failure> {
        let place = Node::at(file, self.place.clone(), &Value::Null);
        if self.selectors.iter().len() > 1 {
            let kinds: Vec<_> = self
                .selectors
                .iter()
                .map(|(kind, _)| kind.as_str())
                .collect();
            return Err(place.refuse(&format!(
                "cannot use more than one of {} in the same rule; keep one",
                kinds.join(", ")
            )));
        }
        let shamir_threshold = match self.shamir_threshold {
            None | Some(0) => None,
            Some(threshold) => Some(u8::try_from(threshold).map_err(|_| {
                place.refuse(
                    "shamir_threshold must lie between 2 and the number of key groups, at most 255",
                )
            })?),
        };
        let groups = match self.key_groups.is_empty() {
            true => vec![self.flat_group(file)?],
            false => self.key_groups.clone(),
        };
        if groups
            .iter()
            .any(|group| group.age.iter().any(String::is_empty))
        {
            return Err(place.refuse("an age recipient is empty; remove it, or a comma too many"));
        }
        Ok(Rule {
            place: format!("{file}: {}", self.place),
            groups,
            grouped: !self.key_groups.is_empty(),
            shamir_threshold,
            selectors: self.selectors.clone(),
            mac_only_encrypted: self.mac_only_encrypted,
        })
    }

    fn flat_group(&self, file: &str) -> Result<Group, Failure> {
        let mut group = Group::default();
        for (field, kind, value) in &self.flat {
            let node = Node::at(file, format!("{}.{field}", self.place), value);
            for key in keys(&node)? {
                group.add(kind, key);
            }
        }
        Ok(group)
    }
}

impl Group {
    fn add(&mut self, kind: &str, key: String) {
        let (list, key) = match kind {
            AGE => (&mut self.age, key),
            _ => (&mut self.foreign, format!("{kind} {key}")),
        };
        if !list.contains(&key) {
            list.push(key);
        }
    }

    fn read(node: &Node<'_>) -> Result<Self, Failure> {
        let mut group = Self::default();
        for merged in groups(&node.field("merge")?)? {
            group.age.extend(merged.age);
            group.foreign.extend(merged.foreign);
        }
        for list in [&mut group.age, &mut group.foreign] {
            let all = std::mem::take(list);
            for key in all {
                if !list.contains(&key) {
                    list.push(key);
                }
            }
        }
        for recipients in node.field(AGE)?.texts()? {
            pieces(&recipients, |key| group.add(AGE, key));
        }
        for (field, kind) in [("pgp", "pgp"), ("hc_vault", VAULT)] {
            for key in node.field(field)?.texts()? {
                group.add(kind, without_blanks(&key));
            }
        }
        for (kind, parts) in STRUCTURED {
            for key in node.field(kind)?.items()? {
                let mut texts = Vec::new();
                for part in *parts {
                    texts.push(key.field(part)?.text()?);
                }
                if *kind == "kms" {
                    texts.extend(context(&key.field("context")?)?);
                }
                texts.retain(|text| !text.is_empty());
                group.add(kind, texts.join(" "));
            }
        }
        Ok(group)
    }
}

/// Checks the types of a rule for publishing.
///
/// # Errors
/// `config-invalid`.
pub(super) fn check_destination(rule: &Node<'_>) -> Result<(), Failure> {
    for field in DESTINATION {
        rule.field(field)?.text()?;
    }
    rule.field("vault_kv_version")?.integer()?;
    rule.field("omit_extensions")?.boolean()?;
    CreationRule::read(&rule.field("recreation_rule")?).map(drop)
}

fn groups(node: &Node<'_>) -> Result<Vec<Group>, Failure> {
    node.items()?.iter().map(Group::read).collect()
}

/// The keys of a flat field: text with commas, where empty pieces count for nothing, or a list of such texts, where
/// they are a fault.
fn keys(node: &Node<'_>) -> Result<Vec<String>, Failure> {
    let mut keys = Vec::new();
    match node.value() {
        Value::String(text) => {
            pieces(text, |key| keys.push(key));
            keys.retain(|key| !key.is_empty());
        }
        Value::Null => {}
        Value::Sequence(_) => {
            let items = node.all_items()?;
            let texts = items.iter().map(|item| match item.is_null() {
                true => Err(item.wrong("text")),
                false => item.text(),
            });
            let joined = texts.collect::<Result<Vec<_>, _>>()?.join(",");
            pieces(&joined, |key| keys.push(key));
        }
        _ => return Err(node.wrong("text or a list")),
    }
    Ok(keys)
}

/// The pieces between commas, without blanks around them; an empty text has none.
fn pieces(text: &str, mut each: impl FnMut(String)) {
    if !text.is_empty() {
        text.split(',')
            .for_each(|piece| each(piece.trim().to_owned()));
    }
}

fn without_blanks(text: &str) -> String {
    text.replace(' ', "")
}

/// The names and values of a KMS encryption context.
fn context(node: &Node<'_>) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for name in node
        .mapping()?
        .into_iter()
        .flat_map(|mapping| mapping.keys())
    {
        let name = name
            .as_str()
            .ok_or_else(|| node.refuse("its names must be text; put them in quotes"))?;
        texts.push(format!("{name}:{}", node.field(name)?.text()?));
    }
    Ok(texts)
}

const AGE: &str = "age";
const VAULT: &str = "hc_vault";

/// Fields of keys directly in a rule, in the order in which they are written, and the kind of their keys.
const FLAT: [(&str, &str); 7] = [
    ("age", AGE),
    ("pgp", "pgp"),
    ("kms", "kms"),
    ("gcp_kms", "gcp_kms"),
    ("hckms", "hckms"),
    ("azure_keyvault", "azure_keyvault"),
    ("hc_vault_transit_uri", VAULT),
];

/// Fields of a group whose keys are mappings, and what names a key in them.
const STRUCTURED: &[(&str, &[&str])] = &[
    ("azure_keyvault", &["vaultUrl", "key", "version"]),
    ("gcp_kms", &["resource_id"]),
    ("hckms", &["key_id"]),
    ("kms", &["arn", "role", "aws_profile"]),
];

/// Fields of a rule beside keys and selectors.
const FIELDS: [&str; 5] = [
    "aws_profile",
    "key_groups",
    "mac_only_encrypted",
    "path_regex",
    "shamir_threshold",
];

/// Fields of a group.
const GROUP: [&str; 8] = [
    AGE,
    "azure_keyvault",
    "gcp_kms",
    VAULT,
    "hckms",
    "kms",
    "merge",
    "pgp",
];

const DESTINATION: [&str; 8] = [
    "gcs_bucket",
    "gcs_prefix",
    "path_regex",
    "s3_bucket",
    "s3_prefix",
    "vault_address",
    "vault_kv_mount_name",
    "vault_path",
];

#[cfg(test)]
mod tests {
    use super::super::node::parse;
    use super::*;

    fn rule(text: &str) -> Result<Rule, Failure> {
        let value = parse("f", text.as_bytes()).unwrap();
        CreationRule::read(&Node::at("f", "r".to_owned(), &value))?.resolve("f")
    }

    fn age(text: &str) -> Vec<Vec<String>> {
        rule(text)
            .unwrap()
            .groups
            .into_iter()
            .map(|group| group.age)
            .collect()
    }

    #[test]
    fn keys_stand_in_texts_with_commas_or_in_lists() {
        for (text, expected) in [
            ("age: a", vec!["a"]),
            ("age: ' a,b ,, a,'", vec!["a", "b"]),
            ("age: >-\n  a,\n  b", vec!["a", "b"]),
            ("age: [a, 'b, c', a]", vec!["a", "b", "c"]),
            ("age: ','", vec![]),
            ("age: ''", vec![]),
            ("age: ['']", vec![]),
            ("age: []", vec![]),
            ("age: ~", vec![]),
            ("{}", vec![]),
            ("{age: a, key_groups: []}", vec!["a"]),
            ("{age: a, key_groups: [~]}", vec!["a"]),
        ] {
            assert_eq!(age(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        for (text, place) in [
            ("age: 5", "f: r.age: text or a list belongs here"),
            ("age: {}", "f: r.age: "),
            ("age: true", "f: r.age: "),
            (
                "age: [a, 5]",
                "f: r.age[1]: text belongs here, but this is a number; put it in quotes",
            ),
            (
                "age: [a, ~]",
                "f: r.age[1]: text belongs here, but this is nothing",
            ),
            ("age: [a, '']", "f: r: an age recipient is empty"),
            (
                "key_groups: [{age: ['a,']}]",
                "f: r: an age recipient is empty",
            ),
            ("hc_vault_transit_uri: {}", "f: r.hc_vault_transit_uri: "),
            (
                "key_groups: [{kms: [{context: {a: []}}]}]",
                "f: r.key_groups[0].kms[0].context.a: ",
            ),
        ] {
            let failure = rule(text).unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (1, "config-invalid"),
                "{text}"
            );
            assert!(
                failure.message.starts_with(place),
                "{text}: {}",
                failure.message
            );
        }
    }

    #[test]
    fn groups_go_before_flat_fields_and_merged_keys_before_their_own() {
        assert_eq!(
            age("{age: x, key_groups: [{age: [a, 'a,b']}, \
                 {age: [b, '', ~, c], merge: [{age: [d], merge: [{age: [c, d]}]}, {age: [c]}]}, {}]}"),
            [vec!["a", "b"], vec!["c", "d", "b"], vec![]]
        );
        // The flat field is not even looked at.
        assert_eq!(age("{age: 5, key_groups: [{age: [a]}]}"), [["a"]]);
    }

    #[test]
    fn keys_of_other_kinds_are_named() {
        let foreign = |text: &str| rule(text).unwrap().groups.remove(0).foreign;
        assert_eq!(
            foreign(
                "{pgp: 'AB, CD', kms: [arn:1, arn:2], gcp_kms: projects/x, hckms: ['tr:1'], \
                 azure_keyvault: 'https://v/keys/k/1', hc_vault_transit_uri: 'https://h/v1/t/keys/k'}"
            ),
            [
                "pgp AB",
                "pgp CD",
                "kms arn:1",
                "kms arn:2",
                "gcp_kms projects/x",
                "hckms tr:1",
                "azure_keyvault https://v/keys/k/1",
                "hc_vault https://h/v1/t/keys/k",
            ]
        );
        assert_eq!(
            foreign(
                "key_groups: [{pgp: ['A B', AB], hc_vault: [u], hckms: [{key_id: h}], gcp_kms: [{resource_id: g}], \
                 azure_keyvault: [{vaultUrl: v, key: k, version: '1'}], \
                 kms: [{arn: a, role: r, aws_profile: p, context: {x: y}}, {arn: a}]}]"
            ),
            [
                "pgp AB",
                "hc_vault u",
                "azure_keyvault v k 1",
                "gcp_kms g",
                "hckms h",
                "kms a r p x:y",
                "kms a",
            ]
        );
    }

    #[test]
    fn one_kind_of_selector_is_allowed_in_a_rule() {
        for kind in SelectorKind::ALL {
            let selectors = rule(&format!("{kind}: x")).unwrap().selectors;
            assert_eq!(selectors.iter().collect::<Vec<_>>(), [(kind, "x")]);
        }
        assert!(rule("{encrypted_regex: x, unencrypted_regex: '', encrypted_suffix: ~}").is_ok());
        let failure = rule("{encrypted_regex: x, unencrypted_suffix: y}").unwrap_err();
        assert_eq!((failure.status, failure.code), (1, "config-invalid"));
        assert!(
            failure
                .message
                .contains("encrypted_regex, unencrypted_suffix")
        );
    }

    #[test]
    fn a_threshold_is_a_number_of_groups() {
        let threshold = |text: &str| rule(text).map(|rule| rule.shamir_threshold);
        assert_eq!(threshold("{}").unwrap(), None);
        assert_eq!(threshold("shamir_threshold: 0").unwrap(), None);
        assert_eq!(threshold("shamir_threshold: 2").unwrap(), Some(2));
        for text in ["shamir_threshold: -1", "shamir_threshold: 256"] {
            assert_eq!(threshold(text).unwrap_err().status, 1, "{text}");
        }
        assert_eq!(
            rule("mac_only_encrypted: yes").unwrap().mac_only_encrypted,
            Some(true)
        );
        assert_eq!(rule("{}").unwrap().mac_only_encrypted, None);
    }
}
