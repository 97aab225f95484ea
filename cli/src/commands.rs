//! One file per verb. What they share is here: where a document comes from and where its result goes.

mod change;
pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod filestatus;
pub(crate) mod groups;
pub(crate) mod keygen;
pub(crate) mod man;
pub(crate) mod merge_driver;
pub(crate) mod rotate;
pub(crate) mod set;
pub(crate) mod ssh_to_age;
pub(crate) mod unset;
pub(crate) mod updatekeys;
pub(crate) mod verify;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use stackseal_core::convert::Indentation;
use stackseal_core::{Document, Encrypted, Error, ErrorCode, Format, Limits, Opened, Timestamp};
use zeroize::Zeroizing;

use crate::args::{Common, Places};
use crate::config::{self, Config, Instead, JsonStep};
use crate::exit::{Act, Failure};
use crate::files::{self, Audience, Held};
use crate::keyring::{Environment, Keyring};
use crate::likeness;
use crate::opening::{self, Mac};
use crate::output;
use crate::output::Shown as _;

/// What every command has at hand.
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) common: Common,
    pub(crate) now: Timestamp,
}

impl Context {
    /// The configuration that holds for the working folder.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    pub(crate) fn config(&self) -> Result<Option<Config>, Failure> {
        let start =
            config::working_folder(self.environment.working_folder.clone(), current_folder()?);
        self.config_from(&start, &Instead::new())
    }

    /// The configuration that holds for a folder; what is in `instead` goes before what lies there.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    fn config_from(&self, start: &Path, instead: &Instead) -> Result<Option<Config>, Failure> {
        let named = self.common.config.as_deref();
        let named = named.or(self.environment.config.as_deref());
        Config::find(start, named, instead)
    }

    /// How what is laid out anew is indented.
    ///
    /// # Errors
    /// `config-invalid` for a number that no format takes.
    fn indentation(&self, config: Option<&Config>, to: Format) -> Result<Indentation, Failure> {
        let stated = config.map(Config::indentation).unwrap_or_default();
        let stated = match self.common.indent {
            Some(columns) => config::Indentation::all(columns),
            None => stated,
        };
        let mut indentation = Indentation::default();
        match to {
            Format::Yaml => indentation.yaml = Some(stated.yaml_step()?),
            Format::Binary | Format::Json => {
                let step = match to {
                    Format::Binary => stated.json_binary_step()?,
                    _ => stated.json_step()?,
                };
                if let JsonStep::Blanks(columns) = step {
                    indentation.json = Some(columns);
                }
            }
            Format::Dotenv | Format::Ini => {}
        }
        Ok(indentation)
    }
}

/// The working folder as the system calls it.
fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::usage(
            "config-unreadable",
            format!("the working folder cannot be told: {error}"),
        )
    })
}

impl Places {
    /// A file that is read, and of which nothing is written.
    fn of(file: &Path, input_type: Option<&str>, output_type: Option<&str>) -> Self {
        Self {
            file: Some(file.to_path_buf()),
            in_place: false,
            output: None,
            filename_override: None,
            input_type: input_type.map(str::to_owned),
            output_type: output_type.map(str::to_owned),
        }
    }

    /// All the files, if they are several or those of a folder.
    ///
    /// # Errors
    /// `arguments-conflict` for what can hold for one file only.
    fn several(&self, others: &[PathBuf]) -> Result<Option<Vec<PathBuf>>, Failure> {
        if others.is_empty() && !self.path().is_some_and(Path::is_dir) {
            return Ok(None);
        }
        let for_one = [
            ("--output", self.output.is_some()),
            ("--filename-override", self.filename_override.is_some()),
            ("--output-type", self.output_type.is_some()),
        ];
        if let Some((option, _)) = for_one.into_iter().find(|(_, is_given)| *is_given) {
            return Err(Failure::conflict(format!(
                "{option} goes with one file; leave it out for several, or do them one by one"
            )));
        }
        Ok(Some(self.file.iter().chain(others).cloned().collect()))
    }

