// PouchDB. Without its query index, which takes minutes to build over many documents: questions read everything.
import PouchDB from "pouchdb-browser";
import { first50, isLive } from "../../dogs.js";

const BATCH = 5000;
const key = (id) => String(id).padStart(8, "0");
const documentOf = (dog) => ({ ...dog, _id: key(dog._id) });

let database;
const all = async () => (await database.allDocs({ include_docs: true })).rows.map(({ doc }) => doc);

async function answer(is) {
  const found = (await all()).filter(is);
  return { count: found.length, first: first50(found) };
}

export default {
  async open(name) {
    database = new PouchDB(name, { auto_compaction: false });
    await database.info();
  },
  async insertMany(dogs) {
    for (let at = 0; at < dogs.length; at += BATCH) {
      await database.bulkDocs(dogs.slice(at, at + BATCH).map(documentOf));
    }
  },
  commit: (dog) => database.put(documentOf(dog)),
  get: (id) => database.get(key(id)),
  question: (age, breed) => answer((dog) => dog.breed === breed && dog.age > age),
  contains: (needle) => answer(({ notes }) => notes.includes(needle)),
  /** Its feed of changes, matched in memory. */
  async live(listener) {
    const found = new Set((await all()).filter(isLive).map(({ _id }) => _id));
    const feed = database.changes({ live: true, since: "now", include_docs: true }).on("change", (change) => {
      if (!change.deleted && isLive(change.doc)) found.add(change.id);
      else found.delete(change.id);
      listener(found.size);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    listener(found.size);
    return () => feed.cancel();
  },
  async setAge(id, age) {
    await database.put({ ...(await database.get(key(id))), age });
  },
  async setWeights(ids, weights) {
    const { rows } = await database.allDocs({ keys: ids.map(key), include_docs: true });
    await database.bulkDocs(rows.map(({ doc }, at) => ({ ...doc, weight: weights[at] })));
  },
  async deleteMany(ids) {
    const { rows } = await database.allDocs({ keys: ids.map(key) });
    await database.bulkDocs(rows.map(({ id, value }) => ({ _id: id, _rev: value.rev, _deleted: true })));
  },
  close: () => database.close(),
};
