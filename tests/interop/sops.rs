//! The codec that seals in place, as the page does, against the real `sops`, both directions: recorded cases, generated
//! documents, and what the diff shows. `cases.rs` has the command, which takes more.
//!
//! `STACKSEAL_SOPS` names the program; `make interop` sets it. Without it these tests fail, they do not pass by.

#[path = "sops/generate.rs"]
mod generate;
#[path = "sops/reference.rs"]
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stackseal_core::{
    DataKey, Document, Encrypted, Error, Identity, Limits, Opened, Plain, RandomFailed, Recipient,
    Sealing, Selector, Timestamp,
};

use generate::Generator;
use reference::Sops;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sops");

/// Fewer recorded cases than this means that the folder was not found or was emptied.
const LEAST_CASES: usize = 155;

struct Case {
    name: String,
    folder: PathBuf,
    recorded: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut folders: Vec<_> = fs::read_dir(format!("{VECTORS}/cases"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        assert!(folders.len() >= LEAST_CASES, "only {} cases", folders.len());
        let case = |folder: PathBuf| Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            recorded: serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap(),
            folder,
        };
        folders
            .into_iter()
            .map(case)
            .filter(Self::is_for_the_page)
            .collect()
    }

    /// YAML, sealed by a rule of keys to keys of age alone.
    fn is_for_the_page(&self) -> bool {
        let keys = ["recipients", "identities"].map(|field| self.list(field));
        self.text("format") == "yaml"
            && self.recorded["config"].is_null()
            && !keys.iter().flatten().any(|name| name.starts_with("ssh"))
            && !self.list("args").iter().any(|word| word.starts_with("--"))
            && !self
                .list("encrypt_args")
                .iter()
                .any(|word| word.contains("comment"))
    }

    fn text(&self, field: &str) -> &str {
        self.recorded[field].as_str().unwrap_or_default()
    }

    fn list(&self, field: &str) -> Vec<&str> {
        self.recorded[field]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    fn file(&self, field: &str) -> Vec<u8> {
        fs::read(self.folder.join(self.text(field))).unwrap()
    }

    fn identities(&self) -> Vec<Identity> {
        self.list("identities").into_iter().map(identity).collect()
    }

    fn recipients(&self) -> Vec<Recipient> {
        self.list("recipients")
            .into_iter()
            .map(|name| identity(name).recipient())
            .collect()
    }

    /// The code by which ours refuses on purpose what the reference accepts, or what else ours does otherwise.
    fn refused_by_us(&self, act: &str) -> Option<&str> {
        self.recorded["ours"][act].as_str()
    }

    fn tampered(&self) -> bool {
        self.recorded["tampered"] == true
    }

    fn is_ok(&self) -> bool {
        self.text("expect") == "ok"
    }

    /// The selector that the reference was asked for; `None` when it was asked for two.
    fn selector(&self) -> Option<Result<Selector, Error>> {
        let arguments = self.list("encrypt_args");
        let pairs: Vec<_> = arguments.chunks(2).filter(|pair| pair.len() == 2).collect();
        match pairs.as_slice() {
            [] => Some(Ok(Selector::default())),
            [pair] => Some(match pair[0] {
                "--encrypted-regex" => Selector::encrypted_regex(pair[1]),
                "--unencrypted-regex" => Selector::unencrypted_regex(pair[1]),
                "--encrypted-suffix" => Ok(Selector::EncryptedSuffix(pair[1].to_owned())),
                "--unencrypted-suffix" => Ok(Selector::UnencryptedSuffix(pair[1].to_owned())),
                other => panic!("{}: {other}", self.name),
            }),
            _ => None,
        }
    }
}

fn key_text(name: &str) -> String {
    fs::read_to_string(format!("{VECTORS}/keys/{name}.txt")).unwrap()
}

fn identity(name: &str) -> Identity {
    let text = key_text(name);
    Identity::parse(
        text.lines()
            .find(|line| line.starts_with("AGE-SECRET-KEY-"))
            .unwrap(),
    )
    .unwrap()
}

fn random(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn seal(
    plain: &[u8],
    selector: &Selector,
    recipients: &[Recipient],
) -> Result<Document<Encrypted>, Error> {
    let document = Document::<Plain>::parse(plain, &Limits::generous())?;
    document.seal(Sealing {
        recipients,
        selector,
        now: at("2026-03-01T10:20:30Z"),
        random: &mut random,
    })
}

fn open(sealed: &[u8], identities: &[Identity]) -> Result<Opened, Error> {
    let document = Document::<Encrypted>::parse(sealed, &Limits::generous())?;
    let data_key: DataKey = document.data_key(identities)?;
    document.open(&data_key)
}

/// The text without its values: what must stay to the byte. (A sealed value comes back as the value that it was, not
/// in the spelling that it had: `0x0F` as `15`.)
fn around_values(document: &Document<Plain>) -> Vec<&str> {
    let (text, mut parts, mut end) = (document.text(), Vec::new(), 0);
    for leaf in document.leaves() {
        parts.push(&text[end..leaf.span.start]);
        end = leaf.span.end;
    }
    parts.push(&text[end..]);
    parts
}

/// The codes by which ours may say what the reference says with this exit status.
fn codes_for(exit_status: i64) -> &'static [&'static str] {
    match exit_status {
        1 => &["metadata-invalid", "timestamp-invalid", "yaml-syntax"],
        25 => &["leaf-malformed", "leaf-not-sealed", "leaf-tampered"],
        51 => &["mac-mismatch"],
        128 => &["no-matching-identity"],
        2 => &[
            "duplicate-key",
            "layout-unsupported",
            "leaf-not-sealed",
            "yaml-syntax",
        ],
        23 => &["non-string-key", "value-out-of-range"],
        92 => &["empty-document"],
        203 => &["already-sealed"],
        _ => &[],
    }
}

/// Collects what is wrong in all cases, so that one run tells everything.
struct Wrong(Vec<String>);

impl Wrong {
    fn check(&mut self, name: &str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(format!("{name}: {}", what()));
        }
    }

