//! What is left of the plaintext when the command, or what it runs, does not end as it should: nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use super::{KEYS, program};

/// A sealed document, and the only folders that plaintext may be in.
struct Place {
    folder: TempDir,
    runtime: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            runtime: tempfile::tempdir().unwrap(),
        };
        fs::write(place.document(), "a: hunter2\nb: two\n").unwrap();
        let recipient = fs::read_to_string(format!("{KEYS}/id1.pub")).unwrap();
        let sealed = place
            .command(&["encrypt", "--age", recipient.trim(), "-i", "a.yaml"])
            .status();
        assert!(sealed.unwrap().success());
        place
    }

    fn document(&self) -> PathBuf {
        self.folder.path().join("a.yaml")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(words)
            .env_clear()
            .env("SOPS_AGE_KEY_FILE", format!("{KEYS}/id1.txt"))
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("TMPDIR", self.runtime.path())
            .current_dir(self.folder.path())
            // out of reach of what ends these tests, and ended by nobody else
            .process_group(0);
        command
    }

    /// Starts what shows the plaintext, says so, and then does nothing for long.
    fn start(&self, words: &[&str], editor: &str) -> Running {
        let mut child = self
            .command(words)
            .env("EDITOR", format!("/bin/sh -c \"{editor}\""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "a: hunter2\n");
        assert!(self.has_plaintext());
        Running { child, output }
    }

    fn has_plaintext(&self) -> bool {
        fs::read_dir(self.runtime.path()).unwrap().next().is_some()
    }

    /// Waits until nothing is left. It does not take long; that it never comes is told by whoever runs the tests.
    fn wait_until_clean(&self) {
        while self.has_plaintext() {
            std::thread::yield_now();
        }
    }
}

struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Sends the signal and brings the status as a shell has it.
    fn end(&mut self, signal: Signal) -> i32 {
        kill_process(self.pid(), signal).unwrap();
        let status = self.child.wait().unwrap();
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // an editor that goes on after the command is gone
        let _gone = kill_process_group(self.pid(), Signal::KILL);
        let _ended = self.child.wait();
    }
}

const EDIT: (&[&str], &str) = (&["edit", "a.yaml"], "cat \\$0; exec sleep 600");
const EXEC_FILE: (&[&str], &str) = (
    &["exec-file", "--no-fifo", "a.yaml", "cat {}; exec sleep 600"],
    "",
);
const EXEC_FILE_PIPE: (&[&str], &str) = (&["exec-file", "a.yaml", "cat {}; exec sleep 600"], "");

#[test]
fn signals_reach_what_is_run_and_no_plaintext_is_left() {
    let place = Place::new();
    let before = fs::read(place.document()).unwrap();
    for (words, editor) in [EDIT, EXEC_FILE, EXEC_FILE_PIPE] {
        for (signal, status) in [
            (Signal::HUP, 129),
            (Signal::INT, 130),
            (Signal::QUIT, 131),
            (Signal::TERM, 143),
            (Signal::USR1, 138),
        ] {
            let mut running = place.start(words, editor);
            assert_eq!(running.end(signal), status, "{words:?} {signal:?}");
            assert!(!place.has_plaintext(), "{words:?} {signal:?}");
            // nobody holds the other end any more
            let mut rest = Vec::new();
            running.output.read_to_end(&mut rest).unwrap();
        }
    }
    assert!(fs::read(place.document()).unwrap() == before);
}

#[test]
fn no_plaintext_is_left_when_the_command_is_killed() {
    let place = Place::new();
    for (words, editor) in [EDIT, EXEC_FILE, EXEC_FILE_PIPE] {
        let mut running = place.start(words, editor);
        assert_eq!(running.end(Signal::KILL), 137);
        place.wait_until_clean();
        drop(running);
        let running = place.start(words, editor);
        kill_process_group(running.pid(), Signal::KILL).unwrap();
        place.wait_until_clean();
    }
}

#[test]
fn an_editor_that_is_killed_leaves_nothing() {
    let place = Place::new();
    // Not before the plaintext was seen.
    let editor = "cat \\$0; until [ -e go ]; do sleep 0.01; done; kill -KILL \\$\\$";
    let mut running = place.start(&["edit", "a.yaml"], editor);
    fs::write(place.folder.path().join("go"), "").unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(201));
    assert!(!place.has_plaintext());
}

#[test]
fn signals_that_are_ignored_stay_so() {
    let place = Place::new();
    let line = format!(
        "trap '' HUP; {} exec-file --no-fifo a.yaml 'kill -HUP $PPID; kill -HUP $$; cat {{}}'",
        program().display()
    );
    let mut command = place.command(&[]);
    let output = Command::new("/bin/sh")
        .args(["-c", &line])
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(place.folder.path())
        .stdin(Stdio::null())
        .output();
    command.env_clear();
    assert_eq!(output.unwrap().stdout, b"a: hunter2\nb: two\n");
}

/// A terminal: the side of the person, and the side of the programs.
fn terminal() -> (fs::File, fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let programs = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(Path::new(name.to_str().unwrap()))
        .unwrap();
    (person.into(), programs)
}

