//! The account of writes: every transaction creates one note, and in the end each is on the server, or there is a reason.

use std::collections::{BTreeMap, BTreeSet};

/// Why a note is missing that a reset has counted.
pub const DROPPED: &str = "a reset dropped it, and said so";

/// How far a note is on its device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// In memory.
    Memory,
    /// On disk, until the power fails.
    Relaxed,
    /// On disk for good.
    Strict,
}

/// One note.
#[derive(Clone, Debug)]
pub struct Note {
    /// The device.
    pub device: usize,
    /// The tab's name.
    pub tab: u32,
    /// How far it is there.
    pub kept: Kept,
    /// Whether the server has had it, and no restore took it back.
    pub integrated: bool,
    /// Why it may be missing in the end.
    pub excuse: Option<&'static str>,
}

/// All notes.
#[derive(Debug, Default)]
pub struct Notes {
    all: BTreeMap<i64, Note>,
}

impl Notes {
    /// A tab writes the next note.
    pub fn write(&mut self, device: usize, tab: u32) -> i64 {
        let id = self.all.len() as i64 + 1;
        let note = Note { device, tab, kept: Kept::Memory, integrated: false, excuse: None };
        self.all.insert(id, note);
        id
    }

    /// The note was not written after all.
    pub fn excuse(&mut self, id: i64, reason: &'static str) {
        if let Some(note) = self.all.get_mut(&id) {
            note.excuse.get_or_insert(reason);
        }
    }

    /// A batch is on disk that has what the tab wrote up to a note.
    pub fn stored(&mut self, device: usize, tab: u32, last: i64, kept: Kept) {
        for (id, note) in self.all.iter_mut().filter(|(_, note)| note.device == device) {
            let by_this = note.tab == tab && *id <= last;
            if (by_this || note.kept == Kept::Relaxed) && note.kept < kept {
                note.kept = kept;
            }
        }
    }

    /// The server's state has these. What a reset has dropped, and said so, does not come after all.
    pub fn integrated(&mut self, there: &BTreeSet<i64>) {
        for id in there {
            if let Some(note) = self.all.get_mut(id) {
                assert!(
                    note.integrated || note.excuse != Some(DROPPED),
                    "note {id} was dropped, and arrives: {note:?}"
                );
                note.integrated = true;
            }
        }
    }

    /// The server went back to a state that has these.
    pub fn restored(&mut self, there: &BTreeSet<i64>) {
        for (_, note) in self.all.iter_mut().filter(|(id, note)| note.integrated && !there.contains(id)) {
            note.integrated = false;
            note.excuse.get_or_insert("the server was restored to before it");
        }
    }

    /// A tab is gone, and the store has these.
    pub fn died(&mut self, device: usize, tab: u32, there: &BTreeSet<i64>) {
        for (id, note) in self.all.iter_mut().filter(|(_, note)| (note.device, note.tab) == (device, tab)) {
            if note.kept == Kept::Memory && !there.contains(id) {
                note.excuse.get_or_insert("its tab died before it was on disk");
            }
        }
        self.check(device, there);
    }

    /// A device lost power, and the store has these.
    pub fn forgotten(&mut self, device: usize, there: &BTreeSet<i64>) {
        for (id, note) in self.all.iter_mut().filter(|(_, note)| note.device == device) {
            if note.kept == Kept::Relaxed && !there.contains(id) {
                note.excuse.get_or_insert("the power failed before it was on disk for good");
            }
        }
        self.check(device, there);
    }

    /// What was on disk is there, or the server has it, or there is a reason.
    pub fn check(&self, device: usize, there: &BTreeSet<i64>) {
        for (id, note) in self.all.iter().filter(|(_, note)| note.device == device) {
            let sure = note.kept != Kept::Memory && !note.integrated && note.excuse.is_none();
            assert!(!sure || there.contains(id), "note {id}, which was on disk, is gone: {note:?}");
        }
    }

    /// These are gone from a device, for a reason.
    pub fn lost(&mut self, ids: impl Iterator<Item = i64>, reason: &'static str) -> usize {
        let mut count = 0;
        for id in ids {
            if let Some(note) = self.all.get_mut(&id).filter(|note| !note.integrated && note.excuse.is_none()) {
                count += 1;
                note.excuse = Some(reason);
            }
        }
        count
    }

    /// The notes of a tab so far.
    pub fn of(&self, device: usize, tab: u32) -> BTreeSet<i64> {
        self.all.iter().filter(|(_, note)| (note.device, note.tab) == (device, tab)).map(|(id, _)| *id).collect()
    }

    /// A note.
    pub fn get(&self, id: i64) -> &Note {
        &self.all[&id]
    }

    /// In the end: what the server does not have must have a reason.
    pub fn check_end(&self, server: &BTreeSet<i64>) {
        for (id, note) in &self.all {
            assert!(server.contains(id) || note.excuse.is_some(), "note {id} was lost without a reason: {note:?}");
        }
    }
}
