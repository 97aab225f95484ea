//! Changing who can open files, by the command on many files at once and the real `sops` in turn; and what a run leaves
//! that is killed.
//!
//! `STACKSEAL_SOPS` names the program; `make test` sets it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sops/keys");
const IDENTITIES: [&str; 4] = ["id1", "id2", "id3", "stranger"];

/// A folder with the identities, home of whatever runs in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in IDENTITIES {
            let to = folder.path().join(format!("{name}.txt"));
            fs::copy(format!("{KEYS}/{name}.txt"), &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, program: &Path, by: &[&str], words: &[&str]) -> Command {
        let keys: String = by
            .iter()
            .map(|name| self.text(&format!("{name}.txt")))
            .collect();
        let mut command = Command::new(program);
        command
            .args(words)
            .env_clear()
            .env("HOME", self.0.path())
            .env("SOPS_AGE_KEY", keys)
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, program: &Path, by: &[&str], words: &[&str]) -> Output {
        self.command(program, by, words).output().unwrap()
    }

    /// Standard output of what must succeed.
    fn done(&self, program: &Path, by: &[&str], words: &[&str]) -> String {
        let output = self.run(program, by, words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn ours() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().and_then(|it| it.parent()).unwrap();
    folder.join("stackseal")
}

fn sops() -> PathBuf {
    let program = std::env::var_os("STACKSEAL_SOPS");
    PathBuf::from(
        program.expect("STACKSEAL_SOPS names no sops; `make test` installs it and sets this"),
    )
}

fn recipient(name: &str) -> String {
    let text = fs::read_to_string(format!("{KEYS}/{name}.pub")).unwrap();
    text.trim().to_owned()
}

/// A file of each format.
const FILES: [(&str, &str); 6] = [
    ("f/a.yaml", "# top\na: one\nlist:\n  - 1\n  - b: 2 # side\n"),
    ("f/two.yaml", "a: one\n---\nb: two\n"),
    (
        "f/a.json",
        "{\n  \"a\": \"one\",\n  \"b\": {\"c\": true}\n}\n",
    ),
    ("f/a.env", "A=one\n# c\nB=two\n"),
    ("f/a.ini", "[s]\na = one\n"),
    ("f/a.txt", "anything\n"),
];

/// All files, sealed to the first identity by one of the programs.
struct Sealed {
    place: Place,
    /// How `sops` shows each of them.
    shown: Vec<Option<Vec<u8>>>,
}

impl Sealed {
    fn by(program: &Path) -> Self {
        let place = Place::new();
        for (name, text) in FILES {
            place.write(name, text);
            let words = ["encrypt", "--age", &recipient("id1"), "-i", name];
            place.done(program, &[], &words);
        }
        let shown = shown(&place, &["id1"]);
        assert!(shown.iter().all(Option::is_some));
        Self { place, shown }
    }

    /// That `sops` opens all files with these identities, and not without the first.
    fn opens(&self, by: &[&str]) {
        let now = shown(&self.place, by);
        for (at, (now, before)) in now.iter().zip(&self.shown).enumerate() {
            assert_eq!(now, before, "{} by {by:?}", FILES[at].0);
        }
        self.opens_not(&by[1..]);
    }

    fn opens_not(&self, by: &[&str]) {
        let now = shown(&self.place, by);
        assert!(now.iter().all(Option::is_none), "{by:?}");
    }
}

fn shown(place: &Place, by: &[&str]) -> Vec<Option<Vec<u8>>> {
    let show = |(name, _)| {
        let output = place.run(&sops(), by, &["decrypt", name]);
        output.status.success().then_some(output.stdout)
    };
    FILES.into_iter().map(show).collect()
}

#[test]
fn what_is_rotated_opens_with_sops_in_every_format() {
    for sealing in [ours(), sops()] {
        let files = Sealed::by(&sealing);
        let words = ["rotate", "-i", "--add-age", &recipient("id2"), "f"];
        files.place.done(&ours(), &["id1"], &words);
        files.opens(&["id1"]);
        files.opens(&["id2"]);
        let words = ["rotate", "-i", "--rm-age", &recipient("id1"), "f"];
        files.place.done(&ours(), &["id2"], &words);
        files.opens(&["id2"]);
        files.opens_not(&["id1"]);
    }
}

#[test]
fn updated_keys_open_with_sops_and_nothing_else_changes() {
    for sealing in [ours(), sops()] {
        let files = Sealed::by(&sealing);
        let place = &files.place;
        let rule = |keys: &str| place.write(".sops.yaml", &format!("creation_rules:\n- {keys}\n"));
        let body = |(name, _): &(&str, &str)| {
            let text = place.text(name);
            let lines = text.lines().filter(|line| line.contains("ENC["));
            // INI blocks are laid out by their longest key.
            lines
                .map(|line| line.split_whitespace().collect::<String>())
                .collect::<BTreeSet<_>>()
        };
        let before: Vec<_> = FILES.iter().map(body).collect();
        let [one, two, three] = ["id1", "id2", "id3"].map(recipient);
        for (keys, openers, others) in [
            (format!("age: '{one},{two}'"), &["id2"][..], "id3"),
            (
                format!("key_groups: [{{age: ['{one}', '{two}']}}, {{age: ['{three}']}}]"),
                &["id1", "id3"],
                "id2",
            ),
            (format!("age: '{three},{one}'"), &["id3"], "id2"),
            (format!("age: '{one}'"), &["id1"], "id3"),
        ] {
            rule(&keys);
            place.done(&ours(), &["id1", "id3"], &["updatekeys", "-y", "f"]);
            files.opens(openers);
            files.opens_not(&[others]);
            let after: Vec<_> = FILES.iter().map(body).collect();
            assert_eq!(before, after);
            // sops finds nothing left to do
            let messages = place.run(&sops(), &["id1"], &["updatekeys", "-y", "f/a.yaml"]);
            let messages = String::from_utf8_lossy(&messages.stderr).into_owned();
            assert!(messages.contains("already up to date"), "{messages}");
        }
    }
}

#[test]
fn the_difference_reads_as_that_of_sops() {
    let place = Place::new();
    let [one, two, three] = ["id1", "id2", "id3"].map(recipient);
    let files = [
        (
            format!("key_groups: [{{age: ['{one}']}}, {{age: ['{two}']}}]"),
            "groups.yaml",
        ),
        (format!("age: '{one},{two}'"), "one.yaml"),
    ];
    for (rule, name) in &files {
        place.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        place.write(name, "a: one\n");
        place.done(&sops(), &[], &["encrypt", "-i", name]);
    }
    for rule in [
        format!("age: '{one}'"),
        format!("age: '{two},{three}'"),
        format!("key_groups: [{{age: ['{one}']}}, {{age: ['{two}', '{three}']}}]"),
        format!("key_groups: [{{age: ['{two}']}}, {{age: ['{one}']}}, {{age: ['{three}']}}]"),
        format!("age: '{two},{one}'"),
    ] {
        place.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        for (_, name) in &files {
            let said = [sops(), ours()].map(|program| {
                let before = place.text(name);
                let output = place.run(&program, &["id1", "id2"], &["updatekeys", "-y", name]);
                let after = place.text(name);
                place.write(name, &before);
                assert_eq!(output.status.code(), Some(0));
                let threshold = after.lines().find(|line| line.contains("shamir_threshold"));
                (
                    String::from_utf8(output.stdout).unwrap(),
                    threshold.map(str::to_owned),
                )
            });
            assert_eq!(said[0], said[1], "{rule} {name}");
        }
    }
}

#[test]
fn groups_open_with_sops() {
    let files = Sealed::by(&ours());
    let place = &files.place;
    let add = |name: &str, by: &[&str], threshold: &str| {
        let recipient = recipient(name);
        let words = [
            "groups",
            "add",
            "-i",
            "-f",
            "f",
            "--age",
            &recipient,
            "--shamir-secret-sharing-threshold",
            threshold,
        ];
        place.done(&ours(), by, &words);
    };
    add("id2", &["id1"], "0");
    files.opens(&["id1", "id2"]);
    add("id3", &["id1", "id2"], "2");
    files.opens(&["id1", "id3"]);
    files.opens(&["id3", "id2"]);
    place.done(
        &ours(),
        &["id1", "id3"],
        &["groups", "delete", "-i", "-f", "f", "0"],
    );
    files.opens(&["id2", "id3"]);
    files.opens_not(&["id1", "id3"]);
    place.done(&ours(), &["id2", "id3"], &["rotate", "-i", "f"]);
    files.opens(&["id2", "id3"]);
}

#[test]
fn exit_statuses_are_those_of_sops() {
    let place = Place::new();
    place.write("a.yaml", "a: one\nb: two\n");
    place.done(
        &sops(),
        &[],
        &["encrypt", "-i", "--age", &recipient("id1"), "a.yaml"],
    );
    let sealed = place.text("a.yaml");
    let without: String = sealed
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("b:"))
        .collect();
    place.write("short.yaml", &without);
    let without = sealed.lines().filter(|line| !line.contains("version:"));
    place.write("version.yaml", &without.collect::<Vec<_>>().join("\n"));
    place.write("plain.yaml", "a: one\n");
    place.write("broken.yaml", "a: [\n");
    place.write(
        ".sops.yaml",
        "creation_rules:\n- path_regex: ^[bps]\n  age: nobody\n- path_regex: gone\n",
    );
    let [one, two] = ["id1", "id2"].map(recipient);
    for (by, words) in [
        (["id1"], &["rotate"][..]),
        (["id1"], &["rotate", "gone.yaml"]),
        (["id1"], &["rotate", "plain.yaml"]),
        (["id1"], &["rotate", "broken.yaml"]),
        (["id1"], &["rotate", "short.yaml"]),
        (["id2"], &["rotate", "a.yaml"]),
        (["id1"], &["rotate", "--rm-age", &one, "a.yaml"]),
        (["id1"], &["rotate", "--rm-age", &two, "a.yaml"]),
        (["id1"], &["rotate", "--rm-age", "nobody", "a.yaml"]),
        (["id1"], &["rotate", "--add-age", "nobody", "a.yaml"]),
        (["id1"], &["updatekeys", "-y"]),
        (["id1"], &["updatekeys", "-y", "gone.yaml"]),
        (["id1"], &["updatekeys", "-y", "a.yaml"]),
        (["id1"], &["updatekeys", "-y", "short.yaml"]),
        (["id1"], &["updatekeys", "-y", "plain.yaml", "broken.yaml"]),
        (
            ["id1"],
            &["groups", "add", "-f", "gone.yaml", "--age", &two],
        ),
        (
            ["id1"],
            &["groups", "add", "-f", "plain.yaml", "--age", &two],
        ),
        (["id1"], &["groups", "add", "-f", "a.yaml", "--age", &two]),
        (["id1"], &["groups", "delete", "-f", "a.yaml"]),
        (["id1"], &["groups", "delete", "-f", "a.yaml", "x"]),
        // What is missing, or too much.
        (["id1"], &[]),
        (["id1"], &["-d"]),
        (["id1"], &["-e"]),
        (["id1"], &["-r"]),
        (["id1"], &["decrypt"]),
        (["id1"], &["decrypt", "--nope"]),
        (["id1"], &["decrypt", "gone.yaml"]),
        (["id1"], &["edit"]),
        (["id1"], &["encrypt"]),
        (["id1"], &["exec-env"]),
        (["id1"], &["exec-env", "a.yaml"]),
        (["id1"], &["exec-file"]),
        (["id1"], &["exec-file", "a.yaml"]),
        (["id1"], &["filestatus"]),
        (["id1"], &["filestatus", "version.yaml"]),
        (["id1"], &["groups", "delete"]),
        (["id1"], &["nope"]),
        (["id1"], &["set"]),
        (["id1"], &["set", "a.yaml"]),
        (["id1"], &["set", "a.yaml", "[\"a\"]"]),
        (["id1"], &["set", "a.yaml", "[\"a\"]", "1", "2"]),
        (["id1"], &["set", "a.yaml", "[\"a\"]", "[1]"]),
        (["id1"], &["unset"]),
        (["id1"], &["unset", "a.yaml"]),
        (["id1"], &["unset", "a.yaml", "[\"a\"]", "x"]),
        // Said twice, the last one counts.
        (
            ["id1"],
            &[
                "decrypt",
                "--output-type",
                "x",
                "--output-type",
                "json",
                "a.yaml",
            ],
        ),
        (
            ["id1"],
            &["decrypt", "--ignore-mac", "--ignore-mac", "short.yaml"],
        ),
    ] {
        let [theirs, mine] = [sops(), ours()].map(|it| place.run(&it, &by, words));
        let messages = String::from_utf8_lossy(&mine.stderr);
        assert_eq!(
            mine.status.code(),
            theirs.status.code(),
            "{words:?}: {messages}"
        );
    }
}

