//! Which leaves of a document are encrypted: the rule that its `sops` block states.
//!
//! A rule is tried on each key of a leaf's path, at any depth; list positions do not count.
//! Regular expressions are limited to what Rust and Go read alike, see [`dialect`].

#[cfg(feature = "formats")]
pub(crate) mod comments;
mod dialect;
mod program;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::{Error, ErrorCode};
use crate::path::{Path, Segment};
use crate::text::Text;

use self::program::Program;

/// A regular expression that Rust and Go's RE2 read alike.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    /// `None` matches nothing: a file may state an expression that compiles nowhere.
    program: Option<Program>,
}

impl Pattern {
    /// Reads an expression, for a selector or for the `path_regex` of a creation rule.
    ///
    /// # Errors
    /// `invalid-selector` for one that does not compile, or that Rust and Go read differently.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Error::configuration(
                ErrorCode::InvalidSelector,
                format!("the expression is refused: {why}"),
            )
            .at_path(text)
        };
        let node = dialect::parse(text).map_err(refuse)?;
        let program = Program::compile(&node).ok_or_else(|| refuse("it is too large"))?;
        Ok(Self {
            text: text.to_owned(),
            program: Some(program),
        })
    }

    /// As a file states it. The reference takes an expression that does not compile for one that matches nothing; what
    /// may compile elsewhere is refused as ever.
    fn read(text: &str) -> Result<Self, Error> {
        match dialect::parse(text) {
            Err(why) if dialect::compiles_nowhere(why) => Ok(Self {
                text: text.to_owned(),
                program: None,
            }),
            _ => Self::parse(text),
        }
    }

    /// Whether the expression compiles at all.
    pub fn compiles(&self) -> bool {
        self.program.is_some()
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches somewhere in the text; linear in the text's length.
    pub fn is_match(&self, text: &str) -> bool {
        let program = self.program.as_ref();
        program.is_some_and(|program| program.is_match(text))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The rule. Default: everything but what stands under a key that ends in `_unencrypted`.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// Encrypted when a comment that governs it matches.
    EncryptedCommentRegex(Pattern),
    /// Encrypted when some key matches.
    EncryptedRegex(Pattern),
    /// Encrypted when some key ends so.
    EncryptedSuffix(String),
    /// Encrypted when no comment that governs it matches.
    UnencryptedCommentRegex(Pattern),
    /// Encrypted when no key matches.
    UnencryptedRegex(Pattern),
    /// Encrypted when no key ends so.
    UnencryptedSuffix(String),
}

impl Default for Selector {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

impl Selector {
    /// The rule `encrypted_regex`.
    ///
    /// # Errors
    /// `invalid-selector` for an expression that does not compile, or that Rust and Go read differently.
    pub fn encrypted_regex(text: &str) -> Result<Self, Error> {
        Pattern::parse(text).map(Self::EncryptedRegex)
    }

    /// The rule `unencrypted_regex`.
    ///
    /// # Errors
    /// As [`Self::encrypted_regex`].
    pub fn unencrypted_regex(text: &str) -> Result<Self, Error> {
        Pattern::parse(text).map(Self::UnencryptedRegex)
    }

    /// The rule `encrypted_comment_regex`.
    ///
    /// # Errors
    /// As [`Self::encrypted_regex`].
    pub fn encrypted_comment_regex(text: &str) -> Result<Self, Error> {
        Pattern::parse(text).map(Self::EncryptedCommentRegex)
    }

    /// The rule `unencrypted_comment_regex`.
    ///
    /// # Errors
    /// As [`Self::encrypted_regex`].
    pub fn unencrypted_comment_regex(text: &str) -> Result<Self, Error> {
        Pattern::parse(text).map(Self::UnencryptedCommentRegex)
    }

    /// The rule that a `sops` block states in one of its fields; `None` for a field that states no rule.
    pub(crate) fn of_field(field: &str, text: &str) -> Option<Result<Self, Error>> {
        let pattern = || Pattern::read(text);
        Some(match field {
            "encrypted_comment_regex" => pattern().map(Self::EncryptedCommentRegex),
            "encrypted_regex" => pattern().map(Self::EncryptedRegex),
            "encrypted_suffix" => Ok(Self::EncryptedSuffix(text.to_owned())),
            "unencrypted_comment_regex" => pattern().map(Self::UnencryptedCommentRegex),
            "unencrypted_regex" => pattern().map(Self::UnencryptedRegex),
            "unencrypted_suffix" => Ok(Self::UnencryptedSuffix(text.to_owned())),
            _ => return None,
        })
    }

    /// The field of the `sops` block that states this rule, and its text.
    pub fn field(&self) -> (&'static str, &str) {
        match self {
            Self::EncryptedCommentRegex(pattern) => ("encrypted_comment_regex", &pattern.text),
            Self::EncryptedRegex(pattern) => ("encrypted_regex", &pattern.text),
            Self::EncryptedSuffix(suffix) => ("encrypted_suffix", suffix),
            Self::UnencryptedCommentRegex(pattern) => ("unencrypted_comment_regex", &pattern.text),
            Self::UnencryptedRegex(pattern) => ("unencrypted_regex", &pattern.text),
            Self::UnencryptedSuffix(suffix) => ("unencrypted_suffix", suffix),
        }
    }

    /// Whether comments choose, not keys.
    pub(crate) fn goes_by_comments(&self) -> bool {
        matches!(
            self,
            Self::EncryptedCommentRegex(_) | Self::UnencryptedCommentRegex(_)
        )
    }

    /// The rule that hits exactly these key names: `^(a|b)$`, sorted as given, ASCII punctuation escaped.
    ///
    /// # Errors
    /// `invalid-selector` when a name holds a control character, or the whole is too long.
    pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut text = String::from("^(");
        for (at, name) in names.into_iter().enumerate() {
            if at > 0 {
                text.push('|');
            }
            for c in name.chars() {
                if META.contains(c) {
                    text.push('\\');
                }
                text.push(c);
            }
        }
        text.push_str(")$");
        Self::encrypted_regex(&text)
    }

    /// Whether a leaf at this path is encrypted, by its keys. Rules that go by comments are not answered here.
    pub fn selects(&self, path: &Path) -> bool {
        path.keys().any(|key| self.hits(key)) == self.names_what_is_sealed()
    }

    /// For asking about the paths of a document in their order.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk {
            selector: self,
            keys: Vec::new(),
        }
    }

    /// Whether the rule speaks of a key.
    fn hits(&self, key: &str) -> bool {
        match self {
            Self::EncryptedRegex(pattern) | Self::UnencryptedRegex(pattern) => {
                pattern.is_match(key)
            }
            Self::EncryptedCommentRegex(_) | Self::UnencryptedCommentRegex(_) => false,
            Self::EncryptedSuffix(suffix) | Self::UnencryptedSuffix(suffix) => {
                key.ends_with(suffix.as_str())
            }
        }
    }

    /// Whether the rule names what is encrypted, so that hitting nothing must be a mistake.
    pub(crate) fn names_what_is_sealed(&self) -> bool {
        matches!(
            self,
            Self::EncryptedCommentRegex(_) | Self::EncryptedRegex(_) | Self::EncryptedSuffix(_)
        )
    }
}

