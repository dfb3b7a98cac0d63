//! Access and refresh tokens: JSON Web Tokens signed with HS256 and the server's own key, which never leaves it. Nothing
//! in a token chooses how it is checked.

use ebbtide_core::Millis;
use ebbtide_sync::wire::TOKEN_BYTES_MAX;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use crate::limits::{ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, TOKEN_LEEWAY_SECONDS};

const ISSUER: &str = "ebbtide-server";

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Speaking to the sync service.
    Access,
    /// Getting an access token.
    Refresh,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// The app it is for.
    pub aud: String,
    /// The user it is for.
    pub sub: String,
    /// When it was made, in seconds since the Unix epoch.
    pub iat: u64,
    /// When it ends, in seconds since the Unix epoch.
    pub exp: u64,
    /// What it is good for.
    pub typ: TokenKind,
}

/// Why a token is refused. Never says what the token was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It is not one of ours, or not for this.
    #[error("the token is not valid")]
    Invalid,
}

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Pair {
    /// For the sync service.
    pub access: String,
    /// For new access tokens.
    pub refresh: String,
}

/// Makes and checks tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Tokens {
    /// With the server's key.
    pub fn new(key: &[u8; 32]) -> Tokens {
        Tokens { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }

    /// Makes both tokens for a user of an app.
    pub fn make(&self, app: &str, user: &str, now: Millis) -> Pair {
        Pair { access: self.access(app, user, now), refresh: self.sign(app, user, now, TokenKind::Refresh) }
    }

    /// Makes an access token for a user of an app.
    pub fn access(&self, app: &str, user: &str, now: Millis) -> String {
        self.sign(app, user, now, TokenKind::Access)
    }

    /// Checks a token for an app.
    pub fn check(&self, app: &str, token: &str, kind: TokenKind, now: Millis) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        if header.alg != Algorithm::HS256 {
            return Err(TokenError::Invalid);
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[app]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The times are checked below, against the time that this server was told.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = decode::<Claims>(token, &self.decoding, &rules).map_err(|_| TokenError::Invalid)?.claims;
        check_times(&claims, kind, now.0 / 1000)?;
        if claims.sub.is_empty() || claims.typ != kind {
            return Err(TokenError::Invalid);
        }
        Ok(claims)
    }

    fn sign(&self, app: &str, user: &str, now: Millis, kind: TokenKind) -> String {
        let iat = now.0 / 1000;
        let claims = Claims {
            iss: ISSUER.to_string(),
            aud: app.to_string(),
            sub: user.to_string(),
            iat,
            exp: iat + seconds(kind),
            typ: kind,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("invariant: claims of plain strings and numbers can be signed")
    }
}

fn seconds(kind: TokenKind) -> u64 {
    match kind {
        TokenKind::Access => ACCESS_TOKEN_SECONDS,
        TokenKind::Refresh => REFRESH_TOKEN_SECONDS,
    }
}

/// A token that ends later than any we make, or was made in the future, is not ours whatever its signature says.
fn check_times(claims: &Claims, kind: TokenKind, now: u64) -> Result<(), TokenError> {
    let longest = seconds(kind) + TOKEN_LEEWAY_SECONDS;
    if claims.iat > now + TOKEN_LEEWAY_SECONDS || claims.exp > now + longest || claims.exp <= claims.iat {
        return Err(TokenError::Invalid);
    }
    if claims.exp + TOKEN_LEEWAY_SECONDS < now { Err(TokenError::Expired) } else { Ok(()) }
}
