//! Releasing a data key: only this file's, only from the branch, only to the one-time recipient, and
//! never before the audit trail has it.

use serde_json::{Value, json};
use stackseal_core::document::{Document, Encrypted};
use stackseal_core::{DataKey, Identity, Limits, Recipient};

use crate::harness::{
    Answer, Server, git, manifest, path_of, push_as_other, random, seal, secret, sql,
};

async fn with_file() -> (Server, Recipient, Value) {
    let (server, recipient) = Server::with_key().await;
    let text = seal(&secret("open me"), &["password"], &recipient);
    server
        .saved(vec![manifest("creds", &["password"], &text, None)])
        .await;
    let member = server.member("creds").await;
    (server, recipient, member)
}

fn asked(member: &Value, to: &Recipient) -> Value {
    json!({
        "path": member["path"], "commit": member["commit"], "blob": member["blob"],
        "purpose": "reveal", "recipient": to.as_str(),
    })
}

async fn unwrap(server: &Server, member: &Value) -> Answer {
    let to = Identity::generate(&mut random()).unwrap().recipient();
    server.post("/api/v1/unwraps", &asked(member, &to)).await
}

/// Asserts a refusal that released nothing.
async fn refused(server: &Server, member: &Value, status: u16, code: &str) {
    let answer = unwrap(server, member).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (status, code)
    );
    assert!(!String::from_utf8_lossy(&answer.body).contains("BEGIN AGE"));
}

/// A file of somebody else on the branch, as a member of the stack would name it.
fn file(server: &Server, path: &str, text: &str) -> Value {
    let commit = push_as_other(&server.home, &[(path, text)]);
    let blob = git(
        &server.home.remote(),
        &["rev-parse", &format!("{commit}:{path}")],
    );
    json!({"path": path, "commit": commit, "blob": blob.trim(), "text": text})
}

#[tokio::test]
async fn the_data_key_comes_wrapped_to_the_tab_and_opens_the_file() {
    let (server, _, member) = with_file().await;
    let own = Identity::generate(&mut random()).unwrap();
    let before = server.count("audit").await;
    let answer = server
        .post("/api/v1/unwraps", &asked(&member, &own.recipient()))
        .await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let unwrapped = answer.expect(200);
    assert_eq!(server.count("audit").await, before + 1);
    assert_eq!(
        server
            .count("audit WHERE record LIKE '%data-key.released%' AND record LIKE '%reveal%'")
            .await,
        1
    );
    let id = unwrapped["audit_id"].as_str().unwrap();
    assert_eq!(
        server
            .count(&format!("audit WHERE record LIKE '%{id}%'"))
            .await,
        1
    );
    let wrapped = unwrapped["wrapped_data_key"].as_str().unwrap();
    let stranger = Identity::generate(&mut random()).unwrap();
    assert!(DataKey::unwrap(wrapped, &[stranger]).is_err());
    let data_key = DataKey::unwrap(wrapped, &[own]).unwrap();
    let sealed = Document::<Encrypted>::parse(
        member["text"].as_str().unwrap().as_bytes(),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        sealed.open(&data_key).unwrap().plain().text(),
        secret("open me")
    );
}

#[tokio::test]
async fn an_earlier_commit_of_the_branch_opens_and_one_beside_it_does_not() {
    let (server, _, member) = with_file().await;
    server.saved(vec![manifest("n", &[], "a: 1\n", None)]).await;
    unwrap(&server, &member).await.expect(200);
    // a commit that is in the clone's reach but not on the branch
    push_as_other(&server.home, &[]);
    let work = server.home.path().join("other");
    git(&work, &["checkout", "--quiet", "-b", "side"]);
    git(
        &work,
        &["commit", "--quiet", "--allow-empty", "-m", "beside"],
    );
    git(&work, &["push", "--quiet", "origin", "side"]);
    let side = git(&work, &["rev-parse", "HEAD"]);
    let clone = server.home.data().join("clone.git");
    git(
        &clone,
        &[
            "fetch",
            "--quiet",
            server.home.remote().to_str().unwrap(),
            "side:refs/other/side",
        ],
    );
    let beside = json!({"path": member["path"], "commit": side.trim(), "blob": member["blob"]});
    refused(&server, &beside, 404, "commit-unknown").await;
    for commit in [
        "",
        "main",
        "HEAD",
        &"0".repeat(40),
        &member["commit"].as_str().unwrap()[..12],
        "refs/heads/main",
    ] {
        let other = json!({"path": member["path"], "commit": commit, "blob": member["blob"]});
        refused(&server, &other, 404, "commit-unknown").await;
    }
}

#[tokio::test]
async fn a_commit_taken_off_the_branch_no_longer_opens() {
    let (server, _, member) = with_file().await;
    let work = server.home.path().join("fresh");
    git(server.home.path(), &["init", "--quiet", "fresh"]);
    git(
        &work,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "another history",
        ],
    );
    git(
        &work,
        &[
            "push",
            "--quiet",
            "--force",
            server.home.remote().to_str().unwrap(),
            "HEAD:main",
        ],
    );
    let head = server
        .save(&json!({"stack": "db", "files": [manifest("n", &[], "a: 1\n", None)]}))
        .await
        .expect(202);
    server.reaches(&head, "pushed").await;
    refused(&server, &member, 404, "commit-unknown").await;
}

