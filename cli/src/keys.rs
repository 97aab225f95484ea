//! Keys other than native age ones: SSH keys, files behind a passphrase, and commands that print keys.
//!
//! The codec knows native keys only. Here the `age` crate wraps and unwraps the file keys of the other kinds; armor,
//! header and payload around them stay the codec's. Which keys are tried, and when, is left to [`crate::keyring`].

pub(crate) mod command;
pub(crate) mod openssh;
pub(crate) mod passphrase;
pub(crate) mod protected;
pub(crate) mod recipient;
pub(crate) mod ssh_private;
pub(crate) mod ssh_public;

use std::sync::{Mutex, MutexGuard, PoisonError};

use age_core::format as foreign;
use age_core::secrecy::ExposeSecret as _;
use stackseal_core::Identity;
use stackseal_core::age::{FileKey, Stanza};

/// A stanza as the `age` crate takes it.
fn to_foreign(stanza: &Stanza) -> foreign::Stanza {
    let mut arguments = stanza.arguments.iter().cloned();
    foreign::Stanza {
        tag: arguments.next().unwrap_or_default(),
        args: arguments.collect(),
        body: stanza.body.clone(),
    }
}

/// A stanza as the codec takes it.
fn of_foreign(stanza: foreign::Stanza) -> Stanza {
    let mut arguments = vec![stanza.tag];
    arguments.extend(stanza.args);
    Stanza {
        arguments,
        body: stanza.body,
    }
}

fn file_key_to_foreign(file_key: &FileKey) -> foreign::FileKey {
    foreign::FileKey::init_with_mut(|bytes| bytes.copy_from_slice(file_key.as_slice()))
}

fn file_key_of_foreign(file_key: &foreign::FileKey) -> FileKey {
    FileKey::new(*file_key.expose_secret())
}

/// What a key is known to be by now, whichever thread finds that out. A thread that ended badly left it as it was.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many identities a line may hold.
#[derive(Clone, Copy)]
pub(crate) enum Lines {
    /// One, with nothing around it: files, and what commands print.
    One,
    /// Several, with blanks between them: `SOPS_AGE_KEY`, where line breaks are easily lost.
    Several,
}

/// The identities of a key text, empty lines and comments apart. Each with its line number.
pub(crate) fn identities(
    text: &str,
    lines: Lines,
) -> impl Iterator<Item = (usize, Result<Identity, stackseal_core::Error>)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .flat_map(move |(index, line)| {
            let words: Vec<&str> = match lines {
                Lines::One => vec![line],
                Lines::Several => line.split_whitespace().collect(),
            };
            words
                .into_iter()
                .map(move |word| (index + 1, Identity::parse(word)))
        })
}

#[cfg(test)]
pub(crate) mod samples {
    //! Keys for tests only; nothing else is sealed to them.

    pub(crate) const NATIVE: &str =
        "AGE-SECRET-KEY-1605P8J7DT63FFTQNAQ9SJKQHDA676Z6XQX48FA5SVGCS6UAPJWKSER8QLW";

    /// A file of `tests/vectors/keys`.
    pub(crate) fn file(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/keys");
        std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::NATIVE;
    use super::*;

    fn counts(text: &str, lines: Lines) -> (usize, Vec<usize>) {
        let found: Vec<_> = identities(text, lines).collect();
        let wrong = found.iter().filter(|(_, it)| it.is_err());
        let wrong: Vec<_> = wrong.map(|(line, _)| *line).collect();
        (found.len() - wrong.len(), wrong)
    }

    #[test]
    fn comments_and_empty_lines_are_no_identities() {
        let text = format!("# mine\n\n{NATIVE}\r\n{NATIVE}\n");
        assert_eq!(counts(&text, Lines::One), (2, vec![]));
    }

    #[test]
    fn blanks_are_not_trimmed_but_may_stand_between_identities_of_a_variable() {
        for text in [format!(" {NATIVE}"), format!("{NATIVE} {NATIVE}")] {
            assert_eq!(counts(&text, Lines::One), (0, vec![1]));
        }
        let text = format!("{NATIVE} {NATIVE}\n {NATIVE}");
        assert_eq!(counts(&text, Lines::Several), (3, vec![]));
    }

    #[test]
    fn identities_that_are_not_supported_leave_the_others_usable() {
        let text = format!("AGE-PLUGIN-YUBIKEY-1QQQQ\n{NATIVE}\nAGE-SECRET-KEY-2QQQQ");
        assert_eq!(counts(&text, Lines::One), (1, vec![1, 3]));
        let reasons: Vec<_> = identities(&text, Lines::One)
            .filter_map(|(_, it)| it.err())
            .map(|error| error.to_string())
            .collect();
        assert!(reasons[0].contains("plugin identities"), "{reasons:?}");
        assert!(reasons[1].contains("does not start with"), "{reasons:?}");
    }
}
