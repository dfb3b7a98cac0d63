//! Which elements of lists the embedded objects are in, so that who edits many of them does not look through the list for each.

use std::collections::BTreeMap;

use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::{ElementId, List};
use crate::value::ValueRef;

/// The elements that are known. An embedded object is in the same one for as long as it exists.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    elements: BTreeMap<(ClassIndex, ObjectKey), ElementId>,
    searches: u32,
}

impl Slots {
    /// Takes note of an object that was put into an element.
    pub(super) fn note(&mut self, class: ClassIndex, key: ObjectKey, element: ElementId) {
        self.elements.insert((class, key), element);
    }

    /// The element of its owner's list that an object is in. The first time that it has to be looked for, nothing else is
    /// noted: most transactions edit few objects.
    pub(super) fn find(&mut self, class: ClassIndex, key: ObjectKey, list: &List) -> Option<ElementId> {
        if let Some(id) = self.elements.get(&(class, key)) {
            return Some(*id);
        }
        let links = list.elements().iter().filter_map(|element| match element.value.as_ref() {
            ValueRef::Link(to) => Some((to, element.id)),
            _ => None,
        });
        self.searches += 1;
        if self.searches == 1 {
            return links.into_iter().find(|(to, _)| *to == key).map(|(_, id)| id);
        }
        self.elements.extend(links.map(|(to, id)| ((class, to), id)));
        self.elements.get(&(class, key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use crate::ObjectKey;
    use crate::objects::transaction::fixture::{OWNER, PART_CLASS, PART_NUMBER, PARTS, begin};
    use crate::objects::{Embedding, Transaction};
    use crate::value::Value;

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
}
