//! `AppCore`: users and their connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use ebbtide_sync::client::{ConnectionEvent, ConnectionState};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::clock;
use crate::error::{Fault, Result};
use crate::idb::{Catalogue, Change, UserRecord};
use crate::link::{Link, LinkIdentity};
use crate::tabs::{Queued, connection_name};
use crate::{login, news, poison};

thread_local! {
    static APPS: RefCell<Vec<Weak<App>>> = const { RefCell::new(Vec::new()) };
}

/// An app on a server, and those who have logged in to it here.
#[wasm_bindgen]
pub struct AppCore {
    app: Rc<App>,
}

/// What an app is, shared by its realms.
pub(crate) struct App {
    handle: u32,
    id: String,
    base_url: String,
    links: RefCell<BTreeMap<String, Weak<Link>>>,
    offline: Cell<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserInfo {
    id: String,
    provider_type: String,
    access_token: String,
    refresh_token: Option<String>,
    is_logged_in: bool,
}

#[wasm_bindgen]
impl AppCore {
    /// An app by its id at a server. Nothing is sent yet.
    #[wasm_bindgen(constructor)]
    pub fn new(id: String, base_url: String) -> std::result::Result<AppCore, JsValue> {
        poison::check()?;
        let handle = APPS.with_borrow(|apps| apps.len() as u32);
        let app = Rc::new(App { handle, id, base_url, links: RefCell::default(), offline: Cell::new(false) });
        APPS.with_borrow_mut(|apps| apps.push(Rc::downgrade(&app)));
        Ok(AppCore { app })
    }

    /// The app's number in this page. Opening a realm reads it, since passing the object itself would consume it.
    #[wasm_bindgen(getter)]
    pub fn handle(&self) -> u32 {
        self.app.handle
    }

    /// The app's id.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.app.id.clone()
    }

    /// The server's address.
    #[wasm_bindgen(getter, js_name = baseUrl)]
    pub fn base_url(&self) -> String {
        self.app.base_url.clone()
    }

    /// Logs in and makes the user the current one.
    #[wasm_bindgen(js_name = logIn)]
    pub fn log_in(&self, credentials: JsValue) -> js_sys::Promise {
        let app = Rc::clone(&self.app);
        wasm_bindgen_futures::future_to_promise(async move {
            poison::check()?;
            app.log_in(&credentials).await
        })
    }

    /// Those who have logged in, the current one first. Complete after `loadCatalogue`.
    pub fn users(&self) -> std::result::Result<JsValue, JsValue> {
        let users: Vec<UserInfo> = Catalogue::users(&self.app.id).iter().map(user_info).collect();
        Ok(serde_wasm_bindgen::to_value(&users)?)
    }

    /// The user who logged in or was switched to last.
    #[wasm_bindgen(js_name = currentUser)]
    pub fn current_user(&self) -> std::result::Result<JsValue, JsValue> {
        match Catalogue::users(&self.app.id).iter().find(|user| user.logged_in) {
            Some(user) => Ok(serde_wasm_bindgen::to_value(&user_info(user))?),
            None => Ok(JsValue::NULL),
        }
    }

