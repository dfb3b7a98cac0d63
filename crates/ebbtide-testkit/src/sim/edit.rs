//! Which edits a story has.

use std::fmt;

use super::random::Random;
use crate::edits::{Action, Cast, Edit, Sense, Who};

/// The classes whose objects stand by themselves and are edited.
const CLASSES: [&str; 3] = ["Thing", "Other", "Later"];
/// What the edits of stories are about.
pub const CAST: Cast = Cast { classes: &CLASSES, sense: Sense::Sensible };

/// What most edits of a story are about, so that they meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// Nothing: every edit is about something else.
    Nothing,
    /// One single value of one object.
    Value(u8),
    /// One list of it.
    List(u8),
    /// One set of it.
    Set(u8),
    /// One dictionary of it.
    Dictionary(u8),
    /// One embedded object of it.
    Embedded,
    /// The object itself: deleting and creating it.
    Existence,
}

impl Focus {
    /// Any focus.
    pub fn any(random: &mut Random) -> Focus {
        let property = random.below(256) as u8;
        match random.below(8) {
            0 => Focus::Nothing,
            1 => Focus::Value(property),
            2 | 3 => Focus::List(property),
            4 => Focus::Set(property),
            5 => Focus::Dictionary(property),
            6 => Focus::Embedded,
            _ => Focus::Existence,
        }
    }

    /// An edit of what the focus is on.
    fn edit(self, random: &mut Random) -> Option<Edit> {
        /// The place of the property `part` among the single values.
        const PART: u8 = 11;
        let who = || Who { class: 0, id: 0, down: Vec::new() };
        let what = random.number() as u16;
        let (at, to) = (random.below(3) as u8, random.below(3) as u8);
        let (property, action) = match self {
            Focus::Nothing => return None,
            Focus::Value(property) => (
                property,
                match random.below(4) {
                    0 => Action::SetDefault(what),
                    1 => Action::Increment(what as i8),
                    _ => Action::Set(what),
                },
            ),
            Focus::List(property) => (
                property,
                match random.below(10) {
                    0 => Action::Replace(at, what),
                    1..=3 => Action::Move(at, to),
                    4 => Action::Remove(at),
                    5 => Action::ClearList,
                    _ => Action::Insert(at, what),
                },
            ),
            Focus::Set(property) => (
                property,
                match random.below(8) {
                    0 => Action::ClearSet,
                    1..=3 => Action::Discard(what),
                    _ => Action::Add(what),
                },
            ),
            Focus::Dictionary(property) => (
                property,
                match random.below(8) {
                    0 => Action::ClearDictionary,
                    1..=3 => Action::Drop(at),
                    _ => Action::Put(at, what),
                },
            ),
            Focus::Embedded if random.once_in(2) => (PART, Action::Set(what | 1)),
            Focus::Embedded => {
                let inside = Who { down: vec![0], ..who() };
                return Some(Edit::Do(inside, random.below(3) as u8, Action::Set(what)));
            }
            Focus::Existence if random.once_in(2) => return Some(Edit::Delete(who())),
            Focus::Existence => return Some(Edit::Create(0, 0)),
        };
        Some(Edit::Do(who(), property, action))
    }
}

impl Edit {
    /// What a story begins with that is to have something to meet at.
    pub fn beginning(focus: Focus) -> Vec<Edit> {
        let mut edits = vec![Edit::Create(0, 0), Edit::Create(0, 1), Edit::Create(1, 0), Edit::Create(1, 1)];
        if let Focus::List(property) = focus {
            let insert = |what| Edit::Do(Who { class: 0, id: 0, down: Vec::new() }, property, Action::Insert(0, what));
            edits.extend([1, 17, 33].map(insert));
        }
        edits
    }

    /// What two people do to what the focus is on without having seen each other: now and then what cannot both be.
    pub fn rivals(random: &mut Random, focus: Focus) -> (Vec<Edit>, Vec<Edit>) {
        let both = |property, [first, second]: [Action; 2]| {
            let edit = |action| vec![Edit::Do(Who { class: 0, id: 0, down: Vec::new() }, property, action)];
            (edit(first), edit(second))
        };
        match focus {
            Focus::List(property) if random.once_in(2) => both(property, [2, 1].map(|to| Action::Move(0, to))),
            Focus::Value(property) if random.once_in(2) => {
                let what = random.number() as u16;
                both(property, [Action::Set(what), Action::SetDefault(what ^ 0x10)])
            }
            _ => {
                let mut edits = || (0..2).filter_map(|_| focus.edit(random)).collect();
                (edits(), edits())
            }
        }
    }

    /// Any edit; most are about what the focus is on.
    pub fn any(random: &mut Random, focus: Focus) -> Edit {
        let edit = focus.edit(random).filter(|_| !random.once_in(4));
        edit.unwrap_or_else(|| Edit::unfocused(random))
    }

    fn unfocused(random: &mut Random) -> Edit {
        match random.below(20) {
            0..=3 => Edit::Create(random.below(CLASSES.len()) as u8, random.below(3) as u8),
            4 | 5 => Edit::Delete(Who::any(random)),
            _ => {
                let what = random.number() as u16;
                let (at, to) = (random.below(4) as u8, random.below(4) as u8);
                let action = match random.below(32) {
                    0..=5 => Action::Set(what),
                    6 => Action::SetDefault(what),
                    7 | 8 => Action::Increment(what as i8),
                    9..=13 => Action::Insert(at, what),
                    14 | 15 => Action::Replace(at, what),
                    16 | 17 => Action::Move(at, to),
                    18 => Action::Remove(at),
                    19 => Action::ClearList,
                    20..=23 => Action::Add(what),
                    24 | 25 => Action::Discard(what),
                    26 => Action::ClearSet,
                    27..=29 => Action::Put(at % 3, what),
                    30 => Action::Drop(at % 3),
                    _ => Action::ClearDictionary,
                };
                Edit::Do(Who::any(random), random.below(256) as u8, action)
            }
        }
    }
}

impl Who {
    fn any(random: &mut Random) -> Who {
        let deep = [0, 0, 0, 1, 1, 2][random.below(6)];
        let down = (0..deep).map(|_| random.below(256) as u8).collect();
        Who { class: [0, 0, 0, 1, 1, 2][random.below(6)], id: random.below(3) as u8, down }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::Create(class, id) => write!(f, "create {} {id}", CLASSES[usize::from(*class)]),
            Edit::Delete(who) => write!(f, "delete {who}"),
            Edit::Do(who, property, action) => write!(f, "{action:?} in property {property} of {who}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", CLASSES[usize::from(self.class)], self.id)?;
        self.down.iter().try_for_each(|step| write!(f, " > {step}"))
    }
}
