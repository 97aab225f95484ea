//! The process dies between two steps of its work, at each of them, and is started again: what was
//! acknowledged is on the remote, once; what was not is whole or absent; no key is published whose
//! private half is lost.
//!
//! Needs the feature `crash-points`. A killed process leaves the page cache, so this proves the order of
//! the steps, not what survives a power cut.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

#[expect(dead_code, reason = "the other test program uses the rest")]
#[path = "support/process.rs"]
mod process;

use std::path::Path;

use process::{Process, Start, commits_of, git, until};
use serde_json::Value;

const SAVE_POINTS: &[&str] = &[
    "s1-guarded",
    "s2-journalled",
    "s3-answered",
    "s4-fetched",
    "s5-compared",
    "s6-built",
    "s7-referenced",
    "s7-journalled",
    "s8-pushed",
    "s9-confirmed",
    "s10-before",
    "s10-recorded",
    "s11-done",
];

fn dying_at(point: &str) -> Start<'_> {
    Start {
        environment: vec![("STACKSEAL_CRASH_AT", point)],
        ..Start::default()
    }
}

fn died(process: &mut Process) {
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(
        process.ended().signal(),
        Some(6),
        "it did not die of its own abort"
    );
}

/// All saves of the journal, and what must be true of each.
fn assert_all_pushed_once(process: &Process, remote: &Path) -> Vec<Value> {
    let saves = process.get("/api/v1/saves").as_array().unwrap().clone();
    for save in &saves {
        let id = save["id"].as_str().unwrap();
        process.reaches(id, "pushed");
        assert_eq!(commits_of(remote, id), 1, "{save}");
    }
    saves
}

#[test]
fn every_point_of_the_source_is_tried() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut found = Vec::new();
    collect(Path::new(sources), &mut found);
    found.sort();
    let mut tried: Vec<_> = SAVE_POINTS
        .iter()
        .chain(KEY_POINTS)
        .chain(UNWRAP_POINTS)
        .map(|p| (*p).to_owned())
        .collect();
    tried.sort();
    assert_eq!(found, tried);
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let calls = text.split("crash::point(\"").skip(1);
            found.extend(
                calls
                    .filter_map(|rest| rest.split('"').next())
                    .map(str::to_owned),
            );
        }
    }
}

