//! One bit a row of a page.

use std::ops::Range;

use crate::limits::PAGE_ROWS;

const WORDS: usize = PAGE_ROWS / 64;

/// A bit for each of the up to 256 rows of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bits {
    words: [u64; WORDS],
}

impl Bits {
    /// The bit of a row.
    pub fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// Sets the bit of a row.
    pub fn set(&mut self, row: usize, value: bool) {
        let mask = 1 << (row % 64);
        if value {
            self.words[row / 64] |= mask;
        } else {
            self.words[row / 64] &= !mask;
        }
    }

    /// Whether any bit is set.
    pub fn any(&self) -> bool {
        self.words.iter().any(|word| *word != 0)
    }

    /// The rows that are in either.
    pub(crate) fn or(&self, other: &Bits) -> Bits {
        Bits { words: std::array::from_fn(|word| self.words[word] | other.words[word]) }
    }

    /// The rows that are in one of the two.
    pub(crate) fn xor(&self, other: &Bits) -> Bits {
        Bits { words: std::array::from_fn(|word| self.words[word] ^ other.words[word]) }
    }

    /// The words, row 0 in the lowest bit of the first.
    pub fn words(&self) -> &[u64; WORDS] {
        &self.words
    }

    pub(crate) fn from_words(words: [u64; WORDS]) -> Bits {
        Bits { words }
    }

    /// Makes room at `row`: bits from there on move up by one.
    pub(crate) fn insert(&mut self, row: usize, value: bool) {
        if !self.any() {
            self.set(row, value);
            return;
        }
        let (word, bit) = (row / 64, row % 64);
        for above in (word + 1..WORDS).rev() {
            self.words[above] = self.words[above] << 1 | self.words[above - 1] >> 63;
        }
        let low = self.words[word] & ((1 << bit) - 1);
        let high = self.words[word] & !((1 << bit) - 1);
        self.words[word] = low | high << 1;
        self.set(row, value);
    }

    /// The runs of rows below `rows` whose bits are not set.
    pub(crate) fn unset_ranges(&self, rows: usize) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for row in (0..rows).filter(|row| !self.get(*row)) {
            match ranges.last_mut() {
                Some(last) if last.end == row => last.end += 1,
                _ => ranges.push(row..row + 1),
            }
        }
        ranges
    }

    /// The bits of some ranges of rows, one behind the other.
    pub(crate) fn only(&self, stays: &[Range<usize>]) -> Bits {
        let mut only = Bits::default();
        if self.any() {
            for (to, from) in stays.iter().cloned().flatten().enumerate() {
                only.set(to, self.get(from));
            }
        }
        only
    }

    /// Puts bits that begin at row 0 in from `row` on, where none is set.
    pub(crate) fn append(&mut self, row: usize, bits: &Bits) {
        if bits.any() {
            for from in (0..PAGE_ROWS).filter(|from| bits.get(*from)) {
                self.set(row + from, true);
            }
        }
    }

    /// The bits from `row` on as bits of their own; they are cleared here.
    pub(crate) fn split_off(&mut self, row: usize) -> Bits {
        let mut tail = Bits::default();
        if !self.any() {
            return tail;
        }
        for from in row..PAGE_ROWS {
            if self.get(from) {
                tail.set(from - row, true);
                self.set(from, false);
            }
        }
        tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits_of(model: &[bool]) -> Bits {
        let mut bits = Bits::default();
        for (row, value) in model.iter().enumerate() {
            bits.set(row, *value);
        }
        bits
    }

    proptest! {
        #[test]
        fn behaves_like_a_vector(mut model in prop::collection::vec(any::<bool>(), 1..255), at: prop::sample::Index, value: bool) {
            let mut bits = bits_of(&model);
            let row = at.index(model.len());
            bits.insert(row, value);
            model.insert(row, value);
            prop_assert_eq!(bits, bits_of(&model));
            let others = bits.unset_ranges(model.len());
            prop_assert_eq!(others.iter().cloned().flatten().count(), model.iter().filter(|bit| !**bit).count());
            let row = at.index(model.len());
            bits = bits.only(&[0..row, row + 1..model.len()]);
            model.remove(row);
            prop_assert_eq!(bits, bits_of(&model));
            let row = at.index(model.len());
            let tail = bits.split_off(row);
            let model_tail = model.split_off(row);
            prop_assert_eq!(tail, bits_of(&model_tail));
            prop_assert_eq!(bits, bits_of(&model));
            bits.append(row, &tail);
            model.extend(model_tail);
            prop_assert_eq!(bits, bits_of(&model));
        }
    }
}
