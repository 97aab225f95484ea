use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::format::Format;
use crate::limits::Limits;
use crate::recipient::Identity;
use crate::seal::{Options, Rotation, Sealing};
use crate::selector::Selector;
use crate::vectors;

fn people() -> Vec<Identity> {
    let mut random = vectors::repeatable(3);
    (0..4)
        .map(|_| Identity::generate(&mut random).unwrap())
        .collect()
}

fn recipients(of: &[usize]) -> Vec<Recipient> {
    let people = people();
    of.iter().map(|at| people[*at].recipient()).collect()
}

fn time(day: u8) -> Timestamp {
    Timestamp::parse(&alloc::format!("2026-01-0{day}T03:04:05Z")).unwrap()
}

fn parsed(format: Format, text: &str) -> Document<Plain> {
    Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::generous()).unwrap()
}

fn opened(document: &Document<Encrypted>) -> Opened {
    let people = people();
    let key = people
        .iter()
        .find_map(|one| document.data_key(core::slice::from_ref(one)).ok());
    document.open(&key.unwrap()).unwrap()
}

/// A sealed document and versions of it.
struct Seals {
    format: Format,
    selector: Selector,
    seed: u64,
}

impl Seals {
    fn of(format: Format) -> Self {
        Self {
            format,
            selector: Selector::default(),
            seed: 10,
        }
    }

    fn first(&mut self, text: &str, to: &[usize]) -> Opened {
        self.seed += 1;
        let sealing = Sealing {
            recipients: &recipients(to),
            selector: &self.selector,
            now: time(1),
            random: &mut vectors::repeatable(self.seed),
        };
        let options = Options {
            keep_layout: true,
            accept_nothing: true,
            ..Options::default()
        };
        opened(
            &parsed(self.format, text)
                .seal_with(sealing, &options)
                .unwrap(),
        )
    }

    fn changed(&mut self, base: &Opened, text: &str) -> Opened {
        self.seed += 1;
        let sealing = Sealing {
            recipients: &[],
            selector: &base.metadata().selector,
            now: time(2),
            random: &mut vectors::repeatable(self.seed),
        };
        let options = Options {
            keep_layout: true,
            accept_nothing: true,
            keep_keys: true,
            ..Options::default()
        };
        opened(
            &base
                .reseal_with(&parsed(self.format, text), sealing, &options)
                .unwrap(),
        )
    }

    fn rotated(&mut self, base: &Opened, to: &[usize]) -> Opened {
        self.seed += 1;
        let rotation = Rotation {
            groups: &[recipients(to)],
            threshold: None,
            now: time(3),
            ignore_mac: false,
            random: &mut vectors::repeatable(self.seed),
        };
        opened(&base.sealed().rotated(base.data_key(), rotation).unwrap())
    }

    /// As `updatekeys` does it: the data key stays.
    fn rekeyed(&mut self, base: &Opened, to: &[usize]) -> Opened {
        self.seed += 1;
        let random = &mut vectors::repeatable(self.seed);
        let document = base
            .sealed()
            .with_keys(base.data_key(), &[recipients(to)], None, random);
        opened(&document.unwrap())
    }
}

fn merge(base: Option<&Opened>, ours: &Opened, theirs: &Opened) -> Merged {
    let versions = Versions {
        base: base.map(Version::Sealed),
        ours: Version::Sealed(ours),
        theirs: Version::Sealed(theirs),
    };
    merge_versions(&versions)
}

fn merge_versions(versions: &Versions<'_>) -> Merged {
    let merging = Merging {
        now: time(9),
        recipient: &mut |name| Recipient::parse(name).ok(),
        random: &mut vectors::repeatable(99),
    };
    versions.merge(merging).unwrap()
}

#[track_caller]
fn clean(merged: Merged) -> Opened {
    match merged {
        Merged::Clean(document) => opened(&document),
        Merged::Conflicting(it) => panic!("conflicts: {}", told(&it.conflicts).join("; ")),
        Merged::Apart(conflicts) => panic!("apart: {}", told(&conflicts).join("; ")),
    }
}

