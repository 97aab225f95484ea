//! age X25519 keys: the recipient (public) and the identity (private), with their Bech32 texts.
//!
//! Only the native kinds exist here: this one, and with the feature `hybrid` the post-quantum one. Plugin and SSH
//! recipients are refused by name, so that no text from a file can ever ask for a program to be run.
//! Source: age specification, section "The X25519 recipient type".

#[cfg(feature = "hybrid")]
mod hybrid;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

use crate::age;
use crate::error::{Error, ErrorCode};
use crate::random::Random;
use crate::x25519::{Point, Scalar};

/// An age X25519 recipient: whoever holds its identity can open what is sealed to it.
///
/// One that exists is valid: native kind, canonical encoding, not a low-order point.
#[derive(Clone)]
pub struct Recipient {
    kind: Kind,
    text: String,
}

#[derive(Clone)]
enum Kind {
    Foreign(Arc<dyn ForeignRecipient>),
    #[cfg(feature = "hybrid")]
    Hybrid(Arc<age::xwing::Public>),
    Native(Point),
}

/// Whether two texts name the same recipient: what stands behind an SSH key is a remark.
pub fn is_same_recipient(one: &str, other: &str) -> bool {
    words(one).eq(words(other))
}

/// The words of a text that name a recipient.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = if text.trim_start().starts_with("ssh-") {
        2
    } else {
        usize::MAX
    };
    text.split_whitespace().take(words)
}

/// A recipient of a kind that this crate does not know (SSH keys): whoever offers it wraps to it.
pub trait ForeignRecipient: Send + Sync {
    /// How a file names it.
    fn text(&self) -> &str;

    /// A payload as an armored age file for this recipient alone; the error says why not, without the payload.
    ///
    /// # Errors
    /// What kept it from being wrapped.
    fn wrap(&self, payload: &[u8]) -> Result<String, String>;
}

