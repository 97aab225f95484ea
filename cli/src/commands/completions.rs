//! `stackseal completions`: a script that completes this command's words, made from the arguments that it takes.

use clap::{Command, CommandFactory as _};

use crate::args::{Arguments, Completions};
use crate::exit::Failure;
use crate::output;

/// Prints the script.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn run(arguments: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = shown(&Arguments::command());
    clap_complete::generate(arguments.shell, &mut command, "stackseal", &mut script);
    output::result(&script)
}

/// The command without the verbs and options that nobody types: the scripts would offer them.
fn shown(command: &Command) -> Command {
    let name = command.get_name().to_owned();
    let about = command.get_about().cloned().unwrap_or_default();
    let arguments = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set());
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let aliases: Vec<_> = command.get_visible_aliases().map(str::to_owned).collect();
    Command::new(name)
        .about(about)
        .visible_aliases(aliases)
        .args(arguments.cloned())
        .subcommands(verbs.map(shown))
}

#[cfg(test)]
mod tests {
    use clap_complete::Shell;

    use super::*;

    fn script(shell: Shell) -> String {
        let mut script = Vec::new();
        let mut command = shown(&Arguments::command());
        clap_complete::generate(shell, &mut command, "stackseal", &mut script);
        String::from_utf8(script).unwrap()
    }

    #[test]
    fn every_shell_gets_the_words_that_are_shown_and_no_others() {
        for shell in [
            Shell::Bash,
            Shell::Elvish,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Zsh,
        ] {
            let script = script(shell);
            for verb in Arguments::command().get_subcommands() {
                assert_eq!(
                    script.contains(verb.get_name()),
                    !verb.is_hide_set(),
                    "{shell}: {}",
                    verb.get_name()
                );
            }
            for (option, is_shown) in [
                ("shamir-secret-sharing-threshold", true),
                ("decryption-order", false),
            ] {
                assert_eq!(script.contains(option), is_shown, "{shell}: {option}");
            }
        }
    }
}
