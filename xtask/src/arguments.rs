//! The command line, as a value.

use std::str::FromStr;

use crate::failure::{Failure, Outcome};

/// What `cargo xtask help` prints.
pub const HELP: &str = "\
cargo xtask <command>

  demo [--port N]            build everything, start the server, serve the demo page until Ctrl-C
  demo --scripted            run the demo page's whole story in a headless browser and print its timeline
  test                       everything: formatting, lints, types, native, browser and end-to-end tests, the scripted demo
  test lint                  formatting, tidiness, clippy, JavaScript types and lints
  test native                the tests of all crates but the browser edge
  test browser [FILE ...]    wasm-pack test in headless Chromium, all hosts or the named ones of tests/*.rs
  test e2e [NAME ...]        the scripts in tests/e2e, all or those whose name contains NAME
  test demo                  the same as demo --scripted
  bench [NAME] [--runs N] [--contenders A,B] [--n N] [--million]
                             the measurements in bench/, all or those whose name contains NAME: so many runs (5), of these
                             contenders only, on so many objects (100,000); --million follows the growth up to a million
  bench merge                how fast client and server merge, natively
  sim [--seed N | --seeds K [--from N]] [--minutes M]
                             stories of the simulated world: one seed, or many; those that fail are told as short as they can be
  sim --mutants | --crashes  the deliberate bugs that the stories must find; a crash at every point of some stories
  fuzz [--minutes M]         whatever bytes and messages come from outside: an error, never a panic
  oracle [--seeds N] [--from N]
                             programs by chance, played on Ebbtide and on Realm itself; what they say must be equal
  build [--dev]              the WebAssembly package (pkg/) and the JavaScript face (dist/), with sizes
  serve                      the server and the conductor as the tests see them, until Ctrl-C
  setup                      install whatever is missing, and nothing else
  tidy                       the checks of files that no other tool makes";

/// One invocation.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Setup,
    Build(Mode),
    Test(Part),
    Demo(Demo),
    Bench(Bench),
    Oracle(Seeds),
    /// What the simulated world is told, as it takes it.
    Sim(Vec<String>),
    BenchMerge,
    Serve,
    Tidy,
}

/// Which programs to play on Ebbtide and on Realm itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first seed.
    pub from: u32,
    /// How many seeds.
    pub count: u32,
}

/// How the WebAssembly package is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Optimised, with wasm-opt: what ships, and what the tests run on.
    Release,
    /// Quick to compile, slow to run.
    Dev,
}

/// Which of the tests to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Everything,
    Lint,
    Native,
    Browser { hosts: Vec<String> },
    EndToEnd { names: Vec<String> },
    Demo,
}

/// What to measure.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bench {
    /// A part of the names of the scripts.
    pub only: Option<String>,
    /// What the scripts are told, as they take it.
    pub options: Vec<String>,
}

/// How to show the demo page.
#[derive(Debug, PartialEq, Eq)]
pub struct Demo {
    /// Who clicks.
    pub driver: Driver,
    /// The port of the page; another one is taken if it is busy.
    pub port: u16,
    /// How the package is compiled.
    pub mode: Mode,
}

/// Who works the demo page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Person,
    Script,
}

const DEMO_PORT: u16 = 8787;
const SEEDS_COUNT: u32 = 50;

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl Iterator<Item = String>) -> Outcome<Command> {
    let mut rest: Vec<String> = arguments.collect();
    if rest.is_empty() || rest.iter().any(|word| word == "--help" || word == "-h") {
        return Ok(Command::Help);
    }
    let name = rest.remove(0);
    let command = match name.as_str() {
        "help" => Command::Help,
        "setup" => Command::Setup,
        "serve" => Command::Serve,
        "tidy" => Command::Tidy,
        "build" => Command::Build(take_mode(&mut rest)),
        "demo" => Command::Demo(Demo {
            driver: if take_flag(&mut rest, "--scripted") { Driver::Script } else { Driver::Person },
            mode: take_mode(&mut rest),
            port: take_number(&mut rest, "--port", "a port number")?.unwrap_or(DEMO_PORT),
        }),
        "oracle" => Command::Oracle(Seeds {
            count: take_number(&mut rest, "--seeds", "a number of seeds")?.unwrap_or(SEEDS_COUNT),
            from: take_number(&mut rest, "--from", "a seed")?.unwrap_or(1),
        }),
        "bench" if rest.first().is_some_and(|name| name == "merge") => {
            rest.remove(0);
            Command::BenchMerge
        }
        "bench" => Command::Bench(take_bench(&mut rest)?),
        "sim" => Command::Sim(take_sim(&mut rest)?),
        "fuzz" => {
            let minutes: u32 = take_number(&mut rest, "--minutes", "a number of minutes")?.unwrap_or(1);
            Command::Sim(["--fuzz".to_owned(), "--seconds".to_owned(), (60 * minutes).to_string()].to_vec())
        }
        "test" => Command::Test(take_part(&mut rest)?),
        other => return Err(Failure::new(format!("there is no command `{other}`"))),
    };
    match rest.first() {
        None => Ok(command),
        Some(extra) => Err(Failure::new(format!("`{name}` does not take `{extra}`"))),
    }
}

fn take_part(rest: &mut Vec<String>) -> Outcome<Part> {
    if rest.is_empty() {
        return Ok(Part::Everything);
    }
    let name = rest.remove(0);
    match name.as_str() {
        "lint" => Ok(Part::Lint),
        "native" => Ok(Part::Native),
        "browser" => Ok(Part::Browser { hosts: std::mem::take(rest) }),
        "e2e" => Ok(Part::EndToEnd { names: std::mem::take(rest) }),
        "demo" => Ok(Part::Demo),
        other => Err(Failure::new(format!("there are no tests called `{other}`"))),
    }
}

fn take_bench(rest: &mut Vec<String>) -> Outcome<Bench> {
    let mut options = Vec::new();
    for flag in ["--runs", "--n"] {
        if let Some(number) = take_value(rest, flag)? {
            number.parse::<u32>().map_err(|_| Failure::new(format!("`{number}` is not a number for `{flag}`")))?;
            options.extend([flag.to_owned(), number]);
        }
    }
    if let Some(names) = take_value(rest, "--contenders")? {
        options.extend(["--contenders".to_owned(), names]);
    }
    if take_flag(rest, "--million") {
        options.push("--million".to_owned());
    }
    Ok(Bench { only: (!rest.is_empty()).then(|| rest.remove(0)), options })
}

fn take_sim(rest: &mut Vec<String>) -> Outcome<Vec<String>> {
    let mut words = Vec::new();
    for flag in ["--mutants", "--crashes"] {
        if take_flag(rest, flag) {
            words.push(flag.to_owned());
        }
    }
    for flag in ["--seed", "--seeds", "--from", "--minutes"] {
        if let Some(number) = take_value(rest, flag)? {
            number.parse::<u64>().map_err(|_| Failure::new(format!("`{number}` is not a number for `{flag}`")))?;
            words.extend([flag.to_owned(), number]);
        }
    }
    Ok(words)
}

fn take_mode(rest: &mut Vec<String>) -> Mode {
    let dev = take_flag(rest, "--dev");
    let release = take_flag(rest, "--release");
    if dev && !release { Mode::Dev } else { Mode::Release }
}

fn take_flag(rest: &mut Vec<String>, flag: &str) -> bool {
    let before = rest.len();
    rest.retain(|word| word != flag);
    rest.len() != before
}

fn take_value(rest: &mut Vec<String>, flag: &str) -> Outcome<Option<String>> {
    let Some(at) = rest.iter().position(|word| word == flag) else {
        return Ok(None);
    };
    rest.remove(at);
    if at >= rest.len() {
        return Err(Failure::new(format!("`{flag}` needs a value")));
    }
    Ok(Some(rest.remove(at)))
}

fn take_number<N: FromStr>(rest: &mut Vec<String>, option: &str, what: &str) -> Outcome<Option<N>> {
    let Some(number) = take_value(rest, option)? else { return Ok(None) };
    number.parse().map(Some).map_err(|_| Failure::new(format!("`{number}` is not {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Command) {
        let words = line.split_whitespace().map(str::to_owned);
        assert_eq!(parse(words).expect(line), expected, "{line}");
    }

    fn check_refused(line: &str, expected: &str) {
        let words = line.split_whitespace().map(str::to_owned);
        assert_eq!(parse(words).expect_err(line).to_string(), expected);
    }

    fn demo(driver: Driver, port: u16, mode: Mode) -> Command {
        Command::Demo(Demo { driver, port, mode })
    }

    #[test]
    fn commands_are_read_with_their_options() {
        check("", Command::Help);
        check("test --help", Command::Help);
        check("build", Command::Build(Mode::Release));
        check("build --dev", Command::Build(Mode::Dev));
        check("build --release", Command::Build(Mode::Release));
        check("test", Command::Test(Part::Everything));
        check("test lint", Command::Test(Part::Lint));
        check("test browser reset sync", Command::Test(Part::Browser { hosts: vec!["reset".into(), "sync".into()] }));
        check("demo", demo(Driver::Person, 8787, Mode::Release));
        check("demo --port 99 --dev", demo(Driver::Person, 99, Mode::Dev));
        check("demo --scripted", demo(Driver::Script, 8787, Mode::Release));
        check("bench", Command::Bench(Bench::default()));
        check("bench reset", Command::Bench(Bench { only: Some("reset".into()), options: Vec::new() }));
        let options = ["--runs", "3", "--contenders", "dexie,yjs", "--million"].map(str::to_owned).to_vec();
        let bench = Bench { only: Some("compare".into()), options };
        check("bench compare --million --contenders dexie,yjs --runs 3", Command::Bench(bench));
        check("oracle", Command::Oracle(Seeds { from: 1, count: 50 }));
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        check("bench merge", Command::BenchMerge);
        check("sim --minutes 3 --seeds 7", Command::Sim(words("--seeds 7 --minutes 3")));
        check("sim --mutants", Command::Sim(words("--mutants")));
        check("fuzz --minutes 2", Command::Sim(words("--fuzz --seconds 120")));
        check("oracle --from 7 --seeds 1", Command::Oracle(Seeds { from: 7, count: 1 }));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check_refused("tset", "there is no command `tset`");
        check_refused("test browsers", "there are no tests called `browsers`");
        check_refused("setup --force", "`setup` does not take `--force`");
        check_refused("demo --port", "`--port` needs a value");
        check_refused("bench --runs many", "`many` is not a number for `--runs`");
        check_refused("demo --port high", "`high` is not a port number");
        check_refused("sim --seed x", "`x` is not a number for `--seed`");
        check_refused("oracle --from -1", "`-1` is not a seed");
    }
}