    /// The file, unless standard input is meant.
    fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// How messages call the document.
    fn name(&self) -> String {
        self.path()
            .map_or_else(|| "standard input".to_owned(), |path| path.shown())
    }

    /// Refuses what does not fit together, before anything is read.
    ///
    /// # Errors
    /// `arguments-conflict`, `file-unreadable`.
    fn check(&self) -> Result<(), Failure> {
        if self.in_place && self.output.is_some() {
            return Err(Failure::conflict(
                "--in-place and --output exclude each other; keep one",
            ));
        }
        if self.in_place && self.path().is_none() {
            return Err(Failure::conflict(
                "--in-place needs a file; standard input has no place",
            ));
        }
        match self.path() {
            Some(path) if self.in_place => files::changeable(path),
            _ => Ok(()),
        }
    }

    /// The name that tells format and creation rule; `None` for standard input without one.
    fn told_by(&self) -> Option<&Path> {
        self.filename_override.as_deref().or_else(|| self.path())
    }

    /// Format of the document. As with `sops`, a word that names none counts as not said.
    fn input(&self) -> Format {
        let said = self.input_type.as_deref().and_then(Format::of_word);
        said.unwrap_or_else(|| self.of_name())
    }

    /// Format of the document, unless its own name tells.
    fn stated_input(&self) -> Option<Format> {
        let by_another = self.input_type.is_some() || self.filename_override.is_some();
        by_another.then(|| self.input())
    }

    /// Format of the result: as said, else as the name tells, else as the document.
    fn output(&self) -> Format {
        let said = self.output_type.as_deref().and_then(Format::of_word);
        said.unwrap_or_else(|| match self.of_name() {
            Format::Binary => self.input(),
            told => told,
        })
    }

    fn of_name(&self) -> Format {
        let name = self.told_by().map(|path| path.to_string_lossy());
        name.map_or(Format::Binary, |name| Format::of_name(&name))
    }

    /// Keeps others from changing the document while it is changed where it lies.
    fn held(&self) -> Option<Held> {
        self.path().filter(|_| self.in_place).map(Held::wait)
    }

    /// How many names beside its own lead to what is changed in its place. They lead to the old text afterwards.
    fn other_names(&self) -> u64 {
        let path = self.path().filter(|_| self.in_place);
        let metadata = path.and_then(|path| std::fs::metadata(path).ok());
        metadata.map_or(0, |metadata| metadata.nlink().saturating_sub(1))
    }

    /// Reads the document.
    ///
    /// # Errors
    /// `file-not-found`, `file-unreadable`.
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.path().map_or_else(files::read_stdin, files::read)
    }

    /// Reads the document and opens it.
    ///
    /// # Errors
    /// Those of [`Self::read`]; what the codec finds, by its codes; `no-matching-identity`.
    fn open(&self, context: &Context, mac: Mac) -> Result<Opened, Failure> {
        self.open_bytes(self.read()?, context, mac)
    }

    fn open_bytes(
        &self,
        bytes: Zeroizing<Vec<u8>>,
        context: &Context,
        mac: Mac,
    ) -> Result<Opened, Failure> {
        let name = self.name();
        let document = Document::<Encrypted>::parse_own(self.input(), bytes, &Limits::generous())
            .map_err(|error| self.unreadable(&error))?;
        opening::open(&document, &Keyring::find(&context.environment), &name, mac)
    }

    /// What the codec says about the text; what was taken for a binary file may be in another format.
    fn unreadable(&self, error: &Error) -> Failure {
        let failure = Failure::of_document(error, &self.name(), Act::Decrypt);
        let name = self.name();
        if let Some(format) = self.other_format() {
            return Failure {
                message: format!(
                    "{name}: this is a sealed {format} file; say so with --input-type {format}"
                ),
                ..failure
            };
        }
        if self.input() == Format::Binary && error.code() == ErrorCode::NotUtf8 {
            return Failure {
                message: format!(
                    "{name}: a sealed file is text, and this is none, so it is not sealed"
                ),
                ..failure
            };
        }
        let was_said = self.input_type.is_some() || self.input() != Format::Binary;
        if was_said || error.code() != ErrorCode::JsonSyntax {
            return failure;
        }
        let why = match self.told_by() {
            None => "standard input has no name that tells its format",
            Some(_) => "the name tells no other format",
        };
        Failure {
            message: format!(
                "{}\n  {why}, so it was taken for a sealed binary file; add --input-type yaml (or json, dotenv, \
                 ini), or --filename-override NAME.yaml",
                failure.message
            ),
            ..failure
        }
    }

    /// The format in which the text of the file is whole, if it is another than it was taken for.
    fn other_format(&self) -> Option<&'static str> {
        let bytes = files::read(self.path()?).ok()?;
        if !likeness::may_be_sealed(&bytes) {
            return None;
        }
        let is = |format| {
            let limits = Limits::generous();
            format != self.input()
                && Document::<Encrypted>::parse_as(format, &bytes, &limits).is_ok()
        };
        let mut others = FORMATS.into_iter();
        others.find(|word| Format::of_word(word).is_some_and(is))
    }

    /// Puts the result where the arguments say.
    ///
    /// # Errors
    /// `file-unwritable`.
    fn write(&self, text: &[u8], audience: Audience) -> Result<(), Failure> {
        let target = if self.in_place {
            self.path()
        } else {
            self.output.as_deref()
        };
        match target {
            Some(path) => files::replace(path, text, audience),
            None => output::result(text),
        }
    }
}

