//! What the command writes for other programs to read: completions for shells, pages for `man`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program;

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(program())
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers for a line, with the script loaded.
fn offered(script: &Path, line: &str) -> Vec<String> {
    let words: Vec<_> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "source '{}'\nCOMP_WORDS=({}) COMP_CWORD={}\n_stackseal stackseal '{}' '{}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words.len() - 1,
        line.rsplit(' ').next().unwrap(),
        line.rsplit(' ').nth(1).unwrap(),
    );
    let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_takes_its_script_and_offers_verbs_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("stackseal");
    fs::write(&script, printed(&["completions", "bash"])).unwrap();
    let checked = Command::new("bash")
        .arg("-n")
        .arg(&script)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");

    assert_eq!(offered(&script, "stackseal dec"), ["decrypt"]);
    assert_eq!(offered(&script, "stackseal groups d"), ["delete"]);
    assert_eq!(
        offered(&script, "stackseal encrypt --acc"),
        ["--accept-extra"]
    );
    assert_eq!(offered(&script, "stackseal completions f"), ["fish"]);
    assert!(
        offered(&script, "stackseal keep")
            .iter()
            .all(String::is_empty)
    );
    // Where sops has it.
    assert_eq!(
        printed(&["completion", "bash"]),
        fs::read_to_string(&script).unwrap()
    );
}

#[test]
fn every_shown_verb_has_a_page_that_groff_takes_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(printed(&["man", pages.to_str().unwrap()]), "");
    let mut names: Vec<_> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        let page = pages.join(name);
        let set = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .arg(&page)
            .output()
            .unwrap();
        assert!(
            set.status.success() && set.stderr.is_empty(),
            "{}: {set:?}",
            page.display()
        );
    }
    let whole = fs::read_to_string(pages.join("stackseal.1")).unwrap();
    assert_eq!(whole, printed(&["man"]));
    let help = printed(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = listed
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "));
    let verbs: Vec<_> = verbs
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(
        verbs.contains(&"encrypt") && verbs.contains(&"verify"),
        "{verbs:?}"
    );
    for verb in verbs.iter().filter(|verb| **verb != "help") {
        let page = fs::read_to_string(pages.join(format!("stackseal-{verb}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{verb}");
        // A hyphen is written with a backslash, or it would be set as a dash.
        assert!(
            whole.contains(&format!("stackseal\\-{}(1)", verb.replace('-', "\\-"))),
            "{verb}"
        );
    }
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains("keep")),
        "{names:?}"
    );
}
