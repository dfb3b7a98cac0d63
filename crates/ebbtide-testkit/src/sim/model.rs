//! The merge rules of docs/merge.md once more, over plain maps and as naively as possible: no pages, keys, indexes,
//! backlinks, shared state. Fed with a server's history in its order, it must show what every replica shows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ebbtide_core::changeset::{
    Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef,
};
use ebbtide_core::objects::ElementId;
use ebbtide_core::schema::{ClassSchema, Collection, Property, PropertyType};
use ebbtide_core::value::PrimaryKey;
use ebbtide_core::{
    ClassIndex, ClientId, ColumnIndex, Decimal, EditTime, ObjectKey, ServerVersion, Snapshot, Value, ValueRef,
};

use super::picture::{Picture, link_text, list_text, map_text, object_text, plain_text, set_text};

/// When and by whom; the greater wins.
type Stamp = (EditTime, ClientId);
type Id = (String, PrimaryKey);
type ElementName = (ClientId, u64);

const UNSET: Stamp = (EditTime(0), ClientId([0; 16]));

/// A realm as the rules say it is.
#[derive(Clone, Debug, Default)]
pub struct Model {
    classes: BTreeMap<String, ClassSchema>,
    objects: BTreeMap<Id, Thing>,
    graves: BTreeMap<Id, Grave>,
}

#[derive(Clone, Debug)]
struct Grave {
    version: ServerVersion,
    author: ClientId,
    number: u64,
}

/// An object and what it owns.
#[derive(Clone, PartialEq, Debug)]
struct Thing {
    class: String,
    created: Stamp,
    cells: BTreeMap<String, Cell>,
}

#[derive(Clone, PartialEq, Debug)]
enum Cell {
    One(Content, Stamp),
    List(Vec<Element>),
    Set(SetCell),
    Dictionary(DictionaryCell),
}

#[derive(Clone, PartialEq, Debug)]
enum Content {
    Plain(Value),
    Link(Id),
    Owned(Box<Thing>),
    Array(Vec<Content>),
    Map(BTreeMap<String, Content>),
}

#[derive(Clone, PartialEq, Debug)]
struct Element {
    name: ElementName,
    after: Option<ElementName>,
    placed: Stamp,
    version: ServerVersion,
    content: Content,
    stamp: Stamp,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct SetCell {
    there: Vec<(Content, Stamp)>,
    gone: Vec<(Content, Stamp)>,
    cleared: Option<Stamp>,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct DictionaryCell {
    there: BTreeMap<String, (Content, Stamp)>,
    gone: BTreeMap<String, Stamp>,
    cleared: Option<Stamp>,
}

/// One changeset on its way in.
struct Step<'a> {
    changeset: &'a Changeset,
    version: ServerVersion,
    stamp: Stamp,
}

impl Model {
    /// A realm without objects and schema.
    pub fn new() -> Model {
        Model::default()
    }

    /// What a state is whose history does not matter any more: with nothing remembered of what was removed.
    pub fn of(snapshot: &Snapshot) -> Model {
        let schema = snapshot.schema();
        let mut model = Model::new();
        for (index, class) in schema.classes.iter().enumerate() {
            model.classes.insert(class.name.clone(), ClassSchema::clone(class));
            let Some(key_column) = class.primary_key else { continue };
            let index = ClassIndex(index as u32);
            for row in snapshot.table(index).rows() {
                let key = PrimaryKey::from_ref(row.value(key_column)).expect("a primary key is one");
                model.objects.insert((class.name.clone(), key), Thing::of(snapshot, index, row.key()));
            }
        }
        model
    }

    /// Takes the history's next entry.
    pub fn take(&mut self, changeset: &Changeset, version: ServerVersion) {
        let step = Step { changeset, version, stamp: (changeset.time, changeset.client) };
        for instruction in changeset.instructions() {
            self.instruct(&step, instruction);
        }
    }

    /// A property is taken away: the server's schema was changed in a way that breaks its history.
    pub fn drop_property(&mut self, class: &str, property: &str) {
        if let Some(class) = self.classes.get_mut(class) {
            class.properties.retain(|known| known.name != property);
        }
        for thing in self.objects.values_mut().filter(|thing| thing.class == class) {
            thing.cells.remove(property);
        }
    }

    /// What it shows.
    pub fn picture(&self) -> Picture {
        self.objects.iter().map(|(id, thing)| (id.clone(), self.thing_text(thing, Some(&id.1)))).collect()
    }

