//! Real Git with the merge driver and masked differences, and the real `sops`, which opens what comes out.

#[path = "git/finish.rs"]
mod finish;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use stackseal_tests::keys;
use stackseal_tests::programs::{Program, Ran};

/// A repository whose sealed files are merged by the driver.
struct Repository {
    folder: tempfile::TempDir,
    sops: Program,
    stackseal: Program,
    git: Program,
    /// Where the programs are looked for that Git starts.
    path: String,
    /// The identity at hand.
    key: String,
}

/// Values that nothing printed may hold.
const SECRETS: &[&str] = &["hunter2", "s3cret", "0ther"];

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stackseal = Program::stackseal();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(stackseal.path(), bin.join("stackseal")).unwrap();
        let system = std::env::var("PATH").unwrap();
        let all = std::env::split_paths(&system);
        let git = all
            .map(|folder| folder.join("git"))
            .find(|path| path.exists());
        let repository = Self {
            path: format!("{}:{system}", bin.display()),
            sops: Program::sops(),
            git: Program::at(git.expect("there is no git")),
            key: keys::text("id1"),
            stackseal,
            folder,
        };
        fs::create_dir(repository.work()).unwrap();
        repository.git(&["init", "-q", "-b", "main"]);
        repository.ok(&["merge-driver", "--install"]);
        repository.write(
            ".gitattributes",
            "*.yaml merge=stackseal diff=stackseal\n*.json merge=stackseal\n\
             *.env merge=stackseal\n",
        );
        repository
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn run(&self, program: &Program, arguments: &[&str]) -> Ran {
        let settings = [
            ("PATH", self.path.as_str()),
            ("SOPS_AGE_KEY", self.key.as_str()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_EDITOR", "true"),
            ("GIT_AUTHOR_NAME", "one"),
            ("GIT_AUTHOR_EMAIL", "one@example.org"),
            ("GIT_COMMITTER_NAME", "one"),
            ("GIT_COMMITTER_EMAIL", "one@example.org"),
        ];
        program.run_in(&self.work(), arguments, b"", &settings)
    }

    /// What Git does, whatever comes of it; it shows no value.
    fn try_git(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(&self.git, arguments);
        let shown = [
            String::from_utf8_lossy(&ran.stdout).into_owned(),
            ran.stderr.clone(),
        ]
        .concat();
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{arguments:?} shows a value");
        }
        ran
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments).output();
        String::from_utf8(output.unwrap_or_else(|error| panic!("git {arguments:?}: {error}")))
            .unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(&self.stackseal, arguments).output();
        String::from_utf8(output.unwrap_or_else(|error| panic!("{arguments:?}: {error}"))).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.work().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// What `sops` opens a file to, which checks its MAC.
    #[track_caller]
    fn opened(&self, name: &str) -> String {
        let output = self.run(&self.sops, &["decrypt", name]).output();
        let text =
            String::from_utf8(output.unwrap_or_else(|error| panic!("sops: {name}: {error}")))
                .unwrap();
        assert_eq!(self.ok(&["decrypt", name]).is_empty(), text.is_empty());
        text
    }

    /// A sealed file, committed.
    fn seal(&self, name: &str, text: &str) {
        self.write(name, text);
        let one = keys::identity("id1").recipient();
        let other = keys::identity("id2").recipient();
        self.ok(&["encrypt", "--age", &format!("{one},{other}"), "-i", name]);
        self.commit();
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "change"]);
    }

    /// Changes a file by `set` on a branch that begins at another.
    fn change(&self, branch: &str, name: &str, changes: &[(&str, &str)]) {
        if self.try_git(&["checkout", "-q", branch]).status != 0 {
            self.git(&["checkout", "-q", "-b", branch]);
        }
        for (path, value) in changes {
            self.ok(&["set", name, path, value]);
        }
        self.commit();
    }
}

const TEXT: &str = "# of the database\nuser: admin\npassword: hunter2\ntoken: s3cret\n";

