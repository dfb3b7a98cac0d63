// Realms whose stores are encrypted.
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
} from "/tests/suite/support.js";

const schema = [Dog, Person];
const key = (first) => new Uint8Array(64).map((_, index) => first + index);
const SECRET = "a name that nobody shall read";

/** All records of a store. */
async function records(path) {
  const database = await openStore(path);
  const all = [];
  for (const name of database.objectStoreNames) {
    const store = database.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
    for (const [index, recordKey] of keys.entries()) all.push({ name, key: recordKey, bytes: values[index] });
  }
  database.close();
  return all;
}

async function swap(path, name, one, other) {
  const database = await openStore(path);
  const transaction = database.transaction(name, "readwrite");
  const store = transaction.objectStore(name);
  store.put(one.bytes, other.key);
  store.put(other.bytes, one.key);
  await new Promise((resolve) => {
    transaction.oncomplete = resolve;
  });
  database.close();
}

function holds(bytes, text) {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

async function fill(config) {
  const realm = await Realm.open({ schema, ...config });
  realm.write(() => realm.create("Dog", { _id: 1, name: SECRET }));
  await realm.waitForDurable();
  realm.compact();
  realm.write(() => realm.create("Dog", { _id: 2, name: SECRET }));
  await closed(realm);
}

export async function nothing_of_an_encrypted_realm_can_be_read() {
  const [plain, path] = [freshPath("encryption"), freshPath("encryption")];
  await fill({ path: plain });
  await fill({ path, encryptionKey: key(1) });
  const readable = await records(plain);
  isTrue(
    readable.some(({ bytes }) => holds(bytes, SECRET)),
    "a name in a plain store",
  );
  isTrue(
    readable.some(({ bytes }) => holds(bytes, "Person")),
    "a class in a plain store",
  );
  const all = await records(path);
  equal(new Set(all.map(({ name }) => name)), new Set(["log", "meta", "pages"]));
  for (const { name, key: recordKey, bytes } of all) {
    for (const text of [SECRET, "Person", "Dog", "friends"]) {
      isTrue(!holds(bytes, text), `no '${text}' in record ${recordKey} of ${name}`);
    }
  }
  const realm = await Realm.open({ path, schema, encryptionKey: key(1).buffer });
  equal(
    [...realm.objects("Dog")].map(({ name }) => name),
    [SECRET, SECRET],
  );
  realm.close();
  for (const each of [plain, path]) await Realm.deleteFile({ path: each });
}

export async function a_wrong_key_is_refused_and_changes_nothing() {
  const [plain, path] = [freshPath("encryption"), freshPath("encryption")];
  await fill({ path: plain });
  await fill({ path, encryptionKey: key(1) });
  const before = (await records(path)).map(({ bytes }) => [...bytes]);
  const decryption = (at) => `Failed to open Realm file at path '/${at}': Realm file decryption failed`;
  for (const forgotten of [false, true]) {
    if (forgotten) for (const each of [plain, path]) await sayOpened(each);
    await rejects(Realm.open({ path, schema, encryptionKey: key(2) }), decryption(path));
    await rejects(Realm.open({ path, schema }), decryption(path));
    await rejects(Realm.open({ path: plain, schema, encryptionKey: key(1) }), decryption(plain));
    throws(() => Realm.schemaVersion(path, key(2)), decryption(path));
    throws(() => Realm.schemaVersion(path), decryption(path));
    throws(() => Realm.schemaVersion(plain, key(1)), decryption(plain));
  }
  const error = await rejects(Realm.open({ path, schema, encryptionKey: key(2) }), "");
  equal(error.code, "EncryptionKey");
  equal([Realm.schemaVersion(path, key(1)), Realm.schemaVersion(plain)], [0, 0]);
  equal(
    (await records(path)).map(({ bytes }) => [...bytes]),
    before,
  );
  const realm = await Realm.open({ path, schema, encryptionKey: key(1) });
  throws(() => new Realm({ path, schema, encryptionKey: key(2) }), "already opened with a different encryption key");
  throws(() => Realm.schemaVersion(path, key(2)), decryption(path));
  await closed(realm);
  throws(() => new Realm({ path, schema, encryptionKey: key(2) }), decryption(path));
  const again = new Realm({ path, schema, encryptionKey: key(1) });
  equal(again.objects("Dog").length, 2);
  again.close();
  for (const each of [plain, path]) await Realm.deleteFile({ path: each });
}

export async function keys_are_checked() {
  const open = (encryptionKey, rest) => () =>
    new Realm({ path: freshPath("encryption"), schema, encryptionKey, ...rest });
  const expected =
    "Expected 'encryptionKey' on realm configuration to be an ArrayBuffer, ArrayBufferView (Uint8Array), or Int8Array, got";
  throws(open("secret"), `${expected} a string.`);
  throws(open([1, 2]), `${expected} an array.`);
  throws(open(new Int8Array(63)), "Encryption key must be 64 bytes.");
  throws(open(new ArrayBuffer(65)), "Encryption key must be 64 bytes.");
  throws(open(new Int8Array(64), { inMemory: true }), "Encryption is not supported for in-memory realms");
  await rejects(Realm.open({ path: "x", encryptionKey: new Int8Array(1) }), "Encryption key must be 64 bytes.");
}

export async function a_record_in_the_place_of_another_is_damage() {
  const path = freshPath("encryption");
  const config = { path, schema, encryptionKey: key(1) };
  const realm = await Realm.open(config);
  await realm.waitForDurable();
  for (const _id of [1, 2]) {
    realm.write(() => realm.create("Dog", { _id, name: "same" }));
    await realm.waitForDurable();
  }
  await closed(realm);
  const blocks = (await records(path)).filter(({ name }) => name === "log");
  await swap(path, "log", blocks[0], blocks[1]);
  const error = await rejects(Realm.open(config), "cannot be decrypted");
  equal(error.code, "CorruptStore");
  await swap(path, "log", { ...blocks[0], bytes: blocks[1].bytes }, { ...blocks[1], bytes: blocks[0].bytes });
  const mended = await Realm.open(config);
  equal(mended.objects("Dog").length, 2);
  mended.close();
  await Realm.deleteFile({ path });
}

export async function copies_and_migrations_keep_or_change_the_key() {
  const [path, other, plain] = [1, 2, 3].map(() => freshPath("encryption"));
  await fill({ path, encryptionKey: key(1) });
  let realm = await Realm.open({
    path,
    encryptionKey: key(1),
    schema: [...schema, { name: "More", properties: { x: "int" } }],
    schemaVersion: 1,
    onMigration: (_, newRealm) => newRealm.create("More", { x: 1 }),
  });
  await realm.writeCopyTo({ path: other, encryptionKey: key(9) });
  await realm.writeCopyTo({ path: plain });
  await closed(realm);
  isTrue(
    (await records(plain)).some(({ bytes }) => holds(bytes, SECRET)),
    "a plain copy",
  );
  isTrue(!(await records(other)).some(({ bytes }) => holds(bytes, SECRET)), "an encrypted copy");
  for (const config of [{ path, encryptionKey: key(1) }, { path: other, encryptionKey: key(9) }, { path: plain }]) {
    realm = await Realm.open(config);
    equal([realm.objects("Dog").length, realm.objects("More")[0].x, realm.schemaVersion], [2, 1, 1]);
    realm.close();
    await Realm.deleteFile({ path: config.path });
  }
}
