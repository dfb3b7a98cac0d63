//! The classes and functions that JavaScript sees: few and low-level, shaped for few crossings of the boundary.

mod app;
mod config;
