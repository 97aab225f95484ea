//! Who may import whom, and under which licences: asserted from `cargo metadata`.
//!
//! `docs/ARCHITECTURE.md` has the graph; `deny.toml` has the list of licences, which is read from there.

use std::iter::Peekable;
use std::process::Command;

use serde_json::Value;

/// A workspace package with what its manifest names.
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    for_tests_only: bool,
}

/// For each of our packages, those of ours that it may import.
const EDGES: &[(&str, &[&str])] = &[
    ("stackseal-core", &[]),
    ("stackseal-model", &["stackseal-core"]),
    ("stackseal", &["stackseal-core", "stackseal-model"]),
    ("stackseal-server", &["stackseal-core", "stackseal-model"]),
    ("stackseal-web", &["stackseal-core", "stackseal-model"]),
    (
        "stackseal-tests",
        &[
            "stackseal",
            "stackseal-core",
            "stackseal-model",
            "stackseal-server",
            "stackseal-web",
        ],
    ),
    ("stackseal-wasm", &["stackseal-core"]),
];

/// Crates that only the packages beside them may name, other than for their tests.
const RESERVED: &[(&str, &[&str])] = &[
    ("aes-gcm", &["stackseal-core"]),
    ("age", &["stackseal", "stackseal-tests"]),
    ("age-core", &["stackseal"]),
    ("axum", &["stackseal-server"]),
    ("granit-parser", &["stackseal-core"]),
    // the server hashes sign-in tokens and file contents; it seals nothing with it
    ("sha2", &["stackseal-core", "stackseal-server"]),
    ("wasm-bindgen", &["stackseal-web", "stackseal-wasm"]),
];

/// Every edge that the rules do not allow, in words.
fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
            found.push(format!("{} is not in the table of layers", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let ours = EDGES.iter().any(|(ours, _)| *ours == name);
            if ours && !allowed.contains(&name) {
                found.push(format!("{} may not import {name}", package.name));
            }
            if let Some((_, holders)) = RESERVED.iter().find(|(reserved, _)| *reserved == name)
                && !dependency.for_tests_only
                && !holders.contains(&package.name.as_str())
            {
                found.push(format!(
                    "{} may not name {name}; only {} may",
                    package.name,
                    holders.join(", ")
                ));
            }
        }
    }
    found
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn workspace() -> Vec<Package> {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| Package {
            name: package["name"].as_str().unwrap().to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dependency| Dependency {
                    name: dependency["name"].as_str().unwrap().to_owned(),
                    for_tests_only: dependency["kind"] == "dev",
                })
                .collect(),
        })
        .collect()
}

/// The licences that `deny.toml` allows.
fn allowed_licences() -> Vec<String> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml")).unwrap();
    let list = text
        .split_once("allow = [")
        .unwrap()
        .1
        .split_once(']')
        .unwrap()
        .0;
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression can be met with allowed licences only. `/` is the old spelling of `OR`.
fn acceptable(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "_WITH_");
    any_of(&mut spaced.split_whitespace().peekable(), allowed)
}

fn any_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    let mut result = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        result |= all_of(words, allowed);
    }
    result
}

fn all_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    let mut result = single(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        result &= single(words, allowed);
    }
    result
}

fn single<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    match words.next() {
        Some("(") => {
            let result = any_of(words, allowed);
            words.next() == Some(")") && result
        }
        Some(licence) => allowed
            .iter()
            .any(|one| *one == licence.replace("_WITH_", " WITH ")),
        None => false,
    }
}

#[test]
fn packages_import_only_along_the_edges() {
    let found = violations(&workspace());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_layer_exists() {
    let names: Vec<_> = workspace()
        .into_iter()
        .map(|package| package.name)
        .collect();
    for (name, _) in EDGES {
        assert!(
            names.iter().any(|have| have == name),
            "{name} is gone; update the table"
        );
    }
}

#[test]
fn an_added_edge_is_found() {
    let added = [
        ("stackseal-core", "stackseal-model", false),
        ("stackseal-core", "stackseal-tests", true),
        ("stackseal-model", "aes-gcm", false),
        ("stackseal-server", "stackseal-web", false),
        ("stackseal-server", "age", false),
        ("stackseal-web", "stackseal-server", true),
        ("stackseal-web", "granit-parser", false),
        ("stackseal", "stackseal-server", false),
        ("stackseal", "axum", false),
        ("stackseal-server", "wasm-bindgen", false),
    ];
    for (from, to, for_tests_only) in added {
        let mut packages = workspace();
        let package = packages
            .iter_mut()
            .find(|package| package.name == from)
            .unwrap();
        package.dependencies.push(Dependency {
            name: to.to_owned(),
            for_tests_only,
        });
        assert_eq!(violations(&packages).len(), 1, "{from} -> {to}");
    }
}

#[test]
fn a_package_outside_the_table_is_found() {
    let mut packages = workspace();
    packages.push(Package {
        name: "stackseal-extra".to_owned(),
        dependencies: Vec::new(),
    });
    assert_eq!(violations(&packages).len(), 1);
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allowed = allowed_licences();
    for platform in ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"] {
        let metadata = metadata(&["--filter-platform", platform]);
        let used: Vec<_> = metadata["resolve"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| &node["id"])
            .collect();
        let packages = metadata["packages"].as_array().unwrap();
        assert!(used.len() > 20);
        for package in packages
            .iter()
            .filter(|package| used.contains(&&package["id"]))
        {
            let licence = package["license"].as_str().unwrap_or_default();
            assert!(
                acceptable(licence, &allowed),
                "{} {}: {licence:?}",
                package["name"],
                package["version"]
            );
        }
    }
}

#[test]
fn a_copyleft_licence_is_refused() {
    let allowed = allowed_licences();
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(acceptable(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "AGPL-3.0-only",
        "MIT AND GPL-2.0",
        "(MIT OR Apache-2.0) AND LGPL-3.0",
        "(MIT",
    ] {
        assert!(!acceptable(bad, &allowed), "{bad}");
    }
}

/// Whether a tier of `make test` runs the test program: `script` names it, or the beginning of its name and `*`.
fn belongs_to_a_tier(name: &str, script: &str) -> bool {
    let exact = [format!("--test {name} "), format!("--test {name};")]
        .iter()
        .any(|words| script.contains(words));
    exact
        || script
            .split("tests_named '")
            .skip(1)
            .filter_map(|rest| rest.split_once("*'"))
            .any(|(start, _)| name.starts_with(start))
}

#[test]
fn make_test_runs_every_test_program() {
    let script =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/test.sh"))
            .unwrap();
    let metadata = metadata(&["--no-deps"]);
    let targets = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|package| package["targets"].as_array().unwrap());
    let names: Vec<_> = targets
        .filter(|target| target["kind"][0] == "test")
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 6, "only {names:?}");
    let forgotten: Vec<_> = names
        .iter()
        .filter(|name| !belongs_to_a_tier(name, &script))
        .collect();
    assert!(
        forgotten.is_empty(),
        "scripts/test.sh runs none of {forgotten:?}"
    );
    assert!(!belongs_to_a_tier("brand_new", &script));
}
