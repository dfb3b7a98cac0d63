//! Text to tokens, one at a time. A token is a kind and a range; its text stays in the query.

/// The kind of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    End,
    /// One of `+ - * / ( ) { } [ ] , .`
    Symbol(u8),
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Not,
    Any,
    All,
    None,
    In,
    CaseInsensitive,
    BeginsWith,
    EndsWith,
    Contains,
    Like,
    Text,
    Between,
    GeoWithin,
    GeoBox,
    GeoCircle,
    GeoPolygon,
    TruePredicate,
    FalsePredicate,
    Sort,
    Distinct,
    Limit,
    Ascending,
    Descending,
    Obj,
    Subquery,
    Count,
    Max,
    Min,
    Sum,
    Average,
    Links,
    Type,
    Keys,
    Values,
    True,
    False,
    Null,
    Infinity,
    NotANumber,
    Natural,
    Hex,
    Float,
    Date,
    Uuid,
    ObjectId,
    Link,
    TypedLink,
    Base64,
    String,
    Argument,
    PathArgument,
    Identifier,
    /// A character that begins no token, or a string without an end.
    Invalid,
}

impl Token {
    /// The name in "unexpected …, expecting …".
    pub(super) fn name(self) -> &'static str {
        match self {
            Token::End => "end of file",
            Token::Symbol(symbol) => symbol_name(symbol),
            Token::Equal => "==",
            Token::NotEqual => "!=",
            Token::Less => "<",
            Token::LessEqual => "<=",
            Token::Greater => ">",
            Token::GreaterEqual => ">=",
            Token::And => "&&",
            Token::Or => "||",
            Token::Not => "!",
            Token::Any => "any",
            Token::All => "all",
            Token::None => "none",
            Token::In => "in",
            Token::CaseInsensitive => "[c]",
            Token::BeginsWith => "beginswith",
            Token::EndsWith => "endswith",
            Token::Contains => "contains",
            Token::Like => "like",
            Token::Text => "fulltext",
            Token::Between => "between",
            Token::GeoWithin => "geowithin",
            Token::GeoBox => "geobox",
            Token::GeoCircle => "geocircle",
            Token::GeoPolygon => "geopolygon",
            Token::TruePredicate => "truepredicate",
            Token::FalsePredicate => "falsepredicate",
            Token::Sort => "sort",
            Token::Distinct => "distinct",
            Token::Limit => "limit",
            Token::Ascending => "ascending",
            Token::Descending => "descending",
            Token::Obj => "obj",
            Token::Subquery => "subquery",
            Token::Count => "@size",
            Token::Max => "@max",
            Token::Min => "@min",
            Token::Sum => "@sum",
            Token::Average => "@avg",
            Token::Links => "@links",
            Token::Type => "@type",
            Token::Keys | Token::Values => "key or value",
            Token::True => "true",
            Token::False => "false",
            Token::Null => "null",
            Token::Infinity => "infinity",
            Token::NotANumber => "NaN",
            Token::Natural => "natural0",
            Token::Hex => "number",
            Token::Float => "float",
            Token::Date => "date",
            Token::Uuid => "UUID",
            Token::ObjectId => "ObjectId",
            Token::Link => "link",
            Token::TypedLink => "typed link",
            Token::Base64 => "base64",
            Token::String => "string",
            Token::Argument => "argument",
            Token::PathArgument => "key path argument",
            Token::Identifier => "identifier",
            Token::Invalid => "invalid character",
        }
    }
}

fn symbol_name(symbol: u8) -> &'static str {
    match symbol {
        b'+' => "'+'",
        b'-' => "'-'",
        b'*' => "'*'",
        b'/' => "'/'",
        b'(' => "'('",
        b')' => "')'",
        b'{' => "'{'",
        b'}' => "'}'",
        b'[' => "'['",
        b']' => "']'",
        b',' => "','",
        _ => "'.'",
    }
}

