//! The post-quantum stanza: a file key sealed by HPKE to one MLKEM768-X25519 recipient.
//!
//! The shared secret comes from [`super::xwing`]; HPKE's key schedule around it is RFC 9180, section 5.1, base mode,
//! with HKDF-SHA256 and ChaCha20Poly1305, for the one message that it seals.

use alloc::vec;

use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::FileKey;
use super::header::{Stanza, invalid};
use super::wrapped::{self, Seal};
use super::xwing::{Public, SHARE};
use crate::error::Error;
use crate::random::Random;
use crate::recipient::Identity;

/// Wraps the file key to the recipient, under a fresh share.
pub(super) fn wrap(
    file_key: &FileKey,
    recipient: &Public,
    random: &mut dyn Random,
) -> Result<Stanza, Error> {
    let mut seed = Zeroizing::new([0; 64]);
    random.fill(seed.as_mut_slice())?;
    let (share, shared) = recipient
        .encapsulate(&seed)
        .ok_or_else(|| Error::bug("a recipient turned out to be a low-order point"))?;
    wrapped::stanza(KIND, &share, file_key, &seal(shared.as_slice()))
}

/// A well-formed post-quantum stanza.
pub(super) struct Wrapped(wrapped::Wrapped<SHARE>);

impl Wrapped {
    /// Reads a stanza of this kind.
    pub(super) fn parse(stanza: &Stanza) -> Result<Self, Error> {
        wrapped::Wrapped::parse(stanza, "a post-quantum stanza").map(Self)
    }

    /// The file key; `None` when the stanza is for another identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, Error> {
        let Some(key) = identity.hybrid() else {
            return Ok(None);
        };
        let shared = key
            .decapsulate(&self.0.share)
            .ok_or_else(|| invalid("the share of a post-quantum stanza has a low-order point"))?;
        Ok(self.0.open(&seal(shared.as_slice())))
    }
}

/// HPKE's key schedule without a pre-shared key: the cipher and the nonce of the first message.
fn seal(shared: &[u8]) -> Seal {
    let mut context = vec![0]; // base mode
    for (label, text) in [("psk_id_hash", &b""[..]), ("info_hash", LABEL)] {
        context.extend_from_slice(&extract(&[], label, text).0);
    }
    let (mut secret, schedule) = extract(shared, "secret", &[]);
    secret.zeroize();
    let mut key = Zeroizing::new([0; 32]);
    let mut nonce = Nonce::default();
    expand(&schedule, "key", &context, key.as_mut_slice());
    expand(&schedule, "base_nonce", &context, &mut nonce);
    (ChaCha20Poly1305::new((&*key).into()), nonce)
}

/// `LabeledExtract`.
fn extract(salt: &[u8], label: &str, text: &[u8]) -> ([u8; 32], Hkdf<Sha256>) {
    let labelled = [VERSION, SUITE, label.as_bytes(), text].concat();
    let (extracted, hkdf) = Hkdf::<Sha256>::extract(Some(salt), &labelled);
    (extracted.into(), hkdf)
}

/// `LabeledExpand`, to less than 256 bytes.
fn expand(hkdf: &Hkdf<Sha256>, label: &str, context: &[u8], out: &mut [u8]) {
    let length = u16::try_from(out.len()).unwrap_or_default().to_be_bytes();
    let info = [&length, VERSION, SUITE, label.as_bytes(), context];
    #[expect(clippy::expect_used, reason = "HKDF-SHA-256 delivers up to 8160 bytes")]
    hkdf.expand_multi_info(&info, out)
        .expect("a key is within HKDF's reach");
}

pub(super) const KIND: &str = "mlkem768x25519";
const LABEL: &[u8] = b"age-encryption.org/mlkem768x25519";
const VERSION: &[u8] = b"HPKE-v1";
/// KEM 0x647a (MLKEM768-X25519), KDF 1 (HKDF-SHA256), AEAD 3 (ChaCha20Poly1305).
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
