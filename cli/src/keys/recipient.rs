//! SSH public keys as recipients.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use age::Recipient as _;
use stackseal_core::age::{self as codec, FileKey, armor};
use stackseal_core::{ErrorCode, ForeignRecipient, Recipient};
use zeroize::Zeroizing;

use super::ssh_public::{Kind, SshPublic};
use crate::exit::Failure;

/// A recipient of any kind that can be sealed to; `source` is where its text comes from.
///
/// # Errors
/// `invalid-recipient`; the text is never repeated, since people paste private keys by mistake.
pub(crate) fn parse(text: &str, source: &str) -> Result<Recipient, Failure> {
    if !text.trim_start().starts_with("ssh-") {
        return Recipient::parse(text).map_err(|error| Failure {
            message: match mistaken(text.trim()) {
                Some(why) => format!("{source}: {why}"),
                None => format!("{source}: {error}"),
            },
            ..Failure::of_argument(&error, source)
        });
    }
    match SshRecipient::parse(text) {
        Ok(recipient) => Ok(Recipient::foreign(Arc::new(recipient))),
        Err(why) => Err(Failure::usage(
            ErrorCode::InvalidRecipient.as_str(),
            format!("{source}: {why}"),
        )),
    }
}

/// What a text is that was taken for a recipient, where that can be told without repeating it.
fn mistaken(text: &str) -> Option<&'static str> {
    let is_kind = |kind: &&str| text.starts_with(*kind);
    if ["ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(is_kind) {
        return Some(
            "SSH keys of this kind cannot be sealed to; ssh-ed25519 and ssh-rsa keys can, and age keys (age1...)",
        );
    }
    if text
        .split(['\n', ' ', ';'])
        .filter(|piece| piece.starts_with("age1"))
        .count()
        > 1
    {
        return Some("several recipients are separated by commas");
    }
    let is_file = !text.is_empty() && Path::new(text).is_file();
    if !is_file {
        return None;
    }
    // What such a file holds shall not get into arguments, which others on the machine can see.
    let held = std::fs::read(text).map(Zeroizing::new).unwrap_or_default();
    let is_private =
        |line: &[u8]| line.starts_with(b"AGE-SECRET-KEY-") || line.starts_with(b"-----BEGIN");
    Some(match held.split(|byte| *byte == b'\n').any(is_private) {
        true => {
            "this is the name of a file with a private key, and a recipient belongs here: --age \"$(stackseal keygen -y FILE)\", for a key of SSH what stands in FILE.pub"
        }
        false => {
            "this is the name of a file, and a recipient belongs here; give what stands in the file: --age \"$(cat FILE)\""
        }
    })
}

/// Recipients that were read before: many files name the same ones, and checking a key takes as long as sealing to it.
#[derive(Default)]
pub(crate) struct Recipients(Mutex<BTreeMap<String, Recipient>>);

impl Recipients {
    /// As [`parse`].
    ///
    /// # Errors
    /// As [`parse`].
    pub(crate) fn parse(&self, text: &str, source: &str) -> Result<Recipient, Failure> {
        if let Some(known) = super::lock(&self.0).get(text) {
            return Ok(known.clone());
        }
        let recipient = parse(text, source)?;
        super::lock(&self.0).insert(text.to_owned(), recipient.clone());
        Ok(recipient)
    }
}

/// A recipient that the codec does not know: whoever has the private key can open what is sealed to it.
pub(crate) struct SshRecipient {
    text: String,
    key: age::ssh::Recipient,
}

impl SshRecipient {
    /// Reads `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`. A comment stays part of the text, as `sops` has it.
    ///
    /// # Errors
    /// What is wrong, in words that do not repeat the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let invalid = |reason: &str| format!("this is no SSH public key: {reason}");
        let public = SshPublic::parse(text).map_err(|reason| invalid(&reason))?;
        if let Kind::Ed25519(point) = &public.kind {
            // refuses points that everybody could open files for
            Recipient::from_ed25519(point).map_err(|_| {
                invalid("its number is not on the curve, or nobody has its private key")
            })?;
        }
        let key = public.text().parse().map_err(|error| {
            use age::ssh::ParseRecipientKeyError::{RsaModulusTooLarge, RsaModulusTooSmall};
            match error {
                RsaModulusTooSmall => invalid("RSA keys below 2048 bits are too weak"),
                RsaModulusTooLarge => invalid("RSA keys above 4096 bits are not supported"),
                _ => invalid("its numbers make no key"),
            }
        })?;
        Ok(Self {
            text: text.to_owned(),
            key,
        })
    }
}

