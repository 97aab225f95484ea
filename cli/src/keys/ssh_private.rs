//! SSH private keys as identities. One with a passphrase is unlocked only when something is sealed to it.

use std::sync::{Arc, Mutex};

use age::Identity as _;
use age::ssh::{EncryptedKey, Identity, UnsupportedKey};
use age_core::secrecy::SecretString;
use stackseal_core::age::{FileKey, Stanza};

use super::lock;
use super::openssh::{self, KeyFile, block};
use super::passphrase::{self, Ask};
use super::recipient::tag;

/// A private key, perhaps locked.
pub(crate) struct SshPrivate {
    /// Where it comes from, for the question about its passphrase.
    name: String,
    kind: &'static str,
    tag: String,
    state: Mutex<State>,
}

enum State {
    Failed(String),
    Locked(Box<EncryptedKey>),
    Open(Arc<Identity>),
}

impl SshPrivate {
    /// Reads a key file: the form of OpenSSH, or PEM for RSA.
    ///
    /// # Errors
    /// What is wrong, in words that do not repeat the text.
    pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Self, String> {
        let text = block(bytes).ok_or("it holds no SSH private key")?;
        if text.starts_with("-----BEGIN OPENSSH ") {
            // the library does not take every broken file well
            KeyFile::parse(bytes)?;
        }
        let identity =
            Identity::from_buffer(text.as_bytes(), None).map_err(|_| openssh::OTHER_FORM)?;
        let public = age::ssh::Recipient::try_from(identity.clone());
        let state = match identity {
            Identity::Encrypted(key) => State::Locked(Box::new(key)),
            key @ Identity::Unencrypted(_) => State::Open(Arc::new(key)),
            Identity::Unsupported(key) => return Err(unsupported(&key)),
        };
        let public = public.map_err(|_| {
            "its private key is of a kind or size that age files cannot be sealed to; ed25519 and rsa up to 4096 bits can"
        })?;
        Ok(Self {
            name: name.to_owned(),
            kind: match public {
                age::ssh::Recipient::SshEd25519(..) => super::ssh_public::ED25519,
                age::ssh::Recipient::SshRsa(..) => super::ssh_public::RSA,
            },
            tag: tag(&public).ok_or("its public half cannot be used")?,
            state: Mutex::new(state),
        })
    }

    /// `ssh-ed25519` or `ssh-rsa`.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether using it takes a question first.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(&*lock(&self.state), State::Locked(_))
    }

    /// Why it could not be unlocked, if that was tried.
    pub(crate) fn failure(&self) -> Option<String> {
        match &*lock(&self.state) {
            State::Failed(why) => Some(why.clone()),
            State::Locked(_) | State::Open(_) => None,
        }
    }

    /// The file key, if one of the stanzas is for this key.
    pub(crate) fn unwrap(&self, stanzas: &[Stanza], ask: Ask) -> Option<Result<FileKey, String>> {
        let stanza = stanzas.iter().find(|stanza| self.fits(stanza))?;
        Some(self.unlock(ask).and_then(|key| open(&key, stanza)))
    }

    /// Whether a stanza is for this key; nothing is asked.
    pub(crate) fn fits(&self, stanza: &Stanza) -> bool {
        stanza.kind() == self.kind && stanza.arguments.get(1) == Some(&self.tag)
    }

    /// Whoever else needs the key waits for the answer, so that the question is asked once.
    fn unlock(&self, ask: Ask) -> Result<Arc<Identity>, String> {
        let mut state = lock(&self.state);
        let locked = match &*state {
            State::Failed(why) => return Err(why.clone()),
            State::Locked(key) => key,
            State::Open(key) => return Ok(key.clone()),
        };
        match passphrase::unlock(&self.name, ask, |it| Ok(decrypt(locked, it))) {
            Ok(key) => {
                let key = Arc::new(key);
                *state = State::Open(key.clone());
                Ok(key)
            }
            Err(why) => {
                // asked once: the same question for the next entry would not have another answer
                *state = State::Failed(why.clone());
                Err(why)
            }
        }
    }
}

fn decrypt(locked: &EncryptedKey, passphrase: &str) -> Option<Identity> {
    let passphrase = SecretString::from(passphrase.to_owned());
    locked.decrypt(passphrase).ok().map(Identity::from)
}

fn open(key: &Identity, stanza: &Stanza) -> Result<FileKey, String> {
    match key.unwrap_stanza(&super::to_foreign(stanza)) {
        Some(Ok(file_key)) => Ok(super::file_key_of_foreign(&file_key)),
        Some(Err(_)) | None => Err("the file is sealed to it, but was altered".to_owned()),
    }
}

