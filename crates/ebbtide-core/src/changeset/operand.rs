//! Objects, values and fields to bytes and back.

use super::instruction::{ElementRef, Field, NameIndex, ObjectId, ObjectRef, Operand, SlotRef};
use std::collections::BTreeMap;

use crate::clock::EditTime;
use crate::codec::{DecodeError, Reader, Writer};
use crate::decimal::Decimal;
use crate::ids::{ClassIndex, ObjectKey};
use crate::limits;
use crate::value::{PrimaryKey, Value, ValueRef};

pub(super) fn write_object(object: &ObjectRef, out: &mut Writer) {
    out.varint(u64::from(object.class.0));
    match &object.id {
        ObjectId::Primary(key) => write_primary_key(key, out),
        ObjectId::Local(key) => {
            out.u8(16);
            out.varint(key.0);
        }
        ObjectId::Embedded { owner, property, slot, created, author } => {
            match slot {
                SlotRef::Single => out.u8(17),
                SlotRef::Element(element) => {
                    out.u8(18);
                    write_element(*element, out);
                }
                SlotRef::Key(key) => {
                    out.u8(19);
                    out.string(key);
                }
            }
            out.varint(created.0);
            out.varint(u64::from(*author));
            out.varint(u64::from(property.0));
            write_object(owner, out);
        }
    }
}

pub(super) fn read_object(input: &mut Reader<'_>) -> Result<ObjectRef, DecodeError> {
    read_object_in(input, limits::EMBEDDED_DEPTH)
}

