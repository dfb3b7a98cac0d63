//! A whole snapshot as bytes: a manifest and the page records.

use std::sync::Arc;

use super::group::{decode_group, encode_group};
use crate::batch::{CorruptStore, open_sealed, seal};
use crate::changeset::{read_primary_key, write_primary_key};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ChangesetNumber, ClassIndex, ClientId, ColumnIndex, ObjectKey, ServerVersion};
use crate::objects::{AuthorIndex, Authors, CowMap, Group, Snapshot, Table, Tombstone};
use crate::schema::{Schema, validate};
use crate::value::{PrimaryKey, ValueRef};

/// All of a snapshot but its pages.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// The schema.
    pub schema: Schema,
    /// The authors that stamps refer to.
    pub authors: Authors,
    /// What there is of each class, in the order of the schema.
    pub tables: Vec<TableManifest>,
}

/// All of a table but its pages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableManifest {
    /// How many page records there are.
    pub groups: usize,
    /// The deleted objects.
    pub tombstones: Vec<(PrimaryKey, Tombstone)>,
}

impl Manifest {
    /// The manifest of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Manifest {
        let tables = snapshot.tables.iter().map(|table| TableManifest {
            groups: table.groups().len(),
            tombstones: table.tombstones.iter().map(|(key, tombstone)| (key.clone(), *tombstone)).collect(),
        });
        Manifest { schema: snapshot.schema().clone(), authors: snapshot.authors().clone(), tables: tables.collect() }
    }

    /// Writes the manifest.
    pub fn encode(&self, out: &mut Writer) {
        self.schema.encode(out);
        out.varint(self.authors.ids().len() as u64);
        for client in self.authors.ids() {
            out.raw(&client.0);
        }
        for table in &self.tables {
            out.varint(table.groups as u64);
            out.varint(table.tombstones.len() as u64);
            for (key, tombstone) in &table.tombstones {
                write_primary_key(key, out);
                out.varint(tombstone.version.0);
                out.varint(u64::from(tombstone.author.0));
                out.varint(tombstone.number.0);
            }
        }
    }

    /// Reads a manifest.
    pub fn decode(input: &mut Reader<'_>) -> Result<Manifest, DecodeError> {
        let schema = Schema::decode(input)?;
        validate(&schema).map_err(|_| input.invalid("a sound schema"))?;
        let count = input.count(usize::MAX)?;
        let clients = (0..count).map(|_| input.array().map(ClientId)).collect::<Result<Vec<_>, _>>()?;
        let mut tables = Vec::with_capacity(schema.classes.len());
        for _ in &schema.classes {
            tables.push(decode_table(clients.len(), input)?);
        }
        Ok(Manifest { schema, authors: Authors::from_ids(clients), tables })
    }
}

fn decode_table(authors: usize, input: &mut Reader<'_>) -> Result<TableManifest, DecodeError> {
    let groups = input.varint()? as usize;
    let count = input.count(usize::MAX)?;
    let mut tombstones: Vec<(PrimaryKey, Tombstone)> = Vec::new();
    for _ in 0..count {
        let key = read_primary_key(input)?;
        let version = ServerVersion(input.varint()?);
        let author = input.varint()?;
        if author >= authors as u64 || tombstones.last().is_some_and(|(last, _)| *last >= key) {
            return Err(input.invalid("tombstones in order, by known authors"));
        }
        let number = ChangesetNumber(input.varint()?);
        tombstones.push((key, Tombstone { version, author: AuthorIndex(author as u32), number }));
    }
    Ok(TableManifest { groups, tombstones })
}

