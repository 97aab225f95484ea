//! AES-256-GCM decryption for nonces whose length is known only when they are read.
//!
//! `aes-gcm` fixes the length in the type. This is NIST SP 800-38D, algorithm 5, over the same AES
//! and GHASH; it serves files of other writers, since ours all have 32 bytes.

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use ghash::universal_hash::UniversalHash as _;
use ghash::{Block, GHash};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// Decrypts in place if the tag matches; otherwise leaves the ciphertext and says `false`.
pub(super) fn decrypt(
    key: &[u8; 32],
    nonce: &[u8],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; 16],
) -> bool {
    let cipher = Aes256::new(key.into());
    let mut hash_key = Block::default();
    cipher.encrypt_block(&mut hash_key);
    let ghash = GHash::new(&hash_key);
    hash_key.as_mut_slice().zeroize();

    let mut counter = first_counter(&ghash, nonce);
    let mut mask = counter;
    cipher.encrypt_block(&mut mask);
    let mut expected = hash(&ghash, &[aad, data], lengths(aad.len(), data.len()));
    xor(&mut expected, &mask);
    if !bool::from(expected.as_slice().ct_eq(tag)) {
        return false;
    }
    for block in data.chunks_mut(16) {
        increment(&mut counter);
        let mut stream = counter;
        cipher.encrypt_block(&mut stream);
        xor(block, &stream);
        stream.as_mut_slice().zeroize();
    }
    true
}

/// J0: 96 bits stand for themselves, any other length is hashed.
fn first_counter(ghash: &GHash, nonce: &[u8]) -> Block {
    if nonce.len() != 12 {
        return hash(ghash, &[nonce], lengths(0, nonce.len()));
    }
    let mut counter = Block::default();
    for (byte, source) in counter.iter_mut().zip(nonce.iter().chain(&[0, 0, 0, 1])) {
        *byte = *source;
    }
    counter
}

fn hash(ghash: &GHash, parts: &[&[u8]], lengths: Block) -> Block {
    let mut ghash = ghash.clone();
    for part in parts {
        ghash.update_padded(part);
    }
    ghash.update(&[lengths]);
    ghash.finalize()
}

/// Two lengths in bits, 64 bits each.
fn lengths(first: usize, second: usize) -> Block {
    ((first as u128 * 8) << 64 | (second as u128 * 8))
        .to_be_bytes()
        .into()
}

/// Counts up in the last four bytes only, without a carry into the rest.
fn increment(counter: &mut Block) {
    for byte in counter.iter_mut().rev().take(4) {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}

fn xor(target: &mut [u8], mask: &[u8]) {
    for (byte, mask) in target.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}
