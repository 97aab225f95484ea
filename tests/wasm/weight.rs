//! The codec's calls behind as little else as can be: what this weighs is what the codec weighs.
//!
//! Without features the calls are those of the page; with them, those of the command as well. `make size` weighs both.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "nothing calls it but JavaScript")
)]

use core::fmt::Write as _;

use stackseal_core::marks::{self, Mark};
use stackseal_core::{
    DataKey, Document, Encrypted, Error, Identity, Limits, Opened, Plain, RandomFailed, Recipient,
    Sealing, Timestamp, guard, suggest,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// What the page calls when a text is changed, opened, sealed and looked at; `act` says which.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn page(act: u8, text: &str, more: &str) -> String {
    let done = match act {
        0 => look(text, more),
        1 => open(text, more),
        2 => seal(text, more, None).map(|opened| opened.sealed().text().into()),
        3 => guard::check(text.as_bytes(), &[], &[], &Limits::default()).map(|_| String::new()),
        _ => edit(text, more),
    };
    done.unwrap_or_else(told)
}

fn told(error: Error) -> String {
    let mut told = String::from(error.code().as_str());
    match error.fault() {
        Some(fault) => {
            told.push_str(&fault.message);
            told.push_str(fault.path.as_deref().unwrap_or_default());
            let _infallible = write!(told, "{:?}", fault.line);
        }
        None => told.push_str(&error.to_string()),
    }
    told
}

fn parsed(texts: &str) -> Result<Vec<Mark>, Error> {
    texts.lines().map(Mark::parse).collect()
}

/// Marks, findings, suggestions and values of a text.
fn look(text: &str, texts: &str) -> Result<String, Error> {
    let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default())?;
    let marks = parsed(texts)?;
    let analysis = marks::analyse(&document, &marks);
    let mut seen = String::new();
    for finding in &analysis.findings {
        seen.push_str(finding.code.as_str());
        seen.push_str(&finding.message);
    }
    for leaf in document.leaves() {
        seen.push_str(&leaf.path.to_string());
        if let Some(value) = document.value_text(&leaf.span) {
            seen.push_str(&value);
        }
    }
    for suggestion in suggest::suggest(&document, &marks) {
        seen.push_str(&suggestion.mark);
    }
    Ok(seen)
}

fn opened(sealed: &str, wrapped: &str) -> Result<Opened, Error> {
    let identity = Identity::generate(&mut random)?;
    let data_key = DataKey::unwrap(wrapped, core::slice::from_ref(&identity))?;
    Document::<Encrypted>::parse(sealed.as_bytes(), &Limits::default())?.open(&data_key)
}

fn open(sealed: &str, wrapped: &str) -> Result<String, Error> {
    let opened = opened(sealed, wrapped)?;
    let mut seen = String::from(opened.plain().text());
    for leaf in opened.sealed().leaves() {
        seen.push_str(&leaf.path.to_string());
    }
    Ok(seen)
}

fn edit(sealed: &str, wrapped: &str) -> Result<String, Error> {
    let earlier = opened(sealed, wrapped)?;
    let again = seal(sealed, wrapped, Some(&earlier))?;
    Ok(again.sealed().text().into())
}

fn seal(text: &str, recipient: &str, earlier: Option<&Opened>) -> Result<Opened, Error> {
    let limits = Limits::default();
    let document = Document::<Plain>::parse(text.as_bytes(), &limits)?;
    let marks = parsed(recipient)?;
    let recipients = [Recipient::parse(recipient)?];
    let analysis = marks::analyse(&document, &marks);
    let sealing = Sealing {
        recipients: &recipients,
        selector: analysis.rule()?,
        now: Timestamp::parse(recipient)?,
        random: &mut random,
    };
    let opened = match earlier {
        Some(earlier) => earlier.reseal_and_open(&document, sealing)?,
        None => document.seal_and_open(sealing)?,
    };
    let sealed = opened.sealed().text().as_bytes();
    guard::check(sealed, &marks, &recipients, &limits)?;
    Ok(opened)
}

/// Nothing is sealed here in earnest.
fn random(_: &mut [u8]) -> Result<(), RandomFailed> {
    Err(RandomFailed)
}

/// What the command calls beside.
#[cfg(feature = "formats")]
mod command {
    use stackseal_core::age::{self, armor};
    use stackseal_core::convert::Indentation;
    use stackseal_core::tree::Node;
    use stackseal_core::tree::at::TreePath;
    use stackseal_core::value::Value;
    use stackseal_core::{
        Document, Encrypted, Error, Format, Identity, Limits, Options, Plain, Recipient, Rotation,
        Sealing, Selector, Timestamp, edit,
    };

    use super::{random, told};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen::prelude::wasm_bindgen;

    #[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
    pub fn command(from: &str, to: &str, text: &[u8], more: &str) -> String {
        run(from, to, text, more).unwrap_or_else(told)
    }

    fn run(from: &str, to: &str, text: &[u8], more: &str) -> Result<String, Error> {
        let limits = Limits::generous();
        let format = |word| Format::of_word(word).unwrap_or(Format::of_name(word));
        let (from, to) = (format(from), format(to));
        let mut done = String::new();
        let mut take = |bytes: &[u8]| done.push_str(&String::from_utf8_lossy(bytes));

        let plain = match from {
            Format::Binary => Document::of_bytes(text, None, &limits)?,
            _ => Document::<Plain>::parse_as(from, text, &limits)?,
        };
        take(&plain.converted(to, Indentation::default())?);
        take(&plain.extracted(&TreePath::parse(more)?, to)?);
        for (name, value) in plain.variables()? {
            take(name.as_bytes());
            take(&value);
        }
        let recipients = [Recipient::parse(more)?];
        let groups = [recipients.to_vec(), recipients.to_vec()];
        let selectors = [
            Selector::encrypted_comment_regex(more)?,
            Selector::encrypted_regex(more)?,
            Selector::EncryptedSuffix(more.into()),
        ];
        let options = Options {
            groups: &groups,
            threshold: Some(text.len()),
            keep_layout: true,
            ..Options::default()
        };
        for selector in &selectors {
            let sealing = Sealing {
                recipients: &recipients,
                selector,
                now: Timestamp::from_unix(0)?,
                random: &mut random,
            };
            take(plain.seal_with(sealing, &options)?.text().as_bytes());
        }
        let sealed = Document::<Encrypted>::parse_as(from, text, &limits)?;
        let identities = [Identity::parse(more)?];
        let data_key = sealed.data_key(&identities)?;
        let by_group = sealed.data_key_by(&mut |entry| {
            let file = armor::decode(&entry.enc).ok()?;
            age::decrypt(&file, &identities).ok()
        })?;
        let opened = sealed.open(&data_key)?;
        take(&opened.plain().content());
        take(&sealed.open_without_mac(&by_group)?.plain().content());
        let path = TreePath::parse(more)?;
        take(edit::set(&plain, &path, &Node::Leaf(Value::Null))?.as_bytes());
        take(edit::unset(&plain, &path)?.as_bytes());
        let now = Timestamp::from_unix(0)?;
        let sealing = Sealing {
            recipients: &recipients,
            selector: &selectors[0],
            now,
            random: &mut random,
        };
        let rotation = Rotation {
            groups: &groups,
            threshold: None,
            now,
            ignore_mac: text.is_empty(),
            random: &mut random,
        };
        for sealed in [
            opened.reseal_with(&plain, sealing, &options)?,
            sealed.rotated(&data_key, rotation)?,
            sealed.with_keys(&data_key, &groups, None, &mut random)?,
        ] {
            take(sealed.text().as_bytes());
        }
        Ok(done)
    }
}
