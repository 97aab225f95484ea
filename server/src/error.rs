//! The server's one error type, and how it becomes an answer.
//!
//! Every error has a stable code (`docs/ERRORS.md`). The answer is a [`Problem`]; causes go to the log
//! only. Nothing here may hold a value, a key, a token or a body.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use stackseal_model::problem::Problem;

use crate::git::GitError;
use crate::vault::VaultError;

/// What failed; the variant says whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The document sent, or read from Git, is not acceptable. The caller changes it.
    #[error(transparent)]
    Codec(#[from] stackseal_core::Error),
    /// The repository on disk failed. The operator looks at the log.
    #[error("the local repository failed")]
    Git(#[from] GitError),
    /// The request cannot be served as it is. The caller changes it, or waits.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The database failed. The operator looks at the log.
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
    /// The vault failed. The operator looks at the log.
    #[error("the vault failed")]
    Vault(#[source] VaultError),
    /// A background task ended without a result: a bug.
    #[error("a task of the server ended early")]
    Task(#[from] tokio::task::JoinError),
}

/// The particulars of [`Error::Refused`].
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Code,
    detail: String,
    path: Option<String>,
    line: Option<usize>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl Error {
    /// A refusal with one or two sentences for the person: why, and what to do.
    pub(crate) fn refused(code: Code, detail: impl Into<String>) -> Self {
        Self::Refused(Box::new(Refusal {
            code,
            detail: detail.into(),
            path: None,
            line: None,
        }))
    }

    /// Names the file, key path or field concerned.
    #[must_use]
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.path = Some(place.into());
        }
        self
    }

    /// Names the line concerned.
    #[must_use]
    pub(crate) fn at_line(mut self, line: Option<usize>) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.line = line;
        }
        self
    }

    /// What the caller is told.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Refused(refusal) => Problem {
                path: refusal.path.clone(),
                line: refusal.line,
                ..refusal.code.problem(&refusal.detail)
            },
            Self::Codec(error) => codec_problem(error),
            Self::Store(error) => store_code(error).problem(""),
            Self::Git(_) => Code::RepositoryFailed.problem(""),
            Self::Vault(_) => Code::VaultFailed.problem(""),
            Self::Task(_) => Code::Internal.problem(""),
        }
    }

    /// Writes the causes of a failure of ours to the log; a refusal is not one.
    pub(crate) fn log(&self) {
        if matches!(self, Self::Refused(_) | Self::Codec(_)) {
            return;
        }
        let mut causes = String::new();
        let mut next: Option<&dyn std::error::Error> = Some(self);
        while let Some(error) = next {
            if !causes.is_empty() {
                causes.push_str(": ");
            }
            causes.push_str(&error.to_string());
            next = error.source();
        }
        tracing::error!(code = self.problem().code, causes, "failed");
    }
}

impl From<VaultError> for Error {
    /// A data key that does not open is the document's fault, not the vault's.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::DataKey(error) => Self::Codec(error),
            error => Self::Vault(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        self.problem().into_draft()
    }
}

/// A problem on its way out; the outermost layer adds the request id and writes the body.
pub(crate) trait IntoDraft {
    /// An answer without a body that carries the problem as an extension.
    fn into_draft(self) -> Response;
}

impl IntoDraft for Problem {
    fn into_draft(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn codec_problem(error: &stackseal_core::Error) -> Problem {
    let code = error.code().as_str();
    let (detail, path, line) = match error.fault() {
        Some(fault) => (sentence(&fault.message), fault.path.clone(), fault.line),
        None => (sentence(&error.to_string()), None, None),
    };
    Problem {
        kind: kind(code),
        title: "The document cannot be accepted as it is".to_owned(),
        status: 422,
        code: code.to_owned(),
        detail,
        path,
        line,
        request_id: String::new(),
    }
}

/// Writes a message of the codec (lower case, no trailing dot) as a sentence.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn store_code(error: &sqlx::Error) -> Code {
    let code = error
        .as_database_error()
        .and_then(|e| e.code())
        .and_then(|c| c.parse::<u32>().ok());
    // The low byte of an extended SQLite result code is the primary one: 13 FULL, 5 BUSY, 6 LOCKED.
    match code.map(|c| c & 0xff) {
        Some(13) => Code::StorageFull,
        Some(5 | 6) => Code::Busy,
        _ => Code::StorageFailed,
    }
}

fn kind(code: &str) -> String {
    format!("/docs/errors#{code}")
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal, $detail:literal;)*) => {
        /// Stable code of a refusal or failure; `docs/ERRORS.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as kebab-case text.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            fn usual_detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }
        }
    };
}

impl Code {
    /// The problem with this code; an empty `detail` stands for the usual one.
    pub(crate) fn problem(self, detail: &str) -> Problem {
        let detail = if detail.is_empty() {
            self.usual_detail()
        } else {
            detail
        };
        Problem {
            kind: kind(self.as_str()),
            title: self.title().to_owned(),
            status: self.status(),
            code: self.as_str().to_owned(),
            detail: detail.to_owned(),
            path: None,
            line: None,
            request_id: String::new(),
        }
    }

