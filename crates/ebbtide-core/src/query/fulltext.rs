//! The right side of `TEXT`: words that a text must have, and words that it must not have.

use crate::words::{Word, each_word};

#[derive(Clone, PartialEq, Debug)]
pub(super) struct TextSearch {
    pub(super) with: Vec<Word>,
    pub(super) without: Vec<Word>,
}

impl TextSearch {
    /// Reads terms between spaces: `-term` excludes, `term*` is a beginning. `None` if there is no word at all.
    pub(super) fn parse(text: &str) -> Option<TextSearch> {
        let mut search = TextSearch { with: Vec::new(), without: Vec::new() };
        for term in text.split_whitespace() {
            let (words, term) = match term.strip_prefix('-') {
                Some(term) => (&mut search.without, term),
                None => (&mut search.with, term),
            };
            let first = words.len();
            each_word(term, |word| words.push(Word::Whole(word.to_string())));
            if term.ends_with('*')
                && words.len() > first
                && let Some(Word::Whole(start)) = words.pop()
            {
                words.push(Word::Beginning(start));
            }
        }
        (!search.with.is_empty() || !search.without.is_empty()).then_some(search)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_include_exclude_and_begin() {
        let whole = |word: &str| Word::Whole(word.to_string());
        let search = TextSearch::parse("Quick-Brown fo* -Été -a*").unwrap();
        assert_eq!(search.with, [whole("quick"), whole("brown"), Word::Beginning("fo".into())]);
        assert_eq!(search.without, [whole("ete"), Word::Beginning("a".into())]);
        assert_eq!(TextSearch::parse(" - * "), None);
    }
}
