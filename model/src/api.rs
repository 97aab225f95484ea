//! Requests, responses and route paths of `/api/v1`.
//!
//! Every change needs the session cookie, JSON, a same-origin `Origin` and the header
//! [`REQUEST_HEADER`]. Times are RFC 3339 in UTC. Identifiers of Git objects are 40 hex digits.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::name::{MemberName, NamespaceName, OrganisationName, StackName};
use crate::problem::Problem;
use crate::stack::{Chart, MemberKind};

/// Header that every request of the page carries; a foreign page cannot send it unasked.
pub const REQUEST_HEADER: &str = "x-stackseal";
/// Header with the client's key for a save: the same key never makes a second commit.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Largest text of one file, in bytes (1 MiB).
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Route paths, as axum writes them.
pub mod routes {
    /// `POST` signs in, `GET` tells who is signed in, `DELETE` signs out.
    pub const SESSION: &str = "/api/v1/session";
    /// `GET` and `PUT` the organisation.
    pub const ORGANISATION: &str = "/api/v1/organisation";
    /// `POST` makes the key pair, once.
    pub const ENCRYPTION: &str = "/api/v1/organisation/encryption";
    /// `GET` the list, `POST` makes an empty stack and answers with its save (202). A stack whose save
    /// is on its way is listed and can be read, without files.
    pub const STACKS: &str = "/api/v1/stacks";
    /// `GET` one stack with its files.
    pub const STACK: &str = "/api/v1/stacks/{stack}";
    /// `POST` a save, `GET` the newest ones.
    pub const SAVES: &str = "/api/v1/saves";
    /// `GET` one save, `DELETE` discards it while it is pending.
    pub const SAVE: &str = "/api/v1/saves/{save}";
    /// `POST` tries a pending save at once.
    pub const SAVE_RETRY: &str = "/api/v1/saves/{save}/retry";
    /// `POST` asks for a data key, wrapped to a one-time recipient.
    pub const UNWRAPS: &str = "/api/v1/unwraps";
    /// `GET`: the process runs.
    pub const LIVEZ: &str = "/livez";
    /// `GET`: the database, the repository and the vault answer.
    pub const READYZ: &str = "/readyz";
}

/// Body of `POST /api/v1/session`. The token comes from the sign-in link's fragment, which
/// browsers do not send; it works once.
#[derive(Deserialize, Serialize)]
pub struct SignIn {
    /// The one-time token.
    pub token: String,
}

/// Who is signed in, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Name of the person, as commits and the audit trail have it.
    pub actor: String,
    /// The organisation, once it is named.
    pub organisation: Option<Organisation>,
}

/// An organisation: one repository, one scope to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name as people write it.
    pub name: OrganisationName,
    /// The key pair's public side, once encryption is initialised.
    pub encryption: Option<Encryption>,
    /// Where saves go.
    pub repository: Repository,
}

/// Body of `PUT /api/v1/organisation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameOrganisation {
    /// The new name.
    pub name: OrganisationName,
}

/// The public side of the scope's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// age X25519 recipient, `age1…`, 62 characters.
    pub recipient: String,
    /// First 20 hex digits of the recipient's SHA-256, in groups of 4.
    pub fingerprint: String,
    /// When the pair was made.
    pub created_at: String,
    /// One sentence: where the private key lies and who can use it.
    pub private_key: String,
}

/// The Git remote, as it may be shown (never with credentials).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Address without user information.
    pub remote: String,
    /// Branch that saves go to.
    pub branch: String,
    /// Path of the cluster file in the repository.
    pub cluster_file: String,
}

/// Body of `POST /api/v1/stacks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewStack {
    /// Name, unique in the cluster.
    pub name: StackName,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
}

/// Body of `POST /api/v1/saves`: one save becomes one commit.
///
/// The header [`IDEMPOTENCY_HEADER`] is required: 16 to 64 of `A-Z a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveRequest {
    /// The stack; made by this save when the cluster file lacks it.
    pub stack: StackName,
    /// What the stack is for; used when this save makes it.
    #[serde(default)]
    pub description: String,
    /// The files, each sealed where it has marks. At least one.
    pub files: Vec<SaveFile>,
}

/// One file of a save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveFile {
    /// Manifest or add-on.
    pub kind: MemberKind,
    /// Name; the server derives the path of a new member from it.
    pub name: MemberName,
    /// Namespace to deploy to.
    #[serde(default)]
    pub namespace: Option<NamespaceName>,
    /// For an add-on, its chart.
    #[serde(default)]
    pub chart: Option<Chart>,
    /// The marks, recorded as `encrypted_paths`.
    #[serde(default)]
    pub marks: Vec<String>,
    /// The text that Git shall hold, to the byte.
    pub text: String,
    /// Blob that the person began from; `None` for a new file. Another blob on the branch is a conflict.
    #[serde(default)]
    pub base_blob: Option<String>,
}

/// How far a save has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaveState {
    /// Guarded and written to the journal: it will not be lost.
    Accepted,
    /// The commit exists in the server's clone.
    Committed,
    /// The remote branch holds the commit.
    Pushed,
    /// It waits; `reason` says for what. Tried again by itself unless the reason says otherwise.
    Pending,
    /// The same file changed on the branch meanwhile; a person decides.
    Conflict,
    /// A person discarded it.
    Discarded,
}

/// One step that a save has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveStep {
    /// The state reached.
    pub state: SaveState,
    /// When.
    pub at: String,
}

/// A save as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    /// Identifier, also in the commit's `Save-Id` trailer.
    pub id: String,
    /// The stack it changes.
    pub stack: StackName,
    /// How far it has come.
    pub state: SaveState,
    /// The steps made, oldest first.
    pub steps: Vec<SaveStep>,
    /// The commit, once there is one.
    pub commit: Option<String>,
    /// Why it waits or conflicts.
    pub reason: Option<Problem>,
    /// Path and blob id of each file.
    pub files: Vec<SavedFile>,
}

/// One file of a save, as Git names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// Path in the repository.
    pub path: String,
    /// Blob id of the text.
    pub blob: String,
}

/// Why a data key is asked for; recorded before it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To change the file in the page.
    Edit,
    /// To read values.
    Reveal,
}

/// Body of `POST /api/v1/unwraps`. There is no field for a stanza: the server takes it from Git.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnwrapRequest {
    /// Path in the repository.
    pub path: String,
    /// Commit on the branch that the text was read from.
    pub commit: String,
    /// Blob id of the file there.
    pub blob: String,
    /// Why.
    pub purpose: Purpose,
    /// One-time age X25519 recipient made in the tab.
    pub recipient: String,
}

/// The data key of one file, as an armored age file to the one-time recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwrapped {
    /// Armored age file whose payload is the 32-byte data key.
    pub wrapped_data_key: String,
    /// Identifier of the audit record.
    pub audit_id: String,
}

/// Answer of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether all parts answer.
    pub ready: bool,
    /// Each part, with `ok` or what is wrong.
    pub parts: Vec<(String, String)>,
}
