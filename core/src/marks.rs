//! Marks: the keys that a person wants sealed, compiled to the narrowest rule that consumers honour.
//!
//! SOPS tries a rule on single key names at any depth, so a path cannot be a rule. A mark becomes
//! the name of its last key; every other value that this name hits is listed, and is a refusal
//! until the person marks the name itself (DESIGN section 4 of the product: exact or shown).

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::document::{Document, Plain, looks_sealed};
use crate::error::{Error, ErrorCode};
use crate::format::parts::Scalar;
use crate::order::{self, Table};
use crate::path::Path;
use crate::selector::Selector;
use crate::value::ValueKind;

/// A name (`password`), a path from the top (`auth.password`) or a literal name (`.dockerconfigjson`).
///
/// List positions do not stand in paths: `users.password` means that key in every item of `users`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    text: String,
}

impl Mark {
    /// Reads a mark; blanks around it are dropped.
    ///
    /// # Errors
    /// `mark-invalid` when it is empty, a dot alone, ends in a dot, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let refuse = |why: &str| Err(Error::configuration(ErrorCode::MarkInvalid, why));
        if text.is_empty() {
            return refuse("the mark is empty; write a key's name or path");
        }
        if text.ends_with('.') {
            return refuse("the mark ends in a dot; write the key that it should name behind it");
        }
        if text.len() > 512 {
            return refuse("the mark is longer than 512 bytes; mark a key further up");
        }
        if text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        {
            return refuse("the mark holds a control character; write it anew");
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The mark as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names a key wherever it stands, not a path.
    pub fn is_name(&self) -> bool {
        self.text.starts_with('.') || !self.text.contains('.')
    }

    /// The name of the key through which a path is hit, if it is.
    fn hit<'a>(&self, path: &'a Path, literally: bool) -> Option<&'a str> {
        if literally {
            return path.keys().find(|key| *key == self.text);
        }
        let mut rest = self.text.as_str();
        for key in path.keys() {
            rest = rest.strip_prefix(key)?;
            if rest.is_empty() {
                return Some(key);
            }
            rest = rest.strip_prefix('.')?;
        }
        None
    }
}

/// A value that the rule made of the marks seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The value's path.
    pub path: Path,
    /// Which of the text's documents, from 0.
    pub document: usize,
    /// Line of the value, from 1.
    pub line: usize,
    /// Bytes of the value in the text.
    pub span: Range<usize>,
    /// Position of the mark that means it; `None` when it is hit by a name alone.
    pub mark: Option<usize>,
}

/// Something to tell the person about marks or marked values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code.
    pub code: ErrorCode,
    /// Whether it keeps the document from being sealed.
    pub refuses: bool,
    /// Position of the mark concerned.
    pub mark: Option<usize>,
    /// Line concerned, from 1.
    pub line: Option<usize>,
    /// Path concerned.
    pub path: Option<String>,
    /// What is the matter and what to do, one or two sentences, lower case, no trailing dot.
    pub message: String,
}

/// What marks mean in a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// The rule; `None` when no mark names anything.
    pub selector: Option<Selector>,
    /// Every value that the rule hits, in file order.
    pub hits: Vec<Hit>,
    /// What to tell, refusals first.
    pub findings: Vec<Finding>,
}

impl Analysis {
    /// The first finding that keeps the document from being sealed.
    pub fn refusal(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.refuses)
    }

    /// The rule, or the first refusal as an error.
    ///
    /// # Errors
    /// The refusal's code; `mark-matches-nothing` without any mark.
    pub fn rule(&self) -> Result<&Selector, Error> {
        if let Some(refusal) = self.refusal() {
            let mut error = Error::configuration(refusal.code, &refusal.message);
            if let Some(line) = refusal.line {
                error = error.at_line(line);
            }
            return Err(match &refusal.path {
                Some(path) => error.at_path(path),
                None => error,
            });
        }
        self.selector
            .as_ref()
            .ok_or_else(|| Error::configuration(ErrorCode::MarkMatchesNothing, "no key is marked"))
    }
}

