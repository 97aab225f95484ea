//! Post-quantum keys of age: MLKEM768-X25519 (X-Wing), with their Bech32 texts.
//!
//! Whoever breaks one half of such a key still needs the other. What the keys are made of is the business of
//! `crate::age`.
//! Source: age specification, section "The MLKEM768-X25519 hybrid post-quantum recipient type".

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use bech32::Fe1024;
use bech32::primitives::checksum::Checksum;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

use super::{Identity, Kind, Recipient, Secret, invalid_recipient, point_fault};
use crate::age::xwing::{PUBLIC, Private, Public};
use crate::error::Error;
use crate::random::Random;

impl Identity {
    /// Makes a new one of the post-quantum kind.
    ///
    /// # Errors
    /// `random-failed` when the generator does.
    pub fn generate_hybrid(random: &mut dyn Random) -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut_slice())?;
        Ok(of_seed(&seed))
    }

    /// The private key of one of this kind.
    pub(crate) fn hybrid(&self) -> Option<&Private> {
        match &self.secret {
            Secret::Hybrid(key) => Some(key),
            Secret::Native { .. } => None,
        }
    }
}

impl Recipient {
    /// The public key of one of this kind.
    pub(crate) fn hybrid(&self) -> Option<&Public> {
        match &self.kind {
            Kind::Hybrid(key) => Some(key),
            Kind::Foreign(_) | Kind::Native(_) => None,
        }
    }
}

/// Reads `age1pq1…`; the text is in lower case.
pub(super) fn recipient(text: &str) -> Result<Recipient, Error> {
    let bytes = decode::<PUBLIC>(RECIPIENT, text)
        .filter(|bytes| encode(RECIPIENT, bytes.as_slice()).as_str() == text)
        .ok_or_else(|| {
            invalid_recipient(
                "a post-quantum one has 1952 more characters than age1pq1, and its checksum does not match",
            )
        })?;
    let key =
        Public::parse(&bytes).ok_or_else(|| invalid_recipient("its numbers are out of range"))?;
    if let Some(reason) = point_fault(key.point()) {
        return Err(invalid_recipient(reason));
    }
    Ok(Recipient {
        kind: Kind::Hybrid(Arc::new(key)),
        text: String::from(text),
    })
}

/// Reads `AGE-SECRET-KEY-PQ-1…`; `None` when the checksum does not match.
pub(super) fn identity(text: &str) -> Option<Identity> {
    let identity = of_seed(&*decode(IDENTITY, text)?);
    (*identity.to_text() == *text).then_some(identity)
}

/// The `AGE-SECRET-KEY-PQ-1…` text.
pub(super) fn text(key: &Private) -> Zeroizing<String> {
    let mut text = encode(IDENTITY, key.seed());
    text.make_ascii_uppercase();
    text
}

fn of_seed(seed: &[u8; 32]) -> Identity {
    let secret = Box::new(Private::new(seed));
    let bytes = secret.public().to_bytes();
    let recipient = Recipient {
        text: encode(RECIPIENT, &bytes).as_str().into(),
        kind: Kind::Hybrid(Arc::new(secret.public().clone())),
    };
    Identity {
        secret: Secret::Hybrid(secret),
        recipient,
    }
}

fn decode<const N: usize>(prefix: &str, text: &str) -> Option<Zeroizing<[u8; N]>> {
    let parsed = CheckedHrpstring::new::<Long>(text).ok()?;
    let mut source = parsed.byte_iter();
    if parsed.hrp().lowercase_char_iter().ne(prefix.chars()) || source.len() != N {
        return None;
    }
    let mut bytes = Zeroizing::new([0; N]);
    for byte in bytes.iter_mut() {
        *byte = source.next()?;
    }
    Some(bytes)
}

