//! Sealing, opening and sealing again: bytes that stay, bytes that change.

use stackseal_core::{Document, Encrypted, ErrorCode, Limits, RandomFailed, Sealing, Selector};

use crate::support::{
    Seeded, identity, key, line_diff, open, plain, recipients, rule, seal, time, try_seal,
};

const VALUES: &str = "\
# Grafana
adminUser: admin   # kept

auth:
    password: 'it''s'
    hosts: [a, \"b\"]
other: |
  two
  lines
";

#[test]
fn only_marked_lines_and_the_block_change() {
    let sealed = seal(VALUES, &["auth.password"]);
    let (body, block) = sealed.text().split_once("sops:\n").unwrap();
    let diff = line_diff(VALUES, body);
    assert_eq!(diff.len(), 2, "{diff:?}");
    assert_eq!(diff[0], "-    password: 'it''s'");
    assert!(
        diff[1].starts_with("+    password: 'ENC[AES256_GCM,data:")
            && diff[1].ends_with(",type:str]'")
    );
    assert!(
        block.contains("encrypted_regex: ^(password)$\n")
            && block.ends_with("    version: 3.11.0\n")
    );
}

#[test]
fn opening_gives_the_typed_bytes_back() {
    for text in [
        VALUES,
        "password: x",
        "password: x\r\nb: |\r\n  c\r\n",
        "password: |\n  -----BEGIN-----\n  abc\n  -----END-----\nb: 1\n",
        "password: |2-\n    lead\n  x\nb: 1\n",
        "password: \"tab\\there\"\n",
        "---\na: {password: \"x\"}\n---\npassword: z\n",
        "password: |+ # why\n  x\n\nb: 2\n",
        "\u{feff}password: x\n",
        "a:\n- password: x\n  b: ~\n- password: 'y'\n",
        "password: x\n\n\n# the end\n",
        "  password: x\n  b: 2\n",
        "password:\n- |2\n   ind\nb: 1\n",
        "password:\n- >1\n  ind\n- x\n",
        "password:\n-   |2-\n    ind\n",
        "a:\n- password:\n  - |2-\n     ind\n",
    ] {
        let sealed = seal(text, &["password"]);
        assert_eq!(open(&sealed).plain().text(), text);
        assert!(!sealed.text().contains("BEGIN-----\n  abc"));
    }
}

#[test]
fn an_unchanged_document_comes_back_to_the_byte() {
    let sealed = seal(VALUES, &["auth.password"]);
    let opened = open(&sealed);
    let selector = rule(opened.plain(), &["auth.password"]).unwrap();
    let again = opened
        .reseal(
            opened.plain(),
            Sealing {
                recipients: &recipients(&[1]),
                selector: &selector,
                now: time(9),
                random: &mut Seeded(99),
            },
        )
        .unwrap();
    assert_eq!(again.text(), sealed.text());
}

#[test]
fn one_changed_secret_changes_its_line_and_the_mac() {
    let text = "a: one\nb: two\nc: three\n";
    let sealed = seal(text, &["a", "b"]);
    let opened = open(&sealed);
    let changed = plain(&text.replace("two", "zwei"));
    let selector = rule(&changed, &["a", "b"]).unwrap();
    let again = opened
        .reseal(
            &changed,
            Sealing {
                recipients: &recipients(&[1]),
                selector: &selector,
                now: time(9),
                random: &mut Seeded(99),
            },
        )
        .unwrap();
    let diff = line_diff(sealed.text(), again.text());
    let keys: Vec<&str> = diff
        .iter()
        .map(|line| {
            line.trim_start_matches(['-', '+', ' '])
                .split(':')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(
        keys,
        ["b", "lastmodified", "mac", "b", "lastmodified", "mac"]
    );
    assert_eq!(open(&again).plain().text(), changed.text());
}

#[test]
fn equal_values_at_two_places_never_share_a_ciphertext() {
    let text = "a: [same, same]\nb: same\n";
    let sealed = seal(text, &["a", "b"]);
    let opened = open(&sealed);
    let longer = plain("a: [same, same, same]\nb: same\n");
    let selector = rule(&longer, &["a", "b"]).unwrap();
    let again = opened
        .reseal(
            &longer,
            Sealing {
                recipients: &recipients(&[1]),
                selector: &selector,
                now: time(9),
                random: &mut Seeded(99),
            },
        )
        .unwrap();
    let body = again.text().split("sops:").next().unwrap();
    let ivs: Vec<&str> = body
        .split("iv:")
        .skip(1)
        .map(|rest| rest.split(',').next().unwrap())
        .collect();
    assert_eq!(ivs.len(), 4);
    assert!(
        ivs.iter()
            .enumerate()
            .all(|(at, iv)| !ivs[..at].contains(iv))
    );
}

#[test]
fn a_recipient_that_goes_takes_the_data_key_along() {
    let document = plain("a: one\nb: two\n");
    let selector = rule(&document, &["a", "b"]).unwrap();
    let two = document
        .seal(Sealing {
            recipients: &recipients(&[1, 2]),
            selector: &selector,
            now: time(0),
            random: &mut Seeded(7),
        })
        .unwrap();
    let opened = two.open(&two.data_key(&[identity(2)]).unwrap()).unwrap();
    let reseal = |to: &[u64], text: &str, names: &[&str]| {
        let changed = plain(text);
        let selector = rule(&changed, names).unwrap();
        opened
            .reseal(
                &changed,
                Sealing {
                    recipients: &recipients(to),
                    selector: &selector,
                    now: time(9),
                    random: &mut Seeded(99),
                },
            )
            .unwrap()
    };
    let same_a =
        |other: &Document<Encrypted>| two.text().lines().next() == other.text().lines().next();
    assert!(
        same_a(&reseal(&[1, 2, 3], "a: one\nb: two\n", &["a", "b"])),
        "one more may read: values stay"
    );
    let fewer = reseal(&[1], "a: one\nb: two\n", &["a", "b"]);
    assert!(!same_a(&fewer));
    assert!(fewer.open(opened.data_key()).is_err());
    assert!(
        !same_a(&reseal(&[1, 2], "a: one\nb: two\n", &["a"])),
        "a value leaves the sealed set"
    );
    assert!(
        !same_a(&reseal(&[1, 2], "a: one\n", &["a"])),
        "a sealed value goes"
    );
}

#[test]
fn a_stranger_is_told_who_can_open_it() {
    let sealed = seal("password: x\n", &["password"]);
    let error = sealed.data_key(&[identity(5)]).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoMatchingIdentity);
    assert!(
        error.to_string().contains(identity(1).recipient().as_str()),
        "{error}"
    );
}

#[test]
fn what_cannot_be_sealed_says_why_and_where() {
    for (text, names, code, line) in [
        ("a: [1\n", &["a"][..], ErrorCode::YamlSyntax, Some(1)),
        (
            "a: 1\nb: 2\na: 3\n",
            &["a"],
            ErrorCode::DuplicateKey,
            Some(3),
        ),
        (
            "a: &x 1\nb: *x\n",
            &["a"],
            ErrorCode::AliasInSealedDocument,
            Some(2),
        ),
        (
            "b: &x {c: 1}\na:\n  <<: *x\n",
            &["a"],
            ErrorCode::AliasInSealedDocument,
            Some(3),
        ),
        ("1: a\nb: c\n", &["b"], ErrorCode::NonStringKey, Some(1)),
        ("[a]: b\nc: d\n", &["c"], ErrorCode::NonStringKey, Some(1)),
        ("{a: b}\n", &["a"], ErrorCode::LayoutUnsupported, Some(1)),
        ("- a\n", &[], ErrorCode::LayoutUnsupported, Some(1)),
        (
            "a: 18446744073709551615\n",
            &["a"],
            ErrorCode::ValueOutOfRange,
            Some(1),
        ),
        (
            "a: !!int \"7\"\n",
            &["a"],
            ErrorCode::TagUnsupported,
            Some(1),
        ),
        (
            "b: x\na: ENC[AES256_GCM,data:x\n",
            &["a"],
            ErrorCode::ValueLooksSealed,
            Some(2),
        ),
        ("a: 1\n", &["b"], ErrorCode::MarkMatchesNothing, None),
        ("sops: 1\na: 2\n", &["a"], ErrorCode::AlreadySealed, Some(1)),
        ("# nothing\n", &[], ErrorCode::EmptyDocument, None),
        ("", &[], ErrorCode::EmptyDocument, None),
        ("a: *x\n", &["a"], ErrorCode::YamlSyntax, Some(1)),
        (
            "a: x\nb: |\n  open end",
            &["a"],
            ErrorCode::LayoutUnsupported,
            None,
        ),
        ("a: x\0\n", &["a"], ErrorCode::NotUtf8, None),
    ] {
        let error = try_seal(text, names)
            .map(|sealed| sealed.text().to_owned())
            .expect_err(text);
        assert_eq!(
            (error.code(), error.fault().unwrap().line),
            (code, line),
            "{text:?}: {error}"
        );
    }
}

/// Checked against the reference: it loads none of these, or other values than stand there.
#[test]
fn what_the_reference_cannot_load_is_not_sealed() {
    for (text, line) in [
        ("%p: secret\n---\nb: x\n", 1),
        ("%YAML 1.2\n---\nb: x\n", 1),
        ("# c\n%FOO bar\n---\nb: x\n", 2),
        ("a: b\n...\n%p: s\n---\nb: x\n", 3),
        ("b: x\n...\nc: y\n", 3),
        ("b: x\n...\n# c\nc: y\n", 4),
        ("...\nb: x\n", 1),
        ("# c\n...\n---\nb: x\n", 2),
        ("b: &a.b x\n", 1),
        ("b: &é x\n", 1),
        ("b:\n  -\tx\n", 2),
        ("b:\n  - \tc: x\n", 2),
        ("b:\n  -\t# c\n    x\n", 2),
        ("\tb: x\n", 1),
        ("?\tb\n: x\n", 1),
        ("? b\n:\tx\n", 2),
        ("b: x\n\t\nc: y\n", 2),
        ("b: x\n\t\n", 2),
        ("b: x\n\t\n  y\n", 2),
        ("b: 'x'\n \t\nc: y\n", 2),
        ("b:\n  c: x\n\t\n  d: y\n", 3),
        ("b: x\n\t# c\nc: y\n", 2),
        ("b:\n \t\n  c: d\n", 2),
        ("b: |\n  x\n\t\nc: y\n", 3),
        ("b: |\n  \tx\n  y\n", 2),
        ("b: >-\n \n \tx\n", 3),
        ("b: \"\\/\"\n", 1),
        ("\"\\/\": x\n", 1),
        ("b: \"\\uD83D\\uDE00\"\n", 1),
        ("b: !x#y z\n", 1),
        ("\u{feff}\u{feff}b: x\n", 1),
        ("b: [x?y]\n", 1),
        ("b: [a:,b]\n", 1),
        ("b: {:x}\n", 1),
        ("b: x # \u{2028}c: y\n", 1),
        ("c: y\nb: 'x\u{2029}'\n", 2),
        ("c: y\nb: x\u{85}  y\n", 2),
    ] {
        let error = try_seal(text, &[])
            .map(|sealed| sealed.text().to_owned())
            .expect_err(text);
        assert_eq!(
            (error.code(), error.fault().unwrap().line),
            (ErrorCode::LayoutUnsupported, Some(line)),
            "{text:?}: {error}"
        );
    }
}

/// The labels and keys are those of the reference.
#[test]
fn tags_and_times_are_read_as_the_reference_reads_them() {
    for (text, label, opened) in [
        ("s: ! 0x10\n", "int", "s: ! 16\n"),
        ("s: ! true\n", "bool", "s: ! true\n"),
        ("s: ! foo\n", "str", "s: ! foo\n"),
        ("s: ! '5'\n", "str", "s: ! '5'\n"),
        ("s: !t 5\n", "str", "s: !t \"5\"\n"),
        (
            "s: 2001-01-01   1:2:3.5\n",
            "time",
            "s: 2001-01-01T01:02:03.5Z\n",
        ),
    ] {
        let sealed = seal(text, &["s"]);
        let line = sealed.text().lines().next().unwrap();
        assert!(line.contains(&format!(",type:{label}]")), "{line}");
        assert_eq!(open(&sealed).plain().text(), opened);
    }
    let error = try_seal("! 5: x\ns: y\n", &["s"]).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NonStringKey);
    let sealed = seal("s:\n  !!binary aGk=: x\n", &["s.hi"]);
    let leaves = sealed.leaves();
    assert_eq!(leaves[0].path.to_string(), "s.hi");
    assert!(leaves[0].sealed);
}

#[test]
fn a_comment_that_the_block_takes_over_is_sealed_for_its_new_place() {
    for text in [
        "b: x\n... # c\n...\n---\nc: z\n",
        "l:\n- 1\n# x\n",
        "a:\n  - b: x\n    c:\n      d: w\n    # e\n    # f\n",
    ] {
        assert_eq!(open(&seal(text, &[])).plain().text(), text);
    }
}

#[test]
fn what_only_looks_alike_is_sealed() {
    for text in [
        "%YAML 1.1\n%TAG !e! tag:e.com,2:\n# d\n---\nb: x\n",
        "\u{feff}%YAML 1.1 # c\n---\nb: x\n",
        "a: b\n %x\n",
        "b: &a-_9 x\n",
        "b:\tx\t\nc\t: d\t# e\n",
        "b:\t\n  c: d\n",
        "b: x\n  \t\nc: y\n",
        "b: x\n  \ty\nc: d\n",
        "b: |\t# c\n  x\n  \ty\n  \t\n",
        "b: |2\n  \tx\n",
        "b: \"\\\\/\\u00e9\\uFFFD\\U0001F600\"\n",
        "b: !x%20y z\n",
        "b: x # \u{feff}\n",
        "b: [a:b, 'x?', ---, a---b, http://x:1/]\n",
    ] {
        let sealed = try_seal(text, &[]).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        open(&sealed);
    }
}

#[test]
fn a_line_break_of_some_readers_is_named_when_the_values_do_not_fit() {
    let sealed = seal("b: x\n# c\nc: y\n", &["b"]);
    let changed = sealed.text().replace("# c\n", "# c\u{2028}");
    let document = Document::<Encrypted>::parse(changed.as_bytes(), &Limits::default()).unwrap();
    let error = document.open(&key(&sealed)).map(|_| ()).unwrap_err();
    assert_eq!(
        (error.code(), error.fault().unwrap().line),
        (ErrorCode::LayoutUnsupported, Some(2)),
        "{error}"
    );
}

#[test]
fn encoding_and_size_are_checked_before_parsing() {
    let parse = |bytes: &[u8]| {
        Document::<stackseal_core::Plain>::parse(bytes, &Limits::default())
            .map(|_| ())
            .unwrap_err()
    };
    let error = parse(b"a: 1\nb: \xff\n");
    assert_eq!(
        (error.code(), error.fault().unwrap().line),
        (ErrorCode::NotUtf8, Some(2))
    );
    assert_eq!(
        parse(&vec![b'a'; (1 << 20) + 1]).code(),
        ErrorCode::LimitExceeded
    );
    assert_eq!(
        parse(format!("a: {}{}", "[".repeat(100), "]".repeat(100)).as_bytes()).code(),
        ErrorCode::LimitExceeded
    );
    assert_eq!(
        parse("- a\n".repeat(10_001).as_bytes()).code(),
        ErrorCode::LimitExceeded
    );
    assert_eq!(
        parse("---\na: b\n".repeat(101).as_bytes()).code(),
        ErrorCode::LimitExceeded
    );
    assert_eq!(
        parse(format!("a: {}", "x".repeat((64 << 10) + 1)).as_bytes()).code(),
        ErrorCode::LimitExceeded
    );
}

#[test]
fn a_rule_that_hits_nothing_seals_nothing() {
    let document = plain("a: 1\n");
    let selector = Selector::encrypted_regex("^b$").unwrap();
    let sealing = Sealing {
        recipients: &recipients(&[1]),
        selector: &selector,
        now: time(0),
        random: &mut Seeded(7),
    };
    assert_eq!(
        document.seal(sealing).map(|_| ()).unwrap_err().code(),
        ErrorCode::SelectorMatchesNothing
    );
    let sealing = Sealing {
        recipients: &[],
        selector: &Selector::default(),
        now: time(0),
        random: &mut Seeded(7),
    };
    assert_eq!(
        document.seal(sealing).map(|_| ()).unwrap_err().code(),
        ErrorCode::RecipientMissing
    );
}

#[test]
fn a_failing_generator_seals_nothing() {
    let mut calls = 0;
    for limit in 0..6 {
        let document = plain("a: one\nb: two\n");
        let mut seeded = Seeded(7);
        let mut left = limit;
        let mut failing = |out: &mut [u8]| {
            calls += 1;
            if left == 0 {
                return Err(RandomFailed);
            }
            left -= 1;
            stackseal_core::Random::fill(&mut seeded, out)
        };
        let sealing = Sealing {
            recipients: &recipients(&[1]),
            selector: &Selector::default(),
            now: time(0),
            random: &mut failing,
        };
        match document.seal(sealing) {
            Err(error) => assert_eq!(error.code(), ErrorCode::RandomFailed),
            Ok(_) => panic!("sealed after {limit} calls"),
        }
    }
    assert!(calls > 6);
}

#[test]
fn default_rule_seals_comments_with_their_place() {
    let text = "# top\na: 1 # beside\nb:\n  # inside\n  - x\nc_unencrypted: y # clear\n";
    let sealed = seal(text, &[]);
    assert!(!sealed.text().contains("# top") && !sealed.text().contains("inside"));
    assert!(
        sealed.text().contains("c_unencrypted: y #ENC["),
        "its own name does not cover a comment of the mapping"
    );
    assert_eq!(open(&sealed).plain().text(), text);
}

#[test]
fn what_the_mac_covers_cannot_be_changed() {
    let sealed = seal("a: one\nb: 2\nc: three\nl: [p, q]\n", &["a", "l"]);
    let key = key(&sealed);
    let code = |text: String| {
        let document = Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap();
        document.open(&key).map(|_| ()).unwrap_err().code()
    };
    let text = sealed.text();
    assert_eq!(code(text.replace("b: 2", "b: 3")), ErrorCode::MacMismatch);
    assert_eq!(code(text.replace("c: three\n", "")), ErrorCode::MacMismatch);
    let line_of = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap();
    assert_eq!(
        code(text.replace(line_of("a:"), "a: \"\"")),
        ErrorCode::MacMismatch
    );
    assert_eq!(
        code(text.replace(line_of("a:"), "a: clear")),
        ErrorCode::LeafNotSealed
    );
    assert_eq!(
        code(
            text.replace(
                line_of("a:"),
                &line_of("a:")
                    .replacen("a:", "a: ", 1)
                    .replace("type:str", "type:int")
            )
        ),
        ErrorCode::LeafMalformed
    );
    let list = line_of("l:")
        .trim_start_matches("l: [")
        .trim_end_matches(']')
        .to_owned()
        + "]";
    let (first, second) = list.split_once("\", \"").unwrap();
    let swapped = format!("l: [\"{}\", {}\"]", second.trim_end_matches("\"]"), first);
    assert_eq!(
        code(text.replace(line_of("l:"), &swapped)),
        ErrorCode::MacMismatch
    );
    let mac = text.lines().find(|line| line.contains("mac: ")).unwrap();
    assert_eq!(
        code(text.replace(mac, "    mac: \"\"")),
        ErrorCode::MacMismatch
    );
    assert_eq!(
        code(text.replace("08:00:00Z", "08:00:01Z")),
        ErrorCode::MacMismatch
    );
}

#[test]
fn a_sealed_file_with_a_key_that_is_no_text_is_not_opened() {
    let sealed = seal("a: one\nb: 2\n", &["a"]);
    // The MAC does not cover what is null.
    for entry in ["1: null", ": null", "? [x]\n: null", "? k\n: null\n: null"] {
        let text = format!("{entry}\n{}", sealed.text());
        let refused = Document::<Encrypted>::parse(text.as_bytes(), &Limits::default());
        assert_eq!(
            refused.unwrap_err().code(),
            ErrorCode::NonStringKey,
            "{entry}"
        );
    }
}
