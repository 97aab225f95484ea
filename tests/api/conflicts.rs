//! Other writers, rules of the remote, and remotes that go away: nothing is lost, doubled or overwritten.

use serde_json::{Value, json};

use crate::harness::{
    CLUSTER, Server, at_head, commits_of, git, hook, manifest, path_of, push_as_other, remove_hook,
};

fn one(name: &str, text: &str, base: Option<&str>) -> Value {
    json!({"stack": "db", "files": [manifest(name, &[], text, base)]})
}

#[tokio::test]
async fn another_writer_of_another_file_is_merged() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let theirs = push_as_other(
        &server.home,
        &[("docs/x.md", "hello\n"), (&path_of("n"), "b: 1\n")],
    );
    let base = server.member("m").await["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    let theirs_too = push_as_other(&server.home, &[("docs/y.md", "hello\n")]);
    server
        .saved(vec![manifest("m", &[], "a: 2\n", Some(&base))])
        .await;
    assert_eq!(at_head(&server.home, "docs/x.md"), "hello\n");
    assert_eq!(at_head(&server.home, &path_of("m")), "a: 2\n");
    let log = git(&server.home.remote(), &["log", "--format=%H", "main"]);
    assert!(log.contains(&theirs) && log.contains(&theirs_too));
    assert_eq!(
        git(
            &server.home.remote(),
            &["rev-list", "--merges", "--count", "main"]
        )
        .trim(),
        "0"
    );
}

#[tokio::test]
async fn another_writer_of_the_same_file_is_a_conflict_that_holds_up_nobody() {
    let (server, _) = Server::with_key().await;
    let base = server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await["files"][0]["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    push_as_other(&server.home, &[(&path_of("m"), "a: theirs\n")]);
    let conflicting = server
        .save(&one("m", "a: ours\n", Some(&base)))
        .await
        .expect(202);
    let other = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    let conflicting = server.reaches(&conflicting, "conflict").await;
    assert_eq!(conflicting["reason"]["code"], "conflict");
    assert_eq!(conflicting["reason"]["path"], path_of("m"));
    server.reaches(&other, "pushed").await;
    assert_eq!(at_head(&server.home, &path_of("m")), "a: theirs\n");
    // bringing the change over: the same text on the new base
    let newest = server.member("m").await;
    assert_eq!(newest["text"], "a: theirs\n");
    server
        .saved(vec![manifest(
            "m",
            &[],
            "a: both\n",
            newest["blob"].as_str(),
        )])
        .await;
    let path = format!("/api/v1/saves/{}", conflicting["id"].as_str().unwrap());
    assert_eq!(
        server
            .post(&format!("{path}/retry"), &Value::Null)
            .await
            .code(),
        "save-not-pending"
    );
    assert_eq!(server.delete(&path).await.expect(200)["state"], "discarded");
    assert_eq!(server.delete(&path).await.code(), "save-not-pending");
    let server = server.restart().await;
    assert_eq!(server.get(&path).await.expect(200)["state"], "discarded");
    assert_eq!(commits_of(&server.home, &conflicting), 0);
}

#[tokio::test]
async fn a_file_that_came_or_went_meanwhile_is_a_conflict() {
    let (server, _) = Server::with_key().await;
    let base = server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await["files"][0]["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    push_as_other(&server.home, &[(&path_of("n"), "b: theirs\n")]);
    let came = server.save(&one("n", "b: ours\n", None)).await.expect(202);
    server.reaches(&came, "conflict").await;
    push_as_other(&server.home, &[]);
    let work = server.home.path().join("other");
    git(&work, &["rm", "--quiet", &path_of("m")]);
    git(&work, &["commit", "--quiet", "-m", "remove"]);
    git(&work, &["push", "--quiet", "origin", "main"]);
    let went = server
        .save(&one("m", "a: 2\n", Some(&base)))
        .await
        .expect(202);
    server.reaches(&went, "conflict").await;
}

#[tokio::test]
async fn a_push_that_loses_the_race_is_made_again_on_the_new_head() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    // while our push is under way, somebody else's commit becomes the head; twice
    let theirs = push_as_other(&server.home, &[("x", "1\n")]);
    let more = push_as_other(&server.home, &[("y", "1\n")]);
    let base = git(
        &server.home.remote(),
        &["rev-parse", &format!("{theirs}~1")],
    );
    git(
        &server.home.remote(),
        &["update-ref", "refs/heads/main", base.trim()],
    );
    hook(
        &server.home,
        "pre-receive",
        &format!(
            "head=$(git rev-parse main)\nunset GIT_QUARANTINE_PATH\nif [ $head = {} ]; then git update-ref refs/heads/main {theirs}; elif [ $head = {theirs} ]; then git update-ref refs/heads/main {more}; fi",
            base.trim()
        ),
    );
    let save = server.saved(vec![manifest("n", &[], "b: 1\n", None)]).await;
    assert_eq!(commits_of(&server.home, &save), 1);
    let parent = git(&server.home.remote(), &["rev-parse", "main~1"]);
    assert_eq!(parent.trim(), more);
}

#[tokio::test]
async fn a_branch_that_never_stands_still_is_waited_for() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    // somebody is always a moment faster
    hook(
        &server.home,
        "pre-receive",
        "unset GIT_QUARANTINE_PATH\nexport GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\ngit update-ref refs/heads/main $(GIT_OBJECT_DIRECTORY=objects git commit-tree -p main -m faster 'main^{tree}')",
    );
    let save = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    let waiting = server.reaches(&save, "pending").await;
    assert_eq!(waiting["reason"]["code"], "remote-busy", "{waiting}");
    remove_hook(&server.home, "pre-receive");
    let path = format!("/api/v1/saves/{}/retry", save["id"].as_str().unwrap());
    server.post(&path, &Value::Null).await.expect(202);
    server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
}

