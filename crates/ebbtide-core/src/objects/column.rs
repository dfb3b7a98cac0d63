//! The values of one property in one page, as a column.

use std::ops::Range;
use std::sync::Arc;

use super::bits::Bits;
use super::dictionary::Dictionary;
use super::list::List;
use super::page::only;
use super::set::Set;
use super::snapshot::Stamp;
use crate::changeset::FieldSource;
use crate::decimal::Decimal;
use crate::ids::ObjectKey;
use crate::limits::PAGE_ROWS;
use crate::schema::{Collection, Property, PropertyType};
use crate::value::{Value, ValueRef};
use crate::words::{LazyWords, WordIndex};

/// One property of the rows of a page.
#[derive(Clone, Debug)]
pub struct Column {
    /// The values.
    pub data: ColumnData,
    /// The rows whose value nobody has set.
    pub(crate) unset: Bits,
    /// The stamps of the values, where they differ from their rows' stamps.
    pub(crate) stamps: Option<Vec<Stamp>>,
}

/// The values of a column, by type. A null has its bit in `nulls` and an arbitrary value beside it.
#[derive(Clone, Debug)]
pub enum ColumnData {
    /// `bool`
    Bool(Fixed<bool>),
    /// `int`
    Int(Fixed<i64>),
    /// `float`
    Float(Fixed<f32>),
    /// `double`
    Double(Fixed<f64>),
    /// `decimal128`
    Decimal(Fixed<Decimal>),
    /// `date`: milliseconds since the Unix epoch
    Date(Fixed<i64>),
    /// `objectId`
    ObjectId(Fixed<[u8; 12]>),
    /// `uuid`
    Uuid(Fixed<[u8; 16]>),
    /// One link; null is no object
    Link(Fixed<u64>),
    /// `string`: every run is UTF-8
    String(Runs),
    /// `data`
    Data(Runs),
    /// `mixed`: one value of any type a row
    Mixed(Vec<Value>),
    /// Lists of any element type
    List(Vec<Arc<List>>),
    /// Sets of any element type
    Set(Vec<Arc<Set>>),
    /// Dictionaries of any value type
    Dictionary(Vec<Arc<Dictionary>>),
}

/// Values of a fixed width.
#[derive(Clone, Debug, Default)]
pub struct Fixed<T> {
    /// One a row.
    pub values: Vec<T>,
    /// The rows that are null.
    pub nulls: Bits,
}

/// Where a value begins, and how long it is.
pub(crate) type Span = (u32, u32);

/// Values of a varying length in one run of bytes. A replaced value leaves its bytes behind until half the run is dead. A copy
/// shares the run until a value is added.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    spans: Vec<Span>,
    nulls: Bits,
    bytes: Arc<Vec<u8>>,
    dead: usize,
    words: LazyWords,
}

impl<T: Copy + Default> Fixed<T> {
    fn get(&self, row: usize) -> Option<T> {
        if self.nulls.get(row) { None } else { Some(self.values[row]) }
    }

    fn set(&mut self, row: usize, value: Option<T>) {
        self.nulls.set(row, value.is_none());
        self.values[row] = value.unwrap_or_default();
    }

    fn insert(&mut self, row: usize, value: Option<T>) {
        self.nulls.insert(row, value.is_none());
        self.values.insert(row, value.unwrap_or_default());
    }

    fn only(&self, stays: &[Range<usize>]) -> Fixed<T> {
        Fixed { nulls: self.nulls.only(stays), values: only(&self.values, stays) }
    }

    fn split_off(&mut self, row: usize) -> Fixed<T> {
        Fixed { nulls: self.nulls.split_off(row), values: self.values.split_off(row) }
    }

    fn append(&mut self, from: &Fixed<T>) {
        self.nulls.append(self.values.len(), &from.nulls);
        self.values.extend_from_slice(&from.values);
    }
}

/// How many rows more a copy has room for that is made to insert one.
const ROOM: usize = 8;

/// A copy with room for a few more: one without would be copied again at once.
pub(super) fn roomy<T: Clone>(values: &[T]) -> Vec<T> {
    let mut copy = Vec::with_capacity(values.len() + ROOM);
    copy.extend_from_slice(values);
    copy
}

