//! The SOPS/age codec: parse, select, encrypt, decrypt and prove, without re-serialising.
//!
//! `no_std` with `alloc`; no files, network, clock, environment or threads. Randomness and time
//! are arguments ([`Random`], [`Timestamp`]), so that only the final program chooses them.
//! Format: the SOPS file format as the reference `sops` 3.11 writes it; age v1 (`age-encryption.org/v1`).
#![no_std]
#![warn(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]

extern crate alloc;

pub mod age;
mod cipher;
#[cfg(feature = "formats")]
pub mod convert;
mod data_key;
mod decimal;
pub mod document;
mod ed25519;
#[cfg(feature = "formats")]
pub mod edit;
pub mod error;
pub mod format;
pub mod guard;
#[cfg(feature = "formats")]
pub mod layout;
pub mod limits;
mod mac;
pub mod marks;
#[cfg(feature = "formats")]
pub mod mask;
#[cfg(feature = "formats")]
pub mod merge;
pub mod metadata;
mod number;
pub mod open;
mod order;
pub mod path;
#[cfg(feature = "primitives")]
pub mod primitives;
pub mod random;
mod recipient;
pub mod seal;
pub mod selector;
#[cfg(feature = "formats")]
pub mod sequence;
#[cfg(feature = "formats")]
mod shamir;
pub mod suggest;
pub mod text;
pub mod timestamp;
pub mod tree;
pub mod value;
#[cfg(test)]
mod vectors;
#[cfg(feature = "formats")]
mod verify;
mod x25519;

pub use data_key::DataKey;
#[cfg(feature = "formats")]
pub use document::AliasPlace;
pub use document::{Document, Encrypted, Leaf, Plain, is_sealed};
pub use error::{Error, ErrorCode};
pub use format::Format;
pub use limits::Limits;
pub use marks::Mark;
pub use metadata::Metadata;
pub use open::{Opened, OpenedWithClear};
pub use path::Path;
pub use random::{Random, RandomFailed};
pub use recipient::{ForeignRecipient, Identity, Recipient, is_same_recipient};
#[cfg(feature = "formats")]
pub use seal::Rotation;
pub use seal::{Options, Sealing};
pub use selector::Selector;
pub use timestamp::Timestamp;
