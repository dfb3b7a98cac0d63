//! Switches deliberate bugs on, one after the other, and plays seeds until one of them fails.

use std::sync::Mutex;
use std::time::Instant;

use ebbtide_core::mutants::{Mutant, switch_on};
use ebbtide_testkit::sim::{Story, Telling, play};

use crate::seeds::{THREADS, first_line};

/// Whether every deliberate bug is found within so many seeds.
pub fn hunt(count: u64) -> bool {
    let start = Instant::now();
    let left = Mutex::new(Mutant::ALL.to_vec());
    let missed = Mutex::new(Vec::new());
    let take = || left.lock().expect("no thread fails here").pop();
    let work = || {
        while let Some(mutant) = take() {
            let begun = Instant::now();
            switch_on(Some(mutant));
            let found = (1..=count).find_map(|seed| Some((seed, play(&Story::of(seed), Telling::Silent).failure?)));
            switch_on(None);
            let seconds = begun.elapsed().as_secs_f64();
            match found {
                Some((seed, failure)) => {
                    let text = first_line(&failure.to_string());
                    println!("{:<20} found by seed {seed:>5} in {seconds:>5.1} s: {text}", format!("{mutant:?}"));
                }
                None => {
                    println!("{:<20} NOT FOUND in {count} seeds, {seconds:.1} s", format!("{mutant:?}"));
                    missed.lock().expect("no thread fails here").push(mutant);
                }
            }
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    let missed = missed.into_inner().expect("no thread fails here");
    let found = Mutant::ALL.len() - missed.len();
    println!("\n{found} of {} deliberate bugs found, {:.1} s", Mutant::ALL.len(), start.elapsed().as_secs_f64());
    let verdict = if missed.is_empty() { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {found} passed; {} failed", missed.len());
    missed.is_empty()
}