#[test]
fn branches_that_changed_different_secrets_merge_and_sops_opens_the_result() {
    for (name, text) in [
        ("a.yaml", TEXT),
        (
            "a.json",
            "{\"user\": \"admin\", \"password\": \"hunter2\", \"token\": \"s3cret\"}",
        ),
        ("a.env", "user=admin\npassword=hunter2\ntoken=s3cret\n"),
    ] {
        for act in ["merge", "rebase", "cherry-pick"] {
            let repository = Repository::new();
            repository.seal(name, text);
            repository.git(&["branch", "other"]);
            repository.change("main", name, &[("[\"password\"]", "\"0ther1\"")]);
            repository.change(
                "other",
                name,
                &[("[\"token\"]", "\"0ther2\""), ("[\"more\"]", "\"0ther3\"")],
            );
            let ours = repository.read(name);
            match act {
                "rebase" => repository.git(&["rebase", "-q", "main"]),
                _ => repository.git(&[act, "main"]),
            };
            let opened = repository.opened(name);
            for value in ["admin", "0ther1", "0ther2", "0ther3"] {
                assert!(opened.contains(value), "{act} {name}: {value} is not there");
            }
            assert!(!opened.contains("hunter2") && !opened.contains("s3cret"));
            // But for values, keys and the block nothing is written anew.
            let kept = ours
                .lines()
                .filter(|line| repository.read(name).contains(line))
                .count();
            assert!(
                kept + 3 >= ours.lines().count() || name == "a.json",
                "{act} {name}"
            );
        }
    }
}

#[test]
fn a_conflict_is_told_by_path_and_either_side_opens_after_it_is_resolved() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.git(&["branch", "other"]);
    repository.change(
        "main",
        "a.yaml",
        &[
            ("[\"password\"]", "\"0ther1\""),
            ("[\"user\"]", "\"0ther4\""),
        ],
    );
    repository.change(
        "other",
        "a.yaml",
        &[
            ("[\"password\"]", "\"0ther2\""),
            ("[\"user\"]", "\"0ther5\""),
            ("[\"token\"]", "\"0ther3\""),
        ],
    );
    let ran = repository.try_git(&["merge", "main"]);
    assert_eq!(ran.status, 1);
    let told = "a.yaml: 2 conflicts; everything else is merged [merge-conflict]\n  \
                user: both sides changed it, differently\n  \
                password: both sides changed it, differently\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let conflicted = repository.read("a.yaml");
    assert!(SECRETS.iter().all(|secret| !conflicted.contains(secret)));
    assert_eq!(
        conflicted.matches("<<<<<<< ours\n").count(),
        2,
        "{conflicted}"
    );
    let diff = repository.git(&["diff"]);
    assert!(
        diff.contains("++<<<<<<< ours\n") && diff.contains(" user: «sealed str #"),
        "{diff}"
    );
    // As long as markers stand in it the file opens nowhere and is not finished.
    assert_ne!(
        repository
            .run(&repository.sops, &["decrypt", "a.yaml"])
            .status,
        0
    );
    let early = repository.run(
        &repository.stackseal,
        &["merge-driver", "--finish", "a.yaml"],
    );
    assert!(
        early.stderr.contains("is a conflict marker"),
        "{}",
        early.stderr
    );
    assert_eq!(repository.read("a.yaml"), conflicted);

    // Our password, their user, which needs a MAC of its own.
    let mut resolved = String::new();
    let mut side = ' ';
    for line in conflicted.lines() {
        match line.chars().next() {
            Some(mark @ ('<' | '=' | '>')) => side = mark,
            _ if side == '<' && line.starts_with("user")
                || side == '=' && line.starts_with("password") => {}
            _ if side == '=' && line.contains(" mac: ") => {}
            _ => resolved.push_str(&format!("{line}\n")),
        }
    }
    repository.write("a.yaml", &resolved);
    assert_eq!(
        repository
            .run(&repository.sops, &["decrypt", "a.yaml"])
            .status,
        51
    );
    let finish = ["merge-driver", "--finish", "a.yaml"];
    let finished = repository.run(&repository.stackseal, &finish);
    assert_eq!(
        finished.stderr,
        "a.yaml has its MAC again; 3 sealed values are kept as they were\n  \
         password: as on ours\n  token: as on ours\n  user: as on theirs\n  next: git add a.yaml\n"
    );
    repository.commit();
    let opened = repository.opened("a.yaml");
    assert!(
        ["0ther2", "0ther3", "0ther4"]
            .iter()
            .all(|value| opened.contains(value)),
        "{opened}"
    );

    // What somebody changed when no merge is open gets no MAC.
    let merged = repository.read("a.yaml");
    let others = merged.lines().filter(|line| !line.starts_with("user: "));
    let tampered: String = others.map(|line| format!("{line}\n")).collect();
    assert_ne!(tampered, merged);
    repository.write("a.yaml", &tampered);
    let refused = repository.run(
        &repository.stackseal,
        &["merge-driver", "--finish", "a.yaml"],
    );
    assert!(
        refused.stderr.contains("[no-merge-open]"),
        "{}",
        refused.stderr
    );
    assert_eq!(repository.read("a.yaml"), tampered);
    repository.write("a.yaml", &merged);

    // The merge can be done once more, which brings the markers back.
    repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(repository.try_git(&["merge", "main"]).status, 1);
    repository.git(&["checkout", "-q", "--merge", "a.yaml"]);
    assert_eq!(
        repository.read("a.yaml").matches("<<<<<<< ours\n").count(),
        2
    );
}

