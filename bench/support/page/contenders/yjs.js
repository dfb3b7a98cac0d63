// Yjs with y-indexeddb: one map of plain objects by key. Merging field by field would take a map per object.
import { IndexeddbPersistence } from "y-indexeddb";
import * as Y from "yjs";
import { first50, isLive } from "../../dogs.js";
import { completed } from "./requests.js";

let document;
let dogs;
let persistence;
const one = (id) => dogs.get(String(id));

function answer(is) {
  const found = [];
  dogs.forEach((dog) => {
    if (is(dog)) found.push(dog);
  });
  return { count: found.length, first: first50(found) };
}

export default {
  async open(name) {
    document = new Y.Doc();
    dogs = document.getMap("dogs");
    persistence = new IndexeddbPersistence(name, document);
    await persistence.whenSynced;
  },
  insertMany(all) {
    document.transact(() => {
      for (const dog of all) dogs.set(String(dog._id), dog);
    });
  },
  /** A transaction of our own comes after all of its updates. */
  durable() {
    const transaction = persistence.db.transaction("updates", "readwrite");
    transaction.objectStore("updates").count();
    return completed(transaction);
  },
  commit(dog) {
    dogs.set(String(dog._id), dog);
  },
  get: one,
  question: (age, breed) => answer((dog) => dog.breed === breed && dog.age > age),
  contains: (needle) => answer(({ notes }) => notes.includes(needle)),
  live(listener) {
    const found = new Set();
    const look = (key) => {
      const dog = dogs.get(key);
      if (dog && isLive(dog)) found.add(key);
      else found.delete(key);
    };
    for (const key of dogs.keys()) look(key);
    const observer = ({ keysChanged }) => {
      for (const key of keysChanged) look(key);
      listener(found.size);
    };
    dogs.observe(observer);
    listener(found.size);
    return () => dogs.unobserve(observer);
  },
  setAge(id, age) {
    dogs.set(String(id), { ...one(id), age });
  },
  setWeights(ids, weights) {
    document.transact(() => {
      for (const [at, id] of ids.entries()) dogs.set(String(id), { ...one(id), weight: weights[at] });
    });
  },
  deleteMany(ids) {
    document.transact(() => {
      for (const id of ids) dogs.delete(String(id));
    });
  },
  close: () => persistence.destroy(),
};
