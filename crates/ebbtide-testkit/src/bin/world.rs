//! Plays stories of the simulated world; `cargo xtask sim` starts it.
fn main() {
    let mut arguments = std::env::args().skip(1);
    let from: u64 = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let count: u64 = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let start = std::time::Instant::now();
    let (mut happened, mut failed) = (0, 0);
    for seed in from..from + count {
        let story = ebbtide_testkit::sim::Story::of(seed);
        let outcome = ebbtide_testkit::sim::play(&story, ebbtide_testkit::sim::Telling::Silent);
        happened += outcome.happened;
        if let Some(failure) = outcome.failure {
            failed += 1;
            println!("seed {seed}: {failure}");
            if count == 1 {
                let short = ebbtide_testkit::sim::shrink(&story, &failure.place);
                let outcome = ebbtide_testkit::sim::play(&short, ebbtide_testkit::sim::Telling::Aloud);
                println!("{:?}", short.devices);
                outcome.lines.iter().for_each(|line| println!("{line}"));
                println!("{:?}", outcome.failure);
            }
        }
    }
    println!("{count} seeds, {failed} failed, {happened} happenings, {:?}", start.elapsed());
}
