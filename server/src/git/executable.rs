//! Fetch and push through the system's `git`, in an environment of our making.
//!
//! Nothing of the machine's or the user's Git settings takes part: no hooks, credential helpers,
//! redirects, submodules, prompts or protocols other than the address's own. The token reaches git
//! through an askpass program (this very binary, see [`answer_askpass`]), never by argument or address.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use git2::Oid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::git::remote::{Branch, RemoteAddress};
use crate::git::{GitRemote, Pending, RemoteError};

/// The remote, reached by the `git` program.
#[derive(Debug)]
pub(crate) struct Executable {
    clone: PathBuf,
    address: RemoteAddress,
    branch: Branch,
    askpass: Option<Askpass>,
    timeout: Duration,
}

/// Where the token comes from.
#[derive(Clone, Debug)]
pub(crate) struct Askpass {
    /// The program that git asks: this binary.
    pub(crate) program: PathBuf,
    /// The file that the program reads.
    pub(crate) file: PathBuf,
}

struct Output {
    status: Option<ExitStatus>,
    stdout: String,
    stderr: String,
}

impl Executable {
    /// A remote that objects of `clone` are fetched from and pushed to.
    pub(crate) fn new(
        clone: &Path,
        address: RemoteAddress,
        branch: Branch,
        askpass: Option<Askpass>,
    ) -> Self {
        Self {
            clone: clone.to_owned(),
            address,
            branch,
            askpass,
            timeout: Duration::from_secs(60),
        }
    }

    async fn git(&self, arguments: &[&str]) -> Result<Output, RemoteError> {
        self.git_within(self.timeout, arguments).await
    }

    async fn git_within(
        &self,
        timeout: Duration,
        arguments: &[&str],
    ) -> Result<Output, RemoteError> {
        let failed = |error: std::io::Error| {
            RemoteError::Unreachable(format!("git could not be run: {}", error.kind()))
        };
        let mut child = self.command(arguments).spawn().map_err(failed)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let pid = child.id();
        let run = async {
            let (stdout, stderr, status) =
                tokio::join!(read_some(stdout), read_some(stderr), child.wait());
            Ok(Output {
                status: status.ok(),
                stdout,
                stderr,
            })
        };
        match tokio::time::timeout(timeout, run).await {
            Ok(output) => output,
            Err(_) => {
                kill_group(pid);
                let seconds = timeout.as_secs();
                Err(RemoteError::Unreachable(format!(
                    "no answer within {seconds} seconds"
                )))
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().args(arguments).current_dir(&self.clone);
        command.env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH)),
        );
        // a home without settings, .netrc or ssh keys
        command.env("HOME", &self.clone).env("GIT_DIR", &self.clone);
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
            .env("GIT_ALLOW_PROTOCOL", self.address.protocol())
            .env("GIT_PROTOCOL_FROM_USER", "0");
        command.env("GIT_CONFIG_COUNT", SETTINGS.len().to_string());
        for (n, (key, value)) in SETTINGS.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{n}"), key)
                .env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        if let Some(askpass) = &self.askpass {
            command
                .env("GIT_ASKPASS", &askpass.program)
                .env(ASKPASS_FILE, &askpass.file);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // its own group: Ctrl-C at the server does not cut a push, and a timeout ends its helpers too
        command.process_group(0).kill_on_drop(true);
        command
    }

    async fn ask_head(&self) -> Result<Option<Oid>, RemoteError> {
        let reference = self.branch.reference();
        let output = self
            .git(&["ls-remote", "--", self.address.as_str(), &reference])
            .await?;
        if !output.succeeded() {
            return Err(output.failure());
        }
        let line = output
            .stdout
            .lines()
            .filter_map(|line| line.split_once('\t'));
        let oid = line
            .filter(|(_, name)| *name == reference)
            .map(|(oid, _)| oid)
            .next();
        oid.map(|oid| {
            Oid::from_str(oid)
                .map_err(|_| RemoteError::Unreachable("it named no commit of this kind".to_owned()))
        })
        .transpose()
    }

