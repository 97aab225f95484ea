//! What each format does with a text: the table that sealing and opening go by.

use alloc::vec;
use alloc::vec::Vec;

use super::parts::{Comment, Item, Parsed, Root, Scalar};
use super::yaml::write::Caution;
use super::{Edit, Format, yaml};
use crate::error::Error;
use crate::limits::Limits;
#[cfg(feature = "formats")]
use crate::metadata::{Metadata, Renewed};
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::tree::Node;
use crate::value::Value;

impl Format {
    /// The parts of a text.
    pub(crate) fn parse(self, text: &Text, limits: &Limits) -> Result<Parsed, Error> {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary | Self::Json => super::json::parse(text, limits),
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::parse(text, limits),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::parse(text, limits),
            Self::Yaml => yaml::parse::parse(text, limits),
        }
    }

    /// Whether rules choose values: of a binary file all is sealed.
    pub(crate) fn takes_rules(self) -> bool {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary => false,
            _ => true,
        }
    }

    /// A sealed value in the place of its plain form.
    pub(crate) fn sealed(self, enc: &str, at: &Scalar, text: &str) -> Vec<Edit> {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary | Self::Json => super::json::sealed(enc, at),
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::sealed(enc, at),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::sealed(enc, at),
            Self::Yaml => yaml::write::sealed(enc, at, text),
        }
    }

    /// A sealed comment in the place of its plain form.
    pub(crate) fn sealed_comment(self, enc: &str, at: &Comment) -> Vec<Edit> {
        match self {
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::sealed_comment(enc, at),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::sealed_comment(enc, at),
            _ => vec![(at.span.range(), alloc::format!("#{enc}"))],
        }
    }

    /// An opened value in the place of its sealed form.
    pub(crate) fn opened(
        self,
        value: &Value,
        at: &Scalar,
        text: &str,
        caution: Caution,
    ) -> Result<Vec<Edit>, Error> {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary | Self::Json => super::json::opened(value, at),
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::opened(value, at),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::opened(value, at, text),
            Self::Yaml => Ok(yaml::write::opened(value, at, text, caution)),
        }
    }

    /// An opened comment in the place of its sealed form.
    pub(crate) fn opened_comment(self, text: &str, at: &Comment) -> Vec<Edit> {
        match self {
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::opened_comment(text, at),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::opened_comment(text, at),
            _ => vec![(at.span.range(), alloc::format!("#{text}"))],
        }
    }

    /// Whether a comment may hold such a text.
    pub(crate) fn takes_comment(self, text: &str) -> bool {
        match self {
            #[cfg(feature = "formats")]
            Self::Dotenv => !text.contains('\n'),
            #[cfg(feature = "formats")]
            Self::Ini => true,
            _ => !text.contains(['\n', '\r']),
        }
    }

    /// Whether an item belongs to the `sops` block of its document.
    pub(crate) fn in_block(self, text: &str, root: &Root) -> impl Fn(&Item) -> bool + use<> {
        // In YAML a comment behind the block may be told to be of it by its column.
        let block = match self {
            Self::Yaml => Some(yaml::metadata::find(text, root).unwrap_or_default()),
            #[cfg(feature = "formats")]
            _ => None,
        };
        move |item| match item {
            // A null has no extent: it is told by its path, not by where it stands.
            Item::Scalar(scalar) => self.names_block(&scalar.path),
            Item::Comment(comment) => match &block {
                Some(block) => block.contains(&comment.span.start()),
                None => self.names_block(&comment.path),
            },
        }
    }

    /// Whether a path leads into the block.
    pub(crate) fn names_block(self, path: &Path) -> bool {
        match path.first() {
            Some(Segment::Key(key)) => self.is_block_key(key),
            Some(Segment::Index(_)) => path.keys().next().is_some_and(|key| self.is_block_key(key)),
            None => false,
        }
    }

    /// Whether a top key stands for the block, or for a part of it.
    pub(crate) fn is_block_key(self, key: &str) -> bool {
        match self {
            #[cfg(feature = "formats")]
            Self::Dotenv => key.starts_with("sops_"),
            _ => key == yaml::metadata::KEY,
        }
    }

    /// The leaves of the block, with their paths below it and their lines.
    pub(crate) fn block_leaves(self, root: &Root) -> Vec<(Vec<Segment>, Value, usize)> {
        #[cfg(feature = "formats")]
        if let Self::Dotenv | Self::Ini = self {
            let leaves = match self {
                Self::Ini => super::ini::block_leaves(root),
                _ => super::dotenv::block_leaves(root),
            };
            return leaves
                .into_iter()
                .map(|(path, value, line)| (path.to_segments(), value, line))
                .collect();
        }
        let below = |item: &Item| match item {
            Item::Scalar(scalar) if self.names_block(&scalar.path) => {
                let below = scalar.path.segments().skip(1).cloned().collect();
                Some((below, scalar.value.clone(), scalar.line))
            }
            _ => None,
        };
        root.items.iter().filter_map(below).collect()
    }

    /// The block, added to a document.
    pub(crate) fn insertion(self, text: &str, root: &Root, block: &Node) -> Edit {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary => super::json::insertion(text, root, &super::binary::without_rule(block)),
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::insertion(text, root, block),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::insertion(text, root, block),
            #[cfg(feature = "formats")]
            Self::Json => super::json::insertion(text, root, block),
            Self::Yaml => yaml::metadata::insertion(text, root, block),
        }
    }

    /// What to replace so that the block has other fields in the place of some and is otherwise as it stands; `None` where
    /// the format or the block's layout does not allow that. Keys of other kinds than age go.
    #[cfg(feature = "formats")]
    pub(crate) fn with_fields(
        self,
        text: &str,
        root: &Root,
        metadata: &Metadata,
        which: Renewed,
    ) -> Option<Vec<Edit>> {
        match self {
            // Their blocks are sorted, or in no order at all: written anew they are what they were.
            Self::Dotenv | Self::Ini => None,
            Self::Binary => {
                let block = super::binary::without_rule(&metadata.to_node());
                super::json::replacement(text, root, &block)
            }
            Self::Json => super::json::replacement(text, root, &metadata.to_node()),
            Self::Yaml => yaml::renew::with_fields(text, root, metadata, which),
        }
    }

    /// What to replace so that a document goes on without its block; `None` when it has none.
    pub(crate) fn removal(self, text: &str, root: &Root) -> Option<Vec<Edit>> {
        match self {
            #[cfg(feature = "formats")]
            Self::Binary | Self::Json => super::json::removal(text, root),
            #[cfg(feature = "formats")]
            Self::Dotenv => super::dotenv::removal(text, root),
            #[cfg(feature = "formats")]
            Self::Ini => super::ini::removal(text, root),
            #[cfg(feature = "formats")]
            // One that is written as `{…}`, such as JSON under another name.
            Self::Yaml if root.shapes.first().is_some_and(|top| top.flow) => {
                super::json::removal(text, root)
            }
            Self::Yaml => yaml::metadata::removal(text, root).map(|edit| vec![edit]),
        }
    }
}
