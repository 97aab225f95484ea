//! The codec through its public surface: documents, marks, the guard, and hostile input.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may stop the test"
)]

#[cfg(feature = "formats")]
mod damaged;
mod documents;
mod guard;
mod hostile;
#[cfg(feature = "formats")]
mod in_clear;
mod marks;
mod reference;
mod support;
