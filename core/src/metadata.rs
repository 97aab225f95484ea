//! The `sops` block as types: who can open the document, which rule selects, and the MAC.
//!
//! It is read from a tree and written as one, so that every format says the same. What only other tools can open, and
//! what is not known here, is kept as it was.

#[cfg(feature = "formats")]
pub(crate) mod shape;

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::format::Format;
use crate::path::Segment;
use crate::selector::Selector;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// The version that this codec writes: the release of the reference whose format it is.
pub const FORMAT_VERSION: &str = "3.11.0";

/// One recipient's copy of the data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeEntry {
    /// The recipient as the file names it; not checked.
    pub recipient: String,
    /// Armored age file whose payload is the data key, or a share of it, ending in a line break.
    pub enc: String,
}

/// Keys of a kind that is not opened here, by the name of their field (`pgp`, `kms`, …).
pub type Foreign = (String, Node);

/// One of several key groups: any of its keys opens a share of the data key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyGroup {
    /// Recipients with their copies of the share.
    pub age: Vec<AgeEntry>,
    /// Other keys of the group.
    pub foreign: Vec<Foreign>,
}

/// The `sops` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Recipients with their copies of the data key; none where there are several key groups.
    pub age: Vec<AgeEntry>,
    /// Several key groups, or none.
    pub key_groups: Vec<KeyGroup>,
    /// How many of the groups are needed; `None` or 0 for all.
    pub shamir_threshold: Option<usize>,
    /// Time of the last change as the file has it, RFC 3339.
    pub last_modified: String,
    /// The sealed MAC; empty when the file has none.
    pub mac: String,
    /// Version of the program that made the file.
    pub version: String,
    /// The rule.
    pub selector: Selector,
    /// Whether the MAC covers sealed values alone.
    pub mac_only_encrypted: bool,
    /// How the text was laid out where the sealed values do not tell, see [`crate::layout`].
    pub layout: Option<String>,
    /// Whether there is a field, or something below a known one, that is not known here.
    pub unknown: bool,
    /// Whether key groups stand beside keys, where they count for nothing; whoever they name may hold the data key.
    pub groups_passed_over: bool,
    /// Other keys that open the data key.
    pub foreign: Vec<Foreign>,
    /// Fields that are not known here.
    pub extra: Vec<Foreign>,
}

impl Metadata {
    /// Names of what opens the document beside age recipients (`kms`, `pgp`, `key_groups`, …).
    pub fn foreign_names(&self) -> impl Iterator<Item = &str> {
        let groups = (!self.key_groups.is_empty()).then_some("key_groups");
        let foreign = self.foreign.iter().map(|(name, _)| name.as_str());
        foreign.chain(groups)
    }

    /// All age entries, of whichever group.
    pub fn age_entries(&self) -> impl Iterator<Item = &AgeEntry> {
        let groups = self.key_groups.iter().flat_map(|group| &group.age);
        self.age.iter().chain(groups)
    }

    /// Checks the version: without it the reference opens nothing, though it reads the block.
    pub(crate) fn check_version(&self) -> Result<(), Error> {
        match is_version(&self.version) {
            true => Ok(()),
            false => Err(Error::input(
                ErrorCode::MetadataInvalid,
                "the block has no version like 3.11.0; take the file from a version that was not edited by hand",
            )
            .at_path("sops")),
        }
    }

    /// The fields that are renewed while the others stay, in the reference's order. Those that it writes behind the MAC are
    /// keys of other kinds, which nobody renews here.
    #[cfg(feature = "formats")]
    pub(crate) fn renewed(&self, which: Renewed) -> Node {
        let mut fields = self.keys_before_time();
        if which == Renewed::KeysAndMac {
            fields.text("lastmodified", &self.last_modified);
            fields.text("mac", &self.mac);
        }
        Node::Mapping(fields.0)
    }

    /// The field of the layout, if there is one.
    #[cfg(feature = "formats")]
    pub(crate) fn layout_field(&self) -> Node {
        let mut fields = Fields::default();
        if let Some(layout) = &self.layout {
            fields.text(LAYOUT, layout);
        }
        Node::Mapping(fields.0)
    }

    fn keys_before_time(&self) -> Fields {
        let mut fields = Fields::default();
        if !WHOLE {
            fields.put("age", age_node(&self.age));
            return fields;
        }
        if let Some(threshold) = self.shamir_threshold.filter(|threshold| *threshold > 0) {
            let threshold = i64::try_from(threshold).unwrap_or(i64::MAX);
            fields.put("shamir_threshold", Node::Leaf(Value::Integer(threshold)));
        }
        if !self.key_groups.is_empty() {
            let groups = self.key_groups.iter().map(|group| item(None, group.node()));
            fields.put("key_groups", Node::List(groups.collect()));
        }
        fields.foreign(&self.foreign, BEFORE_AGE);
        if !self.age.is_empty() {
            fields.put("age", age_node(&self.age));
        }
        fields
    }

