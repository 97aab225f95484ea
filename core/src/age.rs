//! age v1 files for native recipients (X25519, and with the feature `hybrid` post-quantum ones): header, payload, and
//! the armor around them.
//!
//! Everything is held in memory, and nothing is released before the whole file has authenticated.
//! Stanzas of other kinds (SSH, plugins, passphrases) are skipped; none is ever acted on here. Whoever knows
//! such a kind finds them in an [`Envelope`], and brings stanzas of its own to [`assemble`].
//! Source: <https://age-encryption.org/v1>.

pub mod armor;
mod header;
#[cfg(feature = "hybrid")]
mod hybrid;
mod stream;
mod wrapped;
mod x25519;
#[cfg(feature = "hybrid")]
pub(crate) mod xwing;

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, ErrorCode};
use crate::random::Random;
use crate::recipient::{Identity, Recipient};
use header::Header;
pub use header::Stanza;

/// The 16 bytes that a file's header and payload keys derive from.
pub type FileKey = Zeroizing<[u8; 16]>;

/// Encrypts a payload so that each of the recipients can open it alone. The result is binary; see
/// [`armor::encode`].
///
/// # Errors
/// `recipient-missing` without a recipient, `limit-exceeded` beyond 64, `random-failed`.
pub fn encrypt(
    payload: &[u8],
    recipients: &[Recipient],
    random: &mut dyn Random,
) -> Result<Vec<u8>, Error> {
    if recipients.is_empty() {
        return Err(Error::configuration(
            ErrorCode::RecipientMissing,
            "there is no recipient, so nobody could open the file",
        ));
    }
    if recipients.len() > header::MAX_STANZAS {
        return Err(Error::configuration(
            ErrorCode::LimitExceeded,
            format!(
                "{} recipients are more than the {} allowed",
                recipients.len(),
                header::MAX_STANZAS
            ),
        ));
    }
    let mut file_key = FileKey::default();
    random.fill(file_key.as_mut_slice())?;
    let mut stanzas = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        stanzas.push(wrap(&file_key, recipient, random)?);
    }
    #[cfg(feature = "hybrid")]
    if stanzas.iter().any(|stanza| stanza.kind() == hybrid::KIND)
        && stanzas.iter().any(|stanza| stanza.kind() != hybrid::KIND)
    {
        return Err(Error::configuration(
            ErrorCode::InvalidRecipient,
            "post-quantum recipients and others cannot share an age file: it is as weak as the weaker key",
        ));
    }
    assemble(payload, &stanzas, &file_key, random)
}

fn wrap(
    file_key: &FileKey,
    recipient: &Recipient,
    random: &mut dyn Random,
) -> Result<Stanza, Error> {
    #[cfg(feature = "hybrid")]
    if let Some(key) = recipient.hybrid() {
        return hybrid::wrap(file_key, key, random);
    }
    x25519::wrap(file_key, recipient, random)
}

/// Makes a file of stanzas that hold its file key already. The result is binary; see [`armor::encode`].
///
/// # Errors
/// `random-failed`.
///
/// # Security
/// The file key must be random and of this file alone; the stanzas are taken as they are.
pub fn assemble(
    payload: &[u8],
    stanzas: &[Stanza],
    file_key: &FileKey,
    random: &mut dyn Random,
) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; stream::NONCE];
    random.fill(&mut nonce)?;
    let mut file = header::encode(stanzas, file_key);
    stream::encrypt(file_key, &nonce, payload, &mut file);
    Ok(file)
}

/// Decrypts a binary age file with the first identity that fits; see [`armor::decode`].
///
/// # Errors
/// `age-file-invalid` when the file is malformed or was altered, `no-matching-identity`.
pub fn decrypt(file: &[u8], identities: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let envelope = Envelope::parse(file)?;
    let file_key = unwrap_file_key(&envelope.header, identities)?;
    envelope.open(&file_key)
}

/// A binary age file whose stanzas can be looked at before anything is opened.
pub struct Envelope<'a> {
    header: Header<'a>,
    payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Takes a file apart; see [`armor::decode`].
    ///
    /// # Errors
    /// `age-file-invalid`.
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let (header, payload) = Header::parse(file)?;
        Ok(Self { header, payload })
    }

    /// The stanzas, one for each recipient, and such that mean nothing.
    pub fn stanzas(&self) -> &[Stanza] {
        &self.header.stanzas
    }

    /// Bytes of the payload when it is opened, if it is one chunk; `None` where the file is cut off, or longer.
    #[cfg(feature = "formats")]
    pub(crate) fn payload_length(&self) -> Option<usize> {
        stream::length_of_one_chunk(self.payload)
    }

    /// Opens the payload with the file key out of one of the stanzas.
    ///
    /// # Errors
    /// `age-file-invalid` when the header or the payload was altered, or this is another file's key.
    pub fn open(&self, file_key: &FileKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.header.verify(file_key)?;
        stream::decrypt(file_key, self.payload)
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} stanzas)", self.header.stanzas.len())
    }
}

/// A stanza of a kind that is known here.
enum Wrapped {
    #[cfg(feature = "hybrid")]
    Hybrid(alloc::boxed::Box<hybrid::Wrapped>),
    X25519(x25519::Wrapped),
}

impl Wrapped {
    fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, Error> {
        match self {
            #[cfg(feature = "hybrid")]
            Self::Hybrid(wrapped) => wrapped.unwrap(identity),
            Self::X25519(wrapped) => wrapped.unwrap(identity),
        }
    }
}

fn unwrap_file_key(header: &Header<'_>, identities: &[Identity]) -> Result<FileKey, Error> {
    let mut own = Vec::new();
    for stanza in &header.stanzas {
        match stanza.kind() {
            x25519::KIND => own.push(Wrapped::X25519(x25519::Wrapped::parse(stanza)?)),
            // Others skip a kind that none of their identities is of, and what is wrong with it.
            #[cfg(feature = "hybrid")]
            hybrid::KIND if identities.iter().any(|one| one.hybrid().is_some()) => {
                own.push(Wrapped::Hybrid(hybrid::Wrapped::parse(stanza)?.into()));
            }
            _ => {}
        }
    }
    for identity in identities {
        for wrapped in &own {
            if let Some(file_key) = wrapped.unwrap(identity)? {
                return Ok(file_key);
            }
        }
    }
    Err(Error::key(
        ErrorCode::NoMatchingIdentity,
        format!(
            "none of the {} identities given opens this age file, which has {} stanzas for native recipients and {} of other kinds",
            identities.len(),
            own.len(),
            header.stanzas.len() - own.len(),
        ),
    ))
}

/// HKDF-SHA-256 to 32 bytes.
fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(Some(salt), secret);
    extracted.as_mut_slice().zeroize();
    let mut key = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "HKDF-SHA-256 delivers up to 8160 bytes")]
    hkdf.expand(info, key.as_mut_slice())
        .expect("32 bytes are within HKDF's reach");
    key
}

#[cfg(test)]
mod tests;
