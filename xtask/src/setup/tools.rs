//! The Rust side: the WebAssembly target, rustfmt and clippy, wasm-pack, and wasm-bindgen's command line.

use std::fs;
use std::path::Path;

use super::{announced, log};
use crate::failure::{Failure, Outcome, While};
use crate::process::{output_of, run_logged};
use crate::project::Project;

const TARGET: &str = "wasm32-unknown-unknown";
const WASM_PACK: &str = "0.15.1";

/// The WebAssembly target and the components that the lints use.
pub fn toolchain(project: &Project) -> Outcome<()> {
    let sysroot = output_of(project.command("rustc").args(["--print", "sysroot"]))
        .ok_or_else(|| Failure::new("rustc does not run: install Rust with rustup (https://rustup.rs)"))?;
    if !Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        rustup(project, &format!("adding the {TARGET} target"), &["target", "add", TARGET])?;
    }
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        // rustup's stand-in is always there; only the real one answers.
        if output_of(project.command(program).arg("--version")).is_none() {
            rustup(project, &format!("adding {component}"), &["component", "add", component])?;
        }
    }
    Ok(())
}

/// wasm-pack, into cargo's folder of programs.
pub fn wasm_pack(project: &Project) -> Outcome<()> {
    if installed_version(project, "wasm-pack").as_deref() == Some(WASM_PACK) {
        return Ok(());
    }
    let what = format!("installing wasm-pack {WASM_PACK} from source (some minutes, once)");
    announced(&what, || install(project, "wasm-pack", WASM_PACK, Locking::Locked))
}

/// wasm-bindgen's command line and test runner, at the version of the library.
pub fn wasm_bindgen(project: &Project) -> Outcome<()> {
    let lock = fs::read_to_string(project.path("Cargo.lock")).while_doing(|| "reading Cargo.lock".to_owned())?;
    let wanted = locked_version(&lock, "wasm-bindgen")
        .ok_or_else(|| Failure::new("Cargo.lock does not name a version of wasm-bindgen"))?;
    let current = |program| installed_version(project, program).as_deref() == Some(wanted);
    if current("wasm-bindgen") && current("wasm-bindgen-test-runner") {
        return Ok(());
    }
    let what = format!("installing wasm-bindgen-cli {wanted} from source (some minutes, once)");
    announced(&what, || {
        // Its own lock file can name a crate that a registry mirror does not have yet; then the newest that fit will do.
        install(project, "wasm-bindgen-cli", wanted, Locking::Locked).or_else(|failure| {
            println!("setup: wasm-bindgen-cli does not install with its own lock file; resolving afresh ...");
            install(project, "wasm-bindgen-cli", wanted, Locking::Resolved)
                .map_err(|second| Failure::new(format!("{failure}\n{second}")))
        })
    })
}

#[derive(Clone, Copy)]
enum Locking {
    Locked,
    Resolved,
}

fn install(project: &Project, name: &str, version: &str, locking: Locking) -> Outcome<()> {
    let mut command = project.command("cargo");
    // Outside the project's own build folder, and none of its settings.
    command.env_remove("CARGO_TARGET_DIR").current_dir(std::env::temp_dir());
    command.args(["install", name, "--version", version, "--force"]);
    if matches!(locking, Locking::Locked) {
        command.arg("--locked");
    }
    run_logged(&mut command, &log(project, name))
}

fn rustup(project: &Project, what: &str, arguments: &[&str]) -> Outcome<()> {
    if project.program("rustup").is_none() {
        let line = arguments.join(" ");
        return Err(Failure::new(format!(
            "{what} needs rustup: run `rustup {line}`, or install the same by other means"
        )));
    }
    announced(what, || run_logged(project.command("rustup").args(arguments), &log(project, "rustup")))
}

fn installed_version(project: &Project, program: &str) -> Option<String> {
    let path = project.program(program)?;
    let answer = output_of(project.command(path).arg("--version"))?;
    Some(version_in(&answer)?.to_owned())
}

/// The version in an answer like `wasm-pack 0.15.1`.
fn version_in(answer: &str) -> Option<&str> {
    answer.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

/// The version that a Cargo.lock gives a package.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_tools_say() {
        let check = |answer: &str, expected: Option<&str>| assert_eq!(version_in(answer), expected, "{answer:?}");
        check("wasm-pack 0.15.1\n", Some("0.15.1"));
        check("wasm-bindgen 0.2.130\n", Some("0.2.130"));
        check("wasm-bindgen-test-runner 0.2.130 (abc)", Some("0.2.130"));
        check("", None);
    }

    #[test]
    fn the_lock_file_says_which_wasm_bindgen() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.80\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
