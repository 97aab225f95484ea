//! Tells Git about the merge driver and the masked differences, in the configuration of the repository around.

use std::process::{Command, Stdio};

use crate::exit::Failure;
use crate::output;

/// Writes the settings.
///
/// # Errors
/// `git-failed`.
pub(super) fn run() -> Result<(), Failure> {
    for (name, value) in SETTINGS {
        let mut git = Command::new("git");
        git.args(["config", "--local", name, value])
            .stdout(Stdio::null());
        let failed = match git.status() {
            Ok(status) if status.success() => continue,
            Ok(_) => "git did not take it; run this inside a repository".to_owned(),
            Err(error) => format!("git cannot be started: {error}"),
        };
        return Err(Failure::usage(
            "git-failed",
            format!("{name} was not set: {failed}"),
        ));
    }
    output::result(DONE.as_bytes())
}

/// The name of the program is looked for in PATH, so that it is found after an update: where it lies now may be the
/// folder of a version, or a link of another name. When it is not found, or fails, Git would leave our side alone in
/// the file and no marker, and adding that loses theirs. So both are put there, with markers wherever they differ:
/// merged by lines, what nobody has looked at could come in without one.
const SETTINGS: [(&str, &str); 3] = [
    ("merge.stackseal.name", "sealed files, value by value"),
    (
        "merge.stackseal.driver",
        "stackseal merge-driver -- %O %A %B %P %L || { test $? -eq 1 || git merge-file -q --marker-size=%L -L ours -L \
         base -L theirs %A /dev/null %B; exit 1; }",
    ),
    ("diff.stackseal.textconv", "stackseal diff --"),
];

const DONE: &str = "\
This repository merges sealed files with stackseal and shows their differences masked. Say in .gitattributes which files
are sealed, and commit that; whoever clones the repository runs this command once, too:
  secrets/*.yaml merge=stackseal diff=stackseal
";
