//! What a start refuses, with what to do: damaged rows, foreign keys, open folders, a second server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Home, Server, open, sql};

async fn stopped() -> Home {
    let (server, _) = Server::with_key().await;
    server.stop().await.0
}

async fn refusal(home: &Home) -> String {
    open(home, Default::default())
        .await
        .err()
        .expect("it started")
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_key_row_that_was_altered_or_moved_stops_the_start() {
    for damage in [
        "UPDATE scope_key SET sealed = CAST(substr(sealed, 1, 40) || x'0000000000000000' || substr(sealed, 49) AS BLOB)",
        "UPDATE scope_key SET sealed = substr(sealed, 1, 150)",
        "UPDATE scope_key SET epoch = 2",
        "UPDATE scope_key SET scope = 'other'",
        "UPDATE scope_key SET id = 'other'",
        "UPDATE scope_key SET recipient = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq'",
        "PRAGMA foreign_keys = off; UPDATE scope_key SET organisation = 'other'",
    ] {
        let home = stopped().await;
        sql(&home, damage).await;
        let text = refusal(&home).await;
        assert!(text.contains("restore"), "{damage}: {text}");
    }
}

#[tokio::test]
async fn a_sealed_key_from_another_row_does_not_open() {
    let (one, two) = (stopped().await, stopped().await);
    let attach = format!(
        "ATTACH '{}' AS other; UPDATE scope_key SET sealed = (SELECT sealed FROM other.scope_key)",
        two.data().join("stackseal.db").display()
    );
    sql(&one, &attach).await;
    assert!(refusal(&one).await.contains("does not open"));
}

#[tokio::test]
async fn a_key_row_cannot_be_set_back_to_an_earlier_state() {
    let home = stopped().await;
    // the row of an unproven key is dropped at the start; its sealed record would not open as active
    sql(&home, "UPDATE scope_key SET state = 'generated'").await;
    let state = open(&home, Default::default()).await.unwrap();
    state.close().await;
    drop(state);
    let server = Server::start(home, Default::default()).await;
    assert_eq!(
        server.get("/api/v1/organisation").await.expect(200)["encryption"],
        Value::Null
    );
}

#[tokio::test]
async fn the_root_key_must_be_there_ours_and_private() {
    let home = stopped().await;
    let path = home.data().join("root.key");
    let key = std::fs::read(&path).unwrap();
    assert_eq!(
        (
            key.len(),
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777
        ),
        (32, 0o600)
    );
    mode(&path, 0o644);
    assert!(refusal(&home).await.contains("mode to 0600"));
    mode(&path, 0o600);
    std::fs::write(&path, &key[..31]).unwrap();
    assert!(refusal(&home).await.contains("32 bytes"));
    std::fs::write(&path, [0; 32]).unwrap();
    assert!(refusal(&home).await.contains("does not open"));
    std::fs::remove_file(&path).unwrap();
    assert!(refusal(&home).await.contains("is missing"));
    assert!(
        !path.exists(),
        "a new root key must not take the place of a lost one"
    );
    std::fs::write(&path, &key).unwrap();
    mode(&path, 0o600);
    open(&home, Default::default()).await.unwrap();
}

#[tokio::test]
async fn a_data_folder_that_others_can_read_is_refused() {
    let home = stopped().await;
    mode(&home.data(), 0o750);
    assert!(refusal(&home).await.contains("mode to 0700"));
}

#[tokio::test]
async fn two_servers_never_share_a_folder() {
    let server = Server::new().await;
    let text = open(&server.home, Default::default()).await.err().unwrap();
    assert!(text.contains("another server"), "{text}");
}

#[tokio::test]
async fn a_database_of_a_later_version_or_a_damaged_one_is_left_alone() {
    let home = stopped().await;
    sql(&home, "INSERT INTO migration (version) VALUES (999)").await;
    assert!(refusal(&home).await.contains("start the newer program"));
    let home = stopped().await;
    let path = home.data().join("stackseal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 8192);
    for byte in &mut bytes[4096..] {
        *byte = 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    refusal(&home).await;
}

#[tokio::test]
async fn the_key_is_made_once_and_only_for_a_named_organisation() {
    let server = Server::new().await;
    let make = || server.post("/api/v1/organisation/encryption", &Value::Null);
    assert_eq!(make().await.code(), "organisation-missing");
    server
        .put("/api/v1/organisation", &json!({"name": "Acme"}))
        .await
        .expect(200);
    let answers = tokio::join!(make(), make(), make());
    let mut statuses = [answers.0, answers.1, answers.2].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    let organisation = server.get("/api/v1/organisation").await.expect(200);
    let server = server.restart().await;
    assert_eq!(
        server.get("/api/v1/organisation").await.expect(200),
        organisation
    );
    // renaming keeps the key
    let renamed = server
        .put("/api/v1/organisation", &json!({"name": "Acme & Sons"}))
        .await
        .expect(200);
    assert_eq!(renamed["encryption"], organisation["encryption"]);
}
