//! Marks: what they hit, what they would hit besides, and what is refused.

use stackseal_core::{ErrorCode, Mark, Selector, marks};

use crate::support::{parse_marks, plain};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  labels: {password: x}\nstringData:\n  user: app\n  port: 5432\n  on: \"\"\n  .dockerconfigjson: '{}'\n  config.yaml: x\n";

fn codes(text: &str, names: &[&str]) -> Vec<(ErrorCode, bool, Option<String>)> {
    let analysis = marks::analyse(&plain(text), &parse_marks(names));
    analysis
        .findings
        .into_iter()
        .map(|finding| (finding.code, finding.refuses, finding.path))
        .collect()
}

fn selector(text: &str, names: &[&str]) -> Selector {
    marks::analyse(&plain(text), &parse_marks(names))
        .rule()
        .unwrap_or_else(|error| panic!("{error}"))
        .clone()
}

#[test]
fn a_path_becomes_the_name_of_its_last_key() {
    let text = "auth:\n  password: x\n  user: y\n";
    assert_eq!(
        selector(text, &["auth.password"]),
        Selector::encrypted_regex("^(password)$").unwrap()
    );
    assert_eq!(
        selector(text, &["auth"]),
        Selector::encrypted_regex("^(auth)$").unwrap()
    );
    assert_eq!(
        selector(SECRET, &[".dockerconfigjson", "stringData.user"]),
        Selector::encrypted_regex(r"^(\.dockerconfigjson|user)$").unwrap()
    );
    assert_eq!(
        selector(SECRET, &["config.yaml"]),
        Selector::encrypted_regex(r"^(config\.yaml)$").unwrap()
    );
    assert_eq!(
        selector(SECRET, &["stringData.config.yaml"]),
        Selector::encrypted_regex(r"^(config\.yaml)$").unwrap()
    );
}

#[test]
fn other_values_of_the_same_name_are_listed_and_refused() {
    let text = "auth:\n  password: x\nredis:\n  password: y\nusers:\n- password: z\n";
    let analysis = marks::analyse(&plain(text), &parse_marks(&["auth.password"]));
    let hits: Vec<(String, Option<usize>)> = analysis
        .hits
        .iter()
        .map(|hit| (hit.path.to_string(), hit.mark))
        .collect();
    assert_eq!(
        hits,
        [
            ("auth.password".into(), Some(0)),
            ("redis.password".into(), None),
            ("users[0].password".into(), None)
        ]
    );
    assert_eq!(analysis.rule().unwrap_err().code(), ErrorCode::MarkHitsMore);
    assert_eq!(
        selector(text, &["password"]),
        Selector::encrypted_regex("^(password)$").unwrap()
    );
    assert_eq!(
        selector(text, &["auth.password", "redis.password", "users.password"]),
        Selector::encrypted_regex("^(password)$").unwrap(),
        "every hit is meant by some mark"
    );
}

#[test]
fn a_mistyped_mark_names_the_nearest_keys() {
    let analysis = marks::analyse(&plain("apiKey: x\nother: y\n"), &parse_marks(&["apikey"]));
    let finding = analysis.refusal().unwrap();
    assert_eq!(finding.code, ErrorCode::MarkMatchesNothing);
    assert!(
        finding.message.contains("did you mean apiKey?"),
        "{}",
        finding.message
    );
}

#[test]
fn parts_that_kubernetes_reads_are_refused() {
    assert!(codes(SECRET, &["metadata.labels.password"]).contains(&(
        ErrorCode::MarkOnReservedField,
        true,
        Some("metadata.labels.password".into())
    )));
    assert!(
        codes(SECRET, &["name"])
            .iter()
            .any(|(code, refuses, _)| *code == ErrorCode::MarkOnReservedField && *refuses)
    );
    assert!(
        codes("metadata:\n  token: x\n", &["token"]).is_empty(),
        "values of a chart are no manifest"
    );
}

#[test]
fn a_secret_takes_text_alone() {
    assert_eq!(
        codes(SECRET, &["port"]),
        [(
            ErrorCode::NonStringInSecret,
            true,
            Some("stringData.port".into())
        )]
    );
    assert_eq!(
        codes(SECRET, &["on"]),
        [(ErrorCode::ValueEmpty, false, Some("stringData.on".into()))]
    );
    assert!(codes("port: 5432\n", &["port"]).is_empty());
}

#[test]
fn comments_beside_a_sealed_value_are_pointed_out() {
    let text = "# was hunter2\npassword: x\nb: 1 # fine\n";
    assert_eq!(
        codes(text, &["password"]),
        [(ErrorCode::CommentInClear, false, Some("password".into()))]
    );
    assert_eq!(codes("password: x # hunter2\n", &["password"]).len(), 1);
    // the line above speaks of its own value
    assert!(codes("port: 1 # fine\npassword: x\n", &["password"]).is_empty());
}

#[test]
fn a_mark_is_one_line_of_text() {
    for bad in ["", "  ", ".", "a.", "a\nb", "a\u{2028}b", &"x".repeat(600)] {
        assert_eq!(
            Mark::parse(bad).unwrap_err().code(),
            ErrorCode::MarkInvalid,
            "{bad:?}"
        );
    }
    assert_eq!(
        Mark::parse("  auth.password ").unwrap().text(),
        "auth.password"
    );
}

#[test]
fn a_value_that_yaml_reads_as_a_key_is_not_taken_for_sealed() {
    for text in [
        "password: {hunter2}\n",
        "password:\n  hunter2:\n",
        "password: [{hunter2}]\n",
    ] {
        let codes = codes(text, &["password"]);
        assert!(
            codes.contains(&(ErrorCode::ValueEmpty, true, None)),
            "{text} {codes:?}"
        );
    }
    for text in [
        "password:\n",
        "password: \"\"\n",
        "password: {old: , new: x}\n",
    ] {
        assert!(
            codes(text, &["password"])
                .iter()
                .all(|(_, refuses, _)| !refuses),
            "{text}"
        );
    }
}
