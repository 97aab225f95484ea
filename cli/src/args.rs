//! The arguments, named as `sops` and `age-keygen` name theirs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Seals and opens SOPS documents with age keys.
#[derive(Parser)]
#[command(
    name = "stackseal",
    version,
    arg_required_else_help = true,
    args_override_self = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What holds for every verb.
#[derive(Args)]
pub(crate) struct Common {
    /// Take the creation rules from this file [env: SOPS_CONFIG] [default: the next .sops.yaml upwards]
    #[arg(long, global = true, value_name = "FILE", display_order = LAST)]
    pub(crate) config: Option<PathBuf>,
    /// Indent what is laid out anew by so many columns
    #[arg(
        long,
        global = true,
        value_name = "COLUMNS",
        allow_negative_numbers = true,
        display_order = LAST
    )]
    pub(crate) indent: Option<i64>,
    /// Taken for scripts' sake; nothing more is told
    #[arg(long, global = true, hide = true)]
    pub(crate) verbose: bool,
    /// Taken for scripts' sake; there is no key service
    #[arg(long, global = true, hide = true, value_name = "BOOLEAN", num_args = 0..=1, require_equals = true)]
    pub(crate) enable_local_keyservice: Option<Option<String>>,
    /// Taken for scripts' sake; there is no key service
    #[arg(long, global = true, hide = true, value_name = "ADDRESS")]
    pub(crate) keyservice: Vec<String>,
    /// Taken for scripts' sake; every key is tried anyway
    #[arg(long, global = true, hide = true, value_name = "KINDS")]
    pub(crate) decryption_order: Option<String>,
    /// Taken for scripts' sake; nothing is looked for in the network
    #[arg(long, global = true, hide = true)]
    pub(crate) disable_version_check: bool,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Print a script that completes this command's words in a shell
    #[command(visible_alias = "completion")]
    Completions(Completions),
    /// Open a sealed document
    Decrypt(Decrypt),
    /// Show a file, or how two differ, with every value masked; no key is needed
    Diff(Diff),
    /// Edit a sealed document in your editor
    Edit(Edit),
    /// Seal a document
    Encrypt(Encrypt),
    /// Run a command with the values of a sealed document in its environment
    ExecEnv(ExecEnv),
    /// Run a command with the path of a document's plaintext
    ExecFile(ExecFile),
    /// Tell whether a file is sealed
    Filestatus(Filestatus),
    /// Change the key groups of sealed files
    Groups(Groups),
    /// What other verbs start beside themselves: removes a folder when they have ended
    #[command(hide = true)]
    KeepFolder(KeepFolder),
    /// Make an age key pair
    Keygen(Keygen),
    /// Print the manual page, or write those of all verbs into a folder
    Man(Man),
    /// Merge sealed files where Git does: what both sides changed, with a MAC of its own
    MergeDriver(MergeDriver),
    /// Seal files anew under a new data key
    Rotate(Rotate),
    /// Put a value at a path of a sealed document
    Set(Set),
    /// Take away what stands at a path of a sealed document
    Unset(Unset),
    /// Turn an Ed25519 key of SSH into an age key
    SshToAge(SshToAge),
    /// Make who can open sealed files what the creation rules say
    #[command(name = "updatekeys")]
    UpdateKeys(UpdateKeys),
    /// Check sealed files without a key, and find files that ought to be sealed
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// Write a page for each verb into this folder
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// The file; '-' for standard input
    pub(crate) file: PathBuf,
    /// Another version: what differs is shown as a unified diff, and told by exit status 1
    pub(crate) other: Option<PathBuf>,
    /// Lines shown around each difference
    #[arg(
        short = 'U',
        long = "unified",
        value_name = "LINES",
        default_value_t = 3
    )]
    pub(crate) context: usize,
    /// Take the format from this name instead of the file's own; needed for standard input
    #[arg(long, value_name = "NAME")]
    pub(crate) filename_override: Option<PathBuf>,
    /// Format of the files: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct MergeDriver {
    /// What Git gives: the version both sides began with (%O), ours (%A), which the result replaces, and theirs (%B);
    /// then the path (%P) and the length of conflict markers (%L)
    #[arg(
        num_args = 3..=5,
        value_names = ["BASE", "OURS", "THEIRS", "PATH", "SIZE"],
        required_unless_present_any = ["finish", "install"]
    )]
    pub(crate) given: Vec<PathBuf>,
    /// Give files their MAC, after conflicts in them were resolved by hand
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["given", "install"])]
    pub(crate) finish: Vec<PathBuf>,
    /// With --finish: take this side of every conflict, or of the one at a path: ours, theirs, db.password=theirs
    #[arg(long, value_name = "SIDE", requires = "finish")]
    pub(crate) pick: Vec<String>,
    /// Set up this repository: its Git configuration gets this driver and 'stackseal diff' for the attribute stackseal
    #[arg(long, conflicts_with = "given")]
    pub(crate) install: bool,
    /// Format of the files: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct KeepFolder {
    /// Where the folder may be made
    pub(crate) places: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Keygen {
    /// Write the identity to this file, readable by you alone; an existing file stays as it is
    #[arg(short, long, value_name = "FILE", conflicts_with = "recipients_of")]
    pub(crate) output: Option<PathBuf>,
    /// Make a post-quantum key (age1pq1...), which needs age 1.3 or sops 3.12 on the other side
    #[arg(long, conflicts_with = "recipients_of")]
    pub(crate) pq: bool,
    /// Print the recipients of an identity file instead ('-' for standard input)
    #[arg(short = 'y', value_name = "FILE")]
    pub(crate) recipients_of: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SshToAge {
    /// The key file: public keys, hosts with their keys, or a private key ('-' or nothing for standard input)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Write the result to this file; a private key is readable by you alone
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Turn a private key into an identity; its passphrase is asked for [env: SSH_TO_AGE_PASSPHRASE]
    #[arg(long)]
    pub(crate) private_key: bool,
}

#[derive(Args)]
pub(crate) struct Encrypt {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Seal this key: a name, a dotted path, or '.' and a literal name; may be repeated
    #[arg(long = "mark", value_name = "PATH")]
    pub(crate) marks: Vec<String>,
    /// Seal what the marks hit beside the keys they name, too
    #[arg(long, requires = "marks")]
    pub(crate) accept_extra: bool,
    /// Write the document also when the rule selects nothing
    #[arg(long)]
    pub(crate) allow_nothing: bool,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) places: Places,
    /// More files, with --in-place; a folder stands for those that creation rules cover by path_regex
    #[arg(value_name = "FILE")]
    pub(crate) others: Vec<PathBuf>,
}

