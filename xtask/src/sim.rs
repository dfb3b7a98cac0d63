//! The simulated world (crates/ebbtide-testkit, docs/simulation.md): stories, deliberate bugs, crash points, fuzzing, figures.

use std::process::Command;

use crate::failure::{Outcome, While};
use crate::process::run_logged;
use crate::project::Project;
use crate::setup;
use crate::steps::{Steps, Verdict};

/// The feature that compiles the deliberate bugs, and the program that plays the world.
pub const MUTANTS: &str = "ebbtide-testkit/mutants";

/// Plays what the words ask for, with its output in the terminal.
pub fn run(project: &Project, words: &[String]) -> Outcome<Verdict> {
    setup::for_native(project)?;
    let mut command = world(project, "sim");
    let status = command.args(words).status().while_doing(|| "playing the simulated world".to_owned())?;
    Ok(if status.success() { Verdict::Passed } else { Verdict::Failed })
}

/// The same with all optimisations, to measure.
pub fn measure(project: &Project) -> Outcome<Verdict> {
    setup::for_native(project)?;
    let mut command = world(project, "release");
    let status = command.arg("--bench").status().while_doing(|| "measuring merges".to_owned())?;
    Ok(if status.success() { Verdict::Passed } else { Verdict::Failed })
}

/// The part of it that belongs to every run of all tests.
pub fn test(project: &Project, steps: &mut Steps<'_>) {
    let parts: [(&str, &[&str]); 4] = [
        ("simulated world", &["--seeds", "2000"]),
        ("simulated world, deliberate bugs", &["--mutants"]),
        ("simulated world, crash points", &["--crashes"]),
        ("fuzzing", &["--fuzz", "--seconds", "10"]),
    ];
    for (name, words) in parts {
        steps.step(name, |log| run_logged(world(project, "sim").args(words), log));
    }
}

fn world(project: &Project, profile: &str) -> Command {
    let mut command = project.command("cargo");
    command.args(["run", "--quiet", "--profile", profile, "--package", "ebbtide-testkit", "--features", MUTANTS]);
    command.args(["--bin", "world", "--"]);
    command
}
