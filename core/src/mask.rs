//! A document as text that shows no value: for differences that people read. No key is needed.
//!
//! What is sealed is named by its type and a digest of its ciphertext, so that a reader sees that it changed and
//! nothing of what it is. What should be sealed and is not stays hidden, too, and so does every value of a text that
//! is not sealed at all: whoever asks for masks meant it to be.

mod properties;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::iter;

use sha2::{Digest as _, Sha256};

use crate::cipher::{self, SealedValue};
use crate::document::{Document, Encrypted, Plain, splice};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Item, Obstacle, Scalar};
use crate::format::{Edit, Format};
use crate::limits::Limits;
use crate::merge::{MARKER, Markers, marker};
use crate::metadata::{AgeEntry, Foreign, Metadata};
use crate::tree::Node;

/// The masked text of a file, sealed or not, whatever stands in it. Of one with conflict markers each side is masked.
pub fn masked(format: Format, bytes: &[u8], limits: &Limits) -> String {
    let text = core::str::from_utf8(bytes).ok();
    if let Some((ours, theirs)) = text.and_then(sides) {
        let side =
            |text: &str| match Document::<Encrypted>::parse_as(format, text.as_bytes(), limits) {
                Ok(document) => Some(of_sealed(&document)),
                Err(_) => None,
            };
        if let (Some(ours), Some(theirs)) = (side(&ours), side(&theirs)) {
            return MARKERS.around(&ours, &theirs);
        }
    }
    whole(format, bytes, limits)
}

/// Whatever the sides are called in the text: behind a marker may stand anything.
const MARKERS: Markers<'static> = Markers {
    size: MARKER,
    ours: "ours",
    theirs: "theirs",
};

/// What may be text that belongs to no part of the document. An alias is none: it is a name.
fn obstacle<State>(document: &Document<State>) -> Option<Error> {
    let mut obstacles = document.obstacles();
    let found = obstacles.find(|it| it.code != ErrorCode::AliasInSealedDocument);
    found.map(Obstacle::error)
}

/// The texts that conflict markers stand for; `None` without markers.
fn sides(text: &str) -> Option<(String, String)> {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut found = false;
    // 0 for what is in both, 1 for ours, 2 for the base, 3 for theirs
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match (at, marker(line, MARKERS.size)) {
            (0, Some(('<', _))) => {
                found = true;
                at = 1;
            }
            (1, Some(('|', _))) => at = 2,
            (1 | 2, Some(('=', _))) => at = 3,
            (3, Some(('>', _))) => at = 0,
            _ => {
                if at < 2 {
                    ours.push_str(line);
                }
                if at == 0 || at == 3 {
                    theirs.push_str(line);
                }
            }
        }
    }
    (found && at == 0).then_some((ours, theirs))
}

fn whole(format: Format, bytes: &[u8], limits: &Limits) -> String {
    let text = String::from_utf8_lossy(bytes);
    let sealed = match Document::<Encrypted>::parse_as(format, bytes, limits) {
        // What stands in the way of sealing may be text that belongs to no part.
        Ok(document) => match obstacle(&document) {
            Some(obstacle) => return of_lines(&text, &obstacle),
            None => return of_sealed(&document),
        },
        Err(error) => error,
    };
    if format == Format::Binary && !text.contains(ENC) {
        return all_hidden(&text);
    }
    if !text.contains(ENC) {
        match Document::<Plain>::parse_as(format, bytes, limits) {
            Ok(document) => match obstacle(&document) {
                Some(obstacle) => return of_lines(&text, &obstacle),
                None => return of_plain(&document),
            },
            Err(error) => return of_lines(&text, &error),
        }
    }
    // The name may tell another format than the text is in.
    let others = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini];
    let mut others = others.into_iter().filter(|other| *other != format);
    let document =
        others.find_map(|other| Document::<Encrypted>::parse_as(other, bytes, limits).ok());
    match document {
        Some(document) => of_sealed(&document),
        None => of_lines(&text, &sealed),
    }
}

/// How a sealed value begins.
const ENC: &str = "ENC[AES256_GCM,";

