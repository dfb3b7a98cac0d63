// Listeners to sets, dictionaries, embedded objects, nested values and links the other way round.
import { memoryRealm } from "/tests/suite/models.js";
import { Calls, changes, equal, freshPath, throws, turn } from "/tests/suite/support.js";

const Part = { name: "Part", embedded: true, properties: { size: "int" } };
const Thing = {
  name: "Thing",
  primaryKey: "_id",
  properties: {
    _id: "int",
    value: "int?",
    numbers: "int<>",
    things: "Thing<>",
    entries: "int{}",
    named: "Thing{}",
    part: "Part",
    parts: "Part[]",
    any: "mixed",
    facts: "mixed{}",
    parent: "Thing",
    children: { type: "linkingObjects", objectType: "Thing", property: "parent" },
    renamed: { type: "int", default: 0, mapTo: "stored" },
  },
};

async function withThings(test) {
  const realm = memoryRealm(freshPath("collection-listeners"), [Thing, Part]);
  realm.write(() => {
    for (let _id = 0; _id < 4; _id++) realm.create("Thing", { _id });
  });
  const thing = (id) => realm.objectForPrimaryKey("Thing", id);
  try {
    await test(realm, thing);
  } finally {
    realm.close();
  }
}

/** Adds a listener and gives a function that writes and gives the change set of the call that follows, or nothing. */
async function watch(realm, subject, keyPaths) {
  const calls = new Calls();
  subject.addListener(calls.callback, keyPaths);
  const [first, nothing] = await calls.next("the first call");
  equal(first === subject, true, "the listener's first argument");
  equal(Object.values(nothing).flat().length, nothing.deleted === false ? 1 : 0, "changes in the first call");
  return async (write) => {
    const before = calls.count;
    realm.write(write);
    await turn();
    await turn();
    return calls.count > before ? calls.all[before][1] : "no call";
  };
}

const entries = (given) => ({ deletions: [], insertions: [], modifications: [], ...given });

export async function sets_tell_what_changed() {
  await withThings(async (realm, thing) => {
    const { numbers, things } = thing(0);
    const after = await watch(realm, numbers);
    equal(await after(() => numbers.add(5).add(3)), changes({ insertions: [0, 1] }));
    equal(await after(() => numbers.add(3)), "no call", "a value that was there");
    equal(
      await after(() => {
        numbers.delete(5);
        numbers.add(1);
      }),
      changes({ deletions: [1], insertions: [0] }),
    );
    equal(await after(() => numbers.clear()), changes({ deletions: [0, 1] }));
    const linked = await watch(realm, things);
    equal(await linked(() => things.add(thing(1)).add(thing(2))), changes({ insertions: [0, 1] }));
    equal(await linked(() => (thing(2).value = 1)), changes({ oldModifications: [1], newModifications: [1] }));
    equal(await linked(() => realm.delete(thing(1))), changes({ deletions: [0] }));
    equal(await linked(() => realm.delete(thing(0))), changes({ deletions: [0] }));
    equal(await linked(() => thing(2).things.add(thing(3))), "no call", "after the end of its owner");
  });
}

export async function what_is_taken_out_and_put_in_again_has_gone_and_come() {
  await withThings(async (realm, thing) => {
    const { numbers, things, entries: dictionary } = thing(0);
    realm.write(() => {
      numbers.add(1).add(2).add(3);
      things.add(thing(1)).add(thing(2));
      dictionary.set({ a: 1, b: 2 });
    });
    const all = { deletions: [0, 1, 2], insertions: [0, 1, 2] };
    let after = await watch(realm, numbers);
    equal(await after(() => (thing(0).numbers = [2, 3, 4])), changes(all), "a set that is assigned");
    equal(await after(() => numbers.delete(3) && numbers.add(3)), changes({ deletions: [1], insertions: [1] }));
    const own = await watch(realm, thing(0));
    equal((await own(() => (thing(0).numbers = [2, 3, 4]))).changedProperties, ["numbers"], "the same values");
    after = await watch(realm, things);
    equal(
      await after(() => (thing(0).things = [thing(2), thing(3)])),
      changes({ deletions: [0], insertions: [1] }),
      "links that stay are the same elements",
    );
    after = await watch(realm, dictionary);
    equal(
      await after(() => (thing(0).entries = { b: 2, c: 3 })),
      entries({ deletions: ["a", "b"], insertions: ["b", "c"] }),
    );
    equal(
      await after(() => {
        dictionary.remove("b");
        dictionary.b = 1;
        dictionary.b = 2;
        dictionary.c = 4;
      }),
      entries({ deletions: ["b"], insertions: ["b"], modifications: ["c"] }),
    );
  });
}