impl Recipient {
    /// Reads `age1` and 58 more lower-case characters, with nothing around them; with the feature `hybrid` also
    /// `age1pq1` and 1952 more.
    ///
    /// # Errors
    /// `invalid-recipient`, saying which other kind of key the text looks like. The text itself is
    /// never repeated, since people paste private keys by mistake.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(reason) = foreign(text) {
            return Err(invalid_recipient(reason));
        }
        #[cfg(feature = "hybrid")]
        if text.starts_with("age1pq1") {
            return hybrid::recipient(text);
        }
        let point = decode(RECIPIENT, text)
            .map(|bytes| Point::from(*bytes))
            .filter(|point| {
                encode(RECIPIENT, point.as_bytes(), char::to_ascii_lowercase).as_str() == text
            })
            .ok_or_else(|| {
                invalid_recipient(
                    "its checksum does not match, so a character is missing or mistyped",
                )
            })?;
        if let Some(reason) = point_fault(&point) {
            return Err(invalid_recipient(reason));
        }
        Ok(Self {
            kind: Kind::Native(point),
            text: String::from(text),
        })
    }

    /// A recipient of another kind.
    pub fn foreign(recipient: Arc<dyn ForeignRecipient>) -> Self {
        Self {
            text: recipient.text().into(),
            kind: Kind::Foreign(recipient),
        }
    }

    /// A payload as an armored age file for this recipient alone.
    ///
    /// # Errors
    /// `random-failed`; `invalid-recipient` when one of another kind does not take it.
    pub(crate) fn wrap(&self, payload: &[u8], random: &mut dyn Random) -> Result<String, Error> {
        if let Kind::Foreign(foreign) = &self.kind {
            return foreign.wrap(payload).map_err(|reason| {
                Error::key(ErrorCode::InvalidRecipient, reason).at_path(&self.text)
            });
        }
        let file = age::encrypt(payload, core::slice::from_ref(self), random)?;
        Ok(age::armor::encode(&file))
    }

    /// The `age1…` text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The point of a native one.
    pub(crate) fn point(&self) -> Option<&Point> {
        match &self.kind {
            #[cfg(feature = "hybrid")]
            Kind::Hybrid(_) => None,
            Kind::Foreign(_) => None,
            Kind::Native(point) => Some(point),
        }
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

/// An age identity: the private key to one [`Recipient`]. Wiped when dropped.
pub struct Identity {
    secret: Secret,
    recipient: Recipient,
}

/// Boxed, so that moving the identity leaves no copy of it behind.
enum Secret {
    #[cfg(feature = "hybrid")]
    Hybrid(Box<age::xwing::Private>),
    Native {
        scalar: Box<Scalar>,
        point: Point,
    },
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

    /// Reads `AGE-SECRET-KEY-1` and 58 more upper-case characters, with nothing around them; with the feature `hybrid`
    /// also `AGE-SECRET-KEY-PQ-1` and 58 more.
    ///
    /// # Errors
    /// `invalid-identity`; the text is never repeated.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim() != text {
            return Err(invalid_identity("it has white space around it"));
        }
        if text.starts_with("AGE-SECRET-KEY-PQ-1") {
            #[cfg(feature = "hybrid")]
            return hybrid::identity(text).ok_or_else(mistyped_identity);
            #[cfg(not(feature = "hybrid"))]
            return Err(invalid_identity(
                "post-quantum identities are not supported here",
            ));
        }
        if text.starts_with("AGE-PLUGIN-") {
            return Err(invalid_identity(
                "plugin identities are not supported, and no plugin is ever started",
            ));
        }
        if !text.starts_with("AGE-SECRET-KEY-1") {
            return Err(invalid_identity(
                "it does not start with AGE-SECRET-KEY-1 in upper case",
            ));
        }
        let scalar = decode(IDENTITY, text)
            .filter(|scalar| encode(IDENTITY, scalar, char::to_ascii_uppercase).as_str() == text)
            .ok_or_else(mistyped_identity)?;
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
        match &self.secret {
            #[cfg(feature = "hybrid")]
            Secret::Hybrid(key) => hybrid::text(key),
            Secret::Native { scalar, .. } => {
                encode(IDENTITY, scalar.as_bytes(), char::to_ascii_uppercase)
            }
        }
    }

    /// The numbers of an X25519 one.
    pub(crate) fn native(&self) -> Option<(&Scalar, &Point)> {
        match &self.secret {
            #[cfg(feature = "hybrid")]
            Secret::Hybrid(_) => None,
            Secret::Native { scalar, point } => Some((scalar, point)),
        }
    }

    pub(crate) fn from_scalar(scalar: &[u8; 32]) -> Self {
        let scalar = Box::new(Scalar::new(scalar));
        let point = scalar.point();
        let text = encode(RECIPIENT, point.as_bytes(), char::to_ascii_lowercase)
            .as_str()
            .into();
        Self {
            secret: Secret::Native { scalar, point },
            recipient: Recipient {
                kind: Kind::Native(point),
                text,
            },
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

fn mistyped_identity() -> Error {
    invalid_identity("its checksum does not match, so a character is missing or mistyped")
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
        Some(
            "SSH keys are not supported here; make an age key with age-keygen, or of it with ssh-to-age",
        )
    } else if !starts("age1") {
        Some("it does not start with age1")
    } else if text.chars().any(|c| c.is_ascii_uppercase()) {
        Some("it must be in lower case")
    } else if starts("age1pq1") {
        (!cfg!(feature = "hybrid")).then_some("post-quantum recipients are not supported here")
    } else if starts("age1tag") {
        Some("tagged recipients are not supported here")
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

pub(crate) fn encode(prefix: &str, bytes: &[u8; 32], case: fn(&char) -> char) -> Zeroizing<String> {
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

/// Why nobody should seal to a point, if so.
fn point_fault(point: &Point) -> Option<&'static str> {
    if !is_canonical(point.as_bytes()) {
        return Some("its number is out of range, so no identity could open a file for it");
    }
    point
        .is_low_order()
        .then_some("it is a low-order point, so anybody could open a file for it")
}

/// Whether the little-endian number is below 2^255 - 19. X25519 takes larger ones for the number
/// they are congruent to, but the salt of a stanza holds the bytes as given.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (*low < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

pub(crate) const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";
const TEXT_LENGTH: usize = 62;

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::format;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;
    use crate::vectors;

    // The example of age's documentation.
    const TEXT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    fn bech32(prefix: &str, bytes: &[u8]) -> String {
        bech32::encode::<Bech32>(Hrp::parse(prefix).unwrap(), bytes).unwrap()
    }

    #[test]
    fn a_native_recipient_is_read_and_written_unchanged() {
        let recipient = Recipient::parse(TEXT).unwrap();
        assert_eq!(recipient.as_str(), TEXT);
        assert_eq!(recipient.to_string(), TEXT);
        assert_eq!(format!("{recipient:?}"), format!("Recipient({TEXT})"));
        assert_eq!(Recipient::parse(recipient.as_str()).unwrap(), recipient);
    }

    #[test]
    fn every_other_kind_of_text_is_refused_with_its_reason() {
        let (upper, mut mixed) = (TEXT.to_uppercase(), TEXT.to_owned());
        mixed.replace_range(10..11, &mixed[10..11].to_uppercase());
        let mistyped = format!("{}q", &TEXT[..TEXT.len() - 1]);
        let bech32m =
            bech32::encode::<bech32::Bech32m>(Hrp::parse("age").unwrap(), &[9; 32]).unwrap();
        let identity = Identity::generate(&mut vectors::repeatable(1))
            .unwrap()
            .to_text();
        for (text, reason) in [
            ("", "empty"),
            (&format!(" {TEXT}"), "white space"),
            (&format!("{TEXT}\n"), "white space"),
            (&format!("{TEXT}\u{a0}"), "white space"),
            (&upper, "lower case"),
            (&mixed, "lower case"),
            (&mistyped, "mistyped"),
            (&bech32m, "mistyped"),
            (&TEXT.replace("ql3z", "q\u{e9}z"), "mistyped"),
            (&TEXT[..61], "62 characters"),
            (&format!("{TEXT}q"), "62 characters"),
            (&bech32("age", &[9; 31]), "62 characters"),
            (
                "age1yubikey1qg8e8l5m2sjd5ek2qfmzv8vhyvj6g6wqv5y9l4tf2swdr6kvrr6cx2cy7a2",
                "plugin",
            ),
            ("age1evil1qqqq", "plugin"),
            ("age1pq1qqqq", "post-quantum"),
            ("age1tagpq1qqqq", "tagged"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "SSH"),
            ("ssh-rsa AAAAB3", "SSH"),
            (
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "start with age1",
            ),
            (identity.as_str(), "private key"),
            (&identity.to_lowercase(), "private key"),
            ("AGE-PLUGIN-YUBIKEY-1QQQQ", "private key"),
        ] {
            let error = Recipient::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRecipient, "{text}");
            assert!(error.to_string().contains(reason), "{text}: {error}");
            assert!(
                text.is_empty() || !error.to_string().contains(text),
                "{text}"
            );
        }
    }

    #[test]
    fn padding_bits_that_are_not_zero_are_refused() {
        // The last data character carries one bit of the key and four of padding.
        let hrp = Hrp::parse("age").unwrap();
        let bytes = *Recipient::parse(TEXT).unwrap().point().unwrap().as_bytes();
        let mut elements: Vec<_> = bytes.iter().copied().bytes_to_fes().collect();
        let last = elements.pop().unwrap();
        elements.push(bech32::Fe32::try_from(last.to_u8() | 1).unwrap());
        let text: String = elements
            .into_iter()
            .with_checksum::<Bech32>(&hrp)
            .chars()
            .collect();
        assert_eq!(text.len(), TEXT_LENGTH);
        assert_eq!(
            Recipient::parse(&text).unwrap_err().code(),
            ErrorCode::InvalidRecipient
        );
    }

    #[test]
    fn low_order_points_and_numbers_out_of_range_are_refused() {
        let mut p_minus_1 = [0xff; 32];
        (p_minus_1[0], p_minus_1[31]) = (0xec, 0x7f);
        let mut p = p_minus_1;
        p[0] = 0xed;
        let order_8 = [
            [
                0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
                0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
                0x5f, 0x49, 0xb8, 0x00,
            ],
            [
                0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
                0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
                0xd0, 0x9f, 0x11, 0x57,
            ],
        ];
        let mut one = [0; 32];
        one[0] = 1;
        for point in [[0; 32], one, order_8[0], order_8[1], p_minus_1] {
            let error = Recipient::parse(&bech32("age", &point)).unwrap_err();
            assert!(
                error.to_string().contains("low-order"),
                "{point:x?}: {error}"
            );
        }
        let mut beyond = [9; 32];
        beyond[31] = 0x80;
        for point in [p, [0xff; 32], beyond] {
            let error = Recipient::parse(&bech32("age", &point)).unwrap_err();
            assert!(
                error.to_string().contains("out of range"),
                "{point:x?}: {error}"
            );
        }
    }

    #[test]
    fn an_identity_is_read_and_written_unchanged() {
        let identity = Identity::generate(&mut vectors::repeatable(2)).unwrap();
        let text = identity.to_text();
        assert_eq!(text.len(), 74);
        let again = Identity::parse(&text).unwrap();
        assert_eq!(again.to_text(), text);
        assert_eq!(again.recipient(), identity.recipient());
        assert_eq!(
            Recipient::parse(identity.recipient().as_str()).unwrap(),
            identity.recipient()
        );
    }

    #[test]
    fn texts_that_are_no_identity_are_refused_and_not_repeated() {
        let text = Identity::generate(&mut vectors::repeatable(3))
            .unwrap()
            .to_text();
        let mistyped = text.replacen('Q', "P", 1);
        for text in [
            "",
            &text.to_lowercase(),
            &format!(" {}", text.as_str()),
            &format!("{}\n", text.as_str()),
            &text[..73],
            &mistyped,
            TEXT,
            "AGE-SECRET-KEY-PQ-1QQQQ",
            "AGE-PLUGIN-YUBIKEY-1QQQQ",
            &bech32("age-secret-key-", &[9; 31]).to_uppercase(),
            &bech32("age-secret-key-", &[9; 33]).to_uppercase(),
        ] {
            let error = Identity::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidIdentity, "{text}");
            assert!(
                text.is_empty() || !error.to_string().contains(text.trim()),
                "{text}"
            );
        }
    }

    #[test]
    fn debug_output_of_an_identity_has_only_its_recipient() {
        let identity = Identity::generate(&mut vectors::repeatable(4)).unwrap();
        assert_eq!(
            format!("{identity:?}"),
            format!("Identity(redacted, for {})", identity.recipient())
        );
        assert!(matches!(
            Identity::generate(&mut vectors::failing(0)),
            Err(Error::RandomFailed)
        ));
    }

    #[test]
    fn an_ssh_key_is_the_same_whatever_remark_stands_behind_it() {
        for (one, other, same) in [
            ("ssh-ed25519 AAAA me", "ssh-ed25519  AAAA", true),
            ("ssh-ed25519 AAAA me", "ssh-ed25519 AAAB me", false),
            ("ssh-ed25519 AAAA", "ssh-rsa AAAA", false),
            (" age1a", "age1a\n", true),
            ("age1a me", "age1a", false),
            ("age1a", "age1b", false),
        ] {
            assert_eq!(is_same_recipient(one, other), same, "{one}, {other}");
        }
    }
}
