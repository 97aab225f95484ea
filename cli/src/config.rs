//! `.sops.yaml` as `sops` reads it: which rule holds for a file, and how results are indented.
//!
//! Found from the working folder upwards, or named by `--config` or `SOPS_CONFIG`. The whole file is checked when it
//! is loaded; what stands in the flat key fields of a rule, and its `path_regex`, only when the rule is asked for.
//! How a rule and the command line combine is in [`plan`].

mod indentation;
mod look_up;
mod node;
mod plan;
mod rule;
mod unknown;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use stackseal_core::selector::Pattern;

use crate::exit::Failure;
use crate::files;
use crate::output;
use crate::output::Shown as _;

pub(crate) use self::indentation::{Indentation, JsonStep};
pub(crate) use self::look_up::{Instead, NAME, clean, working_folder};
pub(crate) use self::plan::{Plan, SelectionFlags, combine};
pub(crate) use self::rule::{Rule, SelectorKind, Selectors};

use self::look_up::look_up;
use self::node::{Node, parse};
use self::rule::CreationRule;
use self::unknown::Unknown;

/// A configuration that was found and is well formed.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file, as messages call it.
    file: String,
    /// The file, absolute and cleaned of `..`.
    path: PathBuf,
    /// Its folder, absolute: rules are tried on paths below it.
    folder: PathBuf,
    /// The working folder, to which paths of documents are relative.
    start: PathBuf,
    /// `None` when the file has no `creation_rules`: then it counts for nothing but `stores`.
    rules: Option<Vec<CreationRule>>,
    indentation: Indentation,
    /// Fields at the top that nobody reads.
    unknown: Vec<Unknown>,
    /// The places of those that were warned of.
    warned: Mutex<BTreeSet<String>>,
}

/// A creation rule that holds for a document.
pub(crate) struct Covering {
    pub(crate) rule: Rule,
    /// Whether its `path_regex` says so; else it holds for whatever no rule before it does.
    pub(crate) by_path: bool,
}

