//! What was typed and is no document: it is sealed beside the document as the bytes that it is, to the same people, so
//! that nothing is lost and nothing lies in clear; and taken up again from there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use stackseal_core::{Document, Encrypted, Error, Limits, Options, Plain, Sealing, Selector};
use zeroize::Zeroizing;

use super::{Session, Version};
use crate::args::Places;
use crate::commands::Context;
use crate::exit::{Act, Failure};
use crate::files;
use crate::opening::Mac;
use crate::output::Shown as _;
use crate::shell;

impl Session<'_> {
    /// Keeps what was typed, and says where; `failure` is why it could not become the document.
    pub(super) fn kept(&self, edited: &[u8], mut failure: Failure, context: &Context) -> Failure {
        let kept = self.keep(edited, context).map(|path| {
            let (kept, name) = (path.shown(), &self.name);
            let names = [path.as_os_str(), self.path.as_os_str()];
            let command = shell::told("stackseal edit --resume", &names);
            format!(
                "what you wrote is sealed in {kept}, and {name} is left as it is; open it in the editor again with \
                 {command}"
            )
        });
        let told =
            kept.unwrap_or_else(|why| format!("what you wrote could not be kept: {}", why.message));
        failure.message.push_str(&format!("\n  {told}"));
        failure
    }

    fn keep(&self, edited: &[u8], context: &Context) -> Result<PathBuf, Failure> {
        let sealed = self.as_bytes(edited, context);
        let sealed =
            sealed.map_err(|error| Failure::of_document(&error, &self.name, Act::Encrypt))?;
        let beside = self.path.parent().unwrap_or(Path::new(""));
        let kept = self.create_in(beside, sealed.text());
        let elsewhere = context.environment.state_folder.as_deref();
        match (kept, elsewhere) {
            // Its folder may take no new file, or it lies where there is no room.
            (Err(_), Some(state)) => {
                let folder = state.join("stackseal");
                files::make_way(&folder.join("kept"))?;
                self.create_in(&folder, sealed.text())
            }
            (kept, _) => kept,
        }
    }

    fn create_in(&self, folder: &Path, text: &str) -> Result<PathBuf, Failure> {
        let mut number = 1;
        loop {
            let path = folder.join(name_of_kept(self.path, number));
            match files::create(&path, text.as_bytes()) {
                Err(failure) if failure.code == "file-exists" && number < MOST => number += 1,
                created => return created.map(|()| path),
            }
        }
    }

    fn as_bytes(&self, edited: &[u8], context: &Context) -> Result<Document<Encrypted>, Error> {
        let document = Document::<Plain>::of_bytes(edited, None, &Limits::generous())?;
        let recipients = match &self.version {
            Version::New { groups, .. } => groups.first().map_or(&[][..], Vec::as_slice),
            Version::Opened(_) => &[],
        };
        let sealing = Sealing {
            recipients,
            selector: &Selector::default(),
            now: context.now,
            random: &mut crate::random,
        };
        let options = Options {
            accept_nothing: true,
            ..Options::default()
        };
        match &self.version {
            Version::Opened(opened) => {
                let options = Options {
                    keep_keys: true,
                    ..options
                };
                opened.reseal_with(&document, sealing, &options)
            }
            Version::New { groups, plan, .. } => {
                let options = Options {
                    groups: if groups.len() > 1 { groups } else { &[] },
                    threshold: plan.shamir_threshold.map(usize::from),
                    ..options
                };
                document.seal_with(sealing, &options)
            }
        }
    }
}

/// What was kept.
///
/// # Errors
/// Those of reading and opening.
pub(super) fn resumed(path: &Path, context: &Context) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let places = Places::of(path, Some("binary"), None);
    let opened = places.open(context, Mac::Check)?;
    Ok(Zeroizing::new(opened.plain().content().to_vec()))
}

/// `edited-NAME.sealed`, whose ending makes it a binary file. Of a long name there is less.
fn name_of_kept(path: &Path, number: u32) -> OsString {
    let end = match number {
        1 => ".sealed".to_owned(),
        _ => format!(".{number}.sealed"),
    };
    shortened(path.file_name().unwrap_or_default(), &end)
}

/// `edited-NAME` with an ending, no longer than a file's name may be.
pub(super) fn shortened(name: &OsStr, end: &str) -> OsString {
    let room = NAME_MAX - BEGIN.len() - end.len();
    let name = name.as_bytes();
    let mut length = name.len().min(room);
    // Not within a character.
    while name.get(length).is_some_and(|byte| byte & 0xc0 == 0x80) {
        length -= 1;
    }
    let name = name.get(..length).unwrap_or_default();
    OsString::from_vec([BEGIN.as_bytes(), name, end.as_bytes()].concat())
}

const BEGIN: &str = "edited-";

/// Bytes of a name, on all file systems but a few.
const NAME_MAX: usize = 255;

/// So many are kept beside each other.
const MOST: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_two_characters() {
        let name = |path: &str, number| name_of_kept(Path::new(path), number).into_string();
        assert_eq!(name("d/a.yaml", 1).unwrap(), "edited-a.yaml.sealed");
        assert_eq!(name("a.yaml", 12).unwrap(), "edited-a.yaml.12.sealed");
        for letter in ["a", "ä", "€", "😀"] {
            let long = letter.repeat(255 / letter.len());
            let name = name(&long, 2).unwrap();
            assert!(name.len() > 250 && name.len() < 256, "{name}");
            assert!(name.ends_with(&format!("{letter}.2.sealed")), "{name}");
        }
    }
}