#[test]
fn a_save_survives_a_death_at_each_step() {
    for point in SAVE_POINTS {
        let home = tempfile::tempdir().unwrap();
        let remote = home.path().join("data/remote.git");
        let mut process = Process::signed_in(home.path(), &Start::default());
        process.initialise();
        let base = process
            .save("key-of-the-first-save", "m", "a: 1\n", None)
            .unwrap();
        let base = process.reaches(base.body["id"].as_str().unwrap(), "pushed")["files"][0]["blob"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(process.signal("-TERM").success());

        let mut process = Process::signed_in(home.path(), &dying_at(point));
        let answer = process.save("key-of-the-next-save", "m", "a: 2\n", Some(&base));
        died(&mut process);
        drop(process);

        let process = Process::signed_in(home.path(), &Start::default());
        if let Some(answer) = answer {
            // acknowledged: there without the client doing anything
            let id = answer.body["id"].as_str().unwrap();
            assert_eq!(answer.status, 202, "{point}");
            process.reaches(id, "pushed");
        }
        // the client that is unsure asks again under its key, and gets the same save or a first one
        let again = process
            .save("key-of-the-next-save", "m", "a: 2\n", Some(&base))
            .unwrap();
        assert_eq!(again.status, 202, "{point}: {again:?}");
        process.reaches(again.body["id"].as_str().unwrap(), "pushed");
        let saves = assert_all_pushed_once(&process, &remote);
        assert_eq!(saves.len(), 2, "{point}");
        assert_eq!(
            git(&remote, &["rev-list", "--count", "main"]).trim(),
            "2",
            "{point}"
        );
        assert_eq!(
            git(
                &remote,
                &["show", "main:clusters/main/stacks/db/manifests/m.yaml"]
            ),
            "a: 2\n"
        );
        git(&remote, &["fsck", "--strict"]);
    }
}

#[test]
fn the_first_save_of_an_empty_repository_survives_a_death_at_each_step() {
    for point in SAVE_POINTS {
        let home = tempfile::tempdir().unwrap();
        let mut process = Process::signed_in(home.path(), &dying_at(point));
        process.initialise();
        process.save("key-of-the-only-save", "m", "a: 1\n", None);
        died(&mut process);
        drop(process);
        let process = Process::signed_in(home.path(), &Start::default());
        process
            .save("key-of-the-only-save", "m", "a: 1\n", None)
            .unwrap();
        let saves = assert_all_pushed_once(&process, &home.path().join("data/remote.git"));
        assert_eq!(saves.len(), 1, "{point}");
    }
}

#[test]
fn a_death_while_the_remote_is_away_forgets_nothing() {
    for point in ["s2-journalled", "s3-answered"] {
        let home = tempfile::tempdir().unwrap();
        let remote = home.path().join("remote.git");
        git(home.path(), &["init", "--quiet", "--bare", "remote.git"]);
        let url = format!("file://{}", remote.display());
        let start = |point| Start {
            arguments: vec!["--remote", &url],
            environment: vec![("STACKSEAL_CRASH_AT", point)],
        };
        let mut process = Process::signed_in(home.path(), &start(point));
        process.initialise();
        std::fs::rename(&remote, home.path().join("away.git")).unwrap();
        process.save("key-of-the-only-save", "m", "a: 1\n", None);
        died(&mut process);
        drop(process);
        let process = Process::signed_in(home.path(), &start(""));
        let save = process.get("/api/v1/saves")[0].clone();
        let id = save["id"].as_str().unwrap();
        assert_eq!(
            process.reaches(id, "pending")["reason"]["code"],
            "remote-unreachable"
        );
        std::fs::rename(home.path().join("away.git"), &remote).unwrap();
        assert_all_pushed_once(&process, &remote);
    }
}

#[test]
fn a_push_without_a_known_outcome_is_not_discarded_and_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let remote = home.path().join("remote.git");
    git(home.path(), &["init", "--quiet", "--bare", "remote.git"]);
    let url = format!("file://{}", remote.display());
    let start = |point| Start {
        arguments: vec!["--remote", &url],
        environment: vec![("STACKSEAL_CRASH_AT", point)],
    };
    let mut process = Process::signed_in(home.path(), &start("s8-pushed"));
    process.initialise();
    process.save("key-of-the-only-save", "m", "a: 1\n", None);
    died(&mut process);
    drop(process);
    std::fs::rename(&remote, home.path().join("away.git")).unwrap();
    let process = Process::signed_in(home.path(), &start(""));
    let id = process.get("/api/v1/saves")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let save = process.reaches(&id, "pending");
    assert_eq!(save["reason"]["code"], "remote-unconfirmed", "{save}");
    let discarded = process
        .send("DELETE", &format!("/api/v1/saves/{id}"), &[], None)
        .unwrap();
    assert_eq!(
        (discarded.status, discarded.body["code"].as_str()),
        (409, Some("save-unconfirmed"))
    );
    std::fs::rename(home.path().join("away.git"), &remote).unwrap();
    process
        .send("POST", &format!("/api/v1/saves/{id}/retry"), &[], None)
        .unwrap();
    assert_all_pushed_once(&process, &remote);
}

const KEY_POINTS: &[&str] = &["k1-generated", "k2-stored", "k3-proven", "k4-published"];

#[test]
fn no_recipient_is_published_whose_private_half_is_lost() {
    for point in KEY_POINTS {
        let home = tempfile::tempdir().unwrap();
        let mut process = Process::signed_in(home.path(), &dying_at(point));
        process
            .send(
                "PUT",
                "/api/v1/organisation",
                &[],
                Some(&serde_json::json!({"name": "Acme"})),
            )
            .unwrap();
        assert!(
            process
                .send("POST", "/api/v1/organisation/encryption", &[], None)
                .is_none(),
            "{point}"
        );
        died(&mut process);
        drop(process);
        // a start checks that every stored key opens to its recipient
        let process = Process::signed_in(home.path(), &Start::default());
        let organisation = process.get("/api/v1/organisation");
        let published = organisation["encryption"]["recipient"].is_string();
        assert_eq!(
            published,
            *point == "k4-published",
            "{point}: {organisation}"
        );
        let again = process
            .send("POST", "/api/v1/organisation/encryption", &[], None)
            .unwrap();
        assert_eq!(again.status, if published { 409 } else { 201 }, "{point}");
    }
}

