//! The encryption of a store: AES-GCM over every record but the head, with a key that HKDF derives from the app's 64 bytes
//! and the store's own salt. docs/format.md describes the bytes.
//!
//! A record's name is authenticated with it, so that no record can stand in another's place. Nonces are random, 96 bits
//! each; the salt is random, so no two stores share a key.

use ebbtide_core::batch::{open_sealed, seal};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::clock;
use crate::error::{Fault, KeyProblem, Result, describe, set};

/// The first byte of an encrypted record: a number that no record's format has.
const ENVELOPE: u8 = 0xE1;
const NONCE_BYTES: usize = 12;
const SALT_BYTES: usize = 32;
/// What the check says when it is decrypted with the right key.
const CHECK: &[u8] = b"the key of this store";
const CHECK_NAME: &str = "meta/cipher";
const INFO: &[u8] = b"ebbtide store 1";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        data: &js_sys::Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &js_sys::Array,
    ) -> std::result::Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = deriveKey, catch)]
    fn derive_key(
        algorithm: &JsValue,
        base: &JsValue,
        derived: &JsValue,
        extractable: bool,
        usages: &js_sys::Array,
    ) -> std::result::Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = encrypt, catch)]
    fn subtle_encrypt(
        algorithm: &JsValue,
        key: &JsValue,
        data: &js_sys::Uint8Array,
    ) -> std::result::Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = decrypt, catch)]
    fn subtle_decrypt(
        algorithm: &JsValue,
        key: &JsValue,
        data: &js_sys::Uint8Array,
    ) -> std::result::Result<js_sys::Promise, JsValue>;
}

/// The key of one store.
pub(super) struct Cipher {
    key: JsValue,
}

impl Cipher {
    /// The cipher of a new store, and the record by which the store knows its key.
    pub(super) async fn create(app_key: &[u8]) -> Result<(Cipher, Vec<u8>)> {
        let salt: [u8; SALT_BYTES] = clock::random();
        let cipher = Cipher::derive(app_key, &salt).await?;
        let check = cipher.encrypt(CHECK_NAME, CHECK).await?;
        let record = seal(|out| {
            out.raw(&salt);
            out.run(&check);
        });
        Ok((cipher, record))
    }

    /// The cipher of a store that has such a record.
    pub(super) async fn open(path: &str, app_key: &[u8], record: &[u8]) -> Result<Cipher> {
        let read = open_sealed("cipher record", record, |input| {
            let salt: [u8; SALT_BYTES] = input.array()?;
            Ok((salt, input.run(1024)?.to_vec()))
        });
        let (salt, check) =
            read.map_err(|corrupt| Fault::CorruptStore { path: path.to_owned(), what: corrupt.to_string() })?;
        let cipher = Cipher::derive(app_key, &salt).await?;
        match cipher.decrypt(CHECK_NAME, &check).await {
            Some(words) if words == CHECK => Ok(cipher),
            _ => Err(Fault::EncryptionKey { path: path.to_owned(), problem: KeyProblem::Wrong }),
        }
    }

    /// The envelope of a record.
    pub(super) async fn encrypt(&self, name: &str, record: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = clock::random();
        let promise = subtle_encrypt(&algorithm(&nonce, name), &self.key, &js_sys::Uint8Array::from(record));
        let sealed = settle(promise).await?;
        let sealed = js_sys::Uint8Array::new(&sealed);
        let mut envelope = vec![0; 1 + NONCE_BYTES + sealed.length() as usize];
        envelope[0] = ENVELOPE;
        envelope[1..=NONCE_BYTES].copy_from_slice(&nonce);
        sealed.copy_to(&mut envelope[1 + NONCE_BYTES..]);
        Ok(envelope)
    }

    /// The record in an envelope; nothing if the key is another, or the envelope another record's or not whole.
    pub(super) async fn decrypt(&self, name: &str, envelope: &[u8]) -> Option<Vec<u8>> {
        let (first, rest) = envelope.split_first()?;
        if *first != ENVELOPE {
            return None;
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let promise = subtle_decrypt(&algorithm(nonce, name), &self.key, &js_sys::Uint8Array::from(sealed));
        let record = settle(promise).await.ok()?;
        Some(js_sys::Uint8Array::new(&record).to_vec())
    }

    async fn derive(app_key: &[u8], salt: &[u8]) -> Result<Cipher> {
        let usages = |names: &[&str]| names.iter().map(|name| JsValue::from_str(name)).collect::<js_sys::Array>();
        let raw = js_sys::Uint8Array::from(app_key);
        let base = settle(import_key("raw", &raw, "HKDF", false, &usages(&["deriveKey"]))).await?;
        let hkdf = js_sys::Object::new();
        set(&hkdf, "name", &"HKDF".into());
        set(&hkdf, "hash", &"SHA-256".into());
        set(&hkdf, "salt", &js_sys::Uint8Array::from(salt));
        set(&hkdf, "info", &js_sys::Uint8Array::from(INFO));
        let aes = js_sys::Object::new();
        set(&aes, "name", &"AES-GCM".into());
        set(&aes, "length", &256.into());
        let key = settle(derive_key(&hkdf, &base, &aes, false, &usages(&["encrypt", "decrypt"]))).await?;
        Ok(Cipher { key })
    }
}

fn algorithm(nonce: &[u8; NONCE_BYTES], name: &str) -> JsValue {
    let algorithm = js_sys::Object::new();
    set(&algorithm, "name", &"AES-GCM".into());
    set(&algorithm, "iv", &js_sys::Uint8Array::from(&nonce[..]));
    set(&algorithm, "additionalData", &js_sys::Uint8Array::from(name.as_bytes()));
    algorithm.into()
}

async fn settle(promise: std::result::Result<js_sys::Promise, JsValue>) -> Result<JsValue> {
    const DOING: &str = "encrypting with WebCrypto, which browsers offer to secure pages only";
    let failed = |thrown: JsValue| Fault::Storage { doing: DOING, cause: describe(&thrown) };
    JsFuture::from(promise.map_err(failed)?).await.map_err(failed)
}
