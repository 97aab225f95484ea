//! `stackseal verify`: checks sealed files without any key, and finds files that a creation rule covers and that are
//! not sealed. Nothing is opened and nothing is written.

mod compared;
mod contents;
mod finding;
mod plain;
mod repository;
mod staged;

use std::path::Path;

use stackseal_core::{Document, Encrypted, Format, Limits};

use self::finding::Finding;
use self::plain::File;
use self::staged::Staged;
use super::Context;
use crate::args::Verify;
use crate::config::{Config, Covering};
use crate::exit::Failure;
use crate::expected::{self, Expected};
use crate::files;
use crate::keys::recipient::{self, Recipients};
use crate::likeness;
use crate::many::{self, Found, Seen, Summary, Told};
use crate::output::Shown as _;

/// Checks the files, and tells what is wrong with each.
///
/// # Errors
/// `files-failed` when something was found; those of the arguments and of the configuration; `git-failed`.
pub(crate) fn run(arguments: &Verify, context: &Context) -> Result<(), Failure> {
    let staged = match arguments.staged {
        true => Some(Staged::find(&arguments.files, context)?),
        false => None,
    };
    let verification = Verification {
        arguments,
        config: match &staged {
            Some(staged) => staged.config(context)?,
            None => context.config()?,
        },
        staged: staged.as_ref(),
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
    let found = match &staged {
        Some(staged) => &staged.found,
        None => &found(arguments)?,
    };
    // Where nothing can be found for want of rules, a hook shall not look as if all were well.
    let quiet = verification.is_lenient() && (staged.is_none() || verification.has_rules());
    let unseen =
        !verification.is_lenient() && !arguments.all && verification.has_only_rules_for_all();
    let summary = Summary {
        done: "verified",
        remark,
        of_skipped: unseen.then_some(UNSEEN),
        quiet,
    };
    many::survey(found, &summary, &|found, told| {
        verification.look(found, told)
    })
}

/// What to do where nothing in clear can be found.
const UNSEEN: &str =
    "no rule has a path_regex, and a rule without one counts for files in clear with --all only";

/// The files that the arguments stand for.
fn found(arguments: &Verify) -> Result<Vec<Found>, Failure> {
    if arguments.files.is_empty() {
        return Err(Failure::no_file(
            "no file specified; name a file or a folder",
        ));
    }
    let mut files = arguments.files.clone();
    if arguments.only_covered {
        // As in folders. Before files are told apart, since what a link leads to may be named, too.
        files.retain(|path| !path.is_symlink());
    }
    Ok(many::find(&files))
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
    /// What is looked at instead of the files themselves.
    staged: Option<&'a Staged>,
}

impl Verification<'_> {
    fn has_rules(&self) -> bool {
        self.config.as_ref().is_some_and(Config::has_rules)
    }

    fn has_only_rules_for_all(&self) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(Config::has_only_rules_for_all)
    }

    /// Whether files that are named may be plain, unless a rule covers them.
    fn is_lenient(&self) -> bool {
        self.arguments.only_covered || self.arguments.staged
    }

    fn look(&self, found: &Found, told: &mut Told) -> Seen {
        let (name, seen) = match found {
            Found::InFolder(path) | Found::Named(path) => {
                let named = matches!(found, Found::Named(_)) && !self.is_lenient();
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
        let unread = |failure| vec![Finding::of(failure, path)];
        let staged = self.staged.map(|staged| staged.read(path, format));
        let staged = staged.transpose().map_err(unread)?;
        let read;
        let bytes = match (&staged, named) {
            (Some(blob), _) => blob.if_sealed(format),
            (None, true) => {
                read = files::read(path).map_err(unread)?;
                let may_be =
                    likeness::may_be_sealed(&read) || likeness::holds_sealed(format, &read);
                may_be.then_some(read.as_slice())
            }
            (None, false) => {
                let of_folder = many::read_if_sealed(path, format).map_err(unread)?;
                read = of_folder.unwrap_or_default();
                (!read.is_empty()).then_some(read.as_slice())
            }
        };
        let document = match bytes {
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
            let file = File {
                path,
                format,
                staged: staged.as_ref(),
            };
            return self.plain(&file, covering.as_ref(), named);
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
}
