//! Changesets: what one transaction of one client did, as instructions that name things and not positions.

mod builder;
mod decode;
mod instruction;

pub use builder::Builder;
pub use decode::Instructions;
pub(crate) use decode::{read_primary_key, read_value, write_primary_key, write_value};
pub use instruction::{Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand};
