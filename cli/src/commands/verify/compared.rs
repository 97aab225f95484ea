//! How a sealed file differs from what the arguments, else its creation rule, say: who opens it, what is sealed, and what
//! the MAC covers.

use stackseal_core::{Document, Encrypted};

use super::Verification;
use crate::config::{self, Covering, Rule, SelectionFlags};
use crate::exit::Failure;
use crate::expected::{Difference, Expected};
use crate::sealing;

impl Verification<'_> {
    /// Why nothing could be sealed as a rule says. Keys of other kinds are no fault: they are compared by name.
    fn fault(&self, rule: &Rule) -> Option<Failure> {
        match config::combine(Some(rule), &SelectionFlags::default(), &[]) {
            Ok(plan) => sealing::groups(&plan, &self.known).err(),
            Err(failure) => Some(failure).filter(|failure| failure.code != "key-unsupported"),
        }
    }

    /// How a file differs from what the arguments, else the rule, say.
    pub(super) fn differences(
        &self,
        document: &Document<Encrypted>,
        covering: Option<Covering>,
    ) -> Vec<Difference> {
        let metadata = document.metadata();
        let rule = covering.map(|covering| covering.rule.for_format(document.format()));
        let mut differences = match (&self.expected, &rule) {
            (Some(expected), _) => expected.differences(metadata),
            (None, Some(rule)) => match self.fault(rule) {
                // Compared with a rule that names nobody, everybody would be too many.
                Some(fault) => vec![Difference {
                    code: fault.code,
                    field: "age".to_owned(),
                    message: fault.message,
                }],
                None => Expected::of_rule(rule).differences(metadata),
            },
            (None, None) if self.has_rules() => {
                let message = "no creation rule covers this file, so nobody says who should be able to open it; add a \
                               rule, or name the recipients with --age";
                vec![Difference {
                    code: "rule-missing",
                    field: "age".to_owned(),
                    message: message.to_owned(),
                }]
            }
            (None, None) => Vec::new(),
        };
        if !self.arguments.any_selector {
            let rule = rule.as_ref();
            differences.extend(rule.and_then(|rule| other_selector(document, rule)));
            differences.extend(rule.and_then(|rule| other_mac(document, rule)));
        }
        differences
    }
}

/// A rule that says which values are sealed, and a file that says otherwise.
fn other_selector(document: &Document<Encrypted>, rule: &Rule) -> Option<Difference> {
    let (field, text) = document.metadata().selector.field();
    let (kind, wanted) = rule.selectors.iter().next()?;
    if (kind.as_str(), wanted) == (field, text) {
        return None;
    }
    let message = format!(
        "what is sealed is chosen by {field} '{text}', but {} says {kind} '{wanted}'; 'stackseal \
         rotate --by-rule -i' seals the file as the rule says, and --any-selector lets it be",
        rule.place
    );
    Some(Difference {
        code: "selector-mismatch",
        field: field.to_owned(),
        message,
    })
}

/// A file whose MAC covers less or more than the rule says, which covers everything unless it says otherwise.
fn other_mac(document: &Document<Encrypted>, rule: &Rule) -> Option<Difference> {
    let is = document.metadata().mac_only_encrypted;
    let wanted = rule.mac_only_encrypted.unwrap_or_default();
    let (covers, says) = match is {
        _ if is == wanted => return None,
        true => ("sealed values alone", "that it covers those in clear, too"),
        false => ("values in clear, too", "that it covers sealed ones alone"),
    };
    Some(Difference {
        code: "selector-mismatch",
        field: "mac_only_encrypted".to_owned(),
        message: format!(
            "the MAC covers {covers}, but {} says {says}; 'stackseal rotate --by-rule -i' seals the file as the \
             rule says, and --any-selector lets it be",
            rule.place
        ),
    })
}
