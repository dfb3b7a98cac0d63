//! The lead of a realm: an exclusive Web Lock that one of those who have it open holds, and the others wait for.
//!
//! ```text
//!            granted               taken away
//!   Waiting ---------> Leading ------------------> Waiting
//!      ^  \--- seize -----^  |
//!      | wakes               | rests
//!      +------- Resting <----+
//! ```

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::spawn_local;

use super::locks::{self, Lock, Manner, Mode, Place};

/// What becomes of the lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lot {
    /// It is ours.
    Led,
    /// It is no longer.
    Followed,
}

/// The lock of a lead that was free at opening.
pub(crate) struct LeadLock(Lock);

/// A share in the question who leads. Given up when dropped.
pub(super) struct Lead {
    path: String,
    standing: RefCell<Standing>,
    /// Rises with every change of the standing: what was asked for before is not answered any more.
    turn: Cell<u64>,
    tell: Box<dyn Fn(Lot)>,
    this: Weak<Lead>,
}

enum Standing {
    Waiting { _place: Option<Place> },
    Leading { lock: Option<Lock> },
    Resting,
}

impl LeadLock {
    /// The lead, if nobody has it.
    pub(crate) async fn take(path: &str) -> Option<LeadLock> {
        locks::request(&name(path), Mode::Exclusive, Manner::AtOnce).answer().await.map(LeadLock)
    }
}

impl Lead {
    /// Begins with the lead, or waits for it. Later changes are told; what is the case at the start is not.
    pub(super) fn begin(path: &str, lock: Option<LeadLock>, tell: impl Fn(Lot) + 'static) -> Rc<Lead> {
        let lead = Rc::new_cyclic(|this| Lead {
            path: path.to_owned(),
            standing: RefCell::new(Standing::Resting),
            turn: Cell::new(0),
            tell: Box::new(tell),
            this: this.clone(),
        });
        match lock {
            Some(LeadLock(lock)) => lead.hold(lock),
            None if locks::are_supported() => lead.wait(),
            // Then there is one tab, which leads.
            None => {
                lead.become_standing(Standing::Leading { lock: None });
            }
        }
        lead
    }

    /// Whether the lead is ours.
    pub(super) fn is_ours(&self) -> bool {
        matches!(*self.standing.borrow(), Standing::Leading { .. })
    }

    /// Gives the lead up and does not ask for it again until [`Lead::wake`].
    pub(super) fn rest(&self) {
        self.become_standing(Standing::Resting);
    }

    /// Gives the lead up for good; settles when others can have it.
    pub(super) async fn end(&self) {
        self.turn.set(self.turn.get() + 1);
        if let Standing::Leading { lock: Some(lock) } = self.standing.replace(Standing::Resting) {
            lock.give_back().await;
        }
    }

    /// Asks for the lead again.
    pub(super) fn wake(&self) {
        if matches!(*self.standing.borrow(), Standing::Resting) {
            self.wait();
        }
    }

    /// Which tab has the lead, as the browser names it.
    pub(super) async fn holder(path: &str) -> Option<String> {
        locks::holder(&name(path)).await
    }

    /// Takes the lead away from whoever has it, if that is still `holder`. Of several who want to, one does at a time.
    pub(super) async fn seize(this: &Rc<Lead>, holder: &str) {
        let path = this.path.clone();
        let guard = locks::request(&guard_name(&path), Mode::Exclusive, Manner::AtOnce).answer().await;
        if guard.is_none() || Lead::holder(&path).await.as_deref() != Some(holder) {
            return;
        }
        if !matches!(*this.standing.borrow(), Standing::Waiting { .. }) {
            return;
        }
        let turn = this.become_standing(Standing::Waiting { _place: None });
        let lock = locks::request(&name(&path), Mode::Exclusive, Manner::ByForce).answer().await;
        if this.turn.get() != turn {
            return;
        }
        match lock {
            Some(lock) => {
                this.hold(lock);
                (this.tell)(Lot::Led);
            }
            None => this.wait(),
        }
    }

    fn wait(&self) {
        if !locks::are_supported() {
            self.become_standing(Standing::Leading { lock: None });
            return (self.tell)(Lot::Led);
        }
        let (answer, place) = locks::request(&name(&self.path), Mode::Exclusive, Manner::InTurn).split();
        let turn = self.become_standing(Standing::Waiting { _place: place });
        let this = self.this.clone();
        spawn_local(async move {
            let Some(lock) = answer.await else { return };
            // Who no longer wants it drops it here.
            if let Some(lead) = this.upgrade()
                && lead.turn.get() == turn
            {
                lead.hold(lock);
                (lead.tell)(Lot::Led);
            }
        });
    }