/// Puts a snapshot together from its manifest and, for each class, its groups in ascending order. Checks what holds
/// between pages: order of keys, distinct primary keys, links that lead somewhere.
pub fn assemble(manifest: Manifest, groups: Vec<Vec<Arc<Group>>>) -> Result<Snapshot, CorruptStore> {
    let damaged = |class: &str, reason: &str| CorruptStore::Damaged {
        record: format!("table '{class}'"),
        reason: reason.to_string(),
    };
    let mut tables = Vec::with_capacity(groups.len());
    for ((class, table), groups) in manifest.schema.classes.iter().zip(manifest.tables).zip(groups) {
        let pages = groups.iter().flat_map(|group| group.pages());
        let mut last = ObjectKey(0);
        for page in pages {
            if page.keys[0] <= last {
                return Err(damaged(&class.name, "its pages are out of order"));
            }
            last = *page.keys.last().expect("a decoded page has rows");
        }
        let table = Table::from_groups(class, groups, CowMap::from_sorted(table.tombstones));
        if !table.has_distinct_keys() {
            return Err(damaged(&class.name, "two of its objects have the same primary key"));
        }
        tables.push(Arc::new(table));
    }
    let mut snapshot = Snapshot { schema: Arc::new(manifest.schema), tables, authors: Arc::new(manifest.authors) };
    check_links(&snapshot).map_err(|class| damaged(&class, "one of its links leads nowhere"))?;
    snapshot.index_backlinks();
    check_owners(&snapshot).map_err(|class| damaged(&class, "one of its embedded objects has not one owner"))?;
    Ok(snapshot)
}

fn check_links(snapshot: &Snapshot) -> Result<(), String> {
    let leads_somewhere = |target: ClassIndex, key: ObjectKey| {
        target.index() < snapshot.tables.len() && snapshot.table(target).contains(key)
    };
    for (index, class) in snapshot.schema().classes.iter().enumerate() {
        let table = snapshot.table(ClassIndex(index as u32));
        for (column, property) in class.properties.iter().enumerate() {
            if !property.has_links() {
                continue;
            }
            let column = ColumnIndex(column as u32);
            let target = match property.target.as_deref() {
                Some(target) => Some(snapshot.schema().class_index(target).ok_or_else(|| class.name.clone())?),
                None => None,
            };
            let mut sound = true;
            for row in table.rows() {
                row.value(column).each_link(target, &mut |target, key| {
                    sound &= leads_somewhere(target, key);
                });
                if let ValueRef::Set(set) = row.value(column) {
                    for element in set.remembered() {
                        element.value.as_ref().each_link(target, &mut |target, key| {
                            sound &= leads_somewhere(target, key);
                        });
                    }
                }
            }
            if !sound {
                return Err(class.name.clone());
            }
        }
    }
    Ok(())
}

/// Checks that every embedded object has one owner, and so up to one that stands by itself.
fn check_owners(snapshot: &Snapshot) -> Result<(), String> {
    for (index, class) in snapshot.schema().classes.iter().enumerate().filter(|(_, class)| class.is_embedded()) {
        let class_index = ClassIndex(index as u32);
        if snapshot.table(class_index).keys().any(|key| snapshot.owners(class_index, key).is_none()) {
            return Err(class.name.clone());
        }
    }
    Ok(())
}

/// A snapshot as chunks of at most `chunk_bytes`: the sealed manifest and all page records, each after its length, cut
/// anywhere.
pub fn export(snapshot: &Snapshot, chunk_bytes: usize) -> Vec<Vec<u8>> {
    let mut out = Writer::new();
    out.run(&seal(|out| Manifest::of(snapshot).encode(out)));
    for group in snapshot.tables.iter().flat_map(|table| table.groups().values()) {
        out.run(&encode_group(group));
    }
    out.into_bytes().chunks(chunk_bytes).map(<[u8]>::to_vec).collect()
}

/// The snapshot of the chunks that [`export`] made, in order.
pub fn import<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Snapshot, CorruptStore> {
    let bytes: Vec<u8> = chunks.into_iter().flatten().copied().collect();
    let damaged = |error: DecodeError| CorruptStore::Damaged { record: "image".to_string(), reason: error.to_string() };
    let mut input = Reader::new(&bytes);
    let record = input.run(usize::MAX).map_err(damaged)?;
    let manifest = open_sealed("manifest of the image", record, Manifest::decode)?;
    let mut tables = Vec::with_capacity(manifest.tables.len());
    for (class, table) in manifest.schema.classes.iter().zip(&manifest.tables) {
        let mut groups = Vec::new();
        for index in 0..table.groups {
            let record = input.run(usize::MAX).map_err(damaged)?;
            let name = format!("page record {index} of class '{}'", class.name);
            let pages = decode_group(&name, record, class, manifest.authors.ids().len())?;
            if !pages.is_empty() {
                groups.push(Arc::new(Group::of(pages)));
            }
        }
        tables.push(groups);
    }
    input.end().map_err(damaged)?;
    assemble(manifest, tables)
}
