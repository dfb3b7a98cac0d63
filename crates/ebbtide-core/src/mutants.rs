//! Deliberate bugs that only a test can switch on, to prove that the simulated world finds them (docs/simulation.md). Without
//! the feature `mutants` none of them is in the program.

/// A deliberate bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A creation ignores tombstones.
    DroppedTombstone,
    /// At equal times the smaller client id wins.
    SwappedTie,
    /// A default is stamped like a choice.
    DefaultBeatsChoice,
    /// A list element goes before the one that it was inserted after.
    InsertBefore,
    /// A replayed increment counts twice.
    IncrementTwice,
    /// A repeat of an own changeset in the log is taken in again.
    RepeatTaken,
    /// A renumbered changeset keeps the names of its list elements.
    ElementsKeepNames,
    /// Removals from sets and dictionaries are not remembered.
    RemovalForgotten,
    /// Clearing a list takes what its author had not seen.
    ClearTakesUnseen,
    /// An earlier move of a list element beats a later one.
    MoveIgnoresTime,
    /// An edit reaches whatever embedded object is in the place.
    EmbeddedByPlace,
    /// The difference leaves out deletions.
    DeletionsUntold,
    /// Links to a deleted object stay in lists.
    LinksStay,
    /// The report of a reset counts nothing.
    ReportEmpty,
    /// A changeset is uploaded before it is on disk for good.
    UploadBeforeDurable,
    /// An acknowledgement counts for one changeset more.
    AckOffByOne,
    /// What is in memory is acknowledged to the server.
    AckBeforeDurable,
    /// A reset keeps its mark.
    ResetKeepsMark,
    /// Neither side asks whether a client's changesets continue those that the server has.
    ChainUnchecked,
    /// The server does not compare salts.
    SaltUnchecked,
    /// A batch is two transactions.
    BatchSplit,
    /// A store does not compare heads.
    HeadUnchecked,
    /// A lead that was lost before it was taken is taken.
    StaleLead,
    /// A closing engine drops what the store has answered.
    ClosingForgets,
    /// The leader keeps to itself what other tabs add to the schema.
    SchemaUntold,
    /// A reset keeps the client id.
    IdentityKept,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 26] = [
        Mutant::DroppedTombstone,
        Mutant::SwappedTie,
        Mutant::DefaultBeatsChoice,
        Mutant::InsertBefore,
        Mutant::IncrementTwice,
        Mutant::RepeatTaken,
        Mutant::ElementsKeepNames,
        Mutant::RemovalForgotten,
        Mutant::ClearTakesUnseen,
        Mutant::MoveIgnoresTime,
        Mutant::EmbeddedByPlace,
        Mutant::DeletionsUntold,
        Mutant::LinksStay,
        Mutant::ReportEmpty,
        Mutant::UploadBeforeDurable,
        Mutant::AckOffByOne,
        Mutant::AckBeforeDurable,
        Mutant::ResetKeepsMark,
        Mutant::ChainUnchecked,
        Mutant::SaltUnchecked,
        Mutant::BatchSplit,
        Mutant::HeadUnchecked,
        Mutant::StaleLead,
        Mutant::ClosingForgets,
        Mutant::SchemaUntold,
        Mutant::IdentityKept,
    ];
}

#[cfg(feature = "mutants")]
thread_local! {
    static ON: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Whether a mutant is switched on in this thread.
#[cfg(feature = "mutants")]
pub fn mutant(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// Whether a mutant is switched on: none can be.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub fn mutant(_: Mutant) -> bool {
    false
}

/// Switches one mutant on, or all off, in this thread.
#[cfg(feature = "mutants")]
pub fn switch_on(mutant: Option<Mutant>) {
    ON.set(mutant);
}
