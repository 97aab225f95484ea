//! Sealing several files, or those of folders: there, the ones that a creation rule covers by their path and that are
//! not sealed, which are those that `verify` finds.

use std::path::{Path, PathBuf};

use stackseal_core::Format;
use zeroize::Zeroizing;

use super::{Context, Sealer, other_names};
use crate::args::{Encrypt, Places};
use crate::config::Config;
use crate::exit::{Act, Failure};
use crate::files;
use crate::keys::recipient::Recipients;
use crate::likeness;
use crate::many::{Batch, Made, Piece, Taken, Told, Words, to_write};

/// Seals the files.
///
/// # Errors
/// `rule-missing` for folders without creation rules; `files-failed`, when the failures were told; those of the
/// arguments and of the configuration.
pub(super) fn run(
    arguments: &Encrypt,
    paths: &[PathBuf],
    context: &Context,
) -> Result<(), Failure> {
    let places = &arguments.places;
    let sealer = Sealer {
        arguments,
        context,
        config: context.config()?,
        known: Recipients::default(),
    };
    let has_rules = sealer.config.as_ref().is_some_and(Config::has_rules);
    if !has_rules && paths.iter().any(|path| path.is_dir()) {
        return Err(Failure::usage(
            "rule-missing",
            "of a folder, the files are sealed that creation rules cover by path_regex, and there are no rules; write \
             a .sops.yaml, or name the files themselves",
        ));
    }
    let batch = Batch {
        paths,
        in_place: places.in_place,
        dry_run: arguments.dry_run,
        one_by_one: false,
        format: places.stated_input(),
        words: Words {
            done: "sealed",
            missing: 100,
            skipped: "not covered by a path_regex",
            none: "no file is there that a creation rule covers by path_regex",
        },
    };
    batch.run_many(&sealer)
}

impl Piece for Sealer<'_> {
    fn read_of_folder(
        &self,
        path: &Path,
        _: Format,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let Some(config) = &self.config else {
            return Ok(None);
        };
        let covered = || {
            config
                .covering(path)
                .map(|it| it.is_some_and(|it| it.by_path))
        };
        if config.is_configuration(path) || !covered()? {
            return Ok(None);
        }
        let bytes = files::read(path)?;
        // There is nothing to seal in an empty file.
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    fn make(&self, file: &Taken<'_>, told: &mut Told) -> Result<Made, Failure> {
        if !file.is_named {
            match likeness::of_sealed(file.format, file.bytes) {
                Some(Ok(_)) => return Ok(Made::Unchanged),
                Some(Err(error)) => {
                    return Err(Failure::of_document(&error, &file.name, Act::Decrypt));
                }
                None => {}
            }
        }
        let places = Places {
            in_place: true,
            ..Places::of(file.path, self.arguments.places.input_type.as_deref(), None)
        };
        let bytes = file.bytes.to_vec().into();
        let sealed = self.seal(&places, file.path, bytes, &mut crate::random, told)?;
        if let Some(others) = other_names(&places) {
            told.when_written(format!("stackseal: warning: {others}"));
        }
        Ok(Made::Text(to_write(sealed.text().to_owned())))
    }
}