fn told(conflicts: &[Conflict]) -> Vec<String> {
    conflicts.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn conflicting(merged: Merged) -> Conflicting {
    match merged {
        Merged::Conflicting(conflicting) => *conflicting,
        Merged::Apart(conflicts) => panic!("apart: {}", told(&conflicts).join("; ")),
        Merged::Clean(_) => panic!("no conflict"),
    }
}

#[track_caller]
fn apart(merged: Merged) -> Vec<String> {
    match merged {
        Merged::Apart(conflicts) => told(&conflicts),
        _ => panic!("it was brought together"),
    }
}

fn plain(opened: &Opened) -> String {
    String::from_utf8(opened.plain().content().to_vec()).unwrap()
}

#[track_caller]
fn merged_text(format: Format, base: &str, ours: &str, theirs: &str) -> String {
    let mut seals = Seals::of(format);
    let base = seals.first(base, &[0]);
    let (ours, theirs) = (seals.changed(&base, ours), seals.changed(&base, theirs));
    plain(&clean(merge(Some(&base), &ours, &theirs)))
}

#[track_caller]
fn conflicts(format: Format, base: &str, ours: &str, theirs: &str) -> Vec<String> {
    let mut seals = Seals::of(format);
    let base = seals.first(base, &[0]);
    let (ours, theirs) = (seals.changed(&base, ours), seals.changed(&base, theirs));
    let conflicting = conflicting(merge(Some(&base), &ours, &theirs));
    // Both sides are whole.
    opened(&conflicting.ours);
    opened(&conflicting.theirs);
    told(&conflicting.conflicts)
}

#[test]
fn what_each_side_changed_comes_together() {
    for (format, base, ours, theirs, expected) in [
        (
            Format::Yaml,
            "a: 1\nb: 2\nc: 3\n",
            "a: x\nb: 2\nc: 3\n",
            "a: 1\nb: 2\nc: y\n",
            "a: x\nb: 2\nc: y\n",
        ),
        // side by side
        (
            Format::Yaml,
            "a: 1\nb: 2\n",
            "a: x\nb: 2\n",
            "a: 1\nb: y\n",
            "a: x\nb: y\n",
        ),
        // the same
        (
            Format::Yaml,
            "a: 1\nb: 2\n",
            "a: x\nb: 2\n",
            "a: x\nb: 2\n",
            "a: x\nb: 2\n",
        ),
        // both add at the end
        (
            Format::Yaml,
            "a: 1\n",
            "a: 1\nb: 2\n",
            "a: 1\nc: 3\n",
            "a: 1\nb: 2\nc: 3\n",
        ),
        // both add the same key, and one another
        (
            Format::Yaml,
            "a: 1\n",
            "a: 1\nb: 2\n",
            "b: 2\na: 1\nc: 3\n",
            "a: 1\nb: 2\nc: 3\n",
        ),
        // one removes, the other changes elsewhere
        (
            Format::Yaml,
            "a: 1\nb: 2\nc: 3\n",
            "b: 2\nc: 3\n",
            "a: 1\nb: 2\nc: y\n",
            "b: 2\nc: y\n",
        ),
        // both remove the same
        (Format::Yaml, "a: 1\nb: 2\n", "b: 2\n", "b: 2\n", "b: 2\n"),
        // comments
        (
            Format::Yaml,
            "# one\na: 1\nb: 2\n",
            "# two\na: 1\nb: 2\n",
            "# one\na: 1\nb: y # y\n",
            "# two\na: 1\nb: y # y\n",
        ),
        // on one line
        (
            Format::Yaml,
            "m: {a: 1, b: 2}\n",
            "m: {a: x, b: 2}\n",
            "m: {a: 1, b: w}\n",
            "m: {a: x, b: w}\n",
        ),
        (
            Format::Yaml,
            "a: 1 # c\n",
            "a: 1 # d\n",
            "a: 2 # c\n",
            "a: 2 # d\n",
        ),
        // nested, and layout kept
        (
            Format::Yaml,
            "m:\n  a: 1\n\n  b:\n  - x\n  - y\n",
            "m:\n  a: 0x10\n\n  b:\n  - x\n  - y\n",
            "m:\n  a: 1\n\n  b:\n  - x\n  - \"z\"\n  c: [ ]\n",
            "m:\n  a: 0x10\n\n  b:\n  - x\n  - \"z\"\n  c: [ ]\n",
        ),
        // lists
        (
            Format::Yaml,
            "l: [a, b, c]\n",
            "l: [x, a, b, c]\n",
            "l: [a, b, w]\n",
            "l: [x, a, b, w]\n",
        ),
        (
            Format::Yaml,
            "l:\n- a: 1\n  b: 2\n",
            "l:\n- a: x\n  b: 2\n",
            "l:\n- a: 1\n  b: y\n",
            "l:\n- a: x\n  b: y\n",
        ),
        (
            Format::Yaml,
            "l:\n- a\n- b\n- c\n",
            "l:\n- b\n- c\n",
            "l:\n- a\n- b\n- d\n- c\n",
            "l:\n- b\n- d\n- c\n",
        ),
        // several documents
        (
            Format::Yaml,
            "a: 1\n---\nb: {c: 2, d: 3}\n",
            "a: x\n---\nb: {c: y, d: 3}\n",
            "a: 1\n---\nb: {c: 2, d: z}\n",
            "a: x\n---\nb: {c: y, d: z}\n",
        ),
        (
            Format::Yaml,
            "a: 1\n",
            "a: 1\n---\nb: 2\n",
            "a: x\n",
            "a: x\n---\nb: 2\n",
        ),
        // what the rule leaves in clear
        (
            Format::Yaml,
            "a: 1\nb_unencrypted: 2\nc: 3\n",
            "a: 1\nb_unencrypted: x\nc: 3\n",
            "a: 1\nb_unencrypted: 2\nc: y\n",
            "a: 1\nb_unencrypted: x\nc: y\n",
        ),
        // block values are one value each
        (
            Format::Yaml,
            "a: |\n  x\n  y\nb: |\n  z\n",
            "a: |\n  x\n  Y\nb: |\n  z\n",
            "a: |\n  x\n  y\nb: |\n  z\n  w\n",
            "a: |\n  x\n  Y\nb: |\n  z\n  w\n",
        ),
        // no line break at the end
        (
            Format::Yaml,
            "a: 1",
            "a: 1\nb: 2",
            "a: 1\nc: 3",
            "a: 1\nb: 2\nc: 3",
        ),
        (
            Format::Json,
            "{\"a\": 1, \"b\": \"2\"}",
            "{\"a\": 3, \"b\": \"2\"}",
            "{\"a\": 1, \"b\": \"x\"}",
            "{\"a\": 3, \"b\": \"x\"}",
        ),
        (
            Format::Json,
            "{\n  \"a\": \"1\"\n}\n",
            "{\n  \"a\": \"1\",\n  \"b\": \"2\"\n}\n",
            "{\n  \"a\": \"1\",\n  \"c\": \"3\"\n}\n",
            "{\n  \"a\": \"1\",\n  \"b\": \"2\",\n  \"c\": \"3\"\n}\n",
        ),
        (
            Format::Dotenv,
            "A=1\nB=2\n",
            "A=x\nB=2\n",
            "A=1\nB=2\n#c\nC=3\n",
            "A=x\nB=2\n#c\nC=3\n",
        ),
        (
            Format::Dotenv,
            "A=1\nA=2\n",
            "A=1\nA=3\n",
            "A=0\nA=2\n",
            "A=0\nA=3\n",
        ),
        (
            Format::Ini,
            "[s]\na = 1\n\n[t]\nb = 2\n",
            "[s]\na = x\n\n[t]\nb = 2\n",
            "[s]\na = 1\n\n[t]\nb = 2\nc = 3\n",
            "[s]\na = x\n\n[t]\nb = 2\nc = 3\n",
        ),
        (Format::Binary, "one", "one", "two", "two"),
        (Format::Binary, "one", "two", "two", "two"),
    ] {
        assert_eq!(merged_text(format, base, ours, theirs), expected);
    }
}

#[test]
fn what_both_changed_differently_is_told_by_path() {
    let yaml = Format::Yaml;
    for (format, base, ours, theirs, expected) in [
        (
            yaml,
            "a: 1\nb: 2\n",
            "a: x\nb: 2\n",
            "a: y\nb: 3\n",
            &["a: both sides changed it, differently"][..],
        ),
        (
            yaml,
            "m: {a: 1, b: 2}\n",
            "m: {a: x, b: 3}\n",
            "m: {b: 4}\n",
            &[
                "m.a: ours changed it, theirs removed it",
                "m.b: both sides changed it, differently",
            ],
        ),
        (
            yaml,
            "a: 1\n",
            "a: 1\nb: x\n",
            "a: 1\nb: y\n",
            &["b: both sides added it, differently"],
        ),
        (
            yaml,
            "a: 1\nb: 1\n",
            "a: 1\n",
            "a: 1\nb: 2\n",
            &["b: ours removed it, theirs changed it"],
        ),
        // one value, whatever its lines
        (
            yaml,
            "a: |\n  x\n  y\n  z\n",
            "a: |\n  X\n  y\n  z\n",
            "a: |\n  x\n  y\n  Z\n",
            &["a: both sides changed it, differently"],
        ),
        (
            yaml,
            "l: [a]\n",
            "l: [a, b]\n",
            "l: [a, c]\n",
            &["l: both sides changed it, differently"],
        ),
        (
            yaml,
            "l: [a, b]\n",
            "l: [a, x]\n",
            "l: [a, y]\n",
            &["l[1]: both sides changed it, differently"],
        ),
        (
            yaml,
            "l: [a, b]\n",
            "l: [a]\n",
            "l: [a, y]\n",
            &["l: both sides changed it, differently"],
        ),
        (
            yaml,
            "a: 1\n",
            "a: \"1\"\n",
            "a: 2\n",
            &["a: both sides changed it, differently"],
        ),
        (
            yaml,
            "a: 1\n",
            "a: {b: 1}\n",
            "a: [1]\n",
            &["a: both sides changed it, differently"],
        ),
        (
            yaml,
            "a: 1\n",
            "a: {b: 1, d: 1}\n",
            "a: {c: 1, d: 2}\n",
            &["a.d: both sides added it, differently"],
        ),
        (
            yaml,
            "# c\na: 1\n",
            "# d\na: 1\n",
            "# e\na: 1\n",
            &["a comment: theirs added it where both changed the same lines"],
        ),
        (
            yaml,
            "x: 1\n---\na: 1\n",
            "x: 1\n---\na: 2\n",
            "x: 1\n---\na: 3\n",
            &["document 2: a: both sides changed it, differently"],
        ),
        (
            yaml,
            "a_unencrypted: 1\n",
            "a_unencrypted: 2\n",
            "a_unencrypted: 3\n",
            &["a_unencrypted: both sides changed it, differently"],
        ),
        (
            Format::Json,
            "{\"a\": 1}",
            "{\"a\": 2}",
            "{\"a\": 3}",
            &["a: both sides changed it, differently"],
        ),
        (
            Format::Dotenv,
            "A=1\n",
            "A=2\n",
            "A=3\n",
            &["A: both sides changed it, differently"],
        ),
        (
            Format::Ini,
            "[s]\na = 1\n",
            "[s]\na = 2\n",
            "[s]\na = 3\n",
            &["s.a: both sides changed it, differently"],
        ),
        (
            Format::Binary,
            "1",
            "2",
            "3",
            &["data: both sides changed it, differently"],
        ),
    ] {
        assert_eq!(
            conflicts(format, base, ours, theirs),
            expected,
            "{base} {ours} {theirs}"
        );
    }
}

/// The ciphertexts of a document, by path.
fn sealed_values(of: &Opened) -> Vec<(String, String)> {
    let leaves = of.sealed().leaves_with_text();
    let sealed = leaves.filter(|(leaf, _)| leaf.sealed);
    let told = sealed.map(|(leaf, text)| (leaf.path.to_string(), String::from(text.unwrap())));
    told.collect()
}

fn opens(opened: &Opened, person: usize) -> bool {
    opened.sealed().data_key(&people()[person..=person]).is_ok()
}

#[test]
fn what_did_not_change_keeps_its_ciphertext() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("# c\na: 1\nb: 2\nl: [x, y, z]\n", &[0]);
    let ours = seals.changed(&base, "# c\na: 3\nb: 2\nl: [x, y, z]\n");
    let theirs = seals.changed(&base, "# c\na: 1\nb: 4\nl: [w, x, y, z]\n");
    let merged = clean(merge(Some(&base), &ours, &theirs));
    assert_eq!(plain(&merged), "# c\na: 3\nb: 4\nl: [w, x, y, z]\n");
    let value = |of: &Opened, path: &str| {
        let values = sealed_values(of);
        let found = values.into_iter().find(|(at, _)| at == path);
        found.unwrap().1
    };
    assert_eq!(value(&merged, "a"), value(&ours, "a"));
    assert_eq!(value(&merged, "b"), value(&theirs, "b"));
    for at in 0..3 {
        let (before, after) = (alloc::format!("l[{at}]"), alloc::format!("l[{}]", at + 1));
        let of_side = [value(&base, &before), value(&theirs, &after)];
        assert!(of_side.contains(&value(&merged, &after)), "{after}");
    }
    let mut lines = merged.sealed().text().lines();
    assert_eq!(lines.next(), base.sealed().text().lines().next());
    assert_eq!(merged.metadata().age, base.metadata().age);
    assert_eq!(merged.metadata().last_modified, "2026-01-09T03:04:05Z");
}

