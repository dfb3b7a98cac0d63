//! Changesets: what one transaction of one client did, as instructions that name things and not positions.

mod builder;
mod decode;
mod instruction;
mod operand;
mod renumber;

pub use builder::{Builder, Mark};
pub use decode::Instructions;
pub use instruction::{
    Changeset, ElementRef, Field, FieldSource, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef,
};
pub(crate) use operand::{read_primary_key, read_value, write_primary_key, write_value};
pub use renumber::Renumbering;
