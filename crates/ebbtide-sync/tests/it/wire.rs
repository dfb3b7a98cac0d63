//! The wire format: what is encoded comes back, golden frames stay readable, garbage never panics.

use std::path::PathBuf;

use ebbtide_core::{
    ChainHash, ChangesetNumber, ClassSchema, ClientId, Collection, ColumnIndex, Epoch, Millis, Property, PropertyType,
    Salt, Schema, ServerVersion,
};
use ebbtide_sync::wire::*;
use proptest::prelude::*;

fn any_cursor() -> impl Strategy<Value = Cursor> {
    (any::<[u8; 16]>(), any::<u64>(), any::<u64>()).prop_map(|(epoch, version, salt)| Cursor {
        epoch: Epoch(epoch),
        version: ServerVersion(version),
        salt: Salt(salt),
    })
}

fn any_last() -> impl Strategy<Value = Option<UploadCursor>> {
    proptest::option::of(
        (any::<u64>(), any::<[u8; 16]>())
            .prop_map(|(number, hash)| UploadCursor { number: ChangesetNumber(number), hash: ChainHash(hash) }),
    )
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..200)
}

fn any_session() -> impl Strategy<Value = SessionId> {
    any::<u32>().prop_map(SessionId)
}

fn any_purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![
        Just(Purpose::Sync),
        proptest::option::of((any_cursor(), 0..1_000_000_u32)).prop_map(|resume| Purpose::Fresh {
            resume: resume.map(|(at, next_chunk)| FreshResume { at, next_chunk })
        }),
    ]
}

fn dogs() -> Schema {
    Schema::of([ClassSchema {
        kind: ebbtide_core::ClassKind::TopLevel,
        name: "Dog".into(),
        primary_key: Some(ColumnIndex(0)),
        properties: vec![
            Property {
                name: "_id".into(),
                kind: PropertyType::ObjectId,
                collection: Collection::None,
                optional: false,
                target: None,
                indexed: ebbtide_core::IndexKind::None,
            },
            Property {
                name: "friends".into(),
                kind: PropertyType::Link,
                collection: Collection::List,
                optional: false,
                target: Some("Dog".into()),
                indexed: ebbtide_core::IndexKind::None,
            },
        ],
    }])
}

fn any_client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        (any::<u16>(), ".{0,40}", ".{0,40}").prop_map(|(protocol, token, client_info)| ClientMessage::Hello {
            protocol,
            token: Token(token),
            client_info
        }),
        (
            any_session(),
            ".{0,40}",
            any::<[u8; 16]>(),
            any::<bool>(),
            proptest::option::of(any_cursor()),
            any_last(),
            any_purpose()
        )
            .prop_map(|(session, realm, client, with_schema, cursor, last, purpose)| ClientMessage::Bind {
                session,
                realm,
                client: ClientId(client),
                schema: if with_schema { dogs() } else { Schema::default() },
                cursor,
                last,
                purpose
            }),
        (any_session(), proptest::collection::vec(any_bytes(), 0..5))
            .prop_map(|(session, changesets)| ClientMessage::Upload { session, changesets }),
        (any_session(), any::<u64>())
            .prop_map(|(session, version)| ClientMessage::Ack { session, version: ServerVersion(version) }),
        (any_session(), any::<u64>()).prop_map(|(session, id)| ClientMessage::Mark { session, id }),
        any_session().prop_map(|session| ClientMessage::Unbind { session }),
        any::<u64>().prop_map(|id| ClientMessage::Ping { id }),
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let body = prop_oneof![
        any_bytes().prop_map(EntryBody::Full),
        any::<u64>().prop_map(|number| EntryBody::Own(ChangesetNumber(number))),
        any_bytes().prop_map(EntryBody::Compensation),
    ];
    (any::<u64>(), any::<u64>(), body).prop_map(|(version, salt, body)| Entry {
        version: ServerVersion(version),
        salt: Salt(salt),
        body,
    })
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::Warning),
        Just(Action::Transient),
        Just(Action::RefreshToken),
        Just(Action::ClientReset),
        Just(Action::ClientResetNoRecovery),
        Just(Action::SessionFatal),
    ]
}