fn read_object_in(input: &mut Reader<'_>, owners_left: usize) -> Result<ObjectRef, DecodeError> {
    let class = read_name(input)?;
    let kind = input.u8()?;
    let slot = match kind {
        16 => return Ok(ObjectRef { class, id: ObjectId::Local(ObjectKey(input.varint()?)) }),
        17 => SlotRef::Single,
        18 => SlotRef::Element(read_element(input)?),
        19 => SlotRef::Key(input.string(limits::KEY_BYTES)?.to_string()),
        _ => return Ok(ObjectRef { class, id: ObjectId::Primary(read_primary_key_of(kind, input)?) }),
    };
    let Some(owners_left) = owners_left.checked_sub(1) else {
        return Err(input.invalid("embedded objects of a bounded depth"));
    };
    let created = EditTime(input.varint()?);
    let author = read_index(input)?;
    let property = read_name(input)?;
    let owner = Box::new(read_object_in(input, owners_left)?);
    Ok(ObjectRef { class, id: ObjectId::Embedded { owner, property, slot, created, author } })
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

pub(super) fn write_field(field: &Field, out: &mut Writer) {
    write_field_head(field.property, field.is_default, out);
    write_operand(&field.operand, out);
}

/// What comes before a field's operand.
pub(super) fn write_field_head(property: NameIndex, is_default: bool, out: &mut Writer) {
    out.varint(u64::from(property.0) << 1 | u64::from(is_default));
}

pub(super) fn read_field(input: &mut Reader<'_>) -> Result<Field, DecodeError> {
    let head = input.varint()?;
    let property = u32::try_from(head >> 1).map_err(|_| input.invalid("a name"))?;
    Ok(Field { property: NameIndex(property), operand: read_operand(input)?, is_default: head & 1 == 1 })
}

pub(super) fn write_operand(operand: &Operand, out: &mut Writer) {
    match operand {
        Operand::Value(value) => write_value(value.as_ref(), out),
        Operand::Link(object) => {
            out.u8(9);
            write_object(object, out);
        }
        Operand::Array(operands) => {
            out.u8(12);
            out.varint(operands.len() as u64);
            for operand in operands {
                write_operand(operand, out);
            }
        }
        Operand::Map(operands) => {
            out.u8(13);
            out.varint(operands.len() as u64);
            for (key, operand) in operands {
                out.string(key);
                write_operand(operand, out);
            }
        }
        Operand::New => out.u8(14),
    }
}

/// Writes a value that is no link of a link property: its kind, then its bytes. The links in a mixed are written by class
/// and key, which only pages may.
pub(crate) fn write_value(value: ValueRef<'_>, out: &mut Writer) {
    match value {
        ValueRef::Null => out.u8(0),
        ValueRef::Bool(v) => {
            out.u8(1);
            out.bool(v);
        }
        ValueRef::Int(v) => {
            out.u8(2);
            out.signed(v);
        }
        ValueRef::Double(v) => {
            out.u8(3);
            out.f64(v);
        }
        ValueRef::String(v) => {
            out.u8(4);
            out.string(v);
        }
        ValueRef::Data(v) => {
            out.u8(5);
            out.run(v);
        }
        ValueRef::Date(v) => {
            out.u8(6);
            out.signed(v);
        }
        ValueRef::ObjectId(v) => {
            out.u8(7);
            out.raw(&v);
        }
        ValueRef::Uuid(v) => {
            out.u8(8);
            out.raw(&v);
        }
        ValueRef::Float(v) => {
            out.u8(10);
            out.u32(v.to_bits());
        }
        ValueRef::Decimal(v) => {
            out.u8(11);
            out.raw(&v.0);
        }
        ValueRef::Array(values) => {
            out.u8(12);
            out.varint(values.len() as u64);
            for value in values {
                write_value(value.as_ref(), out);
            }
        }
        ValueRef::Map(values) => {
            out.u8(13);
            out.varint(values.len() as u64);
            for (key, value) in values {
                out.string(key);
                write_value(value.as_ref(), out);
            }
        }
        ValueRef::TypedLink(class, key) => {
            out.u8(15);
            out.varint(u64::from(class.0));
            out.varint(key.0);
        }
        ValueRef::Link(_) | ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => {
            unreachable!("{value:?} is written in another way")
        }
    }
}

pub(super) fn read_operand(input: &mut Reader<'_>) -> Result<Operand, DecodeError> {
    read_operand_in(input, limits::NESTED_COLLECTIONS)
}

fn read_operand_in(input: &mut Reader<'_>, depth_left: usize) -> Result<Operand, DecodeError> {
    let too_deep = |input: &Reader<'_>| input.invalid("collections of a bounded depth");
    Ok(match input.u8()? {
        9 => Operand::Link(read_object(input)?),
        12 => {
            let depth_left = depth_left.checked_sub(1).ok_or_else(|| too_deep(input))?;
            let count = input.count(limits::LIST_ELEMENTS)?;
            Operand::Array((0..count).map(|_| read_operand_in(input, depth_left)).collect::<Result<_, _>>()?)
        }
        13 => {
            let depth_left = depth_left.checked_sub(1).ok_or_else(|| too_deep(input))?;
            let count = input.count(limits::LIST_ELEMENTS)?;
            let mut operands: Vec<(String, Operand)> = Vec::new();
            for _ in 0..count {
                let key = input.string(limits::KEY_BYTES)?.to_string();
                if operands.last().is_some_and(|(last, _)| *last >= key) {
                    return Err(input.invalid("ascending keys"));
                }
                operands.push((key, read_operand_in(input, depth_left)?));
            }
            Operand::Map(operands)
        }
        14 => Operand::New,
        kind => Operand::Value(read_plain(kind, input)?),
    })
}

/// Reads what [`write_value`] wrote.
pub(crate) fn read_value(input: &mut Reader<'_>) -> Result<Value, DecodeError> {
    read_value_in(input, limits::NESTED_COLLECTIONS)
}

fn read_value_in(input: &mut Reader<'_>, depth_left: usize) -> Result<Value, DecodeError> {
    let too_deep = |input: &Reader<'_>| input.invalid("collections of a bounded depth");
    Ok(match input.u8()? {
        12 => {
            let depth_left = depth_left.checked_sub(1).ok_or_else(|| too_deep(input))?;
            let count = input.count(limits::LIST_ELEMENTS)?;
            Value::Array((0..count).map(|_| read_value_in(input, depth_left)).collect::<Result<_, _>>()?)
        }
        13 => {
            let depth_left = depth_left.checked_sub(1).ok_or_else(|| too_deep(input))?;
            let count = input.count(limits::LIST_ELEMENTS)?;
            let mut values: BTreeMap<String, Value> = BTreeMap::new();
            for _ in 0..count {
                let key = input.string(limits::KEY_BYTES)?.to_string();
                if values.last_key_value().is_some_and(|(last, _)| *last >= key) {
                    return Err(input.invalid("ascending keys"));
                }
                values.insert(key, read_value_in(input, depth_left)?);
            }
            Value::Map(values)
        }
        15 => {
            let class = ClassIndex(read_index(input)?);
            Value::TypedLink(class, ObjectKey(input.varint()?))
        }
        kind => read_plain(kind, input)?,
    })
}

fn read_plain(kind: u8, input: &mut Reader<'_>) -> Result<Value, DecodeError> {
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
        10 => Value::Float(f32::from_bits(input.u32()?)),
        11 => Value::Decimal(Decimal(input.array()?)),
        _ => return Err(input.invalid("a value")),
    })
}

pub(super) fn write_list(object: &ObjectRef, property: NameIndex, out: &mut Writer) {
    write_object(object, out);
    out.varint(u64::from(property.0));
}

pub(super) fn write_element(element: ElementRef, out: &mut Writer) {
    out.varint(u64::from(element.client));
    out.varint(element.sequence);
}

pub(super) fn read_element(input: &mut Reader<'_>) -> Result<ElementRef, DecodeError> {
    Ok(ElementRef { client: read_index(input)?, sequence: input.varint()? })
}

pub(super) fn read_name(input: &mut Reader<'_>) -> Result<NameIndex, DecodeError> {
    read_index(input).map(NameIndex)
}

pub(super) fn read_index(input: &mut Reader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(input.varint()?).map_err(|_| input.invalid("a 32-bit number"))
}