fn unsupported(key: &UnsupportedKey) -> String {
    match key {
        UnsupportedKey::EncryptedPem => {
            "its passphrase is of the old PEM kind; ssh-keygen -p -f FILE writes the usual one"
                .to_owned()
        }
        UnsupportedKey::EncryptedSsh(cipher) => format!(
            "it is encrypted with {cipher}, which is not supported; ssh-keygen -p -Z aes256-ctr -f FILE changes that"
        ),
        UnsupportedKey::Hardware(kind) | UnsupportedKey::Type(kind) => {
            format!("it is a key of kind {kind}; only ssh-ed25519 and ssh-rsa can be used")
        }
    }
}

#[cfg(test)]
mod tests {
    use stackseal_core::ForeignRecipient as _;
    use stackseal_core::age::{Envelope, armor};
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::recipient::SshRecipient;
    use crate::keys::samples;

    fn nobody(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Err("nobody was to be asked".to_owned())
    }

    fn answer(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Ok(Zeroizing::new("test".to_owned()))
    }

    fn wrong(prompt: &str) -> Result<Zeroizing<String>, String> {
        assert!(prompt.contains("the key"), "{prompt}");
        Ok(Zeroizing::new("guess".to_owned()))
    }

    fn private(name: &str) -> SshPrivate {
        SshPrivate::parse(samples::file(name).as_bytes(), "the key").unwrap()
    }

    fn payload(private: &SshPrivate, public: &str, ask: Ask) -> Option<Result<Vec<u8>, String>> {
        let recipient = SshRecipient::parse(&samples::file(public)).unwrap();
        let file = armor::decode(&recipient.wrap(&[7; 33]).unwrap()).unwrap();
        let envelope = Envelope::parse(&file).unwrap();
        let file_key = private.unwrap(envelope.stanzas(), ask)?;
        Some(file_key.map(|file_key| envelope.open(&file_key).unwrap().to_vec()))
    }

    #[test]
    fn a_key_opens_what_is_sealed_to_it_and_nothing_else() {
        for (key, public, other) in [
            ("ssh_ed25519", "ssh_ed25519.pub", "ssh_rsa.pub"),
            ("ssh_rsa", "ssh_rsa.pub", "ssh_ed25519.pub"),
            ("ssh_rsa_pem", "ssh_rsa.pub", "ssh_ed25519.pub"),
        ] {
            let key = private(key);
            assert!(!key.is_locked());
            assert_eq!(payload(&key, public, nobody), Some(Ok(vec![7; 33])));
            assert_eq!(payload(&key, other, nobody), None);
        }
    }

    #[test]
    fn a_passphrase_is_asked_for_when_something_is_sealed_to_the_key() {
        let key = private("ssh_ed25519_locked");
        assert!(key.is_locked());
        assert_eq!(payload(&key, "ssh_ed25519.pub", nobody), None);
        assert_eq!(
            payload(&key, "ssh_ed25519_locked.pub", answer),
            Some(Ok(vec![7; 33]))
        );
        assert!(!key.is_locked());
        assert_eq!(
            payload(&key, "ssh_ed25519_locked.pub", nobody),
            Some(Ok(vec![7; 33]))
        );

        let key = private("ssh_ed25519_locked");
        let reason = payload(&key, "ssh_ed25519_locked.pub", wrong)
            .unwrap()
            .unwrap_err();
        assert!(reason.contains("wrong"), "{reason}");
        assert_eq!(
            payload(&key, "ssh_ed25519_locked.pub", nobody),
            Some(Err(reason))
        );
    }

    #[test]
    fn line_ends_and_text_around_the_key_do_not_matter() {
        let text = format!(
            "a note\r\n{}\nmore",
            samples::file("ssh_ed25519").replace('\n', "\r\n")
        );
        assert!(SshPrivate::parse(text.as_bytes(), "the key").is_ok());
    }

    #[test]
    fn what_is_no_such_key_is_told_and_not_repeated() {
        let cut = samples::file("ssh_ed25519").replace("AAAA", "");
        for text in [
            "",
            "AGE-SECRET-KEY-1",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n",
            &cut,
        ] {
            let reason = SshPrivate::parse(text.as_bytes(), "the key").err().unwrap();
            assert!(!reason.contains("b3Bl"), "{reason}");
        }
        let ecdsa = SshPrivate::parse(samples::file("ssh_ecdsa").as_bytes(), "the key");
        assert!(ecdsa.err().unwrap().contains("ecdsa-sha2-nistp256"));
    }
}