export async function sorted_sets_tell_positions_of_their_own() {
  await withThings(async (realm, thing) => {
    const { numbers } = thing(0);
    realm.write(() => numbers.add(1).add(2).add(3));
    const after = await watch(realm, numbers.sorted(true));
    equal(await after(() => numbers.add(9)), changes({ insertions: [0] }));
    equal(await after(() => numbers.delete(1)), changes({ deletions: [3] }));
  });
}

export async function dictionaries_tell_keys() {
  await withThings(async (realm, thing) => {
    const dictionary = thing(0).entries;
    const after = await watch(realm, dictionary);
    equal(await after(() => dictionary.set({ b: 1, a: 2 })), entries({ insertions: ["a", "b"] }));
    equal(await after(() => dictionary.set("a", 2)), entries({ modifications: ["a"] }), "an equal value");
    equal(
      await after(() => {
        dictionary.remove("b");
        dictionary.c = 1;
        dictionary.a = 9;
      }),
      entries({ deletions: ["b"], insertions: ["c"], modifications: ["a"] }),
    );
    equal(await after(() => (thing(0).value = 1)), "no call");
    equal(await after(() => realm.delete(thing(0))), entries({ deletions: ["a", "c"] }));
    const { named } = thing(1);
    const linked = await watch(realm, named, "value");
    equal(await linked(() => (named.x = thing(2))), entries({ insertions: ["x"] }));
    equal(await linked(() => (thing(2).value = 1)), entries({ modifications: ["x"] }));
    equal(await linked(() => thing(2).numbers.add(1)), "no call", "a change that is on no key path");
    throws(() => thing(2).entries.addListener(() => {}, "value"), "Key paths lead from objects");
    const calls = new Calls();
    named.addListener(calls.callback);
    throws(() => named.addListener(calls.callback), "Remove callback before adding it again");
    named.removeAllListeners();
    equal(await linked(() => (named.y = thing(2))), "no call");
    throws(() => named.addListener(5), "Expected 'callback' to be a function, got a number");
  });
}

export async function embedded_objects_are_part_of_their_owner_for_collections_and_not_for_its_own_listener() {
  await withThings(async (realm, thing) => {
    realm.write(() => {
      thing(0).part = { size: 1 };
      thing(0).parts.push({ size: 1 }, { size: 2 });
    });
    const { parts, part } = thing(0);
    const all = await watch(realm, realm.objects("Thing"));
    const list = await watch(realm, parts);
    const own = new Calls();
    thing(0).addListener(own.callback);
    await own.next();
    const inner = new Calls();
    part.addListener(inner.callback);
    await inner.next();
    equal(await list(() => (parts[1].size = 9)), changes({ oldModifications: [1], newModifications: [1] }));
    equal(await all(() => (part.size = 7)), changes({ oldModifications: [0], newModifications: [0] }));
    equal((await inner.next())[1], { changedProperties: ["size"], deleted: false });
    equal(own.count, 1, "the owner's own listener");
    equal(await list(() => parts.push({ size: 3 })), changes({ insertions: [2] }));
    equal((await own.next())[1].changedProperties, ["parts"]);
    equal(await list(() => parts.remove(0)), changes({ deletions: [0] }));
    realm.write(() => {
      thing(0).part = { size: 8 };
    });
    equal((await inner.next())[1], { changedProperties: [], deleted: true }, "what was replaced");
  });
}

export async function links_the_other_way_round_tell_who_links() {
  await withThings(async (realm, thing) => {
    const after = await watch(realm, thing(0).children);
    equal(await after(() => (thing(2).parent = thing(0))), changes({ insertions: [0] }));
    equal(await after(() => (thing(1).parent = thing(0))), changes({ insertions: [0] }));
    equal(await after(() => (thing(2).value = 1)), changes({ oldModifications: [1], newModifications: [1] }));
    equal(await after(() => (thing(1).parent = null)), changes({ deletions: [0] }));
    equal(await after(() => realm.delete(thing(2))), changes({ deletions: [0] }));
  });
}

