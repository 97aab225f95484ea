//! What every answer carries, whatever its route and status.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Server};

/// Each route of the wire contract, read from its source so that none is forgotten.
pub fn routes() -> Vec<String> {
    let source = include_str!("../../model/src/api.rs");
    let table = source
        .split("pub mod routes {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let lines = table
        .lines()
        .filter(|line| line.trim_start().starts_with("pub const "));
    let routes: Vec<_> = lines.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(routes.len() >= 10, "{routes:?}");
    routes
        .into_iter()
        .map(|route| route.replace("{stack}", "none").replace("{save}", "none"))
        .collect()
}

fn assert_secure(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{what}: {policy}"
    );
    for (name, value) in [
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        (
            "strict-transport-security",
            "max-age=63072000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{what}"
    );
    assert_eq!(answer.header("x-request-id").len(), 32, "{what}");
    for (name, _) in &answer.headers {
        assert!(
            !name.as_str().starts_with("access-control-"),
            "{what}: {name}"
        );
    }
}

fn assert_problem(answer: &Answer, what: &str) {
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
    let problem = answer.json();
    for field in ["type", "title", "code", "detail", "request_id"] {
        assert!(
            !problem[field].as_str().unwrap_or_default().is_empty(),
            "{what}: {field} in {problem}"
        );
    }
    assert_eq!(problem["status"], answer.status.as_u16(), "{what}");
    assert_eq!(
        problem["request_id"],
        answer.header("x-request-id"),
        "{what}"
    );
    assert_eq!(
        problem["type"],
        format!("/docs/errors#{}", answer.code()),
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
}

#[tokio::test]
async fn every_route_and_status_has_the_headers_and_every_error_is_a_problem() {
    let mut server = Server::new().await;
    let mut seen = BTreeSet::new();
    let mut paths = routes();
    paths.extend(
        [
            "/",
            "/signin",
            "/missing.js",
            "/api/v1/none",
            "/api",
            "/../x.js",
        ]
        .map(str::to_owned),
    );
    for signed_in in [true, false] {
        if !signed_in {
            server.cookie.clear();
        }
        for path in &paths {
            for method in [
                "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
            ] {
                // signing out would end the run
                if signed_in && method == "DELETE" && path.ends_with("/session") {
                    continue;
                }
                let body = ["POST", "PUT", "PATCH"]
                    .contains(&method)
                    .then(|| json!({"x": 1}));
                let answer = server
                    .send(server.request(method, path, body.as_ref()))
                    .await;
                let what = format!("{method} {path} ({signed_in}) {}", answer.status);
                assert_secure(&answer, &what);
                seen.insert(answer.status.as_u16());
                if answer.status.as_u16() >= 400 && method != "HEAD" {
                    assert_problem(&answer, &what);
                }
                if path.starts_with("/api/") {
                    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
                }
                assert!(answer.status.as_u16() < 500, "{what}");
            }
        }
    }
    for status in [200, 400, 401, 404, 405, 409] {
        assert!(seen.contains(&status), "no answer had {status}: {seen:?}");
    }
}

#[tokio::test]
async fn anonymous_requests_get_nothing_from_any_api_route() {
    let mut server = Server::new().await;
    server.cookie.clear();
    for path in routes().iter().filter(|path| path.starts_with("/api/")) {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let body = (method != "GET").then(|| json!({}));
            let answer = server
                .send(server.request(method, path, body.as_ref()))
                .await;
            let signs_in = method == "POST" && path == "/api/v1/session";
            let expected: &[u16] = if signs_in { &[400] } else { &[401, 405] };
            assert!(
                expected.contains(&answer.status.as_u16()),
                "{method} {path}: {}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_of_its_route_is_refused() {
    let server = Server::new().await;
    let big = json!({"name": "x".repeat(17 * 1024)});
    let answer = server.put("/api/v1/organisation", &big).await;
    assert_secure(&answer, "413");
    assert_problem(&answer, "413");
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "body-too-large")
    );
    let huge = json!({"stack": "db", "files": [], "description": "x".repeat(9 << 20)});
    assert_eq!(server.save(&huge).await.code(), "body-too-large");
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_without_being_repeated() {
    let server = Server::new().await;
    for body in [
        json!([]),
        json!("canary"),
        json!({"name": 7, "canary": 1}),
        json!({"name": {"canary": 1}}),
        Value::Bool(true),
    ] {
        let answer = server.put("/api/v1/organisation", &body).await;
        assert_problem(&answer, "400");
        assert_eq!(answer.code(), "request-invalid");
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    }
    let answer = server
        .put("/api/v1/organisation", &json!({"name": "a\nb"}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (422, "name-invalid")
    );
}

#[tokio::test]
async fn a_server_without_its_page_says_so() {
    let server = Server::new().await;
    let answer = server.get("/").await;
    // with a page at build time this is the page itself
    if answer.status.as_u16() == 200 {
        assert!(answer.header("content-type").starts_with("text/html"));
        assert_eq!(answer.header("cache-control"), "no-cache");
    } else {
        assert_eq!(answer.code(), "page-missing");
    }
}

#[tokio::test]
async fn health_needs_nobody_and_no_host() {
    let server = Server::new().await;
    for path in ["/livez", "/readyz"] {
        let request = axum::http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(server.send(request).await.status.as_u16(), 200, "{path}");
    }
    let ready = server.get("/readyz").await.expect(200);
    assert_eq!(ready["ready"], true, "{ready}");
}