#[test]
fn equal_values_do_not_get_the_same_ciphertext() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("l: [a, b]\nz: 1\n", &[0]);
    let ours = seals.changed(&base, "l: [a, b]\nz: 2\n");
    let theirs = seals.changed(&base, "l: [a, a, b, b]\nz: 1\n");
    let merged = clean(merge(Some(&base), &ours, &theirs));
    let mut values: Vec<_> = sealed_values(&merged)
        .into_iter()
        .map(|(_, enc)| enc)
        .collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 5);
}

#[test]
fn who_changed_the_same_gets_our_file() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("a: 1\n", &[0]);
    let (ours, theirs) = (
        seals.changed(&base, "a: 2\n"),
        seals.changed(&base, "a: 2\n"),
    );
    let merged = clean(merge(Some(&base), &ours, &theirs));
    assert_eq!(merged.sealed().text(), ours.sealed().text());
    let merged = clean(merge(Some(&base), &base, &theirs));
    assert_eq!(merged.sealed().text(), theirs.sealed().text());
}

#[test]
fn versions_with_different_data_keys_get_a_new_one() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("a: 1\nb: 2\n", &[0, 1]);
    let changed = seals.changed(&base, "a: x\nb: 2\n");
    let rotated = seals.rotated(&base, &[0, 1]);
    for (ours, theirs) in [(&changed, &rotated), (&rotated, &changed)] {
        let merged = clean(merge(Some(&base), ours, theirs));
        assert_eq!(plain(&merged), "a: x\nb: 2\n");
        // Neither that of the base, nor that of the rotation, which may have been shown to anybody.
        assert_ne!(merged.data_key(), base.data_key());
        assert_ne!(merged.data_key(), rotated.data_key());
        assert_ne!(sealed_values(&merged)[1], sealed_values(&rotated)[1]);
        assert!(opens(&merged, 0) && opens(&merged, 1) && !opens(&merged, 2));
    }
    let again = seals.rotated(&base, &[0, 1]);
    let again = seals.changed(&again, "a: 1\nb: y\n");
    let ours = seals.changed(&rotated, "a: x\nb: 2\n");
    let merged = clean(merge(Some(&base), &ours, &again));
    assert_eq!(plain(&merged), "a: x\nb: y\n");
    assert_ne!(merged.data_key(), ours.data_key());
}