impl<T: Clone> Fixed<T> {
    fn roomy(&self) -> Fixed<T> {
        Fixed { values: roomy(&self.values), nulls: self.nulls }
    }
}

impl Runs {
    fn roomy(&self) -> Runs {
        let row = self.bytes.len() / self.len().max(1);
        let mut bytes = Vec::with_capacity(self.bytes.len() + ROOM * row);
        bytes.extend_from_slice(&self.bytes);
        let (spans, bytes) = (roomy(&self.spans), Arc::new(bytes));
        Runs { spans, nulls: self.nulls, bytes, dead: self.dead, words: LazyWords::default() }
    }

    /// The bytes of a row; `None` for null.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        if self.nulls.get(row) {
            return None;
        }
        let (start, len) = self.spans[row];
        Some(&self.bytes[start as usize..(start + len) as usize])
    }

    /// All bytes with the rows' places in them, if these lie one behind the other; nulls are empty.
    pub(crate) fn in_order(&self) -> Option<(&[u8], &[Span])> {
        let ascends = self.spans.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0);
        ascends.then_some((self.bytes.as_slice(), self.spans.as_slice()))
    }

    /// For each row where its value begins and how long it is, and the bytes of all. What is beside a null means nothing.
    pub fn parts(&self) -> (&[(u32, u32)], &[u8]) {
        (&self.spans, &self.bytes)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The rows that are null.
    pub fn nulls(&self) -> &Bits {
        &self.nulls
    }

    /// The words of the rows, which are UTF-8.
    fn words(&self) -> &WordIndex {
        self.words.get_or_make(|| {
            let texts = (0..self.len()).filter_map(|row| Some((row, std::str::from_utf8(self.get(row)?).ok()?)));
            WordIndex::of(texts)
        })
    }

    /// The values of rows; that of a null is empty.
    pub(crate) fn of(values: &[&[u8]], nulls: Bits) -> Runs {
        let mut bytes = Vec::with_capacity(values.iter().map(|value| value.len()).sum());
        let mut spans = Vec::with_capacity(values.len());
        for value in values {
            spans.push((bytes.len() as u32, value.len() as u32));
            bytes.extend_from_slice(value);
        }
        Runs { spans, nulls, bytes: Arc::new(bytes), dead: 0, words: LazyWords::default() }
    }

    /// Whether every row is UTF-8: all bytes are, and none begins within a character.
    pub(crate) fn are_utf8(&self) -> bool {
        let text = std::str::from_utf8(&self.bytes);
        text.is_ok_and(|text| self.spans.iter().all(|(start, _)| text.is_char_boundary(*start as usize)))
    }

    fn append(&mut self, value: Option<&[u8]>) -> (u32, u32) {
        self.words.forget();
        let value = value.unwrap_or_default();
        let start = self.bytes.len() as u32;
        Arc::make_mut(&mut self.bytes).extend_from_slice(value);
        (start, value.len() as u32)
    }

    fn set(&mut self, row: usize, value: Option<&[u8]>) {
        self.dead += self.spans[row].1 as usize;
        self.spans[row] = self.append(value);
        self.nulls.set(row, value.is_none());
        self.collect();
    }

    fn insert(&mut self, row: usize, value: Option<&[u8]>) {
        let span = self.append(value);
        self.spans.insert(row, span);
        self.nulls.insert(row, value.is_none());
    }

    /// Some ranges of rows; the bytes of the others stay behind.
    fn only(&self, stays: &[Range<usize>]) -> Runs {
        let spans = only(&self.spans, stays);
        let used: usize = spans.iter().map(|span| span.1 as usize).sum();
        let (nulls, bytes) = (self.nulls.only(stays), Arc::clone(&self.bytes));
        let mut runs = Runs { dead: bytes.len() - used, spans, nulls, bytes, words: LazyWords::default() };
        runs.collect();
        runs
    }

    /// Appends the rows of another column.
    fn extend(&mut self, from: &Runs) {
        self.words.forget();
        self.nulls.append(self.len(), &from.nulls);
        let begin = self.bytes.len() as u32;
        self.spans.extend(from.spans.iter().map(|(start, len)| (begin + start, *len)));
        Arc::make_mut(&mut self.bytes).extend_from_slice(&from.bytes);
        self.dead += from.dead;
        self.collect();
    }

    fn split_off(&mut self, row: usize) -> Runs {
        let values: Vec<&[u8]> = (row..self.len()).map(|from| self.get(from).unwrap_or_default()).collect();
        let mut nulls = self.nulls;
        let tail = Runs::of(&values, nulls.split_off(row));
        self.words.forget();
        self.spans.truncate(row);
        self.nulls.split_off(row);
        self.compact();
        tail
    }

    fn collect(&mut self) {
        if self.dead > 1024 && self.dead * 2 > self.bytes.len() {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.spans.iter().map(|span| span.1 as usize).sum());
        for span in &mut self.spans {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(&self.bytes[span.0 as usize..(span.0 + span.1) as usize]);
            span.0 = start;
        }
        self.bytes = Arc::new(bytes);
        self.dead = 0;
    }
}

