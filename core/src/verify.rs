//! What can be told of a sealed document without any key: whether everything that its rule marks is sealed, nothing
//! else is, and its block is whole.
//!
//! Everything wrong is told, not only the first. That the values are those that were sealed only a key can tell; who
//! ought to be able to open the document is for the caller to compare. [`crate::guard`] is stricter, and ends at
//! the first.

mod block;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::age::{Envelope, armor};
use crate::cipher::SealedValue;
use crate::document::{Document, Encrypted};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Comment, Item, Remedy, Scalar};
use crate::guard::{carries_block, same_blocks};
use crate::metadata::AgeEntry;
use crate::open::sealed_text;
use crate::path::Segment;
use crate::recipient::{self, Recipient};
use crate::selector::Selector;
use crate::timestamp::Timestamp;

impl Document<Encrypted> {
    /// What is wrong with the document, in the order of its lines: values and comments in clear that the rule selects,
    /// sealed ones that it does not select or that are not well-formed, and everything of the block that nobody could
    /// have written who sealed the document.
    pub fn verify(&self) -> Vec<Error> {
        let mut found = Found {
            document: self,
            faults: Vec::new(),
        };
        found.text();
        found.items();
        found.block();
        found.beside_block();
        found.keys();
        found
            .faults
            .sort_by_key(|error| error.fault().and_then(|fault| fault.line));
        found.faults
    }

    /// The line of a field of the block, from 1: that of the block where the field does not stand.
    pub fn block_line(&self, field: &str) -> Option<usize> {
        let root = self.roots().first()?;
        let leaves = self.format().block_leaves(root);
        let of_field = leaves.iter().find(|(path, ..)| starts_with(path, &[field]));
        let of_block = || {
            let key = root
                .keys
                .iter()
                .find(|key| self.format().is_block_key(&key.name));
            key.map(|key| key.line)
        };
        of_field.map(|(_, _, line)| *line).or_else(of_block)
    }
}

/// What stanza a recipient has in the age file that holds its copy of the data key; `None` for a text that names no
/// recipient.
fn stanza_of(recipient: &str) -> Option<&'static str> {
    if !recipient.starts_with("age1pq1") && Recipient::parse(recipient).is_ok() {
        return Some("X25519");
    }
    let blob = |rest: &str| rest.trim_start().starts_with("AAAA");
    for kind in ["ssh-ed25519", "ssh-rsa"] {
        if let Some(rest) = recipient.strip_prefix(kind) {
            return (rest.starts_with(' ') && blob(rest)).then_some(kind);
        }
    }
    let rest = recipient.strip_prefix("age1")?;
    let bech32 = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match rest.rsplit_once('1') {
        Some(("pq", data)) if bech32(data) => Some(POST_QUANTUM),
        // A plugin chooses its own.
        Some((name, data)) if !name.is_empty() && bech32(data) => Some(""),
        _ => None,
    }
}

struct Found<'a> {
    document: &'a Document<Encrypted>,
    faults: Vec<Error>,
}

