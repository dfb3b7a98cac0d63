//! The JavaScript side: node itself, and the packages that package-lock.json names.

use super::{announced, log};
use crate::failure::{Failure, Outcome, While};
use crate::process::run_logged;
use crate::project::Project;
use crate::stamp::{self, Inputs};

/// Installs the packages unless they are those of the present lock file.
pub fn modules(project: &Project) -> Outcome<()> {
    if project.program("node").is_none() || project.program("npm").is_none() {
        return Err(Failure::new("node and npm are needed: install Node.js 20 or newer (https://nodejs.org)"));
    }
    if !project.path("package-lock.json").is_file() {
        return Err(Failure::new("package-lock.json is missing: run `npm install` once and commit it"));
    }
    let digest = Inputs::new(&project.root).path("package-lock.json")?.digest();
    let stamp = project.path("node_modules/.installed-for");
    if stamp::is_current(&stamp, &digest) {
        return Ok(());
    }
    announced("npm ci", || run_logged(project.command("npm").arg("ci"), &log(project, "npm")))?;
    if !project.path("node_modules").is_dir() {
        std::fs::create_dir(project.path("node_modules")).while_doing(|| "making node_modules".to_owned())?;
    }
    stamp::record(&stamp, &digest)
}