impl<T> Fixed<T> {
    fn differing(&self, other: &Fixed<T>, same: impl Fn(&T, &T) -> bool) -> Bits {
        let mut rows = Bits::default();
        for (row, (a, b)) in self.values.iter().zip(&other.values).enumerate() {
            if !same(a, b) {
                rows.set(row, true);
            }
        }
        rows.or(&self.nulls.xor(&other.nulls))
    }
}

fn differing<T>(some: &[T], others: &[T], same: impl Fn(&T, &T) -> bool) -> Bits {
    let mut rows = Bits::default();
    for row in (0..some.len()).filter(|row| !same(&some[*row], &others[*row])) {
        rows.set(row, true);
    }
    rows
}

impl Column {
    /// The rows whose values may differ in another column of as many rows and of the same type: those that do, and some
    /// that were only written to.
    pub(crate) fn differing_rows(&self, other: &Column) -> Bits {
        match (&self.data, &other.data) {
            (ColumnData::Bool(a), ColumnData::Bool(b)) => a.differing(b, |a, b| a == b),
            (ColumnData::Int(a), ColumnData::Int(b)) | (ColumnData::Date(a), ColumnData::Date(b)) => {
                a.differing(b, |a, b| a == b)
            }
            (ColumnData::Float(a), ColumnData::Float(b)) => a.differing(b, |a, b| a.to_bits() == b.to_bits()),
            (ColumnData::Double(a), ColumnData::Double(b)) => a.differing(b, |a, b| a.to_bits() == b.to_bits()),
            (ColumnData::ObjectId(a), ColumnData::ObjectId(b)) => a.differing(b, |a, b| a == b),
            (ColumnData::Uuid(a), ColumnData::Uuid(b)) => a.differing(b, |a, b| a == b),
            (ColumnData::Link(a), ColumnData::Link(b)) => a.differing(b, |a, b| a == b),
            (ColumnData::String(a), ColumnData::String(b)) | (ColumnData::Data(a), ColumnData::Data(b))
                if a.spans == b.spans && a.bytes == b.bytes =>
            {
                a.nulls.xor(&b.nulls)
            }
            (ColumnData::List(a), ColumnData::List(b)) => differing(a, b, Arc::ptr_eq),
            (ColumnData::Set(a), ColumnData::Set(b)) => differing(a, b, Arc::ptr_eq),
            (ColumnData::Dictionary(a), ColumnData::Dictionary(b)) => differing(a, b, Arc::ptr_eq),
            _ => Bits::from_words([u64::MAX; PAGE_ROWS / 64]),
        }
    }

    /// Whether both have the same stamps beside those of their rows.
    pub(crate) fn has_same_stamps(&self, other: &Column) -> bool {
        self.unset == other.unset && self.stamps == other.stamps
    }

