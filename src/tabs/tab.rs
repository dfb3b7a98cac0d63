//! One open realm among those of other tabs: has a share in the lead, talks on the channel, and watches over the leader while
//! something waits for the server.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use ebbtide_sync::client::{Event, Role, WaitId};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::channel::{Channel, drawn_name};
use super::heartbeat::{Beat, Heartbeat};
use super::lead::{Lead, LeadLock, Lot};
use super::message::{Activity, LeaderState, Message};
use super::presence::Company;
use crate::lifecycle::{Lifecycle, Turn};
use crate::wake::WakeEvents;

/// The realm that a tab has open.
pub(crate) trait TabUser {
    /// This tab has the lead now, or no longer.
    fn role_changed(&self, role: Role);
    /// There is something for the realm's engine.
    fn tab_event(&self, event: Event);
    /// Another tab has said something about the session.
    fn overheard(&self, saying: Saying);
    /// A follower wants everything that the server has now: to be answered with [`Tab::answer`].
    fn asked(&self, id: String);
    /// How this tab's session is, under this name of a leader; `None` for a realm that does not sync.
    fn session(&self, leader: &str) -> Option<LeaderState>;
    /// Whether anything here waits for the server.
    fn waits_for_server(&self) -> bool;
}

/// What another tab says about the session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Saying {
    /// How the leader's session is.
    State(LeaderState),
    /// How much the leader has downloaded.
    Progress { transferred: u64, transferable: u64 },
    /// An error of the leader's session.
    Error(JsValue),
    /// Everybody is to pause or resume.
    Activity(Activity),
    /// The leader is to connect now.
    Reconnect,
    /// The leader is to see whether its connection stands: the network is back, or somebody looks at a page.
    Wake,
    /// The leader is to act as if the server had sent an error.
    Simulate { code: u16, message: String, fatal: bool },
}

/// The tab's side of one realm. Gone from the others when [ended](Tab::end) or dropped.
pub(crate) struct Tab {
    path: String,
    /// What this tab is called as a leader.
    name: String,
    user: Weak<dyn TabUser>,
    /// Whether others may have the realm open. Once there was somebody, it is not known that they have gone.
    company: Cell<Company>,
    parts: RefCell<Option<Parts>>,
    leader: RefCell<Option<LeaderState>>,
    /// What we have asked the leader, and the name of the question.
    asked: RefCell<BTreeMap<WaitId, String>>,
    /// The questions of others that are being answered.
    answering: RefCell<BTreeSet<String>>,
    heartbeat: RefCell<Heartbeat>,
    is_beating: Cell<bool>,
    this: Weak<Tab>,
}

/// What ends with the tab.
struct Parts {
    lead: Option<Rc<Lead>>,
    channel: Channel,
    _lifecycle: Lifecycle,
    _wake: WakeEvents,
}

/// Whether a tab wants the lead, and has it already.
pub(crate) enum Stake {
    /// It has it.
    Has(LeadLock),
    /// It waits for it.
    Wants,
    /// It never leads: it cannot write.
    None,
}

impl Stake {
    /// What the engine is to begin with.
    pub(crate) fn role(&self) -> Role {
        match self {
            Stake::Has(_) => Role::Leads,
            Stake::Wants | Stake::None => Role::Follows,
        }
    }
}