#[test]
fn the_version_under_the_name_of_sops_is_what_scripts_look_for() {
    let place = Place::new();
    let link = place.path("sops");
    std::os::unix::fs::symlink(ours(), &link).unwrap();
    let version =
        |program: &Path| place.done(program, &[], &["--version", "--disable-version-check"]);
    let (theirs, mine) = (version(&sops()), version(&link));
    let number = |text: &str| text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(number(mine.trim_end()), number(theirs.trim_end()));
    assert!(mine.contains("(stackseal "), "{mine}");
}

#[test]
fn nobody_who_reads_the_messages_is_no_reason_to_stop() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(ours());
    command
        .args(["decrypt", "gone.yaml"])
        .current_dir(place.path("."));
    let status = command.stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(100));
}

#[test]
fn recipients_said_twice_count_once_under_the_name_of_sops_and_are_all_kept_under_our_own() {
    let place = Place::new();
    place.write("plain.yaml", "a: one\n");
    let link = place.path("sops");
    std::os::unix::fs::symlink(ours(), &link).unwrap();
    let [one, two, three] = ["id1", "id2", "id3"].map(recipient);
    let sealed_to = |program: &Path| {
        let words = ["encrypt", "--age", &one, "--age", &two, "plain.yaml"];
        let text = place.done(program, &[], &words);
        place.write("a.yaml", &text);
        let words = [
            "rotate",
            "-i",
            "--add-age",
            &one,
            "--add-age",
            &three,
            "a.yaml",
        ];
        place.done(program, &["id2"], &words);
        let text = place.text("a.yaml");
        [&one, &two, &three].map(|recipient| text.contains(recipient.as_str()))
    };
    assert_eq!(sealed_to(&sops()), [false, true, true]);
    assert_eq!(sealed_to(&link), [false, true, true]);
    assert_eq!(sealed_to(&ours()), [true, true, true]);
}

