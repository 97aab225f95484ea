//! The real binary as a child process, and a small HTTP client for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running server.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    pub(crate) token: String,
    pub(crate) cookie: String,
    log: PathBuf,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// How a server is started.
#[derive(Clone, Default)]
pub(crate) struct Start<'a> {
    pub(crate) arguments: Vec<&'a str>,
    pub(crate) environment: Vec<(&'a str, &'a str)>,
}

impl Process {
    /// Starts the binary on a free port and waits for its line.
    pub(crate) fn start(home: &Path, start: &Start<'_>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackseal-server"));
        command
            .args(&start.arguments)
            .envs(start.environment.iter().copied());
        Self::spawn(home, command)
    }

    /// Starts it so that no file of its grows beyond so many KiB, and signs in.
    pub(crate) fn start_limited(home: &Path, kib: u32) -> Self {
        let mut command = Command::new("bash");
        // the signal that comes with the limit is ignored, so that a write fails as on a full disk
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_stackseal-server")]);
        let mut process = Self::spawn(home, command);
        process.sign_in();
        process
    }

    fn spawn(home: &Path, mut command: Command) -> Self {
        let log = home.join("log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(home.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let link = line
            .trim()
            .strip_prefix("Stackseal is ready; this sign-in link works once: http://");
        let Some(link) = link else {
            child.kill().ok();
            panic!("{line:?}: {}", std::fs::read_to_string(&log).unwrap());
        };
        let (address, token) = link.split_once("/signin#token=").unwrap();
        let (address, token) = (address.to_owned(), token.to_owned());
        Self {
            child,
            address,
            token,
            cookie: String::new(),
            log,
        }
    }

    /// Starts it and signs in.
    pub(crate) fn signed_in(home: &Path, start: &Start<'_>) -> Self {
        let mut process = Self::start(home, start);
        process.sign_in();
        process
    }

    pub(crate) fn sign_in(&mut self) {
        let answer = self
            .send(
                "POST",
                "/api/v1/session",
                &[],
                Some(&json!({"token": self.token})),
            )
            .unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        let line = answer
            .head
            .lines()
            .find(|line| line.starts_with("set-cookie: "))
            .unwrap();
        self.cookie = line["set-cookie: __Host-stackseal=".len()..]
            .split(';')
            .next()
            .unwrap()
            .to_owned();
    }

    /// Names the organisation and makes its key; gives the recipient.
    pub(crate) fn initialise(&self) -> String {
        self.send(
            "PUT",
            "/api/v1/organisation",
            &[],
            Some(&json!({"name": "Acme"})),
        )
        .unwrap();
        let key = self
            .send("POST", "/api/v1/organisation/encryption", &[], None)
            .unwrap();
        key.body["recipient"].as_str().unwrap().to_owned()
    }

    /// A request as the page makes it; `None` when the connection ends without an answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let address = &self.address;
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\norigin: http://{address}\r\nx-stackseal: 1\r\ncookie: __Host-stackseal={}\r\n",
            self.cookie
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        if body.is_some() {
            request += &format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                text.len()
            );
        }
        stream
            .write_all(format!("{request}\r\n{text}").as_bytes())
            .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        Some(Answer {
            status,
            head: head.to_owned(),
            body,
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.send("GET", path, &[], None).unwrap().body
    }

    /// Asks for a save under a key; `None` when the server died over it.
    pub(crate) fn save(
        &self,
        key: &str,
        name: &str,
        text: &str,
        base: Option<&str>,
    ) -> Option<Answer> {
        let file = json!({"kind": "manifest", "name": name, "text": text, "base_blob": base});
        let body = json!({"stack": "db", "files": [file]});
        self.send(
            "POST",
            "/api/v1/saves",
            &[("idempotency-key", key)],
            Some(&body),
        )
    }

    /// Waits until a save is in a state.
    pub(crate) fn reaches(&self, id: &str, state: &str) -> Value {
        until(&format!("save {id} is {state}"), || {
            let save = self.get(&format!("/api/v1/saves/{id}"));
            (save["state"] == state).then_some(save)
        })
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn signal(&mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        self.ended()
    }

    /// Waits until the process has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        until("the server ended", || self.child.try_wait().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it wrote to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks again and again until there is an answer, for at most half a minute.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it did not come about that {what}"
        );
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Runs plain git and gives what it prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.org",
            "-c",
            "gc.auto=0",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How many commits of a repository's main branch carry a save's trailer.
pub(crate) fn commits_of(remote: &Path, id: &str) -> usize {
    if git(remote, &["for-each-ref", "refs/heads/main"]).is_empty() {
        return 0;
    }
    let trailer = format!("^Save-Id: {id}$");
    git(remote, &["log", "--format=%H", "--grep", &trailer, "main"])
        .lines()
        .count()
}
