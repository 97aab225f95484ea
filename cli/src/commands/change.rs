//! Changing a sealed document where it lies: what is not touched keeps its bytes, sealed or not.

use std::path::Path;

use stackseal_core::edit::Edited;
use stackseal_core::tree::at::TreePath;
use stackseal_core::{Document, Encrypted, Error, Format, Limits, Opened, Plain, Random};

use super::Context;
use crate::aliases;
use crate::args::Target;
use crate::exit::{Act, Failure};
use crate::files::{self, Audience, Held};
use crate::keyring::Keyring;
use crate::opening::{self, Mac};
use crate::output;
use crate::output::Shown as _;
use crate::readable::Changed;

/// A document that was opened to be changed.
pub(super) struct Change<'a> {
    file: &'a Path,
    name: String,
    /// The format that the file shall have afterwards, if that was said.
    output: Option<Format>,
    /// From before the file was read until it is written.
    _held: Held,
    pub(super) path: TreePath,
    pub(super) opened: Opened,
}

impl<'a> Change<'a> {
    /// Reads and opens the document.
    ///
    /// # Errors
    /// `tree-path-invalid` (exit 7), those of reading and opening. A file that is not there is unreadable (exit 2), as
    /// with `sops`.
    pub(super) fn begin(target: &'a Target, context: &Context) -> Result<Self, Failure> {
        let path = TreePath::parse(&target.path)
            .map_err(|error| Failure::of_tree_path(&error, "the path", 7))?;
        context.config()?;
        let name = target.file.shown();
        files::changeable(&target.file)?;
        let held = Held::wait(&target.file);
        let bytes = files::read(&target.file).map_err(|failure| Failure {
            status: 2,
            ..failure
        })?;
        let said = |word: &Option<String>| word.as_deref().and_then(Format::of_word);
        let format = said(&target.input_type).unwrap_or_else(|| Format::of_name(&name));
        let document = Document::<Encrypted>::parse_own(format, bytes, &Limits::generous())
            .map_err(|error| Failure::of_document(&error, &name, Act::Decrypt))?;
        let keyring = Keyring::find(&context.environment);
        let mac = match target.ignore_mac {
            true => Mac::IgnoreToChange,
            false => Mac::Check,
        };
        Ok(Self {
            opened: opening::open(&document, &keyring, &name, mac)?,
            file: &target.file,
            name,
            output: said(&target.output_type),
            _held: held,
            path,
        })
    }

    /// Seals the changed text for the same recipients and puts it in the file's place. A text that says what the file says
    /// already is not written.
    ///
    /// # Errors
    /// What the codec refuses, by its codes; those of [`Changed::check`]; `file-unwritable`.
    pub(super) fn end(
        &self,
        edited: &Edited,
        context: &Context,
        random: &mut dyn Random,
    ) -> Result<(), Failure> {
        let format = self.opened.plain().format();
        let parse = |format, text: &[u8]| {
            Document::<Plain>::parse_as(format, text, &Limits::generous())
                .map_err(|error| self.failed(&error))
        };
        let as_edited = parse(format, edited.as_bytes())?;
        let mut changed = as_edited.clone();
        if let Some(to) = self.output.filter(|to| *to != format) {
            let indentation = context.indentation(context.config()?.as_ref(), to)?;
            let converted = changed.converted_whole(to, indentation);
            changed = parse(to, &converted.map_err(|error| self.failed(&error))?)?;
        }
        let sealed = self
            .opened
            .reseal_as_before(&changed, context.now, random)
            .map_err(|error| self.failed(&error))?;
        if sealed.text() == self.opened.sealed().text() {
            output::note(&format!("{} is unchanged", self.name));
            return Ok(());
        }
        let readable = Changed {
            file: self.file,
            name: &self.name,
            before: &self.opened,
            plain: &changed,
            sealed: &sealed,
            now: context.now,
        };
        readable.check(context)?;
        aliases::warn_of_change(
            self.opened.plain(),
            &as_edited,
            &self.path,
            edited,
            &self.name,
        );
        files::unchanged(self.file, self.opened.sealed().text().as_bytes())?;
        files::replace(self.file, sealed.text().as_bytes(), Audience::Anyone)
    }

    /// What the codec says about this document.
    pub(super) fn failed(&self, error: &Error) -> Failure {
        Failure::of_document(error, &self.name, Act::Encrypt)
    }
}
