//! Rows on their way out. Removing one at a time would move the rest of its page each time; so a removed row is marked in its
//! page, and the marked rows of a page are taken out together: at the end of the transaction, or when somebody walks over the
//! table before that.

use std::sync::{Arc, OnceLock};

use super::map::CowMap;
use super::page::Group;
use crate::ids::ObjectKey;

/// Groups by a lower bound of their keys.
pub(crate) type Groups = CowMap<ObjectKey, Arc<Group>>;

/// The groups of a table, some rows of which may be on their way out.
#[derive(Clone, Debug, Default)]
pub(super) struct LeavingGroups {
    groups: Groups,
    /// One removed row of each page that has any.
    leaving: Vec<ObjectKey>,
    /// The groups without the removed rows, once somebody has asked for them.
    tidy: OnceLock<Groups>,
}

impl LeavingGroups {
    pub(super) fn new(groups: Groups) -> LeavingGroups {
        LeavingGroups { groups, ..LeavingGroups::default() }
    }

    /// The groups as everybody is to see them.
    pub(super) fn tidy(&self) -> &Groups {
        if self.leaving.is_empty() {
            return &self.groups;
        }
        self.tidy.get_or_init(|| {
            let mut groups = self.groups.clone();
            take_out(&mut groups, &self.leaving);
            groups
        })
    }

    /// Takes the removed rows out.
    pub(super) fn settle(&mut self) {
        if self.leaving.is_empty() {
            return;
        }
        let leaving = std::mem::take(&mut self.leaving);
        match self.tidy.take() {
            Some(tidy) => self.groups = tidy,
            None => take_out(&mut self.groups, &leaving),
        }
    }

    /// Whether no row is on its way out.
    pub(super) fn is_settled(&self) -> bool {
        self.leaving.is_empty()
    }

    /// The group in which a key is, if it is in the table; rows of it that have been removed are found by nobody.
    pub(super) fn group_of(&self, key: ObjectKey) -> Option<&Group> {
        self.groups.floor(&key).map(|(_, group)| &**group)
    }

    /// The group of a key, to be changed: it is no longer what the store has.
    pub(super) fn group_mut(&mut self, key: ObjectKey) -> Option<&mut Group> {
        // What was made for somebody to walk over would not have the change.
        if self.tidy.get().is_some() {
            self.settle();
        }
        group_mut(&mut self.groups, key)
    }

    /// The group into which a key that is not in the table belongs, tidy and to be changed.
    pub(super) fn group_for(&mut self, key: ObjectKey) -> &mut Group {
        match self.group_of(key) {
            None => {
                self.settle();
                self.groups.insert(key, Arc::default());
            }
            Some(group) if !self.leaving.is_empty() && group.is_untidy() => {
                self.settle();
                // Its group may have gone with its last rows.
                return self.group_for(key);
            }
            Some(_) => {}
        }
        self.group_mut(key).expect("a group was found or made")
    }

    /// Puts a group in that is right of all keys below its own.
    pub(super) fn insert(&mut self, group: Group) {
        if let Some(first) = group.first() {
            self.groups.insert(first, Arc::new(group));
        }
    }

    /// Removes a row that is there.
    pub(super) fn remove(&mut self, key: ObjectKey) {
        let group = self.group_mut(key).expect("the row is in a group");
        if group.mark_gone(key) {
            self.leaving.push(key);
        }
    }

    /// Changes every group.
    pub(super) fn change_all(&mut self, mut change: impl FnMut(&mut Group)) {
        self.settle();
        let bounds: Vec<ObjectKey> = self.groups.iter().map(|(bound, _)| *bound).collect();
        for bound in bounds {
            change(group_mut(&mut self.groups, bound).expect("the bound was just read"));
        }
    }
}

fn group_mut(groups: &mut Groups, key: ObjectKey) -> Option<&mut Group> {
    let bound = *groups.floor(&key)?.0;
    let group = Arc::make_mut(groups.get_mut(&bound)?);
    group.forget_saved();
    Some(group)
}