#[tokio::test]
async fn another_blob_or_path_than_the_one_named_is_refused() {
    let (server, _, member) = with_file().await;
    let mut other = member.clone();
    other["blob"] = json!("0".repeat(40));
    refused(&server, &other, 409, "blob-mismatch").await;
    other["blob"] = json!(&member["blob"].as_str().unwrap()[..10]);
    refused(&server, &other, 409, "blob-mismatch").await;
    let mut other = member.clone();
    other["path"] = json!("clusters/main/cluster.yaml");
    refused(&server, &other, 409, "blob-mismatch").await;
    for path in ["../creds.yaml", "/etc/passwd", ".git/config", "", "a\0b"] {
        other["path"] = json!(path);
        refused(&server, &other, 422, "path-invalid").await;
    }
}

#[tokio::test]
async fn a_sops_block_pasted_into_another_file_releases_nothing() {
    let (server, recipient, member) = with_file().await;
    // the victim's block under a file of the attacker's own, on the branch
    let victim = member["text"].as_str().unwrap();
    let block = &victim[victim.find("sops:").unwrap()..];
    let pasted = file(
        &server,
        "clusters/main/mine.yaml",
        &format!("password: x\n{block}"),
    );
    refused(&server, &pasted, 422, "stanza-of-another-file").await;
    // and the whole file copied
    let copied = file(&server, &path_of("copied"), victim);
    refused(&server, &copied, 422, "stanza-of-another-file").await;
    assert_eq!(
        server
            .count("audit WHERE record LIKE '%data-key.refused%'")
            .await,
        2
    );
    // the wrapped key of one file with the MAC of another
    let other = seal(&secret("mine"), &["password"], &recipient);
    let (enc, mac) = (
        |text: &str| {
            text[text.find("-----BEGIN").unwrap()..text.find("-----END").unwrap()].to_owned()
        },
        "    mac: ",
    );
    let stolen = other.replace(&enc(&other), &enc(victim));
    assert!(stolen.contains(mac));
    let spliced = file(&server, &path_of("spliced"), &stolen);
    refused(&server, &spliced, 422, "stanza-of-another-file").await;
    unwrap(&server, &member).await.expect(200);
}

#[tokio::test]
async fn a_data_key_that_is_not_the_documents_is_not_released() {
    let (server, recipient, _) = with_file().await;
    // a fresh data key wrapped to our recipient in a file that it did not seal
    let text = seal(&secret("x"), &["password"], &recipient);
    let enc = |text: &str| {
        text[text.find("-----BEGIN").unwrap()..text.find("-----END").unwrap()].to_owned()
    };
    let other = seal(&secret("y"), &["password"], &recipient);
    let forged = file(
        &server,
        &path_of("forged"),
        &text.replace(&enc(&text), &enc(&other)),
    );
    refused(&server, &forged, 422, "mac-mismatch").await;
}

#[tokio::test]
async fn a_file_of_another_key_is_named_by_its_fingerprint() {
    let (server, _, _) = with_file().await;
    let theirs = Identity::generate(&mut random()).unwrap().recipient();
    let foreign = file(
        &server,
        &path_of("foreign"),
        &seal(&secret("x"), &["password"], &theirs),
    );
    let answer = unwrap(&server, &foreign).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (422, "recipient-foreign")
    );
    let plain = file(&server, &path_of("plain"), "a: 1\n");
    assert_eq!(unwrap(&server, &plain).await.code(), "metadata-invalid");
}

#[tokio::test]
async fn only_a_native_recipient_is_wrapped_to() {
    let (server, _, member) = with_file().await;
    for bad in [
        "",
        "age1",
        "age1yubikey1qqqqqq",
        "ssh-ed25519 AAAA",
        &"age1".repeat(20),
        "AGE-SECRET-KEY-1",
    ] {
        let mut body = asked(
            &member,
            &Identity::generate(&mut random()).unwrap().recipient(),
        );
        body["recipient"] = json!(bad);
        let answer = server.post("/api/v1/unwraps", &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (422, "invalid-recipient"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn nothing_is_released_when_the_audit_trail_cannot_be_written() {
    let (server, _, member) = with_file().await;
    server.sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END").await;
    refused(&server, &member, 503, "audit-unavailable").await;
    // a save is refused as well: what cannot be recorded does not happen
    let body = json!({"stack": "db", "files": [manifest("n", &[], "a: 1\n", None)]});
    assert_eq!(server.save(&body).await.status.as_u16(), 503);
    assert_eq!(server.count("save").await, 1);
    server.sql("DROP TRIGGER full").await;
    unwrap(&server, &member).await.expect(200);
}

#[tokio::test]
async fn a_broken_audit_chain_stops_every_release() {
    for damage in [
        "UPDATE audit SET record = replace(record, 'owner', 'other') WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 99 WHERE seq = (SELECT max(seq) FROM audit)",
        "UPDATE audit SET hash = zeroblob(32) WHERE seq = 1",
    ] {
        let (server, _, member) = with_file().await;
        let (home, clock) = server.stop().await;
        sql(&home, damage).await;
        let server = Server::start(home, clock).await;
        refused(&server, &member, 503, "audit-unavailable").await;
        let ready = server.get("/readyz").await.expect(503);
        assert_eq!(ready["ready"], false, "{damage}");
    }
}

#[tokio::test]
async fn opening_everything_at_once_is_slowed_down() {
    let (server, _, member) = with_file().await;
    let to = Identity::generate(&mut random()).unwrap().recipient();
    let body = asked(&member, &to);
    for _ in 0..120 {
        server.post("/api/v1/unwraps", &body).await.expect(200);
    }
    let answer = server.post("/api/v1/unwraps", &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (429, "too-many-requests")
    );
}
