//! Who may speak: tokens, origins, the admin's token, and which realms a user may open.

mod origin;
mod realms;
mod token;

pub use origin::{Origins, normalize as normalize_origin};
pub use realms::{RealmRule, check_app_id, check_realm_name};
pub use token::{Claims, Pair, TokenError, TokenKind, Tokens};

use subtle::ConstantTimeEq;

/// Compares two secrets in a time that does not tell where they differ.
pub fn same_secret(given: &str, wanted: &str) -> bool {
    bool::from(given.as_bytes().ct_eq(wanted.as_bytes()))
}
