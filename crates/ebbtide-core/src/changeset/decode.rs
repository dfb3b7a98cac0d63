//! Instructions to bytes and back.

use super::instruction::{Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef};
use super::operand::{
    read_element, read_field, read_index, read_name, read_object, read_operand, write_element, write_field, write_list,
    write_object, write_operand,
};
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::schema::{ClassSchema, Property};

mod tag {
    pub const ADD_CLASS: u8 = 1;
    pub const ADD_PROPERTY: u8 = 2;
    pub const CREATE_OBJECT: u8 = 3;
    pub const DELETE_OBJECT: u8 = 4;
    pub const SET: u8 = 5;
    pub const LIST_INSERT: u8 = 6;
    pub const LIST_SET: u8 = 7;
    pub const LIST_MOVE: u8 = 8;
    pub const LIST_REMOVE: u8 = 9;
    pub const LIST_CLEAR: u8 = 10;
    pub const INCREMENT: u8 = 11;
    pub const SET_INSERT: u8 = 12;
    pub const SET_REMOVE: u8 = 13;
    pub const SET_CLEAR: u8 = 14;
    pub const DICTIONARY_SET: u8 = 15;
    pub const DICTIONARY_REMOVE: u8 = 16;
    pub const DICTIONARY_CLEAR: u8 = 17;
}

/// Reads the instructions of a changeset one by one.
#[derive(Debug)]
pub struct Instructions<'a> {
    input: Reader<'a>,
    left: u32,
}

impl Changeset {
    /// The instructions in order.
    pub fn instructions(&self) -> Instructions<'_> {
        Instructions { input: Reader::new(&self.body), left: self.count }
    }

    pub(super) fn check_body(&self) -> Result<(), DecodeError> {
        let mut input = Reader::new(&self.body);
        let bounds = Bounds { names: self.names.len(), clients: self.clients.len() };
        for _ in 0..self.count {
            let instruction = read(&mut input)?;
            bounds.check(&instruction, &input)?;
        }
        input.end()
    }
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        self.left = self.left.checked_sub(1)?;
        Some(read(&mut self.input).expect("the instructions were checked when they were decoded or built"))
    }
}

/// What comes before the fields of a creation.
pub(super) fn write_creation_head(object: &ObjectRef, fields: usize, out: &mut Writer) {
    out.u8(tag::CREATE_OBJECT);
    write_object(object, out);
    out.varint(fields as u64);
}

