//! Documents: opened and sealed as the command does.

use serde_json::{Map, Value, json};
use stackseal_core::age::{self, armor};
use stackseal_core::convert::Indentation;
use stackseal_core::tree::at::TreePath;
use stackseal_core::{
    DataKey, Document, Encrypted, Error, Format, Identity, Limits, Options, Plain, Recipient,
    Sealing, Selector, Timestamp,
};

use crate::{Answer, Question, base64};

/// Opens a document, and gives its text, what stands at a path, or what it is in other formats.
pub(crate) fn decrypt(question: &Question) -> Answer {
    let format = format(question.text("format"));
    let sealed =
        Document::<Encrypted>::parse_as(format, &question.bytes("text"), &Limits::generous())?;
    let path = question.0["extract"].as_str().map(TreePath::parse);
    let path = path.transpose()?;
    let data_key = data_key(&sealed, &identities(question)?)?;
    let opened = match question.is("ignore_mac") {
        true => sealed.open_without_mac(&data_key)?,
        false => sealed.open(&data_key)?,
    };
    let plain = opened.plain();
    let text = match &path {
        Some(path) => base64(plain.extracted(path, format)?),
        None => base64(&*plain.content()),
    };
    let mut views = Map::new();
    for word in question.list("as") {
        let view = plain.converted(self::format(word), Indentation::default());
        let view = match view {
            Ok(view) => json!(base64(view)),
            Err(error) => json!({ "error": error.code().as_str() }),
        };
        views.insert(word.to_owned(), view);
    }
    Ok(json!({ "text": text, "as": views }))
}

/// Seals a text, and opens the result again with the identities.
pub(crate) fn encrypt(question: &Question) -> Answer {
    let (format, limits) = (format(question.text("format")), Limits::generous());
    let document = Document::<Plain>::parse_as(format, &question.bytes("text"), &limits)?;
    let arguments = question.list("arguments");
    let selector = selector(&arguments)?;
    let recipients = recipients(question.list("recipients"))?;
    let (groups, threshold) = groups(&question.bytes("config"))?;
    let mut random = question.random();
    let sealing = Sealing {
        recipients: &recipients,
        selector: &selector,
        now: Timestamp::parse("2026-03-01T10:20:30Z")?,
        random: &mut *random,
    };
    let options = Options {
        groups: &groups,
        threshold,
        mac_only_encrypted: Some(arguments.contains(&"--mac-only-encrypted")),
        keep_layout: true,
        ..Options::default()
    };
    let sealed = document.seal_with(sealing, &options)?;
    let again = Document::<Encrypted>::parse_as(format, sealed.text().as_bytes(), &limits)?;
    let opened = again.open(&data_key(&again, &identities(question)?)?)?;
    Ok(json!({ "sealed": base64(sealed.text()), "opened": base64(&*opened.plain().content()) }))
}

pub(crate) fn identities(question: &Question) -> Result<Vec<Identity>, Error> {
    let texts = question.list("identities");
    texts.into_iter().map(Identity::parse).collect()
}

pub(crate) fn recipients(texts: Vec<&str>) -> Result<Vec<Recipient>, Error> {
    texts.into_iter().map(Recipient::parse).collect()
}

fn format(word: &str) -> Format {
    Format::of_word(word).unwrap()
}

fn data_key(sealed: &Document<Encrypted>, identities: &[Identity]) -> Result<DataKey, Error> {
    if sealed.metadata().key_groups.is_empty() {
        return sealed.data_key(identities);
    }
    sealed.data_key_by(&mut |entry| {
        let file = armor::decode(&entry.enc).ok()?;
        age::decrypt(&file, identities).ok()
    })
}

/// The rule that the arguments of `sops` state.
fn selector(arguments: &[&str]) -> Result<Selector, Error> {
    let [option, text, ..] = arguments else {
        return Ok(Selector::default());
    };
    match *option {
        "--encrypted-comment-regex" => Selector::encrypted_comment_regex(text),
        "--encrypted-regex" => Selector::encrypted_regex(text),
        "--encrypted-suffix" => Ok(Selector::EncryptedSuffix((*text).to_owned())),
        "--unencrypted-comment-regex" => Selector::unencrypted_comment_regex(text),
        "--unencrypted-regex" => Selector::unencrypted_regex(text),
        "--unencrypted-suffix" => Ok(Selector::UnencryptedSuffix((*text).to_owned())),
        other => panic!("there is no option {other}"),
    }
}

/// The key groups of a configuration with one rule; none without one.
fn groups(config: &[u8]) -> Result<(Vec<Vec<Recipient>>, Option<usize>), Error> {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let threshold = config["threshold"].as_u64().map(|many| many as usize);
    let groups = config["groups"].as_array().into_iter().flatten();
    let group = |group: &Value| {
        let texts = group.as_array().into_iter().flatten();
        recipients(texts.filter_map(Value::as_str).collect())
    };
    Ok((groups.map(group).collect::<Result<_, _>>()?, threshold))
}
