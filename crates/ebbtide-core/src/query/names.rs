//! What else properties are called in queries: their names in the app, where those of the store differ, and the names of
//! linking objects, which the store does not have.

use std::collections::BTreeMap;

use crate::ids::{ClassIndex, ColumnIndex};
use crate::schema::Schema;

/// The names that a schema itself does not have, by class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    aliases: BTreeMap<(ClassIndex, String), ColumnIndex>,
    linking: BTreeMap<(ClassIndex, String), (ClassIndex, ColumnIndex)>,
}

impl Names {
    /// Gives a property a second name.
    pub fn alias(&mut self, class: ClassIndex, name: impl Into<String>, column: ColumnIndex) {
        self.aliases.insert((class, name.into()), column);
    }

    /// Names the objects that link to an object of a class by a property of another.
    pub fn linking(&mut self, class: ClassIndex, name: impl Into<String>, source: (ClassIndex, ColumnIndex)) {
        self.linking.insert((class, name.into()), source);
    }
}

/// A schema with the names that go with it. A schema alone will do.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// Further names, if there are any.
    pub names: Option<&'a Names>,
}

impl<'a> From<&'a Schema> for Named<'a> {
    fn from(schema: &'a Schema) -> Named<'a> {
        Named { schema, names: None }
    }
}

impl<'a> From<(&'a Schema, &'a Names)> for Named<'a> {
    fn from((schema, names): (&'a Schema, &'a Names)) -> Named<'a> {
        Named { schema, names: Some(names) }
    }
}

impl Named<'_> {
    /// The property with a name, stored or given.
    pub(super) fn column(&self, class: ClassIndex, name: &str) -> Option<ColumnIndex> {
        let alias = || self.names?.aliases.get(&(class, name.to_string())).copied();
        alias().or_else(|| self.schema.class(class).column(name))
    }

    /// What the linking objects of a name link by.
    pub(super) fn linking_source(&self, class: ClassIndex, name: &str) -> Option<(ClassIndex, ColumnIndex)> {
        self.names?.linking.get(&(class, name.to_string())).copied()
    }

    /// The class of the links of a property.
    pub(super) fn target(&self, class: ClassIndex, column: ColumnIndex) -> Option<ClassIndex> {
        self.schema.class_index(self.schema.class(class).property(column).target.as_deref()?)
    }
}
