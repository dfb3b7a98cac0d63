//! One form for all snapshots with the same content: to compare replicas that number their rows differently.

use super::snapshot::Snapshot;
use crate::changeset::{write_primary_key, write_value};
use crate::codec::Writer;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::value::{PrimaryKey, ValueRef};

impl Snapshot {
    /// The content, that is classes by name, objects by primary key, properties by name, values, as bytes. Two snapshots
    /// with the same content give the same bytes, whatever their keys, stamps and schema order. Classes without a
    /// primary key go by key.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Writer::new();
        let mut classes: Vec<usize> = (0..self.schema().classes.len()).collect();
        classes.sort_by_key(|index| &self.schema().classes[*index].name);
        for index in classes {
            self.write_class(ClassIndex(index as u32), &mut out);
        }
        out.into_bytes()
    }

    fn write_class(&self, class: ClassIndex, out: &mut Writer) {
        let schema = self.schema().class(class);
        out.string(&schema.name);
        // Embedded objects are written where they are.
        if schema.is_embedded() {
            return;
        }
        let mut rows: Vec<(Option<PrimaryKey>, ObjectKey)> = self
            .table(class)
            .rows()
            .map(|row| (schema.primary_key.and_then(|column| PrimaryKey::from_ref(row.value(column))), row.key()))
            .collect();
        rows.sort();
        out.varint(rows.len() as u64);
        for (_, key) in rows {
            self.write_row(class, key, out);
        }
    }

    fn write_row(&self, class: ClassIndex, key: ObjectKey, out: &mut Writer) {
        let schema = self.schema().class(class);
        let mut columns: Vec<ColumnIndex> = (0..schema.properties.len() as u32).map(ColumnIndex).collect();
        columns.sort_by_key(|column| &schema.property(*column).name);
        let row = self.table(class).row(key).expect("the row of a key or link exists");
        for column in &columns {
            out.string(&schema.property(*column).name);
            match row.value(*column) {
                ValueRef::List(list) => {
                    out.varint(list.len() as u64);
                    list.iter().for_each(|value| self.write_cell(class, *column, value, out));
                }
                ValueRef::Set(set) => {
                    // Links order by keys, which differ between stores.
                    let mut values: Vec<Vec<u8>> = Vec::with_capacity(set.len());
                    for value in set.iter() {
                        let mut cell = Writer::new();
                        self.write_cell(class, *column, value, &mut cell);
                        values.push(cell.into_bytes());
                    }
                    values.sort();
                    out.varint(values.len() as u64);
                    values.iter().for_each(|value| out.raw(value));
                }
                ValueRef::Dictionary(dictionary) => {
                    out.varint(dictionary.len() as u64);
                    for (key, value) in dictionary.iter() {
                        out.string(key);
                        self.write_cell(class, *column, value, out);
                    }
                }
                value => self.write_cell(class, *column, value, out),
            }
        }
    }

    fn write_cell(&self, class: ClassIndex, column: ColumnIndex, value: ValueRef<'_>, out: &mut Writer) {
        match (value, self.link_target(class, column)) {
            (ValueRef::Link(key), Some(target)) => {
                out.u8(9);
                self.write_link(target, key, out);
            }
            (ValueRef::TypedLink(target, key), _) => {
                out.u8(15);
                out.string(&self.schema().class(target).name);
                self.write_link(target, key, out);
            }
            (ValueRef::Array(values), _) => {
                out.u8(12);
                out.varint(values.len() as u64);
                values.iter().for_each(|value| self.write_cell(class, column, value.as_ref(), out));
            }
            (ValueRef::Map(values), _) => {
                out.u8(13);
                out.varint(values.len() as u64);
                for (key, value) in values {
                    out.string(key);
                    self.write_cell(class, column, value.as_ref(), out);
                }
            }
            (value, _) => write_value(value, out),
        }
    }

    fn write_link(&self, target: ClassIndex, key: ObjectKey, out: &mut Writer) {
        if self.schema().class(target).is_embedded() {
            self.write_row(target, key, out);
            return;
        }
        match self.primary_key(target, key).as_ref().and_then(PrimaryKey::from_value) {
            Some(primary_key) => write_primary_key(&primary_key, out),
            None => out.varint(key.0),
        }
    }
}
