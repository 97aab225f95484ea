//! The `stackseal` command as a person meets it: one text file per case, found by listing `cases/`.
//!
//! A case is a sequence of sections, each begun by a line `== …`:
//! - `== file NAME` what a file holds before the next run; `== program NAME` the same, and it can be run
//! - `== run [NAME=VALUE…] stackseal …` the command; words are split at blanks, `'…'` keeps them together;
//!   `in FOLDER` before all goes there first; `git` instead of `stackseal` is the system's, which finds the command
//! - `== stdin`, `== status N` (default 0), `== stdout`, `== stderr` (default empty) of that run
//! - `== holds NAME` what a file holds after it; `== mode NAME 600` its permissions
//! - `== note` says what the case shows
//!
//! `[..]` stands for any characters within a line, a line `...` for any lines, `{id1}` for the recipient of
//! `id1.txt`, `{stranger}` for that of `stranger.txt`. Both lie in the case's folder together with the SSH keys of
//! `vectors/keys`; `{ssh}` is what `ssh_ed25519.pub` holds, `{pq}` the recipient of `pq.txt`. The environment is otherwise empty, and there is no
//! terminal; only the folder is set that plaintext may be in while an editor or a command runs. It must be empty
//! afterwards.
//! `make test` builds the command first; it is looked for beside this program.

mod interrupted;
mod shell;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cli/cases");
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sops/keys");
const SSH_KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/keys");

/// A section: the words of its `==` line, and the text below.
struct Section {
    head: Vec<String>,
    body: String,
}

fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(head) = line.strip_prefix("== ") {
            found.push(Section {
                head: words(head),
                body: String::new(),
            });
        } else if let Some(section) = found.last_mut() {
            section.body.push_str(line);
        } else {
            assert!(
                line.trim().is_empty(),
                "text before the first section: {line}"
            );
        }
    }
    found
}

/// Splits at blanks, keeping `'…'` together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim_end().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a line is what the pattern says, `[..]` standing for anything.
fn line_fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn text_fits(pattern: &str, text: &str) -> bool {
    fn lines_fit(patterns: &[&str], lines: &[&str]) -> bool {
        match patterns.split_first() {
            None => lines.is_empty(),
            Some((&"...\n", rest)) => {
                (0..=lines.len()).any(|skipped| lines_fit(rest, &lines[skipped..]))
            }
            Some((pattern, rest)) => lines
                .split_first()
                .is_some_and(|(line, lines)| line_fits(pattern, line) && lines_fit(rest, lines)),
        }
    }
    lines_fit(
        &pattern.split_inclusive('\n').collect::<Vec<_>>(),
        &text.split_inclusive('\n').collect::<Vec<_>>(),
    )
}

/// What a run left behind, until the next one.
#[derive(Default)]
struct Outcome {
    command: String,
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A run that has not been started, since its sections are still being read.
#[derive(Default)]
struct Expected {
    words: Vec<String>,
    stdin: String,
    status: i32,
    stdout: String,
    stderr: String,
}

fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("stackseal");
    assert!(
        program.exists(),
        "{} is not built; `make test` does that first",
        program.display()
    );
    program
}

