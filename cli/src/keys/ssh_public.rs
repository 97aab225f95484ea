//! SSH public keys as text: `ssh-ed25519 AAAA… comment`.
//!
//! The bytes are checked here before any library takes them, since they come out of configuration files.

use base64ct::{Base64, Encoding as _};

/// A public key of a kind that age files can be sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SshPublic {
    pub(crate) kind: Kind,
    base64: String,
}

/// What its numbers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A point of the curve, 32 bytes.
    Ed25519([u8; 32]),
    Rsa,
}

impl SshPublic {
    /// Reads the kind and the key; what follows is a comment.
    ///
    /// # Errors
    /// What is wrong, in words that do not repeat the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        let kind = words.next().unwrap_or_default();
        if text.contains(['\n', '\r']) {
            return Err("it is more than one line".to_owned());
        }
        if !matches!(kind, ED25519 | RSA) {
            return Err("its kind is neither ssh-ed25519 nor ssh-rsa".to_owned());
        }
        let base64 = words.next().unwrap_or_default();
        let bytes = Base64::decode_vec(base64)
            .map_err(|_| "its second word is not base64, so a part is missing".to_owned())?;
        let kind = numbers(kind, &bytes)?;
        Ok(Self {
            kind,
            base64: base64.to_owned(),
        })
    }

    /// The key without its comment, in one spelling.
    pub(crate) fn text(&self) -> String {
        let kind = match self.kind {
            Kind::Ed25519(_) => ED25519,
            Kind::Rsa => RSA,
        };
        format!("{kind} {}", self.base64)
    }
}

/// Checks the bytes of a key of this kind.
pub(super) fn numbers(kind: &str, mut bytes: &[u8]) -> Result<Kind, String> {
    let broken = || "its bytes are not what its kind has".to_owned();
    if string(&mut bytes).ok_or_else(broken)? != kind.as_bytes() {
        return Err("its bytes are of another kind than its first word says".to_owned());
    }
    let first = string(&mut bytes).ok_or_else(broken)?;
    let found = if kind == ED25519 {
        Kind::Ed25519(first.try_into().map_err(|_| broken())?)
    } else {
        let modulus = string(&mut bytes).ok_or_else(broken)?;
        // Even or zero: no such key exists, and not every library can count with it.
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        if !odd(first) || !odd(modulus) {
            return Err(broken());
        }
        Kind::Rsa
    };
    if bytes.is_empty() {
        Ok(found)
    } else {
        Err(broken())
    }
}

/// Takes one string off: its length in four bytes, then so many bytes.
pub(super) fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}

pub(crate) const ED25519: &str = "ssh-ed25519";
pub(crate) const RSA: &str = "ssh-rsa";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::samples;

    #[test]
    fn a_key_is_read_with_and_without_a_comment() {
        for name in ["ssh_ed25519.pub", "ssh_rsa.pub"] {
            let text = samples::file(name);
            let key = SshPublic::parse(text.trim_end()).unwrap();
            assert!(text.starts_with(&key.text()));
            assert_eq!(SshPublic::parse(&key.text()).unwrap(), key);
            let tabs = key.text().replace(' ', " \t ");
            assert_eq!(SshPublic::parse(&tabs).unwrap(), key);
        }
    }

    #[test]
    fn what_is_no_such_key_is_refused() {
        let bytes = |parts: &[&[u8]]| {
            let mut bytes = Vec::new();
            for part in parts {
                bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
                bytes.extend_from_slice(part);
            }
            Base64::encode_string(&bytes)
        };
        let ed25519 = bytes(&[b"ssh-ed25519", &[9; 32]]);
        for text in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-dss AAAA",
            "ssh-ed25519 !",
            &format!("ssh-rsa {ed25519}"),
            &format!("ssh-ed25519 {ed25519}\nssh-ed25519 {ed25519}"),
            &format!("ssh-ed25519 {}", &ed25519[..60]),
            &format!("ssh-ed25519 {}", bytes(&[b"ssh-ed25519", &[9; 31]])),
            &format!("ssh-ed25519 {}", bytes(&[b"ssh-ed25519", &[9; 32], b""])),
            &format!("ssh-rsa {}", bytes(&[b"ssh-rsa", &[3]])),
            &format!("ssh-rsa {}", bytes(&[b"ssh-rsa", &[3], &[0; 256]])),
            &format!("ssh-rsa {}", bytes(&[b"ssh-rsa", &[0], &[1; 256]])),
            &format!("ssh-rsa {}", bytes(&[b"ssh-rsa", &[3], b""])),
        ] {
            assert!(SshPublic::parse(text).is_err(), "{text}");
        }
        assert!(SshPublic::parse(&format!("ssh-ed25519 {ed25519}")).is_ok());
    }
}