/// Compiles marks against a document.
pub fn analyse(document: &Document<Plain>, marks: &[Mark]) -> Analysis {
    let mut analysis = Analysis::default();
    if marks.is_empty() {
        return analysis;
    }
    if let Some(obstacle) = document.obstacle()
        && let Some(fault) = obstacle.fault()
    {
        analysis.findings.push(Finding {
            code: fault.code,
            refuses: true,
            mark: None,
            line: fault.line,
            path: fault.path.clone(),
            message: fault.message.clone(),
        });
    }
    let meanings: Vec<Meaning> = marks.iter().map(|mark| meaning(document, mark)).collect();
    for (index, (mark, meaning)) in marks.iter().zip(&meanings).enumerate() {
        if meaning.keys.is_empty() {
            analysis.findings.push(Finding {
                mark: Some(index),
                ..finding(
                    ErrorCode::MarkMatchesNothing,
                    &matches_nothing(document, mark),
                )
            });
        } else if seals_names_alone(document, mark, meaning) {
            analysis.findings.push(Finding {
                mark: Some(index),
                ..finding(ErrorCode::ValueEmpty, NAMES_ALONE)
            });
        }
    }
    let names = unique(
        meanings
            .iter()
            .flat_map(|meaning| meaning.keys.iter().cloned()),
    );
    if names.is_empty() {
        return analysis;
    }
    match Selector::names(names.iter().map(String::as_str)) {
        Ok(selector) => {
            inspect(document, marks, &meanings, &selector, &mut analysis);
            analysis.selector = Some(selector);
        }
        Err(error) => analysis.findings.push(finding(
            error.code(),
            error.fault().map_or("", |fault| fault.message.as_str()),
        )),
    }
    let findings = core::mem::take(&mut analysis.findings);
    analysis.findings = order::by_key(findings, |finding| (usize::from(!finding.refuses), 0));
    analysis
}

/// Whether all that stands under a mark are keys without values, as in `password: {hunter2}`: keys are never sealed.
fn seals_names_alone<State>(document: &Document<State>, mark: &Mark, meaning: &Meaning) -> bool {
    let below = |scalar: &Scalar| {
        let key = mark.hit(&scalar.path, meaning.literally)?;
        Some(scalar.span.is_empty() && scalar.path.last_key() != Some(key))
    };
    let mut hits = document
        .scalars()
        .filter_map(|(_, scalar)| below(scalar))
        .peekable();
    hits.peek().is_some() && hits.all(|below| below)
}

const NAMES_ALONE: &str = "under this mark stand keys without values, and keys are never sealed; if one of them is the value, put it in quotes";

/// A mark as it is meant in a document.
struct Meaning {
    /// Taken as one key's name, dots and all.
    literally: bool,
    /// Names of the keys it hits, each once.
    keys: Vec<String>,
}

/// A dotted mark is a path; only where no path fits may it be a key with dots in its name.
fn meaning<State>(document: &Document<State>, mark: &Mark) -> Meaning {
    let keys = |literally: bool| {
        let mut keys: Vec<String> = Vec::new();
        for (_, scalar) in document.scalars() {
            if let Some(key) = mark.hit(&scalar.path, literally)
                && keys.iter().all(|known| known != key)
            {
                keys.push(key.to_owned());
            }
        }
        keys
    };
    let path = if mark.is_name() {
        Vec::new()
    } else {
        keys(false)
    };
    if path.is_empty() {
        Meaning {
            literally: true,
            keys: keys(true),
        }
    } else {
        Meaning {
            literally: false,
            keys: path,
        }
    }
}

fn matches_nothing<State>(document: &Document<State>, mark: &Mark) -> String {
    let near = nearest(document, mark);
    if near.is_empty() {
        return format!(
            "no value stands under {}; names are case-sensitive",
            mark.text
        );
    }
    format!(
        "no value stands under {}; did you mean {}? Names are case-sensitive",
        mark.text,
        near.join(" or ")
    )
}