fn start(expected: &Expected, folder: &Path) -> Outcome {
    let (inside, words) = match expected.words.as_slice() {
        [word, inside, words @ ..] if word == "in" => (folder.join(inside), words),
        words => (folder.to_path_buf(), words),
    };
    let is_program = |word: &String| word == "stackseal" || word == "git";
    let command_at = words.iter().position(is_program).unwrap();
    let (settings, command) = words.split_at(command_at);
    let (program, path) = match command[0].as_str() {
        "git" => {
            let beside = program().parent().unwrap().display().to_string();
            (
                PathBuf::from("git"),
                Some(format!("{beside}:/usr/bin:/bin")),
            )
        }
        _ => (program(), None),
    };
    let plaintext = tempfile::tempdir().unwrap();
    // a session of its own has no terminal, where questions could be asked
    let mut child = Command::new("/usr/bin/setsid")
        .args(["--wait"])
        .arg(program)
        .args(&command[1..])
        .env_clear()
        .envs(path.map(|path| ("PATH", path)))
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", plaintext.path())
        .envs(
            settings
                .iter()
                .map(|setting| setting.split_once('=').unwrap()),
        )
        .current_dir(inside)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Input of these cases fits into a pipe; a command that does not read it may end first.
    let _written = child
        .stdin
        .take()
        .unwrap()
        .write_all(expected.stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        fs::read_dir(plaintext.path()).unwrap().count(),
        0,
        "{} leaves plaintext behind",
        expected.words.join(" ")
    );
    Outcome {
        command: expected.words.join(" "),
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn judge(expected: &Expected, outcome: &Outcome, wrong: &mut Vec<String>) {
    let mut check = |what: &str, holds: bool, is: &str, want: &str| {
        if !holds {
            wrong.push(format!(
                "{}\n{what} is:\n{is}\nbut should be:\n{want}",
                outcome.command
            ));
        }
    };
    let (status, want) = (
        format!("{:?}", outcome.status),
        format!("{:?}", Some(expected.status)),
    );
    check("the status", status == want, &status, &want);
    check(
        "stdout",
        text_fits(&expected.stdout, &outcome.stdout),
        &outcome.stdout,
        &expected.stdout,
    );
    check(
        "stderr",
        text_fits(&expected.stderr, &outcome.stderr),
        &outcome.stderr,
        &expected.stderr,
    );
}

/// Runs one case and tells what is wrong.
fn run(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let ssh_keys = fs::read_dir(SSH_KEYS).unwrap();
    let ssh_keys = ssh_keys.map(|entry| entry.unwrap().path());
    let keys = ["id1.txt", "stranger.txt"].map(|name| PathBuf::from(format!("{KEYS}/{name}")));
    for from in keys.into_iter().chain(ssh_keys) {
        let to = folder.path().join(from.file_name().unwrap());
        fs::copy(from, &to).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let recipient = |name: &str| fs::read_to_string(format!("{KEYS}/{name}.pub")).unwrap();

    let (mut wrong, mut pending): (Vec<String>, Option<Expected>) = (Vec::new(), None);
    let finish = |pending: &mut Option<Expected>, wrong: &mut Vec<String>| {
        if let Some(expected) = pending.take() {
            judge(&expected, &start(&expected, folder.path()), wrong);
        }
    };
    let ssh = fs::read_to_string(format!("{SSH_KEYS}/ssh_ed25519.pub")).unwrap();
    let pq = fs::read_to_string(format!("{SSH_KEYS}/pq.txt")).unwrap();
    let pq = pq.split("# public key: ").nth(1).unwrap();
    let text = text
        .replace("{id1}", recipient("id1").trim())
        .replace("{stranger}", recipient("stranger").trim())
        .replace("{ssh}", ssh.trim_end())
        .replace("{pq}", pq.lines().next().unwrap());
    for section in sections(&text) {
        let head: Vec<_> = section.head.iter().map(String::as_str).collect();
        match (head.as_slice(), &mut pending) {
            (["note"], _) => {}
            (["file", name], _) => {
                finish(&mut pending, &mut wrong);
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &section.body).unwrap();
            }
            (["program", name], _) => {
                finish(&mut pending, &mut wrong);
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &section.body).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
            }
            (["run", ..], _) => {
                finish(&mut pending, &mut wrong);
                pending = Some(Expected {
                    words: section.head[1..].to_vec(),
                    ..Expected::default()
                });
            }
            (["stdin"], Some(expected)) => expected.stdin = section.body,
            (["status", status], Some(expected)) => expected.status = status.parse().unwrap(),
            (["stdout"], Some(expected)) => expected.stdout = section.body,
            (["stderr"], Some(expected)) => expected.stderr = section.body,
            (["holds", name], _) => {
                finish(&mut pending, &mut wrong);
                let is = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
                if !text_fits(&section.body, &is) {
                    wrong.push(format!(
                        "{name} holds:\n{is}\nbut should hold:\n{}",
                        section.body
                    ));
                }
            }
            (["mode", name, mode], _) => {
                finish(&mut pending, &mut wrong);
                let is = fs::metadata(folder.path().join(name))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777;
                if is != u32::from_str_radix(mode, 8).unwrap() {
                    wrong.push(format!("{name} has mode {is:o}, not {mode}"));
                }
            }
            _ => wrong.push(format!(
                "no such section, or no run before it: {}",
                head.join(" ")
            )),
        }
    }
    finish(&mut pending, &mut wrong);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    if let Some(left) = left
        .iter()
        .find(|name| name.to_string_lossy().contains(".stackseal-"))
    {
        wrong.push(format!("{} was left behind", left.display()));
    }
    wrong
}

#[test]
fn every_case_holds() {
    let mut files: Vec<_> = fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 15, "only {} cases", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(
            run(&fs::read_to_string(&file).unwrap())
                .into_iter()
                .map(|what| format!("── {name}\n{what}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_expectation_is_found() {
    for text in [
        "== run stackseal keygen -y id1.txt\n== stdout\nage1other\n",
        "== run stackseal keygen -y id1.txt\n== stdout\n{id1}\n== status 1\n",
        "== run stackseal keygen -y id1.txt\n",
        "== run stackseal keygen -y id1.txt\n== stdout\n{id1}\n== mode id1.txt 644\n",
        "== run stackseal keygen -y id1.txt\n== stdout\n{id1}\n== holds id1.txt\nnothing\n",
        "== status 0\n",
    ] {
        assert_eq!(run(text).len(), 1, "{text}");
    }
    assert_eq!(
        run("== run stackseal keygen -y id1.txt\n== stdout\n{id1}\n"),
        Vec::<String>::new()
    );
}

/// Bytes that no text file of a case can hold.
#[test]
fn what_is_not_utf_8_is_refused_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), b"a: 1\nb: \xff\n").unwrap();
    let recipient = fs::read_to_string(format!("{KEYS}/id1.pub")).unwrap();
    let words = ["stackseal", "encrypt", "--age", recipient.trim(), "a.yaml"]
        .map(str::to_owned)
        .to_vec();
    let outcome = start(
        &Expected {
            words,
            ..Expected::default()
        },
        folder.path(),
    );
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(2), ""));
    assert!(
        outcome.stderr.contains("line 2") && outcome.stderr.contains("[not-utf-8]"),
        "{}",
        outcome.stderr
    );
}