#[tokio::test]
async fn a_hook_that_refuses_leaves_the_save_pending_until_a_person_retries() {
    let (server, _) = Server::with_key().await;
    hook(
        &server.home,
        "pre-receive",
        "echo 'ticket number missing' >&2; exit 1",
    );
    let refused = server.save(&one("m", "a: 1\n", None)).await.expect(202);
    let refused = server.reaches(&refused, "pending").await;
    assert_eq!(refused["reason"]["code"], "remote-policy");
    assert!(
        refused["reason"]["detail"]
            .as_str()
            .unwrap()
            .contains("ticket number missing"),
        "{refused}"
    );
    let path = format!("/api/v1/saves/{}", refused["id"].as_str().unwrap());
    remove_hook(&server.home, "pre-receive");
    server
        .post(&format!("{path}/retry"), &Value::Null)
        .await
        .expect(202);
    server.reaches(&refused, "pushed").await;
    assert_eq!(commits_of(&server.home, &refused), 1);
    assert_eq!(server.delete(&path).await.code(), "save-not-pending");
}

#[tokio::test]
async fn a_pending_save_can_be_discarded_and_stays_away() {
    let (server, _) = Server::with_key().await;
    hook(&server.home, "update", "exit 1");
    let refused = server.save(&one("m", "a: 1\n", None)).await.expect(202);
    server.reaches(&refused, "pending").await;
    let path = format!("/api/v1/saves/{}", refused["id"].as_str().unwrap());
    let discarded = server.delete(&path).await.expect(200);
    assert_eq!(
        (&discarded["state"], &discarded["reason"]),
        (&json!("discarded"), &Value::Null)
    );
    remove_hook(&server.home, "update");
    let server = server.restart().await;
    let next = server.saved(vec![manifest("n", &[], "b: 1\n", None)]).await;
    assert_eq!(commits_of(&server.home, &next), 1);
    assert!(!at_head(&server.home, CLUSTER).contains("name: m"));
}

#[tokio::test]
async fn a_connection_cut_after_the_update_is_found_out_and_not_repeated() {
    let (server, _) = Server::with_key().await;
    // the branch moves to the new commit, then the receiving side dies without an answer
    hook(
        &server.home,
        "pre-receive",
        "read old new ref\nunset GIT_QUARANTINE_PATH\ncp -r \"$GIT_OBJECT_DIRECTORY\"/. objects/\nGIT_OBJECT_DIRECTORY=objects git update-ref $ref $new\nkill -9 $PPID",
    );
    let save = server.save(&one("m", "a: 1\n", None)).await.expect(202);
    let save = server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
    assert_eq!(
        git(&server.home.remote(), &["rev-list", "--count", "main"]).trim(),
        "1"
    );
}

