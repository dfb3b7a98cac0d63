//! The values that literals stand for.

use super::lexer::Token;
use crate::ids::{ClassIndex, ObjectKey};
use crate::value::Value;

/// The value of a literal token without a sign, or what is wrong with it.
pub(super) fn value(token: Token, text: &str) -> Result<Value, String> {
    match token {
        Token::True => Ok(Value::Bool(true)),
        Token::False => Ok(Value::Bool(false)),
        Token::Null => Ok(Value::Null),
        Token::Natural | Token::Hex | Token::Float | Token::Infinity | Token::NotANumber => number(token, text, ""),
        Token::Date => date(text).map(Value::Date),
        Token::ObjectId => Ok(Value::ObjectId(hex(&text["oid(".len()..]))),
        Token::Uuid => Ok(Value::Uuid(hex(&text["uuid(".len()..]))),
        Token::Link => {
            let key = text[1..].parse().map_err(|_| format!("'{text}' is out of range"))?;
            Ok(Value::Link(ObjectKey(key)))
        }
        Token::Base64 => base64(&text["B64\"".len()..text.len() - 1]).map(from_bytes),
        Token::String => string(text).map(Value::String),
        _ => Err(format!("'{text}' is not a literal")),
    }
}

/// The value of a number; `sign` is `""`, `"+"` or `"-"`.
pub(super) fn number(token: Token, text: &str, sign: &str) -> Result<Value, String> {
    let negative = sign == "-";
    let out_of_range = || format!("Cannot convert '{sign}{text}' to a number: it is out of range");
    match token {
        Token::Natural => {
            let digits = format!("{sign}{text}");
            digits.parse().map(Value::Int).or_else(|_| digits.parse().map(Value::Double)).map_err(|_| out_of_range())
        }
        Token::Hex => {
            let magnitude = u64::from_str_radix(&text[2..], 16).map_err(|_| out_of_range())?;
            let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
            i64::try_from(value).map(Value::Int).map_err(|_| out_of_range())
        }
        Token::Infinity => Ok(Value::Double(if negative { f64::NEG_INFINITY } else { f64::INFINITY })),
        Token::NotANumber => Ok(Value::Double(f64::NAN)),
        _ => {
            let digits = text.strip_suffix('f').unwrap_or(text);
            format!("{sign}{digits}").parse().map(Value::Double).map_err(|_| out_of_range())
        }
    }
}

/// `L<class>:<key>`
pub(super) fn typed_link(text: &str) -> Result<(ClassIndex, ObjectKey), String> {
    let parts = text[1..].split_once(':');
    let link = parts.and_then(|(class, key)| Some((ClassIndex(class.parse().ok()?), ObjectKey(key.parse().ok()?))));
    link.ok_or_else(|| format!("'{text}' is out of range"))
}

/// The bytes of the hexadecimal digits in a text, other characters skipped; the lexer has counted them.
fn hex<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    for (i, digit) in text.chars().filter_map(|c| c.to_digit(16)).take(2 * N).enumerate() {
        bytes[i / 2] = bytes[i / 2] << 4 | digit as u8;
    }
    bytes
}

/// Reads the escapes of a quoted string.
fn string(quoted: &str) -> Result<String, String> {
    let inner = &quoted[1..quoted.len() - 1];
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (c, length) = escaped(escape)?;
        value.push(c);
        rest = &escape[length..];
    }
    value.push_str(rest);
    Ok(value)
}

/// The character of the escape that begins a text, after its backslash, and the escape's length.
fn escaped(escape: &str) -> Result<(char, usize), String> {
    let first = escape.chars().next().unwrap_or('\\');
    let c = match first {
        '"' | '\'' | '/' | '\\' => first,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'u' => return unicode(escape),
        _ => return Err(format!("invalid escape: \\{first}")),
    };
    Ok((c, 1))
}

