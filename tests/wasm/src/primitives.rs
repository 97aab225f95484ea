//! The primitives, for their vectors.

use serde_json::{Value, json};
use stackseal_core::primitives;

use crate::{Answer, Question};

/// What comes out, in hexadecimal; null where nothing does.
pub(crate) fn compute(question: &Question) -> Answer {
    let made = match question.text("primitive") {
        "aes-256-gcm" => aead(question, |key, nonce, aad, data, tag| {
            primitives::aes_256_gcm(key, nonce, aad, data, tag)
        }),
        "chacha20-poly1305" => aead(question, |key, nonce, aad, data, tag| {
            primitives::chacha20_poly1305(key, nonce.try_into().ok()?, aad, data, tag)
        }),
        "hkdf-sha256" => {
            let [secret, salt, info] = ["ikm", "salt", "info"].map(|field| hex(question, field));
            let size = question.0["size"].as_u64().unwrap() as usize;
            primitives::hkdf_sha256(&salt, &secret, &info, size)
        }
        "hmac-sha256" => primitives::hmac_sha256(&hex(question, "key"), &hex(question, "msg")),
        "sealed-value" => primitives::sealed_value(
            array(question, "key"),
            question.text("text"),
            question.text("aad").as_bytes(),
        ),
        "x25519" => {
            let [private, public] = ["private", "public"].map(|field| array(question, field));
            primitives::x25519(private, public)
        }
        other => panic!("there is no primitive {other}"),
    };
    Ok(json!({ "made": made.map_or(Value::Null, |bytes| json!(text(&bytes))) }))
}

type Open = fn([u8; 32], &[u8], &[u8], &[u8], [u8; 16]) -> Option<Vec<u8>>;

fn aead(question: &Question, open: Open) -> Option<Vec<u8>> {
    let [nonce, aad, data] = ["iv", "aad", "ct"].map(|field| hex(question, field));
    // Some vectors have none.
    let tag = hex(question, "tag").try_into().ok()?;
    open(array(question, "key"), &nonce, &aad, &data, tag)
}

fn array<const N: usize>(question: &Question, field: &str) -> [u8; N] {
    hex(question, field).try_into().unwrap()
}

fn hex(question: &Question, field: &str) -> Vec<u8> {
    let text = question.text(field).as_bytes();
    let pairs = text.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
