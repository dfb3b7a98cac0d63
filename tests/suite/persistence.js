// What is on disk: closing, opening again, deleting, schema changes.
import Realm from "/dist/index.js";
import { Dog, Everything, everything, Person } from "/tests/suite/models.js";
import { closed, equal, freshPath, isTrue, rejects, throws } from "/tests/suite/support.js";
import { plain } from "/tests/suite/types.js";
import { kinds, text } from "/tests/suite/types_mixed.js";

const schema = [Dog, Person, Everything];

export async function everything_is_there_after_opening_again() {
  const path = freshPath("persistence");
  const values = everything();
  let realm = await Realm.open({ path, schema });
  realm.write(() => {
    const object = realm.create("Everything", values);
    object.link = object;
    object.links = [object];
    realm.create("Person", { name: "Jo", dogs: [{ _id: 1, name: "Rex", tags: ["a", "b"] }] });
  });
  const before = plain(realm.objects("Everything")[0]);
  const people = JSON.stringify(realm.objects("Person"));
  realm.close();
  realm = await Realm.open({ path, schema });
  equal(plain(realm.objects("Everything")[0]), before);
  equal(JSON.stringify(realm.objects("Person")), people);
  equal([realm.path, realm.isClosed, realm.isInMemory], [`/${path}`, false, false]);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function every_type_is_there_after_opening_again() {
  const path = freshPath("persistence");
  const { Decimal128 } = Realm.BSON;
  const Holder = {
    name: "Holder",
    primaryKey: "_id",
    properties: {
      _id: "int",
      float: "float",
      optFloat: "float?",
      decimal: "decimal128",
      decimals: "decimal128?[]",
      counter: "counter",
      big: "int",
      any: "mixed",
      anys: "mixed[]",
      anySet: "mixed<>",
      anyByName: "mixed{}",
      ints: "int?<>",
      strings: "string<>",
      dates: "date{}",
      texts: "string?{}",
      part: "Part",
      parts: "Part[]",
      partsByName: "Part{}",
      link: "Holder",
      linkSet: "Holder<>",
      linksByName: "Holder{}",
      renamed: { type: "string", mapTo: "stored_name", indexed: "full-text" },
      back: { type: "linkingObjects", objectType: "Holder", property: "link" },
    },
  };
  const Part = { name: "Part", embedded: true, properties: { n: "int", inner: "Inner", inners: "Inner[]" } };
  const Inner = { name: "Inner", embedded: true, properties: { holder: "Holder", at: "date?" } };
  const wanted = { path, schema: [Holder, Part, Inner] };
  const values = kinds().map(([value]) => value);
  const part = { n: 1, inner: { at: new Date(5) }, inners: [{}, { at: new Date(6) }] };
  let realm = await Realm.open(wanted);
  realm.write(() => {
    const holder = realm.create("Holder", {
      _id: 1,
      float: 1.1,
      decimal: Decimal128.fromString("-1.250E+10"),
      decimals: [Decimal128.fromString("0.1"), null],
      counter: 5,
      big: -(2n ** 63n),
      any: { all: values },
      anys: values,
      anySet: values.filter((value) => !Array.isArray(value) && !(value && value.constructor === Object)),
      anyByName: Object.fromEntries(values.map((value, index) => [`k${index}`, value])),
      ints: [3, null, 1],
      strings: ["b", "ä", ""],
      dates: { a: new Date(1), b: new Date(-1) },
      texts: { "": "empty key", none: null },
      part,
      parts: [part, { n: 2 }],
      partsByName: { a: part, none: null },
      renamed: "some words",
    });
    holder.counter.increment(2);
    Object.assign(holder, { link: holder, linkSet: [holder], linksByName: { me: holder, none: null } });
    holder.part.inner.holder = holder;
    holder.any.all.push(holder);
    realm.create("Holder", {
      _id: 2,
      float: -0,
      decimal: Decimal128.fromString("NaN"),
      counter: 0,
      big: 0,
      renamed: "",
    });
  });
  const shown = () =>
    [...realm.objects("Holder")].map((object) =>
      [...Object.entries(object)].map(([name, value]) => [
        name,
        value instanceof Realm.Counter ? value.value : plainOf(value),
      ]),
    );
  const plainOf = (value) => {
    if (value instanceof Realm.Object && "back" in value) return `holder ${value._id}`;
    if (value instanceof Realm.Object || value instanceof Realm.Dictionary) {
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainOf(inner)]));
    }
    if (value instanceof Realm.OrderedCollection) return Array.from(value, plainOf);
    return Object.is(value, -0) ? "-0" : text(value);
  };
  const before = shown();
  realm.close();
  realm = await Realm.open(wanted);
  equal(shown(), before);
  equal([realm.objects("Holder")[0].back.length, realm.objects("Holder")[0].linkingObjectsCount()], [1, 5]);
  equal(
    realm.schema.map(({ embedded }) => embedded),
    [false, true, true],
  );
  // The schema that is in the store opens it too, under the stored names.
  realm.close();
  realm = await Realm.open({ path });
  equal([realm.objects("Holder")[0].stored_name, realm.objects("Holder")[0].part.n], ["some words", 1]);
  equal(realm.schema[0].properties.stored_name.indexed, "full-text");
  realm.close();
  await Realm.deleteFile({ path });
}

