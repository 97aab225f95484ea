//! Stacks in the cluster file: made, read, and edited without disturbing what others wrote.

use serde_json::{Value, json};

use crate::harness::{
    CLUSTER, Server, at_head, git, manifest, path_of, push_as_other, seal, secret,
};

#[tokio::test]
async fn a_stack_is_made_listed_and_made_once() {
    let (server, _) = Server::with_key().await;
    assert_eq!(server.get("/api/v1/stacks").await.expect(200), json!([]));
    assert_eq!(
        server.get("/api/v1/stacks/db").await.code(),
        "stack-missing"
    );
    let save = server
        .post(
            "/api/v1/stacks",
            &json!({"name": "db", "description": "Databases: all"}),
        )
        .await
        .expect(202);
    server.reaches(&save, "pushed").await;
    let summary =
        json!([{"name": "db", "description": "Databases: all", "members": 0, "sealed": 0}]);
    assert_eq!(server.get("/api/v1/stacks").await.expect(200), summary);
    let stack = server.get("/api/v1/stacks/db").await.expect(200);
    assert_eq!(
        (&stack["members"], &stack["description"]),
        (&json!([]), &json!("Databases: all"))
    );
    assert_eq!(
        stack["commit"],
        git(&server.home.remote(), &["rev-parse", "main"]).trim()
    );
    let answer = server.post("/api/v1/stacks", &json!({"name": "db"})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "stack-exists")
    );
    for bad in [
        json!({"name": "../x"}),
        json!({"name": "x", "description": "d".repeat(1001)}),
        json!({"name": "x", "description": "a\u{1b}[31m"}),
    ] {
        let answer = server.post("/api/v1/stacks", &bad).await;
        assert_eq!(answer.code(), "name-invalid", "{bad}");
    }
}

#[tokio::test]
async fn the_sample_stack_is_laid_out_as_import_cluster() {
    let (server, recipient) = Server::with_key().await;
    let values = seal(
        "adminUser: admin\nadminPassword: x\n",
        &["adminPassword"],
        &recipient,
    );
    let addon = json!({
        "kind": "addon", "name": "grafana", "namespace": "monitoring", "marks": ["adminPassword"], "text": values,
        "chart": {"name": "grafana", "version": "8.5.1", "repository_url": "https://charts.example/grafana"},
    });
    let creds = seal(&secret("p"), &["stringData.password"], &recipient);
    server
        .saved(vec![
            manifest("creds", &["stringData.password"], &creds, None),
            addon,
        ])
        .await;
    assert_eq!(
        at_head(&server.home, CLUSTER),
        "apiVersion: v1\nkind: ImportCluster\nmetadata:\n  name: acme-ltd\nspec:\n  stacks:\n    - name: db\n      manifests:\n        - name: creds\n          from_file: stacks/db/manifests/creds.yaml\n          encrypted_paths:\n            - stringData.password\n      addons:\n        - name: grafana\n          chart_name: grafana\n          chart_version: \"8.5.1\"\n          repository_url: \"https://charts.example/grafana\"\n          namespace: monitoring\n          configuration:\n            from_file: stacks/db/values/grafana.yaml\n            encrypted_paths:\n              - adminPassword\n"
    );
    let stack = server.get("/api/v1/stacks/db").await.expect(200);
    let member = &stack["members"][1];
    assert_eq!(
        member["path"],
        "clusters/main/stacks/db/values/grafana.yaml"
    );
    assert_eq!(
        (&member["sealed"], &member["text"]),
        (&json!(true), &json!(values))
    );
    assert_eq!(member["chart"]["version"], "8.5.1");
    assert_eq!(
        server.get("/api/v1/stacks").await.expect(200)[0]["sealed"],
        2
    );
}

#[tokio::test]
async fn a_stack_can_be_worked_in_before_it_is_pushed() {
    let (server, _) = Server::with_key().await;
    server.home.take_remote_away();
    let new = json!({"name": "db", "description": "d"});
    let save = server.post("/api/v1/stacks", &new).await.expect(202);
    let stack = server.get("/api/v1/stacks/db").await.expect(200);
    assert_eq!(
        stack,
        json!({"name": "db", "description": "d", "members": [], "commit": ""})
    );
    assert_eq!(
        server.get("/api/v1/stacks").await.expect(200)[0]["name"],
        "db"
    );
    assert_eq!(
        server.post("/api/v1/stacks", &new).await.code(),
        "stack-exists"
    );
    server.reaches(&save, "pending").await;
    let path = format!("/api/v1/saves/{}", save["id"].as_str().unwrap());
    server.delete(&path).await.expect(200);
    assert_eq!(
        server.get("/api/v1/stacks/db").await.code(),
        "stack-missing"
    );
    assert_eq!(server.get("/api/v1/stacks").await.expect(200), json!([]));
}