fn encode(prefix: &str, bytes: &[u8]) -> Zeroizing<String> {
    let hrp = Hrp::parse_unchecked(prefix);
    // Large enough from the start, so that no copy of a private key is left by growing.
    let mut text = Zeroizing::new(String::with_capacity(32 + bytes.len() / 5 * 8 + 8));
    let elements = bytes.iter().copied().bytes_to_fes();
    text.extend(elements.with_checksum::<Long>(&hrp).chars());
    text
}

/// Bech32 for texts longer than its checksum was made for, as age has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {}

impl Checksum for Long {
    type MidstateRepr = u32;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = 2048;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = Bech32::TARGET_RESIDUE;
}

const RECIPIENT: &str = "age1pq";
const IDENTITY: &str = "age-secret-key-pq-";

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;
    use crate::ErrorCode;
    use crate::vectors;

    fn generated() -> Identity {
        Identity::generate_hybrid(&mut vectors::repeatable(1)).unwrap()
    }

    #[test]
    fn keys_are_read_and_written_unchanged() {
        let identity = generated();
        let text = identity.to_text();
        assert!(text.starts_with("AGE-SECRET-KEY-PQ-1"));
        let again = Identity::parse(&text).unwrap();
        assert_eq!(again.to_text(), text);
        assert_eq!(again.recipient(), identity.recipient());
        let recipient = identity.recipient();
        assert_eq!(recipient.as_str().len(), 1959);
        let again = Recipient::parse(recipient.as_str()).unwrap();
        assert_eq!(again, recipient);
        assert_eq!(
            again.hybrid().unwrap().to_bytes(),
            recipient.hybrid().unwrap().to_bytes()
        );
    }

    #[test]
    fn recipients_that_are_wrong_are_refused_and_not_repeated() {
        let recipient = generated().recipient();
        let text = recipient.as_str();
        let key = recipient.hybrid().unwrap().to_bytes();
        let with = |at: usize, bytes: &[u8]| -> String {
            let mut key = key.clone();
            key[at..at + bytes.len()].copy_from_slice(bytes);
            encode(RECIPIENT, &key).as_str().into()
        };
        let mut beyond = [0xff; 32];
        (beyond[0], beyond[31]) = (0xed, 0x7f);
        for (text, reason) in [
            (text.to_uppercase(), "lower case"),
            (format!("{text}q"), "checksum"),
            (text[..text.len() - 1].to_string(), "checksum"),
            (text.replacen("age1pq1", "age1pq1q", 1), "checksum"),
            ("age1pq1qqqq".into(), "1952 more"),
            (encode(RECIPIENT, &[9; 32]).as_str().into(), "1952"),
            (with(0, &[0xff; 3]), "out of range"),
            (with(1184, &[0; 32]), "low-order"),
            (with(1184, &beyond), "out of range"),
        ] {
            let error = Recipient::parse(&text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRecipient);
            assert!(error.to_string().contains(reason), "{error}");
            assert!(!error.to_string().contains(&text));
        }
    }

    #[test]
    fn identities_that_are_wrong_are_refused_and_not_repeated() {
        let text = generated().to_text();
        for text in [
            text.to_lowercase(),
            format!("{}\n", *text),
            text[..text.len() - 1].to_string(),
            text.replacen("PQ-1", "PQ-1Q", 1),
            encode(IDENTITY, &[9; 31]).to_uppercase(),
            encode("age-secret-key-", &[9; 32]).to_uppercase(),
        ] {
            // the last is a good key of the other kind
            let Err(error) = Identity::parse(&text) else {
                assert!(text.starts_with("AGE-SECRET-KEY-1"));
                continue;
            };
            assert_eq!(error.code(), ErrorCode::InvalidIdentity);
            assert!(!error.to_string().contains(text.trim()));
        }
    }

    #[test]
    fn debug_output_has_only_the_recipient_and_a_failing_generator_makes_none() {
        let identity = generated();
        assert_eq!(
            format!("{identity:?}"),
            format!("Identity(redacted, for {})", identity.recipient())
        );
        let result = Identity::generate_hybrid(&mut vectors::failing(0));
        assert_eq!(result.unwrap_err().code(), ErrorCode::RandomFailed);
    }
}
