//! What was typed and is no document: it is sealed beside the document as the bytes that it is, to the same people, so
//! that nothing is lost and nothing lies in clear; and taken up again from there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use stackseal_core::{Document, Encrypted, Error, Limits, Options, Plain, Sealing, Selector};
use zeroize::Zeroizing;

use super::{Session, Version};
use crate::args::Places;
use crate::commands::Context;
use crate::exit::{Act, Failure};
use crate::files;
use crate::opening::Mac;

impl Session<'_> {
    /// Keeps what was typed, and says where; `failure` is why it could not become the document.
    pub(super) fn kept(&self, edited: &[u8], mut failure: Failure, context: &Context) -> Failure {
        let kept = self.keep(edited, context).map(|path| {
            let (path, name) = (path.display(), &self.name);
            format!(
                "what you wrote is sealed in {path}, and {name} is left as it is; open it in the editor again with \
                 'stackseal edit --resume {path} {name}'"
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
        let mut number = 1;
        loop {
            let path = beside(self.path, number);
            match files::create(&path, sealed.text().as_bytes()) {
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

/// `edited-NAME.sealed` in the same folder, whose ending makes it a binary file.
fn beside(path: &Path, number: u32) -> PathBuf {
    let mut name = OsStr::new("edited-").to_owned();
    name.push(path.file_name().unwrap_or_default());
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.push(".sealed");
    path.with_file_name(name)
}

/// So many are kept beside each other.
const MOST: u32 = 100;
