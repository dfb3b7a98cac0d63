// Opening without waiting, copies, compaction, and what two instances must agree in.
import Realm from "/dist/index.js";
import { Dog, Person } from "/tests/suite/models.js";
import {
  answer,
  closed,
  equal,
  freshPath,
  isTrue,
  openStore,
  rejects,
  sayOpened,
  throws,
  turn,
} from "/tests/suite/support.js";

const schema = [Dog, Person];

function withDog(config) {
  const realm = new Realm({ schema, ...config });
  realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
  return realm;
}

export async function a_realm_that_was_closed_in_this_page_opens_without_waiting() {
  const path = freshPath("opening");
  let realm = withDog({ path });
  realm.close();
  // At once, while the store is still being written.
  realm = new Realm({ path, schema });
  equal(realm.objects("Dog")[0].name, "Rex");
  realm.write(() => realm.create("Dog", { _id: 2, name: "Bo" }));
  await closed(realm);
  // When it is closed for good.
  realm = new Realm({ path, schema });
  equal(realm.objects("Dog").length, 2);
  realm.write(() => realm.create("Dog", { _id: 3, name: "Al" }));
  await realm.waitForDurable();
  await closed(realm);
  realm = await Realm.open({ path });
  equal(realm.objects("Dog").length, 3);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function of_closed_realms_no_more_are_kept_than_64_megabytes() {
  const [small, large] = [freshPath("opening"), freshPath("opening")];
  await closed(withDog({ path: small }));
  const realm = withDog({ path: large });
  const name = "x".repeat(2 * 1024 * 1024 - 1);
  for (let _id = 2; _id < 36; _id++) {
    realm.write(() => realm.create("Dog", { _id, name }));
    await realm.waitForDurable();
  }
  await closed(realm);
  // The one that was closed before went first, and then the large one itself.
  for (const path of [small, large]) {
    equal(throws(() => new Realm({ path, schema }), "Realm.open").code, "NeedsAsyncOpen");
  }
  const again = await Realm.open({ path: large, schema });
  equal(again.objects("Dog").length, 35);
  again.close();
  for (const path of [small, large]) await Realm.deleteFile({ path });
}

export async function migrations_need_no_waiting_either() {
  const path = freshPath("opening");
  const config = (schemaVersion, properties, rest = {}) => ({
    path,
    schemaVersion,
    schema: [{ name: "A", properties }],
    ...rest,
  });
  let realm = new Realm(config(0, { x: "int" }));
  realm.write(() => realm.create("A", { x: 4 }));
  realm.close();
  throws(() => new Realm(config(0, { x: "string" })), "Migration is required due to the following errors:");
  const onMigration = (oldRealm, newRealm) => {
    newRealm.objects("A")[0].x = String(oldRealm.objects("A")[0].x);
  };
  const failing = () => {
    throw new Error("not yet");
  };
  throws(() => new Realm(config(1, { x: "string" }, { onMigration: failing })), "not yet");
  realm = await Realm.open(config(0, { x: "int" }));
  equal(realm.objects("A")[0].x, 4);
  await closed(realm);
  throws(() => new Realm(config(1, { x: "string" }, { onMigration: failing })), "not yet");
  await turn();
  realm = new Realm(config(1, { x: "string" }, { onMigration }));
  equal([realm.objects("A")[0].x, realm.schemaVersion, Realm.schemaVersion(path)], ["4", 1, 1]);
  realm.close();
  realm = new Realm(config(2, { x: "string", y: "int" }, { deleteRealmIfMigrationNeeded: true }));
  equal([realm.isEmpty, realm.schemaVersion], [true, 2]);
  await closed(realm);
  realm = await Realm.open({ path });
  equal([realm.isEmpty, realm.schemaVersion], [true, 2]);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_realm_that_another_page_has_opened_takes_an_asynchronous_open() {
  const path = freshPath("opening");
  await closed(withDog({ path }));
  await sayOpened(path);
  const error = throws(() => new Realm({ path, schema }), "Realm.open");
  equal(error.code, "NeedsAsyncOpen");
  const realm = await Realm.open({ path, schema });
  equal(realm.objects("Dog").length, 1);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function nothing_is_written_over_a_head_that_cannot_be_read() {
  const path = freshPath("opening");
  await closed(withDog({ path }));
  // Something damages the head, and says nothing.
  const database = await openStore(path);
  const meta = database.transaction("meta", "readwrite").objectStore("meta");
  const moved = (await answer(meta.get("head"))).slice();
  moved[2] += 1;
  await answer(meta.put(moved, "head"));
  let report;
  const told = new Promise((resolve) => {
    report = resolve;
  });
  const realm = new Realm({ path, schema, onStorageError: report });
  realm.write(() => realm.create("Dog", { _id: 2, name: "late" }));
  equal((await told).code, "CorruptStore");
  await rejects(realm.waitForDurable(), "");
  realm.close();
  database.close();
  await Realm.deleteFile({ path });
}

export async function what_was_just_deleted_is_begun_anew() {
  const path = freshPath("opening");
  let realm = withDog({ path, schemaVersion: 5 });
  realm.close();
  const deleted = Realm.deleteFile({ path });
  equal(Realm.exists(path), false);
  realm = new Realm({ path, schema });
  equal([realm.isEmpty, realm.schemaVersion], [true, 0]);
  realm.write(() => realm.create("Person", { name: "new" }));
  await deleted;
  equal([Realm.exists(path), realm.objects("Person").length], [true, 1]);
  await closed(realm);
  await sayOpened(path);
  void Realm.deleteFile({ path });
  realm = withDog({ path, encryptionKey: new Int8Array(64) });
  await closed(realm);
  await sayOpened(path);
  realm = await Realm.open({ path, encryptionKey: new Int8Array(64) });
  equal([realm.objects("Person").length, realm.objects("Dog").length], [0, 1]);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function instances_of_one_path_agree() {
  const path = freshPath("opening");
  const realm = withDog({ path, schemaVersion: 1 });
  const open = (rest) => () => new Realm({ path, schema, schemaVersion: 1, ...rest });
  const clash = (what) => `Realm at path '/${path}' already opened ${what}.`;
  throws(open({ readOnly: true }), clash("with different read permissions"));
  throws(open({ inMemory: true }), clash("with different inMemory settings"));
  throws(open({ encryptionKey: new Int8Array(64) }), clash("with a different encryption key"));
  throws(open({ schemaVersion: 2 }), clash("with different schema version"));
  throws(open({ schemaVersion: 0 }), clash("with different schema version"));
  throws(
    open({ schema: [{ name: "Person", properties: { name: "int" } }] }),
    clash("on current thread with different schema"),
  );
  throws(() => Realm.deleteFile({ path }), "Cannot delete files of an open Realm");
  throws(() => new Realm({ path: freshPath("opening"), readOnly: true }), "Failed to open Realm file at path");
  throws(
    () => new Realm({ path: "x", readOnly: true, onMigration: () => {} }),
    "Realms opened in immutable mode do not use a migration function",
  );
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_copy_is_a_realm_of_its_own() {
  const [path, copy, second] = [1, 2, 3].map(() => freshPath("opening"));
  const realm = withDog({ path, schemaVersion: 3 });
  throws(() => realm.write(() => realm.writeCopyTo({ path: copy })), "Can only convert Realms outside a transaction.");
  throws(() => realm.writeCopyTo({ path }), "already exists");
  throws(() => realm.writeCopyTo(), "Expected 'realm configuration' to be an object, got undefined");
  throws(() => Realm.deleteFile(), "Expected 'realm configuration' to be an object, got undefined");
  await realm.writeCopyTo({ path: copy });
  throws(() => realm.writeCopyTo({ path: copy }), "already exists");
  realm.write(() => realm.create("Dog", { _id: 2, name: "later" }));
  equal([Realm.exists({ path: copy }), Realm.schemaVersion(copy)], [true, 3]);
  const copied = await Realm.open({ path: copy, schema, schemaVersion: 3 });
  equal([copied.objects("Dog").length, copied.objectForPrimaryKey("Dog", 1).name], [1, "Rex"]);
  copied.write(() => copied.delete(copied.objects("Dog")));
  equal(realm.objects("Dog").length, 2);
  const memory = withDog({ path: freshPath("opening"), inMemory: true });
  await memory.writeCopyTo({ path: second });
  memory.close();
  const kept = await Realm.open({ path: second });
  equal(kept.objects("Dog").length, 1);
  for (const each of [realm, copied, kept]) each.close();
  for (const each of [path, copy, second]) await Realm.deleteFile({ path: each });
}

export async function a_copy_can_be_opened_at_once() {
  const [path, copy, encrypted] = [1, 2, 3].map(() => freshPath("opening"));
  const encryptionKey = new Uint8Array(64).fill(5);
  const realm = withDog({ path });
  const [durable, durableToo] = [
    realm.writeCopyTo({ path: copy }),
    realm.writeCopyTo({ path: encrypted, encryptionKey }),
  ];
  equal([Realm.exists({ path: copy }), Realm.schemaVersion(copy)], [true, 0]);
  throws(() => realm.writeCopyTo({ path: copy }), "already exists");
  realm.write(() => realm.create("Dog", { _id: 2, name: "later" }));
  let copied = new Realm({ path: copy, schema });
  equal(
    [...copied.objects("Dog")].map(({ name }) => name),
    ["Rex"],
  );
  copied.write(() => copied.create("Dog", { _id: 3, name: "own" }));
  throws(() => new Realm({ path: encrypted, schema }), "decryption failed");
  const secret = new Realm({ path: encrypted, schema, encryptionKey });
  equal(secret.objects("Dog").length, 1);
  await Promise.all([durable, durableToo]);
  for (const each of [copied, secret]) await closed(each);
  copied = await Realm.open({ path: copy, schema });
  equal(
    [...copied.objects("Dog")].map(({ name }) => name),
    ["Rex", "own"],
  );
  for (const each of [realm, copied]) each.close();
  for (const each of [path, copy, encrypted]) await Realm.deleteFile({ path: each });
}

export async function what_fails_to_open_again_loses_nothing() {
  const path = freshPath("opening");
  const rex = () => {
    const realm = new Realm({ path, schema });
    equal(realm.objectForPrimaryKey("Dog", 1).name, "Rex");
    realm.close();
  };
  // All in one turn: nothing of it is on disk yet.
  withDog({ path }).close();
  const onMigration = () => {
    throw new Error("not like this");
  };
  throws(() => new Realm({ path, schema, schemaVersion: 1, onMigration }), "not like this");
  equal(Realm.schemaVersion(path), 0);
  rex();
  const reader = new Realm({ path, schema, readOnly: true });
  equal(reader.objects("Dog").length, 1);
  reader.close();
  rex();
  const shouldCompact = () => {
    throw new Error("not now");
  };
  throws(() => new Realm({ path, schema, shouldCompact }), "not now");
  rex();
  await Realm.deleteFile({ path });
}

async function bytesOf(path) {
  const database = await openStore(path);
  let bytes = 0;
  for (const name of ["pages", "log"]) {
    const records = await answer(database.transaction(name).objectStore(name).getAll());
    for (const record of records) bytes += record.length;
  }
  database.close();
  return bytes;
}

export async function compaction_is_offered_and_leaves_what_is_used() {
  const path = freshPath("opening");
  let realm = withDog({ path });
  for (let round = 0; round < 20; round++) {
    realm.write(() => {
      for (let _id = 10; _id < 30; _id++) realm.create("Dog", { _id, name: `dog ${_id}` });
    });
    realm.write(() => realm.delete(realm.objects("Dog").filtered("_id >= 10")));
    await realm.waitForDurable();
  }
  throws(() => realm.write(() => realm.compact()), "Cannot compact a Realm within a transaction.");
  await closed(realm);
  const before = await bytesOf(path);
  const asked = [];
  const shouldCompact = (total, used) => asked.push([total, used]) > 1;
  realm = await Realm.open({ path, schema, shouldCompact });
  await Realm.open({ path, schema, shouldCompact });
  await closed(realm);
  equal([asked.length, await bytesOf(path)], [1, before]);
  const [[total, used]] = asked;
  isTrue(total >= before && used < total / 10 && used > 0, `fewer bytes used: ${used} of ${total}`);
  realm = await Realm.open({ path, schema, shouldCompact });
  await closed(realm);
  isTrue((await bytesOf(path)) < before / 10, "a smaller store");
  realm = await Realm.open({ path, schema });
  equal([realm.objects("Dog")[0].name, realm.compact()], ["Rex", true]);
  realm.close();
  await Realm.deleteFile({ path });
}
