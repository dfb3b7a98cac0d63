//! The measurements in bench/, and one table of what they found.
//!
//! A measurement is a script for node (see `script`). Each line of its output that is a JSON object like
//! `{"name": "reset, 1 % of 10,000 differ: swap", "value": 3.1, "unit": "ms"}` becomes a row (`spread` may name the
//! lowest and the highest: `[2.9, 3.6]`); other lines are passed on.

use std::path::Path;

use serde_json::Value;

use crate::arguments::{Bench, Mode};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::package;
use crate::process;
use crate::project::Project;
use crate::script;
use crate::setup;
use crate::stage::{self, Play};

/// Runs all measurements, or those whose name contains a word. One that fails does not keep the others from running.
pub fn run(project: &Project, wanted: &Bench) -> Outcome<()> {
    let browser = setup::all(project)?;
    setup::for_measuring(project)?;
    let mut scripts = files::with_extension(&project.path("bench"), "mjs")?;
    scripts.retain(|script| wanted.only.as_deref().is_none_or(|only| files::stem(script).contains(only)));
    if scripts.is_empty() {
        return Err(Failure::new("bench/ has no such scripts (*.mjs)"));
    }
    package::build(project, Mode::Release)?;
    let scene = if scripts.iter().any(|script| needs_stage(script)) {
        println!("building and starting ebbtide-server (release) ...");
        Some(stage::open(project, Play::Bench)?)
    } else {
        None
    };
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for script in &scripts {
        println!("== {}", files::stem(script));
        let mut command = match &scene {
            Some(scene) => script::command(project, &browser, scene, script)?,
            None => script::command_without_stage(project, &browser, script)?,
        };
        command.args(&wanted.options);
        let log = project.build(&format!("logs/bench-{}.log", files::stem(script)));
        let _ = std::fs::remove_file(&log);
        let outcome = process::run_listened_to(&mut command, &log, |line| match row(line) {
            Some(row) => rows.push(row),
            None => println!("{line}"),
        });
        if let Err(failure) = outcome {
            println!("{failure}");
            failures.push(files::stem(script).to_owned());
        }
    }
    if let Some(scene) = scene {
        scene.close();
    }
    println!();
    for line in table(&rows) {
        println!("{line}");
    }
    for line in package::sizes(project) {
        println!("{line}");
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failures.join(", ")))) }
}

/// A script that talks to a server says so by what it imports.
fn needs_stage(script: &Path) -> bool {
    std::fs::read_to_string(script).is_ok_and(|text| text.contains("/support/stage.mjs\""))
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    value: String,
    spread: String,
}

fn row(line: &str) -> Option<Row> {
    let object: Value = serde_json::from_str(line).ok()?;
    let unit = object["unit"].as_str().unwrap_or_default();
    let spread = match object["spread"].as_array().map(Vec::as_slice) {
        Some([low, high]) => format!("{} to {}", figure(low)?, figure(high)?),
        _ => String::new(),
    };
    Some(Row {
        name: object["name"].as_str()?.to_owned(),
        value: format!("{} {unit}", figure(&object["value"])?),
        spread,
    })
}

/// Three digits say enough.
fn figure(value: &Value) -> Option<String> {
    let value = value.as_f64()?;
    Some(match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    })
}

fn table(rows: &[Row]) -> Vec<String> {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    rows.iter()
        .map(|row| format!("{:<width$}  {:>12}  {}", row.name, row.value, row.spread).trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_rows_and_other_lines_do_not() {
        let check = |line: &str, expected: Option<(&str, &str)>| {
            let found = row(line);
            let found = found.as_ref().map(|row| (row.value.as_str(), row.spread.as_str()));
            assert_eq!(found, expected, "{line}");
        };
        check(r#"{"name":"swap","value":3.14159,"unit":"ms"}"#, Some(("3.14 ms", "")));
        check(r#"{"name":"open","value":1234.5,"unit":"ms","spread":[900,1300.2]}"#, Some(("1234 ms", "900 to 1300")));
        check(r#"{"name":"no value"}"#, None);
        check("10,000 objects of 7 fields", None);
    }
}