impl Found<'_> {
    /// What keeps readers from seeing the same document.
    fn text(&mut self) {
        let obstacles = self.document.obstacles();
        let obstacles = obstacles.filter(|obstacle| obstacle.remedy != Remedy::Nothing);
        self.faults
            .extend(obstacles.map(|obstacle| obstacle.error()));
        self.faults.extend(self.document.line_break());
    }

    fn items(&mut self) {
        let selector = &self.document.metadata().selector;
        let selection = self.document.selection(selector);
        let (mut sealed, mut clear) = (0, 0);
        for ((_, item), selected) in self.document.items().zip(selection) {
            let fault = match item {
                Item::Comment(comment) => comment_fault(comment, selected),
                Item::Scalar(scalar) if scalar.value.is_empty() => None,
                Item::Scalar(scalar) => {
                    let count = if selected { &mut sealed } else { &mut clear };
                    *count += 1;
                    value_fault(scalar, selected)
                }
            };
            self.faults.extend(fault);
        }
        if sealed == 0 && clear > 0 {
            let (field, _) = selector.field();
            self.block_fault(
                ErrorCode::SelectorMatchesNothing,
                field,
                "the rule of the file selects no value, so everything stands in clear; seal it anew with another rule",
            );
        }
    }

    fn block(&mut self) {
        let metadata = self.document.metadata();
        if let Selector::EncryptedCommentRegex(pattern)
        | Selector::EncryptedRegex(pattern)
        | Selector::UnencryptedCommentRegex(pattern)
        | Selector::UnencryptedRegex(pattern) = &metadata.selector
            && !pattern.compiles()
        {
            let (field, _) = metadata.selector.field();
            self.block_fault(
                ErrorCode::InvalidSelector,
                field,
                "the expression does not compile anywhere, so it matches nothing; seal the file anew with another rule",
            );
        }
        if Timestamp::parse(&metadata.last_modified).is_err() {
            self.block_fault(
                ErrorCode::TimestampInvalid,
                "lastmodified",
                "this is no time like 2026-11-21T08:30:00Z; take the file from a version that was not edited by hand",
            );
        }
        let is_mac = |sealed: &SealedValue<'_>| sealed.kind == "str" && sealed.length() == MAC;
        match SealedValue::parse(&metadata.mac) {
            Some(Ok(sealed)) if is_mac(&sealed) => {}
            _ => self.block_fault(
                ErrorCode::MacMismatch,
                "mac",
                "the file has no well-formed MAC, so nobody can tell whether it was altered; seal it anew",
            ),
        }
        let sealed_text = |text: &str| matches!(SealedValue::parse(text), Some(Ok(_)));
        if metadata
            .layout
            .as_deref()
            .is_some_and(|layout| !sealed_text(layout))
        {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "stackseal_layout",
                "the layout beside the values is not sealed; seal the file anew",
            );
        }
        let carried = self
            .document
            .roots()
            .iter()
            .all(|root| carries_block(self.document.format(), root));
        if !carried {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "",
                "a document of the file has no sops block, so read alone it would count as plain; seal the file anew",
            );
        } else if !same_blocks(self.document) {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "",
                "the documents have different sops blocks, of which the first alone counts; seal the file anew",
            );
        }
    }

    /// Who can open the document, as far as the texts tell.
    fn keys(&mut self) {
        let metadata = self.document.metadata();
        let groups = metadata.key_groups.len();
        if metadata.age_entries().next().is_none() && metadata.foreign_names().next().is_none() {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "",
                "No keys found in file: the block names nobody who could open it",
            );
        }
        if metadata.groups_passed_over {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "key_groups",
                "key groups stand beside the keys, where they count for nothing, but whoever they name may hold the data key; \
                 'stackseal rotate -i' takes them out, under a new data key",
            );
        }
        if groups > 0
            && metadata
                .shamir_threshold
                .is_some_and(|needed| needed > groups)
        {
            self.block_fault(
                ErrorCode::ThresholdInvalid,
                "shamir_threshold",
                "more key groups are needed to open the file than it has; seal it anew",
            );
        }
        let lines = self.key_lines();
        self.entries(&metadata.age, None, DATA_KEY, &lines);
        let of_groups = self.document.block_line("key_groups");
        for (at, group) in metadata.key_groups.iter().enumerate() {
            // With one group alone there are no shares.
            let length = if groups > 1 { DATA_KEY + 1 } else { DATA_KEY };
            self.entries(&group.age, Some(at), length, &lines);
            if group.age.is_empty() && group.foreign.is_empty() {
                let path = format!("sops.key_groups[{at}]");
                let message =
                    "the key group has no keys, so nobody can open its part; seal the file anew";
                self.fault(ErrorCode::MetadataInvalid, path, of_groups, message);
            }
        }
    }

    /// Where the keys stand: the number of their group, if they have one, their own, and the first line.
    fn key_lines(&self) -> BTreeMap<(Option<usize>, usize), usize> {
        let root = self.document.roots().first();
        let leaves = root.map(|root| self.document.format().block_leaves(root));
        let mut lines = BTreeMap::new();
        for (path, _, line) in leaves.unwrap_or_default() {
            let (group, rest) = match path.as_slice() {
                [Segment::Key(name), Segment::Index(group), rest @ ..]
                    if name.as_ref() == "key_groups" =>
                {
                    (Some(*group), rest)
                }
                rest => (None, rest),
            };
            if let [Segment::Key(name), Segment::Index(at), ..] = rest
                && name.as_ref() == "age"
            {
                lines.entry((group, *at)).or_insert(line);
            }
        }
        lines
    }

    /// The copies of the data key, or of a share of it, in a list of the block.
    fn entries(
        &mut self,
        entries: &[AgeEntry],
        group: Option<usize>,
        length: usize,
        lines: &BTreeMap<(Option<usize>, usize), usize>,
    ) {
        let whose = group.map_or_else(String::new, |group| format!("key_groups[{group}]."));
        let mut known = BTreeSet::new();
        for (at, entry) in entries.iter().enumerate() {
            let line = lines.get(&(group, at)).copied();
            let path = format!("sops.{whose}age[{at}]");
            let recipient = entry.recipient.trim();
            if !known.insert(recipient::words(recipient).collect::<Vec<_>>()) {
                let message = format!("{recipient} stands twice in the list; seal the file anew");
                self.fault(ErrorCode::RecipientMismatch, path.clone(), line, &message);
            }
            if let Err((code, message)) = check_entry(recipient, &entry.enc, length) {
                self.fault(code, path, line, &message);
            }
        }
    }

    fn block_fault(&mut self, code: ErrorCode, field: &str, message: &str) {
        let path = match field {
            "" => String::from("sops"),
            field => format!("sops.{field}"),
        };
        self.fault(code, path, self.document.block_line(field), message);
    }

    fn fault(&mut self, code: ErrorCode, path: String, line: Option<usize>, message: &str) {
        let error = Error::input(code, message).at_path(path);
        self.faults.push(match line {
            Some(line) => error.at_line(line),
            None => error,
        });
    }
}

