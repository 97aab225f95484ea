//! One leaf: plaintext bytes to `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` and back.
//!
//! Nonces are written with 32 bytes, as the reference does, and read with any length. Which bytes
//! a value has, and what binds it to its place, is for the caller to say.

mod any_nonce;

use alloc::string::String;
use alloc::vec::Vec;

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::consts::U32;
use aes_gcm::{AeadInOut as _, AesGcm, KeyInit as _};
use base64::engine::general_purpose::STANDARD;
use base64::{Engine as _, encoded_len};
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::error::{Error, ErrorCode};
use crate::random::Random;

/// A sealed value, read but not opened.
#[derive(Clone)]
pub(crate) struct SealedValue<'a> {
    data: Vec<u8>,
    nonce: Vec<u8>,
    tag: [u8; TAG],
    /// The type label. Nothing authenticates it.
    pub(crate) kind: &'a str,
}

impl<'a> SealedValue<'a> {
    /// Reads a text: `None` when it does not claim to be a sealed value, the error
    /// `leaf-malformed` when it does and is none. Nothing may stand after the closing bracket.
    pub(crate) fn parse(text: &'a str) -> Option<Result<Self, Error>> {
        let fields = text.strip_prefix(PREFIX)?;
        Some(Self::parse_fields(fields).ok_or_else(|| {
            Error::input(
                ErrorCode::LeafMalformed,
                "the text begins like a sealed value but is none; take it from a version that was not edited by hand",
            )
        }))
    }

    /// Bytes of what was sealed.
    #[cfg(feature = "formats")]
    pub(crate) fn length(&self) -> usize {
        self.data.len()
    }

    /// A value whose parts are told, for vectors.
    #[cfg(feature = "primitives")]
    pub(crate) fn of_parts(data: &[u8], nonce: &[u8], tag: [u8; TAG]) -> Self {
        Self {
            data: data.to_vec(),
            nonce: nonce.to_vec(),
            tag,
            kind: "str",
        }
    }

    fn parse_fields(fields: &'a str) -> Option<Self> {
        let Fields {
            data,
            nonce,
            tag,
            kind,
        } = Fields::of(fields)?;
        let bytes = |text| {
            let bytes = STANDARD.decode(text).ok();
            bytes.filter(|bytes| !bytes.is_empty())
        };
        let mut seal = [0; TAG];
        let length = STANDARD.decode_slice(tag, &mut seal).ok()?;
        Some(Self {
            data: bytes(data)?,
            nonce: bytes(nonce)?,
            tag: (length == TAG).then_some(seal)?,
            kind,
        })
    }
}

/// The fields of a sealed value as they are written.
struct Fields<'a> {
    data: &'a str,
    nonce: &'a str,
    tag: &'a str,
    kind: &'a str,
}

impl<'a> Fields<'a> {
    /// Base64 has no comma, so each field ends at the next one.
    fn of(text: &'a str) -> Option<Self> {
        let mut fields = text.strip_suffix(']')?.splitn(4, ',');
        let mut field = |name| fields.next()?.strip_prefix(name);
        let (data, nonce) = (field("data:")?, field("iv:")?);
        let (tag, kind) = (field("tag:")?, field("type:")?);
        let named = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
        named.then_some(Self {
            data,
            nonce,
            tag,
            kind,
        })
    }
}

/// Whether a text looks like what [`Cipher::seal`] writes: fields, alphabet and lengths, without reading the bytes.
pub(crate) fn is_sealed(text: &str) -> bool {
    let base64 = |text: &str| {
        let digits = text.trim_end_matches('=');
        !digits.is_empty()
            && text.len().is_multiple_of(4)
            && text.len() - digits.len() < 3
            && digits.bytes().fold(true, |all, byte| {
                all & (byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/'))
            })
    };
    let fields = text.strip_prefix(PREFIX).and_then(Fields::of);
    fields.is_some_and(|fields| {
        base64(fields.data) && base64(fields.nonce) && base64(fields.tag) && fields.tag.len() == 24
    })
}

/// A sealed text without what stands behind its bracket, which the reference passes over: on its line, and on others.
pub(crate) fn without_rest(text: &str) -> &str {
    let text = text.split('\n').next().unwrap_or_default();
    match text.rfind(']') {
        Some(end) => text.get(..=end).unwrap_or_default(),
        None => text,
    }
}

/// Nonces for many values: the generator is asked for several at a time.
#[derive(Default)]
pub(crate) struct Nonces(Vec<[u8; NONCE]>);

impl Nonces {
    /// A fresh one. `left` is how many may still be asked for, this one among them.
    fn next(&mut self, left: usize, random: &mut dyn Random) -> Result<[u8; NONCE], Error> {
        if self.0.is_empty() {
            self.0.resize(left.clamp(1, 64), [0; NONCE]);
            if let Err(error) = random.fill(self.0.as_flattened_mut()) {
                self.0.clear();
                return Err(error.into());
            }
        }
        self.0.pop().ok_or_else(|| Error::bug("no nonce is left"))
    }
}

/// A data key at work on leaves.
pub(crate) struct Cipher<'a> {
    key: &'a DataKey,
    leaf: LeafCipher,
    nonces: Nonces,
}

