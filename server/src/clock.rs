//! The only reader of wall-clock time.
//!
//! Order never depends on it: the journal and the audit trail count. It dates what people see and
//! ends sign-in links and sessions.

use stackseal_core::Timestamp;

/// Tells the time in UTC.
pub trait Clock: Send + Sync {
    /// Now, to the second.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock that the others are given"
        )]
        let now = std::time::SystemTime::now();
        let seconds = match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
        };
        Timestamp::from_unix(seconds).unwrap_or_else(|_| epoch())
    }
}

/// 1970: what a clock outside the years 0000 to 9999 shows.
#[expect(
    clippy::expect_used,
    reason = "zero is between the years 0000 and 9999"
)]
fn epoch() -> Timestamp {
    Timestamp::from_unix(0).expect("1970 is a year")
}
