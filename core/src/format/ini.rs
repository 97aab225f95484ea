//! INI: sections of keys, as the reference reads them through `gopkg.in/ini.v1`.
//!
//! `line` reads one key or value, `parse` the text, `write` gives text for values, comments and whole trees, `block`
//! is the `[sops]` section. A comment is placed behind the key that it precedes or follows on its line, and at the
//! beginning of the section whose header it precedes: items stand in that order, not in that of the text.

pub(crate) mod block;
mod line;
pub(crate) mod parse;
#[cfg(test)]
mod tests;
pub(crate) mod write;

pub(crate) use block::{block_leaves, insertion, removal};
pub(crate) use parse::parse;
pub(crate) use write::{emit, opened, opened_comment, sealed, sealed_comment};

/// The section of the keys before the first header; it is there even when it is empty.
const DEFAULT: &str = "DEFAULT";
