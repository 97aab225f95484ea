//! The recorded cases, through the command as it was built.
//!
//! Five measures a case, where they apply: it is *read* as recorded, its *bytes* are those that `sops` prints, what we
//! *write* the real `sops` reads, nothing of the input is *lost*, and what either wrote is *verified* without a key.
//! Where `sops` seals nothing, we must refuse.
//! Each case runs in a home of its own, with the identities that it names and nothing else.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use stackseal_tests::keys::{self, VECTORS};
use stackseal_tests::programs::{Program, Ran};

/// Fewer recorded cases than this means that the folder was not found or was emptied.
const LEAST_CASES: usize = 155;

/// Where our bytes are others than those of `sops`, and why. Nothing else may fail.
const OTHER_BYTES: &[(&str, &str)] = &[
    (
        "004-float-forms",
        "a float is written so that it is one when it is read again: -0.0, where sops writes -0, which is an integer",
    ),
    (
        "033-tab-leading-multiline-lost",
        "sops writes null for a text of several lines that begins with a tab",
    ),
];

/// Statuses with which nobody refuses cleanly: success, a panic, an abort, the time limit.
const NO_REFUSAL: &[i32] = &[0, 2, 101, 124, 134];

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
        folders.into_iter().map(case).collect()
    }

    fn text(&self, field: &str) -> &str {
        self.recorded[field].as_str().unwrap_or_default()
    }

    fn list(&self, field: &str) -> Vec<&str> {
        let items = self.recorded[field].as_array();
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name))
            .unwrap_or_else(|error| panic!("{}: {name}: {error}", self.name))
    }

    fn status(&self) -> i32 {
        i32::try_from(self.recorded["exit_code"].as_i64().unwrap()).unwrap()
    }

    fn has(&self, field: &str) -> bool {
        !matches!(self.recorded[field], Value::Null | Value::Bool(false))
    }

    /// Whether what `sops` sealed holds nothing sealed but the MAC.
    fn seals_nothing(&self) -> bool {
        let sealed = String::from_utf8(self.file(self.text("encrypted"))).unwrap();
        sealed.matches("ENC[AES256_GCM").count() <= 1 && self.text("format") != "binary"
    }

    fn states_a_rule(&self) -> bool {
        let arguments = self.list("encrypt_args").join(" ");
        arguments.contains("regex") || arguments.contains("encrypted-suffix")
    }
}

/// The two programs, each in a home with the case's files.
struct Bench<'a> {
    case: &'a Case,
    ours: Program,
    sops: Program,
    settings: Vec<(&'static str, String)>,
}

impl<'a> Bench<'a> {
    fn new(case: &'a Case) -> Self {
        let (ours, sops) = (Program::stackseal(), Program::sops());
        for program in [&ours, &sops] {
            for entry in fs::read_dir(&case.folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                program.file(&name, &fs::read(&path).unwrap());
            }
        }
        let (ssh, age): (Vec<&str>, Vec<&str>) = case
            .list("identities")
            .into_iter()
            .partition(|name| name.starts_with("ssh"));
        let mut settings = Vec::new();
        if !age.is_empty() {
            let keys: Vec<_> = age.into_iter().map(keys::text).collect();
            settings.push(("SOPS_AGE_KEY", keys.join("\n")));
        }
        if let Some(name) = ssh.first() {
            let key = fs::read(format!("{VECTORS}/keys/{name}")).unwrap();
            for program in [&ours, &sops] {
                program.file(name, &key);
            }
            settings.push(("SOPS_AGE_SSH_PRIVATE_KEY_FILE", (*name).to_owned()));
        }
        Self {
            case,
            ours,
            sops,
            settings,
        }
    }

    fn run(&self, program: &Program, arguments: &[&str]) -> Ran {
        let settings: Vec<_> = self
            .settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        program.run(arguments, b"", &settings)
    }

    /// As an option takes them.
    fn recipients(&self) -> String {
        let names = self.case.list("recipients").into_iter();
        names.map(recipient).collect::<Vec<_>>().join(",")
    }

    /// What stands before the name of the input.
    fn encrypt_arguments(&self) -> Vec<String> {
        let mut arguments = if self.case.has("config") {
            vec!["--config".to_owned(), "config.yaml".to_owned()]
        } else {
            vec!["--age".to_owned(), self.recipients()]
        };
        arguments.push("--encrypt".to_owned());
        arguments.extend(
            self.case
                .list("encrypt_args")
                .into_iter()
                .map(str::to_owned),
        );
        arguments
    }

    fn encrypt(&self) -> Ran {
        let mut arguments = self.encrypt_arguments();
        arguments.push(self.case.text("input").to_owned());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.run(&self.ours, &arguments)
    }

