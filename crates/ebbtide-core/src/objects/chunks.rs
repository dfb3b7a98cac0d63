//! Sequences that are edited anywhere: in chunks which copies share, so that an edit of a long one moves and copies few items.

use std::cmp::Ordering;
use std::iter::{Chain, FlatMap};
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// Items of a full chunk. A sequence of no more is one plain vector.
const CHUNK: usize = 256;
/// Bits of a chunk's filter, of which each mark sets [`MARK_BITS`].
const FILTER_BITS: usize = 8192;
const MARK_BITS: u32 = 3;

/// What items are looked for by: those of a chunk are remembered, so that a search passes over chunks that cannot have it.
pub trait Marked {
    /// Calls `see` with each mark. An item that is changed keeps none but those of its new state.
    fn marks(&self, see: &mut dyn FnMut(u64));
}

/// A sequence in chunks.
#[derive(Clone, Debug)]
pub struct Chunks<T>(Form<T>);

#[derive(Clone, Debug)]
enum Form<T> {
    Few(Vec<T>),
    Many(Box<Many<T>>),
}

/// Chunks that are never empty, and the position behind each.
#[derive(Clone, Debug)]
struct Many<T> {
    chunks: Vec<Arc<Chunk<T>>>,
    ends: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Chunk<T> {
    items: Vec<T>,
    /// A bit is set if an item that is or was here has a mark with it (Bloom, 1970). Empty while there were no marks.
    filter: Vec<u64>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Chunks<T> {
        Chunks(Form::Few(Vec::new()))
    }
}

impl<T: Clone + Marked> From<Vec<T>> for Chunks<T> {
    fn from(items: Vec<T>) -> Chunks<T> {
        if items.len() <= CHUNK {
            return Chunks(Form::Few(items));
        }
        let mut many = Many { chunks: Vec::new(), ends: Vec::new() };
        let mut items = items.into_iter();
        loop {
            let chunk: Vec<T> = items.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Chunks(Form::Many(Box::new(many)));
            }
            many.ends.push(many.ends.last().copied().unwrap_or_default() + chunk.len() as u32);
            many.chunks.push(Arc::new(Chunk::from(chunk)));
        }
    }
}

impl<T: Clone + Marked> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Chunks<T> {
        items.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: PartialEq> PartialEq for Chunks<T> {
    fn eq(&self, other: &Chunks<T>) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl<T> std::ops::Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        self.get(index).expect("the position is in the sequence")
    }
}

