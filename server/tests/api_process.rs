//! The binary as people run it: its one line, its signals, its log, its files, and remotes over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/git_http.rs"]
mod git_http;
#[path = "support/process.rs"]
mod process;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use git_http::GitHttp;
use process::{Process, Start, commits_of, git, until};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stackseal-server"))
}

#[test]
fn it_starts_prints_one_line_and_stops_cleanly_at_both_signals() {
    let home = tempfile::tempdir().unwrap();
    let mut tokens = Vec::new();
    for signal in ["-INT", "-TERM"] {
        let mut process = Process::start(home.path(), &Start::default());
        assert_eq!(process.token.len(), 64);
        tokens.push(process.token.clone());
        assert_eq!(
            process.send("GET", "/livez", &[], None).unwrap().status,
            200
        );
        assert!(process.signal(signal).success(), "{signal}");
        assert!(process.log().contains("\"message\":\"stopping\""));
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_second_start_keeps_the_data_and_replaces_the_link() {
    let home = tempfile::tempdir().unwrap();
    let mut process = Process::signed_in(home.path(), &Start::default());
    let recipient = process.initialise();
    let save = process
        .save("key-of-the-only-save", "m", "a: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    let cookie = process.cookie.clone();
    assert!(process.signal("-TERM").success());
    let mut process = Process::start(home.path(), &Start::default());
    process.cookie = cookie;
    assert_eq!(
        process.get("/api/v1/organisation")["encryption"]["recipient"],
        recipient
    );
    assert_eq!(
        process.get("/api/v1/stacks/db")["members"][0]["text"],
        "a: 1\n"
    );
}

#[test]
fn a_repository_of_its_own_that_was_lost_is_not_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let mut process = Process::signed_in(home.path(), &Start::default());
    process.initialise();
    let save = process
        .save("key-of-the-only-save", "m", "a: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    assert!(process.signal("-TERM").success());
    let remote = home.path().join("data/remote.git");
    let kept = home.path().join("kept.git");
    std::fs::rename(&remote, &kept).unwrap();
    let refusal = || {
        let output = binary()
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(home.path().join("data"))
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refusal().contains("restore it from your backup"));
    assert!(!remote.exists());
    // the clone lost, too: the journal knows
    let clone = home.path().join("data/clone.git");
    std::fs::rename(&clone, home.path().join("clone.git")).unwrap();
    assert!(refusal().contains("restore it from your backup"));
    std::fs::rename(&kept, &remote).unwrap();
    let process = Process::signed_in(home.path(), &Start::default());
    until("the stack is read from it", || {
        let stack = process.get("/api/v1/stacks/db");
        (stack["members"][0]["text"] == "a: 1\n").then_some(())
    });
}

#[test]
fn files_are_private_and_the_process_leaves_no_core() {
    let home = tempfile::tempdir().unwrap();
    let process = Process::signed_in(home.path(), &Start::default());
    process.initialise();
    let save = process
        .save("key-of-the-only-save", "m", "a: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    assert_private(&home.path().join("data"));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"],
        "{core}"
    );
    // a process that is not dumpable gives its /proc folder to root
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    assert!(status.contains("stackseal"), "{status}");
}

fn assert_private(path: &Path) {
    let about = std::fs::symlink_metadata(path).unwrap();
    assert_eq!(about.permissions().mode() & 0o077, 0, "{}", path.display());
    if about.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            assert_private(&entry.unwrap().path());
        }
    }
}

#[test]
fn the_log_holds_no_body_query_or_token() {
    let home = tempfile::tempdir().unwrap();
    let mut process = Process::signed_in(home.path(), &Start::default());
    process.initialise();
    process.send(
        "GET",
        "/api/v1/stacks/canary-path?canary-query=1",
        &[("x-canary", "canary-header")],
        None,
    );
    process.send("GET", "/canary-file.js?canary-query=1", &[], None);
    process
        .save(
            "canary-key-0123456789",
            "m",
            "password: canary-body\n",
            None,
        )
        .unwrap();
    process
        .save(
            "canary-key-012345678",
            "m",
            "password: [canary-body\n",
            None,
        )
        .unwrap();
    let body = serde_json::json!({"stack": "canary stack", "files": "canary-body"});
    process.send(
        "POST",
        "/api/v1/saves",
        &[("idempotency-key", "canary-key-0123456780")],
        Some(&body),
    );
    assert!(process.signal("-TERM").success());
    let log = process.log();
    assert!(!log.contains("canary"), "{log}");
    assert!(!log.contains(&process.token) && !log.contains(&process.cookie));
    assert!(!log.contains("AGE-SECRET-KEY"));
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(log.contains("\"route\":\"/api/v1/stacks/{stack}\"") && log.contains("\"status\":422"));
}

