//! Sealed files that were damaged: what the reference still reads is read alike, and what it refuses is refused.

use stackseal_core::{Document, Encrypted, Error, ErrorCode, Format, Limits, Plain, Sealing};

use crate::support::{Seeded, identity, open, plain, recipients, rule, time};

fn sealed_as(format: Format, text: &str, marks: &[&str]) -> Document<Encrypted> {
    let document = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default());
    let selector = rule(&plain("a: 1\n"), marks).unwrap();
    let sealing = Sealing {
        recipients: &recipients(&[1]),
        selector: &selector,
        now: time(0),
        random: &mut Seeded(7),
    };
    document.unwrap().seal(sealing).unwrap()
}

fn read(format: Format, text: &str) -> Document<Encrypted> {
    Document::<Encrypted>::parse_as(format, text.as_bytes(), &Limits::default()).unwrap()
}

fn refusal(document: &Document<Encrypted>) -> ErrorCode {
    let key = document.data_key(&[identity(1)]).unwrap();
    document
        .open(&key)
        .map(drop)
        .map_err(|error: Error| error.code())
        .unwrap_err()
}

#[test]
fn a_block_text_before_the_block_keeps_its_line_break_when_the_last_one_of_the_file_is_gone() {
    for (body, after) in [
        ("a: 1\nb: |\n    x\n", "a: 1\nb: |\n    x\n"),
        ("a: 1\nb: |+\n    x\n\n", "a: 1\nb: |+\n    x\n\n"),
        ("a: 1\nb: >2\n    x\n", "a: 1\nb: >2\n    x\n"),
        ("a: 1\nb: |-\n    x\n", "a: 1\nb: |-\n    x"),
        ("a: 1\nb: |\n    x\n# c\n", "a: 1\nb: |\n    x\n# c"),
        ("a: 1\nb: x\n", "a: 1\nb: x"),
    ] {
        let sealed = sealed_as(Format::Yaml, body, &["a"]);
        let cut = read(Format::Yaml, sealed.text().trim_end_matches('\n'));
        assert_eq!(open(&cut).plain().text(), after, "{body:?}");
    }
}

#[test]
fn what_the_reference_cannot_load_is_not_opened() {
    let sealed = sealed_as(Format::Yaml, "a: 1\nb: &x 2\n", &["a"]);
    for (from, to, code) in [
        ("&x", "&#x", ErrorCode::LayoutUnsupported),
        ("&x", "&é", ErrorCode::LayoutUnsupported),
        ("T08:", "t08:", ErrorCode::TimestampInvalid),
        ("00Z\"", "00z\"", ErrorCode::TimestampInvalid),
    ] {
        let text = sealed.text().replacen(from, to, 1);
        assert_ne!(text, sealed.text());
        let document =
            Document::<Encrypted>::parse_as(Format::Yaml, text.as_bytes(), &Limits::default());
        let refused = document.map_or_else(|error| error.code(), |document| refusal(&document));
        assert_eq!(refused, code, "{to}");
    }
}

#[test]
fn what_stands_on_lines_behind_a_sealed_value_is_passed_over() {
    let sealed = sealed_as(Format::Yaml, "a: |\n    x\n    y\nb: 2\n", &["a"]);
    let line = sealed.text().lines().nth(1).unwrap();
    assert!(line.starts_with("    ENC["));
    let doubled = sealed
        .text()
        .replacen(line, &format!("{line}\n\n{line}"), 1);
    let opened = open(&read(Format::Yaml, &doubled));
    let text = opened.plain().text();
    assert!(text.starts_with("a: |\n") && text.contains("    x\n    y\n"));
}

#[test]
fn a_comment_that_is_labelled_as_a_value_is_not_opened() {
    let sealed = sealed_as(Format::Yaml, "# c\na: 1\n", &[]);
    let relabelled = sealed.text().replacen("type:comment", "type:str", 1);
    assert_ne!(relabelled, sealed.text());
    assert_eq!(
        refusal(&read(Format::Yaml, &relabelled)),
        ErrorCode::LeafMalformed
    );
    // What no value can be stays as it is.
    for label in ["type:int", "type:coment"] {
        let relabelled = sealed.text().replacen("type:comment", label, 1);
        let text = open(&read(Format::Yaml, &relabelled));
        assert!(text.plain().text().contains(label), "{label}");
    }
}

#[test]
fn a_binary_file_without_bytes_is_not_opened() {
    let sealed = sealed_as(Format::Binary, "12", &[]);
    assert_eq!(open(&sealed).plain().content().as_ref(), b"12");
    let relabelled = sealed.text().replacen("type:str", "type:int", 1);
    assert_eq!(
        refusal(&read(Format::Binary, &relabelled)),
        ErrorCode::ValueNotRepresentable
    );
    let empty = sealed_as(Format::Binary, "", &[]);
    assert!(open(&empty).plain().content().is_empty());
    let line = "\t\"data\": \"\",\n";
    let without = empty.text().replacen(line, "", 1);
    assert_ne!(without, empty.text());
    assert_eq!(
        refusal(&read(Format::Binary, &without)),
        ErrorCode::ValueNotRepresentable
    );
}