/// A token in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The token at or after `from`, white space skipped.
pub(super) fn next_token(text: &str, from: usize) -> Lexed {
    let bytes = text.as_bytes();
    let mut start = from;
    while start < bytes.len() && matches!(bytes[start], b' ' | b'\t' | b'\r' | b'\n') {
        start += 1;
    }
    let rest = &bytes[start..];
    let (token, length) = match rest.first() {
        None => (Token::End, 0),
        Some(b'"' | b'\'') => string(rest),
        Some(b'0'..=b'9') => number(rest),
        Some(b'.') if rest.get(1).is_some_and(u8::is_ascii_digit) => number(rest),
        Some(b'@') => at_word(rest),
        Some(&first) if is_word_start(first) => word(&text[start..]),
        Some(_) => punctuation(rest),
    };
    let length = match token {
        // An invalid character is reported whole.
        Token::Invalid if !matches!(rest.first(), Some(b'"' | b'\'')) => {
            text[start..].chars().next().map_or(0, char::len_utf8)
        }
        _ => length,
    };
    Lexed { token, start, end: start + length }
}

fn punctuation(rest: &[u8]) -> (Token, usize) {
    if rest.starts_with(b"[c]") {
        return (Token::CaseInsensitive, 3);
    }
    match (rest[0], rest.get(1).copied()) {
        (b'=', Some(b'=')) => (Token::Equal, 2),
        (b'=', Some(b'<')) | (b'<', Some(b'=')) => (Token::LessEqual, 2),
        (b'=', Some(b'>')) | (b'>', Some(b'=')) => (Token::GreaterEqual, 2),
        (b'!', Some(b'=')) | (b'<', Some(b'>')) => (Token::NotEqual, 2),
        (b'&', Some(b'&')) => (Token::And, 2),
        (b'|', Some(b'|')) => (Token::Or, 2),
        (b'=', _) => (Token::Equal, 1),
        (b'<', _) => (Token::Less, 1),
        (b'>', _) => (Token::Greater, 1),
        (b'!', _) => (Token::Not, 1),
        (symbol @ (b'+' | b'-' | b'*' | b'/' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b',' | b'.'), _) => {
            (Token::Symbol(symbol), 1)
        }
        _ => (Token::Invalid, 1),
    }
}

/// Finds the end of a string; its escapes are read later.
fn string(rest: &[u8]) -> (Token, usize) {
    let quote = rest[0];
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            b'\\' => i += 2,
            byte if byte == quote => return (Token::String, i + 1),
            _ => i += 1,
        }
    }
    (Token::Invalid, rest.len())
}

fn digits(rest: &[u8], from: usize) -> usize {
    let mut i = from;
    while rest.get(i).is_some_and(u8::is_ascii_digit) {
        i += 1;
    }
    i
}

/// The end of one or more digits at `from`.
fn some_digits(rest: &[u8], from: usize) -> Option<usize> {
    let end = digits(rest, from);
    (end > from).then_some(end)
}

fn signed_digits(rest: &[u8], from: usize) -> Option<usize> {
    let from = if matches!(rest.get(from), Some(b'+' | b'-')) { from + 1 } else { from };
    some_digits(rest, from)
}

fn expect_byte(rest: &[u8], at: usize, allowed: &[u8]) -> Option<usize> {
    rest.get(at).filter(|byte| allowed.contains(byte)).map(|_| at + 1)
}

/// `YYYY-MM-DD@HH:MM:SS[:nanoseconds]`, or with `T` for `@`.
fn calendar_date(rest: &[u8]) -> Option<usize> {
    let i = some_digits(rest, 0)?;
    let i = some_digits(rest, expect_byte(rest, i, b"-")?)?;
    let i = some_digits(rest, expect_byte(rest, i, b"-")?)?;
    let i = some_digits(rest, expect_byte(rest, i, b"@T")?)?;
    let i = some_digits(rest, expect_byte(rest, i, b":")?)?;
    let i = some_digits(rest, expect_byte(rest, i, b":")?)?;
    let nanoseconds = expect_byte(rest, i, b":").and_then(|at| some_digits(rest, at));
    Some(nanoseconds.unwrap_or(i))
}