#[test]
fn without_a_key_both_versions_stay_whole_until_there_is_one() {
    let mut repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.git(&["branch", "other"]);
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    repository.change("other", "a.yaml", &[("[\"token\"]", "\"0ther2\"")]);
    let (ours, theirs) = (
        repository.read("a.yaml"),
        repository.git(&["show", "--no-textconv", "main:a.yaml"]),
    );
    repository.key = keys::text("stranger");
    let ran = repository.try_git(&["merge", "main"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .contains("a.yaml: the two versions are not merged [merge-conflict]"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        repository.read("a.yaml"),
        format!("<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n")
    );
    repository.key = keys::text("id2");
    repository.git(&["checkout", "-q", "--merge", "a.yaml"]);
    let opened = repository.opened("a.yaml");
    assert!(opened.contains("0ther1") && opened.contains("0ther2"));
}

#[test]
fn a_rotation_and_a_change_come_together_for_those_who_are_left() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.git(&["branch", "other"]);
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    repository.git(&["checkout", "-q", "other"]);
    let gone = keys::identity("id2").recipient().to_string();
    repository.ok(&["rotate", "-i", "--rm-age", &gone, "a.yaml"]);
    repository.commit();
    repository.git(&["merge", "-q", "-m", "merge", "main"]);
    assert!(repository.opened("a.yaml").contains("0ther1"));
    assert!(!repository.read("a.yaml").contains(&gone));
    let mut other = repository;
    other.key = keys::text("id2");
    assert_eq!(other.run(&other.sops, &["decrypt", "a.yaml"]).status, 128);
}

#[test]
fn files_that_are_not_sealed_merge_by_lines() {
    let repository = Repository::new();
    let lines =
        |first: &str, last: &str| format!("a: {first}\nb: 1\nc: 1\nd: {{{{ 1 }}}}\ne: {last}\n");
    repository.write("a.yaml", &lines("1", "1"));
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.write("a.yaml", &lines("2", "1"));
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    repository.write("a.yaml", &lines("1", "3"));
    repository.commit();
    repository.git(&["merge", "-q", "-m", "merge", "other"]);
    assert_eq!(repository.read("a.yaml"), lines("2", "3"));
    repository.write("a.yaml", &lines("4", "3"));
    repository.commit();
    repository.git(&["checkout", "-q", "other"]);
    repository.write("a.yaml", &lines("5", "1"));
    repository.commit();
    assert_eq!(repository.try_git(&["merge", "main"]).status, 1);
    assert!(
        repository
            .read("a.yaml")
            .starts_with("<<<<<<< ours\na: 5\n=======\na: 4\n>>>>>>> theirs\n")
    );
}

#[test]
fn no_difference_that_git_shows_holds_a_value() {
    let repository = Repository::new();
    repository.write("a.yaml", TEXT);
    repository.commit();
    repository.seal("a.yaml", TEXT);
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    let diff = repository.git(&["diff", "HEAD~1", "HEAD"]);
    let changes: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with(['-', '+']))
        .collect();
    assert_eq!(changes.len(), 4, "{diff}");
    assert!(
        changes[2].starts_with("-password: «sealed str #")
            && changes[3].starts_with("+password: «sealed str #")
    );
    // What was committed in clear does not show, either.
    let log = repository.git(&["log", "-p", "--", "a.yaml"]);
    assert!(log.contains("password: «NOT SEALED text»"), "{log}");
    repository.write("a.yaml", &format!("{TEXT}more: {{"));
    let diff = repository.git(&["diff"]);
    assert!(diff.contains("«the file cannot be read: "), "{diff}");
    assert!(Path::new(&repository.work()).join("a.yaml").exists());
}