export async function many_commits_and_a_large_one_survive() {
  const path = freshPath("persistence");
  let realm = await Realm.open({ path, schema });
  for (let _id = 0; _id < 200; _id++) {
    realm.write(() => realm.create("Dog", { _id, name: `dog ${_id}` }));
    if (_id % 3 === 0) realm.write(() => realm.delete(realm.objectForPrimaryKey("Dog", _id)));
  }
  await realm.waitForDurable();
  realm.write(() => {
    for (let _id = 1000; _id < 6000; _id++) realm.create("Dog", { _id, name: `dog ${_id}`, age: _id % 17 });
  });
  const sum = realm.objects("Dog").sum("age");
  const { length } = realm.objects("Dog");
  realm.close();
  realm = await Realm.open({ path, schema });
  equal([realm.objects("Dog").length, realm.objects("Dog").sum("age")], [length, sum]);
  equal(realm.objectForPrimaryKey("Dog", 1234).name, "dog 1234");
  realm.close();
  await Realm.deleteFile({ path });
}

export async function the_schema_is_read_from_the_store() {
  const path = freshPath("persistence");
  let realm = await Realm.open({ path, schema, schemaVersion: 3 });
  realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
  realm.close();
  equal([Realm.exists({ path }), Realm.schemaVersion(path)], [true, 3]);
  realm = await Realm.open({ path });
  equal([realm.schemaVersion, realm.schema.map(({ name }) => name)], [3, ["Dog", "Everything", "Person"]]);
  equal(realm.objects("Dog")[0].name, "Rex");
  realm.close();
  realm = await Realm.open({ path, readOnly: true });
  isTrue(realm.isReadOnly, "a read-only realm");
  throws(() => realm.write(() => {}), "Can't perform transactions on read-only Realms.");
  realm.close();
  await Realm.deleteFile({ path });
}

