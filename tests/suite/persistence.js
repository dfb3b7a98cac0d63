// What is on disk: closing, opening again, deleting, schema changes.
import Realm from "/dist/index.js";
import { Dog, Everything, everything, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, rejects, throws } from "/tests/suite/support.js";
import { plain } from "/tests/suite/types.js";

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
  equal([realm.schemaVersion, realm.schema.map(({ name }) => name)], [3, ["Dog", "Person", "Everything"]]);
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
  equal(two.objects("Dog").length, 1);
  two.close();
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
  await rejects(
    Realm.open({ path, schema: [Dog, Person] }).then((other) => other.close() ?? Promise.reject(new Error("ok"))),
    "ok",
  );
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
  const realm = await promise;
  realm.close();
  const cancelled = Realm.open({ path, schema });
  cancelled.cancel();
  await rejects(cancelled, "Async open canceled");
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
}
