//! `stackseal edit`: opens a document in an editor, and seals what comes out of it. Values that did not change keep
//! their ciphertext; the plaintext lies in a folder that is gone afterwards, see [`crate::private_folder`]. What
//! cannot be sealed is kept as [`unfinished`] says.

mod example;
mod unfinished;

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use stackseal_core::{
    Document, Encrypted, Error, Format, Limits, Opened, Options, Plain, Random, Recipient, Sealing,
    Selector, Timestamp,
};
use zeroize::Zeroizing;

use super::Context;
use crate::args::{Edit, Places};
use crate::config::{Config, Plan, Rule};
use crate::editor;
use crate::exit::{Act, Failure};
use crate::files::{self, Audience, Held};
use crate::foreground::{self, Answer, Foreground};
use crate::keys::recipient::Recipients;
use crate::many::Told;
use crate::opening::Mac;
use crate::output;
use crate::output::Shown as _;
use crate::private_folder::{self, PrivateFolder};
use crate::readable::Changed;
use crate::sealing;

/// Lets a person edit the document, as often as it takes, and seals it.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes; `file-unchanged`, `editor-failed`,
/// `interrupted`, `private-folder-unavailable`. The document is left as it was then.
pub(crate) fn run(
    arguments: &Edit,
    context: &Context,
    now: fn() -> Result<Timestamp, Failure>,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    if arguments.show_master_keys {
        return Err(Failure::usage(
            "option-unsupported",
            "--show-master-keys is not supported: who can open a document is not changed by editing its sops block; \
             leave the option out",
        ));
    }
    let places = Places::of(
        &arguments.file,
        arguments.input_type.as_deref(),
        arguments.output_type.as_deref(),
    );
    let (Some(path), Some(name)) = (places.path(), arguments.file.file_name()) else {
        return Err(Failure::conflict(
            "edit needs a file; standard input has no place to be written back to",
        ));
    };
    files::changeable(path)?;
    let config = context.config()?;
    let (before, version, content) = match files::read(path) {
        Ok(bytes) => {
            let mac = match arguments.ignore_mac {
                true => Mac::IgnoreToChange,
                false => Mac::Check,
            };
            let opened = places.open_bytes(bytes.clone(), context, mac)?;
            let content = content(&opened, &places, context, config.as_ref())?;
            (Some(bytes), Version::Opened(Box::new(opened)), content)
        }
        Err(failure) if failure.code == "file-not-found" => {
            let rule = sealing::rule(config.as_ref(), path)?;
            let version = Version::new(arguments, &places, rule, context)?;
            let example = example::of(places.output()).as_bytes().to_vec();
            (None, version, Zeroizing::new(example))
        }
        Err(failure) => return Err(failure),
    };
    let resumed = arguments.resume.as_deref();
    if let Some(kept) = resumed
        && files::is_same(kept, &arguments.file)
    {
        return Err(Failure::usage(
            "arguments-conflict",
            format!(
                "{} is the file itself, and what is resumed is removed afterwards; name what was kept, edited-NAME.sealed",
                kept.shown()
            ),
        ));
    }
    let resumed = resumed.map(|kept| Ok((kept, unfinished::resumed(kept, context)?)));
    let session = Session {
        path,
        name: places.name(),
        format: places.output(),
        before,
        version,
        content,
        resumed: resumed.transpose()?,
    };
    session.run(name, context, now, random)
}

fn content(
    opened: &Opened,
    places: &Places,
    context: &Context,
    config: Option<&Config>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let indentation = context.indentation(config, places.output())?;
    let content = opened.plain().converted_whole(places.output(), indentation);
    content.map_err(|error| Failure::of_document(&error, &places.name(), Act::Decrypt))
}

/// One document being edited.
struct Session<'a> {
    path: &'a Path,
    /// How messages call it.
    name: String,
    /// What is edited and written.
    format: Format,
    /// What the file held, where there was one.
    before: Option<Zeroizing<Vec<u8>>>,
    version: Version,
    /// What the document says, or an example.
    content: Zeroizing<Vec<u8>>,
    /// What is given to the editor instead: what was typed before, and where it was kept.
    resumed: Option<(&'a Path, Zeroizing<Vec<u8>>)>,
}

/// What the document is sealed after.
enum Version {
    /// Who can open it, and what is sealed, stays.
    Opened(Box<Opened>),
    /// There is none yet.
    New {
        groups: Vec<Vec<Recipient>>,
        selector: Selector,
        plan: Box<Plan>,
    },
}

impl Version {
    /// Whether it must be sealed again, whatever is done to it.
    fn has_clear(&self) -> bool {
        matches!(self, Self::Opened(opened) if opened.has_clear())
    }

    fn new(
        arguments: &Edit,
        places: &Places,
        rule: Option<Rule>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mut told = Told::default();
        let plan = sealing::plan(
            &arguments.selection,
            rule,
            places.output(),
            context,
            &mut told,
        )?;
        told.tell();
        Ok(Self::New {
            groups: sealing::groups(&plan, &Recipients::default())?,
            selector: sealing::selector(&plan)?,
            plan: Box::new(plan),
        })
    }
}