    fn finish(self, checked: usize) {
        assert!(checked > 0, "nothing was checked");
        assert!(
            self.0.is_empty(),
            "{} of {checked} are wrong:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

fn code_of(result: &Result<impl Sized, Error>) -> &'static str {
    result
        .as_ref()
        .err()
        .map_or("ok", |error| error.code().as_str())
}

#[test]
fn what_sops_wrote_we_read_and_what_it_refuses_we_refuse() {
    let (sops, mut wrong, mut checked) = (Sops::found(), Wrong(Vec::new()), 0);
    for case in Case::all()
        .iter()
        .filter(|case| case.text("phase") == "decrypt")
    {
        checked += 1;
        let opened = open(&case.file("encrypted"), &case.identities());
        let code = code_of(&opened);
        if let Some(ours) = case.refused_by_us("decrypt") {
            wrong.check(&case.name, code == ours, || {
                format!("opening gives {code}, not {ours}")
            });
        } else if case.is_ok() {
            wrong.check(&case.name, opened.is_ok(), || {
                format!("opening gives {code}: {}", opened.as_ref().err().unwrap())
            });
            let Ok(opened) = &opened else { continue };
            let recorded = case.recorded["as"]["json"]["file"].as_str();
            let Some(recorded) =
                recorded.map(|file| fs::read_to_string(case.folder.join(file)).unwrap())
            else {
                continue;
            };
            // The reference shows a document of nothing but its block as `{}`.
            let plain = if opened.plain().text().is_empty() {
                "{}"
            } else {
                opened.plain().text()
            };
            let view = sops.json_view(plain);
            wrong.check(&case.name, view.as_deref() == Ok(recorded.as_str()), || {
                format!("other data: {view:?}\nrecorded: {recorded}")
            });
        } else {
            let allowed = codes_for(case.recorded["exit_code"].as_i64().unwrap());
            wrong.check(&case.name, allowed.contains(&code), || {
                format!("opening gives {code}, not one of {allowed:?}")
            });
        }
    }
    wrong.finish(checked);
}

#[test]
fn what_we_write_sops_reads() {
    let (sops, mut wrong, mut checked) = (Sops::found(), Wrong(Vec::new()), 0);
    for case in Case::all()
        .iter()
        .filter(|case| case.text("phase") == "decrypt" && !case.tampered())
    {
        if case.recorded["ops"].is_array()
            || case.list("encrypt_args").contains(&"--mac-only-encrypted")
        {
            continue;
        }
        checked += 1;
        let sealed = case
            .selector()
            .unwrap()
            .and_then(|rule| seal(&case.file("input"), &rule, &case.recipients()));
        let code = code_of(&sealed);
        if let Some(ours) = case.refused_by_us("encrypt") {
            wrong.check(&case.name, code == ours, || {
                format!("sealing gives {code}, not {ours}")
            });
            continue;
        }
        wrong.check(&case.name, sealed.is_ok(), || {
            format!("sealing gives {code}: {}", sealed.as_ref().err().unwrap())
        });
        let Ok(sealed) = &sealed else { continue };
        let opener = case.recipients()[0].clone();
        let keys = case
            .list("identities")
            .into_iter()
            .chain(case.list("recipients"))
            .find(|name| identity(name).recipient() == opener);
        let decrypted = sops.decrypt(sealed.text(), &key_text(keys.unwrap()), "yaml");
        if case.is_ok() {
            let recorded = String::from_utf8(case.file("decrypted")).unwrap();
            wrong.check(
                &case.name,
                decrypted.as_deref() == Ok(recorded.as_str()),
                || format!("sops reads {decrypted:?}\nrecorded: {recorded:?}"),
            );
        } else {
            wrong.check(&case.name, decrypted.is_ok(), || {
                format!("sops cannot read ours: {decrypted:?}")
            });
        }
        let reopened = open(sealed.text().as_bytes(), &[identity(keys.unwrap())]);
        let input = Document::<Plain>::parse(&case.file("input"), &Limits::generous()).unwrap();
        let same = reopened.as_ref().is_ok_and(|opened| {
            case.refused_by_us("layout").is_some()
                || around_values(opened.plain()) == around_values(&input)
        });
        wrong.check(&case.name, same, || {
            format!(
                "changed beside the values: {:?}",
                reopened.map(|opened| opened.plain().text().to_owned())
            )
        });
    }
    wrong.finish(checked);
}

#[test]
fn what_sops_will_not_seal_we_will_not_seal() {
    let (mut wrong, mut checked) = (Wrong(Vec::new()), 0);
    for case in Case::all()
        .iter()
        .filter(|case| case.text("phase") == "encrypt")
    {
        // Two selectors cannot even be written down here; the command refuses them.
        let Some(rule) = case.selector() else {
            continue;
        };
        checked += 1;
        let sealed = rule.and_then(|rule| seal(&case.file("input"), &rule, &case.recipients()));
        let (code, allowed) = (
            code_of(&sealed),
            codes_for(case.recorded["exit_code"].as_i64().unwrap()),
        );
        wrong.check(&case.name, allowed.contains(&code), || {
            format!("sealing gives {code}, not one of {allowed:?}")
        });
    }
    wrong.finish(checked);
}

#[test]
fn generated_documents_mean_the_same_to_both() {
    let seed = generate::seed();
    println!("seed: {seed} (STACKSEAL_SEED={seed} repeats this run)");
    let (sops, mut wrong, mut fragments) = (Sops::found(), Wrong(Vec::new()), 0);
    let mut generator = Generator::new(seed);
    let (me, key) = (identity("id1"), key_text("id1"));
    while fragments < 320 {
        let document = generator.document(8);
        fragments += 8;
        let name = format!("seed {seed}, up to fragment {fragments}");
        let rule = match &document.regex {
            Some(regex) => Selector::encrypted_regex(regex).unwrap(),
            None => Selector::default(),
        };
        let theirs = sops.encrypt(
            &document.text,
            me.recipient().as_str(),
            document.regex.as_deref(),
        );
        let ours = seal(document.text.as_bytes(), &rule, &[me.recipient()]);
        let both = theirs.is_ok() && ours.is_ok();
        wrong.check(&name, both, || {
            format!(
                "sealing: theirs {theirs:?}, ours {:?}\n{}",
                ours.as_ref().err(),
                document.text
            )
        });
        let (Ok(theirs), Ok(ours)) = (theirs, ours) else {
            continue;
        };

        let meaning = sops.decrypt(&theirs, &key, "json").unwrap();
        let read_by_sops = sops.decrypt(ours.text(), &key, "json");
        wrong.check(&name, read_by_sops.as_ref() == Ok(&meaning), || {
            format!(
                "sops reads ours as {read_by_sops:?}\nand its own as {meaning}\n{}",
                document.text
            )
        });
        let comments = (
            sops.decrypt(ours.text(), &key, "yaml"),
            sops.decrypt(&theirs, &key, "yaml"),
        );
        wrong.check(&name, comments.0 == comments.1, || {
            format!(
                "sops shows ours as {:?}\nand its own as {:?}",
                comments.0, comments.1
            )
        });

        let read_by_us = open(theirs.as_bytes(), &[identity("id1")]);
        let view = read_by_us
            .map_err(|error| error.to_string())
            .and_then(|opened| sops.json_view(opened.plain().text()));
        wrong.check(&name, view.as_ref() == Ok(&meaning), || {
            format!("we read theirs as {view:?}\nmeant was {meaning}\n{theirs}")
        });
        let typed =
            Document::<Plain>::parse(document.text.as_bytes(), &Limits::generous()).unwrap();
        let again = open(ours.text().as_bytes(), &[identity("id1")]).unwrap();
        wrong.check(
            &name,
            around_values(again.plain()) == around_values(&typed),
            || {
                format!(
                    "changed beside the values: {}\ntyped: {}",
                    again.plain().text(),
                    document.text
                )
            },
        );
    }
    wrong.finish(fragments);
}

const TYPED: &str = include_str!("sops/typed.yaml");

fn lines_that_differ(old: &str, new: &str) -> Vec<usize> {
    assert_eq!(old.lines().count(), new.lines().count());
    old.lines()
        .zip(new.lines())
        .enumerate()
        .filter(|(_, (old, new))| old != new)
        .map(|(index, _)| index)
        .collect()
}

fn line_of(text: &str, start: &str) -> usize {
    text.lines()
        .position(|line| line.trim_start().starts_with(start))
        .unwrap_or_else(|| panic!("no line {start}"))
}

#[test]
fn sealing_leaves_every_unmarked_line_to_the_byte() {
    let rule = Selector::names(["password", "token"]).unwrap();
    let sealed = seal(TYPED.as_bytes(), &rule, &[identity("id1").recipient()]).unwrap();
    let typed_part: String = sealed
        .text()
        .split_inclusive('\n')
        .take(TYPED.lines().count())
        .collect();
    let differing = lines_that_differ(TYPED, &typed_part);
    assert_eq!(
        differing,
        [line_of(TYPED, "password:"), line_of(TYPED, "token:")]
    );
    assert!(sealed.text()[typed_part.len()..].starts_with("sops:\n"));
}

#[test]
fn a_second_save_changes_the_changed_line_the_mac_and_the_time() {
    let rule = Selector::names(["password", "token"]).unwrap();
    let recipients = [identity("id1").recipient()];
    let first = seal(TYPED.as_bytes(), &rule, &recipients).unwrap();
    let opened = open(first.text().as_bytes(), &[identity("id1")]).unwrap();
    let edited = opened
        .plain()
        .text()
        .replace("correct horse", "battery staple");
    let edited = Document::<Plain>::parse(edited.as_bytes(), &Limits::default()).unwrap();
    let sealing = Sealing {
        recipients: &recipients,
        selector: &rule,
        now: at("2026-03-02T00:00:00Z"),
        random: &mut random,
    };
    let second = opened.reseal(&edited, sealing).unwrap();

    let expected = ["password:", "lastmodified:", "mac:"].map(|start| line_of(first.text(), start));
    assert_eq!(lines_that_differ(first.text(), second.text()), expected);
    let plain = Sops::found()
        .decrypt(second.text(), &key_text("id1"), "json")
        .unwrap();
    assert!(plain.contains("battery staple") && !plain.contains("correct horse"));
}

#[test]
fn saving_without_a_change_writes_the_same_bytes() {
    let rule = Selector::names(["password", "token"]).unwrap();
    let recipients = [identity("id1").recipient()];
    let first = seal(TYPED.as_bytes(), &rule, &recipients).unwrap();
    let opened = open(first.text().as_bytes(), &[identity("id1")]).unwrap();
    let sealing = Sealing {
        recipients: &recipients,
        selector: &rule,
        now: at("2026-03-02T00:00:00Z"),
        random: &mut random,
    };
    assert_eq!(
        opened.reseal(opened.plain(), sealing).unwrap().text(),
        first.text()
    );
}

#[test]
fn a_file_that_sops_edited_opens_and_saves_here() {
    let sops = Sops::found();
    let (me, key) = (identity("id1"), key_text("id1"));
    let theirs = sops
        .encrypt(
            "a: 1\npassword: correct horse\n",
            me.recipient().as_str(),
            Some("^(password)$"),
        )
        .unwrap();
    let opened = open(theirs.as_bytes(), &[me]).unwrap();
    let edited =
        Document::<Plain>::parse(b"a: 2\npassword: correct horse\n", &Limits::default()).unwrap();
    let rule = Selector::encrypted_regex("^(password)$").unwrap();
    let recipients = [identity("id1").recipient()];
    let sealing = Sealing {
        recipients: &recipients,
        selector: &rule,
        now: at("2026-03-02T00:00:00Z"),
        random: &mut random,
    };
    let ours = opened.reseal(&edited, sealing).unwrap();
    assert_eq!(
        ours.text().lines().nth(1),
        theirs.lines().nth(1),
        "the unchanged secret keeps its ciphertext"
    );
    assert_eq!(
        sops.decrypt(ours.text(), &key, "yaml").unwrap(),
        "a: 2\npassword: correct horse\n"
    );
}

#[test]
fn the_folder_of_cases_is_where_it_should_be() {
    assert!(Path::new(VECTORS).join("README.md").exists());
}
