//! The commands that people give to be run: `/bin/sh -c`, as another user where that is asked for.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::exit::Failure;

/// Who a command runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The user of that name. As `sops` without the system's libraries, it knows those of `/etc/passwd` alone.
    ///
    /// # Errors
    /// `user-unknown`.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let users = std::fs::read_to_string(USERS).unwrap_or_default();
        Self::find(&users, name).ok_or_else(|| {
            Failure::usage(
                "user-unknown",
                format!("--user: {USERS} has no user {name:?}; check the name"),
            )
        })
    }

    fn find(users: &str, name: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            match fields.as_slice() {
                [it, _, uid, gid, ..] if *it == name => Some(Self {
                    uid: uid.parse().ok()?,
                    gid: gid.parse().ok()?,
                }),
                _ => None,
            }
        })
    }
}

/// What runs `line`. Another user has none of our further groups.
pub(crate) fn command(line: &str, user: Option<User>) -> Command {
    let mut command = Command::new(SHELL);
    command.arg("-c").arg(line);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Why the command could not be begun.
pub(crate) fn failed(error: &std::io::Error, user: Option<&str>) -> Failure {
    let role = user.map(|name| format!(" as {name}")).unwrap_or_default();
    Failure::usage(
        "command-failed",
        format!("{SHELL} cannot be run{role}: {error}"),
    )
}

/// `--background`, which nobody waits for, so that nothing could be removed afterwards.
pub(crate) fn no_background(verb: &str) -> Failure {
    Failure::usage(
        "option-unsupported",
        format!(
            "--background is not supported: nobody would wait for the command; leave it out, and write \
             stackseal {verb} ... & to go on meanwhile"
        ),
    )
}

const SHELL: &str = "/bin/sh";
const USERS: &str = "/etc/passwd";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:100::/home/ann:\nbob:x:x:1:::\n";
        let ann = User {
            uid: 1000,
            gid: 100,
        };
        assert_eq!(User::find(users, "ann"), Some(ann));
        for unknown in ["", "an", "x", "bob", "broken"] {
            assert_eq!(User::find(users, unknown), None, "{unknown}");
        }
        assert_eq!(User::named("no:body").unwrap_err().status, 1);
    }
}
