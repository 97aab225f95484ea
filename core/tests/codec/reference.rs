//! Documents as the reference, or a person after it, writes them.

use stackseal_core::{Document, Encrypted, Limits, Opened, Sealing, Selector};

use crate::support::{Seeded, open, plain, recipients, seal, time};

fn read(text: &str) -> Document<Encrypted> {
    Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Seals by the default rule, changes the sealed text, and opens it.
fn open_changed(text: &str, change: impl Fn(&str) -> String) -> Opened {
    let sealed = seal(text, &[]);
    let changed = change(sealed.text());
    assert_ne!(changed, sealed.text());
    open(&read(&changed))
}

/// The reference writes a comment in a list as an item.
fn as_item(sealed: &str) -> String {
    sealed.replace("#ENC[", "- ENC[")
}

fn reseal(opened: &Opened, text: &str) -> Document<Encrypted> {
    let sealing = Sealing {
        recipients: &recipients(&[1]),
        selector: &Selector::default(),
        now: time(9),
        random: &mut Seeded(99),
    };
    opened.reseal(&plain(text), sealing).unwrap()
}

#[test]
fn a_list_of_empty_collections_needs_no_other_item() {
    for text in [
        "s:\n- []\n# x\n- {}\nb: w\n",
        "s:\n- - []\n# x\n- {}\nb: w\n",
        "s:\n- v\n# x\n- z\nb: c\n",
    ] {
        assert_eq!(open_changed(text, as_item).plain().text(), text);
    }
}

#[test]
fn the_first_of_several_documents_stays_when_nothing_else_stands_in_it() {
    for (text, again) in [
        ("---\n---\ns: x\n", "{}\n---\ns: x\n"),
        ("# a\n---\n---\ns: x\n", "# a\n{}\n---\ns: x\n"),
    ] {
        let opened = open_changed(text, |sealed| sealed.replacen("---\n", "", 1));
        assert_eq!(opened.plain().text(), again);
    }
}

#[cfg(feature = "formats")]
#[test]
fn a_number_has_the_type_it_was_sealed_with_also_when_it_is_written_like_another() {
    use stackseal_core::Format;

    let opened = open(&read(seal("a: 1.0\nb: 1\n", &[]).text()));
    assert_eq!(opened.plain().text(), "a: 1\nb: 1\n");
    let dotenv = opened.plain().converted(Format::Dotenv, Default::default());
    assert_eq!(dotenv.unwrap().as_slice(), b"a=1.0\nb=1\n");
}

#[test]
fn the_block_ends_where_its_last_entry_ends() {
    let text = "a: x\n# c\n";
    for ending in [
        "    pgp: []\n",
        "    note:\n    - {}\n    pgp: [\n    ]\n",
        "    pgp:\n",
    ] {
        let opened = open_changed(text, |sealed| sealed.to_owned() + ending);
        assert_eq!(opened.plain().text(), text);
    }
    let opened = open_changed("a: x\n", |sealed| {
        let (body, block) = sealed.split_once("sops:\n").unwrap();
        let (age, rest) = block.split_once("    lastmodified: ").unwrap();
        let (_, enc) = age.split_once("enc: |\n").unwrap();
        let enc: Vec<&str> = enc.lines().map(str::trim).collect();
        let fields: Vec<String> = format!("    lastmodified: {rest}")
            .lines()
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                format!("{name}: \"{}\",\n", value.trim_matches('"'))
            })
            .collect();
        format!(
            "{body}sops: {{\n  age: [{{enc: \"{}\\n\"}}],\n{}}}\n",
            enc.join("\\n"),
            fields.concat()
        )
    });
    assert_eq!(opened.plain().text(), "a: x\n");
}

#[test]
fn an_entry_opens_whatever_its_label() {
    for label in [
        "- enc: |",
        "- recipient: age1other\n          enc: |",
        "- recipient:\n          enc: |",
    ] {
        let opened = open_changed("a: x\n", |sealed| {
            let (before, rest) = sealed.split_once("- recipient: ").unwrap();
            let (_, rest) = rest.split_once("enc: |").unwrap();
            format!("{before}{label}{rest}")
        });
        assert_eq!(opened.plain().text(), "a: x\n");
    }
}

#[test]
fn a_sealed_value_may_be_written_as_a_block() {
    let opened = open_changed("a: x\nb: w\n", |sealed| {
        sealed.replacen("a: ENC", "a: |\n  ENC", 1)
    });
    assert_eq!(open_again(&opened), "a: |-\n  x\nb: w\n");
}

/// Whatever is not changed keeps its ciphertext, or nothing is written.
fn open_again(opened: &Opened) -> String {
    let text = opened.plain().text().to_owned();
    let sealed = reseal(opened, &text);
    assert_eq!(sealed.text(), opened.sealed().text());
    let sealed = reseal(opened, &format!("{text}extra: 1\n"));
    let enc = |text: &str| -> Vec<String> {
        let parts = text.split("ENC[").skip(1);
        parts
            .map(|part| part.split(']').next().unwrap().to_owned())
            .collect()
    };
    let kept = enc(sealed.text());
    for (number, part) in enc(opened.sealed().text()).iter().enumerate() {
        // The last is the MAC.
        assert_eq!(kept.contains(part), number + 1 < kept.len() - 1, "{part}");
    }
    text
}

#[test]
fn values_behind_comment_items_keep_their_ciphertext() {
    let text = "s:\n- a\n# x\n- b\n- c: d\n# y\n- e\nt: u\n";
    let opened = open_changed(text, as_item);
    assert_eq!(open_again(&opened), text);
}
