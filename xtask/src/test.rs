//! Every test there is, cheapest first.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::arguments::{Mode, Part};
use crate::conductor::Scene;
use crate::demo;
use crate::failure::Outcome;
use crate::files;
use crate::package;
use crate::process::{self, run_logged};
use crate::project::Project;
use crate::script;
use crate::setup::{self, Browser};
use crate::sim;
use crate::stage::{self, Play};
use crate::steps::{Steps, Verdict};
use crate::tidy;

const EDGE: &str = "ebbtide";
const TARGET: &str = "wasm32-unknown-unknown";
/// The feature that compiles the browser tests which need a server.
const SERVER_TESTS: &str = "server-tests";
const NOT_BUILT: &str = "the package was not built";
const NO_STAGE: &str = "the server did not start";
const BROWSER_TEST_SECONDS: u32 = 900;

/// Runs the chosen tests and prints a table of them.
pub fn run(project: &Project, part: Part) -> Outcome<Verdict> {
    match part {
        Part::Native => setup::for_native(project)?,
        Part::Lint => setup::for_building(project)?,
        Part::Everything | Part::Browser { .. } | Part::EndToEnd { .. } | Part::Demo => {
            setup::all(project)?;
        }
    }
    let mut steps = Steps::new(project);
    match part {
        Part::Lint => {
            lint_rust(project, &mut steps);
            let built = package(project, &mut steps);
            lint_javascript(project, &mut steps, built);
        }
        Part::Native => native(project, &mut steps),
        Part::Browser { hosts } => {
            let built = package(project, &mut steps);
            on_stage(project, &mut steps, built, |steps, scene, browser| {
                browser_tests(project, steps, &scene, &browser, &hosts);
            })?;
        }
        Part::EndToEnd { names } => {
            let built = package(project, &mut steps);
            on_stage(project, &mut steps, built, |steps, scene, browser| {
                end_to_end(project, steps, &scene, &browser, &names);
            })?;
        }
        Part::Demo => {
            let built = package(project, &mut steps);
            scripted_demo(project, &mut steps, built)?;
        }
        Part::Everything => everything(project, &mut steps)?,
    }
    Ok(steps.finish())
}

fn everything(project: &Project, steps: &mut Steps<'_>) -> Outcome<()> {
    lint_rust(project, steps);
    native(project, steps);
    let built = package(project, steps);
    lint_javascript(project, steps, built);
    on_stage(project, steps, built, |steps, scene, browser| {
        browser_tests(project, steps, &scene, &browser, &[]);
        end_to_end(project, steps, &scene, &browser, &[]);
    })?;
    scripted_demo(project, steps, built)
}

fn lint_rust(project: &Project, steps: &mut Steps<'_>) {
    steps.step("formatting", |log| {
        run_logged(&mut cargo(project, &["fmt", "--all", "--check", "--", "--color", "never"]), log)
    });
    steps.step("tidiness", |_| tidy::run(project));
    let native = ["clippy", "--workspace", "--exclude", EDGE, "--all-targets", "--features", sim::MUTANTS];
    let native = [&native[..], &["--", "--deny", "warnings"]].concat();
    steps.step("clippy, native crates", |log| run_logged(&mut cargo(project, &native), log));
    let edge = ["clippy", "--package", EDGE, "--target", TARGET, "--all-targets", "--features", SERVER_TESTS];
    let edge = [&edge[..], &["--", "--deny", "warnings"]].concat();
    steps.step("clippy, browser edge", |log| run_logged(&mut cargo(project, &edge), log));
}

fn native(project: &Project, steps: &mut Steps<'_>) {
    let arguments = ["test", "--no-fail-fast", "--workspace", "--exclude", EDGE];
    steps.step("native tests", |log| run_logged(&mut cargo(project, &arguments), log));
    sim::test(project, steps);
}

fn package(project: &Project, steps: &mut Steps<'_>) -> bool {
    steps.step("package", |_| package::build(project, Mode::Release)).is_some()
}

