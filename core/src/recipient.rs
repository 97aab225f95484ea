//! age X25519 keys: the recipient (public) and the identity (private), with their Bech32 texts.
//!
//! Only the native kind exists here. Plugin, SSH and post-quantum recipients are refused by name,
//! so that no text from a file can ever ask for a program to be run.
//! Source: age specification, section "The X25519 recipient type".

use alloc::boxed::Box;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
use bech32::{Bech32, Hrp};
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::random::Random;

/// An age X25519 recipient: whoever holds its identity can open what is sealed to it.
///
/// One that exists is valid: native kind, canonical encoding, not a low-order point.
#[derive(Clone)]
pub struct Recipient {
    point: PublicKey,
    text: String,
}

impl Recipient {
    /// Reads `age1` and 58 more lower-case characters, with nothing around them.
    ///
    /// # Errors
    /// `invalid-recipient`, saying which other kind of key the text looks like. The text itself is
    /// never repeated, since people paste private keys by mistake.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(reason) = foreign(text) {
            return Err(invalid_recipient(reason));
        }
        let point = decode(RECIPIENT, text)
            .map(|bytes| PublicKey::from(*bytes))
            .filter(|point| {
                encode(RECIPIENT, point.as_bytes(), char::to_ascii_lowercase).as_str() == text
            })
            .ok_or_else(|| {
                invalid_recipient(
                    "its checksum does not match, so a character is missing or mistyped",
                )
            })?;
        if !is_canonical(point.as_bytes()) {
            return Err(invalid_recipient(
                "its number is out of range, so no identity could open a file for it",
            ));
        }
        // Any clamped scalar is a multiple of 8, which takes every low-order point to zero.
        if !StaticSecret::from([0; 32])
            .diffie_hellman(&point)
            .was_contributory()
        {
            return Err(invalid_recipient(
                "it is a low-order point, so anybody could open a file for it",
            ));
        }
        Ok(Self {
            point,
            text: String::from(text),
        })
    }

    /// The `age1…` text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn point(&self) -> &PublicKey {
        &self.point
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.text)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recipient {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

/// An age X25519 identity: the private key to one [`Recipient`]. Wiped when dropped.
pub struct Identity {
    // Boxed, so that moving the identity leaves no copy of the scalar behind.
    secret: Box<StaticSecret>,
    recipient: Recipient,
}

impl Identity {
    /// Makes a new one.
    ///
    /// # Errors
    /// `random-failed` when the generator does.
    pub fn generate(random: &mut dyn Random) -> Result<Self, Error> {
        let mut scalar = Zeroizing::new([0; 32]);
        random.fill(scalar.as_mut_slice())?;
        Ok(Self::from_scalar(&scalar))
    }

    /// Reads `AGE-SECRET-KEY-1` and 58 more upper-case characters, with nothing around them.
    ///
    /// # Errors
    /// `invalid-identity`; the text is never repeated.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim() != text {
            return Err(invalid_identity("it has white space around it"));
        }
        if text.starts_with("AGE-SECRET-KEY-PQ-1") || text.starts_with("AGE-PLUGIN-") {
            return Err(invalid_identity(
                "post-quantum and plugin identities are not supported",
            ));
        }
        if !text.starts_with("AGE-SECRET-KEY-1") {
            return Err(invalid_identity(
                "it does not start with AGE-SECRET-KEY-1 in upper case",
            ));
        }
        let scalar = decode(IDENTITY, text)
            .filter(|scalar| encode(IDENTITY, scalar, char::to_ascii_uppercase).as_str() == text)
            .ok_or_else(|| {
                invalid_identity(
                    "its checksum does not match, so a character is missing or mistyped",
                )
            })?;
        Ok(Self::from_scalar(&scalar))
    }

    /// The recipient that this identity opens files for.
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    /// The `AGE-SECRET-KEY-1…` text.
    ///
    /// # Security
    /// The private key in clear. Wiped when dropped; copies of it are not.
    pub fn to_text(&self) -> Zeroizing<String> {
        encode(IDENTITY, self.secret.as_bytes(), char::to_ascii_uppercase)
    }

    pub(crate) fn point(&self) -> &PublicKey {
        &self.recipient.point
    }

    pub(crate) fn diffie_hellman(&self, share: &PublicKey) -> SharedSecret {
        self.secret.diffie_hellman(share)
    }

    fn from_scalar(scalar: &[u8; 32]) -> Self {
        let secret = Box::new(StaticSecret::from(*scalar));
        let point = PublicKey::from(&*secret);
        let text = encode(RECIPIENT, point.as_bytes(), char::to_ascii_lowercase)
            .as_str()
            .into();
        Self {
            secret,
            recipient: Recipient { point, text },
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(redacted, for {})", self.recipient)
    }
}

fn invalid_recipient(reason: &str) -> Error {
    Error::key(
        ErrorCode::InvalidRecipient,
        format_args!("this is no native age recipient (age1 and 58 more characters): {reason}"),
    )
}

fn invalid_identity(reason: &str) -> Error {
    Error::key(
        ErrorCode::InvalidIdentity,
        format_args!(
            "this is no native age identity (AGE-SECRET-KEY-1 and 58 more characters): {reason}"
        ),
    )
}

/// What a text that is certainly no native recipient is instead.
fn foreign(text: &str) -> Option<&'static str> {
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(prefix))
    };
    if text.is_empty() {
        Some("it is empty")
    } else if text.trim() != text {
        Some("it has white space around it")
    } else if starts("AGE-SECRET-KEY-") || starts("AGE-PLUGIN-") {
        Some("it is a private key; never share it, and give the age1 text that belongs to it")
    } else if starts("ssh-") {
        Some("SSH keys are not supported here; make an age key with age-keygen")
    } else if !starts("age1") {
        Some("it does not start with age1")
    } else if text.chars().any(|c| c.is_ascii_uppercase()) {
        Some("it must be in lower case")
    } else if starts("age1pq1") || starts("age1tag") {
        Some("post-quantum and tagged recipients are not supported here")
    } else if text.get(4..).is_some_and(|rest| rest.contains('1')) {
        Some("plugin recipients are not supported here, and no plugin is ever started")
    } else if text.len() != TEXT_LENGTH {
        Some("it is not 62 characters long")
    } else {
        None
    }
}

/// The 32 bytes of a Bech32 text with this prefix in lower case. The caller compares the text with
/// the encoding of the result, which settles letter case and padding bits.
fn decode(prefix: &str, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let parsed = CheckedHrpstring::new::<Bech32>(text).ok()?;
    if parsed.hrp().lowercase_char_iter().ne(prefix.chars()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    let mut source = parsed.byte_iter();
    if source.len() != bytes.len() {
        return None;
    }
    for byte in bytes.iter_mut() {
        *byte = source.next()?;
    }
    Some(bytes)
}

fn encode(prefix: &str, bytes: &[u8; 32], case: fn(&char) -> char) -> Zeroizing<String> {
    let hrp = Hrp::parse_unchecked(prefix);
    // Large enough from the start, so that no copy of a private key is left by growing.
    let mut text = Zeroizing::new(String::with_capacity(80));
    for character in bytes
        .iter()
        .copied()
        .bytes_to_fes()
        .with_checksum::<Bech32>(&hrp)
        .chars()
    {
        text.push(case(&character));
    }
    text
}

/// Whether the little-endian number is below 2^255 - 19. X25519 takes larger ones for the number
/// they are congruent to, but the salt of a stanza holds the bytes as given.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (*low < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";
const TEXT_LENGTH: usize = 62;
