//! Properties that hold between the parts of the database: replicas, images, stores, change sets, resets.

mod convergence;
mod merge_rules;
mod stores;
mod world;
