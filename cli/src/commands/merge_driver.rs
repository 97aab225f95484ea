//! `stackseal merge-driver`: what Git runs to merge sealed files, and what a person runs after resolving conflicts in
//! one.
//!
//! A merge that does not come out clean leaves both sides in the file between conflict markers, sealed as they were: no
//! plaintext is written, and what has markers in it opens nowhere, so that it is not taken for merged.

mod brought;
mod given;
mod install;
mod pick;
mod summary;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use stackseal_core::merge::{
    Conflict, Conflicting, Markers, Merged, Merging, Version, Versions, marker, marker_size,
};
use stackseal_core::{Document, Encrypted, ErrorCode, Limits, Opened};
use zeroize::Zeroizing;

use super::Context;
use crate::args::{MergeDriver, Places};
use crate::exit::{Act, Failure};
use crate::files::{self, Audience, Held};
use crate::keyring::Keyring;
use crate::keys;
use crate::opening::{self, Mac};
use crate::output;
use crate::shell;
use given::{Given, Readings};
use pick::Picks;

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
        let picks = Picks::of(&arguments.pick)?;
        let mut files = arguments.finish.iter();
        let said = arguments.input_type.as_deref();
        return files.try_for_each(|file| finish(file, said, &picks, context));
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
    let refused = brought::refused(&versions, &given.name, context)?;
    if !refused.is_empty() {
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

/// Gives a file its MAC whose conflicts were resolved by hand.
fn finish(
    file: &Path,
    input_type: Option<&str>,
    picks: &Picks,
    context: &Context,
) -> Result<(), Failure> {
    let places = Places::of(file, input_type, None);
    files::changeable(file)?;
    let _held = Held::wait(file);
    let (name, bytes) = (places.name(), places.read()?);
    let staged = [2, 3].map(|stage| summary::staged(file, stage));
    let size = marker_size_beside(&staged);
    let picked = picks.picked(&bytes, places.input(), &name, size)?;
    let resolved = picked.as_ref().map_or(bytes.as_slice(), String::as_bytes);
    let text = String::from_utf8_lossy(resolved);
    let mut lines = text.lines().zip(1..);
    if let Some((_, line)) = lines.find(|(line, _)| marker(line, size).is_some()) {
        return Err(conflict(format!(
            "{name}: line {line} is a conflict marker; keep one side and delete the marker lines first, or take \
             a side with --pick ours, --pick theirs or --pick PATH=theirs"
        )));
    }
    let document = Document::<Encrypted>::parse_as(places.input(), resolved, &Limits::generous());
    let document = document.map_err(|error| Failure::of_document(&error, &name, Act::Decrypt))?;
    let keyring = Keyring::find(&context.environment);
    let opened = opening::open(&document, &keyring, &name, Mac::Ignore)?;
    let finished = opened.with_mac(context.now, &mut crate::random);
    let finished = finished.map_err(|error| Failure::of_document(&error, &name, Act::Encrypt))?;
    if finished.text().as_bytes() == bytes.as_slice() {
        output::note(&format!("{name} is whole: its MAC is right"));
        return Ok(());
    }
    if !is_unmerged(file) {
        return Err(Failure::usage(
            "no-merge-open",
            format!(
                "{name}: Git has no unfinished merge of this file, so nothing says that its changes are yours; take it \
                 from Git again, or look at it with 'stackseal edit --ignore-mac'"
            ),
        ));
    }
    let side = |side: &Option<Staged>| {
        let side = side.as_ref()?;
        summary::opened(side, places.input(), &name, &keyring)
    };
    let [ours, theirs] = &staged;
    let (ours, theirs) = (side(ours), side(theirs));
    if finished.text().as_bytes() != resolved {
        for (side, word) in [(&ours, "ours"), (&theirs, "theirs")] {
            has_its_mac(side.as_ref(), word, &name)?;
        }
    }
    let (ours, theirs) = (ours.and_then(Result::ok), theirs.and_then(Result::ok));
    if let Some(ours) = &ours {
        let ours = Version::Sealed(ours);
        let versions = Versions {
            base: Some(ours),
            ours,
            theirs: Version::Sealed(&opened),
        };
        let refused = brought::refused(&versions, &name, context)?;
        if let Some(why) = refused.first() {
            return Err(conflict(format!("{name}: {why}; nothing was written")));
        }
    }
    let summary = summary::Finished {
        ours: ours.as_ref(),
        theirs: theirs.as_ref(),
        opened: &opened,
        sealed: &finished,
    };
    let summary = summary.told();
    files::replace(file, finished.text().as_bytes(), Audience::Anyone)?;
    output::note(&format!("{name} has its MAC again; {summary}"));
    Ok(())
}

/// A side as Git has it.
type Staged = Zeroizing<Vec<u8>>;

/// How long markers are at least: what looks like a shorter one is a line of a side, which the driver saw as well.
fn marker_size_beside(staged: &[Option<Staged>; 2]) -> usize {
    let sides = staged.iter().flatten();
    let texts: Vec<_> = sides.map(|side| String::from_utf8_lossy(side)).collect();
    marker_size(texts.iter().flat_map(|text| text.lines()))
}

/// No new MAC for what came from a side that has no right one: somebody changed it who has no key.
fn has_its_mac(
    side: Option<&Result<Opened, Failure>>,
    word: &str,
    name: &str,
) -> Result<(), Failure> {
    match side {
        Some(Err(failure)) if failure.code == ErrorCode::MacMismatch.as_str() => {
            Err(conflict(format!(
                "{name}: what {word} says does not match its MAC, so somebody without a key may have changed it; \
                 nothing was written. Take the other side with 'git checkout', or have {word} mended where it was made"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether Git waits for somebody to resolve a file's conflicts. What has no right MAC for another reason gets none here.
fn is_unmerged(file: &Path) -> bool {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let Some(name) = file.file_name() else {
        return false;
    };
    let mut git = Command::new("git");
    git.arg("-C").arg(folder.unwrap_or(Path::new(".")));
    git.args(["--literal-pathspecs", "ls-files", "--unmerged", "--"])
        .arg(name);
    git.stderr(Stdio::null());
    git.output()
        .is_ok_and(|listed| listed.status.success() && !listed.stdout.is_empty())
}
