//! What a document is sealed with, once a creation rule and the command line are put together.
//!
//! Keys of the command line replace those of the rule; everything else of the rule still holds. A selector of the
//! command line goes over the same kind in the rule, and excludes every other kind.

use stackseal_core::{ErrorCode, Format};

use crate::exit::Failure;

use super::rule::{Group, Rule, SelectorKind, Selectors};

/// What the command line says beside keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct SelectionFlags {
    /// `--encrypted-regex` and its kin.
    pub(crate) selectors: Selectors,
    /// `--mac-only-encrypted`.
    pub(crate) mac_only_encrypted: bool,
    /// `--shamir-secret-sharing-threshold`.
    pub(crate) shamir_threshold: Option<u8>,
}

/// What a document is to be sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Nobody is in none of them, and nothing but age recipients is; as texts, not yet parsed.
    pub(crate) groups: Vec<Vec<String>>,
    /// Where each of the groups is said: the option, or the field of the rule.
    pub(crate) sources: Vec<String>,
    /// As it goes into the metadata: with several groups always there, with one group what was said, if anything.
    pub(crate) shamir_threshold: Option<u8>,
    /// `None`: as usual, everything but what stands under keys that end in `_unencrypted`.
    pub(crate) selector: Option<(SelectorKind, String)>,
    /// Whether values in clear are left out of the MAC.
    pub(crate) mac_only_encrypted: bool,
}

impl Rule {
    /// The rule for a file of a format.
    #[must_use]
    pub(crate) fn for_format(self, format: Format) -> Self {
        match format {
            Format::Binary => self.for_binary(),
            _ => self,
        }
    }

    /// The rule for a binary file, where there is nothing to choose: what is said about it counts for nothing.
    #[must_use]
    pub(crate) fn for_binary(self) -> Self {
        Self {
            selectors: Selectors::default(),
            mac_only_encrypted: None,
            ..self
        }
    }
}

impl SelectionFlags {
    /// As [`Rule::for_binary`].
    #[must_use]
    pub(crate) fn for_binary(self) -> Self {
        Self {
            shamir_threshold: self.shamir_threshold,
            ..Self::default()
        }
    }
}

/// Puts the rule for a document, if there is one, and the command line together. `age` is what `--age` or
/// `SOPS_AGE_RECIPIENTS` say, with commas.
///
/// # Errors
/// `arguments-conflict` (exit 8) for two kinds of selector; exit 1: `recipient-missing`, `key-group-empty`,
/// `threshold-invalid`, `key-unsupported`.
pub(crate) fn combine(
    rule: Option<&Rule>,
    flags: &SelectionFlags,
    age: &[String],
) -> Result<Plan, Failure> {
    let selector = selector(rule, &flags.selectors)?;
    let of_rule = rule.and_then(|rule| rule.shamir_threshold);
    let threshold = flags
        .shamir_threshold
        .filter(|given| *given > 0)
        .or(of_rule);
    let mac_only = rule.and_then(|rule| rule.mac_only_encrypted);

    let (groups, sources) = match (named(age)?, rule) {
        (Some(group), _) => (vec![group], vec![OPTION.to_owned()]),
        (None, Some(rule)) => (of_age(rule)?, fields(rule)),
        (None, None) => {
            return Err(Failure::usage(
                ErrorCode::RecipientMissing.as_str(),
                "there is nobody to seal to: no configuration with creation_rules was found; name age recipients with \
                 --age or in SOPS_AGE_RECIPIENTS, or write a .sops.yaml",
            ));
        }
    };
    Ok(Plan {
        shamir_threshold: in_range(threshold, groups.len())?,
        groups,
        sources,
        selector,
        mac_only_encrypted: flags.mac_only_encrypted || mac_only.unwrap_or(false),
    })
}

fn selector(
    rule: Option<&Rule>,
    flags: &Selectors,
) -> Result<Option<(SelectorKind, String)>, Failure> {
    let mut all = rule.map(|rule| rule.selectors.clone()).unwrap_or_default();
    for (kind, text) in flags.iter() {
        all.set(kind, text);
    }
    if all.iter().len() > 1 {
        let kinds: Vec<_> = all
            .iter()
            .map(
                |(kind, _)| match flags.iter().any(|(flag, _)| flag == kind) {
                    true => format!("--{}", kind.as_str().replace('_', "-")),
                    false => format!("{kind} of the creation rule"),
                },
            )
            .collect();
        return Err(Failure::conflict(format!(
            "what chooses the values to seal excludes each other: {}; keep one kind",
            kinds.join(", ")
        )));
    }
    Ok(all
        .iter()
        .next()
        .map(|(kind, text)| (kind, text.to_owned())))
}

/// The recipients of the command line, each once; `None` when nothing is said. What is said and names nobody must not
/// fall back to the rule.
fn named(age: &[String]) -> Result<Option<Vec<String>>, Failure> {
    if age.iter().all(String::is_empty) {
        return Ok(None);
    }
    let mut named: Vec<String> = Vec::new();
    for text in age.iter().flat_map(|list| list.split(',')).map(str::trim) {
        if !text.is_empty() && !named.iter().any(|other| other == text) {
            named.push(text.to_owned());
        }
    }
    if named.is_empty() {
        return Err(Failure::usage(
            ErrorCode::RecipientMissing.as_str(),
            "--age or SOPS_AGE_RECIPIENTS names nobody; give age recipients, or leave it out to follow .sops.yaml",
        ));
    }
    Ok(Some(named))
}

