//! The documents hold what they promise: paths exist, links lead somewhere, each error code is explained.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stackseal_core::ErrorCode;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The texts between single backticks, outside code blocks.
fn code_spans(markdown: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut in_block = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// Whether a code span is meant as a path of this repository.
fn is_path(span: &str) -> bool {
    const TOPS: &[&str] = &[
        "core", "model", "web", "server", "cli", "tests", "docs", "scripts", ".ci",
    ];
    let plain = span
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let top = span
        .split_once('/')
        .is_some_and(|(top, _)| TOPS.contains(&top));
    plain
        && (top
            || [
                "Makefile",
                "Cargo.toml",
                "Trunk.toml",
                "index.html",
                "deny.toml",
                "clippy.toml",
            ]
            .contains(&span))
}

fn missing_paths(markdown: &str, root: &Path) -> Vec<String> {
    code_spans(markdown)
        .into_iter()
        .filter(|span| is_path(span) && !root.join(span).exists())
        .collect()
}

/// Targets of `[text](target)` that are neither addresses nor anchors.
fn local_links(markdown: &str) -> Vec<String> {
    markdown
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

fn files_named(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["node_modules", "target", "dist", ".git", "vectors"].contains(&name.as_str()) {
                files_named(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The codes that have an entry: level-three headings of one word.
fn documented_codes() -> BTreeSet<String> {
    read("docs/ERRORS.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_paths_that_the_architecture_names_exist() {
    let text = read("docs/ARCHITECTURE.md");
    assert!(
        code_spans(&text)
            .iter()
            .filter(|span| is_path(span))
            .count()
            > 20
    );
    assert_eq!(missing_paths(&text, Path::new(ROOT)), Vec::<String>::new());
}

#[test]
fn a_path_that_is_gone_is_found() {
    assert_eq!(
        missing_paths(
            "see `core/src/gone.rs` and `core/src/lib.rs`",
            Path::new(ROOT)
        ),
        ["core/src/gone.rs"]
    );
}

#[test]
fn local_links_lead_to_files() {
    let mut files = Vec::new();
    files_named(Path::new(ROOT), ".md", &mut files);
    assert!(files.len() > 8);
    for file in files {
        for target in local_links(&fs::read_to_string(&file).unwrap()) {
            assert!(
                file.parent().unwrap().join(&target).exists(),
                "{}: {target}",
                file.display()
            );
        }
    }
}

#[test]
fn every_code_of_the_codec_is_explained() {
    let documented = documented_codes();
    for code in ErrorCode::ALL {
        assert!(
            documented.contains(code.as_str()),
            "docs/ERRORS.md lacks {}",
            code.as_str()
        );
    }
}

/// Codes named in a source file: a kebab-case text behind `=`, `code:` or as an argument to a failure.
fn codes_in(source: &str, before: &str, after: &str) -> BTreeSet<String> {
    let kebab =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    source
        .split(before)
        .skip(1)
        .filter_map(|rest| rest.split_once(after).map(|(code, _)| code.to_owned()))
        .filter(|code| kebab(code))
        .collect()
}

fn codes_of_the_server() -> BTreeSet<String> {
    codes_in(&read("server/src/error.rs"), "= \"", "\", ")
}

fn codes_of_the_command() -> BTreeSet<String> {
    let mut files = Vec::new();
    files_named(&Path::new(ROOT).join("cli/src"), ".rs", &mut files);
    let mut codes = BTreeSet::new();
    for file in files {
        let source: String = fs::read_to_string(file)
            .unwrap()
            .split_whitespace()
            .collect();
        codes.extend(codes_in(&source, "usage(\"", "\""));
        codes.extend(codes_in(&source, "code:\"", "\""));
    }
    codes
}

fn codes_of_the_page() -> BTreeSet<String> {
    let mut files = Vec::new();
    files_named(&Path::new(ROOT).join("web/src"), ".rs", &mut files);
    let mut codes = BTreeSet::new();
    for file in files {
        let source: String = fs::read_to_string(file)
            .unwrap()
            .split_whitespace()
            .collect();
        codes.extend(codes_in(&source, "code:\"", "\".to_owned()"));
        codes.extend(codes_in(&source, "\",\"", "\",)"));
    }
    codes
}

#[test]
fn every_code_of_the_page_is_explained() {
    let (codes, documented) = (codes_of_the_page(), documented_codes());
    assert!(codes.len() >= 3, "only {codes:?}");
    assert_eq!(
        codes.difference(&documented).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn every_code_of_the_server_is_explained() {
    let (codes, documented) = (codes_of_the_server(), documented_codes());
    assert!(codes.len() > 30, "only {codes:?}");
    assert_eq!(
        codes.difference(&documented).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn every_code_of_the_command_is_explained() {
    let (codes, documented) = (codes_of_the_command(), documented_codes());
    assert!(codes.len() >= 6, "only {codes:?}");
    assert_eq!(
        codes.difference(&documented).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn no_code_is_explained_that_is_gone() {
    let mut known: BTreeSet<_> = ErrorCode::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    known.extend(codes_of_the_server());
    known.extend(codes_of_the_command());
    known.extend(codes_of_the_page());
    assert_eq!(
        documented_codes().difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}
