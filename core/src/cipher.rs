//! One leaf: plaintext bytes to `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` and back.
//!
//! Nonces are written with 32 bytes, as the reference does, and read with any length. Which bytes
//! a value has, and what binds it to its place, is for the caller to say.

mod any_nonce;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::consts::U32;
use aes_gcm::{AeadInOut as _, AesGcm, KeyInit as _};
use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::error::{Error, ErrorCode};
use crate::random::Random;

/// A sealed value, read but not opened.
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

    fn parse_fields(fields: &'a str) -> Option<Self> {
        let (data, rest) = fields.strip_prefix("data:")?.split_once(",iv:")?;
        let (nonce, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.strip_suffix(']')?.split_once(",type:")?;
        let bytes = |text| {
            Base64::decode_vec(text)
                .ok()
                .filter(|bytes| !bytes.is_empty())
        };
        let named = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
        let tag = bytes(tag)?.try_into().ok()?;
        named.then_some(Self {
            data: bytes(data)?,
            nonce: bytes(nonce)?,
            tag,
            kind,
        })
    }
}

/// A sealed text without what stands behind its bracket, which the reference passes over.
pub(crate) fn without_rest(text: &str) -> &str {
    match text.rfind(']') {
        Some(end) => text.get(..=end).unwrap_or_default(),
        None => text,
    }
}

/// Seals the bytes of a value under a fresh nonce. `aad` binds it to its place, `kind` is the label
/// to be written beside it.
///
/// # Errors
/// `random-failed`; `internal` for an empty plaintext, which the format leaves as it is.
pub(crate) fn seal(
    key: &DataKey,
    plaintext: &[u8],
    aad: &[u8],
    kind: &str,
    random: &mut dyn Random,
) -> Result<String, Error> {
    if plaintext.is_empty() {
        return Err(Error::bug("an empty value was to be sealed"));
    }
    let mut nonce = [0; 32];
    random.fill(&mut nonce)?;
    let mut data = Vec::from(plaintext);
    let tag = LeafCipher::new(key.expose().into())
        .encrypt_inout_detached(&nonce.into(), aad, data.as_mut_slice().into())
        .map_err(|_| Error::bug("a value is too long for AES-GCM"))?;
    let [data, nonce, tag] = [data.as_slice(), &nonce, &tag].map(Base64::encode_string);
    Ok(format!(
        "{PREFIX}data:{data},iv:{nonce},tag:{tag},type:{kind}]"
    ))
}

/// Opens a sealed value at the place that `aad` names.
///
/// # Errors
/// `leaf-tampered` when it was altered, moved, or sealed under another key.
pub(crate) fn open(
    key: &DataKey,
    sealed: &SealedValue<'_>,
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut text = Zeroizing::new(sealed.data.clone());
    let opened = match <[u8; 32]>::try_from(sealed.nonce.as_slice()) {
        Ok(nonce) => LeafCipher::new(key.expose().into())
            .decrypt_inout_detached(
                &nonce.into(),
                aad,
                text.as_mut_slice().into(),
                &sealed.tag.into(),
            )
            .is_ok(),
        Err(_) => any_nonce::decrypt(key.expose(), &sealed.nonce, aad, &mut text, &sealed.tag),
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

type LeafCipher = AesGcm<Aes256, U32>;

const PREFIX: &str = "ENC[AES256_GCM,";
const TAG: usize = 16;

#[cfg(test)]
mod tests;
