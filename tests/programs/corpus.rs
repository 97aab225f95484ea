//! Seals and opens every YAML file below the folders named: the same bytes must come back, and the real `sops` must open
//! what was sealed to the same data. Prints how many held, and the refusals by reason. `scripts/corpus.sh DIR…` builds
//! and runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stackseal_core::tree::Node;
use stackseal_core::{
    Document, Encrypted, Error, Format, Identity, Limits, Options, Plain, Sealing, Selector,
    Timestamp,
};
use stackseal_tests::data::without_comments;
use stackseal_tests::keys;
use stackseal_tests::programs::Program;

/// What came of the files.
#[derive(Default)]
struct Tally {
    read: usize,
    sealed: usize,
    opened_by_sops: usize,
    /// By reason: how many files, and the first of them.
    refused: BTreeMap<String, (usize, String)>,
    wrong: Vec<String>,
}

fn main() -> ExitCode {
    let mut files = Vec::new();
    for folder in std::env::args_os().skip(1) {
        find(Path::new(&folder), &mut files);
    }
    files.sort();
    if files.is_empty() {
        eprintln!("no YAML file was found; name folders that hold some");
        return ExitCode::from(2);
    }
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let worker = Worker {
                    sops: Program::sops(),
                    identity: keys::identity("id1"),
                    tally: &tally,
                };
                while let Some(file) = files.get(next.fetch_add(1, Ordering::SeqCst)) {
                    worker.file(file);
                }
            });
        }
    });
    tally.into_inner().unwrap().tell()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let ending = path.extension().and_then(|ending| ending.to_str());
        if kind.is_dir() {
            find(&path, files);
        } else if kind.is_file() && matches!(ending, Some("yaml" | "yml")) {
            files.push(path);
        }
    }
}

struct Worker<'a> {
    sops: Program,
    identity: Identity,
    tally: &'a Mutex<Tally>,
}

impl Worker<'_> {
    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap());
    }

    fn wrong(&self, name: &str, what: impl std::fmt::Display) {
        self.count(|tally| tally.wrong.push(format!("{name}: {what}")));
    }

    fn file(&self, path: &Path) {
        let name = path.display().to_string();
        let bytes = fs::read(path).unwrap();
        self.count(|tally| tally.read += 1);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.seal_and_open(&bytes)))
        {
            Err(_) => self.wrong(&name, "panic"),
            Ok(Err(error)) => {
                let who = if self.sealed_by_sops(&bytes).is_ok() {
                    "us alone"
                } else {
                    "both"
                };
                let reason = format!("{who}: {} [{}]", reason(&error), error.code().as_str());
                self.count(|tally| tally.refused.entry(reason).or_insert_with(|| (0, name)).0 += 1);
            }
            Ok(Ok((sealed, again))) => {
                self.count(|tally| tally.sealed += 1);
                if again != bytes {
                    self.wrong(&name, "other bytes come back");
                }
                self.with_sops(&name, &bytes, &sealed);
            }
        }
    }

    fn seal_and_open(&self, bytes: &[u8]) -> Result<(String, Vec<u8>), Error> {
        let plain = Document::<Plain>::parse_as(Format::Yaml, bytes, &Limits::generous())?;
        let sealing = Sealing {
            recipients: &[self.identity.recipient()],
            selector: &Selector::default(),
            now: Timestamp::parse("2026-03-01T10:20:30Z")?,
            random: &mut keys::random,
        };
        let options = Options {
            keep_layout: true,
            accept_nothing: true,
            ..Options::default()
        };
        let sealed = plain.seal_with(sealing, &options)?;
        let text = sealed.text().to_owned();
        let sealed =
            Document::<Encrypted>::parse_as(Format::Yaml, text.as_bytes(), &Limits::generous())?;
        let opened = sealed.open(&sealed.data_key(std::slice::from_ref(&self.identity))?)?;
        Ok((text, opened.plain().content().to_vec()))
    }

    fn with_sops(&self, name: &str, plain: &[u8], sealed: &str) {
        match self.opened_by_sops(sealed.as_bytes()) {
            Err(message) => self.wrong(name, format_args!("sops: {message}")),
            // What it prints is not always what was typed (1.0 becomes 1), nor always YAML (a comment in `{}`).
            Ok(text)
                if data(&text) == data(plain)
                    || self.sops_alone(plain).as_ref() == Ok(&text)
                    || self.is_same_json(plain, sealed) =>
            {
                self.count(|tally| tally.opened_by_sops += 1);
            }
            Ok(_) => self.wrong(name, "sops reads other data"),
        }
    }

    fn opened_by_sops(&self, sealed: &[u8]) -> Result<Vec<u8>, String> {
        self.opened_as(sealed, "yaml")
    }

    fn opened_as(&self, sealed: &[u8], to: &str) -> Result<Vec<u8>, String> {
        self.sops.file("sealed.yaml", sealed);
        let key = keys::text("id1");
        let ran = self.sops.run(
            &["decrypt", "--output-type", to, "sealed.yaml"],
            b"",
            &[("SOPS_AGE_KEY", &key)],
        );
        ran.output()
    }

    /// Whether sops says the same of ours as of what it sealed itself.
    fn is_same_json(&self, plain: &[u8], sealed: &str) -> bool {
        let theirs = self.sealed_by_sops(plain);
        let theirs = theirs.and_then(|theirs| self.opened_as(&theirs, "json"));
        theirs.is_ok() && theirs == self.opened_as(sealed.as_bytes(), "json")
    }

    fn sealed_by_sops(&self, plain: &[u8]) -> Result<Vec<u8>, String> {
        self.sops.file("plain.yaml", plain);
        let recipient = self.identity.recipient();
        self.sops
            .run(
                &["encrypt", "--age", recipient.as_str(), "plain.yaml"],
                b"",
                &[],
            )
            .output()
    }

    fn sops_alone(&self, plain: &[u8]) -> Result<Vec<u8>, String> {
        self.opened_by_sops(&self.sealed_by_sops(plain)?)
    }
}

/// What a text says, without its comments.
fn data(text: &[u8]) -> Option<Vec<Node>> {
    let document = Document::<Plain>::parse_as(Format::Yaml, text, &Limits::generous()).ok()?;
    let trees = document.trees().ok()?;
    Some(trees.iter().map(without_comments).collect())
}

/// What is wrong, without what is particular to a file.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(": ")
        .map_or(text.as_str(), |(_, reason)| reason);
    text.chars()
        .filter(|c| !c.is_ascii_digit())
        .take(90)
        .collect()
}

impl Tally {
    fn tell(self) -> ExitCode {
        let Self {
            read,
            sealed,
            opened_by_sops,
            refused,
            mut wrong,
        } = self;
        let count: usize = refused.values().map(|(count, _)| count).sum();
        println!(
            "{read} files, {sealed} sealed and opened, {opened_by_sops} of them read alike by sops, {count} refused"
        );
        for (reason, (count, first)) in refused {
            println!("  {count:5} {reason} (such as {first})");
        }
        wrong.sort();
        for line in &wrong {
            println!("wrong: {line}");
        }
        if wrong.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
