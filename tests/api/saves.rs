//! A save from the request to the remote: once, whole, and with nothing else changed.

use serde_json::{Value, json};
use stackseal_core::document::{Document, Encrypted, Plain};
use stackseal_core::marks::Mark;
use stackseal_core::{DataKey, Identity, Limits, Sealing, Timestamp};

use crate::harness::{
    CLUSTER, NOW, Server, at_head, commits_of, fresh_key, git, manifest, path_of, push_as_other,
    random, seal, secret,
};

#[tokio::test]
async fn a_save_becomes_one_commit_with_trailers_and_nothing_of_a_persons_text() {
    let (server, recipient) = Server::with_key().await;
    let text = seal(&secret("p"), &["password"], &recipient);
    let body = json!({"stack": "db", "description": "a\nSave-Id: forged [skip ci]", "files": [manifest("creds", &["password"], &text, None)]});
    let answer = server.save(&body).await;
    let save = answer.json();
    let id = save["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/saves/{id}"));
    assert_eq!(
        save["steps"],
        json!([{"state": "accepted", "at": "2026-09-21T14:13:20Z"}])
    );
    let save = server.reaches(&save, "pushed").await;
    let states: Vec<_> = save["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["accepted", "committed", "pushed"]);
    assert_eq!(save["files"][0]["path"], path_of("creds"));
    let remote = server.home.remote();
    let message = git(
        &remote,
        &["log", "-1", "--format=%an <%ae>|%cn <%ce>|%B", "main"],
    );
    let expected = format!(
        "Stackseal <stackseal@localhost>|Stackseal <stackseal@localhost>|db: save 1 file\n\nStack: db\nActor: owner\nSave-Id: {id}\n"
    );
    assert_eq!(message.trim_end(), expected.trim_end());
    assert_eq!(save["commit"], git(&remote, &["rev-parse", "main"]).trim());
    assert_eq!(
        save["files"][0]["blob"],
        git(
            &remote,
            &["rev-parse", &format!("main:{}", path_of("creds"))]
        )
        .trim()
    );
    assert_eq!(at_head(&server.home, &path_of("creds")), text);
    git(&remote, &["fsck", "--strict"]);
    // the clone keeps no reference of a save that is done
    let pins = git(
        &server.home.data().join("clone.git"),
        &["for-each-ref", "--format=%(refname)"],
    );
    assert_eq!(pins, "refs/stackseal/remote\n");
}

