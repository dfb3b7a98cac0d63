//! Instructions to bytes and back.

use super::instruction::{Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::ObjectKey;
use crate::limits;
use crate::schema::{ClassSchema, Property};
use crate::value::{PrimaryKey, Value};

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
            out.u8(tag::CREATE_OBJECT);
            write_object(object, out);
            out.varint(fields.len() as u64);
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
        _ => return Err(input.invalid("an instruction")),
    })
}

fn write_object(object: &ObjectRef, out: &mut Writer) {
    out.varint(u64::from(object.class.0));
    match &object.id {
        ObjectId::Primary(key) => write_primary_key(key, out),
        ObjectId::Local(key) => {
            out.u8(16);
            out.varint(key.0);
        }
    }
}

fn read_object(input: &mut Reader<'_>) -> Result<ObjectRef, DecodeError> {
    let class = read_name(input)?;
    let kind = input.u8()?;
    let id = if kind == 16 {
        ObjectId::Local(ObjectKey(input.varint()?))
    } else {
        ObjectId::Primary(read_primary_key_of(kind, input)?)
    };
    Ok(ObjectRef { class, id })
}

/// Writes a primary key: its kind, then its value.
pub(crate) fn write_primary_key(key: &PrimaryKey, out: &mut Writer) {
    match key {
        PrimaryKey::Null => out.u8(0),
        PrimaryKey::Int(v) => {
            out.u8(1);
            out.signed(*v);
        }
        PrimaryKey::String(v) => {
            out.u8(2);
            out.string(v);
        }
        PrimaryKey::ObjectId(v) => {
            out.u8(3);
            out.raw(v);
        }
        PrimaryKey::Uuid(v) => {
            out.u8(4);
            out.raw(v);
        }
    }
}

/// Reads a primary key.
pub(crate) fn read_primary_key(input: &mut Reader<'_>) -> Result<PrimaryKey, DecodeError> {
    let kind = input.u8()?;
    read_primary_key_of(kind, input)
}

fn read_primary_key_of(kind: u8, input: &mut Reader<'_>) -> Result<PrimaryKey, DecodeError> {
    Ok(match kind {
        0 => PrimaryKey::Null,
        1 => PrimaryKey::Int(input.signed()?),
        2 => PrimaryKey::String(input.string(limits::VALUE_BYTES)?.to_string()),
        3 => PrimaryKey::ObjectId(input.array()?),
        4 => PrimaryKey::Uuid(input.array()?),
        _ => return Err(input.invalid("a primary key")),
    })
}

fn write_field(field: &Field, out: &mut Writer) {
    out.varint(u64::from(field.property.0) << 1 | u64::from(field.is_default));
    write_operand(&field.operand, out);
}

fn read_field(input: &mut Reader<'_>) -> Result<Field, DecodeError> {
    let head = input.varint()?;
    let property = u32::try_from(head >> 1).map_err(|_| input.invalid("a name"))?;
    Ok(Field { property: NameIndex(property), operand: read_operand(input)?, is_default: head & 1 == 1 })
}

fn write_operand(operand: &Operand, out: &mut Writer) {
    match operand {
        Operand::Value(value) => write_value(value, out),
        Operand::Link(object) => {
            out.u8(9);
            write_object(object, out);
        }
    }
}

/// Writes a value that is no link: its kind, then its bytes.
pub(crate) fn write_value(value: &Value, out: &mut Writer) {
    match value {
        Value::Null => out.u8(0),
        Value::Bool(v) => {
            out.u8(1);
            out.bool(*v);
        }
        Value::Int(v) => {
            out.u8(2);
            out.signed(*v);
        }
        Value::Double(v) => {
            out.u8(3);
            out.f64(*v);
        }
        Value::String(v) => {
            out.u8(4);
            out.string(v);
        }
        Value::Data(v) => {
            out.u8(5);
            out.run(v);
        }
        Value::Date(v) => {
            out.u8(6);
            out.signed(*v);
        }
        Value::ObjectId(v) => {
            out.u8(7);
            out.raw(v);
        }
        Value::Uuid(v) => {
            out.u8(8);
            out.raw(v);
        }
        Value::Link(key) => unreachable!("the link to {key:?} is written by name"),
    }
}

fn read_operand(input: &mut Reader<'_>) -> Result<Operand, DecodeError> {
    let kind = input.u8()?;
    Ok(if kind == 9 { Operand::Link(read_object(input)?) } else { Operand::Value(read_value_of(kind, input)?) })
}

/// Reads what [`write_value`] wrote.
pub(crate) fn read_value(input: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let kind = input.u8()?;
    read_value_of(kind, input)
}

fn read_value_of(kind: u8, input: &mut Reader<'_>) -> Result<Value, DecodeError> {
    Ok(match kind {
        0 => Value::Null,
        1 => Value::Bool(input.bool()?),
        2 => Value::Int(input.signed()?),
        3 => Value::Double(input.f64()?),
        4 => Value::String(input.string(limits::VALUE_BYTES)?.to_string()),
        5 => Value::Data(input.run(limits::VALUE_BYTES)?.to_vec()),
        6 => Value::Date(input.signed()?),
        7 => Value::ObjectId(input.array()?),
        8 => Value::Uuid(input.array()?),
        _ => return Err(input.invalid("a value")),
    })
}

fn write_list(object: &ObjectRef, property: NameIndex, out: &mut Writer) {
    write_object(object, out);
    out.varint(u64::from(property.0));
}

fn write_element(element: ElementRef, out: &mut Writer) {
    out.varint(u64::from(element.client));
    out.varint(element.sequence);
}

fn read_element(input: &mut Reader<'_>) -> Result<ElementRef, DecodeError> {
    Ok(ElementRef { client: read_index(input)?, sequence: input.varint()? })
}

fn read_name(input: &mut Reader<'_>) -> Result<NameIndex, DecodeError> {
    read_index(input).map(NameIndex)
}

fn read_index(input: &mut Reader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(input.varint()?).map_err(|_| input.invalid("a 32-bit number"))
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
                self.name(object.class) && fields.iter().all(|field| self.field(field))
            }
            Instruction::DeleteObject { object } => self.name(object.class),
            Instruction::Set { object, field } => self.name(object.class) && self.field(field),
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
        };
        if sound { Ok(()) } else { Err(input.invalid("references within the changeset's tables")) }
    }

    fn name(&self, name: NameIndex) -> bool {
        (name.0 as usize) < self.names
    }

    fn element(&self, element: ElementRef) -> bool {
        (element.client as usize) < self.clients
    }

    fn list(&self, object: &ObjectRef, property: NameIndex) -> bool {
        self.name(object.class) && self.name(property)
    }

    fn operand(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Value(_) => true,
            Operand::Link(object) => self.name(object.class),
        }
    }

    fn field(&self, field: &Field) -> bool {
        self.name(field.property) && self.operand(&field.operand)
    }
}
