//! age files.

use serde_json::json;
use stackseal_core::Identity;
use stackseal_core::age::{self, armor};

use crate::documents::{identities, recipients};
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

/// Makes a file, not armored.
pub(crate) fn encrypt(question: &Question) -> Answer {
    let recipients = recipients(question.list("recipients"))?;
    let file = age::encrypt(
        &question.bytes("payload"),
        &recipients,
        &mut *question.random(),
    )?;
    Ok(json!({ "file": base64(file) }))
}

/// Makes a post-quantum key pair.
pub(crate) fn keygen(question: &Question) -> Answer {
    let identity = Identity::generate_hybrid(&mut *question.random())?;
    Ok(json!({ "identity": *identity.to_text(), "recipient": identity.recipient().as_str() }))
}
