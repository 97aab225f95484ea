//! Finds identities where `sops` finds them, and can tell where it looked.
//!
//! All places are tried together; one that fails matters only when nothing opens the document.
//! Sources: `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, then `sops/age/keys.txt` in the user's configuration.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use stackseal_core::metadata::AgeEntry;
use stackseal_core::{Identity, age};
use zeroize::Zeroizing;

use crate::output;

/// The variables that the commands read, taken once.
pub(crate) struct Environment {
    /// `SOPS_AGE_KEY`: identities, one a line.
    pub(crate) age_key: Option<Zeroizing<String>>,
    /// `SOPS_AGE_KEY_FILE`.
    pub(crate) age_key_file: Option<PathBuf>,
    /// `SOPS_AGE_RECIPIENTS`: used when `--age` is not given.
    pub(crate) age_recipients: Option<String>,
    /// The folder of the user's settings, where it is known.
    pub(crate) config_folder: Option<PathBuf>,
    /// `SOPS_CONFIG`: the file with the creation rules.
    pub(crate) config: Option<PathBuf>,
    /// `PWD`: what the shell calls the working folder.
    pub(crate) working_folder: Option<OsString>,
}

impl Environment {
    /// Reads the process's variables. An empty one counts as not set.
    pub(crate) fn of_process() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            age_key: text("SOPS_AGE_KEY").map(Zeroizing::new),
            age_key_file: set("SOPS_AGE_KEY_FILE").map(PathBuf::from),
            age_recipients: text("SOPS_AGE_RECIPIENTS"),
            config_folder: config_folder(set("XDG_CONFIG_HOME"), set("HOME")),
            config: set("SOPS_CONFIG").map(PathBuf::from),
            working_folder: set("PWD"),
        }
    }
}

/// The identities found, and what was found where.
pub(crate) struct Keyring {
    /// Every identity that could be read.
    pub(crate) identities: Vec<Identity>,
    /// One line for each place: its name, and how many identities or why none.
    pub(crate) places: Vec<String>,
}

impl Keyring {
    /// Looks into every place.
    pub(crate) fn find(environment: &Environment) -> Self {
        let mut keyring = Self {
            identities: Vec::new(),
            places: Vec::new(),
        };
        match &environment.age_key {
            Some(text) => keyring.take("SOPS_AGE_KEY", text),
            None => keyring.places.push("SOPS_AGE_KEY: not set".to_owned()),
        }
        match &environment.age_key_file {
            Some(path) => keyring.take_file("SOPS_AGE_KEY_FILE, ", path),
            None => keyring.places.push("SOPS_AGE_KEY_FILE: not set".to_owned()),
        }
        if let Some(folder) = &environment.config_folder {
            keyring.take_file("", &folder.join("sops/age/keys.txt"));
        }
        keyring
    }

    /// What an entry's age file holds, if an identity opens it.
    pub(crate) fn open(&self, entry: &AgeEntry) -> Option<Zeroizing<Vec<u8>>> {
        let file = age::armor::decode(&entry.enc).ok()?;
        age::decrypt(&file, &self.identities).ok()
    }

    fn take_file(&mut self, prefix: &str, path: &Path) {
        let place = format!("{prefix}{}", path.display());
        let text = match fs::read(path).map(Zeroizing::new) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return self.places.push(format!("{place}: no such file"));
            }
            Err(error) => return self.places.push(format!("{place}: {error}")),
        };
        if fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
            output::warning(&format!(
                "{} can be read by others; run: chmod 600 {0}",
                path.display()
            ));
        }
        match std::str::from_utf8(&text) {
            Ok(text) => self.take(&place, text),
            Err(_) => self.places.push(format!("{place}: not a text file")),
        }
    }

    fn take(&mut self, place: &str, text: &str) {
        if text.starts_with("age-encryption.org/")
            || text.starts_with("-----BEGIN AGE ENCRYPTED FILE")
        {
            return self.places.push(format!(
                "{place}: protected by a passphrase, which stackseal cannot ask for yet"
            ));
        }
        let before = self.identities.len();
        let mut problems = String::new();
        for (line, result) in identity_lines(text) {
            match result {
                Ok(identity) => self.identities.push(identity),
                Err(reason) => problems.push_str(&format!("; line {line}: {reason}")),
            }
        }
        self.places.push(match self.identities.len() - before {
            1 => format!("{place}: 1 identity{problems}"),
            count => format!("{place}: {count} identities{problems}"),
        });
    }
}

/// The identities of a key file: one a line, empty lines and comments apart. Each with its line number.
pub(crate) fn identity_lines(
    text: &str,
) -> impl Iterator<Item = (usize, Result<Identity, stackseal_core::Error>)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (index + 1, Identity::parse(line)))
}

/// As `sops` has it: `XDG_CONFIG_HOME` wherever it is set, else the system's own folder.
fn config_folder(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let own = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    xdg.map(PathBuf::from)
        .or_else(|| home.map(|home| Path::new(&home).join(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AGE-SECRET-KEY-1605P8J7DT63FFTQNAQ9SJKQHDA676Z6XQX48FA5SVGCS6UAPJWKSER8QLW";

    fn environment(age_key: Option<&str>) -> Environment {
        Environment {
            age_key: age_key.map(|text| Zeroizing::new(text.to_owned())),
            age_key_file: None,
            age_recipients: None,
            config_folder: None,
            config: None,
            working_folder: None,
        }
    }

    #[test]
    fn comments_and_empty_lines_are_no_identities() {
        let keyring = Keyring::find(&environment(Some(&format!("# mine\n\n{KEY}\n{KEY}\n"))));
        assert_eq!(keyring.identities.len(), 2);
        assert_eq!(
            keyring.places.first().map(String::as_str),
            Some("SOPS_AGE_KEY: 2 identities")
        );
    }

    #[test]
    fn a_broken_line_is_named_by_number_and_never_repeated() {
        let keyring = Keyring::find(&environment(Some(&format!(
            "{KEY}\nAGE-SECRET-KEY-1OOPS\n"
        ))));
        assert_eq!(keyring.identities.len(), 1);
        let place = keyring.places.first().map(String::as_str).unwrap();
        assert!(
            place.starts_with("SOPS_AGE_KEY: 1 identity; line 2: "),
            "{place}"
        );
        assert!(!place.contains("OOPS"), "{place}");
    }

    #[test]
    fn the_settings_folder_follows_xdg_first() {
        let folder = |xdg: Option<&str>| {
            config_folder(xdg.map(OsString::from), Some(OsString::from("/home/ann")))
        };
        assert_eq!(folder(Some("/x")), Some(PathBuf::from("/x")));
        assert!(folder(None).unwrap().starts_with("/home/ann"));
    }
}
