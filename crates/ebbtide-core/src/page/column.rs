//! One column of a page as bytes.

use std::sync::Arc;

use crate::changeset::{read_value, write_value};
use crate::clock::EditTime;
use crate::codec::{DecodeError, Reader, Writer};
use crate::decimal::Decimal;
use crate::ids::{ObjectKey, ServerVersion};
use crate::limits;
use crate::objects::{
    AuthorIndex, Bits, Chunks, Column, ColumnData, Dictionary, Element, ElementId, Entry, Fixed, List, Renewal, Runs,
    Set, SetElement, Stamp, ascends,
};
use crate::schema::{Property, PropertyType};
use crate::value::{Value, ValueRef};

/// Writes a column of `rows` values.
pub(super) fn encode(column: &Column, rows: usize, out: &mut Writer) {
    write_bits(&column.unset, out);
    match &column.stamps {
        None => out.u8(0),
        Some(stamps) => {
            out.u8(1);
            write_stamps(stamps, out);
        }
    }
    match &column.data {
        ColumnData::Bool(c) => write_fixed(c, out, |out, v| out.bool(*v)),
        ColumnData::Int(c) | ColumnData::Date(c) => write_fixed(c, out, |out, v| out.signed(*v)),
        ColumnData::Float(c) => write_fixed(c, out, |out, v| out.u32(v.to_bits())),
        ColumnData::Double(c) => write_fixed(c, out, |out, v| out.f64(*v)),
        ColumnData::Decimal(c) => write_fixed(c, out, |out, v| out.raw(&v.0)),
        ColumnData::Mixed(c) => c.iter().for_each(|value| write_value(value.as_ref(), out)),
        ColumnData::ObjectId(c) => write_fixed(c, out, |out, v| out.raw(v)),
        ColumnData::Uuid(c) => write_fixed(c, out, |out, v| out.raw(v)),
        ColumnData::Link(c) => write_fixed(c, out, |out, v| out.varint(*v)),
        ColumnData::String(c) | ColumnData::Data(c) => {
            write_bits(c.nulls(), out);
            for row in 0..rows {
                out.run(c.get(row).unwrap_or_default());
            }
        }
        ColumnData::List(lists) => {
            for list in lists {
                write_list(list, out);
            }
        }
        ColumnData::Set(sets) => {
            for set in sets {
                write_set_elements(&set.elements, out);
                write_set_elements(&set.removed, out);
                out.option(set.cleared, |out, cleared| write_stamp(cleared, out));
            }
        }
        ColumnData::Dictionary(dictionaries) => {
            for dictionary in dictionaries {
                write_dictionary(dictionary, out);
            }
        }
    }
}

/// Reads a column of `rows` values of a property; `authors` is how many authors there are.
pub(super) fn decode(
    property: &Property,
    rows: usize,
    authors: usize,
    input: &mut Reader<'_>,
) -> Result<Column, DecodeError> {
    let mut column = Column::new(property);
    column.unset = read_bits(input)?;
    column.stamps = input.option(|input| read_stamps(rows, authors, input))?;
    match &mut column.data {
        ColumnData::Bool(c) => *c = read_fixed(property, rows, input, |input| input.bool())?,
        ColumnData::Int(c) | ColumnData::Date(c) => *c = read_fixed(property, rows, input, |input| input.signed())?,
        ColumnData::Float(c) => *c = read_fixed(property, rows, input, |input| input.u32().map(f32::from_bits))?,
        ColumnData::Double(c) => *c = read_fixed(property, rows, input, |input| input.f64())?,
        ColumnData::Decimal(c) => *c = read_fixed(property, rows, input, |input| input.array().map(Decimal))?,
        ColumnData::Mixed(c) => {
            for _ in 0..rows {
                c.push(read_element_value(property, input)?);
            }
        }
        ColumnData::ObjectId(c) => *c = read_fixed(property, rows, input, |input| input.array())?,
        ColumnData::Uuid(c) => *c = read_fixed(property, rows, input, |input| input.array())?,
        ColumnData::Link(c) => *c = read_fixed(property, rows, input, |input| input.varint())?,
        ColumnData::String(c) => *c = read_runs(property, rows, input, Text::Utf8)?,
        ColumnData::Data(c) => *c = read_runs(property, rows, input, Text::Bytes)?,
        ColumnData::List(lists) => {
            for _ in 0..rows {
                lists.push(Arc::new(read_list(property, authors, input)?));
            }
        }
        ColumnData::Set(sets) => {
            for _ in 0..rows {
                let elements = read_set_elements(property, authors, input)?;
                let removed = read_set_elements(property, authors, input)?;
                let cleared = input.option(|input| read_stamp(authors, input))?;
                sets.push(Arc::new(Set { elements, removed, cleared }));
            }
        }
        ColumnData::Dictionary(dictionaries) => {
            for _ in 0..rows {
                dictionaries.push(Arc::new(read_dictionary(property, authors, input)?));
            }
        }
    }
    Ok(column)
}

