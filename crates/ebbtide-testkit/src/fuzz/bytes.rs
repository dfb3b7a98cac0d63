//! Everything that reads bytes or text.

use ebbtide_core::batch::{checksum_of, seal};
use ebbtide_core::changeset::Changeset;
use ebbtide_core::codec::{Reader, Writer};
use ebbtide_core::merge::{apply, check};
use ebbtide_core::objects::KeySource;
use ebbtide_core::page::import;
use ebbtide_core::query::{Argument, compile, parse};
use ebbtide_core::{ClassIndex, ObjectKey, ServerVersion, Value};
use ebbtide_sync::wire::{ClientMessage, ServerMessage};

use super::corpus::{Corpus, mutate};
use super::sessions::open;
use crate::sim::Random;

/// A changeset that was changed: whatever it is, a state stays sound.
pub(super) fn changeset(corpus: &Corpus, random: &mut Random) {
    let mut bytes = Corpus::any(random, &corpus.changesets).clone();
    let other = Corpus::any(random, &corpus.changesets);
    mutate(random, &mut bytes, other);
    let Ok(changeset) = Changeset::decode(&bytes) else { return };
    assert_eq!(Changeset::decode(&changeset.encode()).as_ref(), Ok(&changeset), "a changeset does not come back");
    let mut state = Corpus::any(random, &corpus.states).clone();
    let _ = check(state.schema(), &changeset);
    let mut keys = KeySource::new(ObjectKey(1 << 20), Vec::new());
    apply(&mut state, &changeset, ServerVersion(random.below(40) as u64), &mut keys);
    state.audit().unwrap_or_else(|what| panic!("a changeset leaves a state that is not sound: {what}"));
}

/// A store one of whose records was changed, its checksum right again.
pub(super) fn store(corpus: &Corpus, random: &mut Random) {
    let mut store = Corpus::any(random, &corpus.stores).clone();
    let other = Corpus::any(random, &corpus.stores).root.clone().unwrap_or_default();
    let which = random.below(6);
    let mut change = |record: &[u8]| reseal(random, record, &other);
    match which {
        0 => store.head = store.head.as_deref().map(change),
        1 => store.root = store.root.as_deref().map(change),
        2 => store.reset = Some(change(store.reset.as_deref().unwrap_or(&[1, 0, 0, 0, 0, 0, 0, 0, 0]))),
        3 => {
            // The root names pages by their checksums: a changed page has its new one there.
            if let (Some((_, page)), Some(root)) = (store.pages.first_mut(), &mut store.root) {
                let before = checksum_of(page).to_le_bytes();
                *page = change(page);
                let after = checksum_of(page).to_le_bytes();
                if let Some(at) = root.windows(8).position(|window| window == before) {
                    root[at..at + 8].copy_from_slice(&after);
                    let body = root[1..root.len() - 8].to_vec();
                    *root = seal(|out| out.raw(&body));
                }
            }
        }
        4 => {
            if let Some((_, block)) = store.log.last_mut() {
                *block = change(block);
            }
        }
        _ => {
            if let Some((_, chunk)) = store.staging.last_mut() {
                *chunk = change(chunk);
            }
        }
    }
    if let Ok(mut engine) = open(random.number(), store) {
        while engine.poll().is_some() {}
        engine.current().audit().unwrap_or_else(|what| panic!("a store was taken that is not sound: {what}"));
    }
}

/// An image one of whose records was changed, its checksum right again.
pub(super) fn image(corpus: &Corpus, random: &mut Random) {
    let image = Corpus::any(random, &corpus.images);
    let mut input = Reader::new(image);
    let mut records = Vec::new();
    while let Ok(record) = input.run(usize::MAX) {
        records.push(record.to_vec());
        if input.is_empty() {
            break;
        }
    }
    let at = random.below(records.len());
    let other = Corpus::any(random, &corpus.images);
    records[at] = reseal(random, &records[at], other);
    let mut out = Writer::new();
    records.iter().for_each(|record| out.run(record));
    let mut bytes = out.into_bytes();
    if random.once_in(8) {
        mutate(random, &mut bytes, other);
    }
    if let Ok(state) = import(bytes.chunks(1 + random.below(900))) {
        state.audit().unwrap_or_else(|what| panic!("an image was taken that is not sound: {what}"));
    }
}

/// A frame that was changed.
pub(super) fn wire(corpus: &Corpus, random: &mut Random) {
    let mut bytes = Corpus::any(random, &corpus.frames).clone();
    let other = Corpus::any(random, &corpus.frames);
    mutate(random, &mut bytes, other);
    if let Ok(message) = ClientMessage::decode(&bytes) {
        assert_eq!(ClientMessage::decode(&message.encode()).as_ref(), Ok(&message), "a message does not come back");
    }
    if let Ok(message) = ServerMessage::decode(&bytes) {
        assert_eq!(ServerMessage::decode(&message.encode()).as_ref(), Ok(&message), "a message does not come back");
    }
}

/// A query that was changed.
pub(super) fn query(corpus: &Corpus, random: &mut Random) {
    let mut bytes = Corpus::any(random, &corpus.queries).as_bytes().to_vec();
    let other = Corpus::any(random, &corpus.queries).as_bytes();
    mutate(random, &mut bytes, other);
    let text = String::from_utf8_lossy(&bytes);
    let query = match parse(&text) {
        Ok(query) => query,
        Err(error) => return assert!(error.offset <= text.len() && text.is_char_boundary(error.offset), "{error:?}"),
    };
    let arguments = [
        Argument::Value(Value::Double(2.5)),
        Argument::Value(Value::Null),
        Argument::List(vec![Argument::Value(Value::Int(1)), Argument::Value(Value::String("x".into()))]),
        Argument::Value(Value::Int(1)),
    ];
    let state = Corpus::any(random, &corpus.states);
    if state.schema().classes.is_empty() {
        return;
    }
    if let Ok(plan) = compile(&query, state.schema(), ClassIndex(0), &arguments) {
        assert!(plan.run(state).len() <= state.object_count(), "a query finds more than there is");
    }
}

/// Changes a sealed record and seals it again; sometimes only changes it.
fn reseal(random: &mut Random, record: &[u8], other: &[u8]) -> Vec<u8> {
    if record.len() < 9 || random.once_in(8) {
        let mut bytes = record.to_vec();
        mutate(random, &mut bytes, other);
        return bytes;
    }
    let mut body = record[1..record.len() - 8].to_vec();
    mutate(random, &mut body, other);
    seal(|out| out.raw(&body))
}
