//! What a document is sealed with that has no earlier version: the options and the creation rule, put together.

use std::path::Path;

use stackseal_core::{Format, Options, Recipient, Selector};

use crate::args::Selection;
use crate::commands::Context;
use crate::config::{Config, Plan, Rule, SelectionFlags, SelectorKind, Selectors, combine};
use crate::exit::Failure;
use crate::key_groups;
use crate::keys::recipient::Recipients;
use crate::many::Told;

/// The creation rule for a document, if there is a configuration with rules.
///
/// # Errors
/// `rule-missing`, `config-invalid`.
pub(crate) fn rule(config: Option<&Config>, document: &Path) -> Result<Option<Rule>, Failure> {
    let rule = config.map(|config| config.rule_for(document));
    Ok(rule.transpose()?.flatten())
}

/// As [`rule`], where a document that no rule covers is not at fault. What cannot be followed stays an error, so that
/// nobody takes it for a configuration without rules.
///
/// # Errors
/// `config-invalid`.
pub(crate) fn rule_if_any(
    config: Option<&Config>,
    document: &Path,
) -> Result<Option<Rule>, Failure> {
    rule(config, document).or_else(|failure| match failure.code {
        "rule-missing" => Ok(None),
        _ => Err(failure),
    })
}

/// What the options and the creation rule say together.
///
/// # Errors
/// As [`combine`].
pub(crate) fn plan(
    arguments: &Selection,
    rule: Option<Rule>,
    format: Format,
    context: &Context,
    told: &mut Told,
) -> Result<Plan, Failure> {
    key_groups::refuse_foreign(&arguments.other_keys)?;
    let flags = SelectionFlags {
        selectors: selectors(arguments),
        mac_only_encrypted: arguments.mac_only_encrypted,
        shamir_threshold: Some(arguments.shamir_secret_sharing_threshold),
    };
    let (flags, rule) = match format {
        Format::Binary => (flags.for_binary(), rule.map(Rule::for_binary)),
        _ => (flags, rule),
    };
    if let [variable, ..] = context.environment.other_recipients.as_slice() {
        return Err(Failure::usage(
            "key-unsupported",
            format!(
                "{variable} names keys of a kind that is not sealed to here, and whoever holds them would be left out; \
                 unset it to seal to age keys alone"
            ),
        ));
    }
    if let Some(rule) = &rule {
        // A mistake of the rule is told with its place.
        for (kind, text) in rule.selectors.iter() {
            selector_of_rule(rule, kind, text)?;
        }
    }
    let plan = combined(arguments, rule.as_ref(), &flags, context)?;
    if plan.groups.len() == 1 && plan.shamir_threshold.is_some_and(|threshold| threshold > 1) {
        told.warning(
            "a threshold counts for nothing with one key group; several are named by key_groups in a creation rule",
        );
    }
    Ok(plan)
}

fn combined(
    arguments: &Selection,
    rule: Option<&Rule>,
    flags: &SelectionFlags,
    context: &Context,
) -> Result<Plan, Failure> {
    let of_environment = context.environment.age_recipients.as_slice();
    if !arguments.age.is_empty() || of_environment.iter().all(String::is_empty) {
        return combine(rule, flags, &arguments.age);
    }
    Ok(Plan {
        sources: vec!["SOPS_AGE_RECIPIENTS".to_owned()],
        ..combine(rule, flags, of_environment)?
    })
}

/// What the options say about the values to seal.
pub(crate) fn selectors(arguments: &Selection) -> Selectors {
    let mut selectors = Selectors::default();
    for (kind, said) in [
        (
            SelectorKind::EncryptedCommentRegex,
            &arguments.encrypted_comment_regex,
        ),
        (SelectorKind::EncryptedRegex, &arguments.encrypted_regex),
        (SelectorKind::EncryptedSuffix, &arguments.encrypted_suffix),
        (
            SelectorKind::UnencryptedCommentRegex,
            &arguments.unencrypted_comment_regex,
        ),
        (SelectorKind::UnencryptedRegex, &arguments.unencrypted_regex),
        (
            SelectorKind::UnencryptedSuffix,
            &arguments.unencrypted_suffix,
        ),
    ] {
        selectors.set(kind, said.as_deref().unwrap_or_default());
    }
    selectors
}

/// The selector of a plan.
///
/// # Errors
/// `invalid-selector`.
pub(crate) fn selector(plan: &Plan) -> Result<Selector, Failure> {
    match &plan.selector {
        Some((kind, text)) => selector_of(*kind, text),
        None => Ok(Selector::default()),
    }
}

/// The selector of a setting.
///
/// # Errors
/// `invalid-selector`.
pub(crate) fn selector_of(kind: SelectorKind, text: &str) -> Result<Selector, Failure> {
    let selector = match kind {
        SelectorKind::EncryptedCommentRegex => Selector::encrypted_comment_regex(text),
        SelectorKind::EncryptedRegex => Selector::encrypted_regex(text),
        SelectorKind::EncryptedSuffix => Ok(Selector::EncryptedSuffix(text.to_owned())),
        SelectorKind::UnencryptedCommentRegex => Selector::unencrypted_comment_regex(text),
        SelectorKind::UnencryptedRegex => Selector::unencrypted_regex(text),
        SelectorKind::UnencryptedSuffix => Ok(Selector::UnencryptedSuffix(text.to_owned())),
    };
    selector.map_err(|error| Failure::of_argument(&error, kind.as_str()))
}

/// The selector that a creation rule states.
///
/// # Errors
/// `invalid-selector`, with its place.
pub(crate) fn selector_of_rule(
    rule: &Rule,
    kind: SelectorKind,
    text: &str,
) -> Result<Selector, Failure> {
    selector_of(kind, text).map_err(|failure| Failure {
        message: format!("{}.{}", rule.place, failure.message),
        ..failure
    })
}

/// The recipients of a plan, group by group; in each of them everybody once, in the order given.
///
/// # Errors
/// `invalid-recipient`, saying where it stands.
pub(crate) fn groups(plan: &Plan, known: &Recipients) -> Result<Vec<Vec<Recipient>>, Failure> {
    let group = |(texts, source): (&Vec<String>, &String)| {
        let mut recipients = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let recipient = known.parse(text, source).map_err(|failure| Failure {
                // Counted, not repeated: people paste private keys by mistake.
                message: match texts.len() {
                    1 => failure.message.clone(),
                    count => format!("{} (number {} of {count})", failure.message, at + 1),
                },
                ..failure
            })?;
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        Ok(recipients)
    };
    plan.groups.iter().zip(&plan.sources).map(group).collect()
}

/// How a document is sealed to one group, see [`first`], or to several: with its layout kept.
pub(crate) fn to_groups(groups: &[Vec<Recipient>], threshold: Option<usize>) -> Options<'_> {
    Options {
        groups: if groups.len() > 1 { groups } else { &[] },
        threshold,
        keep_layout: true,
        ..Options::default()
    }
}

/// The only group.
pub(crate) fn first(groups: &[Vec<Recipient>]) -> &[Recipient] {
    groups.first().map_or(&[], Vec::as_slice)
}

/// A file for which rules are to be followed, where the config has none.
pub(crate) fn no_rule(name: &str) -> Failure {
    Failure::usage(
        "rule-missing",
        format!("{name}: the config file does not contain any creation rule; add creation_rules"),
    )
}
