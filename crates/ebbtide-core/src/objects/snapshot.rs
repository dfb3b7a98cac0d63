//! One state of a realm, immutable to its readers.

use std::sync::Arc;

use super::map::CowMap;
use super::table::Table;
use crate::clock::EditTime;
use crate::ids::{ClassIndex, ClientId, ObjectKey};
use crate::mutants::{Mutant, mutant};
use crate::schema::{ClassSchema, Property, Schema};
use crate::value::{PrimaryKey, Value};

/// A client's position in [`Authors`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct AuthorIndex(pub u32);

/// When and by whom a value was set. The later one wins; at equal times the greater [`ClientId`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Stamp {
    /// When. Zero for a value that nobody has set: any edit wins over it.
    pub time: EditTime,
    /// By whom.
    pub author: AuthorIndex,
}

impl Stamp {
    /// The stamp of a value that nobody has set.
    pub const UNSET: Stamp = Stamp { time: EditTime(0), author: AuthorIndex(0) };
}

/// The clients whose edits a snapshot holds. Append-only, so that an index keeps its meaning in all later snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authors {
    ids: Vec<ClientId>,
}

impl Authors {
    pub(crate) fn from_ids(ids: Vec<ClientId>) -> Authors {
        Authors { ids }
    }

    /// The clients in order.
    pub fn ids(&self) -> &[ClientId] {
        &self.ids
    }

    /// The client of an index; the nil id for an index out of range.
    pub fn id(&self, index: AuthorIndex) -> ClientId {
        self.ids.get(index.0 as usize).copied().unwrap_or_default()
    }

    /// The index of a client that has been seen.
    pub fn find(&self, id: ClientId) -> Option<AuthorIndex> {
        self.ids.iter().rposition(|known| *known == id).map(|index| AuthorIndex(index as u32))
    }
}

/// One state of a realm. Cheap to clone; a clone never changes.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(crate) schema: Arc<Schema>,
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) authors: Arc<Authors>,
}

impl Snapshot {
    /// A state without objects.
    pub fn empty(schema: &Schema) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for class in &schema.classes {
            snapshot.add_class(ClassSchema::clone(class));
        }
        snapshot
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The objects of a class.
    pub fn table(&self, class: ClassIndex) -> &Table {
        &self.tables[class.index()]
    }

    /// The highest lane that an object's key is from.
    pub fn highest_lane(&self) -> u64 {
        self.tables.iter().filter_map(|table| table.keys().last()).map(ObjectKey::lane).max().unwrap_or(0)
    }

    /// A key that is above all of a lane that objects have.
    pub(crate) fn key_after(&self, lane: u64) -> ObjectKey {
        let last = self.tables.iter().filter_map(|table| table.last_of(lane)).max();
        last.map_or(ObjectKey::first_of(lane), |last| ObjectKey(last.0 + 1))
    }

    /// The clients whose edits are in here.
    pub fn authors(&self) -> &Authors {
        &self.authors
    }

    /// Whether both are the very same state.
    pub fn ptr_eq(&self, other: &Snapshot) -> bool {
        Arc::ptr_eq(&self.schema, &other.schema)
            && self.tables.len() == other.tables.len()
            && self.tables.iter().zip(&other.tables).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// How many objects there are in all classes.
    pub fn object_count(&self) -> usize {
        self.tables.iter().map(|table| table.len()).sum()
    }

    /// The primary key of an object, if its class has one and it exists.
    pub fn primary_key(&self, class: ClassIndex, key: ObjectKey) -> Option<Value> {
        let column = self.schema.class(class).primary_key?;
        Some(self.table(class).row(key)?.value(column).to_owned())
    }

    /// The object with a primary key.
    pub fn find(&self, class: ClassIndex, primary_key: &Value) -> Option<ObjectKey> {
        self.table(class).find_key(&PrimaryKey::from_value(primary_key)?)
    }

    /// Whether `a` is later than `b`: by time, then by the author's id.
    pub fn later(&self, a: Stamp, b: Stamp) -> bool {
        if mutant(Mutant::SwappedTie) && a.time == b.time {
            return self.authors.id(a.author) < self.authors.id(b.author);
        }
        (a.time, self.authors.id(a.author)) > (b.time, self.authors.id(b.author))
    }

    /// Takes rows that were removed out of their pages.
    pub(crate) fn settle(&mut self) {
        for table in self.tables.iter_mut().filter(|table| !table.is_settled()) {
            Arc::make_mut(table).settle();
        }
    }

    pub(crate) fn table_mut(&mut self, class: ClassIndex) -> &mut Table {
        Arc::make_mut(&mut self.tables[class.index()])
    }

    /// The index of an author, who is added if unknown.
    pub fn author(&mut self, id: ClientId) -> AuthorIndex {
        if let Some(index) = self.authors.find(id) {
            return index;
        }
        let authors = Arc::make_mut(&mut self.authors);
        authors.ids.push(id);
        AuthorIndex((authors.ids.len() - 1) as u32)
    }

    /// Forgets the deletions, which only a synced realm has to know of.
    pub(crate) fn forget_tombstones(&mut self) {
        for table in &mut self.tables {
            Arc::make_mut(table).tombstones = CowMap::new();
        }
    }

    /// Whether both have the same schema.
    pub(crate) fn has_schema_of(&self, other: &Snapshot) -> bool {
        Arc::ptr_eq(&self.schema, &other.schema) || self.schema == other.schema
    }

    /// The same objects as groups that no store has.
    pub(crate) fn unsaved(&self) -> Snapshot {
        let mut unsaved = self.clone();
        for table in &mut unsaved.tables {
            Arc::make_mut(table).forget_saved();
        }
        unsaved
    }

    /// Adds a class at the end of the schema. The caller has checked that it is new and sound.
    pub(crate) fn add_class(&mut self, class: ClassSchema) -> ClassIndex {
        self.tables.push(Arc::new(Table::new(&class)));
        let schema = Arc::make_mut(&mut self.schema);
        schema.classes.push(Arc::new(class));
        ClassIndex((schema.classes.len() - 1) as u32)
    }

    /// Adds a property at the end of a class; its value in all rows is null, zero or empty and unset.
    pub(crate) fn add_property(&mut self, class: ClassIndex, property: Property) {
        self.table_mut(class).add_column(&property);
        let schema = Arc::make_mut(&mut self.schema);
        Arc::make_mut(&mut schema.classes[class.index()]).properties.push(property);
    }
}