    fn decrypt(&self, program: &Program, more: &[&str], file: &str) -> Ran {
        let mut arguments = self.case.list("args");
        arguments.extend(more);
        arguments.push(file);
        self.run(program, &arguments)
    }

    /// Whether the text, or a view of it as JSON, is the recorded one.
    fn same_data(&self, stdout: &[u8]) -> bool {
        let mut same = stdout == self.case.file(self.case.text("decrypted"));
        for (format, view) in self.case.recorded["as"].as_object().into_iter().flatten() {
            let ran = self.decrypt(
                &self.ours,
                &["--output-type", format],
                self.case.text("encrypted"),
            );
            same = match view["file"].as_str() {
                None => same && ran.status != 0,
                Some(file) => {
                    let recorded = self.case.file(file);
                    let json = format == "json";
                    (same || json)
                        && ran.status == 0
                        && (ran.stdout == recorded || json && json_is_same(&ran.stdout, &recorded))
                }
            };
        }
        same
    }

    fn judge(&self, score: &mut Score) {
        let case = self.case;
        let said = |ran: &Ran| {
            format!(
                "status {}: {}",
                ran.status,
                ran.stderr.lines().next().unwrap_or_default()
            )
        };
        if case.text("phase") == "encrypt" {
            let ran = self.encrypt();
            score.mark(Measure::Read, case, ran.status == case.status(), || {
                said(&ran)
            });
            return;
        }
        let ran = self.decrypt(&self.ours, &[], case.text("encrypted"));
        if case.has("reference_panics") {
            score.mark(
                Measure::Read,
                case,
                !NO_REFUSAL.contains(&ran.status),
                || said(&ran),
            );
        } else if ran.status != case.status() || ran.status != 0 {
            score.mark(Measure::Read, case, ran.status == case.status(), || {
                said(&ran)
            });
        } else {
            let recorded = case.file(case.text("decrypted"));
            score.mark(Measure::Read, case, self.same_data(&ran.stdout), || {
                "other data".to_owned()
            });
            score.mark(Measure::Bytes, case, ran.stdout == recorded, || {
                format!(
                    "{:?}\nsops: {:?}",
                    String::from_utf8_lossy(&ran.stdout),
                    String::from_utf8_lossy(&recorded)
                )
            });
        }
        let recorded_fresh =
            !case.has("tampered") && !case.has("ops") && case.text("expect") == "ok";
        if recorded_fresh {
            let whole = !(case.seals_nothing() && case.states_a_rule());
            self.judge_verifying(score, case.text("encrypted"), whole);
        }
        if recorded_fresh && !case.list("args").contains(&"--extract") {
            self.judge_writing(score);
        }
    }

    /// What was sealed is found whole without a key; what was written in clear although it is called sealed, is not.
    fn judge_verifying(&self, score: &mut Score, file: &str, whole: bool) {
        let recipients = self.recipients();
        // A configuration may name several groups.
        let expected = match self.case.has("config") {
            true => vec!["--config", "config.yaml", "verify"],
            false => vec!["verify", "--age", &recipients],
        };
        let ran = self.run(&self.ours, &[expected.as_slice(), &[file]].concat());
        score.mark(
            Measure::Verify,
            self.case,
            (ran.status == 0) == whole,
            || {
                format!(
                    "{file}: {} {}",
                    String::from_utf8_lossy(&ran.stdout),
                    ran.stderr
                )
            },
        );
    }

    fn judge_writing(&self, score: &mut Score) {
        let case = self.case;
        let sealed = self.encrypt();
        if case.seals_nothing() {
            if case.states_a_rule() {
                score.mark(Measure::Closed, case, sealed.status != 0, || {
                    "a rule that seals nothing was taken".to_owned()
                });
            }
            return;
        }
        let said = |ran: &Ran| format!("status {}: {}", ran.status, ran.stderr);
        if sealed.status != 0 {
            score.mark(Measure::Write, case, false, || said(&sealed));
            return;
        }
        let name = format!("ours.{}", case.text("input").rsplit('.').next().unwrap());
        for program in [&self.ours, &self.sops] {
            program.file(&name, &sealed.stdout);
        }
        self.judge_verifying(score, &name, true);
        let theirs = self.decrypt(&self.sops, &[], &name);
        let same = theirs.status == 0 && theirs.stdout == case.file(case.text("decrypted"));
        score.mark(Measure::Write, case, same, || {
            format!("sops: {}", said(&theirs))
        });
        let again = self.decrypt(&self.ours, &[], &name);
        let same = again.status == 0 && again.stdout == case.file(case.text("input"));
        score.mark(Measure::Lossless, case, same, || said(&again));
    }
}

