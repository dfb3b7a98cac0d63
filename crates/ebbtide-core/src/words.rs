//! The words of texts, and which rows of a page have them.
//!
//! A word is a run of letters and digits of any script, in lower case and without diacritics; everything else separates.

use std::sync::OnceLock;

use crate::objects::Bits;

/// The words of one column of one page, ascending, each with the rows that have it.
#[derive(Debug, Default)]
pub(crate) struct WordIndex {
    words: Vec<(Box<str>, Bits)>,
}

/// Which words are looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// This one.
    Whole(String),
    /// All that begin so.
    Beginning(String),
}

/// An index that is made when it is first asked for. A copy has none: it is about to be changed.
#[derive(Debug, Default)]
pub(crate) struct LazyWords(OnceLock<Box<WordIndex>>);

impl WordIndex {
    /// The index of the texts of rows.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = (usize, &'a str)>) -> WordIndex {
        let mut found: Vec<(Box<str>, usize)> = Vec::new();
        for (row, text) in texts {
            each_word(text, |word| found.push((word.into(), row)));
        }
        found.sort_unstable();
        let mut words: Vec<(Box<str>, Bits)> = Vec::new();
        for (word, row) in found {
            match words.last_mut() {
                Some((last, rows)) if *last == word => rows.set(row, true),
                _ => {
                    let mut rows = Bits::default();
                    rows.set(row, true);
                    words.push((word, rows));
                }
            }
        }
        WordIndex { words }
    }

    /// The rows that have a word.
    pub(crate) fn rows(&self, word: &Word) -> Bits {
        match word {
            Word::Whole(word) => {
                let found = self.words.binary_search_by(|(present, _)| present.as_ref().cmp(word));
                found.map_or(Bits::default(), |at| self.words[at].1)
            }
            Word::Beginning(start) => {
                let from = self.words.partition_point(|(present, _)| present.as_ref() < start.as_str());
                let with = self.words[from..].iter().take_while(|(present, _)| present.starts_with(start.as_str()));
                let rows = with
                    .fold(*Bits::default().words(), |all, (_, rows)| std::array::from_fn(|i| all[i] | rows.words()[i]));
                Bits::from_words(rows)
            }
        }
    }
}

impl LazyWords {
    /// The index, made now if there is none.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> WordIndex) -> &WordIndex {
        self.0.get_or_init(|| Box::new(make()))
    }

    /// Forgets an index whose texts have changed.
    pub(crate) fn forget(&mut self) {
        self.0.take();
    }
}

impl Clone for LazyWords {
    fn clone(&self) -> LazyWords {
        LazyWords::default()
    }
}

/// Visits the words of a text in order.
pub(crate) fn each_word(text: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::new();
    for c in text.chars() {
        if ('\u{300}'..='\u{36f}').contains(&c) {
            // An accent of its own belongs to the letter before it.
        } else if c.is_alphanumeric() {
            word.extend(c.to_lowercase().map(base));
        } else if !word.is_empty() {
            visit(&word);
            word.clear();
        }
    }
    if !word.is_empty() {
        visit(&word);
    }
}

/// A small letter without its diacritics; those of the Latin-1 Supplement and Latin Extended-A.
fn base(c: char) -> char {
    match c {
        '\0'..='\u{7f}' => c,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word(text, |word| found.push(word.to_string()));
        found
    }

    #[test]
    fn words_are_letters_and_digits_without_case_and_diacritics() {
        assert_eq!(
            words("The quick-brown Fox_2 (ÉTÉ, Ångström)!"),
            ["the", "quick", "brown", "fox", "2", "ete", "angstrom"]
        );
        assert_eq!(words("e\u{301}te\u{301} Ποδήλατο 東京 3a"), ["ete", "ποδήλατο", "東京", "3a"]);
        assert!(words(" -* ").is_empty());
    }

    #[test]
    fn an_index_finds_whole_words_and_beginnings() {
        let index = WordIndex::of([(0, "a fox"), (3, "foxes fox"), (200, "fo")].into_iter());
        let rows = |word: Word| (0..256).filter(|row| index.rows(&word).get(*row)).collect::<Vec<_>>();
        assert_eq!(rows(Word::Whole("fox".into())), [0, 3]);
        assert_eq!(rows(Word::Beginning("fo".into())), [0, 3, 200]);
        assert_eq!(rows(Word::Beginning("foxe".into())), [3]);
        assert!(rows(Word::Whole("f".into())).is_empty());
    }
}
