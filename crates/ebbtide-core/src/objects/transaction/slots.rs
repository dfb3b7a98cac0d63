//! Which elements of lists, or keys of dictionaries, the embedded objects are in, so that who edits many of them does not look
//! through the collection for each.

use std::collections::BTreeMap;

use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::{Dictionary, List, Slot};
use crate::value::ValueRef;

/// The places that are known. An embedded object is in the same one for as long as it exists.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    known: BTreeMap<(ClassIndex, ObjectKey), Slot>,
    searches: u32,
}

impl Slots {
    /// Takes note of an object that was put into a place.
    pub(super) fn note(&mut self, class: ClassIndex, key: ObjectKey, slot: Slot) {
        self.known.insert((class, key), slot);
    }

    /// The element of its owner's list that an object is in.
    pub(super) fn in_list(&mut self, object: (ClassIndex, ObjectKey), list: &List) -> Option<Slot> {
        let first = |list: &List| list.linking(object).first().map(|at| Slot::Element(list.elements()[*at].id));
        let all = |list: &List| {
            let elements = list.elements().iter();
            let found = elements.filter_map(|element| Some((link(element.value.as_ref())?, Slot::Element(element.id))));
            found.collect()
        };
        self.find(object, list, first, all)
    }

    /// The key of its owner's dictionary that an object is under.
    pub(super) fn in_dictionary(&mut self, object: (ClassIndex, ObjectKey), dictionary: &Dictionary) -> Option<Slot> {
        let first =
            |dictionary: &Dictionary| dictionary.linking(object).next().map(|entry| Slot::Key(entry.key.clone()));
        let all = |dictionary: &Dictionary| {
            let entries = dictionary.entries().iter();
            entries.filter_map(|entry| Some((link(entry.value.as_ref())?, Slot::Key(entry.key.clone())))).collect()
        };
        self.find(object, dictionary, first, all)
    }

    /// The first time that an object has to be looked for, nothing else is noted: most transactions edit few objects.
    fn find<C>(
        &mut self,
        (class, key): (ClassIndex, ObjectKey),
        collection: &C,
        first: impl Fn(&C) -> Option<Slot>,
        all: impl Fn(&C) -> Vec<(ObjectKey, Slot)>,
    ) -> Option<Slot> {
        if let Some(slot) = self.known.get(&(class, key)) {
            return Some(slot.clone());
        }
        self.searches += 1;
        if self.searches == 1 {
            return first(collection);
        }
        self.known.extend(all(collection).into_iter().map(|(to, slot)| ((class, to), slot)));
        self.known.get(&(class, key)).cloned()
    }
}

fn link(value: ValueRef<'_>) -> Option<ObjectKey> {
    if let ValueRef::Link(to) = value { Some(to) } else { None }
}

#[cfg(test)]
mod tests {
    use crate::merge::apply;
    use crate::objects::transaction::fixture::{OWNER, PART_CLASS, PART_NUMBER, PARTS, PARTS_BY_NAME, begin};
    use crate::objects::{Embedding, KeySource, Transaction};
    use crate::value::{Value, ValueRef};
    use crate::{ObjectKey, ServerVersion};

    /// Puts new objects into a list at a position, and edits every object that is in it then.
    fn embed_and_edit(transaction: &mut Transaction, owner: ObjectKey, at: usize, count: usize) {
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(transaction.embed(OWNER, owner, PARTS, Embedding::Insert(at)).expect("a place in the list"));
        }
        for (number, key) in keys.into_iter().enumerate() {
            transaction.set(PART_CLASS, key, PART_NUMBER, Value::Int(number as i64)).expect("an int");
        }
    }

    #[test]
    fn embedded_objects_are_named_by_their_elements_after_a_rewind_too() {
        let (mut marked, mut plain) = (begin(), begin());
        let owner = marked.create(OWNER, None).expect("the class is there");
        assert_eq!(plain.create(OWNER, None).expect("the class is there"), owner);
        marked.mark();
        embed_and_edit(&mut marked, owner, 0, 3);
        marked.rewind();
        // The same keys again, in other elements.
        for transaction in [&mut marked, &mut plain] {
            let second = transaction.create(OWNER, None).expect("the class is there");
            embed_and_edit(transaction, second, 0, 1);
            embed_and_edit(transaction, owner, 0, 2);
            let replaced = transaction.embed(OWNER, owner, PARTS, Embedding::Replace(1)).expect("an element");
            transaction.set(PART_CLASS, replaced, PART_NUMBER, Value::Int(7)).expect("an int");
        }
        let (after, changeset, _) = marked.finish().expect("within the limits");
        let (expected, expected_changeset, _) = plain.finish().expect("within the limits");
        assert_eq!(after.canonical(), expected.canonical());
        assert_eq!(changeset, expected_changeset);
    }

    #[test]
    fn embedded_objects_are_named_by_their_keys_wherever_they_were_put_there() {
        let mut transaction = begin();
        let owner = transaction.create(OWNER, None).expect("the class is there");
        let embed = |transaction: &mut Transaction, name: &str| {
            transaction.embed(OWNER, owner, PARTS_BY_NAME, Embedding::Key(name)).expect("a dictionary")
        };
        let names: Vec<String> = (0..400).map(|number| format!("part {number}")).collect();
        for name in &names {
            embed(&mut transaction, name);
        }
        transaction.mark();
        embed(&mut transaction, "part 7");
        transaction.rewind();
        let renewed = embed(&mut transaction, "part 9");
        transaction.set(PART_CLASS, renewed, PART_NUMBER, Value::Int(-1)).expect("an int");
        for (number, name) in names.iter().enumerate() {
            let dictionary = transaction.snapshot().dictionary((OWNER, owner, PARTS_BY_NAME)).expect("it was filled");
            let Some(ValueRef::Link(part)) = dictionary.get(name) else { panic!("no part '{name}'") };
            transaction.set(PART_CLASS, part, PART_NUMBER, Value::Int(number as i64)).expect("an int");
        }
        let mut replayed = begin().finish().expect("nothing was written").0;
        let (after, changeset, next) = transaction.finish().expect("within the limits");
        let changeset = changeset.expect("something was written");
        apply(&mut replayed, &changeset, ServerVersion(0), &mut KeySource::new(next, Vec::new()));
        assert_eq!(replayed.canonical(), after.canonical());
    }
}
