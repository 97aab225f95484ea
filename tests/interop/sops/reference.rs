//! Runs the real `sops`, in a home of its own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The program, and an empty home so that no key or configuration of the machine is found.
pub struct Sops {
    program: String,
    home: TempDir,
}

impl Sops {
    /// The program that `STACKSEAL_SOPS` names.
    pub fn found() -> Self {
        let program = std::env::var("STACKSEAL_SOPS")
            .expect("STACKSEAL_SOPS names no sops; `make interop` installs it and sets this");
        Self {
            program,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Encrypts YAML; the error is what it printed.
    pub fn encrypt(
        &self,
        plain: &str,
        recipient: &str,
        encrypted_regex: Option<&str>,
    ) -> Result<String, String> {
        let mut arguments = vec![
            "encrypt",
            "--filename-override",
            "input.yaml",
            "--age",
            recipient,
        ];
        arguments.extend(
            encrypted_regex
                .iter()
                .flat_map(|regex| ["--encrypted-regex", regex]),
        );
        self.run(&arguments, plain, "")
    }

    /// Decrypts YAML into another format; the error is what it printed. A comment left sealed is an error, too.
    pub fn decrypt(&self, sealed: &str, keys: &str, output_type: &str) -> Result<String, String> {
        self.run(
            &[
                "decrypt",
                "--input-type",
                "yaml",
                "--output-type",
                output_type,
            ],
            sealed,
            keys,
        )
    }

    /// The data of a plain document as JSON, by sealing it with a key of the moment.
    pub fn json_view(&self, plain: &str) -> Result<String, String> {
        let key = super::key_text("id3");
        let sealed = self.encrypt(plain, super::identity("id3").recipient().as_str(), None)?;
        self.decrypt(&sealed, &key, "json")
    }

    fn run(&self, arguments: &[&str], input: &str, keys: &str) -> Result<String, String> {
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("SOPS_AGE_KEY", keys)
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program));
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        // Written beside reading, so that neither side waits for the other.
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let _written = writer.join().unwrap();
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() || messages.contains("possibly unencrypted comment") {
            return Err(format!("{}: {messages}", output.status));
        }
        Ok(String::from_utf8(output.stdout).unwrap())
    }
}
