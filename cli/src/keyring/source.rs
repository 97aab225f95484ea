//! One place where identities are looked for: what it holds, what using it takes, and what became of it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;

use stackseal_core::age::{self, Envelope};
use stackseal_core::{ErrorCode, Identity};
use zeroize::Zeroizing;

use super::{Effort, Reason};
use crate::keys::passphrase::Ask;
use crate::keys::ssh_private::SshPrivate;
use crate::keys::{Lines, command, identities, lock, protected};
use crate::output;
use crate::output::Shown as _;

/// A place, looked into as far as that costs nothing.
pub(super) struct Source {
    /// How messages call it.
    name: String,
    /// What using it takes.
    effort: Effort,
    holding: Holding,
}

enum Holding {
    Command(Program),
    Identities(Identities),
    Nothing(String),
    Protected {
        file: Zeroizing<Vec<u8>>,
        opened: Mutex<Option<Result<Identities, String>>>,
    },
    Ssh(SshPrivate),
}

/// Native identities, and what was wrong with the other lines.
struct Identities {
    list: Vec<Identity>,
    problems: String,
}

/// A command that prints keys.
struct Program {
    line: String,
    prints: Prints,
    /// What it brought for each recipient.
    runs: Mutex<Vec<(String, Source)>>,
}

/// What a source is expected to hold.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Prints {
    Identities,
    SshKey,
}

/// An age file, read as far as it can be without an identity.
pub(super) struct Sealed<'a> {
    pub(super) file: &'a [u8],
    pub(super) envelope: Envelope<'a>,
    pub(super) recipient: &'a str,
}

impl Sealed<'_> {
    fn has(&self, kinds: &[&str]) -> bool {
        let mut stanzas = self.envelope.stanzas().iter();
        stanzas.any(|stanza| kinds.contains(&stanza.kind()))
    }
}

/// The payload, or why a source that should have opened the file did not.
pub(super) type Attempt = Result<Zeroizing<Vec<u8>>, Reason>;

impl Source {
    /// A setting that is not made.
    pub(super) fn not_set(name: &str) -> Self {
        let holding = Holding::Nothing(NOT_SET.to_owned());
        Self::of(name.to_owned(), Effort::Nothing, holding)
    }

    /// Identities in a setting.
    pub(super) fn text(name: &str, text: &str) -> Self {
        Self::of_keys(name.to_owned(), text.as_bytes(), Lines::Several)
    }

    /// A file of identities. Others should not be able to read it.
    pub(super) fn key_file(name: String, path: &Path) -> Self {
        match read(path) {
            Err(why) => Self::of(name, Effort::Nothing, Holding::Nothing(why)),
            Ok(bytes) => {
                let metadata = std::fs::metadata(path);
                if metadata.is_ok_and(|it| it.is_file() && it.mode() & 0o077 != 0) {
                    let path = path.shown();
                    output::warning(&format!(
                        "{path} can be read by others; run: chmod 600 {path}"
                    ));
                }
                Self::of_keys(name, &bytes, Lines::One)
            }
        }
    }

    /// A file with an SSH private key.
    pub(super) fn ssh_file(name: String, path: &Path) -> Self {
        match read(path) {
            Err(why) => Self::of(name, Effort::Nothing, Holding::Nothing(why)),
            Ok(bytes) => Self::of_ssh_key(name, &bytes),
        }
    }

    /// A command.
    pub(super) fn command(name: &str, line: &str, prints: Prints) -> Self {
        let program = Program {
            line: line.to_owned(),
            prints,
            runs: Mutex::default(),
        };
        Self::of(name.to_owned(), Effort::Command, Holding::Command(program))
    }

    fn of(name: String, effort: Effort, holding: Holding) -> Self {
        Self {
            name,
            effort,
            holding,
        }
    }

