//! What tabs tell each other on a realm's channel. Hints, from anybody of the origin: what does not fit is passed over, and
//! nothing about data is believed.

use ebbtide_sync::client::{ConnectionState, SessionState};
use wasm_bindgen::JsValue;

use crate::error::set;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// A batch was stored.
    Written,
    /// Whoever has the realm open is to say so.
    Who { id: String },
    /// Somebody has.
    Here { id: String },
    /// The leader is to say how its session is.
    Ping,
    /// How the leader's session is: what it answers to a ping, and tells when it changes.
    State(LeaderState),
    /// A follower wants everything that the server has now.
    Ask { id: String },
    /// It is on disk, or why not.
    Answer { id: String, error: Option<String> },
    /// How much the leader has downloaded, in bytes.
    Progress { transferred: u64, transferable: u64 },
    /// An error of the leader's session, as the app's callback gets it.
    Error { error: JsValue },
    /// Every tab is to pause or resume the session.
    Activity(Activity),
    /// The leader is to try to connect now.
    Reconnect,
    /// The leader is to see whether its connection stands.
    Wake,
    /// The leader is to act as if the server had sent this error. For tests and demonstrations.
    Simulate { code: u16, message: String, fatal: bool },
}

/// Whether the app wants the session to sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Activity {
    #[default]
    Running,
    Paused,
}

/// How the leader's session is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LeaderState {
    /// Which leader: a name that it has drawn.
    pub(crate) leader: String,
    pub(crate) connection: ConnectionState,
    pub(crate) session: SessionState,
    pub(crate) activity: Activity,
}

impl Message {
    /// The message as a plain object.
    pub(super) fn to_js(&self) -> JsValue {
        let object = js_sys::Object::new();
        let text = |key: &str, value: &str| set(&object, key, &value.into());
        text("kind", self.kind());
        match self {
            Message::Written | Message::Ping | Message::Reconnect | Message::Wake => {}
            Message::Who { id } | Message::Here { id } | Message::Ask { id } => text("id", id),
            Message::State(state) => {
                text("leader", &state.leader);
                text("connection", connection_name(state.connection));
                set(&object, "active", &(state.session == SessionState::Active).into());
                set(&object, "paused", &(state.activity == Activity::Paused).into());
            }
            Message::Answer { id, error } => {
                text("id", id);
                if let Some(error) = error {
                    text("error", error);
                }
            }
            Message::Progress { transferred, transferable } => {
                set(&object, "transferred", &(*transferred as f64).into());
                set(&object, "transferable", &(*transferable as f64).into());
            }
            Message::Error { error } => set(&object, "error", error),
            Message::Activity(activity) => set(&object, "paused", &(*activity == Activity::Paused).into()),
            Message::Simulate { code, message, fatal } => {
                set(&object, "code", &f64::from(*code).into());
                text("message", message);
                set(&object, "fatal", &(*fatal).into());
            }
        }
        object.into()
    }

    /// The message that an object is; `None` for what nobody of us has said.
    pub(super) fn from_js(object: &JsValue) -> Option<Message> {
        let get = |key: &str| js_sys::Reflect::get(object, &key.into()).ok();
        let text = |key: &str| get(key)?.as_string();
        let number = |key: &str| get(key)?.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64);
        let flag = |key: &str| get(key)?.as_bool();
        let activity = || flag("paused").map(|paused| if paused { Activity::Paused } else { Activity::Running });
        Some(match text("kind")?.as_str() {
            "written" => Message::Written,
            "who" => Message::Who { id: text("id")? },
            "here" => Message::Here { id: text("id")? },
            "ping" => Message::Ping,
            "state" => Message::State(LeaderState {
                leader: text("leader")?,
                connection: connection_of(&text("connection")?)?,
                session: if flag("active")? { SessionState::Active } else { SessionState::Inactive },
                activity: activity()?,
            }),
            "ask" => Message::Ask { id: text("id")? },
            "answer" => Message::Answer { id: text("id")?, error: text("error") },
            "progress" => {
                Message::Progress { transferred: number("transferred")?, transferable: number("transferable")? }
            }
            "error" => Message::Error { error: get("error").filter(JsValue::is_object)? },
            "session" => Message::Activity(activity()?),
            "reconnect" => Message::Reconnect,
            "wake" => Message::Wake,
            "simulate" => Message::Simulate {
                code: u16::try_from(number("code")?).ok()?,
                message: text("message")?,
                fatal: flag("fatal")?,
            },
            _ => return None,
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Message::Written => "written",
            Message::Who { .. } => "who",
            Message::Here { .. } => "here",
            Message::Ping => "ping",
            Message::State(_) => "state",
            Message::Ask { .. } => "ask",
            Message::Answer { .. } => "answer",
            Message::Progress { .. } => "progress",
            Message::Error { .. } => "error",
            Message::Activity(_) => "session",
            Message::Reconnect => "reconnect",
            Message::Wake => "wake",
            Message::Simulate { .. } => "simulate",
        }
    }
}

/// The name of a connection state in JavaScript.
pub(crate) fn connection_name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Disconnected => "disconnected",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
    }
}

fn connection_of(name: &str) -> Option<ConnectionState> {
    let states = [ConnectionState::Disconnected, ConnectionState::Connecting, ConnectionState::Connected];
    states.into_iter().find(|state| connection_name(*state) == name)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn all() -> Vec<Message> {
        let id = || "3f-1".to_owned();
        let error = js_sys::Object::new();
        set(&error, "message", &"gone".into());
        let mut all = vec![
            Message::Written,
            Message::Who { id: id() },
            Message::Here { id: id() },
            Message::Ping,
            Message::Ask { id: id() },
            Message::Answer { id: id(), error: None },
            Message::Answer { id: id(), error: Some("why not".to_owned()) },
            Message::Progress { transferred: 5, transferable: 1 << 40 },
            Message::Error { error: error.into() },
            Message::Activity(Activity::Running),
            Message::Activity(Activity::Paused),
            Message::Reconnect,
            Message::Wake,
            Message::Simulate { code: 211, message: "told so".to_owned(), fatal: false },
        ];
        for connection in [ConnectionState::Disconnected, ConnectionState::Connecting, ConnectionState::Connected] {
            for (session, activity) in
                [(SessionState::Active, Activity::Running), (SessionState::Inactive, Activity::Paused)]
            {
                all.push(Message::State(LeaderState { leader: id(), connection, session, activity }));
            }
        }
        all
    }

    #[wasm_bindgen_test]
    fn every_message_arrives_as_it_was_sent() {
        for message in all() {
            assert_eq!(Message::from_js(&message.to_js()), Some(message));
        }
    }

    #[wasm_bindgen_test]
    fn what_is_no_message_is_passed_over() {
        for junk in [JsValue::NULL, JsValue::UNDEFINED, 3.into(), "written".into(), js_sys::Array::new().into()] {
            assert_eq!(Message::from_js(&junk), None);
        }
        // A message without any one of its parts is none, but for an answer, which has an error or not.
        for message in all() {
            let keys = js_sys::Reflect::own_keys(&message.to_js()).unwrap();
            for key in keys.iter() {
                if message.kind() == "answer" && key == "error" {
                    continue;
                }
                let part = message.to_js();
                js_sys::Reflect::delete_property(part.unchecked_ref::<js_sys::Object>(), &key).unwrap();
                assert_eq!(Message::from_js(&part), None, "{message:?} without {key:?}");
            }
        }
    }
}
