//! No input panics, and no altered ciphertext opens. Everything is drawn from a printed seed.

use stackseal_core::{
    Document, Encrypted, Limits, Plain, Sealing, guard, is_sealed, marks, suggest,
};

use crate::support::{Seeded, identity, key, parse_marks, recipients, rule, seal, time};

const CORPUS: &[&str] = &[
    "a: 1\nb: [x, {y: z}]\nc: |\n  block\n  more\nd: >-\n  folded\n  text\n",
    "# c\n- a: 'q'\n  b: \"d\\n\"\n- - x\n  - y # i\n",
    "--- !!map\n? k\n: v\n&a b: *a\n<<: {x: 1}\n...\n---\nz: !!binary aGk=\n",
    "apiVersion: v1\nkind: Secret\nstringData:\n  p: |+2\n      x\n\n  .q: 0x1F\n",
    "a: ENC[AES256_GCM,data:aa==,iv:bb==,tag:cc==,type:str]\nsops:\n    mac: x\n    version: 3.11.0\n    lastmodified: \"2026-11-21T08:00:00Z\"\n",
];
const TOKENS: &[&str] = &[
    ":",
    ": ",
    "- ",
    "\n",
    "  ",
    "#",
    "'",
    "\"",
    "|",
    ">",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!int ",
    "? ",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "ENC[",
    "sops:\n",
    "<<: ",
    "é",
    "\u{2028}",
    "\u{feff}",
    "%YAML 1.1\n",
    "|2-\n",
    "~",
    "0o",
    "@",
    "`",
    ",",
    "\u{1f600}",
];

fn mutate(seeded: &mut Seeded, base: &str) -> Vec<u8> {
    let mut bytes = base.as_bytes().to_vec();
    for _ in 0..=seeded.below(4) {
        let at = seeded.below(bytes.len() + 1);
        match seeded.below(4) {
            0 => drop(bytes.splice(at..at, TOKENS[seeded.below(TOKENS.len())].bytes())),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = u8::try_from(seeded.below(256)).unwrap(),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

#[test]
fn no_text_makes_the_codec_panic_and_what_seals_opens_again() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let (seed, rounds) = (
        number("STACKSEAL_SEED", 20_261_121),
        number("STACKSEAL_ROUNDS", 6_000),
    );
    println!("seed {seed}, {rounds} rounds");
    let mut seeded = Seeded(seed);
    let (limits, names, to) = (
        Limits::default(),
        parse_marks(&["p", "a", "b"]),
        recipients(&[1]),
    );
    let sealed_base = seal("a: one\nb: [1, x]\nc: |\n  text\n", &["a", "b"])
        .text()
        .to_owned();
    let (mut sealed_count, mut plain_count) = (0u64, 0u64);
    for round in 0..rounds {
        let base = if round % 3 == 0 {
            sealed_base.as_str()
        } else {
            CORPUS[seeded.below(CORPUS.len())]
        };
        let bytes = mutate(&mut seeded, base);
        drop(guard::check(&bytes, &names, &to, &limits));
        drop(guard::check(&bytes, &[], &to, &limits));
        drop(is_sealed(&bytes, &limits));
        if let Ok(document) = Document::<Encrypted>::parse(&bytes, &limits) {
            sealed_count += 1;
            drop(
                document
                    .data_key(&[identity(1)])
                    .and_then(|key| document.open(&key)),
            );
        }
        let Ok(document) = Document::<Plain>::parse(&bytes, &limits) else {
            continue;
        };
        plain_count += 1;
        for leaf in document.leaves() {
            assert!(document.text().get(leaf.span).is_some());
        }
        drop((
            marks::analyse(&document, &names),
            suggest::suggest(&document, &names),
        ));
        let selector = stackseal_core::Selector::default();
        let sealing = Sealing {
            recipients: &to,
            selector: &selector,
            now: time(0),
            random: &mut seeded,
        };
        match document.seal(sealing) {
            Ok(sealed) => {
                let opened = sealed
                    .open(&key(&sealed))
                    .unwrap_or_else(|error| panic!("{error} in {:?}", document.text()));
                assert_eq!(opened.plain().leaves().len(), document.leaves().len());
            }
            Err(error) => assert_ne!(
                error.code().as_str(),
                "internal",
                "{error} in {:?}",
                document.text()
            ),
        }
    }
    assert!(
        sealed_count > rounds / 12 && plain_count > rounds / 6,
        "the mutations are too wild: {sealed_count} {plain_count}"
    );
}

#[test]
fn no_flipped_bit_of_a_sealed_value_opens() {
    let sealed = seal("password: hunter2\nuser: bob\n", &["password"]);
    let key = key(&sealed);
    let at = sealed.text().find("data:").unwrap();
    let end = sealed.text().find(",type:").unwrap();
    for position in at..end {
        for bit in 0..8 {
            let mut bytes = sealed.text().as_bytes().to_vec();
            bytes[position] ^= 1 << bit;
            let opened = Document::<Encrypted>::parse(&bytes, &Limits::default())
                .and_then(|document| document.open(&key));
            assert!(opened.is_err(), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn a_bomb_is_refused_by_its_size() {
    let bomb = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\n";
    let document = Document::<Plain>::parse(bomb.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(document.leaves().len(), 3, "aliases are not expanded");
    assert!(rule(&document, &["a"]).is_err());
}

#[test]
fn a_key_longer_than_any_tool_takes_is_refused() {
    let text = |length: usize| format!("? {}\n: x\n", "k".repeat(length));
    let code = |text: String| {
        Document::<Plain>::parse(text.as_bytes(), &Limits::default())
            .map(|_| ())
            .map_err(|error| error.code().as_str())
    };
    assert_eq!(code(text(4096)), Ok(()));
    assert_eq!(code(text(4097)), Err("limit-exceeded"));
}