impl<'a, T> IntoIterator for &'a Chunks<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Chunks<T> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Few(items) => items.len(),
            Form::Many(many) => many.ends.last().map_or(0, |end| *end as usize),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position.
    pub fn get(&self, index: usize) -> Option<&T> {
        match &self.0 {
            Form::Few(items) => items.get(index),
            Form::Many(many) => {
                let at = many.chunk_of(index);
                many.chunks.get(at)?.items.get(index - many.start(at))
            }
        }
    }

    /// The items in order.
    pub fn iter(&self) -> Iter<'_, T> {
        let (few, many): (&[T], &[Arc<Chunk<T>>]) = match &self.0 {
            Form::Few(items) => (items, &[]),
            Form::Many(many) => (&[], &many.chunks),
        };
        let in_chunks: InChunks<'_, T> = many.iter().flat_map(|chunk| chunk.items.iter());
        Iter { items: few.iter().chain(in_chunks), left: self.len() }
    }

    /// The items of a range of positions in order.
    pub(crate) fn between(&self, range: Range<usize>) -> impl Iterator<Item = &T> {
        let (few, many) = match &self.0 {
            Form::Few(items) => (&items[range.clone()], None),
            Form::Many(many) => (&[][..], Some(many)),
        };
        let in_chunks = many.into_iter().flat_map(move |many| {
            let Range { start, end } = range.clone();
            (many.chunk_of(start)..many.chunks.len()).take_while(move |at| many.start(*at) < end).flat_map(move |at| {
                let (chunk, first) = (&many.chunks[at].items, many.start(at));
                &chunk[start.saturating_sub(first)..chunk.len().min(end.max(first) - first)]
            })
        });
        few.iter().chain(in_chunks)
    }

    /// How many items this and another sequence share at the beginning, and how many at the end, as far as can be seen
    /// without looking at them. What they share at one end is not counted at the other.
    pub(crate) fn shared(&self, other: &Chunks<T>) -> (usize, usize) {
        let (Form::Many(ours), Form::Many(theirs)) = (&self.0, &other.0) else { return (0, 0) };
        let same = |(a, b): &(&Arc<Chunk<T>>, &Arc<Chunk<T>>)| Arc::ptr_eq(a, b);
        let first = ours.chunks.iter().zip(&theirs.chunks).take_while(same).count();
        let (our_rest, their_rest) = (&ours.chunks[first..], &theirs.chunks[first..]);
        let last = our_rest.iter().rev().zip(their_rest.iter().rev()).take_while(same);
        (ours.start(first), last.map(|(chunk, _)| chunk.items.len()).sum())
    }

    /// Whether each item and the next are in order.
    pub(crate) fn is_sorted_by(&self, in_order: impl Fn(&T, &T) -> bool) -> bool {
        self.iter().zip(self.iter().skip(1)).all(|(a, b)| in_order(a, b))
    }

    /// Where an item is, or would be, of a sequence that ascends; `compare` compares an item with the one that is looked for.
    pub(crate) fn search(&self, compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
        match &self.0 {
            Form::Few(items) => items.binary_search_by(compare),
            Form::Many(many) => {
                let is_before = |chunk: &Arc<Chunk<T>>| chunk.items.last().is_some_and(|last| compare(last).is_lt());
                let at = many.chunks.partition_point(is_before);
                let Some(chunk) = many.chunks.get(at) else { return Err(self.len()) };
                let start = many.start(at);
                let found = chunk.items.binary_search_by(compare);
                found.map(|index| start + index).map_err(|index| start + index)
            }
        }
    }

    /// The positions of the items with a mark that `is_it` accepts, from the last to the first.
    pub(crate) fn marked<'a>(
        &'a self,
        mark: u64,
        is_it: impl Fn(&T) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        let of = move |items: &'a [T], start: usize| {
            (0..items.len()).rev().filter(move |index| is_it(&items[*index])).map(move |index| start + index)
        };
        let (few, many) = match &self.0 {
            Form::Few(items) => (Some(items), None),
            Form::Many(many) => (None, Some(many)),
        };
        let few = few.into_iter().flat_map(move |items| of(items, 0));
        let many = many.into_iter().flat_map(move |many| {
            let may_have = move |at: &usize| many.chunks[*at].may_have(mark);
            let chunks = (0..many.chunks.len()).rev().filter(may_have);
            chunks.flat_map(move |at| of(&many.chunks[at].items, many.start(at)))
        });
        few.chain(many)
    }
}

impl<T: Clone + Marked> Chunks<T> {
    /// Puts an item at a position; those from there on move back.
    pub(crate) fn insert(&mut self, index: usize, item: T) {
        match &mut self.0 {
            Form::Few(items) => {
                items.insert(index, item);
                if items.len() > CHUNK {
                    *self = std::mem::take(items).into();
                }
            }
            Form::Many(many) => many.insert(index, item),
        }
    }

    /// Puts an item at the end.
    pub(crate) fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Takes the item at a position out.
    pub(crate) fn remove(&mut self, index: usize) -> T {
        match &mut self.0 {
            Form::Few(items) => items.remove(index),
            Form::Many(many) => {
                let item = many.remove(index);
                if self.len() <= CHUNK / 4 {
                    self.0 = Form::Few(self.iter().cloned().collect());
                }
                item
            }
        }
    }

    /// Changes the item at a position.
    pub(crate) fn change<R>(&mut self, index: usize, change: impl FnOnce(&mut T) -> R) -> R {
        match &mut self.0 {
            Form::Few(items) => change(&mut items[index]),
            Form::Many(many) => {
                let at = many.chunk_of(index);
                let start = many.start(at);
                let chunk = Arc::make_mut(&mut many.chunks[at]);
                let result = change(&mut chunk.items[index - start]);
                chunk.note(index - start);
                result
            }
        }
    }

    /// Changes every item.
    pub(crate) fn change_all(&mut self, change: impl FnMut(&mut T)) {
        let mut items: Vec<T> = self.iter().cloned().collect();
        items.iter_mut().for_each(change);
        *self = items.into();
    }
}

impl<T> Many<T> {
    /// The chunk that a position is in; the number of chunks for those beyond.
    fn chunk_of(&self, index: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= index)
    }

    fn start(&self, chunk: usize) -> usize {
        chunk.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }
}