fn recipient(name: &str) -> String {
    let text = fs::read_to_string(format!("{VECTORS}/keys/{name}.pub")).unwrap();
    let words: Vec<_> = text.split_whitespace().take(2).collect();
    words.join(" ")
}

/// Whether two texts are the same JSON, numbers by their values.
fn json_is_same(one: &[u8], other: &[u8]) -> bool {
    fn same(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| same(one, other))
            }
            (Value::Object(one), Value::Object(other)) => {
                let in_other =
                    |(key, value)| other.get(key).is_some_and(|other| same(value, other));
                one.len() == other.len() && one.iter().all(in_other)
            }
            _ => one == other,
        }
    }
    let read = |text| serde_json::from_slice::<Value>(text);
    matches!((read(one), read(other)), (Ok(one), Ok(other)) if same(&one, &other))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    Read,
    Bytes,
    Write,
    Lossless,
    Closed,
    Verify,
}

#[derive(Default)]
struct Score {
    marks: Vec<(Measure, bool)>,
    wrong: Vec<String>,
    other_bytes: Vec<String>,
}

impl Score {
    fn mark(&mut self, measure: Measure, case: &Case, holds: bool, why: impl FnOnce() -> String) {
        self.marks.push((measure, holds));
        if holds {
            return;
        }
        if measure == Measure::Bytes && OTHER_BYTES.iter().any(|(name, _)| *name == case.name) {
            self.other_bytes.push(case.name.clone());
            return;
        }
        self.wrong
            .push(format!("{measure:?} {}: {}", case.name, why()));
    }

    fn told(&self) -> String {
        let measures = [
            Measure::Read,
            Measure::Bytes,
            Measure::Write,
            Measure::Lossless,
            Measure::Closed,
            Measure::Verify,
        ];
        let told = measures.map(|measure| {
            let marks = self.marks.iter().filter(|(of, _)| *of == measure);
            let held = marks.clone().filter(|(_, holds)| *holds).count();
            format!("{measure:?} {held}/{}", marks.count())
        });
        told.join(", ")
    }
}

#[test]
fn every_recorded_case_holds() {
    let (cases, next, score) = (
        Case::all(),
        AtomicUsize::new(0),
        Mutex::new(Score::default()),
    );
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let mut one = Score::default();
                    Bench::new(case).judge(&mut one);
                    let mut score = score.lock().unwrap();
                    score.marks.append(&mut one.marks);
                    score.wrong.append(&mut one.wrong);
                    score.other_bytes.append(&mut one.other_bytes);
                }
            });
        }
    });
    let score = score.into_inner().unwrap();
    println!("{}", score.told());
    assert!(
        score.wrong.is_empty(),
        "{}\n{}",
        score.told(),
        score.wrong.join("\n")
    );
    for (name, why) in OTHER_BYTES {
        let differs = score.other_bytes.iter().any(|other| other == name);
        assert!(
            differs,
            "{name} has the bytes of sops now; take it out of the list ({why})"
        );
    }
}

#[test]
fn numbers_and_booleans_that_sops_sets_in_texts_open_as_it_prints_them() {
    let folder = tempfile::tempdir().unwrap();
    let key = keys::text("id1");
    let recipient = keys::identity("id1").recipient();
    let run = |program: &Program, arguments: &[&str]| {
        let settings = [("SOPS_AGE_KEY", key.as_str())];
        let ran = program.run_in(folder.path(), arguments, b"", &settings);
        String::from_utf8(ran.output().unwrap()).unwrap()
    };
    let (sops, ours) = (&Program::sops(), &Program::stackseal());
    for (name, text, path) in [("a.env", "A=1\n", ""), ("a.ini", "[s]\nA = 1\n", "[\"s\"]")] {
        fs::write(folder.path().join(name), text).unwrap();
        run(sops, &["encrypt", "--age", recipient.as_str(), "-i", name]);
        for (key, value) in [("I", "5432"), ("B", "true"), ("F", "1.5"), ("N", "-0.25")] {
            run(sops, &["set", name, &format!("{path}[\"{key}\"]"), value]);
        }
        let printed = run(sops, &["decrypt", name]);
        assert_eq!(run(ours, &["decrypt", name]), printed, "{name}");
        // What is changed beside them leaves them as they are.
        run(ours, &["set", name, &format!("{path}[\"A\"]"), "\"2\""]);
        let expected = printed.replacen('1', "2", 1);
        assert_eq!(run(sops, &["decrypt", name]), expected, "{name}");
    }
}
