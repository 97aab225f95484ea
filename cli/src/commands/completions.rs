//! `stackseal completions`: a script that completes this command's words, made from the arguments that it takes.

use clap::Command;
use clap_complete::Shell;

use crate::args::Completions;
use crate::exit::Failure;
use crate::help;
use crate::output;

/// Prints the script for the name that the command is called by.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn run(arguments: &Completions, name: &str) -> Result<(), Failure> {
    output::result(&script(arguments.shell, name))
}

fn script(shell: Shell, name: &str) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = shown(&help::command()).name(name.to_owned());
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
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
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    fn text(shell: Shell, name: &str) -> String {
        String::from_utf8(script(shell, name)).unwrap()
    }

    #[test]
    fn called_as_sops_the_script_is_for_sops() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let script = text(shell, "sops");
            assert!(script.contains("sops"), "{shell}");
            let under_ours = script.matches("stackseal").count();
            assert!(under_ours < 20, "{shell}: {under_ours}");
        }
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
            let script = text(shell, "stackseal");
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
