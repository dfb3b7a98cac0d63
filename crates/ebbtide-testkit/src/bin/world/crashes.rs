//! A crash at every point of the scripted stories.

use std::time::Instant;

use ebbtide_testkit::sim::enumerate;

/// How many failures are shown.
const SHOWN_MAX: usize = 10;

/// Whether every story ends well wherever somebody crashes.
pub fn enumerate_all() -> bool {
    let start = Instant::now();
    let (played, failures) = enumerate(|name, points, failed| {
        println!("{name:<40} {points:>4} points, {failed} failed");
    });
    failures.iter().take(SHOWN_MAX).for_each(|failure| println!("{failure}"));
    println!("\n{played} stories, each with a crash before or after a point, {:.1} s", start.elapsed().as_secs_f64());
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {} passed; {} failed", played - failures.len(), failures.len());
    failures.is_empty()
}