/// `T<seconds>:<nanoseconds>`
fn epoch_date(rest: &[u8]) -> Option<usize> {
    let i = signed_digits(rest, expect_byte(rest, 0, b"T")?)?;
    signed_digits(rest, expect_byte(rest, i, b":")?)
}

fn number(rest: &[u8]) -> (Token, usize) {
    if let Some(end) = calendar_date(rest) {
        return (Token::Date, end);
    }
    if rest[0] == b'0' && matches!(rest.get(1), Some(b'x' | b'X')) {
        let mut end = 2;
        while rest.get(end).is_some_and(u8::is_ascii_hexdigit) {
            end += 1;
        }
        if end > 2 {
            return (Token::Hex, end);
        }
    }
    let whole = digits(rest, 0);
    let mut end = whole;
    if rest.get(end) == Some(&b'.') {
        end = digits(rest, end + 1);
    }
    if matches!(rest.get(end), Some(b'e' | b'E'))
        && let Some(exponent) = signed_digits(rest, end + 1)
    {
        end = exponent;
    }
    if rest.get(end) == Some(&b'f') {
        end += 1;
    }
    (if end == whole { Token::Natural } else { Token::Float }, end)
}

fn at_word(rest: &[u8]) -> (Token, usize) {
    let mut end = 1;
    while rest.get(end).is_some_and(u8::is_ascii_alphabetic) {
        end += 1;
    }
    let token = match &rest[..end] {
        b"@size" | b"@count" => Token::Count,
        b"@max" => Token::Max,
        b"@min" => Token::Min,
        b"@sum" => Token::Sum,
        b"@avg" => Token::Average,
        b"@links" => Token::Links,
        b"@type" => Token::Type,
        b"@keys" => Token::Keys,
        b"@values" => Token::Values,
        _ => Token::Invalid,
    };
    (token, end)
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The end of the identifier that begins a slice.
fn word_end(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        if is_word_start(byte) || byte.is_ascii_digit() || byte == b'-' {
            end += 1;
        } else if byte == b'\\' && matches!(bytes.get(end + 1), Some(b' ' | b'n' | b'r' | b't')) {
            end += 2;
        } else {
            break;
        }
    }
    end
}

