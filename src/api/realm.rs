//! `RealmCore`: one realm for one path in this page.

use ebbtide_core::objects::Row;
use ebbtide_core::query::Names;
use ebbtide_core::{
    ClassIndex, ClassSchema, ColumnIndex, ObjectKey, PropertyType, Snapshot, Transaction, Value, ValueRef, WriteError,
};
use ebbtide_sync::client::Event;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

use super::arguments::arguments_from_js;
use super::config::{classes_from_js, schema_to_js};
use super::query::QueryCore;
use super::session::SessionCore;
use crate::clock;
use crate::convert::{element_to_js, int_from_js, key_from_js, key_to_js, mixed_type, value_from_js};
use crate::driver::Driver;
use crate::error::{Fault, Result};
use crate::results::{Recipe, Results, Source, Stage};
use crate::view::{Frozen, View};

pub(super) type JsResult<T> = std::result::Result<T, JsValue>;

/// One realm. Its objects are addressed by the numbers of class, key and column.
#[wasm_bindgen]
pub struct RealmCore {
    pub(super) view: View,
}

#[wasm_bindgen]
impl RealmCore {
    /// Opens a realm, creating its store if there is none.
    #[wasm_bindgen(unchecked_return_type = "RealmCore")]
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "CoreConfig")] config: JsValue,
        host: crate::host::Host,
        #[wasm_bindgen(unchecked_param_type = "AppCore | undefined")] app: JsValue,
    ) -> JsResult<RealmCore> {
        let driver = super::open::open(config, host, &app).await?;
        Ok(RealmCore { view: View::Live(driver) })
    }

    /// Opens a realm that lives in memory, or one that has no store yet; otherwise throws code `NeedsAsyncOpen`.
    #[wasm_bindgen(js_name = openSync)]
    pub fn open_sync(
        #[wasm_bindgen(unchecked_param_type = "CoreConfig")] config: JsValue,
        host: crate::host::Host,
        #[wasm_bindgen(unchecked_param_type = "AppCore | undefined")] app: JsValue,
    ) -> JsResult<RealmCore> {
        let driver = super::open::open_sync(config, host, &app)?;
        Ok(RealmCore { view: View::Live(driver) })
    }

    /// The realm's path.
    #[wasm_bindgen(getter)]
    pub fn path(&self) -> String {
        match &self.view {
            View::Live(driver) => driver.path().to_owned(),
            View::Frozen(frozen) => frozen.path.clone(),
        }
    }

    /// The classes; a class's position is its number, and so is a property's.
    #[wasm_bindgen(unchecked_return_type = "CoreClass[]")]
    pub fn schema(&self) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, _| schema_to_js(snapshot.schema()))?)
    }

    /// What else properties are called in queries: `[class, name, column]` of a property, and `[class, name, source class, column]`
    /// of the objects that link to one.
    #[wasm_bindgen(js_name = setNames)]
    pub fn set_names(
        &self,
        #[wasm_bindgen(unchecked_param_type = "[number, string, number, number?][]")] names: js_sys::Array,
    ) {
        let mut found = Names::default();
        for name in names.iter() {
            let name = js_sys::Array::from(&name);
            let number = |at: u32| name.get(at).as_f64().map(|number| number as u32);
            let (Some(class), Some(text), Some(third)) = (number(0), name.get(1).as_string(), number(2)) else {
                continue;
            };
            match number(3) {
                None => found.alias(ClassIndex(class), text, ColumnIndex(third)),
                Some(column) => found.linking(ClassIndex(class), text, (ClassIndex(third), ColumnIndex(column))),
            }
        }
        self.view.set_names(found);
    }

    /// The schema's version.
    #[wasm_bindgen(js_name = schemaVersion)]
    pub fn schema_version(&self) -> JsResult<f64> {
        Ok(match &self.view {
            View::Live(driver) => driver.engine(|engine| engine.schema_version())? as f64,
            View::Frozen(frozen) => frozen.schema_version as f64,
        })
    }

    /// Adds classes and properties.
    #[wasm_bindgen(js_name = updateSchema)]
    pub fn update_schema(
        &self,
        #[wasm_bindgen(unchecked_param_type = "CoreClass[]")] classes: JsValue,
        version: Option<f64>,
    ) -> JsResult<()> {
        let wanted = classes_from_js(classes)?;
        let driver = self.view.live()?;
        driver.change(|engine| engine.update_schema(clock::now(), &wanted, version.map(|version| version as u64)))?;
        super::open::record_schema_version(driver);
        Ok(())
    }

    /// Opens a local realm that nobody uses any more anew, as if it had been closed in between.
    pub fn readopt(&self, #[wasm_bindgen(unchecked_param_type = "CoreConfig")] config: JsValue) -> JsResult<()> {
        Ok(super::open::readopt(self.view.live()?, config)?)
    }

    /// The realm before the migration that is under way; undefined without one.
    #[wasm_bindgen(js_name = migratingFrom)]
    pub fn migrating_from(&self) -> JsResult<Option<RealmCore>> {
        let View::Live(driver) = &self.view else { return Ok(None) };
        let before = driver.engine(|engine| engine.migrating_from())?;
        Ok(before.map(|(state, version)| RealmCore::of_frozen(Frozen::new(driver.path(), state, 0, version))))
    }

    /// Ends the migration. If it throws, nothing has changed and the realm closes.
    #[wasm_bindgen(js_name = finishMigration)]
    pub fn finish_migration(&self) -> JsResult<()> {
        let driver = self.view.live()?;
        driver.change(|engine| engine.finish_migration(clock::now()))?;
        super::open::record_schema_version(driver);
        Ok(())
    }

    /// Gives the migration up, and the realm with it.
    #[wasm_bindgen(js_name = abortMigration)]
    pub fn abort_migration(&self) -> JsResult<()> {
        Ok(self.view.live()?.change(|engine| {
            engine.abort_migration(clock::now());
            Ok::<(), Fault>(())
        })?)
    }

    /// Deletes a class with its objects, inside a transaction; outside a migration this raises the schema version.
    #[wasm_bindgen(js_name = deleteClass)]
    pub fn delete_class(&self, name: &str) -> JsResult<()> {
        Ok(self.view.live()?.write(|engine| Ok(engine.delete_class(name)?))?)
    }

    /// Adds classes and properties inside a transaction, which raises the schema version.
    #[wasm_bindgen(js_name = extendSchema)]
    pub fn extend_schema(
        &self,
        #[wasm_bindgen(unchecked_param_type = "CoreClass[]")] classes: JsValue,
    ) -> JsResult<()> {
        let wanted = classes_from_js(classes)?;
        Ok(self.view.live()?.write(|engine| Ok(engine.extend_schema(&wanted)?))?)
    }

    /// How many bytes the store has, and how many it would have after compaction.
    #[wasm_bindgen(unchecked_return_type = "[number, number]")]
    pub fn usage(&self) -> JsResult<js_sys::Array> {
        let (total, used) = self.view.live()?.engine(|engine| engine.usage())?;
        Ok([total, used].map(|bytes| JsValue::from_f64(bytes as f64)).into_iter().collect())
    }

    /// Has the whole store written anew.
    pub fn compact(&self) -> JsResult<()> {
        Ok(self.view.live()?.change(|engine| engine.compact())?)
    }

    /// Opens a local copy of what is visible now at another path, which must be free.
    #[wasm_bindgen(js_name = openCopy)]
    pub fn open_copy(
        &self,
        #[wasm_bindgen(unchecked_param_type = "CoreConfig")] config: JsValue,
        host: crate::host::Host,
    ) -> JsResult<RealmCore> {
        let driver = super::copy::open_copy(self.view.live()?, config, host)?;
        Ok(RealmCore { view: View::Live(driver) })
    }

    /// Writes what is visible now to a new realm of another path.
    #[wasm_bindgen(js_name = writeCopy)]
    pub fn write_copy(
        &self,
        #[wasm_bindgen(unchecked_param_type = "CoreConfig")] config: JsValue,
    ) -> JsResult<js_sys::Promise> {
        let driver = self.view.live()?;
        let copying = super::copy::write_copy(driver, config)?;
        Ok(wasm_bindgen_futures::future_to_promise(async move {
            copying.await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// Begins a write transaction.
    pub fn begin(&self) -> JsResult<()> {
        Ok(self.view.live()?.change(|engine| engine.begin_write(clock::now()))?)
    }

    /// Ends the transaction: what it wrote is visible at once, and stored soon.
    pub fn commit(&self) -> JsResult<()> {
        let driver = self.view.live()?;
        let before = driver.engine(|engine| engine.recorded_schema_version())?;
        driver.change(|engine| engine.commit_write(clock::now()))?;
        if driver.engine(|engine| engine.recorded_schema_version())? != before {
            super::open::record_schema_version(driver);
        }
        Ok(())
    }

    /// Forgets what the transaction wrote.
    pub fn cancel(&self) -> JsResult<()> {
        Ok(self.view.live()?.change(|engine| engine.cancel_write(clock::now()))?)
    }

    /// Whether a transaction has been begun.
    #[wasm_bindgen(js_name = inTransaction)]
    pub fn in_transaction(&self) -> JsResult<bool> {
        match &self.view {
            View::Live(driver) => Ok(driver.engine(|engine| engine.in_transaction())?),
            View::Frozen(_) => Ok(false),
        }
    }

    /// A number that changes whenever the visible state does.
    pub fn version(&self) -> JsResult<f64> {
        Ok(self.view.read(|_, version| Ok(version as f64))?)
    }

    /// Creates an object and returns its key; throws code `DuplicateKey`.
    pub fn create(&self, class: u32, primary_key: JsValue) -> JsResult<f64> {
        let driver = self.view.live()?;
        let schema = self.class(class)?;
        let primary_key = match schema.primary_key {
            Some(_) if primary_key.is_undefined() => None,
            Some(column) => Some(value_from_js(&schema, column, &primary_key)?),
            None => None,
        };
        let key = write(driver, |transaction| transaction.create(ClassIndex(class), primary_key))?;
        Ok(key_to_js(Some(key)))
    }

    /// The key of the object with a primary key, or -1.
    pub fn find(&self, class: u32, primary_key: JsValue) -> JsResult<f64> {
        let schema = self.class(class)?;
        let Some(column) = schema.primary_key else { return Ok(key_to_js(None)) };
        let primary_key = value_from_js(&schema, column, &primary_key)?;
        Ok(self.view.read(|snapshot, _| Ok(key_to_js(snapshot.find(ClassIndex(class), &primary_key))))?)
    }

    /// Deletes an object.
    pub fn delete(&self, class: u32, key: f64) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| transaction.delete(ClassIndex(class), key_from_js(key)))?)
    }

    /// Sets a property.
    pub fn set(&self, class: u32, key: f64, column: u32, value: JsValue) -> JsResult<()> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.set(ClassIndex(class), key_from_js(key), ColumnIndex(column), value)
        })?)
    }

    /// Sets a property to its default, which any explicit value beats.
    #[wasm_bindgen(js_name = setDefault)]
    pub fn set_default(&self, class: u32, key: f64, column: u32, value: JsValue) -> JsResult<()> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.set_default(ClassIndex(class), key_from_js(key), ColumnIndex(column), value)
        })?)
    }

    /// The value of a property.
    pub fn get(&self, class: u32, key: f64, column: u32) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, _| {
            let value = cell(snapshot, class, key, column)?;
            Ok(element_to_js(kind_of(snapshot, class, column), value))
        })?)
    }

    /// The value of a property of numbers; undefined for null.
    #[wasm_bindgen(js_name = getNumber)]
    pub fn get_number(&self, class: u32, key: f64, column: u32) -> JsResult<Option<f64>> {
        Ok(self.view.read(|snapshot, _| {
            Ok(match cell(snapshot, class, key, column)? {
                ValueRef::Int(value) => Some(value as f64),
                ValueRef::Float(value) => Some(f64::from(value)),
                ValueRef::Double(value) => Some(value),
                ValueRef::Date(value) => Some(value as f64),
                ValueRef::Link(key) => Some(key.0 as f64),
                _ => None,
            })
        })?)
    }

    /// What a mixed property holds now, as a schema names types; for a link the name of its class in angle brackets.
    #[wasm_bindgen(js_name = mixedType)]
    pub fn mixed_type(&self, class: u32, key: f64, column: u32) -> JsResult<String> {
        Ok(self.view.read(|snapshot, _| Ok(mixed_type(snapshot, cell(snapshot, class, key, column)?)))?)
    }

    /// Adds to an int.
    pub fn increment(&self, class: u32, key: f64, column: u32, by: JsValue) -> JsResult<()> {
        let driver = self.view.live()?;
        let by = int_from_js(&by)
            .ok_or_else(|| Fault::InvalidValue { message: "Expected 'by' to be an integer of 64 bits".to_owned() })?;
        Ok(write(driver, |transaction| {
            transaction.increment(ClassIndex(class), key_from_js(key), ColumnIndex(column), by)
        })?)
    }

    /// Sets a mark in the transaction: what is written after it can be taken back by itself.
    pub fn mark(&self) -> JsResult<()> {
        Ok(write(self.view.live()?, |transaction| {
            transaction.mark();
            Ok(())
        })?)
    }

    /// Forgets the last mark.
    pub fn release(&self) -> JsResult<()> {
        Ok(write(self.view.live()?, |transaction| {
            transaction.release();
            Ok(())
        })?)
    }

    /// Takes back what was written since the last mark, and forgets it.
    pub fn rewind(&self) -> JsResult<()> {
        Ok(write(self.view.live()?, |transaction| {
            transaction.rewind();
            Ok(())
        })?)
    }

    /// Whether an object exists.
    #[wasm_bindgen(js_name = isValid)]
    pub fn is_valid(&self, class: u32, key: f64) -> JsResult<bool> {
        Ok(self.view.read(|snapshot, _| Ok(crate::results::contains(snapshot, ClassIndex(class), key_from_js(key))))?)
    }

    /// How many objects a class has.
    pub fn count(&self, class: u32) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, _| {
            class_of(snapshot, class)?;
            Ok(snapshot.table(ClassIndex(class)).len() as u32)
        })?)
    }

    /// The key of a class's object at a position in the order of the keys, or -1.
    #[wasm_bindgen(js_name = keyAt)]
    pub fn key_at(&self, class: u32, index: u32) -> JsResult<f64> {
        Ok(self.view.read(|snapshot, _| {
            class_of(snapshot, class)?;
            Ok(key_to_js(crate::results::nth_key(snapshot, ClassIndex(class), index as usize)))
        })?)
    }

    /// The objects of a class that match a query, live.
    pub fn query(&self, class: u32, text: String, args: js_sys::Array) -> JsResult<QueryCore> {
        self.class(class)?;
        let all = Recipe { source: Source::Class(ClassIndex(class)), stages: Vec::new() };
        self.narrowed(all, Some(text), &args)
    }

    /// A read-only realm that stays as this one is now.
    pub fn frozen(&self) -> JsResult<RealmCore> {
        let frozen = match &self.view {
            View::Live(driver) => driver.engine(|engine| {
                Frozen::new(driver.path(), engine.frozen(), engine.version(), engine.schema_version())
            })?,
            View::Frozen(frozen) => Rc::clone(frozen),
        };
        Ok(RealmCore { view: View::Frozen(frozen) })
    }

    /// Whether this is a pinned state.
    #[wasm_bindgen(js_name = isFrozen)]
    pub fn is_frozen(&self) -> bool {
        matches!(self.view, View::Frozen(_))
    }

    /// Resolves when everything committed so far is on disk; rejects if it cannot be.
    pub fn flushed(&self) -> js_sys::Promise {
        let view = self.view.clone();
        // Asked for in the turn of the commit, so that the commit's own transaction is made strict.
        let wait = view.live().and_then(|driver| {
            driver.check()?;
            Ok(driver.wait(Event::WaitDurable).1)
        });
        wasm_bindgen_futures::future_to_promise(async move {
            let outcome = wait?.await;
            drop(view);
            outcome.unwrap_or(Err(Fault::RealmClosed))?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Stores what is committed and gives the realm up. A second call waits for the same.
    pub fn close(&self) -> js_sys::Promise {
        self.view.close_frozen();
        let closing = match &self.view {
            View::Live(driver) => Some(driver.close()),
            View::Frozen(_) => None,
        };
        wasm_bindgen_futures::future_to_promise(async move {
            if let Some(closing) = closing {
                closing.await;
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// The sync session of a synced realm.
    pub fn session(&self) -> Option<SessionCore> {
        match &self.view {
            View::Live(driver) => SessionCore::of(driver),
            View::Frozen(_) => None,
        }
    }
}

impl RealmCore {
    /// A realm object that looks at a pinned state.
    pub(super) fn of_frozen(frozen: Rc<Frozen>) -> RealmCore {
        RealmCore { view: View::Frozen(frozen) }
    }

    /// What it looks at.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn class(&self, class: u32) -> Result<Arc<ClassSchema>> {
        self.view.read(|snapshot, _| class_of(snapshot, class).cloned())
    }

    /// What a write needs. The value is converted before anything is borrowed, since reading it can run the app's code.
    pub(super) fn writing(&self, class: u32, column: u32, value: &JsValue) -> Result<(&Rc<Driver>, Value)> {
        Ok((self.view.live()?, self.value(class, column, value)?))
    }

    /// A value for a property, or for an element of it.
    pub(super) fn value(&self, class: u32, column: u32, value: &JsValue) -> Result<Value> {
        value_from_js(&*self.class(class)?, ColumnIndex(column), value)
    }

    pub(super) fn narrowed(&self, recipe: Recipe, text: Option<String>, args: &js_sys::Array) -> JsResult<QueryCore> {
        // What holds for all objects is no stage: the next one then runs over whole pages.
        let recipe = match text.filter(|text| !text.is_empty() && text != "TRUEPREDICATE") {
            Some(text) => {
                let arguments = arguments_from_js(args)?;
                let names = self.view.names();
                let plan =
                    self.view.read(|snapshot, _| super::query::plan(&recipe, (snapshot, &names), &text, &arguments))?;
                recipe.then(Stage::Filter(Rc::new(plan)))
            }
            None => recipe,
        };
        Ok(QueryCore::new(self.view.clone(), Results::new(recipe)))
    }
}

/// Takes one step in the open transaction.
pub(super) fn write<T>(
    driver: &Driver,
    step: impl FnOnce(&mut Transaction) -> std::result::Result<T, WriteError>,
) -> Result<T> {
    driver.write(|engine| Ok(step(engine.transaction()?)?))
}

pub(super) fn class_of(snapshot: &Snapshot, class: u32) -> Result<&Arc<ClassSchema>> {
    snapshot
        .schema()
        .classes
        .get(class as usize)
        .ok_or_else(|| Fault::InvalidValue { message: format!("There is no class number {class} in the schema.") })
}

fn row(snapshot: &Snapshot, class: u32, key: f64) -> Result<Row<'_>> {
    class_of(snapshot, class)?;
    let key: ObjectKey = key_from_js(key);
    snapshot.table(ClassIndex(class)).row(key).ok_or_else(|| WriteError::NoSuchObject.into())
}

/// The value of a property of an object.
pub(super) fn cell(snapshot: &Snapshot, class: u32, key: f64, column: u32) -> Result<ValueRef<'_>> {
    let row = row(snapshot, class, key)?;
    if column as usize >= row.width() {
        return Err(WriteError::NoSuchProperty.into());
    }
    Ok(row.value(ColumnIndex(column)))
}

/// The type of a property or of its elements.
pub(super) fn kind_of(snapshot: &Snapshot, class: u32, column: u32) -> PropertyType {
    snapshot.schema().class(ClassIndex(class)).property(ColumnIndex(column)).kind
}