impl Session<'_> {
    fn run(
        &self,
        name: &OsStr,
        context: &Context,
        now: fn() -> Result<Timestamp, Failure>,
        random: &mut dyn Random,
    ) -> Result<(), Failure> {
        let environment = &context.environment;
        let folder = PrivateFolder::make(&private_folder::places(environment, None), None)?;
        let foreground = Foreground::with(&folder)?;
        let begun = self
            .resumed
            .as_ref()
            .map_or(&self.content, |(_, text)| text);
        let file = folder.write(name, begun)?;
        foreground.keep();
        loop {
            if let Err(failure) = editor::edit(&file, environment.editor.as_deref(), &foreground) {
                return Err(self.ended(&file, begun, &foreground, failure, context));
            }
            let edited = files::read(&file).map_err(|failure| Failure {
                status: 201,
                ..failure
            })?;
            if *edited == *self.content && !self.version.has_clear() {
                return Err(Failure {
                    status: 200,
                    code: "file-unchanged",
                    message: format!("{}: File has not changed, nothing was written", self.name),
                });
            }
            let written = now().and_then(|now| self.seal_and_write(&edited, now, random, context));
            let failure = match written {
                Ok(None) => return self.forget_kept(),
                Ok(Some(beside)) => return Err(self.changed_meanwhile(&beside)),
                Err(failure) => failure,
            };
            if !io::stdin().is_terminal() {
                return Err(self.kept(&edited, failure, context));
            }
            output::failure(&failure);
            output::note(
                "Press Enter to return to the editor, Ctrl-D to have what you wrote sealed beside the file, or \
                 Ctrl-C to give it up.",
            );
            match foreground.answer() {
                Answer::Line => {}
                Answer::End => return Err(self.kept(&edited, failure, context)),
                Answer::Signal(signal) => {
                    let failure = Failure {
                        status: foreground::status_of_signal(signal),
                        ..failure
                    };
                    return Err(self.kept(&edited, failure, context));
                }
            }
        }
    }

    /// The editor did not end well. When that was because the terminal or the system went away, what was written until
    /// then is kept.
    fn ended(
        &self,
        file: &Path,
        begun: &[u8],
        foreground: &Foreground,
        failure: Failure,
        context: &Context,
    ) -> Failure {
        let went_away = foreground
            .passed_on()
            .is_some_and(foreground::is_for_the_whole);
        match files::read(file) {
            Ok(edited) if went_away && *edited != *begun => self.kept(&edited, failure, context),
            _ => failure,
        }
    }

    /// Removes what was kept: the document has it now.
    fn forget_kept(&self) -> Result<(), Failure> {
        let Some((kept, _)) = &self.resumed else {
            return Ok(());
        };
        std::fs::remove_file(kept).map_err(|error| {
            Failure::unwritable(format!(
                "{} was written, but {} cannot be removed: {error}",
                self.name,
                kept.shown()
            ))
        })
    }

    /// Seals the text and puts it into its place. Brings where it is instead when somebody else changed the file
    /// meanwhile: neither version shall be lost, and this one is sealed, so that it may lie anywhere.
    fn seal_and_write(
        &self,
        edited: &[u8],
        now: Timestamp,
        random: &mut dyn Random,
        context: &Context,
    ) -> Result<Option<PathBuf>, Failure> {
        let (plain, sealed) = self
            .sealed(edited, now, random)
            .map_err(|error| Failure::of_document(&error, &self.name, Act::Encrypt))?;
        if let Version::Opened(before) = &self.version {
            let changed = Changed {
                file: self.path,
                name: &self.name,
                before,
                plain: &plain,
                sealed: &sealed,
                now,
            };
            changed.check(context)?;
        }
        if !sealed.leaves().iter().any(|leaf| leaf.sealed) {
            output::warning(&format!("{}: nothing in it is sealed", self.name));
        }
        let text = sealed.text().as_bytes();
        // Not from the beginning: a person may take long.
        let _held = Held::wait(self.path);
        let is = std::fs::read(self.path).ok();
        if is.as_deref() == self.before.as_ref().map(|before| before.as_slice()) {
            files::replace(self.path, text, Audience::Anyone)?;
            return Ok(None);
        }
        let name = unfinished::shortened(self.path.file_name().unwrap_or_default(), "");
        let beside = self.path.with_file_name(name);
        files::create(&beside, text)?;
        Ok(Some(beside))
    }

    fn changed_meanwhile(&self, beside: &Path) -> Failure {
        Failure::usage(
            "file-changed",
            format!(
                "{}: somebody else changed the file meanwhile, so it is left as it is; what you wrote is sealed in {}",
                self.name,
                beside.shown()
            ),
        )
    }

    fn sealed(
        &self,
        edited: &[u8],
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<(Document<Plain>, Document<Encrypted>), Error> {
        let document = Document::<Plain>::parse_as(self.format, edited, &Limits::generous())?;
        let sealed = match &self.version {
            Version::Opened(opened) => opened.reseal_as_before(&document, now, random),
            Version::New {
                groups,
                selector,
                plan,
            } => {
                let sealing = Sealing {
                    recipients: sealing::first(groups),
                    selector,
                    now,
                    random,
                };
                let options = Options {
                    mac_only_encrypted: Some(plan.mac_only_encrypted),
                    ..sealing::to_groups(groups, plan.shamir_threshold.map(usize::from))
                };
                document.seal_with(sealing, &options)
            }
        }?;
        Ok((document, sealed))
    }
}
