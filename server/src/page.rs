//! The page: embedded into the binary at build time, or served from a folder while developing.
//!
//! Files with a hash in their names never change and are cached for good; the rest is asked for again
//! each time. An address that is no file is one of the page's own, so it gets `index.html`.

use std::path::{Path, PathBuf};

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Error};
use crate::random;
use crate::state::State;

/// A file of the embedded page.
pub(crate) struct Asset {
    path: &'static str,
    bytes: &'static [u8],
    brotli: Option<&'static [u8]>,
}

/// Where the page comes from.
pub(crate) enum Page {
    /// The binary, with each file's entity tag.
    Embedded(Vec<(&'static Asset, HeaderValue)>),
    /// A folder.
    Folder(PathBuf),
    /// Nowhere: the binary was built without it.
    Missing,
}

impl Page {
    /// The folder's page if one is named, else the embedded one.
    pub(crate) fn of(folder: Option<&Path>) -> Self {
        if let Some(folder) = folder {
            return Self::Folder(folder.to_owned());
        }
        if ASSETS.is_empty() {
            return Self::Missing;
        }
        Self::Embedded(
            ASSETS
                .iter()
                .map(|asset| (asset, tag(asset.bytes)))
                .collect(),
        )
    }

    async fn find(&self, path: &str, takes_brotli: bool) -> Option<Response> {
        match self {
            Self::Embedded(assets) => {
                let (asset, tag) = assets.iter().find(|(asset, _)| asset.path == path)?;
                let (body, coding) = match asset.brotli.filter(|_| takes_brotli) {
                    Some(brotli) => (brotli, Some("br")),
                    None => (asset.bytes, None),
                };
                let mut response = body.into_response();
                response.headers_mut().insert(header::ETAG, tag.clone());
                response
                    .headers_mut()
                    .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
                if let Some(coding) = coding {
                    response
                        .headers_mut()
                        .insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
                }
                Some(response)
            }
            Self::Folder(folder) => {
                let bytes = tokio::fs::read(folder.join(path)).await.ok()?;
                let tag = tag(&bytes);
                let mut response = bytes.into_response();
                response.headers_mut().insert(header::ETAG, tag);
                Some(response)
            }
            Self::Missing => None,
        }
    }
}

/// Every address that no route has.
pub(crate) async fn serve(Shared(state): Shared<State>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Error::refused(Code::NotFound, "").into_response();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Error::refused(Code::MethodNotAllowed, "").into_response();
    }
    let Some(file) = file_path(path) else {
        return Error::refused(Code::NotFound, "").into_response();
    };
    let takes_brotli = takes_brotli(request.headers());
    let page = state.page();
    if matches!(page, Page::Missing) && file == INDEX {
        return Error::refused(Code::PageMissing, "").into_response();
    }
    match page.find(file, takes_brotli).await {
        Some(response) => dress(response, file, request.headers()),
        None => Error::refused(Code::NotFound, "").into_response(),
    }
}

/// The file for an address: itself when its last part has a dot, else the index. `None` for what must
/// not reach a disk.
fn file_path(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    let plain = |part: &str| {
        !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if !path.rsplit('/').next().unwrap_or_default().contains('.') {
        return Some(INDEX);
    }
    path.split('/')
        .all(|part| !part.is_empty() && plain(part))
        .then_some(path)
}

fn dress(mut response: Response, file: &str, asked: &HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(file)),
    );
    let cache = if is_hashed(file) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    let known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .unwrap_or_default();
    let tag = headers
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
        .unwrap_or_default();
    if !tag.is_empty()
        && known
            .split(',')
            .any(|one| one.trim().trim_start_matches("W/") == tag)
    {
        headers.remove(header::CONTENT_ENCODING);
        let headers = headers.clone();
        let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
        *unchanged.headers_mut() = headers;
        unchanged.headers_mut().remove(header::CONTENT_LENGTH);
        return unchanged;
    }
    response
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = random::hex(&Sha256::digest(bytes));
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static(""))
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let lists = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "br" && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// Whether a name holds a hash, as the build writes it: `name-0123456789abcdef.js`.
fn is_hashed(file: &str) -> bool {
    let words = file
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .split(['-', '_', '.']);
    words
        .into_iter()
        .any(|word| word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn content_type(file: &str) -> &'static str {
    let extension = file.rsplit('.').next().unwrap_or_default();
    TYPES
        .iter()
        .find(|(known, _)| *known == extension)
        .map_or("application/octet-stream", |(_, t)| t)
}

const INDEX: &str = "index.html";

const TYPES: &[(&str, &str)] = &[
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_page_get_its_index() {
        for (path, file) in [
            ("/", "index.html"),
            ("/signin", "index.html"),
            ("/stacks/a", "index.html"),
            ("/a/b-1.js", "a/b-1.js"),
        ] {
            assert_eq!(file_path(path), Some(file));
        }
        for path in [
            "/../x.js",
            "/a/../b.js",
            "/.env",
            "/a/.git.js",
            "/%2e%2e/x.js",
            "/a//b.js",
            "/a\\b.js",
            "x.js",
        ] {
            assert_eq!(file_path(path), None, "{path}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_good() {
        assert!(
            is_hashed("stackseal-web-3fa9c0c8d9b9b6d9_bg.wasm")
                && is_hashed("x/style-0123456789abcdef.css")
        );
        assert!(!is_hashed("index.html") && !is_hashed("editor-v1.js"));
    }

    #[test]
    fn brotli_is_sent_to_those_who_take_it() {
        let headers = |value: &'static str| {
            [(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]
                .into_iter()
                .collect::<HeaderMap>()
        };
        assert!(takes_brotli(&headers("gzip, br;q=0.5")) && takes_brotli(&headers("br")));
        assert!(!takes_brotli(&headers("gzip")) && !takes_brotli(&headers("br;q=0")));
    }
}
