//! Identity files that are themselves age files, protected by a passphrase: what `age -p` makes.

use age::{DecryptError, Identity as _, scrypt};
use age_core::secrecy::SecretString;
use stackseal_core::age::{Envelope, armor};
use zeroize::Zeroizing;

use super::passphrase::{self, Ask};

/// Whether a text is an age file instead of identities.
pub(crate) fn is_protected(bytes: &[u8]) -> bool {
    bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE")
}

/// Asks for the passphrase and brings what the file holds.
///
/// # Errors
/// Why it stays closed.
pub(crate) fn open(bytes: &[u8], name: &str, ask: Ask) -> Result<Zeroizing<String>, String> {
    let file = if bytes.starts_with(b"-----") {
        let text = std::str::from_utf8(bytes).map_err(|_| "its armor is broken")?;
        armor::decode(text).map_err(|error| error.to_string())?
    } else {
        bytes.to_vec()
    };
    let envelope = Envelope::parse(&file).map_err(|error| error.to_string())?;
    let [stanza] = envelope.stanzas() else {
        return Err(NO_PASSPHRASE.to_owned());
    };
    if stanza.kind() != "scrypt" {
        return Err(NO_PASSPHRASE.to_owned());
    }
    let stanza = super::to_foreign(stanza);
    let file_key = passphrase::unlock(name, ask, |passphrase| {
        let mut identity = scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
        identity.set_max_work_factor(MAX_WORK);
        match identity.unwrap_stanza(&stanza) {
            Some(Ok(file_key)) => Ok(Some(file_key)),
            Some(Err(DecryptError::ExcessiveWork { required, .. })) => Err(format!(
                "opening it would take too long: its work factor is {required}, and {MAX_WORK} is the most allowed"
            )),
            Some(Err(DecryptError::InvalidHeader)) | None => Err("its header is broken".to_owned()),
            Some(Err(_)) => Ok(None),
        }
    })?;
    let payload = envelope
        .open(&super::file_key_of_foreign(&file_key))
        .map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&payload).map_err(|_| "what it holds is not a text")?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Twice the work for every one more; `age` writes 18, and reads up to this.
const MAX_WORK: u8 = 22;
const NO_PASSPHRASE: &str =
    "it is an age file without a passphrase; an identity file can only be protected by one";

#[cfg(test)]
mod tests {
    use age::Recipient as _;
    use stackseal_core::ForeignRecipient as _;
    use stackseal_core::age::{self as codec, FileKey};

    use super::*;
    use crate::keys::samples::NATIVE;
    use crate::keys::{file_key_to_foreign, of_foreign, recipient::SshRecipient, samples};

    fn answer(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Ok(Zeroizing::new("test".to_owned()))
    }

    fn wrong(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Ok(Zeroizing::new("guess".to_owned()))
    }

    /// With little work, so that the tests have little.
    fn file() -> Vec<u8> {
        let mut recipient = scrypt::Recipient::new(SecretString::from("test".to_owned()));
        recipient.set_work_factor(2);
        let file_key = FileKey::new([5; 16]);
        let (stanzas, _) = recipient
            .wrap_file_key(&file_key_to_foreign(&file_key))
            .unwrap();
        let stanzas: Vec<_> = stanzas.into_iter().map(of_foreign).collect();
        codec::assemble(NATIVE.as_bytes(), &stanzas, &file_key, &mut crate::random).unwrap()
    }

    #[test]
    fn a_file_opens_with_its_passphrase_armored_or_not() {
        let file = file();
        let armored = armor::encode(&file).into_bytes();
        for bytes in [&file, &armored] {
            assert!(is_protected(bytes));
            assert_eq!(open(bytes, "keys.txt", answer).unwrap().as_str(), NATIVE);
            let reason = open(bytes, "keys.txt", wrong).unwrap_err();
            assert_eq!(reason, "the passphrase is wrong");
        }
        assert!(!is_protected(NATIVE.as_bytes()));
        assert_eq!(
            open(
                samples::file("protected.txt").as_bytes(),
                "keys.txt",
                answer
            )
            .unwrap()
            .lines()
            .last(),
            Some(NATIVE)
        );
    }

    #[test]
    fn too_much_work_is_refused() {
        let text = String::from_utf8_lossy(&file()).into_owned();
        let end = text.find("---").unwrap();
        let header = text[..end].replacen(" 2\n", " 23\n", 1);
        let bytes = [header.as_bytes(), &file()[end..]].concat();
        let reason = open(&bytes, "keys.txt", answer).unwrap_err();
        assert!(reason.contains("work factor is 23"), "{reason}");
    }

    #[test]
    fn files_that_are_broken_or_have_no_passphrase_are_told_apart() {
        let ssh = SshRecipient::parse(&samples::file("ssh_ed25519.pub")).unwrap();
        let reason = open(ssh.wrap(b"x").unwrap().as_bytes(), "keys.txt", answer).unwrap_err();
        assert!(reason.contains("without a passphrase"), "{reason}");
        let mut file = file();
        file.pop();
        for bytes in [
            &file[..],
            b"age-encryption.org/v1\n",
            b"-----BEGIN AGE ENCRYPTED",
        ] {
            assert!(open(bytes, "keys.txt", answer).is_err());
        }
    }
}