impl<'a> Cipher<'a> {
    pub(crate) fn new(key: &'a DataKey) -> Self {
        Self {
            key,
            leaf: LeafCipher::new(key.expose().into()),
            nonces: Nonces::default(),
        }
    }

    /// Seals the bytes of a value under a fresh nonce. `aad` binds it to its place, `kind` is the label to be written
    /// beside it; `left` is how many values may still come, this one among them.
    ///
    /// # Errors
    /// `random-failed`; `internal` for an empty plaintext, which the format leaves as it is.
    pub(crate) fn seal(
        &mut self,
        plaintext: &[u8],
        aad: &[u8],
        kind: &str,
        left: usize,
        random: &mut dyn Random,
    ) -> Result<String, Error> {
        if plaintext.is_empty() {
            return Err(Error::bug("an empty value was to be sealed"));
        }
        let nonce = self.nonces.next(left, random)?;
        // Encrypted where it stands, so nothing readable is left in it.
        let mut data = Vec::from(plaintext);
        let tag = self
            .leaf
            .encrypt_inout_detached(&nonce.into(), aad, data.as_mut_slice().into())
            .map_err(|_| Error::bug("a value is too long for AES-GCM"))?;
        let length = encoded_len(data.len(), true).unwrap_or_default();
        let mut text = String::with_capacity(length + PREFIX.len() + kind.len() + 96);
        text.push_str(PREFIX);
        for (name, bytes) in [
            ("data:", data.as_slice()),
            (",iv:", &nonce),
            (",tag:", &tag),
        ] {
            text.push_str(name);
            STANDARD.encode_string(bytes, &mut text);
        }
        text.push_str(",type:");
        text.push_str(kind);
        text.push(']');
        Ok(text)
    }

    /// Opens a sealed value at the place that `aad` names.
    ///
    /// # Errors
    /// `leaf-tampered` when it was altered, moved, or sealed under another key.
    pub(crate) fn open(
        &self,
        sealed: SealedValue<'_>,
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut text = Zeroizing::new(sealed.data);
        let opened = match <[u8; NONCE]>::try_from(sealed.nonce.as_slice()) {
            Ok(nonce) => self
                .leaf
                .decrypt_inout_detached(
                    &nonce.into(),
                    aad,
                    text.as_mut_slice().into(),
                    &sealed.tag.into(),
                )
                .is_ok(),
            Err(_) => any_nonce::decrypt(
                self.key.expose(),
                &sealed.nonce,
                aad,
                &mut text,
                &sealed.tag,
            ),
        };
        if opened {
            Ok(text)
        } else {
            Err(Error::input(
                ErrorCode::LeafTampered,
                "the sealed value does not open here: it was altered, moved from another key, or sealed under another data key",
            ))
        }
    }
}

/// As [`Cipher::seal`], of one value.
///
/// # Errors
/// As [`Cipher::seal`].
pub(crate) fn seal(
    key: &DataKey,
    plaintext: &[u8],
    aad: &[u8],
    kind: &str,
    random: &mut dyn Random,
) -> Result<String, Error> {
    Cipher::new(key).seal(plaintext, aad, kind, 1, random)
}

/// As [`Cipher::open`], of one value.
///
/// # Errors
/// As [`Cipher::open`].
pub(crate) fn open(
    key: &DataKey,
    sealed: SealedValue<'_>,
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    Cipher::new(key).open(sealed, aad)
}

type LeafCipher = AesGcm<Aes256, U32>;

const PREFIX: &str = "ENC[AES256_GCM,";
const TAG: usize = 16;
/// How long the nonces are that are written.
const NONCE: usize = 32;

#[cfg(test)]
mod tests;
