//! One session: a task between one client and one hub.
//!
//! ```text
//!   Bind --> SYNC:  BOUND, then DOWNLOADs as the history grows
//!        \-> FRESH: BOUND, SNAPSHOT chunks, then DOWNLOADs from there
//! ```

use ebbtide_core::{ClientId, ServerVersion};
use ebbtide_sync::server::{BindRequest, Position, Refusal, entry_for};
use ebbtide_sync::wire::{ClientMessage, Code, DOWNLOAD_ENTRIES_MAX, ServerMessage, SessionId};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

use super::outbox::{Gone, Outbox};
use crate::hub::{Bootstrap, BoundStart, Hub, RealmView, stopping};
use crate::limits::DOWNLOAD_BYTES_MAX;

/// A message for a session, and the room it takes on its connection until it is done.
pub struct Command {
    /// The message.
    pub message: ClientMessage,
    /// Given back when the command is dropped.
    pub room: OwnedSemaphorePermit,
}

/// Why a session is over.
enum End {
    /// The client or the connection ended it.
    Quiet,
    /// The client is to be told.
    Refused(Refusal),
}

impl From<Gone> for End {
    fn from(_: Gone) -> End {
        End::Quiet
    }
}

struct Session {
    id: SessionId,
    client: ClientId,
    hub: Hub,
    out: Outbox,
    view: watch::Receiver<RealmView>,
    epoch: ebbtide_core::Epoch,
    /// The last entry that was sent.
    sent: Position,
    /// Marks and the version that must have been sent before each is answered.
    marks: Vec<(u64, ServerVersion)>,
}

/// Runs a session to its end. `commands` are the client's messages for it.
pub async fn run(id: SessionId, hub: Hub, request: BindRequest, out: Outbox, commands: mpsc::Receiver<Command>) {
    let ended = Session::begin(id, hub, request, out.clone(), commands).await;
    if let Err(End::Refused(refusal)) = ended {
        tracing::info!(session = id.0, code = refusal.code.0, reason = %refusal.reason, "session refused");
        // If the socket is gone there is nobody to tell.
        let _ = out.send(&ServerMessage::Error(refusal.message(Some(id)))).await;
    }
}

