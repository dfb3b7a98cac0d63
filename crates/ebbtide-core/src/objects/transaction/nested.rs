//! Editing lists and dictionaries inside mixed values. A changeset has such a value only whole, so that several edits in a row
//! are made where the value is and written down once.

use super::{Transaction, WriteError, check_count, check_size, collections};
use crate::changeset::{Field, Instruction};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::objects::{Place, Slot};
use crate::value::{Value, ValueRef};

/// One step into a collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// To an element of a list.
    Index(usize),
    /// To the value of a key of a dictionary.
    Key(String),
}

/// One change of a list or dictionary inside a mixed value.
#[derive(Clone, PartialEq, Debug)]
pub enum NestedEdit {
    /// Sets an element, or the value of a key.
    Set(Step, Value),
    /// Inserts an element.
    Insert(usize, Value),
    /// Removes an element, or a key.
    Remove(Step),
    /// Moves an element; the second is its position afterwards.
    Move(usize, usize),
    /// Removes all.
    Clear,
}

impl NestedEdit {
    fn value(&self) -> Option<&Value> {
        match self {
            NestedEdit::Set(_, value) | NestedEdit::Insert(_, value) => Some(value),
            NestedEdit::Remove(_) | NestedEdit::Move(_, _) | NestedEdit::Clear => None,
        }
    }
}

/// A mixed value that was edited and is not in the changeset yet.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Late {
    place: Place,
    slot: Slot,
}

impl Transaction {
    /// Changes a list or dictionary inside a mixed value: the one at the end of `path`, whose first step leads to an element if
    /// the property is a collection itself.
    pub fn edit_nested(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        path: &[Step],
        edit: NestedEdit,
    ) -> Result<(), WriteError> {
        let place = (class, key, column);
        let (slot, path) = self.slot_of(place, path)?;
        self.check_nested(place, &slot, path, &edit)?;
        let late = Late { place, slot };
        if self.late.as_ref() != Some(&late) {
            self.settle();
        }
        if let Some(value) = edit.value() {
            self.snapshot.link_all(place, value.as_ref());
        }
        let gone = self.snapshot.change_in_slot(place, &late.slot, self.stamp, |root| apply(root, path, edit));
        if let Some(gone) = gone {
            self.snapshot.unlink_all(place, gone.as_ref());
        }
        self.late = Some(late);
        Ok(())
    }

    /// Writes down the value that was edited last.
    pub(super) fn settle(&mut self) {
        let Some(Late { place, slot }) = self.late.take() else { return };
        let (class, key, column) = place;
        let sound = "an object that was edited is there until something else is done";
        let value = self.snapshot.in_slot(place, &slot).expect(sound).to_owned();
        let object = self.object(class, key).expect(sound);
        let operand = self.operand(class, column, &value).expect("the value was checked");
        let property = self.property_name(class, column);
        let instruction = match slot {
            Slot::Single => Instruction::Set { object, field: Field { property, operand, is_default: false } },
            Slot::Element(id) => Instruction::ListSet { object, property, element: self.element_ref(id), operand },
            Slot::Key(key) => Instruction::DictionarySet { object, property, key, operand },
        };
        self.builder.push(instruction);
    }

