//! What fuzzing starts from: the recorded cases, and a few texts by hand.

use std::fs;

use stackseal_tests::keys::{self, VECTORS};

fn files(name: &str) -> Vec<Vec<u8>> {
    let mut folders: Vec<_> = fs::read_dir(format!("{VECTORS}/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
        .iter()
        .filter_map(|folder| fs::read(folder.join(name)).ok())
        .collect()
}

/// Plain files with that ending.
pub fn plain(ending: &str) -> Vec<Vec<u8>> {
    let mut found = files(&format!("input.{ending}"));
    found.extend(files(&format!("decrypted.{ending}")));
    found
}

/// Sealed files with that ending.
pub fn sealed(ending: &str) -> Vec<Vec<u8>> {
    files(&format!("encrypted.{ending}"))
}

/// The `sops` blocks of sealed YAML.
pub fn blocks() -> Vec<Vec<u8>> {
    let start = |text: &[u8]| text.windows(6).position(|six| six == b"\nsops:");
    let block = |text: Vec<u8>| start(&text).map(|at| text[at + 1..].to_vec());
    sealed("yaml").into_iter().filter_map(block).collect()
}

/// Expressions.
pub fn patterns() -> Vec<Vec<u8>> {
    [
        "^(password|secret|data)$",
        "(?i)^DATA",
        "a.*[02]$",
        "\\.(?:a|b)+?",
        "[^a-z\\d]{2,5}",
        "\\p{Greek}+",
        "\\Qa.b\\E",
        "(?P<name>x)|y",
        "(a*)*b",
        "((((((a{1,9}){1,9}){1,9}){1,9})))",
        "[[:alpha:]]",
        "\\x{10FFFF}",
        "(?s-i:.)",
        "\\b\\B\\A\\z",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Paths in a tree.
pub fn paths() -> Vec<Vec<u8>> {
    [
        "[\"a\"][0]",
        "[\"a\"][1]['b']",
        "['c'][\"d\"]",
        "[\"k y\"]",
        "",
        "[99999999999999999999]",
        "[-1]",
        "[\"new\"][\"x\"][0][0]",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// age files, as text and as bytes: those of the recorded cases and of the format's own vectors.
pub fn age_files() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for text in sealed("json") {
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let entries = text["sops"]["age"].as_array().into_iter().flatten();
        found.extend(entries.filter_map(|entry| Some(entry["enc"].as_str()?.as_bytes().to_vec())));
    }
    let binary = found.iter().filter_map(|text| {
        stackseal_core::age::armor::decode(std::str::from_utf8(text).ok()?).ok()
    });
    let binary: Vec<_> = binary.collect();
    found.extend(binary);
    let recipient = keys::identity("id1").recipient();
    for size in [0, 1, 65_536, 70_000] {
        found.push(
            stackseal_core::age::encrypt(
                &vec![9; size],
                std::slice::from_ref(&recipient),
                &mut keys::random,
            )
            .unwrap(),
        );
    }
    found
}
