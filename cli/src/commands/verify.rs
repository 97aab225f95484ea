//! `stackseal verify`: checks sealed files without any key, and finds files that a creation rule covers and that are
//! not sealed. Nothing is opened and nothing is written.

mod finding;

use std::path::Path;

use stackseal_core::{Document, Encrypted, Format, Limits};

use self::finding::Finding;
use super::Context;
use crate::args::Verify;
use crate::config::{self, Config, Covering, Rule, SelectionFlags};
use crate::exit::Failure;
use crate::expected::{self, Difference, Expected};
use crate::files;
use crate::keys::recipient::{self, Recipients};
use crate::likeness;
use crate::many::{self, Found, Seen, Told};
use crate::output::Shown as _;
use crate::sealing;

/// Checks the files, and tells what is wrong with each.
///
/// # Errors
/// `files-failed` when something was found; those of the arguments and of the configuration.
pub(crate) fn run(arguments: &Verify, context: &Context) -> Result<(), Failure> {
    let verification = Verification {
        arguments,
        config: context.config()?,
        expected: named(arguments)?,
        format: arguments.input_type.as_deref().and_then(Format::of_word),
        known: Recipients::default(),
    };
    if arguments.require_rules && !verification.has_rules() {
        return Err(Failure::usage(
            "rule-missing",
            "--require-rules: no creation rules were found from the working folder upwards; write a .sops.yaml with \
             creation_rules, or name one with --config",
        ));
    }
    let remark = match (&verification.expected, verification.has_rules()) {
        (_, true) => None,
        (Some(_), false) => Some(
            "there are no creation rules, so nobody says which files and values ought to be sealed",
        ),
        (None, false) => Some(
            "there are no creation rules, so nobody says who should be able to open the files, nor which files and \
             values ought to be sealed; write a .sops.yaml, or name the recipients with --age",
        ),
    };
    many::survey(&arguments.files, "verified", remark, &|found, told| {
        verification.look(found, told)
    })
}

/// The recipients that the arguments name, if they do.
fn named(arguments: &Verify) -> Result<Option<Expected>, Failure> {
    let mut age: Vec<String> = Vec::new();
    let pieces = arguments.age.iter().flat_map(|list| list.split(','));
    age.extend(pieces.map(|piece| piece.trim().to_owned()));
    let check = |text: &String, source: &str| match text.is_empty() {
        true => Ok(()),
        false => recipient::parse(text, source).map(drop),
    };
    age.iter().try_for_each(|text| check(text, "--age"))?;
    if let Some(path) = &arguments.recipients_file {
        let bytes = files::read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        for (line, at) in text.lines().map(str::trim).zip(1..) {
            if !line.starts_with('#') {
                let line = line.to_owned();
                check(&line, &format!("{}: line {at}", path.shown()))?;
                age.push(line);
            }
        }
    }
    age.retain(|text| !text.is_empty());
    let source = match (arguments.age.is_empty(), &arguments.recipients_file) {
        (true, None) => return Ok(None),
        (true, Some(path)) => path.shown(),
        (false, None) => "--age".to_owned(),
        (false, Some(path)) => format!("--age or {}", path.shown()),
    };
    match age.is_empty() {
        true => Err(Failure::usage(
            "recipient-missing",
            format!(
                "{source} names nobody; give age recipients, or leave it out to follow .sops.yaml"
            ),
        )),
        false => Ok(Some(Expected::of_recipients(age, &source))),
    }
}

struct Verification<'a> {
    arguments: &'a Verify,
    config: Option<Config>,
    /// Who the arguments say.
    expected: Option<Expected>,
    format: Option<Format>,
    known: Recipients,
}