    /// The blocks of the first document and of each further one. The layout is that of the whole text, and stands in the
    /// first alone: in each of many it would make the file grow by the square.
    pub(crate) fn to_nodes(&self) -> (Node, Node) {
        let first = self.to_node();
        let mut other = first.clone();
        if let Node::Mapping(fields) = &mut other {
            fields
                .retain(|it| !matches!(it, Entry::Item { key: Some(key), .. } if &**key == LAYOUT));
        }
        (first, other)
    }

    /// The fields in the reference's order.
    pub(crate) fn to_node(&self) -> Node {
        let mut fields = self.keys_before_time();
        fields.text("lastmodified", &self.last_modified);
        fields.text("mac", &self.mac);
        if WHOLE {
            fields.foreign(&self.foreign, &["pgp"]);
        }
        let (rule, text) = self.selector.field();
        fields.text(rule, text);
        if self.mac_only_encrypted {
            fields.put("mac_only_encrypted", Node::Leaf(Value::Boolean(true)));
        }
        fields.text("version", &self.version);
        if let Some(layout) = &self.layout {
            fields.text(LAYOUT, layout);
        }
        if WHOLE {
            for (name, node) in &self.extra {
                fields.put(name, node.clone());
            }
        }
        Node::Mapping(fields.0)
    }
}

impl KeyGroup {
    fn node(&self) -> Node {
        let mut fields = Fields::default();
        fields.foreign(&self.foreign, &["pgp"]);
        fields.foreign(&self.foreign, BEFORE_AGE);
        // The reference writes these two in any case.
        if !self.foreign.iter().any(|(name, _)| name == "hc_vault") {
            fields.put("hc_vault", Node::List(Vec::new()));
        }
        fields.put("age", age_node(&self.age));
        Node::Mapping(fields.0)
    }
}

/// Which fields of a block are renewed while the others stay.
#[cfg(feature = "formats")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// Who can open the document.
    Keys,
    /// That, and what was sealed last, and when.
    KeysAndMac,
}

#[cfg(feature = "formats")]
impl Renewed {
    /// Whether a field is among them.
    pub(crate) fn has(self, name: &str) -> bool {
        match name {
            "age" | "key_groups" | "shamir_threshold" => true,
            "lastmodified" | "mac" => self == Self::KeysAndMac,
            _ => is_foreign(name),
        }
    }
}

/// The field that says how the text was laid out. The reference passes over it, and drops it when it writes.
pub(crate) const LAYOUT: &str = "stackseal_layout";

/// Whether keys of other kinds and unknown fields are carried along, not only told of.
const WHOLE: bool = cfg!(feature = "formats");

/// Kinds of keys that stand before age.
const BEFORE_AGE: &[&str] = &["kms", "gcp_kms", "hckms", "azure_kv", "hc_vault"];

/// Whether a field holds keys of another kind.
pub(crate) fn is_foreign(name: &str) -> bool {
    name == "pgp" || BEFORE_AGE.contains(&name)
}

#[derive(Default)]
struct Fields(Vec<Entry>);

impl Fields {
    fn put(&mut self, name: &str, node: Node) {
        self.0.push(item(Some(name), node));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.put(name, Node::Leaf(Value::string(text)));
    }

    fn foreign(&mut self, foreign: &[Foreign], kinds: &[&str]) {
        for kind in kinds {
            for (_, node) in foreign.iter().filter(|(name, _)| name == kind) {
                self.put(kind, node.clone());
            }
        }
    }
}

fn item(key: Option<&str>, node: Node) -> Entry {
    Entry::Item {
        key: key.map(Into::into),
        node,
    }
}

fn age_node(entries: &[AgeEntry]) -> Node {
    let nodes = entries.iter().map(|entry| {
        let mut fields = Fields::default();
        fields.text("recipient", &entry.recipient);
        fields.text("enc", &entry.enc);
        item(None, Node::Mapping(fields.0))
    });
    Node::List(nodes.collect())
}

