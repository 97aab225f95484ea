//! One sealed record: XChaCha20-Poly1305 under a random key of its own, which is sealed under the root
//! key. Both layers are bound to the record's place.
//!
//! `0x01 | nonce 24 | sealed record key 48 | nonce 24 | sealed payload`. Random 24-byte nonces need no
//! counter. Changing the root key means sealing the record keys anew, never the payloads.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::random;
use crate::vault::root_key::RootKey;
use crate::vault::{Binding, VaultError};

/// Seals a payload for its place.
///
/// # Errors
/// [`VaultError::Random`] when the generator fails.
pub(crate) fn seal(
    root: &RootKey,
    binding: &Binding,
    payload: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let mut record_key = Zeroizing::new([0; KEY]);
    random::fill(record_key.as_mut_slice()).map_err(|e| VaultError::Random(e.into()))?;
    let mut out = vec![VERSION];
    append(
        &mut out,
        root.expose(),
        &place("record key", binding),
        record_key.as_slice(),
    )?;
    append(&mut out, &record_key, &place("payload", binding), payload)?;
    Ok(out)
}

/// Opens a sealed record in its place.
///
/// # Errors
/// [`VaultError::Record`] when anything differs.
pub(crate) fn open(
    root: &RootKey,
    binding: &Binding,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let rest = sealed.strip_prefix(&[VERSION]).ok_or(VaultError::Record)?;
    let (first, second) = rest
        .split_at_checked(NONCE + KEY + TAG)
        .ok_or(VaultError::Record)?;
    let opened = open_layer(root.expose(), &place("record key", binding), first)?;
    let mut record_key = Zeroizing::new([0; KEY]);
    if opened.len() != KEY {
        return Err(VaultError::Record);
    }
    record_key.copy_from_slice(&opened);
    open_layer(&record_key, &place("payload", binding), second)
}

fn append(
    out: &mut Vec<u8>,
    key: &[u8; KEY],
    place: &[u8],
    payload: &[u8],
) -> Result<(), VaultError> {
    let nonce: [u8; NONCE] = random::bytes().map_err(VaultError::Random)?;
    let mut buffer = Zeroizing::new(payload.to_vec());
    let tag = cipher(key)
        .encrypt_inout_detached(&XNonce::from(nonce), place, buffer.as_mut_slice().into())
        .map_err(|_| VaultError::Record)?;
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&buffer);
    out.extend_from_slice(&tag);
    Ok(())
}

fn open_layer(
    key: &[u8; KEY],
    place: &[u8],
    layer: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, rest) = layer
        .split_first_chunk::<NONCE>()
        .ok_or(VaultError::Record)?;
    let (payload, tag) = rest.split_last_chunk::<TAG>().ok_or(VaultError::Record)?;
    let mut buffer = Zeroizing::new(payload.to_vec());
    cipher(key)
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            place,
            buffer.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| VaultError::Record)?;
    Ok(buffer)
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// The place as associated data: each field with its length in front, so that no two places are alike.
fn place(layer: &str, binding: &Binding) -> Vec<u8> {
    let epoch = binding.epoch.to_string();
    let fields = [
        "stackseal vault 1",
        layer,
        &binding.organisation,
        &binding.scope,
        &binding.key,
        &epoch,
        binding.state.as_str(),
    ];
    let mut out = Vec::new();
    for field in fields {
        out.extend_from_slice(&(field.len() as u64).to_be_bytes());
        out.extend_from_slice(field.as_bytes());
    }
    out
}

const VERSION: u8 = 1;
const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::KeyState;

    fn binding() -> Binding {
        Binding {
            organisation: "o".to_owned(),
            scope: "s".to_owned(),
            key: "k".to_owned(),
            epoch: 1,
            state: KeyState::Active,
        }
    }

    #[test]
    fn a_record_opens_in_its_place_only() {
        let root = RootKey::from_bytes([7; 32]);
        let sealed = seal(&root, &binding(), b"payload").unwrap();
        assert_eq!(
            open(&root, &binding(), &sealed).unwrap().as_slice(),
            b"payload"
        );
        let elsewhere = [
            Binding {
                organisation: "os".to_owned(),
                scope: String::new(),
                ..binding()
            },
            Binding {
                scope: "t".to_owned(),
                ..binding()
            },
            Binding {
                key: "l".to_owned(),
                ..binding()
            },
            Binding {
                epoch: 2,
                ..binding()
            },
            Binding {
                state: KeyState::Generated,
                ..binding()
            },
        ];
        for place in elsewhere {
            assert!(open(&root, &place, &sealed).is_err(), "{place:?}");
        }
        assert!(open(&RootKey::from_bytes([8; 32]), &binding(), &sealed).is_err());
    }

    #[test]
    fn no_flipped_bit_and_no_cut_passes() {
        let root = RootKey::from_bytes([7; 32]);
        let sealed = seal(&root, &binding(), b"payload").unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                assert!(
                    open(&root, &binding(), &altered).is_err(),
                    "byte {at} bit {bit}"
                );
            }
            assert!(
                open(&root, &binding(), &sealed[..at]).is_err(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn two_seals_share_nothing() {
        let root = RootKey::from_bytes([7; 32]);
        let (one, two) = (
            seal(&root, &binding(), b"x").unwrap(),
            seal(&root, &binding(), b"x").unwrap(),
        );
        assert_ne!(one[1..25], two[1..25]);
        assert_ne!(one[73..97], two[73..97]);
    }
}
