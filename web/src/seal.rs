//! The only caller of the codec: checks a text against its marks, seals it, opens it again.
//!
//! Everything that can be read stays in this tab; what leaves this module for the server is sealed text and
//! a one-time recipient.

use core::ops::Range;

use stackseal_core::marks::{self, Mark};
use stackseal_core::{
    DataKey, Document, Encrypted, Error, Identity, Leaf, Limits, Opened, Path, Plain, Recipient,
    Sealing, guard, suggest,
};
use zeroize::Zeroizing;

use crate::browser;
use crate::error::{Words, of_codec, of_fault};

/// What the codec says about a text and its marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The values that would be sealed, in file order.
    pub hits: Vec<Hit>,
    /// The values that Git holds sealed and no mark names any more: refused, and not to be shown.
    pub exposed: Vec<Hit>,
    /// What keeps the text from being saved, or should be known.
    pub findings: Vec<Finding>,
    /// The text is no YAML, so where its values lie is not known.
    pub unreadable: bool,
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

/// What a text is looked at for besides its marks.
#[derive(Clone, Copy)]
pub struct Promise<'a> {
    /// The values that Git holds sealed, by hit: none of them may come to stand in clear.
    pub sealed: &'a SealedValues,
    /// Whether it is a manifest, so that a Secret in it has to be marked.
    pub manifest: bool,
}

