//! `stackseal man`: manual pages, made from the arguments that the command takes.

use std::fs;
use std::path::Path;

use clap::Command;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::Man;
use crate::exit::Failure;
use crate::files::{self, Audience};
use crate::help::{self, Topic};
use crate::output;
use crate::output::Shown as _;

/// Prints the page of the whole command, or writes a page for each verb into a folder.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn run(arguments: &Man) -> Result<(), Failure> {
    let mut command = help::command();
    command.build();
    let Some(folder) = &arguments.folder else {
        return output::result(&page(command)?);
    };
    fs::create_dir_all(folder).map_err(|error| {
        Failure::unwritable(format!("{} cannot be made: {error}", folder.shown()))
    })?;
    write(&command, folder)
}

/// A page for the command, and for each verb below it.
fn write(command: &Command, folder: &Path) -> Result<(), Failure> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    files::replace(&path, &page(command.clone())?, Audience::Anyone)?;
    let mut verbs = command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    verbs.try_for_each(|verb| write(verb, folder))
}

fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let facts = Facts::of(&command);
    let below = command.get_after_help().map(ToString::to_string);
    let has_verbs = command
        .get_subcommands()
        .any(|verb| verb.get_name() != "help");
    let page = Page::new(command).manual("Stackseal");
    let mut text = Vec::new();
    let rendered = page
        .render_title(&mut text)
        .and_then(|()| page.render_name_section(&mut text))
        .and_then(|()| page.render_synopsis_section(&mut text))
        .and_then(|()| page.render_description_section(&mut text))
        .and_then(|()| page.render_options_section(&mut text))
        .and_then(|()| match has_verbs {
            true => page.render_subcommands_section(&mut text),
            false => Ok(()),
        })
        .and_then(|()| below.map_or(Ok(()), |below| examples(&below).to_writer(&mut text)))
        .and_then(|()| facts.sections().to_writer(&mut text));
    rendered.map_err(|error| Failure::unwritable(format!("the page cannot be made: {error}")))?;
    Ok(text)
}

/// What stands below the options in help: lines that are indented stay lines.
fn examples(below: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES AND NOTES"]);
    for paragraph in below.split("\n\n") {
        roff.control("PP", []);
        roff.control("nf", []);
        let mut filled = false;
        for line in paragraph.lines() {
            // Text, unlike what is typed, is filled.
            if !filled && !line.starts_with(' ') && !line.ends_with(':') {
                roff.control("fi", []);
                filled = true;
            }
            roff.text([roman(line)]);
        }
        if !filled {
            roff.control("fi", []);
        }
    }
    roff
}

/// What a page says of how the command ends, and of what it looks at.
struct Facts {
    statuses: Vec<Fact>,
    environment: Vec<Fact>,
    files: Vec<Fact>,
}

/// A name, and what it means.
type Fact = (&'static str, &'static str);

impl Facts {
    fn of(command: &Command) -> Self {
        let told = help::of_verb(command.get_name());
        let has = |topic: &Topic| match (told, command.get_name()) {
            (Some(told), _) => told.topics.contains(topic),
            (None, name) => name == "stackseal",
        };
        let of = |all: &[(Topic, Fact)]| -> Vec<Fact> {
            let some = all.iter().filter(|(topic, _)| has(topic));
            some.map(|(_, fact)| *fact).collect()
        };
        let own = told.map_or(&[][..], |told| told.statuses);
        let states_all = own.iter().any(|(status, _)| *status == "0");
        let mut statuses = Vec::new();
        if !states_all {
            statuses.extend(STATUSES);
            statuses.extend(of(&OF_TOPICS));
        }
        statuses.extend_from_slice(own);
        let number = |(status, _): &Fact| status.parse::<u32>().unwrap_or(u32::MAX);
        statuses.sort_by_key(number);
        Self {
            statuses,
            environment: of(&ENVIRONMENT),
            files: of(&FILES),
        }
    }

    fn sections(&self) -> Roff {
        let mut roff = Roff::new();
        for (title, facts) in [
            ("EXIT STATUS", &self.statuses),
            ("ENVIRONMENT", &self.environment),
            ("FILES", &self.files),
        ] {
            if !facts.is_empty() {
                roff.control("SH", [title]);
            }
            for (name, meaning) in facts {
                roff.control("TP", []);
                roff.text([bold(*name)]);
                roff.text([roman(*meaning)]);
            }
        }
        roff
    }
}

const STATUSES: [Fact; 5] = [
    ("0", "It was done."),
    (
        "1",
        "It was not done; standard error says why, with a code in brackets that docs/ERRORS.md explains.",
    ),
    ("2", "A file cannot be read, or is not of its format."),
    (
        "3",
        "The result cannot be written; the old file is untouched.",
    ),
    ("100", "No file was named, or it does not exist."),
];

