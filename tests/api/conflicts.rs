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
    let retried = server.post(&format!("{path}/retry"), &Value::Null).await;
    retried.expect(202);
    server.reaches(&conflicting, "conflict").await;
    assert_eq!(server.delete(&path).await.expect(200)["state"], "discarded");
    let retried = server.post(&format!("{path}/retry"), &Value::Null).await;
    assert_eq!(retried.code(), "save-not-pending");
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
    assert_eq!(server.home.commits(), 1);
}

#[tokio::test]
async fn an_unreachable_remote_is_waited_for() {
    let (server, _) = Server::with_key().await;
    server.home.take_remote_away();
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
    server.home.bring_remote_back();
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
    assert_eq!(server.home.commits(), 1);
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

#[tokio::test]
async fn a_conflict_that_others_resolved_is_pushed_at_the_retry() {
    let (server, _) = Server::with_key().await;
    let first = server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let base = first["files"][0]["blob"].as_str();
    push_as_other(&server.home, &[(&path_of("m"), "a: theirs\n")]);
    let save = server.save(&one("m", "a: 2\n", base)).await.expect(202);
    server.reaches(&save, "conflict").await;
    push_as_other(&server.home, &[(&path_of("m"), "a: 1\n")]);
    let path = format!("/api/v1/saves/{}/retry", save["id"].as_str().unwrap());
    server.post(&path, &Value::Null).await.expect(202);
    server.reaches(&save, "pushed").await;
    assert_eq!(at_head(&server.home, &path_of("m")), "a: 2\n");
    assert_eq!(commits_of(&server.home, &save), 1);
}

#[tokio::test]
async fn a_cluster_file_broken_by_others_makes_saves_wait_until_it_is_mended() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let good = at_head(&server.home, CLUSTER);
    server.home.take_remote_away();
    let save = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    server.reaches(&save, "pending").await;
    let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
    // the worker must not see the branch before it is broken
    let aside = server.home.path().join("aside");
    std::fs::create_dir(&aside).unwrap();
    std::fs::rename(server.home.away(), aside.join("remote.git")).unwrap();
    let broken = good.replace("kind: ImportCluster", "kind: Other");
    let work = aside.join("other");
    git(&aside, &["clone", "--quiet", "remote.git", "other"]);
    std::fs::write(work.join(CLUSTER), &broken).unwrap();
    git(&work, &["commit", "--quiet", "--all", "-m", "break"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    std::fs::rename(aside.join("remote.git"), server.home.remote()).unwrap();
    server
        .post(&format!("{path}/retry"), &Value::Null)
        .await
        .expect(202);
    let waiting = server.waits_with(&save, "cluster-file-unsupported").await;
    assert_eq!(waiting["state"], "pending");
    push_as_other(&server.home, &[(CLUSTER, &good)]);
    server
        .post(&format!("{path}/retry"), &Value::Null)
        .await
        .expect(202);
    server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
}

/// A receiving side that dies without an answer while its hook lives on, and lets the commit in once the
/// file `go` is there.
fn answer_late(server: &Server) -> std::path::PathBuf {
    let go = server.home.path().join("go");
    hook(
        &server.home,
        "pre-receive",
        &format!(
            "read old new ref\nunset GIT_QUARANTINE_PATH\ncp -r \"$GIT_OBJECT_DIRECTORY\"/. objects/\nexport GIT_OBJECT_DIRECTORY=objects\n(until [ -e {} ]; do sleep 0.02; done; git update-ref $ref $new $old) </dev/null >/dev/null 2>&1 &\nkill -9 $PPID",
            go.display()
        ),
    );
    go
}

/// A server with one save on the branch, and a second one whose push `receive` keeps from being answered.
async fn with_an_unanswered_push<T>(receive: impl FnOnce(&Server) -> T) -> (Server, Value, T) {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let received = receive(&server);
    let save = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    server.waits_with(&save, "remote-unconfirmed").await;
    (server, save, received)
}

#[tokio::test]
async fn a_save_whose_push_was_not_answered_cannot_be_discarded_before_it_lands() {
    let (server, save, go) = with_an_unanswered_push(answer_late).await;
    let refused = server.discard(&save).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "save-unconfirmed")
    );
    std::fs::write(go, "").unwrap();
    server.reaches(&save, "pushed").await;
    assert_eq!(commits_of(&server.home, &save), 1);
    assert_eq!(server.home.commits(), 2);
}

