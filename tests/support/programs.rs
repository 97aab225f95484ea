//! Runs the real `sops`, and the command of this project, in a home of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A program, and an empty home so that no key or configuration of the machine is found.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    home: TempDir,
}

/// What a run left behind.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit status; 128 and the signal for one that was killed.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    /// Standard output; the error is the status with what was printed.
    pub fn output(self) -> Result<Vec<u8>, String> {
        if self.status == 0 {
            Ok(self.stdout)
        } else {
            Err(format!("status {}: {}", self.status, self.stderr.trim()))
        }
    }
}

impl Program {
    /// The program that `STACKSEAL_SOPS` names.
    pub fn sops() -> Self {
        let path = std::env::var("STACKSEAL_SOPS")
            .expect("STACKSEAL_SOPS names no sops; `make interop` installs it and sets this");
        Self::at(PathBuf::from(path))
    }

    /// The command, which is looked for beside this program: `make test` builds it first.
    pub fn stackseal() -> Self {
        let here = std::env::current_exe().unwrap();
        let folder = here.parent().and_then(Path::parent).unwrap();
        let path = folder.join("stackseal");
        assert!(
            path.exists(),
            "{} is not built; `cargo build --bin stackseal` does that",
            path.display()
        );
        Self::at(path)
    }

    pub fn at(path: PathBuf) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { path, home }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The home, which is also the working folder unless another is named.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the home.
    pub fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.home().join(name), content).unwrap();
    }

    /// Runs it with nothing but `settings` in the environment.
    pub fn run(&self, arguments: &[&str], input: &[u8], settings: &[(&str, &str)]) -> Ran {
        self.run_in(self.home(), arguments, input, settings)
    }

    pub fn run_in(
        &self,
        folder: &Path,
        arguments: &[&str],
        input: &[u8],
        settings: &[(&str, &str)],
    ) -> Ran {
        let mut child = Command::new(&self.path)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .envs(settings.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let mut stdin = child.stdin.take().unwrap();
        // Written beside reading, so that neither side waits for the other. A command may end before it has read all.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        });
        Ran {
            status: status(output.status),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let killed = status.signal().map(|signal| 128 + signal);
    status.code().or(killed).unwrap_or(-1)
}