#[test]
fn what_sops_could_not_read_is_not_written_as_json() {
    let place = Place::new();
    let to = recipient("id1");
    for (text, ours_opens) in [
        ("{\"Sops\": \"x\"}", false),
        ("{\"a\": {\"Sops\": \"x\"}}", true),
    ] {
        place.write("a.json", text);
        let theirs = place.done(&sops(), &[], &["encrypt", "--age", &to, "a.json"]);
        place.write("theirs.json", &theirs);
        let opened = place.run(&sops(), &["id1"], &["decrypt", "theirs.json"]);
        assert_eq!(opened.status.success(), ours_opens);
        let sealed = place.run(&ours(), &[], &["encrypt", "--age", &to, "a.json"]);
        let code = if ours_opens { 0 } else { 2 };
        assert_eq!(sealed.status.code(), Some(code), "{sealed:?}");
    }
    // Bytes that are no text; sops prints others, which nobody could seal again.
    place.write("a.yaml", "a: !!binary //79\n");
    let sealed = place.done(
        &sops(),
        &[],
        &["encrypt", "--age", &to, "--output-type", "json", "a.yaml"],
    );
    place.write("a.json", &sealed);
    let opened = place.run(&ours(), &["id1"], &["decrypt", "a.json"]);
    let message = String::from_utf8_lossy(&opened.stderr).into_owned();
    assert_eq!(opened.status.code(), Some(4), "{message}");
    assert!(
        message.contains("line 2: a: bytes") && message.contains("[value-not-representable]"),
        "{message}"
    );
}