/// Whether an entry of the block may hold what its recipient needs.
fn check_entry(recipient: &str, enc: &str, length: usize) -> Result<(), (ErrorCode, String)> {
    let broken = |what: &str| {
        let message = format!(
            "the copy of the data key for {recipient} {what}; take the file from an earlier version"
        );
        (ErrorCode::AgeFileInvalid, message)
    };
    let expected = stanza_of(recipient).ok_or_else(|| {
        // What stands there may be anything, a private key too.
        let message =
            "the recipient is none of the kinds that age knows; correct it, or seal the file anew";
        (ErrorCode::InvalidRecipient, String::from(message))
    })?;
    let file = armor::decode(enc).map_err(|_| broken("is no age file"))?;
    let envelope = Envelope::parse(&file).map_err(|_| broken("is no age file"))?;
    // age puts such stanzas beside the others so that readers do not rely on their number.
    let real = envelope
        .stanzas()
        .iter()
        .filter(|stanza| !stanza.kind().ends_with("-grease"));
    let kinds: Vec<_> = real.map(|stanza| stanza.kind()).collect();
    let native = ["X25519", "ssh-ed25519", "ssh-rsa", "scrypt"];
    match (kinds.as_slice(), expected) {
        ([kind], "") if !native.contains(kind) => {}
        ([kind], expected) if *kind == expected => {}
        ([_], _) => return Err(broken("is wrapped for a key of another kind")),
        _ => return Err(broken("can be opened by more than one key, or by none")),
    }
    match envelope.payload_length() {
        Some(found) if found == length => Ok(()),
        _ => Err(broken("does not have the length of a data key")),
    }
}

fn comment_fault(comment: &Comment, selected: bool) -> Option<Error> {
    let place = |error: Error| {
        let error = error.at_line(comment.line);
        match comment.path.depth() {
            0 => error,
            _ => error.at_path(&comment.path),
        }
    };
    let sealed = SealedValue::parse(&comment.text);
    let fault = match sealed {
        Some(Ok(sealed)) if selected => (sealed.kind != "comment")
            .then(|| malformed("the sealed comment is labelled as a value")),
        Some(Err(error)) if selected => Some(error),
        Some(_) => Some(Error::input(
            ErrorCode::ValueLooksSealed,
            "the comment looks sealed, but the rule of the file does not select it, so it would not be opened",
        )),
        None if selected && !comment.text.trim().is_empty() => Some(Error::input(
            ErrorCode::CommentNotSealed,
            "the rule of the file seals this comment, but it stands in clear; open and seal the file anew",
        )),
        None => None,
    };
    fault.map(place)
}

