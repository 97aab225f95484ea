//! JSON: [`scan`] reads tokens, [`parse`] puts them together, [`write`] gives text for values, [`block`] places the
//! `sops` member.
//!
//! As the reference takes it: one object at the top, any nesting, keys may stand twice, every number is a double.
//! The text around values stays as it is.

mod block;
mod parse;
mod scan;
mod write;

pub(crate) use block::{insertion, removal, replacement};
pub(crate) use parse::parse;
pub(crate) use write::{Layout, Lines, opened, render, sealed, string};
