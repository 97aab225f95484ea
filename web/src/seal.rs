//! The only caller of the codec: checks a text against its marks, seals it, opens it again.
//!
//! Everything that can be read stays in this tab; what leaves this module for the server is sealed text and
//! a one-time recipient.

use core::ops::Range;
use std::collections::BTreeMap;

use stackseal_core::marks::{self, Mark};
use stackseal_core::{
    DataKey, Document, Encrypted, Error, Identity, Limits, Opened, Plain, Recipient, Sealing,
    guard, suggest,
};
use zeroize::Zeroizing;

use crate::browser;
use crate::error::{Words, of_codec, of_fault};

/// What the codec says about a text and its marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The values that would be sealed, in file order.
    pub hits: Vec<Hit>,
    /// What keeps the text from being saved, or should be known.
    pub findings: Vec<Finding>,
}

/// A value that would be sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Tells values of the same path apart; stable while the file is edited.
    pub id: String,
    /// Keys from the top.
    pub path: String,
    /// Its last key.
    pub key: String,
    /// Line, from 1.
    pub line: usize,
    /// Bytes of the value in the text.
    pub span: Range<usize>,
    /// Which mark names it; `None`: it is hit although no mark names it.
    pub mark: Option<usize>,
    /// Whether there is nothing to hide.
    pub empty: bool,
}

/// Something about the text or a mark that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, why, what to do.
    pub words: Words,
    /// Whether it keeps the text from being saved.
    pub refuses: bool,
    /// The mark concerned.
    pub mark: Option<usize>,
    /// Line concerned, from 1.
    pub line: Option<usize>,
}

/// A key that looks secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The mark that would seal it.
    pub mark: String,
    /// Line, from 1.
    pub line: usize,
}

/// A sealed text together with what is needed to change it: kept in memory while it is edited.
#[derive(Clone)]
pub struct Kept(Opened);

/// A key pair for one answer of the server; forgotten with this value.
pub struct OneTime(Identity);

/// Looks at a text and its marks, without keys.
pub fn check(text: &str, marks: &[String]) -> Check {
    let document = match Document::<Plain>::parse(text.as_bytes(), &Limits::default()) {
        Ok(document) => document,
        Err(error) => {
            return Check {
                findings: vec![finding(&error, None)],
                ..Check::default()
            };
        }
    };
    let mut findings = Vec::new();
    let mut parsed = Vec::new();
    let mut numbers = Vec::new();
    for (number, mark) in marks.iter().enumerate() {
        match Mark::parse(mark) {
            Ok(mark) => {
                parsed.push(mark);
                numbers.push(number);
            }
            Err(error) => findings.push(finding(&error, Some(number))),
        }
    }
    let number = |mark: Option<usize>| mark.and_then(|mark| numbers.get(mark).copied());
    let analysis = marks::analyse(&document, &parsed);
    // in file order
    let empty: Vec<usize> = document
        .leaves()
        .iter()
        .filter(|leaf| leaf.empty)
        .map(|leaf| leaf.span.start)
        .collect();
    let hits = analysis.hits.iter().map(|hit| Hit {
        id: format!("{}:{}", hit.document, hit.path),
        path: hit.path.to_string(),
        key: hit.path.last_key().unwrap_or_default().to_owned(),
        line: hit.line,
        span: hit.span.clone(),
        mark: number(hit.mark),
        empty: empty.binary_search(&hit.span.start).is_ok(),
    });
    let hits = hits.collect();
    findings.extend(analysis.findings.iter().map(|found| Finding {
        words: of_fault(
            found.code.as_str(),
            &found.message,
            found.path.as_deref(),
            found.line,
        ),
        refuses: found.refuses,
        mark: number(found.mark),
        line: found.line,
    }));
    Check { hits, findings }
}

/// The marked values as they are written, by hit.
pub fn values(text: &str, marks: &[String]) -> BTreeMap<String, Zeroizing<String>> {
    let hits = check(text, marks).hits;
    let mut values = BTreeMap::new();
    for hit in hits {
        let value = Zeroizing::new(text.get(hit.span).unwrap_or_default().to_owned());
        values.insert(hit.id, value);
    }
    values
}

