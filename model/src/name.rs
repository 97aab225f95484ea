//! Parsed names: what exists as one of these types is valid.
//!
//! Stack, member and namespace names become path components and Kubernetes names, so they follow
//! the DNS label rule (RFC 1123); an organisation's name is for people and may hold any words.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a name: one sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for InvalidName {}

macro_rules! label_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads a DNS label: 1 to 63 of `a-z`, `0-9` and `-`, no `-` at either end.
            ///
            /// # Errors
            /// [`InvalidName`] with a sentence that says what to write.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                check_label(text, $what)?;
                Ok(Self(text.to_owned()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

label_type!(
    /// A stack's name, unique in its cluster.
    StackName, "stack name"
);
label_type!(
    /// A manifest's or add-on's name, unique in its cluster file together with its kind.
    MemberName, "file name"
);
label_type!(
    /// A Kubernetes namespace.
    NamespaceName, "namespace"
);

/// An organisation's name as people write it: 1 to 64 characters, no control characters,
/// no blanks at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationName(String);

impl OrganisationName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidName`] with a sentence that says what to write.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("the organisation needs a name; write one"));
        }
        if text.chars().count() > 64 {
            return Err(invalid(
                "the organisation's name is longer than 64 characters; shorten it",
            ));
        }
        if text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        {
            return Err(invalid(
                "the organisation's name holds a control character or a line break; remove it",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganisationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OrganisationName {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::parse(&text)
    }
}

impl From<OrganisationName> for String {
    fn from(name: OrganisationName) -> Self {
        name.0
    }
}

fn check_label(text: &str, what: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(invalid(&format!("the {what} is empty; write one")));
    }
    if text.len() > 63 {
        return Err(invalid(&format!(
            "the {what} is longer than 63 characters; shorten it"
        )));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some(bad) = text.chars().find(|&c| !allowed(c)) {
        return Err(invalid(&format!(
            "the {what} holds {bad:?}; use lower-case letters, digits and '-'"
        )));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(invalid(&format!(
            "the {what} starts or ends with '-'; remove it there"
        )));
    }
    Ok(())
}

fn invalid(message: &str) -> InvalidName {
    InvalidName {
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_the_dns_rule() {
        for good in ["a", "database", "db-credentials", "0x", "a-1"] {
            assert!(StackName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a.b",
            "..",
            "a/b",
            "ä",
            "a b",
            "a\n",
            &"x".repeat(64),
        ] {
            assert!(StackName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_from_the_wire_is_checked() {
        assert!(serde_json::from_str::<MemberName>("\"../etc\"").is_err());
        let name: MemberName = serde_json::from_str("\"grafana\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"grafana\"");
    }

    #[test]
    fn organisation_names_are_free_text_on_one_line() {
        assert_eq!(
            OrganisationName::parse("  Acme Ltd. ").unwrap().as_str(),
            "Acme Ltd."
        );
        for bad in ["", "   ", "a\nSigned-off-by: x", "a\u{2028}b", "\u{1b}[31m"] {
            assert!(OrganisationName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
