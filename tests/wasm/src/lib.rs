//! The codec, asked and answering in JSON: built for this machine and for WebAssembly, where the same questions must
//! have the same answers.
//!
//! A question names an `act` and what it needs; bytes are base64. What is right is not known here: see `judge.js`.
#![cfg(all(feature = "formats", feature = "hybrid"))]

mod age;
mod documents;
mod primitives;

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use stackseal_core::{Error, Random, RandomFailed};

/// Answers a question. A refusal is an answer: `{"error": {"code": …, "message": …}}`.
#[cfg_attr(
    target_arch = "wasm32",
    wasm_bindgen::prelude::wasm_bindgen(js_name = answer)
)]
pub fn answer(question: &str) -> String {
    let question = Question(serde_json::from_str(question).unwrap());
    let answer = match question.text("act") {
        "age" => age::decrypt(&question),
        "age-encrypt" => age::encrypt(&question),
        "age-keygen" => age::keygen(&question),
        "decrypt" => documents::decrypt(&question),
        "encrypt" => documents::encrypt(&question),
        "primitive" => primitives::compute(&question),
        other => panic!("there is no act {other}"),
    };
    let answer = answer.unwrap_or_else(
        |error| json!({ "error": { "code": error.code().as_str(), "message": error.to_string() } }),
    );
    answer.to_string()
}

struct Question(Value);

impl Question {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn is(&self, field: &str) -> bool {
        self.0[field] == true
    }

    fn list(&self, field: &str) -> Vec<&str> {
        let items = self.0[field].as_array();
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    fn bytes(&self, field: &str) -> Vec<u8> {
        Base64::decode_vec(self.text(field)).unwrap()
    }

    /// The host's randomness, or for a question with a `seed` bytes that repeat.
    fn random(&self) -> Box<dyn Random> {
        let Some(mut state) = self.0["seed"].as_u64() else {
            return Box::new(|out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomFailed));
        };
        Box::new(move |out: &mut [u8]| {
            for byte in out {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
            Ok(())
        })
    }
}

type Answer = Result<Value, Error>;

fn base64(bytes: impl AsRef<[u8]>) -> String {
    Base64::encode_string(bytes.as_ref())
}
