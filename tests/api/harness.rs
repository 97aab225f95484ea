//! A server in a folder of its own, a client that speaks to its router, and sealed texts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use stackseal_core::document::{Document, Plain};
use stackseal_core::marks::{self, Mark};
use stackseal_core::{Limits, RandomFailed, Recipient, Sealing, Timestamp};
use stackseal_server::clock::Clock;
use stackseal_server::config::{Asked, Config};
use stackseal_server::{State, app, work};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

/// The address that requests are made to.
pub const HOST: &str = "127.0.0.1:8080";
pub const ORIGIN: &str = "http://127.0.0.1:8080";
/// When the tests take place.
pub const NOW: i64 = 1_790_000_000;

/// A folder that goes away with its owner.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The remote repository.
    pub fn remote(&self) -> PathBuf {
        self.path().join("remote.git")
    }

    pub fn remote_url(&self) -> String {
        format!("file://{}", self.remote().display())
    }

    /// Where the remote repository lies while it cannot be reached.
    pub fn away(&self) -> PathBuf {
        self.path().join("away.git")
    }

    pub fn take_remote_away(&self) {
        std::fs::rename(self.remote(), self.away()).unwrap();
    }

    pub fn bring_remote_back(&self) {
        std::fs::rename(self.away(), self.remote()).unwrap();
    }

    /// How many commits the branch has.
    pub fn commits(&self) -> usize {
        let count = git(&self.remote(), &["rev-list", "--count", "main"]);
        count.trim().parse().unwrap()
    }
}

/// A clock that tests set.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(NOW + self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// A running server with somebody signed in.
pub struct Server {
    pub home: Home,
    pub clock: Arc<TestClock>,
    pub app: Router,
    pub cookie: String,
    state: State,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts the status and gives the body.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self.json()
    }
}

/// Settings of a server in `home` with the remote of the test's own.
pub fn config(home: &Home, more: &[&str]) -> Config {
    let data = home.data().display().to_string();
    let url = home.remote_url();
    let mut arguments = vec!["--data", &data, "--remote", &url];
    arguments.extend(more);
    let asked = Config::read(arguments.into_iter().map(Into::into), &|_| None).unwrap();
    match asked {
        Asked::Start(config) => *config,
        Asked::Print(text) => panic!("{text}"),
    }
}

/// Opens the state, which tells why it would not start.
pub async fn open(home: &Home, clock: Arc<TestClock>) -> Result<State, String> {
    let listening = HOST.parse().unwrap();
    let opened = State::open(config(home, &[]), listening, clock, None).await;
    opened.map_err(|error| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text += &format!(": {cause}");
            source = cause.source();
        }
        text
    })
}

impl Server {
    /// A fresh server with an empty remote; somebody is signed in.
    pub async fn new() -> Self {
        let home = Home::new();
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
        Self::start(home, Arc::default()).await
    }

    /// A fresh server whose organisation has a key.
    pub async fn with_key() -> (Self, Recipient) {
        let server = Self::new().await;
        server
            .put("/api/v1/organisation", &json!({"name": "Acme Ltd."}))
            .await
            .expect(200);
        let key = server
            .post("/api/v1/organisation/encryption", &Value::Null)
            .await
            .expect(201);
        let recipient = Recipient::parse(key["recipient"].as_str().unwrap()).unwrap();
        (server, recipient)
    }

    /// Starts a server on what is in `home`.
    pub async fn start(home: Home, clock: Arc<TestClock>) -> Self {
        let state = open(&home, Arc::clone(&clock)).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let worker = tokio::spawn(work(state.clone(), async {
            stopped.await.ok();
        }));
        let mut server = Self {
            home,
            clock,
            app: app(state.clone()),
            cookie: String::new(),
            state,
            stop,
            worker,
        };
        server.sign_in().await;
        server
    }

    /// Stops the server as a signal does, and starts it again.
    pub async fn restart(self) -> Self {
        let (home, clock) = self.stop().await;
        Self::start(home, clock).await
    }

