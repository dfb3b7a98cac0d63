//! The one error of this program: a sentence for the person at the terminal.

use std::fmt;

/// What every fallible step returns.
pub type Outcome<T> = Result<T, Failure>;

/// A sentence that says what failed and what to do about it.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Wraps a finished sentence.
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Failure {
        Failure(sentence)
    }
}

/// Says what was being done when something below failed.
pub trait While<T> {
    /// Puts `doing` before the error's own words.
    fn while_doing(self, doing: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> While<T> for Result<T, E> {
    fn while_doing(self, doing: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{}: {error}", doing())))
    }
}
