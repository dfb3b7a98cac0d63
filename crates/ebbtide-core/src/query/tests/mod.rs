//! Tests of the query language: tables of queries, a naive evaluator to agree with, and text that is no query.

mod answers;
mod errors;
mod fixture;
mod fuzz;
mod naive;
mod naive_values;
mod table;
