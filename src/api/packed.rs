//! What crosses the boundary as bytes in the module's own memory, because one call with bytes is cheaper than a call for
//! each value: new objects with all their values, and short strings.
//!
//! A new object is a run of cells, little-endian: `u32` column, with the highest bit set for a default; `u8` kind; the
//! value: nothing for null (0), true (2) and false (3); `f64` for a number (1), which for a date are milliseconds and for
//! a link is a key; `i64` (4); `u32` length and UTF-8 (5); `u32` length and bytes (6).

use std::cell::RefCell;

use ebbtide_core::changeset::FieldSource;
use ebbtide_core::codec::{DecodeError, Reader};
use ebbtide_core::objects::Cell;
use ebbtide_core::{
    ClassIndex, ClassSchema, ColumnIndex, Decimal, ObjectKey, PropertyType, Value, ValueRef, WriteError,
};
use wasm_bindgen::prelude::*;

use super::realm::{RealmCore, cell, class_of, write};
use crate::convert::{exact_int, key_from_js, key_to_js};
use crate::error::{Fault, Result};

type JsResult<T> = std::result::Result<T, JsValue>;

/// In the column of a cell: the value is the schema's default.
const DEFAULT: u32 = 1 << 31;

/// How long a string may be to be told by address; its length has eight bits.
const SHORT_STRING_BYTES: usize = 255;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The address of `bytes` bytes of the module's memory that JavaScript may write to until the next call of this function.
#[wasm_bindgen]
pub fn scratch(bytes: u32) -> *mut u8 {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < bytes as usize {
            scratch.resize(bytes as usize, 0);
        }
        scratch.as_mut_ptr()
    })
}

#[wasm_bindgen]
impl RealmCore {
    /// Creates an object of the first `bytes` bytes of the scratch memory and gives its key; throws code `DuplicateKey`.
    #[wasm_bindgen(js_name = createPacked)]
    pub fn create_packed(&self, class: u32, bytes: u32) -> JsResult<f64> {
        let schema = self.class(class)?;
        let driver = self.view().live()?;
        let key = SCRATCH.with_borrow(|scratch| {
            let packed = scratch.get(..bytes as usize).unwrap_or_default();
            let (primary_key, cells) = read_cells(&schema, packed)?;
            write(driver, |transaction| transaction.create_with(ClassIndex(class), primary_key, &cells))
        })?;
        Ok(key_to_js(Some(key)))
    }

    /// The key of the object with an int as its primary key, or -1: like `find`, without a value's detours. NaN if `find` has
    /// something to complain about.
    #[wasm_bindgen(js_name = findInt)]
    pub fn find_int(&self, class: u32, primary_key: f64) -> f64 {
        let Some(primary_key) = exact_int(primary_key) else { return key_to_js(None) };
        let found = self.view().read(|snapshot, _| {
            class_of(snapshot, class)?;
            Ok(key_to_js(snapshot.find(ClassIndex(class), &Value::Int(primary_key))))
        });
        found.unwrap_or(f64::NAN)
    }

    /// Sets a property of numbers. False, with nothing done, if `set` has something to complain about, or needs another form
    /// of the value.
    #[wasm_bindgen(js_name = setNumber)]
    pub fn set_number(&self, class: u32, key: f64, column: u32, number: f64) -> bool {
        let Ok(driver) = self.view().live() else { return false };
        let set = driver.write(|engine| {
            let transaction = engine.transaction()?;
            let property = class_of(transaction.snapshot(), class)?.properties.get(column as usize);
            let value = match property.map(|property| property.kind) {
                Some(PropertyType::Int) => exact_int(number).map(Value::Int),
                Some(PropertyType::Float) => Some(Value::Float(number as f32)),
                Some(PropertyType::Double) => Some(Value::Double(number)),
                Some(_) | None => None,
            };
            let value = value.ok_or(WriteError::NoSuchProperty)?;
            Ok(transaction.set(ClassIndex(class), key_from_js(key), ColumnIndex(column), value)?)
        });
        set.is_ok()
    }

    /// Deletes an object. False, with nothing done, if it is not there or `delete` has something else to complain about.
    pub fn remove(&self, class: u32, key: f64) -> bool {
        let Ok(driver) = self.view().live() else { return false };
        write(driver, |transaction| transaction.delete(ClassIndex(class), key_from_js(key))).is_ok()
    }

