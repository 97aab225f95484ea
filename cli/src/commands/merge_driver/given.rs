//! The three files that Git gives to a merge driver: read, told apart and opened.

use std::path::{Path, PathBuf};
use std::process::Command;

use stackseal_core::document::is_sealed_as;
use stackseal_core::merge::{Version, Versions};
use stackseal_core::{Document, Encrypted, Format, Limits, Opened, Plain};
use zeroize::Zeroizing;

use crate::args::MergeDriver;
use crate::exit::Failure;
use crate::files::{self, Audience};
use crate::keyring::Keyring;
use crate::opening::{self, Mac};

/// The files, and what Git says of them.
pub(super) struct Given {
    base: Zeroizing<Vec<u8>>,
    pub(super) ours: Zeroizing<Vec<u8>>,
    pub(super) theirs: Zeroizing<Vec<u8>>,
    paths: [PathBuf; 3],
    /// How messages call the file.
    pub(super) name: String,
    format: Format,
    pub(super) marker_size: usize,
}

/// What the files turned out to be.
pub(super) enum Readings {
    /// A version that looks sealed cannot be read; which, and why.
    Broken(Vec<String>),
    Sealed(Box<Three<Reading>>),
    Unsealed,
}

/// Something of each version.
pub(super) struct Three<T> {
    base: T,
    ours: T,
    theirs: T,
}

/// A version that was read.
pub(super) enum Reading {
    /// There is none.
    None,
    Plain(Document<Plain>),
    Sealed(Box<Document<Encrypted>>),
}

/// A version that can be merged.
pub(super) enum Ready {
    None,
    Plain(Document<Plain>),
    Sealed(Box<Opened>),
}

impl Given {
    /// # Errors
    /// `file-not-found`, `file-unreadable`; `arguments-conflict` for a marker size that is no number.
    pub(super) fn of(arguments: &MergeDriver) -> Result<Self, Failure> {
        let (paths, more) = match arguments.given.as_slice() {
            [base, ours, theirs, more @ ..] => ([base, ours, theirs].map(Clone::clone), more),
            _ => {
                return Err(Failure::conflict(
                    "merge-driver needs the three files that Git gives: %O %A %B",
                ));
            }
        };
        let name = more.first().unwrap_or(&paths[1]).display().to_string();
        let size = more
            .get(1)
            .map_or(Ok(7), |size| size.to_string_lossy().parse());
        let marker_size = size.map_err(|_| {
            Failure::conflict(
                "the length of conflict markers is no number; give %L after %P, or nothing",
            )
        })?;
        let said = arguments.input_type.as_deref().and_then(Format::of_word);
        let [base, ours, theirs] = &paths;
        Ok(Self {
            base: files::read(base)?,
            ours: files::read(ours)?,
            theirs: files::read(theirs)?,
            format: said.unwrap_or_else(|| Format::of_name(&name)),
            name,
            paths,
            marker_size,
        })
    }