fn of_sealed(document: &Document<Encrypted>) -> String {
    let metadata = document.metadata();
    let selection = document.selection(&metadata.selector);
    let mut edits: Vec<Edit> = Vec::new();
    for ((_, item), selected) in document.items().zip(selection) {
        match item {
            Item::Comment(comment) => {
                let sealed = SealedValue::parse(cipher::without_rest(comment.text.trim()));
                let mask = match sealed {
                    Some(Ok(_)) => sealed_mask("comment", &comment.text),
                    _ if selected && !comment.text.trim().is_empty() => {
                        NOT_SEALED_COMMENT.to_owned()
                    }
                    _ => continue,
                };
                edits.extend(document.format().sealed_comment(&mask, comment));
            }
            Item::Scalar(scalar) => {
                let text = scalar.value.as_str().unwrap_or_default();
                let text = cipher::without_rest(text.trim_end_matches(['\n', '\r']));
                let mask = match SealedValue::parse(text) {
                    Some(Ok(sealed)) => sealed_mask(sealed.kind, text),
                    _ if selected && !scalar.value.is_empty() => not_sealed(scalar),
                    _ => continue,
                };
                edits.extend(document.format().sealed(&mask, scalar, document.text()));
            }
        }
    }
    for root in document.roots() {
        let removal = document.format().removal(document.text(), root);
        edits.extend(removal.unwrap_or_default());
    }
    properties::hide(document, &mut edits);
    let mut text = splice(document.text(), &edits);
    end_line(&mut text);
    text.push_str(&block(metadata));
    text
}

