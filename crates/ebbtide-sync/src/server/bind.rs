//! Whether a client's history and the server's are one, by the first message of a session.

use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::{ClientId, Millis, Salt, Schema, ServerVersion};

use super::realm::Realm;
use super::record::{ClientRecord, Position};
use super::refusal::Refusal;
use super::schema::schema_conflicts;
use crate::wire::{Action, Code, Cursor, FreshResume, Purpose, UploadCursor};

/// What a client says of itself in BIND.
#[derive(Clone, Debug)]
pub struct BindRequest {
    /// The user who was authenticated.
    pub user: String,
    /// The client.
    pub client: ClientId,
    /// The schema it needs.
    pub schema: Schema,
    /// Its place in the history.
    pub cursor: Option<Cursor>,
    /// Its last durable changeset.
    pub last: Option<UploadCursor>,
    /// What the session is for.
    pub purpose: Purpose,
}

/// What the operator decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BindRules {
    /// A client that was away for longer must reset.
    pub max_offline_ms: u64,
    /// What clients may do to the schema.
    pub schema: SchemaRule,
}

/// What clients may do to the schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SchemaRule {
    /// Additions by clients become part of it: for development.
    Extend,
    /// Clients fit it or are refused.
    Fixed,
}

/// A session that may begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bind {
    /// Where it begins.
    pub start: Start,
    /// The last changeset of the client in the history.
    pub last: Option<UploadCursor>,
    /// The client as it is to be remembered, if it was not known. To be durable before the client hears of it.
    pub registration: Option<ClientRecord>,
}

/// Where a session begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// After this place.
    After(Position),
    /// With the whole state.
    Snapshot {
        /// Which one the client has a part of.
        resume: Option<FreshResume>,
    },
}

/// Decides about a BIND. `salt_at_cursor` is what the history has at the version of the request's cursor, if that lies
/// above the floor and not above the head; the realm's own record knows the rest.
pub fn check_bind(
    realm: &Realm,
    rules: BindRules,
    request: &BindRequest,
    salt_at_cursor: Option<Salt>,
    now: Millis,
) -> Result<Bind, Refusal> {
    if request.client == ClientId::default() {
        return Err(Refusal::fatal(Code::BAD_CLIENT_FILE, "the nil client id is the server's own"));
    }
    let known = realm.record().clients.get(&request.client);
    if known.is_some_and(|client| client.user != request.user) {
        return Err(Refusal::fatal(Code::USER_MISMATCH, "this client belongs to another user"));
    }
    let start = match request.purpose {
        Purpose::Fresh { resume } => Start::Snapshot { resume },
        Purpose::Sync => Start::After(check_cursor(realm, request, salt_at_cursor)?),
    };
    if request.purpose == Purpose::Sync {
        check_known(known, request)?;
        check_age(known, rules, now)?;
    }
    check_chain(known, request)?;
    check_schema(realm, rules, request)?;
    let seen = match start {
        Start::After(position) => position.version,
        Start::Snapshot { .. } => ServerVersion(0),
    };
    let registration = match known {
        Some(_) => None,
        None => Some(ClientRecord::new(&request.user, seen, now)),
    };
    Ok(Bind { start, last: known.and_then(ClientRecord::last), registration })
}

/// The cursor must lie on this very history. One that is absent stands before the first entry.
fn check_cursor(realm: &Realm, request: &BindRequest, salt: Option<Salt>) -> Result<Position, Refusal> {
    let record = realm.record();
    let cursor = request.cursor.unwrap_or_else(|| Position::default().cursor(record.epoch));
    if cursor.epoch != record.epoch {
        return Err(Refusal::reset(
            Code::DIVERGING_HISTORIES,
            "the server's history of this realm began anew: sync was terminated or the schema changed",
        ));
    }
    if cursor.version > record.head.version {
        return Err(Refusal::reset(
            Code::BAD_SERVER_VERSION,
            format!(
                "the client is at version {}, the server at {}: the server was restored from an older backup",
                cursor.version.0, record.head.version.0
            ),
        ));
    }
    if cursor.version < record.floor.version {
        return Err(Refusal::reset(
            Code::CLIENT_FILE_EXPIRED,
            format!(
                "the client is at version {}, and the server keeps its history from {} on",
                cursor.version.0, record.floor.version.0
            ),
        ));
    }
    let wanted = match cursor.version {
        version if version == record.head.version => Some(record.head.salt),
        version if version == record.floor.version => Some(record.floor.salt),
        _ => salt,
    };
    if wanted != Some(cursor.salt) && !mutant(Mutant::SaltUnchecked) {
        return Err(Refusal::reset(
            Code::DIVERGING_HISTORIES,
            format!(
                "version {} on the client is another one than on the server: the server was restored and went on",
                cursor.version.0
            ),
        ));
    }
    Ok(Position { version: cursor.version, salt: cursor.salt })
}

/// A client that has been here must still be known: nothing else proves which of its changesets are in the history.
fn check_known(known: Option<&ClientRecord>, request: &BindRequest) -> Result<(), Refusal> {
    let was_here = request.cursor.is_some() || request.last.is_some_and(|last| last.number.0 > 0);
    if known.is_none() && was_here {
        return Err(Refusal::reset(Code::BAD_CLIENT_FILE_IDENT, "the server does not know this client any more"));
    }
    Ok(())
}

fn check_age(known: Option<&ClientRecord>, rules: BindRules, now: Millis) -> Result<(), Refusal> {
    let away_ms = known.map_or(0, |client| now.0.saturating_sub(client.seen_at.0));
    if away_ms > rules.max_offline_ms {
        return Err(Refusal::reset(
            Code::CLIENT_FILE_EXPIRED,
            format!("the client was away for {} days, longer than this server allows", away_ms / 86_400_000),
        ));
    }
    Ok(())
}

/// What the history has of the client must be the beginning of what the client has.
fn check_chain(known: Option<&ClientRecord>, request: &BindRequest) -> Result<(), Refusal> {
    let last = known.and_then(ClientRecord::last);
    let Some(server) = last.filter(|_| !mutant(Mutant::ChainUnchecked)) else { return Ok(()) };
    let client = request.last.map_or(0, |last| last.number.0);
    if server.number.0 > client {
        return Err(Refusal::reset(
            Code::BAD_CLIENT_VERSION,
            format!(
                "the server has changesets of this client up to {}, the client up to {client}: its store went back in time",
                server.number.0
            ),
        ));
    }
    if request.last.is_some_and(|last| last.number == server.number && last.hash != server.hash) {
        return Err(Refusal::reset(
            Code::BAD_CLIENT_VERSION,
            format!("changeset {} of this client is another one on the server: its store was copied", server.number.0),
        ));
    }
    Ok(())
}

fn check_schema(realm: &Realm, rules: BindRules, request: &BindRequest) -> Result<(), Refusal> {
    let difference = ebbtide_core::schema::compare(realm.schema(), &request.schema);
    schema_conflicts(&difference)?;
    if rules.schema == SchemaRule::Fixed {
        let class = difference.added_classes.first().map(|class| format!("class '{}'", class.name));
        let property = difference.added_properties.first().map(|(class, p)| format!("property '{class}.{}'", p.name));
        if let Some(what) = class.or(property) {
            return Err(Refusal {
                code: Code::INVALID_SCHEMA_CHANGE,
                action: Action::SessionFatal,
                reason: format!("the server's schema is fixed and lacks {what}"),
                backoff_ms: 0,
            });
        }
    }
    Ok(())
}
