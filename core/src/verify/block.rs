//! What stands in the `sops` block beside what belongs there. No MAC covers any of it and no rule seals it, so it may
//! be a secret in clear: comments, fields that nobody knows, and names that stand twice, of which one alone is read.

use alloc::collections::BTreeSet;

use super::Found;
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Item, Root};
use crate::path::{Path, Segment};

impl Found<'_> {
    /// Looks at everything in the blocks.
    pub(super) fn beside_block(&mut self) {
        let document = self.document;
        for root in document.roots() {
            self.comments_and_names(root);
        }
        // The others are the same, or that is told.
        let leaves = document.roots().first();
        let leaves = leaves.map(|root| document.format().block_leaves(root));
        for (path, value, line) in leaves.unwrap_or_default() {
            if !value.is_empty() && !is_known(&path) {
                let mut of_block = Path::default().child(Segment::Key("sops".into()));
                path.into_iter().for_each(|segment| of_block.push(segment));
                self.faults.push(
                    Error::input(
                        ErrorCode::MetadataInvalid,
                        "sops knows no such field, and nothing seals or covers it; take it out of the block",
                    )
                    .at_path(of_block)
                    .at_line(line),
                );
            }
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

/// The kinds of keys, and what is written of each.
const KEYS: [(&str, &[&str]); 7] = [
    ("age", &["enc", "recipient"]),
    (
        "azure_kv",
        &["created_at", "enc", "name", "vault_url", "version"],
    ),
    ("gcp_kms", &["created_at", "enc", "resource_id"]),
    (
        "hc_vault",
        &[
            "created_at",
            "enc",
            "engine_path",
            "key_name",
            "vault_address",
        ],
    ),
    ("hckms", &["created_at", "enc", "key_id"]),
    ("kms", &["arn", "aws_profile", "created_at", "enc", "role"]),
    ("pgp", &["created_at", "enc", "fp"]),
];
