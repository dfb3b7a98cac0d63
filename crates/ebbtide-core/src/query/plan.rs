//! A query made ready for one class: names are columns, constants have their types, own columns compared with
//! constants are tests that run over pages.

use std::collections::BTreeSet;

use super::ast::{Aggregate, Arithmetic, Case, Direction, Operator, Quantifier};
use super::columns::{self, Test};
use super::describe::Description;
use super::fulltext::TextSearch;
use super::geo::Region;
use super::rows;
use super::sort;
use super::text::Pattern;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::Snapshot;
use crate::value::Value;

/// A compiled query. It stays good for later snapshots of the same store, because positions of classes and properties
/// do not change.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) class: ClassIndex,
    pub(super) root: Node,
    pub(super) stages: Vec<Stage>,
    /// Primary keys outside of which nothing can match.
    pub(super) lookup: Option<Vec<Value>>,
    pub(super) dependencies: Dependencies,
    pub(super) description: Description,
}

/// What the answer to a query depends on, so that a change elsewhere needs no second look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dependencies {
    /// Columns of the objects themselves, ascending.
    pub own: Vec<ColumnIndex>,
    /// Columns of objects that are reached through links or backlinks, or named by `obj(…)`; the queried class can be
    /// among them. Ascending.
    pub others: Vec<(ClassIndex, ColumnIndex)>,
}

impl Dependencies {
    /// Whether an object matches or not by its own row alone.
    pub fn is_local(&self) -> bool {
        self.others.is_empty()
    }
}

/// Dependencies as they are collected.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) own: BTreeSet<ColumnIndex>,
    pub(super) others: BTreeSet<(ClassIndex, ColumnIndex)>,
}

impl Reads {
    /// Adds what a path of single links from an object of a class reads.
    pub(super) fn add(&mut self, class: ClassIndex, path: &Path) {
        let mut at = class;
        let mut column_at = |column: ColumnIndex, at: ClassIndex, is_first: bool| {
            if is_first {
                self.own.insert(column);
            } else {
                self.others.insert((at, column));
            }
        };
        for (index, hop) in path.hops.iter().enumerate() {
            if let Hop::Link { column, target } | Hop::Element { column, target, .. } = hop {
                column_at(*column, at, index == 0);
                at = *target;
            }
        }
        if let End::Value(column)
        | End::Collection(column)
        | End::Element { column, .. }
        | End::Keys(column)
        | End::Length(column)
        | End::Lengths(column)
        | End::Size(column)
        | End::Fold { column, .. }
        | End::Walk { column, .. } = &path.end
        {
            column_at(*column, at, path.hops.is_empty());
        }
        if let End::Walk { steps, .. } = &path.end {
            self.add_members(steps);
        }
    }
}

impl Reads {
    /// Adds what steps through values of any type can read: the properties of their names, in whatever class.
    pub(super) fn add_members(&mut self, steps: &[WalkStep]) {
        for step in steps {
            if let WalkStep::Name { members, .. } = step {
                for (class, member) in members.iter().enumerate() {
                    self.others.extend(member.map(|(column, _)| (ClassIndex(class as u32), column)));
                }
            }
        }
    }
}

impl From<Reads> for Dependencies {
    fn from(reads: Reads) -> Dependencies {
        Dependencies { own: reads.own.into_iter().collect(), others: reads.others.into_iter().collect() }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    True,
    False,
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// The same condition twice: for a page at a time and for a single row.
    Column {
        column: ColumnIndex,
        test: Test,
        row: Box<Comparison>,
    },
    Compare(Box<Comparison>),
    /// Own texts that have words: a page at a time, or a row.
    Words {
        column: ColumnIndex,
        search: TextSearch,
    },
    /// The same of texts behind links.
    FarWords {
        path: Path,
        column: ColumnIndex,
        search: TextSearch,
    },
    Within(Box<Within>),
}

/// Places in a region.
#[derive(Clone, Debug)]
pub(super) struct Within {
    /// To the objects that are places.
    pub(super) path: Path,
    pub(super) quantifier: Quantifier,
    pub(super) kind: ColumnIndex,
    pub(super) coordinates: ColumnIndex,
    pub(super) region: Region,
}

#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) left: Side,
    pub(super) operator: Operator,
    pub(super) case: Case,
    pub(super) right: Side,
    /// The right side of a textual operator, if it is one constant that is not null.
    pub(super) pattern: Option<Pattern>,
    pub(super) rule: Rule,
}

/// What two values are compared as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// As values: of all numbers NaN is the least, and it equals itself.
    Values,
    /// As the floating-point numbers of the hardware: NaN is unequal to all.
    Doubles,
    /// As sets of types: they are equal if they have one in common.
    Types,
    /// As whole lists: equally long, and the comparison holds for each pair.
    Pairs,
}

#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) operand: Operand,
    pub(super) quantifier: Quantifier,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Constant(Value),
    Constants(Vec<Value>),
    /// A list of constants with objects among them.
    Each(Vec<Operand>),
    /// The object of a class with a primary key, looked up each time.
    Object {
        class: ClassIndex,
        key: Value,
    },
    Path(Path),
    /// The types of the values of a path, as bits.
    Kind(Path),
    /// How many objects a path reaches.
    Count(Path),
    /// How many links there are to the objects that a path reaches.
    BacklinkCount(Path),
    Aggregate {
        aggregate: Aggregate,
        path: Path,
        of: NumberType,
    },
    Subquery {
        path: Path,
        node: Box<Node>,
    },
    Chain {
        first: Box<Operand>,
        rest: Vec<(Arithmetic, Operand)>,
    },
}

