//! `stackseal encrypt`: seals the values that a selector or marks choose, and leaves every other byte as it is.

use stackseal_core::marks::{self, Mark};
use stackseal_core::{
    Document, Error, ErrorCode, Limits, Plain, Random, Recipient, Sealing, Selector, Timestamp,
};

use crate::args::Encrypt;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::keyring::Environment;
use crate::keys;
use crate::output;

/// Seals the document and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec refuses, by its codes. Nothing is written then.
pub(crate) fn run(
    arguments: &Encrypt,
    environment: &Environment,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let places = &arguments.places;
    places.check()?;
    let rule = rule(arguments)?;
    let recipients = recipients(&arguments.age, environment)?;
    let name = places.name();
    let failed = |error: &Error| Failure::of_document(error, &name, Act::Encrypt);

    let bytes = places.read()?;
    let document =
        Document::<Plain>::parse(&bytes, &Limits::generous()).map_err(|error| failed(&error))?;
    let selector = match rule {
        Some(selector) => selector,
        None => of_marks(&document, &arguments.marks, arguments.accept_extra, &name)?,
    };
    let sealing = Sealing {
        recipients: &recipients,
        selector: &selector,
        now,
        random,
    };
    let sealed = document.seal(sealing).map_err(|error| failed(&error))?;
    places.write(sealed.text(), Audience::Anyone)
}

/// The rule that the options state; `None` when marks shall make it.
fn rule(arguments: &Encrypt) -> Result<Option<Selector>, Failure> {
    let mut rules = Vec::new();
    if let Some(regex) = &arguments.encrypted_regex {
        let rule = Selector::encrypted_regex(regex);
        rules.push(rule.map_err(|error| Failure::of_argument(&error, "--encrypted-regex"))?);
    }
    if let Some(regex) = &arguments.unencrypted_regex {
        let rule = Selector::unencrypted_regex(regex);
        rules.push(rule.map_err(|error| Failure::of_argument(&error, "--unencrypted-regex"))?);
    }
    rules.extend(
        arguments
            .encrypted_suffix
            .clone()
            .map(Selector::EncryptedSuffix),
    );
    rules.extend(
        arguments
            .unencrypted_suffix
            .clone()
            .map(Selector::UnencryptedSuffix),
    );
    match (rules.len(), arguments.marks.is_empty()) {
        (0, true) => Ok(Some(Selector::default())),
        (0, false) => Ok(None),
        (1, true) => Ok(rules.pop()),
        _ => Err(Failure::conflict(
            "the options that choose what is sealed exclude each other; keep one kind",
        )),
    }
}

/// The recipients of the option, else of the environment; each once, in the order given.
fn recipients(options: &[String], environment: &Environment) -> Result<Vec<Recipient>, Failure> {
    let (source, texts) = if options.is_empty() {
        ("SOPS_AGE_RECIPIENTS", environment.age_recipients.as_slice())
    } else {
        ("--age", options)
    };
    let mut recipients = Vec::new();
    for text in texts
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let recipient = keys::recipient::parse(text, source)?;
        if !recipients.contains(&recipient) {
            recipients.push(recipient);
        }
    }
    if recipients.is_empty() {
        return Err(Failure::usage(
            ErrorCode::RecipientMissing.as_str(),
            "there is nobody to seal to; name age recipients with --age or in SOPS_AGE_RECIPIENTS",
        ));
    }
    Ok(recipients)
}

/// The narrowest selector for the marks, if they may be sealed.
fn of_marks(
    document: &Document<Plain>,
    texts: &[String],
    accept_extra: bool,
    name: &str,
) -> Result<Selector, Failure> {
    let marks = texts
        .iter()
        .map(|text| Mark::parse(text).map_err(|error| Failure::of_argument(&error, "--mark")))
        .collect::<Result<Vec<_>, _>>()?;
    let analysis = marks::analyse(document, &marks);

    // Extra hits have a question of their own below.
    let refusals: Vec<_> = analysis
        .findings
        .iter()
        .filter(|it| it.refuses && it.code != ErrorCode::MarkHitsMore)
        .collect();
    if let Some(first) = refusals.first() {
        let mut message = format!("{name}: the marks cannot be sealed as they are");
        for finding in &refusals {
            message.push_str("\n  ");
            message.push_str(&place(finding.line, finding.path.as_deref()));
            message.push_str(&finding.message);
        }
        return Err(Failure::usage(first.code.as_str(), message));
    }
    let extra: Vec<_> = analysis
        .hits
        .iter()
        .filter(|hit| hit.mark.is_none())
        .collect();
    if !extra.is_empty() && !accept_extra {
        let mut message =
            format!("{name}: SOPS chooses by key name, so the marks would also seal:");
        for hit in extra {
            message.push_str(&format!("\n  line {}: {}", hit.line, hit.path));
        }
        message
            .push_str("\n  add --accept-extra to seal these too, or give the keys different names");
        return Err(Failure::usage(ErrorCode::MarkHitsMore.as_str(), message));
    }
    for finding in analysis.findings.iter().filter(|finding| !finding.refuses) {
        let place = place(finding.line, finding.path.as_deref());
        output::warning(&format!("{name}: {place}{}", finding.message));
    }
    analysis.selector.ok_or_else(|| {
        Failure::usage(
            "mark-matches-nothing",
            format!("{name}: the marks choose nothing; check their names"),
        )
    })
}

fn place(line: Option<usize>, path: Option<&str>) -> String {
    let line = line
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    let path = path.map(|path| format!("{path}: ")).unwrap_or_default();
    format!("{line}{path}")
}