/// Many sealed files, each under a data key of its own.
struct Many {
    place: Place,
    before: Vec<String>,
}

impl Many {
    const COUNT: usize = 1000;

    fn new() -> Self {
        let place = Place::new();
        place.write("seed.yaml", "a: hunter2\nb: two\n");
        let to = recipient("id1");
        place.done(&ours(), &[], &["encrypt", "-i", "--age", &to, "seed.yaml"]);
        for at in 0..Self::COUNT {
            place.write(&Self::name(at), &place.text("seed.yaml"));
        }
        fs::create_dir(place.path("temporary")).unwrap();
        place.done(&ours(), &["id1"], &["rotate", "-i", "many"]);
        let mut many = Self {
            place,
            before: Vec::new(),
        };
        many.look();
        many
    }

    fn name(at: usize) -> String {
        format!("many/{at:03}.yaml")
    }

    /// Takes what the files hold now for what they held before, and says how many changed.
    fn look(&mut self) -> usize {
        let before = std::mem::take(&mut self.before);
        let now = (0..Self::COUNT).map(|at| self.place.text(&Self::name(at)));
        self.before.extend(now);
        let both = before.iter().zip(&self.before);
        both.filter(|(before, now)| before != now).count()
    }

    fn rotating(&self) -> Command {
        let mut command = self
            .place
            .command(&ours(), &["id1"], &["rotate", "-i", "many"]);
        for name in ["TMPDIR", "XDG_RUNTIME_DIR"] {
            command.env(name, self.place.path("temporary"));
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Files that are none of ours.
    fn others(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.place.path("many")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension() != Some(OsStr::new("yaml")))
            .collect()
    }

    /// Opens every file with the command, and some with `sops`.
    fn open(&self, first: usize) {
        let whole = self
            .place
            .done(&ours(), &["id1"], &["rotate", "--dry-run", "many"]);
        assert_eq!(whole.lines().count(), Self::COUNT);
        for at in (first..Self::COUNT).step_by(Self::COUNT / 20) {
            let plain = self
                .place
                .done(&sops(), &["id1"], &["decrypt", &Self::name(at)]);
            assert_eq!(plain, "a: hunter2\nb: two\n");
        }
    }
}

#[test]
fn what_runs_write_at_the_same_time_is_all_there_afterwards() {
    let place = Place::new();
    let program = ours();
    let names = ["f/a.yaml", "f/b.yaml"];
    for name in names {
        place.write(name, "a: one\n");
        let words = ["encrypt", "--age", &recipient("id1"), "-i", name];
        place.done(&program, &[], &words);
    }
    let mut runs: Vec<Child> = Vec::new();
    let mut start = |words: &[&str]| {
        let mut command = place.command(&program, &["id1"], words);
        runs.push(command.stderr(Stdio::piped()).spawn().unwrap());
    };
    for at in 0..12 {
        for name in names {
            start(&["set", name, &format!("[\"k{at}\"]"), "\"v\""]);
        }
        if at % 4 == 0 {
            start(&["rotate", "-i", "f"]);
        }
    }
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
    for name in names {
        let text = place.done(&program, &["id1"], &["decrypt", name]);
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        let mut wanted: Vec<_> = (0..12).map(|at| format!("k{at}: v")).collect();
        wanted.push("a: one".to_owned());
        wanted.sort_unstable();
        assert_eq!(lines, wanted, "{name}");
    }
    assert_eq!(fs::read_dir(place.path("f")).unwrap().count(), 2);
}

#[test]
fn a_name_with_line_breaks_is_shown_on_one_line_and_other_names_of_a_file_are_told() {
    let place = Place::new();
    let (ours, id1) = (ours(), recipient("id1"));
    let name = "a\nstackseal: error: b\x1b.yaml";
    place.write(name, "a: one\n");
    fs::hard_link(place.path(name), place.path("other.yaml")).unwrap();
    let sealed = place.run(&ours, &[], &["encrypt", "--age", &id1, "-i", name]);
    let shown = "a\\nstackseal: error: b\\u{1b}.yaml";
    assert_eq!(
        String::from_utf8(sealed.stderr).unwrap(),
        format!(
            "stackseal: warning: {shown}: the file has another name by hard links, where the text still stands in \
             clear; remove it there\n"
        )
    );
    assert!(sealed.status.success() && place.text(name).contains("ENC["));
    assert_eq!(place.text("other.yaml"), "a: one\n");
    let refused = place.run(&ours, &[], &["rotate", "-i", name]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.starts_with(&format!("stackseal: error: {shown}: ")),
        "{told}"
    );
}

#[test]
fn who_waits_for_a_file_says_so() {
    let place = Place::new();
    let ours = ours();
    place.write("a.yaml", "a: one\n");
    let id1 = recipient("id1");
    place.done(&ours, &[], &["encrypt", "--age", &id1, "-i", "a.yaml"]);
    let locked = fs::File::open(place.path("a.yaml")).unwrap();
    locked.lock().unwrap();
    let set = ["set", "a.yaml", "[\"a\"]", "\"two\""];
    let mut waiting = place.command(&ours, &["id1"], &set);
    let mut waiting = waiting.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let line = told.next().unwrap().unwrap();
    assert_eq!(line, "waiting for a.yaml, which another process has locked");
    drop(locked);
    assert!(waiting.wait().unwrap().success() && told.next().is_none());
    let opened = place.done(&ours, &["id1"], &["decrypt", "a.yaml"]);
    assert_eq!(opened, "a: two\n");
}

#[test]
fn a_pipe_is_read_where_it_is_named_and_never_waited_for_to_be_changed() {
    let place = Place::new();
    let (ours, id1) = (ours(), recipient("id1"));
    place.write(".sops.yaml", &format!("creation_rules:\n  - age: {id1}\n"));
    fs::create_dir(place.path("f")).unwrap();
    let made = Command::new("mkfifo")
        .args([place.path("f/pipe.yaml"), place.path("pipe.yaml")])
        .status();
    assert!(made.unwrap().success());
    for words in [
        &["encrypt", "-i", "pipe.yaml"][..],
        &["decrypt", "-i", "pipe.yaml"],
        &["edit", "pipe.yaml"],
        &["set", "pipe.yaml", "[\"a\"]", "1"],
        &["unset", "pipe.yaml", "[\"a\"]"],
        &["rotate", "-i", "pipe.yaml"],
        &["rotate", "-i", "pipe.yaml", "f"],
        &["updatekeys", "-y", "pipe.yaml"],
        &["groups", "delete", "-i", "-f", "pipe.yaml", "0"],
    ] {
        let refused = place.run(&ours, &["id1"], words);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && told.contains("pipe.yaml is a pipe, which cannot"),
            "{words:?}: {told}"
        );
    }
    place.done(&ours, &["id1"], &["rotate", "-i", "f"]);
    place.done(&ours, &[], &["verify", "f"]);
    let shell = "printf 'a: 1\\n' > pipe.yaml & \"$0\" encrypt pipe.yaml > a.yaml; cat a.yaml > pipe.yaml & \"$0\" decrypt pipe.yaml";
    let shell = ["-c", shell, ours.to_str().unwrap()];
    let opened = place.done(Path::new("/bin/sh"), &["id1"], &shell);
    assert_eq!(opened, "a: 1\n");
}