#[test]
fn recipients_are_merged_as_sets() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("a: 1\nb: 2\n", &[0]);
    let ours = seals.rekeyed(&base, &[0, 1]);
    let theirs = seals.rekeyed(&base, &[0, 2]);
    let theirs = seals.changed(&theirs, "a: 1\nb: 3\n");
    let merged = clean(merge(Some(&base), &ours, &theirs));
    assert_eq!(plain(&merged), "a: 1\nb: 3\n");
    assert_eq!(merged.data_key(), base.data_key());
    assert_eq!(
        [0, 1, 2, 3].map(|person| opens(&merged, person)),
        [true, true, true, false]
    );
    // Nothing was wrapped again.
    let known = [&ours.metadata().age[..], &theirs.metadata().age].concat();
    assert!(
        merged
            .metadata()
            .age
            .iter()
            .all(|entry| known.contains(entry))
    );
}

#[test]
fn who_was_removed_knows_no_data_key_of_the_result() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("a: 1\nb: 2\n", &[0, 1, 2]);
    let changed = seals.changed(&base, "a: x\nb: 2\n");
    // as updatekeys does, which leaves the data key
    let without = seals.rekeyed(&base, &[0, 2]);
    for (ours, theirs) in [(&changed, &without), (&without, &changed)] {
        let merged = clean(merge(Some(&base), ours, theirs));
        assert_eq!(
            [0, 1, 2].map(|person| opens(&merged, person)),
            [true, false, true]
        );
        assert_ne!(merged.data_key(), base.data_key());
        assert_eq!(plain(&merged), "a: x\nb: 2\n");
    }
    // even where no value changed beside
    let added = seals.rekeyed(&base, &[0, 1, 2, 3]);
    let merged = clean(merge(Some(&base), &without, &added));
    assert_ne!(merged.data_key(), base.data_key());
    assert_eq!(
        [0, 1, 2, 3].map(|person| opens(&merged, person)),
        [true, false, true, true]
    );
    let rotated = seals.rotated(&base, &[0, 2]);
    let merged = clean(merge(Some(&base), &changed, &rotated));
    assert_eq!(
        [0, 1, 2].map(|person| opens(&merged, person)),
        [true, false, true]
    );
    // Both rotated, each without another.
    let other = seals.rotated(&base, &[0, 1]);
    let merged = clean(merge(Some(&base), &rotated, &other));
    assert_eq!(
        [0, 1, 2].map(|person| opens(&merged, person)),
        [true, false, false]
    );
    assert_ne!(merged.data_key(), rotated.data_key());
    assert_ne!(merged.data_key(), other.data_key());
    // Nobody is left.
    let (one, other) = (seals.rotated(&base, &[0]), seals.rotated(&base, &[1]));
    assert_eq!(
        apart(merge(Some(&base), &one, &other)),
        ["sops.age: both sides changed it, differently"]
    );
}

