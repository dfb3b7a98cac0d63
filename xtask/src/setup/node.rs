//! The JavaScript side: node itself, and the packages that package-lock.json names.

use std::path::Path;

use super::{announced, log};
use crate::failure::{Failure, Outcome, While};
use crate::process::run_logged;
use crate::project::Project;
use crate::stamp::{self, Inputs};

/// Installs the packages of a folder of the repository (`""` for its root) unless they are those of the present lock file.
pub fn modules(project: &Project, folder: &str) -> Outcome<()> {
    let within = |name: &str| Path::new(folder).join(name).display().to_string();
    if project.program("node").is_none() || project.program("npm").is_none() {
        return Err(Failure::new("node and npm are needed: install Node.js 20 or newer (https://nodejs.org)"));
    }
    let lock = within("package-lock.json");
    if !project.path(&lock).is_file() {
        return Err(Failure::new(format!("{lock} is missing: run `npm install` once and commit it")));
    }
    let digest = Inputs::new(&project.root).path(&lock)?.digest();
    let modules = project.path(&within("node_modules"));
    let stamp = modules.join(".installed-for");
    if stamp::is_current(&stamp, &digest) {
        return Ok(());
    }
    announced(format!("npm ci {folder}").trim_end(), || {
        run_logged(project.command("npm").arg("ci").current_dir(project.path(folder)), &log(project, "npm"))
    })?;
    if !modules.is_dir() {
        std::fs::create_dir(&modules).while_doing(|| format!("making {}", modules.display()))?;
    }
    stamp::record(&stamp, &digest)
}
