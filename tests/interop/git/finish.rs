//! Conflicts that are finished by a side that is picked, and what a merge says of those that it cannot finish.

use stackseal_tests::keys;
use stackseal_tests::programs::Ran;

use super::{Repository, TEXT};

impl Repository {
    /// Changes a value on two branches; the merge of `other` into `main` stops at it.
    fn both_set(&self, name: &str, changes: &[(&str, &str, &str)]) {
        self.git(&["branch", "-f", "other"]);
        let ours: Vec<_> = changes
            .iter()
            .map(|(path, ours, _)| (*path, *ours))
            .collect();
        let theirs: Vec<_> = changes
            .iter()
            .map(|(path, _, theirs)| (*path, *theirs))
            .collect();
        self.change("other", name, &theirs);
        self.change("main", name, &ours);
        assert_eq!(self.try_git(&["merge", "other"]).status, 1, "{name}");
    }

    fn finish(&self, files: &[&str], picks: &[&str]) -> Ran {
        let mut arguments = vec!["merge-driver", "--finish"];
        arguments.extend(files);
        arguments.extend(picks.iter().flat_map(|pick| ["--pick", pick]));
        self.run(&self.stackseal, &arguments)
    }

    /// Brings the conflict back.
    fn again(&self, name: &str) {
        self.try_git(&["checkout", "-q", "--merge", name]);
    }
}