    fn instruct(&mut self, step: &Step<'_>, instruction: Instruction) {
        let name = |index: NameIndex| step.changeset.name(index).to_string();
        match instruction {
            Instruction::AddClass(class) => self.add_class(class),
            Instruction::AddProperty { class, property } => self.add_property(&name(class), property),
            Instruction::CreateObject { object, fields } => self.create(step, &object, &fields),
            Instruction::DeleteObject { object } => self.delete(step, &object),
            Instruction::Set { object, field } => self.set(step, &object, &field),
            Instruction::Increment { object, property, by } => {
                if let Some(Cell::One(Content::Plain(Value::Int(value)), _)) = self.cell(step, &object, property) {
                    *value = value.wrapping_add(by);
                }
            }
            Instruction::ListInsert { object, property, sequence, after, index, operand } => {
                let Some(content) = self.element_of(step, &operand, self.target(step, &object, property)) else {
                    return;
                };
                let after = after.map(|after| step.element(after));
                let element = Element {
                    name: (step.changeset.client, sequence),
                    after,
                    placed: step.stamp,
                    version: step.version,
                    content,
                    stamp: step.stamp,
                };
                if let Some(Cell::List(list)) = self.cell(step, &object, property)
                    && position(list, element.name).is_none()
                {
                    let at = step.place(list, &element, index as usize);
                    list.insert(at, element);
                }
            }
            Instruction::ListSet { object, property, element, operand } => {
                let content = self.element_of(step, &operand, self.target(step, &object, property));
                let Some((list, at)) = self.element(step, &object, property, element) else { return };
                if list[at].stamp > step.stamp {
                    return;
                }
                match content {
                    Some(content) => (list[at].content, list[at].stamp) = (content, step.stamp),
                    None => drop(list.remove(at)),
                }
            }
            Instruction::ListMove { object, property, element, after, index } => {
                let Some((list, from)) = self.element(step, &object, property, element) else { return };
                if list[from].placed > step.stamp {
                    return;
                }
                let after = after.map(|after| step.element(after));
                let to = place_after(list, after, index as usize);
                let mut moved = list.remove(from);
                (moved.after, moved.placed, moved.version) = (after, step.stamp, step.version);
                let to = if to > from { to - 1 } else { to };
                list.insert(to.min(list.len()), moved);
            }
            Instruction::ListRemove { object, property, element } => {
                if let Some((list, at)) = self.element(step, &object, property, element) {
                    list.remove(at);
                }
            }
            Instruction::ListClear { object, property, elements } => {
                if let Some(Cell::List(list)) = self.cell(step, &object, property) {
                    list.retain(|kept| !elements.iter().any(|gone| step.element(*gone) == kept.name));
                }
            }
            Instruction::SetInsert { object, property, operand } => {
                let Some(content) = self.element_of(step, &operand, None) else { return };
                let Some(Cell::Set(set)) = self.cell(step, &object, property) else { return };
                if set.is_later(&content, step.stamp) {
                    return;
                }
                set.gone.retain(|(gone, _)| !is_same(gone, &content));
                match set.there.iter_mut().find(|(there, _)| is_same(there, &content)) {
                    Some((_, stamp)) => *stamp = step.stamp,
                    None => set.there.push((content, step.stamp)),
                }
            }
            Instruction::SetRemove { object, property, operand } => {
                let Some(content) = self.element_of(step, &operand, None) else { return };
                let Some(Cell::Set(set)) = self.cell(step, &object, property) else { return };
                if !set.is_later(&content, step.stamp) {
                    set.there.retain(|(there, _)| !is_same(there, &content));
                    set.gone.retain(|(gone, _)| !is_same(gone, &content));
                    set.gone.push((content, step.stamp));
                }
            }
            Instruction::SetClear { object, property } => {
                let Some(Cell::Set(set)) = self.cell(step, &object, property) else { return };
                if set.cleared.is_none_or(|cleared| cleared <= step.stamp) {
                    set.there.retain(|(_, stamp)| *stamp > step.stamp);
                    set.gone.retain(|(_, stamp)| *stamp > step.stamp);
                    set.cleared = Some(step.stamp);
                }
            }
            Instruction::DictionarySet { object, property, key, operand } => {
                let Some(content) = self.content(step, &operand, self.target(step, &object, property)) else { return };
                let Some(Cell::Dictionary(dictionary)) = self.cell(step, &object, property) else { return };
                if !dictionary.is_later(&key, step.stamp) {
                    dictionary.gone.remove(&key);
                    dictionary.there.insert(key, (content, step.stamp));
                }
            }
            Instruction::DictionaryRemove { object, property, key } => {
                let Some(Cell::Dictionary(dictionary)) = self.cell(step, &object, property) else { return };
                if !dictionary.is_later(&key, step.stamp) {
                    dictionary.there.remove(&key);
                    dictionary.gone.insert(key, step.stamp);
                }
            }
            Instruction::DictionaryClear { object, property } => {
                let Some(Cell::Dictionary(dictionary)) = self.cell(step, &object, property) else { return };
                if dictionary.cleared.is_none_or(|cleared| cleared <= step.stamp) {
                    dictionary.there.retain(|_, (_, stamp)| *stamp > step.stamp);
                    dictionary.gone.retain(|_, stamp| *stamp > step.stamp);
                    dictionary.cleared = Some(step.stamp);
                }
            }
        }
    }

