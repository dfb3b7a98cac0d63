// TinyBase: a store in memory, and all of it written to IndexedDB by its persister.
import { createIndexes } from "tinybase/indexes";
import { createIndexedDbPersister } from "tinybase/persisters/persister-indexed-db";
import { createQueries } from "tinybase/queries";
import { createStore } from "tinybase/store";
import { first50, LIVE } from "../../dogs.js";

const TABLE = "dogs";
let store;
let persister;
let indexes;
let queries;

const cell = (rowId, name) => store.getCell(TABLE, rowId, name);
const one = (id) => ({ ...store.getRow(TABLE, String(id)), _id: Number(id) });

function put({ _id, ...row }) {
  store.setRow(TABLE, String(_id), row);
}

function answer(rowIds, is) {
  const found = rowIds.filter(is).map((rowId) => ({ rowId, name: cell(rowId, "name") }));
  return { count: found.length, first: first50(found).map(({ rowId }) => one(rowId)) };
}

export default {
  async open(name) {
    store = createStore();
    persister = createIndexedDbPersister(store, name);
    await persister.load();
    indexes = createIndexes(store).setIndexDefinition("byBreed", TABLE, "breed");
    queries = createQueries(store);
  },
  insertMany(dogs) {
    store.transaction(() => {
      for (const dog of dogs) put(dog);
    });
  },
  durable: () => persister.save(),
  commit: put,
  get: one,
  question: (age, breed) => answer(indexes.getSliceRowIds("byBreed", breed), (rowId) => cell(rowId, "age") > age),
  contains: (needle) => answer(store.getRowIds(TABLE), (rowId) => cell(rowId, "notes").includes(needle)),
  live(listener) {
    queries.setQueryDefinition("live", TABLE, ({ select, where }) => {
      select("name");
      select("age");
      where("breed", LIVE.breed);
      where((get) => get("age") >= LIVE.age);
    });
    const tell = () => listener(queries.getResultRowCount("live"));
    const id = queries.addResultRowIdsListener("live", tell);
    tell();
    return () => {
      queries.delListener(id);
      queries.delQueryDefinition("live");
    };
  },
  setAge(id, age) {
    store.setCell(TABLE, String(id), "age", age);
  },
  setWeights(ids, weights) {
    store.transaction(() => {
      for (const [at, id] of ids.entries()) store.setCell(TABLE, String(id), "weight", weights[at]);
    });
  },
  deleteMany(ids) {
    store.transaction(() => {
      for (const id of ids) store.delRow(TABLE, String(id));
    });
  },
  close: () => persister.destroy(),
};