impl Session {
    async fn begin(
        id: SessionId,
        hub: Hub,
        request: BindRequest,
        out: Outbox,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(), End> {
        let client = request.client;
        let view = hub.watch();
        let bound = hub.bind(request).await.map_err(End::Refused)?;
        let epoch = bound.view.epoch;
        let (head, now) = (bound.view.head.version, Some(bound.now));
        out.send(&ServerMessage::Bound { session: id, epoch, head, last: bound.last, now }).await?;
        let mut session = Session { id, client, hub, out, view, epoch, sent: Position::default(), marks: Vec::new() };
        let mut ended = bound.ended;
        match bound.start {
            BoundStart::After(position) => session.sent = position,
            BoundStart::Snapshot(bootstrap, from) => {
                session.send_snapshot(&bootstrap, from, &mut ended).await?;
                let at = bootstrap.at();
                session.sent = Position { version: at.version, salt: at.salt };
            }
        }
        session.converse(commands, ended).await
    }

    async fn send_snapshot(
        &mut self,
        bootstrap: &Bootstrap,
        from: u32,
        ended: &mut oneshot::Receiver<Refusal>,
    ) -> Result<(), End> {
        let downloadable_bytes = bootstrap.bytes_from(from);
        self.out.send(&ServerMessage::Progress { session: self.id, downloadable_bytes }).await?;
        for index in from..bootstrap.count() {
            let message = ServerMessage::Snapshot {
                session: self.id,
                at: bootstrap.at(),
                index,
                count: bootstrap.count(),
                total_bytes: bootstrap.total_bytes(),
                bytes: bootstrap.chunk(index).to_vec(),
            };
            tokio::select! {
                sent = self.out.send(&message) => sent?,
                refusal = &mut *ended => return Err(End::Refused(refusal.unwrap_or_else(|_| stopping()))),
            }
        }
        Ok(())
    }

    /// Sends what the history has and does what the client asks, until one of them ends.
    async fn converse(
        &mut self,
        mut commands: mpsc::Receiver<Command>,
        mut ended: oneshot::Receiver<Refusal>,
    ) -> Result<(), End> {
        loop {
            let view = *self.view.borrow_and_update();
            if view.epoch == self.epoch {
                self.catch_up(view).await?;
            }
            tokio::select! {
                biased;
                refusal = &mut ended => return Err(End::Refused(refusal.unwrap_or_else(|_| stopping()))),
                command = commands.recv() => match command {
                    Some(Command { message, room }) => {
                        self.obey(message).await?;
                        drop(room);
                    }
                    None => return Ok(()),
                },
                changed = self.view.changed() => if changed.is_err() {
                    return Err(End::Refused(stopping()));
                },
                () = self.out.gone() => return Ok(()),
            }
        }
    }

    /// Sends one piece of what is missing; if there is more, the view is marked so that the next round goes on.
    async fn catch_up(&mut self, view: RealmView) -> Result<(), End> {
        if self.sent.version < view.floor.version {
            let reason = "the server no longer keeps the history that this client needs next";
            return Err(End::Refused(Refusal::reset(Code::CLIENT_FILE_EXPIRED, reason)));
        }
        if self.sent.version < view.head.version {
            self.send_piece(view).await?;
        }
        if self.sent.version < view.head.version {
            self.view.mark_changed();
        }
        let sent = self.sent.version;
        let due: Vec<u64> = self.marks.iter().filter(|(_, after)| *after <= sent).map(|(id, _)| *id).collect();
        self.marks.retain(|(_, after)| *after > sent);
        for id in due {
            self.out.send(&ServerMessage::Mark { session: self.id, id }).await?;
        }
        Ok(())
    }

    async fn send_piece(&mut self, view: RealmView) -> Result<(), End> {
        let read = self.hub.history().read_after(self.sent.version, DOWNLOAD_BYTES_MAX).await;
        let mut found = read.map_err(|error| {
            tracing::error!(%error, "the history could not be read");
            End::Refused(Refusal::later(Code::TRY_AGAIN, "the server cannot read its storage now", 5_000))
        })?;
        found.truncate(DOWNLOAD_ENTRIES_MAX);
        let continues = found.first().is_some_and(|entry| entry.at.version.0 == self.sent.version.0 + 1);
        if !continues || self.view.borrow().epoch != self.epoch {
            // Trimmed or begun anew in between; the next look at the view tells which.
            self.view.mark_changed();
            return Ok(());
        }
        let last = found.last().map_or(self.sent, |entry| entry.at);
        if view.head.version > last.version {
            let bytes: usize = found.iter().map(|entry| entry.changeset.len()).sum();
            let per_entry = bytes as u64 / found.len() as u64;
            let downloadable_bytes = bytes as u64 + per_entry * (view.head.version.0 - last.version.0);
            self.out.send(&ServerMessage::Progress { session: self.id, downloadable_bytes }).await?;
        }
        let entries = found.iter().map(|entry| entry_for(self.client, entry)).collect();
        let upto = last.cursor(self.epoch);
        self.out.send(&ServerMessage::Download { session: self.id, entries, upto }).await?;
        self.sent = last;
        Ok(())
    }

    async fn obey(&mut self, command: ClientMessage) -> Result<(), End> {
        match command {
            ClientMessage::Upload { changesets, .. } => {
                let outcome = self.hub.upload(self.client, changesets).await;
                if let Some(accepted) = outcome.accepted {
                    let (number, version) = (accepted.number, accepted.version);
                    self.out.send(&ServerMessage::Acked { session: self.id, number, version }).await?;
                }
                outcome.refusal.map_or(Ok(()), |refusal| Err(End::Refused(refusal)))
            }
            ClientMessage::Ack { version, .. } => {
                self.hub.ack(self.client, version).await;
                Ok(())
            }
            ClientMessage::Mark { id, .. } => {
                if self.marks.len() >= crate::limits::SESSION_QUEUE_MESSAGES_MAX {
                    let reason = "too many marks wait for an answer";
                    return Err(End::Refused(Refusal::fatal(Code::LIMITS_EXCEEDED, reason)));
                }
                let head = self.view.borrow().head.version;
                self.marks.push((id, head));
                self.view.mark_changed();
                Ok(())
            }
            ClientMessage::Unbind { .. } => Err(End::Quiet),
            ClientMessage::Hello { .. } | ClientMessage::Bind { .. } | ClientMessage::Ping { .. } => {
                unreachable!("the connection answers these itself")
            }
        }
    }
}
