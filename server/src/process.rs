//! What the process takes from itself before it holds a key: core dumps, foreign readers of its
//! memory, and files that others can read.

use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// Hardens the process. Called once, first of all.
///
/// # Errors
/// When the system refuses.
pub fn harden() -> std::io::Result<()> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    // also keeps other processes of the same user from attaching
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    Ok(())
}