/// Fewer recorded cases than this means that the folder was not found or was emptied.
const LEAST_CASES: usize = 100;

#[test]
fn a_side_is_picked_for_all_conflicts_or_by_path() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.git(&["branch", "other"]);
    let changes = |password, user| [("[\"password\"]", password), ("[\"user\"]", user)];
    repository.change("main", "a.yaml", &changes("\"0ther1\"", "\"0ther4\""));
    repository.change("other", "a.yaml", &changes("\"0ther2\"", "\"0ther5\""));
    assert_eq!(repository.try_git(&["merge", "main"]).status, 1);
    let conflicted = repository.read("a.yaml");
    let finish = |picks: &[&str]| {
        let mut arguments = vec!["merge-driver", "--finish", "a.yaml"];
        arguments.extend(picks.iter().flat_map(|pick| ["--pick", pick]));
        repository.run(&repository.stackseal, &arguments)
    };
    for (picks, told) in [
        (
            &["user=theirs"][..],
            "nothing is picked for password; pick a side of each",
        ),
        (
            &["user=theirs", "password=ours", "token=ours"],
            "there is no conflict at token",
        ),
        (&["user=mine"], "--pick takes ours, theirs"),
    ] {
        let refused = finish(picks);
        assert!(
            refused.status != 0 && refused.stderr.contains(told),
            "{}",
            refused.stderr
        );
        assert_eq!(repository.read("a.yaml"), conflicted);
    }
    for (picks, password, user) in [
        (&["ours"][..], "0ther2", "0ther5"),
        (&["theirs"], "0ther1", "0ther4"),
        (&["user=theirs", "password=ours"], "0ther2", "0ther4"),
        (&["theirs", "user=ours"], "0ther1", "0ther5"),
    ] {
        repository.write("a.yaml", &conflicted);
        let finished = finish(picks);
        assert_eq!(finished.status, 0, "{}", finished.stderr);
        let opened = repository.opened("a.yaml");
        assert!(
            opened.contains(&format!("password: {password}"))
                && opened.contains(&format!("user: {user}")),
            "{picks:?}: {opened}"
        );
    }
    // Nothing is picked where Git waits for nobody.
    repository.commit();
    repository.write("a.yaml", &conflicted);
    let refused = finish(&["ours"]);
    assert!(
        refused.stderr.contains("[no-merge-open]"),
        "{}",
        refused.stderr
    );
    assert_eq!(repository.read("a.yaml"), conflicted);
}