/// `uXXXX`, or two of them that form a surrogate pair.
fn unicode(escape: &str) -> Result<(char, usize), String> {
    let unit = |from: usize| {
        let digits = escape.get(from..from + 4)?;
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let invalid = || "invalid escape: \\u needs four hexadecimal digits that name a character".to_string();
    let high = unit(1).ok_or_else(invalid)?;
    if let Some(c) = char::from_u32(high) {
        return Ok((c, 5));
    }
    let low = if escape.get(5..7) == Some("\\u") { unit(7) } else { None };
    match low {
        Some(low) if (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low) => {
            let c = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            Ok((c.ok_or_else(invalid)?, 11))
        }
        _ => Err(invalid()),
    }
}

/// What base64 spells: a string, and data only if it is none.
fn from_bytes(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(|error| Value::Data(error.into_bytes()), Value::String)
}

fn base64(text: &str) -> Result<Vec<u8>, String> {
    let invalid = || "Invalid base64 value".to_string();
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if digits.len() % 4 == 1 || padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return Err(invalid());
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut buffer, mut bits) = (0u32, 0);
    for byte in digits.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(invalid()),
        };
        buffer = buffer << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    Ok(bytes)
}

/// Base64 with padding.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0u32, |group, (i, byte)| group | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= chunk.len() { digit as char } else { '=' });
        }
    }
    text
}

const MS_PER_DAY: i64 = 86_400_000;
const NS_PER_MS: i64 = 1_000_000;

/// Milliseconds since the Unix epoch; what is finer than a millisecond is cut off.
fn date(text: &str) -> Result<i64, String> {
    let invalid = || "Invalid timestamp format".to_string();
    if let Some(epoch) = text.strip_prefix('T') {
        let (seconds, nanoseconds) = epoch.split_once(':').ok_or_else(invalid)?;
        let seconds: i64 = seconds.parse().map_err(|_| invalid())?;
        let nanoseconds: i64 = nanoseconds.parse().map_err(|_| invalid())?;
        if seconds.signum() * nanoseconds.signum() < 0 || nanoseconds.abs() >= 1000 * NS_PER_MS {
            return Err(invalid());
        }
        let whole = seconds.checked_mul(1000).ok_or_else(invalid)?;
        return whole.checked_add(nanoseconds / NS_PER_MS).ok_or_else(invalid);
    }
    let mut fields = [0i64; 7];
    for (i, digits) in text.split(|c: char| !c.is_ascii_digit()).enumerate() {
        *fields.get_mut(i).ok_or_else(invalid)? = digits.parse().map_err(|_| invalid())?;
    }
    let [year, month, day, hour, minute, second, nanoseconds] = fields;
    let fits = (0..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && nanoseconds < 1000 * NS_PER_MS;
    if !fits {
        return Err(invalid());
    }
    let ms_of_day = ((hour * 60 + minute) * 60 + second) * 1000 + nanoseconds / NS_PER_MS;
    Ok(days_from_epoch(year, month, day) * MS_PER_DAY + ms_of_day)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Source: Howard Hinnant, "chrono-compatible low-level
/// date algorithms".
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_milliseconds_since_the_epoch() {
        let check = |text: &str, expected: Result<i64, ()>| assert_eq!(date(text).map_err(|_| ()), expected, "{text}");
        check("1970-01-01@00:00:00", Ok(0));
        check("2000-2-29T12:34:56:789000000", Ok(951_827_696_789));
        check("1969-12-31@23:59:59:999999999", Ok(-1));
        check("2026-11-22@00:00:00", Ok(1_795_305_600_000));
        check("T12:3000000", Ok(12_003));
        check("T-12:-3000000", Ok(-12_003));
        check("T-12:3", Err(()));
        check("2000-13-01@00:00:00", Err(()));
        check("99999999999999999999-13-01@00:00:00", Err(()));
    }

    #[test]
    fn strings_keep_their_escapes_meaning() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(string(text).ok().as_deref(), expected, "{text}");
        check(r#""a\n\t\"\'\\\/""#, Some("a\n\t\"'\\/"));
        check(r"'\u00e9\uD83D\uDE00'", Some("é😀"));
        check(r"'\uD83D'", None);
        check(r"'\uD83Dé'", None);
        check(r"'\u12'", None);
        check(r"'\x'", None);
        check("'é\\0'", Some("é\0"));
    }

    #[test]
    fn base64_goes_there_and_back() {
        for bytes in [&b""[..], b"f", b"fo", b"foo", b"foob", &[0, 255, 254]] {
            assert_eq!(base64(&to_base64(bytes)).as_deref(), Ok(bytes));
        }
        assert_eq!(base64("Zm8"), Ok(b"fo".to_vec()));
        for bad in ["Z", "Zm9vY", "Zm8===", "Z=8="] {
            assert!(base64(bad).is_err(), "{bad}");
        }
    }
}
