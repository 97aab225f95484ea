//! `stackseal ssh-to-age`: an Ed25519 key of SSH as the age key that it amounts to, in the forms of `ssh-to-age`.

use std::path::Path;

use stackseal_core::{ErrorCode, Identity, Recipient};
use zeroize::Zeroizing;

use crate::args::SshToAge;
use crate::exit::Failure;
use crate::files::{self, Audience};
use crate::keyring::Environment;
use crate::keys::openssh::KeyFile;
use crate::keys::passphrase::{self, Ask};
use crate::keys::ssh_public::{Kind, SshPublic};
use crate::output;
use crate::output::Shown as _;

/// Reads the key, or keys, and writes what they amount to.
///
/// # Errors
/// Those of the files; `invalid-recipient` and `invalid-identity` for what is no such key.
pub(crate) fn run(arguments: &SshToAge, environment: &Environment) -> Result<(), Failure> {
    let input = arguments
        .input
        .as_deref()
        .filter(|it| *it != Path::new("-"));
    let name = input.map_or_else(|| "standard input".to_owned(), |path| path.shown());
    let bytes = input.map_or_else(files::read_stdin, files::read)?;
    let (text, audience) = if arguments.private_key {
        (
            identity(&bytes, &name, environment, passphrase::on_terminal)?,
            Audience::Owner,
        )
    } else {
        (recipients(&bytes, &name)?, Audience::Anyone)
    };
    match arguments
        .output
        .as_deref()
        .filter(|it| *it != Path::new("-"))
    {
        Some(path) => files::replace(path, text.as_bytes(), audience),
        None => output::result(text.as_bytes()),
    }
}

fn identity(
    bytes: &[u8],
    name: &str,
    environment: &Environment,
    ask: Ask,
) -> Result<Zeroizing<String>, Failure> {
    let failed = |why: String| {
        let code = ErrorCode::InvalidIdentity.as_str();
        Failure::usage(code, format!("{name}: {why}"))
    };
    let given = environment.ssh_to_age_passphrase.as_deref();
    let seed = KeyFile::parse(bytes)
        .and_then(|key| key.ed25519_seed(name, given.map(String::as_str), ask))
        .map_err(failed)?;
    let mut text = Identity::from_ed25519(&seed).to_text();
    text.push('\n');
    Ok(text)
}

/// One recipient for each Ed25519 key of a list of keys or of hosts; others are told of and left out.
fn recipients(bytes: &[u8], name: &str) -> Result<Zeroizing<String>, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::unreadable(format!("{name} is not a text")))?;
    let mut recipients = Zeroizing::new(String::new());
    let mut others = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{name}: line {}", index + 1);
        let failed = |why: &str| {
            let code = ErrorCode::InvalidRecipient.as_str();
            Failure::usage(code, format!("{place}: {why}"))
        };
        let key = key_of(line).ok_or_else(|| {
            failed("this is no SSH public key; for a private one add --private-key")
        })?;
        let kind = key.split_whitespace().next().unwrap_or_default();
        if kind != crate::keys::ssh_public::ED25519 {
            output::note(&format!(
                "{place}: a key of kind {kind} is left out; only ssh-ed25519 keys can become age keys"
            ));
            others += 1;
            continue;
        }
        let public = SshPublic::parse(key).map_err(|why| failed(&why))?;
        if let Kind::Ed25519(point) = public.kind {
            let recipient =
                Recipient::from_ed25519(&point).map_err(|error| failed(&error.to_string()))?;
            recipients.push_str(recipient.as_str());
            recipients.push('\n');
        }
    }
    if recipients.is_empty() && others > 0 {
        return Err(Failure::usage(
            ErrorCode::InvalidRecipient.as_str(),
            format!(
                "{name}: no key in it can become an age key, only ssh-ed25519 keys can; an ssh-rsa key is a recipient as \
                 it is: --age \"$(cat FILE)\""
            ),
        ));
    }
    Ok(recipients)
}