    pub(crate) fn new(property: &Property) -> Column {
        let data = match (property.collection, property.kind) {
            (Collection::List, _) => ColumnData::List(Vec::new()),
            (Collection::Set, _) => ColumnData::Set(Vec::new()),
            (Collection::Dictionary, _) => ColumnData::Dictionary(Vec::new()),
            (Collection::None, PropertyType::Bool) => ColumnData::Bool(Fixed::default()),
            (Collection::None, PropertyType::Int) => ColumnData::Int(Fixed::default()),
            (Collection::None, PropertyType::Float) => ColumnData::Float(Fixed::default()),
            (Collection::None, PropertyType::Double) => ColumnData::Double(Fixed::default()),
            (Collection::None, PropertyType::Decimal) => ColumnData::Decimal(Fixed::default()),
            (Collection::None, PropertyType::Mixed) => ColumnData::Mixed(Vec::new()),
            (Collection::None, PropertyType::Date) => ColumnData::Date(Fixed::default()),
            (Collection::None, PropertyType::ObjectId) => ColumnData::ObjectId(Fixed::default()),
            (Collection::None, PropertyType::Uuid) => ColumnData::Uuid(Fixed::default()),
            (Collection::None, PropertyType::Link) => ColumnData::Link(Fixed::default()),
            (Collection::None, PropertyType::String) => ColumnData::String(Runs::default()),
            (Collection::None, PropertyType::Data) => ColumnData::Data(Runs::default()),
        };
        Column { data, unset: Bits::default(), stamps: None }
    }

