//! Keys beyond the native kind, by the command and the real `sops` in turn, and what is typed on a terminal.
//!
//! `STACKSEAL_SOPS` names the program; `make test` sets it. The terminal is that of `script`, which Debian always has.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/keys");

/// A folder with the keys and a document, home of whatever runs in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(KEYS).unwrap() {
            let from = entry.unwrap().path();
            let to = folder.path().join(from.file_name().unwrap());
            fs::copy(from, &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(folder.path().join("a.yaml"), PLAIN).unwrap();
        Self(folder)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// What a program writes to standard output, given what is typed or piped into it.
    fn run<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
        settings: &[(&str, &str)],
        input: &str,
    ) -> String {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .envs(settings.iter().copied())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn encrypt(&self, program: &OsStr, recipient: &str) {
        let words = ["encrypt", "--age", recipient, "a.yaml"];
        let sealed = self.run(program, words, &[], "");
        assert!(sealed.contains("ENC["), "{sealed}");
        fs::write(self.0.path().join("sealed.yaml"), sealed).unwrap();
    }

    /// What the command writes while somebody types on its terminal.
    fn typed(&self, words: &str, settings: &[(&str, &str)], keys: &str) -> String {
        let line = format!("{} {words} > result", ours().display());
        let arguments = ["--quiet", "--return", "--command", &line, "/dev/null"];
        let screen = self.run("script", arguments, settings, keys);
        assert!(screen.contains("Enter the passphrase of"), "{screen}");
        self.text("result")
    }
}

fn ours() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().and_then(|it| it.parent()).unwrap();
    folder.join("stackseal")
}

fn sops() -> PathBuf {
    let program = std::env::var_os("STACKSEAL_SOPS");
    PathBuf::from(
        program.expect("STACKSEAL_SOPS names no sops; `make test` installs it and sets this"),
    )
}

#[test]
fn ssh_keys_open_what_either_side_sealed_to_them() {
    let place = Place::new();
    for (private, public) in [
        ("ssh_ed25519", "ssh_ed25519.pub"),
        ("ssh_rsa", "ssh_rsa.pub"),
        ("ssh_rsa_pem", "ssh_rsa.pub"),
    ] {
        let recipient = place.text(public);
        for sealing in [ours(), sops()] {
            place.encrypt(sealing.as_os_str(), &recipient);
            let named = format!("- recipient: {}\n", recipient.trim_end());
            assert!(place.text("sealed.yaml").contains(&named));
            for opening in [ours(), sops()] {
                let key = [("SOPS_AGE_SSH_PRIVATE_KEY_FILE", private)];
                let opened = place.run(opening, ["decrypt", "sealed.yaml"], &key, "");
                assert_eq!(opened, PLAIN);
            }
        }
    }
}

#[test]
fn the_keys_of_the_home_folder_are_tried() {
    let place = Place::new();
    fs::create_dir(place.0.path().join(".ssh")).unwrap();
    for name in ["ssh_ed25519", "ssh_rsa"] {
        let home = name.replace("ssh_", ".ssh/id_");
        fs::rename(place.0.path().join(name), place.0.path().join(home)).unwrap();
        place.encrypt(sops().as_os_str(), &place.text(&format!("{name}.pub")));
        let opened = place.run(ours(), ["decrypt", "sealed.yaml"], &[], "");
        assert_eq!(opened, PLAIN);
    }
}

#[test]
fn a_passphrase_is_typed_on_the_terminal() {
    let place = Place::new();
    place.encrypt(sops().as_os_str(), &place.text("ssh_ed25519_locked.pub"));
    for private in ["ssh_ed25519_locked", "ssh_ed25519_locked_cbc"] {
        let key = [("SOPS_AGE_SSH_PRIVATE_KEY_FILE", private)];
        assert_eq!(place.typed("decrypt sealed.yaml", &key, "test\n"), PLAIN);
    }
    let recipient = place.typed("keygen -y protected.txt", &[], "test\n");
    place.encrypt(sops().as_os_str(), recipient.trim_end());
    let key = [("SOPS_AGE_KEY_FILE", "protected.txt")];
    assert_eq!(place.typed("decrypt sealed.yaml", &key, "test\n"), PLAIN);
    let age = place.typed(
        "ssh-to-age -private-key -i ssh_ed25519_locked",
        &[],
        "test\n",
    );
    assert!(age.starts_with("AGE-SECRET-KEY-1"));
}

const PLAIN: &str = "a: one\n";
