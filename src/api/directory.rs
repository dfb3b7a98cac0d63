//! Where the values of a class lie in the module's memory, for JavaScript to read them there: a call for each value costs
//! several times what it takes to read it. Holds until the count of `generation` rises.
//!
//! A directory is a run of `u32`, for each page in ascending order of the keys: first key, low and high half; number of rows;
//! address of the keys, which are `u64`, or 0 if they count up by one; and for each column four of them:
//!
//! | type | values | nulls | lengths | bytes |
//! |---|---|---|---|---|
//! | bool | `u8` | | | |
//! | int, date | `i64` | | | |
//! | link | `u64` | | | |
//! | float, double | `f32`, `f64` | | | |
//! | string | `u32` offsets, 8 bytes apart | | `u32`, 8 bytes apart | UTF-8 |
//! | all others | 0 | | | |
//!
//! Nulls are the address of one bit a row, or 0 if there are none.

use ebbtide_core::objects::{Bits, Column, ColumnData, Page};
use ebbtide_core::{ClassIndex, ObjectKey};
use wasm_bindgen::prelude::*;

use super::realm::{RealmCore, class_of};
use crate::generation;

/// Where the count of changes is: a `u32`.
#[wasm_bindgen(js_name = generationAddress)]
pub fn generation_address() -> u32 {
    generation::address() as u32
}

#[wasm_bindgen]
impl RealmCore {
    /// Where the values of the first `columns` columns of a class lie; nothing if the realm is closed.
    pub fn directory(&self, class: u32, columns: u32) -> Option<js_sys::Uint32Array> {
        let found = self.view().read(|snapshot, _| {
            class_of(snapshot, class)?;
            let mut words = Vec::new();
            for page in snapshot.table(ClassIndex(class)).pages() {
                describe(page, columns as usize, &mut words);
            }
            Ok(words)
        });
        found.ok().map(|words| js_sys::Uint32Array::from(words.as_slice()))
    }
}

fn describe(page: &Page, columns: usize, words: &mut Vec<u32>) {
    let keys = page.keys();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return };
    let counts_up = last.0 - first.0 == keys.len() as u64 - 1;
    let list = if counts_up { 0 } else { address(keys) };
    words.extend([first.0 as u32, (first.0 >> 32) as u32, keys.len() as u32, list]);
    for index in 0..columns {
        words.extend(page.columns().get(index).map_or([0; 4], |column| places(column)));
    }
}

/// Values, nulls, lengths and bytes.
fn places(column: &Column) -> [u32; 4] {
    match &column.data {
        ColumnData::Bool(fixed) => [address(&fixed.values), nulls(&fixed.nulls), 0, 0],
        ColumnData::Int(fixed) | ColumnData::Date(fixed) => [address(&fixed.values), nulls(&fixed.nulls), 0, 0],
        ColumnData::Link(fixed) => [address(&fixed.values), nulls(&fixed.nulls), 0, 0],
        ColumnData::Float(fixed) => [address(&fixed.values), nulls(&fixed.nulls), 0, 0],
        ColumnData::Double(fixed) => [address(&fixed.values), nulls(&fixed.nulls), 0, 0],
        ColumnData::String(runs) => {
            let (spans, bytes) = runs.parts();
            let Some((offset, length)) = spans.first() else { return [0; 4] };
            [
                address(std::slice::from_ref(offset)),
                nulls(runs.nulls()),
                address(std::slice::from_ref(length)),
                address(bytes),
            ]
        }
        ColumnData::Decimal(_)
        | ColumnData::ObjectId(_)
        | ColumnData::Uuid(_)
        | ColumnData::Data(_)
        | ColumnData::Mixed(_)
        | ColumnData::List(_)
        | ColumnData::Set(_)
        | ColumnData::Dictionary(_) => [0; 4],
    }
}

fn nulls(bits: &Bits) -> u32 {
    if bits.any() { address(bits.words()) } else { 0 }
}

fn address<T>(values: &[T]) -> u32 {
    values.as_ptr().addr() as u32
}

/// Keys are read as `u64`.
const _: () = assert!(size_of::<ObjectKey>() == 8);
/// Offsets and lengths of strings are 8 bytes apart.
const _: () = assert!(size_of::<(u32, u32)>() == 8);