#[test]
fn every_recorded_case_merges_and_sops_opens_the_result_and_either_side_of_a_conflict() {
    let (stackseal, sops) = (Program::stackseal(), Program::sops());
    let identities = ["id1", "id2", "id3"].map(keys::text).concat();
    let folder = stackseal.home();
    let run = |program: &Program, arguments: &[&str]| {
        program.run_in(folder, arguments, b"", &[("SOPS_AGE_KEY", &identities)])
    };
    let mut merged = 0;
    let mut cases: Vec<PathBuf> = (fs::read_dir(format!("{}/cases", keys::VECTORS)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    for case in cases {
        let recorded = fs::read(case.join("case.json")).unwrap();
        let recorded: serde_json::Value = serde_json::from_slice(&recorded).unwrap();
        let (Some(sealed), Some(format)) =
            (recorded["encrypted"].as_str(), recorded["format"].as_str())
        else {
            continue;
        };
        if recorded["expect"] != "ok" || format == "binary" {
            continue;
        }
        let place = |key: &str| match format {
            "ini" => format!("[\"z{key}\"][\"{key}\"]"),
            _ => format!("[\"z{key}\"]"),
        };
        let text = fs::read(case.join(sealed)).unwrap();
        let change = |name: &str, key: &str, value: &str| {
            stackseal.file(name, &text);
            run(
                &stackseal,
                &["set", "--input-type", format, name, &place(key), value],
            )
            .status
                == 0
        };
        let merge = || {
            run(
                &stackseal,
                &[
                    "merge-driver",
                    "--input-type",
                    format,
                    "base",
                    "ours",
                    "theirs",
                    "case",
                ],
            )
        };
        let opened = |name: &str| {
            let opened = run(
                &sops,
                &[
                    "decrypt",
                    "--input-type",
                    format,
                    "--output-type",
                    format,
                    name,
                ],
            )
            .output();
            String::from_utf8(opened.unwrap_or_else(|error| panic!("{}: {error}", case.display())))
                .unwrap()
        };
        stackseal.file("base", &text);
        // Other keys, and a MAC that is none.
        if !change("ours", "o", "\"ours\"") || !change("theirs", "t", "\"theirs\"") {
            continue;
        }
        assert_eq!(merge().status, 0, "{}", case.display());
        let text = opened("ours");
        assert!(
            text.contains("ours") && text.contains("theirs"),
            "{}: {text}",
            case.display()
        );

        assert!(change("ours", "o", "\"ours\"") && change("theirs", "o", "\"theirs\""));
        assert_eq!(merge().status, 1, "{}", case.display());
        let marked = fs::read_to_string(folder.join("ours")).unwrap();
        for (side, value) in [('<', "ours"), ('=', "theirs")] {
            let mut now = '>';
            let mut resolved = String::new();
            for line in marked.split_inclusive('\n') {
                match line.get(..7) {
                    Some("<<<<<<<" | "=======" | ">>>>>>>") => now = line.chars().next().unwrap(),
                    _ if now == '>' || now == side => resolved.push_str(line),
                    _ => {}
                }
            }
            stackseal.file("resolved", resolved.as_bytes());
            assert!(
                opened("resolved").contains(value),
                "{}: {value}",
                case.display()
            );
        }
        merged += 1;
    }
    assert!(merged >= LEAST_CASES, "only {merged} cases");
}

/// Writes a rule that names two; gives them, and one whom it does not name.
fn rule_of_two(repository: &Repository) -> [String; 3] {
    let names = ["id1", "id2", "stranger"];
    let all = names.map(|name| keys::identity(name).recipient().to_string());
    let [one, other, _] = &all;
    let rules = format!("creation_rules:\n  - age: {one},{other}\n");
    repository.write(".sops.yaml", &rules);
    all
}

#[test]
fn whom_no_rule_names_does_not_come_in_by_a_merge() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    let [_, other, stranger] = rule_of_two(&repository);
    repository.commit();
    repository.git(&["branch", "other"]);
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    repository.git(&["checkout", "-q", "other"]);
    // No MAC covers the name.
    let renamed = repository.read("a.yaml").replace(&other, &stranger);
    repository.write("a.yaml", &renamed);
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    let ran = repository.try_git(&["merge", "other"]);
    assert_eq!(ran.status, 1);
    let said = [String::from_utf8_lossy(&ran.stdout).as_ref(), &ran.stderr].concat();
    assert!(
        said.contains(&format!("theirs seals to {stranger}, whom ")),
        "{said}"
    );
    assert!(repository.read("a.yaml").contains("<<<<<<< ours\n"));
}

#[test]
fn no_key_of_another_kind_and_no_unknown_field_comes_in_by_a_merge() {
    const KMS: &str = "    kms:\n        - arn: arn:aws:kms:us-east-1:1:key/x\n          created_at: \"2020-01-01T00:00:00Z\"\n          enc: aaaa\n";
    for (added, told) in [
        (
            KMS,
            "theirs seals to kms arn:aws:kms:us-east-1:1:key/x, which ",
        ),
        (
            "    note: hunter2\n",
            "theirs has 'note' in its sops block, ",
        ),
    ] {
        let repository = Repository::new();
        repository.seal("a.yaml", TEXT);
        rule_of_two(&repository);
        repository.commit();
        repository.git(&["branch", "other"]);
        repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
        repository.git(&["checkout", "-q", "other"]);
        let field = "    lastmodified:";
        let text = repository
            .read("a.yaml")
            .replacen(field, &format!("{added}{field}"), 1);
        repository.write("a.yaml", &text);
        repository.commit();
        repository.git(&["checkout", "-q", "main"]);
        let ran = repository.try_git(&["merge", "other"]);
        let said = [String::from_utf8_lossy(&ran.stdout).as_ref(), &ran.stderr].concat();
        assert!(ran.status == 1 && said.contains(told), "{said}");
        assert!(repository.read("a.yaml").contains("<<<<<<< ours\n"));
    }
}

#[test]
fn who_is_taken_out_though_a_rule_names_them_is_told() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    let [one, other] = ["id1", "id2"].map(|name| keys::identity(name).recipient().to_string());
    let rule = format!("creation_rules:\n  - age: {one},{other}\n");
    repository.write(".sops.yaml", &rule);
    repository.commit();
    repository.git(&["branch", "other"]);
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    repository.git(&["checkout", "-q", "other"]);
    let text = repository.read("a.yaml");
    let entry = text.find(&format!("- recipient: {other}")).unwrap();
    let end = text.find("    lastmodified").unwrap();
    let begin = text[..entry].rfind('\n').unwrap() + 1;
    assert!(begin < end && !text[begin..end].contains(&one));
    repository.write("a.yaml", &[&text[..begin], &text[end..]].concat());
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    let ran = repository.try_git(&["merge", "other"]);
    let said = [String::from_utf8_lossy(&ran.stdout).as_ref(), &ran.stderr].concat();
    assert!(
        said.contains(&format!(
            "a.yaml: theirs took out the recipient {other}, whom "
        )),
        "{said}"
    );
    assert_eq!(ran.status, 0);
    assert!(repository.opened("a.yaml").contains("0ther1"));
}

