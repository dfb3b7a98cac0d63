//! The report of a reset as JavaScript reads it.

use ebbtide_core::reset::Report;
use serde::Serialize;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportInfo<'a> {
    discarded_changesets: usize,
    kept_changesets: usize,
    classes: Vec<ClassInfo<'a>>,
}

#[derive(Serialize)]
struct ClassInfo<'a> {
    name: &'a str,
    inserted: usize,
    deleted: usize,
    modified: usize,
}

/// A plain object.
pub(crate) fn report_to_js(report: &Report) -> JsValue {
    let classes = report.classes.iter().map(|class| ClassInfo {
        name: &class.class,
        inserted: class.inserted,
        deleted: class.deleted,
        modified: class.modified,
    });
    let info = ReportInfo {
        discarded_changesets: report.discarded_changesets,
        kept_changesets: report.kept_changesets,
        classes: classes.collect(),
    };
    serde_wasm_bindgen::to_value(&info).unwrap_or(JsValue::NULL)
}