    /// The value that a path begins in, and the rest of the path.
    fn slot_of<'a>(&self, place: Place, path: &'a [Step]) -> Result<(Slot, &'a [Step]), WriteError> {
        let (class, key, column) = place;
        let classes = &self.snapshot.schema.classes;
        let property = classes.get(class.index()).and_then(|class| class.properties.get(column.index()));
        property.ok_or(WriteError::NoSuchProperty)?;
        match (self.snapshot.table(class).get(key, column).ok_or(WriteError::NoSuchObject)?, path) {
            (ValueRef::List(list), [Step::Index(index), rest @ ..]) => {
                let element = list.elements().get(*index).ok_or(WriteError::NoSuchCollection)?;
                Ok((Slot::Element(element.id), rest))
            }
            (ValueRef::Dictionary(dictionary), [Step::Key(name), rest @ ..]) => {
                dictionary.get(name).ok_or(WriteError::NoSuchCollection)?;
                Ok((Slot::Key(name.clone()), rest))
            }
            (ValueRef::List(_) | ValueRef::Dictionary(_) | ValueRef::Set(_), _) => Err(WriteError::NoSuchCollection),
            (_, path) => Ok((Slot::Single, path)),
        }
    }

    /// Checks that an edit can be made.
    fn check_nested(&self, place: Place, slot: &Slot, path: &[Step], edit: &NestedEdit) -> Result<(), WriteError> {
        let root = self.snapshot.in_slot(place, slot).ok_or(WriteError::NoSuchCollection)?;
        let collection = path.iter().try_fold(root, |value, step| match (value, step) {
            (ValueRef::Array(values), Step::Index(index)) => values.get(*index).map(Value::as_ref),
            (ValueRef::Map(values), Step::Key(key)) => values.get(key).map(Value::as_ref),
            _ => None,
        });
        let len = match (collection, edit) {
            (Some(ValueRef::Array(values)), NestedEdit::Set(Step::Index(index), _))
            | (Some(ValueRef::Array(values)), NestedEdit::Remove(Step::Index(index)))
                if *index < values.len() =>
            {
                values.len()
            }
            (Some(ValueRef::Array(values)), NestedEdit::Insert(index, _)) if *index <= values.len() => values.len() + 1,
            (Some(ValueRef::Array(values)), NestedEdit::Move(from, to))
                if *from < values.len() && *to < values.len() =>
            {
                values.len()
            }
            (Some(ValueRef::Map(values)), NestedEdit::Set(Step::Key(key), _)) => {
                collections::check_key(key)?;
                values.len() + usize::from(!values.contains_key(key))
            }
            (Some(ValueRef::Map(_)), NestedEdit::Remove(Step::Key(_)))
            | (Some(ValueRef::Array(_) | ValueRef::Map(_)), NestedEdit::Clear) => 0,
            _ => return Err(WriteError::NoSuchCollection),
        };
        check_count(len)?;
        edit.value().map_or(Ok(()), |value| self.check_inner(place, path.len() + 1, value))
    }

    /// Checks a value that is put so many collections deep into a mixed value.
    fn check_inner(&self, (class, _, column): Place, depth: usize, value: &Value) -> Result<(), WriteError> {
        let mut are_sound = !matches!(value, Value::Link(_)) && depth + value.depth() <= limits::NESTED_COLLECTIONS;
        value.as_ref().each_link(None, &mut |target, key| {
            let schema = self.snapshot.schema.classes.get(target.index());
            are_sound &=
                schema.is_some_and(|schema| !schema.is_embedded()) && self.snapshot.table(target).contains(key);
        });
        if are_sound { check_size(value.as_ref()) } else { Err(self.wrong_type(class, column)) }
    }
}

