//! Stories in which the simulated world has found a bug, as short as they could be made: each must end well now.

use ebbtide_sync::client::ResetMode;
use ebbtide_testkit::sim::{Awaiting, DevicePlan, Fault, ServerStep, Step, Story, Telling, Where, play};

const FIRST: Where = Where { device: 0, tab: 0 };
const SECOND: Where = Where { device: 0, tab: 1 };
const ELSEWHERE: Where = Where { device: 1, tab: 0 };

/// Plays a story whose things happen by themselves in many orders.
fn ends_well(steps: &[Step]) {
    for order in 0..40 {
        let in_order = |step: &Step| match step {
            Step::Run(picks, count) => Step::Run(picks + 1_000 * order, *count),
            step => step.clone(),
        };
        let plan = DevicePlan { mode: ResetMode::DiscardUnsyncedChanges, skew_ms: 0, version: 0 };
        let steps = steps.iter().map(in_order).collect();
        let story = Story { seed: order, devices: vec![plan; 2], chunk_bytes: 700, entries_max: 3, steps };
        if let Some(failure) = play(&story, Telling::Silent).failure {
            let told = play(&story, Telling::Aloud).lines.join("\n");
            panic!("{told}\n{failure}");
        }
    }
}

fn write(at: Where) -> Step {
    Step::Write(at, Vec::new())
}

#[test]
fn the_server_hears_of_what_a_tab_that_does_not_lead_adds_to_the_schema() {
    ends_well(&[write(FIRST), Step::Open(0), Step::Run(1, 60), Step::Extend(SECOND), Step::Run(2, 60)]);
    ends_well(&[Step::Run(1, 40), Step::Upgrade(0), Step::Open(0), Step::Run(2, 20)]);
}

#[test]
fn a_realm_that_is_closed_in_a_transaction_keeps_what_was_committed() {
    ends_well(&[Step::Run(1, 3), write(FIRST), Step::Begin(FIRST), Step::Run(2, 6), Step::Close(FIRST)]);
}

#[test]
fn a_wait_for_an_upload_ends_when_another_tab_resets_the_realm() {
    let wait = Step::Wait(FIRST, Awaiting::Upload);
    let forget = Step::Server(ServerStep::Forget);
    ends_well(&[write(FIRST), wait, Step::Run(1, 20), Step::Open(0), Step::Steal(0), forget]);
}

#[test]
fn a_lead_that_was_lost_in_a_transaction_is_not_taken_after_it() {
    ends_well(&[
        Step::Open(0),
        Step::Run(1, 12),
        Step::Wait(FIRST, Awaiting::Download),
        Step::Begin(FIRST),
        Step::Steal(0),
        Step::Run(2, 3),
        Step::Steal(0),
        Step::Run(3, 3),
        Step::Steal(0),
        Step::Run(4, 4),
        Step::Commit(FIRST),
    ]);
}

#[test]
fn a_clock_that_goes_back_holds_nothing_back() {
    let hour = 3_600_000;
    let jumps = [Step::Clock(0, hour), Step::Run(2, 2), Step::Clock(0, -2 * hour)];
    ends_well(&[&[write(FIRST), Step::Run(1, 30)][..], &jumps].concat());
    let crash = [write(FIRST), Step::Run(1, 12), Step::Server(ServerStep::Crash), Step::Run(3, 9)];
    ends_well(&[&crash[..], &jumps].concat());
}

#[test]
fn a_wait_for_a_download_ends_when_the_lead_is_lost_before_it_is_stored() {
    ends_well(&[
        Step::Open(0),
        Step::Run(1, 80),
        Step::Disk(0, Fault::Stall(20_000)),
        write(SECOND),
        write(SECOND),
        write(ELSEWHERE),
        Step::Run(2, 60),
        Step::Wait(FIRST, Awaiting::Download),
        Step::Run(3, 20),
        Step::Steal(0),
        Step::Run(4, 4),
        Step::Steal(0),
        Step::Run(5, 4),
        Step::Steal(0),
    ]);
}

#[test]
fn what_a_reset_has_dropped_is_not_uploaded_by_a_former_leader_that_has_not_heard_of_it() {
    // It sleeps when what it has written gets to the disk; meanwhile the history that it would have to catch up with goes.
    ends_well(&[
        Step::Open(0),
        Step::Run(1, 80),
        write(FIRST),
        Step::Freeze(FIRST),
        write(ELSEWHERE),
        write(ELSEWHERE),
        Step::Run(2, 80),
        Step::Server(ServerStep::Trim(0)),
        Step::Steal(0),
        Step::Run(3, 120),
        Step::Thaw(0),
        Step::Run(4, 40),
    ]);
}

#[test]
fn what_was_uploaded_counts_once_when_a_profile_is_put_back_to_before_its_first_download() {
    for uploaded in [24, 30, 36, 60, 120] {
        ends_well(&[
            write(FIRST),
            Step::Run(1, 6),
            Step::Profile(0),
            Step::Run(2, uploaded),
            Step::Profile(0),
            Step::Open(0),
            write(FIRST),
            Step::Run(3, 40),
        ]);
    }
}
