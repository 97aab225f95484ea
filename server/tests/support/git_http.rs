//! `git http-backend` behind a small HTTP server on loopback that wants a user and a token.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A running server; it ends with the process.
pub(crate) struct GitHttp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    authorization: String,
    requests: Mutex<Vec<String>>,
    redirect: Mutex<Option<String>>,
    cutting: AtomicBool,
    cuts: AtomicUsize,
}

impl GitHttp {
    /// Serves the repositories under a folder.
    pub(crate) fn serve(root: &Path, user: &str, token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            authorization: format!("Basic {}", base64(format!("{user}:{token}").as_bytes())),
            requests: Mutex::default(),
            redirect: Mutex::default(),
            cutting: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || served.answer(&stream.unwrap()));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request lines seen.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Answers everything with a redirect from now on.
    pub(crate) fn redirect_to(&self, url: &str) {
        *self.shared.redirect.lock().unwrap() = Some(url.to_owned());
    }

    /// Cuts the connection in the middle of every pack that is fetched, or stops doing so.
    pub(crate) fn cut_fetches(&self, cutting: bool) {
        self.shared.cutting.store(cutting, Ordering::SeqCst);
    }

    /// How many packs were cut short.
    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn answer(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok();
        if line.trim().is_empty() {
            return;
        }
        self.requests.lock().unwrap().push(line.trim().to_owned());
        let mut headers = Vec::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok();
            match header.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None => break,
            }
        }
        let header = |name: &str| {
            headers
                .iter()
                .find(|(n, _)| n == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let body = read_body(
            &mut reader,
            header("content-length"),
            header("transfer-encoding"),
        );
        let mut words = line.split(' ');
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let mut out = stream;
        if let Some(url) = self.redirect.lock().unwrap().as_ref() {
            let rest = target.split_once(".git").map_or("", |(_, rest)| rest);
            write!(out, "HTTP/1.1 302 Found\r\nLocation: {url}{rest}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
            return;
        }
        if header("authorization") != self.authorization {
            let ask = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            out.write_all(ask.as_bytes()).ok();
            return;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("REMOTE_USER", "git")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&body).ok();
        let output = child.wait_with_output().unwrap().stdout;
        let split = output
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or(output.len());
        let head = String::from_utf8_lossy(&output[..split]).into_owned();
        let status = head
            .lines()
            .find_map(|l| l.strip_prefix("Status: "))
            .unwrap_or("200 OK")
            .to_owned();
        let mut sent = output.get(split + 4..).unwrap_or_default();
        let length = sent.len();
        let asks_pack =
            path.ends_with("/git-upload-pack") && body.windows(5).any(|w| w == b"want ");
        if asks_pack && self.cutting.load(Ordering::SeqCst) {
            sent = &sent[..length * 3 / 4];
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        write!(
            out,
            "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            length
        )
        .ok();
        out.write_all(sent).ok();
    }
}

fn read_body(reader: &mut BufReader<&TcpStream>, length: &str, encoding: &str) -> Vec<u8> {
    let mut body = Vec::new();
    if encoding == "chunked" {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok();
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            reader.take(size).read_to_end(&mut body).ok();
            reader.read_line(&mut String::new()).ok();
            if size == 0 {
                return body;
            }
        }
    }
    reader
        .take(length.parse().unwrap_or(0))
        .read_to_end(&mut body)
        .ok();
    body
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let block = chunk
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        for n in 0..4 {
            let digit = usize::try_from(block >> (18 - 6 * n) & 63).unwrap();
            out.push(if n <= chunk.len() {
                char::from(DIGITS[digit])
            } else {
                '='
            });
        }
    }
    out
}