    fn hold(&self, mut lock: Lock) {
        let lost = lock.lost();
        let turn = self.become_standing(Standing::Leading { lock: Some(lock) });
        let this = self.this.clone();
        spawn_local(async move {
            let Some(lost) = lost else { return };
            if lost.await.is_err() {
                return;
            }
            if let Some(lead) = this.upgrade()
                && lead.turn.get() == turn
            {
                lead.wait();
                (lead.tell)(Lot::Followed);
            }
        });
    }

    fn become_standing(&self, standing: Standing) -> u64 {
        let turn = self.turn.get() + 1;
        self.turn.set(turn);
        // Dropping a lock gives it back.
        drop(self.standing.replace(standing));
        turn
    }
}

fn name(path: &str) -> String {
    format!("ebbtide:lead:{path}")
}

fn guard_name(path: &str) -> String {
    format!("ebbtide:seize:{path}")
}

#[cfg(test)]
mod tests {
    use futures_channel::mpsc;
    use futures_util::StreamExt;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    async fn begin(path: &str) -> (Rc<Lead>, mpsc::UnboundedReceiver<Lot>) {
        let (tell, told) = mpsc::unbounded();
        let lock = LeadLock::take(path).await;
        let lead = Lead::begin(path, lock, move |lot| tell.unbounded_send(lot).unwrap());
        (lead, told)
    }

    #[wasm_bindgen_test]
    async fn the_first_leads_and_the_next_when_it_is_gone() {
        let (first, mut first_lot) = begin("t-lead-gone").await;
        let (second, mut second_lot) = begin("t-lead-gone").await;
        assert_eq!((first.is_ours(), second.is_ours()), (true, false));
        drop(first);
        assert_eq!(second_lot.next().await, Some(Lot::Led));
        assert!(second.is_ours());
        assert_eq!(first_lot.next().await, None);
    }

    #[wasm_bindgen_test]
    async fn who_rests_gives_the_lead_up_and_waits_for_it_after() {
        let (first, mut first_lot) = begin("t-lead-rest").await;
        let (second, mut second_lot) = begin("t-lead-rest").await;
        first.rest();
        assert!(!first.is_ours());
        assert_eq!(second_lot.next().await, Some(Lot::Led));
        first.wake();
        assert!(!first.is_ours());
        drop(second);
        assert_eq!(first_lot.next().await, Some(Lot::Led));
    }

    #[wasm_bindgen_test]
    async fn who_rests_while_it_waits_is_passed_over() {
        let (first, _first_lot) = begin("t-lead-passed-over").await;
        let (second, _second_lot) = begin("t-lead-passed-over").await;
        let (third, mut third_lot) = begin("t-lead-passed-over").await;
        second.rest();
        drop(first);
        assert_eq!(third_lot.next().await, Some(Lot::Led));
        assert_eq!((second.is_ours(), third.is_ours()), (false, true));
    }

    #[wasm_bindgen_test]
    async fn a_lead_is_seized_from_who_has_it_and_comes_back_to_it_afterwards() {
        let path = "t-lead-seize";
        let (first, mut first_lot) = begin(path).await;
        let (second, mut second_lot) = begin(path).await;
        let holder = Lead::holder(path).await.unwrap();
        Lead::seize(&second, &holder).await;
        assert_eq!((first_lot.next().await, second_lot.next().await), (Some(Lot::Followed), Some(Lot::Led)));
        assert_eq!((first.is_ours(), second.is_ours()), (false, true));
        drop(second);
        assert_eq!(first_lot.next().await, Some(Lot::Led));
    }

    #[wasm_bindgen_test]
    async fn a_lead_that_has_passed_to_somebody_else_is_not_seized() {
        let path = "t-lead-passed";
        let (first, _first_lot) = begin(path).await;
        let (second, _second_lot) = begin(path).await;
        Lead::seize(&second, "who had it before").await;
        assert_eq!((first.is_ours(), second.is_ours()), (true, false));
    }

    #[wasm_bindgen_test]
    async fn a_lead_is_not_seized_while_another_is_about_to() {
        let path = "t-lead-guard";
        let (first, _first_lot) = begin(path).await;
        let (second, _second_lot) = begin(path).await;
        let holder = Lead::holder(path).await.unwrap();
        let _guard = locks::request(&guard_name(path), Mode::Exclusive, Manner::AtOnce).answer().await;
        Lead::seize(&second, &holder).await;
        assert_eq!((first.is_ours(), second.is_ours()), (true, false));
    }
}