    fn of_keys(name: String, bytes: &[u8], lines: Lines) -> Self {
        if protected::is_protected(bytes) {
            let holding = Holding::Protected {
                file: Zeroizing::new(bytes.to_vec()),
                opened: Mutex::new(None),
            };
            return Self::of(name, Effort::Passphrase, holding);
        }
        let holding = match std::str::from_utf8(bytes) {
            Ok(text) => Holding::Identities(Identities::read(text, lines)),
            Err(_) => Holding::Nothing("not a text".to_owned()),
        };
        Self::of(name, Effort::Nothing, holding)
    }

    fn of_ssh_key(name: String, bytes: &[u8]) -> Self {
        match SshPrivate::parse(bytes, &name) {
            Ok(key) => {
                let effort = if key.is_locked() {
                    Effort::Passphrase
                } else {
                    Effort::Nothing
                };
                Self::of(name, effort, Holding::Ssh(key))
            }
            Err(why) => Self::of(name, Effort::Nothing, Holding::Nothing(why)),
        }
    }

    /// Tries what this place holds. `None` when nothing in it fits, or when using it takes another effort.
    pub(super) fn open(&self, sealed: &Sealed<'_>, effort: Effort, ask: Ask) -> Option<Attempt> {
        if let Holding::Command(program) = &self.holding {
            // what it prints may need a passphrase
            return program.open(&self.name, sealed, effort, ask);
        }
        if self.effort != effort {
            return None;
        }
        match &self.holding {
            Holding::Command(_) | Holding::Nothing(_) => None,
            Holding::Identities(identities) => identities.open(sealed, &self.name),
            Holding::Protected { file, opened } => {
                if !sealed.has(NATIVE) {
                    return None;
                }
                let mut opened = lock(opened);
                let identities = opened.get_or_insert_with(|| {
                    let text = protected::open(file, &self.name, ask)?;
                    Ok(Identities::read(&text, Lines::One))
                });
                match identities {
                    Ok(identities) => identities.open(sealed, &self.name),
                    Err(why) => Some(Err(Reason::of_source(&self.name, why))),
                }
            }
            Holding::Ssh(key) => {
                let file_key = key.unwrap(sealed.envelope.stanzas(), ask)?;
                let file_key = file_key.map_err(|why| Reason::of_source(&self.name, &why));
                Some(file_key.and_then(|file_key| {
                    let opened = sealed.envelope.open(&file_key);
                    opened.map_err(|error| Reason::of_error(&self.name, &error))
                }))
            }
        }
    }

    /// The keys that were found here, and the name of the place; `None` where there are none.
    pub(super) fn found(&self) -> Option<String> {
        let keys = self.holding.keys();
        (!keys.is_empty()).then(|| format!("{} ({})", super::in_short(&keys), self.name))
    }

    /// What is wrong with a place that a setting names, unless keys were found there.
    pub(super) fn failure(&self) -> Option<String> {
        let is_named = self.name.starts_with("SOPS_");
        let fails = match &self.holding {
            Holding::Identities(identities) => identities.list.is_empty(),
            Holding::Nothing(why) => why != NOT_SET,
            Holding::Command(_) | Holding::Protected { .. } | Holding::Ssh(_) => false,
        };
        (is_named && fails).then(|| self.outcome())
    }

    /// What is in this place, or became of it, for the report that nothing opens a document.
    pub(super) fn outcome(&self) -> String {
        format!("{}: {}", self.name, self.holding.outcome())
    }
}

impl Holding {
    /// The public halves of the keys, or their kind.
    fn keys(&self) -> Vec<String> {
        match self {
            Self::Command(program) => {
                let runs = lock(&program.runs);
                runs.iter().flat_map(|(_, it)| it.holding.keys()).collect()
            }
            Self::Identities(identities) => identities.recipients(),
            Self::Nothing(_) => Vec::new(),
            Self::Protected { opened, .. } => match &*lock(opened) {
                Some(Ok(identities)) => identities.recipients(),
                None | Some(Err(_)) => Vec::new(),
            },
            Self::Ssh(key) if key.is_locked() => Vec::new(),
            Self::Ssh(key) => vec![format!("a key of kind {}", key.kind())],
        }
    }

