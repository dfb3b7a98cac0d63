// What the suites share: comparing, expecting failures, waiting for calls.

/** Throws unless `actual` is deeply equal to `expected`. */
export function equal(actual, expected, what = "value") {
  const [a, b] = [show(actual), show(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

export function isTrue(condition, what) {
  if (!condition) throw new Error(`expected ${what}`);
}

/** Throws unless `action` throws an error whose message has `text` in it. Gives the error. */
export function throws(action, text) {
  let result;
  try {
    result = action();
  } catch (error) {
    return matching(error, text);
  }
  throw new Error(`expected an error with '${text}', got ${show(result)}`);
}

/** The same for a promise. */
export async function rejects(promise, text) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    return matching(error, text);
  }
  throw new Error(`expected a rejection with '${text}', got ${show(result)}`);
}

function matching(error, text) {
  if (!(error instanceof Error)) throw new Error(`expected an Error, got ${show(error)}`);
  if (!error.message.includes(text)) throw new Error(`expected an error with '${text}', got '${error.message}'`);
  return error;
}

/** A text that is equal for equal values: keys in order, types that JSON does not know by name. */
export function show(value) {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === "bigint") return `${item}n`;
    if (item === undefined) return "(undefined)";
    if (item instanceof ArrayBuffer) return `bytes ${[...new Uint8Array(item)]}`;
    if (item && Object.getPrototypeOf(item) === Object.prototype) {
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return item;
  });
}

let counter = 0;

/** A path that no other test uses, in this page or an earlier one. */
export function freshPath(name = "test") {
  counter += 1;
  return `${name}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}-${counter}`;
}

/** Closes a realm and waits until its store is free. */
export async function closed(realm) {
  const { path } = realm;
  await realm.waitForDurable();
  realm.close();
  await navigator.locks.request(`ebbtide:${path}`, () => undefined);
}

/** Says what a page says that has opened the realm of a path, and waits until this one has heard it. */
export async function sayOpened(path) {
  const [sender, echo] = [new BroadcastChannel("ebbtide"), new BroadcastChannel("ebbtide")];
  const heard = new Promise((resolve) => {
    echo.onmessage = resolve;
  });
  sender.postMessage(`/${path}`);
  await heard;
  await turn();
  sender.close();
  echo.close();
}

/** The database of a realm's store. */
export function openStore(path) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(`ebbtide:/${path}`);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What a request of IndexedDB answers. */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Lets everything that is due happen: microtasks, and the timers that are due now. */
export function turn() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Waits until something is so. */
export async function until(condition, what, timeoutMs = 20000) {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await turn();
  }
}

/** A callback that remembers its calls, and a promise of each of them. */
export class Calls {
  all = [];
  #taken = 0;
  #waiting = [];

  callback = (...args) => {
    this.all.push(args);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  get count() {
    return this.all.length;
  }

  /** The arguments of the next call that nobody has asked for. */
  async next(what = "a call", timeoutMs = 20000) {
    const deadline = performance.now() + timeoutMs;
    while (this.#taken >= this.all.length) {
      const rest = deadline - performance.now();
      if (rest <= 0) throw new Error(`${what} did not come within ${timeoutMs} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, rest);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.#taken += 1;
    return this.all[this.#taken - 1];
  }
}

/** A change set with nothing in it but what is given. */
export function changes(given = {}) {
  return { deletions: [], insertions: [], newModifications: [], oldModifications: [], ...given };
}