/// The kind and the key of a line: at its beginning, or behind the names of a host and the marker before these.
fn key_of(line: &str) -> Option<&str> {
    let mut rest = line;
    for _ in 0..3 {
        if KINDS.iter().any(|kind| rest.starts_with(kind)) {
            return Some(rest);
        }
        rest = rest.split_once([' ', '\t'])?.1.trim_start();
    }
    None
}

/// How the names of kinds begin.
const KINDS: &[&str] = &["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::samples;

    fn nobody(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Err("nobody was to be asked".to_owned())
    }

    fn answer(_prompt: &str) -> Result<Zeroizing<String>, String> {
        Ok(Zeroizing::new("test".to_owned()))
    }

    #[test]
    fn lists_of_keys_and_of_hosts_are_read() {
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIF/KPU3Z5LSjbBI6hrq25wCcseq2UpqSzUFZRr+ux6LM";
        let made = "age1hjm3aujg9e79f5yth8a2cejzdjg5n9vnu96l05p70uvfpeltnpms7yy3pp\n";
        for line in [
            format!("ssh-ed25519 {key}"),
            format!("  ssh-ed25519\t{key} ann@host\r\n"),
            format!("# a host\n\nexample.org,10.0.0.1 ssh-ed25519 {key}\n"),
            format!("@cert-authority *.example.org ssh-ed25519 {key}\n"),
            format!("host ssh-rsa AAAA\nhost ecdsa-sha2-nistp256 AAAA\nhost ssh-ed25519 {key}"),
        ] {
            let found = recipients(line.as_bytes(), "keys").unwrap();
            assert_eq!(found.as_str(), made, "{line}");
        }
        assert!(recipients(b"", "keys").unwrap().is_empty());
        let rsa = samples::file("ssh_rsa.pub");
        let failure = recipients(rsa.as_bytes(), "keys").unwrap_err();
        assert!(failure.message.contains("only ssh-ed25519"), "{failure:?}");
        let again = format!("ssh-ed25519 {key}\n").repeat(2);
        let found = recipients(again.as_bytes(), "keys").unwrap();
        assert_eq!(found.as_str(), made.repeat(2));
    }

    #[test]
    fn a_line_that_is_no_key_is_named_and_not_repeated() {
        for line in ["hunter2", "hunter2 ssh-ed25519 AAAA", "ssh-ed25519 hunter2"] {
            let failure = recipients(format!("\n{line}").as_bytes(), "keys").unwrap_err();
            assert!(failure.message.starts_with("keys: line 2: "), "{failure:?}");
            assert!(!failure.message.contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn both_halves_become_one_age_key() {
        let environment = Environment::default();
        for (name, ask) in [
            ("ssh_ed25519", nobody as Ask),
            ("ssh_ed25519_locked", answer),
        ] {
            let private = samples::file(name);
            let private = identity(private.as_bytes(), name, &environment, ask).unwrap();
            let public = samples::file(&format!("{name}.pub"));
            let public = recipients(public.as_bytes(), name).unwrap();
            let made = Identity::parse(private.trim_end()).unwrap();
            assert_eq!(made.recipient().as_str(), public.trim_end());
        }
    }

    #[test]
    fn the_passphrase_may_come_from_the_environment() {
        let private = samples::file("ssh_ed25519_locked");
        for (passphrase, fits) in [("test", true), ("guess", false)] {
            let environment = Environment {
                ssh_to_age_passphrase: Some(Zeroizing::new(passphrase.to_owned())),
                ..Environment::default()
            };
            let made = identity(private.as_bytes(), "key", &environment, nobody);
            assert_eq!(made.is_ok(), fits);
        }
    }

    #[test]
    fn private_keys_of_other_kinds_are_refused() {
        for name in ["ssh_rsa", "ssh_ecdsa", "ssh_ed25519.pub"] {
            let private = samples::file(name);
            let failure = identity(private.as_bytes(), name, &Environment::default(), nobody);
            assert_eq!(failure.unwrap_err().code, "invalid-identity");
        }
    }
}
