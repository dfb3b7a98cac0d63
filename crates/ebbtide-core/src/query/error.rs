//! What is wrong with a query, and where.

use std::fmt;

/// Characters of a query that a message quotes at most.
const QUOTED_CHARS: usize = 400;

/// A query that cannot be parsed, or that does not fit the schema or its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryError {
    /// The whole message, ready to be shown.
    pub message: String,
    /// Where in the query's text, in bytes from its start.
    pub offset: usize,
}

impl QueryError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> QueryError {
        QueryError { message: message.into(), offset }
    }

    /// An error of grammar, which quotes the query.
    pub(super) fn syntax(text: &str, offset: usize, what: &str) -> QueryError {
        let mut quoted: String = text.chars().take(QUOTED_CHARS).collect();
        if quoted.len() < text.len() {
            quoted.push('…');
        }
        QueryError::new(offset, format!("Invalid predicate: '{quoted}': {what}"))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QueryError {}