#[tokio::test]
async fn an_unanswered_push_is_settled_when_the_branch_moves_past_it() {
    let (server, save, go) = with_an_unanswered_push(answer_late).await;
    remove_hook(&server.home, "pre-receive");
    push_as_other(&server.home, &[("x", "1\n")]);
    let path = format!("/api/v1/saves/{}/retry", save["id"].as_str().unwrap());
    server.post(&path, &Value::Null).await;
    server.reaches(&save, "pushed").await;
    std::fs::write(go, "").unwrap();
    server.saved(vec![manifest("o", &[], "c: 1\n", None)]).await;
    assert_eq!(commits_of(&server.home, &save), 1);
    assert_eq!(at_head(&server.home, "x"), "1\n");
}

#[tokio::test]
async fn an_unanswered_push_can_be_discarded_after_a_long_time() {
    let die = |server: &Server| hook(&server.home, "pre-receive", "kill -9 $PPID");
    let (server, save, ()) = with_an_unanswered_push(die).await;
    // as if it had been tried for a while
    for n in 0..10 {
        let step = format!(
            "INSERT INTO save_step SELECT max(save), {}, 'committed', min(at) FROM save_step",
            1000 + n
        );
        server.sql(&step).await;
    }
    let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
    let begun = std::time::Instant::now();
    loop {
        let answer = server.delete(&path).await;
        if answer.status.as_u16() == 200 {
            break;
        }
        assert!(begun.elapsed().as_secs() < 30, "{}", answer.code());
        server.clock.advance(600);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_branch_that_is_gone_is_not_begun_anew() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let head = git(&server.home.remote(), &["rev-parse", "main"]);
    git(
        &server.home.remote(),
        &["update-ref", "-d", "refs/heads/main"],
    );
    let save = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    server.waits_with(&save, "branch-gone").await;
    assert_eq!(git(&server.home.remote(), &["for-each-ref"]), "");
    // readers see what was there last
    assert_eq!(server.member("m").await["text"], "a: 1\n");
    let server = server.restart().await;
    assert_eq!(server.member("m").await["text"], "a: 1\n");
    server.waits_with(&save, "branch-gone").await;
    git(
        &server.home.remote(),
        &["update-ref", "refs/heads/main", head.trim()],
    );
    let path = format!("/api/v1/saves/{}/retry", save["id"].as_str().unwrap());
    server.post(&path, &Value::Null).await;
    server.reaches(&save, "pushed").await;
    assert_eq!(at_head(&server.home, &path_of("m")), "a: 1\n");
    assert_eq!(server.home.commits(), 2);
}

#[tokio::test]
async fn a_push_left_open_says_so_behind_another_that_found_the_remote_away() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    server.home.take_remote_away();
    let first = server.save(&one("n", "b: 1\n", None)).await.expect(202);
    server.waits_with(&first, "remote-unreachable").await;
    let second = server.save(&one("o", "c: 1\n", None)).await.expect(202);
    server.waits_with(&second, "remote-unreachable").await;
    let (home, clock) = server.stop().await;
    // as a death in the middle of its push leaves it
    let open = "UPDATE save SET state = 'committed', reason = NULL, push_open = 1 WHERE seq = (SELECT max(seq) FROM save);
        INSERT INTO save_step SELECT max(save), 1000, 'committed', max(at) FROM save_step";
    crate::harness::sql(&home, open).await;
    let server = Server::start(home, clock).await;
    server.waits_with(&second, "remote-unconfirmed").await;
    let refused = server.discard(&second).await;
    assert_eq!(refused.code(), "save-unconfirmed");
    server.home.bring_remote_back();
    for save in [&first, &second] {
        server.reaches(save, "pushed").await;
        assert_eq!(commits_of(&server.home, save), 1);
    }
}
