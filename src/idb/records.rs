//! Records as keys and bytes, read with `getAll` and written in one synchronous loop.

use std::borrow::Cow;
use std::fmt;

use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::prelude::*;
use indexed_db_futures::primitive::{TryFromJs, TryToJs};
use indexed_db_futures::transaction::Transaction;
use indexed_db_futures::typed_array::{Uint8Array, Uint8ArraySlice};
use indexed_db_futures::{KeyRange, error};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbTransaction;

use super::fault::of_transaction;
use crate::error::{Fault, Result};

/// The key of a record: a name in `meta`, a number elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Name(String),
    Number(u64),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Name(name) => write!(f, "'{name}'"),
            Key::Number(number) => write!(f, "{number}"),
        }
    }
}

impl TryToJs for Key {
    fn try_to_js(&self) -> indexed_db_futures::Result<JsValue> {
        Ok(match self {
            Key::Name(name) => JsValue::from_str(name),
            Key::Number(number) => JsValue::from_f64(*number as f64),
        })
    }
}

impl TryFromJs for Key {
    fn from_js(js: JsValue) -> std::result::Result<Key, error::SimpleValueError> {
        match js.as_f64() {
            Some(number) => Ok(Key::Number(number as u64)),
            None => String::from_js(js).map(Key::Name),
        }
    }
}

/// One change of an object store.
#[derive(Clone, Debug)]
pub(super) enum Step<'a> {
    Put(&'static str, Key, Cow<'a, [u8]>),
    Delete(&'static str, Key),
    Clear(&'static str),
}

impl Step<'_> {
    fn space(&self) -> &'static str {
        match self {
            Step::Put(space, ..) | Step::Delete(space, _) | Step::Clear(space) => space,
        }
    }
}

/// The object stores that the steps touch, without repeats.
pub(super) fn spaces(steps: &[Step<'_>]) -> Vec<&'static str> {
    let mut spaces: Vec<&'static str> = steps.iter().map(Step::space).collect();
    spaces.sort_unstable();
    spaces.dedup();
    spaces
}

/// Issues all steps without a pause. If the browser refuses one, the transaction is aborted: what was issued before must not
/// commit by itself.
pub(super) fn issue(doing: &'static str, transaction: &Transaction<'_>, steps: &[Step<'_>]) -> Result<()> {
    let outcome = issue_until_refused(transaction, steps);
    outcome.map_err(|error| {
        let fault = of_transaction(doing, &raw_of(transaction), error);
        abort(transaction);
        fault
    })
}

/// Aborts without waiting for the event.
pub(super) fn abort(transaction: &Transaction<'_>) {
    let _ = raw_of(transaction).abort();
}

fn raw_of(transaction: &Transaction<'_>) -> IdbTransaction {
    transaction.as_sys().clone().unchecked_into()
}

fn issue_until_refused(transaction: &Transaction<'_>, steps: &[Step<'_>]) -> indexed_db_futures::Result<()> {
    for step in steps {
        let object_store = transaction.object_store(step.space())?;
        // The requests' own results are not awaited: a failed one aborts the transaction, which is awaited.
        match step {
            Step::Put(_, key, bytes) => {
                drop(object_store.put(Uint8ArraySlice::new(bytes)).with_key(key).without_key_type().primitive()?);
            }
            Step::Delete(_, key) => {
                drop(object_store.delete::<&Key, _>(key).primitive()?);
            }
            Step::Clear(_) => {
                drop(object_store.clear()?);
            }
        }
    }
    Ok(())
}

/// A value of a record: bytes, or something that never was ours.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Foreign,
}

impl TryFromJs for Content {
    fn from_js(js: JsValue) -> std::result::Result<Content, error::SimpleValueError> {
        Ok(Uint8Array::from_js(js).map_or(Content::Foreign, |bytes| Content::Bytes(bytes.into())))
    }
}

/// The records of one object store, in the order of their keys.
pub(super) type Entries = Vec<(Key, Content)>;

/// All records of some object stores, in the order of their keys, as one consistent reading.
pub(super) async fn read_all(
    connection: &super::connection::Connection,
    object_stores: &[&'static str],
) -> Result<Vec<Entries>> {
    let transaction = connection.read(object_stores)?;
    let mut requests = Vec::new();
    for name in object_stores {
        requests.push(read_from(&transaction, name, None)?);
    }
    let mut all = Vec::new();
    for request in requests {
        all.push(request.await?);
    }
    Ok(all)
}

/// The records of an object store whose key is a number from `first` on, or all. They are asked for in this very call.
pub(super) fn read_from<'a>(
    transaction: &'a Transaction<'_>,
    object_store: &str,
    first: Option<u64>,
) -> Result<impl Future<Output = Result<Entries>> + use<'a>> {
    const DOING: &str = "reading the store";
    let raw = raw_of(transaction);
    let failed = move |error| of_transaction(DOING, &raw, error);
    let object_store = transaction.object_store(object_store).map_err(&failed)?;
    let (keys, values) = match first {
        None => (
            object_store.get_all_keys::<Key>().primitive().map_err(&failed)?,
            object_store.get_all::<Content>().primitive().map_err(&failed)?,
        ),
        Some(first) => {
            let range = || KeyRange::LowerBound(first as f64, false);
            (
                object_store.get_all_keys::<Key>().with_query::<f64, _>(range()).primitive().map_err(&failed)?,
                object_store.get_all::<Content>().with_query::<f64, _>(range()).primitive().map_err(&failed)?,
            )
        }
    };
    Ok(async move {
        let keys: Vec<Key> =
            keys.await.map_err(&failed)?.collect::<indexed_db_futures::Result<_>>().map_err(&failed)?;
        let values: Vec<Content> =
            values.await.map_err(&failed)?.collect::<indexed_db_futures::Result<_>>().map_err(&failed)?;
        if keys.len() != values.len() {
            return Err(Fault::Storage { doing: DOING, cause: "keys and values differ in number".to_owned() });
        }
        Ok(keys.into_iter().zip(values).collect())
    })
}

/// Asks for one record by its key. The request is issued at once; what is issued after it in the same transaction is done after it.
pub(super) fn read_one(
    transaction: &Transaction<'_>,
    object_store: &str,
    key: &Key,
) -> Result<impl Future<Output = Result<Option<Content>>> + use<>> {
    const DOING: &str = "reading a record";
    let raw = raw_of(transaction);
    let failed = move |error| of_transaction(DOING, &raw, error);
    let object_store = transaction.object_store(object_store).map_err(&failed)?;
    let request = object_store.get::<Content, _, _>(key).primitive().map_err(&failed)?;
    Ok(async move { request.await.map_err(failed) })
}
