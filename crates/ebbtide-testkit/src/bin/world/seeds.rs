//! Plays seeds, several at once, and shows what fails as short as it can be made.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ebbtide_testkit::sim::{Failure, Story, Telling, play, shrink};

/// How many stories are played at once.
pub const THREADS: usize = 2;
/// How many failing seeds are shown whole.
const SHOWN_MAX: usize = 3;

/// Plays one story, and tells it if it fails.
pub fn play_one(seed: u64) -> bool {
    let story = Story::of(seed);
    match play(&story, Telling::Silent).failure {
        None => {
            println!("seed {seed}: all ends well, after {} steps", story.steps.len());
            true
        }
        Some(failure) => {
            show(&story, &failure);
            false
        }
    }
}

/// Plays many, with progress in the terminal.
pub fn play_many(from: u64, count: u64, minutes: Option<u64>) -> bool {
    let start = Instant::now();
    let end = minutes.map(|minutes| start + Duration::from_secs(60 * minutes));
    let (next, happened, played) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (found, findings) = mpsc::channel();
    let work = || {
        let found = found.clone();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count || end.is_some_and(|end| Instant::now() > end) {
                return;
            }
            let seed = from + at;
            let outcome = play(&Story::of(seed), Telling::Silent);
            happened.fetch_add(outcome.happened, Ordering::Relaxed);
            let done = played.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(failure) = outcome.failure {
                println!("seed {seed} fails: {}", first_line(&failure.to_string()));
                found.send((seed, failure)).expect("the receiver outlives the threads");
            }
            if done.is_multiple_of(250) && std::io::stdout().is_terminal() {
                print!("\r{done} seeds, {:.0} s ", start.elapsed().as_secs_f64());
                std::io::stdout().flush().expect("the terminal takes a line");
            }
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    drop(found);
    let mut failed: Vec<(u64, Failure)> = findings.into_iter().collect();
    failed.sort_by_key(|(seed, _)| *seed);
    for (seed, failure) in failed.iter().take(SHOWN_MAX) {
        show(&Story::of(*seed), failure);
    }
    let (played, happened) = (played.into_inner(), happened.into_inner());
    println!("\n{played} seeds, {happened} things that happened, {:.1} s", start.elapsed().as_secs_f64());
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {} passed; {} failed", played - failed.len() as u64, failed.len());
    failed.is_empty()
}

/// Prints a failing story as short as it can be made, one line a step.
fn show(story: &Story, failure: &Failure) {
    println!("\nseed {} fails: {failure}\n", story.seed);
    let short = shrink(story, &failure.place);
    let told = play(&short, Telling::Aloud);
    for (number, device) in short.devices.iter().enumerate() {
        println!("device {number}: {device:?}");
    }
    told.lines.iter().for_each(|line| println!("{line}"));
    match told.failure {
        Some(failure) => println!("\n{failure}"),
        None => println!("\nThe story passes when it is told aloud: it depends on what no seed decides."),
    }
}

pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}
