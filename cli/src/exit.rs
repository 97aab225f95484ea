//! How a command fails, and with which exit status: those of `sops` where the meaning is the same.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use stackseal_core::{Error, ErrorCode};

use crate::shell;

/// Why a command ends without its result.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit status.
    pub(crate) status: u8,
    /// Stable code, listed in `docs/ERRORS.md`.
    pub(crate) code: &'static str,
    /// What is wrong, where, and what to do; more lines may follow the first.
    pub(crate) message: String,
}

/// What was being done with a document.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Decrypt,
    Encrypt,
}

impl Failure {
    /// A wrong or missing argument.
    pub(crate) fn usage(code: &'static str, message: impl Display) -> Self {
        Self {
            status: 1,
            code,
            message: message.to_string(),
        }
    }

    /// Arguments that exclude each other, or one that another needs.
    pub(crate) fn conflict(message: impl Display) -> Self {
        Self {
            status: 8,
            code: "arguments-conflict",
            message: message.to_string(),
        }
    }

    /// A file that is not there.
    pub(crate) fn no_file(message: impl Display) -> Self {
        Self {
            status: 100,
            code: "file-not-found",
            message: message.to_string(),
        }
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(message: impl Display) -> Self {
        Self {
            status: 2,
            code: "file-unreadable",
            message: message.to_string(),
        }
    }

    /// Commands that work on a sealed file have no status of their own for one that is not there.
    pub(crate) fn missing_as_unreadable(self) -> Self {
        match self.status {
            100 => Self { status: 2, ..self },
            _ => self,
        }
    }

    /// A result that cannot be written.
    pub(crate) fn unwritable(message: impl Display) -> Self {
        Self {
            status: 3,
            code: "file-unwritable",
            message: message.to_string(),
        }
    }

    /// What the codec says about the document called `name`.
    pub(crate) fn of_document(error: &Error, name: &str, act: Act) -> Self {
        Self {
            status: status(error.code(), act),
            code: error.code().as_str(),
            message: format!("{name}: {error}"),
        }
    }

    /// A text that is no path in a document; the status differs by command.
    pub(crate) fn of_tree_path(error: &Error, argument: &str, status: u8) -> Self {
        Self {
            status,
            ..Self::of_argument(error, argument)
        }
    }

    /// What to do with this command, where the message, which has the words of the codec, does not say it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        let is = |code: ErrorCode| self.code == code.as_str();
        if self.message.contains(AGAIN) {
            return None;
        }
        if let Some(advice) = of_ruin(&self.message) {
            return Some(advice);
        }
        let advice = if is(ErrorCode::AlreadySealed) {
            "a sealed file is changed with 'stackseal edit FILE' or 'set'; 'updatekeys' changes who can open it, and \
             'rotate --by-rule' takes over another rule"
        } else if is(ErrorCode::LeafNotSealed) {
            "if you wrote it there: 'stackseal rotate --ignore-mac -i FILE' seals it, and 'stackseal edit --ignore-mac \
             FILE' shows it first; change the secret if others could see it"
        } else if is(ErrorCode::MacMismatch) {
            "compare with the file's history ('git log -p', 'stackseal diff'); if the change is yours, 'stackseal \
             rotate --ignore-mac -i FILE' takes it over, and 'stackseal decrypt --ignore-mac FILE' shows it first"
        } else if is(ErrorCode::MetadataInvalid) && self.message.contains("metadata not found") {
            "'stackseal encrypt -i FILE' seals it; if it is sealed and its name does not tell its format, add \
             --input-type"
        } else if is(ErrorCode::MetadataInvalid)
            && ["also sealed through", "say so with --input-type"]
                .iter()
                .all(|words| !self.message.contains(words))
        {
            "the sops block is not to be changed by hand; take its last good version from the file's history"
        } else {
            return None;
        };
        Some(advice)
    }

    /// Of a file that Git has in conflict: the conflict is nearer than its history.
    pub(crate) fn while_unmerged(self, file: &Path) -> Self {
        let message = self.message.trim_end_matches(RUINED);
        Self {
            message: format!(
                "{message}; {AGAIN} {} makes the conflict anew",
                shell::quoted(file.as_os_str())
            ),
            ..self
        }
    }

    /// What the codec says about an argument.
    pub(crate) fn of_argument(error: &Error, argument: &str) -> Self {
        Self {
            status: 1,
            code: error.code().as_str(),
            message: format!("{argument}: {error}"),
        }
    }
}

/// What the codec says of a text that is not as it was written.
const RUINED: &str = "; the text holds sealed values, so it is damaged, or half a sealed file";

/// How Git brings both sides of a file back.
const AGAIN: &str = "git checkout --merge";

/// What to do with a text that cannot be read and, as the codec says, is not as it was written.
pub(crate) fn of_ruin(message: &str) -> Option<&'static str> {
    if message.contains("; Git's conflict markers stand") {
        Some(
            "'stackseal merge-driver --finish FILE' takes the text when the conflict is resolved, with --pick ours or \
             theirs it resolves it; 'git checkout --merge FILE' makes the conflict anew",
        )
    } else if message.contains("; the text holds sealed values") {
        Some("take its last good version from Git: 'git log -- FILE', 'git checkout -- FILE'")
    } else {
        None
    }
}

/// The status for arguments that do not do. `sops` has one of its own where a file, or what goes with it, is missing or
/// too much, but not for every verb.
pub(crate) fn of_usage(error: &clap::Error, line: &[OsString]) -> u8 {
    const COUNTED: [&str; 4] = ["edit", "filestatus", "set", "unset"];
    let is = |verb: &str| line.iter().skip(1).any(|word| word == verb);
    let is_word = || match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => !word.starts_with('-'),
        _ => false,
    };
    let missing = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => line.len() < 2,
        ErrorKind::MissingRequiredArgument => COUNTED.into_iter().any(is),
        ErrorKind::UnknownArgument => ["set", "unset"].into_iter().any(is) && is_word(),
        _ => false,
    };
    if missing { 100 } else { 1 }
}

fn status(code: ErrorCode, act: Act) -> u8 {
    match (code, act) {
        (ErrorCode::MacMismatch, _) => 51,
        (
            ErrorCode::AgeFileInvalid | ErrorCode::DataKeyInvalid | ErrorCode::NoMatchingIdentity,
            _,
        ) => 128,
        (ErrorCode::AlreadySealed, _) => 203,
        (ErrorCode::ValueNotRepresentable, _) => 4,
        (ErrorCode::EmptyDocument, Act::Encrypt) => 92,
        (
            ErrorCode::DuplicateKey
            | ErrorCode::LayoutUnsupported
            | ErrorCode::DotenvSyntax
            | ErrorCode::IniSyntax
            | ErrorCode::JsonSyntax
            | ErrorCode::LimitExceeded
            | ErrorCode::NotUtf8
            | ErrorCode::YamlSyntax,
            Act::Encrypt,
        ) => 2,
        (
            ErrorCode::AliasInSealedDocument
            | ErrorCode::NonStringKey
            | ErrorCode::TagUnsupported
            | ErrorCode::ValueLooksSealed
            | ErrorCode::ValueOutOfRange,
            Act::Encrypt,
        ) => 23,
        (
            ErrorCode::LeafMalformed
            | ErrorCode::LeafNotSealed
            | ErrorCode::LeafTampered
            | ErrorCode::NonStringKey
            | ErrorCode::ValueOutOfRange,
            Act::Decrypt,
        ) => 25,
        _ => 1,
    }
}