fn any_server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        ".{0,40}".prop_map(|user| ServerMessage::Welcome { user }),
        (any_session(), any::<[u8; 16]>(), any::<u64>(), any_last(), any::<Option<u64>>()).prop_map(
            |(session, epoch, head, last, now)| {
                let (epoch, head, now) = (Epoch(epoch), ServerVersion(head), now.map(Millis));
                ServerMessage::Bound { session, epoch, head, last, now }
            }
        ),
        (any_session(), any_cursor(), 0..1000_u32, 1..1000_u32, any::<u64>(), any_bytes()).prop_map(
            |(session, at, index, more, total_bytes, bytes)| ServerMessage::Snapshot {
                session,
                at,
                index,
                count: index + more,
                total_bytes,
                bytes
            }
        ),
        (any_session(), proptest::collection::vec(any_entry(), 0..6), any_cursor())
            .prop_map(|(session, entries, upto)| ServerMessage::Download { session, entries, upto }),
        (any_session(), any::<u64>(), any::<u64>()).prop_map(|(session, number, version)| ServerMessage::Acked {
            session,
            number: ChangesetNumber(number),
            version: ServerVersion(version)
        }),
        (any_session(), any::<u64>()).prop_map(|(session, id)| ServerMessage::Mark { session, id }),
        (any_session(), any::<u64>())
            .prop_map(|(session, downloadable_bytes)| ServerMessage::Progress { session, downloadable_bytes }),
        (proptest::option::of(any_session()), any::<u16>(), any_action(), ".{0,40}", any::<u32>()).prop_map(
            |(session, code, action, reason, backoff_ms)| ServerMessage::Error(ErrorMessage {
                session,
                code: Code(code),
                action,
                reason,
                backoff_ms
            })
        ),
        any::<u64>().prop_map(|id| ServerMessage::Pong { id }),
    ]
}