fn word(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    if let Some(end) = epoch_date(bytes) {
        return (Token::Date, end);
    }
    let end = word_end(bytes);
    let word = &rest[..end];
    if word == "B64"
        && bytes.get(end) == Some(&b'"')
        && let Some(length) = bytes[end + 1..].iter().position(|byte| *byte == b'"')
    {
        return (Token::Base64, end + length + 2);
    }
    if let Some(found) = bracketed_id(bytes, word) {
        return found;
    }
    if let Some(number) = word.strip_prefix('L')
        && all_digits(number)
        && let Some(end) = expect_byte(bytes, end, b":").and_then(|at| some_digits(bytes, at))
    {
        return (Token::TypedLink, end);
    }
    (keyword(word), end)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `oid(24 hexadecimal digits)` and `uuid(8-4-4-4-12 of them)`; anything else leaves the word an identifier.
fn bracketed_id(bytes: &[u8], word: &str) -> Option<(Token, usize)> {
    let (token, groups): (Token, &[usize]) = match word {
        "oid" => (Token::ObjectId, &[24]),
        "uuid" => (Token::Uuid, &[8, 4, 4, 4, 12]),
        _ => return None,
    };
    let mut at = expect_byte(bytes, word.len(), b"(")?;
    for (i, &length) in groups.iter().enumerate() {
        if i > 0 {
            at = expect_byte(bytes, at, b"-")?;
        }
        let group = bytes.get(at..at + length)?;
        if !group.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at += length;
    }
    Some((token, expect_byte(bytes, at, b")")?))
}

/// The keyword that a word is. Operators of one word may be spelt in any case, but those that are also likely
/// property names only in small or only in capital letters.
fn keyword(word: &str) -> Token {
    match word {
        "in" | "IN" => return Token::In,
        "not" | "NOT" => return Token::Not,
        "any" | "ANY" | "some" | "SOME" => return Token::Any,
        "all" | "ALL" => return Token::All,
        "none" | "NONE" => return Token::None,
        "true" | "TRUE" => return Token::True,
        "false" | "FALSE" => return Token::False,
        _ => {}
    }
    if let Some(rest) = word.strip_prefix('$') {
        return match rest.strip_prefix('K') {
            Some(number) if all_digits(number) => Token::PathArgument,
            None if all_digits(rest) => Token::Argument,
            _ => Token::Identifier,
        };
    }
    if word.strip_prefix('O').is_some_and(all_digits) {
        return Token::Link;
    }
    const WORDS: [(&str, Token); 27] = [
        ("and", Token::And),
        ("or", Token::Or),
        ("beginswith", Token::BeginsWith),
        ("endswith", Token::EndsWith),
        ("contains", Token::Contains),
        ("text", Token::Text),
        ("like", Token::Like),
        ("between", Token::Between),
        ("geowithin", Token::GeoWithin),
        ("geobox", Token::GeoBox),
        ("geocircle", Token::GeoCircle),
        ("geopolygon", Token::GeoPolygon),
        ("truepredicate", Token::TruePredicate),
        ("falsepredicate", Token::FalsePredicate),
        ("sort", Token::Sort),
        ("distinct", Token::Distinct),
        ("limit", Token::Limit),
        ("asc", Token::Ascending),
        ("ascending", Token::Ascending),
        ("desc", Token::Descending),
        ("descending", Token::Descending),
        ("obj", Token::Obj),
        ("subquery", Token::Subquery),
        ("null", Token::Null),
        ("nil", Token::Null),
        ("inf", Token::Infinity),
        ("nan", Token::NotANumber),
    ];
    if word.eq_ignore_ascii_case("infinity") {
        return Token::Infinity;
    }
    let found = WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
    found.map_or(Token::Identifier, |(_, token)| *token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Token]) {
        let mut tokens = Vec::new();
        let mut at = 0;
        loop {
            let lexed = next_token(text, at);
            if lexed.token == Token::End {
                break;
            }
            assert!(lexed.end > at, "no progress in {text:?}");
            at = lexed.end;
            tokens.push(lexed.token);
        }
        assert_eq!(tokens, expected, "{text:?}");
    }

    #[test]
    fn every_spelling_is_its_token() {
        use Token::*;
        check("a == 1", &[Identifier, Equal, Natural]);
        check(
            "a=1 && b<>2 || !c =< 3",
            &[Identifier, Equal, Natural, And, Identifier, NotEqual, Natural, Or, Not, Identifier, LessEqual, Natural],
        );
        check("a =>1.5e-3f", &[Identifier, GreaterEqual, Float]);
        check("0x1F 0x 12 .5 7. 5f", &[Hex, Natural, Identifier, Natural, Float, Float, Float]);
        check("2021-1-2@3:4:5 2021-01-02T3:4:5:600 T12:3 T-1:-5", &[Date, Date, Date, Date]);
        check("2021-1", &[Natural, Symbol(b'-'), Natural]);
        check("B64\"AA==\" 'it\\'s' \"x\"", &[Base64, String, String]);
        check("oid(0123456789abcdef01234567) oid(12)", &[ObjectId, Identifier, Symbol(b'('), Natural, Symbol(b')')]);
        check("uuid(01b1a58a-bb92-47a2-a3aa-d9c735e6fd42)", &[Uuid]);
        check("O12 L1:2 L1 $0 $K1 $x", &[Link, TypedLink, Identifier, Argument, PathArgument, Identifier]);
        check("name ==[c] 'X'", &[Identifier, Equal, CaseInsensitive, String]);
        check("NOT nOt AND aNd ANY Any", &[Not, Identifier, And, And, Any, Identifier]);
        check("été\\ x-y.@count", &[Identifier, Symbol(b'.'), Count]);
        check("'open", &[Invalid]);
        check("a # @foo", &[Identifier, Invalid, Invalid, Identifier]);
    }
}
