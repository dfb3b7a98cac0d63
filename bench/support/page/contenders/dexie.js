// Dexie: one record per object, with the index that the question wants.
import Dexie, { liveQuery } from "dexie";
import { first50, LIVE } from "../../dogs.js";

let database;
const between = (breed, age) => database.dogs.where("[breed+age]").between([breed, age], [breed, Dexie.maxKey]);
const answer = (found) => ({ count: found.length, first: first50(found) });

export default {
  async open(name) {
    database = new Dexie(name, { chromeTransactionDurability: "strict" });
    database.version(1).stores({ dogs: "_id,[breed+age]" });
    await database.open();
  },
  insertMany: (dogs) => database.dogs.bulkAdd(dogs),
  commit: (dog) => database.dogs.add(dog),
  get: (id) => database.dogs.get(id),
  question: async (age, breed) => answer(await between(breed, age + 1).toArray()),
  contains: async (needle) => answer(await database.dogs.filter(({ notes }) => notes.includes(needle)).toArray()),
  live(listener) {
    const found = liveQuery(() => between(LIVE.breed, LIVE.age).toArray());
    const subscription = found.subscribe((dogs) => listener(dogs.length));
    return () => subscription.unsubscribe();
  },
  setAge: (id, age) => database.dogs.update(id, { age }),
  setWeights: (ids, weights) =>
    database.dogs.bulkUpdate(ids.map((key, at) => ({ key, changes: { weight: weights[at] } }))),
  deleteMany: (ids) => database.dogs.bulkDelete(ids),
  close: () => database.close(),
};
