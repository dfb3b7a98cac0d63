//! The client reset as a function of values: a replica and a fresh state of the server give a new replica, of which all
//! that did not differ keeps its pages and keys. docs/reset.md tells the whole procedure.

mod plan;
mod transfer;

pub use plan::{ClassReport, Plan, Report, Takeover, check_schema, plan};
pub use transfer::transfer;
