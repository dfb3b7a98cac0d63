//! The browser: found, or installed where this program may install it.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::{announced, log};
use crate::failure::{Failure, Outcome};
use crate::process::run_logged;
use crate::project::Project;

const BROWSERS: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];
const MAC_CHROME: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// A browser with the driver that fits it.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The browser's program.
    pub browser: PathBuf,
    /// The WebDriver server.
    pub driver: PathBuf,
}

/// Finds the browser and its driver, or installs both with apt on Debian as root.
pub fn find_or_install(project: &Project) -> Outcome<Browser> {
    if let Some(found) = find(project) {
        return Ok(found);
    }
    if !may_use_apt(project) {
        return Err(Failure::new(format!("install Chromium and its driver: {}", advice(&os_release()))));
    }
    announced("installing chromium and chromium-driver with apt", || {
        // A fresh image has no package lists, and an old one has stale ones.
        apt(project, &install_arguments()).or_else(|_| {
            apt(project, &["update"])?;
            apt(project, &install_arguments())
        })
    })?;
    find(project).ok_or_else(|| Failure::new("apt has installed chromium, but it is not on the path"))
}

fn find(project: &Project) -> Option<Browser> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    let browser = named("CHROMIUM")
        .or_else(|| BROWSERS.iter().find_map(|name| project.program(name)))
        .or_else(|| Some(PathBuf::from(MAC_CHROME)).filter(|path| path.is_file()))?;
    let driver = named("CHROMEDRIVER").or_else(|| project.program("chromedriver"))?;
    Some(Browser { browser, driver })
}

fn may_use_apt(project: &Project) -> bool {
    geteuid().is_root() && is_debian(&os_release()) && project.program("apt-get").is_some()
}

fn apt(project: &Project, arguments: &[&str]) -> Outcome<()> {
    let mut command = project.command("apt-get");
    run_logged(command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments), &log(project, "apt"))
}

fn install_arguments() -> Vec<&'static str> {
    let mut arguments = vec!["install", "-y", "-q"];
    arguments.extend(PACKAGES);
    arguments
}

fn os_release() -> String {
    fs::read_to_string(Path::new("/etc/os-release")).unwrap_or_default()
}

/// Ubuntu is like Debian, but its chromium package is a stand-in for a snap.
fn is_debian(os_release: &str) -> bool {
    os_release.lines().any(|line| line == "ID=debian")
}

fn advice(os_release: &str) -> String {
    if is_debian(os_release) {
        format!("sudo apt-get install {}", PACKAGES.join(" "))
    } else {
        "Chromium or Chrome with the chromedriver of the same version, both on PATH".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_gets_debian_packages() {
        let check = |text: &str, expected: bool| assert_eq!(is_debian(text), expected, "{text:?}");
        check("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", true);
        check("ID=ubuntu\nID_LIKE=debian\n", false);
        check("", false);
    }
}