fn value_fault(scalar: &Scalar, selected: bool) -> Option<Error> {
    let place = |error: Error| error.at_line(scalar.line).at_path(&scalar.path);
    if !selected {
        let text = scalar.value.as_str().unwrap_or_default();
        return SealedValue::parse(text).is_some().then(|| {
            place(Error::input(
                ErrorCode::ValueLooksSealed,
                "the value looks sealed, but no rule selects it; readers would take the ciphertext as the value",
            ))
        });
    }
    let text = sealed_text(scalar);
    let fault = match SealedValue::parse(&text) {
        None => Some(Error::input(
            ErrorCode::LeafNotSealed,
            "the rule of the file seals this value, but it stands in clear; seal it, and change what it opens",
        )),
        Some(Err(error)) => Some(error),
        Some(Ok(sealed)) => label_fault(&sealed, scalar),
    };
    fault.map(place)
}

/// What the type label says must fit the place and the length, which is that of the plaintext.
fn label_fault(sealed: &SealedValue<'_>, scalar: &Scalar) -> Option<Error> {
    let in_list = matches!(scalar.path.last(), Some(Segment::Index(_)));
    let text = scalar.value.as_str().unwrap_or_default();
    if sealed_text(scalar).len() < text.trim_end_matches(['\n', '\r']).len() {
        return Some(malformed(
            "something stands in clear behind the sealed value",
        ));
    }
    let fits = match sealed.kind {
        "str" => true,
        "bool" => (1..=5).contains(&sealed.length()),
        "comment" => in_list,
        "float" => (1..=1100).contains(&sealed.length()),
        "int" => (1..=20).contains(&sealed.length()),
        "time" => (20..=35).contains(&sealed.length()),
        _ => {
            return Some(malformed(
                "the type that the sealed value states is not known",
            ));
        }
    };
    (!fits).then(|| malformed("the type that the sealed value states cannot be its own"))
}

fn malformed(what: &str) -> Error {
    Error::input(
        ErrorCode::LeafMalformed,
        format!("{what}; take it from a version that was not edited by hand"),
    )
}

fn starts_with(path: &[Segment], fields: &[&str]) -> bool {
    let mut keys = path.iter().zip(fields);
    path.len() >= fields.len()
        && keys
            .all(|(segment, field)| matches!(segment, Segment::Key(key) if key.as_ref() == *field))
}

/// Bytes of a data key.
const DATA_KEY: usize = 32;

/// Characters of a SHA-512 hash.
const MAC: usize = 128;

/// The stanza of a post-quantum recipient.
const POST_QUANTUM: &str = "mlkem768x25519";

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec;

    use super::*;
    use crate::format::Format;
    use crate::limits::Limits;
    use crate::vectors;

    /// The codes of what is found in a text, or the one that keeps it from being read.
    fn codes(format: Format, text: &[u8]) -> Vec<&'static str> {
        match Document::<Encrypted>::parse_as(format, text, &Limits::generous()) {
            Ok(document) => document
                .verify()
                .iter()
                .map(|error| error.code().as_str())
                .collect(),
            Err(error) => vec![error.code().as_str()],
        }
    }

    /// The recorded cases in which something is to be found; without a key, that is less than a reader finds.
    const FAULTY: &[(&str, &[&str])] = &[
        ("068-sel-no-match", &["selector-matches-nothing"]),
        (
            "069-sel-invalid-regex",
            &["selector-matches-nothing", "invalid-selector"],
        ),
        // The reference seals a comment that its own rule does not select when it is read again.
        (
            "074-sel-comment-regex-list-comment-broken",
            &["value-looks-sealed"],
        ),
        ("091-tamper-comment-added", &["comment-not-sealed"]),
        ("094-tamper-plain-in-encrypted-zone", &["leaf-not-sealed"]),
        ("095-tamper-int-in-encrypted-zone", &["leaf-not-sealed"]),
        ("098-tamper-type-unknown", &["leaf-malformed"]),
        ("099-tamper-trailing-junk", &["leaf-malformed"]),
        ("100-tamper-mac-removed", &["mac-mismatch"]),
        ("102-tamper-lastmodified-missing", &["metadata-invalid"]),
        ("103-tamper-version-missing", &["metadata-invalid"]),
        (
            "104-tamper-two-selectors-in-metadata",
            &["metadata-invalid"],
        ),
        ("105-tamper-truncated", &["metadata-invalid"]),
    ];

    #[test]
    fn what_the_reference_wrote_is_whole_in_every_format() {
        let mut faulty: BTreeMap<_, _> = FAULTY.iter().copied().collect();
        let mut whole = 0;
        for name in vectors::names("sops/cases") {
            let case = vectors::json(&format!("sops/cases/{name}/case.json"));
            let Some(file) = case["encrypted"].as_str() else {
                continue;
            };
            let format = Format::of_word(case["format"].as_str().unwrap()).unwrap();
            let found = codes(format, &vectors::read(&format!("sops/cases/{name}/{file}")));
            assert_eq!(
                found,
                faulty.remove(name.as_str()).unwrap_or_default(),
                "{name}"
            );
            whole += usize::from(found.is_empty());
        }
        assert!(faulty.is_empty(), "{faulty:?}");
        assert!(whole > 120, "only {whole}");
    }

    const FILE: &str = "a: ENC[AES256_GCM,data:eA==,iv:eHh4,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
