//! Only our own page changes anything, and only under our own address.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{HOST, ORIGIN, Server};
use crate::headers::routes;

/// A request with exactly these headers, signed in.
fn bare(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("cookie", format!("__Host-stackseal={}", server.cookie));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.header("content-length", body.len());
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const OURS: (&str, &str) = ("x-stackseal", "1");
const OWN: (&str, &str) = ("host", HOST);
const BODY: &str = "{\"name\": \"Evil\"}";

#[tokio::test]
async fn what_a_foreign_page_can_send_changes_nothing() {
    let server = Server::new().await;
    let origin = ("origin", ORIGIN);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[OWN, JSON], "cross-origin"),
        (&[OWN, JSON, origin], "cross-origin"),
        (&[OWN, JSON, OURS], "cross-origin"),
        (
            &[OWN, JSON, OURS, ("origin", "http://evil.example")],
            "cross-origin",
        ),
        (&[OWN, JSON, OURS, ("origin", "null")], "cross-origin"),
        (&[OWN, JSON, OURS, ("origin", "")], "cross-origin"),
        (
            &[OWN, JSON, OURS, ("origin", "https://127.0.0.1:8080")],
            "cross-origin",
        ),
        (
            &[OWN, JSON, OURS, ("origin", "http://127.0.0.1:8081")],
            "cross-origin",
        ),
        (
            &[OWN, JSON, OURS, ("origin", "http://127.0.0.1")],
            "cross-origin",
        ),
        (
            &[
                OWN,
                JSON,
                OURS,
                ("origin", "http://127.0.0.1:8080.evil.example"),
            ],
            "cross-origin",
        ),
        (
            &[OWN, JSON, OURS, origin, ("sec-fetch-site", "cross-site")],
            "cross-origin",
        ),
        (
            &[OWN, JSON, OURS, origin, ("sec-fetch-site", "same-site")],
            "cross-origin",
        ),
        (
            &[OWN, JSON, OURS, ("sec-fetch-site", "none")],
            "cross-origin",
        ),
        (&[OWN, OURS, origin], "content-type-unsupported"),
        (
            &[OWN, OURS, origin, ("content-type", "text/plain")],
            "content-type-unsupported",
        ),
        (
            &[
                OWN,
                OURS,
                origin,
                ("content-type", "text/plain; application/json"),
            ],
            "content-type-unsupported",
        ),
        (
            &[
                OWN,
                OURS,
                origin,
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            "content-type-unsupported",
        ),
        (
            &[
                OWN,
                OURS,
                origin,
                ("content-type", "multipart/form-data; boundary=x"),
            ],
            "content-type-unsupported",
        ),
        (
            &[
                ("host", "evil.example"),
                JSON,
                OURS,
                ("origin", "http://evil.example"),
            ],
            "host-unknown",
        ),
        (
            &[("host", "evil.example"), JSON, OURS, origin],
            "host-unknown",
        ),
        (&[JSON, OURS, origin], "host-unknown"),
    ];
    for (headers, code) in cases {
        let request = bare(&server, "PUT", "/api/v1/organisation", headers, BODY);
        assert_eq!(server.send(request).await.code(), *code, "{headers:?}");
    }
    assert_eq!(server.count("organisation").await, 0);
    for headers in [
        &[OWN, JSON, OURS, origin][..],
        &[OWN, JSON, OURS, ("sec-fetch-site", "same-origin")],
    ] {
        let request = bare(&server, "PUT", "/api/v1/organisation", headers, BODY);
        assert_eq!(
            server.send(request).await.status.as_u16(),
            200,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn every_route_that_changes_something_is_closed_to_other_origins() {
    let server = Server::new().await;
    for path in routes() {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            for headers in [
                &[OWN, JSON][..],
                &[OWN, JSON, OURS, ("origin", "http://evil.example")],
            ] {
                let answer = server
                    .send(bare(&server, method, &path, headers, "{}"))
                    .await;
                assert_eq!(answer.code(), "cross-origin", "{method} {path}");
            }
        }
    }
    assert!(server.get("/api/v1/session").await.status.is_success());
}

#[tokio::test]
async fn reading_changes_nothing_and_a_foreign_host_reads_nothing() {
    let server = Server::new().await;
    let audit = server.count("audit").await;
    for path in routes() {
        for method in ["GET", "HEAD"] {
            server.send(server.request(method, &path, None)).await;
        }
        if path.starts_with("/api/") {
            let request = bare(
                &server,
                "GET",
                &path,
                &[("host", "rebound.example:8080")],
                "",
            );
            assert_eq!(server.send(request).await.code(), "host-unknown", "{path}");
        }
    }
    assert_eq!(server.count("audit").await, audit);
    assert_eq!(
        server.count("save").await + server.count("organisation").await,
        0
    );
}

#[tokio::test]
async fn a_change_without_a_body_needs_no_content_type() {
    let server = Server::new().await;
    server
        .put("/api/v1/organisation", &json!({"name": "Acme"}))
        .await
        .expect(200);
    let headers = [OWN, OURS, ("origin", ORIGIN), ("content-length", "0")];
    let request = bare(
        &server,
        "POST",
        "/api/v1/organisation/encryption",
        &headers,
        "",
    );
    assert_eq!(server.send(request).await.status.as_u16(), 201);
}