    // ---- schema

    fn add_class(&mut self, class: ClassSchema) {
        match self.classes.get(&class.name) {
            None => drop(self.classes.insert(class.name.clone(), class)),
            Some(known) => {
                let name = known.name.clone();
                class.properties.into_iter().for_each(|property| self.add_property(&name, property));
            }
        }
    }

    fn add_property(&mut self, class: &str, property: Property) {
        if let Some(class) = self.classes.get_mut(class)
            && class.column(&property.name).is_none()
        {
            class.properties.push(property);
        }
    }

    fn property(&self, class: &str, name: &str) -> Option<&Property> {
        let class = self.classes.get(class)?;
        class.properties.iter().find(|property| property.name == name)
    }

    /// The class that the links of a property lead to.
    fn target(&self, step: &Step<'_>, object: &ObjectRef, property: NameIndex) -> Option<String> {
        let property = self.property(step.changeset.name(object.class), step.changeset.name(property))?;
        property.target.clone()
    }

    // ---- objects

    fn create(&mut self, step: &Step<'_>, object: &ObjectRef, fields: &[Field]) {
        let ObjectId::Primary(key) = &object.id else { return };
        let class = step.changeset.name(object.class).to_string();
        if !self.classes.contains_key(&class) {
            return;
        }
        let id = (class.clone(), key.clone());
        if let Some(grave) = self.graves.get(&id) {
            let seen = grave.version <= step.changeset.base;
            let own = grave.author == step.changeset.client && grave.number <= step.changeset.number.0;
            if !seen && !own {
                return;
            }
        }
        if !self.objects.contains_key(&id) {
            self.graves.remove(&id);
            let thing = Thing { class, created: step.stamp, cells: BTreeMap::new() };
            self.objects.insert(id, thing);
        }
        fields.iter().for_each(|field| self.set(step, object, field));
    }

    fn delete(&mut self, step: &Step<'_>, object: &ObjectRef) {
        match &object.id {
            ObjectId::Primary(key) => {
                let id = (step.changeset.name(object.class).to_string(), key.clone());
                self.objects.remove(&id);
                self.objects.values_mut().for_each(|thing| thing.unlink(&id));
                let (author, number) = (step.changeset.client, step.changeset.number.0);
                self.graves.insert(id, Grave { version: step.version, author, number });
            }
            ObjectId::Embedded { owner, property, slot, .. } => {
                if self.find(step, object).is_none() {
                    return;
                }
                match (self.cell(step, owner, *property), slot) {
                    (Some(Cell::One(content, _)), SlotRef::Single) => *content = Content::Plain(Value::Null),
                    (Some(Cell::List(list)), SlotRef::Element(element)) => {
                        let name = step.element(*element);
                        list.retain(|kept| kept.name != name);
                    }
                    (Some(Cell::Dictionary(dictionary)), SlotRef::Key(key)) => {
                        if let Some((content, _)) = dictionary.there.get_mut(key) {
                            *content = Content::Plain(Value::Null);
                        }
                    }
                    _ => {}
                }
            }
            ObjectId::Local(_) => {}
        }
    }

    fn set(&mut self, step: &Step<'_>, object: &ObjectRef, field: &Field) {
        let Some(content) = self.content(step, &field.operand, self.target(step, object, field.property)) else {
            return;
        };
        let stamp = if field.is_default { UNSET } else { step.stamp };
        if let Some(Cell::One(present, present_stamp)) = self.cell(step, object, field.property)
            && *present_stamp <= stamp
        {
            (*present, *present_stamp) = (content, stamp);
        }
    }

