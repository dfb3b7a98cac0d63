//! What becomes of a server in a story.

use crate::server::{ServerBackup, TestServer};

/// What becomes of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerTurn {
    /// It stops and starts again.
    Restart,
    /// It is backed up.
    Backup,
    /// The last backup is put in its place.
    Restore,
    /// Sync ends and begins again.
    Terminate,
    /// It forgets the history up to its head.
    Trim,
    /// It forgets every client.
    Forget,
}

/// A world with a server in it.
pub trait Served {
    /// The server.
    fn server(&mut self) -> &mut TestServer;
    /// Cuts all connections, does something to the server, connects all again.
    fn restart_server(&mut self, change: impl FnOnce(&mut TestServer));
    /// Lets what is under way end, and so much time pass that resets do not look like a loop.
    fn long_ago(&mut self);
}

impl ServerTurn {
    /// All of them.
    pub const ALL: [ServerTurn; 6] = [
        ServerTurn::Restart,
        ServerTurn::Backup,
        ServerTurn::Restore,
        ServerTurn::Terminate,
        ServerTurn::Trim,
        ServerTurn::Forget,
    ];

    /// Makes it happen. `backup` is the last one.
    pub fn happen(self, world: &mut impl Served, backup: &mut Option<ServerBackup>) {
        match self {
            ServerTurn::Restart => world.restart_server(|_| {}),
            ServerTurn::Backup => *backup = Some(world.server().backup()),
            ServerTurn::Restore => {
                if let Some(backup) = backup {
                    world.long_ago();
                    world.restart_server(|server| server.restore(backup));
                }
            }
            ServerTurn::Terminate => {
                world.long_ago();
                world.restart_server(TestServer::terminate);
            }
            ServerTurn::Trim => world.server().trim(),
            ServerTurn::Forget => {
                world.long_ago();
                world.restart_server(TestServer::forget_clients);
            }
        }
    }
}
