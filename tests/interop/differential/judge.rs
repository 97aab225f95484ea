//! One file to both: what each makes of the text, and of what the other sealed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use stackseal_core::convert::{self, Indentation};
use stackseal_core::tree::{Entry, Node};
use stackseal_core::{
    Document, Encrypted, Error, Format, Identity, Limits, Opened, Options, Plain, Sealing,
    Timestamp,
};
use stackseal_tests::data::without_comments;
use stackseal_tests::keys;
use stackseal_tests::programs::Program;

use super::batch::Settings;

/// The reference, and the key that both use.
pub struct Judge {
    sops: Program,
    identity: Identity,
    key: String,
}

/// What came of a file.
#[derive(Clone, Debug)]
pub enum Verdict {
    Agree,
    /// As [`Verdict::Agree`], where the reference moves comments each time that it reads a text: it read them once less or
    /// once more.
    Moved,
    /// Neither seals it. Ours said so by this code.
    BothRefuse(&'static str),
    /// The reference cannot read what it sealed itself; ours comes back to the byte.
    ReferenceLost,
    Differ(Difference),
}

/// Where they differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// In a few words, the same for differences of one kind.
    pub class: String,
    pub theirs: Vec<u8>,
    pub ours: Vec<u8>,
}

fn differ(
    class: impl Into<String>,
    theirs: impl Into<Vec<u8>>,
    ours: impl Into<Vec<u8>>,
) -> Verdict {
    Verdict::Differ(Difference {
        class: class.into(),
        theirs: theirs.into(),
        ours: ours.into(),
    })
}

/// What ours did: a document, a refusal, or a panic.
pub enum Ours<T> {
    Done(T),
    Refused(Error),
    Panicked(String),
}

/// Runs something that must not panic.
pub fn without_panic<T>(act: impl FnOnce() -> Result<T, Error>) -> Ours<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(done)) => Ours::Done(done),
        Ok(Err(error)) => Ours::Refused(error),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Ours::Panicked(
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default(),
            )
        }
    }
}

impl Judge {
    pub fn new() -> Self {
        Self {
            sops: Program::sops(),
            identity: keys::identity("id1"),
            key: keys::text("id1"),
        }
    }

    /// Has the reference seal a text.
    pub fn sealed_by_sops(&self, text: &[u8], settings: &Settings) -> Result<Vec<u8>, String> {
        self.sops.file("input", text);
        let recipient = self.identity.recipient();
        let mut arguments = vec!["--encrypt", "--age", recipient.as_str()];
        arguments.extend(settings.options());
        arguments.extend([
            "--input-type",
            settings.word(),
            "--output-type",
            settings.word(),
            "input",
        ]);
        self.sops.run(&arguments, b"", &[]).output()
    }

    /// Has the reference open a text.
    pub fn opened_by_sops(
        &self,
        sealed: &[u8],
        settings: &Settings,
        to: &str,
    ) -> Result<Vec<u8>, String> {
        self.sops.file("sealed", sealed);
        let from = if settings.format == Format::Binary {
            "binary"
        } else {
            settings.word()
        };
        let arguments = [
            "--decrypt",
            "--input-type",
            from,
            "--output-type",
            to,
            "sealed",
        ];
        self.sops
            .run(&arguments, b"", &[("SOPS_AGE_KEY", &self.key)])
            .output()
    }

    pub fn sealed_by_us(&self, text: &[u8], settings: &Settings) -> Ours<Document<Encrypted>> {
        without_panic(|| {
            let plain = Document::<Plain>::parse_as(settings.format, text, &Limits::generous())?;
            let sealing = Sealing {
                recipients: &[self.identity.recipient()],
                selector: &settings.selector()?,
                now: Timestamp::parse("2026-03-01T10:20:30Z")?,
                random: &mut keys::random,
            };
            let options = Options {
                keep_layout: true,
                accept_nothing: true,
                mac_only_encrypted: Some(settings.mac_only_encrypted),
                ..Options::default()
            };
            plain.seal_with(sealing, &options)
        })
    }

    pub fn opened_by_us(&self, sealed: &[u8], settings: &Settings) -> Ours<Opened> {
        without_panic(|| {
            let document =
                Document::<Encrypted>::parse_as(settings.format, sealed, &Limits::generous())?;
            let data_key = document.data_key(core::slice::from_ref(&self.identity))?;
            document.open(&data_key)
        })
    }

    /// Both directions.
    pub fn judge(&self, text: &[u8], settings: &Settings) -> Verdict {
        self.judge_for(text, settings, None)
    }

    /// Whether a text shows a difference of that kind, asking the reference no more than that needs.
    pub fn shows(&self, text: &[u8], settings: &Settings, class: &str) -> Option<Difference> {
        match self.judge_for(text, settings, Some(class)) {
            Verdict::Differ(difference) if difference.class == class => Some(difference),
            _ => None,
        }
    }

