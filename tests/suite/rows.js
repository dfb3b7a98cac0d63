// Values that are read so often between two changes that they are read where they lie in memory.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Plain = {
  name: "Plain",
  primaryKey: "_id",
  properties: {
    _id: "int",
    bool: "bool",
    optBool: "bool?",
    int: "int",
    optInt: "int?",
    float: "float",
    optFloat: "float?",
    double: "double",
    optDouble: "double?",
    string: "string",
    optString: "string?",
    date: "date",
    optDate: "date?",
    link: "Plain",
    uuid: "uuid",
    ints: "int[]",
  },
};
const INTS = [
  0,
  -1,
  4294967295,
  4294967296,
  -4294967297,
  9007199254740991,
  -9007199254740991,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const STRINGS = [
  "",
  "Pug",
  "Beagle",
  "Grüße 👋",
  "x".repeat(31),
  "y".repeat(32),
  "z".repeat(33),
  "ä".repeat(200),
  "a\u0000b",
];
const UUID = "d4a3cc4c-b3eb-44ac-af25-447d25ada313";

/** The values of an object, by its primary key; every third has nulls. */
function values(id) {
  const number = Math.abs(id) % 1000;
  const orNull = (value) => (number % 3 === 0 ? null : value);
  const int = INTS[number % INTS.length];
  const string = STRINGS[number % STRINGS.length];
  return {
    bool: number % 2 === 0,
    optBool: orNull(number % 2 === 1),
    int,
    optInt: orNull(int),
    float: number / 4,
    optFloat: orNull(-number / 4),
    double: number / 10,
    optDouble: orNull(-0.5 * number),
    string,
    optString: orNull(string),
    date: new Date(number * 1e9 - 1e12),
    optDate: orNull(new Date(number)),
  };
}

function create(realm, id, link = null) {
  return realm.create("Plain", { _id: id, ...values(id), link, uuid: new Realm.BSON.UUID(UUID), ints: [id, id + 1] });
}

/** Reads every property of every object. */
function check(realm, expected) {
  const objects = [...realm.objects("Plain")];
  equal(
    objects.map(({ _id }) => _id).sort((a, b) => a - b),
    [...expected.keys()].sort((a, b) => a - b),
  );
  for (const object of objects) {
    const { link, ...plain } = expected.get(object._id);
    for (const [name, value] of Object.entries(plain)) equal(object[name], value, `${object._id}.${name}`);
    equal(object.link?._id ?? null, link, `${object._id}.link`);
    equal([String(object.uuid), [...object.ints]], [UUID, [object._id, object._id + 1]]);
    equal(realm.objectForPrimaryKey("Plain", object._id)._objectKey(), object._objectKey());
  }
}

function filled(count, id = (at) => at) {
  const realm = new Realm({ path: freshPath("rows"), inMemory: true, schema: [Plain] });
  const expected = new Map();
  realm.write(() => {
    let last = null;
    for (let at = 0; at < count; at++) {
      expected.set(id(at), { ...values(id(at)), link: last?._id ?? null });
      last = create(realm, id(at), last);
    }
  });
  return { realm, expected };
}

export async function values_read_often_are_those_that_were_written() {
  const { realm, expected } = filled(700);
  check(realm, expected);
  check(realm, expected);
  equal(realm.objectForPrimaryKey("Plain", 700), null);
  equal(realm.objectForPrimaryKey("Plain", -1), null);
  realm.close();
}

export async function what_is_read_often_follows_every_change() {
  const { realm, expected } = filled(600);
  check(realm, expected);
  const kept = realm.objectForPrimaryKey("Plain", 300);
  const gone = realm.objectForPrimaryKey("Plain", 301);
  for (let round = 1; round <= 4; round++) {
    realm.write(() => {
      for (let id = round; id < 600; id += 7) {
        const object = realm.objectForPrimaryKey("Plain", id);
        if (!object) continue;
        const next = values(id + round);
        Object.assign(object, next);
        expected.set(id, { ...next, link: expected.get(id).link });
        // Read within the transaction, often.
        for (let times = 0; times < 20; times++) equal([object.int, object.string], [next.int, next.string]);
      }
      const id = 301 + (round - 1) * 50;
      realm.delete(realm.objectForPrimaryKey("Plain", id));
      expected.delete(id);
      for (const entry of expected.values()) if (entry.link === id) entry.link = null;
    });
    check(realm, expected);
    equal([kept.isValid(), gone.isValid()], [true, false]);
    throws(() => gone.int, "invalidated or deleted");
    equal(kept.optInt, expected.get(300).optInt);
  }
  const before = kept.double;
  throws(
    () =>
      realm.write(() => {
        kept.double = 12345;
        for (let times = 0; times < 100; times++) equal(kept.double, 12345);
        throw new Error("never mind");
      }),
    "never mind",
  );
  for (let times = 0; times < 100; times++) equal(kept.double, before);
  realm.close();
  throws(() => kept.double, "invalidated or deleted");
}

export async function reading_goes_on_when_the_memory_grows() {
  const { realm, expected } = filled(300);
  check(realm, expected);
  const other = new Realm({
    path: freshPath("rows"),
    inMemory: true,
    schema: [{ name: "Heap", properties: { data: "data" } }],
  });
  for (let times = 0; times < 40; times++) {
    other.write(() => other.create("Heap", { data: new ArrayBuffer(1_000_000) }));
    equal(realm.objectForPrimaryKey("Plain", times).int, expected.get(times).int);
  }
  check(realm, expected);
  other.close();
  realm.close();
}

export async function objects_are_found_however_their_primary_keys_are_spread() {
  const ids = [(at) => at * 5 - 1000, (at) => 1000 - at, (at) => (at * 7919) % 1009, (at) => at * 4_000_000_000];
  for (const id of ids) {
    const { realm, expected } = filled(500, id);
    check(realm, expected);
    check(realm, expected);
    for (const stranger of [0.5, 1e15, -1e15, Number.MAX_SAFE_INTEGER]) {
      if (Number.isInteger(stranger)) equal(realm.objectForPrimaryKey("Plain", stranger), null);
      else throws(() => realm.objectForPrimaryKey("Plain", stranger), "");
    }
    realm.close();
  }
}

export async function objects_of_a_snapshot_are_read_as_they_are_now() {
  const { realm, expected } = filled(300);
  check(realm, expected);
  const object = realm.objectForPrimaryKey("Plain", 7);
  const snapshot = realm.objects("Plain").filtered("_id < 50").snapshot();
  realm.write(() => {
    for (const each of realm.objects("Plain")) each.int = 5;
  });
  for (let times = 0; times < 50; times++) equal(object.int, 5);
  isTrue(
    snapshot.every(({ int }) => int === 5),
    "live objects in a snapshot",
  );
  realm.close();
}

export async function numbers_that_do_not_fit_are_refused_and_change_nothing() {
  const { realm } = filled(10);
  const object = realm.objectForPrimaryKey("Plain", 4);
  const before = JSON.stringify(object);
  throws(() => {
    object.int = 1;
  }, "Cannot modify managed objects outside of a write transaction");
  realm.write(() => {
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63]) {
      throws(() => {
        object.int = wrong;
      }, "");
    }
    for (const name of ["bool", "string", "date", "uuid", "link", "ints"]) {
      throws(() => {
        object[name] = 5;
      }, "");
    }
    throws(() => {
      object._id = 5;
    }, "Cannot change value of primary key");
    equal(JSON.stringify(object), before);
    object.int = 2 ** 60;
    object.double = Number.NaN;
    object.float = 0.1;
    equal([object.int, object.double, object.float], [2n ** 60n, Number.NaN, Math.fround(0.1)]);
    const gone = realm.objectForPrimaryKey("Plain", 5);
    realm.delete(gone);
    throws(() => {
      gone.int = 1;
    }, "invalidated or deleted");
    throws(() => realm.delete(gone), "Object is invalid");
  });
  realm.close();
}
