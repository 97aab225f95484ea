//! `merge-driver --finish`: gives files their MAC whose conflicts were resolved by hand, or by a side that is picked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stackseal_core::merge::{marker, marker_size};
use stackseal_core::{Document, Encrypted, ErrorCode, Format, Limits, Opened};
use zeroize::Zeroizing;

use super::brought::{self, Sides};
use super::pick::{Conflicted, Picks};
use super::{conflict, summary};
use crate::args::MergeDriver;
use crate::commands::Context;
use crate::exit::{Act, Failure};
use crate::files;
use crate::keyring::Keyring;
use crate::likeness;
use crate::many::{Batch, Made, Piece, Taken, Told, Words, to_write};
use crate::opening::{self, Mac};
use crate::output::Shown as _;
use crate::shell;

/// Finishes the merge of files.
///
/// # Errors
/// Those of opening and sealing; `merge-conflict` for what is not resolved, `no-merge-open`; `files-failed`.
pub(super) fn run(arguments: &MergeDriver, context: &Context) -> Result<(), Failure> {
    let paths = &arguments.finish;
    if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
        return Err(Failure::unreadable(format!(
            "{} is a folder; name the files in it that were in conflict",
            folder.shown()
        )));
    }
    let finishing = Finishing {
        picks: Picks::of(&arguments.pick)?,
        keyring: Keyring::find(&context.environment),
        context,
    };
    let said = arguments.input_type.as_deref().and_then(Format::of_word);
    finishing.paths_are_in_conflict(paths, said)?;
    let batch = Batch {
        paths,
        in_place: true,
        dry_run: false,
        // What a side brings in is warned of while its file is looked at.
        one_by_one: true,
        format: said,
        words: Words {
            done: "finished",
            missing: 100,
            skipped: "in a folder",
            none: "no file is there",
        },
    };
    batch.run_any(&finishing)
}

struct Finishing<'a> {
    picks: Picks,
    keyring: Keyring,
    context: &'a Context,
}

/// A file, and what Git has of it.
struct InGit<'a> {
    file: Conflicted<'a>,
    /// Our side and theirs, while a merge is open.
    staged: [Option<Zeroizing<Vec<u8>>>; 2],
}

impl<'a> InGit<'a> {
    fn of(path: &Path, bytes: &'a [u8], format: Format, name: &'a str) -> Self {
        let staged = [2, 3].map(|stage| summary::staged(path, stage));
        let texts: Vec<_> = (staged.iter().flatten())
            .map(|side| String::from_utf8_lossy(side))
            .collect();
        Self {
            file: Conflicted {
                bytes,
                format,
                name,
                // What looks like a shorter one is a line of a side, which the driver saw as well.
                marker_size: marker_size(texts.iter().flat_map(|text| text.lines())),
                ends_open: (staged.each_ref())
                    .map(|side| side.as_ref().is_some_and(|side| !side.ends_with(b"\n"))),
            },
            staged,
        }
    }

    /// The text as it was resolved by hand. Where both sides end without a line break, the one that stands there came
    /// with a marker.
    fn by_hand(&self) -> &'a [u8] {
        let text = self.file.bytes;
        match self.file.ends_open {
            [true, true] => text.strip_suffix(b"\n").unwrap_or(text),
            _ => text,
        }
    }
}

