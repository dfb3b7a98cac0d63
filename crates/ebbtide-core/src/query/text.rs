//! Searching in strings and bytes.
//!
//! Everything works on bytes: equality, prefixes, suffixes and substrings of UTF-8 are those of its bytes. What ignores
//! case compares lower-cased copies, which live in one buffer that is used again for the next value.

use memchr::memmem::Finder;

use super::ast::{Case, Operator};

/// Whether bytes are UTF-8 text, in which `?` stands for a character and case is that of Unicode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Text,
    Bytes,
}

/// The right side of a textual operator, prepared once.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    search: Search,
    case: Case,
}

#[derive(Clone, Debug)]
enum Search {
    Equal(Vec<u8>),
    Begins(Vec<u8>),
    Ends(Vec<u8>),
    Contains(Box<Finder<'static>>),
    Like(Vec<u8>),
}

impl Pattern {
    /// Prepares `needle` for an operator: `==` and the textual ones.
    pub(super) fn new(operator: Operator, case: Case, needle: &[u8], encoding: Encoding) -> Pattern {
        let mut folded = Vec::new();
        let needle = match case {
            Case::Sensitive => needle,
            Case::Insensitive => {
                fold(needle, encoding, &mut folded);
                &folded
            }
        };
        let contains = |needle: &[u8]| Search::Contains(Box::new(Finder::new(needle).into_owned()));
        let search = match operator {
            Operator::BeginsWith => Search::Begins(needle.to_vec()),
            Operator::EndsWith => Search::Ends(needle.to_vec()),
            Operator::Contains => contains(needle),
            Operator::Like => like_search(needle, contains),
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::In
            | Operator::Text => Search::Equal(needle.to_vec()),
        };
        Pattern { search, case }
    }

    /// The searcher of a substring, where the bytes as they are decide.
    pub(super) fn finder(&self) -> Option<&Finder<'static>> {
        match (&self.search, self.case) {
            (Search::Contains(finder), Case::Sensitive) if !finder.needle().is_empty() => Some(finder),
            _ => None,
        }
    }

    /// Whether a value matches. `buffer` is for the lower-cased copy.
    pub(super) fn matches(&self, value: &[u8], encoding: Encoding, buffer: &mut Vec<u8>) -> bool {
        let value = match self.case {
            Case::Sensitive => value,
            Case::Insensitive => {
                fold(value, encoding, buffer);
                buffer
            }
        };
        match &self.search {
            Search::Equal(needle) => value == needle,
            Search::Begins(needle) => value.starts_with(needle),
            Search::Ends(needle) => value.ends_with(needle),
            Search::Contains(finder) => finder.find(value).is_some(),
            Search::Like(pattern) => like(value, pattern, encoding),
        }
    }
}

/// The simplest search for a pattern of `*` and `?`.
fn like_search(pattern: &[u8], contains: impl Fn(&[u8]) -> Search) -> Search {
    let is_wild = |part: &[u8]| part.iter().any(|byte| matches!(byte, b'*' | b'?'));
    match pattern {
        plain if !is_wild(plain) => Search::Equal(plain.to_vec()),
        [b'*', middle @ .., b'*'] if !is_wild(middle) => contains(middle),
        [start @ .., b'*'] if !is_wild(start) => Search::Begins(start.to_vec()),
        [b'*', end @ ..] if !is_wild(end) => Search::Ends(end.to_vec()),
        wild => Search::Like(wild.to_vec()),
    }
}

/// Replaces the contents of `folded` by a value in lower case.
fn fold(value: &[u8], encoding: Encoding, folded: &mut Vec<u8>) {
    folded.clear();
    if encoding == Encoding::Bytes || value.is_ascii() {
        folded.extend(value.iter().map(u8::to_ascii_lowercase));
        return;
    }
    let text = std::str::from_utf8(value).expect("what is compared as text is UTF-8");
    let mut bytes = [0; 4];
    for c in text.chars().flat_map(char::to_lowercase) {
        // The final form of sigma is the same letter.
        let c = if c == 'ς' { 'σ' } else { c };
        folded.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
    }
}

/// Wildcard matching with one place to go back to: after a mismatch only the last `*` takes one more character, since
/// what earlier ones took can stay. So the work is at most the product of both lengths.
fn like(value: &[u8], pattern: &[u8], encoding: Encoding) -> bool {
    let (mut v, mut p) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    while v < value.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                resume = Some((v, p));
            }
            Some(b'?') => {
                v += character_length(value[v], encoding);
                p += 1;
            }
            Some(byte) if *byte == value[v] => {
                v += 1;
                p += 1;
            }
            _ => {
                let Some((start, after)) = resume else {
                    return false;
                };
                v = start + character_length(value[start], encoding);
                p = after;
                resume = Some((v, after));
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

fn character_length(first: u8, encoding: Encoding) -> usize {
    match (encoding, first) {
        (Encoding::Bytes, _) | (Encoding::Text, 0..=0xBF) => 1,
        (Encoding::Text, 0xC0..=0xDF) => 2,
        (Encoding::Text, 0xE0..=0xEF) => 3,
        (Encoding::Text, 0xF0..) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(value: &str, operator: Operator, case: Case, needle: &str) -> bool {
        let pattern = Pattern::new(operator, case, needle.as_bytes(), Encoding::Text);
        pattern.matches(value.as_bytes(), Encoding::Text, &mut Vec::new())
    }

    #[test]
    fn case_is_that_of_unicode() {
        assert!(holds("ÉTÉ", Operator::Equal, Case::Insensitive, "été"));
        assert!(holds("Ὀδυσσεύς", Operator::EndsWith, Case::Insensitive, "ΕΎΣ"));
        assert!(holds("xAbcx", Operator::Contains, Case::Insensitive, "aBC"));
        assert!(holds("xAbc", Operator::Like, Case::Insensitive, "?A*"));
        assert!(!holds("ÉTÉ", Operator::Equal, Case::Sensitive, "été"));
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_the_product_of_lengths() {
        let value = "a".repeat(20_000);
        let pattern = "*a".repeat(200) + "b";
        assert!(!holds(&value, Operator::Like, Case::Sensitive, &pattern));
    }

    /// The definition, by recursion.
    fn naive_like(value: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => value.is_empty(),
            ['*', rest @ ..] => (0..=value.len()).any(|skip| naive_like(&value[skip..], rest)),
            ['?', rest @ ..] => !value.is_empty() && naive_like(&value[1..], rest),
            [c, rest @ ..] => value.first() == Some(c) && naive_like(&value[1..], rest),
        }
    }

    proptest! {
        #[test]
        fn like_is_what_its_definition_says(value in "[abé]{0,8}", pattern in "[abé*?]{0,7}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive_like(&chars(&value), &chars(&pattern));
            prop_assert_eq!(holds(&value, Operator::Like, Case::Sensitive, &pattern), expected);
        }
    }
}
