//! `stackseal merge-driver`: what Git runs to merge sealed files, and what a person runs after resolving conflicts in
//! one.
//!
//! A merge that does not come out clean leaves both sides in the file between conflict markers, sealed as they were: no
//! plaintext is written, and what has markers in it opens nowhere, so that it is not taken for merged.

mod brought;
mod finish;
mod given;
mod install;
mod parts;
mod pick;
mod summary;

use std::ffi::OsStr;

use stackseal_core::merge::{Conflict, Conflicting, Markers, Merged, Merging, Versions};

use super::Context;
use crate::args::MergeDriver;
use crate::exit::{Act, Failure};
use crate::keyring::Keyring;
use crate::keys;
use crate::shell;
use brought::Sides;
use given::{Given, Readings};

/// Merges, finishes a merge or sets a repository up.
///
/// # Errors
/// `merge-conflict` (exit 1), as Git wants it; whatever else goes wrong while merging has status 129. Those of
/// finishing are those of opening and sealing; `git-failed`.
pub(crate) fn run(arguments: &MergeDriver, context: &Context) -> Result<(), Failure> {
    if arguments.install {
        return install::run();
    }
    if !arguments.finish.is_empty() {
        return finish::run(arguments, context);
    }
    let merged = Given::of(arguments).and_then(|given| merge(&given, context));
    merged.map_err(|failure| match failure.code {
        "merge-conflict" => failure,
        _ => Failure {
            status: TROUBLE,
            ..failure
        },
    })
}

/// What Git takes for a driver that broke down.
const TROUBLE: u8 = 129;

fn merge(given: &Given, context: &Context) -> Result<(), Failure> {
    let keyring = Keyring::find(&context.environment);
    let readings = match given.read()? {
        // As Git merges by itself.
        Readings::Unsealed => return given.merge_lines(),
        Readings::Broken(why) => return Err(given.keep_apart(&why)?),
        Readings::Sealed(readings) => readings,
    };
    let versions = match readings.opened(&keyring, &given.name) {
        Ok(versions) => versions,
        Err(failure) => return Err(given.keep_apart(&[failure.message])?),
    };
    let Some(versions) = versions.refer() else {
        return Err(given.keep_apart(&[])?);
    };
    let mut refused = brought::refused(&Sides::of(&versions), &given.name, context)?;
    if !refused.is_empty() {
        // Git puts the other files of a merge in their places when all are merged.
        refused.push(format!(
            "if this merge brings a .sops.yaml that says so: look at that change, then git checkout --merge {0} merges \
             the file by it; git add {0} when it does",
            shell::quoted(OsStr::new(&given.name))
        ));
        return Err(given.keep_apart(&refused)?);
    }
    let merged = bring_together(&versions, context)
        .map_err(|error| Failure::of_document(&error, &given.name, Act::Encrypt));
    match merged {
        Ok(Merged::Clean(document)) => given.write(document.text().as_bytes()),
        Ok(Merged::Conflicting(conflicting)) => Err(given.keep_both(&conflicting)?),
        Ok(Merged::Apart(conflicts)) => Err(given.keep_apart(&told(&conflicts))?),
        Err(failure) => Err(given.keep_apart(&[failure.message])?),
    }
}

/// Conflicts in a file, as Git is told of them.
fn conflict(message: String) -> Failure {
    Failure {
        status: 1,
        code: "merge-conflict",
        message,
    }
}

fn bring_together(
    versions: &Versions<'_>,
    context: &Context,
) -> Result<Merged, stackseal_core::Error> {
    versions.merge(Merging {
        now: context.now,
        recipient: &mut |name| keys::recipient::parse(name, "sops").ok(),
        random: &mut crate::random,
    })
}

fn told(conflicts: &[Conflict]) -> Vec<String> {
    conflicts.iter().map(ToString::to_string).collect()
}

impl Given {
    fn markers(&self) -> Markers<'static> {
        Markers {
            size: self.marker_size,
            ours: "ours",
            theirs: "theirs",
        }
    }

    /// Leaves what is merged in the file, and both sides of the rest.
    fn keep_both(&self, conflicting: &Conflicting) -> Result<Failure, Failure> {
        self.write(conflicting.marked(&self.markers()).as_bytes())?;
        let name = &self.name;
        let conflicts = told(&conflicting.conflicts);
        let places = match conflicts.len() {
            1 => "1 conflict".to_owned(),
            count => format!("{count} conflicts"),
        };
        Ok(conflict(format!(
            "{name}: {places}; everything else is merged\n  {}\n\
                 Both sides stand in the file between conflict markers, sealed. Keep one of each \
                 (of the MAC's line either), \
                 delete the marker lines, run\n  \
                 stackseal merge-driver --finish {}\n\
                 which gives the file its MAC, and add it. Without an editor: add --pick ours or --pick theirs, \
                 or --pick PATH=theirs for each.",
            conflicts.join("\n  "),
            shell::quoted(OsStr::new(name))
        )))
    }

    /// Leaves both versions in the file, whole.
    fn keep_apart(&self, why: &[String]) -> Result<Failure, Failure> {
        let (ours, theirs) = (
            String::from_utf8_lossy(&self.ours),
            String::from_utf8_lossy(&self.theirs),
        );
        self.write(self.markers().beside(&ours, &theirs).as_bytes())?;
        let name = &self.name;
        Ok(conflict(format!(
            "{name}: the two versions are not merged\n  {}\n\
                 Both stand in the file between conflict markers, whole and as they were. \
                 Take one with 'git checkout --ours' \
                 or '--theirs'; or, when what is told here is mended, merge them again with 'git checkout --merge'.",
            why.join("\n  ").replace('\n', "\n  ")
        )))
    }
}
