//! Tests of the keyring: what is tried, in which order, and what is said of it.

use std::fs;

use stackseal_core::ForeignRecipient as _;

use super::*;
use crate::keys::recipient::SshRecipient;
use crate::keys::samples::{self, NATIVE};

fn nobody(_prompt: &str) -> Result<Zeroizing<String>, String> {
    Err("nobody was to be asked".to_owned())
}

fn answer(_prompt: &str) -> Result<Zeroizing<String>, String> {
    Ok(Zeroizing::new("test".to_owned()))
}

/// The 33 bytes of a share, sealed to a native recipient.
fn native() -> AgeEntry {
    let recipient = stackseal_core::Identity::parse(NATIVE).unwrap().recipient();
    let recipients = std::slice::from_ref(&recipient);
    let file = stackseal_core::age::encrypt(&[7; 33], recipients, &mut crate::random).unwrap();
    AgeEntry {
        recipient: recipient.to_string(),
        enc: armor::encode(&file),
    }
}

/// A document sealed to that recipient.
fn sealed() -> Document<Encrypted> {
    let recipient = stackseal_core::Identity::parse(NATIVE).unwrap().recipient();
    let limits = stackseal_core::Limits::generous();
    let plain = Document::<stackseal_core::Plain>::parse(b"a: one\n", &limits).unwrap();
    let sealing = stackseal_core::Sealing {
        recipients: &[recipient],
        selector: &stackseal_core::Selector::default(),
        now: stackseal_core::Timestamp::from_unix(0).unwrap(),
        random: &mut crate::random,
    };
    plain.seal(sealing).unwrap()
}

/// The same, sealed to an SSH key.
fn ssh(name: &str) -> AgeEntry {
    let recipient = SshRecipient::parse(&samples::file(name)).unwrap();
    AgeEntry {
        recipient: recipient.text().to_owned(),
        enc: recipient.wrap(&[7; 33]).unwrap(),
    }
}

/// What closed the entry, if it stayed closed with every effort.
fn opens(keyring: &Keyring, entry: &AgeEntry) -> Result<(), Vec<String>> {
    let mut messages = Vec::new();
    for effort in Effort::ALL {
        match keyring.open_with(entry, effort) {
            Opening::Payload(payload) => {
                assert_eq!(payload.as_slice(), [7; 33]);
                return Ok(());
            }
            Opening::Closed(reasons) => messages.extend(reasons.into_iter().map(|it| it.message)),
        }
    }
    Err(messages)
}

fn report(keyring: &Keyring) -> String {
    let outcomes: Vec<_> = keyring.sources.iter().map(Source::outcome).collect();
    outcomes.join("\n")
}

fn text(text: &str) -> Environment {
    Environment {
        age_key: Some(Zeroizing::new(text.to_owned())),
        ..Environment::default()
    }
}

#[test]
fn a_broken_line_is_named_by_number_and_leaves_the_others_usable() {
    let keyring = Keyring::asking(&text(&format!("AGE-SECRET-KEY-1OOPS\n{NATIVE}\n")), nobody);
    assert_eq!(opens(&keyring, &native()), Ok(()));
    let report = report(&keyring);
    assert!(
        report.contains("SOPS_AGE_KEY: 1 identity; line 1: "),
        "{report}"
    );
    assert!(!report.contains("OOPS"), "{report}");
}

#[test]
fn every_kind_of_source_opens_what_is_sealed_to_its_kind() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    fs::write(home.path().join(".ssh/id_rsa"), samples::file("ssh_rsa")).unwrap();
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/keys/ssh_ed25519"
    );
    let environment = || Environment {
        home: Some(home.path().to_owned()),
        ..Environment::default()
    };
    let (native, rsa, ed25519) = (native(), ssh("ssh_rsa.pub"), ssh("ssh_ed25519.pub"));
    for (environment, opened, closed) in [
        (environment(), &rsa, &ed25519),
        (
            Environment {
                age_key_command: Some(format!("echo '{NATIVE}'")),
                ..environment()
            },
            &native,
            &ed25519,
        ),
        (
            Environment {
                ssh_key_command: Some(format!("cat '{file}'")),
                ..environment()
            },
            &ed25519,
            &native,
        ),
        (
            Environment {
                ssh_key_file: Some(PathBuf::from(file)),
                ..environment()
            },
            &ed25519,
            &native,
        ),
    ] {
        let keyring = Keyring::asking(&environment, nobody);
        assert_eq!(opens(&keyring, opened), Ok(()));
        assert_eq!(opens(&keyring, closed), Err(vec![]));
    }
}

