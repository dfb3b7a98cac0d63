//! The query language: text to tree ([`parse`]), tree to plan ([`compile`]), plan and snapshot to objects ([`Plan`]).
//!
//! `docs/query.md` describes the language, what is evaluated, and the rules of comparison and order.
//!
//! ```text
//!   text ── lexer, literal ──> tokens ── parser, path ──> ast::Query ── compile, resolve, types ──> Plan
//!   Plan ── columns (a page at a time) and rows (one at a time) ──> keys ── sort ──> keys
//! ```

mod argument;
mod ast;
mod columns;
mod compare;
mod compile;
mod describe;
mod error;
mod fold;
mod fulltext;
mod geo;
mod kinds;
mod lexer;
mod literal;
mod lookup;
mod names;
mod operands;
mod parser;
mod path;
mod plan;
mod resolve;
mod rows;
mod shape;
mod sort;
mod sphere;
mod suffix;
mod tail;
mod text;
mod types;
mod walk;

#[cfg(test)]
mod tests;

pub use argument::Argument;
pub use ast::{Aggregate, Direction, Query};
pub use compile::compile;
pub use error::QueryError;
pub use geo::{GeoPoint, GeoShape};
pub use names::{Named, Names};
pub use parser::{PATH_STEPS, QUERY_BYTES, QUERY_DEPTH, parse};
pub use plan::{Dependencies, Plan};
pub use sort::{Fold, Order, aggregate};