/// Writes an instruction.
pub(super) fn write(instruction: &Instruction, out: &mut Writer) {
    match instruction {
        Instruction::AddClass(class) => {
            out.u8(tag::ADD_CLASS);
            class.encode(out);
        }
        Instruction::AddProperty { class, property } => {
            out.u8(tag::ADD_PROPERTY);
            out.varint(u64::from(class.0));
            property.encode(out);
        }
        Instruction::CreateObject { object, fields } => {
            write_creation_head(object, fields.len(), out);
            for field in fields {
                write_field(field, out);
            }
        }
        Instruction::DeleteObject { object } => {
            out.u8(tag::DELETE_OBJECT);
            write_object(object, out);
        }
        Instruction::Set { object, field } => {
            out.u8(tag::SET);
            write_object(object, out);
            write_field(field, out);
        }
        Instruction::ListInsert { object, property, sequence, after, index, operand } => {
            out.u8(tag::LIST_INSERT);
            write_list(object, *property, out);
            out.varint(*sequence);
            out.option(*after, |out, after| write_element(after, out));
            out.varint(u64::from(*index));
            write_operand(operand, out);
        }
        Instruction::ListSet { object, property, element, operand } => {
            out.u8(tag::LIST_SET);
            write_list(object, *property, out);
            write_element(*element, out);
            write_operand(operand, out);
        }
        Instruction::ListMove { object, property, element, after, index } => {
            out.u8(tag::LIST_MOVE);
            write_list(object, *property, out);
            write_element(*element, out);
            out.option(*after, |out, after| write_element(after, out));
            out.varint(u64::from(*index));
        }
        Instruction::ListRemove { object, property, element } => {
            out.u8(tag::LIST_REMOVE);
            write_list(object, *property, out);
            write_element(*element, out);
        }
        Instruction::ListClear { object, property, elements } => {
            out.u8(tag::LIST_CLEAR);
            write_list(object, *property, out);
            out.varint(elements.len() as u64);
            for element in elements {
                write_element(*element, out);
            }
        }
        Instruction::Increment { object, property, by } => {
            out.u8(tag::INCREMENT);
            write_list(object, *property, out);
            out.signed(*by);
        }
        Instruction::SetInsert { object, property, operand } => {
            out.u8(tag::SET_INSERT);
            write_list(object, *property, out);
            write_operand(operand, out);
        }
        Instruction::SetRemove { object, property, operand } => {
            out.u8(tag::SET_REMOVE);
            write_list(object, *property, out);
            write_operand(operand, out);
        }
        Instruction::SetClear { object, property } => {
            out.u8(tag::SET_CLEAR);
            write_list(object, *property, out);
        }
        Instruction::DictionarySet { object, property, key, operand } => {
            out.u8(tag::DICTIONARY_SET);
            write_list(object, *property, out);
            out.string(key);
            write_operand(operand, out);
        }
        Instruction::DictionaryRemove { object, property, key } => {
            out.u8(tag::DICTIONARY_REMOVE);
            write_list(object, *property, out);
            out.string(key);
        }
        Instruction::DictionaryClear { object, property } => {
            out.u8(tag::DICTIONARY_CLEAR);
            write_list(object, *property, out);
        }
    }
}

fn read(input: &mut Reader<'_>) -> Result<Instruction, DecodeError> {
    Ok(match input.u8()? {
        tag::ADD_CLASS => Instruction::AddClass(ClassSchema::decode(input)?),
        tag::ADD_PROPERTY => Instruction::AddProperty { class: read_name(input)?, property: Property::decode(input)? },
        tag::CREATE_OBJECT => {
            let object = read_object(input)?;
            let count = input.count(limits::PROPERTIES)?;
            let fields = (0..count).map(|_| read_field(input)).collect::<Result<Vec<_>, _>>()?;
            Instruction::CreateObject { object, fields }
        }
        tag::DELETE_OBJECT => Instruction::DeleteObject { object: read_object(input)? },
        tag::SET => Instruction::Set { object: read_object(input)?, field: read_field(input)? },
        tag::LIST_INSERT => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            let sequence = input.varint()?;
            let after = input.option(read_element)?;
            let index = read_index(input)?;
            let operand = read_operand(input)?;
            Instruction::ListInsert { object, property, sequence, after, index, operand }
        }
        tag::LIST_SET => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            let element = read_element(input)?;
            Instruction::ListSet { object, property, element, operand: read_operand(input)? }
        }
        tag::LIST_MOVE => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            let element = read_element(input)?;
            let after = input.option(read_element)?;
            Instruction::ListMove { object, property, element, after, index: read_index(input)? }
        }
        tag::LIST_REMOVE => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            Instruction::ListRemove { object, property, element: read_element(input)? }
        }
        tag::LIST_CLEAR => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            let count = input.count(limits::LIST_ELEMENTS)?;
            let elements = (0..count).map(|_| read_element(input)).collect::<Result<Vec<_>, _>>()?;
            Instruction::ListClear { object, property, elements }
        }
        tag::INCREMENT => {
            Instruction::Increment { object: read_object(input)?, property: read_name(input)?, by: input.signed()? }
        }
        tag::SET_INSERT => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            Instruction::SetInsert { object, property, operand: read_operand(input)? }
        }
        tag::SET_REMOVE => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            Instruction::SetRemove { object, property, operand: read_operand(input)? }
        }
        tag::SET_CLEAR => Instruction::SetClear { object: read_object(input)?, property: read_name(input)? },
        tag::DICTIONARY_SET => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            let key = input.string(limits::KEY_BYTES)?.to_string();
            Instruction::DictionarySet { object, property, key, operand: read_operand(input)? }
        }
        tag::DICTIONARY_REMOVE => {
            let (object, property) = (read_object(input)?, read_name(input)?);
            Instruction::DictionaryRemove { object, property, key: input.string(limits::KEY_BYTES)?.to_string() }
        }
        tag::DICTIONARY_CLEAR => {
            Instruction::DictionaryClear { object: read_object(input)?, property: read_name(input)? }
        }
        _ => return Err(input.invalid("an instruction")),
    })
}

