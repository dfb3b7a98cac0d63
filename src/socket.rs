//! A browser WebSocket: events out, bytes in. What the bytes mean is not known here.

use futures_util::StreamExt;
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::error::{Fault, Result, describe};

/// What a socket reports, in order; `Closed` is the last.
pub(crate) enum SocketEvent {
    /// The connection stands and speaks the asked-for subprotocol.
    Opened,
    /// One binary frame.
    Message(Vec<u8>),
    /// The end, by either side or by a failure.
    Closed {
        /// The close code, 1006 where there was none.
        code: u16,
        /// The peer's words.
        reason: String,
    },
}

/// One connection. Dropping it closes it; events that are still on their way are then lost.
pub(crate) struct Socket {
    raw: web_sys::WebSocket,
    on_open: Closure<dyn FnMut()>,
    _stop: futures_channel::oneshot::Sender<()>,
}

impl Socket {
    /// Starts to connect; how it goes comes as events.
    pub(crate) fn open(url: &str, protocol: &str, on_event: impl Fn(SocketEvent) + 'static) -> Result<Socket> {
        let failed = |cause: String| Fault::Network { message: format!("Cannot connect to {url}: {cause}") };
        let raw = web_sys::WebSocket::new_with_str(url, protocol).map_err(|e| failed(describe(&e)))?;
        let mut stream = WebSocket::try_from(raw.clone()).map_err(|e| failed(e.to_string()))?;
        let on_event = std::rc::Rc::new(on_event);
        let on_open = {
            let on_event = std::rc::Rc::clone(&on_event);
            Closure::<dyn FnMut()>::new(move || on_event(SocketEvent::Opened))
        };
        raw.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        let (stop, mut stopped) = futures_channel::oneshot::channel::<()>();
        spawn_local(async move {
            loop {
                let next = futures_util::future::select(stream.next(), &mut stopped).await;
                let event = match next {
                    futures_util::future::Either::Right(_) | futures_util::future::Either::Left((None, _)) => return,
                    futures_util::future::Either::Left((Some(item), _)) => match item {
                        Ok(Message::Bytes(bytes)) => SocketEvent::Message(bytes),
                        // No peer of ours sends text; the protocol's decoder refuses it like any other garbage.
                        Ok(Message::Text(text)) => SocketEvent::Message(text.into_bytes()),
                        Err(WebSocketError::ConnectionClose(close)) => {
                            SocketEvent::Closed { code: close.code, reason: close.reason }
                        }
                        // A close event with code 1006 follows.
                        Err(_) => continue,
                    },
                };
                on_event(event);
            }
        });
        Ok(Socket { raw, on_open, _stop: stop })
    }

    /// Queues one binary frame. Whether it arrives is for the protocol to find out: the browser drops frames silently on a
    /// connection that is closing.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<()> {
        self.raw
            .send_with_u8_array(bytes)
            .map_err(|e| Fault::Network { message: format!("Cannot send to the server: {}", describe(&e)) })
    }

    /// Closes with a code of the application's range or 1000; nothing more is reported.
    pub(crate) fn close(self, code: u16) {
        let _ = self.raw.close_with_code(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.raw.set_onopen(None);
        let _ = &self.on_open;
        let _ = self.raw.close_with_code(1000);
    }
}
