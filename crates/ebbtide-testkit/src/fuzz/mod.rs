//! Fuzzing on the stable toolchain: valid bytes, messages and texts, changed by chance, given to everything that reads what
//! comes from outside. An error or an answer, never a panic, and never memory without bound.

mod bytes;
mod corpus;
mod sessions;

use std::fmt;

pub use corpus::Corpus;

use crate::sim::{Failure, Random, catch};

/// What is fuzzed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Changesets: decoding, checking, applying.
    Changeset,
    /// A store with one record changed: head, root, reset record, pages, log, staging.
    Store,
    /// Images: what a first download or a reset brings.
    Image,
    /// Messages of the protocol, both ways.
    Wire,
    /// Queries.
    Query,
    /// An engine that is told anything.
    Client,
    /// The server's rules that are told anything.
    Server,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 7] =
        [Target::Changeset, Target::Store, Target::Image, Target::Wire, Target::Query, Target::Client, Target::Server];
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format!("{self:?}").to_lowercase())
    }
}

/// Gives a target one input, drawn from a number; the same number gives the same again.
pub fn fuzz(corpus: &Corpus, target: Target, number: u64) -> Option<Failure> {
    catch(|| {
        let random = &mut Random::new(number);
        match target {
            Target::Changeset => bytes::changeset(corpus, random),
            Target::Store => bytes::store(corpus, random),
            Target::Image => bytes::image(corpus, random),
            Target::Wire => bytes::wire(corpus, random),
            Target::Query => bytes::query(corpus, random),
            Target::Client => sessions::client(corpus, random),
            Target::Server => sessions::server(corpus, random),
        }
    })
}
