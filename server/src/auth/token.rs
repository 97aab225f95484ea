//! Tokens of sign-in links and sessions: 256 random bits, stored as hashes only.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::random;

/// A secret that its holder presents.
pub(crate) struct Token(Zeroizing<String>);

/// What the database knows of a token. A lookup by it needs no constant-time comparison: whoever
/// times it learns about hashes, not tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl Token {
    /// Makes one.
    ///
    /// # Errors
    /// When the random generator fails.
    pub(crate) fn generate() -> Result<Self, stackseal_core::Error> {
        let bytes = Zeroizing::new(random::bytes::<32>()?);
        Ok(Self(Zeroizing::new(random::hex(bytes.as_slice()))))
    }

    /// The token as its holder gets it: 64 hex digits.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What the database may know of it.
    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(redacted)")
    }
}

impl TokenHash {
    /// Hash of a token as presented.
    pub(crate) fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// The 32 bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_do_not_show() {
        let (one, two) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.expose().len(), 64);
        assert_ne!(one.expose(), two.expose());
        assert_eq!(format!("{one:?}"), "Token(redacted)");
        assert!(one.hash() == TokenHash::of(one.expose()) && one.hash() != two.hash());
    }
}
