//! Pauses between tries: doubled each time, with jitter, bounded in number.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::config::Patience;

/// The pauses of one operation.
#[derive(Debug)]
pub(crate) struct Backoff {
    patience: Patience,
    failures: u32,
}

impl Backoff {
    /// For an operation that has not failed yet.
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            patience,
            failures: 0,
        }
    }

    /// How long to wait before the next try, or none when there have been enough
    /// of them or the registry asks for more time than a caller would wait.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= self.patience.tries {
            return None;
        }
        if let Some(asked) = asked {
            return (asked <= self.patience.longest_pause).then_some(asked);
        }
        let doubled = self
            .patience
            .first_pause
            .saturating_mul(1_u32.checked_shl(self.failures - 1).unwrap_or(u32::MAX));
        Some(jittered(doubled.min(self.patience.longest_pause)))
    }

    /// Forgets the failures: the last try brought something.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
    }
}

/// Between half of `pause` and all of it, so that clients that failed together do
/// not come back together.
fn jittered(pause: Duration) -> Duration {
    // Each RandomState is keyed anew; that is random enough to spread clients.
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + (pause / 2).mul_f64(random as f64 / 1000.0)
}

/// The seconds of a `Retry-After` header. Its other form, a date, is not honoured:
/// our own pauses are used then.
pub(crate) fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
