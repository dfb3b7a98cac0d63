// Every write of several values is done whole or not at all, also for an application that catches the error inside its
// transaction; and its error says for which property of which class what was expected, and what was given.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Thing = {
  name: "Thing",
  primaryKey: "_id",
  properties: {
    _id: "int",
    n: { type: "int", default: 0 },
    text: "string?",
    link: "Thing",
    ints: "int[]",
    things: "Thing[]",
    set: "int<>",
    thingSet: "Thing<>",
    dict: "int{}",
    thingDict: "Thing{}",
    part: "Part",
    parts: "Part[]",
    partDict: "Part{}",
    any: "mixed",
    anys: "mixed[]",
    anyDict: "mixed{}",
  },
};
const Part = { name: "Part", embedded: true, properties: { n: "int", inner: "Inner" } };
const Inner = { name: "Inner", embedded: true, properties: { n: "int", text: "string?" } };

const HUGE = "x".repeat(2 * 1024 * 1024 + 1);

function withThing(test) {
  const realm = new Realm({ path: freshPath("whole"), inMemory: true, schema: [Thing, Part, Inner] });
  const thing = realm.write(() => {
    const other = realm.create("Thing", { _id: 2, n: 2 });
    return realm.create("Thing", {
      _id: 1,
      link: other,
      ints: [1, 2],
      things: [other],
      set: [1, 2],
      thingSet: [other],
      dict: { a: 1 },
      thingDict: { a: other },
      part: { n: 1, inner: { n: 2 } },
      parts: [{ n: 1 }, { n: 2 }],
      partDict: { a: { n: 1 } },
      any: { list: [1, { a: 1 }] },
      anys: [1, [2]],
      anyDict: { a: 1, list: [1] },
    });
  });
  test(realm, thing);
  realm.close();
}

/** Everything that is in the realm. */
function picture(realm) {
  const things = [...realm.objects("Thing")].map((thing) => ({
    ...thing.toJSON(),
    link: thing.link?._id,
    things: thing.things.map(({ _id }) => _id),
    thingSet: thing.thingSet.map(({ _id }) => _id),
    thingDict: Object.entries(thing.thingDict).map(([key, { _id }]) => `${key} ${_id}`),
  }));
  return JSON.stringify(things);
}