    /// Deletes objects one after the other; those that have gone with one before are passed over. Gives how many of the keys
    /// were done before one that `delete` has something to complain about, or all.
    #[wasm_bindgen(js_name = removeAll)]
    pub fn remove_all(&self, class: u32, keys: &[f64]) -> u32 {
        let Ok(driver) = self.view().live() else { return 0 };
        let class = ClassIndex(class);
        let mut done = 0;
        let removed = write(driver, |transaction| {
            for key in keys {
                match transaction.delete(class, key_from_js(*key)) {
                    Ok(()) | Err(WriteError::NoSuchObject) => done += 1,
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        // What is wrong with the rest is for `delete` to say.
        let _ = removed;
        done
    }

    /// Where a string is: its address times 256 plus its length in bytes, good until the next call into the module. -1 for
    /// null, -2 for a string that is too long for that.
    #[wasm_bindgen(js_name = stringAt)]
    pub fn string_at(&self, class: u32, key: f64, column: u32) -> JsResult<f64> {
        Ok(self.view().read(|snapshot, _| {
            Ok(match cell(snapshot, class, key, column)? {
                ValueRef::String(text) if text.len() <= SHORT_STRING_BYTES => {
                    text.as_ptr().addr() as f64 * 256.0 + text.len() as f64
                }
                ValueRef::String(_) => -2.0,
                _ => -1.0,
            })
        })?)
    }
}

/// The primary key, if the class has one, and all other values.
fn read_cells<'a>(class: &ClassSchema, packed: &'a [u8]) -> Result<(Option<Value>, Vec<Cell<'a>>)> {
    let mut input = Reader::new(packed);
    let mut cells = Vec::with_capacity(class.properties.len());
    let mut primary_key = None;
    while !input.is_empty() {
        let column = input.u32().map_err(malformed)?;
        let source = if column & DEFAULT == 0 { FieldSource::Given } else { FieldSource::Default };
        let column = ColumnIndex(column & !DEFAULT);
        let value = read_value(class, column, &mut input)?;
        if class.primary_key == Some(column) {
            primary_key = Some(value.to_owned());
        } else {
            cells.push(Cell { column, value, source });
        }
    }
    Ok((primary_key, cells))
}

fn read_value<'a>(class: &ClassSchema, column: ColumnIndex, input: &mut Reader<'a>) -> Result<ValueRef<'a>> {
    let wrong =
        || Fault::InvalidValue { message: format!("Column {} of class '{}' got a wrong value.", column.0, class.name) };
    let kind = class.properties.get(column.index()).ok_or_else(wrong)?.kind;
    Ok(match input.u8().map_err(malformed)? {
        0 => ValueRef::Null,
        1 => {
            let number = input.f64().map_err(malformed)?;
            match kind {
                PropertyType::Int => ValueRef::Int(exact_int(number).ok_or_else(wrong)?),
                PropertyType::Float => ValueRef::Float(number as f32),
                PropertyType::Double | PropertyType::Mixed => ValueRef::Double(number),
                PropertyType::Date => ValueRef::Date(exact_int(number).ok_or_else(wrong)?),
                PropertyType::Link => ValueRef::Link(key_of(number)),
                PropertyType::Bool
                | PropertyType::Decimal
                | PropertyType::String
                | PropertyType::Data
                | PropertyType::ObjectId
                | PropertyType::Uuid => return Err(wrong()),
            }
        }
        2 => ValueRef::Bool(true),
        3 => ValueRef::Bool(false),
        4 => ValueRef::Int(input.u64().map_err(malformed)? as i64),
        5 => ValueRef::String(std::str::from_utf8(run(input)?).map_err(|_| wrong())?),
        6 => {
            let bytes = run(input)?;
            match kind {
                PropertyType::Data | PropertyType::Mixed => ValueRef::Data(bytes),
                PropertyType::ObjectId => ValueRef::ObjectId(bytes.try_into().map_err(|_| wrong())?),
                PropertyType::Uuid => ValueRef::Uuid(bytes.try_into().map_err(|_| wrong())?),
                PropertyType::Decimal => ValueRef::Decimal(Decimal(bytes.try_into().map_err(|_| wrong())?)),
                PropertyType::Bool
                | PropertyType::Int
                | PropertyType::Float
                | PropertyType::Double
                | PropertyType::String
                | PropertyType::Date
                | PropertyType::Link => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    })
}

fn run<'a>(input: &mut Reader<'a>) -> Result<&'a [u8]> {
    let length = input.u32().map_err(malformed)?;
    input.raw(length as usize).map_err(malformed)
}

fn key_of(number: f64) -> ObjectKey {
    key_from_js(number)
}

fn malformed(error: DecodeError) -> Fault {
    Fault::InvalidValue { message: format!("The packed object cannot be read: {error}.") }
}