impl Finishing<'_> {
    /// Refuses paths at which no conflict is, before anything is written. Files that cannot be read are told of later.
    fn paths_are_in_conflict(
        &self,
        paths: &[PathBuf],
        said: Option<Format>,
    ) -> Result<(), Failure> {
        if !self.picks.has_paths() {
            return Ok(());
        }
        let mut places = BTreeSet::new();
        let mut told = Vec::new();
        for path in paths {
            let Ok(bytes) = files::changeable(path).and_then(|()| files::read(path)) else {
                continue;
            };
            let name = path.shown();
            let format = said.unwrap_or_else(|| Format::of_name(&path.to_string_lossy()));
            let in_git = InGit::of(path, &bytes, format, &name);
            if !in_git.file.has_markers() {
                continue;
            }
            if let Some(found) = in_git.file.places() {
                let listed: Vec<_> = found.iter().map(ToString::to_string).collect();
                told.push(match listed.as_slice() {
                    [] => format!("{name}: no conflict is about a value"),
                    _ => format!("{name}: in conflict: {}", listed.join(", ")),
                });
                places.extend(found);
            }
        }
        let unfit = self.picks.unfit(&places);
        if unfit.is_empty() || told.is_empty() {
            return Ok(());
        }
        Err(conflict(format!(
            "there is no conflict at {}; nothing was written\n  {}",
            unfit.join(", "),
            told.join("\n  ")
        )))
    }

    /// Refuses what ours does not have and no rule states. Whether ours opens does not matter for that.
    fn may_come_in(
        &self,
        in_git: &InGit<'_>,
        document: &Document<Encrypted>,
    ) -> Result<(), Failure> {
        let [ours, _] = &in_git.staged;
        let file = &in_git.file;
        let ours = ours
            .as_ref()
            .and_then(|ours| likeness::of_sealed(file.format, ours));
        let ours_is_broken = matches!(ours, Some(Err(_)));
        let ours = ours.and_then(Result::ok);
        let sides = Sides {
            base: ours.as_ref(),
            ours: ours.as_ref(),
            theirs: Some(document),
            ours_is_broken,
        };
        match brought::refused(&sides, file.name, self.context)?.first() {
            Some(why) => Err(conflict(format!(
                "{}: {why}; nothing was written",
                file.name
            ))),
            None => Ok(()),
        }
    }

    /// The text with no conflict in it.
    fn resolved(&self, in_git: &InGit<'_>, is_asked: bool) -> Result<Vec<u8>, Failure> {
        let file = &in_git.file;
        let resolved = match is_asked {
            true => self.picks.picked(file)?.into_bytes(),
            false => in_git.by_hand().to_vec(),
        };
        let text = String::from_utf8_lossy(&resolved);
        let mut lines = text.lines().zip(1..);
        if let Some((_, line)) = lines.find(|(line, _)| marker(line, file.marker_size).is_some()) {
            return Err(conflict(format!(
                "{}: line {line} is a conflict marker; keep one side and delete the marker lines first, or take \
                 a side with --pick ours, --pick theirs or --pick PATH=theirs",
                file.name
            )));
        }
        Ok(resolved)
    }
}

impl Piece for Finishing<'_> {
    fn read_of_folder(
        &self,
        _path: &Path,
        _format: Format,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        Ok(None)
    }

    fn make(&self, taken: &Taken<'_>, told: &mut Told) -> Result<Made, Failure> {
        let name = &taken.name;
        let in_git = InGit::of(taken.path, taken.bytes, taken.format, name);
        let is_unmerged = is_unmerged(taken.path);
        // Of many files some may have merged by themselves.
        let is_asked =
            self.picks.is_any() && (is_unmerged || !taken.of_many || in_git.file.has_markers());
        let resolved = self.resolved(&in_git, is_asked)?;
        let document =
            Document::<Encrypted>::parse_as(taken.format, &resolved, &Limits::generous());
        let document = document.map_err(|error| {
            let failure = Failure::of_document(&error, name, Act::Decrypt);
            match is_unmerged {
                true => failure.while_unmerged(taken.path),
                false => failure,
            }
        })?;
        let opened = opening::open(&document, &self.keyring, name, Mac::Ignore)?;
        let finished = opened.with_mac(self.context.now, &mut crate::random);
        let finished =
            finished.map_err(|error| Failure::of_document(&error, name, Act::Encrypt))?;
        if is_unmerged {
            self.may_come_in(&in_git, &document)?;
        }
        let next = match is_unmerged {
            true => format!(
                "\n  next: git add {}",
                shell::quoted(taken.path.as_os_str())
            ),
            false => String::new(),
        };
        if finished.text().as_bytes() == taken.bytes {
            if is_unmerged || !taken.of_many {
                told.note(&format!("{name} is whole: its MAC is right{next}"));
            }
            return Ok(Made::Unchanged);
        }
        if !is_unmerged {
            return Err(Failure::usage(
                "no-merge-open",
                format!(
                    "{name}: Git has no unfinished merge of this file, so nothing says that its changes are yours; \
                     take it from Git again, or look at it with 'stackseal edit --ignore-mac'"
                ),
            ));
        }
        let side = |side: &Option<Zeroizing<Vec<u8>>>| {
            let side = side.as_ref()?;
            summary::opened(side, taken.format, name, &self.keyring)
        };
        let [ours, theirs] = &in_git.staged;
        let (ours, theirs) = (side(ours), side(theirs));
        if finished.text().as_bytes() != resolved {
            for (side, word) in [(&ours, "ours"), (&theirs, "theirs")] {
                has_its_mac(side.as_ref(), word, name)?;
            }
        }
        let (ours, theirs) = (ours.and_then(Result::ok), theirs.and_then(Result::ok));
        let summary = summary::Finished {
            ours: ours.as_ref(),
            theirs: theirs.as_ref(),
            opened: &opened,
            sealed: &finished,
        };
        let summary = summary.told();
        told.when_written(format!("{name} has its MAC again; {summary}{next}"));
        Ok(Made::Text(to_write(finished.text().to_owned())))
    }
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