#[tokio::test]
async fn editing_one_value_changes_its_line_the_mac_and_the_time() {
    let (server, recipient) = Server::with_key().await;
    let config = "# the database\nkind: Secret\nstringData:\n  user: app # plain\n  password: one\n  token: two\n";
    let text = seal(config, &["password", "token"], &recipient);
    let first = server
        .saved(vec![manifest("creds", &["password", "token"], &text, None)])
        .await;
    let member = server.member("creds").await;
    // as the page: ask for the data key, open, change, seal again
    let own = Identity::generate(&mut random()).unwrap();
    let asked = json!({
        "path": member["path"], "commit": member["commit"], "blob": member["blob"],
        "purpose": "edit", "recipient": own.recipient().as_str(),
    });
    let unwrapped = server.post("/api/v1/unwraps", &asked).await.expect(200);
    let data_key =
        DataKey::unwrap(unwrapped["wrapped_data_key"].as_str().unwrap(), &[own]).unwrap();
    let sealed = Document::<Encrypted>::parse(
        member["text"].as_str().unwrap().as_bytes(),
        &Limits::default(),
    )
    .unwrap();
    let opened = sealed.open(&data_key).unwrap();
    assert_eq!(opened.plain().text(), config);
    let changed = config.replace("password: one", "password: three");
    let plain = Document::<Plain>::parse(changed.as_bytes(), &Limits::default()).unwrap();
    let marks = ["password", "token"].map(|mark| Mark::parse(mark).unwrap());
    let analysis = stackseal_core::marks::analyse(&plain, &marks);
    let sealing = Sealing {
        recipients: std::slice::from_ref(&recipient),
        selector: analysis.rule().unwrap(),
        now: Timestamp::from_unix(NOW + 60).unwrap(),
        random: &mut random(),
    };
    let again = opened.reseal(&plain, sealing).unwrap();
    let base = first["files"][0]["blob"].as_str();
    let second = server
        .saved(vec![manifest(
            "creds",
            &["password", "token"],
            again.text(),
            base,
        )])
        .await;
    let commit = second["commit"].as_str().unwrap();
    let diff = git(
        &server.home.remote(),
        &["show", "--format=", "--unified=0", commit],
    );
    let came: Vec<_> = diff
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
        .collect();
    assert_eq!(came.len(), 3, "{diff}");
    assert!(
        came[0].starts_with("+  password: ENC[")
            && came[1].contains("lastmodified:")
            && came[2].contains("mac: ENC[")
    );
    assert_eq!(
        git(
            &server.home.remote(),
            &["show", "--format=", "--name-only", commit]
        )
        .lines()
        .count(),
        1
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_save() {
    let (server, recipient) = Server::with_key().await;
    let text = seal(&secret("p"), &["password"], &recipient);
    let body = json!({"stack": "db", "files": [manifest("creds", &["password"], &text, None)]});
    let key = fresh_key();
    let first = server.save_as(&key, &body).await.expect(202);
    let second = server.save_as(&key, &body).await.expect(202);
    assert_eq!(first["id"], second["id"]);
    server.reaches(&first, "pushed").await;
    let third = server.save_as(&key, &body).await.expect(202);
    assert_eq!(
        (&third["id"], &third["state"]),
        (&first["id"], &json!("pushed"))
    );
    let other = json!({"stack": "db", "files": [manifest("other", &[], "a: 1\n", None)]});
    let answer = server.save_as(&key, &other).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (422, "idempotency-mismatch")
    );
    for key in ["short", &"x".repeat(65), "0123456789abcde!"] {
        assert_eq!(
            server.save_as(key, &body).await.code(),
            "idempotency-key-invalid"
        );
    }
    assert_eq!(
        server.post("/api/v1/saves", &body).await.code(),
        "idempotency-key-invalid"
    );
    let server = server.restart().await;
    assert_eq!(
        server.save_as(&key, &body).await.expect(202)["id"],
        first["id"]
    );
    assert_eq!(commits_of(&server.home, &first), 1);
    assert_eq!(server.home.commits(), 1);
}

#[tokio::test]
async fn the_same_key_at_the_same_moment_is_one_save() {
    let (server, _) = Server::with_key().await;
    let body = json!({"stack": "db", "files": [manifest("m", &[], "a: 1\n", None)]});
    let key = fresh_key();
    let answers = tokio::join!(
        server.save_as(&key, &body),
        server.save_as(&key, &body),
        server.save_as(&key, &body),
        server.save_as(&key, &body),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3].map(|answer| answer.expect(202));
    assert!(
        answers.iter().all(|save| save["id"] == answers[0]["id"]),
        "{answers:?}"
    );
    server.reaches(&answers[0], "pushed").await;
    assert_eq!(server.count("save").await, 1);
}

#[tokio::test]
async fn a_save_of_what_is_there_makes_no_commit() {
    let (server, _) = Server::with_key().await;
    let first = server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let base = first["files"][0]["blob"].as_str();
    let second = server.saved(vec![manifest("m", &[], "a: 1\n", base)]).await;
    assert_eq!(second["commit"], first["commit"]);
    assert_eq!(server.home.commits(), 1);
}

#[tokio::test]
async fn saves_are_pushed_in_the_order_accepted_and_build_on_each_other() {
    let (server, _) = Server::with_key().await;
    let mut base: Option<String> = None;
    let mut last = Value::Null;
    for n in 0..10 {
        let file = manifest("m", &[], &format!("a: {n}\n"), base.as_deref());
        last = server
            .save(&json!({"stack": "db", "files": [file]}))
            .await
            .expect(202);
        base = last["files"][0]["blob"].as_str().map(str::to_owned);
    }
    server.reaches(&last, "pushed").await;
    assert_eq!(at_head(&server.home, &path_of("m")), "a: 9\n");
    assert_eq!(server.home.commits(), 10);
    let list = server.get("/api/v1/saves").await.expect(200);
    let states: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|save| save["state"].clone())
        .collect();
    assert_eq!(states, vec![json!("pushed"); 10]);
    assert_eq!(list[0]["id"], last["id"]);
}

