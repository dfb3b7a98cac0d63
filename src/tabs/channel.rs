//! The channel on which those who have one realm open talk.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

use super::broadcast::BroadcastChannel;
use super::message::Message;
use crate::clock;

/// How long somebody who has the realm open has for saying so.
const ANSWER_MS: u32 = 500;

/// An end of the channel; left when dropped. Where the browser has no such thing, nothing is said or heard.
pub(super) struct Channel {
    name: String,
    end: RefCell<Option<BroadcastChannel>>,
    /// Called for as long as it is there.
    hear: Closure<dyn FnMut(JsValue)>,
}

impl Channel {
    /// Joins the channel of a path.
    pub(super) fn join(path: &str, hear: impl Fn(Message) + 'static) -> Channel {
        let hear = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let data = js_sys::Reflect::get(&event, &"data".into()).ok();
            if let Some(message) = data.as_ref().and_then(Message::from_js) {
                hear(message);
            }
        });
        let channel = Channel { name: format!("ebbtide:{path}"), end: RefCell::default(), hear };
        channel.rejoin();
        channel
    }

    /// Leaves until [`Channel::rejoin`].
    pub(super) fn leave(&self) {
        if let Some(end) = self.end.take() {
            end.set_onmessage(&JsValue::NULL);
            end.close();
        }
    }

    /// Joins again after [`Channel::leave`].
    pub(super) fn rejoin(&self) {
        let mut end = self.end.borrow_mut();
        if end.is_none()
            && let Ok(joined) = BroadcastChannel::new(&self.name)
        {
            joined.set_onmessage(self.hear.as_ref());
            *end = Some(joined);
        }
    }

    /// Says something to all others.
    pub(super) fn say(&self, message: &Message) {
        if let Some(end) = &*self.end.borrow() {
            // What cannot be said is not heard: nobody depends on it.
            let _ = end.post_message(&message.to_js());
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A name that nobody else draws.
pub(super) fn drawn_name() -> String {
    clock::random::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether anybody has the realm open, where there are no locks to tell.
pub(super) async fn is_anybody_there(path: &str) -> bool {
    let asked = drawn_name();
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let channel = {
        let asked = asked.clone();
        Channel::join(path, move |message| {
            if message == (Message::Here { id: asked.clone() })
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(());
            }
        })
    };
    channel.say(&Message::Who { id: asked });
    match select(told, TimeoutFuture::new(ANSWER_MS)).await {
        Either::Left(_) => true,
        Either::Right(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn what_is_said_is_heard_by_all_others_in_order_and_junk_by_nobody() {
        let path = "t-channel";
        let (tell, told) = oneshot::channel();
        let (heard, tell) = (Rc::new(RefCell::new(Vec::new())), Cell::new(Some(tell)));
        let _listener = {
            let heard = Rc::clone(&heard);
            Channel::join(path, move |message| {
                heard.borrow_mut().push(message.clone());
                if message == Message::Reconnect {
                    let _ = tell.take().unwrap().send(());
                }
            })
        };
        let speaker = Channel::join(path, |message| panic!("{message:?} was heard by who said it"));
        BroadcastChannel::new("ebbtide:t-channel").unwrap().post_message(&"junk".into()).unwrap();
        let said = [Message::Written, Message::Ping, Message::Written, Message::Reconnect];
        said.iter().for_each(|message| speaker.say(message));
        told.await.unwrap();
        assert_eq!(*heard.borrow(), said);
    }

    /// An end that keeps what it hears, and tells when it hears the first.
    fn hearing(path: &str) -> (Channel, Rc<RefCell<Vec<Message>>>, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        let (heard, tell) = (Rc::new(RefCell::new(Vec::new())), Cell::new(Some(tell)));
        let end = {
            let heard = Rc::clone(&heard);
            Channel::join(path, move |message| {
                heard.borrow_mut().push(message);
                if let Some(tell) = tell.take() {
                    tell.send(()).unwrap();
                }
            })
        };
        (end, heard, told)
    }

    #[wasm_bindgen_test]
    async fn who_has_left_hears_nothing_until_it_has_joined_again() {
        let path = "t-channel-left";
        let (end, heard, told) = hearing(path);
        let (_witness, _, passed) = hearing(path);
        let speaker = Channel::join(path, |message| panic!("{message:?} was heard by who said it"));
        end.leave();
        speaker.say(&Message::Ping);
        passed.await.unwrap();
        end.rejoin();
        end.rejoin();
        speaker.say(&Message::Written);
        told.await.unwrap();
        assert_eq!(*heard.borrow(), [Message::Written]);
    }

    #[wasm_bindgen_test]
    async fn who_has_the_realm_open_says_so_when_asked() {
        let path = "t-channel-who";
        assert!(!is_anybody_there(path).await);
        let host: Rc<RefCell<Option<Channel>>> = Rc::default();
        let answer = {
            let host = Rc::downgrade(&host);
            move |message| {
                let Message::Who { id } = message else { return };
                if let Some(host) = host.upgrade() {
                    host.borrow().as_ref().unwrap().say(&Message::Here { id });
                }
            }
        };
        host.replace(Some(Channel::join(path, answer)));
        assert!(is_anybody_there(path).await);
    }
}
