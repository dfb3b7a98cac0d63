//! `SessionCore`: the sync session of a realm.

use std::rc::Rc;

use ebbtide_sync::client::{Event, SessionState, WaitId};
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

use crate::driver::Driver;
use crate::error::{Fault, Result, set};
use crate::tabs::{Activity, Saying, connection_name};

type JsResult<T> = std::result::Result<T, JsValue>;

/// A sync session.
#[wasm_bindgen]
pub struct SessionCore {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl SessionCore {
    /// Whether the session tries to sync: `active` or `inactive`.
    pub fn state(&self) -> JsResult<String> {
        let state = match self.driver.session_state()? {
            SessionState::Active => "active",
            SessionState::Inactive => "inactive",
        };
        Ok(state.to_owned())
    }

    /// `disconnected`, `connecting` or `connected`.
    #[wasm_bindgen(js_name = connectionState)]
    pub fn connection_state(&self) -> String {
        connection_name(self.driver.connection_state()).to_owned()
    }

    /// Whether this tab is the one that speaks to the server. Another uploads what this one has written to disk.
    pub fn leads(&self) -> bool {
        self.driver.leads()
    }

    /// Stops syncing, in all tabs: they share the session.
    pub fn pause(&self) -> JsResult<()> {
        self.driver.check()?;
        self.driver.set_activity(Activity::Paused);
        Ok(())
    }

    /// Starts syncing again.
    pub fn resume(&self) -> JsResult<()> {
        self.driver.check()?;
        self.driver.set_activity(Activity::Running);
        Ok(())
    }

    /// Tries to connect now.
    pub fn reconnect(&self) -> JsResult<()> {
        self.driver.check()?;
        self.driver.have_done(Saying::Reconnect);
        Ok(())
    }

    /// Resolves when the server has everything committed so far.
    #[wasm_bindgen(js_name = waitForUpload)]
    pub fn wait_for_upload(&self, timeout_ms: Option<f64>) -> js_sys::Promise {
        self.wait(Event::WaitUpload, timeout_ms, "Uploading")
    }

    /// Resolves when everything that the server has now is here and on disk.
    #[wasm_bindgen(js_name = waitForDownload)]
    pub fn wait_for_download(&self, timeout_ms: Option<f64>) -> js_sys::Promise {
        self.wait(Event::WaitDownload, timeout_ms, "Downloading")
    }

    /// How far the data has got, in bytes.
    #[wasm_bindgen(
        unchecked_return_type = "{ uploaded: number, uploadable: number, downloaded: number, downloadable: number }"
    )]
    pub fn progress(&self) -> JsResult<JsValue> {
        let progress = self.driver.session_progress()?;
        let object = js_sys::Object::new();
        for (name, bytes) in [
            ("uploaded", progress.uploaded),
            ("uploadable", progress.uploadable),
            ("downloaded", progress.downloaded),
            ("downloadable", progress.downloadable),
        ] {
            set(&object, name, &(bytes as f64).into());
        }
        Ok(object.into())
    }

    /// Who this store is to the server, in hexadecimal; another after every reset.
    #[wasm_bindgen(js_name = clientId)]
    pub fn client_id(&self) -> JsResult<String> {
        let id = self.driver.engine(|engine| engine.client_id())?;
        Ok(id.to_string())
    }

    /// Whether the realm has been downloaded once.
    #[wasm_bindgen(js_name = isBootstrapped)]
    pub fn is_bootstrapped(&self) -> JsResult<bool> {
        Ok(self.driver.engine(|engine| engine.is_bootstrapped())?)
    }

    /// Acts as if the server had sent an error.
    #[wasm_bindgen(js_name = simulateError)]
    pub fn simulate_error(&self, code: u16, message: String, is_fatal: bool) -> JsResult<()> {
        self.driver.check()?;
        self.driver.have_done(Saying::Simulate { code, message, fatal: is_fatal });
        Ok(())
    }
}

impl SessionCore {
    /// The session of a realm, if it syncs.
    pub(super) fn of(driver: &Rc<Driver>) -> Option<SessionCore> {
        driver.is_synced().then(|| SessionCore { driver: Rc::clone(driver) })
    }

    fn wait(&self, begin: fn(WaitId) -> Event, timeout_ms: Option<f64>, doing: &'static str) -> js_sys::Promise {
        let driver = Rc::clone(&self.driver);
        wasm_bindgen_futures::future_to_promise(async move {
            wait_within(&driver, begin, timeout_ms, doing).await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

async fn wait_within(
    driver: &Driver,
    begin: fn(WaitId) -> Event,
    timeout_ms: Option<f64>,
    doing: &'static str,
) -> Result<()> {
    driver.check()?;
    let (id, done) = driver.wait(begin);
    let Some(timeout_ms) = timeout_ms else {
        return done.await.unwrap_or(Err(Fault::RealmClosed));
    };
    match select(done, TimeoutFuture::new(timeout_ms.clamp(0.0, f64::from(i32::MAX)) as u32)).await {
        Either::Left((outcome, _)) => outcome.unwrap_or(Err(Fault::RealmClosed)),
        Either::Right(_) => {
            driver.cancel_wait(id);
            let message = format!("Timed out: {doing} changes did not complete in {timeout_ms} ms.");
            Err(Fault::TimedOut { message })
        }
    }
}