/// Who shall be able to open a document, and what of it is sealed.
#[derive(Args)]
pub(crate) struct Selection {
    /// age recipients, separated by commas; the option may be repeated [env: SOPS_AGE_RECIPIENTS]
    #[arg(short, long, value_name = "RECIPIENTS")]
    pub(crate) age: Vec<String>,
    /// Keys of other kinds, to be refused in words
    #[arg(
        long = "pgp",
        short = 'p',
        short_alias = 'k',
        aliases = ["kms", "aws-profile", "gcp-kms", "hckms", "azure-kv", "hc-vault-transit", "encryption-context"],
        hide = true,
    )]
    pub(crate) other_keys: Vec<String>,
    /// Seal the values that a comment governs which matches this expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) encrypted_comment_regex: Option<String>,
    /// Seal the values under each key that matches this expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) encrypted_regex: Option<String>,
    /// Seal the values under each key that ends so
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) encrypted_suffix: Option<String>,
    /// Seal everything but the values that a comment governs which matches this expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) unencrypted_comment_regex: Option<String>,
    /// Seal everything but the values under keys that match this expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) unencrypted_regex: Option<String>,
    /// Seal everything but the values under keys that end so [default: _unencrypted]
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) unencrypted_suffix: Option<String>,
    /// Let the MAC cover sealed values alone, so that the others may be edited without the key
    #[arg(long)]
    pub(crate) mac_only_encrypted: bool,
    /// How many of several key groups are needed to open the document; all by default
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) shamir_secret_sharing_threshold: u8,
}

#[derive(Args)]
pub(crate) struct Decrypt {
    /// Print only what stands at this path, such as '["data"]["users"][0]'
    #[arg(long, value_name = "PATH")]
    pub(crate) extract: Option<String>,
    /// Open the document although its MAC does not match its values
    #[arg(long)]
    pub(crate) ignore_mac: bool,
    /// Taken for scripts' sake; no cloud is asked
    #[arg(long, hide = true, value_name = "NAME")]
    pub(crate) aws_profile: Option<String>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) places: Places,
    /// More files, with --in-place; a folder stands for all sealed ones in it and below
    #[arg(value_name = "FILE")]
    pub(crate) others: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The value as JSON; others on the machine can see it here, so prefer --value-stdin or --value-file
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: Option<OsString>,
    /// Take VALUE for the name of a file that holds the value
    #[arg(long, conflicts_with = "value_stdin")]
    pub(crate) value_file: bool,
    /// Read the value, as JSON, from standard input
    #[arg(long)]
    pub(crate) value_stdin: bool,
}

