//! The write guard: what may enter the server at all (R-01, R-02 of the threat model).
//!
//! A file passes when it is exactly what its marks promise, sealed to the registered recipient, before
//! its bytes reach the disk, a log or a queue. Then it is compared with the file on the branch: what was
//! sealed there may not come back in clear. The check of a single text is the codec's
//! ([`stackseal_core::guard`]).

use std::collections::{BTreeMap, BTreeSet};

use stackseal_core::document::{Document, Encrypted, Leaf, Plain, is_sealed};
use stackseal_core::marks::Mark;
use stackseal_core::path::Segment;
use stackseal_core::{Limits, Path, Recipient};
use stackseal_model::api::{MAX_FILE_BYTES, SaveFile};
use stackseal_model::stack::MemberKind;

use crate::error::{Code, Error};

/// A file that passed.
#[derive(Debug)]
pub(crate) struct Passed {
    /// The wrapped data keys in it, for the ledger.
    pub(crate) entries: Vec<String>,
}

/// Checks one file of a save by itself.
///
/// # Errors
/// `file-too-large`, `encryption-missing`, `secret-in-clear`, and the codec's codes with path and line.
pub(crate) fn check(file: &SaveFile, recipient: Option<&Recipient>) -> Result<Passed, Error> {
    if file.text.len() > MAX_FILE_BYTES {
        return Err(Error::refused(Code::FileTooLarge, "").at(place(file)));
    }
    check_marks(file)?;
    let marks = file
        .marks
        .iter()
        .map(|text| Mark::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    if !marks.is_empty() && recipient.is_none() {
        return Err(Error::refused(Code::EncryptionMissing, ""));
    }
    let recipients: Vec<_> = recipient.into_iter().cloned().collect();
    let guarded = stackseal_core::guard::check(
        file.text.as_bytes(),
        &marks,
        &recipients,
        &Limits::default(),
    )?;
    if file.kind == MemberKind::Manifest {
        if marks.is_empty() {
            refuse_clear_secret(&Document::<Plain>::parse(
                file.text.as_bytes(),
                &generous(),
            )?)?;
        } else {
            refuse_clear_secret(&Document::<Encrypted>::parse(
                file.text.as_bytes(),
                &generous(),
            )?)?;
        }
    }
    Ok(Passed {
        entries: guarded.entries.into_iter().map(|entry| entry.enc).collect(),
    })
}

/// Checks that nothing sealed in the text on the branch, or marked in the cluster file, would stand in
/// clear. A mark may go together with the keys it names, never before them.
///
/// # Errors
/// `marks-shrink` with the key.
pub(crate) fn check_against(
    text: &[u8],
    marks: &[String],
    head_marks: &[String],
    head_text: Option<&[u8]>,
) -> Result<(), Error> {
    let limits = generous();
    let new = Leaves::read(text, &limits)?;
    // a mark that never was well-formed protects nothing
    let gone: Vec<_> = head_marks
        .iter()
        .filter(|mark| !marks.contains(mark))
        .filter_map(|mark| Mark::parse(mark).ok())
        .collect();
    for mark in &gone {
        if let Some(leaf) = new.in_clear().find(|leaf| names(mark, leaf)) {
            let mark = mark.text();
            return Err(shrink(
                format!(
                    "The mark {mark} cannot be removed while its key stands in the file; keep the mark."
                ),
                leaf,
            ));
        }
    }
    let sealed = match head_text {
        Some(head) => sealed_at_head(head, &limits)?,
        None => BTreeSet::new(),
    };
    // Documents and list items may have moved, so only the keys count.
    if let Some(leaf) = new
        .in_clear()
        .find(|leaf| sealed.contains(&keys_of(&leaf.path)))
    {
        return Err(shrink(
            format!(
                "The value {} is sealed on the branch and would stand in clear; mark its key.",
                leaf.path
            ),
            leaf,
        ));
    }
    if new.alias.is_some() && !(gone.is_empty() && sealed.is_empty()) {
        let detail = "An alias or merge stands here, through which a value that is sealed on the branch could come back in clear; write the value out.";
        return Err(Error::refused(Code::MarksShrink, detail).at_line(new.alias));
    }
    Ok(())
}

/// The keys above each value that is sealed on the branch, well or badly.
fn sealed_at_head(head: &[u8], limits: &Limits) -> Result<BTreeSet<Vec<String>>, Error> {
    match Leaves::read(head, limits) {
        Ok(old) => {
            let sealed = old.all.iter().filter(|(_, claims)| *claims);
            Ok(sealed.map(|(leaf, _)| keys_of(&leaf.path)).collect())
        }
        Err(_) if seems_sealed(head) => {
            let detail = "The file on the branch holds sealed values and cannot be read, so it cannot be told whether they would stand in clear. Mend or remove it in Git first.";
            Err(Error::refused(Code::MarksShrink, detail))
        }
        // it holds nothing that this save could uncover
        Err(_) => Ok(BTreeSet::new()),
    }
}

/// Whether bytes that cannot be read hold a sealed value or a `sops` key.
fn seems_sealed(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let quotes_and_blanks = ['"', '\'', ' ', '\t'];
    text.contains(CLAIM)
        || text
            .split("sops")
            .skip(1)
            .any(|rest| rest.trim_start_matches(quotes_and_blanks).starts_with(':'))
}

fn shrink(detail: String, leaf: &Leaf) -> Error {
    Error::refused(Code::MarksShrink, detail)
        .at(leaf.path.to_string())
        .at_line(Some(leaf.line))
}

/// Whether a mark means a value, taken as widely as any reader could take it: keys may hold dots.
fn names(mark: &Mark, leaf: &Leaf) -> bool {
    let mark = mark.text();
    leaf.path.keys().any(|key| {
        mark.strip_suffix(key)
            .is_some_and(|path| path.is_empty() || path.ends_with('.'))
    })
}

fn keys_of(path: &Path) -> Vec<String> {
    path.keys().map(str::to_owned).collect()
}

/// The values of a text, sealed or not.
struct Leaves {
    /// Each with whether it claims to be sealed.
    all: Vec<(Leaf, bool)>,
    /// Line of the first alias or merge.
    alias: Option<usize>,
}

impl Leaves {
    fn read(text: &[u8], limits: &Limits) -> Result<Self, Error> {
        Ok(if is_sealed(text, limits)? {
            Self::of(&Document::<Encrypted>::parse(text, limits)?)
        } else {
            Self::of(&Document::<Plain>::parse(text, limits)?)
        })
    }

    fn of<State>(document: &Document<State>) -> Self {
        let claims = |text: Option<&str>| text.is_some_and(|text| text.starts_with(CLAIM));
        Self {
            all: document
                .leaves_with_text()
                .map(|(leaf, text)| (leaf, claims(text)))
                .collect(),
            alias: document.alias_line(),
        }
    }

    fn in_clear(&self) -> impl Iterator<Item = &Leaf> {
        let leaves = self.all.iter().map(|(leaf, _)| leaf);
        leaves.filter(|leaf| !leaf.sealed && !leaf.empty)
    }
}

/// A `Secret` whose values all stand in clear is a mistake, whatever the person meant.
fn refuse_clear_secret<State>(document: &Document<State>) -> Result<(), Error> {
    let leaves: Vec<_> = document.leaves_with_text().collect();
    let secrets = Secrets::find(&leaves);
    let refused = |place: String, line: Option<usize>| {
        Err(Error::refused(Code::SecretInClear, "")
            .at(place)
            .at_line(line))
    };
    let mut values: BTreeMap<_, (Option<&Leaf>, bool)> = BTreeMap::new();
    for (leaf, _) in leaves.iter().filter(|(leaf, _)| !leaf.empty) {
        for secret in secrets.around(leaf) {
            let (first, sealed) = values.entry((leaf.document, secret)).or_default();
            first.get_or_insert(leaf);
            *sealed |= leaf.sealed;
        }
    }
    let in_clear = values.values().find(|(_, sealed)| !sealed);
    if let Some((Some(leaf), _)) = in_clear {
        return refused(leaf.path.to_string(), Some(leaf.line));
    }
    match document.alias_line() {
        // what an alias or merge brings is no leaf, so a Secret may get its values from there
        Some(line) if secrets.may_be_fed(&leaves) => refused(String::new(), Some(line)),
        _ => Ok(()),
    }
}

/// A value with the text that a reader gets.
type Read<'a> = (Leaf, Option<&'a str>);