export async function key_paths_lead_against_links_and_know_both_names_of_a_property() {
  await withThings(async (realm, thing) => {
    const first = () => realm.objects("Thing").filtered("_id == 0");
    const back = await watch(realm, first(), "children");
    const through = await watch(realm, first(), ["children.value"]);
    const object = await watch(realm, thing(0), "children.value");
    const one = changes({ oldModifications: [0], newModifications: [0] });
    equal(await back(() => (thing(1).parent = thing(0))), one);
    equal(await back(() => (thing(1).value = 1)), "no call");
    equal(await through(() => (thing(1).value = 2)), one);
    equal(await object(() => (thing(1).value = 3)), { changedProperties: ["children"], deleted: false });
    equal(await through(() => (thing(1).renamed = 3)), "no call");
    equal(await back(() => realm.delete(thing(1))), one);
    for (const name of ["renamed", "stored"]) {
      const named = await watch(realm, thing(0), name);
      equal(await named(() => (thing(0).renamed += 1)), { changedProperties: ["renamed"], deleted: false });
      equal(await named(() => (thing(0).value = 1)), "no call");
    }
  });
}

export async function lists_and_dictionaries_inside_a_value_tell_what_changed() {
  await withThings(async (realm, thing) => {
    realm.write(() => {
      thing(0).any = [1, { deep: [true] }, 3];
    });
    const list = thing(0).any;
    const dictionary = list[1];
    const outer = await watch(realm, list);
    const inner = await watch(realm, dictionary);
    equal(await outer(() => list.push(4)), changes({ insertions: [3] }));
    equal(await outer(() => (list[0] = 9)), changes({ oldModifications: [0], newModifications: [0] }));
    equal(await inner(() => (dictionary.more = 1)), entries({ insertions: ["more"] }));
    equal(await inner(() => dictionary.deep.push(false)), entries({ modifications: ["deep"] }));
    equal(await outer(() => list.remove(3)), changes({ deletions: [3] }));
    equal(await inner(() => (thing(0).value = 1)), "no call");
    equal(await outer(() => (thing(0).any = "no list any more")), changes({ deletions: [0, 1, 2] }));
  });
}

export async function a_change_inside_a_value_of_a_dictionary_modifies_its_key() {
  await withThings(async (realm, thing) => {
    realm.write(() => {
      thing(0).facts = { list: [1], map: { deep: { n: 1 } } };
    });
    const { facts } = thing(0);
    const after = await watch(realm, facts);
    equal(await after(() => facts.list.push(2)), entries({ modifications: ["list"] }));
    equal(await after(() => (facts.map.deep.n = 2)), entries({ modifications: ["map"] }));
    equal(await after(() => (facts.list = [3])), entries({ modifications: ["list"] }));
    const again = () => {
      facts.remove("list");
      facts.set("list", [4]);
      facts.list.push(5);
    };
    equal(await after(again), entries({ deletions: ["list"], insertions: ["list"] }));
  });
}

export async function limited_and_distinct_results_tell_what_moves_in_and_out() {
  await withThings(async (realm, thing) => {
    realm.write(() => {
      for (const id of [0, 1, 2, 3]) thing(id).value = id;
    });
    const two = await watch(realm, realm.objects("Thing").filtered("TRUEPREDICATE SORT(value DESC) LIMIT(2)"));
    equal(await two(() => (thing(0).value = 9)), changes({ deletions: [1], insertions: [0] }));
    equal(await two(() => (thing(1).value = -1)), "no call");
    const sorted = await watch(realm, realm.objects("Thing").sorted("value"));
    // -1: 1, 2: 2, 3: 3, 9: 0
    equal(
      await sorted(() => (thing(2).value = 4)),
      changes({ deletions: [1], insertions: [2] }),
      "the changed one moves",
    );
    equal(await sorted(() => (thing(2).value = 5)), changes({ oldModifications: [2], newModifications: [2] }));
  });
}

