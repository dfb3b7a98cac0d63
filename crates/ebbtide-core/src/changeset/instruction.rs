//! The instructions and their bytes. docs/format.md describes the format.

use crate::clock::EditTime;
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ChainHash, ChangesetNumber, ClientId, ObjectKey, ServerVersion};
use crate::limits;
use crate::schema::{ClassSchema, Property};
use crate::value::{PrimaryKey, Value};

/// The number of the format, the first byte of an encoded changeset.
const FORMAT: u8 = 1;

/// A position in the changeset's own table of names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NameIndex(pub u32);

/// What identifies an object in its class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectId {
    /// Its primary key.
    Primary(PrimaryKey),
    /// Its key in this store, in classes without a primary key; never leaves the store.
    Local(ObjectKey),
    /// The place of an embedded object, and which of those that have been there it is: an edit does not reach the one that
    /// somebody else has put there instead.
    Embedded {
        /// The object that owns it.
        owner: Box<ObjectRef>,
        /// The property.
        property: NameIndex,
        /// Where in the property.
        slot: SlotRef,
        /// When it was created.
        created: EditTime,
        /// By whom: a position in [`Changeset::clients`].
        author: u32,
    },
}

/// Where in a property a value is, by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlotRef {
    /// It is the property's one value.
    Single,
    /// An element of a list.
    Element(ElementRef),
    /// An entry of a dictionary.
    Key(String),
}

/// An object by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectRef {
    /// Its class.
    pub class: NameIndex,
    /// Which one.
    pub id: ObjectId,
}

/// A list element by name: its author in the changeset's own table of clients, and the author's number for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ElementRef {
    /// The client, by position in [`Changeset::clients`].
    pub client: u32,
    /// See [`crate::objects::ElementId::sequence`].
    pub sequence: u64,
}

/// A value as an instruction carries it: links by name.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    /// Anything but a link and what can have links in it.
    Value(Value),
    /// A link.
    Link(ObjectRef),
    /// A new object of the embedded class that the property holds, its values unset.
    New,
    /// A list in a mixed.
    Array(Vec<Operand>),
    /// A dictionary in a mixed, ascending by key.
    Map(Vec<(String, Operand)>),
}

/// A property and its value in a creation.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The property.
    pub property: NameIndex,
    /// Its value.
    pub operand: Operand,
    /// Whether the value is the schema's default and not the writer's choice; then any edit wins over it.
    pub is_default: bool,
}

/// Where a value of a new object comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldSource {
    /// Whoever creates the object.
    Given,
    /// The schema's default: any edit, even an earlier one, wins over it.
    Default,
}

/// One step of a changeset.
#[derive(Clone, PartialEq, Debug)]
pub enum Instruction {
    /// A class is added to the schema. Written by the server alone.
    AddClass(ClassSchema),
    /// A property is added to a class. Written by the server alone.
    AddProperty {
        /// The class.
        class: NameIndex,
        /// The property.
        property: Property,
    },
    /// An object is created; if it exists, the fields are set as by `Set`.
    CreateObject {
        /// The object.
        object: ObjectRef,
        /// Its values.
        fields: Vec<Field>,
    },
    /// An object is deleted.
    DeleteObject {
        /// The object.
        object: ObjectRef,
    },
    /// A property is set.
    Set {
        /// The object.
        object: ObjectRef,
        /// The property, its value, and whether that is a default.
        field: Field,
    },
    /// A number is added to an int.
    Increment {
        /// The object.
        object: ObjectRef,
        /// The property.
        property: NameIndex,
        /// The number.
        by: i64,
    },
    /// An element is inserted into a list.
    ListInsert {
        /// The object.
        object: ObjectRef,
        /// The list.
        property: NameIndex,
        /// The new element's number.
        sequence: u64,
        /// The element after which it goes; `None` for the front.
        after: Option<ElementRef>,
        /// Where it went on the author's side: used when the element to go after is gone.
        index: u32,
        /// Its value.
        operand: Operand,
    },
    /// An element's value is set.
    ListSet {
        /// The object.
        object: ObjectRef,
        /// The list.
        property: NameIndex,
        /// The element.
        element: ElementRef,
        /// Its value.
        operand: Operand,
    },
    /// An element is moved.
    ListMove {
        /// The object.
        object: ObjectRef,
        /// The list.
        property: NameIndex,
        /// The element.
        element: ElementRef,
        /// The element after which it goes; `None` for the front.
        after: Option<ElementRef>,
        /// Where it went on the author's side, in the list without it.
        index: u32,
    },
    /// An element is removed.
    ListRemove {
        /// The object.
        object: ObjectRef,
        /// The list.
        property: NameIndex,
        /// The element.
        element: ElementRef,
    },
    /// All elements that the author saw are removed.
    ListClear {
        /// The object.
        object: ObjectRef,
        /// The list.
        property: NameIndex,
        /// Them.
        elements: Vec<ElementRef>,
    },
    /// A value is put into a set.
    SetInsert {
        /// The object.
        object: ObjectRef,
        /// The set.
        property: NameIndex,
        /// The value.
        operand: Operand,
    },
    /// A value is taken out of a set.
    SetRemove {
        /// The object.
        object: ObjectRef,
        /// The set.
        property: NameIndex,
        /// The value.
        operand: Operand,
    },
    /// All values that were put into a set before are taken out.
    SetClear {
        /// The object.
        object: ObjectRef,
        /// The set.
        property: NameIndex,
    },
    /// The value of a key of a dictionary is set.
    DictionarySet {
        /// The object.
        object: ObjectRef,
        /// The dictionary.
        property: NameIndex,
        /// The key.
        key: String,
        /// Its value.
        operand: Operand,
    },
    /// A key of a dictionary is removed.
    DictionaryRemove {
        /// The object.
        object: ObjectRef,
        /// The dictionary.
        property: NameIndex,
        /// The key.
        key: String,
    },
    /// All keys of a dictionary whose values were set before are removed.
    DictionaryClear {
        /// The object.
        object: ObjectRef,
        /// The dictionary.
        property: NameIndex,
    },
}

