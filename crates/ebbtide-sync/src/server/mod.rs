//! The server's side: what a history is made of, who may bind, what is integrated, what is sent to whom. All of it is
//! functions of values; a server (or a simulated one) reads and writes the values they speak of.
//!
//! ```text
//!   BIND    --> check_bind -----> Bind, or a Refusal with its code
//!   UPLOAD  --> Integration ----> Step --(made durable)--> Realm::advance --> ACKED, DOWNLOAD to the others
//! ```

mod bind;
mod download;
mod integrate;
mod realm;
mod record;
mod refusal;
mod reshape;
mod schema;
#[cfg(test)]
mod tests;

pub use bind::{Bind, BindRequest, BindRules, SchemaRule, Start, check_bind};
pub use download::entry_for;
pub use integrate::{Accepted, Integration, Step};
pub use realm::Realm;
pub use record::{Append, ClientRecord, HistoryEntry, Position, RealmRecord};
pub use refusal::Refusal;
pub use reshape::{ReshapeError, SchemaChange, reshape};
pub use schema::{schema_conflicts, schema_entry};
