//! What waits to be written to one socket, bounded in bytes.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use ebbtide_sync::wire::ServerMessage;
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Duration, timeout};

use crate::limits::SEND_QUEUE_BYTES_MAX;

/// Something for the writer.
pub enum Outgoing {
    /// A frame, and the room it takes until it is written.
    Frame(Vec<u8>, OwnedSemaphorePermit),
    /// The end, with a close code and a reason.
    Close(u16, String),
}

/// The sending end of a connection. Cloned for every session.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Outgoing>,
    room: Arc<Semaphore>,
}

/// The socket is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

impl Outbox {
    /// An outbox and what its writer reads.
    pub fn new() -> (Outbox, mpsc::UnboundedReceiver<Outgoing>) {
        let (queue, outgoing) = mpsc::unbounded_channel();
        (Outbox { queue, room: Arc::new(Semaphore::new(SEND_QUEUE_BYTES_MAX)) }, outgoing)
    }

    /// Waits until there is room, then queues the message.
    pub async fn send(&self, message: &ServerMessage) -> Result<(), Gone> {
        let frame = message.encode();
        let bytes = frame.len().clamp(1, SEND_QUEUE_BYTES_MAX);
        let permits = u32::try_from(bytes).expect("invariant: the queue is smaller than 4 GiB");
        let permit = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| Gone)?;
        self.queue.send(Outgoing::Frame(frame, permit)).map_err(|_| Gone)
    }

    /// Closes the socket after what is queued.
    pub fn close(&self, code: u16, reason: &str) {
        // A writer that is gone has closed it.
        let _ = self.queue.send(Outgoing::Close(code, reason.to_string()));
    }

    /// Resolves when the writer is gone.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }
}

/// Writes until the end, or until the other side no longer reads.
pub async fn write(
    mut socket: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
    patience: Duration,
) {
    while let Some(next) = outgoing.recv().await {
        match next {
            Outgoing::Frame(frame, permit) => {
                let sent = timeout(patience, socket.send(Message::Binary(frame.into()))).await;
                drop(permit);
                if !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
            Outgoing::Close(code, reason) => {
                let frame = CloseFrame { code, reason: reason.into() };
                // Either way the socket is dropped next.
                let _ = timeout(patience, socket.send(Message::Close(Some(frame)))).await;
                return;
            }
        }
    }
}
