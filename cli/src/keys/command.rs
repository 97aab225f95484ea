//! Runs the commands that settings name to print keys. No shell takes part; quotes work as in one.

use std::process::{Command, Stdio};

use zeroize::Zeroizing;

/// Runs the command and brings what it prints. It is told the recipient in `SOPS_AGE_RECIPIENT`; what it writes to
/// standard error goes where ours does.
///
/// # Errors
/// Why it brought nothing; neither its arguments nor its output are repeated.
pub(crate) fn run(line: &str, recipient: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let words = split(line)?;
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    let output = Command::new(program)
        .args(arguments)
        .env("SOPS_AGE_RECIPIENT", recipient)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{program} could not be run: {error}"))?;
    let printed = Zeroizing::new(output.stdout);
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!("{program} failed: {}", output.status))
    }
}

/// Splits a line into words as a shell does: blanks part them, quotes and backslashes keep them together, `#` at the
/// beginning of a word starts a comment. Nothing is expanded.
///
/// # Errors
/// Why it is no command line.
pub(crate) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                rest.find(|c| *c == '\n');
            }
            '\'' => {
                let text = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(c) => text.push(c),
                        None => return Err("a quote of the command is not closed".to_owned()),
                    }
                }
            }
            '"' => {
                let text = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => text.push(escaped(rest.next())?),
                        Some(c) => text.push(c),
                        None => return Err("a quote of the command is not closed".to_owned()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(escaped(rest.next())?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn escaped(character: Option<char>) -> Result<char, String> {
    character.ok_or_else(|| "the command ends in a backslash".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_in_a_shell() {
        for (line, words) in [
            ("", &[][..]),
            ("  a\tb\nc ", &["a", "b", "c"]),
            (r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]),
            (r#"a'b'"c"d"#, &["abcd"]),
            (
                r#""a\"b\\c" 'd\e' $HOME `x`"#,
                &["a\"b\\c", "d\\e", "$HOME", "`x`"],
            ),
            ("a '' \"\"", &["a", "", ""]),
            ("a # b\nc d#e", &["a", "c", "d#e"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        for line in ["'a", "\"a", "a\\", "\"a\\"] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_command_is_told_the_recipient_and_no_shell_reads_it() {
        let printed = run("printenv SOPS_AGE_RECIPIENT", "age1xyz").unwrap();
        assert_eq!(printed.as_slice(), b"age1xyz\n");
        assert_eq!(
            run("echo a; echo b", "").unwrap().as_slice(),
            b"a; echo b\n"
        );
    }

    #[test]
    fn a_command_that_fails_is_named_without_its_arguments() {
        for (line, reason) in [
            ("sh -c 'exit 3 # hunter2'", "sh failed: exit status: 3"),
            (
                "/nowhere/to-be-found hunter2",
                "/nowhere/to-be-found could not be run",
            ),
            (" # hunter2", "is empty"),
        ] {
            let error = run(line, "").unwrap_err();
            assert!(error.contains(reason), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