const THEIRS: &str = "# written by hand\napiVersion: v1\nkind: ImportCluster\nmetadata:\n  name: shop\nspec:\n  git_repository: {provider: github, branch: main}\n  stacks:\n    - name: db # ours\n      deploy_wave: 0\n      manifests:\n        - name: ns\n          from_file: ./common/ns.yaml\n        - name: creds\n          from_file: stacks/db/creds.yaml\n          encrypted_paths: [password]\n          parents: [{name: ns, kind: manifest}, {manifest: ns}]\n          future: {a: [1, 2]}\n";

#[tokio::test]
async fn a_repository_of_others_is_edited_in_its_own_style() {
    let (server, recipient) = Server::with_key().await;
    let ns = "kind: Namespace\n";
    push_as_other(
        &server.home,
        &[
            (CLUSTER, THEIRS),
            ("clusters/main/common/ns.yaml", ns),
            ("README.md", "hi\n"),
        ],
    );
    let member = server.member("ns").await;
    assert_eq!(
        (&member["path"], &member["text"]),
        (&json!("clusters/main/common/ns.yaml"), &json!(ns))
    );
    let text = "kind: Namespace\nmetadata: {name: x}\n";
    let creds = seal(&secret("p"), &["password", "user"], &recipient);
    let files = vec![
        manifest("ns", &[], text, member["blob"].as_str()),
        manifest("creds", &["user", "password"], &creds, None),
    ];
    let save = server.saved(files).await;
    let commit = save["commit"].as_str().unwrap();
    let changed = git(
        &server.home.remote(),
        &["show", "--format=", "--name-only", commit],
    );
    assert_eq!(
        changed,
        "clusters/main/cluster.yaml\nclusters/main/common/ns.yaml\nclusters/main/stacks/db/creds.yaml\n"
    );
    let expected = THEIRS.replace(
        "encrypted_paths: [password]",
        "encrypted_paths: [password, user]",
    );
    assert_eq!(at_head(&server.home, CLUSTER), expected);
    assert_eq!(at_head(&server.home, "README.md"), "hi\n");
}

#[tokio::test]
async fn a_cluster_file_that_cannot_be_edited_is_refused_and_left_alone() {
    let (server, _) = Server::with_key().await;
    let body = json!({"stack": "db", "files": [manifest("m", &[], "a: 1\n", None)]});
    for text in [
        "apiVersion: v1\nkind: ImportCluster\nspec: {stacks: [{name: db, manifests: []}]}\n",
        "apiVersion: v1\nkind: Other\n",
        "apiVersion: v1\nkind: ImportCluster\nspec:\n  stacks: *nowhere\n",
    ] {
        let commit = push_as_other(&server.home, &[(CLUSTER, text)]);
        server.get("/api/v1/stacks").await;
        server.clock.advance(10);
        // what the branch was known to be decides at once, else the worker finds out
        let answer = server.save(&body).await;
        if answer.status.as_u16() == 202 {
            let save = server.reaches(&answer.json(), "pending").await;
            assert!(save["reason"]["status"] == 422, "{save}");
        } else {
            assert_eq!(answer.status.as_u16(), 422, "{text}");
        }
        assert_eq!(
            git(&server.home.remote(), &["rev-parse", "main"]).trim(),
            commit
        );
    }
}

#[tokio::test]
async fn paths_in_the_cluster_file_cannot_leave_their_place() {
    let (server, _) = Server::with_key().await;
    for path in [
        "../../.github/workflows/x.yaml",
        "/etc/passwd",
        ".sops.yaml",
        "stacks/../../../x.yaml",
        ".git/config",
        "a\\b.yaml",
        "cluster.yaml",
    ] {
        let cluster = format!(
            "apiVersion: v1\nkind: ImportCluster\nspec:\n  stacks:\n    - name: db\n      manifests:\n        - name: m\n          from_file: '{path}'\n"
        );
        push_as_other(&server.home, &[(CLUSTER, &cluster)]);
        // a first save makes the branch known
        let probe = server
            .save(&json!({"stack": "db", "files": [manifest("probe", &[], "a: 1\n", None)]}))
            .await
            .expect(202);
        server.reaches(&probe, "pushed").await;
        let answer = server
            .save(&json!({"stack": "db", "files": [manifest("m", &[], "a: 1\n", None)]}))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (422, "path-invalid"),
            "{path}"
        );
        let members = server.get("/api/v1/stacks/db").await.expect(200)["members"].clone();
        assert!(
            members.as_array().unwrap().iter().all(|m| m["name"] != "m"),
            "{path}: {members}"
        );
    }
}

