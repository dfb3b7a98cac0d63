//! Valid inputs: golden files, and what simulated stories leave.

use std::fs;
use std::path::Path;

use ebbtide_core::Snapshot;
use ebbtide_core::batch::LoadedStore;
use ebbtide_core::page::export;

use crate::server::TestServer;
use crate::sim::{Random, Story, Telling, World};

/// How many stories the corpus is taken from.
const STORIES: u64 = 24;

/// Valid inputs.
#[derive(Debug)]
pub struct Corpus {
    pub(super) changesets: Vec<Vec<u8>>,
    pub(super) stores: Vec<LoadedStore>,
    pub(super) servers: Vec<TestServer>,
    pub(super) states: Vec<Snapshot>,
    pub(super) images: Vec<Vec<u8>>,
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) queries: Vec<&'static str>,
}

const QUERIES: [&str; 14] = [
    "count == 30 && (name CONTAINS[c] 'x' || !float BETWEEN {1.5, $0})",
    "ANY things.count IN {1, 0x1F, -3.5e2, inf, nan, null} and ALL doubles[LAST] != 5",
    "SUBQUERY(things, $d, $d.count > 4 AND SUBQUERY($d.things, $e, name LIKE '*?*').@count > 0).@count == 1",
    "@links.Thing.things.@max.count / 2 + 1 >= other.others.@count * $1 SORT(name DESC, count ASC) DISTINCT(count) LIMIT(3)",
    "date < 2000-01-01T00:00:00:5 or date > T-12:-1 or oid == oid(010101010101010101010101)",
    "extra == uuid(02020202-0202-0202-0202-020202020202) || data BEGINSWITH B64\"AQI=\" || data == binary('x')",
    "other == obj('Other', 'a') or other == O1 or other == L0:2 or things == $2",
    "NONE strings ENDSWITH 'e' and doubles[*] == 1 and doubles[SIZE] > 1 and doubles[$3] == 1",
    "anything['k'] == 1 and anything.x.@type == 'int' or ANY counts.@keys BEGINSWITH 'a' and counts.@values.@sum > 1",
    "mixed[0][*].@type == 'list' || mixed['k'].deep[LAST] == null && mixed.name IN {'x', 1.25, true}",
    "part.n == 1 and parts.inners.text == 'x' and parts_by_name['k'].mixed == {1, 2}",
    "count == 9223372036854775807 or count / 0 == 1 or count * 9223372036854775807 > maybe - -1",
    "decimal * 1.10 / float - 2 >= 0.1 and bag == {1, null} and bool != TRUEPREDICATE",
    "name TEXT 'x -y z*' or name ==[c] \"\\\"\\n\\u00e9\" and NOT FALSEPREDICATE",
];

impl Corpus {
    /// Plays stories and reads the golden files beside them.
    pub fn gather() -> Corpus {
        let mut corpus = Corpus {
            changesets: Vec::new(),
            stores: Vec::new(),
            servers: Vec::new(),
            states: Vec::new(),
            images: Vec::new(),
            frames: golden_frames(),
            queries: QUERIES.to_vec(),
        };
        for seed in 1..=STORIES {
            let story = Story::of(seed);
            let mut world = World::new(&story, Telling::Silent);
            story.steps.iter().for_each(|step| world.take(step));
            let (server, stores) = world.remains();
            corpus.changesets.extend(server.history().iter().map(|entry| entry.changeset.clone()));
            corpus.images.push(export(server.state(), usize::MAX).concat());
            corpus.states.push(server.state().clone());
            corpus.stores.extend(stores.into_iter().filter(|store| !store.is_empty()));
            corpus.servers.push(server);
        }
        corpus
    }

    pub(super) fn any<'a, T>(random: &mut Random, all: &'a [T]) -> &'a T {
        &all[random.below(all.len())]
    }
}

/// The frames that every version has written.
fn golden_frames() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebbtide-sync/tests/golden");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the golden files are there").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).expect("a golden file is text");
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("two digits");
        digits.chunks(2).map(byte).collect()
    };
    paths.iter().map(read).collect()
}

/// Changes bytes in a few places, as chance wants it.
pub(super) fn mutate(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            bytes.push(random.number() as u8);
        }
        let at = random.below(bytes.len());
        match random.below(9) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.one_of(&[0, 1, 0x7f, 0x80, 0xff, 16, 32]),
            3 => bytes[at] = bytes[at].wrapping_add(random.below(5) as u8).wrapping_sub(2),
            4 => bytes.truncate(at),
            5 => bytes.insert(at, random.number() as u8),
            6 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
            7 => {
                // A count or a length that nobody has.
                let huge =
                    random.one_of(&[&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 9][..], &[0x80, 0x80, 0x01][..]]);
                bytes.splice(at..at + 1, huge.iter().copied());
            }
            _ => {
                let from = random.below(other.len().max(1)).min(other.len());
                let piece = &other[from..(from + random.below(24)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}