export async function a_list_that_is_assigned_the_same_links_is_no_news_to_its_listener() {
  const schema = [{ name: "Node", properties: { list: "Node[]", numbers: "int[]" } }];
  const realm = memoryRealm(freshPath("collection-listeners"), schema);
  const [a, b, c] = realm.write(() => [1, 2, 3].map(() => realm.create("Node", {})));
  realm.write(() => {
    a.list.push(b, c);
    a.numbers.push(1, 2);
  });
  const list = await watch(realm, a.list);
  const numbers = await watch(realm, a.numbers);
  equal(await list(() => (a.list = [b, c])), "no call");
  equal(await list(() => (a.list[0] = b)), "no call", "an element that is set to what it was");
  equal(await list(() => (a.list = [c])), changes({ deletions: [0] }));
  equal(await numbers(() => (a.numbers = [1, 2])), changes({ deletions: [0, 1], insertions: [0, 1] }));
  equal(await numbers(() => a.numbers.move(0, 1)), changes({ deletions: [0], insertions: [1] }));
  realm.close();
}

export async function a_link_that_is_set_to_what_it_was_is_no_change() {
  await withThings(async (realm, thing) => {
    realm.write(() => {
      thing(0).parent = thing(1);
      thing(0).any = thing(1);
    });
    const after = await watch(realm, thing(0));
    const results = await watch(realm, realm.objects("Thing").filtered("_id == 0"));
    const again = () => {
      thing(0).parent = thing(1);
      thing(0).any = thing(1);
      realm.create("Thing", { _id: 0, parent: thing(1) }, "all");
    };
    equal(await after(again), "no call");
    equal(await results(again), "no call");
    equal((await after(() => (thing(0).parent = thing(2)))).changedProperties, ["parent"]);
    equal((await after(() => (thing(0).parent = null))).changedProperties, ["parent"]);
    equal((await after(() => (thing(0).parent = null))).changedProperties, ["parent"], "null for null");
  });
}

export async function empty_collections_tell_of_their_owners_end_once() {
  await withThings(async (realm, thing) => {
    const last = [];
    for (const collection of [
      thing(1).numbers,
      thing(1).numbers.sorted(true),
      thing(1).entries,
      thing(1).named,
      thing(1).things,
    ]) {
      const calls = new Calls();
      collection.addListener(calls.callback);
      await calls.next("the first call");
      last.push(calls);
    }
    realm.write(() => realm.delete(thing(1)));
    await turn();
    const second = async (calls) => (await calls.next("the call of the end"))[1];
    for (const calls of last.slice(0, 2)) equal(await second(calls), changes({}));
    for (const calls of last.slice(2, 4)) equal(await second(calls), entries({}));
    realm.write(() => realm.create("Thing", { _id: 9 }));
    await turn();
    equal(
      last.map(({ count }) => count),
      [2, 2, 2, 2, 1],
      "calls; an empty set of objects has none to tell",
    );
  });
}

export async function updating_what_was_modified_writes_what_javascript_finds_different() {
  const properties = {
    _id: "int",
    n: "int",
    text: "string?",
    on: "date",
    list: "int[]",
    link: "Item",
    byName: "int{}",
  };
  const realm = memoryRealm(freshPath("modified"), [{ name: "Item", primaryKey: "_id", properties }]);
  const values = { _id: 1, n: 1, text: null, on: new Date(5), list: [1, 2], byName: { a: 1 } };
  const item = realm.write(() => realm.create("Item", values));
  const after = await watch(realm, item);
  const update = (given) => () => realm.create("Item", { _id: 1, ...given }, "modified");
  equal(await after(update({ n: 1, text: null })), "no call");
  equal((await after(update({ ...values, n: 2 }))).changedProperties, ["n", "on", "list", "byName"]);
  equal((await after(update({ link: null, text: "x" }))).changedProperties, ["text"]);
  realm.close();
}

export async function results_of_a_closed_realm_take_listeners_and_stay_silent() {
  const realm = memoryRealm(freshPath("collection-listeners"), [Thing, Part]);
  const things = realm.objects("Thing");
  const thing = realm.write(() => realm.create("Thing", { _id: 1 }));
  let calls = 0;
  const listener = () => {
    calls += 1;
  };
  things.addListener(listener);
  things.removeListener(listener);
  realm.close();
  // As React's strict mode does, which runs an effect a second time after the effects of its parents have been undone.
  things.addListener(listener);
  things.addListener(listener, ["value"]);
  throws(() => things.addListener("listener"), "to be a function");
  things.removeListener(listener);
  throws(() => thing.addListener(listener), "Cannot access realm that has been closed.");
  await turn();
  equal(calls, 0);
}
