//! `QueryCore`: a live collection of objects, or of the values of a list.

use std::rc::Rc;

use ebbtide_core::number::Number;
use ebbtide_core::query::{Aggregate, Argument, Direction, Fold, Names, Order, Plan, compile, parse};
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, PropertyType, Snapshot};
use wasm_bindgen::prelude::*;

use super::arguments::arguments_from_js;
use crate::convert::{NO_KEY, element_to_js, key_from_js, key_to_js, mixed_to_js, value_to_js};
use crate::error::{Fault, Result};
use crate::results::{self, Recipe, Results, Source, Stage};
use crate::view::View;

type JsResult<T> = std::result::Result<T, JsValue>;

/// A live collection.
#[wasm_bindgen]
pub struct QueryCore {
    view: View,
    results: Rc<Results>,
}

#[wasm_bindgen]
impl QueryCore {
    /// How many elements there are.
    pub fn length(&self) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, version| {
            if self.results.recipe.stages.is_empty()
                && let Source::Class(class) = self.results.recipe.source
            {
                return Ok(snapshot.table(class).len() as u32);
            }
            if self.results.recipe.is_of_values(snapshot) {
                return Ok(self.results.positions(snapshot, version).len() as u32);
            }
            Ok(self.results.keys(snapshot, version).len() as u32)
        })?)
    }

    /// The key of the object at a position, or -1.
    #[wasm_bindgen(js_name = keyAt)]
    pub fn key_at(&self, index: u32) -> JsResult<f64> {
        Ok(self.view.read(|snapshot, version| Ok(key_to_js(self.results.key_at(snapshot, version, index as usize))))?)
    }

    /// The position of an object, or -1.
    #[wasm_bindgen(js_name = indexOf)]
    pub fn index_of(&self, key: f64) -> JsResult<f64> {
        let key = key_from_js(key);
        Ok(self.view.read(|snapshot, version| {
            let keys = self.results.keys(snapshot, version);
            Ok(keys.iter().position(|present| *present == key).map_or(NO_KEY, |index| index as f64))
        })?)
    }

    /// All keys.
    pub fn keys(&self) -> JsResult<js_sys::Float64Array> {
        Ok(self.view.read(|snapshot, version| {
            let keys: Vec<f64> = self.results.keys(snapshot, version).iter().map(|key| key.0 as f64).collect();
            Ok(js_sys::Float64Array::from(keys.as_slice()))
        })?)
    }

    /// The value at a position of a collection of values; undefined outside of it.
    #[wasm_bindgen(js_name = valueAt)]
    pub fn value_at(&self, index: u32) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, version| {
            let source = &self.results.recipe.source;
            let positions = self.results.positions(snapshot, version);
            let Some(position) = positions.get(index as usize) else { return Ok(JsValue::UNDEFINED) };
            let value = source.value_at(snapshot, *position as usize);
            let kind = source.property(snapshot).map_or(PropertyType::Mixed, |property| property.kind);
            Ok(value.map_or(JsValue::UNDEFINED, |value| element_to_js(kind, value)))
        })?)
    }

    /// All values of a collection of values.
    pub fn values(&self) -> JsResult<js_sys::Array> {
        Ok(self.view.read(|snapshot, version| {
            let source = &self.results.recipe.source;
            let kind = source.property(snapshot).map_or(PropertyType::Mixed, |property| property.kind);
            let values = source.values(snapshot);
            let positions = self.results.positions(snapshot, version);
            Ok(positions.iter().map(|position| element_to_js(kind, values[*position as usize])).collect())
        })?)
    }

    /// Where the value at a position lies in the list that the collection is of; -1 outside of it.
    #[wasm_bindgen(js_name = positionAt)]
    pub fn position_at(&self, index: u32) -> JsResult<f64> {
        Ok(self.view.read(|snapshot, version| {
            let positions = self.results.positions(snapshot, version);
            Ok(positions.get(index as usize).map_or(NO_KEY, |position| f64::from(*position)))
        })?)
    }

    /// The elements that also match another query.
    pub fn filter(&self, text: String, args: js_sys::Array) -> JsResult<QueryCore> {
        let arguments = arguments_from_js(&args)?;
        if self.results.recipe.is_limited() {
            let message = "Filtering a Results with a limit is not yet implemented".to_owned();
            return Err(Fault::InvalidQuery { message, offset: 0 }.into());
        }
        let names = self.view.names();
        let plan = self.view.read(|snapshot, _| plan(&self.results.recipe, (snapshot, &names), &text, &arguments))?;
        Ok(self.then(Stage::Filter(Rc::new(plan))))
    }

    /// The same elements in another order: pairs of key path and whether it ascends.
    pub fn sort(
        &self,
        #[wasm_bindgen(unchecked_param_type = "[string, boolean][]")] keys: js_sys::Array,
    ) -> JsResult<QueryCore> {
        let paths = order_from_js(&keys)?;
        let names = self.view.names();
        let stage = self.view.read(|snapshot, _| {
            if self.results.recipe.is_of_values(snapshot) {
                let ascending = paths.first().is_none_or(|(_, ascending)| *ascending);
                return Ok(Stage::OrderValues { ascending });
            }
            let class = element_class(&self.results.recipe, snapshot)?;
            let paths: Vec<(&str, Direction)> = paths
                .iter()
                .map(|(path, ascending)| {
                    (path.as_str(), if *ascending { Direction::Ascending } else { Direction::Descending })
                })
                .collect();
            Ok(Stage::Order(Rc::new(Order::new((snapshot.schema(), &*names), class, &paths)?)))
        })?;
        Ok(self.then(stage))
    }

    /// The query in words.
    pub fn description(&self) -> String {
        let plans = || {
            let stages = self.results.recipe.stages.iter();
            stages.filter_map(|stage| if let Stage::Filter(plan) = stage { Some(plan) } else { None })
        };
        let predicates: Vec<&str> =
            plans().map(|plan| plan.describe_predicate()).filter(|predicate| *predicate != "TRUEPREDICATE").collect();
        let predicate = if predicates.is_empty() { "TRUEPREDICATE".to_owned() } else { predicates.join(" and ") };
        let suffixes: Vec<&str> =
            plans().map(|plan| plan.describe_suffixes()).filter(|text| !text.is_empty()).collect();
        format!("{predicate} {}", suffixes.join(" "))
    }

    /// The number of the class of the elements, or -1 for values.
    #[wasm_bindgen(js_name = classIndex)]
    pub fn class_index(&self) -> JsResult<f64> {
        Ok(self.view.read(|snapshot, _| {
            Ok(self.results.recipe.element_class(snapshot).map_or(NO_KEY, |class| f64::from(class.0)))
        })?)
    }

    /// The least value of a property, named by its number or a key path; null if there is none.
    pub fn min(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | string | undefined")] of: JsValue,
    ) -> JsResult<JsValue> {
        self.fold(Aggregate::Min, &of)
    }

    /// The greatest value of a property; null if there is none.
    pub fn max(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | string | undefined")] of: JsValue,
    ) -> JsResult<JsValue> {
        self.fold(Aggregate::Max, &of)
    }

    /// The sum of a property.
    pub fn sum(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | string | undefined")] of: JsValue,
    ) -> JsResult<JsValue> {
        self.fold(Aggregate::Sum, &of)
    }

    /// The average of a property; null if there is none.
    pub fn avg(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | string | undefined")] of: JsValue,
    ) -> JsResult<JsValue> {
        self.fold(Aggregate::Average, &of)
    }
}

