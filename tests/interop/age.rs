//! Ours against the real `age`, both directions.
//!
//! `STACKSEAL_AGE` names the program, else it is found in PATH, with `age-keygen` beside it. Without
//! it these tests fail, they do not pass by.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stackseal_core::age::{self, armor};
use stackseal_core::{DataKey, ErrorCode, Identity, RandomFailed, Recipient};
use tempfile::TempDir;

/// The real programs and a folder of their own.
struct Age {
    program: PathBuf,
    folder: TempDir,
}

impl Age {
    fn find() -> Self {
        let program = match std::env::var_os("STACKSEAL_AGE") {
            Some(program) => PathBuf::from(program),
            None => std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join("age"))
                .find(|program| program.is_file())
                .expect("there is no age in PATH: install it, or name it in STACKSEAL_AGE"),
        };
        let folder = tempfile::tempdir().unwrap();
        let found = Self { program, folder };
        assert!(found.run("age", ["--version"]).status.success());
        found
    }

    /// Runs `age` or `age-keygen` in the folder.
    fn run<S: AsRef<OsStr>>(&self, name: &str, arguments: impl IntoIterator<Item = S>) -> Output {
        Command::new(self.program.with_file_name(name))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// What `age --decrypt` makes of a file; `None` when it refuses.
    fn decrypt(&self, file: impl AsRef<[u8]>, identity: &Identity) -> Option<Vec<u8>> {
        let key = self.write("key.txt", identity.to_text().as_bytes());
        let sealed = self.write("sealed.age", file);
        let output = self.run(
            "age",
            [Path::new("--decrypt"), Path::new("-i"), &key, &sealed],
        );
        output.status.success().then_some(output.stdout)
    }

    /// What `age` makes of a payload.
    fn encrypt(&self, payload: &[u8], recipients: &[&str], options: &[&str]) -> Vec<u8> {
        self.write("payload", payload);
        let recipients = recipients.iter().flat_map(|recipient| ["-r", recipient]);
        let arguments = options.iter().copied().chain(recipients).chain(["payload"]);
        let output = self.run("age", arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }
}

fn random(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}

fn identity() -> Identity {
    Identity::generate(&mut random).unwrap()
}

/// Payloads around the edges of a chunk.
fn payloads() -> impl Iterator<Item = Vec<u8>> {
    [0, 1, 32, 33, 65_535, 65_536, 65_537, 131_072, 200_000]
        .into_iter()
        .map(|size| {
            let mut payload = vec![0; size];
            random(&mut payload).unwrap();
            payload
        })
}

#[test]
fn age_opens_what_we_encrypt() {
    let age = Age::find();
    let (one, two, other) = (identity(), identity(), identity());
    for payload in payloads() {
        let recipients = [one.recipient(), two.recipient()];
        let file = age::encrypt(&payload, &recipients, &mut random).unwrap();
        for identity in [&one, &two] {
            assert_eq!(age.decrypt(&file, identity).unwrap(), payload);
            assert_eq!(
                age.decrypt(armor::encode(&file), identity).unwrap(),
                payload
            );
        }
        assert_eq!(age.decrypt(&file, &other), None);
    }
}

#[test]
fn we_open_what_age_encrypts() {
    let age = Age::find();
    let identities = [identity()];
    let other = identity();
    let own = identities[0].recipient();
    for payload in payloads() {
        // The other kind of recipient is skipped, wherever it stands.
        for recipients in [
            &[own.as_str()][..],
            &[SSH, own.as_str()],
            &[own.as_str(), other.recipient().as_str(), SSH],
        ] {
            let file = age.encrypt(&payload, recipients, &[]);
            assert_eq!(*age::decrypt(&file, &identities).unwrap(), payload);
            let text = String::from_utf8(age.encrypt(&payload, recipients, &["--armor"])).unwrap();
            let file = armor::decode(&text).unwrap();
            assert_eq!(armor::encode(&file), text);
            assert_eq!(*age::decrypt(&file, &identities).unwrap(), payload);
        }
    }
    for recipients in [&[SSH][..], &[other.recipient().as_str()]] {
        let file = age.encrypt(b"payload", recipients, &[]);
        let error = age::decrypt(&file, &identities).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NoMatchingIdentity);
    }
}

#[test]
fn data_keys_travel_both_ways() {
    let age = Age::find();
    for _ in 0..20 {
        let identities = [identity()];
        let recipient = identities[0].recipient();
        let key = DataKey::generate(&mut random).unwrap();
        let wrapped = key.wrap(&recipient, &mut random).unwrap();
        let bytes = age.decrypt(wrapped, &identities[0]).unwrap();
        assert_eq!(bytes.len(), 32);
        let again = age.encrypt(&bytes, &[recipient.as_str()], &["--armor"]);
        let again = String::from_utf8(again).unwrap();
        assert_eq!(DataKey::unwrap(&again, &identities).unwrap(), key);
        let short = age.encrypt(&bytes[..31], &[recipient.as_str()], &["--armor"]);
        let error = DataKey::unwrap(&String::from_utf8(short).unwrap(), &identities).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DataKeyInvalid);
    }
}

#[test]
fn keys_are_the_same_texts_on_both_sides() {
    let age = Age::find();
    for _ in 0..20 {
        let ours = identity();
        let file = age.write("ours.txt", ours.to_text().as_bytes());
        let output = age.run("age-keygen", [Path::new("-y"), &file]);
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim(),
            ours.recipient().as_str()
        );

        let output = age.run("age-keygen", [""; 0]);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
        let theirs = Identity::parse(line("AGE-SECRET-KEY-1")).unwrap();
        let recipient = line("# public key: ").trim_start_matches("# public key: ");
        assert_eq!(theirs.recipient(), Recipient::parse(recipient).unwrap());
        assert_eq!(theirs.to_text().as_str(), line("AGE-SECRET-KEY-1"));
    }
}

#[test]
fn neither_side_opens_a_damaged_file() {
    let age = Age::find();
    let identities = [identity()];
    let recipients = [identities[0].recipient()];
    let file = age::encrypt(b"payload", &recipients, &mut random).unwrap();
    let text = armor::encode(&file).into_bytes();
    for at in 0..file.len() {
        let damaged = flip(&file, at);
        assert!(age::decrypt(&damaged, &identities).is_err(), "byte {at}");
        assert_eq!(age.decrypt(&damaged, &identities[0]), None, "byte {at}");
    }
    for at in 0..text.len() {
        let damaged = flip(&text, at);
        let ours = armor::decode(str::from_utf8(&damaged).unwrap())
            .and_then(|file| age::decrypt(&file, &identities));
        assert!(ours.is_err(), "byte {at}");
        assert_eq!(age.decrypt(&damaged, &identities[0]), None, "byte {at}");
    }
}

/// The bytes with one bit of one byte changed, another one for each byte.
fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    damaged[at] ^= 1 << (at % 7);
    damaged
}

/// A public key made for this test; its private half is gone.
const SSH: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGO6/HvlaDoPSXlnPufFP/4SoDNUlySip4RWHoxP95tu";
