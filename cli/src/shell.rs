//! The commands that people give to be run: `/bin/sh -c`, as another user where that is asked for; and names as shells
//! take them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
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

/// A command on files, as people can give it to a shell: in quotes, unless a name has its own.
pub(crate) fn told(command: &str, names: &[&OsStr]) -> String {
    let names = names.iter().map(|name| format!(" {}", quoted(name)));
    let names: String = names.collect();
    match names.contains('\'') {
        true => format!("{command}{names}"),
        false => format!("'{command}{names}'"),
    }
}

/// A name as people can give it to a shell.
pub(crate) fn quoted(name: &OsStr) -> String {
    let bytes = name.as_bytes();
    // What begins so would be taken for an option.
    let before = if bytes.first() == Some(&b'-') {
        "./"
    } else {
        ""
    };
    let usual = |c: char| c.is_alphanumeric() || "_-./,:@%+".contains(c);
    let text = match name.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(usual) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let bytes = bytes.iter().map(|byte| match byte {
                b'\\' | b'\'' => format!("\\{}", char::from(*byte)),
                b' '..=b'~' => char::from(*byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            });
            format!("$'{}'", bytes.collect::<String>())
        }
    };
    format!("{before}{text}")
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
    fn shells_take_a_quoted_name_for_the_name() {
        let names: [&[u8]; 9] = [
            b"a.yaml",
            b"d/a b.yaml",
            b"it's",
            b"-i",
            b"- $(x)",
            b"a\nb'\\",
            b"\xff",
            "ä".as_bytes(),
            b"",
        ];
        for name in names {
            let name = OsStr::from_bytes(name);
            let line = format!("printf %s {}", quoted(name));
            let printed = Command::new("bash").arg("-c").arg(&line).output();
            let printed = printed.unwrap().stdout;
            let printed = printed.strip_prefix(b"./").unwrap_or(&printed);
            assert_eq!(printed, name.as_bytes(), "{line}");
        }
        assert_eq!(quoted(OsStr::new("d/a-b_1.yaml")), "d/a-b_1.yaml");
    }

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
