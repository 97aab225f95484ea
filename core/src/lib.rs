//! The SOPS/age codec: parse, select, encrypt, decrypt and prove, without re-serialising.
//!
//! `no_std` with `alloc`; no files, network, clock, environment or threads. Randomness and time
//! are arguments ([`Random`], [`Timestamp`]), so that only the final program chooses them.
//! Format: the SOPS file format as the reference `sops` 3.11 writes it; age v1 (`age-encryption.org/v1`).
#![no_std]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]

extern crate alloc;

pub mod age;
mod cipher;
mod data_key;
pub mod error;
mod mac;
pub mod random;
mod recipient;
pub mod timestamp;

pub use data_key::DataKey;
pub use error::{Error, ErrorCode};
pub use random::{Random, RandomFailed};
pub use recipient::{Identity, Recipient};
pub use timestamp::Timestamp;
