//! `stackseal encrypt`: seals the values that a selector or marks choose, and leaves every other byte as it is.

use std::path::Path;

use stackseal_core::marks::{self, Mark};
use stackseal_core::{
    Document, Encrypted, Error, ErrorCode, Format, Limits, Opened, Options, Plain, Random, Sealing,
    Selector,
};

use zeroize::Zeroizing;

use super::Context;
use crate::aliases;
use crate::args::{Encrypt, Places};
use crate::config::Selectors;
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::keyring::Keyring;
use crate::keys::recipient::Recipients;
use crate::opening::{self, Mac};
use crate::output;
use crate::sealing;

/// Seals the document and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec refuses, by its codes. Nothing is written then.
pub(crate) fn run(
    arguments: &Encrypt,
    context: &Context,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let places = &arguments.places;
    places.check()?;
    // Without a name, a rule holds that holds for every name.
    let told_by = match (places.told_by(), &places.input_type) {
        (Some(path), _) => path,
        (None, Some(_)) => Path::new(""),
        (None, None) => {
            return Err(Failure::conflict(
                "standard input has no name that tells its format and its creation rule; add --filename-override \
                 NAME.yaml, or --input-type yaml where no rule goes by the name",
            ));
        }
    };
    let config = context.config()?;
    let name = places.name();
    let failed = |error: &Error| Failure::of_document(error, &name, Act::Encrypt);
    let _held = places.held();
    let bytes = places.read()?;
    if bytes.is_empty() && places.input() == Format::Yaml {
        return Err(Failure {
            status: 92,
            code: ErrorCode::EmptyDocument.as_str(),
            message: format!("{name}: the file is empty, so there is nothing to seal"),
        });
    }
    if places.input() == Format::Binary && places.input_type.is_none() {
        refuse_sealed(&bytes, &name)?;
    }
    let mut rule = sealing::rule(config.as_ref(), told_by).map_err(|failure| match failure.code {
        "rule-missing" if places.told_by().is_none() => Failure {
            message: format!(
                "{}\n  standard input has no name that a rule could go by; add --filename-override NAME.yaml",
                failure.message
            ),
            ..failure
        },
        _ => failure,
    })?;
    if !arguments.marks.is_empty() {
        if sealing::selectors(&arguments.selection).iter().len() > 0 {
            return Err(Failure::conflict(
                "the options that choose what is sealed exclude each other; keep one kind",
            ));
        }
        // Marks say more exactly what a rule says by expressions.
        if let Some(rule) = &mut rule {
            rule.selectors = Selectors::default();
        }
    }
    let plan = sealing::plan(&arguments.selection, rule, places.input(), context)?;
    let groups = sealing::groups(&plan, &Recipients::default())?;

    let limits = Limits::generous();
    let read = |format, bytes: Zeroizing<Vec<u8>>| {
        Document::<Plain>::parse_own(format, bytes, &limits).map_err(|error| failed(&error))
    };
    let indentation = context.indentation(config.as_ref(), places.output())?;
    let mut document = match places.input() {
        Format::Binary => {
            Document::of_bytes(&bytes, indentation.json, &limits).map_err(|error| failed(&error))?
        }
        format => read(format, bytes)?,
    };
    if places.output() != document.format() {
        let converted = document
            .converted(places.output(), indentation)
            .map_err(|error| failed(&error))?;
        document = read(places.output(), converted)?;
    }
    let selector = match arguments.marks.as_slice() {
        [] => sealing::selector(&plan)?,
        marks => of_marks(&document, marks, arguments.accept_extra, &name)?,
    };
    let sealing = Sealing {
        recipients: sealing::first(&groups),
        selector: &selector,
        now: context.now,
        random,
    };
    let options = Options {
        mac_only_encrypted: Some(plan.mac_only_encrypted),
        accept_nothing: arguments.allow_nothing,
        ..sealing::to_groups(&groups, plan.shamir_threshold.map(usize::from))
    };
    let sealed = match earlier(places, document.format(), context) {
        Some(earlier) => earlier.reseal_with(&document, sealing, &options),
        None => document.seal_with(sealing, &options),
    };
    let sealed = sealed.map_err(|error| failed(&error))?;
    aliases::note_of_sealing(&document, &name);
    let others = places.other_names();
    places.write(sealed.text().as_bytes(), Audience::Anyone)?;
    if others > 0 {
        let names = match others {
            1 => "another name".to_owned(),
            _ => format!("{others} other names"),
        };
        output::warning(&format!(
            "{name}: the file has {names} by hard links, where the text still stands in clear; remove it there"
        ));
    }
    Ok(())
}

/// Refuses what looks like a sealed binary file, whole or in part: whoever seals that again most likely does not know.
fn refuse_sealed(bytes: &[u8], name: &str) -> Result<(), Failure> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    let beginnings = [r#""data": "ENC[AES256_GCM,"#, r#""data":"ENC[AES256_GCM,"#];
    let has_beginning = beginnings.iter().any(|beginning| text.contains(beginning));
    if !text.trim_start().starts_with('{') || !has_beginning {
        return Ok(());
    }
    let sealed = Document::<Encrypted>::parse_as(Format::Binary, bytes, &Limits::generous());
    let why = match sealed {
        Ok(_) => "the text is a sealed binary file".to_owned(),
        Err(error) => format!("the text begins as a sealed binary file does, but: {error}"),
    };
    Err(Failure {
        status: 203,
        code: ErrorCode::AlreadySealed.as_str(),
        message: format!("{name}: {why}\n  --input-type binary seals it nevertheless"),
    })
}

/// The document that stands where the result goes: what did not change in it keeps its ciphertext. What does not open,
/// or is something else, is replaced.
fn earlier(places: &Places, format: Format, context: &Context) -> Option<Opened> {
    let path = places.output.as_deref()?;
    let bytes = std::fs::read(path).ok()?;
    let document = Document::<Encrypted>::parse_as(format, &bytes, &Limits::generous()).ok()?;
    let keyring = Keyring::quiet(&context.environment);
    opening::open(&document, &keyring, "", Mac::Check).ok()
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
