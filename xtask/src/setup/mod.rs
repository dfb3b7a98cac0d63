//! Installs what is missing, says so in one line each, and does nothing twice.

mod chromium;
mod node;
mod tools;

use std::path::PathBuf;
use std::time::Instant;

use crate::failure::Outcome;
use crate::project::Project;

pub use chromium::Browser;

/// Makes sure of everything that building and testing needs.
pub fn all(project: &Project) -> Outcome<Browser> {
    // What may fail for want of rights comes before what takes minutes.
    let browser = for_browsing(project)?;
    for_building(project)?;
    Ok(browser)
}

/// Makes sure of what turns the sources into the package.
pub fn for_building(project: &Project) -> Outcome<()> {
    for_native(project)?;
    node::modules(project, "")?;
    tools::wasm_bindgen(project)?;
    tools::wasm_pack(project)
}

/// Makes sure of the toolchain alone.
pub fn for_native(project: &Project) -> Outcome<()> {
    tools::toolchain(project)
}

/// Makes sure of what the measurements compare with.
pub fn for_measuring(project: &Project) -> Outcome<()> {
    node::modules(project, "bench")
}

/// Makes sure of a browser and its driver.
pub fn for_browsing(project: &Project) -> Outcome<Browser> {
    chromium::find_or_install(project)
}

/// Does one piece of work with a line before it and its time after it.
fn announced<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("setup: {what} ...");
    let start = Instant::now();
    let result = work()?;
    println!("setup: {what}: done in {:.0} s", start.elapsed().as_secs_f64());
    Ok(result)
}

fn log(project: &Project, name: &str) -> PathBuf {
    let path = project.build(&format!("logs/setup-{name}.log"));
    let _ = std::fs::remove_file(&path);
    path
}
