//! Moves changesets that only their author has seen to another place in its chain, or to another author's: what others
//! have appended to the store meanwhile goes before them.

use std::collections::BTreeMap;

use super::decode::write;
use super::instruction::{Changeset, ElementRef, Field, Instruction, ObjectId, ObjectRef, Operand, SlotRef};
use crate::clock::EditTime;
use crate::codec::Writer;
use crate::ids::{ChainHash, ChangesetNumber, ClientId, ServerVersion};
use crate::mutants::{Mutant, mutant};
use crate::objects::ElementId;

/// From where to where changesets move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renumbering {
    /// Whose they were.
    pub from: ClientId,
    /// The number of the changeset after which they stood.
    pub after: ChangesetNumber,
    /// Whose they become.
    pub to: ClientId,
    /// The number of the changeset after which they will stand.
    pub to_after: ChangesetNumber,
    /// The version of the history that they are to be based on from now on, if that is another.
    pub base: Option<ServerVersion>,
    /// When each of them was made, and when it is to have been made from now on.
    pub times: BTreeMap<EditTime, EditTime>,
}

impl Renumbering {
    /// The number that becomes of one.
    pub fn number(&self, number: ChangesetNumber) -> ChangesetNumber {
        if number > self.after { ChangesetNumber(number.0 - self.after.0 + self.to_after.0) } else { number }
    }

    fn sequence(&self, sequence: u64) -> u64 {
        if mutant(Mutant::ElementsKeepNames) {
            return sequence;
        }
        let (changeset, position) = ElementId::origin_of(sequence);
        ElementId::sequence_of(self.number(changeset), position)
    }
}

impl Changeset {
    /// The same changes at another place of a chain. What they say of elements and embedded objects that were made by
    /// changesets that move, too, follows these.
    pub fn renumbered(&self, renumbering: &Renumbering, parent: ChainHash) -> Changeset {
        let mut moved = Moved { renumbering, clients: self.clients.clone(), former: 0 };
        if renumbering.to != renumbering.from {
            moved.clients[0] = renumbering.to;
            moved.former = moved.clients.len() as u32;
            moved.clients.push(renumbering.from);
        }
        let mut body = Writer::new();
        for mut instruction in self.instructions() {
            moved.instruction(&mut instruction);
            write(&instruction, &mut body);
        }
        Changeset {
            client: renumbering.to,
            number: renumbering.number(self.number),
            base: renumbering.base.unwrap_or(self.base),
            parent,
            time: renumbering.times.get(&self.time).copied().unwrap_or(self.time),
            names: self.names.clone(),
            clients: moved.clients,
            count: self.count,
            body: body.into_bytes(),
        }
    }
}

struct Moved<'a> {
    renumbering: &'a Renumbering,
    /// The changeset's table of clients: the author first.
    clients: Vec<ClientId>,
    /// Where the author is that it had before.
    former: u32,
}

impl Moved<'_> {
    fn instruction(&self, instruction: &mut Instruction) {
        match instruction {
            Instruction::AddClass(_) | Instruction::AddProperty { .. } => {}
            Instruction::CreateObject { object, fields } => {
                self.object(object);
                fields.iter_mut().for_each(|field| self.field(field));
            }
            Instruction::DeleteObject { object }
            | Instruction::Increment { object, .. }
            | Instruction::SetClear { object, .. }
            | Instruction::DictionaryRemove { object, .. }
            | Instruction::DictionaryClear { object, .. } => self.object(object),
            Instruction::Set { object, field } => {
                self.object(object);
                self.field(field);
            }
            Instruction::ListInsert { object, sequence, after, operand, .. } => {
                self.object(object);
                *sequence = self.renumbering.sequence(*sequence);
                after.iter_mut().for_each(|after| self.element(after));
                self.operand(operand);
            }
            Instruction::ListSet { object, element, operand, .. } => {
                self.object(object);
                self.element(element);
                self.operand(operand);
            }
            Instruction::ListMove { object, element, after, .. } => {
                self.object(object);
                self.element(element);
                after.iter_mut().for_each(|after| self.element(after));
            }
            Instruction::ListRemove { object, element, .. } => {
                self.object(object);
                self.element(element);
            }
            Instruction::ListClear { object, elements, .. } => {
                self.object(object);
                elements.iter_mut().for_each(|element| self.element(element));
            }
            Instruction::SetInsert { object, operand, .. }
            | Instruction::SetRemove { object, operand, .. }
            | Instruction::DictionarySet { object, operand, .. } => {
                self.object(object);
                self.operand(operand);
            }
        }
    }

    fn element(&self, element: &mut ElementRef) {
        if element.client != 0 {
            return;
        }
        if ElementId::origin_of(element.sequence).0 > self.renumbering.after {
            element.sequence = self.renumbering.sequence(element.sequence);
        } else {
            element.client = self.former;
        }
    }

    fn object(&self, object: &mut ObjectRef) {
        let ObjectId::Embedded { owner, slot, created, author, .. } = &mut object.id else { return };
        self.object(owner);
        if let SlotRef::Element(element) = slot {
            self.element(element);
        }
        if *author == 0 {
            match self.renumbering.times.get(created) {
                Some(time) => *created = *time,
                None => *author = self.former,
            }
        }
    }

    fn field(&self, field: &mut Field) {
        self.operand(&mut field.operand);
    }

    fn operand(&self, operand: &mut Operand) {
        match operand {
            Operand::Value(_) | Operand::New => {}
            Operand::Link(object) => self.object(object),
            Operand::Array(operands) => operands.iter_mut().for_each(|operand| self.operand(operand)),
            Operand::Map(operands) => operands.iter_mut().for_each(|(_, operand)| self.operand(operand)),
        }
    }
}
