//! Plays stories, and makes those that fail shorter.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::step::{Step, Story};
use super::world::{Telling, World};

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many things happened.
    pub happened: u64,
    /// What went wrong, if something did.
    pub failure: Option<Failure>,
    /// The story as it was told, if it was.
    pub lines: Vec<String>,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// In words.
    pub message: String,
    /// Where in the source.
    pub place: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.place)
    }
}

thread_local! {
    /// Where the last panic of a story was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
    static PLAYING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Panics inside stories are findings, not noise.
fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if PLAYING.get() {
                let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
                PLACE.set(place);
            } else {
                before(info);
            }
        }));
    });
}

/// Plays a story to its end.
pub fn play(story: &Story, telling: Telling) -> Outcome {
    listen_to_panics();
    PLAYING.set(true);
    let world = RefCell::new(None);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut world = world.borrow_mut();
        let world = world.insert(World::new(story, telling));
        story.steps.iter().for_each(|step| world.take(step));
        world.end(story.seed);
    }));
    PLAYING.set(false);
    let failure = result.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let message = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        Failure { message, place: PLACE.take().unwrap_or_default() }
    });
    let world = world.into_inner();
    let (happened, lines) = world.map_or((0, Vec::new()), |world| (world.happened, world.lines().to_vec()));
    Outcome { happened, failure, lines }
}

/// The shortest story found that fails in the same place, by leaving steps out and making them smaller.
pub fn shrink(story: &Story, place: &str) -> Story {
    let fails = |story: &Story| play(story, Telling::Silent).failure.is_some_and(|failure| failure.place == place);
    let mut best = story.clone();
    let mut changed = true;
    while changed {
        changed = false;
        let mut size = best.steps.len().div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < best.steps.len() {
                let mut shorter = best.clone();
                shorter.steps.drain(at..(at + size).min(best.steps.len()));
                if fails(&shorter) {
                    (best, changed) = (shorter, true);
                } else {
                    at += size;
                }
            }
            if size == 1 {
                break;
            }
            size = size.div_ceil(2);
        }
        for at in 0..best.steps.len() {
            while let Some(shorter) = smaller(&best.steps[at]).into_iter().find_map(|step| {
                let mut shorter = best.clone();
                shorter.steps[at] = step;
                fails(&shorter).then_some(shorter)
            }) {
                (best, changed) = (shorter, true);
            }
        }
        if best.devices.len() > 1 {
            let mut fewer = best.clone();
            fewer.devices.pop();
            if fails(&fewer) {
                (best, changed) = (fewer, true);
            }
        }
    }
    best
}

/// Smaller steps of the same kind.
fn smaller(step: &Step) -> Vec<Step> {
    match step {
        Step::Run(picks, count) if *count > 1 => vec![Step::Run(*picks, count / 2), Step::Run(*picks, count - 1)],
        Step::Write(at, edits) if !edits.is_empty() => (0..edits.len())
            .map(|left_out| {
                let kept = edits.iter().enumerate().filter(|(index, _)| *index != left_out);
                Step::Write(*at, kept.map(|(_, edit)| edit.clone()).collect())
            })
            .collect(),
        Step::Pass(ms) if *ms > 1_000 => vec![Step::Pass(ms / 10)],
        _ => Vec::new(),
    }
}