#[test]
fn what_cannot_be_started_says_why() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data").display().to_string();
    for (arguments, text) in [
        (vec!["--listen", "0.0.0.0:0"], "--public-url"),
        (
            vec!["--remote", "ssh://git.example/x"],
            "only https:// and file://",
        ),
        (
            vec!["--remote", "https://user:hunter2@git.example/x"],
            "user information",
        ),
        (vec!["--no-such"], "--no-such"),
    ] {
        let output = binary()
            .args(["--data", &data])
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains(text) && !stderr.contains("hunter2"),
            "{stderr}"
        );
    }
    let process = Process::start(home.path(), &Start::default());
    let output = binary()
        .args(["--data", &data, "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("another server uses the data folder")
    );
    let taken = process.address.clone();
    let other = home.path().join("other").display().to_string();
    let output = binary()
        .args(["--data", &other, "--listen", &taken])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on"));
    for flag in ["--help", "--version"] {
        assert!(binary().arg(flag).output().unwrap().status.success());
    }
}

#[test]
fn a_disk_that_takes_no_more_refuses_the_save_and_recovers_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let process = Process::start_limited(home.path(), 1024);
    process.initialise();
    // the write-ahead log cannot grow beyond a mebibyte
    let value = "0123456789".repeat(20);
    let big: String = (0..2000).map(|n| format!("k{n}: \"{value}\"\n")).collect();
    let mut refused = 0;
    let mut accepted = Vec::new();
    for n in 0..6 {
        let key = format!("key-of-the-big-save-{n}");
        let answer = process.save(&key, &format!("big-{n}"), &big, None).unwrap();
        match answer.status {
            202 => accepted.push(answer.body["id"].as_str().unwrap().to_owned()),
            503 | 507 => {
                let code = answer.body["code"].as_str().unwrap();
                assert!(
                    ["storage-failed", "storage-full"].contains(&code),
                    "{answer:?}"
                );
                refused += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!(refused > 0, "the limit was never met");
    assert_eq!(
        process.get("/api/v1/saves").as_array().unwrap().len(),
        accepted.len()
    );
    drop(process);
    let process = Process::signed_in(home.path(), &Start::default());
    for id in &accepted {
        process.reaches(id, "pushed");
    }
    let save = process
        .save("key-of-the-last-save", "m", "a: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    assert_eq!(process.get("/readyz")["ready"], true);
}

#[test]
fn an_idle_client_does_not_keep_the_server_from_stopping() {
    let home = tempfile::tempdir().unwrap();
    let mut process = Process::start(home.path(), &Start::default());
    let idle = std::net::TcpStream::connect(&process.address).unwrap();
    assert_eq!(
        process.send("GET", "/livez", &[], None).unwrap().status,
        200
    );
    assert!(process.signal("-TERM").success());
    drop(idle);
}

#[test]
fn clients_that_send_no_body_keep_nobody_out() {
    let home = tempfile::tempdir().unwrap();
    let process = Process::start(home.path(), &Start::default());
    let address = &process.address;
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nx-stackseal: 1\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
    );
    // more than are served at once; each is known to wait for its body by the line that asks for it
    let silent: Vec<_> = (0..300)
        .map(|_| {
            let mut client = std::net::TcpStream::connect(address).unwrap();
            client.write_all(head.as_bytes()).unwrap();
            let mut line = [0; 12];
            client.read_exact(&mut line).unwrap();
            assert_eq!(&line, b"HTTP/1.1 100");
            client
        })
        .collect();
    for path in ["/livez", "/readyz"] {
        let answer = process.send("GET", path, &[], None).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    drop(silent);
}

/// A remote over HTTP that wants a token, and a server that has one in a file.
struct Remote {
    home: tempfile::TempDir,
    http: GitHttp,
    token_file: String,
    url: String,
}

impl Remote {
    fn new(token: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        git(
            home.path(),
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                "remote.git",
            ],
        );
        git(
            &home.path().join("remote.git"),
            &["config", "http.receivepack", "true"],
        );
        let http = GitHttp::serve(home.path(), "x-access-token", "right-token-3f9a");
        let url = format!("http://{}/remote.git", http.address());
        let file = home.path().join("token");
        std::fs::write(&file, format!("{token}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let token_file = file.display().to_string();
        Self {
            home,
            http,
            token_file,
            url,
        }
    }

    fn server(&self) -> Process {
        let arguments = vec![
            "--remote",
            &self.url,
            "--allow-http-remote",
            "--remote-token-file",
            &self.token_file,
        ];
        Process::signed_in(
            self.home.path(),
            &Start {
                arguments,
                ..Start::default()
            },
        )
    }
}

#[test]
fn a_remote_over_http_takes_saves_under_a_token() {
    for token in ["right-token-3f9a", "x-access-token:right-token-3f9a"] {
        let remote = Remote::new(token);
        let mut process = remote.server();
        process.initialise();
        let mut base = None;
        for n in 0..3 {
            let save = process
                .save(
                    &format!("key-of-the-save-{n}"),
                    "m",
                    &format!("a: {n}\n"),
                    base.as_deref(),
                )
                .unwrap();
            let save = process.reaches(save.body["id"].as_str().unwrap(), "pushed");
            assert_eq!(
                commits_of(
                    &remote.home.path().join("remote.git"),
                    save["id"].as_str().unwrap()
                ),
                1
            );
            base = save["files"][0]["blob"].as_str().map(str::to_owned);
        }
        assert!(process.signal("-TERM").success());
        assert!(!process.log().contains("right-token"));
        // the token was never part of an address
        assert!(
            remote
                .http
                .requests()
                .iter()
                .all(|line| !line.contains("right-token"))
        );
        assert_no_token(&remote.home.path().join("data"));
    }
}

fn assert_no_token(path: &Path) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_token(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(16).any(|w| w == b"right-token-3f9a"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn a_wrong_token_is_told_and_a_new_one_is_taken_at_the_retry() {
    let remote = Remote::new("wrong-token");
    let process = remote.server();
    process.initialise();
    let save = process
        .save("key-of-the-only-save", "m", "a: 1\n", None)
        .unwrap();
    let id = save.body["id"].as_str().unwrap().to_owned();
    let save = process.reaches(&id, "pending");
    assert_eq!(save["reason"]["code"], "remote-auth", "{save}");
    assert!(!save.to_string().contains("wrong-token"));
    // no storm: it waits for a person
    let asked = remote.http.requests().len();
    assert!(asked < 10, "{asked} requests");
    std::fs::write(&remote.token_file, "right-token-3f9a").unwrap();
    process
        .send("POST", &format!("/api/v1/saves/{id}/retry"), &[], None)
        .unwrap();
    process.reaches(&id, "pushed");
}

#[test]
fn a_redirect_is_not_followed() {
    let remote = Remote::new("right-token-3f9a");
    let target = Remote::new("right-token-3f9a");
    remote.http.redirect_to(&target.url);
    let process = remote.server();
    process.initialise();
    let save = process
        .save("key-of-the-only-save", "m", "a: 1\n", None)
        .unwrap();
    let save = process.reaches(save.body["id"].as_str().unwrap(), "pending");
    assert_eq!(save["reason"]["code"], "remote-unreachable", "{save}");
    assert!(target.http.requests().is_empty());
}

#[test]
fn a_fetch_that_was_cut_is_made_again_and_leaves_no_half_commit() {
    let remote = Remote::new("right-token-3f9a");
    let process = remote.server();
    process.initialise();
    let save = process
        .save("key-of-the-first-save", "m", "a: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    // somebody else pushes so much that the files are not yet there when the commit is
    let work = remote.home.path().join("work");
    git(
        remote.home.path(),
        &["clone", "--quiet", "remote.git", "work"],
    );
    let mut noise = vec![0; 100_000];
    getrandom::fill(&mut noise).unwrap();
    let noise: String = noise.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("a: {noise}\n");
    std::fs::write(work.join("clusters/main/stacks/db/manifests/m.yaml"), &text).unwrap();
    git(&work, &["commit", "--quiet", "--all", "-m", "by hand"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    remote.http.cut_fetches(true);
    until("a fetch was cut", || {
        let stack = process.get("/api/v1/stacks/db");
        assert_eq!(stack["members"][0]["text"], "a: 1\n");
        (remote.http.cuts() > 0).then_some(())
    });
    remote.http.cut_fetches(false);
    let save = process
        .save("key-of-the-next-save", "n", "b: 1\n", None)
        .unwrap();
    process.reaches(save.body["id"].as_str().unwrap(), "pushed");
    let stack = process.get("/api/v1/stacks/db");
    assert_eq!(stack["members"][0]["text"], text.as_str());
    git(&remote.home.path().join("data/clone.git"), &["fsck"]);
}

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let remote = Remote::new("right-token-3f9a");
    std::fs::set_permissions(&remote.token_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = binary()
        .args([
            "--listen",
            "127.0.0.1:0",
            "--allow-http-remote",
            "--remote",
            &remote.url,
            "--remote-token-file",
            &remote.token_file,
            "--data",
        ])
        .arg(remote.home.path().join("data"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains("mode to 0600") && !text.contains("right-token"),
        "{text}"
    );
}
