//! Programs by chance, played on Ebbtide and on Realm itself (tests/oracle/).
//!
//! Realm comes from npm in the one version that was ever compiled to WebAssembly, into build/oracle/: it is asked, and
//! never a part of the repository.

use std::fs;

use crate::arguments::{Mode, Seeds};
use crate::failure::{Outcome, While};
use crate::package;
use crate::process;
use crate::project::Project;
use crate::script;
use crate::setup;
use crate::steps::Verdict;

const SCRIPT: &str = "tests/oracle/run.mjs";
const REALM: &str = "realm@12.0.0-browser.2";
const REALM_ENTRY: &str = "node_modules/realm/dist/bundle.browser.mjs";

/// Plays the programs of some seeds; each that the two answer differently is printed, as small as it could be made.
pub fn run(project: &Project, seeds: &Seeds) -> Outcome<Verdict> {
    let browser = setup::all(project)?;
    package::build(project, Mode::Release)?;
    install(project)?;
    let mut command = project.command("node");
    command
        .arg(project.path(SCRIPT))
        .args([seeds.from.to_string(), seeds.count.to_string()])
        .env("EBBTIDE_ORACLE", project.build("oracle"));
    script::give_browser(&mut command, project, &browser)?;
    let status = command.status().while_doing(|| format!("running {SCRIPT}"))?;
    Ok(if status.success() { Verdict::Passed } else { Verdict::Failed })
}

/// Its scripts are left out: they would look for a build for node, and report to Realm's makers.
fn install(project: &Project) -> Outcome<()> {
    let folder = project.build("oracle");
    if folder.join(REALM_ENTRY).is_file() {
        return Ok(());
    }
    println!("setup: npm install {REALM} ...");
    fs::create_dir_all(&folder).while_doing(|| format!("making {}", folder.display()))?;
    let manifest = folder.join("package.json");
    fs::write(&manifest, "{ \"private\": true }").while_doing(|| format!("writing {}", manifest.display()))?;
    let log = project.build("logs/setup-oracle.log");
    let _ = fs::remove_file(&log);
    let mut command = project.command("npm");
    command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", REALM]).current_dir(&folder);
    process::run_logged(&mut command, &log)
}