#[tokio::test]
async fn links_and_submodules_are_not_followed() {
    let (server, _) = Server::with_key().await;
    let home = &server.home;
    push_as_other(home, &[("real/x.yaml", "a: 1\n")]);
    let work = home.path().join("other");
    std::fs::create_dir_all(work.join("clusters/main/stacks/db")).unwrap();
    std::os::unix::fs::symlink(
        "../../../../real",
        work.join("clusters/main/stacks/db/manifests"),
    )
    .unwrap();
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "a link"]);
    git(&work, &["push", "--quiet", "origin", "main"]);
    let head = git(&home.remote(), &["rev-parse", "main"]);
    let save = server
        .save(&json!({"stack": "db", "files": [manifest("x", &[], "a: 2\n", None)]}))
        .await;
    let refused = match save.status.as_u16() {
        202 => server.reaches(&save.json(), "pending").await["reason"].clone(),
        _ => save.json(),
    };
    assert_eq!(refused["code"], "path-invalid", "{refused}");
    assert_eq!(git(&home.remote(), &["rev-parse", "main"]), head);
}

#[tokio::test]
async fn a_name_taken_in_another_stack_is_refused() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    let answer = server
        .save(&json!({"stack": "web", "files": [manifest("m", &[], "a: 1\n", None)]}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "member-elsewhere")
    );
    let addon = json!({"kind": "addon", "name": "x", "text": "a: 1\n"});
    let answer = server
        .save(&json!({"stack": "web", "files": [addon]}))
        .await;
    assert_eq!(answer.code(), "chart-missing");
    let encryption: Value =
        server.get("/api/v1/organisation").await.expect(200)["encryption"].clone();
    assert_eq!(encryption["recipient"].as_str().unwrap().len(), 62);
    assert_eq!(encryption["fingerprint"].as_str().unwrap().len(), 24);
}

#[tokio::test]
async fn objects_that_the_clone_lost_are_fetched_anew() {
    let (server, _) = Server::with_key().await;
    server.saved(vec![manifest("m", &[], "a: 1\n", None)]).await;
    push_as_other(&server.home, &[(&path_of("m"), "a: theirs\n")]);
    server.saved(vec![manifest("n", &[], "b: 1\n", None)]).await;
    assert_eq!(server.member("m").await["text"], "a: theirs\n");
    // what came from the remote lies in packs
    let packs = server.home.data().join("clone.git/objects/pack");
    let files: Vec<_> = std::fs::read_dir(&packs).unwrap().collect();
    assert!(!files.is_empty());
    for file in files {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    assert_eq!(server.member("m").await["text"], "a: theirs\n");
    server.saved(vec![manifest("o", &[], "c: 1\n", None)]).await;
    git(&server.home.data().join("clone.git"), &["fsck"]);
}

#[tokio::test]
async fn a_huge_file_on_the_branch_is_left_out_and_not_saved_over() {
    let (server, _) = Server::with_key().await;
    let files = vec![
        manifest("m", &[], "a: 1\n", None),
        manifest("n", &[], "b: 1\n", None),
    ];
    server.saved(files).await;
    let huge = "# nothing but remarks\n".repeat(120_000);
    push_as_other(&server.home, &[(&path_of("m"), &huge)]);
    // the worker has seen it when the next save is there
    server.saved(vec![manifest("o", &[], "c: 1\n", None)]).await;
    let list = server.get("/api/v1/stacks").await.expect(200);
    assert_eq!(list[0]["members"], 2, "{list}");
    let stack = server.get("/api/v1/stacks/db").await.expect(200);
    let names: Vec<_> = stack["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["name"].clone())
        .collect();
    assert_eq!(names, ["n", "o"]);
    let body = json!({"stack": "db", "files": [manifest("m", &[], "a: 2\n", None)]});
    let answer = server.save(&body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "file-too-large")
    );
    // the cluster file, too
    push_as_other(&server.home, &[(CLUSTER, &huge)]);
    let save = json!({"stack": "db", "files": [manifest("p", &[], "d: 1\n", None)]});
    let save = server.save(&save).await.expect(202);
    server.waits_with(&save, "file-too-large").await;
}
