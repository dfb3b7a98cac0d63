//! A clock that may go back.

use ebbtide_core::Millis;

/// What a clock said last. If it goes back, all that waits for a time is to go back with it, or it would wait for hours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastTime(Millis);

impl LastTime {
    /// Takes note of the time and moves deadlines by as much as the clock has gone back.
    pub(crate) fn follow<'a>(&mut self, now: Millis, deadlines: impl IntoIterator<Item = &'a mut Millis>) {
        let back = self.0.0.saturating_sub(now.0);
        self.0 = now;
        if back > 0 {
            deadlines.into_iter().for_each(|deadline| deadline.0 = deadline.0.saturating_sub(back));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_follow_a_clock_that_goes_back_and_no_other() {
        let (mut clock, mut deadline) = (LastTime::default(), Millis(900));
        for (now, expected) in [(500, 900), (800, 900), (300, 400), (300, 400), (0, 100), (50, 100)] {
            clock.follow(Millis(now), [&mut deadline]);
            assert_eq!(deadline, Millis(expected), "at {now}");
        }
    }
}
