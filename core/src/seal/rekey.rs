//! Other recipients under the same data key: only the keys in the `sops` block change.
//!
//! Values, MAC and time stay to the byte, and nothing is opened but what tells whether the data key is the file's.

use alloc::vec::Vec;

use super::block::no_place;
use super::keys;
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted};
use crate::error::{Error, ErrorCode};
use crate::metadata::Renewed;
use crate::random::Random;
use crate::recipient::Recipient;

impl Document<Encrypted> {
    /// The document for these recipients. Several groups share the data key, of which `threshold` are needed; `None` or 0
    /// for all. With one group it means nothing, and is written as it is given. Whoever stays in the only group keeps the
    /// copy that is there; keys of every other kind go.
    ///
    /// # Security
    /// Whoever goes has read the data key, and still opens every version of the file that is sealed under it.
    ///
    /// # Errors
    /// `recipient-missing` for an empty group; `threshold-invalid`; `data-key-invalid` when the data key is another
    /// file's; `layout-unsupported` when the block cannot be written into this text; `random-failed`.
    pub fn with_keys(
        &self,
        data_key: &DataKey,
        groups: &[Vec<Recipient>],
        threshold: Option<usize>,
        random: &mut dyn Random,
    ) -> Result<Self, Error> {
        keys::check(groups)?;
        if !self.is_sealed_under(data_key) {
            return Err(Error::key(
                ErrorCode::DataKeyInvalid,
                "the data key in the block opens nothing of the file, so others would get a key that is of no use; take the file from an earlier version",
            ));
        }
        let metadata = keys::replaced(self.metadata(), data_key, groups, threshold, random)?;
        let written = self.with_block(&[], &metadata, Renewed::Keys, &|written| {
            written.body() == self.body() && written.roots().len() == self.roots().len()
        });
        written.ok_or_else(no_place)
    }

    /// Whether the MAC or, where that does not open, a value opens under the key. A file without either has nothing that
    /// could be lost.
    fn is_sealed_under(&self, data_key: &DataKey) -> bool {
        let is_bare =
            || self.metadata().mac.is_empty() && !self.leaves().iter().any(|leaf| leaf.sealed);
        self.check_data_key(data_key).is_ok() || self.opens_somewhere(data_key) || is_bare()
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::document::Plain;
    use crate::format::Format;
    use crate::limits::Limits;
    use crate::metadata::Metadata;
    use crate::open::Opened;
    use crate::recipient::Identity;
    use crate::seal::{Options, Sealing};
    use crate::selector::Selector;
    use crate::timestamp::Timestamp;
    use crate::vectors;

    const TEXTS: [(Format, &str); 8] = [
        (Format::Yaml, "# top\na: one\nb: [1, \"two\"] # side\n"),
        (Format::Yaml, "a: x\n---\nb: z\n"),
        (Format::Yaml, "a: x\r\nb: z\r\n"),
        (Format::Yaml, "a: x\nb: z"),
        (Format::Json, "{\n  \"a\": \"x\",\n  \"b\": 2\n}\n"),
        (Format::Dotenv, "A=x\n# c\nB=z\n"),
        (Format::Ini, "[s]\na = x\n"),
        (Format::Binary, "anything"),
    ];

    fn identities() -> Vec<Identity> {
        let mut random = vectors::repeatable(5);
        let mut make = || Identity::generate(&mut random).unwrap();
        vec![make(), make(), make()]
    }

    fn recipients(identities: &[&Identity]) -> Vec<Recipient> {
        identities.iter().map(|it| it.recipient()).collect()
    }

    fn sealed(format: Format, text: &str, to: &[&Identity]) -> Document<Encrypted> {
        let plain = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default());
        let sealing = Sealing {
            recipients: &recipients(to),
            selector: &Selector::default(),
            now: Timestamp::parse("2026-01-02T03:04:05Z").unwrap(),
            random: &mut vectors::repeatable(6),
        };
        plain
            .unwrap()
            .seal_with(sealing, &Options::default())
            .unwrap()
    }

