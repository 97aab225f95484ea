//! What is not sealed is refused, and leaves no trace on the disk.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Home, SECRET, Server, git, manifest, path_of, push_as_other, seal, secret};

/// Asserts that no file of the server holds a text, plain, base64, hex or inside a Git object.
pub fn assert_absent(home: &Home, text: &str) {
    let mut forms = vec![text.as_bytes().to_vec()];
    forms.push(
        text.bytes()
            .flat_map(|b| format!("{b:02x}").into_bytes())
            .collect(),
    );
    forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    for skipped in 0..3 {
        forms.push(base64_inside(text.as_bytes(), skipped).into_bytes());
    }
    search(home.path(), &forms);
    for repository in [home.remote(), home.data().join("clone.git")] {
        if repository.exists() {
            let objects = git(&repository, &["cat-file", "--batch-all-objects", "--batch"]);
            assert!(
                !objects.contains(text),
                "a Git object of {} holds it",
                repository.display()
            );
        }
    }
}

fn search(folder: &Path, forms: &[Vec<u8>]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, forms);
        } else if let Ok(bytes) = std::fs::read(&path) {
            for form in forms {
                let held = bytes.windows(form.len()).any(|window| window == form);
                assert!(!held, "{} holds it", path.display());
            }
        }
    }
}

