//! What is done to each of many files: those that are sealed, as most verbs want them, or whatever they are.

use std::path::Path;

use stackseal_core::{Document, Encrypted, Format, Limits};
use zeroize::Zeroizing;

use super::tell::Told;
use super::walk::read_if_sealed;
use crate::exit::{Act, Failure};
use crate::likeness;

/// A file as it was read.
pub(crate) struct Taken<'a> {
    pub(crate) path: &'a Path,
    /// How messages call it.
    pub(crate) name: String,
    pub(crate) bytes: &'a [u8],
    pub(crate) format: Format,
    /// Whether it was named, and not found in a folder.
    pub(crate) is_named: bool,
    /// Whether it is one of many.
    pub(crate) of_many: bool,
}

/// What a file is to become. What is written may be plaintext, so it is wiped.
pub(crate) enum Made {
    /// It is not concerned.
    Skipped,
    Text(Zeroizing<Vec<u8>>),
    Unchanged,
}

/// The work on a file.
pub(crate) trait Piece: Sync {
    /// Reads a file of a folder; `None` for one that is certainly not concerned.
    ///
    /// # Errors
    /// `file-unreadable`; those of the configuration.
    fn read_of_folder(
        &self,
        path: &Path,
        format: Format,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure>;

    /// What the file is to become.
    ///
    /// # Errors
    /// Those of the work.
    fn make(&self, file: &Taken<'_>, told: &mut Told) -> Result<Made, Failure>;
}

/// A sealed file.
pub(crate) struct Sealed<'a> {
    pub(crate) path: &'a Path,
    /// How messages call it.
    pub(crate) name: &'a str,
    pub(crate) document: Document<Encrypted>,
    /// Whether it is one of many.
    pub(crate) of_many: bool,
}

/// Makes the new text of a sealed file; `None` when it stays as it is.
pub(crate) type Work<'a> =
    dyn Fn(&Sealed<'_>, &mut Told) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> + Sync + 'a;

/// A sealed text, as it is written.
pub(crate) fn to_write(text: String) -> Zeroizing<Vec<u8>> {
    text.into_bytes().into()
}

/// Work on files that are sealed; those of folders that are not are passed over.
pub(super) struct OnSealed<'a>(pub(super) &'a Work<'a>);

impl Piece for OnSealed<'_> {
    fn read_of_folder(
        &self,
        path: &Path,
        format: Format,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        read_if_sealed(path, format)
    }

    fn make(&self, file: &Taken<'_>, told: &mut Told) -> Result<Made, Failure> {
        let Self(work) = self;
        let read = Document::<Encrypted>::parse_as(file.format, file.bytes, &Limits::generous());
        let document = match read {
            Ok(document) => document,
            Err(error) if !file.is_named && !likeness::claims_to_be_sealed(file.bytes, &error) => {
                return Ok(Made::Skipped);
            }
            Err(error) => return Err(Failure::of_document(&error, &file.name, Act::Decrypt)),
        };
        let sealed = Sealed {
            path: file.path,
            name: &file.name,
            document,
            of_many: file.of_many,
        };
        Ok(work(&sealed, told)?.map_or(Made::Unchanged, Made::Text))
    }
}
