//! What the catalogue remembers of a realm's encryption key, so that a wrong one is told without reading the store: a
//! random salt and a part of a hash over salt and key, of which the key cannot be learned.

use sha2::{Digest, Sha256};

use crate::clock;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 16;

/// What to remember of a key.
pub(crate) fn key_check(key: &[u8]) -> String {
    let salt: [u8; SALT_BYTES] = clock::random();
    hex(&salt) + &hex(&hash(&salt, key))
}

/// Whether a key is the one that was remembered.
pub(crate) fn is_key(check: &str, key: &[u8]) -> bool {
    let salt: Option<Vec<u8>> =
        (0..SALT_BYTES).map(|index| u8::from_str_radix(check.get(2 * index..2 * index + 2)?, 16).ok()).collect();
    salt.is_some_and(|salt| check.get(2 * SALT_BYTES..) == Some(&hex(&hash(&salt, key))))
}

fn hash(salt: &[u8], key: &[u8]) -> [u8; HASH_BYTES] {
    let digest = Sha256::new().chain_update(b"ebbtide key check").chain_update(salt).chain_update(key).finalize();
    let mut part = [0; HASH_BYTES];
    part.copy_from_slice(&digest[..HASH_BYTES]);
    part
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