impl<T: Clone + Marked> Many<T> {
    fn insert(&mut self, index: usize, item: T) {
        // At a border the item goes to the end of the chunk before, which a longer sequence is made of in order.
        let at = if index == 0 { 0 } else { self.chunk_of(index - 1) };
        let within = index - self.start(at);
        let size = self.chunks[at].items.len();
        if size < CHUNK {
            Arc::make_mut(&mut self.chunks[at]).insert(within, item);
        } else if within == size {
            self.chunks.insert(at + 1, Arc::new(Chunk::from(vec![item])));
            self.ends.insert(at + 1, index as u32);
            return self.ends[at + 1..].iter_mut().for_each(|end| *end += 1);
        } else {
            let chunk = Arc::make_mut(&mut self.chunks[at]);
            let mut second = chunk.items.split_off(CHUNK / 2);
            let mut first = std::mem::take(&mut chunk.items);
            if within <= first.len() {
                first.insert(within, item);
            } else {
                second.insert(within - first.len(), item);
            }
            self.ends.insert(at, (self.start(at) + first.len()) as u32);
            self.chunks[at] = Arc::new(Chunk::from(second));
            self.chunks.insert(at, Arc::new(Chunk::from(first)));
            return self.ends[at + 1..].iter_mut().for_each(|end| *end += 1);
        }
        self.ends[at..].iter_mut().for_each(|end| *end += 1);
    }

    fn remove(&mut self, index: usize) -> T {
        let at = self.chunk_of(index);
        let within = index - self.start(at);
        let chunk = Arc::make_mut(&mut self.chunks[at]);
        let item = chunk.items.remove(within);
        let left = chunk.items.len();
        self.ends[at..].iter_mut().for_each(|end| *end -= 1);
        if left == 0 {
            self.drop_chunk(at);
        } else if self.chunks.get(at + 1).is_some_and(|next| left + next.items.len() <= CHUNK / 2) {
            let next = Arc::clone(&self.chunks[at + 1]);
            let items = self.chunks[at].items.iter().chain(&next.items).cloned().collect::<Vec<T>>();
            self.chunks[at + 1] = Arc::new(Chunk::from(items));
            self.drop_chunk(at);
        }
        item
    }

    /// Takes a chunk out whose items are gone or in the next one.
    fn drop_chunk(&mut self, at: usize) {
        self.chunks.remove(at);
        self.ends.remove(at);
    }
}

impl<T: Marked> From<Vec<T>> for Chunk<T> {
    fn from(items: Vec<T>) -> Chunk<T> {
        let mut chunk = Chunk { items, filter: Vec::new() };
        (0..chunk.items.len()).for_each(|index| chunk.note(index));
        chunk
    }
}

impl<T: Marked> Chunk<T> {
    fn insert(&mut self, index: usize, item: T) {
        self.items.insert(index, item);
        self.note(index);
    }

    /// Sets the bits of an item's marks.
    fn note(&mut self, index: usize) {
        let filter = &mut self.filter;
        self.items[index].marks(&mut |mark| {
            filter.resize(FILTER_BITS / 64, 0);
            for bit in bits(mark) {
                filter[bit / 64] |= 1 << (bit % 64);
            }
        });
    }
}

impl<T> Chunk<T> {
    fn may_have(&self, mark: u64) -> bool {
        !self.filter.is_empty() && bits(mark).all(|bit| self.filter[bit / 64] & 1 << (bit % 64) != 0)
    }
}

/// The bits of a mark, spread by the finalizer of splitmix64 (Steele, Lea and Flood, 2014).
fn bits(mark: u64) -> impl Iterator<Item = usize> {
    let mut hash = mark.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    let width = FILTER_BITS.trailing_zeros();
    (0..MARK_BITS).map(move |number| (hash >> (number * width)) as usize % FILTER_BITS)
}

/// The items of a sequence, from either end.
#[derive(Debug)]
pub struct Iter<'a, T> {
    items: Chain<slice::Iter<'a, T>, InChunks<'a, T>>,
    left: usize,
}

