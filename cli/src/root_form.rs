//! The form that `sops` had before it had verbs, and that scripts still use: `sops -d FILE`, `sops --encrypt --age
//! RECIPIENT FILE`, and `sops FILE` to edit one; and the one dash that `ssh-to-age` has before long options.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::CommandFactory as _;

use crate::args::{Arguments, Verb};

/// Puts the verb where the command expects it when options state it instead, or when nothing but a file is named. A
/// line that begins with a verb, or that states several, stays as it is.
pub(crate) fn with_verb(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let line: Vec<OsString> = line.into_iter().collect();
    if is_to_be_edited(&line) {
        return with_first(line, "edit");
    }
    if !line.get(1).is_some_and(|first| is_option(first)) || line.iter().any(|word| word == OTHER) {
        return with_two_dashes(line);
    }
    // behind `--` stand names
    let end = line.iter().position(|word| word == "--");
    let (words, names) = line.split_at(end.unwrap_or(line.len()));
    let states = |options: &[&str]| words.iter().any(|word| is_one_of(word, options));
    let stated: Vec<_> = VERBS.iter().filter(|(_, all)| states(all)).collect();
    let [(verb, options)] = stated.as_slice() else {
        return line;
    };
    let rest = words.iter().filter(|word| !is_one_of(word, options));
    with_first(rest.chain(names).cloned().collect(), verb)
}

/// Whether a line in the older form names no file, which that form does not take from standard input.
pub(crate) fn lacks_file(given: &[OsString], verb: &Verb) -> bool {
    let by_option = given.get(1).is_some_and(|first| is_option(first));
    let has_verb = || {
        given
            .iter()
            .any(|word| word == "decrypt" || word == "encrypt")
    };
    let file = match verb {
        Verb::Decrypt(arguments) => &arguments.places.file,
        Verb::Encrypt(arguments) => &arguments.places.file,
        _ => return false,
    };
    file.is_none() && by_option && !has_verb()
}

/// Whether a line has a file and nothing that says what to do with it. What may be a verb with a mistake in it is none.
fn is_to_be_edited(line: &[OsString]) -> bool {
    let words = line.get(1..).unwrap_or_default();
    let command = Arguments::command();
    let is_verb = |word: &OsString| {
        let mut verbs = command.get_subcommands();
        word == "help" || verbs.any(|verb| word == verb.get_name())
    };
    let is_file = |word: &OsString| {
        let bytes = word.as_encoded_bytes();
        !is_option(word)
            && (bytes.contains(&b'.') || bytes.contains(&b'/') || Path::new(word).is_file())
    };
    let says_what = |word: &OsString| {
        let mut stating = VERBS.iter().map(|(_, options)| options);
        is_verb(word) || is_one_of(word, &HELP) || stating.any(|options| is_one_of(word, options))
    };
    let mut options = words.iter().take_while(|word| *word != "--");
    let begins_well = words
        .first()
        .is_none_or(|first| is_option(first) || is_file(first));
    begins_well && !options.any(says_what) && words.iter().any(is_file)
}

fn with_first(mut line: Vec<OsString>, verb: &str) -> Vec<OsString> {
    line.insert(1, verb.into());
    line
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

fn with_two_dashes(mut line: Vec<OsString>) -> Vec<OsString> {
    if line.get(1).is_some_and(|verb| verb == "ssh-to-age") {
        for word in line.iter_mut().filter(|word| *word == "-private-key") {
            *word = "--private-key".into();
        }
    }
    line
}

fn is_one_of(word: &OsStr, options: &[&str]) -> bool {
    options.iter().any(|option| word == *option)
}

/// What asks for help, not for work on a file.
const HELP: [&str; 4] = ["-h", "--help", "-V", "--version"];

/// Each verb with the options that state it.
const VERBS: &[(&str, [&str; 2])] = &[
    ("decrypt", ["-d", "--decrypt"]),
    ("encrypt", ["-e", "--encrypt"]),
    ("rotate", ["-r", "--rotate"]),
];

/// A verb with an option of its own that would state another.
const OTHER: &str = "updatekeys";

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> String {
        let words = with_verb(line.split(' ').map(OsString::from));
        words.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn options_that_state_the_verb_become_it() {
        for (line, verb_first) in [
            ("sops -d a.yaml", "sops decrypt a.yaml"),
            ("sops -i --decrypt a.yaml", "sops decrypt -i a.yaml"),
            (
                "sops --age x --encrypt -i a.yaml",
                "sops encrypt --age x -i a.yaml",
            ),
            ("sops -e -- -e", "sops encrypt -- -e"),
            ("sops -r -i --add-age x a", "sops rotate -i --add-age x a"),
            ("sops a.yaml", "sops edit a.yaml"),
            ("sops Cargo.toml", "sops edit Cargo.toml"),
            ("sops --age x new/file", "sops edit --age x new/file"),
            ("sops -s -- a.yaml", "sops edit -s -- a.yaml"),
            ("sops -- a.yaml", "sops edit -- a.yaml"),
        ] {
            assert_eq!(rewritten(line), verb_first);
        }
    }

    #[test]
    fn a_long_option_of_ssh_to_age_may_have_one_dash() {
        assert_eq!(
            rewritten("sops ssh-to-age -private-key -i a"),
            "sops ssh-to-age --private-key -i a"
        );
    }

    #[test]
    fn the_older_form_needs_a_file() {
        use clap::Parser as _;

        for (line, lacks) in [
            ("sops -d", true),
            ("sops --age x -e", true),
            ("sops -d -", false),
            ("sops decrypt", false),
            ("sops --config c encrypt", false),
            ("sops -r", false),
        ] {
            let given: Vec<_> = line.split(' ').map(OsString::from).collect();
            let arguments = Arguments::parse_from(with_verb(given.clone()));
            assert_eq!(lacks_file(&given, &arguments.verb), lacks, "{line}");
        }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in [
            "sops",
            "sops decrypt a.yaml",
            "sops encrypt -d a.yaml",
            "sops a.yaml -d",
            "sops decypt",
            "sops help",
            "sops --config c.yaml decrypt a",
            "sops --config c.yaml --help",
            "sops -e -d a.yaml",
            "sops --version",
            "sops -- -d",
            "sops --config c updatekeys --rotate a.yaml",
        ] {
            assert_eq!(rewritten(line), line);
        }
    }
}