#[derive(Args)]
pub(crate) struct Unset {
    #[command(flatten)]
    pub(crate) target: Target,
}

/// A place in a sealed document that is changed where it lies.
#[derive(Args)]
pub(crate) struct Target {
    /// The sealed document
    pub(crate) file: PathBuf,
    /// Where: '["data"]["users"][0]'
    #[arg(allow_hyphen_values = true)]
    pub(crate) path: String,
    /// Take it for done when nothing is to be changed
    #[arg(long)]
    pub(crate) idempotent: bool,
    /// Format of the document: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Format that the file shall have afterwards: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_type: Option<String>,
    /// Change the document although its MAC does not match its values; what stands in clear and should not gets sealed
    #[arg(long)]
    pub(crate) ignore_mac: bool,
}

#[derive(Args)]
pub(crate) struct Rotate {
    /// The sealed files; a folder stands for all that are in it and below
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Seal to these age recipients, too, separated by commas; the option may be repeated
    #[arg(long, value_name = "RECIPIENTS")]
    pub(crate) add_age: Vec<String>,
    /// Seal to these age recipients no more, separated by commas; the option may be repeated
    #[arg(long, value_name = "RECIPIENTS")]
    pub(crate) rm_age: Vec<String>,
    /// Keys of other kinds, to be refused in words
    #[arg(
        long = "add-pgp",
        aliases = ["add-kms", "add-gcp-kms", "add-hckms", "add-azure-kv", "add-hc-vault-transit", "rm-pgp", "rm-kms",
            "rm-gcp-kms", "rm-hckms", "rm-azure-kv", "rm-hc-vault-transit", "encryption-context"],
        hide = true,
    )]
    pub(crate) other_keys: Vec<String>,
    /// Seal to those whom the creation rule names, and what it chooses; files that are in line with it stay as they are
    #[arg(long, conflicts_with_all = ["add_age", "rm_age", "output_type"])]
    pub(crate) by_rule: bool,
    /// With --by-rule: let values become readable that the rule does not choose any more
    #[arg(long, requires = "by_rule")]
    pub(crate) accept_readable: bool,
    /// Open the files although their MAC does not match their values; what stands in clear and should not gets sealed
    #[arg(long)]
    pub(crate) ignore_mac: bool,
    /// Replace the files by the results; needed for several
    #[arg(short, long)]
    pub(crate) in_place: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Take the format from this name instead of the file's own
    #[arg(long, value_name = "NAME")]
    pub(crate) filename_override: Option<PathBuf>,
    /// Format of the files: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Format of the result: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_type: Option<String>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Rotate {
    /// Where the only file comes from and where its result goes.
    pub(crate) fn places(&self) -> Places {
        let only = match self.files.as_slice() {
            [file] => Some(file.clone()),
            _ => None,
        };
        Places {
            in_place: self.in_place && only.is_some(),
            file: only,
            output: self.output.clone(),
            filename_override: self.filename_override.clone(),
            input_type: self.input_type.clone(),
            output_type: self.output_type.clone(),
        }
    }
}

#[derive(Args)]
pub(crate) struct UpdateKeys {
    /// The sealed files; a folder stands for all that are in it and below
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Make the changes without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Make a new data key and seal everything anew, too, where recipients change
    #[arg(long)]
    pub(crate) rotate: bool,
    /// How many of several key groups are needed to open a file, instead of what the file says
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) shamir_secret_sharing_threshold: u8,
    /// Format of the files: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Groups {
    #[command(subcommand)]
    pub(crate) act: GroupAct,
}

#[derive(Subcommand)]
pub(crate) enum GroupAct {
    /// Add a key group
    Add(AddGroup),
    /// Take a key group away
    Delete(DeleteGroup),
}

#[derive(Args)]
pub(crate) struct AddGroup {
    /// age recipients of the group, separated by commas; the option may be repeated
    #[arg(long, value_name = "RECIPIENTS")]
    pub(crate) age: Vec<String>,
    /// Keys of other kinds, to be refused in words
    #[arg(
        long = "pgp",
        aliases = ["kms", "aws-profile", "gcp-kms", "hckms", "azure-kv", "hc-vault-transit", "encryption-context"],
        hide = true,
    )]
    pub(crate) other_keys: Vec<String>,
    #[command(flatten)]
    pub(crate) files: GroupFiles,
}

#[derive(Args)]
pub(crate) struct DeleteGroup {
    /// The number of the group, from 0: that of key_groups[0] in messages
    pub(crate) index: usize,
    #[command(flatten)]
    pub(crate) files: GroupFiles,
}

