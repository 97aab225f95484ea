//! Another `sops` block in a sealed text: its fields are replaced where they stand, and a block that does not allow that is
//! written anew. Either way the result is parsed again.

use alloc::string::String;

use super::{insertions, with_room};
use crate::document::{Document, Encrypted, Plain, splice};
use crate::error::{Error, ErrorCode};
use crate::format::Edit;
use crate::metadata::{Metadata, Renewed};

impl Document<Encrypted> {
    /// The document with values replaced and another block; `None` when the text does not take it, or the result is not
    /// what it should be by `is_right`.
    pub(super) fn with_block(
        &self,
        edits: &[Edit],
        metadata: &Metadata,
        which: Renewed,
        is_right: &dyn Fn(&Self) -> bool,
    ) -> Option<Self> {
        let proved = |text: String| {
            let written = Self::of_text(self.format(), text.into(), &with_room(self)).ok()?;
            let expected = Metadata {
                // It may have stood in what is replaced.
                unknown: written.metadata().unknown,
                groups_passed_over: written.metadata().groups_passed_over,
                ..metadata.clone()
            };
            (*written.metadata() == expected && is_right(&written)).then_some(written)
        };
        let in_place = self.block_in_place(edits, metadata, which);
        in_place
            .and_then(&proved)
            .or_else(|| proved(self.block_anew(edits, metadata)?))
    }

    fn block_in_place(
        &self,
        edits: &[Edit],
        metadata: &Metadata,
        which: Renewed,
    ) -> Option<String> {
        let mut edits = edits.to_vec();
        for root in self.roots() {
            edits.extend(
                self.format()
                    .with_fields(self.text(), root, metadata, which)?,
            );
        }
        Some(splice(self.text(), &edits))
    }

    /// The text with its blocks at their usual place.
    fn block_anew(&self, edits: &[Edit], metadata: &Metadata) -> Option<String> {
        let parse = |text: String| {
            Document::parse_any(self.format(), text.into(), &with_room(self), Plain).ok()
        };
        let body = match edits {
            [] => self.body(),
            _ => parse(splice(self.text(), edits))?.body(),
        };
        let plain = parse(body)?;
        Some(splice(plain.text(), &insertions(&plain, metadata)))
    }
}

/// That neither way leads to a block.
pub(super) fn no_place() -> Error {
    Error::input(
        ErrorCode::LayoutUnsupported,
        "the sops block stands where it cannot be replaced; decrypt the file and encrypt it again",
    )
    .at_path("sops")
}
