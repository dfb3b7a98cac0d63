// IndexedDB as it lies there, read and changed behind the package's back. The realm must be closed.

/** Every record of a realm's store: `{ space, key, bytes }`. */
export async function records(path) {
  const database = await opened(path);
  const found = [];
  for (const space of [...database.objectStoreNames]) {
    const store = database.transaction(space).objectStore(space);
    const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    found.push(...keys.map((key, index) => ({ space, key, bytes: [...new Uint8Array(values[index])] })));
  }
  database.close();
  return found;
}

/** Puts a record's bytes back, or others; null deletes it. */
export async function put(path, { space, key, bytes }) {
  const database = await opened(path);
  const transaction = database.transaction(space, "readwrite");
  const store = transaction.objectStore(space);
  if (bytes === null) store.delete(key);
  else store.put(new Uint8Array(bytes), key);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}

/** Deletes a realm's database, as another page might. */
export async function deleteDatabase(path) {
  await settled(indexedDB.deleteDatabase(nameOf(path)));
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