fn of_age(rule: &Rule) -> Result<Vec<Vec<String>>, Failure> {
    let place = |at: usize| match rule.groups.len() {
        1 => rule.place.clone(),
        _ => format!("{}.key_groups[{at}]", rule.place),
    };
    let mut groups = Vec::new();
    for (at, Group { age, foreign }) in rule.groups.iter().enumerate() {
        if let Some(key) = foreign.first() {
            return Err(Failure::usage(
                "key-unsupported",
                format!(
                    "{} also seals to {key}, and only age keys are supported here; use sops for such files, or \
                     name age recipients with --age",
                    place(at)
                ),
            ));
        }
        if age.is_empty() {
            return Err(Failure::usage(
                "key-group-empty",
                format!(
                    "{} has no keys, so nobody could open the file; add age recipients",
                    place(at)
                ),
            ));
        }
        groups.push(age.clone());
    }
    Ok(groups)
}

/// Where the age recipients of each group stand.
fn fields(rule: &Rule) -> Vec<String> {
    let field = |at| match rule.grouped {
        true => format!("{}.key_groups[{at}].age", rule.place),
        false => format!("{}.age", rule.place),
    };
    (0..rule.groups.len()).map(field).collect()
}

/// What names recipients unless it is told otherwise.
const OPTION: &str = "--age";

