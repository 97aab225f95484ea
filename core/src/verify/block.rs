//! What stands in the `sops` block beside what belongs there. No MAC covers any of it and no rule seals it, so it may
//! be a secret in clear: comments, fields that nobody knows, and names that stand twice, of which one alone is read.

use alloc::collections::BTreeSet;

use super::Found;
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Item, Root};
use crate::format::{Format, yaml};
use crate::metadata::shape::KEYS;
use crate::path::{Path, Segment};
use crate::value::Value;

impl Found<'_> {
    /// Looks at everything in the blocks.
    pub(super) fn beside_block(&mut self) {
        let document = self.document;
        for root in document.roots() {
            self.comments_and_names(root);
            self.properties(root);
        }
        self.version();
        // The others are the same, or that is told.
        let leaves = document.roots().first();
        let leaves = leaves.map(|root| document.format().block_leaves(root));
        for (path, value, line) in leaves.unwrap_or_default() {
            let why = match path.as_slice() {
                _ if value.is_empty() => None,
                // Whatever else is read as one of them, nobody writes.
                [Segment::Key(name)] if name.as_ref() == "mac_only_encrypted" => {
                    let is_written = matches!(value, Value::Boolean(_));
                    (!is_written).then_some("this is neither true nor false; seal the file anew")
                }
                path => (!is_known(path)).then_some(
                    "sops knows no such field, and nothing seals or covers it; take it out of the block",
                ),
            };
            if let Some(why) = why {
                let mut of_block = Path::default().child(Segment::Key("sops".into()));
                path.into_iter().for_each(|segment| of_block.push(segment));
                self.faults.push(
                    Error::input(ErrorCode::MetadataInvalid, why)
                        .at_path(of_block)
                        .at_line(line),
                );
            }
        }
    }

    /// Anchors and tags, which may say anything.
    fn properties(&mut self, root: &Root) {
        if self.document.format() != Format::Yaml {
            return;
        }
        let block = yaml::metadata::find(self.document.text(), root).unwrap_or_default();
        for (at, line) in &root.properties {
            if block.contains(at) {
                let message = "an anchor or a tag stands in the sops block, where nobody writes one and nothing covers \
                               it; take it out";
                self.faults.push(
                    Error::input(ErrorCode::MetadataInvalid, message)
                        .at_path("sops")
                        .at_line(*line),
                );
            }
        }
    }

    /// Words behind the numbers may say anything, too.
    fn version(&mut self) {
        let version = &self.document.metadata().version;
        let word = |word: &str| {
            let stage = word.trim_end_matches(|c: char| c.is_ascii_digit());
            word.len() < 10 && (stage.is_empty() || STAGES.contains(&stage))
        };
        let (numbers, words) = version.split_once('-').unwrap_or((version, ""));
        if numbers.len() > 20 || numbers.contains('+') || !words.split(['.', '-']).all(word) {
            self.block_fault(
                ErrorCode::MetadataInvalid,
                "version",
                "no release has this version, so it may say anything; seal the file anew",
            );
        }
    }

    fn comments_and_names(&mut self, root: &Root) {
        let document = self.document;
        let in_block = document.format().in_block(document.text(), root);
        let mut names = BTreeSet::new();
        for item in root.items.iter().filter(|item| in_block(item)) {
            let (code, line, message) = match item {
                Item::Comment(comment) if comment.text.trim().is_empty() => continue,
                Item::Comment(comment) => (
                    ErrorCode::CommentNotSealed,
                    comment.line,
                    "a comment stands in the sops block, where nothing seals it; take it out",
                ),
                Item::Scalar(scalar) if names.insert(scalar.path.to_segments()) => continue,
                Item::Scalar(scalar) => (
                    ErrorCode::DuplicateKey,
                    scalar.line,
                    "this name stands twice in the sops block, and one of them alone counts; take the file from a \
                     version that was not edited by hand",
                ),
            };
            self.faults
                .push(Error::input(code, message).at_path("sops").at_line(line));
        }
    }
}

/// Whether a leaf of the block is one that `sops` writes, or that this program writes beside.
fn is_known(path: &[Segment]) -> bool {
    match path {
        [Segment::Key(name)] => FIELDS.contains(&name.as_ref()),
        [Segment::Key(name), Segment::Index(_), key @ ..] if name.as_ref() == "key_groups" => {
            is_of_key(key)
        }
        _ => is_of_key(path),
    }
}

fn is_of_key(path: &[Segment]) -> bool {
    let [
        Segment::Key(kind),
        Segment::Index(_),
        Segment::Key(field),
        rest @ ..,
    ] = path
    else {
        return false;
    };
    let (kind, field) = (kind.as_ref(), field.as_ref());
    match rest {
        [] => KEYS
            .iter()
            .any(|(name, fields)| *name == kind && fields.contains(&field)),
        [Segment::Key(_)] => (kind, field) == ("kms", "context"),
        _ => false,
    }
}

/// What stands behind the numbers of a version that is not released yet.
const STAGES: [&str; 5] = ["alpha", "beta", "dev", "pre", "rc"];

const FIELDS: [&str; 12] = [
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "lastmodified",
    "mac",
    "mac_only_encrypted",
    "shamir_threshold",
    "stackseal_layout",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
    "version",
];
