//! The keys of a collection in order, in chunks that are shared by its earlier and later states: one object more or less
//! copies one chunk, not the list.

use std::sync::Arc;

use super::sequence::CollectionChanges;
use crate::ids::ObjectKey;

/// How many keys a chunk has when a list is made.
const CHUNK: usize = 256;

/// Keys in order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KeyList {
    chunks: Arc<Vec<Chunk>>,
}

/// Keys that are not none.
#[derive(Clone, Debug)]
struct Chunk {
    /// How many keys there are before it.
    start: usize,
    keys: Arc<[ObjectKey]>,
}

impl From<Vec<ObjectKey>> for KeyList {
    fn from(keys: Vec<ObjectKey>) -> KeyList {
        let chunks = keys.chunks(CHUNK).enumerate();
        let chunks = chunks.map(|(index, keys)| Chunk { start: index * CHUNK, keys: keys.into() }).collect();
        KeyList { chunks: Arc::new(chunks) }
    }
}

impl KeyList {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.start + chunk.keys.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The key at a position.
    pub fn get(&self, index: usize) -> Option<&ObjectKey> {
        let chunk = &self.chunks[self.chunks.partition_point(|chunk| chunk.start <= index).checked_sub(1)?];
        chunk.keys.get(index - chunk.start)
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &ObjectKey> {
        self.chunks.iter().flat_map(|chunk| chunk.keys.iter())
    }

    /// The keys in order, in one piece.
    pub fn to_vec(&self) -> Vec<ObjectKey> {
        let mut keys = Vec::with_capacity(self.len());
        self.chunks.iter().for_each(|chunk| keys.extend_from_slice(&chunk.keys));
        keys
    }

    /// Where a key is in a list that ascends.
    pub fn position(&self, key: ObjectKey) -> Option<usize> {
        let chunk = &self.chunks[self.chunk_of(key)?];
        chunk.keys.binary_search(&key).ok().map(|index| chunk.start + index)
    }

    /// A list that ascends without those of `flips` that are in it, and with those that are not; and the change set that
    /// this is, in which those of `touched` that stay are modified. Both ascend, without a key twice.
    pub fn flip(&self, flips: &[ObjectKey], touched: impl Iterator<Item = ObjectKey>) -> (KeyList, CollectionChanges) {
        let later = self.flipped(flips);
        let mut changes = CollectionChanges::default();
        for key in flips {
            match self.position(*key) {
                Some(index) => changes.deletions.push(index as u32),
                None => changes.insertions.extend(later.position(*key).map(|index| index as u32)),
            }
        }
        for (old, new) in touched.filter_map(|key| Some((self.position(key)?, later.position(key)?))) {
            changes.old_modifications.push(old as u32);
            changes.new_modifications.push(new as u32);
        }
        (later, changes)
    }

    fn flipped(&self, mut flips: &[ObjectKey]) -> KeyList {
        let mut later = self.clone();
        if flips.is_empty() {
            return later;
        }
        let chunks = Arc::make_mut(&mut later.chunks);
        let mut made: Vec<ObjectKey> = Vec::new();
        let mut at = self.chunk_of(flips[0]).unwrap_or(0);
        let from = at;
        while let Some(first) = flips.first().copied() {
            at = chunks[at..].partition_point(|chunk| chunk.keys[0] <= first).saturating_sub(1) + at;
            let until = chunks.get(at + 1).map_or(flips.len(), |next| flips.partition_point(|key| *key < next.keys[0]));
            let (here, rest) = flips.split_at(until);
            flips = rest;
            let old: &[ObjectKey] = chunks.get(at).map_or(&[], |chunk| &chunk.keys);
            made.clear();
            merge(old, here, &mut made);
            let end = (at + 1).min(chunks.len());
            let small = at > 0 && chunks[at - 1].keys.len() + made.len() <= CHUNK;
            let begin = if small { at - 1 } else { at };
            if small {
                made.splice(0..0, chunks[at - 1].keys.iter().copied());
            }
            let width = if made.len() > 2 * CHUNK { CHUNK } else { 2 * CHUNK };
            let replaced: Vec<Chunk> = made.chunks(width).map(|keys| Chunk { start: 0, keys: keys.into() }).collect();
            at = begin + replaced.len();
            chunks.splice(begin..end, replaced);
            at = at.saturating_sub(1);
        }
        let from = from.saturating_sub(1);
        let mut start = chunks.get(from).map_or(0, |chunk| chunk.start);
        for chunk in &mut chunks[from..] {
            chunk.start = start;
            start += chunk.keys.len();
        }
        later
    }

    /// The chunk that has a key if the list has it.
    fn chunk_of(&self, key: ObjectKey) -> Option<usize> {
        self.chunks.partition_point(|chunk| chunk.keys[0] <= key).checked_sub(1)
    }
}

fn merge(keys: &[ObjectKey], flips: &[ObjectKey], merged: &mut Vec<ObjectKey>) {
    let mut rest = keys;
    for flip in flips {
        let (before, from) = rest.split_at(rest.partition_point(|key| key < flip));
        merged.extend_from_slice(before);
        rest = match from.split_first() {
            Some((first, others)) if first == flip => others,
            _ => {
                merged.push(*flip);
                from
            }
        };
    }
    merged.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::super::sequence::key_changes;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn keys(numbers: &BTreeSet<u64>) -> Vec<ObjectKey> {
        numbers.iter().map(|number| ObjectKey(*number)).collect()
    }

    proptest! {
        #[test]
        fn flipping_gives_the_list_and_the_change_set_that_comparing_gives(
            start in prop::collection::btree_set(0u64..4000, 0..2000),
            rounds in prop::collection::vec((prop::collection::btree_set(0u64..4100, 0..300), any::<bool>()), 1..6),
            touched in prop::collection::btree_set(0u64..4100, 0..100),
        ) {
            let mut state = start;
            let mut list = KeyList::from(keys(&state));
            for (flips, few) in rounds {
                let flips: BTreeSet<u64> = flips.into_iter().take(if few { 2 } else { 300 }).collect();
                let before = keys(&state);
                state = state.symmetric_difference(&flips).copied().collect();
                let after = keys(&state);
                let (later, changes) = list.flip(&keys(&flips), keys(&touched).into_iter());
                prop_assert_eq!(later.to_vec(), after.clone());
                prop_assert_eq!(list.to_vec(), before.clone());
                prop_assert_eq!(changes, key_changes(&before, &after, |key| touched.contains(&key.0)));
                prop_assert_eq!(later.len(), after.len());
                prop_assert!(later.chunks.iter().all(|chunk| !chunk.keys.is_empty()));
                for (index, key) in after.iter().enumerate() {
                    prop_assert_eq!(later.get(index), Some(key));
                    prop_assert_eq!(later.position(*key), Some(index));
                }
                prop_assert_eq!(later.get(after.len()), None);
                list = later;
            }
        }
    }
}
