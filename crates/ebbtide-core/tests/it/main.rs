//! Properties that hold between the parts of the database: replicas, images, stores, change sets, resets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod change_sets;
mod convergence;
mod decoders;
mod golden;
mod merge_rules;
mod stores;
mod types_changes;
mod types_check;
mod types_convergence;
mod types_merge;
mod types_migration;
mod types_stores;
mod types_world;
mod world;
