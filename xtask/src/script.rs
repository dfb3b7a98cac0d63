//! Scripts for node that drive a browser through playwright-core.
//!
//! A script learns from its environment: `EBBTIDE_CONDUCTOR` (an address), `EBBTIDE_CHROMIUM` (a program),
//! `EBBTIDE_CHROMIUM_ARGS` (a JSON list), `EBBTIDE_OUTPUT` (a folder for screenshots and the like). It says by its exit
//! code whether it passed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::conductor::Scene;
use crate::failure::{Failure, Outcome, While};
use crate::project::Project;
use crate::setup::Browser;

/// A command that runs one script on a stage.
pub fn command(project: &Project, browser: &Browser, scene: &Scene, script: &Path) -> Outcome<Command> {
    let mut command = command_without_stage(project, browser, script)?;
    command.env("EBBTIDE_CONDUCTOR", scene.url());
    Ok(command)
}

/// A command that runs a script which needs no server.
pub fn command_without_stage(project: &Project, browser: &Browser, script: &Path) -> Outcome<Command> {
    let output = project.build("output");
    fs::create_dir_all(&output).while_doing(|| format!("making {}", output.display()))?;
    let mut command = project.command("node");
    command.arg(script).env("EBBTIDE_OUTPUT", output);
    give_browser(&mut command, project, browser)?;
    Ok(command)
}

/// Tells a script which browser to start, and how.
pub fn give_browser(command: &mut Command, project: &Project, browser: &Browser) -> Outcome<()> {
    command.env("EBBTIDE_CHROMIUM", &browser.browser).env("EBBTIDE_CHROMIUM_ARGS", chromium_arguments(project)?);
    Ok(())
}

/// The flags of webdriver.json, so that they stand in one place.
fn chromium_arguments(project: &Project) -> Outcome<String> {
    let text =
        fs::read_to_string(project.path("webdriver.json")).while_doing(|| "reading webdriver.json".to_owned())?;
    let value: serde_json::Value = serde_json::from_str(&text).while_doing(|| "reading webdriver.json".to_owned())?;
    let arguments = &value["goog:chromeOptions"]["args"];
    if arguments.is_array() { Ok(arguments.to_string()) } else { Err(Failure::new("webdriver.json names no args")) }
}
