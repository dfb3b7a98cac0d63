//! The hybrid logical clock that orders edits (Kulkarni et al., "Logical Physical Clocks", 2014): wall-clock milliseconds
//! in the upper 48 bits, a counter in the lower 16, never going backwards and never behind what was seen.

/// Milliseconds since the Unix epoch, as the edge measured them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Millis(pub u64);

/// The time of an edit: milliseconds << 16 | counter. Zero is "before any edit", the time of a default value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EditTime(pub u64);

impl EditTime {
    /// The wall-clock part.
    pub fn millis(self) -> Millis {
        Millis(self.0 >> 16)
    }
}

/// Draws edit times that only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    last: EditTime,
}

impl Clock {
    /// A clock that has seen `last`.
    pub fn at(last: EditTime) -> Clock {
        Clock { last }
    }

    /// The latest time drawn or observed.
    pub fn last(&self) -> EditTime {
        self.last
    }

    /// Draws a time later than all before it. At the end of time, where only a malicious peer leads, it stays.
    pub fn tick(&mut self, now: Millis) -> EditTime {
        let wall = EditTime(now.0 << 16);
        self.last = wall.max(EditTime(self.last.0.saturating_add(1)));
        self.last
    }

    /// Takes note of a time seen elsewhere, so that our next edit is later.
    pub fn observe(&mut self, seen: EditTime) {
        self.last = self.last.max(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_grow_when_the_wall_clock_goes_back() {
        let mut clock = Clock::default();
        let first = clock.tick(Millis(1_000));
        let second = clock.tick(Millis(10));
        assert!(second > first);
        assert_eq!(second.millis(), Millis(1_000));
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let mut clock = Clock::default();
        clock.observe(EditTime(u64::MAX));
        assert_eq!(clock.tick(Millis(1)), EditTime(u64::MAX));
    }

    #[test]
    fn an_observed_time_is_passed() {
        let mut clock = Clock::default();
        clock.observe(EditTime(5_000 << 16));
        assert!(clock.tick(Millis(1)) > EditTime(5_000 << 16));
    }
}