/// The names that the marks compile to, in their order, each once.
///
/// # Errors
/// `mark-matches-nothing`.
pub(crate) fn key_names<State>(
    document: &Document<State>,
    marks: &[Mark],
) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    for mark in marks {
        let meaning = meaning(document, mark);
        if meaning.keys.is_empty() {
            return Err(Error::configuration(
                ErrorCode::MarkMatchesNothing,
                matches_nothing(document, mark),
            )
            .at_path(&mark.text));
        }
        if seals_names_alone(document, mark, &meaning) {
            return Err(Error::input(ErrorCode::ValueEmpty, NAMES_ALONE).at_path(&mark.text));
        }
        names.extend(meaning.keys);
    }
    Ok(unique(names))
}

fn unique(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn inspect(
    document: &Document<Plain>,
    marks: &[Mark],
    meanings: &[Meaning],
    selector: &Selector,
    analysis: &mut Analysis,
) {
    let around = Surroundings::of(document);
    let mut walk = selector.walk();
    for (number, scalar) in document.scalars() {
        if !walk.selects(&scalar.path) {
            if looks_sealed(&scalar.value) {
                analysis.findings.push(at(
                    scalar,
                    false,
                    None,
                    ErrorCode::ValueLooksSealed,
                    "an unmarked value looks like ENC[…]; it stays as it is",
                ));
            }
            continue;
        }
        let mark = marks
            .iter()
            .zip(meanings)
            .position(|(mark, meaning)| mark.hit(&scalar.path, meaning.literally).is_some());
        analysis.hits.push(Hit {
            path: scalar.path.clone(),
            document: number,
            line: scalar.line,
            span: scalar.span.range(),
            mark,
        });
        if mark.is_none() {
            let key = scalar.path.last_key().unwrap_or_default();
            analysis.findings.push(at(
                scalar,
                true,
                None,
                ErrorCode::MarkHitsMore,
                &format!("this value would be sealed too, as tools choose by name alone; mark the name {key} to seal all of them, or rename one key"),
            ));
        }
        inspect_value(&around, number, scalar, mark, analysis);
    }
}

fn inspect_value(
    around: &Surroundings,
    number: usize,
    scalar: &Scalar,
    mark: Option<usize>,
    analysis: &mut Analysis,
) {
    let manifest = around.manifests.get(number).copied().unwrap_or_default();
    let top = scalar.path.keys().next().unwrap_or_default();
    let mut tell = |refuses: bool, code: ErrorCode, message: &str| {
        analysis
            .findings
            .push(at(scalar, refuses, mark, code, message))
    };
    if manifest.is_manifest && matches!(top, "apiVersion" | "kind" | "metadata") {
        tell(
            true,
            ErrorCode::MarkOnReservedField,
            "Kubernetes tools must read apiVersion, kind and metadata in clear; mark another key",
        );
    }
    let in_data = matches!(top, "data" | "stringData");
    if manifest.is_secret
        && in_data
        && !matches!(scalar.value.kind(), ValueKind::String | ValueKind::Null)
    {
        let word = scalar.value.kind().word();
        tell(
            true,
            ErrorCode::NonStringInSecret,
            &format!("a Secret takes text alone, and this is a {word}; put it in quotes"),
        );
    }
    if looks_sealed(&scalar.value) {
        tell(
            true,
            ErrorCode::ValueLooksSealed,
            "the value already looks like ENC[…]; write the value itself, or unlock the file first",
        );
    }
    if scalar.tag.is_some() {
        tell(
            true,
            ErrorCode::TagUnsupported,
            "a tag gives this value its type, which sealing cannot keep; remove the tag",
        );
    }
    if scalar.value.is_empty() {
        tell(
            false,
            ErrorCode::ValueEmpty,
            "the value is empty and stays as it is; nothing is sealed here",
        );
    }
    if around.comment_beside(number, scalar.line) && !scalar.value.is_empty() {
        tell(
            false,
            ErrorCode::CommentInClear,
            "the comment beside this value stays readable in Git",
        );
    }
}

/// What the top keys of a document say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) is_manifest: bool,
    pub(crate) is_secret: bool,
}