/// A text that is not sealed, its keys shown. What it has for keys may be part of a value where its name tells another
/// format than the text is in, so they must look like names.
fn of_plain(document: &Document<Plain>) -> String {
    let collections = document.roots().iter().flat_map(|root| &root.collections);
    let paths = collections.map(|collection| &collection.path);
    let mut paths = paths.chain(document.scalars().map(|(_, scalar)| &scalar.path));
    if !paths.all(|path| path.last_key().is_none_or(is_bare_name)) {
        return all_hidden(document.text());
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (_, item) in document.items() {
        match item {
            Item::Comment(comment) if !comment.text.trim().is_empty() => {
                edits.extend(
                    document
                        .format()
                        .sealed_comment(NOT_SEALED_COMMENT, comment),
                );
            }
            Item::Scalar(scalar) if !scalar.value.is_empty() => {
                let mask = not_sealed(scalar);
                edits.extend(document.format().sealed(&mask, scalar, document.text()));
            }
            _ => {}
        }
    }
    properties::hide(document, &mut edits);
    let mut text = splice(document.text(), &edits);
    end_line(&mut text);
    text + NOT_SEALED
}

/// A text that cannot be read, line by line: a name and what is sealed behind it, and lines between the sides of a
/// conflict. Nothing is known of the rest, so nothing of it is shown.
fn of_lines(text: &str, error: &Error) -> String {
    let mut masked = String::new();
    let mut hidden = 0;
    for line in text.lines() {
        let shown = match line.find(ENC) {
            Some(at) => {
                let (name, sealed) = line.split_at_checked(at).unwrap_or_default();
                let sealed = sealed.trim_end_matches(['"', '\'', ',', ' ', '\r']);
                let mask = match SealedValue::parse(sealed) {
                    Some(Ok(it)) => Some(sealed_mask(it.kind, sealed)),
                    _ => None,
                };
                mask.filter(|_| is_name(name))
                    .map(|mask| format!("{name}{mask}"))
            }
            // Without the name behind it, which may be anything.
            None => marker(line, MARKERS.size)
                .map(|(mark, _)| iter::repeat_n(mark, MARKERS.size).collect()),
        };
        match shown {
            Some(line) => {
                tell_hidden(&mut masked, &mut hidden);
                masked.push_str(&line);
                masked.push('\n');
            }
            None => hidden += 1,
        }
    }
    tell_hidden(&mut masked, &mut hidden);
    let code = error.code().as_str();
    match error.fault().and_then(|fault| fault.line) {
        Some(line) => writeln!(masked, "«the file cannot be read: {code} in line {line}»"),
        None => writeln!(masked, "«the file cannot be read: {code}»"),
    }
    // Writing to a string does not fail.
    .unwrap_or_default();
    masked
}

fn all_hidden(text: &str) -> String {
    let mut masked = String::new();
    tell_hidden(&mut masked, &mut text.lines().count());
    masked + NOT_SEALED
}

fn tell_hidden(masked: &mut String, hidden: &mut usize) {
    let lines = match core::mem::take(hidden) {
        0 => return,
        1 => "1 line is not shown".to_owned(),
        several => format!("{several} lines are not shown"),
    };
    masked.push_str(&format!("«{lines}»\n"));
}

/// Whether what stands before a sealed value is a key and nothing else.
fn is_name(text: &str) -> bool {
    let name = text.trim_start_matches([' ', '\t', '-', '#', ';']);
    let name = name.trim_end_matches([' ', '"', '\'']);
    let bare = |name: &str| is_bare_name(name.trim().trim_matches(['"', '\'']));
    name.is_empty() || name.strip_suffix([':', '=']).is_some_and(bare)
}

fn is_bare_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    name.len() <= 128 && name.chars().all(fits)
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn sealed_mask(kind: &str, enc: &str) -> String {
    format!("«sealed {kind} #{}»", tag(enc))
}

fn not_sealed(scalar: &Scalar) -> String {
    format!("«NOT SEALED {}»", scalar.value.kind().word())
}

const NOT_SEALED: &str = "«the file is not sealed; its values are not shown»\n";

const NOT_SEALED_COMMENT: &str = "«NOT SEALED comment»";

/// Names a ciphertext, of which it tells nothing but whether it is the same.
fn tag(enc: &str) -> String {
    let digest = Sha256::digest(enc.trim().as_bytes());
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Who can open the file and by which rule it is sealed. What changes with each change is left out.
fn block(metadata: &Metadata) -> String {
    let mut text = String::from("«sops»\n");
    let mut line = |indent: &str, what: String| {
        text.push_str(indent);
        text.push_str(&what);
        text.push('\n');
    };
    let keys =
        |indent, age: &[AgeEntry], foreign: &[Foreign], line: &mut dyn FnMut(&str, String)| {
            for (kind, keys) in foreign {
                keys.items()
                    .for_each(|(_, key)| line(indent, format!("{kind} {}", name(key))));
            }
            for entry in age {
                line(
                    indent,
                    format!("recipient {} #{}", entry.recipient.trim(), tag(&entry.enc)),
                );
            }
        };
    keys("    ", &metadata.age, &metadata.foreign, &mut line);
    for (at, group) in metadata.key_groups.iter().enumerate() {
        line("    ", format!("group {}", at + 1));
        keys("        ", &group.age, &group.foreign, &mut line);
    }
    if let Some(threshold) = metadata.shamir_threshold.filter(|threshold| *threshold > 0) {
        line("    ", format!("shamir_threshold {threshold}"));
    }
    let (rule, expression) = metadata.selector.field();
    line("    ", format!("{rule} {expression}"));
    if metadata.mac_only_encrypted {
        line("    ", "mac_only_encrypted".to_owned());
    }
    for (field, _) in &metadata.extra {
        line("    ", format!("other {field}"));
    }
    line("    ", format!("version {}", metadata.version));
    text
}

/// What names a key of another kind.
fn name(key: &Node) -> String {
    let fields = key.items().filter(|(name, _)| {
        let passing = ["enc", "created_at"];
        name.is_some_and(|name| !passing.contains(&name))
    });
    let texts = fields.filter_map(|(_, node)| node.value().and_then(|value| value.as_str()));
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::random::Random;
    use crate::recipient::Identity;
    use crate::seal::{Options, Sealing};
    use crate::selector::Selector;
    use crate::timestamp::Timestamp;
    use crate::vectors;

    fn mask(format: Format, text: &str) -> String {
        masked(format, text.as_bytes(), &Limits::default())
    }

    const TEXTS: &[(Format, &str)] = &[
        (
            Format::Yaml,
            "# canary\na: canary # canary\nb: [canary, {c: \"canary\"}, 'canary']\n\
             d: |\n  canary\n  canary\ne: >-\n    canary\nf: canary\n  canary\n---\ng: canary",
        ),
        (
            Format::Json,
            "{\"a\": \"canary\", \"b\": [\"canary\", {\"c\": \"canary\"}]}",
        ),
        (
            Format::Dotenv,
            "# canary\nA=canary\nB=\"canary canary\"\nC=canary\\ncanary\n",
        ),
        (
            Format::Ini,
            "; canary\n[s]\na = canary ; canary\nb = \"canary\"\nc = `canary\ncanary`\n# canary\nd: canary\n",
        ),
        (Format::Binary, "canary\ncanary"),
    ];

    fn sealed(format: Format, text: &str, random: &mut dyn Random) -> Document<Encrypted> {
        let identity = Identity::generate(&mut vectors::repeatable(3)).unwrap();
        let sealing = Sealing {
            recipients: &[identity.recipient()],
            selector: &Selector::default(),
            now: Timestamp::parse("2026-01-02T03:04:05Z").unwrap(),
            random,
        };
        let options = Options {
            keep_layout: true,
            ..Options::default()
        };
        let plain = Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default());
        plain.unwrap().seal_with(sealing, &options).unwrap()
    }

    #[test]
    fn no_value_shows_whether_the_text_is_sealed_or_not_or_is_none() {
        for (format, text) in TEXTS {
            let sealed = sealed(*format, text, &mut vectors::repeatable(1));
            let shown = mask(*format, sealed.text());
            assert!(!shown.contains("canary") && !shown.contains(ENC), "{shown}");
            assert!(
                shown.contains("«sealed str #") && shown.contains("\n«sops»\n"),
                "{shown}"
            );
            for text in [
                (*text).to_owned(),
                format!("{text}\n}} canary: {{\n"),
                format!("<<<<<<< ours\n{text}\n=======\n{text}\n>>>>>>> theirs\n"),
                // a block that is none
                format!("{text}\nsops: canary\nsops_mac=canary\n"),
                format!("{text}\nENC[AES256_GCM,canary"),
                text.replace("canary", "&canary canary"),
                text.replace("a: canary", "? {a: canary}\n: *canary"),
                sealed.text().replacen(ENC, "canary", 1),
            ] {
                for read_as in [
                    Format::Yaml,
                    Format::Json,
                    Format::Dotenv,
                    Format::Ini,
                    Format::Binary,
                ] {
                    let shown = mask(read_as, &text);
                    assert!(!shown.contains("canary"), "{read_as:?}: {text} {shown}");
                }
            }
        }
    }

    #[test]
    fn a_secret_that_is_taken_for_something_else_does_not_show() {
        for (format, text) in TEXTS {
            let text = text.replace("canary", "x");
            for (at, _) in text.char_indices() {
                for secret in [
                    "&canary",
                    "!canary",
                    "*canary",
                    "%canary",
                    "&canary !canary ",
                    "!!str &canary ",
                    "!<canary> ",
                    " canary ",
                    "\ncanary\n",
                    "\n  canary\n",
                    "\n=======canary\n",
                    "\n<<<<<<< canary\n",
                    "\n======= canary\n",
                    "\n>>>>>>> canary\n",
                    "\n--- &canary\n",
                    "\n... canary\n",
                    "\n%canary\n---\n",
                    "\n[s] canary\n",
                ] {
                    let (before, behind) = text.split_at(at);
                    let shown = mask(*format, &format!("{before}{secret}{behind}"));
                    assert!(
                        !shown.contains("canary"),
                        "{format:?}: {before}{secret}{behind}\n{shown}"
                    );
                }
            }
        }
    }

    #[test]
    fn tags_that_every_reader_has_are_shown_and_names_are_not() {
        let shown = mask(
            Format::Yaml,
            "a: &Hunter2 !!str x\nb: !Hunter3\nc: *Hunter2\nd: &Hunter4\n",
        );
        assert!(!shown.contains("Hunter"), "{shown}");
        let shown = mask(
            Format::Yaml,
            "a: &Hunter2 !!str x\nc: *Hunter2\nd: &Hunter4\n",
        );
        assert_eq!(
            shown.lines().take(3).collect::<Vec<_>>(),
            [
                "a: «anchor» !!str «NOT SEALED text»",
                "c: «alias»",
                "d: «anchor»"
            ]
        );
    }

    #[test]
    fn what_stands_beside_a_value_that_should_be_sealed_stays_hidden() {
        let text = "a: x\nb: y\n";
        let base = sealed(Format::Yaml, text, &mut vectors::repeatable(1));
        for secret in [
            "&Hunter2",
            "&Hunter2 ''",
            "!Hunter2 ''",
            "!Hunter2",
            "!Hunter2 z",
        ] {
            let laid_bare = base
                .text()
                .replacen("a: ENC[", &format!("e: {secret}\na: ENC["), 1);
            let shown = mask(Format::Yaml, &laid_bare);
            assert!(!shown.contains("Hunter2"), "{shown}");
        }
    }

    #[test]
    fn what_changed_is_seen_and_what_did_not_is_not() {
        for (format, text) in TEXTS {
            let (one, other) = (&mut vectors::repeatable(1), &mut vectors::repeatable(2));
            let (one, other) = (sealed(*format, text, one), sealed(*format, text, other));
            assert_eq!(mask(*format, one.text()), mask(*format, one.text()));
            assert_ne!(mask(*format, one.text()), mask(*format, other.text()));
        }
        let base = sealed(Format::Yaml, "a: 1\n", &mut vectors::repeatable(1));
        let later = base.text().replace("2026-01-02", "2026-01-03");
        assert_eq!(mask(Format::Yaml, &later), mask(Format::Yaml, base.text()));
    }

    #[test]
    fn a_value_that_should_be_sealed_stays_hidden() {
        let base = sealed(
            Format::Yaml,
            "a: x\n# c\nb_unencrypted: shown\n",
            &mut vectors::repeatable(1),
        );
        let laid_bare = base
            .text()
            .replacen("a: ENC[", "e: canary\n# canary\na: ENC[", 1);
        let shown = mask(Format::Yaml, &laid_bare);
        assert!(
            shown.starts_with("e: «NOT SEALED text»\n#«NOT SEALED comment»\na: «sealed str #"),
            "{shown}"
        );
        assert!(shown.contains("b_unencrypted: shown\n"));
    }
}