/// The threshold as the metadata has it. With one group it means nothing, and is written as it was said.
fn in_range(threshold: Option<u8>, groups: usize) -> Result<Option<u8>, Failure> {
    if groups < 2 {
        return Ok(threshold);
    }
    let threshold = threshold.map_or(groups, usize::from);
    u8::try_from(threshold)
        .ok()
        .filter(|_| (2..=groups).contains(&threshold) && groups <= usize::from(u8::MAX))
        .map(Some)
        .ok_or_else(|| {
            Failure::usage(
                "threshold-invalid",
                format!(
                    "{threshold} of {groups} key groups cannot be asked for; the threshold must be at least 2 and at \
                     most the number of groups, of which there may be 255"
                ),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(age: &[&str]) -> Group {
        Group {
            age: age.iter().map(|key| (*key).to_owned()).collect(),
            foreign: Vec::new(),
        }
    }

    fn rule(groups: Vec<Group>) -> Rule {
        Rule {
            place: "f: creation_rules[0]".to_owned(),
            grouped: groups.len() > 1,
            groups,
            shamir_threshold: None,
            selectors: Selectors::default(),
            mac_only_encrypted: None,
        }
    }

    fn selecting(kind: SelectorKind, text: &str) -> Selectors {
        let mut selectors = Selectors::default();
        selectors.set(kind, text);
        selectors
    }

    fn flags(kind: SelectorKind, text: &str) -> SelectionFlags {
        SelectionFlags {
            selectors: selecting(kind, text),
            ..SelectionFlags::default()
        }
    }

    fn plain(rule: Option<&Rule>, age: &[&str]) -> Result<Plan, Failure> {
        let age: Vec<_> = age.iter().map(|text| (*text).to_owned()).collect();
        combine(rule, &SelectionFlags::default(), &age)
    }

    #[test]
    fn keys_of_the_command_line_replace_those_of_the_rule_and_the_rest_of_it_holds() {
        let given = Rule {
            selectors: selecting(SelectorKind::EncryptedSuffix, "z"),
            shamir_threshold: Some(2),
            mac_only_encrypted: Some(true),
            ..rule(vec![group(&["a"]), group(&["b"])])
        };
        let plan = plain(Some(&given), &["c, d,", "c"]).unwrap();
        assert_eq!(plan.groups, [["c", "d"]]);
        assert_eq!(plan.sources, ["--age"]);
        assert_eq!(
            plan.selector,
            Some((SelectorKind::EncryptedSuffix, "z".to_owned()))
        );
        assert_eq!(plan.shamir_threshold, Some(2));
        assert!(plan.mac_only_encrypted);
        let plan = plain(Some(&given), &[""]).unwrap();
        assert_eq!(plan.groups, [["a"], ["b"]]);
        let place = "f: creation_rules[0].key_groups";
        assert_eq!(
            plan.sources,
            [format!("{place}[0].age"), format!("{place}[1].age")]
        );
        let one = plain(Some(&rule(vec![group(&["a"])])), &[]).unwrap();
        assert_eq!(one.sources, ["f: creation_rules[0].age"]);
    }

    #[test]
    fn without_rule_and_keys_nobody_is_there_to_seal_to() {
        let failure = plain(None, &[]).unwrap_err();
        assert_eq!((failure.status, failure.code), (1, "recipient-missing"));
        assert_eq!(plain(None, &["a"]).unwrap().groups, [["a"]]);
        for age in [",", " ", " , "] {
            let failure = plain(Some(&rule(vec![group(&["a"])])), &[age]).unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (1, "recipient-missing"),
                "{age:?}"
            );
        }
    }

    #[test]
    fn a_selector_goes_over_its_own_kind_and_excludes_the_others() {
        let given = Rule {
            selectors: selecting(SelectorKind::EncryptedRegex, "of rule"),
            ..rule(vec![group(&["a"])])
        };
        for kind in SelectorKind::ALL {
            let plan = combine(Some(&given), &flags(kind, "of flag"), &[]);
            match kind {
                SelectorKind::EncryptedRegex => {
                    assert_eq!(plan.unwrap().selector, Some((kind, "of flag".to_owned())));
                }
                _ => {
                    let failure = plan.unwrap_err();
                    assert_eq!((failure.status, failure.code), (8, "arguments-conflict"));
                    assert!(
                        failure
                            .message
                            .contains("encrypted_regex of the creation rule")
                    );
                    assert!(failure.message.contains("--"));
                }
            }
            let empty = combine(Some(&given), &flags(kind, ""), &[]).unwrap();
            assert_eq!(
                empty.selector,
                Some((SelectorKind::EncryptedRegex, "of rule".to_owned()))
            );
        }
        let mut both = flags(SelectorKind::EncryptedRegex, "x");
        both.selectors.set(SelectorKind::UnencryptedSuffix, "y");
        // Before it is asked whether anybody is named.
        assert_eq!(combine(None, &both, &[]).unwrap_err().status, 8);
        assert_eq!(plain(None, &["a"]).unwrap().selector, None);
    }

    #[test]
    fn a_binary_file_has_nothing_to_choose() {
        let given = Rule {
            selectors: selecting(SelectorKind::EncryptedRegex, "x"),
            mac_only_encrypted: Some(true),
            ..rule(vec![group(&["a"])])
        };
        let flags = SelectionFlags {
            mac_only_encrypted: true,
            ..flags(SelectorKind::UnencryptedSuffix, "y")
        };
        let plan = combine(Some(&given.for_binary()), &flags.for_binary(), &[]).unwrap();
        assert_eq!(plan.selector, None);
        assert!(!plan.mac_only_encrypted);
    }

    #[test]
    fn the_mac_leaves_out_clear_values_when_either_says_so() {
        for (of_rule, of_flags, expected) in [
            (None, false, false),
            (Some(false), true, true),
            (Some(true), false, true),
            (Some(false), false, false),
        ] {
            let given = Rule {
                mac_only_encrypted: of_rule,
                ..rule(vec![group(&["a"])])
            };
            let flags = SelectionFlags {
                mac_only_encrypted: of_flags,
                ..SelectionFlags::default()
            };
            let plan = combine(Some(&given), &flags, &[]).unwrap();
            assert_eq!(plan.mac_only_encrypted, expected);
        }
    }

    #[test]
    fn a_threshold_lies_between_two_and_the_number_of_groups() {
        let with = |groups: usize, of_rule: Option<u8>, of_flags: Option<u8>| {
            let given = Rule {
                shamir_threshold: of_rule,
                ..rule(vec![group(&["a"]); groups])
            };
            let flags = SelectionFlags {
                shamir_threshold: of_flags,
                ..SelectionFlags::default()
            };
            combine(Some(&given), &flags, &[]).map(|plan| plan.shamir_threshold)
        };
        assert_eq!(with(1, None, None).unwrap(), None);
        assert_eq!(with(1, Some(9), None).unwrap(), Some(9));
        assert_eq!(with(3, None, None).unwrap(), Some(3));
        assert_eq!(with(3, Some(2), None).unwrap(), Some(2));
        assert_eq!(with(3, Some(2), Some(3)).unwrap(), Some(3));
        assert_eq!(with(3, Some(2), Some(0)).unwrap(), Some(2));
        assert_eq!(with(255, None, None).unwrap(), Some(255));
        for (groups, threshold) in [(2, Some(1)), (2, Some(3)), (256, None), (256, Some(2))] {
            let failure = with(groups, threshold, None).unwrap_err();
            assert_eq!((failure.status, failure.code), (1, "threshold-invalid"));
        }
    }

    #[test]
    fn empty_groups_and_foreign_keys_are_refused_unless_the_command_line_names_keys() {
        for groups in [vec![group(&[])], vec![group(&["a"]), group(&[])]] {
            let failure = plain(Some(&rule(groups.clone())), &[]).unwrap_err();
            assert_eq!((failure.status, failure.code), (1, "key-group-empty"));
            assert!(plain(Some(&rule(groups)), &["b"]).is_ok());
        }
        let foreign = Group {
            foreign: vec!["pgp AB".to_owned()],
            ..group(&["a"])
        };
        let failure = plain(Some(&rule(vec![group(&["b"]), foreign.clone()])), &[]).unwrap_err();
        assert_eq!((failure.status, failure.code), (1, "key-unsupported"));
        assert!(
            failure
                .message
                .starts_with("f: creation_rules[0].key_groups[1] also seals to pgp AB")
        );
        assert!(plain(Some(&rule(vec![foreign])), &["b"]).is_ok());
    }
}