#[tokio::test]
async fn an_executable_file_stays_executable() {
    let (server, _) = Server::with_key().await;
    let home = &server.home;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    push_as_other(home, &[]);
    let work = home.path().join("other");
    git(&work, &["update-index", "--chmod=+x", &path_of("m")]);
    git(&work, &["commit", "--quiet", "-m", "mode"]);
    git(&work, &["push", "--quiet", "origin", "main"]);
    let base = git(
        &home.remote(),
        &["rev-parse", &format!("main:{}", path_of("m"))],
    );
    server
        .saved(vec![manifest("m", &[], "a: 2\n", Some(base.trim()))])
        .await;
    let listed = git(&home.remote(), &["ls-tree", "main", &path_of("m")]);
    assert!(listed.starts_with("100755 blob "), "{listed}");
}

#[tokio::test]
async fn unfinished_saves_are_resumed_at_the_next_start() {
    let (server, _) = Server::with_key().await;
    server.home.take_remote_away();
    let mut saves = Vec::new();
    for n in 0..3 {
        let file = manifest(&format!("m{n}"), &[], "a: 1\n", None);
        saves.push(
            server
                .save(&json!({"stack": "db", "files": [file]}))
                .await
                .expect(202),
        );
    }
    for save in &saves {
        let save = server.reaches(save, "pending").await;
        assert_eq!(save["reason"]["code"], "remote-unreachable", "{save}");
    }
    let (home, clock) = server.stop().await;
    home.bring_remote_back();
    let server = Server::start(home, clock).await;
    for save in &saves {
        server.reaches(save, "pushed").await;
        assert_eq!(commits_of(&server.home, save), 1);
    }
}

#[tokio::test]
async fn a_clock_that_went_back_makes_no_child_older_than_its_parent() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    server.clock.advance(-3600);
    server.saved(vec![manifest("n", &[], "a: 1\n", None)]).await;
    let times = git(&server.home.remote(), &["log", "--format=%ct", "main"]);
    assert_eq!(times, format!("{NOW}\n{NOW}\n"));
}

#[tokio::test]
async fn the_answer_waits_for_no_remote() {
    let (server, _) = Server::with_key().await;
    // the remote takes the push only once the test lets it
    let go = server.home.path().join("go");
    let script = format!("until [ -e {} ]; do sleep 0.02; done", go.display());
    crate::harness::hook(&server.home, "pre-receive", &script);
    let body = json!({"stack": "db", "files": [manifest("m", &[], "a: 1\n", None)]});
    let save = server.save(&body).await.expect(202);
    server.reaches(&save, "committed").await;
    // reading does not wait for it either
    server.get("/api/v1/stacks/db").await.expect(200);
    std::fs::write(go, "").unwrap();
    server.reaches(&save, "pushed").await;
    assert!(at_head(&server.home, CLUSTER).contains("- name: m"));
}

/// A server with a save that the remote does not take.
async fn with_a_save_that_waits() -> (Server, Value) {
    let (server, _) = Server::with_key().await;
    crate::harness::hook(&server.home, "update", "exit 1");
    let body = json!({"stack": "db", "files": [manifest("m", &[], "a: 1\n", None)]});
    let save = server.save(&body).await.expect(202);
    let save = server.waits_with(&save, "remote-policy").await;
    (server, save)
}

#[tokio::test]
async fn a_discarded_save_leaves_no_text_behind() {
    let (server, save) = with_a_save_that_waits().await;
    assert_eq!(server.count("save_file WHERE length(text) > 0").await, 1);
    server.discard(&save).await.expect(200);
    assert_eq!(server.count("save_file WHERE length(text) > 0").await, 0);
}

#[tokio::test]
async fn saves_that_wait_may_not_fill_the_disk() {
    let (server, _) = with_a_save_that_waits().await;
    let fill = "UPDATE save_file SET text = zeroblob(256 * 1024 * 1024)";
    server.sql(fill).await;
    let next = json!({"stack": "db", "files": [manifest("n", &[], "b: 1\n", None)]});
    let answer = server.save(&next).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "journal-full")
    );
    assert_eq!(server.count("save").await, 1);
    server.sql("UPDATE save_file SET text = x''").await;
    server.save(&next).await.expect(202);
}