fn lint_javascript(project: &Project, steps: &mut Steps<'_>, built: bool) {
    if !built {
        return steps.missed("JavaScript types and lints", NOT_BUILT);
    }
    let mut command = project.command("npm");
    command.args(["run", "--silent", "check"]);
    steps.step("JavaScript types and lints", |log| run_logged(&mut command, log));
}

/// Opens the stage for the tests inside, and closes it after them.
fn on_stage(
    project: &Project,
    steps: &mut Steps<'_>,
    built: bool,
    play: impl FnOnce(&mut Steps<'_>, Arc<Scene>, Browser),
) -> Outcome<()> {
    let browser = setup::for_browsing(project)?;
    if !built {
        steps.missed("browser and end-to-end tests", NOT_BUILT);
        return Ok(());
    }
    match steps.step("server and conductor", |_| stage::open(project, Play::Tests)) {
        None => steps.missed("browser and end-to-end tests", NO_STAGE),
        Some(scene) => {
            play(steps, Arc::clone(&scene), browser);
            scene.close();
        }
    }
    Ok(())
}

/// Each host is a step of its own: wasm-pack ends at the first that fails, and takes no word to go on.
fn browser_tests(project: &Project, steps: &mut Steps<'_>, scene: &Scene, browser: &Browser, wanted: &[String]) {
    let mut hosts: Vec<String> = match files::with_extension(&project.path("tests"), "rs") {
        Ok(found) => found.iter().map(|path| files::stem(path)).collect(),
        Err(failure) => return steps.missed("browser", &failure.to_string()),
    };
    if wanted.is_empty() {
        steps
            .step("browser: unit tests", |log| run_logged(&mut browser_test(project, scene, browser, &["--lib"]), log));
    }
    hosts.retain(|host| wanted.is_empty() || wanted.contains(host));
    if hosts.is_empty() {
        steps.missed("browser", "tests/ has no such hosts (*.rs)");
    }
    for host in hosts {
        let mut command = browser_test(project, scene, browser, &["--test", &host]);
        steps.step(&format!("browser: {host}"), |log| run_logged(&mut command, log));
    }
}

fn browser_test(project: &Project, scene: &Scene, browser: &Browser, choice: &[&str]) -> Command {
    let mut command = project.command("wasm-pack");
    command
        .args(["test", "--headless", "--chrome", "--chromedriver"])
        .arg(&browser.driver)
        .args(["--", "--features", SERVER_TESTS])
        .args(choice);
    command.env("EBBTIDE_CONDUCTOR", scene.url());
    command.env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TEST_SECONDS.to_string());
    command
}

fn end_to_end(project: &Project, steps: &mut Steps<'_>, scene: &Scene, browser: &Browser, names: &[String]) {
    let scripts = match files::with_extension(&project.path("tests/e2e"), "mjs") {
        Ok(scripts) => scripts,
        Err(failure) => return steps.missed("end to end", &failure.to_string()),
    };
    let is_wanted = |stem: &str| names.is_empty() || names.iter().any(|name| stem.contains(name.as_str()));
    let mut any = false;
    for script in scripts {
        let stem = files::stem(&script);
        if is_wanted(&stem) {
            any = true;
            steps.step(&format!("end to end: {stem}"), |log| run_script(project, browser, scene, &script, log));
        }
    }
    if !any {
        steps.missed("end to end", "tests/e2e has no such scripts (*.mjs)");
    }
}

fn run_script(project: &Project, browser: &Browser, scene: &Scene, script: &Path, log: &Path) -> Outcome<()> {
    let mut command = script::command(project, browser, scene, script)?;
    process::run_logged_within(&mut command, log, process::SCRIPT_PATIENCE)
}

fn scripted_demo(project: &Project, steps: &mut Steps<'_>, built: bool) -> Outcome<()> {
    let browser = setup::for_browsing(project)?;
    if built {
        steps.step("scripted demo", |_| demo::play(project, &browser));
    } else {
        steps.missed("scripted demo", NOT_BUILT);
    }
    Ok(())
}

fn cargo(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command("cargo");
    command.args(arguments);
    command
}
