// RxDB on its free storage for IndexedDB, which is Dexie.
import { createRxDatabase } from "rxdb/plugins/core";
import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import { LIVE } from "../../dogs.js";

const KEY_DIGITS = 8;
const key = (id) => String(id).padStart(KEY_DIGITS, "0");
const documentOf = (dog) => ({ ...dog, _id: key(dog._id) });

const schema = {
  version: 0,
  primaryKey: "_id",
  type: "object",
  properties: {
    _id: { type: "string", maxLength: KEY_DIGITS },
    name: { type: "string", maxLength: 20 },
    breed: { type: "string", maxLength: 12 },
    age: { type: "integer", minimum: 0, maximum: 100, multipleOf: 1 },
    weight: { type: "number" },
    notes: { type: "string" },
    ownerId: { type: "integer" },
  },
  required: ["_id", "name", "breed", "age", "weight", "notes", "ownerId"],
  indexes: [["breed", "age"]],
};

let database;
const dogs = () => database.dogs;

async function answer(selector) {
  const found = await dogs()
    .find({ selector, sort: [{ name: "asc" }] })
    .exec();
  return { count: found.length, first: found.slice(0, 50) };
}

function refused({ error }) {
  if (error.length > 0) throw new Error(`${error.length} documents were refused`);
}

export default {
  async open(name) {
    const storage = getRxStorageDexie({ chromeTransactionDurability: "strict" });
    database = await createRxDatabase({ name, storage, multiInstance: false, eventReduce: true });
    await database.addCollections({ dogs: { schema } });
  },
  insertMany: async (all) => refused(await dogs().bulkInsert(all.map(documentOf))),
  commit: (dog) => dogs().insert(documentOf(dog)),
  get: (id) => dogs().findOne(key(id)).exec(),
  question: (age, breed) => answer({ breed, age: { $gt: age } }),
  contains: (needle) => answer({ notes: { $regex: needle } }),
  live(listener) {
    const selector = { breed: LIVE.breed, age: { $gte: LIVE.age } };
    const subscription = dogs()
      .find({ selector })
      .$.subscribe((found) => listener(found.length));
    return () => subscription.unsubscribe();
  },
  async setAge(id, age) {
    const found = await dogs().findOne(key(id)).exec();
    await found.patch({ age });
  },
  async setWeights(ids, weights) {
    const found = await dogs().findByIds(ids.map(key)).exec();
    refused(await dogs().bulkUpsert(ids.map((id, at) => ({ ...found.get(key(id)).toJSON(), weight: weights[at] }))));
  },
  deleteMany: (ids) => dogs().bulkRemove(ids.map(key)),
  close: () => database.close(),
};