type InChunks<'a, T> =
    FlatMap<slice::Iter<'a, Arc<Chunk<T>>>, slice::Iter<'a, T>, fn(&Arc<Chunk<T>>) -> slice::Iter<'_, T>>;

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { items: self.items.clone(), left: self.left }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.items.next().inspect(|_| self.left -= 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.items.next_back().inspect(|_| self.left -= 1)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Marked for u32 {
        fn marks(&self, see: &mut dyn FnMut(u64)) {
            see(u64::from(*self));
        }
    }

    #[derive(Clone, Debug)]
    enum Edit {
        Insert(usize, u32),
        Remove(usize),
        Change(usize, u32),
        InsertMany(usize, usize),
        RemoveMany(usize, usize),
    }

    fn edits() -> impl Strategy<Value = Vec<Edit>> {
        let edit = prop_oneof![
            (any::<usize>(), 0..500u32).prop_map(|(at, item)| Edit::Insert(at, item)),
            any::<usize>().prop_map(Edit::Remove),
            (any::<usize>(), 0..500u32).prop_map(|(at, item)| Edit::Change(at, item)),
            (any::<usize>(), 1..700usize).prop_map(|(at, count)| Edit::InsertMany(at, count)),
            (any::<usize>(), 1..700usize).prop_map(|(at, count)| Edit::RemoveMany(at, count)),
        ];
        proptest::collection::vec(edit, 1..60)
    }

    fn play(edit: &Edit, chunks: &mut Chunks<u32>, plain: &mut Vec<u32>) {
        let len = plain.len();
        match *edit {
            Edit::Insert(at, item) => {
                chunks.insert(at % (len + 1), item);
                plain.insert(at % (len + 1), item);
            }
            Edit::Remove(at) if len > 0 => assert_eq!(chunks.remove(at % len), plain.remove(at % len)),
            Edit::Change(at, item) if len > 0 => {
                let old = chunks.change(at % len, |present| std::mem::replace(present, item));
                assert_eq!(old, std::mem::replace(&mut plain[at % len], item));
            }
            Edit::InsertMany(at, count) => {
                (0..count).for_each(|n| play(&Edit::Insert(at % (len + 1), n as u32), chunks, plain));
            }
            Edit::RemoveMany(at, count) if len > 0 => {
                let at = at % len;
                (0..count.min(len - at)).for_each(|_| play(&Edit::Remove(at), chunks, plain));
            }
            Edit::Remove(_) | Edit::Change(_, _) | Edit::RemoveMany(_, _) => {}
        }
    }

    fn same(chunks: &Chunks<u32>, plain: &[u32]) {
        assert!(chunks.iter().eq(plain.iter()) && chunks.iter().rev().eq(plain.iter().rev()));
        assert_eq!(chunks.len(), plain.len());
        assert!((0..=plain.len()).all(|at| chunks.get(at) == plain.get(at)));
        for start in (0..=plain.len()).step_by(97) {
            let end = (start + 300).min(plain.len());
            assert!(chunks.between(start..end).eq(&plain[start..end]));
        }
        for wanted in [0, 7, 499] {
            let found: Vec<usize> = chunks.marked(wanted.into(), move |item| *item == wanted).collect();
            let expected: Vec<usize> = (0..plain.len()).rev().filter(|at| plain[*at] == wanted).collect();
            assert_eq!(found, expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn chunks_are_what_a_vector_is_and_copies_stay_as_they_were(edits in edits(), copy_at in 0..60usize) {
            let (mut chunks, mut plain) = (Chunks::default(), Vec::new());
            let mut copies = (chunks.clone(), plain.clone());
            for (number, edit) in edits.iter().enumerate() {
                if number == copy_at {
                    copies = (chunks.clone(), plain.clone());
                }
                play(edit, &mut chunks, &mut plain);
            }
            same(&chunks, &plain);
            same(&copies.0, &copies.1);
            let (first, last) = chunks.shared(&copies.0);
            prop_assert!(first + last <= plain.len().min(copies.1.len()));
            prop_assert_eq!(&plain[..first], &copies.1[..first]);
            prop_assert_eq!(&plain[plain.len() - last..], &copies.1[copies.1.len() - last..]);
            prop_assert!(chunks == Chunks::from(plain));
        }

        #[test]
        fn ascending_chunks_are_searched(items in proptest::collection::btree_set(0..3000u32, 0..900), wanted in 0..3000u32) {
            let mut chunks = Chunks::default();
            let mut plain: Vec<u32> = items.into_iter().collect();
            plain.sort_by_key(|item| item.reverse_bits());
            for item in &plain {
                let at = chunks.search(|present: &u32| present.cmp(item)).expect_err("no item is there twice");
                chunks.insert(at, *item);
            }
            plain.sort_unstable();
            same(&chunks, &plain);
            prop_assert_eq!(chunks.search(|item| item.cmp(&wanted)), plain.binary_search(&wanted));
            prop_assert!(chunks.is_sorted_by(|a, b| a < b));
        }
    }
}