#[test]
fn a_rule_that_one_side_changed_counts_unless_it_lays_something_bare() {
    let mut seals = Seals::of(Format::Yaml);
    let resealed = |seals: &mut Seals, base: &Opened, text: &str, rule: &str| {
        seals.seed += 1;
        let sealing = Sealing {
            recipients: &[],
            selector: &Selector::encrypted_regex(rule).unwrap(),
            now: time(4),
            random: &mut vectors::repeatable(seals.seed),
        };
        let options = Options {
            keep_keys: true,
            ..Options::default()
        };
        opened(
            &base
                .reseal_with(&parsed(Format::Yaml, text), sealing, &options)
                .unwrap(),
        )
    };
    let text = "host: h\npassword: p\n";
    let base = seals.first(text, &[0]);
    let narrowed = resealed(&mut seals, &base, text, "^password$");
    let harmless = seals.changed(&base, "host: h\npassword: q\n");
    for (ours, theirs) in [(&narrowed, &harmless), (&harmless, &narrowed)] {
        let merged = clean(merge(Some(&base), ours, theirs));
        assert!(
            merged
                .sealed()
                .text()
                .starts_with("host: h\npassword: ENC[")
        );
        assert_eq!(plain(&merged), "host: h\npassword: q\n");
    }
    for text in [
        "host: secret\npassword: p\n",
        "host: h\ntoken: t\npassword: p\n",
        "# c\nhost: h\npassword: p\n",
    ] {
        let added = seals.changed(&base, text);
        let told = apart(merge(Some(&base), &narrowed, &added)).join("; ");
        assert!(told.contains("would leave it in clear"), "{told}");
    }
    let other = resealed(&mut seals, &base, text, "^host$");
    assert_eq!(
        apart(merge(Some(&base), &narrowed, &other)),
        ["sops.encrypted_regex: both sides changed it, differently"]
    );
}