    fn outcome(&self) -> String {
        match self {
            Self::Command(program) => program.outcome(),
            Self::Identities(identities) => identities.count(),
            Self::Nothing(why) => why.clone(),
            Self::Protected { opened, .. } => match &*lock(opened) {
                None => "protected by a passphrase, which was not asked for".to_owned(),
                Some(Ok(identities)) => identities.count(),
                Some(Err(why)) => why.clone(),
            },
            Self::Ssh(key) if key.is_locked() => format!(
                "a key of kind {} with a passphrase, which was not asked for, since nothing is sealed to it",
                key.kind()
            ),
            Self::Ssh(key) => key
                .failure()
                .unwrap_or_else(|| format!("a key of kind {}", key.kind())),
        }
    }
}

impl Identities {
    fn read(text: &str, lines: Lines) -> Self {
        let (mut list, mut problems) = (Vec::new(), String::new());
        for (line, identity) in identities(text, lines) {
            match identity {
                Ok(identity) => list.push(identity),
                Err(why) => problems.push_str(&format!("; line {line}: {why}")),
            }
        }
        Self { list, problems }
    }

    fn open(&self, sealed: &Sealed<'_>, name: &str) -> Option<Attempt> {
        match age::decrypt(sealed.file, &self.list) {
            Ok(payload) => Some(Ok(payload)),
            Err(error) if error.code() == ErrorCode::NoMatchingIdentity => None,
            Err(error) => Some(Err(Reason::of_error(name, &error))),
        }
    }

    fn recipients(&self) -> Vec<String> {
        let recipients = self.list.iter().map(Identity::recipient);
        recipients.map(|it| it.as_str().to_owned()).collect()
    }

    fn count(&self) -> String {
        match self.list.len() {
            1 => format!("1 identity{}", self.problems),
            count => format!("{count} identities{}", self.problems),
        }
    }
}

impl Program {
    fn open(&self, name: &str, sealed: &Sealed<'_>, effort: Effort, ask: Ask) -> Option<Attempt> {
        let kind = match self.prints {
            Prints::Identities => NATIVE,
            Prints::SshKey => SSH,
        };
        if !sealed.has(kind) {
            return None;
        }
        let mut runs = lock(&self.runs);
        let known = runs
            .iter()
            .position(|(recipient, _)| recipient == sealed.recipient);
        let number = match (known, effort) {
            (Some(number), _) => number,
            (None, Effort::Command) => {
                runs.push((
                    sealed.recipient.to_owned(),
                    self.run(name, sealed.recipient),
                ));
                runs.len() - 1
            }
            (None, _) => return None,
        };
        let (_, printed) = runs.get(number)?;
        if let Holding::Nothing(why) = &printed.holding {
            return (effort == Effort::Command).then(|| Err(Reason::of_source(name, why)));
        }
        let effort = match effort {
            Effort::Command => Effort::Nothing,
            effort => effort,
        };
        printed.open(sealed, effort, ask)
    }

    fn run(&self, name: &str, recipient: &str) -> Source {
        let name = name.to_owned();
        match (command::run(&self.line, recipient), self.prints) {
            (Ok(printed), Prints::Identities) => Source::of_keys(name, &printed, Lines::One),
            (Ok(printed), Prints::SshKey) => Source::of_ssh_key(name, &printed),
            (Err(why), _) => Source::of(name, Effort::Nothing, Holding::Nothing(why)),
        }
    }

    fn outcome(&self) -> String {
        let runs = lock(&self.runs);
        let mut outcomes: Vec<String> = Vec::new();
        for (_, printed) in runs.iter() {
            let outcome = printed.holding.outcome();
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome);
            }
        }
        if outcomes.is_empty() {
            return "not run, since nothing is sealed to its kind of key".to_owned();
        }
        outcomes.join("; ")
    }
}

/// Reads a key file; `Err` says why there is nothing.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 == MAX_FILE => Err("too large for a key file".to_owned()),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Err("no such file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

const NOT_SET: &str = "not set";
const MAX_FILE: u64 = 1 << 20;
const NATIVE: &[&str] = &["X25519", "mlkem768x25519"];
const SSH: &[&str] = &["ssh-ed25519", "ssh-rsa"];
