//! What help, manual pages and completions show of the command, beside what the arguments say themselves: examples, and
//! for each verb what it looks at in its environment and how it ends. Options that mean nothing to a verb are not shown
//! with it; they are taken, since `sops` takes them everywhere.

use clap::{Arg, Command, CommandFactory as _};

use crate::args::Arguments;

/// What a verb has to do with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// An editor is opened.
    Edits,
    /// Results may be laid out anew.
    LaysOut,
    /// Sealed files are opened.
    Opens,
    /// Plaintext is given to another program.
    Plaintext,
    /// Creation rules are followed.
    Rules,
    /// Files are sealed to recipients that are named.
    Seals,
}

use Topic::{Edits, LaysOut, Opens, Plaintext, Rules, Seals};

/// What is told of a verb.
pub(crate) struct Told {
    verb: &'static str,
    pub(crate) topics: &'static [Topic],
    /// What stands below its options.
    below: &'static str,
    /// How it ends, where that is its own.
    pub(crate) statuses: &'static [(&'static str, &'static str)],
}

/// The command as it is shown.
pub(crate) fn command() -> Command {
    shown(Arguments::command(), &[Rules, LaysOut]).after_help(BELOW)
}

/// What is told of a verb.
pub(crate) fn of_verb(name: &str) -> Option<&'static Told> {
    VERBS.iter().find(|told| told.verb == name)
}

fn shown(command: Command, topics: &[Topic]) -> Command {
    let verbs: Vec<_> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    verbs.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |verb| {
            let told = of_verb(name);
            let topics = told.map_or(topics, |told| told.topics);
            let mut verb = shown(verb, topics);
            for (option, topic) in [("config", Rules), ("indent", LaysOut)] {
                if !topics.contains(&topic) {
                    // In the place of the option that holds for all verbs.
                    verb = verb.arg(Arg::new(option).long(option).hide(true));
                }
            }
            match told.map_or("", |told| told.below) {
                "" => verb,
                below => verb.after_help(below),
            }
        })
    })
}

const BELOW: &str = "\
Examples:
  stackseal keygen -o keys.txt
  stackseal encrypt --age age1... --mark stringData.password -i secret.yaml
  SOPS_AGE_KEY_FILE=keys.txt stackseal decrypt secret.yaml

Keys of PGP, clouds and vaults are out of scope: files are sealed to age and SSH keys. Exit statuses are those \
of sops: 51 for a MAC mismatch, 128 for no matching key, 203 for a file that is sealed already.";

