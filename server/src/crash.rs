//! Points at which a test kills the process.
//!
//! With the feature `crash-points`, the process aborts at the point that `STACKSEAL_CRASH_AT` names;
//! without it (every released binary), [`point`] is empty. Nothing is flushed or unwound: what the
//! next start finds is what a kill at that line leaves.

/// Ends the process if this is the point to die at.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &str) {
    if std::env::var_os("STACKSEAL_CRASH_AT").is_some_and(|at| at == name) {
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) fn point(_name: &str) {}