    fn parsed(format: Format, text: &str) -> Document<Encrypted> {
        Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::default()).unwrap()
    }

    fn opened(document: &Document<Encrypted>, by: &[&Identity]) -> Result<Opened, Error> {
        let data_key = document.data_key_by(&mut |entry| {
            let file = crate::age::armor::decode(&entry.enc).ok()?;
            let mut opened = by
                .iter()
                .map(|it| crate::age::decrypt(&file, core::slice::from_ref(it)));
            opened.find_map(Result::ok)
        })?;
        document.open(&data_key)
    }

    fn rekeyed(
        document: &Document<Encrypted>,
        by: &Identity,
        groups: &[Vec<Recipient>],
    ) -> Document<Encrypted> {
        let data_key = opened(document, &[by]).unwrap().data_key().clone();
        let random = &mut vectors::repeatable(7);
        document.with_keys(&data_key, groups, None, random).unwrap()
    }

    /// The lines that say who can open a document are those between these two.
    fn without_keys(text: &str) -> Vec<&str> {
        let is_key = |line: &&str| {
            let line = line.trim_start();
            let one_of = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
            one_of(&["age:", "- recipient:", "enc: |", "-----", "YWdl"])
                || line.len() == 64
                || line.ends_with("=")
        };
        text.lines().filter(|line| !is_key(line)).collect()
    }

    #[test]
    fn others_open_the_document_and_values_mac_and_time_stay() {
        let identities = identities();
        let [one, two, three] = identities.as_slice() else {
            panic!()
        };
        for (format, text) in TEXTS {
            let before = sealed(format, text, &[one, two]);
            let after = rekeyed(&before, one, &[recipients(&[three, two])]);
            assert!(opened(&after, &[one]).is_err(), "{format:?}");
            for by in [two, three] {
                let opened = opened(&after, &[by]).unwrap();
                assert_eq!(&*opened.plain().content(), text.as_bytes(), "{format:?}");
            }
            assert_eq!(after.body(), before.body());
            let (old, new) = (before.metadata(), after.metadata());
            assert_eq!(
                (&old.mac, &old.last_modified, &old.version),
                (&new.mac, &new.last_modified, &new.version)
            );
            // Who stays keeps the copy that is there.
            assert_eq!(old.age[1], new.age[1]);
            let back = rekeyed(&after, two, &[recipients(&[one, two])]);
            assert_eq!(back.text().len(), before.text().len(), "{format:?}");
        }
    }

    #[test]
    fn several_groups_share_the_key_and_one_gets_it_whole_again() {
        let identities = identities();
        let [one, two, three] = identities.as_slice() else {
            panic!()
        };
        for (format, text) in TEXTS {
            let before = sealed(format, text, &[one]);
            let groups = [recipients(&[one]), recipients(&[two, three])];
            let shared = rekeyed(&before, one, &groups);
            assert_eq!(shared.metadata().shamir_threshold, Some(2));
            assert_eq!(shared.body(), before.body());
            assert!(opened(&shared, &[one]).is_err());
            let both = opened(&shared, &[one, three]).unwrap();
            let random = &mut vectors::repeatable(8);
            let groups = [recipients(&[one])];
            let whole = shared
                .with_keys(both.data_key(), &groups, None, random)
                .unwrap();
            assert_eq!(whole.metadata().shamir_threshold, None);
            assert!(whole.metadata().key_groups.is_empty());
            assert_eq!(whole.body(), before.body());
            assert!(opened(&whole, &[one]).is_ok());
        }
    }

    #[test]
    fn only_the_lines_of_the_keys_change_however_the_block_is_laid_out() {
        let identities = identities();
        let [one, two, _] = identities.as_slice() else {
            panic!()
        };
        let usual = sealed(Format::Yaml, "a: x\n", &[one]).text().to_owned();
        let narrow = usual
            .replace("\n            ", "\n        ")
            .replace("\n          enc", "\n      enc")
            .replace("\n        - ", "\n    - ")
            .replace("\n    age", "\n  age")
            .replace("\n    lastm", "\n  lastm")
            .replace("\n    mac", "\n  mac")
            .replace("\n    unenc", "\n  unenc")
            .replace("\n    version", "\n  version");
        let older = usual
            .replace(
                "\n    age:",
                "\n    kms: []\n    pgp: []\n    # who\n    age:",
            )
            .replace("\n    mac:", "\n    other: {x: [1]}\n    mac:");
        let (block, rest) = (usual.find("sops:").unwrap(), "zz_unencrypted: 1 # last\n");
        let in_front = format!("{}{}{rest}", &usual[block..], &usual[..block]);
        let dashes_left = usual
            .replace("\n        - ", "\n    - ")
            .replace("\n          enc", "\n      enc");
        let texts = [
            &usual,
            &narrow,
            &older,
            &in_front,
            &dashes_left,
            &usual.replace('\n', "\r\n"),
        ];
        for text in texts {
            let before = parsed(Format::Yaml, text);
            let data_key = before.data_key(core::slice::from_ref(one)).unwrap();
            for to in [vec![two], vec![one, two]] {
                let groups = [recipients(&to)];
                let random = &mut vectors::repeatable(7);
                let after = before.with_keys(&data_key, &groups, None, random).unwrap();
                assert_eq!(without_keys(after.text()), without_keys(text));
                assert_eq!(
                    after.data_key(core::slice::from_ref(two)).unwrap(),
                    data_key
                );
            }
            let random = &mut vectors::repeatable(7);
            let same = before
                .with_keys(&data_key, &[recipients(&[one])], None, random)
                .unwrap();
            if !core::ptr::eq(text, &dashes_left) {
                assert_eq!(same.text(), text);
            }
        }
    }

    #[test]
    fn a_block_in_braces_is_written_anew() {
        let identities = identities();
        let [one, two, _] = identities.as_slice() else {
            panic!()
        };
        let before = sealed(Format::Yaml, "a: x\n", &[one]);
        let Metadata {
            mac,
            last_modified,
            age,
            ..
        } = before.metadata();
        let enc = age[0].enc.replace('\n', "\\n");
        let text = format!(
            "{}sops: {{age: [{{recipient: {}, enc: \"{enc}\"}}], lastmodified: \"{last_modified}\", mac: \"{mac}\", version: 3.9.0}}\n",
            before.body(),
            one.recipient(),
        );
        let after = rekeyed(&parsed(Format::Yaml, &text), one, &[recipients(&[two])]);
        assert!(
            after.text().contains("\nsops:\n    age:\n"),
            "{}",
            after.text()
        );
        assert!(opened(&after, &[two]).is_ok());
    }

    #[test]
    fn a_data_key_of_another_file_and_groups_of_nobody_are_refused() {
        let identities = identities();
        let [one, ..] = identities.as_slice() else {
            panic!()
        };
        let mut random = vectors::repeatable(9);
        let document = sealed(Format::Yaml, "a: x\n", &[one]);
        let other = DataKey::generate(&mut random).unwrap();
        let groups = [recipients(&[one])];
        let error = document
            .with_keys(&other, &groups, None, &mut random)
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::DataKeyInvalid);

        let data_key = document.data_key(core::slice::from_ref(one)).unwrap();
        for groups in [vec![], vec![vec![]], vec![recipients(&[one]), vec![]]] {
            let error = document
                .with_keys(&data_key, &groups, None, &mut random)
                .unwrap_err();
            assert_eq!(error.code(), ErrorCode::RecipientMissing);
        }
        let groups = [recipients(&[one]), recipients(&[one])];
        for threshold in [1, 3] {
            let error = document.with_keys(&data_key, &groups, Some(threshold), &mut random);
            assert_eq!(error.unwrap_err().code(), ErrorCode::ThresholdInvalid);
        }
    }

    #[test]
    fn a_mac_that_does_not_match_is_no_obstacle() {
        let identities = identities();
        let [one, two, _] = identities.as_slice() else {
            panic!()
        };
        let sealed = sealed(Format::Yaml, "a: x\nb_unencrypted: 1\n", &[one]);
        let data_key = sealed.data_key(core::slice::from_ref(one)).unwrap();
        let mac = &sealed.metadata().mac;
        let changed = sealed
            .text()
            .replace("b_unencrypted: 1", "b_unencrypted: 2");
        for text in [changed.clone(), changed.replace(mac.as_str(), "\"\"")] {
            let document = parsed(Format::Yaml, &text);
            let random = &mut vectors::repeatable(7);
            let after = document.with_keys(&data_key, &[recipients(&[two])], None, random);
            assert_eq!(without_keys(after.unwrap().text()), without_keys(&text));
        }
    }
}