    /// Makes a user the current one.
    #[wasm_bindgen(js_name = switchUser)]
    pub fn switch_user(&self, user_id: String) -> js_sys::Promise {
        let app = Rc::clone(&self.app);
        wasm_bindgen_futures::future_to_promise(async move {
            let mut user = app.user(&user_id)?;
            user.used_ms = clock::now().0 as f64;
            Catalogue::change(vec![Change::PutUser(user)]).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Forgets a user's tokens. Realms stay on disk.
    #[wasm_bindgen(js_name = logOut)]
    pub fn log_out(&self, user_id: String) -> js_sys::Promise {
        let app = Rc::clone(&self.app);
        wasm_bindgen_futures::future_to_promise(async move {
            let user = app.user(&user_id)?;
            app.disconnect(&user_id);
            Catalogue::change(vec![Change::RemoveUser { app_id: user.app_id, id: user.id }]).await?;
            news::tell_users();
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Cuts the link to the server, or allows it again.
    #[wasm_bindgen(js_name = setOffline)]
    pub fn set_offline(&self, offline: bool) {
        self.app.offline.set(offline);
        for link in self.app.open_links() {
            link.handle(ConnectionEvent::SetOffline(offline));
        }
    }

    /// Whether the link is cut by `setOffline`.
    #[wasm_bindgen(js_name = isOffline)]
    pub fn is_offline(&self) -> bool {
        self.app.offline.get()
    }

    /// The best state among the connections of the app's users.
    #[wasm_bindgen(js_name = connectionState)]
    pub fn connection_state(&self) -> String {
        let states: Vec<ConnectionState> = self.app.open_links().iter().map(|link| link.state()).collect();
        let best = [ConnectionState::Connected, ConnectionState::Connecting]
            .into_iter()
            .find(|state| states.contains(state))
            .unwrap_or(ConnectionState::Disconnected);
        connection_name(best).to_owned()
    }
}

impl App {
    /// The app that an `AppCore` object stands for.
    pub(crate) fn of_handle(object: &JsValue) -> Option<Rc<App>> {
        let handle = js_sys::Reflect::get(object, &"handle".into()).ok()?.as_f64()?;
        APPS.with_borrow(|apps| apps.get(handle as usize).and_then(Weak::upgrade))
    }

    /// Ends the connections of users who are logged in no more, as another page has said.
    pub(crate) fn drop_strangers() {
        let apps: Vec<Rc<App>> = APPS.with_borrow(|apps| apps.iter().filter_map(Weak::upgrade).collect());
        for app in apps {
            let users: Vec<String> = app.links.borrow().keys().cloned().collect();
            for id in users.into_iter().filter(|id| app.user(id).is_err()) {
                app.disconnect(&id);
            }
        }
    }

    fn disconnect(&self, user_id: &str) {
        let link = self.links.borrow_mut().remove(user_id).and_then(|link| link.upgrade());
        if let Some(link) = link {
            link.handle(ConnectionEvent::SetOffline(true));
        }
    }

    /// The app's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The connection of a user, shared by all realms that are open for the user.
    pub(crate) fn link(&self, user_id: &str) -> Result<Rc<Link>> {
        if let Some(link) = self.links.borrow().get(user_id).and_then(Weak::upgrade) {
            return Ok(link);
        }
        let user = self.user(user_id)?;
        let identity =
            LinkIdentity { base_url: self.base_url.clone(), app_id: self.id.clone(), user_id: user_id.to_owned() };
        let link = Link::new(identity, user.access_token, self.offline.get());
        self.links.borrow_mut().insert(user_id.to_owned(), Rc::downgrade(&link));
        Ok(link)
    }

    fn open_links(&self) -> Vec<Rc<Link>> {
        self.links.borrow().values().filter_map(Weak::upgrade).collect()
    }

    fn user(&self, user_id: &str) -> Result<UserRecord> {
        Catalogue::users(&self.id).into_iter().find(|user| user.id == user_id).ok_or_else(|| Fault::AuthFailed {
            message: format!("User {user_id} is not logged in to app '{}'.", self.id),
        })
    }

    /// Tabs log in one after the other, so that those who ask for any user at the same time get the same one.
    async fn log_in(&self, credentials: &JsValue) -> std::result::Result<JsValue, JsValue> {
        Catalogue::ensure_loaded().await?;
        let _head = Queued::head(&format!("login:{}", self.id)).await;
        Catalogue::learn_users().await?;
        let get = |key: &str| js_sys::Reflect::get(credentials, &key.into()).ok();
        if get("reuse").is_some_and(|reuse| reuse.is_truthy())
            && let Some(user) = Catalogue::users(&self.id).iter().find(|user| user.logged_in)
        {
            return Ok(serde_wasm_bindgen::to_value(&user_info(user))?);
        }
        if self.offline.get() {
            return Err(Fault::Network { message: "Could not log in: the app is offline.".to_owned() }.to_js());
        }
        let provider = get("provider").and_then(|v| v.as_string());
        let answer = login::log_in(&self.base_url, &self.id, credentials).await?;
        let user = UserRecord {
            app_id: self.id.clone(),
            id: answer.user_id,
            provider: provider.unwrap_or_default(),
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            logged_in: true,
            used_ms: clock::now().0 as f64,
        };
        Catalogue::change(vec![Change::PutUser(user.clone())]).await?;
        news::tell_users();
        Ok(serde_wasm_bindgen::to_value(&user_info(&user))?)
    }
}

fn user_info(user: &UserRecord) -> UserInfo {
    UserInfo {
        id: user.id.clone(),
        provider_type: user.provider.clone(),
        access_token: user.access_token.clone(),
        refresh_token: user.refresh_token.clone(),
        is_logged_in: user.logged_in,
    }
}