/// The base64 digits that a text has wherever it begins, for one of the three offsets.
fn base64_inside(text: &[u8], offset: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = text
        .iter()
        .flat_map(|b| (0..8).rev().map(move |n| b >> n & 1))
        .collect();
    let skip = (6 - offset * 8 % 6) % 6;
    let digits = bits[skip..]
        .chunks_exact(6)
        .map(|six| six.iter().fold(0, |sum, bit| sum << 1 | bit));
    digits
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

#[test]
fn the_search_for_base64_finds_it_at_each_offset() {
    // what base64 makes of "xyzzy-canary" behind 0, 1 and 2 bytes
    for (encoded, offset) in [
        ("eHl6enktY2FuYXJ5", 0),
        ("Lnh5enp5LWNhbmFyeQ==", 1),
        ("Li54eXp6eS1jYW5hcnk=", 2),
    ] {
        assert!(
            encoded.contains(&base64_inside(b"xyzzy-canary", offset)),
            "{offset}"
        );
    }
}

#[tokio::test]
async fn unsealed_bodies_are_refused_and_nothing_of_them_stays() {
    let (server, recipient) = Server::with_key().await;
    let canary = "canary-9f2c5b71e0";
    let plain = secret(canary);
    let sealed = seal(&secret("fine"), &["password"], &recipient);
    let other = stackseal_core::Identity::generate(&mut crate::harness::random())
        .unwrap()
        .recipient();
    let foreign = seal(&secret("fine"), &["password"], &other);
    let enc = sealed
        .lines()
        .find(|line| line.contains("ENC["))
        .unwrap()
        .trim()
        .split_once(' ')
        .unwrap()
        .1
        .to_owned();
    let cases = [
        (&["password"][..], plain.clone(), "leaf-not-sealed"),
        (&[], plain.clone(), "secret-in-clear"),
        (
            &["password", "user"],
            sealed.replace("user: app", &format!("user: {canary}")),
            "invalid-selector",
        ),
        (
            &["password"],
            sealed.replace(&enc, canary),
            "leaf-not-sealed",
        ),
        (
            &["password"],
            sealed.replace(&enc, &format!("ENC[{canary}]")),
            "leaf-not-sealed",
        ),
        (
            &["password"],
            sealed.replace(
                &enc,
                &format!("ENC[AES256_GCM,data:{canary},iv:AA==,tag:AA==,type:str]"),
            ),
            "leaf-malformed",
        ),
        (
            &["password"],
            sealed.replace(
                "encrypted_regex: ^(password)$",
                &format!("encrypted_regex: ^({canary})$"),
            ),
            "invalid-selector",
        ),
        (
            &["password"],
            foreign.replace("user: app", &format!("user: {canary}")),
            "recipient-mismatch",
        ),
        (
            &[],
            sealed.replace("user: app", &format!("user: {canary}")),
            "already-sealed",
        ),
        (&[], format!("a: {canary}\na: 2\n"), "duplicate-key"),
        (&[], format!("a: [{canary}\n"), "yaml-syntax"),
        (
            &["token"],
            format!("token: &x {canary}\nb: *x\n"),
            "leaf-not-sealed",
        ),
        (
            &["nothing"],
            sealed.replace("user: app", &format!("user: {canary}")),
            "mark-matches-nothing",
        ),
        (&[""], plain.clone(), "mark-invalid"),
    ];
    for (marks, text, code) in cases {
        let body = json!({"stack": "db", "files": [manifest("creds", marks, &text, None)]});
        let answer = server.save(&body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (422, code),
            "{marks:?} {text}"
        );
        assert!(
            !String::from_utf8_lossy(&answer.body).contains(canary),
            "{code}"
        );
    }
    // one bad file among good ones spoils the save
    let files = [
        manifest("good", &["password"], &sealed, None),
        manifest("bad", &["password"], &plain, None),
    ];
    assert_eq!(
        server
            .save(&json!({"stack": "db", "files": files}))
            .await
            .code(),
        "leaf-not-sealed"
    );
    assert_eq!(
        server.count("save").await
            + server.count("idempotency").await
            + server.count("ledger").await,
        0
    );
    let (home, _) = server.stop().await;
    assert_absent(&home, canary);
}

#[tokio::test]
async fn the_refusal_names_the_path_and_the_line() {
    let (server, _) = Server::with_key().await;
    let problem = server
        .save(&json!({"stack": "db", "files": [manifest("creds", &[], SECRET, None)]}))
        .await
        .expect(422);
    assert_eq!(
        (&problem["path"], &problem["line"]),
        (&json!("stringData.user"), &json!(6))
    );
}

#[tokio::test]
async fn a_sealed_save_leaves_no_plaintext_anywhere() {
    let (server, recipient) = Server::with_key().await;
    let canary = "canary-4b0d8a6e33";
    let text = seal(&secret(canary), &["password"], &recipient);
    server
        .saved(vec![manifest("creds", &["password"], &text, None)])
        .await;
    assert_eq!(
        crate::harness::at_head(&server.home, &path_of("creds")),
        text
    );
    let (home, _) = server.stop().await;
    assert_absent(&home, canary);
    assert_absent(&home, "AGE-SECRET-KEY-1");
}

#[tokio::test]
async fn files_and_counts_beyond_the_limits_are_refused() {
    let (server, _) = Server::with_key().await;
    let big = format!("a: {}\n", "x".repeat(1 << 20));
    let answer = server
        .save(&json!({"stack": "db", "files": [manifest("big", &[], &big, None)]}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "file-too-large")
    );
    let deep = format!("a: {}{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(
        server
            .save(&json!({"stack": "db", "files": [manifest("deep", &[], &deep, None)]}))
            .await
            .code(),
        "limit-exceeded"
    );
    let many: Vec<Value> = (0..51)
        .map(|n| manifest(&format!("m{n}"), &[], "a: 1\n", None))
        .collect();
    for files in [vec![], many] {
        assert_eq!(
            server
                .save(&json!({"stack": "db", "files": files}))
                .await
                .code(),
            "file-count"
        );
    }
    let twice = vec![manifest("m", &[], "a: 1\n", None); 2];
    assert_eq!(
        server
            .save(&json!({"stack": "db", "files": twice}))
            .await
            .code(),
        "duplicate-file"
    );
}

#[tokio::test]
async fn what_was_sealed_does_not_come_back_in_clear() {
    let (server, recipient) = Server::with_key().await;
    let config = secret("p").replace("Secret", "ConfigMap");
    let text = seal(&config, &["password"], &recipient);
    let save = server
        .saved(vec![manifest("creds", &["password"], &text, None)])
        .await;
    let base = save["files"][0]["blob"].as_str();
    let in_clear = [
        (vec![], config.clone(), "marks-shrink"),
        (
            vec!["user"],
            seal(&config, &["user"], &recipient),
            "marks-shrink",
        ),
    ];
    for (marks, text, code) in in_clear {
        let body = json!({"stack": "db", "files": [manifest("creds", &marks, &text, base)]});
        let problem = server.save(&body).await.expect(422);
        assert_eq!(
            (problem["code"].as_str(), problem["path"].as_str()),
            (Some(code), Some("stringData.password"))
        );
    }
    // with the key itself gone, its mark may go
    let without = config.replace("  password: \"p\"\n", "");
    server
        .saved(vec![manifest("creds", &[], &without, base)])
        .await;
}

#[tokio::test]
async fn before_there_is_a_key_only_plain_files_are_taken() {
    let server = Server::new().await;
    let plain = json!({"stack": "db", "files": [manifest("m", &[], "kind: ConfigMap\n", None)]});
    let answer = server.save(&plain).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "organisation-missing")
    );
    server
        .put("/api/v1/organisation", &json!({"name": "Acme"}))
        .await
        .expect(200);
    let marked = json!({"stack": "db", "files": [manifest("m", &["a"], "a: 1\n", None)]});
    assert_eq!(server.save(&marked).await.code(), "encryption-missing");
    let save = server.save(&plain).await.expect(202);
    server.reaches(&save, "pushed").await;
}