impl Tab {
    /// Comes among the others. Who leads already is told to them, and who does not asks how the leader is.
    pub(crate) fn begin(path: &str, stake: Stake, company: Company, user: Weak<dyn TabUser>) -> Rc<Tab> {
        let tab = Rc::new_cyclic(|this: &Weak<Tab>| Tab {
            path: path.to_owned(),
            name: drawn_name(),
            user,
            company: Cell::new(company),
            parts: RefCell::default(),
            leader: RefCell::default(),
            asked: RefCell::default(),
            answering: RefCell::default(),
            heartbeat: RefCell::default(),
            is_beating: Cell::new(false),
            this: this.clone(),
        });
        let lot = {
            let this = Rc::downgrade(&tab);
            move |lot| {
                if let Some(tab) = this.upgrade() {
                    tab.lot(lot);
                }
            }
        };
        let lead = match stake {
            Stake::Has(lock) => Some(Lead::begin(path, Some(lock), lot)),
            Stake::Wants => Some(Lead::begin(path, None, lot)),
            Stake::None => None,
        };
        let channel = {
            let this = Rc::downgrade(&tab);
            Channel::join(path, move |message| {
                if let Some(tab) = this.upgrade() {
                    tab.hear(message);
                }
            })
        };
        let lifecycle = {
            let this = Rc::downgrade(&tab);
            Lifecycle::listen(move |turn| {
                if let Some(tab) = this.upgrade() {
                    tab.turn(turn);
                }
            })
        };
        let wake = {
            let this = Rc::downgrade(&tab);
            // A leader's connection listens itself.
            WakeEvents::listen(move || {
                if let Some(tab) = this.upgrade().filter(|tab| !tab.leads()) {
                    tab.say(&Message::Wake);
                }
            })
        };
        tab.parts.replace(Some(Parts { lead, channel, _lifecycle: lifecycle, _wake: wake }));
        tab.introduce();
        tab
    }

    /// Whether this tab leads.
    pub(crate) fn leads(&self) -> bool {
        self.parts.borrow().as_ref().and_then(|parts| parts.lead.as_ref()).is_some_and(|lead| lead.is_ours())
    }

    /// What the leader has said last, if that is another tab.
    pub(crate) fn leader(&self) -> Option<LeaderState> {
        if self.leads() { None } else { self.leader.borrow().clone() }
    }

    /// Goes from the others: says nothing more, and gives the lead up; settles when others can have it.
    pub(crate) async fn end(&self) {
        let lead = self.parts.take().and_then(|parts| parts.lead);
        if let Some(lead) = lead {
            lead.end().await;
        }
    }

    /// Tells the others that a batch was stored, if there are any.
    pub(crate) fn tell_written(&self) {
        if self.company.get() == Company::Others {
            self.say(&Message::Written);
        }
    }

    /// Others may have the realm open. They may have looked at the store before they were told of what is written.
    fn has_company(&self) {
        if self.company.replace(Company::Others) == Company::Alone {
            self.tell_written();
        }
    }

    /// Tells the others how the session is, if this tab leads.
    pub(crate) fn tell_session(&self) {
        if !self.leads() {
            return;
        }
        let state = self.user.upgrade().and_then(|user| user.session(&self.name));
        if let Some(state) = state {
            self.say(&Message::State(state));
        }
    }

    /// Tells the others something about the session.
    pub(crate) fn tell(&self, saying: Saying) {
        self.say(&match saying {
            Saying::State(state) => Message::State(state),
            Saying::Progress { transferred, transferable } => Message::Progress { transferred, transferable },
            Saying::Error(error) => Message::Error { error },
            Saying::Activity(activity) => Message::Activity(activity),
            Saying::Reconnect => Message::Reconnect,
            Saying::Wake => Message::Wake,
            Saying::Simulate { code, message, fatal } => Message::Simulate { code, message, fatal },
        });
    }

    /// Asks the leader for everything that the server has now.
    pub(crate) fn ask(&self, wait: WaitId) {
        let id = drawn_name();
        self.say(&Message::Ask { id: id.clone() });
        self.asked.borrow_mut().insert(wait, id);
        self.watch_leader();
    }

    /// Nobody waits for this answer any more.
    pub(crate) fn forget_question(&self, wait: WaitId) {
        self.asked.borrow_mut().remove(&wait);
    }

    /// Whether an answer of the leader's is awaited.
    pub(crate) fn has_asked(&self) -> bool {
        !self.asked.borrow().is_empty()
    }

    /// Answers a question.
    pub(crate) fn answer(&self, id: String, outcome: Result<(), String>) {
        self.answering.borrow_mut().remove(&id);
        self.say(&Message::Answer { id, error: outcome.err() });
    }

