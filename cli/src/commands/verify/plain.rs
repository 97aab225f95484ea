//! Files that are not sealed: whether they ought to be, and what to do then.

use std::path::Path;

use stackseal_core::Format;

use super::contents::Blob;
use super::finding::Finding;
use super::{Verification, staged};
use crate::config::Covering;
use crate::exit::Failure;
use crate::files;
use crate::likeness;
use crate::many::Seen;

/// A file that is not sealed.
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) format: Format,
    pub(super) staged: Option<&'a Blob>,
}

impl Verification<'_> {
    /// A file that is not sealed.
    pub(super) fn plain(
        &self,
        file: &File<'_>,
        covering: Option<&Covering>,
        named: bool,
    ) -> Result<Seen, Vec<Finding>> {
        let is_config = self
            .config
            .as_ref()
            .is_some_and(|config| match file.staged {
                // What it leads to in the working folder says nothing of what is staged.
                Some(_) => config.is_called_as_configuration(file.path),
                None => config.is_configuration(file.path),
            });
        if !named && (is_config || file.is_empty()) {
            return Ok(Seen::LeftOut);
        }
        let rule = covering
            .filter(|covering| (named || covering.by_path || self.arguments.all) && !is_config);
        let why = match rule {
            Some(_) if file.is_empty() => return Ok(Seen::NotSealed),
            Some(Covering { rule, .. }) => {
                format!("{} covers this file, but it is not sealed", rule.place)
            }
            None if named => "the file is not sealed".to_owned(),
            None => return Ok(Seen::NotSealed),
        };
        if let Some(finding) = file.damaged() {
            return Err(vec![finding]);
        }
        let message = format!("{why}{}", file.advice());
        let failure = Failure::usage("file-not-sealed", message);
        Err(vec![Finding::of(failure, file.path)])
    }
}

impl File<'_> {
    /// Whether there is nothing to seal in it.
    fn is_empty(&self) -> bool {
        let lies_empty = || {
            self.path
                .metadata()
                .is_ok_and(|metadata| metadata.len() == 0)
        };
        self.staged.map_or_else(lies_empty, |blob| blob.is_empty)
    }

    /// What is left of a sealed file, and must not be sealed again.
    fn damaged(&self) -> Option<Finding> {
        let read;
        let bytes = match self.staged {
            Some(blob) => blob.bytes(),
            None => {
                read = files::read(self.path).ok()?;
                &read
            }
        };
        match likeness::of_sealed(self.format, bytes)? {
            Ok(document) => document.verify().first().map(Finding::of_error),
            Err(error) => Some(Finding::of_unread(&error)),
        }
    }

    /// What to do, behind what is wrong.
    fn advice(&self) -> &'static str {
        match self.staged {
            None => {
                "; seal it with 'stackseal encrypt -i', and change the secrets that were committed in clear"
            }
            Some(_) if staged::lies_sealed(self.path, self.format) => {
                " as it is staged; it lies sealed in the working folder, so add it again with 'git add'"
            }
            Some(_) => {
                " as it is staged; seal it with 'stackseal encrypt -i', change the secrets if they were committed in \
                 clear before, and add it again with 'git add'"
            }
        }
    }
}