proptest! {
    #[test]
    fn client_messages_come_back(message in any_client_message()) {
        prop_assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn server_messages_come_back(message in any_server_message()) {
        prop_assert_eq!(ServerMessage::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn garbage_is_refused_and_never_panics(mut bytes in any_bytes(), kind in any::<u8>(), framed: bool) {
        if framed && bytes.len() > 2 {
            bytes[0] = WIRE_FORMAT;
            bytes[1] = kind;
        }
        let _ = ClientMessage::decode(&bytes);
        let _ = ServerMessage::decode(&bytes);
    }

    #[test]
    fn a_damaged_frame_is_another_message_or_an_error(
        message in any_server_message(), at: prop::sample::Index, value: u8, cut: prop::sample::Index
    ) {
        let mut frame = message.encode();
        let at = at.index(frame.len());
        frame[at] = value;
        let _ = ServerMessage::decode(&frame);
        frame.truncate(cut.index(frame.len()));
        prop_assert!(ServerMessage::decode(&frame).is_err() || frame.len() < 3 || frame[0] == WIRE_FORMAT);
    }
}

#[test]
fn a_frame_over_the_limit_is_refused() {
    let frame = vec![WIRE_FORMAT; FRAME_BYTES_MAX + 1];
    assert_eq!(ServerMessage::decode(&frame), Err(WireError::TooLarge { bytes: FRAME_BYTES_MAX + 1 }));
}

#[test]
fn another_format_is_named_in_the_error() {
    assert_eq!(ClientMessage::decode(&[9, 1]), Err(WireError::Format(9)));
    assert_eq!(ClientMessage::decode(&[WIRE_FORMAT, 200]), Err(WireError::Kind(200)));
}

#[test]
fn a_declared_count_is_not_believed() {
    // UPLOAD of session 1 that declares 2^60 changesets.
    let frame = [WIRE_FORMAT, 3, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    assert!(matches!(ClientMessage::decode(&frame), Err(WireError::Malformed(_))));
}

#[test]
fn tokens_do_not_show_in_debug_output() {
    let hello =
        ClientMessage::Hello { protocol: 1, token: Token("eyJsecret".into()), client_info: "ebbtide/0.1".into() };
    assert!(!format!("{hello:?}").contains("eyJ"));
}

#[test]
fn a_long_reason_is_clipped_where_a_character_ends() {
    let error = ServerMessage::Error(ErrorMessage {
        session: None,
        code: Code::TRY_AGAIN,
        action: Action::Transient,
        reason: "é".repeat(REASON_BYTES_MAX),
        backoff_ms: 0,
    });
    let Ok(ServerMessage::Error(back)) = ServerMessage::decode(&error.encode()) else { panic!("not an error") };
    assert_eq!(back.reason.len(), REASON_BYTES_MAX);
}

/// Frames as this protocol version writes them. A change here is a change of the protocol: it adds files, and never
/// touches those that exist.
#[test]
fn golden_frames_are_written_and_read_as_ever() {
    let cursor = Cursor { epoch: Epoch([7; 16]), version: ServerVersion(300), salt: Salt(0x0102_0304_0506_0708) };
    let last = UploadCursor { number: ChangesetNumber(12), hash: ChainHash([9; 16]) };
    let session = SessionId(3);
    let client = [
        (
            "hello",
            ClientMessage::Hello { protocol: 1, token: Token("token".into()), client_info: "ebbtide/0.1".into() },
        ),
        (
            "bind-sync",
            ClientMessage::Bind {
                session,
                realm: "s_team".into(),
                client: ClientId([5; 16]),
                schema: dogs(),
                cursor: Some(cursor),
                last: Some(last),
                purpose: Purpose::Sync,
            },
        ),
        (
            "bind-fresh",
            ClientMessage::Bind {
                session,
                realm: "s_team".into(),
                client: ClientId([5; 16]),
                schema: Schema::default(),
                cursor: None,
                last: None,
                purpose: Purpose::Fresh { resume: Some(FreshResume { at: cursor, next_chunk: 2 }) },
            },
        ),
        (
            "bind-types",
            ClientMessage::Bind {
                session,
                realm: "s_team".into(),
                client: ClientId([5; 16]),
                schema: ebbtide_testkit::Kennel::schema(),
                cursor: None,
                last: None,
                purpose: Purpose::Sync,
            },
        ),
        ("upload", ClientMessage::Upload { session, changesets: vec![vec![1, 2, 3], vec![4]] }),
        ("ack", ClientMessage::Ack { session, version: ServerVersion(300) }),
        ("mark", ClientMessage::Mark { session, id: 8 }),
        ("unbind", ClientMessage::Unbind { session }),
        ("ping", ClientMessage::Ping { id: 9 }),
    ];
    for (name, message) in client {
        check_golden(name, &message.encode(), |frame| assert_eq!(ClientMessage::decode(frame), Ok(message.clone())));
    }
    let entries = vec![
        Entry { version: ServerVersion(298), salt: Salt(1), body: EntryBody::Full(vec![1, 2]) },
        Entry { version: ServerVersion(299), salt: Salt(2), body: EntryBody::Own(ChangesetNumber(12)) },
        Entry { version: ServerVersion(300), salt: cursor.salt, body: EntryBody::Compensation(vec![3]) },
    ];
    let (epoch, head) = (Epoch([7; 16]), ServerVersion(300));
    let bound = ServerMessage::Bound { session, epoch, head, last: Some(last), now: None };
    let server = [
        ("welcome", ServerMessage::Welcome { user: "u1".into() }),
        ("bound", bound.clone()),
        (
            "bound-at",
            ServerMessage::Bound { session, epoch, head, last: Some(last), now: Some(Millis(1_700_000_000_000)) },
        ),
        (
            "snapshot",
            ServerMessage::Snapshot { session, at: cursor, index: 0, count: 2, total_bytes: 9, bytes: vec![1, 2, 3] },
        ),
        ("download", ServerMessage::Download { session, entries, upto: cursor }),
        ("acked", ServerMessage::Acked { session, number: ChangesetNumber(12), version: ServerVersion(299) }),
        ("marked", ServerMessage::Mark { session, id: 8 }),
        ("progress", ServerMessage::Progress { session, downloadable_bytes: 70_000 }),
        (
            "error",
            ServerMessage::Error(ErrorMessage {
                session: Some(session),
                code: Code::DIVERGING_HISTORIES,
                action: Action::ClientReset,
                reason: "sync was terminated".into(),
                backoff_ms: 1_500,
            }),
        ),
        ("pong", ServerMessage::Pong { id: 9 }),
    ];
    for (name, message) in server {
        check_golden(name, &message.encode(), |frame| assert_eq!(ServerMessage::decode(frame), Ok(message.clone())));
    }
}

/// Compares with `tests/golden/wire-1-<name>.hex`; a file that does not exist is written, and the test fails once.
fn check_golden(name: &str, frame: &[u8], decode: impl Fn(&[u8])) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/wire-{WIRE_FORMAT}-{name}.hex"));
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    match std::fs::read_to_string(&path) {
        Ok(stored) => {
            assert_eq!(stored.trim(), hex, "{name} is written differently than before");
            let stored: Vec<u8> = (0..stored.trim().len() / 2)
                .map(|i| u8::from_str_radix(&stored[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            decode(&stored);
        }
        Err(_) => {
            std::fs::write(&path, hex + "\n").unwrap();
            panic!("{} did not exist and was written now: check it, commit it, run again", path.display());
        }
    }
}
