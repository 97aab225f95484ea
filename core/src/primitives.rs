//! The primitives as the codec calls them, so that their vectors can be run where there are no files: in a browser.
//!
//! For tests alone. Each takes and gives bytes; what the bytes mean is for the vectors to say.

use alloc::borrow::ToOwned as _;
use alloc::vec;
use alloc::vec::Vec;

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::cipher::{self, SealedValue};
use crate::data_key::DataKey;
use crate::x25519::{Point, Scalar};

/// Opens what AES-256-GCM sealed under a nonce of any length; `None` when the tag does not match.
pub fn aes_256_gcm(
    key: [u8; 32],
    nonce: &[u8],
    aad: &[u8],
    data: &[u8],
    tag: [u8; 16],
) -> Option<Vec<u8>> {
    let sealed = SealedValue::of_parts(data, nonce, tag);
    let opened = cipher::open(&data_key(key)?, sealed, aad).ok()?;
    Some(opened.to_vec())
}

/// Opens an `ENC[…]` text at the place that `aad` names.
pub fn sealed_value(key: [u8; 32], text: &str, aad: &[u8]) -> Option<Vec<u8>> {
    let sealed = SealedValue::parse(text)?.ok()?;
    let opened = cipher::open(&data_key(key)?, sealed, aad).ok()?;
    Some(opened.to_vec())
}

/// Opens what ChaCha20-Poly1305 sealed; `None` when the tag does not match.
pub fn chacha20_poly1305(
    key: [u8; 32],
    nonce: [u8; 12],
    aad: &[u8],
    data: &[u8],
    tag: [u8; 16],
) -> Option<Vec<u8>> {
    let mut text = data.to_owned();
    ChaCha20Poly1305::new(&key.into())
        .decrypt_inout_detached(&nonce.into(), aad, text.as_mut_slice().into(), &tag.into())
        .ok()?;
    Some(text)
}

/// HKDF-SHA-256; `None` when so much cannot be derived.
pub fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut key = vec![0; size];
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info, &mut key)
        .ok()?;
    Some(key)
}

/// HMAC-SHA-256, the whole of it.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    hmac.update(message);
    Some(hmac.finalize().into_bytes().to_vec())
}

/// The secret that a private number and somebody's point share; `None` with a point of low order.
pub fn x25519(private: [u8; 32], public: [u8; 32]) -> Option<Vec<u8>> {
    let shared = Scalar::new(&private).shared_with(&Point::from(public))?;
    Some(shared.to_vec())
}

fn data_key(key: [u8; 32]) -> Option<DataKey> {
    DataKey::generate(&mut |out: &mut [u8]| {
        out.copy_from_slice(&key);
        Ok(())
    })
    .ok()
}