/// Looks at a text and its marks, without keys.
pub fn check(text: &str, marks: &[String], promise: Promise<'_>) -> Check {
    let document = match Document::<Plain>::parse(text.as_bytes(), &Limits::default()) {
        Ok(document) => document,
        Err(error) => {
            return Check {
                findings: vec![finding(&error, None)],
                unreadable: true,
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
    let leaves = document.leaves();
    // in file order
    let empty: Vec<usize> = leaves
        .iter()
        .filter(|leaf| leaf.empty)
        .map(|leaf| leaf.span.start)
        .collect();
    let covered: Vec<usize> = analysis.hits.iter().map(|hit| hit.span.start).collect();
    let in_clear = |leaf: &&Leaf| !leaf.empty && covered.binary_search(&leaf.span.start).is_err();
    let mut exposed = Vec::new();
    if !promise.sealed.is_empty() {
        let was_sealed =
            |leaf: &&Leaf| promise.sealed.get(&id(leaf.document, &leaf.path)).is_some();
        for leaf in leaves.iter().filter(in_clear).filter(was_sealed) {
            findings.push(refusal(
                "marks-shrink",
                leaf,
                "Git holds this value sealed; mark its key again, or take the key out of the text",
            ));
            exposed.push(Hit {
                id: id(leaf.document, &leaf.path),
                path: leaf.path.to_string(),
                key: leaf.path.last_key().unwrap_or_default().to_owned(),
                line: leaf.line,
                span: leaf.span.clone(),
                mark: None,
                empty: false,
            });
        }
    }
    if promise.manifest && marks.is_empty() && exposed.is_empty() {
        let secret = leaves
            .iter()
            .filter(in_clear)
            .find(|leaf| is_secret_data(&document, &leaves, leaf));
        findings.extend(secret.map(|leaf| {
            refusal(
                "secret-in-clear",
                leaf,
                "a Secret without marks would be readable in Git; mark the keys that are secret",
            )
        }));
    }
    let hits = analysis.hits.iter().map(|hit| Hit {
        id: id(hit.document, &hit.path),
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
    Check {
        hits,
        exposed,
        findings,
        unreadable: false,
    }
}

fn id(document: usize, path: &Path) -> String {
    format!("{document}:{path}")
}

/// Whether a value stands in the data of a Secret.
fn is_secret_data(document: &Document<Plain>, leaves: &[Leaf], leaf: &Leaf) -> bool {
    let says_secret = |other: &&Leaf| {
        other.document == leaf.document
            && other.path.keys().eq(["kind"])
            && document
                .value_text(&other.span)
                .is_some_and(|kind| kind.as_str() == "Secret")
    };
    matches!(leaf.path.keys().next(), Some("data" | "stringData"))
        && leaves.iter().any(|other| says_secret(&other))
}

fn refusal(code: &str, leaf: &Leaf, message: &str) -> Finding {
    Finding {
        words: of_fault(code, message, Some(&leaf.path.to_string()), Some(leaf.line)),
        refuses: true,
        mark: None,
        line: Some(leaf.line),
    }
}

/// The values that are sealed in a text, by hit, as its opened form writes them. A value that the opened form
/// lacks is told as empty.
pub fn sealed_values(sealed: &str, opened: &str) -> SealedValues {
    let limits = Limits::generous();
    let mut values = SealedValues::default();
    let Ok(sealed) = Document::<Encrypted>::parse(sealed.as_bytes(), &limits) else {
        return values;
    };
    for leaf in sealed.leaves().iter().filter(|leaf| leaf.sealed) {
        let id = id(leaf.document, &leaf.path);
        values.0.push((id, Zeroizing::default()));
    }
    values
        .0
        .sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if let Ok(document) = Document::<Plain>::parse(opened.as_bytes(), &limits) {
        for leaf in document.leaves() {
            if let Some((_, value)) = values
                .at(&id(leaf.document, &leaf.path))
                .and_then(|at| values.0.get_mut(at))
            {
                opened.get(leaf.span).unwrap_or_default().clone_into(value);
            }
        }
    }
    values
}

/// The values that are sealed in a text, by hit, in the order of their ids.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SealedValues(Vec<(String, Zeroizing<String>)>);

impl SealedValues {
    /// Whether nothing is sealed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A value as the opened form writes it.
    pub fn get(&self, id: &str) -> Option<&str> {
        let (_, value) = self.0.get(self.at(id)?)?;
        Some(value)
    }

    fn at(&self, id: &str) -> Option<usize> {
        self.0.binary_search_by(|(at, _)| at.as_str().cmp(id)).ok()
    }
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

impl Check {
    /// All values that are masked: those to be sealed, and those that must not come to light.
    pub fn masked(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().chain(&self.exposed)
    }
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

#[cfg(test)]
mod tests {
    use stackseal_core::{Selector, Timestamp};

    use super::*;

    const SECRET: &str =
        "kind: Secret\napiVersion: v1\nstringData:\n  user: app\n  password: one\n";

    fn codes(text: &str, marks: &[&str], sealed: &[&str]) -> Vec<String> {
        let marks: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        let sealed = sealed
            .iter()
            .map(|id| ((*id).to_owned(), Zeroizing::default()));
        let sealed = SealedValues(sealed.collect());
        let check = check(
            text,
            &marks,
            Promise {
                sealed: &sealed,
                manifest: true,
            },
        );
        check
            .findings
            .into_iter()
            .filter(|finding| finding.refuses)
            .map(|finding| finding.words.code)
            .collect()
    }

    #[test]
    fn a_value_that_git_holds_sealed_may_not_come_to_stand_in_clear() {
        let sealed = ["0:stringData.password"];
        assert_eq!(codes(SECRET, &["user"], &sealed), ["marks-shrink"]);
        assert_eq!(codes(SECRET, &[], &sealed), ["marks-shrink"]);
        assert!(codes(SECRET, &["password"], &sealed).is_empty());
        // a mark goes together with its key
        assert!(
            codes(
                "kind: Secret\nstringData:\n  user: app\n",
                &["user"],
                &sealed
            )
            .is_empty()
        );
    }

    #[test]
    fn a_secret_without_marks_is_refused_and_other_manifests_are_not() {
        assert_eq!(codes(SECRET, &[], &[]), ["secret-in-clear"]);
        assert!(codes("kind: ConfigMap\ndata:\n  a: b\n", &[], &[]).is_empty());
        assert!(codes("kind: Secret\nmetadata:\n  name: empty\n", &[], &[]).is_empty());
    }

    #[test]
    fn a_text_that_cannot_be_read_is_one_finding_with_its_line() {
        let check = check(
            "a: [1\nb: 2\n",
            &[],
            Promise {
                sealed: &SealedValues::default(),
                manifest: true,
            },
        );
        assert!(check.hits.is_empty());
        assert_eq!(check.findings.len(), 1);
        assert!(
            check
                .findings
                .iter()
                .all(|finding| finding.refuses && finding.line.is_some())
        );
    }

    #[test]
    fn what_is_sealed_is_read_from_the_sealed_text_not_from_the_marks() {
        let mut random = |out: &mut [u8]| {
            out.fill(7);
            Ok(())
        };
        let recipients = [Identity::generate(&mut random).unwrap().recipient()];
        let document = Document::<Plain>::parse(b"a: one\nb: two\n", &Limits::default()).unwrap();
        let sealing = Sealing {
            recipients: &recipients,
            selector: &Selector::names(["a"]).unwrap(),
            now: Timestamp::from_unix(1_790_000_000).unwrap(),
            random: &mut random,
        };
        let sealed = document.seal(sealing).unwrap().text().to_owned();
        let values = sealed_values(&sealed, "a: one\nb: two\n");
        assert_eq!(values.get("0:a"), Some("one"));
        assert_eq!(values.get("0:b"), None);
        assert!(sealed_values("a: one\n", "a: one\n").is_empty());
    }

    #[test]
    fn a_copied_value_is_what_a_reader_gets() {
        let text = "password: \"a\\tb\"\n";
        let check = check(
            text,
            &["password".to_owned()],
            Promise {
                sealed: &SealedValues::default(),
                manifest: false,
            },
        );
        let value = check.hits.first().and_then(|hit| value(text, hit)).unwrap();
        assert_eq!(value.as_str(), "a\tb");
    }
}