/// Writes the stamps of rows as runs of equal ones: count, time, author.
pub(super) fn write_stamps(stamps: &[Stamp], out: &mut Writer) {
    let mut rest = stamps;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|stamp| *stamp == first).count();
        out.varint(run as u64);
        write_stamp(*first, out);
        rest = &rest[run..];
    }
}

/// Reads the stamps of `rows` rows.
pub(super) fn read_stamps(rows: usize, authors: usize, input: &mut Reader<'_>) -> Result<Vec<Stamp>, DecodeError> {
    let mut stamps = Vec::with_capacity(rows);
    while stamps.len() < rows {
        let run = input.varint()?;
        if run == 0 || run > (rows - stamps.len()) as u64 {
            return Err(input.invalid("a run of stamps within the rows"));
        }
        let stamp = read_stamp(authors, input)?;
        stamps.resize(stamps.len() + run as usize, stamp);
    }
    Ok(stamps)
}

fn write_stamp(stamp: Stamp, out: &mut Writer) {
    out.varint(stamp.time.0);
    out.varint(u64::from(stamp.author.0));
}

fn read_stamp(authors: usize, input: &mut Reader<'_>) -> Result<Stamp, DecodeError> {
    let time = EditTime(input.varint()?);
    let author = read_author(authors, input)?;
    Ok(Stamp { time, author })
}

fn read_author(authors: usize, input: &mut Reader<'_>) -> Result<AuthorIndex, DecodeError> {
    let index = input.varint()?;
    if index >= authors.max(1) as u64 {
        return Err(input.invalid("a known author"));
    }
    Ok(AuthorIndex(index as u32))
}

fn write_bits(bits: &Bits, out: &mut Writer) {
    out.bool(bits.any());
    if bits.any() {
        for word in bits.words() {
            out.u64(*word);
        }
    }
}

fn read_bits(input: &mut Reader<'_>) -> Result<Bits, DecodeError> {
    if !input.bool()? {
        return Ok(Bits::default());
    }
    let mut words = [0; limits::PAGE_ROWS / 64];
    for word in &mut words {
        *word = input.u64()?;
    }
    Ok(Bits::from_words(words))
}

fn write_fixed<T>(column: &Fixed<T>, out: &mut Writer, write: impl Fn(&mut Writer, &T)) {
    write_bits(&column.nulls, out);
    for value in &column.values {
        write(out, value);
    }
}

fn read_fixed<'a, T>(
    property: &Property,
    rows: usize,
    input: &mut Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Fixed<T>, DecodeError> {
    let nulls = read_nulls(property, input)?;
    let values = (0..rows).map(|_| read(input)).collect::<Result<Vec<_>, _>>()?;
    Ok(Fixed { values, nulls })
}

fn read_nulls(property: &Property, input: &mut Reader<'_>) -> Result<Bits, DecodeError> {
    let nulls = read_bits(input)?;
    if nulls.any() && !property.optional {
        return Err(input.invalid("no nulls in a required property"));
    }
    Ok(nulls)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Utf8,
    Bytes,
}

fn read_runs(property: &Property, rows: usize, input: &mut Reader<'_>, text: Text) -> Result<Runs, DecodeError> {
    let nulls = read_nulls(property, input)?;
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        let run = input.run(limits::VALUE_BYTES)?;
        values.push(if nulls.get(row) { &[] } else { run });
    }
    let runs = Runs::of(&values, nulls);
    if text == Text::Utf8 && !runs.are_utf8() {
        return Err(input.invalid("UTF-8"));
    }
    Ok(runs)
}

fn write_list(list: &List, out: &mut Writer) {
    out.varint(list.len() as u64);
    for element in list.elements() {
        write_element_id(element.id, out);
        out.option(element.after, |out, after| write_element_id(after, out));
        write_stamp(element.placed, out);
        out.varint(element.version.0);
        write_stamp(element.stamp, out);
        match element.value.as_ref() {
            ValueRef::Link(key) => out.varint(key.0),
            _ => write_value(element.value.as_ref(), out),
        }
    }
}

