//! Private keys at rest and in use. No identity leaves this module; data keys leave it wrapped only.
//!
//! The database keeps what [`Vault::generate`] sealed; the provider keeps what opens it. Providers are
//! behind one trait: [`local`] uses a root key file.

pub(crate) mod envelope;
pub(crate) mod local;
pub(crate) mod root_key;

use stackseal_core::Recipient;
use stackseal_core::document::{Document, Encrypted};

/// Why the vault did not do what was asked. Never says anything about a key's bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// The document's wrapped data key does not open, or is not the document's.
    #[error("the data key does not open")]
    DataKey(#[source] stackseal_core::Error),
    /// A sealed record is malformed, was altered, or belongs to another place.
    #[error("a sealed record does not open in its place")]
    Record,
    /// The random generator failed.
    #[error("the random generator failed")]
    Random(#[source] stackseal_core::Error),
}

/// State of a key. Part of what a sealed record is bound to, so a row cannot be set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// In use: saves are sealed to its recipient.
    Active,
    /// Made, and not yet proven to be readable: its recipient is not published.
    Generated,
}

impl KeyState {
    /// The state as the database has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Generated => "generated",
        }
    }
}

/// The place that a sealed record is bound to: moved elsewhere, it does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The organisation's id.
    pub(crate) organisation: String,
    /// The scope.
    pub(crate) scope: String,
    /// The key's id.
    pub(crate) key: String,
    /// Counts the scope's keys, from 1.
    pub(crate) epoch: i64,
    /// The key's state.
    pub(crate) state: KeyState,
}

/// Keeper of private keys. Calls compute and may block for a network in other providers.
pub(crate) trait Vault: Send + Sync {
    /// Makes a key pair: the recipient and the sealed private half.
    fn generate(&self, binding: &Binding) -> Result<(Recipient, Vec<u8>), VaultError>;

    /// Opens a sealed record and tells its recipient: proves that it is readable.
    fn recipient(&self, binding: &Binding, sealed: &[u8]) -> Result<Recipient, VaultError>;

    /// Seals a record anew for another place of the same key.
    fn rebind(&self, from: &Binding, to: &Binding, sealed: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// Unwraps the document's data key, checks that it is the document's, and wraps it to `to`:
    /// an armored age file. No value of the document is decrypted.
    fn rewrap(
        &self,
        binding: &Binding,
        sealed: &[u8],
        document: &Document<Encrypted>,
        to: &Recipient,
    ) -> Result<String, VaultError>;
}