impl Verification<'_> {
    fn has_rules(&self) -> bool {
        self.config.as_ref().is_some_and(Config::has_rules)
    }

    fn look(&self, found: &Found, told: &mut Told) -> Seen {
        let (name, seen) = match found {
            Found::InFolder(path) | Found::Named(path) => {
                let named = matches!(found, Found::Named(_)) && !self.arguments.only_covered;
                (path, self.file(path, named))
            }
            Found::Unreadable(folder, why) => {
                let message = format!("the folder cannot be read: {why}");
                (
                    folder,
                    Err(vec![Finding::of(Failure::unreadable(message), folder)]),
                )
            }
        };
        match seen {
            Ok(seen) => seen,
            Err(findings) => {
                for finding in findings {
                    told.result(&match self.arguments.json {
                        // Programs get the name itself.
                        true => finding.json(&name.to_string_lossy()),
                        false => finding.text(&name.shown()),
                    });
                }
                Seen::Faulty
            }
        }
    }

    /// Looks at a file; one that is named must be sealed.
    fn file(&self, path: &Path, named: bool) -> Result<Seen, Vec<Finding>> {
        let format = self
            .format
            .unwrap_or_else(|| Format::of_name(&path.to_string_lossy()));
        let bytes = match named {
            true => files::read(path).map(|bytes| {
                (likeness::may_be_sealed(&bytes) || likeness::holds_sealed(format, &bytes))
                    .then_some(bytes)
            }),
            false => many::read_if_sealed(path, format),
        };
        let bytes = bytes.map_err(|failure| vec![Finding::of(failure, path)])?;
        let document = match &bytes {
            Some(bytes) => {
                let parsed = Document::<Encrypted>::parse_as(format, bytes, &Limits::generous());
                parsed.map(Some).or_else(|error| {
                    match likeness::claims_to_be_sealed(bytes, &error)
                        || (named && !likeness::is_plain(&error))
                    {
                        true => Err(vec![Finding::of_unread(&error)]),
                        false => Ok(None),
                    }
                })?
            }
            None => None,
        };
        let covering = self.covering(path)?;
        let Some(document) = document else {
            return self.plain(path, format, covering.as_ref(), named);
        };
        let mut findings: Vec<_> = document.verify().iter().map(Finding::of_error).collect();
        let copies = expected::foreign_copies(&document);
        for it in copies.chain(self.differences(&document, covering)) {
            let field = it.field.split('[').next().unwrap_or_default();
            findings.push(Finding {
                line: document.block_line(field),
                path: Some(format!("sops.{}", it.field)),
                code: it.code,
                message: it.message,
            });
        }
        match findings.is_empty() {
            true => Ok(Seen::Good),
            false => Err(findings),
        }
    }

    fn covering(&self, path: &Path) -> Result<Option<Covering>, Vec<Finding>> {
        let covering = self
            .config
            .as_ref()
            .map(|config| config.covering(path))
            .transpose();
        Ok(covering
            .map_err(|failure| vec![Finding::of(failure, path)])?
            .flatten())
    }

    /// A file that is not sealed.
    fn plain(
        &self,
        path: &Path,
        format: Format,
        covering: Option<&Covering>,
        named: bool,
    ) -> Result<Seen, Vec<Finding>> {
        let is_config = self
            .config
            .as_ref()
            .is_some_and(|config| config.is_configuration(path));
        // There is nothing to seal in an empty file.
        let is_empty = || path.metadata().is_ok_and(|metadata| metadata.len() == 0);
        let rule = covering
            .filter(|covering| (named || covering.by_path || self.arguments.all) && !is_config);
        let why = match rule {
            Some(_) if is_empty() => return Ok(Seen::NotSealed),
            Some(Covering { rule, .. }) => {
                format!("{} covers this file, but it is not sealed", rule.place)
            }
            None if named => "the file is not sealed".to_owned(),
            None => return Ok(Seen::NotSealed),
        };
        if let Some(finding) = damaged(path, format) {
            return Err(vec![finding]);
        }
        let message = format!(
            "{why}; seal it with 'stackseal encrypt -i', and change the secrets that were committed in clear"
        );
        let failure = Failure::usage("file-not-sealed", message);
        Err(vec![Finding::of(failure, path)])
    }

    /// Why nothing could be sealed as a rule says. Keys of other kinds are no fault: they are compared by name.
    fn fault(&self, rule: &Rule) -> Option<Failure> {
        match config::combine(Some(rule), &SelectionFlags::default(), &[]) {
            Ok(plan) => sealing::groups(&plan, &self.known).err(),
            Err(failure) => Some(failure).filter(|failure| failure.code != "key-unsupported"),
        }
    }

    /// How a file differs from what the arguments, else the rule, say.
    fn differences(
        &self,
        document: &Document<Encrypted>,
        covering: Option<Covering>,
    ) -> Vec<Difference> {
        let metadata = document.metadata();
        let rule = covering.map(|covering| covering.rule.for_format(document.format()));
        let mut differences = match (&self.expected, &rule) {
            (Some(expected), _) => expected.differences(metadata),
            (None, Some(rule)) => match self.fault(rule) {
                // Compared with a rule that names nobody, everybody would be too many.
                Some(fault) => vec![Difference {
                    code: fault.code,
                    field: "age".to_owned(),
                    message: fault.message,
                }],
                None => Expected::of_rule(rule).differences(metadata),
            },
            (None, None) if self.has_rules() => {
                let message = "no creation rule covers this file, so nobody says who should be able to open it; add a \
                               rule, or name the recipients with --age";
                vec![Difference {
                    code: "rule-missing",
                    field: "age".to_owned(),
                    message: message.to_owned(),
                }]
            }
            (None, None) => Vec::new(),
        };
        if !self.arguments.any_selector {
            let rule = rule.as_ref();
            differences.extend(rule.and_then(|rule| other_selector(document, rule)));
            differences.extend(rule.and_then(|rule| other_mac(document, rule)));
        }
        differences
    }
}

/// A rule that says which values are sealed, and a file that says otherwise.
fn other_selector(document: &Document<Encrypted>, rule: &Rule) -> Option<Difference> {
    let (field, text) = document.metadata().selector.field();
    let (kind, wanted) = rule.selectors.iter().next()?;
    if (kind.as_str(), wanted) == (field, text) {
        return None;
    }
    let message = format!(
        "what is sealed is chosen by {field} '{text}', but {} says {kind} '{wanted}'; 'stackseal \
         rotate --by-rule -i' seals the file as the rule says, and --any-selector lets it be",
        rule.place
    );
    Some(Difference {
        code: "selector-mismatch",
        field: field.to_owned(),
        message,
    })
}

/// A file whose MAC covers less or more than the rule says, which covers everything unless it says otherwise.
fn other_mac(document: &Document<Encrypted>, rule: &Rule) -> Option<Difference> {
    let is = document.metadata().mac_only_encrypted;
    let wanted = rule.mac_only_encrypted.unwrap_or_default();
    let (covers, says) = match is {
        _ if is == wanted => return None,
        true => ("sealed values alone", "that it covers those in clear, too"),
        false => ("values in clear, too", "that it covers sealed ones alone"),
    };
    Some(Difference {
        code: "selector-mismatch",
        field: "mac_only_encrypted".to_owned(),
        message: format!(
            "the MAC covers {covers}, but {} says {says}; 'stackseal rotate --by-rule -i' seals the file as the \
             rule says, and --any-selector lets it be",
            rule.place
        ),
    })
}

/// What is left of a sealed file, and must not be sealed again.
fn damaged(path: &Path, format: Format) -> Option<Finding> {
    let bytes = files::read(path).ok()?;
    match likeness::of_sealed(format, &bytes)? {
        Ok(document) => document.verify().first().map(Finding::of_error),
        Err(error) => Some(Finding::of_unread(&error)),
    }
}