#[test]
fn lines_of_the_file_that_look_like_markers_are_none() {
    let repository = Repository::new();
    let text = "user=admin\npassword=hunter2\n<<<<<<< a_unencrypted=1\n>>>>>>>> b_unencrypted=2\n";
    repository.seal("a.env", text);
    repository.git(&["branch", "other"]);
    repository.change("main", "a.env", &[("[\"password\"]", "\"0ther1\"")]);
    repository.change("other", "a.env", &[("[\"password\"]", "\"0ther2\"")]);
    assert_eq!(repository.try_git(&["merge", "main"]).status, 1);
    let conflicted = repository.read("a.env");
    assert!(conflicted.contains("\n<<<<<<<<< ours\n"), "{conflicted}");
    for (pick, expected) in [("theirs", "0ther1"), ("password=ours", "0ther2")] {
        repository.write("a.env", &conflicted);
        repository.ok(&["merge-driver", "--finish", "a.env", "--pick", pick]);
        let opened = text.replace("hunter2", expected);
        assert_eq!(repository.opened("a.env"), opened, "{pick}");
    }
    // Resolved by hand.
    let mut resolved = String::new();
    let mut theirs = false;
    for line in conflicted.lines() {
        match line.trim_start_matches(['<', '=', '>']).len() + 9 - line.len() {
            0 => theirs = line.starts_with('='),
            _ if theirs => {}
            _ => resolved.push_str(&format!("{line}\n")),
        }
    }
    repository.write("a.env", &resolved);
    repository.ok(&["merge-driver", "--finish", "a.env"]);
    assert!(repository.opened("a.env").contains("0ther2"));
}

