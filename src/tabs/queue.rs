//! What one tab does at a time.

use super::locks::{self, Lock, Manner, Mode};

/// How long a tab waits for its turn. Whoever is before it may be frozen.
const WAIT_MS: u32 = 3_000;

/// The head of a queue; the next one's when dropped.
pub(crate) struct Queued {
    _lock: Option<Lock>,
}

impl Queued {
    /// Waits for the head of the queue of this name, but not for ever: nothing depends on having it. Without Web Locks nobody
    /// waits.
    pub(crate) async fn head(name: &str) -> Queued {
        if !locks::are_supported() {
            return Queued { _lock: None };
        }
        let request = locks::request(&format!("ebbtide:queue:{name}"), Mode::Exclusive, Manner::InTurn);
        Queued { _lock: request.within(WAIT_MS).await }
    }
}