#[test]
fn two_files_of_one_name_come_together_where_they_are_for_the_same_people() {
    let mut seals = Seals::of(Format::Yaml);
    let (one, other) = (
        seals.first("a: 1\nb: 2\n", &[0, 1]),
        seals.first("a: 1\nc: 3\n", &[0, 1]),
    );
    let merged = clean(merge(None, &one, &other));
    assert!(plain(&merged).contains("b: 2\n") && plain(&merged).contains("c: 3\n"));
    let stranger = seals.first("a: 1\n", &[0, 2]);
    assert_eq!(
        apart(merge(None, &one, &stranger)),
        ["sops.age: both sides added it, differently"]
    );
    let third = seals.first("a: 4\nb: 2\n", &[0, 1]);
    let told = told(&conflicting(merge(None, &one, &third)).conflicts);
    assert_eq!(told, ["a: both sides added it, differently"]);
}

#[test]
fn a_file_that_one_side_sealed_stays_sealed() {
    let mut seals = Seals::of(Format::Yaml);
    let base = parsed(Format::Yaml, "a: 1\nb: 2\n");
    let changed = parsed(Format::Yaml, "a: 1\nb: 3\nc: 4\n");
    let sealed = seals.first("a: 5\nb: 2\n", &[0]);
    for (ours, theirs) in [
        (Version::Sealed(&sealed), Version::Plain(&changed)),
        (Version::Plain(&changed), Version::Sealed(&sealed)),
    ] {
        let base = Some(Version::Plain(&base));
        let merged = clean(merge_versions(&Versions { base, ours, theirs }));
        assert_eq!(plain(&merged), "a: 5\nb: 3\nc: 4\n");
        assert_eq!(sealed_values(&merged).len(), 3);
    }
    // Whoever unsealed it does not unseal what the other wrote.
    let versions = Versions {
        base: Some(Version::Sealed(&sealed)),
        ours: Version::Sealed(&sealed),
        theirs: Version::Plain(&changed),
    };
    assert_eq!(
        apart(merge_versions(&versions)),
        ["theirs is not sealed any more"]
    );
}

#[test]
fn several_key_groups_stay_as_they_are_or_are_shared_out_anew() {
    let people = people();
    let open = |document: &Document<Encrypted>| {
        let mut fits = |entry: &crate::metadata::AgeEntry| {
            let one = people
                .iter()
                .find(|one| one.recipient().as_str() == entry.recipient)?;
            let armor = crate::age::armor::decode(&entry.enc).ok()?;
            crate::age::decrypt(&armor, core::slice::from_ref(one)).ok()
        };
        document
            .open(&document.data_key_by(&mut fits).unwrap())
            .unwrap()
    };
    let mut seals = Seals::of(Format::Yaml);
    let single = seals.first("a: 1\nb: 2\n", &[0]);
    let grouped = |of: &Opened, groups: &[&[usize]], threshold: usize, seed: u64| {
        let groups: Vec<_> = groups.iter().map(|group| recipients(group)).collect();
        let random = &mut vectors::repeatable(seed);
        open(
            &of.sealed()
                .with_keys(of.data_key(), &groups, Some(threshold), random)
                .unwrap(),
        )
    };
    let base = grouped(&single, &[&[0], &[1]], 2, 50);
    let changed = seals_changed(&base, "a: x\nb: 2\n", &open);
    let other = seals_changed(&base, "a: 1\nb: y\n", &open);
    let merge_open = |ours: &Opened, theirs: &Opened| match merge(Some(&base), ours, theirs) {
        Merged::Clean(document) => open(&document),
        other => panic!("{other:?}"),
    };
    let merged = merge_open(&changed, &other);
    assert_eq!(plain(&merged), "a: x\nb: y\n");
    assert_eq!(merged.metadata().key_groups, base.metadata().key_groups);

    let wider = grouped(&base, &[&[0], &[1, 2]], 2, 51);
    let merged = merge_open(&changed, &wider);
    assert_eq!(merged.metadata().key_groups, wider.metadata().key_groups);
    let widest = grouped(&base, &[&[0, 3], &[1]], 2, 52);
    let merged = merge_open(&widest, &wider);
    assert_eq!(merged.data_key(), base.data_key());
    let names: Vec<usize> = merged
        .metadata()
        .key_groups
        .iter()
        .map(|group| group.age.len())
        .collect();
    assert_eq!(names, [2, 2]);
    assert_eq!(merged.metadata().shamir_threshold, Some(2));

    let three = grouped(&base, &[&[0], &[1], &[2]], 3, 53);
    let four = grouped(&base, &[&[0], &[1], &[2], &[3]], 4, 54);
    assert_eq!(
        apart(merge(Some(&base), &three, &four)),
        [
            "sops.shamir_threshold: both sides changed it, differently",
            "sops.key_groups: both sides changed it, differently"
        ]
    );
}