/// Takes the removed rows of pages out, each of which is named by one of them.
fn take_out(groups: &mut Groups, leaving: &[ObjectKey]) {
    for key in leaving {
        let bound = *groups.floor(key).expect("the row was in a group").0;
        let group = group_mut(groups, *key).expect("the row was in a group");
        group.tidy(*key);
        if group.pages().len() == 0 {
            groups.remove(&bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use crate::changeset::FieldSource;
    use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
    use crate::objects::{Cell, Snapshot, Stamp};
    use crate::schema::{ClassKind, ClassSchema, Property, PropertyType, Schema};
    use crate::value::{PrimaryKey, Value, ValueRef};

    const CLASS: ClassIndex = ClassIndex(0);
    const ID: ColumnIndex = ColumnIndex(0);
    const TEXT: ColumnIndex = ColumnIndex(1);

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, i64),
        Set(prop::sample::Index, i64),
        Remove(prop::sample::Index),
        RemoveAll(prop::sample::Index, usize),
        Walk,
        Keep,
        Settle,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => (1..3_000u64, any::<i64>()).prop_map(|(key, value)| Step::Insert(key, value)),
            3 => (any::<prop::sample::Index>(), any::<i64>()).prop_map(|(at, value)| Step::Set(at, value)),
            5 => any::<prop::sample::Index>().prop_map(Step::Remove),
            2 => (any::<prop::sample::Index>(), 1..600usize).prop_map(|(at, count)| Step::RemoveAll(at, count)),
            1 => Just(Step::Walk),
            1 => Just(Step::Keep),
            1 => Just(Step::Settle),
        ]
    }

    fn empty() -> Snapshot {
        let properties =
            vec![Property::required("id", PropertyType::Int), Property::required("text", PropertyType::String)];
        let name = "Thing".to_string();
        Snapshot::empty(&Schema::of([ClassSchema {
            name,
            kind: ClassKind::TopLevel,
            primary_key: Some(ID),
            properties,
        }]))
    }

    type Model = BTreeMap<ObjectKey, i64>;

    /// What a walk finds is what is there, and each is found by its key and its primary key.
    fn check(snapshot: &Snapshot, model: &Model) {
        let table = snapshot.table(CLASS);
        let text = |value: &i64| value.to_string();
        let rows = table.rows().map(|row| match row.value(TEXT) {
            ValueRef::String(text) => (row.key(), text.to_string()),
            other => panic!("{other:?}"),
        });
        assert!(rows.eq(model.iter().map(|(key, value)| (*key, text(value)))));
        assert_eq!(table.len(), model.len());
        for key in model.keys() {
            assert_eq!(table.find(&Value::Int(key.0 as i64)), Some(*key));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn removed_rows_are_gone_at_once_and_nothing_else_is(
            rows in 0..1_500u64,
            steps in prop::collection::vec(step(), 1..60),
        ) {
            let (mut snapshot, mut model, mut kept) = (empty(), Model::new(), Vec::new());
            let insert = |snapshot: &mut Snapshot, model: &mut Model, key: u64, value: i64| {
                let (key, id, text) = (ObjectKey(key), PrimaryKey::Int(key as i64), Value::String(value.to_string()));
                snapshot.insert_filled_row(CLASS, key, Some(id), Stamp::UNSET, &[Cell { column: TEXT, value: text.as_ref(), source: FieldSource::Given }]);
                model.insert(key, value);
            };
            for key in 1..=rows {
                insert(&mut snapshot, &mut model, key * 2, 0);
            }
            for step in steps {
                match step {
                    Step::Insert(key, value) if !model.contains_key(&ObjectKey(key)) => {
                        insert(&mut snapshot, &mut model, key, value);
                    }
                    Step::Set(at, value) if !model.is_empty() => {
                        let key = *model.keys().nth(at.index(model.len())).expect("it is not empty");
                        snapshot.set_cell(CLASS, key, TEXT, ValueRef::String(&value.to_string()), Stamp::UNSET);
                        model.insert(key, value);
                    }
                    Step::Remove(at) if !model.is_empty() => {
                        let key = *model.keys().nth(at.index(model.len())).expect("it is not empty");
                        snapshot.remove_row(CLASS, key);
                        model.remove(&key);
                        prop_assert!(!snapshot.table(CLASS).contains(key));
                        prop_assert_eq!(snapshot.table(CLASS).find(&Value::Int(key.0 as i64)), None);
                    }
                    Step::RemoveAll(at, count) if !model.is_empty() => {
                        let from = at.index(model.len());
                        let keys: Vec<ObjectKey> = model.keys().skip(from).take(count).copied().collect();
                        for key in keys {
                            snapshot.remove_row(CLASS, key);
                            model.remove(&key);
                        }
                    }
                    Step::Walk => check(&snapshot, &model),
                    Step::Keep => kept.push((snapshot.clone(), model.clone())),
                    Step::Settle => snapshot.settle(),
                    Step::Insert(..) | Step::Set(..) | Step::Remove(_) | Step::RemoveAll(..) => {}
                }
                prop_assert_eq!(snapshot.table(CLASS).len(), model.len());
                for key in model.keys() {
                    prop_assert!(snapshot.table(CLASS).contains(*key));
                }
            }
            check(&snapshot, &model);
            snapshot.settle();
            check(&snapshot, &model);
            for (snapshot, model) in kept {
                check(&snapshot, &model);
            }
        }
    }
}