    async fn bring(&self, anew: bool) -> Result<(), RemoteError> {
        let reference = self.branch.reference();
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--refmap=",
        ];
        arguments.extend(["--no-recurse-submodules", "--no-auto-maintenance"]);
        if anew {
            arguments.push("--refetch");
        }
        arguments.extend(["--", self.address.as_str(), &reference]);
        // Much may come, and nothing of it is kept when it is cut short; silence ends it earlier.
        let output = self.git_within(FETCH, &arguments).await?;
        if output.succeeded() {
            Ok(())
        } else {
            Err(output.failure())
        }
    }

    async fn send(&self, new: Oid, old: Option<Oid>) -> Result<(), RemoteError> {
        let reference = self.branch.reference();
        // The lease is the exact old value: the remote refuses whatever else it finds. `new` descends
        // from `old`, so this is never more than a fast-forward.
        let old = old.map(|oid| oid.to_string()).unwrap_or_default();
        let lease = format!("--force-with-lease={reference}:{old}");
        let refspec = format!("{new}:{reference}");
        let output = self
            .git(&[
                "push",
                "--porcelain",
                "--no-signed",
                &lease,
                "--",
                self.address.as_str(),
                &refspec,
            ])
            .await?;
        if output.succeeded() {
            Ok(())
        } else {
            Err(output.rejection(&reference))
        }
    }
}

impl GitRemote for Executable {
    fn head(&self) -> Pending<'_, Option<Oid>> {
        Box::pin(self.ask_head())
    }

    fn fetch(&self) -> Pending<'_, ()> {
        Box::pin(self.bring(false))
    }

    fn refetch(&self) -> Pending<'_, ()> {
        Box::pin(self.bring(true))
    }

    fn push(&self, new: Oid, old: Option<Oid>) -> Pending<'_, ()> {
        Box::pin(self.send(new, old))
    }
}

impl Output {
    fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Why a conversation with the remote failed.
    fn failure(&self) -> RemoteError {
        let said = one_line(&self.stderr);
        let lower = self.stderr.to_ascii_lowercase();
        let auth = [
            "authentication failed",
            "could not read username",
            "could not read password",
        ];
        let refused = [
            "error: 401",
            "error: 403",
            "returned error: 401",
            "returned error: 403",
        ];
        if auth.iter().chain(&refused).any(|sign| lower.contains(sign)) {
            RemoteError::Auth(said)
        } else {
            RemoteError::Unreachable(said)
        }
    }

    /// Why a push failed.
    fn rejection(&self, reference: &str) -> RemoteError {
        let verdict = self.stdout.lines().find_map(|line| {
            let (_, rest) = line.strip_prefix("!\t")?.split_once('\t')?;
            line.contains(reference).then_some(rest)
        });
        let Some(verdict) = verdict else {
            return self.failure();
        };
        let moved = [
            "stale info",
            "fetch first",
            "non-fast-forward",
            "cannot lock ref",
            "failed to lock",
        ];
        let moved_too = [
            "incorrect old value",
            "reference already exists",
            "failed to update ref",
        ];
        if moved
            .iter()
            .chain(&moved_too)
            .any(|sign| verdict.contains(sign))
        {
            return RemoteError::Moved;
        }
        let remote: Vec<_> = self
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("remote: "))
            .collect();
        RemoteError::Policy(one_line(&format!("{verdict} {}", remote.join(" "))))
    }
}