/// Asks a rule about each key of a document once, not once for every leaf below it.
pub(crate) struct Walk<'a> {
    selector: &'a Selector,
    /// The keys of the last path, and whether one of them up to there is hit.
    keys: Vec<(Text, bool)>,
}

impl Walk<'_> {
    /// As [`Selector::selects`].
    pub(crate) fn selects(&mut self, path: &Path) -> bool {
        let mut hit = false;
        let keys = path.segments().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        });
        for (depth, key) in keys.enumerate() {
            match self.keys.get(depth) {
                Some((known, answer)) if known.is(key) => hit = *answer,
                _ => {
                    self.keys.truncate(depth);
                    hit = hit || self.selector.hits(key);
                    self.keys.push((key.clone(), hit));
                }
            }
        }
        hit == self.selector.names_what_is_sealed()
    }
}

/// The names of a rule that [`Selector::names`] made, `None` for any other expression.
pub(crate) fn literal_names(text: &str) -> Option<Vec<String>> {
    let inside = text.strip_prefix("^(")?.strip_suffix(")$")?;
    let mut names = alloc::vec![String::new()];
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '|' => names.push(String::new()),
            '\\' => names
                .last_mut()?
                .push(chars.next().filter(char::is_ascii_punctuation)?),
            c if META.contains(c) => return None,
            c => names.last_mut()?.push(c),
        }
    }
    Some(names)
}

/// Exactly what Go's `QuoteMeta` escapes.
const META: &str = "\\.+*?()|[]{}^$";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Segment;

    fn path(keys: &[&str]) -> Path {
        let mut path = Path::default();
        for key in keys {
            path.push(Segment::Key((*key).into()));
        }
        path
    }

    #[test]
    fn any_key_on_the_way_decides() {
        let selector = Selector::encrypted_regex("^(data|stringData)$").unwrap();
        assert!(selector.selects(&path(&["stringData", "a"])));
        assert!(selector.selects(&path(&["x", "data", "y"])));
        assert!(!selector.selects(&path(&["metadata", "name"])));
        assert!(!Selector::default().selects(&path(&["a_unencrypted", "b"])));
        assert!(Selector::default().selects(&path(&["a", "b"])));
    }

    #[test]
    fn a_walk_answers_as_the_rule_does() {
        let top: Vec<Text> = ["a", "s", "a"].into_iter().map(Into::into).collect();
        let below: Vec<Text> = ["b", "s", "c"].into_iter().map(Into::into).collect();
        for selector in [
            Selector::encrypted_regex("^s$").unwrap(),
            Selector::unencrypted_regex("^s$").unwrap(),
            Selector::default(),
        ] {
            let mut walk = selector.walk();
            for at in [0, 0, 1, 1, 2, 0, 1, 2] {
                let mut path = Path::default();
                path.push(Segment::Key(top[at].clone()));
                assert_eq!(walk.selects(&path), selector.selects(&path));
                for key in &below {
                    let mut path = path.clone();
                    path.push(Segment::Index(at));
                    path.push(Segment::Key(key.clone()));
                    assert_eq!(walk.selects(&path), selector.selects(&path), "{path}");
                }
            }
        }
    }

    #[test]
    fn names_are_escaped_and_anchored() {
        let selector = Selector::names([".dockerconfigjson", "a+b"]).unwrap();
        assert_eq!(
            selector,
            Selector::encrypted_regex(r"^(\.dockerconfigjson|a\+b)$").unwrap()
        );
        assert_eq!(
            literal_names(r"^(\.dockerconfigjson|a\+b)$").unwrap(),
            [".dockerconfigjson", "a+b"]
        );
        assert_eq!(literal_names("^(a.b)$"), None);
        assert!(selector.selects(&path(&[".dockerconfigjson"])));
        assert!(!selector.selects(&path(&["xdockerconfigjson"])));
        assert!(!selector.selects(&path(&["aab"])));
    }
}
