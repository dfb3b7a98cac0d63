//! A group of pages as one record.

use std::sync::Arc;

use super::column;
use crate::batch::{CorruptStore, open_sealed, seal};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::ObjectKey;
use crate::limits::{PAGE_ROWS, PROPERTIES, RECORD_PAGES};
use crate::objects::{Column, Group, Page};
use crate::schema::ClassSchema;

/// The record of a group: sealed; for each page its keys, stamps and columns.
pub fn encode_group(group: &Group) -> Vec<u8> {
    seal(|out| {
        out.varint(group.pages().len() as u64);
        for page in group.pages() {
            encode_page(page, out);
        }
    })
}

/// The pages of a record. `name` is for the error; `authors` is how many authors the manifest names. Properties that
/// the class has got since the record was written are filled in.
pub fn decode_group(
    name: &str,
    record: &[u8],
    class: &ClassSchema,
    authors: usize,
) -> Result<Vec<Arc<Page>>, CorruptStore> {
    open_sealed(name, record, |input| {
        let count = input.count(RECORD_PAGES)?;
        let mut pages = Vec::with_capacity(count);
        let mut last = ObjectKey(0);
        for _ in 0..count {
            let page = decode_page(class, authors, last, input)?;
            last = *page.keys.last().ok_or_else(|| input.invalid("a page with rows"))?;
            pages.push(Arc::new(page));
        }
        Ok(pages)
    })
}

fn encode_page(page: &Page, out: &mut Writer) {
    out.varint(page.len() as u64);
    let mut last = 0;
    for key in page.keys() {
        out.varint(key.0 - last);
        last = key.0;
    }
    column::write_stamps(&page.stamps, out);
    out.varint(page.columns.len() as u64);
    for column in &page.columns {
        column::encode(column, page.len(), out);
    }
}

fn decode_page(
    class: &ClassSchema,
    authors: usize,
    after: ObjectKey,
    input: &mut Reader<'_>,
) -> Result<Page, DecodeError> {
    let rows = input.count(PAGE_ROWS)?;
    let mut keys = Vec::with_capacity(rows);
    let mut last = 0u64;
    for _ in 0..rows {
        let key = last.checked_add(input.varint()?).ok_or_else(|| input.invalid("a 64-bit key"))?;
        if key <= last || key <= after.0 {
            return Err(input.invalid("ascending keys"));
        }
        keys.push(ObjectKey(key));
        last = key;
    }
    let stamps = column::read_stamps(rows, authors, input)?;
    let count = input.count(PROPERTIES)?;
    if count > class.properties.len() {
        return Err(input.invalid("columns that the class has"));
    }
    let mut columns = Vec::with_capacity(class.properties.len());
    for property in &class.properties[..count] {
        columns.push(Arc::new(column::decode(property, rows, authors, input)?));
    }
    for property in &class.properties[count..] {
        let mut column = Column::new(property);
        for (row, stamp) in stamps.iter().enumerate() {
            column.insert(row, !property.optional, *stamp);
        }
        columns.push(Arc::new(column));
    }
    Ok(Page::of(Arc::new(keys), Arc::new(stamps), columns))
}