fn read_list(property: &Property, authors: usize, input: &mut Reader<'_>) -> Result<List, DecodeError> {
    let count = input.count(limits::LIST_ELEMENTS)?;
    let mut elements = Vec::new();
    for _ in 0..count {
        let id = read_element_id(authors, input)?;
        let after = input.option(|input| read_element_id(authors, input))?;
        let placed = read_stamp(authors, input)?;
        let version = ServerVersion(input.varint()?);
        let stamp = read_stamp(authors, input)?;
        let value = if property.kind == PropertyType::Link {
            Value::Link(ObjectKey(input.varint()?))
        } else {
            read_element_value(property, input)?
        };
        elements.push(Element { id, after, placed, version, stamp, value });
    }
    Ok(List { elements: elements.into() })
}

fn write_set_elements(elements: &Chunks<SetElement>, out: &mut Writer) {
    out.varint(elements.len() as u64);
    for element in elements {
        write_stamp(element.stamp, out);
        write_element_value(&element.value, out);
    }
}

fn read_set_elements(
    property: &Property,
    authors: usize,
    input: &mut Reader<'_>,
) -> Result<Chunks<SetElement>, DecodeError> {
    let count = input.count(limits::LIST_ELEMENTS)?;
    let element = |input: &mut Reader<'_>| {
        let stamp = read_stamp(authors, input)?;
        let value = read_element_value(property, input)?;
        Ok(SetElement { stamp, value, renewal: Renewal::default() })
    };
    let elements = (0..count).map(|_| element(input)).collect::<Result<Chunks<_>, _>>()?;
    let are_plain = elements.iter().all(|element| element.value.depth() == 0);
    if are_plain && ascends(&elements) {
        Ok(elements)
    } else {
        Err(input.invalid("plain, ascending elements of a set"))
    }
}

fn write_dictionary(dictionary: &Dictionary, out: &mut Writer) {
    out.varint(dictionary.len() as u64);
    for entry in dictionary.entries() {
        out.string(&entry.key);
        write_stamp(entry.stamp, out);
        write_element_value(&entry.value, out);
    }
    out.varint(dictionary.removed.len() as u64);
    for gone in &dictionary.removed {
        out.string(&gone.key);
        write_stamp(gone.stamp, out);
    }
    out.option(dictionary.cleared, |out, cleared| write_stamp(cleared, out));
}

fn read_dictionary(property: &Property, authors: usize, input: &mut Reader<'_>) -> Result<Dictionary, DecodeError> {
    let mut dictionary = Dictionary::default();
    let count = input.count(limits::LIST_ELEMENTS)?;
    for _ in 0..count {
        let key = input.string(limits::KEY_BYTES)?.to_string();
        let stamp = read_stamp(authors, input)?;
        let value = read_element_value(property, input)?;
        dictionary.entries.push(Entry { key, value, stamp, renewal: Renewal::default() });
    }
    let count = input.count(limits::LIST_ELEMENTS)?;
    for _ in 0..count {
        let key = input.string(limits::KEY_BYTES)?.to_string();
        dictionary.removed.push(Entry::removed(&key, read_stamp(authors, input)?));
    }
    dictionary.cleared = input.option(|input| read_stamp(authors, input))?;
    let ascend =
        dictionary.entries.is_sorted_by(|a, b| a.key < b.key) && dictionary.removed.is_sorted_by(|a, b| a.key < b.key);
    if ascend { Ok(dictionary) } else { Err(input.invalid("ascending keys of a dictionary")) }
}

/// The value of an element of a set or a dictionary; links are their keys.
fn write_element_value(value: &Value, out: &mut Writer) {
    match value {
        Value::Link(key) => {
            out.u8(9);
            out.varint(key.0);
        }
        value => write_value(value.as_ref(), out),
    }
}

fn read_element_value(property: &Property, input: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let value = if property.kind == PropertyType::Link && input.peek() == Some(9) {
        input.u8()?;
        Value::Link(ObjectKey(input.varint()?))
    } else {
        read_value(input)?
    };
    if crate::objects::Transaction::accepts(property, value.as_ref()) {
        Ok(value)
    } else {
        Err(input.invalid("a value of the property's type"))
    }
}

fn write_element_id(id: ElementId, out: &mut Writer) {
    out.varint(u64::from(id.author.0));
    out.varint(id.sequence);
}

fn read_element_id(authors: usize, input: &mut Reader<'_>) -> Result<ElementId, DecodeError> {
    Ok(ElementId { author: read_author(authors, input)?, sequence: input.varint()? })
}