    fn find(&mut self, step: &Step<'_>, object: &ObjectRef) -> Option<&mut Thing> {
        let class = step.changeset.name(object.class);
        match &object.id {
            ObjectId::Primary(key) => self.objects.get_mut(&(class.to_string(), key.clone())),
            ObjectId::Local(_) => None,
            ObjectId::Embedded { owner, property, slot, created, author } => {
                let owner = self.find(step, owner)?;
                let cell = owner.cells.get_mut(step.changeset.name(*property))?;
                let content = match (cell, slot) {
                    (Cell::One(content, _), SlotRef::Single) => content,
                    (Cell::List(list), SlotRef::Element(element)) => {
                        let name = step.element(*element);
                        &mut list.iter_mut().find(|element| element.name == name)?.content
                    }
                    (Cell::Dictionary(dictionary), SlotRef::Key(key)) => &mut dictionary.there.get_mut(key)?.0,
                    _ => return None,
                };
                let Content::Owned(thing) = content else { return None };
                let stamp = (*created, step.changeset.clients[*author as usize]);
                (thing.class == class && thing.created == stamp).then_some(thing)
            }
        }
    }

    /// A property of an object that is there, made on first use.
    fn cell(&mut self, step: &Step<'_>, object: &ObjectRef, property: NameIndex) -> Option<&mut Cell> {
        let name = step.changeset.name(property);
        let property = self.property(step.changeset.name(object.class), name)?.clone();
        let thing = self.find(step, object)?;
        Some(thing.cells.entry(name.to_string()).or_insert_with(|| empty_cell(&property)))
    }

    fn element(
        &mut self,
        step: &Step<'_>,
        object: &ObjectRef,
        property: NameIndex,
        element: ElementRef,
    ) -> Option<(&mut Vec<Element>, usize)> {
        let name = step.element(element);
        match self.cell(step, object, property)? {
            Cell::List(list) => position(list, name).map(|at| (list, at)),
            _ => None,
        }
    }

    // ---- values

    /// What an operand is here. A link to an object that is gone is null.
    fn content(&self, step: &Step<'_>, operand: &Operand, target: Option<String>) -> Option<Content> {
        Some(match operand {
            Operand::Value(value) => Content::Plain(value.clone()),
            Operand::Link(object) => {
                let ObjectId::Primary(key) = &object.id else { return None };
                let id = (step.changeset.name(object.class).to_string(), key.clone());
                if self.objects.contains_key(&id) { Content::Link(id) } else { Content::Plain(Value::Null) }
            }
            Operand::New => {
                Content::Owned(Box::new(Thing { class: target?, created: step.stamp, cells: BTreeMap::new() }))
            }
            Operand::Array(operands) => {
                let mut contents = Vec::new();
                for operand in operands {
                    let content = self.content(step, operand, None)?;
                    if !is_gone(operand, &content) {
                        contents.push(content);
                    }
                }
                Content::Array(contents)
            }
            Operand::Map(operands) => {
                let contents =
                    operands.iter().map(|(key, operand)| Some((key.clone(), self.content(step, operand, None)?)));
                Content::Map(contents.collect::<Option<_>>()?)
            }
        })
    }

    /// The same for an element of a list or a set, which a link to an object that is gone leaves.
    fn element_of(&self, step: &Step<'_>, operand: &Operand, target: Option<String>) -> Option<Content> {
        self.content(step, operand, target).filter(|content| !is_gone(operand, content))
    }

    // ---- text

    fn thing_text(&self, thing: &Thing, key: Option<&PrimaryKey>) -> String {
        let class = self.classes.get(&thing.class);
        let properties = class.map_or(&[][..], |class| &class.properties);
        let primary = class.and_then(ClassSchema::primary_key_property).map(|property| &property.name);
        let cells = properties.iter().map(|property| {
            let text = match (key.filter(|_| primary == Some(&property.name)), thing.cells.get(&property.name)) {
                (Some(key), _) => plain_text(&key.to_value()),
                (None, Some(cell)) => self.cell_text(cell),
                (None, None) => self.cell_text(&empty_cell(property)),
            };
            (property.name.as_str(), text)
        });
        object_text(cells.collect())
    }

    fn cell_text(&self, cell: &Cell) -> String {
        match cell {
            Cell::One(content, _) => self.text(content),
            Cell::List(list) => list_text(list.iter().map(|element| self.text(&element.content))),
            Cell::Set(set) => set_text(set.there.iter().map(|(content, _)| self.text(content)).collect()),
            Cell::Dictionary(dictionary) => {
                map_text(dictionary.there.iter().map(|(key, (content, _))| (key.as_str(), self.text(content))))
            }
        }
    }