impl ForeignRecipient for SshRecipient {
    fn text(&self) -> &str {
        &self.text
    }

    fn wrap(&self, payload: &[u8]) -> Result<String, String> {
        let mut file_key = FileKey::default();
        getrandom::fill(file_key.as_mut_slice())
            .map_err(|_| "the random generator failed, so nothing was sealed".to_owned())?;
        let stanzas = self
            .key
            .wrap_file_key(&super::file_key_to_foreign(&file_key))
            .map_err(|error| error.to_string())?
            .0;
        let stanzas: Vec<_> = stanzas.into_iter().map(super::of_foreign).collect();
        let file = codec::assemble(payload, &stanzas, &file_key, &mut crate::random)
            .map_err(|error| error.to_string())?;
        Ok(armor::encode(&file))
    }
}

/// Whether an age file is wrapped for an SSH key, as far as can be told without its private key: its stanza has a short
/// hash of the public one. `None` for a text that is no SSH key, or a file that is none.
pub(crate) fn is_for_ssh(text: &str, enc: &str) -> Option<bool> {
    let recipient = SshRecipient::parse(text).ok()?;
    let file = armor::decode(enc).ok()?;
    let envelope = codec::Envelope::parse(&file).ok()?;
    let tag = tag(&recipient.key)?;
    let names_it = |stanza: &codec::Stanza| stanza.arguments.get(1) == Some(&tag);
    Some(envelope.stanzas().iter().any(names_it))
}

/// The text by which stanzas name a key: the beginning of a hash of it.
pub(super) fn tag(key: &age::ssh::Recipient) -> Option<String> {
    // the library keeps the hash to itself, but any stanza shows it
    let nothing = super::file_key_to_foreign(&Zeroizing::default());
    let stanza = key.wrap_file_key(&nothing).ok()?.0.into_iter().next()?;
    stanza.args.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::samples;

    #[test]
    fn the_comment_stays_and_the_blanks_around_go() {
        let text = samples::file("ssh_ed25519.pub");
        let recipient = SshRecipient::parse(&format!("  {text}")).unwrap();
        assert_eq!(recipient.text(), text.trim_end());
        assert_eq!(parse(&text, "--age").unwrap().as_str(), text.trim_end());
        let failure = parse("ssh-ed25519 AAAA", "--age").unwrap_err();
        assert_eq!(failure.code, "invalid-recipient");
        let ecdsa = parse("ecdsa-sha2-nistp256 AAAA", "--age").unwrap_err();
        assert_eq!(ecdsa.code, "invalid-recipient");
        assert!(ecdsa.message.contains("ssh-ed25519 and ssh-rsa"));
        let file = parse("Cargo.toml", "--age").unwrap_err();
        assert!(file.message.contains("$(cat FILE)"));
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.txt");
        std::fs::write(&keys, "# public key: age1x\nAGE-SECRET-KEY-1X\n").unwrap();
        let private = parse(keys.to_str().unwrap(), "--age").unwrap_err();
        assert!(private.message.contains("$(stackseal keygen -y FILE)"));
        let several = parse("age1x age1y", "--age").unwrap_err();
        assert!(several.message.contains("separated by commas"));
    }

    #[test]
    fn a_file_has_one_stanza_of_the_kind_of_the_key() {
        for (name, kind) in [
            ("ssh_ed25519.pub", "ssh-ed25519"),
            ("ssh_rsa.pub", "ssh-rsa"),
        ] {
            let recipient = SshRecipient::parse(&samples::file(name)).unwrap();
            let file = armor::decode(&recipient.wrap(&[7; 33]).unwrap()).unwrap();
            let envelope = codec::Envelope::parse(&file).unwrap();
            let kinds: Vec<_> = envelope.stanzas().iter().map(codec::Stanza::kind).collect();
            assert_eq!(kinds, [kind]);
            assert_eq!(
                envelope.stanzas()[0].arguments.get(1),
                tag(&recipient.key).as_ref()
            );
        }
    }

    #[test]
    fn weak_and_broken_keys_are_refused_and_not_repeated() {
        let weak = samples::file("ssh_rsa_1024.pub");
        let low_order =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (text, reason) in [
            (weak.as_str(), "2048"),
            (low_order, "curve"),
            ("ssh-ed25519 AAAA", "another kind"),
        ] {
            let error = SshRecipient::parse(text).err().unwrap();
            assert!(!error.contains("AAAA"), "{error}");
            assert!(error.contains(reason) || error.contains("bytes"), "{error}");
        }
    }
}
