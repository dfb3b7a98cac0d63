//! Plays the simulated world; `cargo xtask sim` starts it.

#![expect(clippy::disallowed_methods, reason = "the program measures; what it plays has a time of its own")]

mod bench;
mod crashes;
mod fuzz;
mod mutants;
mod options;
mod seeds;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let passed = match options {
        Options::Seed(seed) => seeds::play_one(seed),
        Options::Seeds { from, count, minutes } => seeds::play_many(from, count, minutes),
        Options::Fuzz { seconds } => fuzz::fuzz_all(seconds),
        Options::Bench => bench::measure(),
        Options::Crashes => crashes::enumerate_all(),
        Options::Mutants { count } => mutants::hunt(count),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
