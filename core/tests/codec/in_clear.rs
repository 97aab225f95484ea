//! Values that stand in clear in a sealed document: who asks for them gets them, and is told which they are.

use stackseal_core::{
    Document, Encrypted, ErrorCode, Format, Limits, Opened, Plain, Sealing, Selector,
};

use crate::support::{Seeded, identity, recipients, time};

/// A text, and the same with a value more, as it is put into the sealed text, too.
const TEXTS: [(Format, &str, &str, &str); 4] = [
    (
        Format::Yaml,
        "a: one\nb: two\n",
        "b: two\n",
        "b: two\nc: 3\n",
    ),
    (
        Format::Json,
        "{\"a\": \"one\", \"b\": \"two\"}\n",
        "\"two\"",
        "\"two\", \"c\": true",
    ),
    (
        Format::Dotenv,
        "a=one\nb=two\n",
        "b=two\n",
        "b=two\nc=clear\n",
    ),
    (
        Format::Ini,
        "[s]\na = one\nb = two\n",
        "b = two\n",
        "b = two\nc = clear\n",
    ),
];

fn sealed(format: Format, text: &str) -> Document<Encrypted> {
    let plain = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default()).unwrap();
    let sealing = Sealing {
        recipients: &recipients(&[1]),
        selector: &Selector::encrypted_regex("^(a|c)$").unwrap(),
        now: time(0),
        random: &mut Seeded(7),
    };
    plain.seal(sealing).unwrap()
}

fn parsed(format: Format, text: &str) -> Document<Encrypted> {
    Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::default()).unwrap()
}

fn again(opened: &Opened) -> Document<Encrypted> {
    let random = &mut Seeded(8);
    opened
        .reseal_as_before(opened.plain(), time(1), random)
        .unwrap()
}

#[test]
fn what_was_added_is_told_and_the_mac_speaks_for_the_rest() {
    for (format, text, from, to) in TEXTS {
        let before = sealed(format, text);
        let key = before.data_key(&[identity(1)]).unwrap();
        let found = before.open_with_clear(&key).unwrap();
        assert!(found.in_clear.is_empty() && found.others_match && !found.opened.has_clear());

        let added = parsed(format, &before.text().replacen(from, to, 1));
        for refused in [added.open(&key), added.open_without_mac(&key)] {
            assert_eq!(refused.unwrap_err().code(), ErrorCode::LeafNotSealed);
        }
        let found = added.open_with_clear(&key).unwrap();
        let [(line, path)] = found.in_clear.as_slice() else {
            panic!("{format:?}: {:?}", found.in_clear)
        };
        assert!(*line > 0 && path.dotted().ends_with('c'), "{path}");
        assert!(found.others_match && found.opened.has_clear(), "{format:?}");
        assert_eq!(found.opened.plain().text(), text.replacen(from, to, 1));

        let changed = added.text().replacen("two", "six", 1);
        let found = parsed(format, &changed).open_with_clear(&key).unwrap();
        assert!(!found.others_match, "{format:?}");
    }
}

#[test]
fn it_is_sealed_when_the_document_is_although_nothing_changes() {
    for (format, text, from, to) in TEXTS {
        let before = sealed(format, text);
        let key = before.data_key(&[identity(1)]).unwrap();
        let added = parsed(format, &before.text().replacen(from, to, 1));
        let found = added.open_with_clear(&key).unwrap();
        let sealed = again(&found.opened);
        let in_clear: Vec<_> = sealed
            .leaves()
            .into_iter()
            .filter(|leaf| !leaf.sealed)
            .collect();
        assert!(
            in_clear
                .iter()
                .all(|leaf| leaf.path.dotted().ends_with('b'))
        );
        let opened = sealed.open(&key).unwrap();
        assert_eq!(opened.plain().text(), text.replacen(from, to, 1));
        // What was sealed keeps its ciphertext.
        let ciphertext = |of: &Document<Encrypted>| {
            let mut leaves = of.leaves_with_text();
            leaves.find_map(|(leaf, text)| leaf.sealed.then(|| text.unwrap().to_owned()))
        };
        assert_eq!(ciphertext(&sealed), ciphertext(&before));
        // And then there is nothing more to do.
        assert_eq!(again(&opened).text(), sealed.text());
    }
}
