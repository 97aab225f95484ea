//! The screens, one per file.

pub mod builder;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod stacks;
