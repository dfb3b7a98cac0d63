//! The command line, as a value.

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// One story, told aloud if it fails.
    Seed(u64),
    /// Many, until there are so many or so much time has passed.
    Seeds { from: u64, count: u64, minutes: Option<u64> },
    /// Every deliberate bug, each with so many seeds at most.
    Mutants { count: u64 },
    /// A crash at every point of the scripted stories.
    Crashes,
    /// Fuzzing for so many seconds.
    Fuzz { seconds: u64 },
    /// Figures.
    Bench,
}

/// How many seeds there are if nobody says.
const SEEDS: u64 = 2_000;
/// Within how many seeds a deliberate bug is to be found if nobody says.
const MUTANT_SEEDS: u64 = 1_000;

impl Options {
    /// Reads the arguments after the program's name.
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut rest: Vec<String> = arguments.collect();
        let mut flag = |flag: &str| rest.iter().position(|word| word == flag).map(|at| rest.remove(at)).is_some();
        let (mutants, crashes) = (flag("--mutants"), flag("--crashes"));
        let (fuzz, bench) = (flag("--fuzz"), flag("--bench"));
        let seconds = take(&mut rest, "--seconds")?;
        let seed = take(&mut rest, "--seed")?;
        let (from, count, minutes) =
            (take(&mut rest, "--from")?, take(&mut rest, "--seeds")?, take(&mut rest, "--minutes")?);
        if let Some(extra) = rest.first() {
            return Err(format!("`{extra}` is not understood"));
        }
        Ok(match seed {
            Some(seed) => Options::Seed(seed),
            None if fuzz => Options::Fuzz { seconds: seconds.unwrap_or(60) },
            None if bench => Options::Bench,
            None if crashes => Options::Crashes,
            None if mutants => Options::Mutants { count: count.unwrap_or(MUTANT_SEEDS) },
            None => {
                let endless = if minutes.is_some() { u64::MAX } else { SEEDS };
                Options::Seeds { from: from.unwrap_or(1), count: count.unwrap_or(endless), minutes }
            }
        })
    }
}

fn take(rest: &mut Vec<String>, flag: &str) -> Result<Option<u64>, String> {
    let Some(at) = rest.iter().position(|word| word == flag) else { return Ok(None) };
    rest.remove(at);
    if at >= rest.len() {
        return Err(format!("`{flag}` needs a number"));
    }
    let word = rest.remove(at);
    word.parse().map(Some).map_err(|_| format!("`{word}` is not a number for `{flag}`"))
}
