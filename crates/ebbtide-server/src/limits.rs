//! Every limit of the server, by name; those of the protocol are in `ebbtide_sync::wire`.

use std::time::Duration;

/// Bytes of the body of an HTTP request.
pub const HTTP_BODY_BYTES_MAX: usize = 64 * 1024;
/// Connections at the same time, authenticated or not.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Connections of one user at the same time.
pub const CONNECTIONS_PER_USER_MAX: usize = 64;
/// How long a server waits for its clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For the HELLO of a new connection.
    pub hello: Duration,
    /// For anything from a connection; clients ping every 20 to 25 s.
    pub idle: Duration,
    /// For a new token after the old one has expired.
    pub token: Duration,
    /// For one frame to be written, before the reader counts as gone.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            hello: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            token: Duration::from_secs(30),
            write: Duration::from_secs(30),
        }
    }
}

/// Bytes that wait to be written to one connection. What does not fit stays in the history until it does.
pub const SEND_QUEUE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of messages that wait for the sessions of one connection.
pub const RECEIVE_QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Sessions of one connection in all its life.
pub const SESSIONS_EVER_MAX: usize = 10_000;
/// Messages that wait for a session of a connection.
pub const SESSION_QUEUE_MESSAGES_MAX: usize = 64;
/// Changeset bytes of one DOWNLOAD, unless a single changeset is larger.
pub const DOWNLOAD_BYTES_MAX: usize = 512 * 1024;
/// Changeset bytes that one transaction of the history takes in.
pub const COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Realms that are open at the same time.
pub const REALMS_MAX: usize = 100_000;
/// Requests that wait for one realm.
pub const HUB_QUEUE_MAX: usize = 256;
/// Changeset bytes of the newest history that a realm keeps in memory.
pub const RECENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries after the last image over which a new one is saved.
pub const IMAGE_AFTER_ENTRIES: u64 = 2_000;
/// Changeset bytes after the last image over which a new one is saved.
pub const IMAGE_AFTER_BYTES: usize = 8 * 1024 * 1024;
/// Snapshots of one realm that are kept for clients that are still downloading them.
pub const BOOTSTRAPS_CACHED: usize = 2;
/// How long an unused snapshot is kept.
pub const BOOTSTRAP_KEPT: Duration = Duration::from_secs(300);
/// How often hubs that nobody uses are closed, the history is trimmed to what `--max-offline` allows, and positions of clients are written down.
pub const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);
/// How long requests under way may take when the server is told to stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an app's id.
pub const APP_ID_BYTES_MAX: usize = 64;
/// Bytes of the name of a backup.
pub const BACKUP_NAME_BYTES_MAX: usize = 100;
/// Objects in one answer of the admin's object list.
pub const OBJECTS_LISTED_MAX: usize = 1_000;
/// Seconds of an access token.
pub const ACCESS_TOKEN_SECONDS: u64 = 30 * 60;
/// Seconds of a refresh token.
pub const REFRESH_TOKEN_SECONDS: u64 = 60 * 24 * 60 * 60;
/// Seconds that the clocks of token maker and token reader may differ.
pub const TOKEN_LEEWAY_SECONDS: u64 = 30;