    /// Makes sure that somebody watches over the leader while anything here waits for the server.
    pub(crate) fn watch_leader(&self) {
        if !self.has_to_watch() || self.is_beating.replace(true) {
            return;
        }
        let this = self.this.clone();
        spawn_local(async move {
            // Who would lose the lead: whoever had it when it was asked again. Nobody looks before there is a need: the browser
            // throws away pages that it keeps for a navigation back if they have locks and somebody asks who has any.
            let mut suspect = None;
            loop {
                let Some(tab) = this.upgrade() else { return };
                if !tab.has_to_watch() {
                    tab.is_beating.set(false);
                    tab.heartbeat.take();
                    return;
                }
                let beat = tab.heartbeat.borrow_mut().beat();
                match beat {
                    Beat::Ping { wait_ms } => {
                        if tab.heartbeat.borrow().missed() > 0 {
                            suspect = Lead::holder(&tab.path).await;
                        }
                        tab.say(&Message::Ping);
                        drop(tab);
                        TimeoutFuture::new(wait_ms).await;
                    }
                    Beat::Steal => {
                        let lead = tab.parts.borrow().as_ref().and_then(|parts| parts.lead.clone());
                        if let (Some(lead), Some(suspect)) = (lead, suspect.take()) {
                            Lead::seize(&lead, &suspect).await;
                        }
                    }
                }
            }
        });
    }

    fn has_to_watch(&self) -> bool {
        let can_lead = self.parts.borrow().as_ref().is_some_and(|parts| parts.lead.is_some());
        can_lead && !self.leads() && self.user.upgrade().is_some_and(|user| user.waits_for_server())
    }

    /// Tells the others that we are there, and who leads if we do.
    fn introduce(&self) {
        self.say(&Message::Ping);
        self.tell_session();
    }

    fn say(&self, message: &Message) {
        if let Some(parts) = &*self.parts.borrow() {
            parts.channel.say(message);
        }
    }

    fn lot(&self, lot: Lot) {
        let Some(user) = self.user.upgrade() else { return };
        match lot {
            Lot::Led => {
                self.leader.take();
                // The engine asks the server itself now.
                self.asked.take();
                user.role_changed(Role::Leads);
                self.tell_session();
            }
            Lot::Followed => {
                // Who has asked asks the next leader.
                self.answering.take();
                user.role_changed(Role::Follows);
                self.say(&Message::Ping);
                self.watch_leader();
            }
        }
    }

    fn turn(&self, turn: Turn) {
        let lead = self.parts.borrow().as_ref().and_then(|parts| parts.lead.clone());
        match turn {
            Turn::Rests | Turn::Leaves => {
                let led = self.leads();
                if let Some(lead) = lead {
                    lead.rest();
                }
                if led {
                    self.lot(Lot::Followed);
                }
                if turn == Turn::Leaves
                    && let Some(parts) = &*self.parts.borrow()
                {
                    parts.channel.leave();
                }
            }
            Turn::Wakes => {
                if let Some(parts) = &*self.parts.borrow() {
                    parts.channel.rejoin();
                }
                // Whoever came meanwhile was not heard.
                self.has_company();
                // That no answer was heard meanwhile says nothing about the leader.
                self.heartbeat.take();
                if let Some(lead) = lead {
                    lead.wake();
                }
                self.introduce();
                // What was said meanwhile may not have been heard.
                self.ask_again();
                if let Some(user) = self.user.upgrade() {
                    user.tab_event(Event::Nudged);
                }
            }
        }
    }