    /// Puts the result where Git takes it from.
    ///
    /// # Errors
    /// `file-unwritable`.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let [_, ours, _] = &self.paths;
        files::replace(ours, bytes, Audience::Owner)
    }

    /// Tells the versions apart.
    ///
    /// # Errors
    /// None but those of the system.
    pub(super) fn read(&self) -> Result<Readings, Failure> {
        let texts = [
            ("base", &self.base),
            ("ours", &self.ours),
            ("theirs", &self.theirs),
        ];
        let mut broken = Vec::new();
        let mut sealed = false;
        for (which, bytes) in texts {
            match self.is_sealed(bytes) {
                Ok(is) => sealed |= is,
                Err(why) => broken.push(format!("{which}: {why}")),
            }
        }
        if !broken.is_empty() {
            return Ok(Readings::Broken(broken));
        }
        if !sealed {
            return Ok(Readings::Unsealed);
        }
        let mut reading = |which: &str, bytes: &[u8]| {
            let reading = self.reading(bytes);
            reading.unwrap_or_else(|error| {
                broken.push(format!("{which}: {error}"));
                Reading::None
            })
        };
        let three = Three {
            base: reading("base", &self.base),
            ours: reading("ours", &self.ours),
            theirs: reading("theirs", &self.theirs),
        };
        Ok(match broken.as_slice() {
            [] => Readings::Sealed(Box::new(three)),
            _ => Readings::Broken(broken),
        })
    }

    /// Whether a version is sealed; why that cannot be told of one that holds sealed values.
    fn is_sealed(&self, bytes: &[u8]) -> Result<bool, String> {
        let holds_sealed = bytes.windows(ENC.len()).any(|part| part == ENC);
        match is_sealed_as(self.format, bytes, &Limits::generous()) {
            Ok(false) if holds_sealed => {
                Err("it holds sealed values and no sops block; is its format another than its name tells?".to_owned())
            }
            Ok(is_sealed) => Ok(is_sealed),
            Err(error) if holds_sealed => Err(error.to_string()),
            Err(_) => Ok(false),
        }
    }

    fn reading(&self, bytes: &[u8]) -> Result<Reading, stackseal_core::Error> {
        let limits = Limits::generous();
        if bytes.is_empty() {
            return Ok(Reading::None);
        }
        if matches!(self.is_sealed(bytes), Ok(true)) {
            let document = Document::<Encrypted>::parse_as(self.format, bytes, &limits)?;
            return Ok(Reading::Sealed(Box::new(document)));
        }
        Document::<Plain>::parse_as(self.format, bytes, &limits).map(Reading::Plain)
    }

    /// Merges as Git does where there is no driver.
    ///
    /// # Errors
    /// `merge-conflict`, `git-failed`.
    pub(super) fn merge_lines(&self) -> Result<(), Failure> {
        let [base, ours, theirs] = &self.paths;
        let size = format!("--marker-size={}", self.marker_size);
        let mut git = Command::new("git");
        git.args([
            "merge-file",
            &size,
            "-L",
            "ours",
            "-L",
            "base",
            "-L",
            "theirs",
            "--",
        ]);
        git.args([ours, base, theirs].map(|path| anchored(path)));
        match git.status().map(|status| status.code()) {
            Ok(Some(0)) => Ok(()),
            Ok(Some(1..=127)) => Err(super::conflict(format!(
                "{}: conflicts; the file is not sealed, so its lines were merged",
                self.name
            ))),
            Ok(_) => Err(Failure::usage(
                "git-failed",
                format!("{}: 'git merge-file' failed", self.name),
            )),
            Err(error) => Err(Failure::usage(
                "git-failed",
                format!("git cannot be started: {error}"),
            )),
        }
    }
}

/// How every sealed value begins.
const ENC: &[u8] = b"ENC[AES256_GCM,";

/// A name that is taken for no option.
fn anchored(path: &Path) -> PathBuf {
    match path.is_relative() {
        true => Path::new(".").join(path),
        false => path.to_path_buf(),
    }
}

impl Three<Reading> {
    /// Opens what is sealed.
    ///
    /// # Errors
    /// Those of opening, with the version that they are of.
    pub(super) fn opened(self, keyring: &Keyring, name: &str) -> Result<Three<Ready>, Failure> {
        let open = |which: &str, reading| {
            Ok(match reading {
                Reading::None => Ready::None,
                Reading::Plain(document) => Ready::Plain(document),
                Reading::Sealed(document) => {
                    let name = format!("{which} of {name}");
                    Ready::Sealed(Box::new(opening::open(
                        &document,
                        keyring,
                        &name,
                        Mac::Check,
                    )?))
                }
            })
        };
        Ok(Three {
            base: open("the base", self.base)?,
            ours: open("our version", self.ours)?,
            theirs: open("their version", self.theirs)?,
        })
    }
}

impl Three<Ready> {
    /// The versions to merge; `None` when a side is empty.
    pub(super) fn refer(&self) -> Option<Versions<'_>> {
        Some(Versions {
            base: self.base.refer(),
            ours: self.ours.refer()?,
            theirs: self.theirs.refer()?,
        })
    }
}

impl Ready {
    fn refer(&self) -> Option<Version<'_>> {
        match self {
            Self::None => None,
            Self::Plain(document) => Some(Version::Plain(document)),
            Self::Sealed(opened) => Some(Version::Sealed(opened)),
        }
    }
}
