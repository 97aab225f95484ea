//! The codec's one error type. It says what was attempted and where, never a value or a key.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

/// What failed; the outer variant says whose fault it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A bug of this crate: a proof of its own output failed, so nothing was returned. Report it.
    Bug(Box<Fault>),
    /// What the caller asked for does not fit together (selector, marks, recipients). Change the request.
    Configuration(Box<Fault>),
    /// The document is not acceptable as it is. Change the document.
    Input(Box<Fault>),
    /// A key does not open the document, or is no key. Bring another key.
    Key(Box<Fault>),
    /// The random generator failed. Nothing was sealed.
    RandomFailed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bug(fault) => write!(f, "{fault}; nothing was written, please report this"),
            Self::Configuration(fault) | Self::Input(fault) | Self::Key(fault) => fault.fmt(f),
            Self::RandomFailed => {
                f.write_str("the random generator failed, so nothing was sealed; try again")
            }
        }
    }
}

impl core::error::Error for Error {}

/// What follows a line break in a key would look like a message of its own.
fn on_one_line(path: String) -> String {
    if !path.contains(char::is_control) {
        return path;
    }
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    path.chars().map(shown).collect()
}

/// The particulars of an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code.
    pub code: ErrorCode,
    /// One or two sentences, lower case, no trailing dot: what is wrong and what to do.
    pub message: String,
    /// Key path or recipient concerned.
    pub path: Option<String>,
    /// Line in the document, from 1.
    pub line: Option<usize>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.fault()
            .map_or(ErrorCode::RandomFailed, |fault| fault.code)
    }

    /// The particulars, where there are any.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Bug(fault)
            | Self::Configuration(fault)
            | Self::Input(fault)
            | Self::Key(fault) => Some(fault),
            Self::RandomFailed => None,
        }
    }

    pub(crate) fn bug(message: impl fmt::Display) -> Self {
        Self::Bug(Fault::new(ErrorCode::Internal, message))
    }

    pub(crate) fn configuration(code: ErrorCode, message: impl fmt::Display) -> Self {
        Self::Configuration(Fault::new(code, message))
    }

    pub(crate) fn input(code: ErrorCode, message: impl fmt::Display) -> Self {
        Self::Input(Fault::new(code, message))
    }

    pub(crate) fn key(code: ErrorCode, message: impl fmt::Display) -> Self {
        Self::Key(Fault::new(code, message))
    }

    /// Adds the line, unless one is known already.
    #[must_use]
    pub(crate) fn at_line(mut self, line: usize) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.line.get_or_insert(line);
        }
        self
    }

    /// Adds the path, unless one is known already.
    #[must_use]
    pub(crate) fn at_path(mut self, path: impl fmt::Display) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault
                .path
                .get_or_insert_with(|| on_one_line(path.to_string()));
        }
        self
    }

    pub(crate) fn fault_mut(&mut self) -> Option<&mut Fault> {
        match self {
            Self::Bug(fault)
            | Self::Configuration(fault)
            | Self::Input(fault)
            | Self::Key(fault) => Some(fault),
            Self::RandomFailed => None,
        }
    }
}

