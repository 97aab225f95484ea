//! Ed25519 keys as age keys: the same number, read as a point of the other form of the curve.
//!
//! This is what lets a host open files with the key that it has for SSH already. Whoever calls it reads the key
//! files; here are the 32 bytes only. The result is an ordinary age key, which shows nothing of where it came from.
//! Source: RFC 8032 (the scalar), RFC 7748 section 4.1 (the map), and what `ssh-to-age` makes of the same keys.

use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, ErrorCode};
use crate::recipient::{self, Identity, Recipient};

impl Recipient {
    /// The recipient that an Ed25519 public key amounts to.
    ///
    /// # Errors
    /// `invalid-recipient` when the bytes are no point of the curve, or one that nobody has a private key for.
    pub fn from_ed25519(public: &[u8; 32]) -> Result<Self, Error> {
        let point = CompressedEdwardsY(*public).decompress().ok_or_else(|| {
            Error::key(
                ErrorCode::InvalidRecipient,
                "this is no Ed25519 public key: its number is not on the curve",
            )
        })?;
        let text = recipient::encode(
            recipient::RECIPIENT,
            point.to_montgomery().as_bytes(),
            char::to_ascii_lowercase,
        );
        // refuses low-order points, too
        Self::parse(&text)
    }
}

impl Identity {
    /// The identity that an Ed25519 private key amounts to, by the seed that it is kept as.
    pub fn from_ed25519(seed: &[u8; 32]) -> Self {
        let mut hash = Sha512::digest(seed);
        let mut scalar = Zeroizing::new([0; 32]);
        // not clamped: using it does that, and the text of the key is to be the one that others make
        for (to, from) in scalar.iter_mut().zip(&hash) {
            *to = *from;
        }
        hash.as_mut_slice().zeroize();
        Self::from_scalar(&scalar)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The last 32 bytes of a public key as OpenSSH writes it.
    fn public(text: &str) -> [u8; 32] {
        let mut bytes = [0; 51];
        STANDARD.decode_slice(text, &mut bytes).unwrap();
        bytes[19..].try_into().unwrap()
    }

    #[test]
    fn public_keys_become_the_recipients_that_others_make_of_them() {
        for (ssh, age) in [
            (
                "AAAAC3NzaC1lZDI1NTE5AAAAIOHz+U0YtjINc54dZiJNclfmEFifF7RXCFlNlTbuZBji",
                "age17044m9wgakla6pzftf4srtl3h5mcsr85jysgt5fg23zpnta8sfdqhzn452",
            ),
            (
                "AAAAC3NzaC1lZDI1NTE5AAAAID/+AcTjBdIG6Xwk4ZiuckvG5xNDlaqX316bKGo6D3a5",
                "age1pa3t6c94xl4z6k02rt0lw2za7e7tdjsse46xjh8y7tluy59qu5tqaqgauq",
            ),
            (
                "AAAAC3NzaC1lZDI1NTE5AAAAIF/KPU3Z5LSjbBI6hrq25wCcseq2UpqSzUFZRr+ux6LM",
                "age1hjm3aujg9e79f5yth8a2cejzdjg5n9vnu96l05p70uvfpeltnpms7yy3pp",
            ),
            (
                "AAAAC3NzaC1lZDI1NTE5AAAAIIL2vjdqpppuCn7yPdF2muINriAG7zBWrsELKpPWkhn5",
                "age1v8zjc47jmlqwefyu66s0d4ke98qr4vnuj3cpvs4z9npfdw833dxqwjrhzv",
            ),
        ] {
            let made = Recipient::from_ed25519(&public(ssh)).unwrap();
            assert_eq!(made.as_str(), age);
        }
    }

    #[test]
    fn a_private_key_opens_what_is_sealed_to_its_public_key() {
        // RFC 8032, section 7.1, tests 1 and 2
        for (seed, public) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            ),
        ] {
            let [seed, public] = [seed, public].map(|hex| {
                let hex = serde_json::Value::from(hex);
                <[u8; 32]>::try_from(crate::vectors::hex(&hex)).unwrap()
            });
            let recipient = Recipient::from_ed25519(&public).unwrap();
            let identity = Identity::from_ed25519(&seed);
            assert_eq!(identity.recipient(), recipient);
            assert_eq!(
                Identity::parse(&identity.to_text()).unwrap().recipient(),
                recipient
            );
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut off_the_curve = [0; 32];
        off_the_curve[0] = 2;
        for bytes in [one, off_the_curve, [0; 32]] {
            let error = Recipient::from_ed25519(&bytes).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRecipient);
        }
    }
}
