//! The simulated world: devices with disks, tabs, clocks and networks, and a server, all from one seed under virtual time,
//! driving the engine, the connection, the store's rules and the server's rules that ship. docs/simulation.md tells what it
//! can do and what is checked.

mod check;
mod crash;
mod device;
mod edit;
mod end;
mod happen;
mod listener;
mod model;
mod network;
mod notes;
mod picture;
mod random;
mod run;
mod schema;
mod step;
mod tab;
mod world;

pub(crate) use check::check_claim;
pub use crash::{Crash, Script, Side, enumerate, scripts};
pub use edit::Focus;
pub use random::Random;
pub(crate) use run::catch;
pub use run::{Failure, Outcome, play, shrink};
pub use step::{Awaiting, DevicePlan, Fault, Manner, ServerStep, Step, Story, Weather, Where};
pub use world::{Telling, World};
