//! What must hold after every step.

use ebbtide_core::ServerVersion;
use ebbtide_core::changeset::{Changeset, Instruction};
use ebbtide_core::merge::apply;
use ebbtide_core::objects::{ElementId, KeySource};
use ebbtide_core::replica::Replica;
use ebbtide_sync::client::Standing;
use ebbtide_sync::wire::ClientMessage;

use crate::store::MemoryStore;

/// `current == replay(pending, base)`, and both are sound.
pub fn check_replica(replica: &Replica) {
    let mut replayed = replica.base().clone();
    let mut keys = KeySource::new(replica.next_key(), Vec::new());
    let mut last = None;
    for own in replica.pending() {
        apply(&mut replayed, &own.changeset, ServerVersion::PENDING, &mut keys);
        let number = own.changeset.number.0;
        assert!(last.is_none_or(|(last, hash)| last + 1 == number && hash == own.changeset.parent), "a broken chain");
        for instruction in own.changeset.instructions() {
            if let Instruction::ListInsert { sequence, .. } = instruction {
                assert_eq!(
                    ElementId::origin_of(sequence).0.0,
                    number,
                    "a list element is not named after its changeset"
                );
            }
        }
        last = Some((number, own.changeset.hash()));
    }
    if let Some((number, hash)) = last {
        let identity = replica.identity();
        assert_eq!((number, hash), (identity.last_number.0, identity.last_hash), "the chain ends elsewhere");
    }
    assert_eq!(
        super::picture::difference(&super::picture::picture(replica.current()), &super::picture::picture(&replayed)),
        None,
        "current is not what pending makes of base"
    );
    assert_eq!(replica.current().canonical(), replayed.canonical(), "current is not what pending makes of base");
    replica.current().audit().unwrap_or_else(|what| panic!("current is not sound: {what}"));
    replica.base().audit().unwrap_or_else(|what| panic!("base is not sound: {what}"));
}

/// Acknowledged <= uploaded <= durable <= committed.
pub fn check_standing(standing: &Standing) {
    let Standing { committed, durable: (durable, _), uploaded, acknowledged } = *standing;
    if durable.client != committed.client {
        return;
    }
    assert!(durable.last_number <= committed.last_number, "more is durable than was committed: {standing:?}");
    assert!(acknowledged <= committed.last_number, "more was acknowledged than was committed: {standing:?}");
    if let Some(uploaded) = uploaded {
        // What another tab has sent was on disk there, whatever this one knows of it.
        let known = durable.last_number.max(acknowledged);
        assert!(uploaded <= known, "more was uploaded than is durable: {standing:?}");
        assert!(acknowledged <= uploaded, "more was acknowledged than was uploaded: {standing:?}");
    }
}

/// Nothing is claimed to the server that a power failure could take back.
pub fn check_claim(store: &MemoryStore, message: &ClientMessage) {
    let durable = || Replica::load(&store.load_strict()).expect("there is something for good");
    match message {
        ClientMessage::Bind { cursor: Some(cursor), client, last, .. } => {
            let durable = durable();
            assert_eq!(durable.identity().client, *client, "a BIND under another name than is on disk");
            let known = durable.cursor().expect("a cursor is on disk");
            assert!(known.epoch == cursor.epoch && cursor.version <= known.version, "a cursor that is not on disk");
            let number = last.map_or(0, |last| last.number.0);
            assert!(number <= durable.identity().last_number.0, "a changeset that is not on disk for good");
        }
        ClientMessage::Upload { changesets, .. } => {
            let identity = durable().identity();
            for bytes in changesets {
                let changeset = Changeset::decode(bytes).expect("an upload can be read");
                assert_eq!(changeset.client, identity.client, "an upload under another name");
                assert!(changeset.number <= identity.last_number, "an upload that is not on disk for good");
            }
        }
        ClientMessage::Ack { version, .. } => {
            let cursor = durable().cursor().expect("an acknowledgement of something");
            assert!(*version <= cursor.version, "an acknowledgement of what is not on disk for good");
        }
        ClientMessage::Hello { .. }
        | ClientMessage::Bind { cursor: None, .. }
        | ClientMessage::Mark { .. }
        | ClientMessage::Unbind { .. }
        | ClientMessage::Ping { .. } => {}
    }
}
