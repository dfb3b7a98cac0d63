//! A run of steps: each with a heading, its time, its output if it failed, and at the end a table and what failed once more.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::project::Project;

/// So much of the end of what a failed step said is said again at the end of the run.
const LINES_SAID_AGAIN: usize = 40;

/// How a run ended, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
}

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    passed: u64,
    failed: u64,
}

/// The steps so far.
#[derive(Debug)]
pub struct Steps<'a> {
    project: &'a Project,
    start: Instant,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    count: Count,
    elapsed: Duration,
    complaint: Option<String>,
}

impl<'a> Steps<'a> {
    /// Begins a run.
    pub fn new(project: &'a Project) -> Steps<'a> {
        Steps { project, start: Instant::now(), rows: Vec::new() }
    }

    /// Runs one step, which writes its output to the log that it is given; the run goes on if it fails.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce(&Path) -> Outcome<T>) -> Option<T> {
        println!("== {name}");
        let log = self.project.build(&format!("logs/{}.log", name.replace([' ', ':', '/'], "-")));
        let _ = fs::remove_file(&log);
        let start = Instant::now();
        let outcome = work(&log);
        let elapsed = start.elapsed();
        let output = fs::read(&log).unwrap_or_default();
        let count = count(&String::from_utf8_lossy(&output), outcome.is_ok());
        let complaint = outcome.as_ref().err().map(Failure::to_string);
        match &complaint {
            None => println!("   {}, {:.1} s", passed(count), elapsed.as_secs_f64()),
            Some(complaint) => println!("{complaint}\n   FAILED after {:.1} s", elapsed.as_secs_f64()),
        }
        self.rows.push(Row { name: name.to_owned(), count, elapsed, complaint });
        outcome.ok()
    }

    /// Records a step that could not be tried.
    pub fn missed(&mut self, name: &str, reason: &str) {
        self.step::<()>(name, |_| Err(Failure::new(format!("not run: {reason}"))));
    }

    /// Prints the table, how what failed ended, and the closing line.
    pub fn finish(self) -> Verdict {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        println!();
        let mut total = Count::default();
        for row in &self.rows {
            total.passed += row.count.passed;
            total.failed += row.count.failed;
            let verdict = if row.count.failed == 0 { "ok" } else { "FAILED" };
            let (seconds, passed, failed) = (row.elapsed.as_secs_f64(), row.count.passed, row.count.failed);
            println!("{:<width$}  {verdict:<6}  {passed:>5} passed {failed:>4} failed  {seconds:>7.1} s", row.name);
        }
        println!("{:<width$}  {:>42.1} s\n", "all", self.start.elapsed().as_secs_f64());
        for (name, complaint) in self.rows.iter().filter_map(|row| Some((&row.name, row.complaint.as_ref()?))) {
            println!("== {name}, which failed:\n{}\n", last_lines(complaint, LINES_SAID_AGAIN));
        }
        println!("{} passed, {} failed", total.passed, total.failed);
        if total.failed == 0 { Verdict::Passed } else { Verdict::Failed }
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn passed(count: Count) -> String {
    if count.passed == 1 { "passed".to_owned() } else { format!("{} passed", count.passed) }
}

/// Adds up what cargo and wasm-bindgen say of their tests; a step that counts nothing counts as one.
fn count(output: &str, succeeded: bool) -> Count {
    let mut sum = Count::default();
    for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        let number_before = |word: &str| {
            let words: Vec<&str> = line.split([' ', ';']).filter(|part| !part.is_empty()).collect();
            let at = words.iter().position(|part| *part == word)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        sum.passed += number_before("passed").unwrap_or_default();
        sum.failed += number_before("failed").unwrap_or_default();
    }
    match (succeeded, sum) {
        (true, Count { passed: 0, failed: 0 }) => Count { passed: 1, failed: 0 },
        (false, Count { passed, failed: 0 }) => Count { passed, failed: 1 },
        (_, counted) => counted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, succeeded: bool, passed: u64, failed: u64) {
        assert_eq!(count(output, succeeded), Count { passed, failed }, "{output:?}");
    }

    #[test]
    fn tests_are_counted_from_what_the_runners_print() {
        let cargo = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        let browser = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out; finished in 1.2s";
        check(cargo, true, 12, 0);
        check(&format!("{cargo}\nnoise\n{browser}"), false, 15, 2);
    }

    #[test]
    fn a_step_without_counts_is_one() {
        check("", true, 1, 0);
        check("error: could not compile", false, 0, 1);
    }

    #[test]
    fn only_the_end_of_a_long_complaint_is_said_again() {
        assert_eq!(last_lines("one\ntwo\nthree", 2), "two\nthree");
        assert_eq!(last_lines("one", 2), "one");
    }

    #[test]
    fn a_failure_is_never_counted_away() {
        check("test result: ok. 12 passed; 0 failed; 0 ignored", false, 12, 1);
    }
}