    fn hear(&self, message: Message) {
        let Some(user) = self.user.upgrade() else { return };
        self.has_company();
        let leads = self.leads();
        match message {
            Message::Written => user.tab_event(Event::Nudged),
            Message::Who { id } => self.say(&Message::Here { id }),
            Message::Here { .. } => {}
            Message::Ping => {
                // Whoever asks may have found nobody, and then tells nobody what it writes.
                self.say(&Message::Here { id: self.name.clone() });
                self.tell_session();
            }
            Message::Ask { id } if leads => {
                if self.answering.borrow_mut().insert(id.clone()) {
                    user.asked(id);
                }
            }
            Message::Reconnect if leads => user.overheard(Saying::Reconnect),
            Message::Wake if leads => user.overheard(Saying::Wake),
            Message::Simulate { code, message, fatal } if leads => {
                user.overheard(Saying::Simulate { code, message, fatal });
            }
            Message::Ask { .. } | Message::Reconnect | Message::Wake | Message::Simulate { .. } => {}
            Message::Activity(activity) => user.overheard(Saying::Activity(activity)),
            // Whoever leads hears nothing about leading from others: the lock is what counts.
            Message::State(_) | Message::Answer { .. } | Message::Progress { .. } | Message::Error { .. } if leads => {}
            Message::State(state) => self.hear_leader(&*user, state),
            Message::Answer { id, error } => {
                self.heartbeat.borrow_mut().heard();
                let wait = self.asked.borrow().iter().find(|(_, asked)| **asked == id).map(|(wait, _)| *wait);
                if let Some(wait) = wait {
                    self.asked.borrow_mut().remove(&wait);
                    user.tab_event(Event::LeaderAnswered(wait, error.map_or(Ok(()), Err)));
                }
            }
            Message::Progress { transferred, transferable } => {
                self.heartbeat.borrow_mut().heard();
                user.overheard(Saying::Progress { transferred, transferable });
            }
            Message::Error { error } => user.overheard(Saying::Error(error)),
        }
    }

    fn hear_leader(&self, user: &dyn TabUser, state: LeaderState) {
        self.heartbeat.borrow_mut().heard();
        let before = self.leader.replace(Some(state.clone()));
        if before.is_none_or(|before| before.leader != state.leader) {
            // It has not heard what was asked before it led.
            self.ask_again();
        }
        user.overheard(Saying::State(state));
    }

    fn ask_again(&self) {
        let asked: Vec<String> = self.asked.borrow().values().cloned().collect();
        asked.into_iter().for_each(|id| self.say(&Message::Ask { id }));
    }
}

#[cfg(test)]
mod tests {
    use futures_channel::oneshot;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// A realm that tells once that it has been told to look at the store.
    struct Realm(Cell<Option<oneshot::Sender<()>>>);

    impl TabUser for Realm {
        fn role_changed(&self, _: Role) {}
        fn tab_event(&self, event: Event) {
            if let (Event::Nudged, Some(tell)) = (event, self.0.take()) {
                tell.send(()).unwrap();
            }
        }
        fn overheard(&self, _: Saying) {}
        fn asked(&self, _: String) {}
        fn session(&self, _: &str) -> Option<LeaderState> {
            None
        }
        fn waits_for_server(&self) -> bool {
            false
        }
    }

    fn realm() -> (Rc<dyn TabUser>, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        (Rc::new(Realm(Cell::new(Some(tell)))), told)
    }

    /// The one who found nobody may come to the channel before or after the other.
    async fn one_who_found_nobody_tells_the_other(path: &str, in_order: [Company; 2]) {
        let begun = in_order.map(|company| {
            let (user, told) = realm();
            let tab = Tab::begin(path, Stake::None, company, Rc::downgrade(&user));
            (user, told, tab)
        });
        let [(_first_user, first, _first_tab), (_second_user, second, _second_tab)] = begun;
        let other = if in_order[0] == Company::Others { first } else { second };
        other.await.unwrap();
    }

    #[wasm_bindgen_test]
    async fn who_found_nobody_hears_of_one_who_comes_later() {
        one_who_found_nobody_tells_the_other("t-tab-later", [Company::Alone, Company::Others]).await;
    }

    #[wasm_bindgen_test]
    async fn who_found_nobody_hears_of_one_who_was_on_the_channel_first() {
        one_who_found_nobody_tells_the_other("t-tab-first", [Company::Others, Company::Alone]).await;
    }
}
