//! Support of this crate's tests: vector files under `tests/vectors`, and generators that repeat.

extern crate std;

use alloc::string::String;
use alloc::vec::Vec;
use std::path::PathBuf;

use crate::random::RandomFailed;

/// The bytes of a vector file.
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A vector file in JSON.
pub(crate) fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&read(name)).unwrap()
}

/// The sorted names in a folder of vectors.
pub(crate) fn names(name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder().join(name)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The tests of a Wycheproof file with the group each is in.
pub(crate) fn wycheproof(name: &str) -> Vec<(serde_json::Value, serde_json::Value)> {
    let file = json(&alloc::format!("wycheproof/{name}_test.json"));
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            cases.push((group.clone(), case.clone()));
        }
    }
    assert_eq!(cases.len() as u64, file["numberOfTests"].as_u64().unwrap());
    cases
}

/// Decodes a field in hexadecimal.
pub(crate) fn hex(value: &serde_json::Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// A generator that repeats: fit for tests only.
pub(crate) fn repeatable(seed: u64) -> impl FnMut(&mut [u8]) -> Result<(), RandomFailed> {
    let mut state = seed;
    move |out: &mut [u8]| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        Ok(())
    }
}

/// A generator that fails after so many calls.
pub(crate) fn failing(after: usize) -> impl FnMut(&mut [u8]) -> Result<(), RandomFailed> {
    let mut left = after;
    let mut bytes = repeatable(7);
    move |out: &mut [u8]| {
        left = left.checked_sub(1).ok_or(RandomFailed)?;
        bytes(out)
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors"))
}
