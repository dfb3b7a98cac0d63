//! Identifiers. Different numbers are different types, so that a version can never be passed for a position.

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $inner);
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                std::fmt::Display::fmt(self, f)?;
                write!(f, ")")
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                for byte in self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    };
}

number_id!(
    /// The address of a row in one store: local, stable across downloads and resets, never used again. Zero is never a key.
    ObjectKey(u64)
);
number_id!(
    /// The position of a class in [`crate::Schema::classes`] of one store.
    ClassIndex(u32)
);
number_id!(
    /// The position of a property in [`crate::ClassSchema::properties`] of one store.
    ColumnIndex(u32)
);
number_id!(
    /// A position in a server's history of one realm. Zero is before the first entry.
    ServerVersion(u64)
);
number_id!(
    /// A random number drawn by the server for each history entry; (epoch, version, salt) proves a common past.
    Salt(u64)
);
number_id!(
    /// The position of a changeset among those of one client, from 1.
    ChangesetNumber(u64)
);
number_id!(
    /// The position of an entry in a store's log, from 1; never used again.
    LogPosition(u64)
);
number_id!(
    /// The name of a record of pages in a store; never used again.
    RecordId(u64)
);

random_id!(
    /// One continuous server history of a realm; a new one at every restore, termination or breaking schema change.
    Epoch
);
random_id!(
    /// One store as the author of changesets; new at every reset, never used again.
    ClientId
);
random_id!(
    /// The hash of a changeset and, through its parent, of all before it by the same client.
    ChainHash
);

impl ServerVersion {
    /// The version given to what the server has not seen yet.
    pub const PENDING: ServerVersion = ServerVersion(u64::MAX);
}

/// Bits of an object's key that count within a lane.
const LANE_SHIFT: u32 = 32;

impl ObjectKey {
    /// The first key of a lane: of several engines on one store each draws keys from a lane of its own.
    pub fn first_of(lane: u64) -> ObjectKey {
        ObjectKey(lane << LANE_SHIFT | 1)
    }

    /// The last key of a lane.
    pub(crate) fn last_of(lane: u64) -> ObjectKey {
        ObjectKey(lane << LANE_SHIFT | ((1 << LANE_SHIFT) - 1))
    }

    /// The lane that the key is from.
    pub fn lane(self) -> u64 {
        self.0 >> LANE_SHIFT
    }
}

impl ColumnIndex {
    /// The position as an index into a slice.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ClassIndex {
    /// The position as an index into a slice.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
