// LokiJS: plain objects in memory, kept by its incremental adapter for IndexedDB.
import Loki from "lokijs";
import IncrementalAdapter from "lokijs/src/incremental-indexeddb-adapter.js";
import { LIVE } from "../../dogs.js";

let database;
let dogs;
const one = (id) => dogs.by("_id", id);
const answer = (chain) => ({ count: chain.count(), first: chain.simplesort("name").limit(50).data() });
const told = (resolve, reject) => (error) => (error ? reject(error) : resolve());

export default {
  async open(name) {
    await new Promise((resolve, reject) => {
      const adapter = new IncrementalAdapter();
      const autoloadCallback = told(resolve, reject);
      database = new Loki(name, { adapter, autosave: false, autoload: true, autoloadCallback });
    });
    const options = { unique: ["_id"], indices: ["breed"], disableMeta: true };
    dogs = database.getCollection("dogs") ?? database.addCollection("dogs", options);
  },
  insertMany(all) {
    dogs.insert(all);
  },
  durable: () => new Promise((resolve, reject) => database.saveDatabase(told(resolve, reject))),
  commit(dog) {
    dogs.insert(dog);
  },
  get: one,
  question: (age, breed) =>
    answer(
      dogs
        .chain()
        .find({ breed })
        .find({ age: { $gt: age } }),
    ),
  contains: (needle) => answer(dogs.chain().find({ notes: { $contains: needle } })),
  live(listener) {
    const view = dogs.addDynamicView("live");
    view.applyFind({ breed: LIVE.breed });
    view.applyFind({ age: { $gte: LIVE.age } });
    view.data();
    view.on("rebuild", () => listener(view.count()));
    listener(view.count());
    return () => dogs.removeDynamicView("live");
  },
  setAge(id, age) {
    const dog = one(id);
    dog.age = age;
    dogs.update(dog);
  },
  setWeights(ids, weights) {
    for (const [at, id] of ids.entries()) {
      const dog = one(id);
      dog.weight = weights[at];
      dogs.update(dog);
    }
  },
  deleteMany(ids) {
    dogs.removeBatch(ids.map(one));
  },
  close: () => new Promise((resolve) => database.close(resolve)),
};
