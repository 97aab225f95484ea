//! Finds identities where `sops` finds them, and can tell where it looked and what came of it.
//!
//! All places are tried; one that fails matters only when nothing opens the document. What costs nothing is tried
//! first, then commands, then questions on the terminal, and these only for what is sealed to their kind of key.
//! What the keys are, and how they are read, lies in [`crate::keys`].

mod source;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use stackseal_core::age::{Envelope, armor};
use stackseal_core::metadata::{AgeEntry, Foreign};
use stackseal_core::{DataKey, Document, Encrypted, Error, ErrorCode, Metadata};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::keys::passphrase::{self, Ask};
use crate::output::Shown as _;
use source::{Prints, Sealed, Source};

/// The variables that the commands read, taken once.
#[derive(Default)]
pub(crate) struct Environment {
    /// `SOPS_AGE_KEY`: identities, one a line.
    pub(crate) age_key: Option<Zeroizing<String>>,
    /// `SOPS_AGE_KEY_CMD`: prints identities.
    pub(crate) age_key_command: Option<String>,
    /// `SOPS_AGE_KEY_FILE`.
    pub(crate) age_key_file: Option<PathBuf>,
    /// `SOPS_AGE_RECIPIENTS`: used when `--age` is not given.
    pub(crate) age_recipients: Option<String>,
    /// The variables that name recipients of kinds which are not sealed to here.
    pub(crate) other_recipients: Vec<&'static str>,
    /// The folder of the user's settings, where it is known.
    pub(crate) config_folder: Option<PathBuf>,
    /// `SOPS_CONFIG`: the file with the creation rules.
    pub(crate) config: Option<PathBuf>,
    /// `SOPS_EDITOR`, else `EDITOR`.
    pub(crate) editor: Option<String>,
    /// The user's own folder, where it is known.
    pub(crate) home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`: the user's own folder in memory.
    pub(crate) runtime_folder: Option<PathBuf>,
    /// The folder of what programs keep for the user, where it is known.
    pub(crate) state_folder: Option<PathBuf>,
    /// `SOPS_AGE_SSH_PRIVATE_KEY_CMD`: prints an SSH key.
    pub(crate) ssh_key_command: Option<String>,
    /// `SOPS_AGE_SSH_PRIVATE_KEY_FILE`.
    pub(crate) ssh_key_file: Option<PathBuf>,
    /// `SSH_TO_AGE_PASSPHRASE`.
    pub(crate) ssh_to_age_passphrase: Option<Zeroizing<String>>,
    /// `TMPDIR`, else the system's folder for temporary files.
    pub(crate) temporary_folder: PathBuf,
    /// `PWD`: what the shell calls the working folder.
    pub(crate) working_folder: Option<OsString>,
}

impl Environment {
    /// Reads the process's variables. An empty one counts as not set.
    pub(crate) fn of_process() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let path = |name: &str| set(name).map(PathBuf::from);
        Self {
            age_key: text("SOPS_AGE_KEY").map(Zeroizing::new),
            age_key_command: text("SOPS_AGE_KEY_CMD"),
            age_key_file: path("SOPS_AGE_KEY_FILE"),
            age_recipients: text("SOPS_AGE_RECIPIENTS"),
            other_recipients: OTHER_RECIPIENTS
                .into_iter()
                .filter(|name| set(name).is_some())
                .collect(),
            config_folder: config_folder(set("XDG_CONFIG_HOME"), set("HOME")),
            config: path("SOPS_CONFIG"),
            editor: text("SOPS_EDITOR").or_else(|| text("EDITOR")),
            home: path("HOME"),
            runtime_folder: path("XDG_RUNTIME_DIR"),
            state_folder: state_folder(set("XDG_STATE_HOME"), set("HOME")),
            ssh_key_command: text("SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
            ssh_key_file: path("SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
            ssh_to_age_passphrase: text("SSH_TO_AGE_PASSPHRASE").map(Zeroizing::new),
            temporary_folder: env::temp_dir(),
            working_folder: set("PWD"),
        }
    }
}

/// What `sops` takes recipients from beside age's.
const OTHER_RECIPIENTS: [&str; 6] = [
    "SOPS_AZURE_KEYVAULT_URLS",
    "SOPS_GCP_KMS_IDS",
    "SOPS_HUAWEICLOUD_KMS_IDS",
    "SOPS_KMS_ARN",
    "SOPS_PGP_FP",
    "SOPS_VAULT_URIS",
];

/// Everything that may open a document.
pub(crate) struct Keyring {
    sources: Vec<Source>,
    /// More is not done.
    most: Effort,
    ask: Ask,
}

/// What using a source takes. In this order they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// The identities are at hand.
    Nothing,
    /// A command has to be run.
    Command,
    /// Somebody has to type a passphrase.
    Passphrase,
}

impl Effort {
    /// From the least to the most.
    const ALL: [Self; 3] = [Self::Nothing, Self::Command, Self::Passphrase];
}

/// What came of trying to open one recipient's copy of the data key.
pub(crate) enum Opening {
    /// Nothing opened it; a reason for each source that should have.
    Closed(Vec<Reason>),
    /// The data key, or a share of it.
    Payload(Zeroizing<Vec<u8>>),
}

/// Why something did not open a copy of the data key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Reason {
    fn of_source(name: &str, why: &str) -> Self {
        Self {
            code: ErrorCode::NoMatchingIdentity,
            message: format!("{name}: {why}"),
        }
    }

    fn of_error(name: &str, error: &Error) -> Self {
        Self {
            code: error.code(),
            message: format!("{name}: {error}"),
        }
    }
}

impl Keyring {
    /// Looks into every place. Nothing is run or asked yet; questions will go to the terminal.
    pub(crate) fn find(environment: &Environment) -> Self {
        Self::asking(environment, passphrase::on_terminal)
    }

    /// As [`Self::find`], for what is merely worth a try: no command is run and nobody is asked.
    pub(crate) fn quiet(environment: &Environment) -> Self {
        Self {
            most: Effort::Nothing,
            ..Self::find(environment)
        }
    }

    fn asking(environment: &Environment, ask: Ask) -> Self {
        let setting =
            |name: &str, source: Option<Source>| source.unwrap_or_else(|| Source::not_set(name));
        let named = |name: &str, path: &Path| format!("{name}, {}", path.shown());
        let mut sources = Vec::new();

        let name = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
        let path = environment.ssh_key_file.as_deref();
        sources.push(setting(
            name,
            path.map(|path| Source::ssh_file(named(name, path), path)),
        ));
        let name = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
        let line = environment.ssh_key_command.as_deref();
        sources.push(setting(
            name,
            line.map(|line| Source::command(name, line, Prints::SshKey)),
        ));
        for name in ["id_ed25519", "id_rsa"] {
            if let Some(home) = &environment.home {
                let path = home.join(".ssh").join(name);
                sources.push(Source::ssh_file(path.shown(), &path));
            }
        }

        let name = "SOPS_AGE_KEY";
        let text = environment.age_key.as_deref();
        sources.push(setting(name, text.map(|text| Source::text(name, text))));
        let name = "SOPS_AGE_KEY_FILE";
        let path = environment.age_key_file.as_deref();
        sources.push(setting(
            name,
            path.map(|path| Source::key_file(named(name, path), path)),
        ));
        let name = "SOPS_AGE_KEY_CMD";
        let line = environment.age_key_command.as_deref();
        sources.push(setting(
            name,
            line.map(|line| Source::command(name, line, Prints::Identities)),
        ));
        if let Some(folder) = &environment.config_folder {
            let path = folder.join("sops/age/keys.txt");
            sources.push(Source::key_file(path.shown(), &path));
        }
        Self {
            sources,
            most: Effort::Passphrase,
            ask,
        }
    }

    /// Opens one recipient's copy of the data key, with this effort and no lesser one.
    ///
    /// Whoever has several copies to choose from tries the least with all of them before the next.
    pub(crate) fn open_with(&self, entry: &AgeEntry, effort: Effort) -> Opening {
        let closed = |error: &Error| {
            let reason = Reason {
                code: error.code(),
                message: error.to_string(),
            };
            // once is enough
            Opening::Closed(if effort == Effort::Nothing {
                vec![reason]
            } else {
                Vec::new()
            })
        };
        let file = match armor::decode(&entry.enc) {
            Ok(file) => file,
            Err(error) => return closed(&error),
        };
        let envelope = match Envelope::parse(&file) {
            Ok(envelope) => envelope,
            Err(error) => return closed(&error),
        };
        let sealed = Sealed {
            file: &file,
            envelope,
            recipient: entry.recipient.trim(),
        };
        let mut reasons = Vec::new();
        for source in &self.sources {
            match source.open(&sealed, effort, self.ask) {
                Some(Ok(payload)) => return Opening::Payload(payload),
                Some(Err(reason)) => reasons.push(reason),
                None => {}
            }
        }
        Opening::Closed(reasons)
    }

    /// Opens the data key of a document; `name` is how messages call it.
    ///
    /// # Errors
    /// `no-matching-identity`, saying who could open it and where identities were looked for; what is wrong with a copy
    /// that should have opened.
    pub(crate) fn data_key(
        &self,
        document: &Document<Encrypted>,
        name: &str,
    ) -> Result<DataKey, Failure> {
        let entries = document.metadata().age_entries();
        let mut tried: Vec<_> = entries.map(|entry| (entry, Vec::new(), false)).collect();
        let mut outcome = self.try_data_key(document, Effort::Nothing, &mut tried);
        for effort in [Effort::Command, Effort::Passphrase] {
            match &outcome {
                Err(error) if error.code() == ErrorCode::NoMatchingIdentity => {
                    outcome = self.try_data_key(document, effort, &mut tried);
                }
                _ => break,
            }
        }
        outcome.map_err(|error| self.report(&error, document.metadata(), &tried, name))
    }

    /// Tries every copy with this effort and the lesser ones, and notes why one does not open.
    fn try_data_key(
        &self,
        document: &Document<Encrypted>,
        most: Effort,
        tried: &mut [Tried<'_>],
    ) -> Result<DataKey, Error> {
        document.data_key_by(&mut |entry| {
            let known = tried.iter_mut().find(|(it, ..)| std::ptr::eq(*it, entry));
            let (mut reasons, opened) = known.map(|(_, reasons, opened)| (reasons, opened)).unzip();
            for effort in Effort::ALL
                .into_iter()
                .filter(|it| *it <= most.min(self.most))
            {
                match self.open_with(entry, effort) {
                    Opening::Payload(payload) => {
                        if let Some(opened) = opened {
                            *opened = true;
                        }
                        return Some(payload);
                    }
                    Opening::Closed(found) => {
                        for reason in found {
                            if let Some(reasons) = &mut reasons
                                && !reasons.contains(&reason)
                            {
                                reasons.push(reason);
                            }
                        }
                    }
                }
            }
            None
        })
    }

    /// Says that nothing opens the document: for each recipient why, and where identities were looked for.
    ///
    /// Scripts look for the words of `sops` that it begins with.
    fn report(
        &self,
        error: &Error,
        metadata: &Metadata,
        tried: &[Tried<'_>],
        name: &str,
    ) -> Failure {
        let mut message = format!(
            "{name}: Failed to get the data key required to decrypt the SOPS file: {}\n  it is sealed to:",
            self.in_short(error, metadata, tried)
        );
        let line = |entry: &AgeEntry| {
            let known = tried.iter().find(|(it, ..)| std::ptr::eq(*it, entry));
            let why = match known {
                Some((.., true)) => "opened".to_owned(),
                Some((_, reasons, _)) if !reasons.is_empty() => {
                    let reasons: Vec<_> = reasons.iter().map(|it| it.message.as_str()).collect();
                    reasons.join("; ")
                }
                _ => "no identity fits".to_owned(),
            };
            format!("\n    {}: {why}", entry.recipient.trim())
        };
        let other =
            |(kind, _): &Foreign| format!("\n    {kind}: keys of this kind are not supported");
        message.extend(metadata.age.iter().map(line));
        message.extend(metadata.foreign.iter().map(other));
        for (index, group) in metadata.key_groups.iter().enumerate() {
            message.push_str(&format!("\n   key_groups[{index}]:"));
            message.extend(group.age.iter().map(line));
            message.extend(group.foreign.iter().map(other));
        }
        message.push_str("\n  identities were looked for in:");
        for source in &self.sources {
            message.push_str(&format!("\n    {}", source.outcome()));
        }
        let mut codes = tried
            .iter()
            .flat_map(|(_, reasons, _)| reasons)
            .map(|it| it.code);
        let code = match error.code() {
            code @ ErrorCode::NoMatchingIdentity => codes.find(|it| *it != code).unwrap_or(code),
            code => code,
        };
        Failure {
            status: 128,
            code: code.as_str(),
            message,
        }
    }
}

impl Keyring {
    /// Who could open it, what was tried, and what to do.
    fn in_short(&self, error: &Error, metadata: &Metadata, tried: &[Tried<'_>]) -> String {
        let mut recipients: Vec<_> = metadata
            .age_entries()
            .map(|entry| entry.recipient.trim().to_owned())
            .collect();
        recipients.dedup();
        let groups = metadata.key_groups.iter().flat_map(|group| &group.foreign);
        let foreign = metadata.foreign.iter().chain(groups);
        recipients.extend(foreign.map(|(kind, _)| format!("{kind} keys")));
        let is_ssh = |recipient: &String| recipient.starts_with("ssh-");
        let variable = match !recipients.is_empty() && recipients.iter().all(is_ssh) {
            true => "SOPS_AGE_SSH_PRIVATE_KEY_FILE, or put it where ssh has it (~/.ssh/id_ed25519)",
            false => "SOPS_AGE_KEY_FILE",
        };
        let sealed_to = in_short(&recipients);
        let why = match metadata.key_groups.len() {
            0 | 1 => format!("it is sealed to {sealed_to}"),
            _ => {
                let reason = error.fault().map_or("", |fault| fault.message.as_str());
                format!("{reason}; it is sealed to {sealed_to}")
            }
        };
        let mut reasons = tried.iter().flat_map(|(_, reasons, _)| reasons);
        let found: Vec<_> = self.sources.iter().filter_map(Source::found).collect();
        let failures: Vec<_> = self.sources.iter().filter_map(Source::failure).collect();
        let failures = failures.join("; ");
        match (reasons.next(), found.as_slice()) {
            (Some(reason), _) => format!("{why}, and {}", reason.message),
            (None, []) if !failures.is_empty() => {
                format!("{why}, and no identity was found: {failures}; set it right")
            }
            (None, found) if !failures.is_empty() => format!(
                "{why}, and the identities at hand are {}; where others were looked for: {failures}; set it right",
                found.join(", ")
            ),
            (None, []) => format!(
                "{why}, and no identity was found; name the file that holds yours in {variable}"
            ),
            (None, found) => {
                let which = match metadata.key_groups.len() {
                    0 | 1 => "one of its identities",
                    _ => "identities of enough groups",
                };
                format!(
                    "{why}, and the identities at hand are {}; name the file with {which} in \
                     {variable}, or ask someone who can open it to seal it to you, too",
                    found.join(", ")
                )
            }
        }
    }
}

/// The first of some names; long ones are cut, since post-quantum recipients fill a page.
fn in_short(names: &[String]) -> String {
    const SHOWN: usize = 2;
    const LONGEST: usize = 72;
    let cut = |name: &String| match name.char_indices().nth(LONGEST) {
        None => name.clone(),
        Some(_) => {
            let beginning: String = name.chars().take(LONGEST / 2).collect();
            format!("{beginning}...")
        }
    };
    let shown: Vec<_> = names.iter().take(SHOWN).map(cut).collect();
    match names.len() {
        0 => "nobody".to_owned(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(" and "),
    }
}

/// A copy of the data key, why it did not open, and whether it did.
type Tried<'a> = (&'a AgeEntry, Vec<Reason>, bool);

/// As `sops` has it: `XDG_CONFIG_HOME` wherever it is set, else the system's own folder.
fn config_folder(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let own = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    xdg.map(PathBuf::from)
        .or_else(|| home.map(|home| Path::new(&home).join(own)))
}

/// `XDG_STATE_HOME`, if it is a whole path, else the usual folder.
fn state_folder(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let xdg = xdg.map(PathBuf::from).filter(|path| path.is_absolute());
    xdg.or_else(|| home.map(|home| Path::new(&home).join(".local/state")))
}

#[cfg(test)]
mod tests;