#[test]
fn what_a_merge_refuses_does_not_come_in_by_finishing_it() {
    let repository = Repository::new();
    let clear = format!("{TEXT}host_unencrypted: good\n");
    repository.seal("a.yaml", &clear);
    let [_, other, stranger] = rule_of_two(&repository);
    repository.commit();
    let begun = repository.read("a.yaml");
    for (branch, was, is, told) in [
        (
            "evil",
            "host_unencrypted: good",
            "host_unencrypted: evil",
            "what theirs says does not match its MAC",
        ),
        (
            "stranger",
            other.as_str(),
            stranger.as_str(),
            "theirs seals to ",
        ),
        (
            "selector",
            "unencrypted_suffix: _unencrypted",
            "encrypted_regex: ^(user|password|token)$",
            "theirs chooses what is sealed by ",
        ),
    ] {
        repository.git(&["checkout", "-q", "-B", branch]);
        repository.write("a.yaml", &begun.replacen(was, is, 1));
        repository.commit();
        repository.git(&["checkout", "-q", "-B", "ours", "main"]);
        repository.change("ours", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
        assert_eq!(repository.try_git(&["merge", branch]).status, 1, "{branch}");
        let conflicted = repository.read("a.yaml");
        for pick in ["theirs", "host_unencrypted=theirs"] {
            let finish = ["merge-driver", "--finish", "a.yaml", "--pick", pick];
            let refused = repository.run(&repository.stackseal, &finish);
            assert!(refused.status != 0, "{branch} {pick}");
            assert!(
                pick != "theirs" || refused.stderr.contains(told),
                "{branch}: {}",
                refused.stderr
            );
            assert_eq!(repository.read("a.yaml"), conflicted);
        }
        repository.ok(&["merge-driver", "--finish", "a.yaml", "--pick", "ours"]);
        assert!(repository.opened("a.yaml").contains("password: 0ther1\n"));
        // There is nothing to pick from any more.
        let finish = ["merge-driver", "--finish", "a.yaml", "--pick", "theirs"];
        let refused = repository.run(&repository.stackseal, &finish);
        assert!(
            refused.stderr.contains("no conflict markers stand in it"),
            "{}",
            refused.stderr
        );
        repository.git(&["reset", "-q", "--hard"]);
        repository.git(&["checkout", "-q", "main"]);
    }
}

#[test]
fn another_choice_of_what_is_sealed_comes_in_by_no_merge_that_no_rule_states() {
    let repository = Repository::new();
    let [one, other] = ["id1", "id2"].map(|name| keys::identity(name).recipient().to_string());
    let rule = format!("creation_rules:\n  - age: {one},{other}\n");
    for has_rule in [true, false] {
        for (options, told, stated) in [
            (
                &["--encrypted-regex", "^password$"][..],
                "theirs chooses what is sealed by encrypted_regex '^password$', which ",
                "encrypted_regex: ^password$",
            ),
            (
                &["--mac-only-encrypted"],
                "theirs leaves values in clear out of the MAC (mac_only_encrypted), which ",
                "mac_only_encrypted: true",
            ),
        ] {
            if has_rule {
                repository.write(".sops.yaml", &rule);
            }
            repository.seal("a.yaml", TEXT);
            repository.git(&["checkout", "-q", "-B", "other"]);
            repository.write("a.yaml", TEXT);
            let all = format!("{one},{other}");
            let words = [&["encrypt", "--age", &all], options, &["-i", "a.yaml"]].concat();
            repository.ok(&words);
            repository.commit();
            repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
            let ran = repository.try_git(&["merge", "other"]);
            let said = [String::from_utf8_lossy(&ran.stdout).as_ref(), &ran.stderr].concat();
            assert!(ran.status == 1 && said.contains(told), "{said}");

            // What the message asks for.
            repository.write(".sops.yaml", &format!("{rule}    {stated}\n"));
            repository.git(&["checkout", "-q", "--merge", "a.yaml"]);
            assert!(repository.opened("a.yaml").contains("password: 0ther1\n"));
            repository.git(&["reset", "-q", "--hard"]);
            let _none = fs::remove_file(repository.work().join(".sops.yaml"));
        }
    }
}

#[test]
fn a_file_whose_name_looks_like_an_option_is_merged_as_any() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.git(&["mv", "--", "a.yaml", "-h.yaml"]);
    repository.commit();
    repository.git(&["branch", "other"]);
    let change = |branch: &str, path: &str, value: &str| {
        repository.git(&["checkout", "-q", branch]);
        repository.ok(&["set", "--", "-h.yaml", path, value]);
        repository.commit();
    };
    change("main", "[\"password\"]", "\"0ther1\"");
    change("other", "[\"token\"]", "\"0ther2\"");
    repository.git(&["merge", "-q", "main"]);
    let output = repository.run(&repository.sops, &["decrypt", "./-h.yaml"]);
    let opened = String::from_utf8(output.output().unwrap()).unwrap();
    assert!(
        opened.contains("0ther1") && opened.contains("0ther2"),
        "{opened}"
    );
    repository.git(&["log", "-p"]);
}