    fn judge_for(&self, text: &[u8], settings: &Settings, wanted: Option<&str>) -> Verdict {
        // what is certain without the reference comes first
        let pointless = |class: &str| wanted.is_some_and(|wanted| !wanted.starts_with(class));
        let ours = match self.sealed_by_us(text, settings) {
            Ours::Panicked(message) => return differ("we panic at sealing", "", message),
            Ours::Refused(error) => {
                if pointless("we refuse") {
                    return Verdict::BothRefuse(error.code().as_str());
                }
                return match self.sealed_by_sops(text, settings) {
                    Err(_) => Verdict::BothRefuse(error.code().as_str()),
                    Ok(sealed) => differ(
                        format!("we refuse: {}", kind(&error.to_string())),
                        sealed,
                        error.to_string(),
                    ),
                };
            }
            Ours::Done(sealed) => sealed,
        };
        if let Some(difference) = self.not_lossless(text, ours.text().as_bytes(), settings) {
            return difference;
        }
        if wanted.is_some() && !pointless("we refuse") {
            return Verdict::Agree;
        }
        let theirs = match self.sealed_by_sops(text, settings) {
            Ok(sealed) => sealed,
            Err(message) => {
                return differ(
                    format!("sops refuses: {}", kind(&message)),
                    message,
                    ours.text(),
                );
            }
        };
        let Ok(meant) = self.opened_by_sops(&theirs, settings, settings.word()) else {
            return Verdict::ReferenceLost;
        };
        let yaml = settings.format == Format::Yaml;
        if yaml && (has_misplaced_block(&theirs) || has_misplaced_block(&meant)) {
            return Verdict::ReferenceLost;
        }
        if sealed_in(&meant) > sealed_in(text) {
            return Verdict::ReferenceLost;
        }
        let opened = match self.opened_by_us(&theirs, settings) {
            Ours::Panicked(message) => {
                return differ("we panic at opening theirs", theirs, message);
            }
            Ours::Refused(error) => {
                return differ(
                    format!("we do not open theirs: {}", error.code().as_str()),
                    theirs,
                    error.to_string(),
                );
            }
            Ours::Done(opened) => opened,
        };
        let read = opened.plain().content();
        let moved = *read != *meant;
        if moved {
            // with nothing behind it, and with a block
            let again = [
                written_by_reference(&read, settings),
                self.read_once(&read, settings),
            ];
            let mut again = again.into_iter().flatten();
            if again
                .clone()
                .any(|again| loses_comments(&again, &meant, settings))
            {
                return Verdict::ReferenceLost;
            }
            if !again.any(|again| again == meant) {
                let class = apart("we open theirs", &meant, &read, settings);
                if class.ends_with("as other data") && self.misprints(&theirs, &opened, settings) {
                    return Verdict::ReferenceLost;
                }
                if has_all_of(&read, &meant, settings) && self.moves_again(&meant, settings) {
                    return Verdict::Moved;
                }
                return differ(class, meant, read.to_vec());
            }
        }
        if wanted.is_some() && !pointless("we open theirs") {
            return Verdict::Agree;
        }
        match self.opened_by_sops(ours.text().as_bytes(), settings, settings.word()) {
            Ok(read) if read == meant && !moved => Verdict::Agree,
            Ok(read) if read == meant => Verdict::Moved,
            Ok(read) => match self.read_once(text, settings) {
                Some(once) if once == read => Verdict::Moved,
                Some(once) if loses_comments(&once, &read, settings) => Verdict::ReferenceLost,
                _ => differ(
                    apart("sops reads ours", &meant, &read, settings),
                    meant,
                    read,
                ),
            },
            Err(message) => differ(
                format!("sops does not open ours: {}", kind(&message)),
                message,
                ours.text(),
            ),
        }
    }

    /// What the reference makes of a text when it reads it once, with a block behind it. It seals what it read, and reads
    /// that again.
    fn read_once(&self, text: &[u8], settings: &Settings) -> Option<Vec<u8>> {
        let nothing = Settings {
            rule: Some(("--encrypted-regex", "^no such key$".to_owned())),
            ..settings.clone()
        };
        match self.sealed_by_us(text, &nothing) {
            Ours::Done(sealed) => written(&sealed.trees().ok()?, settings),
            Ours::Refused(_) | Ours::Panicked(_) => None,
        }
    }

    /// Whether the reference makes another text of the one that it wrote.
    fn moves_again(&self, meant: &[u8], settings: &Settings) -> bool {
        let again = self.sealed_by_sops(meant, settings);
        let again = again.and_then(|again| self.opened_by_sops(&again, settings, settings.word()));
        again.is_ok_and(|again| again != meant)
    }

    /// Whether the reference says as JSON what we read: then it is its text that reads as something else.
    fn misprints(&self, theirs: &[u8], opened: &Opened, settings: &Settings) -> bool {
        let said = self.opened_by_sops(theirs, settings, "json");
        let trees = opened.plain().trees();
        let ours =
            trees.and_then(|trees| convert::written(&trees, Format::Json, Indentation::default()));
        matches!((said, ours), (Ok(said), Ok(ours)) if said == *ours)
    }

