//! The demo page, for a person or for a script.

use crate::arguments::{Demo, Driver, Mode};
use crate::failure::{Failure, Outcome};
use crate::package;
use crate::process;
use crate::project::Project;
use crate::script;
use crate::setup::{self, Browser};
use crate::stage::{self, Play};

const SCRIPT: &str = "www/scripted.mjs";

/// Builds the package and prints its sizes.
pub fn build(project: &Project, mode: Mode) -> Outcome<()> {
    setup::for_building(project)?;
    package::build(project, mode)?;
    for line in package::sizes(project) {
        println!("{line}");
    }
    Ok(())
}

/// Shows the demo page.
pub fn run(project: &Project, demo: &Demo) -> Outcome<()> {
    match demo.driver {
        Driver::Person => {
            setup::for_building(project)?;
            package::build(project, demo.mode)?;
            show(project, demo.port)
        }
        Driver::Script => {
            let browser = setup::all(project)?;
            package::build(project, demo.mode)?;
            play(project, &browser)
        }
    }
}

/// Runs the page's whole story in a headless browser, with its timeline on the terminal.
pub fn play(project: &Project, browser: &Browser) -> Outcome<()> {
    let path = project.path(SCRIPT);
    if !path.is_file() {
        return Err(Failure::new(format!("{SCRIPT} does not exist")));
    }
    println!("starting ebbtide-server ...");
    let scene = stage::open(project, Play::ScriptedDemo)?;
    let mut child = process::spawn(&mut script::command(project, browser, &scene, &path)?)?;
    let ended = process::wait(&mut child, process::SCRIPT_PATIENCE);
    scene.close();
    match ended? {
        status if status.success() => Ok(()),
        status => Err(Failure::new(format!("the scripted demo ended with {status}"))),
    }
}

/// Opens the stage of the tests and leaves it open, for whoever writes a test.
pub fn serve_tests(project: &Project) -> Outcome<()> {
    setup::for_building(project)?;
    package::build(project, Mode::Release)?;
    let scene = stage::open(project, Play::Rehearsal)?;
    println!("EBBTIDE_CONDUCTOR={}", scene.url());
    wait_for_the_signal()
}

fn show(project: &Project, port: u16) -> Outcome<()> {
    println!("starting ebbtide-server ...");
    let scene = stage::open(project, Play::Demo { port })?;
    println!("\nThe demo page: {}/", scene.url());
    println!(
        "Try this: take a backup, change something in either list, restore the backup, and watch both clients reset in place."
    );
    println!("Ctrl-C ends the page and the server; the server's data stays in build/data/demo.");
    wait_for_the_signal()
}

/// Ctrl-C ends the program from its handler.
fn wait_for_the_signal() -> Outcome<()> {
    loop {
        std::thread::park();
    }
}