/// The files whose groups change.
#[derive(Args)]
pub(crate) struct GroupFiles {
    /// A sealed file, or a folder with such files; the option may be repeated
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Replace the files by the results; needed for several
    #[arg(short, long)]
    pub(crate) in_place: bool,
    /// How many of the groups are needed to open a file; as before by default, and all where a second group comes
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) shamir_secret_sharing_threshold: u8,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Edit {
    /// The document; one that does not exist is made
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Begin with what was typed before and could not be sealed, from the file that it was kept in
    #[arg(long, value_name = "SEALED")]
    pub(crate) resume: Option<PathBuf>,
    /// Open the document although its MAC does not match its values; what stands in clear and should not gets sealed
    #[arg(long)]
    pub(crate) ignore_mac: bool,
    /// Refused; use the verbs that change who can open a document
    #[arg(short, long, hide = true)]
    pub(crate) show_master_keys: bool,
    /// Format of the document: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Format of the result: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct ExecEnv {
    /// The document; its top keys become variables
    pub(crate) file: PathBuf,
    /// What /bin/sh runs
    pub(crate) command: String,
    /// Give the command the document's variables and none of ours
    #[arg(long)]
    pub(crate) pristine: bool,
    /// Taken for scripts' sake; the command takes the place of this process in any case
    #[arg(long)]
    pub(crate) same_process: bool,
    /// Run the command as this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Refused; write COMMAND & instead
    #[arg(long, hide = true)]
    pub(crate) background: bool,
    /// Format of the document: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct ExecFile {
    /// The document
    pub(crate) file: PathBuf,
    /// What /bin/sh runs; {} in it becomes the path of the plaintext
    pub(crate) command: String,
    /// Put the plaintext into a file instead of a pipe; it is removed afterwards, whatever happens
    #[arg(long)]
    pub(crate) no_fifo: bool,
    /// Name of the file or pipe, for commands that go by it
    #[arg(long, value_name = "NAME", default_value = "tmp-file")]
    pub(crate) filename: String,
    /// Run the command as this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Refused; write stackseal ... & instead
    #[arg(long, hide = true)]
    pub(crate) background: bool,
    /// Format of the document: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Format of the plaintext: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct Filestatus {
    /// The file
    pub(crate) file: PathBuf,
    /// Format of the file: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The files; a folder stands for all that are in it and below. With --staged, patterns as Git takes them
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Expect exactly these age recipients, separated by commas; the option may be repeated
    #[arg(long, visible_alias = "recipient", value_name = "RECIPIENTS")]
    pub(crate) age: Vec<String>,
    /// Expect exactly the recipients in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,
    /// Check what Git is about to commit, as it is staged, instead of files: all that differs from the last commit, or
    /// what the patterns name; for pre-commit hooks. Implies --only-covered
    #[arg(long)]
    pub(crate) staged: bool,
    /// In folders, expect files to be sealed also where only a rule without path_regex covers them
    #[arg(long)]
    pub(crate) all: bool,
    /// Let named files be plain that no rule covers, as in folders, and say nothing when none is sealed
    #[arg(long)]
    pub(crate) only_covered: bool,
    /// Fail when there are no creation rules to go by
    #[arg(long)]
    pub(crate) require_rules: bool,
    /// Let files state another selector than their creation rule
    #[arg(long)]
    pub(crate) any_selector: bool,
    /// Print each finding as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Format of the files: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
}

/// Where a document comes from and where the result goes.
#[derive(Args)]
pub(crate) struct Places {
    /// The document; '-' or nothing for standard input
    pub(crate) file: Option<PathBuf>,
    /// Replace the file by the result
    #[arg(short, long)]
    pub(crate) in_place: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Take the format from this name instead of the file's own; needed for standard input
    #[arg(long, value_name = "NAME")]
    pub(crate) filename_override: Option<PathBuf>,
    /// Format of the document: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_type: Option<String>,
    /// Format of the result: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_type: Option<String>,
}

/// Behind the options of a verb, and before those that clap adds.
const LAST: usize = 900;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_may_stand_after_the_file() {
        let line = [
            "stackseal",
            "encrypt",
            "a.yaml",
            "--age",
            "x,y",
            "--age",
            "z",
            "-i",
            "--mark",
            "a",
            "--mark",
            "b",
        ];
        let Verb::Encrypt(encrypt) = Arguments::parse_from(line).verb else {
            panic!("another verb")
        };
        assert_eq!(
            (
                encrypt.selection.age.len(),
                encrypt.marks.len(),
                encrypt.places.in_place
            ),
            (2, 2, true)
        );
    }
}
