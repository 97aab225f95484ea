//! A new data key: everything that is sealed is sealed anew where it stands, and nothing else changes.
//!
//! The result is parsed and opened again: it must say what the document said.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;

use super::block::no_place;
use super::keys;
use crate::cipher::{Cipher, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted};
use crate::error::Error;
use crate::format::Edit;
use crate::format::parts::Item;
use crate::layout;
use crate::mac;
use crate::metadata::{Metadata, Renewed};
use crate::open::{self, Pass};
use crate::path::Path;
use crate::random::Random;
use crate::recipient::Recipient;
use crate::timestamp::Timestamp;

/// What a rotation needs besides the document and its data key.
pub struct Rotation<'a> {
    /// Who shall be able to open the document: one group, or several that share the data key.
    pub groups: &'a [Vec<Recipient>],
    /// How many of several groups are needed; `None` or 0 for all.
    pub threshold: Option<usize>,
    /// The time of the change.
    pub now: Timestamp,
    /// Whether the document is rotated although its MAC does not match its values.
    pub ignore_mac: bool,
    /// The generator for data key, nonces and wrapping.
    pub random: &'a mut dyn Random,
}

impl fmt::Debug for Rotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("groups", &self.groups)
            .field("threshold", &self.threshold)
            .field("now", &self.now)
            .field("ignore_mac", &self.ignore_mac)
            .finish_non_exhaustive()
    }
}