fn seals_changed(
    base: &Opened,
    text: &str,
    open: &dyn Fn(&Document<Encrypted>) -> Opened,
) -> Opened {
    let sealing = Sealing {
        recipients: &[],
        selector: &base.metadata().selector,
        now: time(2),
        random: &mut vectors::repeatable(60),
    };
    let options = Options {
        keep_keys: true,
        keep_layout: true,
        ..Options::default()
    };
    open(
        &base
            .reseal_with(&parsed(Format::Yaml, text), sealing, &options)
            .unwrap(),
    )
}

#[test]
fn both_sides_of_a_conflict_stand_between_markers_and_either_choice_is_a_whole_file() {
    let mut seals = Seals::of(Format::Yaml);
    let base = seals.first("a: 1\nb: 2\nc: 3\nd: 4\n", &[0]);
    let ours = seals.changed(&base, "a: our-a\nb: 2\nc: our-c\nd: 4\n");
    let theirs = seals.changed(&base, "a: their-a\nb: 2\nc: their-c\nd: 5\n");
    let conflicting = conflicting(merge(Some(&base), &ours, &theirs));
    let markers = Markers {
        size: 9,
        ours: "x",
        theirs: "y",
    };
    let marked = conflicting.marked(&markers);
    for word in ["our-", "their-"] {
        assert!(!marked.contains(word));
    }
    assert_eq!(marked.matches("<<<<<<<<< x\n").count(), 3, "{marked}");
    assert_eq!(marked.matches(">>>>>>>>> y\n").count(), 3);
    // `o` keeps ours, `t` theirs, conflict by conflict; the last is that of the MAC.
    let chosen = |choice: &str| {
        let (mut text, mut choice, mut side) = (String::new(), choice.chars(), ' ');
        let mut kept = ' ';
        for line in marked.split_inclusive('\n') {
            match line.chars().next() {
                Some('<') => (kept, side) = (choice.next().unwrap(), 'o'),
                Some('=') => side = 't',
                Some('>') => side = ' ',
                _ if side == ' ' || side == kept => text.push_str(line),
                _ => {}
            }
        }
        Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap()
    };
    assert_eq!(
        plain(&opened(&chosen("ooo"))),
        "a: our-a\nb: 2\nc: our-c\nd: 5\n"
    );
    assert_eq!(
        plain(&opened(&chosen("ttt"))),
        "a: their-a\nb: 2\nc: their-c\nd: 5\n"
    );
    let mixed = chosen("oto");
    assert!(mixed.open(base.data_key()).is_err());
    let mixed = mixed.open_without_mac(base.data_key()).unwrap();
    let finished = opened(
        &mixed
            .with_mac(time(8), &mut vectors::repeatable(7))
            .unwrap(),
    );
    assert_eq!(plain(&finished), "a: our-a\nb: 2\nc: their-c\nd: 5\n");
    assert_eq!(sealed_values(&finished), sealed_values(&mixed));
    let same = finished
        .with_mac(time(9), &mut vectors::repeatable(7))
        .unwrap();
    assert_eq!(same.text(), finished.sealed().text());
}