    fn not_lossless(&self, text: &[u8], sealed: &[u8], settings: &Settings) -> Option<Verdict> {
        match self.opened_by_us(sealed, settings) {
            Ours::Panicked(message) => Some(differ("we panic at opening ours", sealed, message)),
            Ours::Refused(error) => {
                let class = format!("we do not open ours: {}", error.code().as_str());
                Some(differ(class, sealed, error.to_string()))
            }
            Ours::Done(opened) if *opened.plain().content() == *text => None,
            Ours::Done(opened) => Some(differ(
                "we lose layout",
                text,
                opened.plain().content().to_vec(),
            )),
        }
    }
}

/// What the reference makes of a text without sealing it.
fn written_by_reference(text: &[u8], settings: &Settings) -> Option<Vec<u8>> {
    let document = Document::<Plain>::parse_as(settings.format, text, &Limits::generous());
    written(&document.ok()?.trees().ok()?, settings)
}

fn written(trees: &[Node], settings: &Settings) -> Option<Vec<u8>> {
    // Others than YAML are written in the order in which they are read.
    let yaml = settings.format == Format::Yaml;
    let text = convert::written(trees, settings.format, Indentation::default());
    text.ok().filter(|_| yaml).map(|text| text.to_vec())
}

/// All comments below a node.
fn comments(node: &Node) -> Vec<String> {
    let below = |entry: &Entry| match entry {
        Entry::Comment(text) => vec![text.to_string()],
        Entry::Item { node, .. } => comments(node),
    };
    node.entries().iter().flat_map(below).collect()
}

/// Whether a block scalar stands less far in than its indicator says: so the reference writes one in a mapping in a list,
/// which then reads as something else, or not at all.
fn has_misplaced_block(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let header = line.trim_end_matches(['+', '-']);
        if !header.ends_with("|4") {
            continue;
        }
        let column = header.len() - header.trim_start_matches([' ', '-', '?', ':']).len();
        let first = lines.clone().find(|line| !line.trim().is_empty());
        let seen = first.map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
        // It indents to the next fourth column, whatever it says in the header.
        if seen < column + 4 || column % 4 != 0 {
            return true;
        }
    }
    false
}

/// Whether a text is another but for comments that it lacks: the reference holds one comment at a time, and forgets it
/// when it comes by another before it has written it.
fn loses_comments(whole: &[u8], lacking: &[u8], settings: &Settings) -> bool {
    let count = |text| trees(text, settings).map(|trees| all_comments(&trees).len());
    let fewer = matches!((count(whole), count(lacking)), (Some(all), Some(some)) if some < all);
    fewer && has_all_of(whole, lacking, settings)
}

/// Whether a YAML text says what another says, each of its comments among them.
fn has_all_of(whole: &[u8], part: &[u8], settings: &Settings) -> bool {
    let (Some(whole), Some(part)) = (trees(whole, settings), trees(part, settings)) else {
        return false;
    };
    let bare = |trees: &[Node]| -> Vec<Node> { trees.iter().map(without_comments).collect() };
    let mut left = all_comments(&part);
    for comment in all_comments(&whole) {
        if let Some(at) = left.iter().position(|other| *other == comment) {
            left.remove(at);
        }
    }
    settings.format == Format::Yaml && left.is_empty() && bare(&whole) == bare(&part)
}

fn trees(text: &[u8], settings: &Settings) -> Option<Vec<Node>> {
    let document = Document::<Plain>::parse_as(settings.format, text, &Limits::generous());
    document.ok()?.trees().ok()
}

fn all_comments(trees: &[Node]) -> Vec<String> {
    trees.iter().flat_map(comments).collect()
}

/// How much is sealed in a text: nothing, in one that was opened whole.
fn sealed_in(text: &[u8]) -> usize {
    String::from_utf8_lossy(text)
        .matches("ENC[AES256_GCM,")
        .count()
}

/// How far apart two texts are: in what they say, in their comments, or in how it is written.
fn apart(who: &str, theirs: &[u8], ours: &[u8], settings: &Settings) -> String {
    let (Some(theirs), Some(ours)) = (trees(theirs, settings), trees(ours, settings)) else {
        return format!("{who} to what does not parse");
    };
    let without = |trees: &[Node]| -> Vec<Node> { trees.iter().map(without_comments).collect() };
    let sealed = |trees: &[Node]| {
        format!("{:?}", trees.iter().map(comments).collect::<Vec<_>>())
            .matches("ENC[AES")
            .count()
    };
    if sealed(&ours) != sealed(&theirs) {
        format!("{who} with comments left sealed")
    } else if theirs == ours {
        format!("{who} in other bytes")
    } else if without(&theirs) == without(&ours) {
        format!("{who} with other comments")
    } else {
        format!("{who} as other data")
    }
}

/// A message of the reference without what is particular to a file.
pub fn kind(message: &str) -> String {
    let line = message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let line = line
        .split_once(": ")
        .filter(|(place, _)| place.starts_with("line "))
        .map_or(line, |(_, rest)| rest);
    let line: String = line
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(70)
        .collect();
    line.split(['\'', '"', '['])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}