impl Document<Encrypted> {
    /// The same document under a new data key. Keys of other kinds than age go, and other fields of the block stay. A
    /// comment that should be sealed and is not gets sealed, as with the reference.
    ///
    /// # Errors
    /// As for opening; `recipient-missing` for an empty group; `threshold-invalid`; `layout-unsupported` when the block
    /// cannot be written into this text; `random-failed`.
    pub fn rotated(&self, data_key: &DataKey, rotation: Rotation<'_>) -> Result<Self, Error> {
        keys::check(rotation.groups)?;
        let opened = self
            .open_leaves(data_key)
            .and_then(|pass| match rotation.ignore_mac {
                true => Ok(pass),
                false => self.compare_mac(data_key, &pass).map(|()| pass),
            });
        let pass = opened.map_err(|error| self.told_by_line_break(error))?;
        let Rotation {
            groups,
            threshold,
            now,
            random,
            ..
        } = rotation;
        let new = DataKey::generate(random)?;
        let mut block = Metadata {
            // The copies of the old data key serve nobody.
            age: Vec::new(),
            last_modified: now.to_string(),
            mac: mac::seal_mac(&new, &pass.mac, &now, random)?,
            layout: None,
            ..self.metadata().clone()
        };
        if let Some(text) = layout::open(data_key, self.metadata().layout.as_deref()) {
            block.layout = Some(layout::seal(&new, &text, random)?);
        }
        let block = keys::replaced(&block, &new, groups, threshold, random)?;
        let (edits, count) = self.sealed_anew(&pass, &new, random)?;
        let rotated = self.with_block(&edits, &block, Renewed::KeysAndMac, &|rotated| {
            let places = rotated.scalars().map(|(at, scalar)| (at, &scalar.path));
            let same_places = places.eq(self.scalars().map(|(at, scalar)| (at, &scalar.path)));
            let says_the_same = |again: Pass<'_>| {
                let mut values = again.intended.iter().zip(&pass.intended);
                again.mac == pass.mac
                    && again.edits.len() == count
                    && again.intended.len() == pass.intended.len()
                    && values.all(|(one, other)| one.1.says_the_same(&other.1))
            };
            same_places
                && rotated.roots().len() == self.roots().len()
                && rotated.comments().count() == self.comments().count()
                && rotated.open_leaves(&new).is_ok_and(says_the_same)
        });
        rotated.ok_or_else(no_place)
    }

    /// What to replace so that everything sealed is sealed under another key, and how much that is.
    fn sealed_anew(
        &self,
        pass: &Pass<'_>,
        data_key: &DataKey,
        random: &mut dyn Random,
    ) -> Result<(Vec<Edit>, usize), Error> {
        let mut cipher = Cipher::new(data_key);
        let most = self.items().count();
        let mut seal = |bytes: &[u8], path: &Path, label: &str| {
            let aad = path.additional_data();
            cipher.seal(bytes, aad.as_bytes(), label, most, random)
        };
        let mut edits = Vec::with_capacity(pass.edits.len());
        for (_, edit) in &pass.edits {
            match edit {
                open::Edit::Comment(comment, text) => {
                    let enc = seal(text.as_bytes(), &comment.path, "comment")?;
                    edits.extend(self.format().sealed_comment(&enc, comment));
                }
                open::Edit::Item(scalar, text) => {
                    let enc = seal(text.as_bytes(), &scalar.path, "comment")?;
                    edits.extend(self.format().sealed(&enc, scalar, self.text()));
                }
                open::Edit::Value(scalar, value) => {
                    let enc = seal(&value.plaintext(), &scalar.path, value.label())?;
                    edits.extend(self.format().sealed(&enc, scalar, self.text()));
                }
            }
        }
        let mut count = pass.edits.len();
        let selection = self.selection(&self.metadata().selector);
        for ((_, item), selected) in self.items().zip(selection) {
            if let Item::Comment(comment) = item
                && selected
                && !comment.text.is_empty()
                && SealedValue::parse(&comment.text).is_none()
            {
                let enc = seal(comment.text.as_bytes(), &comment.path, "comment")?;
                edits.extend(self.format().sealed_comment(&enc, comment));
                count += 1;
            }
        }
        Ok((edits, count))
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use super::*;
    use crate::document::Plain;
    use crate::error::ErrorCode;
    use crate::format::Format;
    use crate::limits::Limits;
    use crate::recipient::Identity;
    use crate::seal::{Options, Sealing};
    use crate::selector::Selector;
    use crate::vectors;

    fn identity() -> Identity {
        Identity::generate(&mut vectors::repeatable(3)).unwrap()
    }

    fn sealed(format: Format, text: &str) -> Document<Encrypted> {
        let plain = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default());
        let sealing = Sealing {
            recipients: &[identity().recipient()],
            selector: &Selector::default(),
            now: Timestamp::parse("2026-01-02T03:04:05Z").unwrap(),
            random: &mut vectors::repeatable(4),
        };
        let options = Options {
            keep_layout: true,
            ..Options::default()
        };
        plain.unwrap().seal_with(sealing, &options).unwrap()
    }

    fn rotated(
        document: &Document<Encrypted>,
        ignore_mac: bool,
    ) -> Result<Document<Encrypted>, Error> {
        let data_key = document.data_key(&[identity()])?;
        let rotation = Rotation {
            groups: &[vec![identity().recipient()]],
            threshold: None,
            now: Timestamp::parse("2026-02-03T04:05:06Z").unwrap(),
            ignore_mac,
            random: &mut vectors::repeatable(5),
        };
        document.rotated(&data_key, rotation)
    }

    fn plain(document: &Document<Encrypted>) -> alloc::string::String {
        let data_key = document.data_key(&[identity()]).unwrap();
        let content = document.open(&data_key).unwrap().plain().content().to_vec();
        alloc::string::String::from_utf8(content).unwrap()
    }

    #[test]
    fn the_same_is_said_under_another_key() {
        for (format, text) in [
            (
                Format::Yaml,
                "# top\na: one # side\nn: .nan\nlist:\n- # in\n  1\n- {f: [true, \"x: y\"]}\nb: |\n  t\n  t\ne: \"\"\n",
            ),
            (
                Format::Yaml,
                "a: 1\n---\n# two\nb: 2001-01-01\n...\n---\nc: x\n",
            ),
            // sealed in another layout, and brought back by what is kept beside
            (Format::Yaml, "a: &x 0x1F\nb: *x\n"),
            (Format::Yaml, "a: 0x1F\n---\n---\nb: 0x2F\r\n---\n"),
            (Format::Yaml, "x: 1"),
            (Format::Yaml, "p_unencrypted: 1\r\nq: 2\r\n"),
            (Format::Json, "{\"a\": 1.5, \"b\": [null, {}, \"\"]}"),
            (Format::Dotenv, "#c\nA=1\n\nB=two\\nlines\n"),
            (Format::Ini, "; c\n[s]\na = 1 ; d\n"),
            (Format::Binary, "any\nthing"),
        ] {
            let before = sealed(format, text);
            let after = rotated(&before, false).unwrap();
            assert_eq!(plain(&after), text);
            assert_eq!(after.metadata().last_modified, "2026-02-03T04:05:06Z");
            let values = |of: &Document<Encrypted>| -> Vec<_> {
                let leaves = of.leaves_with_text();
                let sealed = leaves.filter(|(leaf, _)| leaf.sealed);
                sealed.map(|(_, text)| text.unwrap().to_owned()).collect()
            };
            let (old, new) = (values(&before), values(&after));
            assert_eq!(old.len(), new.len());
            assert!(old.iter().all(|value| !new.contains(value)), "{format:?}");
            let old_key = before.data_key(&[identity()]).unwrap();
            assert_ne!(old_key, after.data_key(&[identity()]).unwrap());
            // The two differ in nothing but what is sealed.
            assert_eq!(before.text().len(), after.text().len());
            assert_eq!(before.text().lines().count(), after.text().lines().count());
        }
    }

    #[test]
    fn the_layout_stands_in_the_first_of_many_blocks_and_may_in_others() {
        let text = "a: 0x1F\n---\nb: 0x2F\n";
        let document = sealed(Format::Yaml, text);
        let lines = |document: &Document<Encrypted>| -> Vec<_> {
            let all = document.text().lines();
            let layouts = all.filter(|line| line.contains("stackseal_layout"));
            layouts.map(str::to_owned).collect()
        };
        let [layout] = lines(&document).try_into().unwrap();
        assert!(document.verify().is_empty());
        let with = |line: &str| {
            let text = alloc::format!("{}{line}\n", document.text());
            Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap()
        };
        // Releases before wrote it into each.
        let older = with(&layout);
        assert!(older.verify().is_empty());
        let after = rotated(&older, false).unwrap();
        let [first, second] = lines(&after).try_into().unwrap();
        assert_eq!(first, second);
        assert_ne!(first, layout);
        assert_eq!(plain(&after), text);
        assert!(!with("    stackseal_layout: hunter2").verify().is_empty());
    }

    #[test]
    fn many_documents_do_not_make_a_file_grow_by_the_square() {
        let length = |documents: usize| {
            let text = alloc::format!("a: 0x1F\n{}", "---\nb: 0x2F\n".repeat(documents));
            sealed(Format::Yaml, &text).text().len()
        };
        assert!(length(80) < 2 * length(40));
    }

    #[test]
    fn the_block_stays_where_and_as_it_is() {
        let usual = sealed(Format::Yaml, "a: x\n");
        let (body, block) = usual.text().split_at(usual.text().find("sops:").unwrap());
        let block = block.replace("    version", "    # mine\n    other: 1\n    version");
        let before = Document::<Encrypted>::parse(
            alloc::format!("{block}{body}").as_bytes(),
            &Limits::default(),
        );
        let after = rotated(&before.unwrap(), false).unwrap();
        assert!(
            after.text().starts_with("sops:\n    age:\n"),
            "{}",
            after.text()
        );
        assert!(
            after
                .text()
                .contains("    # mine\n    other: 1\n    version: 3.11.0\na: ENC[")
        );
        assert_eq!(plain(&after), "a: x\n");
    }

    #[test]
    fn what_was_changed_is_found_unless_that_is_to_be_ignored() {
        let text = sealed(Format::Yaml, "a: x\nb_unencrypted: 1\n#c\n")
            .text()
            .to_owned();
        let parse =
            |text: &str| Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap();
        let changed = parse(&text.replace("b_unencrypted: 1", "b_unencrypted: 2"));
        assert_eq!(
            rotated(&changed, false).unwrap_err().code(),
            ErrorCode::MacMismatch
        );
        assert_eq!(
            plain(&rotated(&changed, true).unwrap()),
            "a: x\nb_unencrypted: 2\n#c\n"
        );
        let bare = parse(&text.replace("a: ENC", "a: BNC"));
        assert_eq!(
            rotated(&bare, true).unwrap_err().code(),
            ErrorCode::LeafNotSealed
        );
        // A comment that stands in clear gets sealed.
        let start = text.find("#ENC").unwrap();
        let line = text[start..].lines().next().unwrap();
        let after = rotated(&parse(&text.replace(line, "#c")), false).unwrap();
        assert!(after.text().contains("#ENC["));
        assert_eq!(plain(&after), "a: x\nb_unencrypted: 1\n#c\n");
    }
}
