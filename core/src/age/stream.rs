//! The payload: ChaCha20-Poly1305 in chunks of 64 KiB (the STREAM construction).

use alloc::vec::Vec;

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use super::header::invalid as invalid_header;
use super::{FileKey, derive};
use crate::error::{Error, ErrorCode};

/// Bytes of random salt between header and chunks.
pub(super) const NONCE: usize = 16;

/// Appends salt and encrypted chunks to the file.
pub(super) fn encrypt(file_key: &FileKey, nonce: &[u8; NONCE], payload: &[u8], file: &mut Vec<u8>) {
    let cipher = cipher(file_key, nonce);
    let last = last_chunk(payload.len(), CHUNK);
    // Room for all, so that no plaintext is left behind by growing.
    file.reserve_exact(NONCE + payload.len() + (last + 1) * TAG);
    file.extend_from_slice(nonce);
    for index in 0..=last {
        let start = file.len();
        file.extend_from_slice(chunk(payload, index, CHUNK));
        let text = file.get_mut(start..).unwrap_or_default();
        #[expect(
            clippy::expect_used,
            reason = "a chunk is far below the cipher's 256 GiB"
        )]
        let tag = cipher
            .encrypt_inout_detached(&chunk_nonce(index, last), &[], text.into())
            .expect("a chunk is short enough");
        file.extend_from_slice(&tag);
    }
}

/// Bytes that what follows the header opens to, if it is one chunk.
#[cfg(feature = "formats")]
pub(super) fn length_of_one_chunk(sealed: &[u8]) -> Option<usize> {
    let length = sealed.len().checked_sub(NONCE + TAG)?;
    (length <= CHUNK).then_some(length)
}

/// Decrypts all that follows the header, or nothing.
pub(super) fn decrypt(file_key: &FileKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or_else(|| invalid_header("the 16-byte nonce after it is missing or cut off"))?;
    let cipher = cipher(file_key, nonce);
    let last = last_chunk(sealed.len(), CHUNK + TAG);
    let mut payload = Zeroizing::new(Vec::with_capacity(sealed.len()));
    for index in 0..=last {
        let (text, tag) = chunk(sealed, index, CHUNK + TAG)
            .split_last_chunk::<TAG>()
            .ok_or_else(|| invalid("it is cut off in the middle of a chunk"))?;
        if text.is_empty() && index > 0 {
            return Err(invalid("its last chunk is empty"));
        }
        let start = payload.len();
        payload.extend_from_slice(text);
        let text = payload.get_mut(start..).unwrap_or_default();
        cipher
            .decrypt_inout_detached(&chunk_nonce(index, last), &[], text.into(), &(*tag).into())
            .map_err(|_| {
                invalid("it does not authenticate, so it was altered, cut off or extended")
            })?;
    }
    Ok(payload)
}

fn invalid(reason: &str) -> Error {
    Error::input(
        ErrorCode::AgeFileInvalid,
        format_args!("the age payload is damaged: {reason}"),
    )
}

fn cipher(file_key: &FileKey, nonce: &[u8; NONCE]) -> ChaCha20Poly1305 {
    let key = derive(nonce, file_key.as_slice(), b"payload");
    ChaCha20Poly1305::new((&*key).into())
}

/// Index of the last chunk; an empty payload still has one.
fn last_chunk(length: usize, size: usize) -> usize {
    length.div_ceil(size).max(1) - 1
}

fn chunk(bytes: &[u8], index: usize, size: usize) -> &[u8] {
    bytes.chunks(size).nth(index).unwrap_or_default()
}

/// Eleven bytes of counter, one that marks the last chunk.
fn chunk_nonce(index: usize, last: usize) -> Nonce {
    let mut nonce = Nonce::default();
    let counter = (index as u128) << 8 | u128::from(index == last);
    for (byte, source) in nonce.iter_mut().rev().zip(counter.to_le_bytes()) {
        *byte = source;
    }
    nonce
}

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