#[test]
fn values_that_are_the_same_on_both_sides_are_in_no_conflict_though_they_share_its_line() {
    for (name, text, path, pick, picked) in [
        (
            "a.json",
            "{\"a\": 1, \"v\": 1.10, \"w\": 2}\n",
            "[\"a\"]",
            "a",
            "\"a\": 8",
        ),
        (
            "a.yaml",
            "db: {user: 1, mode: 0644, password: p}\n",
            "[\"db\"][\"user\"]",
            "db.user",
            "user: 8",
        ),
        (
            "b.json",
            "{\"a\": 1, \"v\": 1.10}",
            "[\"a\"]",
            "a",
            "\"a\": 8",
        ),
    ] {
        let repository = Repository::new();
        repository.seal(name, text);
        repository.both_set(name, &[(path, "7", "8")]);
        let ran = repository.finish(&[name], &[&format!("{pick}=theirs")]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.ends_with(&format!(
                "\n  {pick}: as on theirs\n  next: git add {name}\n"
            )),
            "{}",
            ran.stderr
        );
        let was = picked.replace('8', "1");
        assert_eq!(
            repository.ok(&["decrypt", name]),
            text.replace(&was, picked)
        );
        repository.opened(name);
        repository.again(name);
        // Nothing is to be picked of what is the same.
        let other = if name == "a.yaml" { "db.mode" } else { "v" };
        let refused = repository.finish(
            &[name],
            &[&format!("{other}=ours"), &format!("{pick}=ours")],
        );
        assert!(
            refused.stderr.contains(&format!(
                "there is no conflict at {other}; nothing was written [merge-conflict]\n  \
                 {name}: in conflict: {pick}\n"
            )),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_file_without_a_last_line_break_keeps_its_spelling_and_its_end() {
    let text = "{\"a\": 1, \"v\": 1.10}";
    let repository = Repository::new();
    repository.seal("a.json", text);
    repository.both_set("a.json", &[("[\"a\"]", "7", "8")]);
    for (pick, value) in [("ours", "7"), ("theirs", "8")] {
        let ran = repository.finish(&["a.json"], &[pick]);
        assert!(
            ran.status == 0 && !ran.stderr.contains("\n  v: "),
            "{}",
            ran.stderr
        );
        let expected = text.replace(": 1,", &format!(": {value},"));
        assert_eq!(repository.ok(&["decrypt", "a.json"]), expected);
        repository.again("a.json");
    }
    // Resolved by hand.
    let conflicted = repository.read("a.json");
    let theirs = conflicted.lines().nth(3).unwrap();
    repository.write("a.json", &format!("{theirs}\n"));
    let ran = repository.finish(&["a.json"], &[]);
    assert!(
        ran.status == 0 && !ran.stderr.contains("\n  v: "),
        "{}",
        ran.stderr
    );
    assert_eq!(
        repository.ok(&["decrypt", "a.json"]),
        text.replace(": 1,", ": 8,")
    );
}

#[test]
fn a_spelling_that_is_lost_is_not_told_as_another_value() {
    let text = "{\"a\": 1, \"v\": 1.10}\n";
    let repository = Repository::new();
    repository.seal("a.json", text);
    repository.both_set("a.json", &[("[\"a\"]", "7", "8")]);
    let conflicted = repository.read("a.json");
    // Of neither side's line, so that the layout of neither fits.
    let side = |line| {
        conflicted
            .lines()
            .nth(line)
            .unwrap()
            .split_once(", \"v\"")
            .unwrap()
    };
    let ((ours, _), (_, theirs)) = (side(1), side(3));
    repository.write("a.json", &format!("{ours}, \"v\"{theirs}\n"));
    let ran = repository.finish(&["a.json"], &[]);
    assert!(
        ran.stderr
            .contains("\n  v: as on both sides, written otherwise\n"),
        "{}",
        ran.stderr
    );
    assert!(repository.opened("a.json").contains("1.1"));
}

#[test]
fn a_path_at_which_no_conflict_is_is_named_and_one_in_brackets_is_taken() {
    let repository = Repository::new();
    repository.seal(
        "a.yaml",
        "host: h\ndb:\n  user: u\n  password: hunter2\nl: [a, b]\n",
    );
    let paths = ["[\"db\"][\"password\"]", "[\"l\"][1]"];
    repository.both_set(
        "a.yaml",
        &[
            (paths[0], "\"0ther1\"", "\"0ther2\""),
            (paths[1], "\"c\"", "\"d\""),
        ],
    );
    let conflicted = repository.read("a.yaml");
    for (picks, named) in [
        (&["db.pasword=theirs", "l[1]=ours"][..], "db.pasword"),
        (&["db.user=theirs"], "db.user"),
        (&["DB=ours", "theirs"], "DB"),
        (
            &["[\"db\"][\"user\"]=theirs", "host=ours"],
            "[\"db\"][\"user\"], host",
        ),
    ] {
        let refused = repository.finish(&["a.yaml"], picks);
        let expected = format!(
            "stackseal: error: there is no conflict at {named}; nothing was written [merge-conflict]\n  \
             a.yaml: in conflict: db.password, l[1]\n"
        );
        assert_eq!(refused.stderr, expected);
        assert_eq!(repository.read("a.yaml"), conflicted);
    }
    let refused = repository.finish(&["a.yaml"], &["db=theirs", "db=ours"]);
    assert!(
        refused.stderr.contains("[arguments-conflict]"),
        "{}",
        refused.stderr
    );
    for (picks, password, item) in [
        (
            &["[\"db\"][\"password\"]=theirs", "['l'][1]=ours"][..],
            "0ther2",
            "c",
        ),
        (
            &[
                "db.password=theirs",
                "[\"db\"][\"password\"]=theirs",
                "l=theirs",
            ],
            "0ther2",
            "d",
        ),
        // The longer path goes before the shorter, wherever it stands.
        (&["db.password=ours", "db=theirs", "theirs"], "0ther1", "d"),
    ] {
        let ran = repository.finish(&["a.yaml"], picks);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let opened = repository.opened("a.yaml");
        assert!(
            opened.contains(&format!("password: {password}\n")) && opened.contains(item),
            "{opened}"
        );
        repository.write("a.yaml", &conflicted);
    }
}

#[test]
fn of_many_files_each_is_finished_that_can_be() {
    let repository = Repository::new();
    let names = ["a.env", "b.json", "c.yaml"];
    let text = |name: &str| match name {
        "a.env" => "A=1\nX=2\n",
        "b.json" => "{\n\t\"b\": \"1\",\n\t\"c\": \"2\"\n}\n",
        _ => "c: 1\n",
    };
    for name in names {
        repository.seal(name, text(name));
    }
    repository.git(&["branch", "other"]);
    for (branch, value) in [("other", "\"4\""), ("main", "\"3\"")] {
        repository.change(branch, "a.env", &[("[\"A\"]", value)]);
        repository.change(branch, "b.json", &[("[\"b\"]", value)]);
    }
    assert_eq!(repository.try_git(&["merge", "other"]).status, 1);
    let conflicted = names.map(|name| repository.read(name));
    let begin = || {
        for (name, text) in names.iter().zip(&conflicted) {
            repository.write(name, text);
        }
    };
    let refused = repository.finish(&names, &["A=theirs", "b=ours", "c=ours"]);
    assert_eq!(
        refused.stderr,
        "stackseal: error: there is no conflict at c; nothing was written [merge-conflict]\n  \
         a.env: in conflict: A\n  b.json: in conflict: b\n"
    );
    assert_eq!(names.map(|name| repository.read(name)), conflicted);

    // A path is in one of the files.
    let ran = repository.finish(&names, &["A=theirs", "b=ours"]);
    assert!(
        ran.status == 0 && ran.stderr.ends_with("finished 2, unchanged 1, failed 0\n"),
        "{}",
        ran.stderr
    );
    assert!(repository.opened("a.env").contains("A=4\n"));
    assert!(repository.opened("b.json").contains("\"b\": \"3\""));

    begin();
    repository.write("c.yaml", "c: 1\n");
    let ran = repository.finish(&["gone.yaml", "c.yaml", "a.env", "b.json"], &["theirs"]);
    for told in [
        "gone.yaml does not exist",
        "c.yaml: sops metadata not found",
        "4 files failed: finished 2, unchanged 0, failed 2 [files-failed]",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert!(repository.opened("a.env").contains("A=4\n"));
    assert!(repository.opened("b.json").contains("\"b\": \"4\""));
}

#[test]
fn somebody_whom_the_merged_rules_name_comes_in_when_the_file_is_merged_by_them() {
    let repository = Repository::new();
    let names = ["id1", "id2"].map(|name| keys::identity(name).recipient().to_string());
    let [one, other] = &names;
    repository.write(".sops.yaml", &format!("creation_rules:\n  - age: {one}\n"));
    repository.write("a.yaml", TEXT);
    repository.ok(&["encrypt", "-i", "a.yaml"]);
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.write(
        ".sops.yaml",
        &format!("creation_rules:\n  - age: {one},{other}\n"),
    );
    repository.ok(&["updatekeys", "--yes", "a.yaml"]);
    repository.commit();
    repository.change("main", "a.yaml", &[("[\"password\"]", "\"0ther1\"")]);
    let ran = repository.try_git(&["merge", "other"]);
    let said = [String::from_utf8_lossy(&ran.stdout).as_ref(), &ran.stderr].concat();
    assert!(
        said.contains(
            "look at that change, then git checkout --merge a.yaml merges the file by it"
        ),
        "{said}"
    );
    repository.git(&["checkout", "-q", "--merge", "a.yaml"]);
    let merged = repository.read("a.yaml");
    assert!(merged.contains(other.as_str()) && !merged.contains("<<<<<<<"));
    assert!(repository.opened("a.yaml").contains("0ther1"));
    repository.commit();

    // The other way round, the warning says what makes it vain.
    repository.git(&["checkout", "-q", "-B", "other"]);
    repository.write(".sops.yaml", &format!("creation_rules:\n  - age: {one}\n"));
    repository.ok(&["updatekeys", "--yes", "a.yaml"]);
    repository.commit();
    repository.change("main", "a.yaml", &[("[\"user\"]", "\"0ther2\"")]);
    let ran = repository.try_git(&["merge", "other"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.stderr
            .contains("that is well if this merge takes them out there, too"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_version_that_is_not_sealed_any_more_is_told_as_such() {
    let repository = Repository::new();
    let one = keys::identity("id1").recipient();
    repository.write(".sops.yaml", &format!("creation_rules:\n  - age: {one}\n"));
    repository.write("a.yaml", "a: 1\nb: 2\n");
    repository.ok(&["encrypt", "-i", "a.yaml"]);
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.ok(&["decrypt", "-i", "a.yaml"]);
    repository.commit();
    repository.change("main", "a.yaml", &[("[\"a\"]", "3")]);
    let ran = repository.try_git(&["merge", "other"]);
    assert!(
        ran.stderr
            .contains("[merge-conflict]\n  theirs is not sealed any more\n")
            && !ran.stderr.contains("took out"),
        "{}",
        ran.stderr
    );
}

#[test]
fn both_sides_kept_by_hand_are_sent_back_to_the_conflict() {
    let repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    repository.both_set("a.yaml", &[("[\"password\"]", "\"0ther1\"", "\"0ther2\"")]);
    let conflicted = repository.read("a.yaml");
    let lines = conflicted
        .lines()
        .filter(|line| !line.starts_with(['<', '=', '>']));
    let kept: Vec<_> = lines.collect();
    repository.write("a.yaml", &format!("{}\n", kept.join("\n")));
    let refused = repository.finish(&["a.yaml"], &[]);
    assert!(
        refused
            .stderr
            .contains("; git checkout --merge a.yaml makes the conflict anew [duplicate-key]")
            && !refused.stderr.contains("git checkout -- "),
        "{}",
        refused.stderr
    );
    repository.again("a.yaml");
    assert!(repository.read("a.yaml").contains("<<<<<<< ours\n"));
}

#[test]
fn without_the_program_both_versions_stay_between_markers() {
    let mut repository = Repository::new();
    repository.seal("a.yaml", TEXT);
    let system = repository.path.split_once(':').unwrap().1.to_owned();
    let path = std::mem::replace(&mut repository.path, system);
    repository.both_set("a.yaml", &[("[\"password\"]", "\"0ther1\"", "\"0ther2\"")]);
    assert!(
        repository
            .read("a.yaml")
            .contains("<<<<<<< ours\npassword: ENC[")
    );
    repository.git(&["merge", "--abort"]);

    // Not even what merges by lines comes in so: who can open a file is in no MAC.
    let text = repository.read("a.yaml");
    let [one, other] = ["id2", "stranger"].map(|name| keys::identity(name).recipient().to_string());
    repository.git(&["checkout", "-q", "-b", "stranger"]);
    repository.write("a.yaml", &text.replace(&one, &other));
    repository.commit();
    repository.change("main", "a.yaml", &[("[\"user\"]", "\"0ther3\"")]);
    assert_eq!(repository.try_git(&["merge", "stranger"]).status, 1);
    let conflicted = repository.read("a.yaml");
    let (before, _) = conflicted.split_once(&other).unwrap();
    let (_, behind) = before.rsplit_once("<<<<<<< ours\n").unwrap();
    assert!(
        behind.contains(&one) && behind.contains("=======\n"),
        "{conflicted}"
    );

    repository.path = path;
    repository.again("a.yaml");
    assert!(!repository.read("a.yaml").contains("<<<<<<<"));
}

#[test]
fn no_stranger_comes_in_by_a_side_that_is_taken_whole_whether_or_not_ours_opens() {
    let [one, stranger] =
        ["id1", "stranger"].map(|name| keys::identity(name).recipient().to_string());
    let other = keys::identity("id2").recipient().to_string();
    // Ours is in clear, has lost its time, and opens.
    for (change, way) in [
        (Ours::Clear, &["--pick", "theirs"][..]),
        (Ours::Broken, &["--pick", "theirs"]),
        (Ours::Changed, &["--pick", "theirs"]),
        (Ours::Changed, &[]),
    ] {
        let repository = Repository::new();
        repository.write(
            ".sops.yaml",
            &format!("creation_rules:\n  - age: {one},{other}\n"),
        );
        repository.seal("a.yaml", TEXT);
        repository.git(&["checkout", "-q", "-b", "other"]);
        repository.ok(&["rotate", "--add-age", &stranger, "-i", "a.yaml"]);
        repository.commit();
        repository.git(&["checkout", "-q", "main"]);
        let sealed = repository.read("a.yaml");
        match change {
            Ours::Broken => {
                let kept = sealed.lines().filter(|line| !line.contains("lastmodified"));
                let kept: Vec<_> = kept.collect();
                repository.write("a.yaml", &format!("{}\n", kept.join("\n")));
            }
            Ours::Changed => {
                drop(repository.ok(&["set", "a.yaml", "[\"password\"]", "\"0ther1\""]))
            }
            Ours::Clear => repository.write("a.yaml", &TEXT.replace("hunter2", "0ther1")),
        }
        repository.commit();
        assert_eq!(repository.try_git(&["merge", "other"]).status, 1);
        if way.is_empty() {
            repository.git(&["checkout", "-q", "--theirs", "a.yaml"]);
        }
        let before = repository.read("a.yaml");
        let words = [&["merge-driver", "--finish", "a.yaml"], way].concat();
        let ran = repository.run(&repository.stackseal, &words);
        let told = format!("theirs seals to {stranger}, whom ");
        assert!(
            ran.status == 1 && ran.stderr.contains(&told),
            "{change:?}: {}",
            ran.stderr
        );
        assert_eq!(repository.read("a.yaml"), before);
    }
}

#[derive(Clone, Copy, Debug)]
enum Ours {
    Broken,
    Changed,
    Clear,
}
