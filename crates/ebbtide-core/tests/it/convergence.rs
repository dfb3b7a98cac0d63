//! Whatever the order of writing, uploading and downloading: all replicas end with the same content.

use ebbtide_core::Clock;
use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::replica::{Identity, Replica};
use ebbtide_core::reset::{Takeover, plan};
use ebbtide_core::{ClientId, Millis};
use proptest::prelude::*;

use crate::world::{Edit, Order, carry_out, check_links, edit, replica, write};

#[derive(Clone, Debug)]
enum Step {
    Write(usize, u64, Vec<Edit>),
    Cancel(usize, Vec<Edit>),
    Upload(usize),
    Download(usize, usize),
    Reset(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0usize..3;
    prop_oneof![
        6 => (who(), 0u64..50, prop::collection::vec(edit(), 1..6)).prop_map(|(who, now, edits)| Step::Write(who, now, edits)),
        1 => (who(), prop::collection::vec(edit(), 1..4)).prop_map(|(who, edits)| Step::Cancel(who, edits)),
        3 => who().prop_map(Step::Upload),
        3 => (who(), 1usize..5).prop_map(|(who, limit)| Step::Download(who, limit)),
        1 => who().prop_map(Step::Reset),
    ]
}

/// `current == replay(pending, base)`, told by content.
fn check(replica: &Replica) {
    let mut keys = ebbtide_core::objects::KeySource::new(replica.next_key(), vec![replica.current()]);
    let mut replayed = replica.base().clone();
    for own in replica.pending() {
        ebbtide_core::merge::apply(&mut replayed, &own.changeset, ebbtide_core::ServerVersion::PENDING, &mut keys);
    }
    assert_eq!(replayed.canonical(), replica.current().canonical());
    assert!(diff(&replayed, replica.current(), Compare::Stamps).is_empty(), "keys and stamps are those of a replay");
    check_links(replica.current());
    check_links(replica.base());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn replicas_converge(steps in prop::collection::vec(step(), 1..60)) {
        let mut order = Order::new();
        let mut replicas: Vec<Replica> = (1..=3).map(replica).collect();
        let mut clients = 10;
        for step in &steps {
            match step {
                Step::Write(who, now, edits) => drop(write(&mut replicas[*who], *now, edits)),
                Step::Cancel(who, edits) => {
                    let before = replicas[*who].current().canonical();
                    let mut transaction = replicas[*who].begin(Millis(1));
                    edits.iter().for_each(|edit| carry_out(&mut transaction, edit));
                    drop(transaction);
                    prop_assert_eq!(before, replicas[*who].current().canonical());
                }
                Step::Upload(who) => order.upload_all(&replicas[*who]),
                Step::Download(who, limit) => drop(order.download(&mut replicas[*who], *limit)),
                Step::Reset(who) => {
                    clients += 1;
                    let identity = Identity::new(ClientId([clients; 16]));
                    let replica = &mut replicas[*who];
                    let outcome = plan(replica, &order.state, order.head(), identity, Takeover::DiscardPending);
                    replica.install(outcome);
                    prop_assert_eq!(replica.current().canonical(), order.state.canonical());
                }
            }
            replicas.iter().for_each(check);
        }
        for replica in &replicas {
            order.upload_all(replica);
        }
        for replica in &mut replicas {
            order.download(replica, usize::MAX);
            check(replica);
            prop_assert_eq!(replica.pending().len(), 0);
            prop_assert_eq!(replica.current().canonical(), order.state.canonical());
        }
    }

    #[test]
    fn a_reset_onto_ones_own_base_changes_nothing(edits in prop::collection::vec(edit(), 1..60)) {
        let mut order = Order::new();
        let mut replica = replica(1);
        write(&mut replica, 5, &edits);
        order.upload_all(&replica);
        order.download(&mut replica, usize::MAX);
        let outcome = plan(&replica, &order.state, order.head(), Identity::new(ClientId([9; 16])), Takeover::DiscardPending);
        prop_assert!(diff(replica.current(), &outcome.current, Compare::Values).is_empty());
        prop_assert!(diff(replica.current(), &outcome.current, Compare::Stamps).is_empty());
        prop_assert!(outcome.report.classes.is_empty());
    }
}

#[test]
fn a_clock_that_went_back_still_writes_later_than_what_it_saw() {
    let mut order = Order::new();
    let (mut ahead, mut behind) = (replica(1), replica(2));
    write(&mut ahead, 1_000_000, &[Edit::CreateDog(1), Edit::Name(1, "ahead".into())]);
    order.upload_all(&ahead);
    order.download(&mut behind, usize::MAX);
    write(&mut behind, 5, &[Edit::Name(1, "behind".into())]);
    order.upload_all(&behind);
    order.download(&mut ahead, usize::MAX);
    order.download(&mut behind, usize::MAX);
    assert_eq!(ahead.current().canonical(), behind.current().canonical());
    let dog = ahead.current().find(crate::world::DOG, &ebbtide_core::Value::Int(1)).unwrap();
    let name = ahead.current().table(crate::world::DOG).get(dog, crate::world::NAME).unwrap().to_owned();
    assert_eq!(name, ebbtide_core::Value::String("behind".into()));
    let _ = Clock::default();
}
