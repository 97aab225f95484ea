//! Nouns and wire types shared by the page, the server and the command line.
//!
//! No I/O and no cryptography: a value of these types says what is asked or answered,
//! never how. A name that exists is valid (`StackName::parse`), so no layer checks it twice.
#![no_std]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

extern crate alloc;

pub mod api;
pub mod name;
pub mod problem;
pub mod stack;
