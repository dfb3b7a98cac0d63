//! Whatever the order of writing, uploading and downloading, with every type: all replicas end with the same content.

use ebbtide_core::merge::apply;
use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::objects::KeySource;
use ebbtide_core::replica::{Identity, Replica};
use ebbtide_core::reset::{Takeover, plan};
use ebbtide_core::{ClientId, ServerVersion};
use proptest::prelude::*;

use crate::types_world::{Edit, check_same_keys, edit, replica, schema, write};
use crate::world::Order;

#[derive(Clone, Debug)]
enum Step {
    Write(usize, u64, Vec<Edit>),
    Upload(usize),
    Download(usize, usize),
    Reset(usize, Takeover),
    Image(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0usize..3;
    prop_oneof![
        8 => (who(), 0u64..50, prop::collection::vec(edit(), 1..12)).prop_map(|(who, now, edits)| Step::Write(who, now, edits)),
        3 => who().prop_map(Step::Upload),
        3 => (who(), 1usize..5).prop_map(|(who, limit)| Step::Download(who, limit)),
        1 => who().prop_map(|who| Step::Reset(who, Takeover::DiscardPending)),
        1 => who().prop_map(Step::Image),
    ]
}

/// `current == replay(pending, base)`, by content, keys and stamps.
fn check(replica: &Replica) {
    let mut keys = KeySource::new(replica.next_key(), vec![replica.current()]);
    let mut replayed = replica.base().clone();
    for own in replica.pending() {
        apply(&mut replayed, &own.changeset, ServerVersion::PENDING, &mut keys);
    }
    assert_eq!(replayed.canonical(), replica.current().canonical());
    assert!(diff(&replayed, replica.current(), Compare::Stamps).is_empty(), "keys and stamps are those of a replay");
    for snapshot in [replica.current(), replica.base(), &replayed] {
        snapshot.audit().unwrap();
    }
}

fn reset(replica: &mut Replica, order: &Order, client: u8, takeover: Takeover) {
    let before = replica.current().clone();
    let outcome = plan(replica, &order.state, order.head(), Identity::new(ClientId([client; 16])), takeover);
    replica.install(outcome);
    check_same_keys(&before, replica.current());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn replicas_of_every_type_converge(steps in prop::collection::vec(step(), 1..40)) {
        let mut order = Order::of(&schema());
        let mut replicas: Vec<Replica> = (1..=3).map(replica).collect();
        let mut clients = 10;
        for step in &steps {
            match step {
                Step::Write(who, now, edits) => drop(write(&mut replicas[*who], *now, edits)),
                Step::Upload(who) => {
                    order.upload_all(&replicas[*who]);
                    order.state.audit().unwrap();
                }
                Step::Download(who, limit) => {
                    let before = replicas[*who].current().clone();
                    order.download(&mut replicas[*who], *limit);
                    check_same_keys(&before, replicas[*who].current());
                }
                Step::Reset(who, takeover) => {
                    clients += 1;
                    reset(&mut replicas[*who], &order, clients, *takeover);
                    prop_assert_eq!(replicas[*who].current().canonical(), order.state.canonical());
                }
                Step::Image(who) => {
                    let chunks = ebbtide_core::page::export(replicas[*who].current(), 1000);
                    let copy = ebbtide_core::page::import(chunks.iter().map(Vec::as_slice)).unwrap();
                    copy.audit().unwrap();
                    prop_assert!(diff(&copy, replicas[*who].current(), Compare::Stamps).is_empty());
                    prop_assert_eq!(ebbtide_core::page::export(&copy, 1000), chunks);
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
    fn ones_own_download_changes_nothing_in_what_the_app_sees(writes in prop::collection::vec(prop::collection::vec(edit(), 1..20), 1..6)) {
        let mut order = Order::of(&schema());
        let mut mine = replica(1);
        for (now, edits) in writes.iter().enumerate() {
            write(&mut mine, now as u64, edits);
        }
        order.upload_all(&mine);
        while mine.pending().len() > 0 {
            let before = mine.current().clone();
            order.download(&mut mine, 1);
            check(&mine);
            prop_assert!(diff(&before, mine.current(), Compare::Stamps).is_empty());
        }
    }

    #[test]
    fn a_reset_onto_ones_own_base_changes_nothing_of_any_type(
        writes in prop::collection::vec(prop::collection::vec(edit(), 1..20), 1..6),
    ) {
        let mut order = Order::of(&schema());
        let mut mine = replica(1);
        for (now, edits) in writes.iter().enumerate() {
            write(&mut mine, now as u64, edits);
        }
        order.upload_all(&mine);
        order.download(&mut mine, usize::MAX);
        let outcome = plan(&mine, &order.state, order.head(), Identity::new(ClientId([9; 16])), Takeover::DiscardPending);
        prop_assert!(diff(mine.current(), &outcome.current, Compare::Values).is_empty());
        prop_assert!(diff(mine.current(), &outcome.current, Compare::Stamps).is_empty());
        prop_assert!(outcome.report.classes.is_empty());
        outcome.base.audit().unwrap();
    }

    #[test]
    fn a_first_download_keeps_what_was_written_before_it(
        theirs in prop::collection::vec(edit(), 1..60), ours in prop::collection::vec(edit(), 1..60),
    ) {
        let mut order = Order::of(&schema());
        let (mut other, mut mine) = (replica(2), replica(1));
        write(&mut other, 3, &theirs);
        order.upload_all(&other);
        write(&mut mine, 5, &ours);
        let before = mine.current().clone();
        let outcome = plan(&mine, &order.state, order.head(), mine.identity(), Takeover::KeepPending);
        mine.install(outcome);
        check(&mine);
        check_same_keys(&before, mine.current());
        order.upload_all(&mine);
        order.download(&mut mine, usize::MAX);
        prop_assert_eq!(mine.current().canonical(), order.state.canonical());
    }
}
