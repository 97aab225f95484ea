//! Randomness as an argument: the caller brings the generator, and its failure is an error.

use crate::error::Error;

/// The generator could not deliver. Nothing is sealed then; there is no fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailed;

/// A cryptographic random generator, for example the operating system's.
pub trait Random {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`RandomFailed`] when it cannot; `out` must not be used then.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomFailed>;
}

impl<F: FnMut(&mut [u8]) -> Result<(), RandomFailed>> Random for F {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomFailed> {
        self(out)
    }
}

impl From<RandomFailed> for Error {
    fn from(RandomFailed: RandomFailed) -> Self {
        Self::RandomFailed
    }
}