plain_unencrypted: x
list:
    - ENC[AES256_GCM,data:eHg=,iv:eHh4,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:int]
sops:
    age:
        - recipient: RECIPIENT
          enc: |
ARMOR
    lastmodified: \"2026-01-01T00:00:00Z\"
    mac: ENC[AES256_GCM,data:MAC,iv:eHh4,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
    unencrypted_suffix: _unencrypted
    version: 3.11.0
";

    fn armored(stanzas: &[&str], payload: usize) -> String {
        let mut file = Vec::from("age-encryption.org/v1\n");
        for kind in stanzas {
            file.extend_from_slice(format!("-> {kind} eHh4\neHh4\n").as_bytes());
        }
        file.extend_from_slice(b"--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
        file.extend(vec![7; 32 + payload]);
        let lines = armor::encode(&file);
        let lines = lines.lines().map(|line| format!("            {line}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn file(recipient: &str, armor: &str) -> String {
        // 128 bytes
        let mac = format!("{}eHg=", "eHh4".repeat(42));
        let file = FILE.replace("RECIPIENT", recipient).replace("ARMOR", armor);
        file.replace("data:MAC", &format!("data:{mac}"))
    }

    const RECIPIENT: &str = "age1l32nv2pdpuanraswt84vju0p0rdln5dhfx504vdht09f9n4y5qsqkw5uyf";

    #[test]
    fn each_fault_has_its_code_and_line() {
        let good = file(RECIPIENT, &armored(&["X25519"], 32));
        for (from, to, expected) in [
            ("", "", ""),
            (
                "a: ENC[AES256_GCM,data:eA==",
                "a: ENC[AES256_GCM,data:eA",
                "leaf-malformed 1",
            ),
            (
                "a: ENC[AES256_GCM",
                "a: ENC[AES128_GCM",
                "leaf-not-sealed 1",
            ),
            (
                "type:str]\nplain",
                "type:comment]\nplain",
                "leaf-malformed 1",
            ),
            ("type:str]\nplain", "type:bytes]\nplain", "leaf-malformed 1"),
            ("type:str]\nplain", "type:time]\nplain", "leaf-malformed 1"),
            (
                "type:str]\nplain",
                "type:str] hunter2\nplain",
                "leaf-malformed 1",
            ),
            (
                "_unencrypted: x",
                "_unencrypted: ENC[AES256_GCM,data:eA==]",
                "value-looks-sealed 2",
            ),
            (
                "plain_unencrypted: x",
                "# clear\nplain_unencrypted: x",
                "comment-not-sealed 2",
            ),
            // A text that is sealed keeps its own.
            ("- ENC", "- &a ENC", ""),
            ("- ENC", "- !a ENC", ""),
            (
                "plain_unencrypted: x",
                "plain_unencrypted: &a x\nb: *a",
                "alias-in-sealed-document 3",
            ),
            ("2026-01-01", "soon", "timestamp-invalid 15"),
            ("data:eHh4eHh4", "data:eHh4", "mac-mismatch 16"),
            (
                "recipient: age1l",
                "recipient: age1m",
                "invalid-recipient 7",
            ),
            (
                "recipient: age1l",
                "recipient: age1x1l",
                "age-file-invalid 7",
            ),
            ("-----BEGIN AGE", "-----BEGIN", "age-file-invalid 7"),
            (
                "unencrypted_suffix: _unencrypted",
                "encrypted_regex: '('",
                "value-looks-sealed 1",
            ),
            (
                "unencrypted_suffix: _unencrypted",
                "encrypted_suffix: z",
                "value-looks-sealed 1",
            ),
            (
                "version:",
                "stackseal_layout: hunter2\n    version:",
                "metadata-invalid 18",
            ),
            ("sops:", "c: \"\"\nd: null\ne: {}\nsops:", ""),
            ("sops:", "sops: # hunter2", "comment-not-sealed 5"),
            (
                "    age:",
                "    # hunter2\n    age:",
                "comment-not-sealed 6",
            ),
            (
                "    mac:",
                "    note: hunter2\n    mac:",
                "metadata-invalid 16",
            ),
            ("    mac:", "    note: \"\"\n    pgp: []\n    mac:", ""),
            ("sops:", "sops: &hunter2", "metadata-invalid 6"),
            ("sops:", "sops: !hunter2", "metadata-invalid 6"),
            ("sops:", "&hunter2 sops:", "metadata-invalid 5"),
            ("- recipient", "- &hunter2 recipient", "metadata-invalid 7"),
            ("enc: |", "enc: !hunter2 |", "metadata-invalid 9"),
            ("version: 3", "version: !hunter2 3", "metadata-invalid 18"),
            ("version: 3.11.0", "version: 3.12.0-rc.1", ""),
            (
                "version: 3.11.0",
                "version: 3.11.0-hunter2",
                "metadata-invalid 18",
            ),
            (
                "version: 3.11.0",
                "version: 3.11.0+hunter2",
                "metadata-invalid 18",
            ),
            (
                "version:",
                "mac_only_encrypted: yes\n    version:",
                "metadata-invalid 18",
            ),
            (
                "          enc: |",
                "          note: hunter2\n          enc: |",
                "metadata-invalid 8",
            ),
            (
                "    mac:",
                "    key_groups:\n        - pgp:\n            - fp: hunter2\n              enc: hunter2\n              created_at: \"2026-01-02T03:04:05Z\"\n    mac:",
                "metadata-invalid 18",
            ),
            // Two words that begin as a sealed value does are none.
            ("sops:", "c_unencrypted: ENC[x]\nsops:", ""),
            (
                "version: 3.11.0\n",
                "version: 3.11.0\n---\na: 1\n",
                "metadata-invalid 5",
            ),
        ] {
            let text = good.replacen(from, to, 1);
            assert!(from.is_empty() || text != good, "{from}");
            let document =
                Document::<Encrypted>::parse(text.as_bytes(), &Limits::generous()).unwrap();
            let found = document.verify();
            let first = found.first().map(|error| {
                let line = error
                    .fault()
                    .and_then(|fault| fault.line)
                    .unwrap_or_default();
                format!("{} {line}", error.code().as_str())
            });
            assert_eq!(first.unwrap_or_default(), expected, "{to}: {found:?}");
        }
    }

    #[test]
    fn a_block_in_lines_is_there_once_with_each_name_once() {
        for (case, format, block, line) in [
            ("sops_mac=hunter2\n", Format::Dotenv, "sops_", "sops_mac="),
            ("[sops]\nx = hunter2\n", Format::Ini, "[sops]", ""),
            ("mac = hunter2\n", Format::Ini, "[sops]", "[sops]\n"),
            ("; hunter2\n", Format::Ini, "[sops]", "[sops]\n"),
            ("sops_note=hunter2\n", Format::Dotenv, "sops_", "sops_mac="),
            ("note = hunter2\n", Format::Ini, "[sops]", "[sops]\n"),
        ] {
            let text = vectors::names("sops/cases").into_iter().find_map(|name| {
                let found = vectors::json(&format!("sops/cases/{name}/case.json"));
                let file = found["encrypted"].as_str()?;
                let is = Format::of_word(found["format"].as_str()?) == Some(format);
                let text = vectors::read(&format!("sops/cases/{name}/{file}"));
                let whole = is && codes(format, &text).is_empty();
                whole.then(|| String::from_utf8(text).unwrap())
            });
            let text = text.unwrap();
            assert!(text.contains(block));
            let text = match line {
                "" => format!("{text}\n{case}"),
                line if line.ends_with('\n') => text.replacen(line, &format!("{line}{case}"), 1),
                line => text.replacen(line, &format!("{case}{line}"), 1),
            };
            assert!(!codes(format, text.as_bytes()).is_empty(), "{case}");
        }
    }

    #[test]
    fn what_only_readers_of_yaml_take_for_a_line_break_is_fine_elsewhere() {
        let text = vectors::names("sops/cases").into_iter().find_map(|name| {
            let found = vectors::json(&format!("sops/cases/{name}/case.json"));
            let file = found["encrypted"].as_str()?;
            let text = vectors::read(&format!("sops/cases/{name}/{file}"));
            let whole = found["format"] == "json" && codes(Format::Json, &text).is_empty();
            whole.then(|| String::from_utf8(text).unwrap())
        });
        let text = text.unwrap();
        let text = text.replacen('{', "{\"c_unencrypted\": \"x\u{2028}\u{85}\",", 1);
        assert_eq!(codes(Format::Json, text.as_bytes()), [""; 0]);
    }

    #[test]
    fn a_copy_of_the_data_key_is_one_stanza_of_its_recipients_kind() {
        for (recipient, stanzas, length, good) in [
            (RECIPIENT, &["X25519"][..], 32, true),
            (RECIPIENT, &["X25519", "x-grease"], 32, true),
            (RECIPIENT, &["X25519", "X25519"], 32, false),
            (RECIPIENT, &["x-grease"], 32, false),
            (RECIPIENT, &["ssh-ed25519"], 32, false),
            (RECIPIENT, &["scrypt"], 32, false),
            (RECIPIENT, &["X25519"], 33, false),
            (RECIPIENT, &["X25519"], 16, false),
            ("ssh-ed25519 AAAA me", &["ssh-ed25519"], 32, true),
            ("ssh-rsa AAAA", &["ssh-rsa"], 32, true),
            ("ssh-rsa AAAA", &["ssh-ed25519"], 32, false),
            ("ssh-dss AAAA", &["ssh-dss"], 32, false),
            ("age1yubikey1qqqq", &["piv-p256"], 32, true),
            ("age1yubikey1qqqq", &["X25519"], 32, false),
            ("age1pq1qqqq", &["mlkem768x25519"], 32, true),
            ("age1pq1qqqq", &["piv-p256"], 32, false),
            ("nobody", &["X25519"], 32, false),
        ] {
            let found = codes(
                Format::Yaml,
                file(recipient, &armored(stanzas, length)).as_bytes(),
            );
            assert_eq!(
                found.is_empty(),
                good,
                "{recipient} {stanzas:?} {length}: {found:?}"
            );
        }
    }

    #[test]
    fn shares_of_several_groups_are_a_byte_longer_and_a_group_needs_keys() {
        let group = |length| {
            format!(
                "- age:\n  - recipient: {RECIPIENT}\n    enc: |\n{}\n",
                armored(&["X25519"], length)
            )
        };
        let with = |groups: &[String], threshold: usize| {
            let file = file(RECIPIENT, "");
            let (before, rest) = file.split_once("    age:\n").unwrap();
            let (_, after) = rest.split_once("    lastmodified").unwrap();
            let groups = groups.concat().replace('\n', "\n      ");
            let text = format!(
                "{before}    shamir_threshold: {threshold}\n    key_groups:\n      {groups}\n    lastmodified{after}"
            );
            codes(Format::Yaml, text.as_bytes())
        };
        assert_eq!(with(&[group(33), group(33)], 2), Vec::<&str>::new());
        assert_eq!(with(&[group(33), group(32)], 2), ["age-file-invalid"]);
        assert_eq!(with(&[group(33), group(33)], 3), ["threshold-invalid"]);
        assert_eq!(
            with(&[group(33), String::from("- x: x\n")], 2),
            ["metadata-invalid", "metadata-invalid"]
        );
        // A group of empty lists is not there at all.
        assert_eq!(
            with(&[group(33), String::from("- age: []\n")], 2),
            ["threshold-invalid", "age-file-invalid"]
        );
    }
}