/** Ways to write several values, of which the last does not fit, with what the error says. */
const WRITES = {
  "create, last property": [
    (realm) => realm.create("Thing", { _id: 9, ints: [1], link: { _id: 10 }, text: 5 }),
    "Expected value to be a string, got a number (Thing.text)",
  ],
  "create, linked object": [
    (realm) => realm.create("Thing", { _id: 9, things: [{ _id: 10 }, { _id: 11, n: "x" }] }),
    "Expected value to be a number or bigint, got a string (Thing.n)",
  ],
  "create, missing value of an embedded object": [
    (realm) => realm.create("Thing", { _id: 9, link: { _id: 10 }, parts: [{ n: 1 }, {}] }),
    "Missing value for property 'n' (Part.n)",
  ],
  "create, one primary key twice": [
    (realm) => realm.create("Thing", { _id: 9, things: [{ _id: 10 }, { _id: 10 }] }),
    "Attempting to create an object of type 'Thing' with an existing primary key value '10'.",
  ],
  "create, a value beyond the limit": [
    (realm) => realm.create("Thing", { _id: 9, things: [{ _id: 10 }], text: HUGE }),
    "value's number of bytes exceeds the limit",
  ],
  "create in mode all": [
    (realm) => realm.create("Thing", { _id: 1, n: 7, ints: [9], link: { _id: 10 }, text: 5 }, "all"),
    "Expected value to be a string, got a number (Thing.text)",
  ],
  "create in mode modified, a value beyond the limit": [
    (realm) => realm.create("Thing", { _id: 1, n: 7, ints: [9], text: HUGE }, "modified"),
    "value's number of bytes exceeds the limit",
  ],
  "a list": [
    (_, thing) => {
      thing.ints = [5, "x"];
    },
    "Expected 'ints[1]' to be a number or bigint, got a string (Thing.ints)",
  ],
  "a fraction in a list": [(_, thing) => thing.ints.push(5, 1.5), "because it is not an integer (Thing.ints)"],
  push: [(_, thing) => thing.ints.push(5, null), "to be a number or bigint, got null (Thing.ints)"],
  unshift: [(_, thing) => thing.ints.unshift(5, {}), "to be a number or bigint, got an object (Thing.ints)"],
  splice: [(_, thing) => thing.ints.splice(0, 2, 5, true), "to be a number or bigint, got a boolean (Thing.ints)"],
  "push objects": [
    (_, thing) => thing.things.push({ _id: 10 }, { _id: 11, text: 5 }),
    "Expected value to be a string, got a number (Thing.text)",
  ],
  "push no object": [
    (_, thing) => thing.things.push({ _id: 10 }, 5),
    "Expected 'element of things' to be an object, got a number (Thing.things)",
  ],
  "splice objects beyond the limit": [
    (_, thing) => thing.things.splice(0, 1, { _id: 10 }, { _id: 11, text: HUGE }),
    "value's number of bytes exceeds the limit",
  ],
  "a set": [
    (_, thing) => {
      thing.set = [5, "x"];
    },
    "to be a number or bigint, got a string (Thing.set)",
  ],
  "a set of objects": [
    (_, thing) => {
      thing.thingSet = [{ _id: 10 }, 5];
    },
    "Expected 'value in thingSet' to be an object, got a number (Thing.thingSet)",
  ],
  add: [(_, thing) => thing.thingSet.add({ _id: 10, link: { _id: 11, n: "x" } }), "got a string (Thing.n)"],
  "a dictionary": [
    (_, thing) => {
      thing.dict = { b: 5, c: "x" };
    },
    `Expected 'dict["c"]' to be a number or bigint, got a string (Thing.dict)`,
  ],
  "set of a dictionary": [
    (_, thing) => thing.dict.set({ a: 5, b: "x" }),
    "to be a number or bigint, got a string (Thing.dict)",
  ],
  "set of a dictionary, a key": [
    (_, thing) => thing.dict.set({ a: 5, $b: 6 }),
    "key must not start with '$' (Thing.dict)",
  ],
  "set of a dictionary of objects": [
    (_, thing) => thing.thingDict.set({ b: { _id: 10 }, c: { _id: 11, n: "x" } }),
    "got a string (Thing.n)",
  ],
  "set of a dictionary of embedded objects": [
    (_, thing) => thing.partDict.set({ a: { n: 5 }, b: { n: 5, inner: { n: 1, text: HUGE } } }),
    "value's number of bytes exceeds the limit",
  ],
  "remove of a dictionary": [(_, thing) => thing.dict.remove(["a", 5]), "Expected 'key' to be a string, got a number"],
  "an embedded object": [
    (_, thing) => {
      thing.part = { n: 5, inner: { n: "x" } };
    },
    "got a string (Inner.n)",
  ],
  "embedded objects": [
    (_, thing) => {
      thing.parts = [{ n: 5 }, { n: 6, inner: { n: 7, text: HUGE } }];
    },
    "value's number of bytes exceeds the limit",
  ],
  "push embedded objects": [(_, thing) => thing.parts.push({ n: 5 }, { n: "x" }), "got a string (Part.n)"],
  "replace an embedded object": [
    (_, thing) => {
      thing.parts[0] = { n: 5, inner: { n: 6, text: HUGE } };
    },
    "value's number of bytes exceeds the limit",
  ],
  "a mixed": [
    (_, thing) => {
      thing.any = [1, new Set()];
    },
    "Using a Set as a Mixed value is not supported. (Thing.any)",
  ],
  "a list inside a mixed": [
    (_, thing) => thing.any.list.push(5, Symbol("no")),
    "Can't convert symbol to Mixed (Thing.any)",
  ],
  "a list inside a mixed, beyond the limit": [
    (_, thing) => thing.any.list.push(5, HUGE),
    "value's number of bytes exceeds the limit",
  ],
  "splice of a list inside a mixed": [
    (_, thing) => thing.anys[1].splice(0, 1, 5, new Map()),
    "Unable to convert an object with ctor 'Map' to a Mixed (Thing.anys)",
  ],
  "a dictionary inside a mixed": [
    (_, thing) => thing.any.list[1].set({ a: 5, b: new Set() }),
    "Using a Set as a Mixed value is not supported. (Thing.any)",
  ],
  "mixed values": [(_, thing) => thing.anys.push(5, () => {}), "Can't convert function to Mixed (Thing.anys)"],
  "mixed values by key": [
    (_, thing) => thing.anyDict.set({ a: 5, b: { $c: 1 } }),
    "key must not start with '$' (Thing.anyDict)",
  ],
  update: [(realm) => realm.objects("Thing").update("n", "x"), "got a string (Thing.n)"],
  "update with an object, which comes to be twice": [
    (realm) => realm.objects("Thing").update("link", { _id: 10 }),
    "Attempting to create an object of type 'Thing' with an existing primary key value '10'.",
  ],
  "delete, no object": [
    (realm, thing) => realm.delete([realm.objectForPrimaryKey("Thing", 2), thing, 5]),
    "Expected value to be an instance of Realm.Object, got a number",
  ],
};

export async function a_write_that_fails_at_its_last_value_leaves_nothing() {
  withThing((realm, thing) => {
    const before = picture(realm);
    for (const [name, [write, message]] of Object.entries(WRITES)) {
      realm.write(() => {
        throws(() => write(realm, thing), message);
        equal(picture(realm), before, `${name}, inside the transaction`);
      });
      equal(picture(realm), before, name);
      throws(() => realm.write(() => write(realm, thing)), message);
      equal(picture(realm), before, `${name}, rolled back`);
    }
  });
}

export async function what_is_written_after_a_failure_is_kept() {
  withThing((realm, thing) => {
    realm.write(() => {
      for (const [write] of Object.values(WRITES)) {
        throws(() => write(realm, thing), "");
        thing.ints.push(thing.ints.length + 1);
        thing.any.list.push(thing.ints.length);
      }
    });
    const count = Object.keys(WRITES).length;
    equal([thing.ints.length, thing.any.list.length, thing.parts.length], [2 + count, 2 + count, 2]);
    equal(thing.any.list[1 + count], 2 + count);
    isTrue(realm.objects("Thing").length === 2, "no object more");
  });
}

export async function a_dead_object_is_deleted_with_nobody() {
  withThing((realm, thing) => {
    const dead = realm.write(() => realm.create("Thing", { _id: 5 }));
    realm.write(() => realm.delete(dead));
    realm.write(() => {
      throws(() => realm.delete([thing, dead]), "Object is invalid");
      throws(() => thing.things.push({ _id: 10 }, dead), "Target object not found (Thing.things)");
      realm.delete([thing, thing]);
    });
    equal(
      realm.objects("Thing").map(({ _id }) => _id),
      [2],
    );
  });
}
