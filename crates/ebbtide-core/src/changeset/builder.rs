//! Collects the instructions of a transaction.

use std::collections::BTreeMap;

use super::decode::{write, write_creation_head};
use super::instruction::{Changeset, Field, FieldSource, Instruction, NameIndex, ObjectRef, Operand};
use super::operand::{write_field_head, write_operand, write_value};
use crate::clock::EditTime;
use crate::codec::Writer;
use crate::ids::{ChainHash, ChangesetNumber, ClientId, ServerVersion};
use crate::value::ValueRef;

/// So many names are looked through one by one; of more there is an index.
const FEW_NAMES: usize = 16;

/// Collects instructions. Values set right after a creation become part of it.
#[derive(Clone, Debug)]
pub struct Builder {
    names: Vec<String>,
    /// Of no use while there are few.
    name_index: BTreeMap<String, NameIndex>,
    clients: Vec<ClientId>,
    count: u32,
    body: Writer,
    open: Option<(ObjectRef, Vec<Field>)>,
}

/// How far a builder was.
#[derive(Clone, Debug)]
pub struct Mark {
    names: usize,
    clients: usize,
    count: u32,
    bytes: usize,
    open: Option<(ObjectRef, Vec<Field>)>,
}

impl Builder {
    /// A builder for changesets of `client`.
    pub fn new(client: ClientId) -> Builder {
        Builder {
            names: Vec::new(),
            name_index: BTreeMap::new(),
            clients: vec![client],
            count: 0,
            body: Writer::new(),
            open: None,
        }
    }

    /// The index of a name.
    pub fn name(&mut self, name: &str) -> NameIndex {
        let known = if self.names.len() <= FEW_NAMES {
            self.names.iter().position(|known| known == name).map(|index| NameIndex(index as u32))
        } else {
            self.name_index.get(name).copied()
        };
        if let Some(index) = known {
            return index;
        }
        let index = NameIndex(self.names.len() as u32);
        self.names.push(name.to_string());
        let first = if self.names.len() == FEW_NAMES + 1 { 0 } else { index.0 as usize };
        if self.names.len() > FEW_NAMES {
            let numbered = self.names.iter().enumerate().skip(first);
            self.name_index.extend(numbered.map(|(index, name)| (name.clone(), NameIndex(index as u32))));
        }
        index
    }

    /// The index of a client.
    pub fn client(&mut self, client: ClientId) -> u32 {
        if let Some(index) = self.clients.iter().position(|known| *known == client) {
            return index as u32;
        }
        self.clients.push(client);
        (self.clients.len() - 1) as u32
    }

    /// Appends an instruction.
    pub fn push(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::CreateObject { object, fields } => {
                self.close();
                self.open = Some((object, fields));
            }
            Instruction::Set { object, field } => match &mut self.open {
                Some((created, fields)) if *created == object => {
                    fields.retain(|earlier| earlier.property != field.property);
                    fields.push(field);
                }
                _ => self.append(&Instruction::Set { object, field }),
            },
            other => self.append(&other),
        }
    }

    /// Appends a creation; it must be followed by so many calls of [`Builder::push_field`], and nothing else is added to it.
    pub fn push_creation(&mut self, object: &ObjectRef, fields: usize) {
        self.close();
        write_creation_head(object, fields, &mut self.body);
        self.count += 1;
    }

    /// Appends a field with a value that is no link to the creation that was just begun.
    pub fn push_field(&mut self, property: NameIndex, source: FieldSource, value: ValueRef<'_>) {
        write_field_head(property, source == FieldSource::Default, &mut self.body);
        write_value(value, &mut self.body);
    }

    /// Appends a field with an operand.
    pub fn push_operand(&mut self, property: NameIndex, source: FieldSource, operand: &Operand) {
        write_field_head(property, source == FieldSource::Default, &mut self.body);
        write_operand(operand, &mut self.body);
    }

    /// How far it is now.
    pub fn mark(&self) -> Mark {
        Mark {
            names: self.names.len(),
            clients: self.clients.len(),
            count: self.count,
            bytes: self.body.len(),
            open: self.open.clone(),
        }
    }

    /// Forgets the instructions since a mark.
    pub fn rewind(&mut self, mark: Mark) {
        for name in self.names.drain(mark.names..) {
            self.name_index.remove(&name);
        }
        self.clients.truncate(mark.clients);
        self.count = mark.count;
        self.body.truncate(mark.bytes);
        self.open = mark.open;
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.count as usize + usize::from(self.open.is_some())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The changeset.
    pub fn finish(
        mut self,
        number: ChangesetNumber,
        base: ServerVersion,
        parent: ChainHash,
        time: EditTime,
    ) -> Changeset {
        self.close();
        Changeset {
            client: self.clients[0],
            number,
            base,
            parent,
            time,
            names: self.names,
            clients: self.clients,
            count: self.count,
            body: self.body.into_bytes(),
        }
    }

    fn append(&mut self, instruction: &Instruction) {
        self.close();
        write(instruction, &mut self.body);
        self.count += 1;
    }

    fn close(&mut self) {
        if let Some((object, fields)) = self.open.take() {
            write(&Instruction::CreateObject { object, fields }, &mut self.body);
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_index_however_many_there_are_and_whatever_is_taken_back() {
        let mut builder = Builder::new(ClientId::default());
        let name = |number: usize| format!("name {number}");
        for round in 0..3 {
            let mark = builder.mark();
            let kept = mark.names;
            for number in 0..3 * FEW_NAMES {
                assert_eq!(builder.name(&name(number)), NameIndex(number as u32), "in round {round}");
                assert_eq!(builder.name(&name(number / 2)), NameIndex((number / 2) as u32));
            }
            builder.rewind(mark);
            assert_eq!(builder.names.len(), kept);
            builder.name(&name(kept));
        }
    }
}
