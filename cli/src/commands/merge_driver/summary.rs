//! What became of a merge that was finished by hand: which side each value was taken from, by path and without a value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use stackseal_core::value::ValueKind;
use stackseal_core::{Document, Encrypted, Format, Limits, Opened};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::keyring::Keyring;
use crate::opening::{self, Mac};

/// What was there before finishing, and what is there now.
pub(super) struct Finished<'a> {
    pub(super) ours: Option<&'a Opened>,
    pub(super) theirs: Option<&'a Opened>,
    pub(super) opened: &'a Opened,
    pub(super) sealed: &'a Document<Encrypted>,
}

/// Values by path: their type and text, which are compared and never told.
type Values<'a> = BTreeMap<String, (ValueKind, &'a str)>;

impl Finished<'_> {
    /// How many sealed values stayed as they were and which were sealed anew; then each value in which the sides
    /// differ, if Git still has them and they open.
    pub(super) fn told(&self) -> String {
        let before = sealed_values(self.opened.sealed());
        let now = sealed_values(self.sealed);
        let anew = now
            .iter()
            .filter(|(path, value)| before.get(*path) != Some(value));
        let anew: Vec<_> = anew.map(|(path, _)| path.as_str()).collect();
        let kept = now.len() - anew.len();
        let mut told = match kept {
            1 => "1 sealed value is kept as it was".to_owned(),
            _ => format!("{kept} sealed values are kept as they were"),
        };
        if !anew.is_empty() {
            told.push_str(&format!("; sealed anew: {}", anew.join(", ")));
        }
        let (Some(ours), Some(theirs)) = (self.ours, self.theirs) else {
            return told;
        };
        let sealed = [ours, theirs].map(|side| sealed_values(side.sealed()));
        let (is, ours, theirs) = (values(self.opened), values(ours), values(theirs));
        let paths: BTreeSet<_> = is.keys().chain(ours.keys()).chain(theirs.keys()).collect();
        for path in paths {
            // The same ciphertext is the same value, which lost its spelling.
            let kept = sealed.each_ref().map(|side| {
                let kept = side.get(path);
                kept.is_some() && kept == before.get(path)
            });
            let (is, ours, theirs) = (is.get(path), ours.get(path), theirs.get(path));
            let from = match (is == ours, is == theirs) {
                (true, true) => continue,
                (true, false) => "ours",
                (false, true) => "theirs",
                (false, false) => match kept {
                    [true, true] => "both sides, written otherwise",
                    [true, false] => "ours, written otherwise",
                    [false, true] => "theirs, written otherwise",
                    [false, false] => "neither side",
                },
            };
            let gone = if is.is_none() { ", without it" } else { "" };
            told.push_str(&format!("\n  {path}: as on {from}{gone}"));
        }
        told
    }
}

/// A side as Git has it while a merge is open; `None` where it has none.
pub(super) fn staged(file: &Path, stage: u8) -> Option<Zeroizing<Vec<u8>>> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let name = file.file_name()?.to_str()?;
    let mut git = Command::new("git");
    git.arg("-C").arg(folder.unwrap_or(Path::new(".")));
    git.args(["cat-file", "blob", &format!(":{stage}:./{name}")]);
    let output = git.stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| Zeroizing::new(output.stdout))
}

/// A side, opened; `None` for one that is not sealed.
pub(super) fn opened(
    side: &[u8],
    format: Format,
    name: &str,
    keyring: &Keyring,
) -> Option<Result<Opened, Failure>> {
    let document = Document::<Encrypted>::parse_as(format, side, &Limits::generous());
    Some(opening::open(&document.ok()?, keyring, name, Mac::Check))
}

fn sealed_values(document: &Document<Encrypted>) -> BTreeMap<String, &str> {
    let leaves = document.leaves_with_text();
    let sealed = leaves.filter(|(leaf, _)| leaf.sealed);
    sealed
        .map(|(leaf, text)| (place(leaf.document, &leaf.path), text.unwrap_or_default()))
        .collect()
}

fn values(opened: &Opened) -> Values<'_> {
    let plain = opened.plain();
    let value = |(leaf, text): (stackseal_core::Leaf, Option<_>)| {
        let written = plain.text().get(leaf.span).unwrap_or_default();
        (
            place(leaf.document, &leaf.path),
            (leaf.kind, text.unwrap_or(written)),
        )
    };
    plain.leaves_with_text().map(value).collect()
}

pub(super) fn place(document: usize, path: &stackseal_core::Path) -> String {
    match document {
        0 => path.to_string(),
        later => format!("document {}: {path}", later + 1),
    }
}
