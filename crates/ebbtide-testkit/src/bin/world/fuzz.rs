//! Fuzzes every target for the same time.

use std::time::{Duration, Instant};

use ebbtide_testkit::fuzz::{Corpus, Target, fuzz};

/// How much memory the process may have taken at most. The corpus and everything that is read fit many times.
const MEMORY_MAX_KB: u64 = 1024 * 1024;
/// How many failures are shown of each target.
const SHOWN_MAX: u64 = 3;

/// Whether no target fails in so many seconds.
pub fn fuzz_all(seconds: u64) -> bool {
    let corpus = Corpus::gather();
    let share = Duration::from_secs(seconds) / Target::ALL.len() as u32;
    let (mut passed, mut failed) = (0, 0);
    // Every run begins elsewhere, and says where.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    let first = now.as_secs() << 24;
    for target in Target::ALL {
        let start = Instant::now();
        let (mut inputs, mut wrong) = (0, 0);
        while start.elapsed() < share {
            let number = first + inputs;
            inputs += 1;
            if let Some(failure) = fuzz(&corpus, target, number) {
                wrong += 1;
                if wrong <= SHOWN_MAX {
                    println!("{target}, input {number}: {failure}");
                }
            }
        }
        println!("{target:<12} {inputs:>9} inputs from {first}, {wrong} failed");
        (passed, failed) = (passed + u64::from(wrong == 0), failed + u64::from(wrong > 0));
    }
    let peak = peak_memory_kb();
    println!("\npeak memory {} MiB", peak.unwrap_or(0) / 1024);
    if peak.is_some_and(|peak| peak > MEMORY_MAX_KB) {
        println!("that is more than {} MiB: an input is believed about its size", MEMORY_MAX_KB / 1024);
        failed += 1;
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed");
    failed == 0
}

/// The most memory the process has had, where the system tells.
fn peak_memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