const OF_TOPICS: [(Topic, Fact); 11] = [
    (
        Topic::LaysOut,
        ("4", "The format to be written has no form for something."),
    ),
    (Topic::Seals, ("8", "Arguments exclude each other.")),
    (Topic::Seals, ("23", "A value cannot be sealed.")),
    (
        Topic::Opens,
        (
            "25",
            "A value is not sealed, not well formed, or was altered.",
        ),
    ),
    (Topic::Opens, ("51", "The MAC does not match the values.")),
    (Topic::Seals, ("92", "The document is empty.")),
    (Topic::Opens, ("128", "No identity opens the document.")),
    (Topic::Edits, ("200", "The text was left as it was.")),
    (
        Topic::Edits,
        ("201", "The editor could not be run, or failed."),
    ),
    (Topic::Seals, ("203", "The document is sealed already.")),
    (
        Topic::Edits,
        (
            "128 and more",
            "A signal ended it: 128 and the number of the signal.",
        ),
    ),
];

const ENVIRONMENT: [(Topic, Fact); 15] = [
    (Topic::Opens, ("SOPS_AGE_KEY", "Identities, one a line.")),
    (
        Topic::Opens,
        (
            "SOPS_AGE_KEY_FILE",
            "A file with identities, which may be protected by a passphrase.",
        ),
    ),
    (
        Topic::Opens,
        (
            "SOPS_AGE_KEY_CMD",
            "A command that prints identities; it is told the recipient in SOPS_AGE_RECIPIENT.",
        ),
    ),
    (
        Topic::Opens,
        (
            "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
            "A file with an SSH private key.",
        ),
    ),
    (
        Topic::Opens,
        (
            "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
            "A command that prints an SSH private key.",
        ),
    ),
    (
        Topic::Seals,
        (
            "SOPS_AGE_RECIPIENTS",
            "Recipients, separated by commas, where --age names none.",
        ),
    ),
    (
        Topic::Seals,
        (
            "SOPS_PGP_FP, SOPS_KMS_ARN, SOPS_GCP_KMS_IDS, SOPS_AZURE_KEYVAULT_URLS, SOPS_VAULT_URIS, SOPS_HUAWEICLOUD_KMS_IDS",
            "Keys of these kinds are out of scope, so nothing is sealed while one of the variables is set.",
        ),
    ),
    (
        Topic::Rules,
        ("SOPS_CONFIG", "The file with the creation rules."),
    ),
    (
        Topic::Edits,
        ("SOPS_EDITOR, EDITOR", "The editor, with its options."),
    ),
    (
        Topic::Edits,
        (
            "XDG_RUNTIME_DIR, TMPDIR",
            "Folders that the plaintext may be in while the editor runs.",
        ),
    ),
    (
        Topic::Edits,
        ("XDG_STATE_HOME", "What is used instead of ~/.local/state."),
    ),
    (
        Topic::Plaintext,
        (
            "XDG_RUNTIME_DIR, TMPDIR",
            "Folders that the plaintext may be in while the command runs.",
        ),
    ),
    (
        Topic::Opens,
        (
            "XDG_CONFIG_HOME",
            "The folder of settings instead of ~/.config.",
        ),
    ),
    (Topic::Opens, ("HOME", "The folder of the user's keys.")),
    (
        Topic::Rules,
        (
            "PWD",
            "What the shell calls the working folder, from which .sops.yaml is looked for.",
        ),
    ),
];

const FILES: [(Topic, Fact); 4] = [
    (
        Topic::Rules,
        (
            ".sops.yaml",
            "The creation rules: the next one from the working folder upwards.",
        ),
    ),
    (
        Topic::Opens,
        (
            "~/.config/sops/age/keys.txt",
            "Identities, one a line; on macOS in ~/Library/Application Support.",
        ),
    ),
    (
        Topic::Opens,
        ("~/.ssh/id_ed25519, ~/.ssh/id_rsa", "SSH private keys."),
    ),
    (
        Topic::Edits,
        (
            "edited-NAME.sealed",
            "What was typed and could not be sealed as a document; see --resume. Where the folder takes no new file, it is \
             in ~/.local/state/stackseal.",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(verb: &str) -> String {
        let mut command = help::command();
        command.build();
        let verb = command.find_subcommand(verb).cloned();
        String::from_utf8(page(verb.unwrap_or(command)).unwrap()).unwrap()
    }

    #[test]
    fn pages_tell_how_a_verb_ends_and_what_it_looks_at() {
        let all = page_of("");
        for what in [
            ".SH \"EXIT STATUS\"",
            ".SH ENVIRONMENT",
            ".SH FILES",
            "SOPS_AGE_KEY_FILE",
            "SOPS_EDITOR",
            "\\fB203\\fR",
            ".SH SUBCOMMANDS",
        ] {
            assert!(all.contains(what), "{what}: {all}");
        }
        let verify = page_of("verify");
        assert!(verify.contains("SOPS_CONFIG") && verify.contains("Something was found"));
        assert!(!verify.contains("SOPS_AGE_KEY_FILE") && !verify.contains("SUBCOMMANDS"));
        let keygen = page_of("keygen");
        assert!(!keygen.contains("ENVIRONMENT") && keygen.contains("stackseal keygen"));
    }
}