/// In the order of their names.
const VERBS: &[Told] = &[
    Told {
        verb: "completions",
        topics: &[],
        below: "\
Examples:
  stackseal completions bash > ~/.local/share/bash-completion/completions/stackseal
  stackseal completions zsh > ~/.zfunc/_stackseal
  stackseal completions fish > ~/.config/fish/completions/stackseal.fish

Called as sops (by a link), it prints the script for that name.",
        statuses: &[],
    },
    Told {
        verb: "decrypt",
        topics: &[LaysOut, Opens, Rules],
        below: "\
Examples:
  stackseal decrypt secret.yaml
  stackseal decrypt --extract '[\"db\"][\"password\"]' secret.yaml
  stackseal decrypt --output-type json secret.yaml
  git show HEAD:secret.yaml | stackseal decrypt --filename-override secret.yaml",
        statuses: &[("91", "The path of --extract is none.")],
    },
    Told {
        verb: "diff",
        topics: &[],
        below: "\
Examples:
  stackseal diff secret.yaml
  stackseal diff old.yaml new.yaml

A sealed value is shown by its type and a digest of its ciphertext. In a file that is not sealed every value is \
hidden. Exit status of a comparison: 0 for the same, 1 for differences, 2 for trouble.",
        statuses: &[
            ("0", "The files are the same, or there was one."),
            ("1", "They differ."),
            ("2", "Trouble."),
        ],
    },
    Told {
        verb: "edit",
        topics: &[Edits, LaysOut, Opens, Rules, Seals],
        below: "\
Examples:
  stackseal edit secret.yaml
  SOPS_EDITOR='code --wait' stackseal edit secret.yaml
  stackseal edit --resume edited-secret.yaml.sealed secret.yaml

The editor is $SOPS_EDITOR, else $EDITOR, else vim, nano or vi, whichever there is first. The options that \
choose what is sealed count for a document that does not exist yet. What cannot be sealed, such as YAML with a \
mistake, is asked about on the terminal; where there is none, it is kept sealed beside the document.",
        statuses: &[],
    },
    Told {
        verb: "encrypt",
        topics: &[LaysOut, Rules, Seals],
        below: "\
Examples:
  stackseal encrypt -i secrets/db.yaml                  # as .sops.yaml says
  stackseal encrypt --age age1...,age1... --encrypted-regex '^(password|token)$' -i db.yaml
  stackseal encrypt --age age1... --mark stringData.password -i secret.yaml
  kubectl create secret ... -o yaml | stackseal encrypt --filename-override s.yaml --output s.yaml

Keys of PGP, clouds and vaults (--pgp, --kms, --gcp-kms, --azure-kv, --hc-vault-transit and the like) are out \
of scope: name age or SSH keys with --age, or use sops for files that need the others.",
        statuses: &[],
    },
    Told {
        verb: "exec-env",
        topics: &[Opens],
        below: "\
Example:
  stackseal exec-env secret.env 'psql \"$DATABASE_URL\"'",
        statuses: &[("others", "Those of the command.")],
    },
    Told {
        verb: "exec-file",
        topics: &[LaysOut, Opens, Plaintext, Rules],
        below: "\
Examples:
  stackseal exec-file secret.yaml 'kubectl apply -f {}'
  stackseal exec-file --no-fifo --filename key.pem key.pem.sealed 'ssh-add {}'",
        statuses: &[("others", "Those of the command.")],
    },
    Told {
        verb: "filestatus",
        topics: &[],
        below: "\
Example:
  stackseal filestatus secret.yaml                      # {\"encrypted\":true}",
        statuses: &[],
    },
    Told {
        verb: "groups",
        topics: &[Opens],
        below: "\
Examples:
  stackseal groups add --age age1... -f secret.yaml -i
  stackseal groups delete 1 -f secret.yaml -i",
        statuses: &[],
    },
    Told {
        verb: "keygen",
        topics: &[],
        below: "\
Examples:
  stackseal keygen -o ~/.config/sops/age/keys.txt       # where sops and stackseal look for it
  stackseal keygen -y ~/.config/sops/age/keys.txt       # its recipient, for .sops.yaml",
        statuses: &[],
    },
    Told {
        verb: "man",
        topics: &[],
        below: "\
Example:
  stackseal man ~/.local/share/man/man1",
        statuses: &[],
    },
    Told {
        verb: "merge-driver",
        topics: &[Opens, Rules],
        below: "\
Examples:
  stackseal merge-driver --install
  stackseal merge-driver --finish secret.yaml           # when its conflicts are resolved
  stackseal merge-driver --finish secret.yaml --pick ours --pick db.password=theirs
  stackseal merge-driver --finish *.yaml --pick theirs  # of each file that is in conflict

--install sets a repository up; .gitattributes then says for which files:
  secrets/*.yaml merge=stackseal diff=stackseal

Exit status as Git has it: 0 for a clean merge, 1 for conflicts, 129 for trouble.",
        statuses: &[
            ("0", "A clean merge."),
            ("1", "Conflicts."),
            ("129", "Trouble."),
        ],
    },
    Told {
        verb: "rotate",
        topics: &[LaysOut, Opens, Rules],
        below: "\
Examples:
  stackseal rotate -i secret.yaml
  stackseal rotate -i --add-age age1... --rm-age age1... secrets/
  stackseal rotate -i --by-rule secrets/                # after .sops.yaml changed
  stackseal rotate -i --ignore-mac secret.yaml          # after a change by hand that is yours",
        statuses: &[],
    },
    Told {
        verb: "set",
        topics: &[Opens],
        below: "\
Examples:
  printf '\"hunter2\"' | stackseal set --value-stdin secret.yaml '[\"db\"][\"password\"]'
  stackseal set secret.yaml '[\"db\"][\"port\"]' 5432",
        statuses: &[("7", "The path or the value is none.")],
    },
    Told {
        verb: "ssh-to-age",
        topics: &[],
        below: "\
Examples:
  stackseal ssh-to-age -i ~/.ssh/id_ed25519.pub
  ssh-keyscan host | stackseal ssh-to-age
  stackseal ssh-to-age --private-key -i ~/.ssh/id_ed25519 -o ~/.config/sops/age/keys.txt",
        statuses: &[],
    },
    Told {
        verb: "unset",
        topics: &[Opens],
        below: "\
Example:
  stackseal unset secret.yaml '[\"db\"][\"password\"]'",
        statuses: &[("7", "The path is none.")],
    },
    Told {
        verb: "updatekeys",
        topics: &[Opens, Rules],
        below: "\
Examples:
  stackseal updatekeys -y secrets/                      # as .sops.yaml says
  stackseal updatekeys -y --rotate secrets/             # when somebody left

What is sealed is not changed; 'stackseal rotate --by-rule' takes over that, too.",
        statuses: &[],
    },
    Told {
        verb: "verify",
        topics: &[Rules],
        below: "\
Examples:
  stackseal verify --require-rules .                    # in CI
  stackseal verify --staged                             # in .git/hooks/pre-commit
  stackseal verify --age age1...,age1... secret.yaml

Without --age and --recipients-file, the creation rule for a file says who must be able to open it. Where there are no \
creation rules that is not checked, and the last line says so; --require-rules makes it an error. Findings go \
to standard output, one a line: FILE:LINE: PATH: what is wrong [code]. Exit status 0: nothing was found; 1: \
something was. Whether the values are those that were sealed only a key can tell.",
        statuses: &[("0", "Nothing was found."), ("1", "Something was found.")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn help_of(verb: &str) -> String {
        let line = ["stackseal", verb, "--help"];
        let told = command().try_get_matches_from(line).unwrap_err();
        told.to_string()
    }

    #[test]
    fn every_verb_that_is_shown_has_an_example() {
        for verb in Arguments::command().get_subcommands() {
            let name = verb.get_name();
            if !verb.is_hide_set() {
                assert!(help_of(name).contains("\nExample"), "{name}");
            }
        }
        for told in VERBS {
            assert!(Arguments::command().find_subcommand(told.verb).is_some());
        }
    }

    #[test]
    fn options_are_shown_where_they_mean_something() {
        command().debug_assert();
        for (verb, config, indent) in [
            ("encrypt", true, true),
            ("updatekeys", true, false),
            ("keygen", false, false),
            ("filestatus", false, false),
            ("groups", false, false),
        ] {
            let help = help_of(verb);
            assert_eq!(help.contains("--config"), config, "{verb}");
            assert_eq!(help.contains("--indent"), indent, "{verb}");
        }
    }

    #[test]
    fn examples_are_lines_that_the_command_takes() {
        let texts = VERBS.iter().map(|told| told.below).chain([BELOW]);
        let lines = texts
            .flat_map(str::lines)
            .filter(|line| line.starts_with("  "));
        let mut count = 0;
        for line in lines {
            let Some(at) = line.find("stackseal ") else {
                continue;
            };
            let Some(line) = line
                .get(at..)
                .filter(|line| !line.starts_with("stackseal diff="))
            else {
                continue;
            };
            let line = line
                .split(['>', '#'])
                .next()
                .unwrap()
                .replace("--wait' ", "");
            let words = crate::keys::command::split(&line).unwrap();
            let taken = Arguments::command().try_get_matches_from(&words);
            assert!(taken.is_ok(), "{line}: {}", taken.unwrap_err());
            count += 1;
        }
        assert!(count > 25, "{count}");
    }
}