impl QueryCore {
    /// A collection as a view sees it.
    pub(super) fn new(view: View, results: Rc<Results>) -> QueryCore {
        QueryCore { view, results }
    }

    /// The recipe and its last result.
    pub(super) fn results(&self) -> &Rc<Results> {
        &self.results
    }

    fn then(&self, stage: Stage) -> QueryCore {
        QueryCore { view: self.view.clone(), results: self.results.then(stage) }
    }

    fn fold(&self, operation: Aggregate, of: &JsValue) -> JsResult<JsValue> {
        let (column, path) = (of.as_f64(), of.as_string());
        let names = self.view.names();
        Ok(self.view.read(|snapshot, version| {
            let source = &self.results.recipe.source;
            if let (Some(property), true) = (source.property(snapshot), self.results.recipe.is_of_values(snapshot)) {
                // Where the type is known before, NaN is no number.
                let is_known = property.kind != PropertyType::Mixed;
                let values = source.values(snapshot).into_iter();
                let numbers = values.filter(|value| !is_known || !Number::of(*value).is_some_and(Number::is_nan));
                let value = results::fold_values(numbers, operation);
                return Ok(element_to_js(property.kind, value.as_ref()));
            }
            let class = element_class(&self.results.recipe, snapshot)?;
            let named = column.and_then(|column| snapshot.schema().class(class).properties.get(column as usize));
            if let (Some(column), Some(PropertyType::Mixed)) = (column, named.map(|property| property.kind)) {
                let keys = self.results.keys(snapshot, version);
                let cell = |key: &ObjectKey| snapshot.table(class).get(*key, ColumnIndex(column as u32));
                let value = results::fold_values(keys.iter().filter_map(cell), operation);
                return Ok(mixed_to_js(value.as_ref()));
            }
            let path = path.or_else(|| named.map(|property| property.name.clone())).ok_or_else(|| {
                Fault::InvalidQuery { message: "An aggregate of objects needs a property.".to_owned(), offset: 0 }
            })?;
            let keys = self.results.keys(snapshot, version);
            let fold = Fold::new((snapshot.schema(), &*names), class, &path, operation)?;
            let value = fold.over(snapshot, keys.iter().copied());
            Ok(value_to_js(value.as_ref()))
        })?)
    }
}

/// Compiles a query over the elements of a recipe.
pub(super) fn plan(
    recipe: &Recipe,
    (snapshot, names): (&Snapshot, &Names),
    text: &str,
    arguments: &[Argument],
) -> Result<Plan> {
    let class = element_class(recipe, snapshot)?;
    let query = parse(text)?;
    Ok(compile(&query, (snapshot.schema(), names), class, arguments)?)
}

fn order_from_js(keys: &js_sys::Array) -> Result<Vec<(String, bool)>> {
    keys.iter()
        .map(|pair| {
            let pair: js_sys::Array = pair.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_bool().unwrap_or(true)))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Fault::InvalidQuery {
            message: "An order is a list of pairs of a key path and whether it ascends.".to_owned(),
            offset: 0,
        })
}

fn element_class(recipe: &Recipe, snapshot: &Snapshot) -> Result<ClassIndex> {
    recipe.element_class(snapshot).ok_or_else(|| Fault::InvalidQuery {
        message: "Filtering and sorting by properties needs objects; this is a collection of values.".to_owned(),
        offset: 0,
    })
}
