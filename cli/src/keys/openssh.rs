//! The private key form of OpenSSH, as far as an Ed25519 key is to be taken out of it, and what is checked before a
//! library reads the same file.
//!
//! Source: `PROTOCOL.key` of OpenSSH.

use aes::Aes256;
use base64ct::{Base64, Encoding as _};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _, StreamCipher as _};
use zeroize::Zeroizing;

use super::passphrase::{self, Ask};
use super::ssh_public::{self, Kind, string};

/// A key file, its private half perhaps locked.
pub(crate) struct KeyFile {
    public: Kind,
    kind: String,
    lock: Option<Lock>,
    private: Zeroizing<Vec<u8>>,
}

/// How the private half is encrypted.
struct Lock {
    cipher: Vec<u8>,
    salt: Vec<u8>,
    rounds: u32,
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong, in words that do not repeat the text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = block(bytes).ok_or("it holds no SSH private key")?;
        let base64 = text
            .strip_prefix(BEGIN)
            .and_then(|text| text.strip_suffix(END))
            .ok_or(OTHER_FORM)?;
        let mut joined = Zeroizing::new(String::with_capacity(base64.len()));
        joined.extend(base64.lines());
        let bytes = Base64::decode_vec(&joined).map_err(|_| BROKEN)?;
        let bytes = Zeroizing::new(bytes);
        let rest = bytes.strip_prefix(b"openssh-key-v1\0").ok_or(BROKEN)?;
        let (public, lock, private) = parts(rest).ok_or(BROKEN)?;
        let kind = string(&mut &*public).ok_or(BROKEN)?;
        let kind = String::from_utf8_lossy(kind).into_owned();
        if !matches!(kind.as_str(), ssh_public::ED25519 | ssh_public::RSA) {
            return Err(format!(
                "it is a key of kind {kind}; only ssh-ed25519 and ssh-rsa can be used"
            ));
        }
        let public = ssh_public::numbers(&kind, public)?;
        if lock.is_none() && has_zeros(private).is_none_or(|it| it) {
            return Err(BROKEN.to_owned());
        }
        Ok(Self {
            public,
            kind,
            lock,
            private: Zeroizing::new(private.to_vec()),
        })
    }

    /// The 32 bytes that an Ed25519 key is made from. A passphrase is asked for, unless it is given.
    ///
    /// # Errors
    /// When it is of another kind, or stays locked.
    pub(crate) fn ed25519_seed(
        &self,
        name: &str,
        given: Option<&str>,
        ask: Ask,
    ) -> Result<Zeroizing<[u8; 32]>, String> {
        let Kind::Ed25519(public) = &self.public else {
            return Err(format!(
                "it is a key of kind {}; only ssh-ed25519 keys can become age keys",
                self.kind
            ));
        };
        let Some(lock) = &self.lock else {
            return seed(&self.private, public).ok_or_else(|| BROKEN.to_owned());
        };
        let unlocked = |passphrase: &str| {
            let opened = lock.open(&self.private, passphrase)?;
            Ok(seed(&opened, public))
        };
        match given {
            None => passphrase::unlock(name, ask, unlocked),
            Some(passphrase) => {
                unlocked(passphrase)?.ok_or_else(|| "the passphrase is wrong".to_owned())
            }
        }
    }
}

/// The lines from BEGIN to END, whatever stands around them and however they end.
pub(super) fn block(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut found = Zeroizing::new(String::with_capacity(text.len()));
    let lines = text.lines().map(str::trim_end);
    for line in lines.skip_while(|line| !line.starts_with("-----BEGIN ")) {
        found.push_str(line);
        found.push('\n');
        if line.starts_with("-----END ") {
            return Some(found);
        }
    }
    None
}

/// The public half, the lock and the private half.
fn parts(mut bytes: &[u8]) -> Option<(&[u8], Option<Lock>, &[u8])> {
    let cipher = string(&mut bytes)?;
    let function = string(&mut bytes)?;
    let mut options = string(&mut bytes)?;
    let bytes = &mut bytes.strip_prefix(&1_u32.to_be_bytes())?;
    let public = string(bytes)?;
    let private = string(bytes)?;
    let lock = match (cipher, function) {
        (b"none", b"none") => None,
        (cipher, b"bcrypt") => {
            let salt = string(&mut options)?;
            let rounds = u32::from_be_bytes(options.try_into().ok()?);
            Some(Lock {
                cipher: cipher.to_vec(),
                salt: salt.to_vec(),
                rounds,
            })
        }
        _ => return None,
    };
    Some((public, lock, private))
}