/// Reads the block from its leaves; paths begin below `sops`.
pub(crate) fn read<'a>(
    format: Format,
    leaves: impl Iterator<Item = (&'a [Segment], &'a Value, usize)>,
) -> Result<Metadata, Error> {
    let leaves: Vec<_> = leaves.collect();
    let line = |name: &str| {
        let of_name = |path: &[Segment]| matches!(path.first(), Some(Segment::Key(key)) if key.as_ref() == name);
        let found = leaves.iter().find(|(path, ..)| of_name(path));
        found.map_or(1, |(_, _, line)| *line)
    };
    let block = Node::of_leaves(leaves.iter().map(|(path, value, _)| (*path, *value)));
    let broken = |message: &str| Error::input(ErrorCode::MetadataInvalid, message).at_path("sops");
    let mut read = Metadata {
        age: Vec::new(),
        key_groups: Vec::new(),
        shamir_threshold: None,
        last_modified: String::new(),
        mac: String::new(),
        version: String::new(),
        selector: Selector::default(),
        mac_only_encrypted: false,
        layout: None,
        unknown: false,
        groups_passed_over: false,
        foreign: Vec::new(),
        extra: Vec::new(),
    };
    let mut last_modified = None;
    let mut rules = 0;
    for (name, node) in block.items() {
        let name = name.unwrap_or_default();
        let text = node.value().map(text_of).unwrap_or_default();
        let is_keys = matches!(name, "age" | "key_groups") || is_foreign(name);
        if is_keys && matches!(node, Node::Leaf(_)) && !is_empty(node) {
            return Err(broken(
                "what should be a list of keys is a text; take the file from a version that was not edited by hand",
            ));
        }
        match name {
            "age" => read.age = age_entries(node, &mut read.unknown),
            // The page changes no such file.
            "key_groups" if !WHOLE => read.foreign.extend(foreign(name, node)?),
            "key_groups" => {
                for (_, group) in node.items() {
                    let group = key_group(group, &mut read.unknown)?;
                    read.key_groups.push(group);
                }
            }
            "shamir_threshold" if node.value().is_some_and(|value| *value == Value::Null) => {}
            "shamir_threshold" => {
                // The reference writes `2`, other tools `2.0`.
                let whole = text.strip_suffix(".0").unwrap_or(&text);
                let threshold = whole.parse().map_err(|_| {
                    broken("shamir_threshold is no number; take the file from a version that was not edited by hand")
                })?;
                read.shamir_threshold = Some(threshold);
            }
            "lastmodified" => last_modified = Some(text),
            "mac" => read.mac = text,
            "version" => read.version = text,
            "mac_only_encrypted" => {
                read.mac_only_encrypted = is_true(format, node.value());
                read.unknown |= !matches!(node.value(), Some(Value::Boolean(_)));
            }
            LAYOUT if !text.is_empty() => read.layout = Some(text),
            _ if is_foreign(name) => read.foreign.extend(foreign(name, node)?),
            _ => match Selector::of_field(name, &text) {
                // The reference writes known fields without a value, too.
                Some(_) if text.is_empty() => {}
                Some(rule) => {
                    let rule = rule.map_err(|error| error.at_line(line(name)))?;
                    if rule.goes_by_comments() && !cfg!(feature = "formats") {
                        return Err(Error::configuration(
                            ErrorCode::InvalidSelector,
                            "rules that go by comments are not read here; choose values by key",
                        )
                        .at_line(line(name)));
                    }
                    read.selector = rule;
                    rules += 1;
                }
                None if is_empty(node) => {}
                None => {
                    read.unknown = true;
                    if WHOLE {
                        read.extra.push((name.to_owned(), node.clone()));
                    }
                }
            },
        }
    }
    read.last_modified = last_modified.ok_or_else(|| broken("the block has no lastmodified; take the file from a version that was not edited by hand"))?;
    if rules > 1 {
        return Err(broken(
            "the block states more than one rule for what is sealed; keep one",
        ));
    }
    // As the reference: keys that stand directly in the block go before groups.
    if !read.age.is_empty() || !read.foreign.is_empty() {
        read.groups_passed_over = !read.key_groups.is_empty();
        read.unknown |= read.groups_passed_over;
        read.key_groups.clear();
    }
    Ok(read)
}

/// Other words than `true` are read as the reference reads them, see [`shape`]; where there are texts alone, it takes no
/// other one.
#[cfg(feature = "formats")]
fn is_true(format: Format, value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(text)) => format == Format::Yaml && shape::YES.contains(&text.as_str()),
        value => matches!(value, Some(Value::Boolean(true))),
    }
}

#[cfg(not(feature = "formats"))]
fn is_true(_: Format, value: Option<&Value>) -> bool {
    // Nobody writes another word, and the page takes none: see `Metadata::unknown`.
    matches!(value, Some(Value::Boolean(true)))
}