/// Checks that every reference leads somewhere.
struct Bounds {
    names: usize,
    clients: usize,
}

impl Bounds {
    fn check(&self, instruction: &Instruction, input: &Reader<'_>) -> Result<(), DecodeError> {
        let sound = match instruction {
            Instruction::AddClass(_) => true,
            Instruction::AddProperty { class, .. } => self.name(*class),
            Instruction::CreateObject { object, fields } => {
                self.object(object) && fields.iter().all(|field| self.field(field))
            }
            Instruction::DeleteObject { object } => self.object(object),
            Instruction::Set { object, field } => self.object(object) && self.field(field),
            Instruction::ListInsert { object, property, after, operand, .. } => {
                self.list(object, *property) && after.is_none_or(|after| self.element(after)) && self.operand(operand)
            }
            Instruction::ListSet { object, property, element, operand } => {
                self.list(object, *property) && self.element(*element) && self.operand(operand)
            }
            Instruction::ListMove { object, property, element, after, .. } => {
                self.list(object, *property) && self.element(*element) && after.is_none_or(|after| self.element(after))
            }
            Instruction::ListRemove { object, property, element } => {
                self.list(object, *property) && self.element(*element)
            }
            Instruction::ListClear { object, property, elements } => {
                self.list(object, *property) && elements.iter().all(|element| self.element(*element))
            }
            Instruction::SetInsert { object, property, operand }
            | Instruction::SetRemove { object, property, operand }
            | Instruction::DictionarySet { object, property, operand, .. } => {
                self.list(object, *property) && self.operand(operand)
            }
            Instruction::Increment { object, property, .. }
            | Instruction::SetClear { object, property }
            | Instruction::DictionaryRemove { object, property, .. }
            | Instruction::DictionaryClear { object, property } => self.list(object, *property),
        };
        if instruction.creates_in().is_some_and(|owner| owner.depth() >= limits::EMBEDDED_DEPTH) {
            return Err(input.invalid("embedded objects of a bounded depth"));
        }
        if sound { Ok(()) } else { Err(input.invalid("references within the changeset's tables")) }
    }

    fn name(&self, name: NameIndex) -> bool {
        (name.0 as usize) < self.names
    }

    fn element(&self, element: ElementRef) -> bool {
        (element.client as usize) < self.clients
    }

    fn object(&self, object: &ObjectRef) -> bool {
        self.name(object.class)
            && match &object.id {
                ObjectId::Primary(_) | ObjectId::Local(_) => true,
                ObjectId::Embedded { owner, property, slot, author, .. } => {
                    let slot = match slot {
                        SlotRef::Element(element) => self.element(*element),
                        SlotRef::Single | SlotRef::Key(_) => true,
                    };
                    slot && self.name(*property) && (*author as usize) < self.clients && self.object(owner)
                }
            }
    }

    fn list(&self, object: &ObjectRef, property: NameIndex) -> bool {
        self.object(object) && self.name(property)
    }

    fn operand(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Value(_) | Operand::New => true,
            Operand::Link(object) => self.object(object),
            Operand::Array(operands) => operands.iter().all(|operand| self.operand(operand)),
            Operand::Map(operands) => operands.iter().all(|(_, operand)| self.operand(operand)),
        }
    }

    fn field(&self, field: &Field) -> bool {
        self.name(field.property) && self.operand(&field.operand)
    }
}
