//! The post-quantum stanza: a file key sealed by HPKE to one MLKEM768-X25519 recipient.
//!
//! The shared secret comes from [`super::xwing`]; HPKE's key schedule around it is RFC 9180, section 5.1, base mode,
//! with HKDF-SHA256 and ChaCha20Poly1305, for the one message that it seals.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64Unpadded, Encoding as _};
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::FileKey;
use super::header::{Stanza, invalid};
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
    let (cipher, nonce) = cipher(shared.as_slice());
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(file_key.as_slice());
    let tag = cipher
        .encrypt_inout_detached(&nonce, &[], body.as_mut_slice().into())
        .map_err(|_| Error::bug("a file key is too long to wrap"))?;
    body.extend_from_slice(&tag);
    Ok(Stanza {
        arguments: vec![String::from(KIND), Base64Unpadded::encode_string(&share)],
        body,
    })
}

/// A well-formed post-quantum stanza.
pub(super) struct Wrapped {
    share: [u8; SHARE],
    file_key: [u8; 16],
    tag: [u8; 16],
}

impl Wrapped {
    /// Reads a stanza of this kind.
    pub(super) fn parse(stanza: &Stanza) -> Result<Self, Error> {
        let [_, share] = stanza.arguments.as_slice() else {
            return Err(invalid(
                "a post-quantum stanza does not have exactly one parameter",
            ));
        };
        let mut bytes = [0; SHARE];
        if Base64Unpadded::decode(share, &mut bytes).map(<[u8]>::len) != Ok(bytes.len()) {
            return Err(invalid(
                "the share of a post-quantum stanza is not 1120 bytes in base64",
            ));
        }
        // The length is fixed before anything is decrypted: a longer body could be crafted to open
        // under several keys.
        let halves = stanza.body.split_first_chunk().and_then(|(file_key, tag)| {
            Some(Self {
                share: bytes,
                file_key: *file_key,
                tag: tag.try_into().ok()?,
            })
        });
        halves.ok_or_else(|| invalid("the body of a post-quantum stanza is not 32 bytes"))
    }

    /// The file key; `None` when the stanza is for another identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, Error> {
        let Some(key) = identity.hybrid() else {
            return Ok(None);
        };
        let shared = key
            .decapsulate(&self.share)
            .ok_or_else(|| invalid("the share of a post-quantum stanza has a low-order point"))?;
        let (cipher, nonce) = cipher(shared.as_slice());
        let mut file_key = FileKey::new(self.file_key);
        let opened = cipher.decrypt_inout_detached(
            &nonce,
            &[],
            file_key.as_mut_slice().into(),
            &self.tag.into(),
        );
        Ok(opened.ok().map(|()| file_key))
    }
}

/// HPKE's key schedule without a pre-shared key: the cipher and the nonce of the first message.
fn cipher(shared: &[u8]) -> (ChaCha20Poly1305, Nonce) {
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
const BODY: usize = 32;
