//! Support of the cross-crate tests: chance from a seed, the keys of the vectors, and the programs that are compared.

pub mod chance;
pub mod data;
pub mod keys;
pub mod programs;