/// Changes the collection at the end of a path inside a value, which was checked. Gives what is no longer in it.
fn apply(root: &mut Value, path: &[Step], edit: NestedEdit) -> Option<Value> {
    let target = path.iter().try_fold(root, |value, step| match (value, step) {
        (Value::Array(values), Step::Index(index)) => values.get_mut(*index),
        (Value::Map(values), Step::Key(key)) => values.get_mut(key),
        _ => None,
    })?;
    match (target, edit) {
        (Value::Array(values), NestedEdit::Set(Step::Index(index), value)) => {
            Some(std::mem::replace(&mut values[index], value))
        }
        (Value::Array(values), NestedEdit::Insert(index, value)) => {
            values.insert(index, value);
            None
        }
        (Value::Array(values), NestedEdit::Remove(Step::Index(index))) => Some(values.remove(index)),
        (Value::Array(values), NestedEdit::Move(from, to)) => {
            let value = values.remove(from);
            values.insert(to, value);
            None
        }
        (Value::Map(values), NestedEdit::Set(Step::Key(key), value)) => values.insert(key, value),
        (Value::Map(values), NestedEdit::Remove(Step::Key(key))) => values.remove(&key),
        (target @ Value::Array(_), NestedEdit::Clear) => Some(std::mem::replace(target, Value::Array(Vec::new()))),
        (target @ Value::Map(_), NestedEdit::Clear) => Some(std::mem::replace(target, Value::Map(Default::default()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ServerVersion;
    use crate::merge::apply as apply_changeset;
    use crate::objects::transaction::fixture::{ANY, ANY_BY_NAME, ANYS, NUMBER, OWNER, begin};
    use crate::objects::{KeySource, Snapshot};

    /// An owner in each of whose mixed values is a list with a dictionary at its front, and where these are.
    fn owner(transaction: &mut Transaction) -> (ObjectKey, [(ColumnIndex, Vec<Step>); 3]) {
        let key = transaction.create(OWNER, None).expect("the class is there");
        let value = || Value::Array(vec![Value::Map([("a".to_string(), Value::Int(1))].into()), Value::Int(2)]);
        transaction.set(OWNER, key, ANY, value()).expect("a mixed");
        transaction.list_insert(OWNER, key, ANYS, 0, value()).expect("a list of mixed");
        transaction.dictionary_set(OWNER, key, ANY_BY_NAME, "k", value()).expect("a dictionary of mixed");
        let place = [vec![], vec![Step::Index(0)], vec![Step::Key("k".to_string())]];
        let columns = [ANY, ANYS, ANY_BY_NAME];
        (key, std::array::from_fn(|number| (columns[number], place[number].clone())))
    }

    /// What the changeset of a transaction makes of nothing.
    fn replayed(transaction: Transaction) -> (Snapshot, Snapshot) {
        let mut empty = begin().finish().expect("nothing was written").0;
        let (after, changeset, next) = transaction.finish().expect("within the limits");
        let changeset = changeset.expect("something was written");
        apply_changeset(&mut empty, &changeset, ServerVersion(0), &mut KeySource::new(next, Vec::new()));
        (after, empty)
    }

    fn edits() -> impl Strategy<Value = Vec<(usize, bool, NestedEdit)>> {
        let value = any::<i64>().prop_map(Value::Int);
        let edit = prop_oneof![
            (0..6usize, value.clone()).prop_map(|(at, value)| NestedEdit::Insert(at, value)),
            (0..6usize, value.clone()).prop_map(|(at, value)| NestedEdit::Set(Step::Index(at), value)),
            ("[a-c]", value).prop_map(|(key, value)| NestedEdit::Set(Step::Key(key), value)),
            (0..6usize).prop_map(|at| NestedEdit::Remove(Step::Index(at))),
            "[a-c]".prop_map(|key| NestedEdit::Remove(Step::Key(key))),
            (0..6usize, 0..6usize).prop_map(|(from, to)| NestedEdit::Move(from, to)),
            Just(NestedEdit::Clear),
        ];
        proptest::collection::vec((0..6usize, any::<bool>(), edit), 1..30)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_was_edited_in_place_is_what_the_changeset_makes(edits in edits()) {
            let mut transaction = begin();
            let (key, places) = owner(&mut transaction);
            for (place, between, edit) in edits {
                let (column, mut path) = places[place % 3].clone();
                if place >= 3 {
                    path.push(Step::Index(0));
                }
                if between {
                    transaction.set(OWNER, key, NUMBER, Value::Int(place as i64)).expect("an int");
                }
                let _ = transaction.edit_nested(OWNER, key, column, &path, edit);
            }
            let (after, replayed) = replayed(transaction);
            prop_assert_eq!(after.canonical(), replayed.canonical());
        }
    }

    #[test]
    fn many_edits_of_one_value_are_written_down_once() {
        let mut transaction = begin();
        let (key, places) = owner(&mut transaction);
        for (column, path) in &places {
            for number in 0..10_000 {
                let edit = NestedEdit::Insert(0, Value::Int(number));
                transaction.edit_nested(OWNER, key, *column, path, edit).expect("a list");
            }
        }
        let (after, changeset, _) = transaction.finish().expect("within the limits");
        let bytes = changeset.expect("something was written").encode().len();
        assert!(bytes < 500_000, "{bytes}");
        let Some(ValueRef::Array(values)) = after.table(OWNER).get(key, ANY) else { panic!("no list") };
        assert_eq!(values.len(), 10_002);
    }

    #[test]
    fn what_cannot_be_edited_is_refused_and_changes_nothing() {
        let mut transaction = begin();
        let (key, [(column, path), ..]) = owner(&mut transaction);
        let before = transaction.snapshot().canonical();
        let far = [Step::Index(7)];
        let inside = [Step::Index(0), Step::Key("a".to_string())];
        for (path, edit) in [
            (&path[..], NestedEdit::Insert(9, Value::Null)),
            (&path[..], NestedEdit::Set(Step::Key("a".to_string()), Value::Null)),
            (&path[..], NestedEdit::Move(0, 2)),
            (&far[..], NestedEdit::Clear),
            (&inside[..], NestedEdit::Clear),
            (&path[..], NestedEdit::Insert(0, Value::Link(key))),
            (&path[..], NestedEdit::Insert(0, Value::TypedLink(OWNER, ObjectKey(99)))),
            (&inside[..1], NestedEdit::Set(Step::Key("$a".to_string()), Value::Null)),
        ] {
            transaction.edit_nested(OWNER, key, column, path, edit).expect_err("what does not fit");
            assert_eq!(transaction.snapshot().canonical(), before);
        }
    }
}