/// Starts an editor whose first result is no document, and waits for the question that follows.
fn until_asked(place: &Place) -> (Running, fs::File) {
    let (person, programs) = terminal();
    let script = place.folder.path().join("editor.sh");
    fs::write(
        &script,
        "if grep -q '\\[' \"$1\"; then\n echo 'c: three' >> \"$1\"; sed -i '/\\[/d' \"$1\"; else echo 'x: [' >> \"$1\"; fi\n",
    )
    .unwrap();
    let mut child = place
        .command(&["edit", "a.yaml"])
        .env("EDITOR", "/bin/sh ./editor.sh")
        .stdin(programs)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("Press Enter") {
        line.clear();
        assert!(messages.read_line(&mut line).unwrap() > 0);
    }
    let output = BufReader::new(child.stdout.take().unwrap());
    (Running { child, output }, person)
}

#[test]
fn after_a_mistake_the_editor_is_opened_again_with_what_was_typed() {
    let place = Place::new();
    let sealed = |text: &str, key: &str| -> String {
        let mut lines = text.lines().filter(|line| line.starts_with(key));
        lines.next().unwrap().to_owned()
    };
    let before = fs::read_to_string(place.document()).unwrap();
    let (mut running, mut person) = until_asked(&place);
    person.write_all(b"\n").unwrap();
    assert!(running.child.wait().unwrap().success());
    let after = fs::read_to_string(place.document()).unwrap();
    for key in ["a: ", "b: ", "        - recipient: "] {
        assert_eq!(sealed(&after, key), sealed(&before, key));
    }
    assert!(sealed(&after, "c: ").contains("ENC["));
    assert!(!place.has_plaintext());
}

#[test]
fn what_was_typed_is_kept_when_the_terminal_goes() {
    for (signal, status) in [(Signal::HUP, 129), (Signal::TERM, 143)] {
        let place = Place::new();
        let (mut running, _person) = until_asked(&place);
        assert_eq!(running.end(signal), status);
        assert!(!place.has_plaintext());
        let kept = place.command(&["decrypt", "edited-a.yaml.sealed"]).output();
        let kept = String::from_utf8(kept.unwrap().stdout).unwrap();
        assert_eq!(kept, "a: hunter2\nb: two\nx: [\n");
    }
}

#[test]
fn what_the_editor_wrote_is_kept_when_the_terminal_goes_and_not_when_somebody_gives_up() {
    let writes = "cat \\$0; echo 'c: three' >> \\$0; echo written; exec sleep 600";
    for (signal, status, is_kept) in [
        (Signal::HUP, 129, true),
        (Signal::TERM, 143, true),
        (Signal::INT, 130, false),
    ] {
        let place = Place::new();
        let mut running = place.start(&["edit", "a.yaml"], writes);
        let mut line = String::new();
        while line != "written\n" {
            line.clear();
            assert!(running.output.read_line(&mut line).unwrap() > 0);
        }
        assert_eq!(running.end(signal), status);
        assert!(!place.has_plaintext());
        let kept = place.command(&["decrypt", "edited-a.yaml.sealed"]).output();
        let kept = String::from_utf8(kept.unwrap().stdout).unwrap();
        let expected = if is_kept {
            "a: hunter2\nb: two\nc: three\n"
        } else {
            ""
        };
        assert_eq!(kept, expected, "{signal:?}");
    }
}

#[test]
fn what_was_typed_is_kept_where_the_folder_takes_nothing_and_the_name_is_long() {
    let place = Place::new();
    let long = format!("{}.yaml", "n".repeat(250));
    fs::copy(place.document(), place.folder.path().join(&long)).unwrap();
    let kept = |name: &str| {
        let output = place
            .command(&["edit", name])
            .env("EDITOR", "/bin/sh -c \"echo 'x: [' >> $0\"")
            .env("XDG_STATE_HOME", place.runtime.path())
            .env(
                "SOPS_AGE_RECIPIENTS",
                fs::read_to_string(format!("{KEYS}/id1.pub"))
                    .unwrap()
                    .trim(),
            )
            .stdin(Stdio::null())
            .output();
        let told = String::from_utf8(output.unwrap().stderr).unwrap();
        let (_, path) = told
            .split_once("what you wrote is sealed in ")
            .unwrap_or_else(|| panic!("{told}"));
        let (path, _) = path.split_once(", and ").unwrap();
        let opened = place.command(&["decrypt", path]).output().unwrap();
        assert!(
            String::from_utf8(opened.stdout)
                .unwrap()
                .ends_with("x: [\n")
        );
        PathBuf::from(path)
    };
    assert_eq!(
        kept(&long),
        PathBuf::from(format!("edited-{}.sealed", "n".repeat(241)))
    );
    assert_eq!(
        kept("gone/a.yaml"),
        place.runtime.path().join("stackseal/edited-a.yaml.sealed")
    );
}

#[test]
fn whoever_gives_up_after_a_mistake_leaves_nothing() {
    let place = Place::new();
    let before = fs::read(place.document()).unwrap();
    let (mut running, _person) = until_asked(&place);
    assert_eq!(running.end(Signal::INT), 130);
    assert!(!place.has_plaintext());
    let (mut running, person) = until_asked(&place);
    drop(person);
    assert_ne!(running.child.wait().unwrap().code(), Some(0));
    assert!(!place.has_plaintext());
    assert!(fs::read(place.document()).unwrap() == before);
}
