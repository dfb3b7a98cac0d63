//! How long to wait before trying again: 1 s doubled up to 5 min, of which a random half is taken off so that many
//! clients do not come back at the same moment.

use super::random::Draws;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 5 * 60 * 1_000;

/// The wait before the next attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets past failures.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How many failures there were in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// The wait after one more failure, in milliseconds, and no less than the other side asked for.
    pub(crate) fn fail(&mut self, draws: &mut Draws, asked_ms: u64) -> u64 {
        let whole = FIRST_MS.saturating_mul(1 << self.failures.min(20)).min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        let jittered = whole / 2 + draws.below(whole / 2 + 1);
        jittered.max(asked_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_are_jittered() {
        let (mut backoff, mut draws) = (Backoff::default(), Draws::new([1; 32]));
        for failure in 0..30_u32 {
            let whole = (1_000_u64 << failure.min(20)).min(300_000);
            let wait = backoff.fail(&mut draws, 0);
            assert!((whole / 2..=whole).contains(&wait), "wait {wait} after failure {failure}");
        }
        backoff.reset();
        assert!(backoff.fail(&mut draws, 0) <= 1_000);
        assert_eq!(backoff.fail(&mut draws, 60_000), 60_000);
    }
}