impl Config {
    /// Loads the file named by `--config` or `SOPS_CONFIG`, else the next `.sops.yaml` from `start` upwards. `start` is
    /// the absolute working folder, see [`working_folder`]. A `.sops.yml` that is passed over is warned of.
    ///
    /// What is in `instead` goes before what lies there.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    pub(crate) fn find(
        start: &Path,
        explicit: Option<&Path>,
        instead: &Instead,
    ) -> Result<Option<Self>, Failure> {
        if let Some(path) = explicit.filter(|path| !path.as_os_str().is_empty()) {
            return Self::load(start, &start.join(path), instead).map(Some);
        }
        let found = look_up(start, instead);
        if let Some(warning) = found.warning() {
            output::warning(&warning);
        }
        let path = found.path;
        path.map(|path| Self::load(start, &path, instead))
            .transpose()
    }

    fn load(start: &Path, path: &Path, instead: &Instead) -> Result<Self, Failure> {
        let named = clean(path);
        let file = named.shown();
        let value = match instead.get(&named) {
            Some(bytes) => parse(&file, bytes)?,
            None => {
                let bytes = std::fs::read(path).map_err(|error| {
                    Failure::usage(
                        "config-unreadable",
                        format!("could not read config file {file}: {error}"),
                    )
                })?;
                parse(&file, &bytes)?
            }
        };
        let root = Node::root(&file, &value);
        // Read for its faults only: publishing is not known here.
        for rule in root.field("destination_rules")?.items()? {
            rule::check_destination(&rule)?;
        }
        let rules = root.field("creation_rules")?;
        let rules = match rules.is_null() {
            true => None,
            false => Some(
                rules
                    .items()?
                    .iter()
                    .map(CreationRule::read)
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self {
            unknown: {
                let mut unknown = unknown::fields(&root, &TOP)?;
                // Beside rules people keep the anchors that these name, under names of their own such as `keys`.
                unknown.retain(|field| rules.is_none() || field.is_slip());
                unknown.extend(indentation::unknown(&root.field("stores")?)?);
                unknown
            },
            warned: Mutex::default(),
            indentation: Indentation::read(&root.field("stores")?)?,
            rules,
            folder: named
                .parent()
                .map_or_else(|| start.to_path_buf(), Path::to_path_buf),
            start: start.to_path_buf(),
            file,
            path: named,
        })
    }

    /// The first creation rule for a document; `None` when there are no `creation_rules` at all. The document need not
    /// exist; a relative path starts at the working folder.
    ///
    /// # Errors
    /// `rule-missing` when no rule matches; `config-invalid` when the one that does is faulty.
    pub(crate) fn rule_for(&self, document: &Path) -> Result<Option<Rule>, Failure> {
        if let Some(covering) = self.covering(document)? {
            return Ok(Some(covering.rule));
        }
        if self.rules.is_none() {
            return Ok(None);
        }
        let name = self.name_of(document);
        Err(Failure::usage(
            "rule-missing",
            format!(
                "{}: no matching creation rules found for {name}; add a rule whose path_regex matches this path, or \
                 one without path_regex at the end",
                self.file
            ),
        ))
    }

    /// The first creation rule for a document, if any. Fields that nobody reads are warned of.
    ///
    /// # Errors
    /// `config-invalid`, also for a field that is a slip of the pen.
    pub(crate) fn covering(&self, document: &Path) -> Result<Option<Covering>, Failure> {
        let name = self.name_of(document);
        unknown::check(&self.file, self.unknown.iter(), &self.warned)?;
        for rule in self.rules.iter().flatten() {
            if self.holds(rule, &name)? {
                unknown::check(&self.file, rule.unknown.iter(), &self.warned)?;
                return Ok(Some(Covering {
                    rule: rule.resolve(&self.file)?,
                    by_path: !rule.path_regex.is_empty(),
                }));
            }
        }
        Ok(None)
    }

    /// Whether there are creation rules.
    pub(crate) fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether there are rules, none of which tells by its `path_regex` which files it holds for.
    pub(crate) fn has_only_rules_for_all(&self) -> bool {
        let rules = self.rules.as_deref().unwrap_or_default();
        !rules.is_empty() && rules.iter().all(|rule| rule.path_regex.is_empty())
    }

    /// Whether a document is this configuration, or another; also one to which a link leads.
    pub(crate) fn is_configuration(&self, document: &Path) -> bool {
        self.is_called_as_configuration(document) || files::is_same(document, &self.path)
    }

    /// Whether a document is this configuration, or another, by its name alone.
    pub(crate) fn is_called_as_configuration(&self, document: &Path) -> bool {
        document.file_name() == Some(OsStr::new(NAME))
            || clean(&self.start.join(document)) == self.path
    }

    /// How results are indented.
    pub(crate) fn indentation(&self) -> Indentation {
        self.indentation
    }

    /// What `path_regex` is tried on: the path below the configuration's folder, else the absolute one. Below the root
    /// folder paths stay absolute, too, as `sops` has it.
    fn name_of(&self, document: &Path) -> String {
        let absolute = clean(&self.start.join(document));
        let below = absolute
            .as_os_str()
            .as_bytes()
            .strip_prefix(self.folder.as_os_str().as_bytes())
            .and_then(|rest| rest.strip_prefix(b"/"))
            .filter(|_| self.folder.parent().is_some())
            .map(OsStr::from_bytes);
        below
            .unwrap_or(absolute.as_os_str())
            .to_string_lossy()
            .into_owned()
    }

    fn holds(&self, rule: &CreationRule, name: &str) -> Result<bool, Failure> {
        if rule.path_regex.is_empty() {
            return Ok(true);
        }
        let pattern = Pattern::parse(&rule.path_regex).map_err(|error| {
            Failure::usage(
                "config-invalid",
                format!("{}: {}.path_regex: {error}", self.file, rule.place),
            )
        })?;
        Ok(pattern.is_match(name))
    }
}