/// Keys that look secret and are not marked; none while the text cannot be read.
pub fn suggest(text: &str, marks: &[String]) -> Vec<Suggestion> {
    let Ok(document) = Document::<Plain>::parse(text.as_bytes(), &Limits::default()) else {
        return Vec::new();
    };
    let marks: Vec<Mark> = marks
        .iter()
        .filter_map(|mark| Mark::parse(mark).ok())
        .collect();
    suggest::suggest(&document, &marks)
        .into_iter()
        .map(|suggestion| Suggestion {
            mark: suggestion.mark,
            line: suggestion.line,
        })
        .collect()
}

/// Seals a text for one recipient and proves the result. With an earlier version at hand, unchanged values
/// keep their ciphertext.
pub fn seal(
    text: &str,
    marks: &[String],
    recipient: &str,
    earlier: Option<&Kept>,
) -> Result<Kept, Words> {
    try_seal(text, marks, recipient, earlier).map_err(|error| of_codec(&error))
}

fn try_seal(
    text: &str,
    marks: &[String],
    recipient: &str,
    earlier: Option<&Kept>,
) -> Result<Kept, Error> {
    let limits = Limits::default();
    let document = Document::<Plain>::parse(text.as_bytes(), &limits)?;
    let marks: Vec<Mark> = marks
        .iter()
        .map(|mark| Mark::parse(mark))
        .collect::<Result<_, _>>()?;
    let recipients = [Recipient::parse(recipient)?];
    let analysis = marks::analyse(&document, &marks);
    let selector = analysis.rule()?;
    let mut random = browser::random;
    let sealing = Sealing {
        recipients: &recipients,
        selector,
        now: browser::now()?,
        random: &mut random,
    };
    let opened = match earlier {
        Some(earlier) => earlier.0.reseal_and_open(&document, sealing)?,
        None => document.seal_and_open(sealing)?,
    };
    guard::check(
        opened.sealed().text().as_bytes(),
        &marks,
        &recipients,
        &limits,
    )?;
    Ok(Kept(opened))
}

/// The check of a text without marks: it must be plain, nothing in it may look sealed.
pub fn check_plain(text: &str) -> Result<(), Words> {
    guard::check(text.as_bytes(), &[], &[], &Limits::default())
        .map(drop)
        .map_err(|error| of_codec(&error))
}

/// The text of one value, as a reader of the file gets it.
pub fn value(text: &str, hit: &Hit) -> Option<Zeroizing<String>> {
    let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).ok()?;
    document.value_text(&hit.span)
}

impl Kept {
    /// The sealed text.
    pub fn sealed(&self) -> &str {
        self.0.sealed().text()
    }

    /// The readable text.
    pub fn plain(&self) -> &str {
        self.0.plain().text()
    }
}

impl OneTime {
    /// Makes a fresh pair.
    pub fn new() -> Result<Self, Words> {
        Identity::generate(&mut browser::random)
            .map(Self)
            .map_err(|error| of_codec(&error))
    }

    /// The half that the server gets.
    pub fn recipient(&self) -> String {
        self.0.recipient().to_string()
    }

    /// Opens a sealed text with the data key that the server wrapped for this pair, and verifies its MAC.
    pub fn open(self, sealed: &str, wrapped_data_key: &str) -> Result<Kept, Words> {
        let open = || -> Result<Kept, Error> {
            let data_key = DataKey::unwrap(wrapped_data_key, core::slice::from_ref(&self.0))?;
            let document = Document::<Encrypted>::parse(sealed.as_bytes(), &Limits::default())?;
            Ok(Kept(document.open(&data_key)?))
        };
        open().map_err(|error| of_codec(&error))
    }
}

fn finding(error: &Error, mark: Option<usize>) -> Finding {
    let line = error.fault().and_then(|fault| fault.line);
    Finding {
        words: of_codec(error),
        refuses: true,
        mark,
        line,
    }
}
