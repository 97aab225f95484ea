//! The form that `sops` had before it had verbs, and that scripts still use: `sops -d FILE`, `sops --encrypt --age
//! RECIPIENT FILE`, and `sops FILE` to edit one; and the one dash that `ssh-to-age` has before long options.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use crate::args::{Arguments, Verb};
use crate::exit::Failure;

/// Puts the verb where the command expects it when options state it instead, or when nothing but a file is named. A
/// line that begins with a verb, or that states several, stays as it is.
pub(crate) fn with_verb(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let line: Vec<OsString> = line.into_iter().collect();
    if let Some(line) = with_set(&line) {
        return line;
    }
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

/// `--set '["a"]["b"] "value"' FILE` as the verb has it, which takes the path and the value apart.
fn with_set(line: &[OsString]) -> Option<Vec<OsString>> {
    let (program, words) = line.split_first()?;
    let end = words.iter().position(|word| word == "--");
    let (words, names) = words.split_at_checked(end.unwrap_or(words.len()))?;
    if !is_option(words.first()?) || words.iter().any(|word| word == OTHER) {
        return None;
    }
    let at = words.iter().position(|word| {
        let text = word.to_str().unwrap_or_default();
        text == "--set" || text.starts_with("--set=")
    })?;
    let (before, after) = words.split_at_checked(at)?;
    let (option, after) = after.split_first()?;
    let (said, after) = match option.to_str()?.strip_prefix("--set=") {
        Some(said) => (said, after),
        None => {
            let (said, after) = after.split_first()?;
            (said.to_str()?, after)
        }
    };
    let (path, value) = said.split_at_checked(end_of_path(said))?;
    let in_place = |word: &&OsString| !is_one_of(word, &["-i", "--in-place"]);
    let mut found = vec![program.clone(), "set".into()];
    found.extend(before.iter().chain(after).filter(in_place).cloned());
    found.extend(names.iter().cloned());
    found.extend([path.trim().into(), value.trim().into()]);
    Some(found)
}

/// Where the brackets of a path end: behind the last one that nothing but brackets stands before.
fn end_of_path(said: &str) -> usize {
    let mut end = 0;
    let mut quoted = false;
    let mut open = false;
    for (at, c) in said.char_indices() {
        match c {
            '"' if open => quoted = !quoted,
            _ if quoted => {}
            '[' if !open => open = true,
            ']' if open => {
                open = false;
                end = at + 1;
            }
            _ if open => {}
            _ => break,
        }
    }
    end
}

/// What is to be said of a line that cannot be read, where that is more than which word is wrong.
pub(crate) fn told_otherwise(given: &[OsString], error: &clap::Error) -> Option<Failure> {
    let (first, rest) = given.get(1..)?.split_first()?;
    match (error.kind(), first.to_str()?) {
        (ErrorKind::InvalidSubcommand, "keyservice") => Some(Failure::usage(
            "option-unsupported",
            "there is no key service here: identities are read where the command runs, from the places that \
             'stackseal decrypt --help' names; SOPS_AGE_KEY_CMD can bring one from elsewhere",
        )),
        (ErrorKind::InvalidSubcommand, "publish") => Some(Failure::usage(
            "option-unsupported",
            "publish is not supported: nothing is sent to clouds and vaults here; give what 'stackseal decrypt' or \
             'stackseal exec-file' bring to the store's own command, or use sops for it",
        )),
        (ErrorKind::InvalidSubcommand, file) => {
            let stating = |(_, options): &&(&str, [&str; 2])| {
                rest.iter().any(|word| is_one_of(word, options))
            };
            let (verb, _) = VERBS.iter().find(stating)?;
            Path::new(file).is_file().then(|| {
                Failure::conflict(format!(
                    "options stand before the file, where they say what to do: 'stackseal {verb} {file}'"
                ))
            })
        }
        _ => None,
    }
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
    let is_file = |word: &OsString| {
        let bytes = word.as_encoded_bytes();
        !is_option(word)
            && (bytes.contains(&b'.') || bytes.contains(&b'/') || Path::new(word).is_file())
    };
    // Told without asking for the verbs, which takes longer than small files do.
    let begins_well = |first: &OsString| is_option(first) || is_file(first);
    if !words.first().is_none_or(begins_well) || !words.iter().any(is_file) {
        return false;
    }
    let command = Arguments::command();
    let is_verb = |word: &OsString| {
        let mut verbs = command.get_subcommands();
        word == "help" || verbs.any(|verb| word == verb.get_name())
    };
    let says_what = |word: &OsString| {
        let mut stating = VERBS.iter().map(|(_, options)| options);
        is_verb(word) || is_one_of(word, &HELP) || stating.any(|options| is_one_of(word, options))
    };
    let mut options = words.iter().take_while(|word| *word != "--");
    !options.any(says_what)
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
    fn the_older_set_becomes_the_verb() {
        let line = |words: &[&str]| with_verb(words.iter().map(OsString::from));
        for (said, path, value) in [
            (r#"["a"]["b c"] "x y""#, r#"["a"]["b c"]"#, r#""x y""#),
            (r#"["a"][0] {"k": [1]}"#, r#"["a"][0]"#, r#"{"k": [1]}"#),
            (r#"["a]"]  1"#, r#"["a]"]"#, "1"),
            (r#"["a"] ["x"]"#, r#"["a"]"#, r#"["x"]"#),
        ] {
            let expected = ["sops", "set", "a.yaml", path, value];
            assert_eq!(line(&["sops", "--set", said, "a.yaml"]), expected);
            let in_one = format!("--set={said}");
            assert_eq!(line(&["sops", "-i", &in_one, "a.yaml"]), expected);
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
