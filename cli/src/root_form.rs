//! The form that `sops` had before it had verbs, and that scripts still use: `sops -d FILE`,
//! `sops --encrypt --age RECIPIENT FILE`; and the one dash that `ssh-to-age` has before long options.

use std::ffi::{OsStr, OsString};

/// Puts the verb where the command expects it when options state it instead. A line that begins with a
/// verb, or that states both or none, stays as it is.
pub(crate) fn with_verb(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let line: Vec<OsString> = line.into_iter().collect();
    let begins_with_option = line
        .get(1)
        .is_some_and(|first| first.as_encoded_bytes().starts_with(b"-"));
    if !begins_with_option || line.iter().any(|word| word == OTHER) {
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
    let mut with_verb: Vec<OsString> = words
        .iter()
        .filter(|word| !is_one_of(word, options))
        .chain(names)
        .cloned()
        .collect();
    with_verb.insert(1, verb.into());
    with_verb
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
    fn other_lines_stay_as_they_are() {
        for line in [
            "sops",
            "sops decrypt a.yaml",
            "sops encrypt -d a.yaml",
            "sops a.yaml -d",
            "sops -e -d a.yaml",
            "sops --version",
            "sops -- -d",
            "sops --config c updatekeys --rotate a.yaml",
        ] {
            assert_eq!(rewritten(line), line);
        }
    }
}