#[tokio::test]
async fn an_unreachable_remote_is_waited_for() {
    let (server, _) = Server::with_key().await;
    let away = server.home.path().join("away.git");
    std::fs::rename(server.home.remote(), &away).unwrap();
    let save = server.save(&one("m", "a: 1\n", None)).await.expect(202);
    let waiting = server.reaches(&save, "pending").await;
    assert_eq!(waiting["reason"]["code"], "remote-unreachable");
    let ready = server.get("/readyz").await.expect(200);
    assert!(
        ready["parts"]
            .as_array()
            .unwrap()
            .contains(&json!(["remote", "not reached at the last attempt"]))
    );
    std::fs::rename(&away, server.home.remote()).unwrap();
    // no retry by hand: it is tried again by itself
    server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
}

#[tokio::test]
async fn a_commit_that_somebody_takes_off_the_branch_is_not_put_back_by_itself() {
    let (server, _) = Server::with_key().await;
    let first = server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let base = first["commit"].as_str().unwrap();
    // right after the push was taken, the branch is moved back
    hook(
        &server.home,
        "post-receive",
        &format!("git update-ref refs/heads/main {base}"),
    );
    let save = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    let save = server.reaches(&save, "pending").await;
    assert_eq!(save["reason"]["code"], "lost-upstream");
    remove_hook(&server.home, "post-receive");
    let server = server.restart().await;
    server.saved(vec![manifest("o", &[], "c: 1\n", None)]).await;
    let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200)["state"], "pending");
    assert_eq!(commits_of(&server.home, &save), 0);
    server
        .post(&format!("{path}/retry"), &Value::Null)
        .await
        .expect(202);
    server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
}

#[tokio::test]
async fn a_rewritten_commit_is_known_by_its_trailer() {
    let (server, _) = Server::with_key().await;
    // the remote takes the commit and rewrites it, as hosts do that rebase; the first answer is lost
    hook(
        &server.home,
        "post-receive",
        "read old new ref\ncopy=$(git log -1 --format=%B $new | GIT_COMMITTER_NAME=host GIT_COMMITTER_EMAIL=h@h GIT_AUTHOR_NAME=host GIT_AUTHOR_EMAIL=h@h git commit-tree \"$new^{tree}\")\ngit update-ref $ref $copy",
    );
    let save = server.save(&one("m", "a: 1\n", None)).await.expect(202);
    let save = server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
    assert_eq!(
        git(&server.home.remote(), &["rev-list", "--count", "main"]).trim(),
        "1"
    );
}

#[tokio::test]
async fn many_writers_lose_nothing() {
    let (server, _) = Server::with_key().await;
    server
        .saved(vec![manifest("base", &[], "a: 0\n", None)])
        .await;
    let mut accepted = Vec::new();
    for round in 0..4 {
        let requests = (0..4).map(|writer| {
            let body = one(&format!("w{writer}"), &format!("n: {round}\n"), None);
            let server = &server;
            async move { server.save(&body).await.expect(202) }
        });
        let mut saves = Vec::new();
        for request in requests {
            saves.push(request.await);
        }
        push_as_other(&server.home, &[("count", &format!("{round}\n"))]);
        accepted.extend(saves);
    }
    let mut pushed = 0;
    for save in &accepted {
        loop {
            let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
            let state = server.get(&path).await.expect(200)["state"]
                .as_str()
                .unwrap()
                .to_owned();
            if ["pushed", "conflict"].contains(&state.as_str()) {
                let commits = commits_of(&server.home, save);
                assert_eq!(commits, usize::from(state == "pushed"), "{path} {state}");
                pushed += commits;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    // the first save of each writer made its file; the others began from nothing and found it there
    assert_eq!(pushed, 4);
    assert_eq!(at_head(&server.home, "count"), "3\n");
    for writer in 0..4 {
        assert_eq!(
            at_head(&server.home, &path_of(&format!("w{writer}"))),
            "n: 0\n"
        );
    }
}