#[test]
fn a_passphrase_opens_a_file_of_identities_once_for_all() {
    let keyring = Keyring::asking(&text(&samples::file("protected.txt")), answer);
    assert!(report(&keyring).contains("which was not asked for"));
    assert_eq!(opens(&keyring, &ssh("ssh_rsa.pub")), Err(vec![]));
    assert!(report(&keyring).contains("which was not asked for"));
    assert_eq!(opens(&keyring, &native()), Ok(()));
    assert!(report(&keyring).contains("SOPS_AGE_KEY: 1 identity\n"));

    let keyring = Keyring::asking(&text(&samples::file("protected.txt")), nobody);
    let reason = "SOPS_AGE_KEY: nobody was to be asked".to_owned();
    assert_eq!(opens(&keyring, &native()), Err(vec![reason]));
}

#[test]
fn what_costs_nothing_is_tried_with_every_copy_before_a_command_is_run() {
    let (native, ssh) = (native(), ssh("ssh_ed25519.pub"));
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let environment = Environment {
        age_key_command: Some(format!("touch '{}'", trace.display())),
        ssh_key_file: Some(PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/keys/ssh_ed25519"
        ))),
        ..Environment::default()
    };
    let keyring = Keyring::asking(&environment, nobody);
    let free = |entry: &AgeEntry| {
        let opening = keyring.open_with(entry, Effort::Nothing);
        matches!(opening, Opening::Payload(_))
    };
    assert!(!free(&native) && free(&ssh));
    assert_eq!(opens(&keyring, &ssh), Ok(()));
    assert!(!trace.exists());
    assert!(report(&keyring).contains("SOPS_AGE_KEY_CMD: not run"));
    assert!(opens(&keyring, &native).is_err());
    assert!(trace.exists());
    assert!(report(&keyring).contains("SOPS_AGE_KEY_CMD: 0 identities"));
}

#[test]
fn what_is_merely_worth_a_try_runs_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let environment = Environment {
        age_key_command: Some(format!("touch '{}'", trace.display())),
        ..Environment::default()
    };
    let keyring = Keyring::quiet(&environment);
    let document = sealed();
    assert!(keyring.data_key(&document, "a.yaml").is_err());
    assert!(!trace.exists());
    let keyring = Keyring::asking(&environment, nobody);
    let failure = keyring.data_key(&document, "a.yaml").unwrap_err();
    assert_eq!(
        (failure.status, failure.code),
        (128, "no-matching-identity")
    );
    assert!(trace.exists());
    let keyring = Keyring::asking(&text(NATIVE), nobody);
    assert!(keyring.data_key(&document, "a.yaml").is_ok());
}

#[test]
fn a_command_is_run_once_for_each_recipient() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let script = format!("echo $SOPS_AGE_RECIPIENT >> {}; exit 3", trace.display());
    let environment = Environment {
        age_key_command: Some(format!("sh -c '{script}'")),
        ..Environment::default()
    };
    let keyring = Keyring::asking(&environment, nobody);
    let mut entry = native();
    for recipient in ["one", "two", "one"] {
        entry.recipient = recipient.to_owned();
        let reasons = opens(&keyring, &entry).unwrap_err();
        assert_eq!(reasons, ["SOPS_AGE_KEY_CMD: sh failed: exit status: 3"]);
    }
    assert_eq!(fs::read_to_string(trace).unwrap(), "one\ntwo\n");
}

#[test]
fn a_copy_that_was_altered_is_told_from_one_for_somebody_else() {
    let keyring = Keyring::asking(&text(NATIVE), nobody);
    let mut entry = native();
    let mut file = armor::decode(&entry.enc).unwrap();
    *file.last_mut().unwrap() ^= 1;
    for enc in [armor::encode(&file), "no armor".to_owned()] {
        entry.enc = enc;
        let Opening::Closed(reasons) = keyring.open_with(&entry, Effort::Nothing) else {
            panic!("opened")
        };
        let codes: Vec<_> = reasons.iter().map(|it| it.code).collect();
        assert_eq!(codes, [ErrorCode::AgeFileInvalid]);
    }
}

#[test]
fn the_settings_folder_follows_xdg_first() {
    let folder = |xdg: Option<&str>| {
        config_folder(xdg.map(OsString::from), Some(OsString::from("/home/ann")))
    };
    assert_eq!(folder(Some("/x")), Some(PathBuf::from("/x")));
    assert!(folder(None).unwrap().starts_with("/home/ann"));
}