#[test]
fn markers_stand_on_lines_of_their_own() {
    let markers = Markers {
        size: 7,
        ours: "ours",
        theirs: "",
    };
    assert_eq!(
        markers.around("a\nb", "a\nc"),
        "a\n<<<<<<< ours\nb\n=======\nc\n>>>>>>>\n"
    );
    assert_eq!(
        markers.beside("a", "b\n"),
        "<<<<<<< ours\na\n=======\nb\n>>>>>>>\n"
    );
    assert_eq!(markers.around("a\n", "a\n"), "a\n");
    // Longer than what looks like one.
    assert_eq!(
        markers.around("<<<<<<< a\nb", "<<<<<<< a\nc"),
        "<<<<<<< a\n<<<<<<<< ours\nb\n========\nc\n>>>>>>>>\n"
    );
    for (line, size) in [
        ("", 7),
        ("<<<<<< a", 7),
        ("=======", 8),
        (">>>>>>>> a", 9),
        ("<<<<<<<a", 7),
    ] {
        assert_eq!(marker_size([line]), size, "{line}");
    }
}

/// Small trees, changed here and there: what a few numbers choose.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A tree of two levels: `None` for a key that is not there.
type Values = Vec<(usize, Option<u64>)>;

fn written(values: &Values, flow: bool) -> String {
    let mut text = String::from("top: 0\n");
    for section in 0..3 {
        let keys = values
            .iter()
            .filter(|(at, value)| at % 3 == section && value.is_some());
        let keys: Vec<String> = keys
            .map(|(at, value)| alloc::format!("k{at}: v{}", value.unwrap_or_default()))
            .collect();
        if keys.is_empty() {
            continue;
        }
        text.push_str(&match flow && section == 1 {
            true => alloc::format!("s{section}: {{{}}}\n", keys.join(", ")),
            false => alloc::format!("s{section}:\n  {}\n", keys.join("\n  ")),
        });
    }
    text
}

#[test]
fn independent_changes_come_to_both_of_them() {
    let mut chance = Chance(1);
    for round in 0..150 {
        let flow = round % 2 == 0;
        let base: Values = (0..12)
            .map(|at| (at, (chance.below(4) > 0).then_some(at as u64)))
            .collect();
        let (mut ours, mut theirs, mut both) = (base.clone(), base.clone(), base.clone());
        for at in 0..base.len() {
            let new = (chance.below(3) > 0).then(|| 100 + chance.below(900));
            let side = match chance.below(6) {
                0 => &mut ours,
                1 => &mut theirs,
                _ => continue,
            };
            side[at].1 = new;
            both[at].1 = new;
        }
        let mut seals = Seals::of(Format::Yaml);
        seals.seed += round;
        let base = seals.first(&written(&base, flow), &[0]);
        let ours = seals.changed(&base, &written(&ours, flow));
        let theirs = seals.changed(&base, &written(&theirs, flow));
        let expected = parsed(Format::Yaml, &written(&both, flow)).trees().unwrap();
        match merge(Some(&base), &ours, &theirs) {
            Merged::Clean(document) => assert!(text::says(opened(&document).plain(), &expected)),
            // A section that one side emptied, and the other added to.
            Merged::Conflicting(it) => {
                let told = told(&it.conflicts);
                assert!(
                    told.iter()
                        .all(|one| one.len() > 2 && one.contains("removed")),
                    "{told:?}"
                );
            }
            Merged::Apart(conflicts) => panic!("{:?}", told(&conflicts)),
        }
    }
}

#[test]
fn what_may_have_moved_is_a_conflict_and_comes_to_no_other_owner() {
    let documents = [
        "n_unencrypted: a\nu: x\n---\nn_unencrypted: b\nu: x\n",
        "n_unencrypted: b\nu: x\n---\nn_unencrypted: a\nu: x\n",
        "n_unencrypted: a\nu: x\ntoken: for-a\n---\nn_unencrypted: b\nu: x\n",
    ];
    let lists = [
        r#"{"u":[{"n":"a"},{"n":"b"},{"n":"z"}]}"#,
        r#"{"u":[{"n":"b"},{"n":"a"},{"n":"z"}]}"#,
        r#"{"u":[{"n":"a","p":"for-a"},{"n":"b","p":"for-b"},{"n":"z","p":"for-z"}]}"#,
    ];
    let named = [
        "u:\n- name: a\n  p: one\n",
        "u:\n- name: c\n  p: one\n",
        "u:\n- name: a\n  p: two\n",
    ];
    for (format, [base, ours, theirs]) in [
        (Format::Yaml, documents),
        (Format::Json, lists),
        (Format::Yaml, named),
    ] {
        for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
            let told = conflicts(format, base, ours, theirs);
            assert!(!told.is_empty(), "{ours}");
        }
    }
}

#[test]
fn an_ssh_recipient_that_was_removed_does_not_come_back_by_another_remark() {
    let ours: [String; 0] = [];
    let base = [String::from("ssh-ed25519 AAAA me")];
    let theirs = [String::from("ssh-ed25519 AAAA laptop")];
    assert!(block::union(&base, &ours, &theirs).is_empty());
    assert_eq!(block::union(&base, &base, &theirs), base);
}
