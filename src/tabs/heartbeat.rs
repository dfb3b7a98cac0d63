//! Whether the leader still answers. Only a tab that waits for the server wants to know.
//!
//! ```text
//!               heard                      not heard          not heard
//!   Quiet --ping--> Asked --------> Asked ----------> Missed ----------> steal
//!     ^               | heard         (later and later while answers come)
//!     +---------------+--- nothing waits any more
//! ```

/// How long the leader has for an answer.
const ANSWER_MS: u32 = 3_000;
/// The longest pause between two pings to a leader that answers.
const PAUSE_MS_MAX: u32 = 24_000;
/// So many pings without an answer, and the lead is taken away.
const MISSED_MAX: u32 = 2;

/// What to do about the leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beat {
    /// Ask whether it is there, and come back after so long.
    Ping { wait_ms: u32 },
    /// Take the lead away from it.
    Steal,
}

/// What is known of the leader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    asked: bool,
    heard: bool,
    missed: u32,
    wait_ms: u32,
}

impl Default for Heartbeat {
    fn default() -> Heartbeat {
        Heartbeat { asked: false, heard: false, missed: 0, wait_ms: ANSWER_MS }
    }
}

impl Heartbeat {
    /// The leader has said something.
    pub(super) fn heard(&mut self) {
        self.heard = true;
        self.missed = 0;
    }

    /// How many pings have had no answer.
    pub(super) fn missed(&self) -> u32 {
        self.missed
    }

    /// The next beat.
    pub(super) fn beat(&mut self) -> Beat {
        let heard = std::mem::take(&mut self.heard);
        match (self.asked, heard) {
            (true, true) => self.wait_ms = (self.wait_ms * 2).min(PAUSE_MS_MAX),
            (true, false) => {
                self.missed += 1;
                self.wait_ms = ANSWER_MS;
            }
            (false, _) => self.wait_ms = ANSWER_MS,
        }
        if self.missed >= MISSED_MAX {
            *self = Heartbeat::default();
            return Beat::Steal;
        }
        self.asked = true;
        Beat::Ping { wait_ms: self.wait_ms }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    const PING: Beat = Beat::Ping { wait_ms: ANSWER_MS };

    #[wasm_bindgen_test]
    fn a_leader_that_twice_does_not_answer_loses_the_lead() {
        let mut heartbeat = Heartbeat::default();
        assert_eq!([heartbeat.beat(), heartbeat.beat(), heartbeat.beat()], [PING, PING, Beat::Steal]);
        assert_eq!(heartbeat.beat(), PING);
    }

    #[wasm_bindgen_test]
    fn a_leader_that_answers_keeps_it_and_is_asked_less_often() {
        let mut heartbeat = Heartbeat::default();
        let mut waits_ms = Vec::new();
        for _ in 0..6 {
            let Beat::Ping { wait_ms } = heartbeat.beat() else { panic!("the lead was stolen") };
            waits_ms.push(wait_ms);
            heartbeat.heard();
        }
        assert_eq!(waits_ms, [3_000, 6_000, 12_000, 24_000, 24_000, 24_000]);
        // One answer that is missing is not two.
        heartbeat.beat();
        assert_eq!((heartbeat.beat(), heartbeat.missed()), (PING, 1));
        heartbeat.heard();
        assert_eq!(heartbeat.beat(), Beat::Ping { wait_ms: 6_000 });
        assert_eq!(heartbeat.missed(), 0);
    }
}
