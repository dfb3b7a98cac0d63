// A reference, not a product: columns in memory, and IndexedDB used for a few packed chunks and a log of changes. It checks,
// merges and describes nothing, so it is near what the machine can do at all.
import { BREEDS, first50, LIVE } from "../../dogs.js";
import { pack, unpack } from "./packed-chunk.js";
import { completed, settled } from "./requests.js";

const CHUNK_ROWS = 2048;
const NUMBERS = { _id: Int32Array, age: Int32Array, weight: Float64Array, breed: Uint8Array, ownerId: Int32Array };
const PUT = 1;
const WEIGHTS = 2;
const DELETE = 3;

let database;
let count = 0;
let capacity = 4096;
let columns;
let texts;
let rowOf;
let pending = [];
let writing;
const listeners = new Set();

function reserve(rows) {
  if (columns && rows <= capacity) return;
  while (capacity < rows) capacity *= 2;
  const grown = {};
  for (const [name, Column] of Object.entries(NUMBERS)) {
    grown[name] = new Column(capacity);
    if (columns) grown[name].set(columns[name]);
  }
  columns = grown;
}

function rowFor(id) {
  let row = rowOf.get(id);
  if (row === undefined) {
    row = count;
    count += 1;
    reserve(count);
    rowOf.set(id, row);
  }
  return row;
}

function put(dog) {
  const row = rowFor(dog._id);
  columns._id[row] = dog._id;
  columns.age[row] = dog.age;
  columns.weight[row] = dog.weight;
  columns.breed[row] = BREEDS.indexOf(dog.breed);
  columns.ownerId[row] = dog.ownerId;
  texts.name[row] = dog.name;
  texts.notes[row] = dog.notes;
  return row;
}

function load({ kind, bytes }) {
  if (kind === PUT) {
    unpack(bytes, (dog) => put(dog));
  } else if (kind === WEIGHTS) {
    const pairs = new Float64Array(bytes);
    for (let at = 0; at < pairs.length; at += 2) columns.weight[rowOf.get(pairs[at])] = pairs[at + 1];
  } else {
    for (const id of new Int32Array(bytes)) forget(id);
  }
}

/** The row stays, without an id: rows are numbered from 1. */
function forget(id) {
  const row = rowOf.get(id);
  columns._id[row] = 0;
  rowOf.delete(id);
}

const one = (row) => ({
  _id: columns._id[row],
  name: texts.name[row],
  breed: BREEDS[columns.breed[row]],
  age: columns.age[row],
  weight: columns.weight[row],
  notes: texts.notes[row],
  ownerId: columns.ownerId[row],
});

function answer(is) {
  const found = [];
  for (let row = 0; row < count; row++)
    if (columns._id[row] !== 0 && is(row)) found.push({ row, name: texts.name[row] });
  return { count: found.length, first: first50(found).map(({ row }) => one(row)) };
}

function entries() {
  const found = [];
  let rows = [];
  const close = () => {
    for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
      found.push({ kind: PUT, bytes: pack(rows.slice(at, at + CHUNK_ROWS), columns, texts) });
    }
    rows = [];
  };
  for (const entry of pending) {
    if (typeof entry === "number") {
      rows.push(entry);
    } else {
      close();
      found.push(entry);
    }
  }
  close();
  pending = [];
  return found;
}

/** Everything so far goes out in one transaction. */
function durable() {
  if (pending.length === 0) return writing;
  const transaction = database.transaction("log", "readwrite", { durability: "strict" });
  const log = transaction.objectStore("log");
  for (const entry of entries()) log.put(entry);
  transaction.commit();
  writing = completed(transaction);
  return writing;
}

export default {
  async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("log", { autoIncrement: true });
    database = await settled(request);
    [count, columns, rowOf, texts] = [0, undefined, new Map(), { name: [], notes: [] }];
    reserve(count);
    for (const entry of await settled(database.transaction("log").objectStore("log").getAll())) load(entry);
  },
  insertMany(dogs) {
    reserve(count + dogs.length);
    for (const dog of dogs) pending.push(put(dog));
  },
  durable,
  commit(dog) {
    pending.push(put(dog));
  },
  get(id) {
    const row = rowOf.get(id);
    return row === undefined ? undefined : one(row);
  },
  question(age, breed) {
    const wanted = BREEDS.indexOf(breed);
    return answer((row) => columns.age[row] > age && columns.breed[row] === wanted);
  },
  contains: (needle) => answer((row) => texts.notes[row].includes(needle)),
  live(listener) {
    const breed = BREEDS.indexOf(LIVE.breed);
    const is = (row) => columns._id[row] !== 0 && columns.breed[row] === breed && columns.age[row] >= LIVE.age;
    const found = new Set();
    for (let row = 0; row < count; row++) if (is(row)) found.add(row);
    const changed = (row) => {
      if (is(row)) found.add(row);
      else found.delete(row);
      listener(found.size);
    };
    listeners.add(changed);
    listener(found.size);
    return () => listeners.delete(changed);
  },
  setAge(id, age) {
    const row = rowOf.get(id);
    columns.age[row] = age;
    pending.push(row);
    queueMicrotask(() => {
      for (const listener of listeners) listener(row);
    });
  },
  setWeights(ids, weights) {
    const pairs = new Float64Array(2 * ids.length);
    for (const [at, id] of ids.entries()) {
      columns.weight[rowOf.get(id)] = weights[at];
      pairs[2 * at] = id;
      pairs[2 * at + 1] = weights[at];
    }
    pending.push({ kind: WEIGHTS, bytes: pairs.buffer });
  },
  deleteMany(ids) {
    for (const id of ids) forget(id);
    pending.push({ kind: DELETE, bytes: new Int32Array(ids).buffer });
  },
  async close() {
    await durable();
    database.close();
  },
};
