//! YAML: what go-yaml v3, and so the reference, makes of a text, with the byte span of each part.
//!
//! `parse` gives leaves and comments in order, `comments` says where comments belong, `resolve` types
//! plain scalars, `write` gives text for values, `portable` knows what go-yaml cannot load, `syntax`
//! says what is no YAML at all, `metadata` writes and finds the `sops` block, `renew` replaces fields
//! of it.

pub(crate) mod block;
mod comments;
pub(crate) mod metadata;
pub(crate) mod parse;
pub(crate) mod portable;
#[cfg(feature = "formats")]
pub(crate) mod renew;
pub(crate) mod resolve;
pub(crate) mod syntax;
pub(crate) mod time;
pub(crate) mod write;