const UNWRAP_POINTS: &[&str] = &["u2-audited", "u3-unwrapped"];

#[test]
fn a_release_that_died_is_in_the_audit_trail() {
    use stackseal_core::document::{Document, Plain};
    use stackseal_core::{Identity, Limits, Mark, RandomFailed, Recipient, Sealing, Timestamp};

    for point in UNWRAP_POINTS {
        let home = tempfile::tempdir().unwrap();
        let mut process = Process::signed_in(home.path(), &dying_at(point));
        let recipient = Recipient::parse(&process.initialise()).unwrap();
        let mut random = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomFailed);
        let plain = Document::<Plain>::parse(b"password: x\n", &Limits::default()).unwrap();
        let analysis = stackseal_core::marks::analyse(&plain, &[Mark::parse("password").unwrap()]);
        let now = Timestamp::from_unix(1_790_000_000).unwrap();
        let sealing = Sealing {
            recipients: &[recipient],
            selector: analysis.rule().unwrap(),
            now,
            random: &mut random,
        };
        let text = plain.seal(sealing).unwrap().text().to_owned();
        let file = serde_json::json!({"kind": "manifest", "name": "m", "marks": ["password"], "text": text});
        let body = serde_json::json!({"stack": "db", "files": [file]});
        let save = process
            .send(
                "POST",
                "/api/v1/saves",
                &[("idempotency-key", "key-of-the-only-save")],
                Some(&body),
            )
            .unwrap();
        let save = process.reaches(save.body["id"].as_str().unwrap(), "pushed");
        let to = Identity::generate(&mut random).unwrap().recipient();
        let asked = serde_json::json!({
            "path": save["files"][0]["path"], "commit": save["commit"], "blob": save["files"][0]["blob"],
            "purpose": "edit", "recipient": to.as_str(),
        });
        assert!(
            process
                .send("POST", "/api/v1/unwraps", &[], Some(&asked))
                .is_none(),
            "{point}"
        );
        died(&mut process);
        assert!(process.log().contains("data-key.released"), "{point}");
        drop(process);
        let process = Process::signed_in(home.path(), &Start::default());
        assert_eq!(process.get("/readyz")["ready"], true);
        let answer = process
            .send("POST", "/api/v1/unwraps", &[], Some(&asked))
            .unwrap();
        assert_eq!(answer.status, 200, "{point}: {answer:?}");
    }
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let home = tempfile::tempdir().unwrap();
    let remote = home.path().join("data/remote.git");
    let mut process = Process::signed_in(home.path(), &Start::default());
    process.initialise();
    let mut acknowledged = Vec::new();
    for round in 0..25 {
        let mut unsure = Vec::new();
        for n in 0..3 {
            let key = format!("key-of-save-{round:04}-{n:04}");
            let name = format!("m-{round}-{n}");
            if let Some(answer) = process.save(&key, &name, "a: 1\n", None) {
                assert_eq!(answer.status, 202, "{answer:?}");
                acknowledged.push(answer.body["id"].as_str().unwrap().to_owned());
            }
            unsure.push((key, name));
        }
        // at a moment that differs from round to round: while the saves are being worked on
        let mut spin = [0; 2];
        getrandom::fill(&mut spin).unwrap();
        let wait = std::time::Duration::from_micros(u64::from(u16::from_le_bytes(spin)) * 3);
        std::thread::park_timeout(wait);
        process.signal("-KILL");
        drop(process);
        process = Process::signed_in(home.path(), &Start::default());
        for (key, name) in unsure {
            let answer = process.save(&key, &name, "a: 1\n", None).unwrap();
            assert_eq!(answer.status, 202, "{answer:?}");
        }
    }
    for id in &acknowledged {
        process.reaches(id, "pushed");
        assert_eq!(commits_of(&remote, id), 1, "{id}");
    }
    until("every save is on the branch", || {
        (git(&remote, &["rev-list", "--count", "main"]).trim() == "75").then_some(())
    });
    git(&remote, &["fsck", "--strict"]);
    assert_eq!(process.get("/readyz")["ready"], true);
}