/// Says what removing somebody does not do, of so many files.
fn warn_of_who_left(files: usize) {
    let files = match files {
        0 => return,
        1 => "a file still knows its data key".to_owned(),
        _ => format!("{files} files still knows their data keys"),
    };
    output::warning(&format!(
        "whoever was removed from {files}; 'stackseal rotate -i' makes a new one, 'updatekeys --rotate' both at once. \
         What they could read so far they may have kept: change what must stay secret"
    ));
}

/// Reminds of what a new data key does not take back.
fn remind_of_who_left(is_somebody: bool) {
    if is_somebody {
        output::note(
            "Whoever was removed may have kept what they could read so far: change what must stay secret",
        );
    }
}

/// Those that tell themselves; a sealed binary file is one of JSON.
const FORMATS: [&str; 4] = ["dotenv", "ini", "json", "yaml"];

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn places(file: Option<&str>) -> Places {
        Places {
            file: file.map(PathBuf::from),
            in_place: false,
            output: None,
            filename_override: None,
            input_type: None,
            output_type: None,
        }
    }

    #[test]
    fn the_format_comes_from_the_name() {
        for (name, format) in [
            ("a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("d.yaml/a.json", Format::Json),
            (".env", Format::Dotenv),
            ("a.ini", Format::Ini),
            ("a.YAML", Format::Binary),
            ("a", Format::Binary),
            ("-", Format::Binary),
        ] {
            let places = places(Some(name));
            assert_eq!(
                (places.input(), places.output()),
                (format, format),
                "{name}"
            );
        }
        assert_eq!(places(None).input(), Format::Binary);
    }

    #[test]
    fn a_named_format_or_name_goes_before_the_file_name() {
        let typed = |word: &str| Places {
            input_type: Some(word.to_owned()),
            ..places(Some("a.txt"))
        };
        assert_eq!(typed("yaml").input(), Format::Yaml);
        assert_eq!(typed("yaml").output(), Format::Yaml);
        assert_eq!(typed("toml").input(), Format::Binary);
        let named = Places {
            filename_override: Some(PathBuf::from("b.yaml")),
            output_type: Some("json".to_owned()),
            ..places(None)
        };
        assert_eq!(
            (named.input(), named.output()),
            (Format::Yaml, Format::Json)
        );
    }

    #[test]
    fn a_result_goes_to_one_place() {
        let both = Places {
            in_place: true,
            output: Some(PathBuf::from("b.yaml")),
            ..places(Some("a.yaml"))
        };
        assert_eq!(both.check().unwrap_err().status, 8);
        assert_eq!(
            Places {
                in_place: true,
                ..places(None)
            }
            .check()
            .unwrap_err()
            .status,
            8
        );
    }
}
