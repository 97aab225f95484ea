//! The fixed keys of the recorded cases. They are public: for tests alone.

use std::fs;

use stackseal_core::{Identity, RandomFailed};

/// The folder of the recorded cases and their keys.
pub const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sops");

/// An identity file of the vectors, as it stands.
pub fn text(name: &str) -> String {
    fs::read_to_string(format!("{VECTORS}/keys/{name}.txt")).unwrap()
}

pub fn identity(name: &str) -> Identity {
    let text = text(name);
    let key = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"));
    Identity::parse(key.unwrap()).unwrap()
}

/// The operating system's generator.
pub fn random(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}
