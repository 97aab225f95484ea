//! The sign-in link, the session, and their ends.

use serde_json::json;

use crate::harness::{Server, cookie};

#[tokio::test]
async fn a_link_works_once() {
    let mut server = Server::new().await;
    let token = server.link().await;
    server.cookie.clear();
    let body = json!({"token": token});
    let answer = server.post("/api/v1/session", &body).await;
    let line = answer.header("set-cookie").to_owned();
    assert!(
        line.starts_with("__Host-stackseal=")
            && line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"),
        "{line}"
    );
    assert_eq!(cookie(&answer).len(), 64);
    assert_ne!(cookie(&answer), token);
    assert_eq!(
        answer.expect(201),
        json!({"actor": "owner", "organisation": null})
    );
    let again = server.post("/api/v1/session", &body).await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (401, "sign-in-refused")
    );
    assert!(again.header("set-cookie").is_empty());
}

#[tokio::test]
async fn a_link_ends_after_a_day_and_with_the_next_start() {
    let server = Server::new().await;
    let token = server.link().await;
    server.clock.advance(24 * 60 * 60);
    assert_eq!(
        server
            .post("/api/v1/session", &json!({"token": token}))
            .await
            .code(),
        "sign-in-refused"
    );
    let token = server.link().await;
    let server = server.restart().await;
    assert_eq!(
        server
            .post("/api/v1/session", &json!({"token": token}))
            .await
            .code(),
        "sign-in-refused"
    );
    for token in ["", "x", &"0".repeat(64)] {
        assert_eq!(
            server
                .post("/api/v1/session", &json!({"token": token}))
                .await
                .code(),
            "sign-in-refused"
        );
    }
}

#[tokio::test]
async fn a_session_ends_after_half_an_hour_without_a_request() {
    let server = Server::new().await;
    for _ in 0..4 {
        server.clock.advance(29 * 60);
        server.get("/api/v1/session").await.expect(200);
    }
    server.clock.advance(30 * 60);
    let answer = server.get("/api/v1/session").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "session-missing")
    );
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy() {
    let server = Server::new().await;
    for _ in 0..(12 * 60 / 20 - 1) {
        server.clock.advance(20 * 60);
        server.get("/api/v1/session").await.expect(200);
    }
    server.clock.advance(20 * 60);
    assert_eq!(
        server.get("/api/v1/session").await.code(),
        "session-missing"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_at_the_server() {
    let server = Server::new().await;
    let answer = server.delete("/api/v1/session").await;
    assert_eq!(answer.status.as_u16(), 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(
        answer.header("clear-site-data"),
        "\"cache\", \"cookies\", \"storage\""
    );
    assert_eq!(
        server.get("/api/v1/session").await.code(),
        "session-missing"
    );
    assert_eq!(server.count("session").await, 0);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let mut server = Server::new().await;
    let earlier = server.cookie.clone();
    server.sign_in().await;
    assert_ne!(server.cookie, earlier);
    server.get("/api/v1/session").await.expect(200);
    server.cookie = earlier;
    assert_eq!(
        server.get("/api/v1/session").await.code(),
        "session-missing"
    );
}

#[tokio::test]
async fn sessions_outlive_a_restart_and_their_tokens_are_nowhere_on_the_disk() {
    let mut server = Server::new().await;
    let (link, session) = (server.link().await, server.cookie.clone());
    server = server.restart().await;
    server.cookie = session.clone();
    server.get("/api/v1/session").await.expect(200);
    for token in [link, session] {
        crate::guard::assert_absent(&server.home, &token);
    }
}