    fn text(&self, content: &Content) -> String {
        match content {
            Content::Plain(value) => plain_text(value),
            Content::Link((class, key)) => link_text(class, key),
            Content::Owned(thing) => self.thing_text(thing, None),
            Content::Array(contents) => list_text(contents.iter().map(|content| self.text(content))),
            Content::Map(contents) => {
                map_text(contents.iter().map(|(key, content)| (key.as_str(), self.text(content))))
            }
        }
    }
}

impl Step<'_> {
    fn element(&self, element: ElementRef) -> ElementName {
        (self.changeset.clients[element.client as usize], element.sequence)
    }

    /// Where a new element goes: after the one it names, and after what others, unseen by its author, have put there
    /// earlier, with all that was put after those.
    fn place(&self, list: &[Element], new: &Element, index: usize) -> usize {
        let mut at = place_after(list, new.after, index);
        let mut passed: Vec<ElementName> = Vec::new();
        while let Some(next) = list.get(at) {
            let follows = next.after.is_some_and(|after| passed.contains(&after));
            let unseen = next.version > self.changeset.base && next.placed.1 != new.placed.1;
            let sibling = next.after == new.after && unseen && new.placed > next.placed;
            if !follows && !sibling {
                break;
            }
            passed.push(next.name);
            at += 1;
        }
        at
    }
}

impl Thing {
    fn of(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> Thing {
        let schema = snapshot.schema().class(class);
        let row = snapshot.table(class).row(key).expect("the object is there");
        let stamp = |stamp: ebbtide_core::objects::Stamp| (stamp.time, snapshot.authors().id(stamp.author));
        let name = |id: ElementId| (snapshot.authors().id(id.author), id.sequence);
        let mut cells = BTreeMap::new();
        for (index, property) in schema.properties.iter().enumerate() {
            let column = ColumnIndex(index as u32);
            let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
            let content = |value: ValueRef<'_>| Content::of(snapshot, target, value);
            let cell = match row.value(column) {
                ValueRef::List(list) => {
                    let element = |element: &ebbtide_core::objects::Element| Element {
                        name: name(element.id),
                        after: element.after.map(name),
                        placed: stamp(element.placed),
                        version: element.version,
                        content: content(element.value.as_ref()),
                        stamp: stamp(element.stamp),
                    };
                    Cell::List(list.elements().iter().map(element).collect())
                }
                ValueRef::Set(set) => {
                    let there = set.elements().iter().map(|e| (content(e.value.as_ref()), stamp(e.stamp))).collect();
                    Cell::Set(SetCell { there, ..SetCell::default() })
                }
                ValueRef::Dictionary(dictionary) => {
                    let entry =
                        |e: &ebbtide_core::objects::Entry| (e.key.clone(), (content(e.value.as_ref()), stamp(e.stamp)));
                    let there = dictionary.entries().iter().map(entry).collect();
                    Cell::Dictionary(DictionaryCell { there, ..DictionaryCell::default() })
                }
                value => Cell::One(content(value), stamp_of_cell(stamp(row.stamp(column)))),
            };
            cells.insert(property.name.clone(), cell);
        }
        Thing { class: schema.name.clone(), created: stamp(row.created()), cells }
    }

    /// An object is gone: links to it leave lists, sets and what sets remember, and become null elsewhere.
    fn unlink(&mut self, id: &Id) {
        for cell in self.cells.values_mut() {
            match cell {
                Cell::One(content, _) => content.unlink(id),
                Cell::List(list) => {
                    list.retain(|element| !element.content.is_link_to(id));
                    list.iter_mut().for_each(|element| element.content.unlink(id));
                }
                Cell::Set(set) => {
                    set.there.retain(|(content, _)| !content.is_link_to(id));
                    set.gone.retain(|(content, _)| !content.is_link_to(id));
                }
                Cell::Dictionary(dictionary) => {
                    dictionary.there.values_mut().for_each(|(content, _)| content.unlink(id));
                }
            }
        }
    }
}

impl Content {
    fn of(snapshot: &Snapshot, target: Option<ClassIndex>, value: ValueRef<'_>) -> Content {
        let link = |class: ClassIndex, key: ObjectKey| {
            let primary_key = snapshot.primary_key(class, key).as_ref().and_then(PrimaryKey::from_value);
            let primary_key = primary_key.expect("what is linked to is there");
            Content::Link((snapshot.schema().class(class).name.clone(), primary_key))
        };
        match (value, target) {
            (ValueRef::Link(key), Some(class)) if snapshot.schema().class(class).is_embedded() => {
                Content::Owned(Box::new(Thing::of(snapshot, class, key)))
            }
            (ValueRef::Link(key), Some(class)) => link(class, key),
            (ValueRef::TypedLink(class, key), _) => link(class, key),
            (ValueRef::Array(values), _) => {
                Content::Array(values.iter().map(|value| Content::of(snapshot, target, value.as_ref())).collect())
            }
            (ValueRef::Map(values), _) => {
                let entry =
                    |(key, value): (&String, &Value)| (key.clone(), Content::of(snapshot, target, value.as_ref()));
                Content::Map(values.iter().map(entry).collect())
            }
            (value, _) => Content::Plain(value.to_owned()),
        }
    }

