// Dexie: one record per object, with the index that the question wants.
import { QUESTION } from "../dogs.js";

const { Dexie } = await import("/bench/node_modules/dexie/dist/dexie.mjs");

let database;

export async function open() {
  database = new Dexie("bench", { chromeTransactionDurability: "strict" });
  database.version(1).stores({ dogs: "_id,[breed+age]" });
  await database.open();
}

/** What has been inserted can be read when it is durable, not before. */
export function insert(dogs) {
  return database.dogs.bulkAdd(dogs);
}

export async function durable() {}

export function answer() {
  const { breed, age } = QUESTION;
  return database.dogs
    .where("[breed+age]")
    .between([breed, age + 1], [breed, Dexie.maxKey])
    .count();
}

export function close() {
  database.close();
}
