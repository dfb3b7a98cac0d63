//! What a token must be, as a table of those that are not.

use ebbtide_core::Millis;
use ebbtide_server::auth::{TokenError, TokenKind, Tokens, same_secret};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const KEY: [u8; 32] = [42; 32];
const NOW: Millis = Millis(1_900_000_000_000);
const SECOND: u64 = 1_900_000_000;

fn tokens() -> Tokens {
    Tokens::new(&KEY)
}

fn claims() -> Value {
    json!({"iss": "ebbtide-server", "aud": "app", "sub": "ann", "iat": SECOND, "exp": SECOND + 600, "typ": "access"})
}

fn sign(header: &Header, claims: &Value, key: &[u8]) -> String {
    encode(header, claims, &EncodingKey::from_secret(key)).unwrap()
}

fn signed(claims: &Value) -> String {
    sign(&Header::new(Algorithm::HS256), claims, &KEY)
}

fn with(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    signed(&claims)
}

fn without(name: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    signed(&claims)
}

/// Signed by hand, for what the library would not make.
fn raw(header: &str, payload: &str) -> String {
    let message = format!("{}.{}", base64(header.as_bytes()), base64(payload.as_bytes()));
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &EncodingKey::from_secret(&KEY), Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes(group);
        for at in 0..=chunk.len() {
            text.push(DIGITS[(number >> (18 - 6 * at)) as usize & 63] as char);
        }
    }
    text
}

#[test]
fn a_token_we_made_is_good_until_it_ends() {
    let pair = tokens().make("app", "ann", NOW);
    let check = |token: &str, kind, later: u64| tokens().check("app", token, kind, Millis(NOW.0 + later * 1000));
    assert_eq!(check(&pair.access, TokenKind::Access, 0).unwrap().sub, "ann");
    assert!(check(&pair.access, TokenKind::Access, 30 * 60).is_ok());
    assert_eq!(check(&pair.access, TokenKind::Access, 31 * 60), Err(TokenError::Expired));
    assert_eq!(check(&pair.refresh, TokenKind::Refresh, 31 * 60).unwrap().sub, "ann");
    assert_eq!(check(&pair.refresh, TokenKind::Refresh, 61 * 24 * 3600), Err(TokenError::Expired));
    assert_eq!(check(&pair.refresh, TokenKind::Access, 0), Err(TokenError::Invalid));
    assert_eq!(check(&pair.access, TokenKind::Refresh, 0), Err(TokenError::Invalid));
    assert!(tokens().check("app", &signed(&claims()), TokenKind::Access, NOW).is_ok(), "the table's base is good");
    let by_hand = raw(r#"{"alg":"HS256","typ":"JWT"}"#, &claims().to_string());
    assert!(tokens().check("app", &by_hand, TokenKind::Access, NOW).is_ok(), "so is the one made by hand");
}

#[test]
fn a_bad_token_is_refused() {
    let good = tokens().access("app", "ann", NOW);
    let parts: Vec<&str> = good.split('.').collect();
    let other = tokens().access("app", "bob", NOW);
    let payload = claims().to_string();
    let none = format!("{}.{}.", base64(br#"{"alg":"none"}"#), base64(payload.as_bytes()));
    let twice = payload.replacen('{', r#"{"sub":"root","#, 1);
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    let table: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("garbage", "not a token".to_string()),
        ("dots alone", "..".to_string()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{good}.{}", parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("another's payload", format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2])),
        ("one bit of the signature", {
            let mut bytes = good.clone().into_bytes();
            let at = bytes.len() - 10;
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        }),
        ("alg none", none),
        ("alg None", raw(r#"{"alg":"None"}"#, &payload)),
        ("alg missing", raw(r#"{"typ":"JWT"}"#, &payload)),
        ("HS384", sign(&Header::new(Algorithm::HS384), &claims(), &KEY)),
        ("HS512", sign(&Header::new(Algorithm::HS512), &claims(), &KEY)),
        ("RS256 named, HS256 signed", raw(r#"{"alg":"RS256","typ":"JWT"}"#, &payload)),
        ("another key", sign(&Header::new(Algorithm::HS256), &claims(), &[7; 32])),
        ("an empty key", sign(&Header::new(Algorithm::HS256), &claims(), b"")),
        ("a key in the header", {
            raw(r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#, &payload).replace(parts[2], "AAAA") + "x"
        }),
        ("expired", with("exp", json!(SECOND - 60))),
        ("no exp", without("exp")),
        ("exp null", with("exp", Value::Null)),
        ("exp a string", with("exp", json!("1900000600"))),
        ("exp negative", with("exp", json!(-1))),
        ("exp in a hundred years", with("exp", json!(SECOND + 3_000_000_000_u64))),
        ("exp the largest number", with("exp", json!(u64::MAX))),
        ("exp before iat", with("exp", json!(SECOND - 1))),
        ("made tomorrow", with("iat", json!(SECOND + 86_400))),
        ("no iat", without("iat")),
        ("no iss", without("iss")),
        ("another iss", with("iss", json!("somebody"))),
        ("no aud", without("aud")),
        ("another app", with("aud", json!("other"))),
        ("several apps", with("aud", json!(["app", "other"]))),
        ("no sub", without("sub")),
        ("sub empty", with("sub", json!(""))),
        ("sub a number", with("sub", json!(7))),
        ("no typ", without("typ")),
        ("another typ", with("typ", json!("admin"))),
        ("a claim of its own", with("admin", json!(true))),
        ("sub twice", raw(r#"{"alg":"HS256","typ":"JWT"}"#, &twice)),
        ("payload no JSON", raw(r#"{"alg":"HS256","typ":"JWT"}"#, "hello")),
        ("payload a list", raw(r#"{"alg":"HS256","typ":"JWT"}"#, "[1]")),
        ("payload nested deep", raw(r#"{"alg":"HS256","typ":"JWT"}"#, &format!(r#"{{"sub":{deep}}}"#))),
        ("longer than allowed", with("sub", json!("a".repeat(9_000)))),
        ("spaces around", format!(" {good} ")),
        ("Bearer in front", format!("Bearer {good}")),
    ];
    assert!(table.len() >= 25);
    for (name, token) in table {
        let answer = tokens().check("app", &token, TokenKind::Access, NOW);
        assert!(answer.is_err(), "{name}: {answer:?}");
    }
}

#[test]
fn secrets_are_the_same_only_if_they_are() {
    assert!(same_secret("abc", "abc"));
    for other in ["", "ab", "abcd", "abd", "ABC"] {
        assert!(!same_secret(other, "abc"));
    }
}