/// The mappings of a text that are Secrets, by document and path.
#[derive(Default)]
struct Secrets<'a> {
    single: BTreeSet<(usize, &'a [Segment])>,
    /// Lists whose items need not say what they are.
    lists: BTreeSet<(usize, &'a [Segment])>,
}

impl<'a> Secrets<'a> {
    fn find(leaves: &'a [Read<'_>]) -> Self {
        let mut found = Self::default();
        for (leaf, text) in leaves {
            if let Some(Segment::Key(key)) = leaf.path.last()
                && key.as_ref() == "kind"
            {
                let mapping = leaf.path.collection();
                match text.map(str::trim) {
                    Some("Secret") => found.single.insert((leaf.document, mapping)),
                    Some("SecretList") => found.lists.insert((leaf.document, mapping)),
                    _ => false,
                };
            }
        }
        found
    }

    /// The Secrets that have a value in their data.
    fn around<'l>(&self, leaf: &'l Leaf) -> impl Iterator<Item = &'l [Segment]> {
        let collection = leaf.path.collection();
        let is_data = |segment: &Segment| match segment {
            Segment::Key(key) => matches!(key.as_ref(), "data" | "stringData"),
            Segment::Index(_) => false,
        };
        let splits = leaf.path.segments().enumerate();
        let mappings = splits
            .filter(move |(_, segment)| is_data(segment))
            .filter_map(|(at, _)| collection.get(..at));
        mappings.filter(|mapping| self.holds(leaf.document, mapping))
    }

    fn holds(&self, document: usize, mapping: &[Segment]) -> bool {
        let in_list = match mapping {
            [list @ .., Segment::Key(items), Segment::Index(_)] => {
                items.as_ref() == "items" && self.lists.contains(&(document, list))
            }
            _ => false,
        };
        in_list || self.single.contains(&(document, mapping))
    }

    /// Whether a document names a Secret without being, by its own kind, something that only refers to one.
    fn may_be_fed(&self, leaves: &[Read<'_>]) -> bool {
        let top_kind = |document: usize| {
            let mut tops = leaves
                .iter()
                .filter(|(leaf, _)| leaf.document == document && leaf.path.depth() == 1);
            tops.find(|(leaf, _)| leaf.path.keys().eq(["kind"]))
                .map(|(_, text)| text.map_or("", str::trim))
        };
        let open: BTreeMap<_, _> = leaves
            .iter()
            .map(|(leaf, _)| leaf.document)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|document| {
                let kind = top_kind(document);
                let open = kind.is_none_or(|kind| kind == "Secret" || kind.ends_with("List"));
                (document, open)
            })
            .collect();
        let names = |(leaf, text): &Read<'_>| {
            matches!(text.map(str::trim), Some("Secret" | "SecretList"))
                && open.get(&leaf.document) == Some(&true)
        };
        // elsewhere a mapping with metadata of its own is a Secret, and no reference to one
        let whole = |(leaf, _): &Read<'_>| {
            let mut at = leaf.path.segments().enumerate();
            at.any(|(at, segment)| {
                matches!(segment, Segment::Key(key) if key.as_ref() == "metadata")
                    && leaf
                        .path
                        .collection()
                        .get(..at)
                        .is_some_and(|mapping| self.holds(leaf.document, mapping))
            })
        };
        leaves.iter().any(|leaf| names(leaf) || whole(leaf))
    }
}