#[test]
fn a_run_over_a_thousand_files_that_is_killed_leaves_every_file_old_or_new() {
    let mut many = Many::new();
    let mut was_between = false;
    for round in 0..4 {
        // Somewhere in between, each time somewhere else.
        let at_file = match round {
            0 => 0,
            _ => usize::from(getrandom::u32().unwrap() as u16) % Many::COUNT,
        };
        let name = Many::name(at_file);
        kill_when(many.rotating().spawn().unwrap(), || {
            many.place.text(&name) != many.before[at_file]
        });

        let changed = many.look();
        assert!(changed > 0);
        was_between |= changed < Many::COUNT;
        // The last line of a whole file.
        let whole =
            |text: &str| text.ends_with("    version: 3.11.0\n") && !text.contains("hunter2");
        assert!(
            many.before.iter().all(|text| whole(text)),
            "round {round}, at {at_file}"
        );
        many.open(at_file % 50);
        // What was just about to take its place is whole, too, and sealed.
        let others = many.others();
        let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        assert!(others.len() <= threads, "{others:?}");
        assert!(
            others
                .iter()
                .all(|path| whole(&fs::read_to_string(path).unwrap()))
        );
        let temporary = fs::read_dir(many.place.path("temporary")).unwrap();
        assert_eq!(temporary.count(), 0);
    }
    assert!(was_between, "no run was killed between two files");

    // A run that ends removes what the others left, and nothing that another one is at.
    let left = [1, 2].map(|number| many.place.path(&format!("many/.stackseal-1-{number}")));
    for path in &left {
        fs::write(path, &many.before[0]).unwrap();
    }
    let held = fs::File::open(&left[1]).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    assert!(many.rotating().status().unwrap().success());
    assert_eq!(many.others(), left[1..]);
    drop(held);
    assert!(many.rotating().status().unwrap().success());
    assert_eq!(many.others(), Vec::<PathBuf>::new());
}

/// Kills a process, as if the power had gone, as soon as something happens.
fn kill_when(mut child: Child, happens: impl Fn() -> bool) {
    while !happens() && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    child.wait().unwrap();
}
