//! The arguments of queries.

use ebbtide_core::query::{Argument, GeoPoint, GeoShape};
use ebbtide_core::{ClassIndex, Value};
use wasm_bindgen::{JsCast, JsValue};

use crate::convert::{int_from_js, key_from_js, mixed_from_js};
use crate::error::{Fault, Result};

/// The arguments of a query as the JavaScript face lowers them: values in the form of a mixed, where a whole number is an int;
/// `{link: [class, key]}`, arrays of these, and the regions `{circle: [longitude, latitude, radians]}`,
/// `{box: [west, south, east, north]}` and `{polygon: [[longitude, latitude, …], …]}`.
pub(super) fn arguments_from_js(args: &js_sys::Array) -> Result<Vec<Argument>> {
    args.iter().enumerate().map(|(index, argument)| argument_from_js(index, &argument)).collect()
}

fn argument_from_js(index: usize, argument: &JsValue) -> Result<Argument> {
    convert(argument).ok_or_else(|| Fault::InvalidQuery {
        message: format!("Argument ${index} is of a type that cannot be used in a query."),
        offset: 0,
    })
}

fn convert(argument: &JsValue) -> Option<Argument> {
    if let Some(whole) = int_from_js(argument) {
        return Some(Value::Int(whole).into());
    }
    if let Some(list) = argument.dyn_ref::<js_sys::Array>() {
        return list.iter().map(|element| convert(&element)).collect::<Option<Vec<_>>>().map(Argument::List);
    }
    if !argument.is_object() {
        return mixed_from_js(argument).map(Argument::Value);
    }
    if let Some(link) = numbers(argument, "link") {
        let [class, key] = *link else { return None };
        return Some(Argument::Link { class: ClassIndex(class as u32), key: key_from_js(key) });
    }
    if let Some(circle) = numbers(argument, "circle") {
        let [longitude, latitude, distance] = *circle else { return None };
        let center = GeoPoint { longitude, latitude };
        return Some(Argument::Geo(GeoShape::Circle { center, distance }));
    }
    if let Some(corners) = numbers(argument, "box") {
        let [west, south, east, north] = *corners else { return None };
        let bottom_left = GeoPoint { longitude: west, latitude: south };
        let top_right = GeoPoint { longitude: east, latitude: north };
        return Some(Argument::Geo(GeoShape::Box { bottom_left, top_right }));
    }
    if let Some(rings) = member(argument, "polygon") {
        let rings = rings.dyn_into::<js_sys::Array>().ok()?;
        let rings = rings.iter().map(|ring| {
            let pairs = values(&ring)?;
            let points = pairs.chunks_exact(2).map(|pair| GeoPoint { longitude: pair[0], latitude: pair[1] });
            Some(points.collect())
        });
        return Some(Argument::Geo(GeoShape::Polygon { rings: rings.collect::<Option<_>>()? }));
    }
    mixed_from_js(argument).map(Argument::Value)
}

fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined())
}

fn numbers(object: &JsValue, name: &str) -> Option<Vec<f64>> {
    values(&member(object, name)?)
}

fn values(array: &JsValue) -> Option<Vec<f64>> {
    let array = array.dyn_ref::<js_sys::Array>()?;
    array.iter().map(|number| number.as_f64()).collect()
}