/// The fields that a configuration has.
const TOP: [&str; 3] = ["creation_rules", "destination_rules", "stores"];

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn folder(config: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".sops.yaml"), config).unwrap();
        folder
    }

    fn find_from(start: &Path, explicit: Option<&Path>) -> Result<Option<Config>, Failure> {
        Config::find(start, explicit, &Instead::new())
    }

    fn find(folder: &TempDir) -> Result<Option<Config>, Failure> {
        find_from(folder.path(), None)
    }

    fn rule(config: &str, document: &str) -> Result<Option<Rule>, Failure> {
        find(&folder(config))?
            .unwrap()
            .rule_for(Path::new(document))
    }

    /// The suffix that marks the rule that held.
    fn mark(config: &Config, document: &Path) -> String {
        let rule = config.rule_for(document).unwrap().unwrap();
        rule.selectors.iter().next().unwrap().1.to_owned()
    }

    const MARKED: &str = "creation_rules:
- {path_regex: '^top\\.yaml$', age: a, encrypted_suffix: top}
- {path_regex: '^sub/.*\\.json$', age: a, encrypted_suffix: sub}
- {path_regex: '^/', age: a, encrypted_suffix: absolute}
- {path_regex: 'eep', age: a, encrypted_suffix: anywhere}
- {path_regex: '', age: a, encrypted_suffix: rest}
";

    #[test]
    fn the_first_rule_whose_expression_matches_the_path_below_the_configuration_holds() {
        let folder = folder(MARKED);
        fs::create_dir(folder.path().join("sub")).unwrap();
        let config = find(&folder).unwrap().unwrap();
        for (document, expected) in [
            ("top.yaml", "top"),
            ("./sub/../top.yaml", "top"),
            ("sub/top.yaml", "rest"),
            ("sub/x/a.json", "sub"),
            ("/elsewhere/top.yaml", "absolute"),
            ("../top.yaml", "absolute"),
            ("a/deep/er.yaml", "anywhere"),
            ("other.yaml", "rest"),
        ] {
            assert_eq!(mark(&config, Path::new(document)), expected, "{document}");
        }
        assert_eq!(mark(&config, &folder.path().join("top.yaml")), "top");

        let below = find_from(&folder.path().join("sub"), None)
            .unwrap()
            .unwrap();
        assert_eq!(mark(&below, Path::new("a.json")), "sub");
        assert_eq!(mark(&below, Path::new("../top.yaml")), "top");
    }

    #[test]
    fn a_folder_whose_name_begins_alike_is_another_one() {
        let folder = folder(MARKED);
        let config = find(&folder).unwrap().unwrap();
        let mut other = folder.path().as_os_str().to_owned();
        other.push("2/top.yaml");
        assert_eq!(mark(&config, Path::new(&other)), "absolute");
    }

    #[test]
    fn an_explicit_file_wins_and_its_folder_is_what_paths_are_relative_to() {
        let folder = folder("creation_rules: [");
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/other.yaml"), MARKED).unwrap();
        let config = find_from(folder.path(), Some(Path::new("sub/other.yaml")));
        let config = config.unwrap().unwrap();
        assert_eq!(mark(&config, Path::new("sub/top.yaml")), "top");
        assert_eq!(mark(&config, Path::new("top.yaml")), "absolute");
        assert_eq!(find(&folder).unwrap_err().code, "config-invalid");
        assert_eq!(
            find_from(folder.path(), Some(Path::new("")))
                .unwrap_err()
                .code,
            "config-invalid"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused_and_none_at_all_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let missing = find_from(folder.path(), Some(Path::new("gone.yaml"))).unwrap_err();
        assert_eq!((missing.status, missing.code), (1, "config-unreadable"));
        fs::create_dir(folder.path().join(".sops.yaml")).unwrap();
        let directory = find(&folder).unwrap_err();
        assert_eq!((directory.status, directory.code), (1, "config-unreadable"));
    }

    #[test]
    fn without_creation_rules_there_is_no_rule_and_without_a_match_it_is_an_error() {
        for config in [
            "",
            "# nothing\n",
            "creation_rules:\n",
            "stores: {}\n",
            "null\n",
            "---\n...\n",
        ] {
            assert!(rule(config, "a.yaml").unwrap().is_none(), "{config}");
        }
        for config in [
            "creation_rules: []\n",
            "creation_rules: [null]\n",
            "creation_rules: [{path_regex: ^b, age: a}]\n",
        ] {
            let failure = rule(config, "a.yaml").unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (1, "rule-missing"),
                "{config}"
            );
            assert!(
                failure
                    .message
                    .contains("no matching creation rules found for a.yaml")
            );
        }
    }

    #[test]
    fn an_expression_that_go_or_rust_reads_differently_is_refused_when_it_is_come_to() {
        for regex in ["(", "a(?=b)", "*.yaml", "\\p{L}"] {
            let config = format!("creation_rules:\n- {{age: a}}\n- {{path_regex: '{regex}'}}\n");
            assert!(rule(&config, "a.yaml").is_ok(), "{regex}");
            let config = format!("creation_rules:\n- {{path_regex: '{regex}', age: a}}\n");
            let failure = rule(&config, "a.yaml").unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (1, "config-invalid"),
                "{regex}"
            );
            assert!(
                failure.message.contains("creation_rules[0].path_regex: "),
                "{}",
                failure.message
            );
        }
    }

    #[test]
    fn faults_are_found_everywhere_when_loading_and_named_by_place() {
        for (config, place) in [
            ("- a\n", "the whole file: "),
            ("x\n", "the whole file: "),
            ("creation_rules: {}\n", "creation_rules: "),
            ("creation_rules: [a]\n", "creation_rules[0]: "),
            (
                "creation_rules: [{}, {path_regex: []}]\n",
                "creation_rules[1].path_regex: ",
            ),
            (
                "creation_rules: [{hckms: a}]\n",
                "creation_rules[0].hckms: ",
            ),
            (
                "creation_rules: [{aws_profile: []}]\n",
                "creation_rules[0].aws_profile: ",
            ),
            (
                "creation_rules: [{shamir_threshold: '2'}]\n",
                "creation_rules[0].shamir_threshold: ",
            ),
            (
                "creation_rules: [{mac_only_encrypted: 'true'}]\n",
                "creation_rules[0].mac_only_encrypted: ",
            ),
            (
                "creation_rules: [{key_groups: [{age: a}]}]\n",
                "creation_rules[0].key_groups[0].age: ",
            ),
            (
                "creation_rules: [{key_groups: [{merge: [{kms: [{arn: []}]}]}]}]\n",
                "creation_rules[0].key_groups[0].merge[0].kms[0].arn: ",
            ),
            ("destination_rules: {}\n", "destination_rules: "),
            (
                "destination_rules: [{vault_kv_version: x}]\n",
                "destination_rules[0].vault_kv_version: ",
            ),
            (
                "destination_rules: [{recreation_rule: {pgp: 5, encrypted_regex: []}}]\n",
                "destination_rules[0].recreation_rule.encrypted_regex: ",
            ),
            ("stores: []\n", "stores: "),
            ("stores: {dotenv: 5}\n", "stores.dotenv: "),
            ("stores: {json: {indent: '2'}}\n", "stores.json.indent: "),
        ] {
            let failure = find(&folder(config)).unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (1, "config-invalid"),
                "{config}"
            );
            assert!(
                failure.message.contains(&format!(".sops.yaml: {place}")),
                "{config}{}",
                failure.message
            );
        }
    }
}