/// Opens every recorded case with the command: the status must be the one that sops gave.
#[test]
fn exit_statuses_are_those_of_sops() {
    let cases = Path::new(KEYS).with_file_name("cases");
    let (mut checked, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(cases).unwrap() {
        let case = entry.unwrap().path();
        let recorded: serde_json::Value =
            serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
        let on_purpose = !recorded["ours"].is_null() || recorded["reference_panics"] == true;
        let identities: Vec<_> = recorded["identities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        // Other keys and formats are for the tier that runs every case.
        let plain = recorded["format"] == "yaml"
            && recorded["args"] == serde_json::json!(["decrypt"])
            && !identities.iter().any(|name| name.starts_with("ssh"));
        if on_purpose || !plain || recorded["phase"] != "decrypt" {
            continue;
        }
        checked += 1;
        let keys: String = identities
            .iter()
            .map(|name| fs::read_to_string(format!("{KEYS}/{name}.txt")).unwrap())
            .collect();
        let words = [
            format!("SOPS_AGE_KEY={keys}"),
            "stackseal".into(),
            "decrypt".into(),
            "encrypted.yaml".into(),
        ];
        let outcome = start(
            &Expected {
                words: words.to_vec(),
                ..Expected::default()
            },
            &case,
        );
        let status = i64::from(outcome.status.unwrap());
        if recorded["exit_code"] != status || (status != 0 && !outcome.stdout.is_empty()) {
            wrong.push(format!(
                "{}: {status}, not {}: {}",
                case.display(),
                recorded["exit_code"],
                outcome.stderr
            ));
        }
    }
    assert!(checked > 80, "only {checked} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