/// Whether this process was started by git to be asked for credentials; then it answers.
///
/// git passes its question as the argument, `Username for 'https://…': ` or `Password for …`. The file
/// named by the environment holds `TOKEN` or `USER:TOKEN`.
///
/// # Errors
/// When the file cannot be read or standard output is gone.
pub fn answer_askpass(question: Option<OsString>, file: &Path) -> std::io::Result<()> {
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(file)?);
    let (user, token) = text
        .trim()
        .split_once(':')
        .unwrap_or(("x-access-token", text.trim()));
    let asks_user = question.is_some_and(|q| q.to_string_lossy().starts_with("Username"));
    let mut stdout = std::io::stdout();
    stdout.write_all(if asks_user { user } else { token }.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Environment variable that turns the binary into git's askpass program.
pub const ASKPASS_FILE: &str = "STACKSEAL_ASKPASS_FILE";

/// Reads to the end, but keeps the first part only: a remote may say much.
async fn read_some(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else {
        return String::new();
    };
    let mut kept = Vec::new();
    // An error here means that git ended; its status tells the rest.
    drop((&mut stream).take(KEPT).read_to_end(&mut kept).await);
    drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
    String::from_utf8_lossy(&kept).into_owned()
}

/// The text as one short line without control characters, for people and logs.
fn one_line(text: &str) -> String {
    // what git says on its own account is no news of the remote
    let own = |line: &&str| !line.starts_with("warning: ") && !line.starts_with("hint: ");
    let words = text
        .lines()
        .filter(own)
        .flat_map(|line| line.split(|c: char| c.is_control() || c.is_whitespace()));
    let line = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    line.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'))
        .take(300)
        .collect()
}

fn kill_group(pid: Option<u32>) {
    let pid = pid
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself just now.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

const FETCH: Duration = Duration::from_secs(600);
const KEPT: u64 = 16 * 1024;
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

// Fetched objects come as a pack, which is there whole or not at all. Unpacked one by one, a commit
// would lie there before its files.
const SETTINGS: &[(&str, &str)] = &[
    ("core.fsync", "all"),
    ("core.hooksPath", "/dev/null"),
    ("credential.helper", ""),
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "30"),
    ("maintenance.auto", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("submodule.recurse", "false"),
    ("transfer.bundleURI", "false"),
    ("transfer.unpackLimit", "1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str, stderr: &str) -> Output {
        Output {
            status: None,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn a_lost_race_is_told_from_a_rule() {
        for why in [
            "[rejected] (stale info)",
            "[rejected] (fetch first)",
            "[rejected] (non-fast-forward)",
            "[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)",
            "[remote rejected] (incorrect old value provided)",
            "[remote rejected] (failed to update ref)",
        ] {
            let push = output(
                &format!("To file:///x\n!\tabc:refs/heads/main\t{why}\nDone\n"),
                "",
            );
            assert_eq!(
                push.rejection("refs/heads/main"),
                RemoteError::Moved,
                "{why}"
            );
        }
        let push = output(
            "To x\n!\tabc:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n",
            "remote: ticket\u{1b}[31m missing\t\nerror: failed to push\n",
        );
        let expected = "[remote rejected] (pre-receive hook declined) ticket [31m missing";
        assert_eq!(
            push.rejection("refs/heads/main"),
            RemoteError::Policy(expected.to_owned())
        );
    }

    #[test]
    fn refused_credentials_are_told_from_silence() {
        for stderr in [
            "fatal: Authentication failed for 'https://git.example/a/'",
            "fatal: could not read Username for 'https://git.example': terminal prompts disabled",
            "fatal: unable to access 'https://git.example/a/': The requested URL returned error: 403",
        ] {
            assert!(
                matches!(output("", stderr).failure(), RemoteError::Auth(_)),
                "{stderr}"
            );
        }
        for stderr in [
            "fatal: unable to access 'https://git.example/a/': Could not resolve host: git.example",
            "fatal: '/srv/git/x' does not appear to be a git repository",
            "",
        ] {
            assert!(
                matches!(output("", stderr).failure(), RemoteError::Unreachable(_)),
                "{stderr}"
            );
            assert!(matches!(
                output("", stderr).rejection("r"),
                RemoteError::Unreachable(_)
            ));
        }
    }

    #[test]
    fn what_a_remote_says_becomes_one_short_line() {
        assert_eq!(one_line(" a\n\tb\u{202e}c \r\n"), "a bc");
        assert_eq!(one_line("warning: x\nfatal: y\nhint: z\n"), "fatal: y");
        assert_eq!(one_line(&"x".repeat(1000)).len(), 300);
    }
}
