//! The measurements in bench/, and one table of what they found.
//!
//! A measurement is a script for node (see `script`). Each line of its output that is a JSON object like
//! `{"name": "reset, 1 % of 10,000 differ: swap", "value": 3.1, "unit": "ms"}` becomes a row (`spread` may name the
//! lowest and the highest: `[2.9, 3.6]`); other lines are passed on.

use std::path::Path;

use serde_json::Value;

use crate::arguments::Mode;
use crate::failure::{Failure, Outcome, While};
use crate::files;
use crate::package;
use crate::process;
use crate::project::Project;
use crate::script;
use crate::setup;
use crate::stage::{self, Play};

/// Runs all measurements, or those whose name contains `only`.
pub fn run(project: &Project, only: Option<&str>) -> Outcome<()> {
    let browser = setup::all(project)?;
    setup::for_measuring(project)?;
    let mut scripts = files::with_extension(&project.path("bench"), "mjs")?;
    scripts.retain(|script| only.is_none_or(|only| files::stem(script).contains(only)));
    if scripts.is_empty() {
        return Err(Failure::new("bench/ has no such scripts (*.mjs)"));
    }
    package::build(project, Mode::Release)?;
    println!("building and starting ebbtide-server (release) ...");
    let scene = stage::open(project, Play::Bench)?;
    let mut rows = Vec::new();
    for script in &scripts {
        println!("== {}", files::stem(script));
        let log = project.build(&format!("logs/bench-{}.log", files::stem(script)));
        let _ = std::fs::remove_file(&log);
        let mut command = script::command(project, &browser, &scene, script)?;
        process::run_logged_within(&mut command, &log, process::SCRIPT_PATIENCE)?;
        rows.extend(rows_in(&log)?);
    }
    scene.close();
    println!();
    for line in table(&rows) {
        println!("{line}");
    }
    for line in package::sizes(project) {
        println!("{line}");
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    value: String,
    spread: String,
}

fn rows_in(log: &Path) -> Outcome<Vec<Row>> {
    let text = std::fs::read_to_string(log).while_doing(|| format!("reading {}", log.display()))?;
    let mut rows = Vec::new();
    for line in text.lines() {
        match row(line) {
            Some(row) => rows.push(row),
            None => println!("{line}"),
        }
    }
    Ok(rows)
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