    fn is_link_to(&self, id: &Id) -> bool {
        matches!(self, Content::Link(link) if link == id)
    }

    fn unlink(&mut self, id: &Id) {
        match self {
            Content::Link(link) if link == id => *self = Content::Plain(Value::Null),
            Content::Plain(_) | Content::Link(_) => {}
            Content::Owned(thing) => thing.unlink(id),
            Content::Array(contents) => {
                contents.retain(|content| !content.is_link_to(id));
                contents.iter_mut().for_each(|content| content.unlink(id));
            }
            Content::Map(contents) => contents.values_mut().for_each(|content| content.unlink(id)),
        }
    }
}

impl SetCell {
    fn is_later(&self, content: &Content, stamp: Stamp) -> bool {
        let known = self.there.iter().chain(&self.gone).find(|(known, _)| is_same(known, content));
        known.is_some_and(|(_, known)| *known > stamp) || self.cleared.is_some_and(|cleared| cleared > stamp)
    }
}

impl DictionaryCell {
    fn is_later(&self, key: &str, stamp: Stamp) -> bool {
        let known = self.there.get(key).map(|(_, stamp)| stamp).or(self.gone.get(key));
        known.is_some_and(|known| *known > stamp) || self.cleared.is_some_and(|cleared| cleared > stamp)
    }
}

/// Whether what an operand is here was a link to an object that is gone.
fn is_gone(operand: &Operand, content: &Content) -> bool {
    matches!(operand, Operand::Link(_)) && !matches!(content, Content::Link(_))
}

/// Whether a set takes two for one.
fn is_same(a: &Content, b: &Content) -> bool {
    match (a, b) {
        (Content::Plain(a), Content::Plain(b)) => a.as_ref().total_cmp(&b.as_ref()) == Ordering::Equal,
        (a, b) => a == b,
    }
}

fn position(list: &[Element], name: ElementName) -> Option<usize> {
    list.iter().position(|element| element.name == name)
}

fn place_after(list: &[Element], after: Option<ElementName>, index: usize) -> usize {
    match after {
        None => 0,
        Some(after) => position(list, after).map_or(index.min(list.len()), |at| at + 1),
    }
}

fn empty_cell(property: &Property) -> Cell {
    match property.collection {
        Collection::List => Cell::List(Vec::new()),
        Collection::Set => Cell::Set(SetCell::default()),
        Collection::Dictionary => Cell::Dictionary(DictionaryCell::default()),
        Collection::None => Cell::One(Content::Plain(empty_value(property)), UNSET),
    }
}

fn empty_value(property: &Property) -> Value {
    if property.optional {
        return Value::Null;
    }
    match property.kind {
        PropertyType::Bool => Value::Bool(false),
        PropertyType::Int => Value::Int(0),
        PropertyType::Float => Value::Float(0.0),
        PropertyType::Double => Value::Double(0.0),
        PropertyType::Decimal => Value::Decimal(Decimal::from_int(0)),
        PropertyType::String => Value::String(String::new()),
        PropertyType::Data => Value::Data(Vec::new()),
        PropertyType::Date => Value::Date(0),
        PropertyType::ObjectId => Value::ObjectId([0; 12]),
        PropertyType::Uuid => Value::Uuid([0; 16]),
        PropertyType::Link | PropertyType::Mixed => Value::Null,
    }
}

/// A value that nobody has set loses against any edit, whoever is its author.
fn stamp_of_cell(stamp: Stamp) -> Stamp {
    if stamp.0 == EditTime(0) { UNSET } else { stamp }
}
