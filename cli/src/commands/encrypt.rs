//! `stackseal encrypt`: seals the values that a selector or marks choose, and leaves every other byte as it is.

mod many;
mod marks;

use std::path::Path;

use stackseal_core::{
    Document, Encrypted, Error, ErrorCode, Format, Limits, Opened, Options, Plain, Random, Sealing,
};

use zeroize::Zeroizing;

use super::Context;
use crate::aliases;
use crate::args::{Encrypt, Places};
use crate::config::{Config, Selectors};
use crate::exit::{Act, Failure};
use crate::files::Audience;
use crate::keyring::Keyring;
use crate::keys::recipient::Recipients;
use crate::many::Told;
use crate::opening::{self, Mac};
use crate::output;
use crate::sealing;

/// Seals the document, or each of several, and writes it out.
///
/// # Errors
/// Those of the arguments and files, and what the codec refuses, by its codes. Nothing is written then.
pub(crate) fn run(
    arguments: &Encrypt,
    context: &Context,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let places = &arguments.places;
    if let Some(paths) = places.several(&arguments.others)? {
        return many::run(arguments, &paths, context);
    }
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
    let sealer = Sealer {
        arguments,
        context,
        config: context.config()?,
        known: Recipients::default(),
    };
    let _held = places.held();
    let bytes = places.read()?;
    let mut told = Told::default();
    let sealed = sealer.seal(places, told_by, bytes, random, &mut told);
    told.tell();
    let sealed = sealed?;
    if arguments.dry_run {
        output::note(&format!("{} would be sealed", places.name()));
        return Ok(());
    }
    let others = other_names(places);
    places.write(sealed.text().as_bytes(), Audience::Anyone)?;
    if let Some(others) = others {
        output::warning(&others);
    }
    Ok(())
}

/// What holds for every document that is sealed.
struct Sealer<'a> {
    arguments: &'a Encrypt,
    context: &'a Context,
    config: Option<Config>,
    known: Recipients,
}

impl Sealer<'_> {
    /// Seals a document; `told_by` is the name that a rule goes by.
    fn seal(
        &self,
        places: &Places,
        told_by: &Path,
        bytes: Zeroizing<Vec<u8>>,
        random: &mut dyn Random,
        told: &mut Told,
    ) -> Result<Document<Encrypted>, Failure> {
        let Self {
            arguments,
            context,
            config,
            known,
        } = self;
        let name = places.name();
        let failed = |error: &Error| Failure::of_document(error, &name, Act::Encrypt);
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
        let plan = sealing::plan(&arguments.selection, rule, places.input(), context, told)?;
        let groups = sealing::groups(&plan, known)?;

        let limits = Limits::generous();
        let read = |format, bytes: Zeroizing<Vec<u8>>| {
            Document::<Plain>::parse_own(format, bytes, &limits).map_err(|error| failed(&error))
        };
        let indentation = context.indentation(config.as_ref(), places.output())?;
        let mut document = match places.input() {
            Format::Binary => Document::of_bytes(&bytes, indentation.json, &limits)
                .map_err(|error| failed(&error))?,
            format => read(format, bytes)?,
        };
        if places.output() != document.format() {
            let converted = document
                .converted_whole(places.output(), indentation)
                .map_err(|error| failed(&error))?;
            document = read(places.output(), converted)?;
        }
        let selector = match arguments.marks.as_slice() {
            [] => sealing::selector(&plan)?,
            marks => marks::selector(&document, marks, arguments.accept_extra, &name, told)?,
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
        aliases::note_of_sealing(&document, &name, told);
        Ok(sealed)
    }
}

/// A warning of other names that lead to the file, and to its old text once it is replaced.
fn other_names(places: &Places) -> Option<String> {
    let names = match places.other_names() {
        0 => return None,
        1 => "another name".to_owned(),
        others => format!("{others} other names"),
    };
    Some(format!(
        "{}: the file has {names} by hard links, where the text still stands in clear; remove it there",
        places.name()
    ))
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