impl Fault {
    fn new(code: ErrorCode, message: impl fmt::Display) -> Box<Self> {
        Box::new(Self {
            code,
            message: message.to_string(),
            path: None,
            line: None,
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Stable code of an [`Error`]; `docs/ERRORS.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as kebab-case text.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    /// An age file, header or armor is malformed or was altered.
    AgeFileInvalid = "age-file-invalid",
    /// An alias or merge key in a document to be sealed.
    AliasInSealedDocument = "alias-in-sealed-document",
    /// The document has a `sops` block where a plain one was expected.
    AlreadySealed = "already-sealed",
    /// A comment beside a sealed value stays readable.
    CommentInClear = "comment-in-clear",
    /// A comment in the encrypted part stands in clear.
    CommentNotSealed = "comment-not-sealed",
    /// The data key of a file is not 32 bytes.
    DataKeyInvalid = "data-key-invalid",
    /// The text is not dotenv.
    DotenvSyntax = "dotenv-syntax",
    /// A mapping has the same key twice.
    DuplicateKey = "duplicate-key",
    /// Nothing to work on: no document, or no key in it.
    EmptyDocument = "empty-document",
    /// The layout cannot take a `sops` block (flow style at the top, `...` and the like).
    LayoutUnsupported = "layout-unsupported",
    /// A bug of the codec.
    Internal = "internal",
    /// The text is not INI.
    IniSyntax = "ini-syntax",
    /// A text is no age identity.
    InvalidIdentity = "invalid-identity",
    /// A text is no age X25519 recipient.
    InvalidRecipient = "invalid-recipient",
    /// The regular expression of a selector is refused.
    InvalidSelector = "invalid-selector",
    /// The text is not JSON, or no object at the top.
    JsonSyntax = "json-syntax",
    /// A leaf does not authenticate under the data key.
    LeafTampered = "leaf-tampered",
    /// A value in the encrypted part is not an `ENC[…]` text.
    LeafNotSealed = "leaf-not-sealed",
    /// A text starts with `ENC[` but is no well-formed sealed value.
    LeafMalformed = "leaf-malformed",
    /// The document is larger, deeper or longer than the limits.
    LimitExceeded = "limit-exceeded",
    /// The MAC is missing or does not match.
    MacMismatch = "mac-mismatch",
    /// A mark hits values that it does not name, and they were not accepted.
    MarkHitsMore = "mark-hits-more",
    /// A mark is empty or ill-formed.
    MarkInvalid = "mark-invalid",
    /// A mark names no key of the document.
    MarkMatchesNothing = "mark-matches-nothing",
    /// A mark would seal a part that its consumer must read in clear.
    MarkOnReservedField = "mark-on-reserved-field",
    /// The `sops` block is missing or malformed.
    MetadataInvalid = "metadata-invalid",
    /// None of the identities opens the document.
    NoMatchingIdentity = "no-matching-identity",
    /// A mapping key is not a string.
    NonStringKey = "non-string-key",
    /// A number or boolean under a mark in the `data` of a Secret.
    NonStringInSecret = "non-string-in-secret",
    /// The text is not UTF-8.
    NotUtf8 = "not-utf-8",
    /// The sealed document is not readable by one of the recipients expected, or by others too.
    RecipientMismatch = "recipient-mismatch",
    /// No recipient was given.
    RecipientMissing = "recipient-missing",
    /// The random generator failed.
    RandomFailed = "random-failed",
    /// A selector hits nothing, so nothing would be sealed.
    SelectorMatchesNothing = "selector-matches-nothing",
    /// A tag on a value that cannot be carried through sealing.
    TagUnsupported = "tag-unsupported",
    /// The threshold does not fit the number of key groups.
    ThresholdInvalid = "threshold-invalid",
    /// A time is not RFC 3339.
    TimestampInvalid = "timestamp-invalid",
    /// A text is no tree path.
    TreePathInvalid = "tree-path-invalid",
    /// A tree path names nothing in the document.
    TreePathMissing = "tree-path-missing",
    /// A marked value is empty or null, which sealing leaves as it is.
    ValueEmpty = "value-empty",
    /// A marked value already looks like `ENC[…]`.
    ValueLooksSealed = "value-looks-sealed",
    /// A value for which the format has no form.
    ValueNotRepresentable = "value-not-representable",
    /// A number that the format cannot hold.
    ValueOutOfRange = "value-out-of-range",
    /// The text is not YAML.
    YamlSyntax = "yaml-syntax",
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_kebab_case() {
        let texts: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        assert!(texts.iter().all(|t| {
            t.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        }));
    }

    #[test]
    fn the_first_place_named_stays() {
        let error = Error::input(ErrorCode::DuplicateKey, "twice")
            .at_line(3)
            .at_line(9)
            .at_path("a.b");
        assert_eq!(error.to_string(), "line 3: a.b: twice");
        assert_eq!(error.code().as_str(), "duplicate-key");
    }
}