    /// The code of an answer that some layer below gave without a problem.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            413 => Self::BodyTooLarge,
            415 => Self::ContentTypeUnsupported,
            400..=499 => Self::RequestInvalid,
            _ => Self::Internal,
        }
    }
}

codes! {
    /// The audit trail cannot be written, or its chain is broken: nothing secret is released.
    AuditUnavailable = "audit-unavailable", 503, "The audit trail cannot be written",
        "Nothing was released or changed. Ask the operator to look at the server's disk and log.";
    /// The file at the commit named is another one than the blob named.
    BlobMismatch = "blob-mismatch", 409, "The file is another one at this commit",
        "Read the stack again and repeat the action.";
    /// The body of the request is larger than allowed.
    BodyTooLarge = "body-too-large", 413, "The request is too large",
        "Save fewer or smaller files at once.";
    /// The branch was there and is not any more.
    BranchGone = "branch-gone", 502, "The branch is gone from the remote",
        "Nothing is begun anew by itself. Push the branch to the remote again; the save then goes on by itself.";
    /// Too many requests at once.
    Busy = "busy", 503, "The server is busy", "Try again in a moment.";
    /// An add-on that is new needs its chart.
    ChartMissing = "chart-missing", 422, "The add-on names no chart",
        "Give the chart's name, version and repository.";
    /// The cluster file is in a shape that cannot be edited line by line.
    ClusterFileUnsupported = "cluster-file-unsupported", 422, "The cluster file cannot be edited safely",
        "Write the part concerned in block style, one entry a line.";
    /// The commit is unknown or not on the branch.
    CommitUnknown = "commit-unknown", 404, "The commit is not on the branch",
        "Read the stack again and repeat the action.";
    /// The same file changed on the branch since the person began.
    Conflict = "conflict", 409, "The file changed on the branch meanwhile",
        "Open the newest text, bring your change over, and save again.";
    /// A request body of a kind that is not JSON.
    ContentTypeUnsupported = "content-type-unsupported", 415, "The request is not JSON",
        "Send the body as application/json.";
    /// A change that did not come from this page.
    CrossOrigin = "cross-origin", 403, "The request did not come from this page",
        "Open Stackseal itself and repeat the action there.";
    /// The same member twice in one save.
    DuplicateFile = "duplicate-file", 422, "The same file is in the save twice",
        "Send each manifest and add-on once.";
    /// The same mark twice at one file.
    DuplicateMark = "duplicate-mark", 422, "The same mark stands twice",
        "Remove one of the two.";
    /// The key pair was made before.
    EncryptionExists = "encryption-exists", 409, "Encryption is initialised already",
        "The recipient is shown with the organisation.";
    /// Sealed files need the organisation's key pair.
    EncryptionMissing = "encryption-missing", 409, "Encryption is not initialised",
        "Initialise encryption first, then save again.";
    /// One file is larger than allowed.
    FileTooLarge = "file-too-large", 413, "The file is larger than 1 MiB",
        "Split the file.";
    /// The request names a host that this server is not.
    HostUnknown = "host-unknown", 421, "The request is for another host",
        "Open Stackseal at its own address.";
    /// The idempotency key is missing or ill-formed.
    IdempotencyKeyInvalid = "idempotency-key-invalid", 400, "The idempotency key is missing or malformed",
        "Send a header Idempotency-Key of 16 to 64 letters, digits, '-' or '_'.";
    /// The idempotency key came before with another body.
    IdempotencyMismatch = "idempotency-mismatch", 422, "The idempotency key belongs to another save",
        "Use a new key for a new save.";
    /// A bug of the server.
    Internal = "internal", 500, "Something went wrong in the server",
        "Nothing was changed by this request. The log has the particulars under the request id.";
    /// The saves that wait hold as much as they may.
    JournalFull = "journal-full", 503, "Too many saves are waiting",
        "Nothing was stored. See why they wait, retry or discard them, then save again.";
    /// Our commit was on the branch and is gone: somebody moved the branch back.
    LostUpstream = "lost-upstream", 409, "The commit was removed from the branch",
        "Somebody moved the branch back. Retry to apply the save again, or discard it.";
    /// More marks at one file than allowed.
    MarkCount = "mark-count", 422, "A file has at most 1,000 marks",
        "Mark a key further up instead.";
    /// The save would leave in clear what was sealed.
    MarksShrink = "marks-shrink", 422, "The save would leave a secret in clear",
        "Keep the mark.";
    /// The member exists in another stack of the cluster.
    MemberElsewhere = "member-elsewhere", 409, "The name is taken in another stack",
        "Choose another name: names are unique in the cluster.";
    /// The route does not know this method.
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here", "Use another method.";
    /// A name is ill-formed.
    NameInvalid = "name-invalid", 422, "The name cannot be used", "Choose another name.";
    /// There is no such thing.
    NotFound = "not-found", 404, "There is nothing at this address", "Check the address.";
    /// The organisation has no name yet.
    OrganisationMissing = "organisation-missing", 409, "The organisation has no name yet",
        "Name the organisation first.";
    /// This binary was built without the page.
    PageMissing = "page-missing", 404, "This binary holds no page",
        "Build the server with the page (make run), or start it with --page DIR.";
    /// A path in the repository is not acceptable.
    PathInvalid = "path-invalid", 422, "The path cannot be used",
        "Paths are relative, without '..', hidden parts or symbolic links.";
    /// The file is not sealed to this organisation's key.
    RecipientForeign = "recipient-foreign", 422, "The file is sealed to another key",
        "Decrypt it with the key it was sealed to, then save it here.";
    /// The remote moved on faster than we could follow.
    RemoteBusy = "remote-busy", 503, "The branch keeps moving",
        "Others push all the time. It is tried again by itself.";
    /// The remote did not accept our credentials.
    RemoteAuth = "remote-auth", 502, "The remote refused our credentials",
        "Ask the operator to renew the token, then retry.";
    /// The remote's rules refused the commit.
    RemotePolicy = "remote-policy", 502, "The remote's rules refused the commit",
        "A hook or branch protection said no. Change the rule or the file, then retry.";
    /// The push was sent, and the remote has not answered what became of it.
    RemoteUnconfirmed = "remote-unconfirmed", 502, "The remote has not confirmed the commit",
        "It may have arrived. It is looked for again by itself before anything else is sent.";
    /// The remote does not answer.
    RemoteUnreachable = "remote-unreachable", 502, "The remote does not answer",
        "It is tried again by itself.";
    /// The local repository failed.
    RepositoryFailed = "repository-failed", 503, "The server's repository failed",
        "Try again; if it stays, ask the operator to look at the server's disk and log.";
    /// The request is not what this route takes.
    RequestInvalid = "request-invalid", 400, "The request cannot be read", "Reload the page and try again.";
    /// The save is being worked on just now.
    SaveInProgress = "save-in-progress", 409, "The save is being pushed just now",
        "Wait for the outcome.";
    /// The save is in a state that does not allow this.
    SaveNotPending = "save-not-pending", 409, "The save is not waiting",
        "Only a save that waits or conflicts can be retried or discarded.";
    /// The push of the save may have arrived.
    SaveUnconfirmed = "save-unconfirmed", 409, "The save may be on the remote already",
        "Its push was sent and not confirmed. Retry when the remote answers; then it can be told.";
    /// A Secret with values, none of which is sealed.
    SecretInClear = "secret-in-clear", 422, "The Secret would be committed in clear",
        "Mark the keys to be encrypted.";
    /// Nobody is signed in.
    SessionMissing = "session-missing", 401, "You are not signed in",
        "Open the sign-in link that the server printed at its start.";
    /// The one-time token is unknown, used or expired.
    SignInRefused = "sign-in-refused", 401, "The sign-in link does not work",
        "It works once and for 24 hours. Restart the server to get a new one.";
    /// A stack of that name exists.
    StackExists = "stack-exists", 409, "The stack exists already", "Choose another name.";
    /// There is no stack of that name.
    StackMissing = "stack-missing", 404, "There is no such stack", "Choose one of the list.";
    /// The wrapped data key belongs to another file.
    StanzaOfAnotherFile = "stanza-of-another-file", 422, "The data key belongs to another file",
        "The sops block was copied from another file. Seal this file anew.";
    /// The disk failed.
    StorageFailed = "storage-failed", 503, "The server's storage failed",
        "Nothing was stored. Try again; if it stays, ask the operator to look at the server's disk and log.";
    /// The disk is full.
    StorageFull = "storage-full", 507, "The server's disk is full",
        "Nothing was stored. Ask the operator to make room, then save again.";
    /// The request took too long.
    Timeout = "timeout", 503, "The server took too long", "Try again in a moment.";
    /// Too many files in one save, or none.
    FileCount = "file-count", 422, "A save holds 1 to 50 files", "Save fewer files at once.";
    /// More data keys were asked for than a person opens files.
    TooManyRequests = "too-many-requests", 429, "Too many files were opened at once",
        "Wait a minute and try again.";
    /// The vault failed.
    VaultFailed = "vault-failed", 503, "The vault failed",
        "Nothing was released. Ask the operator to look at the server's log.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_kebab_case_with_an_error_status() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(
                code.as_str()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-'),
                "{code:?}"
            );
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert!(code.usual_detail().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn a_refusal_of_the_codec_passes_through_as_422() {
        let error = stackseal_core::Timestamp::parse("yesterday").unwrap_err();
        let problem = Error::from(error).problem();
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (422, "timestamp-invalid")
        );
        assert_eq!(
            problem.detail,
            "This is not a time like 2026-11-21T08:30:00Z."
        );
        assert_eq!(problem.kind, "/docs/errors#timestamp-invalid");
    }
}
