//! Tokens and identifiers from the operating system's random generator.

use std::fmt::Write as _;

use stackseal_core::RandomFailed;

/// The operating system's generator, in the form the codec takes.
pub(crate) fn fill(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}

/// `N` random bytes.
///
/// # Errors
/// When the operating system's generator fails; there is no fallback.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], stackseal_core::Error> {
    let mut out = [0; N];
    fill(&mut out)?;
    Ok(out)
}

/// An identifier of 128 random bits, as 32 hex digits.
///
/// # Errors
/// When the operating system's generator fails.
pub(crate) fn identifier() -> Result<String, stackseal_core::Error> {
    bytes::<16>().map(|b| hex(&b))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