impl Manifest {
    /// For each document of the text, in order.
    pub(crate) fn all<State>(document: &Document<State>) -> Vec<Self> {
        let mut all = vec![(false, None); document.roots().len()];
        for (number, scalar) in document
            .scalars()
            .filter(|(_, scalar)| scalar.path.depth() == 1)
        {
            let Some((has_version, kind)) = all.get_mut(number) else {
                continue;
            };
            match scalar.path.last_key() {
                Some("apiVersion") => *has_version = true,
                Some("kind") => *kind = scalar.value.as_str(),
                _ => {}
            }
        }
        let manifest = |(has_version, kind): (bool, Option<&str>)| Self {
            is_manifest: has_version && kind.is_some(),
            is_secret: kind == Some("Secret"),
        };
        all.into_iter().map(manifest).collect()
    }
}

/// What is looked up for every marked value, gathered once.
struct Surroundings {
    manifests: Vec<Manifest>,
    /// Document and line of each value that a comment may speak of: behind it, or on a line of its own above.
    commented: Table<(usize, usize), ()>,
}

impl Surroundings {
    fn of(document: &Document<Plain>) -> Self {
        let comments = document
            .comments()
            .filter(|(_, comment)| !comment.text.trim().is_empty());
        let commented = comments.map(|(number, comment)| {
            let before = document
                .text()
                .get(..comment.span.start())
                .unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            let alone = line.trim().is_empty();
            ((number, comment.line + usize::from(alone)), ())
        });
        Self {
            manifests: Manifest::all(document),
            commented: Table::new(commented.collect()),
        }
    }

    /// Whether a comment stands behind the line, or alone above it.
    fn comment_beside(&self, number: usize, line: usize) -> bool {
        self.commented.holds(|at| at.cmp(&(number, line)))
    }
}

fn finding(code: ErrorCode, message: &str) -> Finding {
    Finding {
        code,
        refuses: true,
        mark: None,
        line: None,
        path: None,
        message: message.to_owned(),
    }
}

fn at(
    scalar: &Scalar,
    refuses: bool,
    mark: Option<usize>,
    code: ErrorCode,
    message: &str,
) -> Finding {
    Finding {
        refuses,
        mark,
        line: Some(scalar.line),
        path: Some(scalar.path.to_string()),
        ..finding(code, message)
    }
}

/// Up to two keys that a mistyped mark may mean: same letters, or few edits away.
fn nearest<State>(document: &Document<State>, mark: &Mark) -> Vec<String> {
    let wanted = mark
        .text
        .trim_start_matches('.')
        .rsplit('.')
        .next()
        .unwrap_or(&mark.text)
        .to_ascii_lowercase();
    let scalars = document.scalars();
    let keys = scalars.flat_map(|(_, scalar)| scalar.path.keys());
    let keys = Table::new(keys.map(|key| (key, ())).collect());
    let mut keys: Vec<&str> = keys.entries().iter().map(|(key, ())| *key).collect();
    keys.dedup();
    let plain = |text: &str| -> String {
        text.to_ascii_lowercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect()
    };
    let near: Vec<(usize, &str)> = keys
        .into_iter()
        .filter(|key| key.len() <= 64 && wanted.len() <= 64)
        .map(|key| {
            (
                if plain(key) == plain(&wanted) {
                    0
                } else {
                    distance(&key.to_ascii_lowercase(), &wanted)
                },
                key,
            )
        })
        .filter(|(far, _)| *far <= 1 + wanted.chars().count() / 4)
        .collect();
    order::by_key(near, |(far, _)| (*far, 0))
        .into_iter()
        .take(2)
        .map(|(_, key)| key.to_owned())
        .collect()
}

/// Levenshtein distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let next = (diagonal + usize::from(a != *b))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = core::mem::replace(cell, next);
            left = next;
        }
    }
    row.last().copied().unwrap_or(0)
}