export async function deleted_realms_are_gone() {
  const path = freshPath("persistence");
  equal([Realm.exists(path), Realm.schemaVersion(path)], [false, -1]);
  let realm = await Realm.open({ path, schema });
  realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
  throws(() => Realm.deleteFile({ path }), "Cannot delete files of an open Realm");
  equal(Realm.exists(path), true);
  realm.close();
  const deleted = Realm.deleteFile({ path });
  equal(Realm.exists(path), false);
  realm = await Realm.open({ path, schema });
  isTrue(realm.isEmpty, "an empty realm");
  await deleted;
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_realm_that_could_not_be_deleted_is_still_there() {
  const path = `/${freshPath("persistence")}`;
  const config = { path, schema, onFirstOpen: (realm) => realm.create("Person", { name: "first" }) };
  let realm = await Realm.open(config);
  realm.close();
  // A flush of what is committed precedes the end; after it this page holds the lock no more.
  let release;
  const taken = new Promise((resolve) => {
    navigator.locks.request(`ebbtide:${path}`, () => {
      resolve();
      return new Promise((free) => {
        release = free;
      });
    });
  });
  await taken;
  await rejects(Realm.deleteFile({ path }), "is open in another tab");
  equal([Realm.exists(path), Realm.schemaVersion(path)], [true, 0]);
  release();
  realm = await Realm.open(config);
  equal(realm.objects("Person").length, 1);
  realm.close();
  await Realm.deleteFile({ path });
  equal(Realm.exists(path), false);
}

export async function openings_at_the_same_time_share_one_engine() {
  const path = freshPath("persistence");
  const [one, two] = await Promise.all([Realm.open({ path, schema }), Realm.open({ path, schema })]);
  one.write(() => one.create("Dog", { _id: 1, name: "Rex" }));
  equal(two.objects("Dog").length, 1);
  one.close();
  isTrue(two.isClosed, "both to be closed");
  await Realm.deleteFile({ path });
}

export async function objects_stand_in_the_order_in_which_they_were_created_over_several_openings() {
  const path = freshPath("persistence");
  const config = {
    path,
    schema: [
      { name: "Note", properties: { text: "string" } },
      { name: "Numbered", primaryKey: "_id", properties: { _id: "int" } },
    ],
  };
  for (let opening = 0; opening < 4; opening++) {
    const realm = opening === 0 ? new Realm(config) : await Realm.open(config);
    realm.write(() => {
      for (const part of [0, 1]) {
        realm.create("Note", { text: `${opening}.${part}` });
        realm.create("Numbered", { _id: 100 - opening * 2 - part });
      }
    });
    const texts = realm.objects("Note").map(({ text }) => text);
    equal(texts, [...texts].sort());
    const numbers = realm.objects("Numbered").map(({ _id }) => _id);
    equal(
      numbers,
      [...numbers].sort((a, b) => b - a),
    );
    equal([texts.length, numbers.length], [2 * opening + 2, 2 * opening + 2]);
    await realm.waitForDurable();
    realm.close();
  }
  await Realm.deleteFile({ path });
}

export async function a_new_class_is_added_and_a_changed_one_needs_a_migration() {
  const path = freshPath("persistence");
  const version = (properties, schemaVersion) => ({ path, schemaVersion, schema: [{ name: "A", properties }] });
  let realm = await Realm.open(version({ a: "int" }, 0));
  realm.write(() => realm.create("A", { a: 1 }));
  realm.close();
  realm = await Realm.open({
    path,
    schema: [
      { name: "A", properties: { a: "int" } },
      { name: "B", properties: { b: "int" } },
    ],
  });
  realm.write(() => realm.create("B", { b: 1 }));
  realm.close();
  await rejects(Realm.open(version({ a: "string" }, 0)), "Migration is required due to the following errors:");
  realm = await Realm.open(version({ a: "int", more: "string?" }, 1));
  equal([realm.schemaVersion, realm.objects("A")[0].a, realm.objects("A")[0].more], [1, 1, null]);
  realm.close();
  await rejects(Realm.open(version({ a: "int", more: "string?" }, 0)), "less than last set version");
  await Realm.deleteFile({ path });
}

export async function a_realm_that_is_open_is_not_opened_differently() {
  const path = freshPath("persistence");
  const realm = await Realm.open({ path, schema });
  await rejects(Realm.open({ path, schema, schemaVersion: 1 }), "already opened with different schema version");
  isTrue(!(await Realm.open({ path, schema: [Dog, Person] })).isClosed, "the same schema to be fine");
  await rejects(
    Realm.open({ path, schema: [{ name: "New", properties: { a: "int" } }] }),
    "already opened on current thread with different schema",
  );
  throws(() => new Realm({ path, inMemory: true }), "already opened with different inMemory settings");
  realm.close();
  await Realm.deleteFile({ path });
}

export async function the_promise_of_a_realm_tells_progress_and_can_be_cancelled() {
  const path = freshPath("persistence");
  const seen = [];
  const promise = Realm.open({ path, schema });
  promise.progress((estimate) => seen.push(estimate));
  promise.progress((transferred, transferable) => seen.push([transferred, transferable]));
  equal(seen, [1, [0, 0]]);
  const realm = await promise.finally(() => seen.push("open"));
  equal([seen.at(-1), await promise.then(({ path: there }) => there)], ["open", `/${path}`]);
  realm.close();
  const cancelled = Realm.open({ path, schema });
  cancelled.cancel();
  await rejects(cancelled, "Async open canceled");
  equal(await Realm.open({ path: "" }).catch(({ message }) => message.split(".")[0]), "The path cannot be empty");
  await Realm.deleteFile({ path });
}

export async function a_first_opening_populates() {
  const path = freshPath("persistence");
  const config = { path, schema, onFirstOpen: (realm) => realm.create("Dog", { _id: 1, name: "first" }) };
  for (let visit = 0; visit < 2; visit++) {
    const realm = await Realm.open(config);
    equal(realm.objects("Dog").length, 1);
    realm.close();
  }
  await Realm.deleteFile({ path });
  // Whoever opens it, and however many at once.
  for (const open of [
    () => [new Realm(config)],
    () => [new Realm(config), new Realm(config)],
    () => [Realm.open(config), Realm.open(config)],
    () => [new Realm({ ...config, inMemory: true }), Realm.open({ ...config, inMemory: true })],
  ]) {
    const realms = await Promise.all(open());
    equal(realms[0].objects("Dog").length, 1);
    for (const realm of realms) realm.close();
    await Realm.deleteFile({ path });
  }
  const failing = () => {
    throw new Error("nothing to begin with");
  };
  throws(() => new Realm({ path, schema, inMemory: true, onFirstOpen: failing }), "nothing to begin with");
  const realm = new Realm({ path, schema, inMemory: true });
  equal(realm.isEmpty, true);
  realm.close();
}

export async function a_first_opening_that_fails_leaves_the_next_one_to_be_the_first() {
  const path = freshPath("persistence");
  let calls = 0;
  const onFirstOpen = (realm) => {
    calls += 1;
    realm.create("Dog", { _id: calls, name: "first" });
    if (calls < 3) throw new Error("nothing to begin with");
  };
  await rejects(Realm.open({ path, schema, onFirstOpen }), "nothing to begin with");
  equal(Realm.exists(path), false);
  throws(() => new Realm({ path, schema, onFirstOpen }), "nothing to begin with");
  const realm = await Realm.open({ path, schema, onFirstOpen });
  equal([calls, realm.objects("Dog").map(({ _id }) => _id)], [3, [3]]);
  realm.close();
  // Of those that open it at once, the next one fills what the first could not.
  await Realm.deleteFile({ path });
  const fill = (realm) => realm.create("Dog", { _id: 9, name: "second" });
  calls = 0;
  const [failed, filled] = await Promise.allSettled([
    Realm.open({ path, schema, onFirstOpen }),
    Realm.open({ path, schema, onFirstOpen: fill }),
  ]);
  equal([failed.status, filled.value.objects("Dog").map(({ _id }) => _id)], ["rejected", [9]]);
  filled.value.close();
  await Realm.deleteFile({ path });
}

export async function clearing_the_test_state_leaves_no_realm_that_a_test_has_closed() {
  const name = freshPath("persistence");
  const kept = `${name}/elsewhere.realm`;
  const paths = [`${name}.realm`, `${name}-open.realm`, `${name}-open`];
  for (const path of [...paths, kept]) {
    const realm = await Realm.open({ path, schema });
    realm.write(() => realm.create("Dog", { _id: 1, name: "left" }));
    if (!path.includes("open")) await closed(realm);
  }
  throws(() => Realm.clearTestState(), "Set the flags.ALLOW_CLEAR_TEST_STATE = true before calling this.");
  Realm.flags.ALLOW_CLEAR_TEST_STATE = true;
  Realm.clearTestState();
  Realm.flags.ALLOW_CLEAR_TEST_STATE = false;
  equal(
    [...paths, kept].map((path) => Realm.exists(path)),
    [false, false, false, true],
  );
  // At once, and with another schema.
  for (const path of paths) {
    const realm = new Realm({ path, schema: [{ name: "Dog", properties: { age: "int" } }] });
    equal([realm.isEmpty, realm.schemaVersion], [true, 0]);
    await closed(realm);
  }
  for (const path of [...paths, kept]) await Realm.deleteFile({ path });
}
