//! The limits of the protocol, by name. Both sides refuse what exceeds them while decoding, before allocating for it.

/// Bytes of one frame, either way.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one encoded changeset on the wire.
pub const CHANGESET_BYTES_MAX: usize = ebbtide_core::limits::CHANGESET_BYTES;
/// Bytes of one chunk of a snapshot.
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// Chunks of one snapshot.
pub const CHUNKS_MAX: u32 = 1_000_000;
/// Changesets of one upload.
pub const UPLOAD_CHANGESETS_MAX: usize = 1_024;
/// Entries of one download.
pub const DOWNLOAD_ENTRIES_MAX: usize = 4_096;
/// Bytes of an access token.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Bytes of what a client says about itself.
pub const CLIENT_INFO_BYTES_MAX: usize = 256;
/// Bytes of a realm's name on the server.
pub const REALM_NAME_BYTES_MAX: usize = 1_024;
/// Bytes of a user's id.
pub const USER_BYTES_MAX: usize = 256;
/// Bytes of a reason given with an error.
pub const REASON_BYTES_MAX: usize = 4 * 1024;
/// Sessions on one connection.
pub const SESSIONS_MAX: usize = 64;
