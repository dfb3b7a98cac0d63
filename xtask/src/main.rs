//! All automation of the project: `cargo xtask help` lists the commands.
//!
//! Knows nothing of the database itself: it installs tools, runs other programs and watches over the server process.

mod arguments;
mod bench;
mod conductor;
mod demo;
mod failure;
mod files;
mod http;
mod oracle;
mod package;
mod port;
mod process;
mod project;
mod proxy;
mod script;
mod server;
mod setup;
mod sim;
mod stage;
mod stamp;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use arguments::Command;
use failure::Outcome;
use project::Project;
use steps::Verdict;

fn main() -> ExitCode {
    let command = match arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(failure) => {
            eprintln!("error: {failure}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    process::end_orphans();
    let outcome = process::end_children_on_signals().and_then(|()| run(command));
    process::end_children();
    match outcome {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome<Verdict> {
    if command == Command::Help {
        println!("{}", arguments::HELP);
        return Ok(Verdict::Passed);
    }
    let project = Project::find()?;
    match command {
        Command::Help => {}
        Command::Test(part) => return test::run(&project, part),
        Command::Setup => setup::all(&project).map(|_| ())?,
        Command::Build(mode) => demo::build(&project, mode)?,
        Command::Demo(options) => demo::run(&project, &options)?,
        Command::Bench(wanted) => bench::run(&project, &wanted)?,
        Command::Oracle(seeds) => return oracle::run(&project, &seeds),
        Command::Sim(words) => return sim::run(&project, &words),
        Command::BenchMerge => return sim::measure(&project),
        Command::Serve => demo::serve_tests(&project)?,
        Command::Tidy => tidy::run(&project)?,
    }
    Ok(Verdict::Passed)
}