/// The type of the sum of no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NumberType {
    Int,
    Double,
    Decimal,
    /// Numbers of all types among other values.
    Mixed,
}

/// From an object to values.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Path {
    pub(super) hops: Vec<Hop>,
    /// The class of the objects at the end of the hops.
    pub(super) target: ClassIndex,
    pub(super) end: End,
    /// The class of the links that are read.
    pub(super) links: Option<ClassIndex>,
    /// Whether it can reach more or less than one value.
    pub(super) multiple: bool,
}

/// From an object to objects.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Hop {
    Link {
        column: ColumnIndex,
        target: ClassIndex,
    },
    /// Over a list, a set or the values of a dictionary.
    Collection {
        column: ColumnIndex,
        target: ClassIndex,
    },
    Element {
        column: ColumnIndex,
        at: Position,
        target: ClassIndex,
    },
    /// Over the links to an object of class `of` from a property of class `source`.
    Backlinks {
        of: ClassIndex,
        source: ClassIndex,
        column: ColumnIndex,
    },
}

/// Which element of a collection.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Position {
    At(usize),
    Last,
    Key(String),
}

/// What is read from the objects at the end of the hops.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) enum End {
    /// The objects themselves, as links.
    #[default]
    Object,
    Value(ColumnIndex),
    /// The elements of a list or a set, or the values of a dictionary.
    Collection(ColumnIndex),
    Element {
        column: ColumnIndex,
        at: Position,
    },
    /// The keys of a dictionary.
    Keys(ColumnIndex),
    /// The bytes of a string or of data.
    Length(ColumnIndex),
    /// The bytes of each string or data in a list or a set.
    Lengths(ColumnIndex),
    /// The number of elements in a collection.
    Size(ColumnIndex),
    /// The elements of a collection as one value.
    Fold {
        column: ColumnIndex,
        aggregate: Aggregate,
        of: NumberType,
    },
    /// Through values of any type.
    Walk {
        column: ColumnIndex,
        steps: Vec<WalkStep>,
    },
}

/// One step through values whose types are not known before.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum WalkStep {
    /// The value of a key of a dictionary, or of a property of an object; for each class the property of that name.
    Name {
        key: String,
        members: Vec<Member>,
    },
    Element(Position),
    /// All elements or values.
    Every,
    Keys,
    Length,
}

/// A property with the class of its links.
pub(super) type Member = Option<(ColumnIndex, Option<ClassIndex>)>;

#[derive(Clone, Debug)]
pub(super) enum Stage {
    Sort(Vec<(Path, Direction)>),
    Distinct(Vec<Path>),
    Limit(usize),
}

impl Plan {
    /// The class whose objects are asked for.
    pub fn class(&self) -> ClassIndex {
        self.class
    }

    /// The matching objects of the class: in the order of their keys, then sorted, made distinct and limited.
    pub fn run(&self, snapshot: &Snapshot) -> Vec<ObjectKey> {
        let limit = match self.stages.first() {
            Some(Stage::Limit(limit)) => *limit,
            _ => usize::MAX,
        };
        let table = snapshot.table(self.class);
        let keys = match &self.lookup {
            Some(primary_keys) => {
                let mut keys: Vec<ObjectKey> = primary_keys.iter().filter_map(|key| table.find(key)).collect();
                keys.sort_unstable();
                keys.dedup();
                keys.retain(|key| self.matches(snapshot, *key));
                keys
            }
            None => columns::scan(snapshot, self.class, &self.root, limit),
        };
        self.finish(snapshot, keys)
    }

    /// The matching ones of the given objects, in the given order unless the query sorts.
    pub fn run_over(&self, snapshot: &Snapshot, keys: impl IntoIterator<Item = ObjectKey>) -> Vec<ObjectKey> {
        let keys = keys.into_iter().filter(|key| self.matches(snapshot, *key)).collect();
        self.finish(snapshot, keys)
    }

    /// Whether one object matches, the suffixes aside. An object that does not exist does not.
    pub fn matches(&self, snapshot: &Snapshot, key: ObjectKey) -> bool {
        snapshot.table(self.class).row(key).is_some_and(|row| rows::matches(&self.root, snapshot, row))
    }

    /// Sorts, makes distinct and limits objects that match.
    pub fn finish(&self, snapshot: &Snapshot, mut keys: Vec<ObjectKey>) -> Vec<ObjectKey> {
        for stage in &self.stages {
            match stage {
                Stage::Sort(paths) => sort::sort(snapshot, self.class, &mut keys, paths),
                Stage::Distinct(paths) => sort::distinct(snapshot, self.class, &mut keys, paths),
                Stage::Limit(limit) => keys.truncate(*limit),
            }
        }
        keys
    }

    /// Whether there is any SORT, DISTINCT or LIMIT: then [`Plan::matches`] alone does not say what is in the result.
    pub fn has_suffixes(&self) -> bool {
        !self.stages.is_empty()
    }

    /// Whether there is a LIMIT.
    pub fn has_limit(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Limit(_)))
    }

    /// What the result depends on.
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// The query in canonical spelling, with its arguments filled in and its properties by their stored names.
    pub fn describe(&self) -> String {
        format!("{} {}", self.description.predicate, self.description.suffixes)
    }

    /// What objects must fulfil, in canonical spelling.
    pub fn describe_predicate(&self) -> &str {
        &self.description.predicate
    }

    /// The suffixes in canonical spelling; empty if there are none.
    pub fn describe_suffixes(&self) -> &str {
        &self.description.suffixes
    }
}