impl Lock {
    fn open(&self, private: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut derived = Zeroizing::new([0; 48]);
        bcrypt_pbkdf::bcrypt_pbkdf(passphrase, &self.salt, self.rounds, derived.as_mut_slice())
            .map_err(|_| BROKEN)?;
        let (key, nonce) = derived.split_at(32);
        let mut opened = Zeroizing::new(private.to_vec());
        match self.cipher.as_slice() {
            b"aes256-ctr" => ctr::Ctr128BE::<Aes256>::new_from_slices(key, nonce)
                .map_err(|_| BROKEN)?
                .apply_keystream(&mut opened),
            b"aes256-cbc" => {
                cbc::Decryptor::<Aes256>::new_from_slices(key, nonce)
                    .map_err(|_| BROKEN)?
                    .decrypt_padded_mut::<NoPadding>(&mut opened)
                    .map_err(|_| BROKEN)?;
            }
            cipher => {
                return Err(format!(
                    "it is encrypted with {}, which is not supported; ssh-keygen -p -Z aes256-ctr -f changes that",
                    String::from_utf8_lossy(cipher)
                ));
            }
        }
        Ok(opened)
    }
}

/// The seed out of an open private half; `None` when it was not opened by the right passphrase.
fn seed(mut private: &[u8], public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let (check, rest) = private.split_first_chunk::<4>()?;
    private = rest.strip_prefix(check)?;
    let kind = string(&mut private)?;
    let again = string(&mut private)?;
    let (seed, half) = string(&mut private)?.split_first_chunk::<32>()?;
    let whole = kind == ssh_public::ED25519.as_bytes() && again == public && half == public;
    whole.then(|| Zeroizing::new(*seed))
}

/// Whether a number in an open private half is zero, written with digits: no such key exists, and not every library
/// can read it. `None` when it is not a private half.
fn has_zeros(private: &[u8]) -> Option<bool> {
    let (_, mut rest) = private.split_first_chunk::<8>()?;
    while let Some(number) = string(&mut rest) {
        if !number.is_empty() && number.iter().all(|byte| *byte == 0) {
            return Some(true);
        }
    }
    Some(false)
}

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
const END: &str = "-----END OPENSSH PRIVATE KEY-----\n";
const BROKEN: &str = "its private key is broken";
pub(super) const OTHER_FORM: &str =
    "its private key is not in the form of OpenSSH; ssh-keygen -p -f FILE writes it so";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::samples;

    fn nobody(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Err("nobody was to be asked".to_owned())
    }

    fn file(name: &str) -> KeyFile {
        KeyFile::parse(samples::file(name).as_bytes()).unwrap()
    }

    #[test]
    fn a_locked_key_opens_with_its_passphrase_only() {
        for name in ["ssh_ed25519_locked", "ssh_ed25519_locked_cbc"] {
            let key = file(name);
            assert!(key.ed25519_seed("it", Some("test"), nobody).is_ok());
            let reason = key.ed25519_seed("it", Some("guess"), nobody).unwrap_err();
            assert_eq!(reason, "the passphrase is wrong");
            let reason = key.ed25519_seed("it", None, nobody).unwrap_err();
            assert_eq!(reason, "nobody was to be asked");
        }
        assert!(file("ssh_ed25519").ed25519_seed("it", None, nobody).is_ok());
    }

    #[test]
    fn a_private_half_of_another_key_is_refused() {
        let mut key = file("ssh_ed25519");
        let Kind::Ed25519(public) = &mut key.public else {
            panic!("another kind")
        };
        public[0] ^= 1;
        assert!(key.ed25519_seed("it", None, nobody).is_err());
        let reason = file("ssh_rsa")
            .ed25519_seed("it", None, nobody)
            .unwrap_err();
        assert!(reason.contains("ssh-rsa"), "{reason}");
    }

    #[test]
    fn a_file_cut_or_altered_anywhere_is_no_cause_to_panic() {
        let text = samples::file("ssh_ed25519");
        let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let bytes = Base64::decode_vec(&base64).unwrap();
        let written = |bytes: &[u8]| format!("{BEGIN}{}\n{END}", Base64::encode_string(bytes));
        assert!(KeyFile::parse(written(&bytes).as_bytes()).is_ok());
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0xff;
            for bytes in [&bytes[..at], &altered] {
                if let Ok(key) = KeyFile::parse(written(bytes).as_bytes()) {
                    let _outcome = key.ed25519_seed("it", None, nobody);
                }
            }
        }
    }
}