    /// A copy with room for a few rows more.
    pub(super) fn roomy(&self) -> Column {
        let data = match &self.data {
            ColumnData::Bool(c) => ColumnData::Bool(c.roomy()),
            ColumnData::Int(c) => ColumnData::Int(c.roomy()),
            ColumnData::Float(c) => ColumnData::Float(c.roomy()),
            ColumnData::Double(c) => ColumnData::Double(c.roomy()),
            ColumnData::Decimal(c) => ColumnData::Decimal(c.roomy()),
            ColumnData::Date(c) => ColumnData::Date(c.roomy()),
            ColumnData::ObjectId(c) => ColumnData::ObjectId(c.roomy()),
            ColumnData::Uuid(c) => ColumnData::Uuid(c.roomy()),
            ColumnData::Link(c) => ColumnData::Link(c.roomy()),
            ColumnData::String(c) => ColumnData::String(c.roomy()),
            ColumnData::Data(c) => ColumnData::Data(c.roomy()),
            ColumnData::Mixed(c) => ColumnData::Mixed(roomy(c)),
            ColumnData::List(c) => ColumnData::List(roomy(c)),
            ColumnData::Set(c) => ColumnData::Set(roomy(c)),
            ColumnData::Dictionary(c) => ColumnData::Dictionary(roomy(c)),
        };
        Column { data, unset: self.unset, stamps: self.stamps.as_deref().map(roomy) }
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> ValueRef<'_> {
        fn from<'a, T>(value: Option<T>, wrap: impl Fn(T) -> ValueRef<'a>) -> ValueRef<'a> {
            value.map_or(ValueRef::Null, wrap)
        }
        match &self.data {
            ColumnData::Bool(c) => from(c.get(row), ValueRef::Bool),
            ColumnData::Int(c) => from(c.get(row), ValueRef::Int),
            ColumnData::Float(c) => from(c.get(row), ValueRef::Float),
            ColumnData::Double(c) => from(c.get(row), ValueRef::Double),
            ColumnData::Decimal(c) => from(c.get(row), ValueRef::Decimal),
            ColumnData::Mixed(c) => c[row].as_ref(),
            ColumnData::Date(c) => from(c.get(row), ValueRef::Date),
            ColumnData::ObjectId(c) => from(c.get(row), ValueRef::ObjectId),
            ColumnData::Uuid(c) => from(c.get(row), ValueRef::Uuid),
            ColumnData::Link(c) => from(c.get(row), |key| ValueRef::Link(ObjectKey(key))),
            ColumnData::String(c) => from(c.get(row), |run| {
                ValueRef::String(std::str::from_utf8(run).expect("string columns hold UTF-8 only"))
            }),
            ColumnData::Data(c) => from(c.get(row), ValueRef::Data),
            ColumnData::List(c) => ValueRef::List(&c[row]),
            ColumnData::Set(c) => ValueRef::Set(&c[row]),
            ColumnData::Dictionary(c) => ValueRef::Dictionary(&c[row]),
        }
    }

    /// A value to be ordered among others of its column: a string as its bytes, which are ordered in the same way.
    pub(crate) fn value_to_order(&self, row: usize) -> ValueRef<'_> {
        match &self.data {
            ColumnData::String(c) => c.get(row).map_or(ValueRef::Null, ValueRef::Data),
            _ => self.value(row),
        }
    }

    /// The words of a column of strings.
    pub(crate) fn words(&self) -> Option<&WordIndex> {
        match &self.data {
            ColumnData::String(runs) => Some(runs.words()),
            _ => None,
        }
    }

    /// The stamp of a row's value; `row_stamp` is the row's own.
    pub(crate) fn stamp(&self, row: usize, row_stamp: Stamp) -> Stamp {
        if self.unset.get(row) { Stamp::UNSET } else { self.stamps.as_ref().map_or(row_stamp, |stamps| stamps[row]) }
    }

    /// Sets the stamp of a row's value; `row_stamps` are those of all rows of the page.
    pub(crate) fn set_stamp(&mut self, row: usize, stamp: Stamp, row_stamps: &[Stamp]) {
        let unset = stamp == Stamp::UNSET;
        self.unset.set(row, unset);
        if unset {
            return;
        }
        match &mut self.stamps {
            Some(stamps) => stamps[row] = stamp,
            None if row_stamps[row] == stamp => {}
            None => {
                let mut stamps = row_stamps.to_vec();
                stamps[row] = stamp;
                self.stamps = Some(stamps);
            }
        }
    }

    /// Sets the value of a row. A null in a required column and a value of another type are the caller's mistake: the
    /// former reads as null, the latter panics.
    pub(crate) fn set_value(&mut self, row: usize, value: ValueRef<'_>) {
        match (&mut self.data, value) {
            (ColumnData::Bool(c), ValueRef::Bool(v)) => c.set(row, Some(v)),
            (ColumnData::Bool(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Int(c), ValueRef::Int(v)) | (ColumnData::Date(c), ValueRef::Date(v)) => c.set(row, Some(v)),
            (ColumnData::Int(c) | ColumnData::Date(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Float(c), ValueRef::Float(v)) => c.set(row, Some(v)),
            (ColumnData::Float(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Double(c), ValueRef::Double(v)) => c.set(row, Some(v)),
            (ColumnData::Double(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Decimal(c), ValueRef::Decimal(v)) => c.set(row, Some(v)),
            (ColumnData::Decimal(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Mixed(c), v) => c[row] = v.to_owned(),
            (ColumnData::ObjectId(c), ValueRef::ObjectId(v)) => c.set(row, Some(v)),
            (ColumnData::ObjectId(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Uuid(c), ValueRef::Uuid(v)) => c.set(row, Some(v)),
            (ColumnData::Uuid(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::Link(c), ValueRef::Link(v)) => c.set(row, Some(v.0)),
            (ColumnData::Link(c), ValueRef::Null) => c.set(row, None),
            (ColumnData::String(c), ValueRef::String(v)) => c.set(row, Some(v.as_bytes())),
            (ColumnData::Data(c), ValueRef::Data(v)) => c.set(row, Some(v)),
            (ColumnData::String(c) | ColumnData::Data(c), ValueRef::Null) => c.set(row, None),
            (data, value) => unreachable!("a value {value:?} was checked against its column {data:?}"),
        }
    }

    /// Makes room at `row` for a value that nobody has set: null, or for a required type zero, empty or the epoch.
    pub(crate) fn insert(&mut self, row: usize, required: bool, row_stamp: Stamp) {
        match &mut self.data {
            ColumnData::Bool(c) => c.insert(row, required.then_some(false)),
            ColumnData::Int(c) | ColumnData::Date(c) => c.insert(row, required.then_some(0)),
            ColumnData::Float(c) => c.insert(row, required.then_some(0.0)),
            ColumnData::Double(c) => c.insert(row, required.then_some(0.0)),
            ColumnData::Decimal(c) => c.insert(row, required.then_some(Decimal::ZERO)),
            ColumnData::Mixed(c) => c.insert(row, Value::Null),
            ColumnData::ObjectId(c) => c.insert(row, required.then_some([0; 12])),
            ColumnData::Uuid(c) => c.insert(row, required.then_some([0; 16])),
            ColumnData::Link(c) => c.insert(row, None),
            ColumnData::String(c) | ColumnData::Data(c) => c.insert(row, required.then_some(&[][..])),
            ColumnData::List(c) => c.insert(row, Arc::default()),
            ColumnData::Set(c) => c.insert(row, Arc::default()),
            ColumnData::Dictionary(c) => c.insert(row, Arc::default()),
        }
        self.unset.insert(row, true);
        if let Some(stamps) = &mut self.stamps {
            stamps.insert(row, row_stamp);
        }
    }

    /// Makes room at `row` for a value that was set together with the row, or is the schema's default for it.
    pub(crate) fn insert_value(&mut self, row: usize, value: ValueRef<'_>, source: FieldSource, row_stamp: Stamp) {
        match (&mut self.data, value) {
            (ColumnData::Bool(c), ValueRef::Bool(v)) => c.insert(row, Some(v)),
            (ColumnData::Int(c), ValueRef::Int(v)) | (ColumnData::Date(c), ValueRef::Date(v)) => c.insert(row, Some(v)),
            (ColumnData::Double(c), ValueRef::Double(v)) => c.insert(row, Some(v)),
            (ColumnData::String(c), ValueRef::String(v)) => c.insert(row, Some(v.as_bytes())),
            (ColumnData::Data(c), ValueRef::Data(v)) => c.insert(row, Some(v)),
            (_, value) => {
                self.insert(row, false, row_stamp);
                self.set_value(row, value);
                self.unset.set(row, source == FieldSource::Default);
                return;
            }
        }
        self.unset.insert(row, source == FieldSource::Default);
        if let Some(stamps) = &mut self.stamps {
            stamps.insert(row, row_stamp);
        }
    }

    /// The values of some ranges of rows.
    pub(super) fn only(&self, stays: &[Range<usize>]) -> Column {
        let data = match &self.data {
            ColumnData::Bool(c) => ColumnData::Bool(c.only(stays)),
            ColumnData::Int(c) => ColumnData::Int(c.only(stays)),
            ColumnData::Float(c) => ColumnData::Float(c.only(stays)),
            ColumnData::Double(c) => ColumnData::Double(c.only(stays)),
            ColumnData::Decimal(c) => ColumnData::Decimal(c.only(stays)),
            ColumnData::Date(c) => ColumnData::Date(c.only(stays)),
            ColumnData::ObjectId(c) => ColumnData::ObjectId(c.only(stays)),
            ColumnData::Uuid(c) => ColumnData::Uuid(c.only(stays)),
            ColumnData::Link(c) => ColumnData::Link(c.only(stays)),
            ColumnData::String(c) => ColumnData::String(c.only(stays)),
            ColumnData::Data(c) => ColumnData::Data(c.only(stays)),
            ColumnData::Mixed(c) => ColumnData::Mixed(only(c, stays)),
            ColumnData::List(c) => ColumnData::List(only(c, stays)),
            ColumnData::Set(c) => ColumnData::Set(only(c, stays)),
            ColumnData::Dictionary(c) => ColumnData::Dictionary(only(c, stays)),
        };
        let stamps = self.stamps.as_deref().map(|stamps| only(stamps, stays));
        Column { data, unset: self.unset.only(stays), stamps }
    }

    /// Appends the rows of a column of the same type; `row_stamps` are those of the rows here and there.
    pub(super) fn append(&mut self, from: &Column, row_stamps: (&[Stamp], &[Stamp])) {
        match (&mut self.data, &from.data) {
            (ColumnData::Bool(c), ColumnData::Bool(from)) => c.append(from),
            (ColumnData::Int(c), ColumnData::Int(from)) => c.append(from),
            (ColumnData::Date(c), ColumnData::Date(from)) => c.append(from),
            (ColumnData::Float(c), ColumnData::Float(from)) => c.append(from),
            (ColumnData::Double(c), ColumnData::Double(from)) => c.append(from),
            (ColumnData::Decimal(c), ColumnData::Decimal(from)) => c.append(from),
            (ColumnData::ObjectId(c), ColumnData::ObjectId(from)) => c.append(from),
            (ColumnData::Uuid(c), ColumnData::Uuid(from)) => c.append(from),
            (ColumnData::Link(c), ColumnData::Link(from)) => c.append(from),
            (ColumnData::String(c), ColumnData::String(from)) => c.extend(from),
            (ColumnData::Data(c), ColumnData::Data(from)) => c.extend(from),
            (ColumnData::Mixed(c), ColumnData::Mixed(from)) => c.extend_from_slice(from),
            (ColumnData::List(c), ColumnData::List(from)) => c.extend_from_slice(from),
            (ColumnData::Set(c), ColumnData::Set(from)) => c.extend_from_slice(from),
            (ColumnData::Dictionary(c), ColumnData::Dictionary(from)) => c.extend_from_slice(from),
            (data, from) => unreachable!("pages of one class have one type of column, not {data:?} and {from:?}"),
        }
        let (stamps, from_stamps) = row_stamps;
        self.unset.append(stamps.len(), &from.unset);
        if self.stamps.is_some() || from.stamps.is_some() {
            let own = self.stamps.get_or_insert_with(|| stamps.to_vec());
            own.extend_from_slice(from.stamps.as_deref().unwrap_or(from_stamps));
        }
    }

    pub(crate) fn split_off(&mut self, row: usize) -> Column {
        let data = match &mut self.data {
            ColumnData::Bool(c) => ColumnData::Bool(c.split_off(row)),
            ColumnData::Int(c) => ColumnData::Int(c.split_off(row)),
            ColumnData::Date(c) => ColumnData::Date(c.split_off(row)),
            ColumnData::Float(c) => ColumnData::Float(c.split_off(row)),
            ColumnData::Double(c) => ColumnData::Double(c.split_off(row)),
            ColumnData::Decimal(c) => ColumnData::Decimal(c.split_off(row)),
            ColumnData::Mixed(c) => ColumnData::Mixed(c.split_off(row)),
            ColumnData::ObjectId(c) => ColumnData::ObjectId(c.split_off(row)),
            ColumnData::Uuid(c) => ColumnData::Uuid(c.split_off(row)),
            ColumnData::Link(c) => ColumnData::Link(c.split_off(row)),
            ColumnData::String(c) => ColumnData::String(c.split_off(row)),
            ColumnData::Data(c) => ColumnData::Data(c.split_off(row)),
            ColumnData::List(c) => ColumnData::List(c.split_off(row)),
            ColumnData::Set(c) => ColumnData::Set(c.split_off(row)),
            ColumnData::Dictionary(c) => ColumnData::Dictionary(c.split_off(row)),
        };
        let stamps = self.stamps.as_mut().map(|stamps| stamps.split_off(row));
        Column { data, unset: self.unset.split_off(row), stamps }
    }

    pub(crate) fn mixed_mut(&mut self, row: usize) -> &mut Value {
        match &mut self.data {
            ColumnData::Mixed(values) => &mut values[row],
            data => unreachable!("an edit of a mixed value was checked against its column {data:?}"),
        }
    }

    pub(crate) fn list_mut(&mut self, row: usize) -> &mut List {
        match &mut self.data {
            ColumnData::List(lists) => Arc::make_mut(&mut lists[row]),
            data => unreachable!("a list edit was checked against its column {data:?}"),
        }
    }

    pub(crate) fn set_mut(&mut self, row: usize) -> &mut Set {
        match &mut self.data {
            ColumnData::Set(sets) => Arc::make_mut(&mut sets[row]),
            data => unreachable!("an edit of a set was checked against its column {data:?}"),
        }
    }

    pub(crate) fn dictionary_mut(&mut self, row: usize) -> &mut Dictionary {
        match &mut self.data {
            ColumnData::Dictionary(dictionaries) => Arc::make_mut(&mut dictionaries[row]),
            data => unreachable!("an edit of a dictionary was checked against its column {data:?}"),
        }
    }
}