    /// Stops the server as a signal does.
    pub async fn stop(self) -> (Home, Arc<TestClock>) {
        self.stop.send(()).ok();
        self.worker.await.unwrap();
        self.state.close().await;
        drop((self.app, self.state));
        (self.home, self.clock)
    }

    /// The one-time token of a new sign-in link.
    pub async fn link(&self) -> String {
        let link = self.state.sign_in_link().await.unwrap();
        link.strip_prefix(&format!("{ORIGIN}/signin#token="))
            .unwrap()
            .to_owned()
    }

    pub async fn sign_in(&mut self) {
        let token = self.link().await;
        let answer = self.post("/api/v1/session", &json!({"token": token})).await;
        self.cookie = cookie(&answer);
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, None)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path, Some(body))).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PUT", path, Some(body))).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path, None)).await
    }

    /// A request as the page makes it; a JSON null is no body.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST);
        if !self.cookie.is_empty() {
            request = request.header("cookie", format!("__Host-stackseal={}", self.cookie));
        }
        if method != "GET" {
            request = request
                .header("origin", ORIGIN)
                .header("sec-fetch-site", "same-origin");
            request = request.header("x-stackseal", "1");
        }
        match body.filter(|body| !body.is_null()) {
            Some(body) => {
                let text = body.to_string();
                let request = request.header("content-type", "application/json");
                request
                    .header("content-length", text.len())
                    .body(Body::from(text))
                    .unwrap()
            }
            None => request.body(Body::empty()).unwrap(),
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Asks for a save under a key.
    pub async fn save_as(&self, key: &str, body: &Value) -> Answer {
        let mut request = self.request("POST", "/api/v1/saves", Some(body));
        request
            .headers_mut()
            .insert("idempotency-key", key.parse().unwrap());
        self.send(request).await
    }

    /// Asks for a save under a key of its own.
    pub async fn save(&self, body: &Value) -> Answer {
        self.save_as(&fresh_key(), body).await
    }

    /// Saves files of the stack `db` and waits until they are pushed.
    pub async fn saved(&self, files: Vec<Value>) -> Value {
        let save = self
            .save(&json!({"stack": "db", "files": files}))
            .await
            .expect(202);
        self.reaches(&save, "pushed").await
    }

    /// Waits until a save is in a state.
    pub async fn reaches(&self, save: &Value, state: &str) -> Value {
        let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
        let begun = Instant::now();
        loop {
            let save = self.get(&path).await.expect(200);
            if save["state"] == state {
                return save;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{state} was not reached: {save}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a save waits for a reason.
    pub async fn waits_with(&self, save: &Value, code: &str) -> Value {
        let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
        let begun = Instant::now();
        loop {
            let save = self.get(&path).await.expect(200);
            if save["state"] == "pending" && save["reason"]["code"] == code {
                return save;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it did not come to wait with {code}: {save}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Discards a save, as soon as the worker does not have it in hand.
    pub async fn discard(&self, save: &Value) -> Answer {
        let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
        loop {
            let answer = self.delete(&path).await;
            if answer.code() != "save-in-progress" {
                return answer;
            }
        }
    }

    /// The member of the stack `db`, as the page reads it.
    pub async fn member(&self, name: &str) -> Value {
        let stack = self.get("/api/v1/stacks/db").await.expect(200);
        let members = stack["members"].as_array().unwrap();
        let mut member = members.iter().find(|m| m["name"] == name).unwrap().clone();
        member["commit"] = stack["commit"].clone();
        member
    }

    /// Runs a statement on the database, as somebody with access to its file could.
    pub async fn sql(&self, statement: &str) {
        sql(&self.home, statement).await;
    }

    /// Counts rows.
    pub async fn count(&self, from: &str) -> i64 {
        let pool = database(&self.home).await;
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {from}"));
        sqlx::query_scalar(query).fetch_one(&pool).await.unwrap()
    }
}

/// Runs a statement on a database.
pub async fn sql(home: &Home, statement: &str) {
    let pool = database(home).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
}

async fn database(home: &Home) -> sqlx::SqlitePool {
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(home.data().join("stackseal.db"));
    sqlx::SqlitePool::connect_with(options).await.unwrap()
}

/// The session cookie that an answer sets.
pub fn cookie(answer: &Answer) -> String {
    let line = answer.header("set-cookie");
    let rest = line.strip_prefix("__Host-stackseal=").unwrap_or_default();
    rest.split(';').next().unwrap_or_default().to_owned()
}

pub fn fresh_key() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-key-{:016}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A manifest as a file of a save.
pub fn manifest(name: &str, marks: &[&str], text: &str, base: Option<&str>) -> Value {
    json!({"kind": "manifest", "name": name, "marks": marks, "text": text, "base_blob": base})
}

/// The credentials of the samples.
pub const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  user: app\n  password: \"CANARY\"\n";

/// The secret with a value of its own.
pub fn secret(password: &str) -> String {
    SECRET.replace("CANARY", password)
}

/// Seals a text as the page does.
pub fn seal(text: &str, marks: &[&str], recipient: &Recipient) -> String {
    let plain = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
    let marks: Vec<_> = marks
        .iter()
        .map(|mark| Mark::parse(mark).unwrap())
        .collect();
    let analysis = marks::analyse(&plain, &marks);
    let sealing = Sealing {
        recipients: std::slice::from_ref(recipient),
        selector: analysis.rule().unwrap(),
        now: Timestamp::from_unix(NOW).unwrap(),
        random: &mut random(),
    };
    plain.seal(sealing).unwrap().text().to_owned()
}

/// The generator of the operating system.
pub fn random() -> impl FnMut(&mut [u8]) -> Result<(), RandomFailed> {
    |out| getrandom::fill(out).map_err(|_| RandomFailed)
}

/// Runs plain git and gives what it prints.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    try_git(folder, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

fn try_git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
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
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// Commits files to the remote as somebody else, and gives the commit.
pub fn push_as_other(home: &Home, files: &[(&str, &str)]) -> String {
    let work = home.path().join("other");
    if work.exists() {
        std::fs::remove_dir_all(&work).unwrap();
    }
    git(home.path(), &["clone", "--quiet", "remote.git", "other"]);
    for (path, text) in files {
        let path = work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    git(&work, &["checkout", "--quiet", "-B", "main"]);
    git(&work, &["add", "--all"]);
    git(
        &work,
        &["commit", "--quiet", "--allow-empty", "-m", "by hand"],
    );
    // the server may push at the same time: follow, as a person would
    for _ in 0..20 {
        if try_git(&work, &["push", "--quiet", "origin", "main"]).is_ok() {
            return git(&work, &["rev-parse", "HEAD"]).trim().to_owned();
        }
        git(&work, &["pull", "--quiet", "--rebase", "origin", "main"]);
    }
    panic!("the branch never stood still");
}

/// A file at the branch's head.
pub fn at_head(home: &Home, path: &str) -> String {
    git(&home.remote(), &["show", &format!("main:{path}")])
}

/// How many commits of the branch carry a save's trailer.
pub fn commits_of(home: &Home, save: &Value) -> usize {
    let trailer = format!("^Save-Id: {}$", save["id"].as_str().unwrap());
    git(
        &home.remote(),
        &["log", "--format=%H", "--grep", &trailer, "main"],
    )
    .lines()
    .count()
}

/// Installs a hook at the remote.
pub fn hook(home: &Home, name: &str, script: &str) {
    let path = home.remote().join("hooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn remove_hook(home: &Home, name: &str) {
    std::fs::remove_file(home.remote().join("hooks").join(name)).unwrap();
}

/// Path of a manifest of the stack `db`.
pub fn path_of(name: &str) -> String {
    format!("clusters/main/stacks/db/manifests/{name}.yaml")
}

pub const CLUSTER: &str = "clusters/main/cluster.yaml";
