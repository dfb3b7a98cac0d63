// IndexedDB as it lies there, read and changed behind the package's back. The realm must be closed.

const originals = new Map();

/** The records of a realm's store, without their bytes. */
export async function records(path) {
  return (await everything(path)).map(({ space, key }) => ({ space, key }));
}

/** One number for all that a store holds. */
export async function fingerprint(path) {
  const all = await everything(path);
  const parts = all.flatMap(({ space, key, bytes }) => [
    new TextEncoder().encode(`${space} ${key} ${bytes.length} `),
    bytes,
  ]);
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of one record. */
export async function bytesOf(path, { space, key }) {
  return [...(await one(path, space, key))];
}

/** Puts bytes into a record, or damages it in one of the ways of `DAMAGES`; `restore` undoes it. */
export async function put(path, { space, key }, bytesOrDamage) {
  const before = await one(path, space, key);
  if (!originals.has(path)) originals.set(path, { space, key, bytes: before });
  const isDamage = typeof bytesOrDamage === "string";
  await write(path, space, key, isDamage ? DAMAGES[bytesOrDamage](before) : new Uint8Array(bytesOrDamage));
}

/** Puts the record that was changed back as it was. */
export async function restore(path) {
  const { space, key, bytes } = originals.get(path);
  originals.delete(path);
  await write(path, space, key, bytes);
}

const flipped = (bytes, at) => bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte));

const DAMAGES = {
  "a bit of its format number": (bytes) => flipped(bytes, 0),
  "a bit in the middle": (bytes) => flipped(bytes, Math.floor(bytes.length / 2)),
  "a bit of its checksum": (bytes) => flipped(bytes, bytes.length - 1),
  "cut short": (bytes) => bytes.slice(0, -5),
  emptied: () => new Uint8Array(),
  deleted: () => undefined,
};

/** The ways in which a record can be damaged. */
export function damages() {
  return Object.keys(DAMAGES);
}

/** Deletes a realm's database, as another page might. */
export async function deleteDatabase(path) {
  await settled(indexedDB.deleteDatabase(nameOf(path)));
}

/** Deletes all databases, as a browser that is short of room. */
export async function deleteDatabases() {
  const databases = await indexedDB.databases();
  await Promise.all(databases.map(({ name }) => settled(indexedDB.deleteDatabase(name))));
  return databases.length;
}

/** Changes properties of all stored users. */
export async function changeUsers(change) {
  const database = await settled(indexedDB.open("ebbtide"));
  const store = database.transaction("users", "readwrite").objectStore("users");
  const [keys, users] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
  await Promise.all(users.map((user, index) => settled(store.put({ ...user, ...change }, keys[index]))));
  database.close();
  return users.length;
}

export async function databases() {
  return (await indexedDB.databases()).map(({ name }) => name).sort();
}

function nameOf(path) {
  return `ebbtide:/${path}`;
}

async function everything(path) {
  const database = await opened(path);
  const found = [];
  for (const space of [...database.objectStoreNames]) {
    const store = database.transaction(space).objectStore(space);
    const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    found.push(...keys.map((key, index) => ({ space, key, bytes: new Uint8Array(values[index]) })));
  }
  database.close();
  return found;
}

async function one(path, space, key) {
  const database = await opened(path);
  const value = await settled(database.transaction(space).objectStore(space).get(key));
  database.close();
  return new Uint8Array(value);
}

/** Without bytes the record is deleted. */
async function write(path, space, key, bytes) {
  const database = await opened(path);
  const transaction = database.transaction(space, "readwrite");
  const store = transaction.objectStore(space);
  if (bytes === undefined) store.delete(key);
  else store.put(bytes, key);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}

async function opened(path) {
  const names = await databases();
  if (!names.includes(nameOf(path))) throw new Error(`there is no database ${nameOf(path)} among ${names}`);
  return settled(indexedDB.open(nameOf(path)));
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