/// As many marks as a person may set, each once. Counted before anything is parsed.
fn check_marks(file: &SaveFile) -> Result<(), Error> {
    if file.marks.len() > MOST_MARKS {
        return Err(Error::refused(Code::MarkCount, "").at(place(file)));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = file.marks.iter().find(|mark| !seen.insert(mark.trim())) {
        return Err(Error::refused(Code::DuplicateMark, "").at(twice.trim()));
    }
    Ok(())
}

/// The branch may hold what others wrote under wider limits than ours.
fn generous() -> Limits {
    Limits {
        bytes: 2 * MAX_FILE_BYTES,
        ..Limits::generous()
    }
}

fn place(file: &SaveFile) -> String {
    format!("{} {}", file.kind.as_str(), file.name)
}

/// How a value begins that claims to be sealed.
const CLAIM: &str = "ENC[";
/// Most marks of one file.
const MOST_MARKS: usize = 1000;

#[cfg(test)]
mod tests {
    use stackseal_core::{Identity, Sealing, Timestamp};
    use stackseal_model::name::MemberName;

    use super::*;
    use crate::random;

    fn file(text: &str, marks: &[&str]) -> SaveFile {
        SaveFile {
            kind: MemberKind::Manifest,
            name: MemberName::parse("creds").unwrap(),
            namespace: None,
            chart: None,
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            text: text.to_owned(),
            base_blob: None,
        }
    }

    fn sealed(text: &str, marks: &[&str], recipient: &Recipient) -> String {
        let plain = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        let marks: Vec<_> = marks
            .iter()
            .map(|mark| Mark::parse(mark).unwrap())
            .collect();
        let analysis = stackseal_core::marks::analyse(&plain, &marks);
        let sealing = Sealing {
            recipients: std::slice::from_ref(recipient),
            selector: analysis.rule().unwrap(),
            now: Timestamp::from_unix(1_790_000_000).unwrap(),
            random: &mut random::fill,
        };
        plain.seal(sealing).unwrap().text().to_owned()
    }

    fn recipient() -> Recipient {
        Identity::generate(&mut random::fill).unwrap().recipient()
    }

    fn code(result: Result<impl Sized, Error>) -> String {
        result
            .err()
            .map(|error| error.problem().code)
            .unwrap_or_default()
    }

    const SECRET: &str = "apiVersion: v1\nkind: Secret\nstringData:\n  user: u\n  password: p\n";

    #[test]
    fn sealed_text_passes_and_everything_short_of_it_does_not() {
        let (ours, foreign) = (recipient(), recipient());
        let good = sealed(SECRET, &["password"], &ours);
        let passed = check(&file(&good, &["password"]), Some(&ours)).unwrap();
        assert_eq!(passed.entries.len(), 1);
        assert_eq!(
            code(check(&file(SECRET, &["password"]), Some(&ours))),
            "leaf-not-sealed"
        );
        assert_eq!(
            code(check(&file(&good, &["password", "user"]), Some(&ours))),
            "invalid-selector"
        );
        assert_eq!(
            code(check(&file(&good, &["token"]), Some(&ours))),
            "mark-matches-nothing"
        );
        assert_eq!(
            code(check(&file(&good, &["password"]), Some(&foreign))),
            "recipient-mismatch"
        );
        assert_eq!(
            code(check(&file(&good, &["password"]), None)),
            "encryption-missing"
        );
        assert_eq!(
            code(check(&file(&good, &[]), Some(&ours))),
            "already-sealed"
        );
        let half = good.replace(
            "user: u",
            "user: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]",
        );
        assert_eq!(
            code(check(&file(&half, &["password"]), Some(&ours))),
            "value-looks-sealed"
        );
    }

    #[test]
    fn a_secret_with_values_needs_a_mark() {
        let refused = check(&file(SECRET, &[]), None).unwrap_err().problem();
        assert_eq!(
            (refused.code.as_str(), refused.line),
            ("secret-in-clear", Some(4))
        );
        let second = format!(
            "kind: ConfigMap\ndata: {{a: b}}\n---\n{}",
            SECRET.replace("Secret", "'Secret'")
        );
        assert_eq!(code(check(&file(&second, &[]), None)), "secret-in-clear");
        for fine in [
            "kind: Secret\ndata:\n",
            "kind: Secret\ndata: {a: ''}\n",
            "kind: ConfigMap\ndata: {a: b}\n",
        ] {
            assert_eq!(code(check(&file(fine, &[]), None)), "", "{fine}");
        }
        for spelling in [
            "kind: \"\\x53ecret\"\ndata: {a: b}\n",
            "kind: |-\n  Secret\ndata: {a: b}\n",
            "kind: !!str Secret\ndata: {a: b}\n",
            "kind: List\nitems:\n  - kind: ConfigMap\n  - kind: Secret\n    data: {a: b}\n",
            "kind: SecretList\nitems:\n  - data: {a: b}\n",
            "d: &d {a: b}\nkind: Secret\nstringData: *d\n",
            "d: &d {data: {a: b}}\nkind: Secret\n<<: *d\n",
            "s: &s Secret\nkind: *s\ndata: {a: b}\n",
            "x: &x [{kind: Secret, data: {a: b}}]\nkind: List\nitems: *x\n",
            "kind: Object\nd: &d {a: b}\nspec: {kind: Secret, metadata: {name: n}, data: *d}\n",
        ] {
            assert_eq!(
                code(check(&file(spelling, &[]), None)),
                "secret-in-clear",
                "{spelling}"
            );
        }
        for fine in [
            "kind: Secret\ntype: t\n",
            "kind: HelmRelease\nx: &x 1\ny: *x\nspec: {valuesFrom: [{kind: Secret, name: n}]}\n",
        ] {
            assert_eq!(code(check(&file(fine, &[]), None)), "", "{fine}");
        }
        let values = SaveFile {
            kind: MemberKind::Addon,
            ..file(SECRET, &[])
        };
        assert_eq!(code(check(&values, None)), "");
    }

    #[test]
    fn a_mark_elsewhere_does_not_excuse_a_secret() {
        let ours = recipient();
        let with = |text: &str, marks: &[&str]| {
            let sealed = sealed(text, marks, &ours);
            code(check(&file(&sealed, marks), Some(&ours)))
        };
        let two = "kind: ConfigMap\ndata: {token: t}\n---\nkind: Secret\ndata: {password: cA==}\n";
        assert_eq!(with(two, &["token"]), "secret-in-clear");
        assert_eq!(with(two, &["password"]), "");
        let unrelated = "kind: Secret\nmetadata: {note: n}\ndata: {password: cA==}\n";
        assert_eq!(with(unrelated, &["note"]), "secret-in-clear");
        assert_eq!(with(unrelated, &["data"]), "");
    }

    #[test]
    fn what_was_sealed_may_go_but_not_come_back_in_clear() {
        let ours = recipient();
        let old = sealed(SECRET, &["password"], &ours);
        let against = |text: &str, marks: &[&str], head_marks: &[&str], head: &str| {
            let list = |marks: &[&str]| {
                marks
                    .iter()
                    .map(|mark| (*mark).to_owned())
                    .collect::<Vec<_>>()
            };
            code(check_against(
                text.as_bytes(),
                &list(marks),
                &list(head_marks),
                Some(head.as_bytes()),
            ))
        };
        assert_eq!(against(&old, &["password"], &["password"], &old), "");
        let config = SECRET.replace("Secret", "ConfigMap");
        assert_eq!(against(&config, &[], &["password"], &old), "marks-shrink");
        // sealed by another tool, no mark in the cluster file
        assert_eq!(against(&config, &[], &[], &old), "marks-shrink");
        let without = SECRET.replace("  password: p\n", "");
        assert_eq!(against(&without, &[], &["password"], &old), "");
        // a path narrowed to another place of the same name
        let moved = "kind: ConfigMap\nother:\n  password: p\n";
        assert_eq!(
            against(moved, &[], &["stringData.password"], &old),
            "marks-shrink"
        );
        let wider = sealed(SECRET, &["stringData.password"], &ours);
        assert_eq!(
            against(&wider, &["stringData.password"], &["password"], &old),
            ""
        );
        assert_eq!(against(&config, &[], &[], "not: [yaml"), "");
        // an unreadable text that holds sealed values vouches for nothing
        for broken in ["a: [ENC[x", "a: [x\nsops:\n  mac: x\n", "{\"sops\": {"] {
            assert_eq!(against(&config, &[], &[], broken), "marks-shrink");
        }
        // sealed badly is sealed all the same
        let bad = "kind: ConfigMap\nstringData:\n  password: ENC[half\n";
        assert_eq!(against(&config, &[], &[], bad), "marks-shrink");
        // what an alias stands for is no value that can be looked at
        let alias = "x: &p p\nkind: ConfigMap\nstringData:\n  password: *p\n";
        let merge = "x: &p {password: p}\nstringData:\n  <<: *p\n";
        for text in [alias, merge] {
            assert_eq!(against(text, &[], &["password"], &old), "marks-shrink");
            assert_eq!(against(text, &[], &[], &old), "marks-shrink");
            assert_eq!(against(text, &[], &["token"], "a: 1\n"), "marks-shrink");
        }
        assert_eq!(against(alias, &[], &[], "a: 1\n"), "");
    }

    #[test]
    fn what_was_sealed_is_known_again_in_another_document_list_item_or_map() {
        let ours = recipient();
        let against = |text: &str, marks: &[&str], head_marks: &[&str], head: &str| {
            let list = |marks: &[&str]| marks.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>();
            code(check_against(
                text.as_bytes(),
                &list(marks),
                &list(head_marks),
                Some(head.as_bytes()),
            ))
        };
        let list = "users:\n  - password: p\n";
        let old = sealed(list, &["password"], &ours);
        let below = "users:\n  - name: n\n  - password: p\n";
        let behind = "a: 1\n---\nusers:\n  - password: p\n";
        for text in [list, below, behind] {
            assert_eq!(against(text, &[], &[], &old), "marks-shrink", "{text}");
        }
        // a key with a dot, under another map than the mark says
        let tls = "data:\n  tls.key: k\n  token: t\n";
        let marks = ["data.tls.key", "data.token"];
        let old = sealed(tls, &marks, &ours);
        let renamed = tls.replace("data:", "stringData:");
        let text = sealed(&renamed, &["stringData.token"], &ours);
        assert_eq!(
            against(&text, &["stringData.token"], &marks, &old),
            "marks-shrink"
        );
    }

    #[test]
    fn a_file_over_one_mebibyte_is_refused_before_it_is_parsed() {
        let text = "a: ".to_owned() + &"x".repeat(MAX_FILE_BYTES);
        assert_eq!(code(check(&file(&text, &[]), None)), "file-too-large");
    }
}