impl Instruction {
    /// The object in which the instruction creates an embedded one.
    pub(super) fn creates_in(&self) -> Option<&ObjectRef> {
        match self {
            Instruction::Set { object, field: Field { operand: Operand::New, .. } }
            | Instruction::ListInsert { object, operand: Operand::New, .. }
            | Instruction::ListSet { object, operand: Operand::New, .. }
            | Instruction::DictionarySet { object, operand: Operand::New, .. } => Some(object),
            _ => None,
        }
    }
}

impl ObjectRef {
    /// How many owners the object has, one in another; 0 for one that stands by itself.
    pub fn depth(&self) -> usize {
        let (mut depth, mut at) = (0, self);
        while let ObjectId::Embedded { owner, .. } = &at.id {
            (depth, at) = (depth + 1, owner);
        }
        depth
    }
}

/// What one transaction of one client did.
#[derive(Clone, PartialEq, Debug)]
pub struct Changeset {
    /// Who; the nil id for the server itself.
    pub client: ClientId,
    /// Its number among the client's, from 1.
    pub number: ChangesetNumber,
    /// The server version it was made on.
    pub base: ServerVersion,
    /// The hash of the client's changeset before it; nil for the first.
    pub parent: ChainHash,
    /// When.
    pub time: EditTime,
    /// The names that the instructions use.
    pub names: Vec<String>,
    /// The clients that the instructions name, the author first.
    pub clients: Vec<ClientId>,
    /// How many instructions there are.
    pub count: u32,
    /// The instructions, encoded; [`Changeset::instructions`] reads them.
    pub(crate) body: Vec<u8>,
}

/// About as many bytes as a changeset has beside its instructions and names.
const HEAD_BYTES: usize = 128;

impl Changeset {
    /// The bytes: format number, header, names, clients, instructions.
    pub fn encode(&self) -> Vec<u8> {
        let names: usize = self.names.iter().map(|name| name.len() + 2).sum();
        let mut out = Writer::with_capacity(self.body.len() + names + HEAD_BYTES);
        out.u8(FORMAT);
        out.raw(&self.client.0);
        out.varint(self.number.0);
        out.varint(self.base.0);
        out.raw(&self.parent.0);
        out.u64(self.time.0);
        out.varint(self.names.len() as u64);
        for name in &self.names {
            out.string(name);
        }
        out.varint(self.clients.len() as u64);
        for client in &self.clients {
            out.raw(&client.0);
        }
        out.varint(u64::from(self.count));
        out.run(&self.body);
        out.into_bytes()
    }

    /// Reads a changeset and checks that every instruction in it is well-formed, so that [`Changeset::instructions`]
    /// cannot fail later.
    pub fn decode(bytes: &[u8]) -> Result<Changeset, DecodeError> {
        let mut input = Reader::new(bytes);
        if input.u8()? != FORMAT {
            return Err(input.invalid("changeset format 1"));
        }
        let client = ClientId(input.array()?);
        let number = ChangesetNumber(input.varint()?);
        let base = ServerVersion(input.varint()?);
        let parent = ChainHash(input.array()?);
        let time = EditTime(input.u64()?);
        let count = input.count(limits::CLASSES * limits::PROPERTIES)?;
        let names =
            (0..count).map(|_| input.string(limits::NAME_BYTES).map(str::to_string)).collect::<Result<Vec<_>, _>>()?;
        let count = input.count(limits::CHANGESET_INSTRUCTIONS)?;
        let clients = (0..count).map(|_| input.array().map(ClientId)).collect::<Result<Vec<_>, _>>()?;
        if clients.first() != Some(&client) {
            return Err(input.invalid("the author as the first client"));
        }
        let count = input.varint()?;
        if count > limits::CHANGESET_INSTRUCTIONS as u64 {
            return Err(input.invalid("a bounded count of instructions"));
        }
        let body = input.run(usize::MAX)?.to_vec();
        input.end()?;
        let changeset = Changeset { client, number, base, parent, time, names, clients, count: count as u32, body };
        changeset.check_body()?;
        Ok(changeset)
    }

    /// The hash that the client's next changeset names as its parent: xxh3-128 of the encoding, which contains the
    /// parent's hash.
    pub fn hash(&self) -> ChainHash {
        Changeset::hash_of(&self.encode())
    }

    /// The hash of an encoded changeset.
    pub fn hash_of(bytes: &[u8]) -> ChainHash {
        ChainHash(xxhash_rust::xxh3::xxh3_128(bytes).to_le_bytes())
    }

    /// A name used by the instructions.
    pub fn name(&self, index: NameIndex) -> &str {
        &self.names[index.0 as usize]
    }
}