/// Three numbers, and perhaps words behind them (Semantic Versioning 2.0), as the reference wants it.
fn is_version(text: &str) -> bool {
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (numbers, release) = match text.split_once('-') {
        Some((numbers, release)) => (numbers, Some(release)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = |part: &str| !part.starts_with('0') || part == "0";
    let number = |part: &str| digits(part) && whole(part) && part.parse::<u64>().is_ok();
    let word = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && release.is_none_or(|release| {
            let mut parts = release.split('.');
            parts.all(|part| word(part) && (!digits(part) || number(part)))
        })
        && build.is_none_or(|build| build.split('.').all(word))
}

fn key_group(node: &Node, unknown: &mut bool) -> Result<KeyGroup, Error> {
    let mut group = KeyGroup::default();
    for (name, node) in node.items() {
        match name.unwrap_or_default() {
            "age" => group.age = age_entries(node, unknown),
            name if is_foreign(name) => group.foreign.extend(foreign(name, node)?),
            _ => *unknown |= !is_empty(node),
        }
    }
    Ok(group)
}

fn age_entries(node: &Node, unknown: &mut bool) -> Vec<AgeEntry> {
    let entries = node.items().map(|(_, node)| {
        let mut entry = AgeEntry {
            recipient: String::new(),
            enc: String::new(),
        };
        for (name, node) in node.items() {
            let text = node.value().map(text_of).unwrap_or_default();
            match name {
                Some("recipient") => entry.recipient = text,
                Some("enc") => entry.enc = text,
                _ => *unknown = true,
            }
        }
        entry
    });
    entries.collect()
}

/// Keys of another kind, unless there are none. As the reference, it takes none without a time.
fn foreign(name: &str, node: &Node) -> Result<Option<Foreign>, Error> {
    if is_empty(node) {
        return Ok(None);
    }
    if !WHOLE {
        return Ok(Some((name.to_owned(), Node::List(Vec::new()))));
    }
    for (_, key) in node.items() {
        let created = key.get("created_at").and_then(Node::value).map(text_of);
        let created = created.unwrap_or_default();
        if crate::format::yaml::time::canonical(&created).is_none() {
            return Err(Error::input(
                ErrorCode::MetadataInvalid,
                "a key has no time in created_at; take the file from a version that was not edited by hand",
            )
            .at_path(alloc::format!("sops.{name}")));
        }
        let id = key.get("key_id").and_then(Node::value).map(text_of);
        let id = id.unwrap_or_default();
        let is_whole = |id: &str| matches!(id.split_once(':'), Some((region, key)) if !region.is_empty() && !key.is_empty());
        if name == "hckms" && !is_whole(&id) {
            return Err(Error::input(
                ErrorCode::MetadataInvalid,
                "a key has no key_id like REGION:KEY; take the file from a version that was not edited by hand",
            )
            .at_path("sops.hckms"));
        }
    }
    Ok(Some((name.to_owned(), node.clone())))
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Leaf(value) => value.is_empty(),
        Node::List(entries) | Node::Mapping(entries) => entries.is_empty(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Time(text) => text.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => crate::number::positional(*number),
        Value::Boolean(_) | Value::Bytes(_) | Value::Null => String::new(),
    }
}

/// A name as the reference compares it in JSON: in any case, and with two letters more that fold to ASCII.
#[cfg(feature = "formats")]
pub(crate) fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    })
}

/// Whether a name differs in its case alone from one that the reference knows.
#[cfg(feature = "formats")]
pub(crate) fn is_field_in_other_case(name: &str) -> bool {
    let is = |field: &&str| *field != name && folded(name).eq(field.chars());
    FIELDS.iter().any(is)
}

/// Names in the block that the reference knows, those of age's entries included.
#[cfg(feature = "formats")]
const FIELDS: [&str; 22] = [
    "age",
    "azure_kv",
    "enc",
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "gcp_kms",
    "hc_vault",
    "hckms",
    "key_groups",
    "kms",
    "lastmodified",
    "mac",
    "mac_only_encrypted",
    "pgp",
    "recipient",
    "shamir_threshold",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
    "version",
    "sops",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_perhaps_words() {
        for (text, expected) in [
            ("3.11.0", true),
            ("0.0.0", true),
            ("3.11.0-rc.1", true),
            ("3.11.0-0a+01.b-c", true),
            ("3.11", false),
            ("3.11.0.1", false),
            ("03.11.0", false),
            ("3.11.", false),
            ("", false),
            ("3.11.0-", false),
            ("3.11.0+", false),
            ("3.11.0-01", false),
            ("3.11.0-a..b", false),
            ("3.11.0-a b", false),
            ("3.11.0+a_b", false),
            ("3.11.0 ", false),
            ("99999999999999999999.1.1", false),
        ] {
            assert_eq!(is_version(text), expected, "{text}");
        }
    }
}
