//! age files.

use serde_json::json;
use stackseal_core::age::{self, armor};

use crate::documents::identities;
use crate::{Answer, Question, base64};

/// Opens a file, armored or not.
pub(crate) fn decrypt(question: &Question) -> Answer {
    let mut file = question.bytes("file");
    if question.is("armored") {
        file = armor::decode(core::str::from_utf8(&file).unwrap())?;
    }
    let payload = age::decrypt(&file, &identities(question)?)?;
    Ok(json!({ "payload": base64(payload) }))
}