#[tokio::test]
async fn a_block_copied_from_another_file_is_refused() {
    let (server, recipient) = Server::with_key().await;
    let text = seal(&secret("p"), &["password"], &recipient);
    server
        .saved(vec![manifest("one", &["password"], &text, None)])
        .await;
    let (before, block) = text.split_once("enc: |\n").unwrap();
    let (lines, after) = block.split_once("    lastmodified").unwrap();
    let lines: Vec<_> = lines.lines().map(str::trim).collect();
    let quoted = format!(
        "{before}enc: \"{}\\r\\n\"\n    lastmodified{after}",
        lines.join("\\r\\n")
    );
    let refused = async |text: &str| {
        let body = json!({"stack": "db", "files": [manifest("two", &["password"], text, None)]});
        let problem = server.save(&body).await.expect(422);
        assert_eq!(problem["code"], "stanza-of-another-file");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&path_of("one")), "{detail}");
    };
    refused(&text).await;
    // the same wrapped key with other line breaks
    refused(&quoted).await;
    // as an earlier version registered it: by the digest of the text
    let file = server.home.path().join("armor");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let sum = Command::new("sha256sum").arg(&file).output().unwrap();
    let digest = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    server
        .sql(&format!("UPDATE ledger SET digest = x'{digest}'"))
        .await;
    refused(&text).await;
    refused(&quoted).await;
}

#[tokio::test]
async fn a_secret_whose_values_all_stand_in_clear_is_refused_in_every_spelling() {
    let (server, recipient) = Server::with_key().await;
    let first = seal(
        "kind: ConfigMap\ndata:\n  token: t\n---\nkind: Secret\ndata:\n  password: cA==\n",
        &["token"],
        &recipient,
    );
    for (marks, text) in [
        (
            &[][..],
            "kind: List\nitems:\n  - kind: Secret\n    data:\n      password: cA==\n",
        ),
        (&["token"], first.as_str()),
    ] {
        let body = json!({"stack": "db", "files": [manifest("m", marks, text, None)]});
        let problem = server.save(&body).await.expect(422);
        assert_eq!(problem["code"], "secret-in-clear", "{text}");
    }
}

#[tokio::test]
async fn marks_are_counted_and_stand_once() {
    let (server, _) = Server::with_key().await;
    let many: Vec<_> = (0..1001).map(|n| format!("key{n}")).collect();
    for (marks, code) in [
        (many, "mark-count"),
        (vec!["a".to_owned(), " a".to_owned()], "duplicate-mark"),
    ] {
        let marks: Vec<_> = marks.iter().map(String::as_str).collect();
        let body = json!({"stack": "db", "files": [manifest("m", &marks, "a: 1\n", None)]});
        assert_eq!(server.save(&body).await.expect(422)["code"], code);
    }
}

#[tokio::test]
async fn nothing_rides_along_in_the_sops_block() {
    let (server, recipient) = Server::with_key().await;
    let canary = "canary-51c07be2d9";
    let text = seal(&secret("p"), &["password"], &recipient);
    let two = seal(
        "kind: Secret\ndata:\n  password: cA==\n---\na: 1\n",
        &["password"],
        &recipient,
    );
    let (front, back) = two.rsplit_once("    version:").unwrap();
    for text in [
        text.replace("    version:", &format!("    note: {canary}\n    version:")),
        text.replace(
            "    version:",
            &format!(
                "    pgp:\n        - \"\"\n    kms: ''\n    note:\n        - {canary}\n    version:"
            ),
        ),
        text.replace(
            "          enc:",
            &format!("          note: {canary}\n          enc:"),
        ),
        text.replace("version: 3", &format!("version: {canary}")),
        text.replace(
            "    version:",
            &format!("    mac_only_encrypted: {canary}\n    version:"),
        ),
        format!("{front}    note: {canary}\n    version:{back}"),
    ] {
        let body = json!({"stack": "db", "files": [manifest("m", &["password"], &text, None)]});
        let problem = server.save(&body).await.expect(422);
        assert_eq!(problem["code"], "metadata-invalid", "{text}");
        assert!(!problem.to_string().contains(canary));
    }
}

#[tokio::test]
async fn two_files_of_a_save_do_not_lie_at_the_same_path() {
    let (server, _) = Server::with_key().await;
    server
        .saved(vec![
            manifest("one", &[], "a: 1\n", None),
            manifest("two", &[], "a: 2\n", None),
        ])
        .await;
    let cluster = crate::harness::at_head(&server.home, "clusters/main/cluster.yaml");
    let twisted = cluster.replace("manifests/two.yaml", "manifests/one.yaml");
    assert_ne!(cluster, twisted);
    push_as_other(&server.home, &[("clusters/main/cluster.yaml", &twisted)]);
    // a save of something else brings the branch
    server
        .saved(vec![manifest("three", &[], "a: 3\n", None)])
        .await;
    let one = server.member("one").await;
    let base = one["blob"].as_str();
    let files = [
        manifest("one", &[], "a: 4\n", base),
        manifest("two", &[], "a: 5\n", base),
    ];
    let body = json!({"stack": "db", "files": files});
    assert_eq!(
        server.save(&body).await.expect(422)["code"],
        "duplicate-file"
    );
}
