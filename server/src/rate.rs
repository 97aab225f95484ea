//! A limit on how often something may happen in a minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts what happened in the last minute.
#[derive(Debug)]
pub(crate) struct Rate {
    most: usize,
    times: Mutex<VecDeque<Instant>>,
}

impl Rate {
    /// At most `most` times a minute.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            times: Mutex::default(),
        }
    }

    /// Counts one more, unless the minute is full.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        while times
            .front()
            .is_some_and(|first| now.duration_since(*first) >= MINUTE)
        {
            times.pop_front();
        }
        let allowed = times.len() < self.most;
        if allowed {
            times.push_back(now);
        }
        allowed
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_minute_refuses_until_the_first_is_a_minute_old() {
        let (rate, start) = (Rate::new(2), Instant::now());
        assert!(rate.allows(start) && rate.allows(start + Duration::from_secs(1)));
        assert!(!rate.allows(start + Duration::from_secs(59)));
        assert!(rate.allows(start + Duration::from_secs(60)));
        assert!(!rate.allows(start + Duration::from_secs(60)));
    }
}
